"""Which compute units there are: this machine's, or those of a dask cluster's workers, whose client is given."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import accelerators
from .cpus import cpu_peak, flops_a_cycle, read_cpu
from .gpus import Gpu, find_gpus
from .limits import usable_cpus, usable_memory
from .units import ComputeUnit

_DEVICES = Path("/dev")
_TPU_VARIABLES = ("TPU_ACCELERATOR_TYPE", "ACCELERATOR_TYPE")


def find_units() -> list[ComputeUnit]:
    """This machine's units."""
    return [cpu_unit(), *gpu_units(find_gpus()), *device_units(os.environ)]


def abstraction(environ: Mapping[str, str]) -> str:
    """In what form this machine is had: a pod of Kubernetes, a job of a batch system, else an instance."""
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return "pod"
    if any(environ.get(name) for name in ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")):
        return "job"
    return "instance"


def cpu_unit() -> ComputeUnit:
    """This machine's CPUs, as far as this process may use them."""
    cpu, cores = read_cpu(), usable_cpus()
    instructions, each = flops_a_cycle(cpu)
    return ComputeUnit(
        unit=f"{socket.gethostname()}/cpu",
        kind="CPU",
        name=cpu.name,
        abstraction=abstraction(os.environ),
        cores=cores,
        memory=usable_memory(),
        peak_flops=cpu_peak(cpu, cores),
        facts_known={
            "clock_hz": cpu.clock,
            "instructions": instructions,
            "float64_a_cycle": each,
            "threads_a_core": cpu.threads_a_core,
        },
    )


def gpu_units(gpus: list[Gpu]) -> list[ComputeUnit]:
    """What is known of each GPU: from the table, else from its cores and clock."""
    return [_gpu_unit(gpu) for gpu in gpus]


def _gpu_unit(gpu: Gpu) -> ComputeUnit:
    row = accelerators.rating(gpu.name, accelerators.GPUS)
    return ComputeUnit(
        unit=f"{socket.gethostname()}/gpu{gpu.index}",
        kind="GPU",
        name=gpu.name,
        abstraction=abstraction(os.environ),
        cores=float(gpu.cores or 1),
        memory=gpu.memory or (int(row.memory * 2**30) if row else None),
        peak_flops=accelerators.peak_of(row) or accelerators.float32_peak(gpu.cores, gpu.clock),
        memory_bandwidth=row.bandwidth * 1e9 if row else None,
        facts_known={"clock_hz": gpu.clock, "compute_capability": gpu.capability, "uuid": gpu.uuid},
    )


def device_units(environ: Mapping[str, str], devices: Path = _DEVICES) -> list[ComputeUnit]:
    """TPUs and IPUs, by their device files; a TPU's generation stands in the environment of its VM."""
    tpus = (
        sorted([*devices.glob("accel[0-9]*"), *devices.glob("vfio/[0-9]*")])
        if _has_tpu(environ, devices)
        else []
    )
    generation = next((environ[name] for name in _TPU_VARIABLES if environ.get(name)), "")
    found: list[tuple[str, int, str, tuple[accelerators.Rating, ...]]]
    found = [("TPU", index, f"TPU {generation}".strip(), accelerators.TPUS) for index in range(len(tpus))]
    ipus = sorted(devices.glob("ipu[0-9]*"))
    found += [("IPU", index, "Graphcore IPU", accelerators.IPUS) for index in range(len(ipus))]
    units = []
    for kind, index, name, table in found:
        row = accelerators.rating(name, table)
        units.append(
            ComputeUnit(
                unit=f"{socket.gethostname()}/{kind.lower()}{index}",
                kind=kind,
                name=name,
                abstraction=abstraction(environ),
                memory=int(row.memory * 2**30) if row else None,
                peak_flops=accelerators.peak_of(row),
                memory_bandwidth=row.bandwidth * 1e9 if row else None,
            )
        )
    return units


def _has_tpu(environ: Mapping[str, str], devices: Path) -> bool:
    return any(environ.get(name) for name in _TPU_VARIABLES) or any(devices.glob("accel[0-9]*"))


def worker_units(
    workers: Mapping[str, Mapping[str, Any]], found: Mapping[str, Sequence[ComputeUnit]] | None = None
) -> list[ComputeUnit]:
    """Units of dask's workers: what each found where it runs, within what it declares or may take.

    `workers` is what a scheduler tells of them, `found` what they found, both by address. One that found nothing,
    since it is of another environment, has what it declares, else its threads and its memory limit.
    """
    units = []
    names = {key: str(key if told.get("name") is None else told["name"]) for key, told in workers.items()}
    for address in sorted(workers, key=lambda key: (len(names[key]), names[key])):  # 2 before 10
        told, name = workers[address], f"worker {names[address]}"
        declared = told.get("resources") or {}
        cores = float(declared.get("cpu") or told.get("nthreads") or 1)
        memory = int(declared.get("memory") or told.get("memory_limit") or 0) or None
        known = {"address": address, "threads": told.get("nthreads"), "gpu": int(declared.get("gpu") or 0)}
        for unit in (found or {}).get(address, ()):
            place = unit.unit.rpartition("/")[2]
            form = "process" if unit.abstraction == "instance" else unit.abstraction
            bounded = _bounded(unit, cores, memory) if unit.kind == "CPU" else unit
            facts = {**unit.facts_known, **known}
            units.append(replace(bounded, unit=f"{name}/{place}", abstraction=form, facts_known=facts))
        if not (found or {}).get(address):
            units.append(
                ComputeUnit(
                    unit=f"{name}/cpu",
                    kind="CPU",
                    name=str(told.get("host") or address),
                    abstraction="process",
                    cores=cores,
                    memory=memory,
                    facts_known=known,
                )
            )
    return units


def _bounded(unit: ComputeUnit, cores: float, memory: int | None) -> ComputeUnit:
    """CPUs of which no more may be used than that."""
    part = min(1.0, cores / unit.cores)
    sizes = [size for size in (unit.memory, memory) if size]
    return replace(
        unit,
        cores=unit.cores * part,
        memory=min(sizes, default=None),
        peak_flops={name: rate * part for name, rate in unit.peak_flops.items()},
    )


def ask_units(client: Any) -> list[ComputeUnit]:
    """Those of the workers that a client's scheduler has, each as it finds them where it runs."""
    workers: Mapping[str, Mapping[str, Any]] = client.scheduler_info(n_workers=-1)["workers"]
    told = client.run(find_units, on_error="return") if workers else {}
    # A worker without this package answers with an error.
    return worker_units(workers, {key: units for key, units in told.items() if isinstance(units, list)})
