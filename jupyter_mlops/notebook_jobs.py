"""jupyter-scheduler's *notebook jobs*, run by us: its panel and its REST API drive our runs.

::

    jupyter lab --SchedulerApp.scheduler_class=jupyter_mlops.notebook_jobs.MlopsScheduler

A job becomes a run of one task in the workspace of the server's folder: listed with all others, with quotas, a log and
the executed notebook. What jupyter-scheduler keeps of it (its name, its files) stays in jupyter-scheduler's database.
Importable only where jupyter-scheduler is installed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from jupyter_scheduler.executors import DefaultExecutionManager
from jupyter_scheduler.models import Status
from jupyter_scheduler.orm import Job
from jupyter_scheduler.scheduler import Scheduler
from traitlets import Type

from . import words
from .catalog.records import Run, TaskRun
from .errors import Cancelled, Conflict, NotFound, RunFailed
from .pipelines.single import notebook_pipeline
from .runner import RunOptions
from .workspace import Workspace

_RUN = re.compile(r"run (\S+)")


class MlopsExecutionManager(DefaultExecutionManager):  # type: ignore[misc]
    """Runs one job, in a process that jupyter-scheduler starts for it."""

    def execute(self) -> None:
        """The job as a run. Its outputs are there whether it succeeds or fails; raises how it failed."""
        job = self.model
        notebook = Path(self.staging_paths["input"]).absolute()
        given = dict(job.parameters or {})
        pipeline = notebook_pipeline(str(notebook), given)
        with Workspace.open(Path(self.root_dir)) as workspace:
            run = workspace.runs.run(
                pipeline, given, options=RunOptions(force="all"), on_plan=lambda run, _: self._note(run)
            )
            task = workspace.catalog.get(TaskRun, run.run_id, pipeline.tasks[0].name)
            try:
                executed = workspace.runs.task_notebook(run.run_id, task.task)
            except NotFound:  # it failed before its first cell
                pass
            else:
                self.add_side_effects_files(str(notebook.parent))
                self.create_output_files(job, nbformat.read(executed, as_version=4))
        if run.state == "cancelled":
            raise Cancelled(f"run {run.run_id} was cancelled")
        if run.state != "succeeded":
            told = words.error_line(task.error) or task.reason
            raise RunFailed(f"run {run.run_id} {run.state}: {told}")

    def on_failure(self, e: Exception) -> None:
        """A job that was stopped has not failed."""
        if isinstance(e, Cancelled):
            self._update(status=Status.STOPPED, status_message=e.message)
        else:
            super().on_failure(e)

    def _note(self, run: Run) -> None:
        """Which run it is: for people, and for `MlopsScheduler.stop_job`."""
        self._update(status_message=f"run {run.run_id}")

    def _update(self, **changes: Any) -> None:
        with self.db_session() as session:
            session.query(Job).filter(Job.job_id == self.job_id).update(changes)
            session.commit()


class MlopsScheduler(Scheduler):  # type: ignore[misc]
    """jupyter-scheduler's own scheduler, whose jobs are our runs, and are cancelled instead of killed."""

    execution_manager_class = Type(
        default_value=MlopsExecutionManager,
        klass="jupyter_scheduler.executors.ExecutionManager",
        config=True,
        help="Runs a job.",
    )

    def stop_job(self, job_id: str) -> None:
        """Ask the job's run to stop; one that has none yet is ended as jupyter-scheduler does."""
        with self.db_session() as session:
            job = session.query(Job).filter(Job.job_id == job_id).one()
            found = _RUN.match(job.status_message or "")
            if found is not None and job.status == Status.IN_PROGRESS:
                job.status = Status.STOPPING
                session.commit()
        if found is None:
            super().stop_job(job_id)
            return
        with Workspace.open(Path(self.root_dir)) as workspace:
            try:
                workspace.runs.request_cancel(found[1])
            except (Conflict, NotFound):  # it is over
                return


__all__ = ["MlopsExecutionManager", "MlopsScheduler"]
