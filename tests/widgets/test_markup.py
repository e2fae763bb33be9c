"""HTML of runs and pipelines: everything is escaped, large runs stay short, states are told by words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.events import (
    AttemptFailed,
    AttemptStarted,
    CancelRequested,
    CellStarted,
    OutputStreamed,
    TaskStateChanged,
)
from jupyter_mlops.pipelines import Pipeline, PipelineParameter, Task
from jupyter_mlops.problems import Problem
from jupyter_mlops.runner.board import Board
from jupyter_mlops.widgets import markup

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def at(seconds: float) -> dict[str, object]:
    return {"run_id": "7f3a", "at": NOON + timedelta(seconds=seconds)}


def board_of(*keys: str, pipeline: str = "flights", run_id: str = "7f3a") -> Board:
    board = Board()
    plan = {"tasks": [{"key": key, "needs": keys[:place][-1:]} for place, key in enumerate(keys)]}
    board.plan(
        Run(run_id=run_id, pipeline=pipeline, plan=plan, state="running", created_at=NOON),
        [TaskRun(run_id=run_id, task=key, name=key, position=place) for place, key in enumerate(keys)],
    )
    return board


class Tags(HTMLParser):
    """The elements of a page, with their attributes; that they are closed in order."""

    VOID = ("br", "img", "rect", "path", "circle")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def told(text: str) -> Board:
    """A run in which everything that comes from outside is `text`."""
    board = board_of(text, "last", pipeline=text, run_id=text)
    error = {"message": text, "hint": text, "traceback": [text]}
    for event in (
        TaskStateChanged(task=text, state="running", **at(0)),
        AttemptStarted(task=text, attempt=1, **at(0)),
        CellStarted(task=text, attempt=1, cell=2, cells=3, description=text, **at(1)),
        OutputStreamed(task=text, attempt=1, cell=2, name="stdout", text=text, **at(1)),
        TaskStateChanged(task="last", state="failed", reason=text, **at(2)),
        AttemptFailed(task="last", attempt=1, error=error, error_class=text, **at(2)),
    ):
        board.handle(event)
    return board


@given(st.one_of(st.just(EVIL), st.text(min_size=1)))
def test_nothing_from_outside_becomes_markup(text):
    tags = Tags(markup.run_html(told(text), NOON, notice=text))
    assert not tags.found & {"script", "img", "iframe", "object", "link"}
    assert not {name for name in tags.attributes if name.startswith("on")}


def test_nothing_of_a_pipeline_becomes_markup():
    pipeline = Pipeline(
        "p", (Task("a", f"{EVIL}.ipynb", when=EVIL),), description=EVIL,
        parameters={"week": PipelineParameter("str", default=EVIL, help=EVIL)},
    )  # fmt: skip
    problems = [Problem(message=EVIL, where=EVIL, hint=EVIL)]
    assert not Tags(markup.pipeline_html(pipeline, problems, title=EVIL)).found & {"script", "img"}
    assert not Tags(markup.pipeline_html(None, problems, title=EVIL)).found & {"script", "img"}


def test_a_run_tells_what_each_task_is_at():
    html = markup.run_html(told("train"), NOON + timedelta(seconds=3))
    assert "cell 2/3" in html
    assert "● running" in html
    assert "✘ failed" in html
    assert html.count("<details>") == 1
    board = told("train")
    board.handle(CancelRequested(**at(3)))
    assert "stopping" in markup.run_html(board, NOON)


def test_a_run_before_its_plan_says_what_it_is_doing():
    assert "checking the pipeline" in markup.run_html(Board(), NOON)


def test_of_a_large_run_the_table_shows_what_says_most():
    board = board_of(*(f"t{i}" for i in range(500)))
    board.handle(TaskStateChanged(task="t400", state="failed", reason="no", **at(1)))
    html = markup.run_html(board, NOON)
    assert html.count("<tr>") == markup.MOST_ROWS + 2
    assert "<b>t400</b>" in html
    assert "… and 460 more tasks" in html
    assert html.count('class="node ') == 500
    assert len(markup.run_text(board, NOON).splitlines()) < 4000


def test_a_mapped_task_is_one_node_and_a_row_for_each_instance():
    board = board_of("list", "each")
    for i in range(3):
        board.handle(TaskStateChanged(task=f"each[{i}]", state="succeeded", **at(1)))
    html = markup.run_html(board, NOON)
    assert html.count('class="node ') == 2
    assert "3 succeeded" in html
    assert "<b>each[2]</b>" in html


def test_the_style_touches_nothing_outside():
    style = re.search(r"<style>(.*?)</style>", markup.page("")).group(1)
    selectors = re.findall(
        r"(?:^|[}{])([^{}@%]+){", style.replace("@keyframes mlops-pulse{50%{opacity:.4}}", "")
    )
    assert selectors
    assert all(part.startswith(".mlops-view") for rule in selectors for part in rule.split(","))
