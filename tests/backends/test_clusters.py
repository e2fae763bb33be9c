"""Clusters of the settings: read, said in the words of dask's classes, and how many workers there should be."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.backends.clusters import (
    CLUSTERS,
    ClusterSpec,
    arguments_of,
    demand_startable,
    find_cluster,
    parse_cluster,
    wanted_workers,
)
from jupyter_mlops.backends.counting import counted, most
from jupyter_mlops.backends.environment import difference, here
from jupyter_mlops.errors import InvalidInput, InvalidSettings, MlopsError, Unavailable
from jupyter_mlops.resources import ResourceRequest

SLURM = {
    "type": "slurm", "workers": [1, 8], "cpu": 4, "memory": "16Gi", "gpu": 1, "accelerator": "a100",
    "tasks": 2, "queue": "main", "walltime": "04:00:00", "job_extra_directives": ["--qos=high"],
}  # fmt: skip


def test_a_table_is_read() -> None:
    spec = find_cluster("hpc", {"hpc": SLURM})
    assert (spec.type, spec.minimum, spec.maximum, spec.tasks) == ("slurm", 1, 8, 2)
    assert spec.worker.to_dask() == {"cpu": 4.0, "memory": 16 * 2.0**30, "gpu": 1.0}
    assert spec.options["queue"] == "main"


def test_slurm_hears_it_in_its_words() -> None:
    said = arguments_of(parse_cluster("hpc", SLURM))
    assert said["cores"] == 4
    assert said["memory"] == "16384MiB"
    assert said["job_extra_directives"] == ["--qos=high", "--gres=gpu:a100:1"]
    assert said["worker_extra_args"] == ["--nthreads", "2", "--resources", "'cpu=4 memory=17179869184 gpu=1'"]
    assert (said["queue"], said["walltime"]) == ("main", "04:00:00")


def test_kubernetes_hears_it_in_its_words() -> None:
    said = arguments_of(
        parse_cluster("k", {"type": "kubernetes", "cpu": 2, "memory": "4Gi", "image": "a/b@sha256:1"})
    )
    assert said["resources"] == {
        "requests": {"cpu": "2", "memory": "4294967296"},
        "limits": {"memory": "4294967296"},
    }
    assert said["worker_command"][:2] == ["dask", "worker"]
    assert said["image"] == "a/b@sha256:1"


def test_clouds_hear_it_in_their_words() -> None:
    table = {"cpu": 4, "memory": "8Gi", "gpu": 1, "tasks": 2, "workers": 3}
    vm = arguments_of(parse_cluster("c", {**table, "type": "ec2", "instance_type": "g5.xlarge"}))
    options = {"nthreads": 2, "resources": {"cpu": 4.0, "memory": 8 * 2.0**30, "gpu": 1.0}, "memory_limit": 0}
    assert vm == {"instance_type": "g5.xlarge", "n_workers": 3, "worker_options": options}
    task = arguments_of(parse_cluster("c", {**table, "type": "fargate", "image": "a/b:1"}))
    assert (task["worker_cpu"], task["worker_mem"], task["worker_gpu"], task["worker_nthreads"]) == (
        4096,
        8192,
        1,
        2,
    )
    assert task["worker_extra_args"] == ["--resources", "cpu=4 memory=8589934592 gpu=1"]


@pytest.mark.parametrize("name", ["ec2", "azure", "gcp", "fargate"])
def test_clouds_know_the_words(name: str) -> None:
    """The parameters of dask-cloudprovider's own classes, read: to import them takes each cloud's SDK."""
    table = {"type": name, "cpu": 4, "memory": "8Gi", "gpu": 1, "tasks": 2, "workers": 3, "spot": True}
    spec = parse_cluster("c", table)
    module, made = CLUSTERS.names()[name][0].split(":")
    known = _parameters(module, made) | _parameters("dask_cloudprovider.generic.vmcluster", "VMCluster")
    if name == "fargate":
        known = _parameters(module, "ECSCluster")  # to which it hands all on
    said = arguments_of(spec)
    assert said.keys() <= known
    assert [word for word in ("spot", "preemptible", "fargate_spot") if said.get(word)] == (
        [] if name == "azure" else [{"ec2": "spot", "gcp": "preemptible", "fargate": "fargate_spot"}[name]]
    )


def _parameters(module: str, name: str) -> set[str]:
    """What the class's constructor takes, by name."""
    package, *inside = module.split(".")
    root = importlib.util.find_spec(package)
    assert root is not None
    assert root.origin is not None
    folder = Path(root.origin).parent.joinpath(*inside)
    made = {
        node.name: node
        for path in (folder.glob("*.py") if folder.is_dir() else [folder.with_suffix(".py")])
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    (start,) = (one for one in made[name].body if getattr(one, "name", "") == "__init__")
    assert isinstance(start, ast.FunctionDef)
    return {each.arg for each in (*start.args.args, *start.args.kwonlyargs)}


def test_a_gateway_is_told_its_own_words_only() -> None:
    table = {"type": "gateway", "address": "https://hub/services/dask-gateway", "worker_cores": 4, "cpu": 4}
    assert arguments_of(parse_cluster("g", table)) == {"address": table["address"], "worker_cores": 4}


def test_every_type_is_said_in_the_words_of_its_class() -> None:
    for name in CLUSTERS.names():
        table = (
            {"type": name, "hosts": ["a", "b"], "image": "x"}
            if name in ("ssh", "kubernetes")
            else {"type": name}
        )
        assert isinstance(arguments_of(parse_cluster("c", table)), dict)


def test_what_dask_counts_of_a_request() -> None:
    request = ResourceRequest(cpu=2.0, memory=2**30, gpu=1)
    assert counted(request, [{"cpu": 4.0}]) == {"cpu": 2.0, "gpu": 1.0}  # nobody has a GPU by accident
    assert counted(request, []) == {"gpu": 1.0}
    assert counted(ResourceRequest(cpu=1.0), []) == {}
    offers = [{"cpu": 4.0}, {"cpu": 2.0, "gpu": 1.0}]
    assert most(offers, is_final=False) == ResourceRequest(cpu=4.0, gpu=1)
    assert most([{"cpu": 4.0}], is_final=False) == ResourceRequest(cpu=4.0)  # one may come
    assert most([{"cpu": 4.0}], is_final=True) == ResourceRequest(cpu=4.0, gpu=0)
    assert (most([], is_final=False), most([], is_final=True)) == (None, ResourceRequest(gpu=0))
    assert parse_cluster("c", {"type": "slurm"}).is_uniform
    assert not parse_cluster("c", {"type": "gateway"}).is_uniform
    assert not parse_cluster("c", {"address": "tcp://h:1"}).is_uniform


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"type": "slrum"}, "slurm"),
        ({"type": "slurm", "workers": 0}, "workers"),
        ({"type": "slurm", "workers": [4, 2]}, "workers"),
        ({"type": "slurm", "workers": True}, "workers"),
        ({"type": "slurm", "tasks": "two"}, "tasks"),
        ({"type": "slurm", "memory": "lots"}, "lots"),
        ({"type": "ssh"}, "hosts"),
        ({"type": "ssh", "hosts": ["a", "b"], "restarts": -1}, "restarts"),
        ({"type": "address"}, "address"),
        ({"address": "tls://h:1", "tls": {"ca": "x"}}, "cert"),
        ("slurm", "table"),
    ],
)
def test_what_is_wrong_is_told(table: Any, told: str) -> None:
    with pytest.raises((InvalidSettings, InvalidInput)) as raised:
        parse_cluster("hpc", table)
    assert told in f"{raised.value} {raised.value.hint}"


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(InvalidSettings) as raised:
        find_cluster("hcp", {"hpc": SLURM})
    assert "hpc" in raised.value.hint


def test_a_batch_system_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MlopsError) as raised:  # the package, or the command
        demand_startable(parse_cluster("hpc", SLURM))
    assert "jobqueue" in raised.value.hint or isinstance(raised.value, Unavailable)


@given(st.integers(0, 5), st.integers(1, 50), st.integers(1, 8), st.integers(0, 1000), st.integers(0, 60))
def test_how_many_workers(least: int, more: int, tasks: int, number: int, now: int) -> None:
    spec = ClusterSpec(name="c", type="slurm", minimum=least, maximum=least + more, tasks=tasks)
    now, jobs = min(now, spec.maximum), [ResourceRequest()] * number
    wanted = wanted_workers(spec, jobs, now)
    assert spec.minimum <= wanted <= spec.maximum
    if jobs:
        assert wanted >= now  # none is taken away beside jobs
        assert wanted * tasks >= min(number, spec.maximum * tasks)
        assert wanted_workers(spec, [*jobs, ResourceRequest()], now) >= wanted
    else:
        assert wanted == spec.minimum


def test_jobs_that_ask_for_much_get_more_workers() -> None:
    spec = parse_cluster("c", {"type": "slurm", "workers": [0, 20], "cpu": 4, "memory": "16Gi", "gpu": 1})
    assert spec.tasks == 4
    assert wanted_workers(spec, [ResourceRequest()] * 10, 0) == 3
    assert wanted_workers(spec, [ResourceRequest(cpu=4.0)] * 10, 0) == 10  # each needs one for itself
    assert wanted_workers(spec, [ResourceRequest(gpu=1)] * 3 + [ResourceRequest(cpu=1.0)] * 4, 0) == 3
    assert wanted_workers(spec, [ResourceRequest(memory=2**33)] * 5, 0) == 3
    assert wanted_workers(spec, [ResourceRequest(cpu=4.0)] * 50, 0) == 20


def test_environments_are_compared_by_what_matters() -> None:
    mine = {**here(), "jupyter-mlops": "0.4.1", "cloudpickle": "3.1.0", "python": "3.11.7"}
    assert difference(mine, {**mine, "python": "3.11.2", "cloudpickle": "3.0.0", "ipykernel": "6.0"}) == ""
    assert "python 3.12.1 there, 3.11.7 here" in difference(mine, {**mine, "python": "3.12.1"})
    assert difference(mine, {**mine, "jupyter-mlops": ""}) == "jupyter-mlops is not installed there"
    assert "jupyter-mlops 0.3.0 there" in difference(mine, {**mine, "jupyter-mlops": "0.3.0"})
