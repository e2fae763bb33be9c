"""Azure ML: bodies that its own schemas accept, and deeds through its client against a resource manager in memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from jupyter_mlops.errors import InvalidInput, MissingExtra
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.targets import TARGETS, Wanted
from jupyter_mlops.targets.azureml import plan, read

SCRIPT = Path(__file__).with_name("azure_cloud.py").read_text()
REGISTRY = "models.azurecr.io/flights"
OPTIONS = {
    "subscription": "00000000-0000-0000-0000-000000000001",
    "resource_group": "ml",
    "workspace": "ws",
}
MORE = {"auth": "aad_token", "public": False, "env": {"LOG_LEVEL": "info"}, "tags": {"team": "delays"}}


def wanted(*, traffic=None, shadow=None, is_bad=None, **more) -> Wanted:
    traffic, shadow = traffic or {3: 1.0}, shadow or {}
    options = {**OPTIONS, **more.pop("options", {})}
    every = [*traffic, *shadow]
    images = {v: f"{REGISTRY}@sha256:{'bad' + '0' * 61 if v == is_bad else f'{v}' * 64}" for v in every}
    return Wanted(
        **{
            "name": "flights", "model": "late-flights", "revision": 1, "traffic": traffic, "shadow": shadow,
            "images": images, "resources": ResourceRequest(cpu=1, memory=2**30), "options": options, **more,
        }
    )  # fmt: skip


def as_json(case: Wanted) -> dict:
    return {**dataclasses.asdict(case), "resources": case.resources.to_json()}


def bodies(case: Wanted, call: str) -> list:
    return [each.body for each in plan(case, read(case.options)) if call in each.call]


def test_shares_and_copies_are_whole_percents():
    made = wanted(traffic={3: 2 / 3, 4: 1 / 3}, shadow={5: 0.25})
    moved = bodies(made, "online_endpoints")[-1]
    assert sorted(moved["traffic"].values()) == [33, 67]
    assert list(moved["mirror_traffic"].values()) == [25]


def test_moving_shares_makes_nothing_new():
    one, other = (wanted(revision=n, traffic={3: a, 4: 1 - a}) for n, a in ((1, 0.9), (2, 0.8)))
    for call in ("environments", "online_deployments"):
        assert bodies(one, call) == bodies(other, call)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": {"subscription": "mine"}}, "no subscription's ID"),
        ({"options": {"workspace": ""}}, "needs a workspace"),
        ({"options": {"resource_group": "a/b"}}, "needs a resource_group"),
        ({"options": {"workspce": "x"}}, "no option 'workspce'"),
        ({"options": {"auth": "none"}}, "auth is key"),
        ({"options": {"timeout_seconds": 500}}, "1 … 180"),
        ({"options": {"env": {"KEY": "secret:KEY"}}}, "not written anywhere"),
        ({"name": "ab"}, "at least 3|cannot call"),
        ({"name": "x" * 33}, "cannot call"),
        ({"shadow": {5: 0.9}}, "at most half"),
        ({"shadow": {5: 0.1, 6: 0.1}}, "to one version"),
        ({"resources": ResourceRequest(memory=2**50)}, "no usual instance"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_made(change, message):
    with pytest.raises(InvalidInput, match=message):
        TARGETS.get("azureml")(None).check(wanted(**change))


def test_without_the_sdk_the_cure_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "azure.ai", None)
    with pytest.raises(MissingExtra, match="azure-ai-ml") as caught:
        TARGETS.get("azureml")(None).status("flights", OPTIONS)
    assert "jupyter-mlops[azureml]" in caught.value.hint


@pytest.mark.slow
class TestWithTheSdk:
    @pytest.fixture
    def azure(self, cloud_sdk):
        return cloud_sdk("azure-ai-ml>=1.20", "azure-identity>=1.15")

    def test_every_body_is_right_by_azures_own_schemas(self, azure):
        cases = [
            wanted(),
            wanted(traffic={3: 0.9, 4: 0.1}, shadow={5: 0.5}, options=MORE),
            wanted(resources=ResourceRequest(gpu=1)),
        ]
        for case, found in zip(
            cases, azure(SCRIPT, [("requests", as_json(each)) for each in cases]), strict=True
        ):
            assert found["answer"] == [each.call for each in plan(case, read(case.options))]

    def test_the_life_of_an_endpoint(self, azure):
        place = {"name": "flights", "options": OPTIONS}
        steps = [
            ("apply", as_json(wanted())),
            ("apply", as_json(wanted(revision=2, traffic={3: 0.9, 4: 0.1}, shadow={5: 0.2}))),
            ("apply", as_json(wanted(revision=3, traffic={3: 0.8, 4: 0.2}))),
            ("apply", as_json(wanted(revision=4, traffic={6: 1.0}, is_bad=6))),
            ("status", place),
            ("apply", as_json(wanted(revision=5, traffic={4: 1.0}))),
            ("remove", place),
            ("remove", place),
            ("status", place),
            ("apply", as_json(wanted(traffic={6: 1.0}, is_bad=6))),
        ]
        first, canary, moved, bad, status, promoted, removed, again, gone, never = azure(SCRIPT, steps)
        assert first["answer"]["state"] == "running", first
        assert first["log"] == ["environment flights-v3", "create endpoint", "deploy v3", "move traffic"]
        assert first["answer"]["url"].endswith("/score")
        assert (canary["traffic"], canary["copies"]) == ({"v3": 90, "v4": 10}, {"v5": 20})
        assert "deploy v3" not in canary["log"]
        assert (moved["traffic"], moved["copies"]) == ({"v3": 80, "v4": 20}, {})
        assert moved["log"] == ["move traffic", "delete v5"]
        assert bad["answer"]["code"] == "deployment_failed"
        assert "container has crashed" in bad["answer"]["message"]
        assert "get-logs" in bad["answer"]["hint"]
        assert (bad["traffic"], bad["deployed"]) == (moved["traffic"], ["v3", "v4"])
        assert (status["answer"]["state"], status["answer"]["revision"]) == ("running", 3)
        assert promoted["deployed"] == ["v4"]
        for each in (removed, again):
            assert (each["answer"], each["deployed"], each["traffic"]) == (None, [], {})
        assert gone["answer"]["state"] == "removed"
        assert never["answer"]["code"] == "deployment_failed"
        assert never["deployed"] == [], "a first revision that fails leaves nothing"

    def test_without_credentials_the_cure_is_told(self, azure, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
        (found,) = azure(SCRIPT, [("real", {"name": "flights", "options": OPTIONS})])
        assert found["answer"]["code"] == "unavailable"
        assert "az login" in found["answer"]["hint"]
