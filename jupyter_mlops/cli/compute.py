"""``compute``: the units that there are, what they do, what they cost to rent, what tasks should ask for."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from .. import words
from ..catalog.records import ComputeMeasurement
from ..compute.instances import Instance, Server
from ..compute.money import money
from ..compute.prices import write_prices
from ..compute.units import ComputeUnit, format_flops, formats
from ..errors import StorageUnavailable
from ..events import now
from ..pipelines import load_pipeline
from ..problems import Problem
from ..resources import format_bytes
from ..session.costing import COLUMNS, units_of
from ..words import iso
from ..workspace import Workspace
from .group import PROGRAM, Subcommands, command
from .options import find_pipeline, json_option, pipeline_argument, workspace_option
from .output import console, is_interactive, print_json, table, warn


@click.group(
    "compute",
    cls=Subcommands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@workspace_option
@json_option
@click.pass_context
def compute(ctx: click.Context, workspace: Path | None, is_json: bool) -> None:
    """Show what there is to compute on, measure it, and list prices.

    Without a command, the units: CPUs, GPUs, TPUs, IPUs, or the workers of the cluster, with what they can do at
    most, and what they were measured to do.
    """
    if ctx.invoked_subcommand is not None:
        return
    with Workspace.open(workspace) as opened:
        units, measured = units_of(opened), opened.compute.measurements()
    if is_json:
        print_json({"units": [unit_body(unit, measured.get(unit.unit)) for unit in units]})
        return
    rows: list[list[str | Text]] = [[Text(unit, "bold"), *rest] for unit, *rest in units.rows()]
    console().print(table(COLUMNS, rows))
    if not measured:
        click.echo(f"nothing was measured yet: {PROGRAM} compute bench", err=True)


def unit_body(unit: ComputeUnit, measured: ComputeMeasurement | None) -> dict[str, Any]:
    """A unit in ``--json``, with its latest measurement."""
    return {**unit.to_json(), "measured": None if measured is None else measurement_body(measured)}


def measurement_body(measured: ComputeMeasurement) -> dict[str, Any]:
    """A measurement in ``--json``."""
    return {
        "unit": measured.unit,
        "kind": measured.kind,
        "name": measured.name,
        "measured_at": iso(measured.measured_at),
        **measured.body,
    }


@command(
    name="bench",
    examples=[
        ("some seconds; kept in the catalog", f"{PROGRAM} compute bench"),
        ("another disk", f"{PROGRAM} compute bench --folder /data"),
    ],
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The disk to measure, by a file of 256 MiB that is deleted again.  [default: the workspace's]",
)
@workspace_option
@json_option
def bench(folder: Path | None, workspace: Path | None, is_json: bool) -> None:
    """Measure what this machine's units do: matrix products, memory, disk."""
    with Workspace.open(workspace) as opened, _progress() as progress:
        where = folder or opened.root
        if not where.is_dir():
            raise StorageUnavailable(f"there is no folder {where}", hint="name one with --folder")
        made = opened.compute.measure(where, progress)
    if is_json:
        print_json({"measurements": [measurement_body(each) for each in made]})
        return
    for each in made:
        _print_measurement(each)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A line on stderr that says what is measured at the moment, where somebody watches."""
    if not is_interactive(sys.stderr):
        yield lambda _: None
        return
    with console(sys.stderr).status("measuring") as status:
        yield lambda text: status.update(f"measuring: {text}")


def _print_measurement(measured: ComputeMeasurement) -> None:
    body = measured.body
    out = console()
    out.print(Text(f"{measured.unit}  {measured.name}", "bold"))
    flops, used = body["flops"], body.get("utilization", {})
    for name in formats(flops):
        part = f"  {used[name]:.0%} of the theoretical peak" if name in used else ""
        part += ": the clock goes higher than it says" if used.get(name, 0) > 1 else ""
        out.print(f"  {name:<10} {format_flops(flops[name])}{part}")
    out.print(f"  {'memory':<10} {format_bytes(round(body['memory_bandwidth']))}/s")
    if disk := body.get("disk"):
        write, read = (format_bytes(round(disk[f"{way}_bytes_a_second"])) for way in ("write", "read"))
        cached = "" if disk["is_direct"] else ", through the page cache"
        out.print(f"  {'disk':<10} writes {write}/s, reads {read}/s ({disk['folder']}{cached})")
    for name, reason in body.get("refused", {}).items():
        out.print(f"  {name:<10} not measured: {reason}")
    out.print(f"  took {words.duration(body['seconds'])}", style="bright_black")


@command(
    name="prices",
    examples=[
        ("", f"{PROGRAM} compute prices"),
        ("GPUs alone", f"{PROGRAM} compute prices --provider aws --gpu"),
        ("newer ones, of your own", f"{PROGRAM} compute prices --write prices"),
    ],
)
@click.option("--provider", "providers", multiple=True, metavar="NAME", help="Only of this provider.")
@click.option("--gpu", "is_gpu", is_flag=True, help="Only those with GPUs or TPUs.")
@click.option(
    "--write", "folder", metavar="FOLDER", type=click.Path(path_type=Path),
    help="Copy the package's files there, to be edited.",
)  # fmt: skip
@workspace_option
@json_option
def prices(
    providers: tuple[str, ...], is_gpu: bool, folder: Path | None, workspace: Path | None, is_json: bool
) -> None:
    """List what instances cost to rent, and servers to own: with date and source, `~` where it is about so much."""
    if folder is not None:
        _write_prices(folder, is_json=is_json)
        return
    with Workspace.open(workspace) as opened:
        known = opened.compute.prices
        stale = known.stale(now().date())
    for name in providers:
        if name != "own":
            known.of(name)
    instances = [each for each in known.instances if _is_shown(each, providers, is_gpu=is_gpu)]
    servers = [each for each in known.servers if _is_shown(each, providers, is_gpu=is_gpu)]
    if is_json:
        print_json(
            {
                "instances": [each.to_json() for each in instances],
                "servers": [each.to_json() for each in servers],
                "warnings": _told_of(stale),
            }
        )
        return
    rows = [*map(_instance_row, instances), *map(_server_row, servers)]
    columns = ["provider", "name", "cpu", "memory", "accelerator", "an hour", "spot", "as of", "source"]
    console().print(table(columns, rows))
    warn(_told_of(stale))


def _write_prices(folder: Path, *, is_json: bool) -> None:
    written = write_prices(folder)
    if is_json:
        print_json({"files": [str(path) for path in written]})
        return
    click.echo(f"wrote {', '.join(path.name for path in written)} to {folder}")
    click.echo(f'edit them, and put this into mlops.toml: compute_prices = "{folder.as_posix()}"')


def _told_of(stale: Sequence[Problem]) -> list[str]:
    return [f"{problem.message}: {problem.hint}" for problem in stale]


def _is_shown(row: Instance | Server, providers: tuple[str, ...], *, is_gpu: bool) -> bool:
    return (not providers or row.provider in providers) and (row.gpu > 0 or not is_gpu)


def _instance_row(each: Instance) -> list[str]:
    spot = "" if each.spot is None else f"{_about(each.is_spot_approximate)}{money(each.spot)}"
    return [*_machine_cells(each), f"{_about(each.is_approximate)}{money(each.price)}", spot, *_told(each)]


def _server_row(each: Server) -> list[str]:
    return [*_machine_cells(each), f"{_about(each.is_approximate)}{money(each.price())}", "", *_told(each)]


def _machine_cells(each: Instance | Server) -> list[str]:
    accelerator = f"{each.gpu} × {each.accelerator}" if each.gpu else ""
    return [each.provider, each.name, f"{each.cpu:g}", format_bytes(each.memory), accelerator]


def _told(each: Instance | Server) -> list[str]:
    return [each.as_of.isoformat(), each.source]


def _about(is_approximate: bool) -> str:
    return "~" if is_approximate else ""


@command(name="suggest", examples=[("", f"{PROGRAM} compute suggest pipeline.yaml")])
@pipeline_argument
@json_option
def suggest(pipeline: Path | None, is_json: bool) -> None:
    """Tell what the tasks of a pipeline should ask for, by what their last runs used: the highest peaks of memory, the
    busiest CPUs."""
    path = find_pipeline(pipeline)
    loaded = load_pipeline(path)
    with Workspace.open(path.resolve().parent) as opened:
        found = opened.compute.cost_of_pipeline(loaded.name, runs=0.0)
    if is_json:
        print_json({"pipeline": loaded.name, "suggestions": [each.to_json() for each in found.suggestions]})
        return
    if not found.suggestions:
        click.echo("every task asks for about what it uses")
        return
    rows: list[list[str | Text]] = [[Text(each.task, "bold"), str(each)] for each in found.suggestions]
    console().print(table(["task", "should ask"], rows))


for each in (bench, prices, suggest):
    compute.add_command(each)
