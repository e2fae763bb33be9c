"""The small parts of the runner, each by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.backends import JobKey, JobOutcome
from jupyter_mlops.events import (
    AttemptCancelled,
    AttemptFailed,
    AttemptLost,
    AttemptSucceeded,
    CancelRequested,
    CellStarted,
    OutputStreamed,
)
from jupyter_mlops.runner.inbox import Inbox, fact_of
from jupyter_mlops.runner.interrupts import interrupts
from jupyter_mlops.runner.logs import LogWriter
from jupyter_mlops.runner.places import file_name, log_path, notebook_path

KEY = JobKey(run_id="r", task="t", attempt=3)


@given(st.text(min_size=1, max_size=400), st.text(min_size=1, max_size=400))
def test_a_task_has_a_file_of_its_own_within_the_folder(one, other):
    for name in (one, other):
        path = notebook_path(Path("/project"), "run", name)
        assert path.parent == Path("/project/.mlops/runs/run")
        assert len(path.name.encode()) < 200
    assert (file_name(one) == file_name(other)) == (one == other)


def test_a_legible_name_stays_as_it_is():
    assert file_name("train[model=a, seed=1]") == "train[model=a, seed=1]"
    assert log_path(Path("/x"), "r", "a/b", 2).name == "a%2Fb.2.log"


def test_each_outcome_is_a_fact():
    told = {"table": {"reference": "blob://sha256/" + "0" * 64 + "/t.parquet", "size_bytes": 5}}
    succeeded = fact_of(KEY, JobOutcome(state="succeeded", artifacts=told, results={"n": 1}))
    assert isinstance(succeeded, AttemptSucceeded)
    assert succeeded.artifacts == {"table": told["table"]["reference"]}
    assert isinstance(fact_of(KEY, JobOutcome(state="failed", error_class="E")), AttemptFailed)
    assert isinstance(fact_of(KEY, JobOutcome(state="cancelled")), AttemptCancelled)
    lost = fact_of(KEY, JobOutcome(state="lost"))
    assert isinstance(lost, AttemptLost)
    assert (lost.run_id, lost.task, lost.attempt, lost.reason) == ("r", "t", 3, "it left no outcome")


def test_mail_is_sorted_and_nothing_is_lost_however_much_there_is():
    inbox = Inbox()
    assert inbox.take(0.0).facts == []
    inbox.started(KEY, "w")
    for n in range(5000):
        inbox.progressed(OutputStreamed(run_id="r", task="t", attempt=3, cell=n, name="stdout", text=""))
    inbox.ended(KEY, JobOutcome(state="succeeded"))
    inbox.put(CancelRequested(run_id="r"))
    mails = []
    while not mails or mails[-1].progress or mails[-1].facts or mails[-1].outcomes:
        mails.append(inbox.take(0.0))
    assert [event.cell for mail in mails for event in mail.progress] == list(range(5000))
    assert len([fact for mail in mails for fact in mail.facts]) == 2
    assert [key for mail in mails for key, _ in mail.outcomes] == [KEY]
    assert len(mails[0].progress) < 5000


def test_the_first_ctrl_c_is_heard_and_the_second_one_raises():
    heard = []
    before = signal.getsignal(signal.SIGINT)
    with interrupts(lambda: heard.append(1)):
        os.kill(os.getpid(), signal.SIGINT)
        assert heard == [1]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert heard == [1]
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_nothing_changes():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with interrupts(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_log_that_cannot_be_written_costs_no_run(tmp_path, caplog):
    (tmp_path / ".mlops").write_text("in the way")
    logs = LogWriter(tmp_path, "r")
    logs.write(OutputStreamed(run_id="r", task="t", attempt=1, cell=1, name="stdout", text="x"))
    logs.close()
    assert "the log of t cannot be written" in caplog.text
    fine = LogWriter(tmp_path / "fine", "r")
    fine.write(OutputStreamed(run_id="r", task="t", attempt=1, cell=1, name="stdout", text="\ud800 ü\n"))
    fine.close()
    assert log_path(tmp_path / "fine", "r", "t", 1).read_text() == "\\ud800 ü\n"


def test_progress_is_no_fact():
    inbox = Inbox()
    inbox.progressed(CellStarted(run_id="r", task="t", attempt=1, cell=1, cells=2))
    mail = inbox.take(0.0)
    assert (len(mail.progress), mail.facts) == (1, [])


def test_importing_the_runner_waits_for_nothing_heavy():
    heavy = {"dask", "distributed", "pandas", "papermill"}
    code = f"import sys, jupyter_mlops.runner; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "[]"
