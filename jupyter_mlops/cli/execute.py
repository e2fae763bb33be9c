"""``execute``: one notebook, with papermill's options and their meaning.

What papermill leaves open is stricter here: an unknown or ill-typed argument is an error before anything
starts. Options that only tune how often papermill saves are taken and change nothing, because a save here is
throttled and atomic anyhow.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import stat
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from .. import words
from .._version import __version__
from ..blobs import BlobStore
from ..errors import InvalidInput, KernelUnavailable, MlopsError, NotFound, StorageUnavailable
from ..kernels import KernelPool, KernelRequest
from ..notebooks import files
from ..notebooks.execute import CancelToken, Limits, NotebookOutcome, Progress, run_cells
from ..notebooks.facts import inspect_source
from ..notebooks.inject import inject, secret_environment, template_path
from ..notebooks.parameters import Parameter, bind, describe, read_parameters, to_json
from ..notebooks.secrets import Mask, resolve
from ..pipelines.arguments import parse_arguments
from ..settings import Settings, find_root
from ..words import shorten
from .group import command
from .options import json_option, read_arguments_file
from .output import console, is_interactive, print_json

logger = logging.getLogger(__name__)

_LEVELS = ("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"jupyter-mlops {__version__}")
        ctx.exit()


def parameter_options(function: Callable[..., None]) -> Callable[..., None]:
    """papermill's five ways to pass arguments, and its paths as arguments."""
    pair: dict[str, Any] = {"nargs": 2, "multiple": True, "metavar": "NAME VALUE"}
    for decorate in (
        click.option("--inject-paths", is_flag=True, help="Both of the following."),
        click.option("--inject-output-path", is_flag=True, help="Pass PAPERMILL_OUTPUT_PATH."),
        click.option("--inject-input-path", is_flag=True, help="Pass PAPERMILL_INPUT_PATH."),
        click.option("-b", "--parameters_base64", multiple=True, help="Arguments as YAML in base64."),
        click.option("-y", "--parameters_yaml", multiple=True, help="Arguments as YAML."),
        click.option("-f", "--parameters_file", multiple=True, help="A YAML or JSON file of arguments."),
        click.option(
            "-r", "--parameters_raw", **pair, help="An argument that is text, whatever it looks like."
        ),
        click.option("-p", "--parameters", **pair, help="An argument; its declared type reads the value."),
    ):
        function = decorate(function)
    return function


@command(
    name="execute",
    examples=[
        ("with an argument", "jupyter mlops execute train.ipynb out.ipynb -p week 21"),
        ("named after an argument", "jupyter mlops execute train.ipynb 'out/{region}.ipynb' -p region west"),
        ("what does it take?", "jupyter mlops execute --help-notebook train.ipynb"),
        ("in a pipe", "cat train.ipynb | jupyter mlops execute - - > out.ipynb"),
    ],
)
@click.argument("notebook_path", metavar="NOTEBOOK", required=False, default="")
@click.argument("output_path", metavar="[OUTPUT]", default="")
@parameter_options
@click.option("--help-notebook", is_flag=True, help="Show the notebook's parameters.")
@click.option(
    "--prepare-only/--prepare-execute", "is_prepared_only", help="Write the output without executing it."
)
@click.option("-k", "--kernel", default="", help="A kernel; by default the one that the notebook names.")
@click.option("-l", "--language", default="", help="A language; by default the one that the notebook names.")
@click.option(
    "--cwd",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Where it runs.  [default: here]",
)
@click.option(
    "--progress-bar/--no-progress-bar", "has_bar", default=None, help="A bar of the cells on stderr."
)
@click.option(
    "--log-output/--no-log-output", "is_logged", default=False, help="Log what cells print, on stderr."
)
@click.option(
    "--log-level", type=click.Choice(_LEVELS, case_sensitive=False), default="INFO", show_default=True
)
@click.option("--stdout-file", type=click.File("w", encoding="utf-8"), help="A file for what cells print.")
@click.option(
    "--stderr-file", type=click.File("w", encoding="utf-8"), help="A file for what cells print to stderr."
)
@click.option("--start-timeout", "--start_timeout", type=click.IntRange(min=1), default=60, show_default=True, metavar="SECONDS", help="For the kernel to start.")  # fmt: skip # noqa: E501
@click.option("--execution-timeout", type=click.IntRange(min=1), metavar="SECONDS", help="For each cell.")
@click.option("--report-mode/--no-report-mode", "is_report", default=False, help="Hide the input of cells.")
@click.option(
    "--isolation", type=click.Choice(["warm", "cold"]), help="A kernel forked warm, or started cold."
)
@click.option("--engine", hidden=True)
@click.option("--request-save-on-cell-execute/--no-request-save-on-cell-execute", default=True, hidden=True)
@click.option("--autosave-cell-every", type=int, default=30, hidden=True)
@click.option(
    "--version",
    is_flag=True,
    callback=_print_version,
    expose_value=False,
    is_eager=True,
    help="Tell the version.",
)
@json_option
@click.pass_context
def execute(
    ctx: click.Context, /, notebook_path: str, output_path: str, is_json: bool, **options: Any
) -> None:
    """Execute one notebook, with papermill's options.

    NOTEBOOK and OUTPUT may be `-` for stdin and stdout, also implied by a pipe; OUTPUT may contain
    {parameter}. Exits with 0, or with 1 when a cell failed, 2 for a wrong command line or argument, 124 after
    a timeout, 138 when the kernel died.
    """
    if options["engine"] not in (None, "mlops"):
        raise InvalidInput(
            f"there is no engine {options['engine']!r} here", hint="papermill knows its own engines"
        )
    source, target = _paths(notebook_path, output_path, needs_output=not options["help_notebook"])
    if is_json and target == "-" and not options["help_notebook"]:
        raise InvalidInput("--json and the notebook cannot both go to stdout", hint="name a file for OUTPUT")
    level = "ERROR" if target == "-" and options["log_level"] == "INFO" else options["log_level"]
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    logger.setLevel(level)  # what cells print is not subject to the workspace's level of our own messages
    given, typed = _arguments(options)
    source = template_path(source, given)
    nb = _read(source)
    declared = read_parameters(nb, where=source, kernel_name=options["kernel"], language=options["language"])
    if options["help_notebook"]:
        _show_parameters(ctx, source, nb, declared, is_json=is_json)
    language = options["language"] or files.language(nb)
    bound = bind(declared, given, from_text=typed, where=source, language=language)
    target = template_path(target, bound)
    bound = {**_injected_paths(options, source, target), **bound}
    _check_target(target)
    nb = inject(
        nb,
        bound,
        input_path=source,
        output_path=target,
        kernel_name=options["kernel"],
        language=options["language"],
        is_report=options["is_report"],
    )
    if options["is_prepared_only"]:
        _write(files.dump_notebook(nb), target)
        if is_json:
            print_json({"state": "prepared", "input": source, "output": target})
        return
    outcome = _run(nb, bound, target, language, options)
    if target == "-" or "://" in target:
        _write(outcome.text, target)
    _tell(outcome, source, target, ctx, is_json=is_json)


# --- what the command line says -------------------------------------------------------------------------


def _paths(notebook: str, output: str, *, needs_output: bool) -> tuple[str, str]:
    """Input and output as papermill takes them: a pipe on either side stands for ``-``."""
    is_fed, is_piped = stat.S_ISFIFO(os.fstat(0).st_mode) if _has_stdin() else False, not sys.stdout.isatty()
    if not notebook and not is_fed:
        raise click.UsageError("missing argument NOTEBOOK", click.get_current_context())
    if needs_output and not output and not (is_fed or is_piped):
        raise click.UsageError(
            "missing argument OUTPUT: `-` prints the notebook", click.get_current_context()
        )
    if is_fed and notebook not in ("", "-") and not output and needs_output:
        return "-", notebook
    return notebook or "-", output or "-"


def _has_stdin() -> bool:
    try:
        os.fstat(0)
    except OSError:
        return False
    return True


def _arguments(options: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The arguments by papermill's precedence (base64, file, YAML, ``-p``, ``-r``), and the names of those
    that are words of the command line, for their declared types to read."""
    given: dict[str, Any] = {}
    for text in options["parameters_base64"]:
        try:
            decoded = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise InvalidInput(f"-b {shorten(text, 20)} is no base64: {error}") from error
        given.update(parse_arguments(decoded, "-b"))
    for name in options["parameters_file"]:
        given.update(read_arguments_file(name))
    for text in options["parameters_yaml"]:
        given.update(parse_arguments(text, "-y"))
    raw = dict(options["parameters_raw"])
    typed = dict(options["parameters"])
    return {**given, **typed, **raw}, typed.keys() - raw.keys()


def _injected_paths(options: Mapping[str, Any], source: str, target: str) -> dict[str, str]:
    paths = {}
    if options["inject_input_path"] or options["inject_paths"]:
        paths["PAPERMILL_INPUT_PATH"] = source
    if options["inject_output_path"] or options["inject_paths"]:
        paths["PAPERMILL_OUTPUT_PATH"] = target
    return paths


def _show_parameters(
    ctx: click.Context, source: str, nb: files.Notebook, declared: Sequence[Parameter], *, is_json: bool
) -> None:
    """papermill's ``--help-notebook``: 0, or 1 for a notebook without the tag."""
    is_tagged = files.tagged_cell(nb, "parameters") is not None
    if is_json:
        print_json({"notebook": source, "parameters": [to_json(parameter) for parameter in declared]})
    else:
        click.echo(ctx.get_usage())
        click.echo(f"\nParameters of notebook {source!r}:")
        click.echo(describe(declared) if is_tagged else "\n  No cell tagged 'parameters'")
    ctx.exit(0 if is_tagged else 1)


# --- reading and writing --------------------------------------------------------------------------------


def _read(source: str) -> files.Notebook:
    if source == "-":
        return files.parse_notebook(sys.stdin.buffer.read(), where="stdin")
    if "://" not in source:
        return files.load_notebook(source)
    import fsspec

    try:
        with fsspec.open(source, "rb") as file:
            return files.parse_notebook(file.read(), where=source)
    except FileNotFoundError:
        raise NotFound(f"there is no notebook {source}") from None
    except (OSError, ValueError) as error:
        raise StorageUnavailable(f"cannot read {source}: {error}") from error


def _check_target(target: str) -> None:
    """Whether the output can be written, before hours go into it."""
    if target == "-" or "://" in target:
        return
    folder = Path(target).parent
    if not folder.is_dir():
        raise NotFound(f"there is no directory {folder} for the output", hint=f"mkdir -p {folder}")
    if Path(target).is_dir():
        raise InvalidInput(f"the output {target} is a directory", hint="name a file in it")


def _write(text: str, target: str) -> None:
    if target == "-":
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    if "://" not in target:
        files.write_text(text, target)
        return
    import fsspec

    try:
        with fsspec.open(target, "wb") as file:
            file.write(files.encode_text(text))
    except (OSError, ValueError) as error:
        raise StorageUnavailable(f"cannot write {target}: {error}") from error


# --- executing ------------------------------------------------------------------------------------------


class _Watch(Progress):
    """Moves the bar, copies what cells print, and notices that the kernel has started."""

    def __init__(self, bar: Bar | None, files_of: Mapping[str, IO[str] | None], *, is_logged: bool) -> None:
        self.bar, self.files_of, self.is_logged = bar, files_of, is_logged
        self.task = None if bar is None else bar.add_task("starting", total=None)
        self.started = threading.Event()

    def cell_started(self, cell: int, cells: int, description: str) -> None:
        self.started.set()
        if self.bar is not None and self.task is not None:
            text = shorten(description, 40)
            self.bar.update(self.task, total=cells, completed=cell - 1, description=text)

    def cell_executed(self, cell: int, cells: int, duration_seconds: float) -> None:
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, completed=cell)

    def streamed(self, cell: int, name: str, text: str) -> None:
        file = self.files_of.get(name)
        if file is not None:
            file.write(text)
            file.flush()
        if self.is_logged:
            logger.log(logging.WARNING if name == "stderr" else logging.INFO, "%s", text.rstrip("\n"))


def _bar(has_bar: bool | None, *, is_quiet: bool) -> Bar | None:
    """papermill's rule: a bar unless output is logged or goes to a pipe; and none that nobody sees."""
    if has_bar is False or (has_bar is None and (is_quiet or not is_interactive(sys.stderr))):
        return None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Bar(*columns, console=console(sys.stderr), transient=True)


def _run(
    nb: files.Notebook,
    bound: Mapping[str, Any],
    target: str,
    language: str,
    options: Mapping[str, Any],
) -> NotebookOutcome:
    """Execute, with Ctrl-C as a polite stop; the executed notebook is kept in every case."""
    cwd = (options["cwd"] or Path()).resolve()
    token = CancelToken()
    settings = Settings.load(find_root(cwd))
    logging.getLogger("jupyter_mlops").setLevel(settings.log_level.upper())
    blobs = BlobStore(settings.blobs, settings.blob_options)
    secrets = {
        variable: resolve(name, env=os.environ, dotenv=settings.dotenv)
        for variable, name in secret_environment(bound).items()
    }
    facts = inspect_source(nb, cwd)  # what it imports, so that a warm kernel has it already
    # Not by a Workspace: it knows the catalog, whose import alone takes longer than a small notebook.
    with KernelPool(size=0, linger_seconds=settings.zygote_linger_seconds) as pool:
        request = KernelRequest(
            kernel_name=options["kernel"] or files.kernel_name(nb),
            language=language,
            cwd=cwd,
            env={"MLOPS_ROOT": str(settings.root), "MLOPS_BLOBS": blobs.url, **secrets},
            preload=facts.preload,
            is_bare=facts.sets_environment,
            isolation="cold" if (options["isolation"] or settings.isolation) == "cold" else "warm",
        )
        bar = _bar(options["has_bar"], is_quiet=options["is_logged"] or target == "-")
        files_of = {"stdout": options["stdout_file"], "stderr": options["stderr_file"]}
        watch = _Watch(bar, files_of, is_logged=options["is_logged"])
        with ThreadPoolExecutor(1, thread_name_prefix="mlops-execute") as thread:
            future = thread.submit(
                run_cells,
                nb,
                pool=pool,
                request=request,
                output=None if target == "-" or "://" in target else Path(target),
                limits=Limits(
                    cell_timeout_seconds=options["execution_timeout"],
                    output_bytes=settings.output_limit_bytes,
                ),
                mask=Mask(secrets.values()),
                blobs=blobs,
                progress=watch,
                cancel=token,
            )
            future.add_done_callback(lambda _: watch.started.set())
            if bar is not None:
                bar.start()
            try:
                if not watch.started.wait(options["start_timeout"]):
                    token.cancel()
                    raise KernelUnavailable(
                        f"the kernel did not start within {options['start_timeout']} s",
                        hint="raise --start-timeout, or try --isolation cold",
                    )
                return future.result()
            except KeyboardInterrupt:
                token.cancel()
                return future.result()
            finally:
                if bar is not None:
                    bar.stop()


def _tell(outcome: NotebookOutcome, source: str, target: str, ctx: click.Context, *, is_json: bool) -> None:
    """The outcome for programs on stdout, for people on stderr: stdout may be the notebook's."""
    error = outcome.error
    if is_json:
        print_json(
            {
                "state": "succeeded" if error is None else "failed",
                "input": source,
                "output": target,
                "results": dict(outcome.results),
                "artifacts": {name: dict(artifact) for name, artifact in outcome.artifacts.items()},
                "duration_seconds": outcome.duration_seconds,
                "peak_memory_bytes": outcome.peak_memory_bytes,
                "cpu_seconds": outcome.cpu_seconds,
                "error": None if error is None else error.to_json(),
            }
        )
        ctx.exit(0 if error is None else error.exit_code)
    if error is not None:
        raise _with_place(error, target)
    if target != "-":
        mark = click.style("✔", fg="green")
        click.echo(f"{mark} {target} in {words.duration(outcome.duration_seconds)}", err=True)
        for name, value in outcome.results.items():
            click.echo(f"  {name} = {words.value(value)}", err=True)


def _with_place(error: MlopsError, target: str) -> MlopsError:
    """The same error, whose hint says where to see it happen."""
    if not error.hint and target != "-":
        error.hint = f"the executed notebook is {target}"
    return error
