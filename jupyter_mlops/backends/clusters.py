"""Clusters that a run starts for itself, as data over dask's own classes: ``[clusters.NAME]`` of the settings. Pure;
`running` starts them.

Everything that differs between batch systems, Kubernetes and the clouds, others have solved: dask-jobqueue,
dask-kubernetes, dask-gateway, dask-cloudprovider. Here stands how our words (workers, cpu, memory, gpu) are said
in theirs; whatever else the table holds is handed to the class as it is.
"""

from __future__ import annotations

import math
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..errors import InvalidSettings, Unavailable, did_you_mean
from ..plugins import Registry
from ..resources import ResourceRequest

LOCAL = "local"
_JOBQUEUE = "pip install 'jupyter-mlops[jobqueue]'"
_CLOUD = "pip install 'dask-cloudprovider[{}]'"
CLUSTERS = Registry(
    "jupyter_mlops.clusters",
    {
        "processes": ("distributed:LocalCluster", "pip install distributed"),
        "ssh": ("jupyter_mlops.backends.ssh:start_cluster", "pip install 'jupyter-mlops[ssh]'"),
        **{
            name: (f"dask_jobqueue:{kind}Cluster", _JOBQUEUE)
            for name, kind in {
                "slurm": "SLURM", "pbs": "PBS", "sge": "SGE", "lsf": "LSF", "oar": "OAR", "moab": "Moab",
                "htcondor": "HTCondor",
            }.items()
        },
        "kubernetes": ("jupyter_mlops.backends.kube:start_cluster", "pip install 'jupyter-mlops[kubernetes]'"),
        "gateway": ("dask_gateway:GatewayCluster", "pip install 'jupyter-mlops[gateway]'"),
        "ec2": ("dask_cloudprovider.aws:EC2Cluster", _CLOUD.format("aws")),
        "fargate": ("dask_cloudprovider.aws:FargateCluster", _CLOUD.format("aws")),
        "azure": ("dask_cloudprovider.azure:AzureVMCluster", _CLOUD.format("azure")),
        "gcp": ("dask_cloudprovider.gcp:GCPCluster", _CLOUD.format("gcp")),
    },
)  # fmt: skip
_SUBMITS = {"slurm": "sbatch", "pbs": "qsub", "sge": "qsub", "lsf": "bsub", "oar": "oarsub", "moab": "msub",
            "htcondor": "condor_submit"}  # fmt: skip
FIXED = ("ssh",)  # as many workers as hosts
_OURS = ("type", "address", "workers", "cpu", "memory", "gpu", "accelerator", "spot", "tasks", "tls")
_TLS = ("ca", "cert", "key")
_SPOT = {
    "kubernetes": "spot",
    "ec2": "spot",
    "gcp": "preemptible",
    "fargate": "fargate_spot",
}  # of others, their own options say it


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """A cluster as the settings have it. `worker` is what one worker has; it runs `tasks` at once.
    With `spot`, workers can be taken away at any time."""

    name: str
    type: str  # of `CLUSTERS`, or "address"
    address: str = ""
    minimum: int = 0
    maximum: int = 1
    worker: ResourceRequest = field(default_factory=ResourceRequest)
    tasks: int = 1
    spot: bool = False
    tls: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_address(self) -> bool:
        """Whether it is there already, and not ours to start."""
        return self.type == "address"

    @property
    def is_uniform(self) -> bool:
        """Whether all its workers will declare what `worker` says: a gateway's, and a plugin's, we do not start."""
        return self.type in _SAID and self.type != "gateway"


def find_cluster(cluster: str, clusters: Mapping[str, Any]) -> ClusterSpec:
    """The cluster of a name in the settings' `clusters`, or of a scheduler's address. Raises `InvalidSettings`."""
    if "://" in cluster:
        return ClusterSpec(name=cluster, type="address", address=cluster)
    if cluster not in clusters:
        known = [LOCAL, *clusters]
        hint = (
            did_you_mean(cluster, known)
            or f"there are {', '.join(known)}; or give an address: tcp://host:8786"
        )
        raise InvalidSettings(f"no cluster is called {cluster!r}", hint=hint)
    return parse_cluster(cluster, clusters[cluster])


def parse_cluster(name: str, table: Any) -> ClusterSpec:
    """``[clusters.NAME]``, checked. Raises `InvalidSettings`."""
    where = f"clusters.{name}"
    if not isinstance(table, Mapping) or not isinstance(table.get("type", "address"), str):
        raise InvalidSettings(f"{where} must be a table with a type", hint='for example type = "slurm"')
    kind = table.get("type", "address" if "address" in table else "")
    kinds = ["address", *CLUSTERS.names()]
    if kind not in kinds:
        raise InvalidSettings(
            f"{where}: there is no type {kind!r}",
            hint=did_you_mean(kind, kinds) or f"one of {', '.join(kinds)}",
        )
    minimum, maximum = _workers(where, table.get("workers", (0, 10)))
    asked = {key: table[key] for key in ("cpu", "memory", "gpu", "accelerator") if key in table}
    worker = ResourceRequest.parse(asked)
    spot = table.get("spot", False)
    if not isinstance(spot, bool):
        raise InvalidSettings(
            f"{where}: spot must be true or false, not {spot!r}", hint="true: its workers can be taken away"
        )
    tls = table.get("tls", {})
    if tls and (not isinstance(tls, Mapping) or set(tls) != set(_TLS)):
        raise InvalidSettings(f"{where}.tls must name three files: {', '.join(_TLS)}")
    address = table.get("address", "")
    if kind == "address" and (not isinstance(address, str) or not urlsplit(address).hostname):
        raise InvalidSettings(f"{where}: address must be one, such as tls://scheduler:8786")
    if kind == "ssh" and not table.get("hosts"):
        raise InvalidSettings(f"{where}: hosts must list the machines; the first runs the scheduler")
    if kind == "ssh" and "restarts" in table:
        _whole(where, "restarts", table["restarts"], least=0)
    if kind == "kubernetes" and not table.get("image") and not table.get("custom_cluster_spec"):
        hint = 'one with jupyter-mlops and what the notebooks import: image = "registry/team/worker:1"'
        raise InvalidSettings(f"{where}: image must name what its pods run", hint=hint)
    return ClusterSpec(
        name=name, type=kind, address=address, minimum=minimum, maximum=maximum, worker=worker,
        tasks=_whole(where, "tasks", table.get("tasks", max(1, int(worker.cpu or 1)))), spot=spot, tls=dict(tls),
        options={key: value for key, value in table.items() if key not in _OURS},
    )  # fmt: skip


def _workers(where: str, given: Any) -> tuple[int, int]:
    pair = given if isinstance(given, list | tuple) else (given, given)
    if len(pair) != 2 or pair[0] > pair[1] or pair[1] < 1:
        raise InvalidSettings(f"{where}: workers must be a number, or [at least, at most]")
    return _whole(where, "workers", pair[0], least=0), _whole(where, "workers", pair[1])


def _whole(where: str, name: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidSettings(f"{where}: {name} must be a whole number, at least {least}, not {value!r}")
    return value


def demand_startable(spec: ClusterSpec) -> None:
    """Raises `MissingExtra` or `Unavailable` for a cluster that cannot be started from here."""
    if spec.is_address:
        return
    CLUSTERS.get(spec.type)
    command = _SUBMITS.get(spec.type)
    if command and shutil.which(command) is None:
        raise Unavailable(
            f"the cluster {spec.name!r} is of type {spec.type}, but there is no command {command} here",
            hint=f"run where jobs can be submitted, or choose another cluster: --cluster {LOCAL}",
        )


# --- how our words are said in theirs -----------------------------------------------------------------------


def arguments_of(spec: ClusterSpec) -> dict[str, Any]:
    """What the cluster's class is called with. Pure, so that it can be looked at."""
    spot = {_SPOT[spec.type]: True} if spec.spot and spec.type in _SPOT else {}
    return {**spot, **spec.options, **_SAID.get(spec.type, _plainly)(spec)}


def _resources_text(spec: ClusterSpec) -> str:
    """As ``dask worker --resources`` reads them."""
    return " ".join(f"{name}={amount:.12g}" for name, amount in spec.worker.to_dask().items())


def _processes(spec: ClusterSpec) -> dict[str, Any]:
    return {
        "n_workers": spec.minimum,
        "threads_per_worker": spec.tasks,
        "processes": True,
        "resources": spec.worker.to_dask(),
        "memory_limit": 0,  # notebooks run in kernels, which have limits of their own
        # Nobody would know where the dashboards are, and a worker imports for a second what they need.
        "dashboard_address": "127.0.0.1:0",
        "scheduler_kwargs": {"dashboard": False},
    }


def _ssh(spec: ClusterSpec) -> dict[str, Any]:
    options = dict(spec.options)
    worker = {"nthreads": spec.tasks, "resources": spec.worker.to_dask(), "memory_limit": 0}
    return {
        "hosts": list(options.pop("hosts")),
        "worker_options": {**worker, **options.pop("worker_options", {})},
        "scheduler_options": {"dashboard_address": ":0", **options.pop("scheduler_options", {})},
    }


def _jobqueue(spec: ClusterSpec) -> dict[str, Any]:
    options = dict(spec.options)
    cpu = max(1, int(spec.worker.cpu or 1))
    memory = spec.worker.memory or 2 << 30
    extra = ["--nthreads", str(spec.tasks), *options.get("worker_extra_args", [])]
    text = _resources_text(spec)
    directives = list(options.get("job_extra_directives", []))
    if spec.type == "slurm" and spec.worker.gpu:
        kind = f"{spec.worker.accelerator}:" if spec.worker.accelerator else ""
        directives.append(f"--gres=gpu:{kind}{spec.worker.gpu}")
    return {
        "cores": cpu,
        "processes": 1,
        "memory": f"{memory / 2**20:.0f}MiB",
        "worker_extra_args": [
            *extra,
            *(["--resources", shlex.quote(text)] if text else []),
        ],  # of a shell's line
        "job_extra_directives": directives,
        "python": options.get("python", sys.executable),
        "scheduler_options": {"dashboard_address": ":0", **options.get("scheduler_options", {})},
    }


def _kubernetes(spec: ClusterSpec) -> dict[str, Any]:
    requests = {"cpu": spec.worker.cpu, "memory": spec.worker.memory, "nvidia.com/gpu": spec.worker.gpu}
    asked = {
        name: f"{amount:g}" if name == "cpu" else str(amount) for name, amount in requests.items() if amount
    }
    limits = {
        name: amount for name, amount in asked.items() if name != "cpu"
    }  # a limit of CPU only throttles
    text = _resources_text(spec)
    command = ["dask", "worker", "--nthreads", str(spec.tasks), *(["--resources", text] if text else [])]
    return {
        "name": spec.options.get(
            "name", f"mlops-{spec.name}-{{uuid}}"
        ),  # a run's own, beside those of others
        "n_workers": spec.minimum,
        "resources": {"requests": asked, "limits": limits},
        "worker_command": command,
    }


def _plainly(spec: ClusterSpec) -> dict[str, Any]:
    """A plugin's class: only what all of dask's take."""
    return {"n_workers": spec.minimum}


def _machines(spec: ClusterSpec) -> dict[str, Any]:
    """Virtual machines: what one has, its type says, in the cloud's own words; what tasks may have of it, the table."""
    worker = {"nthreads": spec.tasks, "resources": spec.worker.to_dask(), "memory_limit": 0}
    return {
        "n_workers": spec.minimum,
        "worker_options": {**worker, **spec.options.get("worker_options", {})},
    }


def _fargate(spec: ClusterSpec) -> dict[str, Any]:
    text, worker = _resources_text(spec), spec.worker
    extra = [*(["--resources", text] if text else []), *spec.options.get("worker_extra_args", [])]
    asked = {
        "worker_cpu": None if worker.cpu is None else int(worker.cpu * 1024),
        "worker_mem": None if worker.memory is None else worker.memory >> 20,
        "worker_gpu": worker.gpu,
    }
    return {
        "n_workers": spec.minimum,
        "worker_nthreads": spec.tasks,
        "worker_extra_args": extra,
        **{name: amount for name, amount in asked.items() if amount},
    }


def _gateway(spec: ClusterSpec) -> dict[str, Any]:
    """What a worker has is the gateway's to say, and which of its options may be asked for."""
    return {"address": spec.address} if spec.address else {}


_SAID: Mapping[str, Callable[[ClusterSpec], dict[str, Any]]] = {
    "processes": _processes,
    "ssh": _ssh,
    **dict.fromkeys(_SUBMITS, _jobqueue),
    "kubernetes": _kubernetes,
    "gateway": _gateway,
    **dict.fromkeys(("ec2", "azure", "gcp"), _machines),
    "fargate": _fargate,
}


def wanted_workers(spec: ClusterSpec, jobs: Sequence[ResourceRequest], now: int) -> int:
    """How many workers there should be for these jobs that run or wait, where there are `now`: enough places, and
    enough of what they ask for. Pure."""
    if not jobs:
        return spec.minimum
    asked = [job.to_dask() for job in jobs]
    needed = [len(jobs) / spec.tasks]
    needed += [
        sum(each.get(name, 0.0) for each in asked) / has for name, has in spec.worker.to_dask().items() if has
    ]
    return max(now, min(spec.maximum, max(spec.minimum, math.ceil(max(needed) - 1e-9))))
