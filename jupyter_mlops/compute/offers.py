"""What there is to run on, and how much of it is free at this moment: this machine, or each worker of a cluster.

Units (`discovery`) say what can be computed and how fast; an offer says how much of it a task may have now. How a
cluster of the settings is reached is `backends`' business: here its client is given.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..resources import ResourceRequest
from .gpus import count_gpus
from .limits import usable_cpus, usable_memory

_LOOK_SECONDS = 0.1  # how long the CPUs are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One place for tasks: `total` is the most that it can ever give, `free` what it has left now. What is not
    limited there is None. `places` is how many tasks may run there at once, `known_as` what records of tasks call
    it; `load` (of all its cores, in percent) and `used_memory` were measured, whoever uses them."""

    name: str
    total: ResourceRequest
    free: ResourceRequest
    kind: Literal["machine", "worker", "planned"] = "worker"
    places: int = 1
    most: int = 1
    known_as: tuple[str, ...] = ()
    load: float | None = None
    used_memory: int | None = None
    memory_limit: int | None = None  # of the worker's own process, where it declares no memory

    @property
    def label(self) -> str:
        """As it stands in a sentence."""
        return {
            "machine": "this machine",
            "worker": f"worker {self.name}",
            "planned": f"each worker of {self.name}",
        }[self.kind]


def machine_resources() -> ResourceRequest:
    """CPUs and bytes of memory that this process may use, by its control groups too, and GPUs."""
    return ResourceRequest(cpu=usable_cpus(), memory=usable_memory(), gpu=count_gpus())


def offer_here(places: int = 1) -> Offer:
    """This machine. Free is what nobody uses: whatever runs here, ours or not, counts. Of GPUs only the number is
    known."""
    import psutil

    total, memory = machine_resources(), psutil.virtual_memory()
    load = psutil.cpu_percent(_LOOK_SECONDS)
    busy = load / 100 * (psutil.cpu_count() or 1)
    cpu = round(max(0.0, (total.cpu or 0.0) - busy), 1)
    return Offer(
        name=socket.gethostname(), kind="machine", places=places, total=total,
        free=ResourceRequest(cpu=cpu, memory=int(memory.available), gpu=total.gpu),
        load=load, used_memory=int(memory.total - memory.available),
    )  # fmt: skip


def ask_offers(client: Any) -> list[Offer]:
    """The workers that a client's scheduler has."""
    told: Mapping[str, Mapping[str, Any]] = client.scheduler_info(n_workers=-1)["workers"]
    used: Mapping[str, Mapping[str, float]] = client.run_on_scheduler(_used) if told else {}
    return worker_offers(told, used)


def _used(dask_scheduler: Any) -> dict[str, dict[str, float]]:
    """Runs on the scheduler: what it has given of each worker to jobs, by address."""
    return {worker.address: dict(worker.used_resources) for worker in dask_scheduler.workers.values()}


def worker_offers(
    workers: Mapping[str, Mapping[str, Any]], used: Mapping[str, Mapping[str, float]]
) -> list[Offer]:
    """dask's workers: what each declares, less what was given of it to jobs; both by address. Pure."""
    found = [_worker_offer(address, told, used.get(address, {})) for address, told in workers.items()]
    return sorted(found, key=lambda offer: (len(offer.name), offer.name))  # 2 before 10


def _worker_offer(address: str, told: Mapping[str, Any], used: Mapping[str, float]) -> Offer:
    declared: Mapping[str, float] = told.get("resources") or {}
    left = {name: max(0.0, amount - used.get(name, 0.0)) for name, amount in declared.items()}
    name = str(address if told.get("name") is None else told["name"])
    metrics = told.get("metrics") or {}
    return Offer(
        name=name, total=_request(declared), free=_request(left), places=int(told.get("nthreads") or 1),
        known_as=(address, name), load=metrics.get("cpu"),
        used_memory=int(metrics["memory"]) if "memory" in metrics else None,
        memory_limit=int(told.get("memory_limit") or 0) or None,
    )  # fmt: skip


def _request(amounts: Mapping[str, float]) -> ResourceRequest:
    return ResourceRequest(
        cpu=amounts.get("cpu"),
        memory=int(amounts["memory"]) if "memory" in amounts else None,
        gpu=int(amounts["gpu"]) if "gpu" in amounts else None,
    )
