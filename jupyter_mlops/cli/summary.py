"""What is said of a run when it is over: what came out, what went wrong, where to look next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from .. import words
from ..catalog.records import Run, TaskRun
from ..events import now
from .group import PROGRAM
from .output import sign, table

_RESULT_ROWS = 24
_FAILURES = 5


def print_summary(out: Console, run: Run, tasks: Sequence[TaskRun], notebooks: Mapping[str, Path]) -> None:
    """The end of a run's story; `notebooks` are the executed ones, by task."""
    print_headline(out, run, tasks)
    failed = [task for task in tasks if task.state == "failed"]
    print_results(out, [task for task in tasks if task.results])
    for task in failed[:_FAILURES]:
        print_failure(out, task, notebooks.get(task.task))
    if len(failed) > _FAILURES:
        out.print(f"… and {words.count(len(failed) - _FAILURES, 'more failed task')}")
    out.print()
    for folder in dict.fromkeys(path.parent for path in notebooks.values()):
        out.print(Text.assemble(("executed notebooks  ", "bright_black"), f"{folder}/"), soft_wrap=True)
    for comment, line in next_steps(run, tasks):
        out.print(Text.assemble((f"{comment:<20}", "bright_black"), f"{PROGRAM} {line}"), soft_wrap=True)


def print_headline(out: Console, run: Run, tasks: Sequence[TaskRun]) -> None:
    """One line: how it ended, after how long, what ran and what did not need to."""
    seconds = words.lifetime(run.started_at, run.finished_at, now())
    text = Text.assemble(sign(run.state), " ", (f"{run.pipeline} ", "bold"), run.state)
    if seconds is not None:
        text.append(
            f" in {words.duration(seconds)}"
            if run.state == "succeeded"
            else f" after {words.duration(seconds)}"
        )
    text.append(f"  {tally(tasks)}", "bright_black")
    out.print(text, soft_wrap=True)
    if run.message:
        out.print(Text(f"  {run.message}", "bright_black"), soft_wrap=True)


def tally(tasks: Sequence[TaskRun]) -> str:
    """``5 succeeded, 3 cached``."""
    states = dict.fromkeys(["succeeded", "cached", "failed", "upstream_failed", "skipped", "cancelled"])
    counted = {state: sum(task.state == state for task in tasks) for state in [*states]}
    return ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in counted.items() if number)


def print_results(out: Console, tasks: Sequence[TaskRun]) -> None:
    """Task, result, value; where a task has several, a row each."""
    rows = []
    for task in tasks:
        for i, (name, value) in enumerate(task.results.items()):
            rows.append((Text(task.task if not i else "", "bold"), name, words.value(value, 100)))
    if rows:
        shown = rows if len(rows) <= _RESULT_ROWS + 3 else rows[:_RESULT_ROWS]
        out.print()
        out.print(Padding(table(["task", "result", "value"], shown), (0, 0, 0, 2), expand=False))
        if len(shown) < len(rows):
            out.print(Text(f"  … and {words.count(len(rows) - len(shown), 'more result')}", "bright_black"))


def print_failure(out: Console, task: TaskRun, notebook: Path | None) -> None:
    """The error, the end of its traceback, and the notebook in which to see it."""
    error = task.error
    out.print()
    out.print(Text.assemble(sign("failed"), " ", (task.task, "bold"), "  ", (words.error_line(error), "red")))
    for line in words.traceback_tail(error):
        out.print(Text(f"    {line}", "bright_black"), soft_wrap=True)
    if error.get("hint"):
        out.print(Text.assemble(("    hint: ", "cyan"), str(error["hint"])), soft_wrap=True)
    if notebook is not None:
        out.print(Text.assemble(("    see ", "bright_black"), str(notebook)), soft_wrap=True)


def next_steps(run: Run, tasks: Sequence[TaskRun]) -> list[tuple[str, str]]:
    """(what for, command) worth trying after this run."""
    failed = next((task for task in tasks if task.state == "failed"), None)
    if failed is not None:
        return [
            ("all it printed", f"logs {run.run_id} {quoted(failed.task)}"),
            ("once it is mended", f"rerun {run.run_id}"),
        ]
    if run.state == "cancelled":
        return [("go on with it", f"rerun {run.run_id}")]
    last = next((task for task in reversed(tasks) if task.state in ("succeeded", "cached")), None)
    steps = [("look at a task", f"show {run.run_id} {quoted(last.task)}")] if last else []
    return [*steps, ("what would run now", f"status --why{_argument(run.pipeline_path)}")]


def _argument(pipeline: str) -> str:
    """How to name the pipeline from here; nothing where it is the one in this directory."""
    if not pipeline:
        return ""
    path = Path(pipeline)
    if path.name == "pipeline.yaml":
        path = path.parent
    if path == Path.cwd():
        return ""
    return f" {shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))}"


def quoted(task: str) -> str:
    """A task's key as a shell takes it: brackets are its patterns."""
    return f"'{task}'" if set(task) & set('[]() *?&;|<>$"') else task
