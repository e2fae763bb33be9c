"""What ``pytest --mlops`` collects: each pipeline is checked and walked through, or run if it says with what; each
notebook that is in no pipeline is run by itself, cell by cell, by nbval.

All of it happens in stores of its own, so that a test finds nothing that was left about and leaves nothing behind.
A pipeline is run if there is a file of arguments for that: ``pipeline.test.yaml`` beside ``pipeline.yaml``.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from .. import preflight, words
from ..catalog import TaskRun
from ..errors import MlopsError
from ..kernels import KernelRequest
from ..kernels.specs import find_spec
from ..notebooks.files import kernel_name, language, load_notebook
from ..notebooks.parameters import REQUIRED, read_parameters
from ..pipelines import load_pipeline
from ..pipelines.arguments import parse_arguments
from ..problems import summarize
from ..settings import Settings, find_root
from ..workspace import Workspace
from .files import PIPELINE_FILES, pipelines_below
from .verdicts import Verdicts, draw

_SANITIZE = Path(__file__).with_name("sanitize.cfg")
_SANITIZE_NAME = "nbval-sanitize.cfg"


class Failed(Exception):
    """A pipeline or notebook that does not pass; its text is all that there is to say."""


class Testing:
    """The plugin: its hooks, and the stores that all tests of a session share."""

    __test__ = False  # pytest: no test, in spite of the name

    def __init__(self, config: pytest.Config) -> None:
        if not config.pluginmanager.hasplugin("nbval"):
            raise pytest.UsageError("--mlops needs nbval: pip install 'jupyter-mlops[testing]'")
        self.config = config
        self.verdicts = Verdicts()
        self._place = Path(tempfile.mkdtemp(prefix="mlops-test-"))
        self._before = dict(os.environ)
        os.environ.update(own_stores(self._place))

    def pytest_unconfigure(self) -> None:
        os.environ.clear()
        os.environ.update(self._before)
        shutil.rmtree(self._place, ignore_errors=True)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.suffix == ".ipynb":
            if self.config.getoption("--nbval") or self.config.getoption("--nbval-lax"):
                return None  # nbval collects all of them itself
            return None if file_path.resolve() in self._in_pipelines else _notebook(file_path, parent)
        is_meant = file_path.name in PIPELINE_FILES or (
            file_path.suffix in (".yaml", ".yml") and file_path.resolve() in self._given
        )
        return PipelineFile.from_parent(parent, path=file_path) if is_meant else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.verdicts.hear(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.verdicts.refused(report.nodeid)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = self.verdicts.lines()
        if lines:
            draw(terminalreporter, lines)
        report: Path | None = self.config.getoption("--mlops-report")
        if report is not None:
            report.write_text(json.dumps([line.to_json() for line in lines]), encoding="utf-8")

    @cached_property
    def _given(self) -> set[Path]:
        """The files and folders that the command line names."""
        base = self.config.invocation_params.dir
        return {(base / argument.split("::")[0]).resolve() for argument in self.config.args}

    @cached_property
    def _in_pipelines(self) -> set[Path]:
        """The notebooks that tasks run: alone, most of them could not."""
        roots = {find_root(path if path.is_dir() else path.parent) for path in self._given}
        found = set()
        for path in {pipeline for root in roots | self._given for pipeline in pipelines_below(root)}:
            try:
                pipeline = load_pipeline(path)
            except MlopsError:
                continue  # its own test says so
            found |= {(path.parent / task.notebook).resolve() for task in pipeline.tasks}
        return found


def own_stores(place: Path) -> dict[str, str]:
    """The variables that give tests stores of their own, on this machine."""
    return {
        "MLOPS_CATALOG": f"sqlite:///{place / 'catalog.db'}",
        "MLOPS_BLOBS": str(place / "blobs"),
        "MLOPS_BLOB_OPTIONS": "{}",
        "MLOPS_OFFLINE_STORE": str(place / "features"),
        "MLOPS_ONLINE_STORE": f"sqlite:///{place / 'online.db'}",
        "MLOPS_CLUSTER": "local",
        "MLOPS_ZYGOTE_LINGER_SECONDS": os.environ.get("MLOPS_ZYGOTE_LINGER_SECONDS", "0"),
    }


class PipelineFile(pytest.File):
    """A pipeline: two tests, the second only if the first found nothing."""

    is_refused = False

    def collect(self) -> Iterator[pytest.Item]:
        yield CheckItem.from_parent(self, name="check")
        is_run = arguments_file(self.path).is_file()
        yield (RunItem if is_run else DryRunItem).from_parent(self, name="run" if is_run else "dry run")


def arguments_file(pipeline: Path) -> Path:
    """With what a pipeline is run as a test: ``pipeline.test.yaml``."""
    return pipeline.with_name(f"{pipeline.stem}.test.yaml")


class _Item(pytest.Item):
    @property
    def arguments(self) -> dict[str, Any]:
        file = arguments_file(self.path)
        return dict(parse_arguments(file.read_text(encoding="utf-8"), file.name)) if file.is_file() else {}

    @property
    def settings(self) -> Settings:
        return Settings.load(find_root(self.path.parent))

    def note(self, text: str) -> None:
        """What the table at the end says of it."""
        self.user_properties.append(("mlops", text))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        error = excinfo.value
        if isinstance(error, MlopsError):
            self.note(error.message.splitlines()[0])
            return error.message + (f"\nhint: {error.hint}" if error.hint else "")
        return str(error) if isinstance(error, Failed) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


class _Walk(_Item):
    def setup(self) -> None:
        if self.parent.is_refused:  # type: ignore[union-attr]
            self.note("not after what the check found")
            pytest.skip("the check found problems")


class CheckItem(_Item):
    """What would fail later, told before anything runs."""

    def runtest(self) -> None:
        self.parent.is_refused = True  # type: ignore[union-attr] # until nothing was found
        problems = preflight.check(self.path, self.arguments, settings=self.settings, env=os.environ)
        errors = [problem for problem in problems if problem.severity == "error"]
        warnings = len(problems) - len(errors)
        if errors:
            self.note(words.count(len(errors), "problem"))
            raise Failed(summarize(problems))
        self.parent.is_refused = False  # type: ignore[union-attr]
        self.note(words.count(warnings, "warning") if warnings else "nothing stands against it")


class DryRunItem(_Walk):
    """The run machine, walked through all tasks without running one."""

    def runtest(self) -> None:
        with Workspace(self.settings) as workspace:
            found = workspace.runs.status(self.path, self.arguments)
        self.note(f"would run {words.count(len(found), 'task')}")


class RunItem(_Walk):
    """The whole pipeline, for real."""

    def runtest(self) -> None:
        with Workspace(self.settings) as workspace:
            run = workspace.runs.run(self.path, self.arguments)
            tasks = workspace.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")
            if run.state != "succeeded":
                failed = [task for task in tasks if task.state == "failed"]
                self.note(f"{run.state}: {', '.join(task.task for task in failed)}")
                raise Failed("\n\n".join(self._story(workspace, task) for task in failed) or run.state)
        self.note(f"ran {words.count(sum(task.state == 'succeeded' for task in tasks), 'task')}")

    def _story(self, workspace: Workspace, task: TaskRun) -> str:
        lines = [f"{task.task} failed: {words.error_line(task.error)}", *words.traceback_tail(task.error)]
        if task.notebook:
            lines.append(f"as far as it came: {workspace.runs.task_notebook(task.run_id, task.task)}")
        return "\n".join(lines)


class NeedsArguments(pytest.File):
    """A notebook with parameters that have no default: what it needs, only a pipeline can tell."""

    def collect(self) -> Iterable[pytest.Item]:
        yield _SkippedItem.from_parent(self, name="alone")


class Unreadable(pytest.File):
    """A file that is no notebook, or whose parameters cannot be read; the others are tested all the same."""

    def collect(self) -> Iterable[pytest.Item]:
        yield _ReadItem.from_parent(self, name="read")


class _ReadItem(_Item):
    def runtest(self) -> None:
        read_parameters(load_notebook(self.path), where=self.path.name)


class _SkippedItem(_Item):
    def runtest(self) -> None:
        needed = [one.name for one in read_parameters(load_notebook(self.path)) if one.default is REQUIRED]
        self.note(f"needs {', '.join(needed)}")
        pytest.skip(f"no pipeline runs it, and alone it needs {', '.join(needed)}")


def _notebook(path: Path, parent: pytest.Collector) -> pytest.Collector:
    """nbval's tests of a notebook: outputs are compared where a cell asks for that (NBVAL_CHECK_OUTPUT)."""
    from nbval.plugin import IPyNbFile

    class NotebookFile(IPyNbFile):  # type: ignore[misc] # nbval has no types
        def collect(self) -> Iterator[pytest.Item]:
            self.compare_outputs = False
            yield from super().collect()

        def setup(self) -> None:
            nb = load_notebook(self.path)
            spec = find_spec(KernelRequest(kernel_name=kernel_name(nb), language=language(nb)))
            self.nb.metadata.setdefault("kernelspec", {})["name"] = spec.name
            super().setup()

        def get_sanitize_files(self) -> list[str]:
            root = find_root(self.path.parent)
            folders = [each for each in (self.path.parent, *self.path.parents) if each.is_relative_to(root)]
            own = [str(each / _SANITIZE_NAME) for each in folders if (each / _SANITIZE_NAME).is_file()]
            return [str(_SANITIZE), *own, *super().get_sanitize_files()]

    try:
        is_alone = all(one.default is not REQUIRED for one in read_parameters(load_notebook(path)))
    except MlopsError:
        return Unreadable.from_parent(parent, path=path)
    made: pytest.Collector = (NotebookFile if is_alone else NeedsArguments).from_parent(parent, path=path)
    return made
