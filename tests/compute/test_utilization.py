"""How much of what they were given tasks used, and what they should ask for of CPUs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.catalog.records import Attempt, ComputeMeasurement, Run, TaskRun
from jupyter_mlops.compute.advice import fitting_cpu, suggest
from jupyter_mlops.compute.gpu_use import GpuUse, watching
from jupyter_mlops.compute.usage import RunUse, Use, typical, uses_of
from jupyter_mlops.compute.utilization import (
    cpu_utilization,
    flops_at_most,
    machine_of,
    memory_utilization,
    run_utilization,
    told_cpu,
    told_flops,
)
from jupyter_mlops.events import now
from jupyter_mlops.resources import ResourceRequest

GIB = 2**30


def task(name: str = "t", **measured: object) -> TaskRun:
    return TaskRun(run_id="r", task=name, name=name, state="succeeded", **measured)  # type: ignore[arg-type]


BUSY = task("busy", duration_seconds=10, cpu_seconds=9.0, cpus=4.0, peak_memory_bytes=GIB, worker="far:17")
IDLE = task("idle", duration_seconds=30, cpu_seconds=1.0, cpus=1.0)
BEFORE = task("of an earlier version", duration_seconds=1000, peak_memory_bytes=GIB)
CACHED = TaskRun(run_id="r", task="c", name="c", state="cached")


def test_of_a_task() -> None:
    assert cpu_utilization(BUSY) == pytest.approx(9 / 40)
    assert told_cpu(BUSY) == "9.0 s, 0.9 of 4 CPUs (22%)"
    assert memory_utilization(BUSY, ResourceRequest(memory=8 * GIB)) == pytest.approx(1 / 8)
    assert memory_utilization(BUSY, ResourceRequest()) is None
    for unknown in (BEFORE, CACHED):
        assert cpu_utilization(unknown) is None
        assert told_cpu(unknown) == ""


def test_of_a_run_it_is_the_sums_and_what_nobody_measured_does_not_count() -> None:
    found = run_utilization([BUSY, IDLE, BEFORE, CACHED])
    assert found.cpu_seconds == 10
    assert found.cpu == pytest.approx(10 / (40 + 30))
    assert found.gpu is None
    assert run_utilization([BEFORE, CACHED]).to_json() == dict.fromkeys(
        ("cpu_seconds", "cpu_utilization", "gpu_utilization")
    )


def test_of_gpus_it_is_the_mean_by_time() -> None:
    gpus = [
        task(duration_seconds=10, cpu_seconds=1.0, gpu_utilization=0.9),
        task(duration_seconds=30, cpu_seconds=1.0, gpu_utilization=0.1),
        IDLE,
    ]
    assert run_utilization(gpus).gpu == pytest.approx(0.3)


amounts = st.floats(0, 1e6)


measured = st.builds(
    task, duration_seconds=amounts, cpu_seconds=st.none() | amounts, cpus=st.none() | st.floats(0.1, 256)
)


@given(st.lists(measured))
def test_parts_are_parts(tasks: list[TaskRun]) -> None:
    found = run_utilization(tasks)
    assert found.cpu is None or 0 <= found.cpu <= 1
    assert all(part is None or 0 <= part <= 1 for part in map(cpu_utilization, tasks))


def test_flops_are_bounded_by_what_was_measured_where_it_ran() -> None:
    body = {"threads": 8, "flops": {"float64": 80e9, "float32": 160e9}}
    known = {
        "far/cpu": ComputeMeasurement(unit="far/cpu", kind="CPU", name="x", body=body, measured_at=now())
    }
    bound = flops_at_most(BUSY, known)
    assert bound == {"float64": pytest.approx(9e9), "float32": pytest.approx(18e9)}
    assert told_flops(bound) == "at most 9 GFLOPS in float64"
    assert flops_at_most(BUSY, {}) == flops_at_most(IDLE, known) == {}
    assert flops_at_most(task(worker="far:1"), known) == {}


@pytest.mark.parametrize(
    ("worker", "machine"),
    [("far:17", "far"), ("tcp://far:8786", "far"), ("tls://[::1]:5", "[::1]"), ("", "")],
)
def test_workers_are_named_by_their_machine(worker: str, machine: str) -> None:
    assert machine_of(worker) == machine


# --- advice ------------------------------------------------------------------------------------------------


def asked(cpu: float | None, busy: float | None, seconds: float = 60.0) -> list[str]:
    use = Use(task="t", seconds=seconds, longest=seconds, asked=ResourceRequest(cpu=cpu), busy_cpus=busy)
    return [str(each) for each in suggest([use])]


def test_asked_4_used_0_9() -> None:
    assert asked(4, 0.9) == ["asked 4 CPUs, used 0.9 on average: ask 1"]
    assert asked(0.5, 0.98) == ["asked 0.5 CPUs, used 0.98 on average: ask 1"]
    assert asked(None, 3.1) == ["asked no CPU, used 3.1 on average: ask 4"]
    assert asked(8, 0.05) == ["asked 8 CPUs, used 0.05 on average: ask 0.25"]
    assert asked(1, 1.02) == asked(None, 1.02) == asked(4, 3.1) == asked(2, None) == []
    assert asked(4, 0.9, seconds=0.5) == []  # its kernel's start is most of it


def test_a_line_tells_of_both_and_json_what_to_write() -> None:
    request = ResourceRequest(cpu=4, memory=8 * GIB)
    (found,) = suggest([Use(task="t", seconds=60, asked=request, peak_memory=GIB, busy_cpus=0.9)])
    assert str(found) == ("asked 8 GiB, used 1 GiB: ask 1.5 GiB; asked 4 CPUs, used 0.9 on average: ask 1")
    assert found.to_json()["resources"] == {"cpu": 1, "memory": "1.5Gi"}
    assert not found.is_short
    assert found.has_asked


def test_instances_ask_for_what_the_busiest_needs() -> None:
    request = ResourceRequest(cpu=8)
    uses = [
        Use(task=f"t[{n}]", seconds=60, asked=request, busy_cpus=busy) for n, busy in enumerate((0.1, 1.9))
    ]
    (found,) = suggest(uses)
    assert (found.task, found.cpu) == ("t", 3)


@given(st.floats(0, 1000))
def test_what_is_suggested_needs_no_suggestion(busy: float) -> None:
    assert fitting_cpu(busy) * 1.1 >= busy
    assert asked(fitting_cpu(busy), busy) == []


def test_attempts_together_are_what_a_task_keeps_busy() -> None:
    run = Run(run_id="r", pipeline="p", plan={}, created_at=now())
    tries = [
        Attempt(run_id="r", task="t", attempt=1, state="failed", duration_seconds=10, cpu_seconds=10.0),
        Attempt(run_id="r", task="t", attempt=2, state="lost"),
        Attempt(run_id="r", task="t", attempt=3, state="succeeded", duration_seconds=30, cpu_seconds=50.0),
    ]
    (use,) = uses_of(run, [task(duration_seconds=30, cpu_seconds=50.0)], tries)
    assert use.busy_cpus == pytest.approx(60 / 40)
    assert use.demand().cpu == pytest.approx(1.5), "it asked for nothing, and keeps more than one busy"
    (mean,) = typical([RunUse((use,)), RunUse((Use(task="t", seconds=5),))])
    assert mean.busy_cpus == use.busy_cpus


# --- GPUs --------------------------------------------------------------------------------------------------


def test_gpus_are_told_by_the_mean_of_all_looks() -> None:
    use = GpuUse()
    assert use.part is None
    for look in ([1.0, 0.0], [0.2, 0.2], [], [0.5, 0.5]):
        use.take(look)
    assert use.part == pytest.approx((0.5 + 0.2 + 0.5) / 3)


def test_without_gpus_nobody_knows() -> None:
    for environ in ({}, {"CUDA_VISIBLE_DEVICES": ""}, {"CUDA_VISIBLE_DEVICES": "no such"}):
        with watching(environ) as use:
            pass
        assert use.part is None
