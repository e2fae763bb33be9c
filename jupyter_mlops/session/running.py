"""Pipelines from a notebook: run one and watch it, and ask how things stand."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .. import words
from .._version import __version__
from ..catalog import FeatureDefinition, ModelVersion, RegisteredModel, Run, TaskRun
from ..display import Markup, facts_html, facts_text, tab, table_html, table_text
from ..errors import NotFound, RunFailed, did_you_mean
from ..events import now
from ..pipelines import Pipeline
from ..runner import RunOptions
from ..settings import find_root
from ..widgets import RunView
from ..workspace import Workspace
from .place import current_settings, get_workspace, has_catalog

_PIPELINE_FILES = ("pipeline.yaml", "pipeline.yml")
_LAST_RUNS = 5


def run_pipeline(
    pipeline: str | Path | Pipeline = "pipeline.yaml",
    arguments: Mapping[str, Any] | None = None,
    *,
    force: Iterable[str] | Literal["all"] = (),
    only: Sequence[str] = (),
    start_from: Sequence[str] = (),
    cluster: str | None = None,
    workers: int | None = None,
    isolation: Literal["warm", "cold"] | None = None,
    queue: str | None = None,
    priority: int = 0,
    is_preemptible: bool = False,
    from_text: bool = False,
) -> Run:
    """Run a pipeline, with its graph in the output as it goes, and return the run.

    `pipeline` is a file, a folder that holds a ``pipeline.yaml``, or a `Pipeline`. `force` names tasks that the
    cache is not asked for (``"all"``: none is), `only` and `start_from` choose a part. Where quotas are set, `queue`,
    `priority` and `is_preemptible` say how it waits for admission, and the output why it does. With `from_text`
    the arguments are texts, read by the declared types. Raises what is wrong before anything starts, and
    `RunFailed`, which names the tasks that failed.
    """
    loaded = pipeline if isinstance(pipeline, Pipeline) else find_pipeline(pipeline)
    options = RunOptions(
        force="all" if force == "all" else frozenset(force),
        only=tuple(only),
        start_from=tuple(start_from),
        cluster=cluster,
        workers=workers,
        isolation=isolation,
        queue=queue,
        priority=priority,
        is_preemptible=is_preemptible,
    )
    view = RunView()
    with _workspace_of(loaded) as workspace:
        run = workspace.runs.run(
            loaded,
            arguments,
            options=options,
            from_text=from_text,
            on_event=view.on_event,
            on_plan=view.on_plan,
        )
        if run.state == "succeeded":
            return run
        tasks = workspace.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")
    raise RunFailed(_failure(run, tasks), hint=f"look at it with: jupyter mlops show {run.run_id}")


@contextlib.contextmanager
def _workspace_of(pipeline: Path | Pipeline) -> Iterator[Workspace]:
    """The workspace of a pipeline's file, as on the command line: the notebook's own, unless it lies elsewhere."""
    here = get_workspace()
    path = pipeline.path if isinstance(pipeline, Pipeline) else pipeline
    folder = path.resolve().parent if path is not None else here.root
    if find_root(folder) == here.root:
        yield here
    else:
        with Workspace.open(folder) as other:
            yield other


def find_pipeline(path: str | Path) -> Path:
    """The file of a pipeline, given itself or by its folder; `NotFound` with the nearest one."""
    given = Path(path)
    if given.is_file():
        return given
    for name in _PIPELINE_FILES:
        if (given / name).is_file():
            return given / name
    folder = given if given.is_dir() else given.parent
    near = [str(one) for pattern in ("*.yaml", "*.yml", "*/pipeline.yaml") for one in folder.glob(pattern)]
    hint = did_you_mean(str(path), near) or "write one with `jupyter mlops init`"
    raise NotFound(f"there is no pipeline file {path}", hint=hint)


def _failure(run: Run, tasks: Sequence[TaskRun]) -> str:
    if run.state == "cancelled":
        return f"run {run.run_id} was cancelled"
    failed = [task for task in tasks if task.state == "failed"]
    told = "; ".join(f"{task.task}: {words.error_line(task.error) or task.reason}" for task in failed)
    return f"run {run.run_id} {run.state}" + (f": {told}" if told else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How things stand in a workspace."""

    version: str
    root: Path
    catalog: str
    run_id: str
    models: int
    model_versions: int
    feature_views: int
    runs: Sequence[Run]

    def facts(self) -> dict[str, str]:
        """All but the runs."""
        models = words.count(self.models, "model")
        return {
            "jupyter_mlops": self.version,
            "workspace": str(self.root),
            "catalog": self.catalog,
            "this notebook": f"is a task of run {self.run_id}" if self.run_id else "",
            "models": f"{models}, {words.count(self.model_versions, 'version')}"
            if self.models
            else "none yet",
            "features": words.count(self.feature_views, "view") if self.feature_views else "none yet",
            "runs": "" if self.runs else "none yet",
        }

    def _rows(self) -> list[list[str]]:
        moment = now()
        return [
            [
                run.run_id,
                run.pipeline,
                run.state,
                words.duration(words.lifetime(run.started_at, run.finished_at, moment)),
                words.ago(run.created_at, moment),
            ]
            for run in self.runs
        ]

    def __repr__(self) -> str:
        told = facts_text(self.facts())
        return f"{told}\n\n{table_text(_RUN_COLUMNS, self._rows())}" if self.runs else told

    def _repr_html_(self) -> str:
        rows = [
            [tab(run_id, "run", runId=run_id, title=pipeline), pipeline, *more]
            for run_id, pipeline, *more in self._rows()
        ]
        table = table_html(_RUN_COLUMNS, rows) if self.runs else Markup()
        return facts_html(self.facts()) + table


_RUN_COLUMNS = ("run", "pipeline", "state", "took", "started")


def status() -> Status:
    """The workspace of this notebook in short: where it is, what it holds, what runs and ran last."""
    settings = current_settings()
    if not has_catalog(settings):
        return Status(
            version=__version__, root=settings.root, catalog="none yet", run_id="",
            models=0, model_versions=0, feature_views=0, runs=(),
        )  # fmt: skip
    workspace = get_workspace()
    catalog = workspace.catalog
    running = catalog.find(Run, where={"state": ["queued", "running"]}, order_by="-created_at", limit=20)
    last = catalog.find(Run, order_by="-created_at", limit=_LAST_RUNS)
    views = catalog.find(FeatureDefinition, where={"kind": ["view", "on_demand"]}, omit=("definition",))
    runs = list({run.run_id: run for run in [*running, *last]}.values())
    return Status(
        version=__version__,
        root=workspace.root,
        catalog=catalog.url,
        run_id=os.environ.get("MLOPS_RUN_ID", ""),
        models=catalog.count(RegisteredModel, where={"is_deleted": False}),
        model_versions=catalog.count(ModelVersion),
        feature_views=len({view.name for view in views}),
        runs=runs,
    )
