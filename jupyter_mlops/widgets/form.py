"""A form for the parameters of any notebook or pipeline: ``mlops.form("train.ipynb")``.

Plain ipywidgets, so that it works wherever widgets do. What is entered are typed values (`arguments`); the
button runs the notebook, as a pipeline of one task, or the pipeline, and shows the run below.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from ..catalog.records import Run
from ..errors import Conflict, InvalidInput, InvalidParameter, MlopsError
from ..notebooks.secrets import SecretReference
from ..pipelines import Pipeline
from ..pipelines.single import notebook_pipeline
from ..problems import Problem, summarize
from ..settings import find_root
from ..workspace import Workspace
from .fields import NOT_GIVEN, Field
from .place import Bundle
from .questions import questions_of
from .view import RunView


class WidgetPlace:
    """Shows a run in a widget, which may stand within others."""

    def __init__(self) -> None:
        self.widget = widgets.HTML()

    def show(self, bundle: Bundle) -> None:
        """See `Place`."""
        self.widget.value = bundle["text/html"]


class ParameterForm:
    """The form of one file. `fields` by name; `run` is what came of the last press of the button."""

    def __init__(self, path: Path | str, *, workspace: Workspace | None = None) -> None:
        self.path = Path(path).absolute()
        questions, self._pipeline = questions_of(self.path)
        self._workspace = workspace
        self.fields = {question.name: Field(question) for question in questions}
        self.run: Run | None = None
        self._view: RunView | None = None
        self._place, self._message = WidgetPlace(), widgets.HTML()
        self._button = widgets.Button(description="Run", button_style="primary", icon="play")
        self._stop = widgets.Button(description="Stop", icon="stop", disabled=True)
        self._button.on_click(lambda _: self.start())
        self._stop.on_click(lambda _: self._ask_to_stop())
        for field in self.fields.values():
            field.widget.observe(lambda _, field=field: field.show_problem(), names="value")
        title = widgets.HTML(f"<b>{escape(self.path.name)}</b>{self._about()}")
        rows = [field.box for field in self.fields.values()] or [widgets.HTML("It takes no arguments.")]
        self.widget = widgets.VBox(
            [title, *rows, widgets.HBox([self._button, self._stop]), self._message, self._place.widget]
        )

    @property
    def given(self) -> dict[str, Any]:
        """The typed arguments that were entered. What was left alone is not among them, so that a run of the
        defaults is the same run as one without arguments. Raises one `InvalidParameter` with all `problems`."""
        given, problems = {}, []
        for name, field in self.fields.items():
            try:
                value = field.given
            except InvalidInput as error:
                problems.append(Problem(message=f"{name}: {error.message}", hint=error.hint))
                continue
            if value is not NOT_GIVEN:
                given[name] = value
        if problems:
            raise InvalidParameter(summarize(problems), problems=problems)
        return given

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments as a run would have them, defaults included as far as they are known here."""
        given = self.given
        defaults = {
            name: f.question.default for name, f in self.fields.items() if f.question.has_known_default
        }
        return {name: {**defaults, **given}[name] for name in self.fields if name in {*defaults, *given}}

    def start(self) -> threading.Thread | None:
        """Run it in the background, as the button does; nothing if something entered is wrong."""
        problems = [field.show_problem() for field in self.fields.values()]
        if any(problems) or self._button.disabled:
            return None
        self._button.disabled, self._stop.disabled = True, False
        self._say("")
        # The context knows which cell's output the messages of this thread belong to.
        thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._run, self.given),
            name="mlops-form",
            daemon=True,
        )
        thread.start()
        return thread

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)

    def __repr__(self) -> str:
        return f"ParameterForm({self.path.name}: {', '.join(self.fields) or 'no parameters'})"

    # --- within ---------------------------------------------------------------------------------------------

    def _run(self, given: Mapping[str, Any]) -> None:
        view = self._view = RunView(self._place)
        try:
            with self._opened() as workspace:
                pipeline = self._pipeline or self._alone(workspace, given)
                arguments = {name: _travels(value) for name, value in given.items()}
                self.run = workspace.runs.run(
                    pipeline, arguments, on_plan=view.on_plan, on_event=view.on_event
                )
        except MlopsError as error:
            view.close()
            if not view.board.run_id:
                self._place.widget.value = ""
            self._say(f"{error.message}\n{error.hint}".strip())
        finally:
            self._button.disabled, self._stop.disabled = False, True

    def _opened(self) -> contextlib.AbstractContextManager[Workspace]:
        """The workspace that was given, else the one around the file for as long as it is needed."""
        if self._workspace is not None:
            return contextlib.nullcontext(self._workspace)
        return Workspace.open(find_root(self.path.parent))

    def _alone(self, workspace: Workspace, given: Mapping[str, Any]) -> Pipeline:
        if not self.path.is_relative_to(workspace.root):
            raise InvalidInput(f"{self.path.name} does not lie in the workspace {workspace.root}")
        return notebook_pipeline(self.path.relative_to(workspace.root).as_posix(), given)

    def _ask_to_stop(self) -> None:
        run_id = "" if self._view is None else self._view.board.run_id
        if run_id:
            self._stop.disabled = True
            try:
                with self._opened() as workspace:
                    workspace.runs.cancel(run_id)
            except Conflict:  # it is over
                pass
            except MlopsError as error:
                self._say(error.message)

    def _say(self, text: str) -> None:
        lines = "<br>".join(escape(line) for line in text.splitlines())
        self._message.value = f"<span style='color:var(--jp-error-color1,#cf222e)'>{lines}</span>"

    def _about(self) -> str:
        text = "" if self._pipeline is None else self._pipeline.description
        return f" <span style='color:var(--jp-ui-font-color2,#59636e)'>{escape(text)}</span>" if text else ""


def form(path: Path | str, *, workspace: Workspace | None = None) -> ParameterForm:
    """A form for the parameters of a notebook or of a pipeline. Raises `NotFound`, `InvalidNotebook`,
    `InvalidPipeline`."""
    return ParameterForm(path, workspace=workspace)


def _travels(value: Any) -> Any:
    """A reference to a secret goes as its text."""
    return str(value) if isinstance(value, SecretReference) else value
