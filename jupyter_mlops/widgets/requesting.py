"""What a notebook asks of a machine, as a form: ``mlops.request_resources("train.ipynb")``.

While it is filled in, it says what there is and what of it is free, and at once when a request can never run. It
is written into the notebook's metadata, where runs pick it up, and into a ``pipeline.yaml`` on wish.

What an hour of it costs to rent stands beside it, on spot if it may run there; where quotas are set, what they leave
of it and about when a run of it would start. Only what a task really can ask for is written: the queue, which only
helps to see that, is a run's.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from ..backends.clusters import LOCAL, ClusterSpec, find_cluster
from ..backends.looking import find_offers
from ..backends.suiting import unsuitable, usual_image
from ..compute.hourly import hourly, own_architecture
from ..compute.offers import Offer
from ..compute.prices import PriceList, load_prices
from ..errors import InvalidInput, InvalidSettings, MlopsError, NotFound, Unavailable
from ..notebooks.files import load_notebook, save_notebook, write_text
from ..notebooks.request import read_request, write_request
from ..pipelines import Pipeline, Task, load_pipeline
from ..pipelines.editing import set_task_field
from ..resources import ResourceRequest
from ..settings import Settings, find_root
from .availability import Prices, availability_html, unsuitable_html, verdict
from .outlook import Standing, judged
from .wishes import LOOK, Wishes

_LOOK_SECONDS = 2.0
_LOOKS_FOR_SECONDS = 600.0  # after the last touch: a form that nobody looks at must not ask for ever


class ResourceForm:
    """The form. `request` is what stands in it; `path` is a notebook, `pipeline` a file with a task that runs it.

    Without either it only helps to find a `ResourceRequest`.
    """

    def __init__(
        self, path: Path | str | None = None, *, pipeline: Path | str | None = None, cluster: str = ""
    ) -> None:
        self.path = None if path is None else Path(path).absolute()
        request = ResourceRequest() if self.path is None else read_request(load_notebook(self.path))
        self.pipeline = _pipeline_path(self.path, pipeline)
        tasks = (
            [] if self.pipeline is None else _tasks(load_pipeline(self.pipeline), self.pipeline, self.path)
        )
        folder = (self.path or self.pipeline or Path.cwd() / "x").parent
        settings = Settings.load(find_root(folder))
        self.cluster, self._clusters = cluster or settings.cluster, settings.clusters
        self._settings, self._spec = settings, _spec(self.cluster, settings)
        self._prices: PriceList | None = None
        self._priced: ResourceRequest | None = None  # what the price that is shown is of
        self._offers: list[Offer] = []
        self._standing: Standing | None = None
        self._trouble = ""
        self._lock = threading.Lock()
        self._touched_at, self._is_looking = 0.0, False
        self._build(request, tasks)
        self._look()
        self._touch()

    @property
    def request(self) -> ResourceRequest:
        """What is asked for. Raises `InvalidInput`."""
        return self._wishes.request

    def save_to_notebook(self) -> None:
        """Write the request into the notebook's metadata. Raises `InvalidInput`, `NotFound`,
        `StorageUnavailable`."""
        if self.path is None:
            raise InvalidInput("this form belongs to no notebook", hint='request_resources("train.ipynb")')
        nb = load_notebook(self.path)
        write_request(nb, self.request)
        save_notebook(nb, self.path)

    def save_to_pipeline(self, task: str | None = None) -> None:
        """Write request and priority into the pipeline's file, as fields of the task; everything else in the file
        stays as it is. Raises `InvalidInput`, `InvalidPipeline`, `NotFound`, `StorageUnavailable`."""
        task = task or self._task.value
        if self.pipeline is None or task is None:
            raise InvalidInput("there is no pipeline to write to", hint='name it: pipeline="pipeline.yaml"')
        text = self.pipeline.read_text(encoding="utf-8")
        path = self.pipeline
        text = set_task_field(text, task, "resources", self.request.written() or None, path=path)
        text = set_task_field(text, task, "priority", self._priority.value or None, path=path)
        write_text(text, self.pipeline)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        self._touch()
        display(self.widget)

    def __repr__(self) -> str:
        try:
            shown = str(self.request)
        except InvalidInput as error:
            shown = error.message
        return f"ResourceForm({self.path.name if self.path else ''}: {shown})"

    # --- the widgets ----------------------------------------------------------------------------------------

    def _build(self, request: ResourceRequest, tasks: Sequence[Task]) -> None:
        self._wishes = Wishes(usual_image(self._spec))
        self._wishes.fill(request or (tasks[0].resources if tasks else request))
        self._task = widgets.Dropdown(options=[task.name for task in tasks], description="task", **LOOK)
        self._priority = widgets.IntText(
            tasks[0].priority if tasks else 0,
            description="priority",
            tooltip="a higher one goes first",
            **LOOK,
        )
        if tasks:
            self._task.observe(lambda _: self._show_task(tasks), names="value")
        self._there, self._verdict, self._done = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._price, self._quotas, self._unsuitable = widgets.HTML(), widgets.HTML(), widgets.HTML()
        # A layout of its own, which the others share: it is hidden until there are several.
        layout = widgets.Layout(width=LOOK["layout"].width, display="none")
        self._queue = widgets.Dropdown(description="queue", **{**LOOK, "layout": layout})
        to_notebook = _button("Save to notebook", lambda: self._save(to_pipeline=False), "save")
        to_pipeline = _button("Save to pipeline", lambda: self._save(to_pipeline=True), "sitemap")
        self._wishes.observe(self._touch)
        for each in (self._priority, self._queue):
            each.observe(lambda _: self._touch(), names="value")
        title = "resources" if self.path is None else self.path.name
        rows: list[Any] = [widgets.HTML(f"<b>{escape(title)}</b> asks for")]
        rows += self._wishes.rows
        rows += [self._task, self._priority] if tasks else []
        rows += [self._queue]
        buttons = [to_notebook] * (self.path is not None) + [to_pipeline] * bool(tasks)
        asked = widgets.VBox([*rows, widgets.HBox(buttons)], layout=widgets.Layout(margin="0 32px 0 0"))
        there = widgets.VBox([self._verdict, self._unsuitable, self._price, self._there, self._quotas])
        columns = widgets.HBox([asked, there], layout=widgets.Layout(flex_flow="row wrap"))
        self.widget = widgets.VBox([columns, self._done])

    def _show_task(self, tasks: Sequence[Task]) -> None:
        task = next(each for each in tasks if each.name == self._task.value)
        self._priority.value = task.priority
        if task.resources:
            self._wishes.fill(task.resources)

    def _save(self, *, to_pipeline: bool) -> None:
        try:
            if to_pipeline:
                self.save_to_pipeline()
                where = f"task {self._task.value} of {self.pipeline.name if self.pipeline else ''}"
            else:
                self.save_to_notebook()
                where = f"{self.path.name if self.path else ''}; if it is open in a tab, load it anew"
            self._done.value = (
                f"<span style='color:var(--jp-ui-font-color2,#59636e)'>written to {escape(where)}</span>"
            )
        except (MlopsError, OSError) as error:
            self._done.value = _red(getattr(error, "message", str(error)))

    # --- what there is --------------------------------------------------------------------------------------

    def _touch(self) -> None:
        """Show what stands in the form, and keep looking at what is free for a while."""
        self._touched_at = time.monotonic()
        self._show()
        with self._lock:
            if self._is_looking:
                return
            self._is_looking = True
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._keep_looking,), name="mlops-offers", daemon=True
        ).start()

    def _keep_looking(self) -> None:
        while time.monotonic() - self._touched_at < _LOOKS_FOR_SECONDS:
            time.sleep(_LOOK_SECONDS)
            self._look()
            self._show()
        with self._lock:
            self._is_looking = False

    def _look(self) -> None:
        try:
            self._offers, self._trouble = find_offers(self.cluster, self._clusters), ""
        except (Unavailable, InvalidSettings) as error:
            self._offers, self._trouble = [], error.message
        try:
            self._standing = Standing.read(self._settings)
        except Unavailable:  # a catalog that does not answer keeps nobody from asking for a machine
            self._standing = None

    def _show(self) -> None:
        try:
            request = self.request
        except InvalidInput as error:
            self._verdict.value = _red(f"{error.message} ({error.hint})" if error.hint else error.message)
            return
        self._verdict.value = _red(self._trouble) if self._trouble else verdict(request, self._offers)
        name = self.path.stem if self.path is not None else "it"
        self._unsuitable.value = unsuitable_html(unsuitable(self._spec, {name: request}))
        self._there.value = availability_html(request, self._offers)
        self._show_quotas(request)
        if request != self._priced:
            self._priced = request
            self._show_price(request)

    def _show_quotas(self, request: ResourceRequest) -> None:
        standing = self._standing
        queues = standing.queues if standing else []
        if list(self._queue.options) != queues:
            self._queue.options = queues
        self._queue.layout.display = None if len(queues) > 1 else "none"
        self._quotas.value = (
            judged(standing, request, self._queue.value or queues[0], self._priority.value)
            if standing
            else ""
        )

    def _show_price(self, request: ResourceRequest) -> None:
        try:
            self._prices = self._prices or load_prices(self._settings.compute_prices)
        except (
            InvalidInput,
            NotFound,
        ) as error:  # a list of one's own that is wrong keeps nobody from asking
            self._price.value = _red(error.message)
            return
        prices = Prices.of(hourly(request, self._prices, architecture=own_architecture()))
        self._wishes.spot_price.value = prices.spot_html()
        self._price.value = prices.chosen_html(is_spot=bool(request.spot))


def request_resources(
    path: Path | str | None = None, *, pipeline: Path | str | None = None, cluster: str = ""
) -> ResourceForm:
    """A form for what a notebook asks of a machine. `pipeline` is by default the ``pipeline.yaml`` beside it,
    `cluster` what the settings say. Raises `NotFound`, `InvalidNotebook`, `InvalidPipeline`."""
    return ResourceForm(path, pipeline=pipeline, cluster=cluster)


def _pipeline_path(notebook: Path | None, given: Path | str | None) -> Path | None:
    if given is not None:
        return Path(given).absolute()
    beside = None if notebook is None else notebook.with_name("pipeline.yaml")
    return beside if beside is not None and beside.is_file() else None


def _spec(cluster: str, settings: Settings) -> ClusterSpec | None:
    try:
        return None if cluster == LOCAL else find_cluster(cluster, settings.clusters)
    except (InvalidInput, InvalidSettings):  # told where its workers are looked for
        return None


def _tasks(pipeline: Pipeline, path: Path, notebook: Path | None) -> list[Task]:
    """The tasks that run the notebook; all of them if there is none."""
    return [
        task
        for task in pipeline.tasks
        if notebook is None or (path.parent / task.notebook).resolve() == notebook.resolve()
    ]


def _button(text: str, action: Any, icon: str) -> Any:
    button = widgets.Button(description=text, icon=icon, layout=widgets.Layout(width="150px"))
    button.on_click(lambda _: action())
    return button


def _red(text: str) -> str:
    return f"<span style='color:var(--jp-error-color1,#cf222e)'>{escape(text)}</span>"
