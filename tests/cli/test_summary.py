"""What is said of a run when it is over."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.cli.summary import next_steps, print_summary, quoted, tally

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
RUN = Run(
    run_id="7f3a",
    pipeline="flights",
    plan={},
    state="succeeded",
    created_at=NOON,
    started_at=NOON,
    finished_at=NOON + timedelta(seconds=12.4),
)


def task(name: str, state: str, **more: object) -> TaskRun:
    return TaskRun(run_id="7f3a", task=name, name=name.partition("[")[0], state=state, **more)


def said(run: Run, tasks: list[TaskRun], notebooks: dict[str, Path] | None = None) -> str:
    out = Console(file=io.StringIO(), width=100, highlight=False, markup=False)
    print_summary(out, run, tasks, notebooks or {})
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines())


def test_a_run_that_succeeded():
    tasks = [
        task("pull", "cached", results={"rows": 6099}),
        task("train[model=a]", "succeeded", results={"auc": 0.7123456, "seconds": 1.2}),
        task("deploy", "skipped"),
    ]
    assert said(RUN, tasks, {"pull": Path(".mlops/runs/7f3a/pull.ipynb")}) == (
        "✔ flights succeeded in 12.4 s  1 succeeded, 1 cached, 1 skipped\n"
        "\n"
        "  task            result   value\n"
        "  pull            rows     6099\n"
        "  train[model=a]  auc      0.712346\n"
        "                  seconds  1.2\n"
        "\n"
        "executed notebooks  .mlops/runs/7f3a/\n"
        "look at a task      jupyter mlops show 7f3a 'train[model=a]'\n"
        "what would run now  jupyter mlops status --why"
    )


def test_a_run_that_failed():
    error = {
        "code": "notebook_failed",
        "message": "train.ipynb cell 3: ValueError: NaN",
        "hint": "",
        "traceback": "\x1b[31mValueError\x1b[0m  Traceback\n\n----> 2 fit(X)\n",
    }
    run = replace(RUN, state="failed", message="1 of 2 tasks failed")
    tasks = [task("train", "failed", error=error), task("compare", "upstream_failed")]
    assert said(run, tasks, {"train": Path("runs/train.ipynb")}) == (
        "✘ flights failed after 12.4 s  1 failed, 1 upstream failed\n"
        "  1 of 2 tasks failed\n"
        "\n"
        "✘ train  train.ipynb cell 3: ValueError: NaN\n"
        "    ValueError  Traceback\n"
        "    ----> 2 fit(X)\n"
        "    see runs/train.ipynb\n"
        "\n"
        "executed notebooks  runs/\n"
        "all it printed      jupyter mlops logs 7f3a train\n"
        "once it is mended   jupyter mlops rerun 7f3a"
    )


def test_many_results_and_failures_stay_readable():
    tasks = [task(f"t{i}", "succeeded", results={"x": i}) for i in range(40)]
    assert "… and 16 more results" in said(RUN, tasks)
    tasks = [task(f"t{i}", "failed", error={"message": f"boom {i}"}) for i in range(40)]
    text = said(replace(RUN, state="failed"), tasks)
    assert "boom 4" in text
    assert "boom 5" not in text
    assert "… and 35 more failed tasks" in text


def test_a_cancelled_run_can_be_gone_on_with():
    assert next_steps(replace(RUN, state="cancelled"), [task("a", "cancelled")]) == [
        ("go on with it", "rerun 7f3a")
    ]


def test_every_terminal_state_is_counted():
    states = ["succeeded", "cached", "failed", "upstream_failed", "skipped", "cancelled"]
    assert tally([task(s, s) for s in states]) == (
        "1 succeeded, 1 cached, 1 failed, 1 upstream failed, 1 skipped, 1 cancelled"
    )


def test_a_task_key_is_quoted_for_the_shell():
    assert [quoted(key) for key in ("train", "train[0]", "t[m=a b]")] == ["train", "'train[0]'", "'t[m=a b]'"]
