"""What there is to run on, and how much of it is free at this moment: this machine, or each worker of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Unavailable
from ..resources import ResourceRequest
from .clusters import LOCAL, ClusterSpec, RunningCluster, find_cluster
from .machine import machine_resources

_TIMEOUT_SECONDS = 3.0
_LOOK_SECONDS = 0.1  # how long the CPUs are looked at
_GPUS = Path("/proc/driver/nvidia/gpus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One place for a job: `total` is the most that it can ever give, `free` what it has left now. What is not
    limited there is None."""

    name: str
    total: ResourceRequest
    free: ResourceRequest


def find_offers(cluster: str = LOCAL, clusters: Mapping[str, Any] | None = None) -> list[Offer]:
    """This machine for ``local``, else the workers of the dask scheduler at that address; of a cluster in the settings'
    `clusters` that a run starts, what each worker will have.

    Raises `Unavailable` if it does not answer, `InvalidSettings`.
    """
    if cluster == LOCAL:
        return [_here()]
    spec = find_cluster(cluster, clusters or {})
    if spec.is_address:
        return _workers(spec)
    return [Offer(name=f"each worker of {spec.name}", total=spec.worker, free=spec.worker)]


def gpu_models() -> list[str]:
    """The kinds of NVIDIA GPUs in this machine, as their driver names them."""
    found = set()
    for path in sorted(_GPUS.glob("*/information")):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        found |= {line.partition(":")[2].strip() for line in lines if line.startswith("Model:")}
    return sorted(found - {""})


def _here() -> Offer:
    """Free is what nobody uses: whatever runs here, ours or not, counts. Of GPUs only the number is known."""
    import psutil

    total = machine_resources()
    cpus = total.cpu or 0.0
    busy = psutil.cpu_percent(_LOOK_SECONDS) / 100 * (psutil.cpu_count() or 1)
    free = ResourceRequest(
        cpu=round(max(0.0, cpus - busy), 1), memory=int(psutil.virtual_memory().available), gpu=total.gpu
    )
    return Offer(name="this machine", total=total, free=free)


def _workers(spec: ClusterSpec) -> list[Offer]:
    """What each worker declares, less what dask has given of it to jobs."""
    address = spec.address
    try:
        client = RunningCluster(spec).client(_TIMEOUT_SECONDS)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise Unavailable(
            f"no dask scheduler answers at {address}: {error}",
            hint="start one with `dask scheduler` and `dask worker`, or set cluster to local",
        ) from error
    try:
        told: Mapping[str, Any] = client.run_on_scheduler(_ask)
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"the dask scheduler at {address} went away: {error}") from error
    finally:
        client.close(timeout=2)
    return [_offer(name, total, used) for name, (total, used) in sorted(told.items())]


def _ask(dask_scheduler: Any) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """Runs on the scheduler."""
    return {
        str(worker.name): (dict(worker.resources), dict(worker.used_resources))
        for worker in dask_scheduler.workers.values()
    }


def _offer(name: str, total: Mapping[str, float], used: Mapping[str, float]) -> Offer:
    left = {key: max(0.0, amount - used.get(key, 0.0)) for key, amount in total.items()}
    return Offer(name=f"worker {name}", total=_request(total), free=_request(left))


def _request(amounts: Mapping[str, float]) -> ResourceRequest:
    return ResourceRequest(
        cpu=amounts.get("cpu"),
        memory=int(amounts["memory"]) if "memory" in amounts else None,
        gpu=int(amounts["gpu"]) if "gpu" in amounts else None,
    )
