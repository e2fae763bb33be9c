"""What this machine offers to jobs."""

from __future__ import annotations

import os

from ..resources import ResourceRequest


def machine_resources() -> ResourceRequest:
    """CPUs that this process may use, memory in bytes, GPUs."""
    import psutil

    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ResourceRequest(cpu=float(cpus), memory=int(psutil.virtual_memory().total), gpu=count_gpus())


def count_gpus() -> int:
    """NVIDIA GPUs that this process may see."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([part for part in visible.split(",") if part.strip() not in ("", "-1")])
    try:
        return len([name for name in os.listdir("/proc/driver/nvidia/gpus") if name])
    except OSError:
        return 0
