"""A run while it goes on: what is gathered from its events, and how that looks."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.cli import live
from jupyter_mlops.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CacheHit,
    CancelRequested,
    CellStarted,
    OutputStreamed,
    RunFinished,
    RunStarted,
    TaskStateChanged,
)
from jupyter_mlops.runner.board import Board, plain_words

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
NAMES = ("pull", "features", "train[model=a]", "train[model=b]", "compare")


def at(seconds: float) -> dict[str, object]:
    return {"run_id": "7f3a", "at": NOON + timedelta(seconds=seconds)}


def planned(*names: str) -> Board:
    board = Board()
    board.plan(
        Run(run_id="7f3a", pipeline="flights", plan={}, created_at=NOON),
        [TaskRun(run_id="7f3a", task=n, name=n.partition("[")[0], position=i) for i, n in enumerate(names)],
    )
    return board


STORY = (
    RunStarted(**at(0)),
    CacheHit(
        task="pull", cache_key="k", source_run_id="19ab", results={"rows": 6099}, artifacts={}, **at(0.1)
    ),
    TaskStateChanged(task="pull", state="cached", reason="from run 19ab", **at(0.1)),
    TaskStateChanged(task="features", state="running", attempt=1, **at(0.2)),
    AttemptStarted(task="features", attempt=1, **at(0.2)),
    AttemptSucceeded(task="features", attempt=1, results={"columns": 12}, artifacts={}, **at(1.4)),
    TaskStateChanged(task="features", state="succeeded", attempt=1, **at(1.4)),
    TaskStateChanged(task="train[model=a]", state="running", attempt=1, **at(1.5)),
    AttemptStarted(task="train[model=a]", attempt=1, **at(1.5)),
    CellStarted(task="train[model=a]", attempt=1, cell=3, cells=7, description="model.fit(X, y)", **at(2)),
    OutputStreamed(task="train[model=a]", attempt=1, cell=3, name="stdout", text="epoch 1\nep", **at(2.1)),
    OutputStreamed(
        task="train[model=a]", attempt=1, cell=3, name="stdout", text="och 2: loss 0.1\n", **at(2.2)
    ),
    TaskStateChanged(task="train[model=b]", state="running", attempt=1, **at(1.5)),
    AttemptStarted(task="train[model=b]", attempt=1, **at(1.5)),
    AttemptFailed(
        task="train[model=b]",
        attempt=1,
        error={"message": "ValueError: X has NaN\nmore"},
        error_class="ValueError",
        **at(3),
    ),
    TaskStateChanged(task="train[model=b]", state="failed", attempt=1, **at(3)),
    TaskStateChanged(task="compare", state="upstream_failed", reason="train[model=b] failed", **at(3)),
)


@pytest.fixture
def board() -> Board:
    board = planned(*NAMES)
    for event in STORY:
        board.handle(event)
    return board


def shown(board: Board, *, height: int = 40, width: int = 80) -> str:
    out = Console(file=io.StringIO(), width=width, height=height, highlight=False, markup=False)
    out.print(live.picture(board, NOON + timedelta(seconds=5), height=height, spinner="⠋"))
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines())


def test_the_moving_picture(board):
    assert shown(board) == (
        "flights  run 7f3a  5.0 s\n"
        "↺ pull            cached                  from run 19ab\n"
        "✔ features        succeeded        1.2 s  columns = 12\n"
        "⠋ train[model=a]  cell 3/7         3.5 s  epoch 2: loss 0.1\n"
        "✘ train[model=b]  failed           1.5 s  ValueError: X has NaN\n"
        "⊘ compare         upstream failed         train[model=b] failed\n"
        "━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 4/5  1 running  1 cached  1 failed"
    ).replace("━" * 28, "━" * 28)


def test_a_long_run_shows_what_says_most(board):
    text = shown(board, height=8)
    assert "train[model=b]  failed" in text
    assert "train[model=a]  cell" in text
    assert len(text.splitlines()) <= 8
    board = planned(*(f"t{i}" for i in range(500)))
    board.handle(TaskStateChanged(task="t400", state="failed", **at(1)))
    text = shown(board, height=24)
    assert "t400" in text
    assert "… and 481 more tasks" in text
    assert len(text.splitlines()) <= 24


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(board, width):
    assert all(len(line) <= width for line in shown(board, width=width).splitlines())


def test_a_cancelled_run_says_that_it_is_stopping(board):
    board.handle(CancelRequested(**at(4)))
    assert "stopping" in shown(board)
    board.handle(RunFinished(state="cancelled", **at(5)))
    assert "stopping" not in shown(board)


def test_plain_lines_tell_beginnings_and_ends():
    out = Console(file=io.StringIO(), width=200, highlight=False, markup=False)
    seen = live.PlainLines(out)
    seen.on_plan(Run(run_id="7f3a", pipeline="flights", plan={}, created_at=NOON), [])
    for event in STORY:
        seen.on_event(event)
    assert out.file.getvalue() == (
        "run 7f3a of flights: 0 tasks\n"
        "↺ pull: cached: from run 19ab\n"
        "● features: running\n"
        "✔ features: succeeded in 1.2 s\n"
        "● train[model=a]: running\n"
        "● train[model=b]: running\n"
        "✘ train[model=b]: failed in 1.5 s: ValueError: X has NaN\n"
        "⊘ compare: upstream failed: train[model=b] failed\n"
    )


def test_a_retry_is_told():
    board = planned("pull")
    board.handle(TaskStateChanged(task="pull", state="running", attempt=1, **at(0)))
    board.handle(AttemptStarted(task="pull", attempt=1, **at(0)))
    error = {"message": "ConnectionError: reset"}
    board.handle(AttemptFailed(task="pull", attempt=1, error=error, error_class="ConnectionError", **at(1)))
    board.handle(TaskStateChanged(task="pull", state="queued", attempt=1, reason="retry in 5 s", **at(1)))
    row = board.rows["pull"]
    assert plain_words(row) == "attempt 1 failed, another one will follow (ConnectionError: reset)"
    board.handle(TaskStateChanged(task="pull", state="running", attempt=2, **at(6)))
    board.handle(AttemptStarted(task="pull", attempt=2, **at(6)))
    assert plain_words(row) == "running, attempt 2"
    assert row.started_at == NOON + timedelta(seconds=6)


def test_mapped_tasks_appear_when_they_are_known():
    board = planned("list", "train")
    board.handle(TaskStateChanged(task="train[0]", state="running", attempt=1, **at(1)))
    assert list(board.rows) == ["list", "train", "train[0]"]


def test_a_progress_bar_shows_its_last_state_without_control_characters():
    board = planned("pull")
    for text in ("\x1b[32m 10%\x1b[0m", "\r 20%|##", "\r 30%|###", "\r\n"):
        board.handle(OutputStreamed(task="pull", attempt=1, cell=1, name="stderr", text=text, **at(1)))
    assert board.rows["pull"].line == "30%|###"


@given(st.lists(st.text(), max_size=8))
def test_any_output_becomes_one_clean_line(texts):
    board = planned("pull")
    for text in texts:
        board.handle(OutputStreamed(task="pull", attempt=1, cell=1, name="stdout", text=text, **at(1)))
    line = board.rows["pull"].line
    assert not any(char < " " or char == "\x7f" for char in line)


def test_a_resumed_run_begins_with_what_is_known():
    board = Board()
    board.plan(
        Run(run_id="7f3a", pipeline="flights", plan={}, created_at=NOON, state="running"),
        [TaskRun(run_id="7f3a", task="pull", name="pull", state="succeeded", results={"rows": 1})],
    )
    assert (board.done, board.count("succeeded")) == (1, 1)
    assert "rows = 1" in shown(board)


def test_json_events_are_lines_that_decode_to_the_events(capsys):
    import json

    from jupyter_mlops.events import decode

    seen = live.EventLines()
    for event in STORY:
        seen.on_event(event)
    assert [decode(json.loads(line)) for line in capsys.readouterr().out.splitlines()] == list(STORY)


def test_nobody_watches_a_pipe_or_a_ci_service(monkeypatch, capsys):
    assert isinstance(live.watcher(is_json=False, is_json_events=False), live.PlainLines)
    assert isinstance(live.watcher(is_json=False, is_json_events=True), live.EventLines)
    assert type(live.watcher(is_json=True, is_json_events=False)) is live.Watcher


def test_the_picture_moves_in_a_terminal():
    out = Console(file=io.StringIO(), force_terminal=True, width=80, height=20, markup=False, highlight=False)
    with live.Moving(out) as seen:
        seen.on_plan(
            Run(run_id="7f3a", pipeline="flights", plan={}, created_at=NOON),
            [TaskRun(run_id="7f3a", task="pull", name="pull")],
        )
        seen.on_event(TaskStateChanged(task="pull", state="running", attempt=1, **at(1)))
        seen.on_event(TaskStateChanged(task="pull", state="succeeded", attempt=1, **at(2)))
    text = out.file.getvalue()
    assert "succeeded" in text
    assert text.rstrip().endswith("\x1b[?25h")  # the cursor is visible again
