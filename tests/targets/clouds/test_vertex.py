"""Vertex AI: bodies that Google's own messages accept, and deeds through its clients against a server in memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from jupyter_mlops.errors import InvalidInput, MissingExtra
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.targets import TARGETS, Wanted
from jupyter_mlops.targets.vertex import plan, read

SCRIPT = Path(__file__).with_name("google_cloud.py").read_text()
REGISTRY = "europe-west4-docker.pkg.dev/my-project/models/flights"
OPTIONS = {"project": "my-project", "region": "europe-west4"}
MORE = {
    "service_account": "serving@my-project.iam.gserviceaccount.com",
    "kms_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k",
    "env": {"LOG_LEVEL": "info"},
    "labels": {"team": "delays"},
    "dedicated": False,
}


def wanted(*, traffic=None, is_bad=None, **more) -> Wanted:
    traffic = traffic or {3: 1.0}
    options = {**OPTIONS, **more.pop("options", {})}
    images = {v: f"{REGISTRY}@sha256:{'bad' + '0' * 61 if v == is_bad else f'{v:064x}'}" for v in traffic}
    return Wanted(
        **{
            "name": "flights", "model": "late-flights", "revision": 1, "traffic": traffic, "images": images,
            "resources": ResourceRequest(cpu=1, memory=2**30), "options": options, **more,
        }
    )  # fmt: skip


def as_json(case: Wanted) -> dict:
    return {**dataclasses.asdict(case), "resources": case.resources.to_json()}


def bodies(case: Wanted, call: str) -> list:
    return [each.body for each in plan(case, read(case.options)) if each.call.endswith(call)]


def test_shares_are_whole_percents_that_sum_to_100():
    (body,) = bodies(wanted(traffic={3: 1 / 3, 4: 1 / 3, 5: 1 / 3}), "update_endpoint")
    assert sorted(body["endpoint"]["traffic_split"].values()) == [33, 33, 34]


def test_moving_shares_makes_nothing_new():
    one, other = (wanted(revision=n, traffic={3: a, 4: 1 - a}) for n, a in ((1, 0.9), (2, 0.8)))
    for call in ("upload_model", "deploy_model"):
        assert bodies(one, call) == bodies(other, call)


@pytest.mark.parametrize(
    ("asked", "machine"),
    [
        (ResourceRequest(), {"machine_type": "n2-standard-2"}),
        (ResourceRequest(cpu=3), {"machine_type": "n2-standard-4"}),
        (ResourceRequest(memory=60 * 2**30), {"machine_type": "n2-standard-16"}),
        (
            ResourceRequest(gpu=2),
            {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2},
        ),
    ],
)
def test_the_smallest_machine_that_holds_it(asked, machine):
    (body,) = bodies(wanted(resources=asked), "deploy_model")
    assert body["deployed_model"]["dedicated_resources"]["machine_spec"] == machine


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": {"project": ""}}, "no project's ID"),
        ({"options": {"region": "europe"}}, "no region"),
        ({"options": {"regio": "x"}}, "no option 'regio'"),
        ({"options": {"service_account": "me"}}, "by its e-mail"),
        ({"options": {"labels": {"Team": "x"}}}, "is no label"),
        ({"options": {"env": {"KEY": "secret:KEY"}}}, "not written anywhere"),
        ({"images": {3: "docker.io/flights@sha256:" + "0" * 64}}, "Artifact Registry only"),
        ({"shadow": {3: 0.5}}, "to a shadow"),
        ({"options": {"machine_type": "a2-highgpu-1g"}, "resources": ResourceRequest(gpu=1)}, "which GPU"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_made(change, message):
    with pytest.raises(InvalidInput, match=message):
        TARGETS.get("vertex")(None).check(wanted(**change))


def test_without_the_sdk_the_cure_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "google.cloud", None)
    with pytest.raises(MissingExtra, match="google-cloud-aiplatform") as caught:
        TARGETS.get("vertex")(None).status("flights", OPTIONS)
    assert "jupyter-mlops[vertex]" in caught.value.hint


@pytest.mark.slow
class TestWithTheSdk:
    @pytest.fixture
    def google(self, cloud_sdk):
        return cloud_sdk("google-cloud-aiplatform>=1.60")

    def test_every_body_is_one_of_googles_messages(self, google):
        cases = [
            wanted(),
            wanted(traffic={3: 0.9, 4: 0.1}, options=MORE),
            wanted(resources=ResourceRequest(gpu=1)),
        ]
        for case, found in zip(
            cases, google(SCRIPT, [("requests", as_json(each)) for each in cases]), strict=True
        ):
            assert found["answer"] == [each.call for each in plan(case, read(case.options))]

    def test_the_life_of_an_endpoint(self, google):
        place = {"name": "flights", "options": OPTIONS}
        steps = [
            ("apply", as_json(wanted())),
            ("apply", as_json(wanted(revision=2, traffic={3: 0.9, 4: 0.1}))),
            ("apply", as_json(wanted(revision=3, traffic={3: 0.8, 4: 0.2}))),
            ("apply", as_json(wanted(revision=4, traffic={5: 1.0}, is_bad=5))),
            ("status", place),
            ("apply", as_json(wanted(revision=5, traffic={4: 1.0}))),
            ("remove", place),
            ("remove", place),
            ("status", place),
            ("apply", as_json(wanted(is_bad=3))),
            ("apply", as_json(wanted(traffic={3: 0.6, 4: 0.4}))),
            ("remove", place),
        ]
        first, canary, moved, bad, status, promoted, removed, again, gone, never, _, split = google(
            SCRIPT, steps
        )
        assert first["answer"]["state"] == "running"
        assert first["log"] == [
            "upload flights-v3",
            "create endpoint",
            "deploy late-flights 3",
            "move traffic",
        ]
        assert first["answer"]["url"].endswith("/endpoints/flights:predict")
        assert canary["traffic"] == {"late-flights 3": 90, "late-flights 4": 10}
        assert "deploy late-flights 3" not in canary["log"]
        assert (moved["traffic"], moved["log"]) == (
            {"late-flights 3": 80, "late-flights 4": 20},
            ["move traffic"],
        )
        assert bad["answer"]["code"] == "deployment_failed"
        assert "container exited" in bad["answer"]["message"]
        assert bad["traffic"] == moved["traffic"], "those that answer go on"
        assert bad["models"] == ["flights-v3", "flights-v4"]
        assert (status["answer"]["state"], status["answer"]["revision"]) == ("running", 3)
        assert promoted["deployed"] == ["late-flights 4"]
        assert promoted["models"] == ["flights-v4"]
        for each in (removed, again, split):
            assert (each["answer"], each["models"], each["endpoints"]) == (None, [], 0)
        assert gone["answer"]["state"] == "removed"
        assert (never["models"], never["endpoints"]) == ([], 0), "a first revision that fails leaves nothing"

    def test_without_credentials_the_cure_is_told(self, google, monkeypatch, tmp_path):
        monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
        monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        (found,) = google(SCRIPT, [("real", {"name": "flights", "options": OPTIONS})])
        assert found["answer"]["code"] == "unavailable"
        assert "gcloud auth" in found["answer"]["hint"]
