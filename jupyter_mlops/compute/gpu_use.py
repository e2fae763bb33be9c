"""How busy GPUs are while something runs on them, by NVML, which says it of the last part of a second."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping

from .gpus import told_gpus

_EACH_SECONDS = 1.0


class GpuUse:
    """`part` of the time, from 0 to 1, on average of the GPUs and of all looks; None before the first."""

    def __init__(self) -> None:
        self.part: float | None = None
        self._looks = 0

    def take(self, parts: list[float]) -> None:
        """What one look said, a part for each GPU."""
        if parts:
            mean = sum(parts) / len(parts)
            self._looks += 1
            before = self.part or 0.0
            self.part = before + (mean - before) / self._looks


@contextlib.contextmanager
def watching(environ: Mapping[str, str]) -> Iterator[GpuUse]:
    """Look at the GPUs that ``CUDA_VISIBLE_DEVICES`` of `environ` names, in a thread, until the end of the block. Where
    there are none, or nobody tells of them, nothing is looked at."""
    use = GpuUse()
    indexes = [gpu.index for gpu in told_gpus(environ)] if environ.get("CUDA_VISIBLE_DEVICES") else []
    if not indexes:
        yield use
        return
    is_over = threading.Event()
    thread = threading.Thread(target=_look, args=(indexes, use, is_over), name="mlops-gpus", daemon=True)
    thread.start()
    try:
        yield use
    finally:
        is_over.set()
        thread.join(_EACH_SECONDS)  # a driver that hangs keeps nobody


def _look(indexes: list[int], use: GpuUse, is_over: threading.Event) -> None:
    try:
        import pynvml
    except ImportError:
        return
    with contextlib.suppress(pynvml.NVMLError):  # the driver does not tell: then nobody knows
        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in indexes]
            while not is_over.wait(_EACH_SECONDS):
                rates = [pynvml.nvmlDeviceGetUtilizationRates(handle).gpu for handle in handles]
                use.take([rate / 100 for rate in rates])
        finally:
            pynvml.nvmlShutdown()
