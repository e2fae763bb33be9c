"""Clusters that a run starts for itself, as data over dask's own classes: ``[clusters.NAME]`` of the settings.

Everything that differs between batch systems, Kubernetes and the clouds, others have solved: dask-jobqueue,
dask-kubernetes, dask-gateway, dask-cloudprovider. Here stands how our words (workers, cpu, memory, gpu) are said
in theirs; whatever else the table holds is handed to the class as it is.
"""

from __future__ import annotations

import logging
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..errors import InvalidSettings, MissingExtra, Unavailable, did_you_mean
from ..plugins import Registry
from ..resources import ResourceRequest

LOCAL = "local"
_PATIENCE_SECONDS = 60.0  # until it is said that no worker has come
log = logging.getLogger(__name__)
_JOBQUEUE = "pip install 'jupyter-mlops[jobqueue]'"
_CLOUD = "pip install 'dask-cloudprovider[{}]'"
CLUSTERS = Registry(
    "jupyter_mlops.clusters",
    {
        "processes": ("distributed:LocalCluster", "pip install distributed"),
        "ssh": ("distributed:SSHCluster", "pip install 'jupyter-mlops[ssh]'"),
        **{
            name: (f"dask_jobqueue:{kind}Cluster", _JOBQUEUE)
            for name, kind in {
                "slurm": "SLURM", "pbs": "PBS", "sge": "SGE", "lsf": "LSF", "oar": "OAR", "moab": "Moab",
                "htcondor": "HTCondor",
            }.items()
        },
        "kubernetes": ("dask_kubernetes.operator:KubeCluster", "pip install dask-kubernetes"),
        "gateway": ("dask_gateway:GatewayCluster", "pip install dask-gateway"),
        "ec2": ("dask_cloudprovider.aws:EC2Cluster", _CLOUD.format("aws")),
        "fargate": ("dask_cloudprovider.aws:FargateCluster", _CLOUD.format("aws")),
        "azure": ("dask_cloudprovider.azure:AzureVMCluster", _CLOUD.format("azure")),
        "gcp": ("dask_cloudprovider.gcp:GCPCluster", _CLOUD.format("gcp")),
    },
)  # fmt: skip
_SUBMITS = {"slurm": "sbatch", "pbs": "qsub", "sge": "qsub", "lsf": "bsub", "oar": "oarsub", "moab": "msub",
            "htcondor": "condor_submit"}  # fmt: skip
_FIXED = ("ssh",)  # as many workers as hosts
_OURS = ("type", "address", "workers", "cpu", "memory", "gpu", "accelerator", "tasks", "tls")
_TLS = ("ca", "cert", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """A cluster as the settings have it. `worker` is what one worker has; it runs `tasks` at once."""

    name: str
    type: str  # of `CLUSTERS`, or "address"
    address: str = ""
    minimum: int = 0
    maximum: int = 1
    worker: ResourceRequest = field(default_factory=ResourceRequest)
    tasks: int = 1
    tls: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_address(self) -> bool:
        """Whether it is there already, and not ours to start."""
        return self.type == "address"


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
    tls = table.get("tls", {})
    if tls and (not isinstance(tls, Mapping) or set(tls) != set(_TLS)):
        raise InvalidSettings(f"{where}.tls must name three files: {', '.join(_TLS)}")
    address = table.get("address", "")
    if kind == "address" and (not isinstance(address, str) or not urlsplit(address).hostname):
        raise InvalidSettings(f"{where}: address must be one, such as tls://scheduler:8786")
    if kind == "ssh" and not table.get("hosts"):
        raise InvalidSettings(f"{where}: hosts must list the machines; the first runs the scheduler")
    return ClusterSpec(
        name=name, type=kind, address=address, minimum=minimum, maximum=maximum, worker=worker,
        tasks=_whole(where, "tasks", table.get("tasks", max(1, int(worker.cpu or 1)))), tls=dict(tls),
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
    return {**spec.options, **_SAID.get(spec.type, _said_plainly)(spec)}


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
        "dashboard_address": "127.0.0.1:0",
        "worker_dashboard_address": "127.0.0.1:0",
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
    asked = {name: str(amount) for name, amount in requests.items() if amount}
    limits = {
        name: amount for name, amount in asked.items() if name != "cpu"
    }  # a limit of CPU only throttles
    command = ["dask", "worker", "--nthreads", str(spec.tasks), "--resources", _resources_text(spec)]
    return {
        "name": spec.options.get("name", f"mlops-{spec.name}"),
        "n_workers": spec.minimum,
        "resources": {"requests": asked, "limits": limits},
        # since distributed 2026.8 there is no command dask-worker any more, which the operator would start
        "worker_command": command,
    }


def _said_plainly(spec: ClusterSpec) -> dict[str, Any]:
    """Gateway and the clouds: instance types and images say what a worker has, in the cloud's own words."""
    return {"n_workers": spec.minimum} if spec.type != "gateway" else {}


_SAID: Mapping[str, Callable[[ClusterSpec], dict[str, Any]]] = {
    "processes": _processes,
    "ssh": _ssh,
    **dict.fromkeys(_SUBMITS, _jobqueue),
    "kubernetes": _kubernetes,
}


# --- one that runs ------------------------------------------------------------------------------------------


class RunningCluster:
    """A cluster that was started, or the address of one that runs. `close` ends what was started here."""

    def __init__(self, spec: ClusterSpec) -> None:
        """Raises `Unavailable` with what the batch system or the cloud said, `MissingExtra`."""
        self.spec = spec
        self._cluster: Any = None
        self._wanted = spec.minimum
        self._lost: set[str] = set()  # the names of those that came and went
        self._none_since = time.monotonic()
        self.security = _security(spec.tls)
        if spec.is_address:
            return
        demand_startable(spec)
        make = CLUSTERS.get(spec.type)
        given = arguments_of(spec)
        if self.security is not None:
            given.setdefault("security", self.security)
        try:
            self._cluster = make(**given)
            self.security = getattr(self._cluster, "security", self.security)
            self._notice_losses()
            if spec.type not in ("processes", *_FIXED) and spec.minimum:
                self._cluster.scale(spec.minimum)
        except TypeError as error:
            raise InvalidSettings(
                f"clusters.{spec.name}: {error}",
                hint=f"its options are those of {make.__module__}.{make.__name__}",
            ) from error
        except ImportError as error:
            raise MissingExtra(
                f"the cluster {spec.name!r} needs {error.name}", hint=CLUSTERS.names()[spec.type][1]
            ) from error
        except Exception as error:
            raise Unavailable(
                f"the cluster {spec.name!r} does not start: {type(error).__name__}: {error}",
                hint=f"look at [clusters.{spec.name}] in the settings",
            ) from error

    def _notice_losses(self) -> None:
        """Whoever looks now and then would miss a worker that came and went between two looks."""
        from distributed.diagnostics.plugin import SchedulerPlugin

        lost, names = self._lost, dict[str, str]()

        class Losses(SchedulerPlugin):
            name = "mlops-losses"

            def add_worker(self, scheduler: Any, worker: str) -> None:
                names[worker] = str(scheduler.workers[worker].name)
                lost.discard(names[worker])

            def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
                lost.add(names.pop(worker, ""))

        scheduler: Any = getattr(self._cluster, "scheduler", None)
        if hasattr(scheduler, "add_plugin"):  # it is in this process
            self._cluster.loop.add_callback(scheduler.add_plugin, Losses())

    @property
    def address(self) -> str:
        """Of its scheduler."""
        return str(self.spec.address if self._cluster is None else self._cluster.scheduler_address)

    def client(self, timeout_seconds: float) -> Any:
        """A new client of it."""
        from distributed import Client

        if self.spec.type == "gateway":
            return self._cluster.get_client(set_as_default=False)
        return Client(
            self.address, timeout=timeout_seconds, set_as_default=False, **_given(security=self.security)
        )

    def fit(self, jobs: int) -> None:
        """Grow for so many jobs at once; shrink to the least when there are none. It never shrinks beside jobs: which
        worker would go, dask decides, and one with a notebook on it must not."""
        if self._cluster is None or self.spec.type in _FIXED:
            return
        wanted = wanted_workers(self.spec, jobs, self._wanted)
        if wanted != self._wanted:
            self._wanted, self._none_since = wanted, time.monotonic()
            self._cluster.scale(wanted)

    def look(self, names: Collection[str]) -> None:
        """Who its workers are now. One that was there and is gone (its job was cancelled, its machine taken) is
        replaced: the batch system does not."""
        if self._cluster is None or self.spec.type in _FIXED:
            return
        kept = getattr(self._cluster, "worker_spec", {})
        gone = [name for name in kept if str(name) in self._lost]
        self._lost.difference_update(map(str, gone))
        if gone:
            log.warning(
                "the cluster %r lost %d of its workers; new ones are asked for", self.spec.name, len(gone)
            )
            self._cluster.sync(self._cluster.scale_down, gone)
            self._cluster.scale(self._wanted)
        if names or not self._wanted:
            self._none_since = time.monotonic()
        elif time.monotonic() - self._none_since > _PATIENCE_SECONDS:
            self._none_since = time.monotonic()
            log.warning(
                "no worker of the cluster %r has come within %g s: do its jobs wait or fail? look at their logs",
                self.spec.name,
                _PATIENCE_SECONDS,
            )

    def close(self) -> None:
        """End it, if it was started here."""
        if self._cluster is not None:
            self._cluster.close(timeout=10)


def wanted_workers(spec: ClusterSpec, jobs: int, now: int) -> int:
    """How many workers there should be for so many jobs that run or wait, where there are `now`. Pure."""
    if jobs == 0:
        return spec.minimum
    needed = -(-jobs // spec.tasks)
    return max(now, min(spec.maximum, max(spec.minimum, needed)))


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _security(tls: Mapping[str, str]) -> Any:
    """Certificates for ``tls://``; without, dask's own configuration says."""
    if not tls:
        return None
    from distributed.security import Security

    return Security(
        tls_ca_file=tls["ca"], require_encryption=True,
        **{f"tls_{who}_{part}": tls[part] for who in ("client", "scheduler", "worker") for part in ("cert", "key")},
    )  # fmt: skip
