"""Units and their peaks, held against data sheets and against this machine."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.backends import looking
from jupyter_mlops.compute.accelerators import GPUS, IPUS, TPUS, cuda_cores, float32_peak, peak_of, rating
from jupyter_mlops.compute.cpus import Cpu, cpu_peak, flops_a_cycle, read_cpu
from jupyter_mlops.compute.discovery import abstraction, device_units, find_units, gpu_units, worker_units
from jupyter_mlops.compute.gpus import Gpu, find_gpus, read_smi, visible
from jupyter_mlops.compute.offers import worker_offers
from jupyter_mlops.compute.units import FORMATS, KINDS, ComputeUnit, format_flops, utilization
from jupyter_mlops.errors import Unavailable
from jupyter_mlops.resources import ResourceRequest

SMI = (
    "0, GPU-aaaa-1111, NVIDIA H100 80GB HBM3, 81559, 1980, 9.0\n"
    "1, GPU-bbbb-2222, NVIDIA A100-SXM4-80GB, 81920, 1410, 8.0\n"
    "2, GPU-cccc-3333, Tesla T4, 15360, 1590, 7.5\n"
)


def test_this_machine() -> None:
    unit = find_units()[0]
    assert unit.kind == "CPU"
    assert unit.unit.endswith("/cpu")
    assert 0 < unit.cores <= (psutil.cpu_count() or 1)
    assert unit.memory is not None
    assert unit.memory <= psutil.virtual_memory().total
    assert json.loads(json.dumps(unit.to_json()))["peak_flops"] == unit.peak_flops
    assert unit.facts()["kind"] == "CPU"


@pytest.mark.parametrize(
    ("flags", "vendor", "family", "expected"),
    [
        ({"avx512f", "avx2", "fma"}, "GenuineIntel", 6, ("avx512", 32)),
        ({"avx512f", "avx2", "fma"}, "AuthenticAMD", 25, ("avx512", 16)),
        ({"avx512f", "avx2", "fma"}, "AuthenticAMD", 26, ("avx512", 32)),
        ({"avx2", "fma", "avx"}, "GenuineIntel", 6, ("avx2+fma", 16)),
        ({"avx"}, "GenuineIntel", 6, ("avx", 8)),
        (set(), "", 0, ("sse2", 4)),
    ],
)
def test_operations_a_cycle(flags: set[str], vendor: str, family: int, expected: tuple[str, int]) -> None:
    assert flops_a_cycle(Cpu(name="", vendor=vendor, family=family, flags=frozenset(flags))) == expected


def test_the_peak_of_a_known_server() -> None:
    # A Xeon Platinum 8480+: 56 cores at 2.0 GHz, 32 double precision operations a cycle.
    cpu = Cpu(name="Xeon", flags=frozenset({"avx512f"}), clock=2.0e9, threads_a_core=2)
    assert cpu_peak(cpu, 112)["float64"] == 56 * 2.0e9 * 32
    assert cpu_peak(cpu, 112)["float32"] == 2 * cpu_peak(cpu, 112)["float64"]
    assert cpu_peak(Cpu(name="?", clock=0.0), 4) == {}


def test_arm_by_its_own_flags() -> None:
    assert flops_a_cycle(Cpu(name="Neoverse", is_arm=True)) == ("neon", 8)
    assert flops_a_cycle(Cpu(name="Neoverse", is_arm=True, flags=frozenset({"sve"}))) == ("sve", 16)


@given(st.floats(0.1, 512), st.floats(0.1, 512), st.sampled_from([1, 2]))
def test_more_threads_never_do_less(one: float, other: float, threads_a_core: int) -> None:
    cpu = Cpu(name="", flags=frozenset({"avx2", "fma"}), clock=3e9, threads_a_core=threads_a_core)
    less, more = sorted((one, other))
    assert cpu_peak(cpu, less)["float64"] <= cpu_peak(cpu, more)["float64"]


def test_cpuinfo_of_another_machine(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(
        "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel name\t: AMD EPYC  7B13 @ 9.90GHz\nflags\t: avx2 fma\n\n"
    )
    cpu = read_cpu(path)
    assert (cpu.name, cpu.vendor, cpu.family) == ("AMD EPYC 7B13 @ 9.90GHz", "AuthenticAMD", 25)
    assert cpu.clock == 9.9e9
    assert read_cpu(tmp_path / "missing").name


def test_smi_is_read() -> None:
    h100, a100, t4 = read_smi(SMI)
    assert (h100.name, h100.clock, h100.capability) == ("NVIDIA H100 80GB HBM3", 1.98e9, "9.0")
    assert a100.memory == 80 * 2**30
    assert t4.index == 2
    assert read_smi("No devices were found\n") == []
    assert read_smi("0, GPU-1, Something, [N/A], [N/A], [N/A]\n")[0].memory == 0


def test_smi_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "nvidia-smi"
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{SMI}END\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert [gpu.name for gpu in find_gpus({"CUDA_VISIBLE_DEVICES": "1,0"})] == [
        "NVIDIA A100-SXM4-80GB", "NVIDIA H100 80GB HBM3",
    ]  # fmt: skip
    units = gpu_units(find_gpus({}))
    assert [unit.kind for unit in units] == ["GPU"] * 3
    assert units[0].peak_flops["bfloat16"] == 989.5e12
    assert units[0].memory_bandwidth == 3.35e12


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("", []), ("-1", []), ("1", [1]), ("0,2", [0, 2]), ("GPU-bbbb", [1]), ("0,9,1", [0]), (None, [0, 1, 2])],
)
def test_visible_as_cuda_has_it(asked: str | None, expected: list[int]) -> None:
    environ = {} if asked is None else {"CUDA_VISIBLE_DEVICES": asked}
    assert [gpu.index for gpu in visible(read_smi(SMI), environ)] == expected


def test_the_table_of_accelerators_is_sane() -> None:
    for row in (*GPUS, *TPUS, *IPUS):
        assert set(row.tflops) <= set(FORMATS)
        assert all(rate > 0 for rate in peak_of(row).values())
        assert row.memory > 0
        assert row.bandwidth > 0
    names = [
        "NVIDIA A100-SXM4-80GB",
        "NVIDIA A100-PCIE-40GB",
        "Tesla V100-SXM2-16GB",
        "NVIDIA A10G",
        "NVIDIA L40S",
        "NVIDIA L4",
    ]
    found = [rating(name, GPUS) for name in names]
    assert [row.memory for row in found if row] == [80, 40, 16, 24, 48, 24]
    assert rating("Riva TNT2", GPUS) is None


def test_an_unknown_gpu_gets_its_peak_from_its_cores() -> None:
    cores = cuda_cores(132, (9, 0))
    assert cores == 16896
    assert float32_peak(cores, 1.98e9)["float32"] == pytest.approx(
        66.9e12, rel=0.001
    )  # as the H100's data sheet
    (unit,) = gpu_units([Gpu(index=0, name="Next Year's GPU", cores=1000, clock=2e9)])
    assert unit.peak_flops == {"float32": 4e12}
    assert gpu_units([Gpu(index=0, name="Nobody knows")])[0].peak_flops == {}


def test_devices_of_tpus_and_ipus(tmp_path: Path) -> None:
    for name in ("accel0", "accel1", "ipu0", "null"):
        (tmp_path / name).touch()
    units = device_units({"TPU_ACCELERATOR_TYPE": "v5litepod-8"}, tmp_path)
    assert [unit.kind for unit in units] == ["TPU", "TPU", "IPU"]
    assert units[0].peak_flops["bfloat16"] == 197e12
    assert device_units({}, tmp_path / "none") == []


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "pod"), ({"SLURM_JOB_ID": "7"}, "job"), ({}, "instance")],
)
def test_in_what_form_a_machine_is_had(environ: dict[str, str], expected: str) -> None:
    assert abstraction(environ) == expected


TOLD = {
    "tcp://10.0.0.2:4001": {"name": "b", "nthreads": 4, "memory_limit": 8 * 2**30, "resources": {}, "host": "10.0.0.2"},
    "tcp://10.0.0.1:4001": {
        "name": "a", "nthreads": 4, "memory_limit": 0, "resources": {"cpu": 2.0, "memory": 2.0**31, "gpu": 1.0},
    },
}  # fmt: skip


def test_workers_that_only_declare() -> None:
    first, second = worker_units(TOLD)
    assert (first.unit, first.cores, first.memory, first.facts_known["gpu"]) == (
        "worker a/cpu",
        2.0,
        2**31,
        1,
    )
    assert (second.cores, second.memory, second.abstraction) == (4.0, 8 * 2**30, "process")


def test_workers_that_looked_where_they_run() -> None:
    cpu = ComputeUnit(
        unit="node7/cpu", kind="CPU", name="EPYC", abstraction="pod", cores=8, memory=4 * 2**30,
        peak_flops={"float64": 8e11},
    )  # fmt: skip
    gpu = ComputeUnit(unit="node7/gpu0", kind="GPU", name="NVIDIA L4")
    only, its_gpu = worker_units({"x": TOLD["tcp://10.0.0.1:4001"]}, {"x": [cpu, gpu]})
    assert (only.unit, only.name, only.abstraction) == ("worker a/cpu", "EPYC", "pod")
    assert (only.cores, only.memory) == (2.0, 2**31)  # no more than it declares
    assert only.peak_flops == {"float64": 2e11}
    assert (its_gpu.unit, its_gpu.kind, its_gpu.abstraction) == ("worker a/gpu0", "GPU", "process")
    (small,) = worker_units({"x": {"name": "c", "nthreads": 64, "memory_limit": 2**50}}, {"x": [cpu]})
    assert (small.cores, small.memory) == (8, 4 * 2**30)  # no more than there is


def test_workers_of_a_real_cluster() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None,
        memory_limit="512MiB", resources={"cpu": 0.5},
    ) as cluster:  # fmt: skip
        units = looking.find_units(cluster.scheduler_address)
        named = looking.find_units("team", {"team": {"address": cluster.scheduler_address}})
    here = find_units()[0]
    assert [unit.unit for unit in named] == [unit.unit for unit in units]
    assert [unit.unit for unit in units if unit.kind == "CPU"] == ["worker 0/cpu", "worker 1/cpu"]
    assert (units[0].cores, units[0].memory, units[0].name) == (0.5, 512 * 2**20, here.name)


def test_no_scheduler_answers() -> None:
    with pytest.raises(Unavailable, match="no dask scheduler answers"):
        looking.find_units("tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0 FLOPS"),
        (134e9, "134 GFLOPS"),
        (1.979e15, "1.98 PFLOPS"),
        (999.6e9, "1 TFLOPS"),
        (5e22, "5e+04 EFLOPS"),
    ],
)
def test_rates_as_people_read_them(rate: float, text: str) -> None:
    assert format_flops(rate) == text


def test_workers_offer_what_is_left_of_what_they_declare() -> None:
    used = {"tcp://10.0.0.1:4001": {"cpu": 1.5, "gpu": 1.0}}
    told = {address: dict(each) for address, each in TOLD.items()}
    told["tcp://10.0.0.2:4001"]["metrics"] = {"cpu": 12.5, "memory": 1000}
    small, large = worker_offers(told, used)
    assert (small.label, small.known_as) == ("worker a", ("tcp://10.0.0.1:4001", "a"))
    assert small.total == ResourceRequest(cpu=2.0, memory=2**31, gpu=1)
    assert small.free == ResourceRequest(cpu=0.5, memory=2**31, gpu=0)
    assert (large.free, large.places, large.load, large.used_memory) == (ResourceRequest(), 4, 12.5, 1000)


def test_a_cluster_that_a_run_starts_offers_what_each_worker_will_have() -> None:
    table = {"type": "slurm", "workers": [0, 20], "cpu": 4, "memory": "16Gi", "gpu": 1, "tasks": 2}
    (offer,) = looking.find_offers("hpc", {"hpc": table})
    assert offer.label == "each worker of hpc"
    assert offer.free == offer.total == ResourceRequest(cpu=4.0, memory=2**34, gpu=1)
    assert (offer.places, offer.most) == (2, 20)


def test_utilization_is_of_what_has_both() -> None:
    assert utilization({"float64": 50.0, "float32": 1.0}, {"float64": 100.0, "float16": 3.0}) == {
        "float64": 0.5
    }
    assert set(KINDS) == {"CPU", "GPU", "TPU", "IPU"}
    assert ComputeUnit(unit="u", kind="CPU", name="n").to_json()["cores"] == 1.0
