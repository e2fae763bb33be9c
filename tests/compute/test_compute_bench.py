"""What is measured can be, and leaves nothing behind. How fast this machine is, no test says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.compute.accelerated import measure_by, measure_gpu
from jupyter_mlops.compute.bench import gemm, measure_cpu, triad
from jupyter_mlops.compute.book import Compute
from jupyter_mlops.compute.discovery import cpu_unit
from jupyter_mlops.compute.disk import measure_disk
from jupyter_mlops.compute.units import ComputeUnit
from jupyter_mlops.errors import MissingExtra, StorageUnavailable, Unavailable

GPU = ComputeUnit(
    unit="host/gpu0", kind="GPU", name="NVIDIA H100", peak_flops={"float64": 1e15, "float32": 1e15}
)


class NumpyLibrary:
    """The same work on the CPU: a library as torch and CuPy are, for the code around them."""

    name: ClassVar[str] = "numpy"
    formats: ClassVar[tuple[str, ...]] = ("float64", "float32", "bfloat16")
    waits = 0

    def product(self, format_name: str, side: int) -> Callable[[], object]:
        left = np.ones((side, side), dtype=format_name)  # a TypeError for bfloat16, which NumPy does not know
        into = np.empty_like(left)
        return lambda: np.matmul(left, left, out=into)

    def copy(self, size: int) -> Callable[[], object]:
        source, into = np.ones(size, dtype="uint8"), np.empty(size, dtype="uint8")
        return lambda: np.copyto(into, source)

    def wait(self) -> None:
        self.waits += 1


def test_a_measurement_of_this_cpu_is_plausible(tmp_path: Path) -> None:
    said: list[str] = []
    unit = cpu_unit()
    body = measure_cpu(unit, tmp_path, said.append, seconds=0.02)
    assert said == ["matrix products, float64", "matrix products, float32", "memory", "disk"]
    for name, rate in body["flops"].items():
        assert 1e7 < rate < 4 * unit.peak_flops.get(name, 1e15)
    assert 1e7 < body["memory_bandwidth"] < 1e13
    assert body["library"]["numpy"] == np.__version__
    assert json.loads(json.dumps(body)) == body
    assert list(tmp_path.iterdir()) == []


def test_single_precision_and_threads_are_taken() -> None:
    assert gemm("float32", 1, 0.001) > 0
    assert triad(2, 8 * 2**20) > 0


def test_the_disks_file_is_gone_and_what_it_says(tmp_path: Path) -> None:
    body = measure_disk(tmp_path, size=8 * 2**20)
    assert body["size_bytes"] == 8 * 2**20
    assert body["write_bytes_a_second"] > 0 < body["read_bytes_a_second"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no tmpfs here")
def test_a_file_system_in_memory_can_be_measured_too() -> None:
    before = set(Path("/dev/shm").glob(".mlops-bench-*"))
    assert measure_disk(Path("/dev/shm"), size=8 * 2**20)["read_bytes_a_second"] > 0
    assert set(Path("/dev/shm").glob(".mlops-bench-*")) == before


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/proc/self").is_dir(), reason="needs a folder nobody can write"
)
def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(StorageUnavailable, match="/proc"):
        measure_disk(Path("/proc/self"), size=4 * 2**20)


def test_too_little_room(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="too little room"):
        measure_disk(tmp_path, size=2**60)
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_by_any_library() -> None:
    library = NumpyLibrary()
    body = measure_by(library, GPU, lambda _: None, side=64)
    assert set(body["flops"]) == {"float64", "float32"}
    assert "bfloat16" in body["refused"]
    assert 0 < body["utilization"]["float64"] < 1
    assert library.waits > 10  # each product is waited for


def test_a_gpu_that_does_nothing() -> None:
    class Broken(NumpyLibrary):
        formats: ClassVar[tuple[str, ...]] = ("bfloat16",)

    with pytest.raises(Unavailable, match="does no products"):
        measure_by(Broken(), GPU, lambda _: None, side=8)


def test_without_torch_and_cupy() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match="torch or CuPy") as caught:
            measure_gpu(GPU, lambda _: None)
        assert "pip install" in caught.value.hint


@pytest.mark.slow
def test_measurements_are_kept_and_the_latest_counts(tmp_path: Path) -> None:
    with Catalog.open(f"sqlite:///{tmp_path / 'catalog.db'}") as catalog:
        compute = Compute(catalog)
        (tmp_path / "disk").mkdir()
        (first, *_), (second, *_) = (compute.measure(tmp_path / "disk", lambda _: None) for _ in range(2))
        assert first.unit == second.unit
        assert compute.measurements() == {second.unit: second}
