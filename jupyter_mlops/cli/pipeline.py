"""``check``, ``graph`` and ``status``: a pipeline before it runs, and between runs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from .. import preflight, words
from ..catalog.records import TaskRun
from ..errors import MlopsError
from ..events import now
from ..pipelines.arguments import bind_arguments
from ..pipelines.drawing import to_mermaid, to_svg, to_text
from ..pipelines.spec import load_pipeline
from ..problems import Problem
from ..runner.pictures import pipeline_picture, run_picture
from ..settings import Settings, find_root
from ..workspace import Workspace
from .group import command
from .options import arguments_options, find_pipeline, gather_arguments, json_option, pipeline_argument
from .output import console, paint, print_json, state, table


@command(
    name="check",
    examples=[
        ("the pipeline in this directory", "jupyter mlops check"),
        ("with the arguments of a run", "jupyter mlops check pipeline.yaml -p week 21"),
    ],
)
@pipeline_argument
@arguments_options
@click.option("--strict", "is_strict", is_flag=True, help="Warnings count as errors.")
@json_option
def check(
    pipeline: Path | None,
    parameters: Sequence[tuple[str, str]],
    parameter_files: Sequence[str],
    is_strict: bool,
    is_json: bool,
) -> None:
    """Find what would go wrong, before anything runs: cycles, missing files and kernels, wrong arguments,
    undefined names in notebooks, secrets that nobody knows, impossible resources.
    """
    path = find_pipeline(pipeline)
    settings = Settings.load(find_root(path.resolve().parent))
    arguments = gather_arguments(parameters, parameter_files)
    with contextlib.suppress(MlopsError):  # what is wrong with them is among the problems
        arguments = bind_arguments(load_pipeline(path), arguments, from_text=bool(parameters))
    problems = preflight.check(path, arguments, settings=settings, env=os.environ)
    errors = [p for p in problems if p.severity == "error"]
    is_good = not (problems if is_strict else errors)
    if is_json:
        print_json({"is_good": is_good, "problems": [problem.to_json() for problem in problems]})
    elif problems:
        _print_problems(problems)
    else:
        click.echo(f"{click.style('✔', fg='green')} {path}: nothing stands against running it")
    click.get_current_context().exit(0 if is_good else 2)


def _print_problems(problems: Sequence[Problem]) -> None:
    out = console()
    for problem in problems:
        mark, style = ("✘", "red") if problem.severity == "error" else ("⚠", "yellow")
        where = (f"{problem.where}: ", "bold") if problem.where else ""
        out.print(Text.assemble((f"{mark} ", style), where, problem.message), soft_wrap=True)
        if problem.hint:
            out.print(Text(f"  {problem.hint}", "bright_black"), soft_wrap=True)
    errors = sum(problem.severity == "error" for problem in problems)
    counts = [(errors, "error"), (len(problems) - errors, "warning")]
    out.print(Text(", ".join(words.count(number, noun) for number, noun in counts if number), "bright_black"))


# --- graph ----------------------------------------------------------------------------------------------


@command(
    name="graph",
    examples=[
        ("in the terminal", "jupyter mlops graph"),
        ("for a README", "jupyter mlops graph --format mermaid"),
        ("the last run as a picture", "jupyter mlops graph --run latest -o run.svg"),
    ],
)
@pipeline_argument
@click.option("--run", "run_name", metavar="RUN", help="Draw this run, with the states of its tasks.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "mermaid", "svg"]),
    help="[default: by the ending of -o, else text]",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="A file."
)
@json_option
def graph(
    pipeline: Path | None, run_name: str | None, kind: str | None, output: Path | None, is_json: bool
) -> None:
    """Draw a pipeline, or a run of it."""
    if run_name is None:
        loaded = load_pipeline(find_pipeline(pipeline))
        title, (nodes, edges) = loaded.name, pipeline_picture(loaded)
    else:
        start = pipeline if pipeline is None or pipeline.is_dir() else pipeline.parent
        with Workspace.open(start) as workspace:
            run = workspace.runs.resolve_run(run_name)
            tasks = workspace.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")
        title, (nodes, edges) = f"{run.pipeline}, run {run.run_id}", run_picture(run, tasks, now())
    if is_json:
        print_json(
            {"title": title, "nodes": [asdict(node) for node in nodes], "edges": [list(e) for e in edges]}
        )
        return
    endings = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid"}
    kind = kind or endings.get(output.suffix.lower() if output else "", "text")
    if kind == "text" and output is None and sys.stdout.isatty():
        click.echo(to_text(nodes, edges, width=console().width, paint=paint), nl=False)
        return
    text = {
        "text": lambda: to_text(nodes, edges),
        "mermaid": lambda: to_mermaid(nodes, edges),
        "svg": lambda: to_svg(nodes, edges, title=title),
    }[kind]()
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    click.echo(f"{output}: {words.count(len(nodes), 'task')}", err=True)


# --- status ---------------------------------------------------------------------------------------------


@command(
    name="status",
    examples=[
        ("the pipeline in this directory", "jupyter mlops status"),
        ("what makes a task stale", "jupyter mlops status --why"),
    ],
)
@pipeline_argument
@arguments_options
@click.option("--why", "is_why", is_flag=True, help="All differences, one a line.")
@json_option
def status(
    pipeline: Path | None,
    parameters: Sequence[tuple[str, str]],
    parameter_files: Sequence[str],
    is_why: bool,
    is_json: bool,
) -> None:
    """Tell which tasks would run now, and why."""
    path = find_pipeline(pipeline)
    arguments = gather_arguments(parameters, parameter_files)
    with Workspace.open(path.resolve().parent) as workspace:
        found = workspace.runs.status(path, arguments, from_text=bool(parameters))
    if is_json:
        print_json({"tasks": [_status_body(task) for task in found]})
        return
    moment, out = now(), console()
    rows: list[Sequence[str | Text]] = []
    for task in found:
        shown = [Text(reason, "bright_black") for reason in (task.reasons if is_why else task.reasons[:1])]
        if len(shown) < len(task.reasons):
            shown[-1].append(f"  (+{len(task.reasons) - 1} more: --why)")
        first, *others = shown or [Text()]
        rows.append((Text(task.task, "bold"), state(task.state), words.ago(task.at, moment), first))
        rows += [("", "", "", other) for other in others]
    out.print(table(["task", "state", "last run", "why"], rows))


def _status_body(task: Any) -> Mapping[str, Any]:
    return {
        "task": task.task,
        "state": task.state,
        "reasons": list(task.reasons),
        "run_id": task.run_id,
        "at": words.iso(task.at),
    }
