"""What dask's operator in Kubernetes is given, held against the schemas that it ships and those of Kubernetes.

No API server can be had here: whether a cluster comes of it was not tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

import jsonschema
import pytest
import yaml

from jupyter_mlops.backends.clusters import CLUSTERS, arguments_of, parse_cluster
from jupyter_mlops.errors import InvalidSettings

if find_spec("dask_kubernetes") is None:
    pytest.skip("dask_kubernetes is not installed", allow_module_level=True)

TABLE = {
    "type": "kubernetes", "workers": [0, 8], "cpu": 1.5, "memory": "4Gi", "gpu": 1, "tasks": 2,
    "image": "registry.example/team/worker:1", "env": {"LEVEL": "info"}, "namespace": "jobs",
}  # fmt: skip


def made(**changes: Any) -> dict[str, Any]:
    given = arguments_of(parse_cluster("Team_A", {**TABLE, **changes}))
    given.pop("namespace", None)
    from jupyter_mlops.backends import kube  # takes a second, which only this file's worker need wait for

    found: dict[str, Any] = kube.cluster_object(**given)
    return found


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Of a ``DaskCluster``, as strict as an API server that is asked to be: no field that it does not know."""
    chart = files("dask_kubernetes.operator") / "deployment" / "helm" / "dask-kubernetes-operator"
    crd = yaml.safe_load((chart / "crds" / "daskcluster.yaml").read_text(encoding="utf-8"))
    (version,) = [each for each in crd["spec"]["versions"] if each["storage"]]
    strict: dict[str, Any] = _strict(version["schema"]["openAPIV3Schema"])
    for name in ("apiVersion", "kind", "metadata"):
        strict["properties"].setdefault(name, {})
    return strict


def _strict(node: Any) -> Any:
    """OpenAPI as Kubernetes writes it → JSON Schema."""
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    made = {key: _strict(value) for key, value in node.items() if not key.startswith("x-kubernetes")}
    if node.get("x-kubernetes-int-or-string") or node.get("format") == "int-or-string":
        made = {"type": ["integer", "string"]}
    is_open = node.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in node
    if isinstance(node.get("properties"), Mapping) and node.get("type") == "object" and not is_open:
        made["additionalProperties"] = False
    return made


def test_the_operator_would_take_it(schema: dict[str, Any]) -> None:
    checker = jsonschema.Draft202012Validator(schema)
    checker.validate(json.loads(json.dumps(made())))
    checker.validate(json.loads(json.dumps(made(spot=True))))
    wrong = made()
    wrong["spec"]["worker"]["spec"]["containers"][0]["ressources"] = {}
    with pytest.raises(jsonschema.ValidationError, match="ressources"):  # it is as strict as that
        checker.validate(wrong)


def test_kubernetes_would_take_its_pods() -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    for part in ("worker", "scheduler"):
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": part},
            "spec": made(spot=True)["spec"][part]["spec"],
        }
        validate(pod, "1.32", strict=True)
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    validate({**service, "spec": made()["spec"]["scheduler"]["service"]}, "1.32", strict=True)


def test_workers_ask_for_what_the_table_says_and_the_scheduler_for_little() -> None:
    spec = made()["spec"]
    (worker,), (scheduler,) = (spec[part]["spec"]["containers"] for part in ("worker", "scheduler"))
    assert worker["resources"] == {
        "requests": {"cpu": "1.5", "memory": str(4 * 2**30), "nvidia.com/gpu": "1"},
        "limits": {"memory": str(4 * 2**30), "nvidia.com/gpu": "1"},
    }
    assert worker["args"][:6] == [
        "dask",
        "worker",
        "--nthreads",
        "2",
        "--resources",
        "cpu=1.5 memory=4294967296 gpu=1",
    ]
    assert scheduler["args"][:2] == ["dask", "scheduler"]
    assert "nvidia.com/gpu" not in scheduler["resources"]["requests"]
    assert worker["image"] == scheduler["image"] == TABLE["image"]
    assert worker["env"] == [{"name": "LEVEL", "value": "info"}]
    assert spec["worker"]["replicas"] == 0
    assert (
        "--resources"
        not in made(cpu=None, memory=None, gpu=None)["spec"]["worker"]["spec"]["containers"][0]["args"]
    )


def test_workers_but_no_scheduler_may_have_nodes_that_can_be_taken_away() -> None:
    spec = made(spot=True)["spec"]
    assert {each["key"] for each in spec["worker"]["spec"]["tolerations"]} >= {"cloud.google.com/gke-spot"}
    assert "tolerations" not in spec["scheduler"]["spec"]
    assert "tolerations" not in made()["spec"]["worker"]["spec"]


def test_each_run_has_a_cluster_of_its_own_with_a_name_that_kubernetes_takes() -> None:
    from dask_kubernetes.operator.validation import validate_cluster_name

    names = {made()["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    for name in [*names, made(name="A rather long name " * 9 + "{uuid}")["metadata"]["name"]]:
        validate_cluster_name(name)
    assert all(name.startswith("mlops-team-a-") for name in names)
    assert made(name="ours")["metadata"]["name"] == "ours"


def test_without_an_image_there_is_nothing_to_run() -> None:
    with pytest.raises(InvalidSettings, match="image must name"):
        parse_cluster("k", {"type": "kubernetes"})
    assert callable(CLUSTERS.get("kubernetes"))
