"""``export``: a pipeline in the files of another orchestrator, a notebook's marked cells as a module."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..errors import InvalidInput
from ..exporters import TARGETS, Target
from ..exporters.making import make, stale, write
from ..pipelines import load_pipeline
from ..promotion.environments import choose_images
from .group import command
from .options import (
    arguments_options,
    find_pipeline,
    force_option,
    gather_arguments,
    json_option,
    pipeline_argument,
    timezone_option,
)
from .output import print_json, warn


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
    "given_images",
    multiple=True,
    metavar="[ENVIRONMENT=]IMAGE",
    help="A container image that has the project and jupyter-mlops, for all tasks or for those of one environment: "
    "`dockerize PIPELINE` names and makes them.",
)
@click.option(
    "--built",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `dockerize PIPELINE --push IMAGE --json` wrote: its image for each environment.",
)
@click.option(
    "--project",
    default="",
    metavar="DIR",
    help="The pipeline's folder on the target.  [default: as it is here; where `dockerize` puts it, with --image]",
)
@click.option("--schedule", default="", metavar="CRON", help="When it runs by itself: five fields.")
@timezone_option
@force_option
@click.option("--check", "is_check", is_flag=True, help="Write nothing; exit 1 if a file is not up to date.")
@click.option("--strict", "is_strict", is_flag=True, help="What holds in another way there is an error.")
@json_option
def export(
    pipeline: Path | None,
    target_name: str,
    output: Path | None,
    parameters: Sequence[tuple[str, str]],
    parameter_files: Sequence[str],
    given_images: Sequence[str],
    built: Path | None,
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
    target: Target = TARGETS.get(target_name)
    loaded = load_pipeline(find_pipeline(pipeline))
    images = choose_images(loaded, given_images, built)
    exported = make(
        loaded, target, gather_arguments(parameters, parameter_files), from_text=bool(parameters),
        image=images.image, images=images.own, notes=images.notes, project=project, schedule=schedule,
        timezone=timezone, is_strict=is_strict,
    )  # fmt: skip
    if is_check:
        _tell_stale(target.name, stale(exported, output), is_json=is_json)
        return
    write(exported, output, is_forced=is_forced)
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
    warn(exported.notes)


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
