"""NVIDIA's GPUs in this machine: by NVML if its package is there, else by ``nvidia-smi``, else by the driver's files.

Of those in the machine only the ones that ``CUDA_VISIBLE_DEVICES`` leaves visible count.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DRIVER = Path("/proc/driver/nvidia/gpus")
_SMI_SECONDS = 10.0
_QUERY = "index,uuid,name,memory.total,clocks.max.sm,compute_cap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """What is known of one; `clock` in Hz, 0 where nobody says, like `cores` and `memory`."""

    index: int
    name: str
    uuid: str = ""
    memory: int = 0
    clock: float = 0.0
    cores: int = 0
    capability: str = ""


def find_gpus(environ: Mapping[str, str] | None = None) -> list[Gpu]:
    """Those that this process may see. None is no error, nor is a driver that does not answer."""
    ways: Sequence[Callable[[], list[Gpu]]] = (_by_nvml, _by_smi, _by_driver)
    found = next((gpus for way in ways if (gpus := way())), [])
    return visible(found, os.environ if environ is None else environ)


def told_gpus(environ: Mapping[str, str]) -> list[Gpu]:
    """Those that an environment leaves visible, of a driver that tells by NVML what they do; none without it."""
    return visible(_by_nvml(), environ)


def count_gpus(environ: Mapping[str, str] | None = None) -> int:
    """How many this process may see; asked before each run, so by what costs no time: the environment, which is
    believed, or the driver's files."""
    asked = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES")
    if asked is not None:
        return len([part for part in asked.split(",") if part.strip() not in ("", "-1")])
    try:
        return len([name for name in os.listdir(_DRIVER) if name])
    except OSError:
        return 0


def gpu_models() -> list[str]:
    """The kinds that are in this machine."""
    return sorted({gpu.name for gpu in find_gpus({})})


def visible(gpus: Sequence[Gpu], environ: Mapping[str, str]) -> list[Gpu]:
    """As CUDA reads its variable: indexes or UUIDs, up to the first that names none."""
    asked = environ.get("CUDA_VISIBLE_DEVICES")
    if asked is None:
        return list(gpus)
    chosen: list[Gpu] = []
    for part in (each.strip() for each in asked.split(",")):
        named = [
            gpu for gpu in gpus if part == str(gpu.index) or (len(part) > 4 and gpu.uuid.startswith(part))
        ]
        if not named:
            break
        chosen.append(named[0])
    return chosen


def _by_nvml() -> list[Gpu]:
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)

    def ask(question: str, *more: Any, otherwise: Any = 0) -> Any:
        try:
            answer = getattr(nvml, question)(handle, *more)
        except (nvml.NVMLError, AttributeError):  # an old driver, or an old package
            return otherwise
        return answer.decode() if isinstance(answer, bytes) else answer

    memory = ask("nvmlDeviceGetMemoryInfo", otherwise=None)
    capability = ask("nvmlDeviceGetCudaComputeCapability", otherwise=())
    return Gpu(
        index=index,
        name=str(ask("nvmlDeviceGetName", otherwise="NVIDIA GPU")),
        uuid=str(ask("nvmlDeviceGetUUID", otherwise="")),
        memory=int(memory.total) if memory is not None else 0,
        clock=float(ask("nvmlDeviceGetMaxClockInfo", nvml.NVML_CLOCK_SM)) * 1e6,
        cores=int(ask("nvmlDeviceGetNumGpuCores")),
        capability=".".join(str(part) for part in capability),
    )


def _by_smi() -> list[Gpu]:
    command = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SMI_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return read_smi(done.stdout) if done.returncode == 0 else []


def read_smi(text: str) -> list[Gpu]:
    """What ``nvidia-smi`` said, a line a GPU; lines that are none are left out."""
    gpus = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 6 and parts[0].isdigit():
            gpus.append(
                Gpu(
                    index=int(parts[0]), uuid=parts[1], name=parts[2], memory=int(_figure(parts[3]) * 2**20),
                    clock=_figure(parts[4]) * 1e6, capability=parts[5] if _figure(parts[5]) else "",
                )
            )  # fmt: skip
    return gpus


def _by_driver() -> list[Gpu]:
    """The names alone."""
    gpus = []
    for index, path in enumerate(sorted(_DRIVER.glob("*/information"))):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        gpus.append(Gpu(index=index, name=told.get("Model") or "NVIDIA GPU", uuid=told.get("GPU UUID", "")))
    return gpus


def _figure(text: str) -> float:
    """A number; 0 for ``[N/A]``."""
    try:
        return float(text)
    except ValueError:
        return 0.0
