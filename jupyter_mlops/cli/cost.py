"""``cost``: what a run, a model version or a month of a pipeline costs: here, in each cloud, in an own data center."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from .. import words
from ..compute.estimate import OWN_UTILIZATION, Estimate
from ..compute.money import money
from ..compute.plot import percent
from ..errors import StorageUnavailable
from ..session.costing import cost_in, is_pipeline
from ..workspace import Workspace
from .group import PROGRAM, command
from .options import find_pipeline, json_option, workspace_option
from .output import console, print_json, table, warn


@command(
    name="cost",
    examples=[
        ("the pipeline here, a month, by its schedules and its last runs", f"{PROGRAM} cost"),
        ("if it ran every ten minutes, with a picture", f"{PROGRAM} cost --runs-per-month 4380 --plot cost.svg"),
        ("the last run, task by task", f"{PROGRAM} cost latest --tasks"),
        ("what it took to make a model", f"{PROGRAM} cost models:/late-flights@champion"),
    ],
)  # fmt: skip
@click.argument("subject", metavar="[PIPELINE | RUN | MODEL]", required=False)
@click.option("--task", metavar="TASK", default="", help="Only this task of a run.")
@click.option("--tasks", "is_by_task", is_flag=True, help="Also what each task costs, and on what.")
@click.option(
    "--runs-per-month",
    "runs",
    type=click.FloatRange(min=0),
    metavar="NUMBER",
    help="How often the pipeline runs.  [default: by its schedules, else as in the last 30 days]",
)
@click.option("--provider", "providers", multiple=True, metavar="NAME", help="Only this cloud.")
@click.option("--instance", default="", metavar="NAME", help="This instance, not the cheapest.")
@click.option("--server", default="", metavar="NAME", help="This server of one's own, not the cheapest.")
@click.option(
    "--utilization",
    type=float,
    default=OWN_UTILIZATION,
    show_default=True,
    metavar="PART",
    help="Of all hours, in which servers of one's own are used.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the break-even: an SVG.",
)
@workspace_option
@json_option
def cost(
    subject: str | None, task: str, is_by_task: bool, runs: float | None, plot: Path | None,
    workspace: Path | None, is_json: bool, **chosen: Any,
) -> None:  # fmt: skip
    """Tell what a pipeline, a run or a model costs, here and elsewhere.

    A pipeline's cost is of a month. PIPELINE is a file or a directory with one, RUN an id, the beginning of one, or
    `latest`, MODEL `models:/NAME/3` or `models:/NAME@ALIAS`. Costs are of compute alone, by measured use and dated
    list prices: no storage, no traffic, no taxes.
    """
    found = _estimate(subject, task, runs, workspace, chosen)
    if plot is not None:
        _write(plot, found.to_svg())
    if is_json:
        print_json({"cost": found.to_json()})
        return
    _print(found, is_by_task=is_by_task)
    if plot is not None:
        click.echo(f"wrote {plot}")
    warn(found.warnings)


def _estimate(
    subject: str | None, task: str, runs: float | None, workspace: Path | None, chosen: dict[str, Any]
) -> Estimate:
    if subject is None or is_pipeline(subject):
        path = find_pipeline(Path(subject) if subject is not None else None)
        with Workspace.open(workspace or path.resolve().parent) as opened:
            return cost_in(opened, path, task=task, runs_a_month=runs, **chosen)
    with Workspace.open(workspace) as opened:
        return cost_in(opened, subject, task=task, runs_a_month=runs, **chosen)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageUnavailable(f"cannot write {path}: {error.strerror}") from error


def _print(found: Estimate, *, is_by_task: bool) -> None:
    out = console()
    is_monthly = found.runs_a_month is not None
    out.print(Text(found.subject, "bold"), end="")
    once = " a run" if is_monthly else ""
    tasks = words.count(len(found.uses), "task")
    out.print(f": {tasks}, {words.duration(found.hours * 3600)} of work{once}")
    if found.runs_a_month is not None:
        often = found.runs_a_month
        out.print(
            f"runs {f'{often:,.0f}' if often >= 100 else f'{often:.3g}'} times a month, by {found.basis}"
        )
    out.print()
    columns = ["where", "a run", "a month", "on"] if is_monthly else ["where", "cost", "on"]
    out.print(table(columns, [_quote_row(found, index) for index in range(len(found.quotes))]))
    if is_by_task:
        out.print()
        out.print(table(["task", *(quote.place for quote in found.quotes), "took"], _task_rows(found)))
    _print_break_even(found)
    if found.instances:
        names = ", ".join(
            f"{each.provider} {each.name} ({money(each.price)} an hour)" for each in found.instances
        )
        out.print(f"\nthe cheapest with room for every task: {names}", soft_wrap=True)
    if asked := [each for each in found.suggestions if each.has_asked]:
        out.print()
        rows: list[list[str | Text]] = [[Text(each.task, "bold"), str(each)] for each in asked]
        out.print(table(["task", "should ask"], rows))


def _quote_row(found: Estimate, index: int) -> Sequence[str | Text]:
    quote = found.quotes[index]
    totals = [quote.total] if found.runs_a_month is None else [quote.total, found.monthly(quote)]
    amounts = [
        f"~{money(each)}".replace("~<", "<") if quote.is_approximate else money(each) for each in totals
    ]
    machines = list(dict.fromkeys(each.machine for each in quote.tasks if each.machine))
    on = ", ".join(machines[:3]) + (f" and {len(machines) - 3} more" if len(machines) > 3 else "")
    if quote.place == "own":
        on += f", used {percent(found.utilization)} of the time"
    on = "; ".join([on] * (quote.place != "here") + list(quote.notes))
    if quote.unfit:
        on = f"no room for {', '.join(quote.unfit[:3])}"
        amounts = ["–" for _ in amounts]
    return [Text(quote.place, "bold"), *amounts, on]


def _task_rows(found: Estimate) -> list[list[str | Text]]:
    rows: list[list[str | Text]] = []
    for index, use in enumerate(found.uses):
        amounts = [money(quote.tasks[index].amount) for quote in found.quotes]
        rows.append([Text(use.task, "bold"), *amounts, words.duration(use.seconds)])
    return rows


def _print_break_even(found: Estimate) -> None:
    if found.server is None or not found.break_evens:
        return
    out = console()
    monthly = sum(found.server.monthly().values())
    out.print(
        f"\na server of one's own ({found.server.name}) costs {money(monthly)} a month, used or not", end=""
    )
    out.print(f"; this would keep it busy {percent(found.load)} of the time" if found.load else "")
    rows: list[list[str | Text]] = []
    for each in found.break_evens:
        begins = "never" if each.utilization is None else f"from {percent(each.utilization)} used"
        months = "never" if each.months is None else f"{each.months:.1f} months"
        rows.append([Text(each.place, "bold"), money(each.cloud_full), begins, months])
    columns = ["against", "same, rented all month", "owning is cheaper", "pays for itself, always used"]
    out.print(table(columns, rows))
