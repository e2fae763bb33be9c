"""Runs that are stopped, go on, are repeated, and leave each other alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.catalog import owner
from jupyter_mlops.catalog.records import Run as RunRecord
from jupyter_mlops.catalog.records import TaskRun
from jupyter_mlops.errors import Conflict, NotFound
from jupyter_mlops.pipelines import Plan

EMIT = "import jupyter_mlops as mlops\n"
CLI = Path(sys.executable).with_name("jupyter-mlops")
SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
STOPPABLE = """\
name: stoppable
tasks:
  quick: {notebook: count.ipynb, parameters: {name: quick}}
  slow: {notebook: slow.ipynb, needs: [quick]}
  after: {notebook: count.ipynb, needs: [slow]}
"""


_launched: list[subprocess.Popen] = []


@pytest.fixture(autouse=True)
def _no_process_is_left():
    yield
    for process in _launched:
        if process.poll() is None:
            process.kill()
            process.communicate()
    _launched.clear()


def cli(project, *words, **options):
    process = subprocess.Popen(
        [CLI, *words],
        cwd=project.root,
        env={**os.environ, "CI": "1", "MLOPS_ZYGOTE_LINGER_SECONDS": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    _launched.append(process)
    return process


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def running(project, task="slow"):
    """The id of the run in which the task's notebook runs by now."""
    found = project.catalog.find(TaskRun, where={"task": task, "state": "running", "cell": (">=", 1)})
    return found[0].run_id if found else ""


@pytest.fixture
def stoppable(counted):
    counted.notebook("slow.ipynb", SLOW)
    counted.pipeline(STOPPABLE)
    return counted


def test_cancel_from_elsewhere_interrupts_and_is_recorded(stoppable):
    started = stoppable.start()
    wait_for(lambda: running(stoppable))
    moment = time.monotonic()
    assert stoppable.runs.cancel(started.run_id).state == "running"
    done = started.finish()
    assert time.monotonic() - moment < 5
    assert done.state == "cancelled"
    assert done.states == {"quick": "succeeded", "slow": "cancelled", "after": "cancelled"}
    assert done.attempts[-1].state == "cancelled"
    assert done.reasons["slow"] == "cancelled by another process"
    with pytest.raises(Conflict, match="it was cancelled"):
        stoppable.runs.cancel(started.run_id)


def test_cancel_reaches_tasks_that_wait_for_a_worker_or_for_a_retry(stoppable):
    stoppable.notebook("bad.ipynb", "1 / 0")
    stoppable.pipeline("""\
name: waiting
tasks:
  slow: {notebook: slow.ipynb}
  slow2: {notebook: slow.ipynb}
  later: {notebook: bad.ipynb, retries: {limit: 5, delay: 1h}}
""")
    started = stoppable.start(workers=1)
    wait_for(lambda: running(stoppable) or running(stoppable, "slow2"))
    stoppable.runs.cancel(started.run_id)
    done = started.finish()
    assert set(done.states.values()) == {"cancelled"}


def test_ctrl_c_cancels_and_is_recorded(stoppable):
    process = cli(stoppable, "run", start_new_session=True)
    run_id = wait_for(lambda: running(stoppable))
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    done = stoppable.done(run_id)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    assert done.states == {"quick": "succeeded", "slow": "cancelled", "after": "cancelled"}
    assert done.reasons["slow"] == "cancelled by Ctrl-C"
    psutil.wait_procs(children, timeout=5)
    assert not [child for child in children if child.is_running() and child.status() != "zombie"]


def test_a_run_whose_runner_was_killed_goes_on(stoppable):
    process = cli(stoppable, "run")
    run_id = wait_for(lambda: running(stoppable))
    with pytest.raises(Conflict, match="is being driven by process"):
        stoppable.runs.resume(run_id)
    process.kill()
    process.communicate()
    stoppable.notebook("slow.ipynb", EMIT + "mlops.result('quicker', 1)")
    events = []
    run = stoppable.runs.resume(run_id, on_event=events.append)
    done = stoppable.done(run_id)
    assert run.state == "succeeded"
    assert done.states == {"quick": "succeeded", "slow": "succeeded", "after": "succeeded"}
    assert stoppable.executed() == ["quick"]
    assert [(a.task, a.state) for a in done.attempts] == [
        ("after", "succeeded"), ("quick", "succeeded"), ("slow", "lost"), ("slow", "succeeded"),
    ]  # fmt: skip
    lost = done.attempts[2]
    assert lost.started_at is not None
    assert lost.worker
    with pytest.raises(Conflict, match="over: it succeeded"):
        stoppable.runs.resume(run_id)


def test_an_outcome_that_its_runner_did_not_live_to_see_counts(counted):
    """The runner dies after the worker has left the outcome and before the catalog has it."""
    counted.pipeline("name: p\ntasks: {a: {notebook: count.ipynb, parameters: {name: a}}}")
    script = """
import os, sys
from pathlib import Path
from jupyter_mlops.runner import dispatch
from jupyter_mlops.workspace import Workspace
dispatch.Dispatch.outcome = lambda *_: os._exit(9)
with Workspace.open(Path(sys.argv[1])) as workspace:
    workspace.runs.run(Path(sys.argv[1]) / "pipeline.yaml")
"""
    died = subprocess.run([sys.executable, "-c", script, counted.root], timeout=60, check=False)
    assert died.returncode == 9
    (run,) = counted.catalog.find(RunRecord)
    counted.runs.resume(run.run_id)
    done = counted.done(run.run_id)
    assert done.states == {"a": "succeeded"}
    assert counted.executed() == ["a"]
    assert [attempt.state for attempt in done.attempts] == ["succeeded"]
    assert counted.run().states == {"a": "cached"}, "the cache knows it too"


@pytest.mark.slow
def test_a_killed_run_can_be_cancelled(stoppable):
    process = cli(stoppable, "run")
    run_id = wait_for(lambda: running(stoppable))
    process.kill()
    process.communicate()
    run = stoppable.runs.cancel(run_id)
    done = stoppable.done(run_id)
    assert run.state == "cancelled"
    assert run.finished_at is not None
    assert done.states == {"quick": "succeeded", "slow": "cancelled", "after": "cancelled"}
    assert done.attempts[-1].state == "lost"
    assert stoppable.log(run_id)[-1].kind == "RunFinished"


@pytest.mark.slow
def test_of_two_that_resume_a_run_one_gets_it(stoppable):
    process = cli(stoppable, "run")
    run_id = wait_for(lambda: running(stoppable))
    process.kill()
    process.communicate()
    stoppable.notebook("slow.ipynb", "import time; time.sleep(1)")
    outcomes = []

    def resume():
        try:
            outcomes.append(stoppable.runs.resume(run_id).state)
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=resume) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["conflict", "conflict", "succeeded"]


@pytest.mark.slow
def test_a_runner_whose_run_was_taken_up_by_another_stops(stoppable):
    """As after the sleep of a laptop: the commit of the first one fails before it acts on anything."""
    started = stoppable.start()
    wait_for(lambda: running(stoppable))
    stoppable.catalog.update(RunRecord, started.run_id, runner="elsewhere/0:1:2")
    with pytest.raises(Conflict, match="taken up by somebody else"):
        started.finish()
    assert stoppable.catalog.get(RunRecord, started.run_id).runner == "elsewhere/0:1:2"


def test_an_error_of_the_listener_leaves_a_run_that_can_be_resumed(counted):
    counted.pipeline("name: p\ntasks: {a: {notebook: count.ipynb, parameters: {name: a}}}")

    def hear(event):
        if type(event).__name__ == "AttemptStarted":
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        counted.runs.run(counted.root / "pipeline.yaml", on_event=hear)
    (run,) = counted.catalog.find(RunRecord)
    assert (run.state, run.runner) == ("running", "")
    assert counted.runs.resume(run.run_id).state == "succeeded"
    assert len(set(counted.executed())) == 1


def test_rerun_runs_what_failed_and_what_came_after(counted):
    counted.notebook("bad.ipynb", "raise ValueError('not yet')")
    counted.pipeline("""\
name: failing
parameters: {n: {type: int, default: 0}}
tasks:
  good: {notebook: count.ipynb, parameters: {name: good, value: "${params.n}"}, cache: false}
  bad: {notebook: bad.ipynb}
  after: {notebook: count.ipynb, parameters: {name: after, value: "${tasks.good.results.value}"}, needs: [bad]}
""")
    first = counted.run({"n": 4})
    assert first.state == "failed"
    counted.notebook("bad.ipynb", EMIT + "mlops.result('fine', 1)")
    again = counted.done(counted.runs.rerun(first.run.run_id).run_id)
    assert again.run.rerun_of == first.run.run_id
    assert again.run.arguments == {"n": 4}
    assert again.states == {"good": "cached", "bad": "succeeded", "after": "succeeded"}
    assert again.tasks["after"].results == {"value": 6}
    assert counted.executed() == ["good", "after"]
    everything = counted.done(counted.runs.rerun(first.run.run_id, is_failed_only=False).run_id)
    assert set(everything.states.values()) == {"succeeded"}


def test_only_a_run_that_is_over_can_be_repeated(stoppable):
    started = stoppable.start()
    wait_for(lambda: running(stoppable))
    with pytest.raises(Conflict, match="not over"):
        stoppable.runs.rerun(started.run_id)
    stoppable.runs.cancel(started.run_id)
    started.finish()
    with pytest.raises(NotFound):
        stoppable.runs.rerun("no-such-run")


@pytest.mark.slow
def test_two_runs_at_once_leave_each_other_alone(counted):
    counted.notebook(
        "slow.ipynb",
        "import os, time\ntime.sleep(0.3)\n"
        + EMIT
        + "mlops.result('value', [value, os.environ['MLOPS_RUN_ID']])",
        parameters="value: int = 0",
    )
    counted.pipeline("""\
name: twice
parameters: {n: {type: int, default: 0}}
tasks:
  a: {notebook: slow.ipynb, matrix: {i: [1, 2]}, parameters: {value: "${params.n}"}}
  b: {notebook: slow.ipynb, needs: [a], parameters: {value: "${params.n}"}}
""")
    processes = [cli(counted, "run", "-p", "n", str(n)) for n in (1, 2)]
    for process in processes:
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, out + err
    runs = counted.catalog.find(RunRecord)
    assert len(runs) == 2
    for run in runs:
        done = counted.done(run.run_id)
        value = run.arguments["n"]
        assert all(task.results["value"] == [value, run.run_id] for task in done.tasks.values())
        assert len(done.attempts) == 3


def test_two_runs_of_the_same_thing_at_once_both_succeed(counted):
    counted.pipeline("name: p\ntasks: {a: {notebook: count.ipynb}, b: {notebook: count.ipynb, needs: [a]}}")
    first, second = counted.start(), counted.start()
    assert (first.finish().state, second.finish().state) == ("succeeded", "succeeded")
    assert first.run_id != second.run_id


@pytest.mark.slow
def test_a_run_keeps_to_its_plan_when_it_is_resumed(stoppable):
    """The files may say something else by then; the plan stands in the run's record."""
    process = cli(stoppable, "run")
    run_id = wait_for(lambda: running(stoppable))
    process.kill()
    process.communicate()
    stoppable.pipeline("name: other\ntasks: {x: {notebook: count.ipynb}}")
    stoppable.notebook("slow.ipynb", "1")
    assert stoppable.runs.resume(run_id).state == "succeeded"
    assert set(stoppable.done(run_id).states) == {"quick", "slow", "after"}


def test_who_drives_a_run():
    plan: Plan = Plan(pipeline="p", tasks={})
    mine = RunRecord(
        run_id="r", pipeline="p", plan=plan.to_json(), created_at=owner.now(), runner=owner.mark()
    )
    assert not owner.is_driven(mine), "this process does not drive it, though it lives"
    with owner.driving("r"):
        assert owner.is_driven(mine)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    place, _, started = owner.mark().rsplit(":", 2)
    other = RunRecord(
        run_id="r", pipeline="p", plan={}, created_at=owner.now(), runner=f"{place}:{child.pid}:{started}"
    )
    assert not owner.is_driven(other), "the number is that of another process by now"
    child.communicate(b"\n")
    far = {"run_id": "r", "pipeline": "p", "plan": {}, "created_at": owner.now(), "runner": "far/1:2:3"}
    assert owner.is_driven(RunRecord(**far, heartbeat_at=owner.now()))
    assert not owner.is_driven(RunRecord(**far, heartbeat_at=owner.now() - owner._ABANDONED))
    assert owner.shown("some.host/ab12:77:1") == "process 77 on some.host"


@pytest.mark.slow
def test_the_heartbeat_goes_on_while_a_cell_runs(stoppable):
    stoppable.notebook("slow.ipynb", "import time; time.sleep(3.5)")
    started = stoppable.start()
    wait_for(lambda: running(stoppable))
    first = stoppable.catalog.get(RunRecord, started.run_id).heartbeat_at
    time.sleep(2.5)
    assert stoppable.catalog.get(RunRecord, started.run_id).heartbeat_at > first
    assert started.finish().state == "succeeded"
