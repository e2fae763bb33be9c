"""Manifests as text: golden files, the schemas of every minor version, and what each choice changes."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml

from jupyter_mlops.errors import Conflict, InvalidInput
from jupyter_mlops.pipelines.schedules import ScheduleSpec
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.spot_nodes import TAINTS
from jupyter_mlops.targets import Wanted
from jupyter_mlops.targets.kubernetes import (
    Batch,
    KubernetesTarget,
    batch,
    documents,
    files,
    read,
    serving,
    write,
)
from jupyter_mlops.targets.kubernetes.options import Options
from jupyter_mlops.targets.kubernetes.pods import pod

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
IMAGE = "registry.example/flights@sha256:" + "{:064x}"
MINORS = [f"1.{minor}" for minor in range(29, 38)]
HOSTED = {
    "namespace": "models",
    "host": "flights.example.com",
    "allow_from": ["ingress-nginx"],
    "tls_secret": "tls",
}


def wanted(*, traffic=None, shadow=None, **more) -> Wanted:
    traffic = traffic or {3: 1.0}
    options = {"namespace": "models", **more.pop("options", {})}
    every = [*traffic, *(shadow or {})]
    return Wanted(
        **{
            "name": "flights", "model": "late-flights", "revision": 7, "traffic": traffic, "shadow": shadow or {},
            "digests": {v: f"sha256:{v:064x}" for v in every}, "images": {v: IMAGE.format(v) for v in every},
            "resources": ResourceRequest(cpu=1, memory=2**30), "options": options, **more,
        }
    )  # fmt: skip


def plain(**more) -> list[dict]:
    made = wanted(**more)
    return serving(made, read(made.options))


NIGHTLY = Batch(
    name="pull",
    image=IMAGE.format(9),
    arguments={"week": 20, "region": "all", "days": [1, 2]},
    schedules={
        "nightly": ScheduleSpec(cron="0 2 * * 1-5", timezone="Europe/Zurich", overlap="cancel"),
        "sunday": ScheduleSpec(
            cron="30 6 * * 7", catch_up="none", is_paused=True, parameters={"region": "west"}
        ),
    },
    resources=ResourceRequest(cpu=2, memory=4 * 2**30, gpu=1, accelerator="a100"),
)
GPU = {"accelerator_label": "nvidia.com/gpu.product", "config_map": "mlops"}
SECRETS = {
    "env": {"LOG_LEVEL": "info"},
    "secrets": {"REDIS_URL": "redis/url"},
    "egress": ["10.0.0.0/8:6379", "[fd00::/8]:5432"],
    "image_pull_secret": "registry",
    "service_account_annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"},
    "node_selector": {"pool": "serving"},
    "priority_class": "high",
    "create_namespace": True,
    "cpu_limit": True,
}
CASES = {
    "plain": plain(),
    "host": plain(options=HOSTED),
    "everything": plain(options=SECRETS),
    "canary-by-pods": plain(traffic={3: 0.75, 4: 0.25}, replicas=(2, 4)),
    "canary-by-gateway": plain(
        traffic={3: 0.9, 4: 0.1},
        shadow={5: 0.2},
        options={"gateway": "infra/public", "host": "flights.example.com"},
    ),
    "kserve": plain(traffic={3: 0.9, 4: 0.1}, options={"kserve": True}),
    "batch": batch(NIGHTLY, read({"namespace": "jobs", **GPU}))[0],
    "job": batch(replace(NIGHTLY, schedules={}), read({"namespace": "jobs"}))[0],
}


@pytest.mark.parametrize("name", CASES)
def test_golden(name):
    """Write them again with GOLDEN=1."""
    text, golden = documents(CASES[name]), GOLDEN / f"{name}.yaml"
    if os.environ.get("GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def at(name: str, version: str) -> list[dict]:
    more = {"namespace": "models", "version": version}
    if name == "batch":
        return batch(NIGHTLY, read({**more, **GPU}))[0]
    return plain(
        options={**more, **({**SECRETS, **HOSTED} if name == "everything" else {})}, traffic={3: 0.5, 4: 0.5}
    )


@pytest.mark.parametrize("version", MINORS)
@pytest.mark.parametrize("name", ["plain", "everything", "batch"])
def test_each_minor_versions_strict_schemas_accept_them(name, version):
    import kubernetes_validate

    for manifest in at(name, version):
        kubernetes_validate.validate(manifest, version, strict=True)


def forbid_unknown(schema):
    """A custom resource's schema, held to what it names: unknown fields would be dropped silently."""
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
        for each in schema.values():
            forbid_unknown(each)
    elif isinstance(schema, list):
        for each in schema:
            forbid_unknown(each)
    return schema


@pytest.mark.parametrize(
    ("case", "kind"), [("canary-by-gateway", "HTTPRoute"), ("kserve", "InferenceService")]
)
def test_custom_resources_hold_by_their_own_schemas(case, kind):
    """The schemas are those of Gateway API's and KServe's repositories, without their descriptions."""
    schema = forbid_unknown(json.loads((HERE / "schemas" / f"{kind.lower()}.json").read_text()))
    schema["properties"]["metadata"] = {"type": "object"}
    schema = json.loads(
        json.dumps(schema).replace('"x-kubernetes-int-or-string": true', '"type": ["string", "integer"]')
    )
    found = [each for each in CASES[case] if each["kind"] == kind]
    assert found
    for each in found:
        jsonschema.Draft202012Validator(schema).validate(each)
        broken = copy.deepcopy(each)
        broken["spec"]["oops"] = 1
        assert not jsonschema.Draft202012Validator(schema).is_valid(broken)


def by_kind(manifests: list[dict], kind: str) -> list[dict]:
    return [each for each in manifests if each["kind"] == kind]


def templates(manifests: list[dict]) -> list[dict]:
    found = []
    for each in manifests:
        spec = each.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found.append(spec["template"]["spec"])
        if each["kind"] == "InferenceService":
            found.append(spec["predictor"])
    return found


@pytest.mark.parametrize("name", CASES)
def test_pods_pass_the_restricted_standard(name):
    """Its controls, by its text: pod-security-standards, restricted."""
    found = templates(CASES[name])
    assert found
    for spec in found:
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert {key for volume in spec["volumes"] for key in volume} <= {
            "name",
            "emptyDir",
            "configMap",
            "secret",
        }
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert own["readOnlyRootFilesystem"] is True
            assert not {port.get("hostPort") for port in container.get("ports", [])} - {None}
        assert spec["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", CASES)
def test_every_object_has_a_namespace_and_an_image_by_digest(name):
    for each in CASES[name]:
        if each["kind"] != "Namespace":
            assert each["metadata"]["namespace"]
            assert each["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "jupyter-mlops"
    for spec in templates(CASES[name]):
        assert all("@sha256:" in container["image"] for container in spec["containers"])


def test_an_autoscaler_owns_the_number_of_pods_else_it_is_fixed():
    (deployment,) = by_kind(CASES["plain"], "Deployment")
    assert "replicas" not in deployment["spec"]
    assert by_kind(CASES["plain"], "HorizontalPodAutoscaler")[0]["spec"]["minReplicas"] == 2
    fixed = plain(replicas=(3, 3))
    assert by_kind(fixed, "Deployment")[0]["spec"]["replicas"] == 3
    assert not by_kind(fixed, "HorizontalPodAutoscaler")


def test_a_new_revision_of_the_same_versions_restarts_no_pod():
    one, other = (by_kind(plain(revision=n), "Deployment")[0] for n in (7, 8))
    assert one["spec"] == other["spec"]
    assert one["metadata"]["labels"] != other["metadata"]["labels"]


def test_a_new_version_changes_pods_and_no_selector():
    one, other = (by_kind(plain(traffic={n: 1.0}), "Deployment")[0] for n in (3, 4))
    assert one["metadata"]["name"] == other["metadata"]["name"]
    assert one["spec"]["selector"] == other["spec"]["selector"]
    assert one["spec"]["template"] != other["spec"]["template"]


def test_selectors_choose_the_pods_they_mean():
    for case in ("canary-by-pods", "canary-by-gateway"):
        pods = {
            each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"].items()
            for each in by_kind(CASES[case], "Deployment")
        }
        for kind in ("Deployment", "PodDisruptionBudget"):
            for each in by_kind(CASES[case], kind):
                chosen = each["spec"]["selector"]["matchLabels"].items()
                assert [name for name, own in pods.items() if chosen <= own] == [each["metadata"]["name"]]
        for each in by_kind(CASES[case], "Service"):
            chosen = each["spec"]["selector"].items()
            names = [name for name, own in pods.items() if chosen <= own]
            assert names == (
                ["flights", "flights-v4"] if case == "canary-by-pods" else [each["metadata"]["name"]]
            )


@pytest.mark.parametrize(
    ("traffic", "replicas", "pods"),
    [
        ({3: 0.5, 4: 0.5}, (2, 4), {3: 1, 4: 1}),
        ({3: 0.75, 4: 0.25}, (2, 4), {3: 3, 4: 1}),
        ({3: 0.9, 4: 0.1}, (2, 10), {3: 9, 4: 1}),
        ({3: 0.34, 4: 0.33, 5: 0.33}, (2, 4), {3: 1, 4: 1, 5: 1}),
    ],
)
def test_shares_without_a_gateway_are_shares_of_pods(traffic, replicas, pods):
    found = plain(traffic=traffic, replicas=replicas)
    counts = {each["metadata"]["name"]: each["spec"]["replicas"] for each in by_kind(found, "Deployment")}
    assert counts == {("flights" if v == 3 else f"flights-v{v}"): n for v, n in pods.items()}
    assert not by_kind(found, "HorizontalPodAutoscaler")


def test_a_gateway_gets_exact_shares_and_shadows():
    (route,) = by_kind(CASES["canary-by-gateway"], "HTTPRoute")
    (rule,) = route["spec"]["rules"]
    assert {each["name"]: each["weight"] for each in rule["backendRefs"]} == {"flights": 90, "flights-v4": 10}
    mirror = rule["filters"][0]["requestMirror"]
    assert (mirror["backendRef"]["name"], mirror["percent"]) == ("flights-v5", 20)
    policy = by_kind(CASES["canary-by-gateway"], "NetworkPolicy")[0]["spec"]["ingress"][0]["from"]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "infra"}}} in policy


def test_secrets_are_references():
    text = documents(CASES["everything"])
    assert "secretKeyRef" in text
    (deployment,) = by_kind(CASES["everything"], "Deployment")
    env = {each["name"]: each for each in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["REDIS_URL"] == {
        "name": "REDIS_URL",
        "valueFrom": {"secretKeyRef": {"name": "redis", "key": "url"}},
    }


def test_gpus_are_limits_with_a_toleration_on_the_right_nodes():
    for spec in templates(CASES["batch"]):
        assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
        assert spec["tolerations"][0]["key"] == "nvidia.com/gpu"
        assert spec["nodeSelector"] == {"nvidia.com/gpu.product": "a100"}


def test_what_may_be_taken_away_tolerates_it_and_would_rather_be_there():
    options = Options(namespace="n")
    spec = pod({}, ResourceRequest(gpu=1, spot=True), options, "a", grace_seconds=1)
    keys = [each["key"] for each in spec["tolerations"]]
    assert keys == ["nvidia.com/gpu", *(key for key, _ in TAINTS)]
    assert "requiredDuringSchedulingIgnoredDuringExecution" not in spec["affinity"]["nodeAffinity"]
    assert "affinity" not in pod({}, ResourceRequest(gpu=1, spot=False), options, "a", grace_seconds=1)


WRONG = [
    ({"options": {"namespace": ""}}, "needs a namespace"),
    ({"options": {"namspace": "x"}}, "no option 'namspace'"),
    ({"options": {"namespace": "Not_A_Name"}}, "no name there"),
    ({"options": {"version": "1.20"}}, "is not among"),
    ({"options": {"version": "31"}}, "is not among"),
    ({"options": {"host": "a b"}}, "no host name"),
    ({"options": {"host": "a.example.com"}}, "could not reach"),
    ({"options": {"gateway": "public"}}, "not namespace/name"),
    ({"options": {"kserve": True, "gateway": "a/b"}}, "its own way in"),
    ({"options": {"kserve": True, "gateway": 5}}, "is text"),
    ({"options": {"kserve": "perhaps"}}, "true or false"),
    ({"options": {"cpu_utilization": "much"}}, "is a number"),
    ({"options": {"egress": "redis:6379"}}, "no network with a port"),
    ({"options": {"secrets": {"TOKEN": "hunter2"}}}, "do not hold values"),
    ({"options": {"env": {"TOKEN": "secret:TOKEN"}}}, "not written anywhere"),
    ({"options": {"env": {"A B": "1"}}}, "cannot be an environment variable"),
    ({"options": {"env": ["A"]}}, "is a mapping"),
    ({"images": {}}, "needs an image of late-flights version 3"),
    ({"images": {3: "registry/flights:latest"}}, "not given by its digest"),
    ({"name": "Flights_1"}, "cannot call"),
    ({"traffic": {3: 0.5}}, "must sum to 1"),
    ({"replicas": (3, 2)}, "no range"),
    ({"traffic": {3: 0.9, 4: 0.1}, "replicas": (2, 4)}, "4 pods cannot be split"),
    ({"shadow": {5: 0.5}}, "cannot copy requests"),
    ({"shadow": {5: 0.5}, "options": {"kserve": True}}, "cannot copy"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_is_told_before_anything_is_made(change, message):
    with pytest.raises(InvalidInput, match=message):
        KubernetesTarget().check(wanted(**change))


def test_options_may_be_the_text_of_a_command_line():
    options = read(
        {"namespace": "m", "kserve": "false", "cpu_utilization": "60", "allow_from": "a,b", "env": "A=1,B=x=y",
         "secrets": '{"T": "s/k"}'}
    )  # fmt: skip
    assert (options.kserve, options.cpu_utilization, options.allow_from) == (False, 60, ("a", "b"))
    assert (options.env, options.secrets) == ({"A": "1", "B": "x=y"}, {"T": "s/k"})


# --- batches


def test_schedules_become_cron_jobs():
    nightly, sunday = by_kind(CASES["batch"], "CronJob")
    assert nightly["spec"]["timeZone"] == "Europe/Zurich"
    assert nightly["spec"]["concurrencyPolicy"] == "Replace"
    assert sunday["spec"]["schedule"] == "30 6 * * 0", "Kubernetes' Sunday is 0 only"
    assert sunday["spec"]["suspend"] is True
    args = sunday["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args == ["-p", "week", "20", "-p", "region", "west", "-p", "days", "[1, 2]"]


def test_a_job_applied_again_is_the_same_and_a_changed_one_another():
    def name(**change):
        return by_kind(batch(replace(NIGHTLY, schedules={}, **change), read({"namespace": "j"}))[0], "Job")[
            0
        ]["metadata"]["name"]

    assert name() == name() != name(arguments={})


def test_an_evicted_pod_is_no_failure_and_wrong_arguments_are_final():
    for version, has_policy in (("1.30", False), ("1.31", True)):
        (job,) = by_kind(
            batch(replace(NIGHTLY, schedules={}), read({"namespace": "j", "version": version}))[0], "Job"
        )
        assert ("podFailurePolicy" in job["spec"]) is has_policy


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (ScheduleSpec(cron="0 6 L * *"), "has no '0 6 L"),
        (ScheduleSpec(cron="0 6 * * MON#1"), "has no"),
        (ScheduleSpec(cron="0 6 * * FRIL"), "has no"),
        (ScheduleSpec(cron="0 6 * * 5-7"), "week ends on 6"),
        (ScheduleSpec(cron="0 6 * *"), "field"),
        (
            ScheduleSpec(cron="0 6 * * 1", parameters={"day": "${schedule.fire_at.date}"}),
            "the moment of its fire",
        ),
    ],
)
def test_what_a_cron_job_cannot_say_is_an_error(schedule, message):
    with pytest.raises(InvalidInput, match=message):
        batch(replace(NIGHTLY, schedules={"x": schedule}), read({"namespace": "j"}))


@pytest.mark.parametrize("cron", ["0 6 * JUL FRI", "*/5 * * * MON-FRI", "@daily", "0 0 1,15 * *"])
def test_what_both_know_is_kept(cron):
    found, _ = batch(replace(NIGHTLY, schedules={"x": ScheduleSpec(cron=cron)}), read({"namespace": "j"}))
    assert by_kind(found, "CronJob")[0]["spec"]["schedule"] == cron


def test_what_holds_in_another_way_is_told():
    odd = ScheduleSpec(
        cron="@daily", overlap="queue", catch_up="all", jitter_seconds=5, timezone="Europe/Zurich"
    )
    _, notes = batch(replace(NIGHTLY, schedules={"x": odd}), read({"namespace": "j"}))
    assert [note.split(": ")[1].split()[0] for note in notes] == ["Kubernetes", "overlap", "catch_up", "not"]


def test_a_secret_is_no_argument():
    with pytest.raises(InvalidInput, match="is a secret"):
        batch(replace(NIGHTLY, arguments={"key": "secret:KEY"}), read({"namespace": "j"}))


# --- folders


def folder_of(name: str) -> dict[str, str]:
    return files(CASES[name], "models")


def test_a_folder_has_a_base_and_three_overlays():
    found = folder_of("host")
    assert set(yaml.safe_load(found["base/kustomization.yaml"])["resources"]) == {
        path.removeprefix("base/")
        for path in found
        if path.startswith("base/") and "kustomization" not in path
    }
    assert yaml.safe_load(found["overlays/dev/kustomization.yaml"])["namespace"] == "models-dev"
    assert "patches" not in yaml.safe_load(found["overlays/prod/kustomization.yaml"])


def test_two_steps_are_no_folder():
    with pytest.raises(InvalidInput, match="two steps"):
        folder_of("kserve")


@pytest.mark.parametrize("case", ["host", "canary-by-gateway", "everything", "batch"])
def test_kustomize_builds_every_overlay(case, tmp_path, kubectl):
    write(folder_of(case), tmp_path)
    for overlay in ("dev", "staging", "prod"):
        words = [kubectl, "kustomize", str(tmp_path / "overlays" / overlay)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        built = list(yaml.safe_load_all(done.stdout))
        assert len(built) == len(CASES[case])
        space = "models" if overlay == "prod" else f"models-{overlay}"
        assert {each["metadata"].get("namespace", space) for each in built} == {space}
        for each in by_kind(built, "HorizontalPodAutoscaler"):
            least, most = each["spec"]["minReplicas"], each["spec"]["maxReplicas"]
            assert least <= most <= (4 if overlay == "prod" else 2)
        for each in by_kind(built, "Ingress"):
            host = "flights.example.com" if overlay == "prod" else f"{overlay}.flights.example.com"
            assert each["spec"]["rules"][0]["host"] == host == each["spec"]["tls"][0]["hosts"][0]
        for each in by_kind(built, "CronJob"):
            assert each["spec"]["suspend"] is (overlay == "dev" or each["metadata"]["name"] == "pull-sunday")


def test_a_changed_base_is_not_overwritten_and_overlays_are_their_readers(tmp_path):
    write(folder_of("host"), tmp_path)
    (tmp_path / "overlays/dev/kustomization.yaml").write_text("# mine\n")
    write(folder_of("host"), tmp_path)
    assert (tmp_path / "overlays/dev/kustomization.yaml").read_text() == "# mine\n"
    changed = tmp_path / "base/service-flights.yaml"
    changed.write_text("# mine\n")
    with pytest.raises(Conflict, match=r"service-flights\.yaml"):
        write(folder_of("host"), tmp_path)
    assert changed.read_text() == "# mine\n"
    write(folder_of("host"), tmp_path, is_forced=True)
    assert changed.read_text() != "# mine\n"
    assert not list(tmp_path.rglob(".*")), "nothing half-written stays"


def test_requests_are_what_is_applied_and_then_deleted():
    made = wanted(traffic={3: 0.5, 4: 0.5})
    found = KubernetesTarget().requests(made)
    assert [each.body for each in found[:-1]] == serving(made, read(made.options))
    assert found[-1].call == "kubectl delete"
    assert found[-1].body["selector"].endswith("jupyter-mlops/revision!=7")
