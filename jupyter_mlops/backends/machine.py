"""What this machine offers to jobs."""

from __future__ import annotations

import os

from ..compute.limits import usable_cpus, usable_memory
from ..resources import ResourceRequest


def machine_resources() -> ResourceRequest:
    """CPUs and bytes of memory that this process may use, by its control groups too, and GPUs."""
    return ResourceRequest(cpu=usable_cpus(), memory=usable_memory(), gpu=count_gpus())


def count_gpus() -> int:
    """NVIDIA GPUs that this process may see."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([part for part in visible.split(",") if part.strip() not in ("", "-1")])
    try:
        return len([name for name in os.listdir("/proc/driver/nvidia/gpus") if name])
    except OSError:
        return 0
