"""``export``: a pipeline in the files of another orchestrator, a notebook's marked cells as a module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath

import click

from ..errors import Conflict, InvalidInput, StorageUnavailable
from ..exporters import TARGETS, Exported, ExportOptions, Target
from ..pipelines import Pipeline, load_pipeline, lower
from ..pipelines.schedules import ScheduleSpec
from .group import command
from .options import arguments_options, find_pipeline, gather_arguments, json_option, pipeline_argument
from .output import print_json


@command(
    name="export",
    examples=[
        ("a DAG for Airflow", "jupyter mlops export --to airflow -o airflow"),
        (
            "every Monday at six, in a container",
            "jupyter mlops export --to argo -o argo --image registry/flights:1 --schedule '0 6 * * 1'"
            " --timezone Europe/Zurich",
        ),
        ("the cells that begin with #| export", "jupyter mlops export train.ipynb --to module -o train.py"),
    ],
)
@pipeline_argument
@click.option(
    "--to",
    "target_name",
    required=True,
    metavar="TARGET",
    help="airflow, argo, prefect, kubeflow, metaflow; or module, of a notebook.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The folder where the files go; of a module its file.  [default: as `#| default_exp` says]",
)
@arguments_options
@click.option(
    "--image",
    default="",
    metavar="IMAGE",
    help="A container image that has the project and jupyter-mlops: `dockerize PIPELINE` makes one.",
)
@click.option(
    "--project",
    default="",
    metavar="DIR",
    help="The pipeline's folder on the target.  [default: as it is here; where `dockerize` puts it, with --image]",
)
@click.option("--schedule", default="", metavar="CRON", help="When it runs by itself: five fields.")
@click.option(
    "--timezone", default="UTC", metavar="ZONE", show_default=True, help="The schedule's time zone."
)
@click.option("--force", "is_forced", is_flag=True, help="Overwrite files that differ.")
@click.option("--check", "is_check", is_flag=True, help="Write nothing; exit 1 if a file is not up to date.")
@click.option("--strict", "is_strict", is_flag=True, help="What holds in another way there is an error.")
@json_option
def export(
    pipeline: Path | None,
    target_name: str,
    output: Path | None,
    parameters: Sequence[tuple[str, str]],
    parameter_files: Sequence[str],
    image: str,
    project: str,
    schedule: str,
    timezone: str,
    is_forced: bool,
    is_check: bool,
    is_strict: bool,
    is_json: bool,
) -> None:
    """Write a pipeline in the files of another orchestrator.

    Each step runs `jupyter-mlops task` there, so that conditions, fan-out and arguments mean what they mean here. What
    holds in another way is told; what the target cannot say at all is an error that names a way round it.

    With `--to module` a notebook's cells that begin with `#| export` become an importable Python module.
    """
    if target_name == "module":
        export_notebook(pipeline, output, is_check=is_check, is_json=is_json)
        return
    if output is None or output.is_file():
        raise InvalidInput("where do the files go?", hint="say a folder: -o DIR")
    path = find_pipeline(pipeline)
    loaded = load_pipeline(path)
    plan = lower(loaded, gather_arguments(parameters, parameter_files), from_text=bool(parameters))
    target: Target = TARGETS.get(target_name)
    notes: list[str] = []
    if not schedule:
        schedule, timezone, notes = _own_schedule(loaded, timezone)
    _check_schedule(schedule, timezone)
    options = ExportOptions(
        project=project or (_in_image(path.resolve()) if image else str(path.resolve().parent)),
        pipeline_file=path.name,
        image=image,
        schedule=schedule,
        timezone=timezone,
        description=loaded.description,
    )
    exported = target.export(plan, options)
    exported = replace(exported, notes=(*exported.notes, *notes))
    if is_strict and exported.notes:
        raise InvalidInput(f"not all of it holds in {target.title}: {'; '.join(exported.notes)}")
    if is_check:
        _tell_stale(target.name, _stale(exported, output), is_json=is_json)
        return
    _write(exported, output, is_forced=is_forced)
    if is_json:
        print_json(
            {
                "target": target.name,
                "files": [str(output / name) for name in exported.files],
                "notes": list(exported.notes),
            }
        )
        return
    for name in exported.files:
        click.echo(f"{click.style('✔', fg='green')} {output / name}")
    for note in exported.notes:
        click.echo(f"{click.style('⚠', fg='yellow')} {note}", err=True)


def _in_image(pipeline: Path) -> str:
    """The folder of a pipeline in the image that `dockerize` makes of it."""
    from ..promotion.capture import CaptureOptions, root_of
    from ..promotion.context import PROJECT

    root = root_of(pipeline, CaptureOptions())
    return (PurePosixPath(PROJECT) / pipeline.parent.relative_to(root).as_posix()).as_posix()


def _own_schedule(pipeline: Pipeline, timezone: str) -> tuple[str, str, list[str]]:
    """The pipeline's schedule, if it has one; and what of it a cron and a zone do not say."""
    if not pipeline.schedules:
        return "", timezone, []
    if len(pipeline.schedules) > 1:
        names = ", ".join(pipeline.schedules)
        raise InvalidInput(
            f"the pipeline has several schedules: {names}", hint="say which, by --schedule and --timezone"
        )
    name, spec = next(iter(pipeline.schedules.items()))
    plain = ScheduleSpec(cron=spec.cron, timezone=spec.timezone)
    lost = [each.name for each in fields(spec) if getattr(spec, each.name) != getattr(plain, each.name)]
    notes = [f"schedule {name}: not carried over: {', '.join(lost)}"] if lost else []
    return spec.cron, spec.timezone, notes


def _check_schedule(schedule: str, timezone: str) -> None:
    from zoneinfo import available_timezones

    if schedule and len(schedule.split()) != 5 and not schedule.startswith("@"):
        raise InvalidInput(
            f"the schedule {schedule!r} has not five fields", hint="minute hour day month weekday: 0 6 * * 1"
        )
    if timezone not in available_timezones():
        raise InvalidInput(f"there is no time zone {timezone!r}", hint="for example Europe/Zurich")


def export_notebook(notebook: Path | None, output: Path | None, *, is_check: bool, is_json: bool) -> None:
    """The marked cells of a notebook as a module: written, or compared with what is there."""
    from ..notebooks.files import load_notebook, write_text
    from ..promotion.module import export_module, is_stale

    if notebook is None or notebook.suffix != ".ipynb":
        raise InvalidInput(
            "a module is made of a notebook", hint="export NOTEBOOK.ipynb --to module -o PATH.py"
        )
    module = export_module(load_notebook(notebook), notebook.name)
    path = output or (notebook.parent / module.path if module.name else None)
    if path is None:
        raise InvalidInput(
            "where does the module go?", hint="say -o PATH.py, or #| default_exp NAME in a cell"
        )
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder", hint=f"name the file: -o {path / notebook.stem}.py")
    if is_check:
        _tell_stale("module", [str(path)] if is_stale(module, path) else [], is_json=is_json)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(module.text, path)
    if is_json:
        print_json({"target": "module", "files": [str(path)], "notes": list(map(str, module.problems))})
        return
    click.echo(f"{click.style('✔', fg='green')} {path}")


def _tell_stale(target: str, stale: Sequence[str], *, is_json: bool) -> None:
    """The files that are not up to date; exit code 1 if there are any."""
    if is_json:
        print_json({"target": target, "stale": list(stale)})
    for path in () if is_json else stale:
        click.echo(f"{click.style('✘', fg='red')} {path} is not up to date: export it again", err=True)
    if stale:
        click.get_current_context().exit(1)
    if not is_json:
        click.echo(f"{click.style('✔', fg='green')} up to date")


def _stale(exported: Exported, folder: Path) -> list[str]:
    missing = [name for name in exported.files if not (folder / name).exists()]
    return [str(folder / name) for name in (*missing, *_different(exported, folder))]


def _different(exported: Exported, folder: Path) -> list[str]:
    return [
        name
        for name, text in exported.files.items()
        if (folder / name).exists() and (folder / name).read_text(encoding="utf-8", errors="replace") != text
    ]


def _write(exported: Exported, folder: Path, *, is_forced: bool) -> None:
    """All of them or none; a file that somebody changed is not overwritten unasked."""
    different = _different(exported, folder)
    if different and not is_forced:
        raise Conflict(f"{folder / different[0]} is there and differs", hint="overwrite it with --force")
    try:
        for name, text in exported.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageUnavailable(f"cannot write {folder}: {error.strerror}") from error
