"""What every backend promises, tried on each: in this process, and on a scheduler with a worker elsewhere."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from jupyter_mlops.backends import BACKENDS, JobKey
from jupyter_mlops.errors import InvalidInput, Unavailable, WorkerLost
from jupyter_mlops.events import CellExecuted, CellStarted, OutputStreamed
from jupyter_mlops.resources import ResourceRequest

EMIT = "import jupyter_mlops as mlops\n"
FOREVER = "import time\nprint('begun', flush=True)\ntime.sleep(600)"


def test_a_job_is_started_told_and_ended(bench):
    key = bench.submit("print('hello')", "1 + 1")
    outcome = bench.heard.outcome(key)
    assert outcome.state == "succeeded"
    assert bench.heard.news == [("started", key.task), ("succeeded", key.task)]
    assert outcome.worker
    assert outcome.duration_seconds > 0
    assert outcome.peak_memory_bytes > 1 << 20
    assert b"hello" in bench.blobs.read_bytes(outcome.notebook)
    bench.heard.wait(lambda: sum(isinstance(event, CellExecuted) for event in bench.heard.events) == 2)
    kinds = {type(event) for event in bench.heard.events}
    assert kinds == {CellStarted, CellExecuted, OutputStreamed}
    assert {(event.run_id, event.task, event.attempt) for event in bench.heard.events} == {
        (key.run_id, key.task, 1)
    }


def test_a_start_is_told_when_it_happens(bench, monkeypatch):
    """Even if a worker is quicker to begin than its client to return from submitting."""
    submit = bench.backend._client.submit

    def slow(*args, **kwargs):
        future = submit(*args, **kwargs)
        bench.heard.wait(lambda: bool(bench.heard.news))
        return future

    monkeypatch.setattr(bench.backend._client, "submit", slow)
    key = bench.submit("import time\ntime.sleep(0.5)")
    assert bench.heard.news == [("started", key.task)], "it is told at the end only"
    assert bench.heard.outcome(key).state == "succeeded"


def test_arguments_results_artifacts_and_environment(bench):
    key = bench.submit(
        EMIT + "import os\n"
        "mlops.result('told', [n, os.environ['COLOR'], os.environ['MLOPS_SECRET_X'], os.environ['MLOPS_TASK']])\n"
        "mlops.artifact('words', ['a'])",
        arguments={"n": 7},
        env={"COLOR": "blue"},
        secrets={"MLOPS_SECRET_X": "hidden-value"},
        task="named",
    )
    outcome = bench.heard.outcome(key)
    assert outcome.state == "succeeded", outcome.error
    assert outcome.results["told"] == [7, "blue", "****", "named"], "a secret is masked in what is kept"
    assert bench.blobs.exists(outcome.artifacts["words"]["digest"])


def test_a_notebook_that_fails(bench):
    outcome = bench.heard.outcome(bench.submit("x = 1", "x / 0"))
    assert (outcome.state, outcome.error_class) == ("failed", "ZeroDivisionError")
    assert outcome.error["cell"] == 1
    assert bench.blobs.exists(outcome.notebook)


def test_a_notebook_that_kills_its_kernel(bench):
    outcome = bench.heard.outcome(bench.submit("import os\nos.kill(os.getpid(), 9)"))
    assert (outcome.state, outcome.error["code"]) == ("failed", "kernel_died")


def test_a_source_that_is_no_notebook(bench):
    outcome = bench.heard.outcome(bench.submit("1", notebook=bench.blobs.put_bytes(b"{}")))
    assert (outcome.state, outcome.error["code"]) == ("failed", "invalid_notebook")


def test_a_source_that_is_gone(bench):
    outcome = bench.heard.outcome(bench.submit("1", notebook="0" * 64))
    assert (outcome.state, outcome.error["code"]) == ("failed", "not_found")


def test_a_timeout(bench):
    outcome = bench.heard.outcome(bench.submit(FOREVER, timeout_seconds=0.5))
    assert (outcome.state, outcome.error["code"]) == ("failed", "timed_out")


def test_local_modules_and_files_travel(bench):
    key = bench.submit(
        EMIT + "import mine\nfrom pathlib import Path\n"
        "mlops.result('told', [mine.x, Path('../data/a.csv').read_text(), Path.cwd().name])",
        files={"sub/mine.py": "x = 5\n", "data/a.csv": "1,2"},
        base=str(bench.folder / "not-there"),
        cwd=str(bench.folder / "not-there" / "sub"),
    )
    outcome = bench.heard.outcome(key)
    assert outcome.results.get("told") == [5, "1,2", "sub"], outcome.error


def test_a_file_must_not_leave_the_directory_of_its_job(bench):
    outcome = bench.heard.outcome(bench.submit("1", files={"../evil.py": "1"}))
    assert outcome.state == "failed"
    assert "outside the job's directory" in outcome.error["message"]


def test_files_that_are_there_as_they_were_sent_are_used_where_they_are(bench):
    (bench.folder / "mine.py").write_text("x = 1\n")
    where = {"cwd": str(bench.folder), "base": str(bench.folder)}
    source = EMIT + "import os, mine\nmlops.result('told', [os.getcwd(), mine.x])"
    same = bench.submit(source, files={"mine.py": "x = 1\n"}, **where)
    other = bench.submit(source, files={"mine.py": "x = 2\n"}, **where)
    assert bench.heard.outcome(same).results["told"] == [str(bench.folder), 1]
    cwd, x = bench.heard.outcome(other).results["told"]
    assert (cwd != str(bench.folder), x) == (True, 2), "the file here is another one by now"


def test_a_running_job_can_be_cancelled(bench):
    key = bench.submit(FOREVER)
    bench.heard.in_cell(key)
    moment = time.monotonic()
    bench.backend.cancel(key)
    assert bench.heard.outcome(key).state == "cancelled"
    assert time.monotonic() - moment < 5


def test_a_waiting_job_can_be_cancelled(bench):
    first, second = bench.submit(FOREVER), bench.submit(FOREVER)
    bench.heard.in_cell(first)
    bench.heard.in_cell(second)
    waiting = bench.submit(f"open({str(bench.folder / 'ran')!r}, 'w')")
    bench.backend.cancel(waiting)
    assert bench.heard.outcome(waiting).state == "cancelled"
    for key in (first, second):
        bench.backend.cancel(key)
        assert bench.heard.outcome(key).state == "cancelled"
    assert bench.heard.outcome(bench.submit("1")).state == "succeeded"
    assert not (bench.folder / "ran").exists()
    assert ("started", waiting.task) not in bench.heard.news


def test_cancelling_what_is_over_or_unknown_does_nothing(bench):
    key = bench.submit("1")
    bench.heard.outcome(key)
    bench.backend.cancel(key)
    bench.backend.cancel(JobKey(run_id="r", task="t", attempt=1))
    assert bench.heard.outcome(bench.submit("1")).state == "succeeded"


def test_higher_priorities_go_first(bench):
    blockers = [bench.submit("import time; time.sleep(1.5)") for _ in range(2)]
    for key in blockers:
        bench.heard.has_started(key)
    low = [bench.submit("1", task=f"low{n}", priority=0) for n in range(8)]
    high = [bench.submit("1", task=f"high{n}", priority=5) for n in range(3)]
    for key in [*low, *high]:
        bench.heard.outcome(key)
    order = [task for what, task in bench.heard.news if what == "started"][2:]
    # A scheduler elsewhere may have sent some to the worker already, where they go first.
    ahead = 4 if bench.is_remote else 0
    assert all(order.index(key.task) < 3 + ahead for key in high), order


def test_resources_are_counted(bench):
    capacity = bench.backend.capacity()
    assert capacity is not None
    mark = f"""
import time
with open({str(bench.folder / "marks")!r}, 'a') as file:
    file.write('in\\n')
    file.flush()
    time.sleep(0.4)
    file.write('out\\n')
"""
    keys = [bench.submit(mark, resources=ResourceRequest(cpu=capacity.cpu)) for _ in range(3)]
    for key in keys:
        assert bench.heard.outcome(key).state == "succeeded"
    assert (bench.folder / "marks").read_text().split() == ["in", "out"] * 3


def test_an_attempt_that_has_an_outcome_is_not_run_again(bench):
    source = f"open({str(bench.folder / 'ran')!r}, 'a').write('x')"
    job = bench.job(source)
    bench.backend.submit(job)
    first = bench.heard.outcome(job.key)
    del bench.heard.outcomes[job.key]
    bench.backend.submit(job)
    assert bench.heard.outcome(job.key) == first
    assert (bench.folder / "ran").read_text() == "x"


def test_many_jobs_at_once(bench):
    keys = [bench.submit(EMIT + f"mlops.result('n', {n})") for n in range(20)]
    assert [bench.heard.outcome(key).results["n"] for key in keys] == list(range(20))
    assert sorted(bench.heard.news) == sorted(
        [("started", key.task) for key in keys] + [("succeeded", key.task) for key in keys]
    )


def test_nothing_is_told_after_close(make_bench):
    bench = make_bench()
    key = bench.submit(FOREVER)
    bench.heard.in_cell(key)
    moment = time.monotonic()
    bench.backend.close()
    assert time.monotonic() - moment < 6
    told = len(bench.heard.news)
    time.sleep(0.3)
    assert len(bench.heard.news) == told == 1
    assert bench.blobs.read_document(key.document) is None, "it was not cancelled by anybody: it is lost"


# --- what only a cluster elsewhere can do to us -----------------------------------------------------------


def test_nobody_listens():
    moment = time.monotonic()
    with pytest.raises(Unavailable, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:1") as caught:
        BACKENDS.get("dask")(None, address="tcp://127.0.0.1:1", connect_seconds=1.0)
    assert "dask scheduler" in caught.value.hint
    assert time.monotonic() - moment < 5


def test_a_cluster_here_needs_kernels():
    with pytest.raises(InvalidInput, match="kernel pool"):
        BACKENDS.get("dask")(None)


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_its_job_and_no_other_worker_runs_it_again(make_cluster, make_bench):
    cluster = make_cluster()
    cluster.add_worker(threads=1)
    cluster.wait_for_workers(1)
    bench = make_bench(cluster.address)
    source = f"open({str(bench.folder / 'ran')!r}, 'a').write('x')\n{FOREVER}"
    key = bench.submit(source)
    bench.heard.in_cell(key)
    cluster.add_worker(threads=1)
    cluster.wait_for_workers(2)
    kernels = psutil.Process(cluster.workers[0].pid).children(recursive=True)
    cluster.workers[0].kill()
    outcome = bench.heard.outcome(key)
    assert outcome.state == "lost"
    assert "gone" in outcome.reason
    assert (bench.folder / "ran").read_text() == "x"
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert not [process for process in alive if process.status() != "zombie"], "kernels end with their worker"
    assert bench.heard.outcome(bench.submit("1")).state == "succeeded"


@pytest.mark.slow
def test_a_worker_that_is_asked_to_leave_loses_its_job(make_cluster, make_bench):
    """As when a queue takes its node back: no failure of the notebook."""
    cluster = make_cluster()
    cluster.add_worker(threads=1)
    cluster.wait_for_workers(1)
    bench = make_bench(cluster.address)
    key = bench.submit(FOREVER)
    bench.heard.in_cell(key)
    cluster.add_worker(threads=1)
    cluster.wait_for_workers(2)
    cluster.workers[0].terminate()
    assert bench.heard.outcome(key, 60).state == "lost"
    assert bench.blobs.read_document(key.document) is None


@pytest.mark.slow
def test_a_runner_that_comes_back_can_recall_what_an_earlier_one_submitted(make_cluster, make_bench):
    cluster = make_cluster()
    cluster.add_worker()
    cluster.wait_for_workers(1)
    first, second = make_bench(cluster.address), make_bench(cluster.address)
    key = first.submit(FOREVER)
    first.heard.in_cell(key)
    first.backend.close()
    second.backend.recall(key)
    document = first.blobs.read_document(key.document)
    assert document is not None
    assert b'"cancelled"' in document
    later = first.job(FOREVER)
    second.backend.recall(later.key)
    second.backend.submit(later)
    assert second.heard.outcome(later.key).state == "cancelled", "who is recalled does not start any more"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_scheduler_that_does_not_come_back(number, make_cluster, make_bench):
    cluster = make_cluster()
    cluster.add_worker()
    cluster.wait_for_workers(1)
    bench = make_bench(cluster.address, reconnect_seconds=1.0)
    running = bench.submit(FOREVER, resources=ResourceRequest(cpu=2))
    bench.heard.in_cell(running)
    waiting = bench.submit("1", resources=ResourceRequest(cpu=1))  # there is no more of it
    os.kill(cluster.scheduler.pid, number)
    assert bench.heard.outcome(running, 30).state == "lost"
    assert bench.heard.outcome(waiting).state == "lost"
    with pytest.raises(WorkerLost, match="did not come back within 1 s"):
        bench.submit("1")


@pytest.mark.slow
def test_a_scheduler_that_comes_back(make_cluster, make_bench):
    cluster = make_cluster()
    cluster.add_worker()
    cluster.wait_for_workers(1)
    bench = make_bench(cluster.address)
    key = bench.submit(FOREVER)
    bench.heard.in_cell(key)
    cluster.scheduler.kill()
    cluster.scheduler.wait()
    cluster.start()
    cluster.add_worker()
    outcome = bench.heard.outcome(key)
    assert (outcome.state, "went away" in outcome.reason) == ("lost", True)
    assert bench.heard.outcome(bench.submit("1"), 60).state == "succeeded"
