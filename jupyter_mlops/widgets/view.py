"""A run and a pipeline in the output of a cell.

    view = RunView()
    workspace.runs.run("pipeline.yaml", on_plan=view.on_plan, on_event=view.on_event)

shows a run that this process drives; ``RunView.of(workspace, run_id)`` one that any other process drives;
``PipelineView("pipeline.yaml")`` a pipeline that does not run.
"""

from __future__ import annotations

import contextvars
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_runtime_dir

from .. import preflight
from ..catalog import owner
from ..catalog.records import Run, TaskRun
from ..errors import InvalidInput, MlopsError, NotFound
from ..events import TERMINAL, Event, RunFinished, TaskStateChanged, now
from ..pipelines import Pipeline, load_pipeline
from ..pipelines.drawing import GLYPHS
from ..problems import Problem
from ..runner.board import Board
from ..settings import Settings, find_root
from ..workspace import Workspace
from . import markup
from .place import Bundle, CellOutput, Place, has_rich_output

_DRAW_SECONDS = 0.2  # at most five pictures a second …
_IDLE_SHARE = 10  # … and never more than a tenth of the time spent on drawing them
_CLOCK_SECONDS = 1.0  # how often the durations move on while nothing happens
_LOOK_SECONDS = 0.5  # how often the catalog is asked about a run that another process drives
_START_SECONDS = 30.0  # how long a run may wait for the process that shall drive it

log = logging.getLogger(__name__)


class RunView:
    """A run, drawn while it goes on. What is drawn last stays, also in the saved notebook.

    Give `on_plan` and `on_event` to the runner; they may be called from any thread, and return at once: a thread
    draws. It ends with the run, or when nobody drives the run any more. Without a `place` it is shown in the
    output of the cell that calls `on_plan`; in a terminal it is a line for each thing that happens.
    """

    def __init__(self, place: Place | None = None) -> None:
        self.board = Board()
        self._places: list[Place] = [] if place is None else [place]
        self._is_lines = place is None and not has_rich_output()
        self._board_lock, self._draw_lock = threading.Lock(), threading.Lock()
        self._run: Run | None = None
        self._news, self._is_over = threading.Event(), threading.Event()
        self._notice = ""

    @classmethod
    def of(cls, workspace: Workspace, run_id: str, place: Place | None = None) -> RunView:
        """A run of the workspace, whoever drives it (``latest`` or the beginning of an id will do).

        Raises `NotFound`. Shown by a cell that ends with it, it follows the run to its end.
        """
        view = cls(place)
        view._load(workspace, workspace.runs.resolve_run(run_id).run_id)
        if view.board.state in TERMINAL:
            view._is_over.set()
        else:
            view._start(lambda: view._look(workspace))
        return view

    # --- what the runner tells ------------------------------------------------------------------------------

    def on_plan(self, run: Run, tasks: Iterable[TaskRun]) -> None:
        """The runner knows what it will do."""
        with self._board_lock:
            self._run = replace(run, runner=owner.mark())  # a run that waits in the queue is not claimed yet
            self.board.plan(run, tasks)
        if self._is_lines:
            print(markup.run_text(self.board, now()), file=sys.stdout)  # noqa: T201 - the output of a cell
            return
        if not self._places:
            self._places.append(CellOutput())
        self._is_over.clear()
        self._draw()
        self._start(self._follow)

    def on_event(self, event: Event) -> None:
        """Something happened."""
        with self._board_lock:
            self.board.handle(event)
            line = self.board.told(event) if self._is_lines else ""
        if line and isinstance(event, TaskStateChanged):
            print(GLYPHS[event.state], line, file=sys.stdout)  # noqa: T201 - the output of a cell
        if isinstance(event, RunFinished):
            self.close()
        else:
            self._news.set()

    def close(self) -> None:
        """Draw what there is, and draw no more."""
        self._is_over.set()
        if not self._is_lines:
            self._draw()

    def __enter__(self) -> RunView:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what Jupyter asks ----------------------------------------------------------------------------------

    def bundle(self) -> Bundle:
        """The run as it stands now, as HTML and as plain text."""
        with self._board_lock:
            moment = now()
            return {
                "text/html": markup.run_html(self.board, moment, notice=self._notice),
                "text/plain": markup.run_text(self.board, moment, notice=self._notice),
            }

    def _ipython_display_(self) -> None:
        if not has_rich_output():
            print(self.bundle()["text/plain"])  # noqa: T201 - as IPython itself would
            return
        with self._draw_lock:
            shown = CellOutput()
            shown.show(self.bundle())
            self._places.append(shown)

    def _repr_html_(self) -> str:
        return self.bundle()["text/html"]

    def __repr__(self) -> str:
        return f"RunView({self.board.run_id or '…'}: {self.board.state})"

    # --- drawing --------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Show the run everywhere. A picture that cannot be shown must not end the run."""
        with self._draw_lock:
            bundle = self.bundle()
            for place in self._places:
                try:
                    place.show(bundle)
                except Exception:  # a front end that went away, a socket that is closed
                    log.warning("cannot show run %s", self.board.run_id, exc_info=True)

    def _start(self, body: Any) -> None:
        # The context knows which cell's output it is, for what the thread displays.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(body,), name="mlops-run-view", daemon=True).start()

    def _follow(self) -> None:
        """Draw what `on_event` was told, and the clock, until the run is over or its drive has ended."""
        pause, drawn, undriven_since = _DRAW_SECONDS, time.monotonic(), 0.0
        while not self._is_over.wait(pause):
            undriven_since = 0.0 if self._is_driven() else undriven_since or time.monotonic()
            if self._is_left(undriven_since):
                self._abandon()
            elif self._news.is_set() or time.monotonic() - drawn >= _CLOCK_SECONDS:
                self._news.clear()
                began = time.monotonic()
                self._draw()
                drawn = time.monotonic()
                pause = max(_DRAW_SECONDS, _IDLE_SHARE * (drawn - began))

    def _look(self, workspace: Workspace) -> None:
        """Draw what the catalog says, until the run is over or nobody drives it."""
        seen = shown = ""
        drawn, undriven_since = time.monotonic(), 0.0
        while not self._is_over.wait(_LOOK_SECONDS):
            try:
                seq = workspace.catalog.change_seq()
                if seq != seen:
                    seen = seq
                    self._load(workspace, self.board.run_id)
            except MlopsError as error:
                self._notice = f"the catalog does not answer: {error.message}"
                seen = ""
            if self.board.state in TERMINAL:
                self.close()
                return
            undriven_since = 0.0 if self._is_driven() else undriven_since or time.monotonic()
            if self._is_left(undriven_since):
                self._abandon()
            elif seen != shown or time.monotonic() - drawn >= _CLOCK_SECONDS:
                self._draw()
                shown, drawn = seen, time.monotonic()

    def _load(self, workspace: Workspace, run_id: str) -> None:
        run = workspace.catalog.get(Run, run_id)
        tasks = workspace.catalog.find(TaskRun, where={"run_id": run_id}, order_by="position")
        with self._board_lock:
            self._run, self._notice = run, ""
            self.board.plan(run, tasks)

    def _is_driven(self) -> bool:
        return self._run is not None and owner.is_driven(self._run)

    def _is_left(self, undriven_since: float) -> bool:
        """Whether nobody drives it, for longer than one that is to start may wait for that."""
        patience = 0.0 if self.board.state == "running" else _START_SECONDS
        return bool(undriven_since) and time.monotonic() - undriven_since >= patience

    def _abandon(self) -> None:
        """The drive ended without an end of the run: it was interrupted, or its process died."""
        if self.board.state not in TERMINAL:
            self._notice = (
                f"nobody drives this run any more; go on with: jupyter mlops resume {self.board.run_id}"
            )
        self.close()


class PipelineView:
    """A pipeline as it is defined, with the problems that a run of it would meet. It is read once."""

    def __init__(self, pipeline: Pipeline | Path | str = "pipeline.yaml") -> None:
        self.problems: list[Problem] = []
        self.pipeline: Pipeline | None = None
        self._place = ""
        if isinstance(pipeline, Pipeline):
            self.pipeline, self.title = pipeline, pipeline.name
            return
        path = Path(pipeline)
        self.title = str(path)
        self._place = place_in_panel(path)
        try:
            self.pipeline = load_pipeline(path)
        except NotFound:
            raise
        except InvalidInput as error:
            self.problems = list(
                error.fields.get("problems") or [Problem(message=error.message, hint=error.hint)]
            )
            return
        settings = Settings.load(find_root(path.absolute().parent))
        self.problems = preflight.check(path, settings=settings)

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def _repr_html_(self) -> str:
        return markup.pipeline_html(self.pipeline, self.problems, title=self.title, place=self._place)

    def __repr__(self) -> str:
        return markup.pipeline_text(self.pipeline, self.problems, title=self.title)


def place_in_panel(path: Path) -> str:
    """How the panel names a file: by its path in the folder that its server serves; "" for what lies elsewhere, and
    where no server started this kernel."""
    try:
        server = Path(jupyter_runtime_dir(), f"jpserver-{int(os.environ['JPY_PARENT_PID'])}.json")
        root = Path(json.loads(server.read_text(encoding="utf-8"))["root_dir"]).resolve()
        return path.resolve().relative_to(root).as_posix()
    except (LookupError, ValueError, TypeError, OSError):
        return ""
