"""OpenTelemetry: a run is a span, its attempts are spans within it, their cells within those.

Spans are made when they have ended, with the times that the events tell. Their ids follow from their names
(`identity`), so that a notebook's own spans, the tasks of other orchestrators and a resumed run join one trace.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from .. import events, words
from .._version import __version__
from ..catalog import Catalog
from ..catalog.records import Run
from ..errors import InvalidSettings, MissingExtra, Unavailable
from ..events import Event, measured
from ..pipelines import RunState
from ..settings import Settings
from .identity import TraceParent, attempt_parent, span_id, trace_id
from .sending import Sender

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_wanted(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Whether the setting `traces_url` or OpenTelemetry's own variables say where spans go."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none":
        return False
    return bool(settings.traces_url or exporter or any(environment.get(name) for name in _ENDPOINTS))


def notebook_environment(settings: Settings, run_id: str, task: str, attempt: int) -> dict[str, str]:
    """What makes a notebook's own spans children of its attempt's; nothing where there are no traces."""
    if not is_wanted(settings, os.environ):
        return {}
    return {"TRACEPARENT": str(attempt_parent(os.environ, run_id, task, attempt))}


def open_observer(
    run: Run,
    machine: RunState,
    catalog: Callable[[], Catalog],
    settings: Settings,
    environment: Mapping[str, str],
) -> TraceObserver:
    """Raises `MissingExtra`, `InvalidSettings`."""
    try:
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        wanted = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
        if wanted == "console" and not settings.traces_url:
            return TraceObserver(run, environment, ConsoleSpanExporter())
        if wanted not in ("", "otlp") and not settings.traces_url:
            raise InvalidSettings(f"OTEL_TRACES_EXPORTER is {wanted!r}", hint="otlp, console or none")
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise MissingExtra(
            f"traces need {error.name}, which is not installed", hint="pip install 'jupyter-mlops[otel]'"
        ) from error
    url = settings.traces_url
    exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces") if url else OTLPSpanExporter()
    return TraceObserver(run, environment, exporter)


class TraceObserver:
    """The spans of one run."""

    def __init__(self, run: Run, environment: Mapping[str, str], exporter: Any) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        self._run = run
        self._outer = TraceParent.read(environment)
        self._ids = _ids()
        name = environment.get("OTEL_SERVICE_NAME", "jupyter-mlops")
        resource = Resource.create({"service.name": name, "service.version": __version__})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._exporter = exporter
        self._sender = Sender(self._send, name="OpenTelemetry")
        self._provider.add_span_processor(_processor(self._sender.put))
        self._tracer = self._provider.get_tracer("jupyter_mlops", __version__)
        self._begun_at: datetime | None = run.started_at
        self._attempts: dict[tuple[str, int], datetime] = {}
        self._workers: dict[tuple[str, int], str] = {}
        self._cells: dict[str, events.CellStarted] = {}
        self._executed: dict[str, datetime] = {}  # a cell that raised was executed, too: its attempt says so
        self._happened: list[tuple[str, datetime, Mapping[str, str]]] = []

    def handle(self, event: Event) -> None:
        """Take note of what began; what ended becomes a span."""
        self._begun_at = self._begun_at or event.at
        match event:
            case events.AttemptStarted():
                self._attempts[event.task, event.attempt] = event.at
                self._workers[event.task, event.attempt] = event.worker
            case events.CellStarted():
                self._end_cell(event.task, event.at)
                self._cells[event.task] = event
            case events.CellExecuted():
                self._executed[event.task] = event.at
            case events.AttemptSucceeded():
                self._end(event, "succeeded", measured(event))
            case events.AttemptFailed():
                told = words.error_line(event.error) or "failed"
                is_cell = bool(event.error.get("ename")) or event.task not in self._executed
                self._end_cell(event.task, event.at, told if is_cell else "")
                self._end(event, "failed", measured(event), told)
            case events.AttemptLost():
                self._end(event, "lost", {}, event.reason)
            case events.AttemptCancelled():
                self._end(event, "cancelled", measured(event), "cancelled")
            case events.TaskStateChanged() if event.state in ("cached", "skipped", "upstream_failed"):
                about = {"mlops.task": event.task, "mlops.reason": event.reason}
                self._happened.append((f"task {event.state.replace('_', ' ')}", event.at, about))
            case events.RunFinished():
                self._end_run(event)

    def close(self) -> None:
        """Send what is left, but wait for it only a little."""
        self._sender.close()
        self._exporter.shutdown()

    # --- within ---------------------------------------------------------------------------------------------

    def _send(self, spans: list[Any]) -> None:
        if spans and self._exporter.export(spans).name != "SUCCESS":
            raise Unavailable("the receiver of traces does not take them")

    def _end(
        self,
        event: events.AttemptSucceeded | events.AttemptFailed | events.AttemptLost | events.AttemptCancelled,
        state: str,
        used: Mapping[str, Any],
        error: str = "",
    ) -> None:
        key = (event.task, event.attempt)
        self._end_cell(event.task, event.at, error)
        begun = self._attempts.pop(key, event.at - timedelta(seconds=used.get("duration_seconds", 0.0)))
        attributes = self._attributes(event.task, event.attempt) | {"mlops.state": state}
        if worker := self._workers.pop(key, ""):
            attributes["mlops.worker"] = worker
        told = {name: value for name, value in used.items() if value and name != "duration_seconds"}
        attributes |= {f"mlops.{name}": value for name, value in told.items()}
        self._span(
            event.task,
            span_id(self._run.run_id, *key),
            self._parent(),
            begun,
            event.at,
            attributes,
            error=error,
        )

    def _end_cell(self, task: str, at: datetime, error: str = "") -> None:
        """The span of the task's last cell; one that was not told to have ended did so with its attempt."""
        begun = self._cells.pop(task, None)
        ended = self._executed.pop(task, at)
        if begun is None:
            return
        own = span_id(self._run.run_id, task, begun.attempt, begun.cell)
        attributes = self._attributes(task, begun.attempt) | {
            "mlops.cell": begun.cell,
            "mlops.cells": begun.cells,
            "mlops.code": begun.description,
        }
        parent = self._parent(span_id(self._run.run_id, task, begun.attempt))
        self._span(f"cell {begun.cell}", own, parent, begun.at, ended, attributes, error=error)

    def _end_run(self, event: events.RunFinished) -> None:
        attributes = self._attributes() | {"mlops.state": event.state}
        error = "" if event.state == "succeeded" else event.message or event.state
        own = span_id(self._run.run_id)
        outer = self._parent(self._outer.span) if self._outer else None
        self._span(
            self._run.pipeline, own, outer, self._begun_at or event.at, event.at, attributes,
            error=error, happened=self._happened,
        )  # fmt: skip

    def _attributes(self, task: str = "", attempt: int = 0) -> dict[str, str | int]:
        told: dict[str, str | int] = {
            "mlops.run_id": self._run.run_id,
            "mlops.pipeline": self._run.pipeline,
        }
        return told | {"mlops.task": task, "mlops.attempt": attempt} if task else told

    def _parent(self, span: int = 0) -> Any:
        """The context of a span of this run; that of the run itself, unless another is named."""
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

        trace, flags = (
            (self._outer.trace, self._outer.flags) if self._outer else (trace_id(self._run.run_id), 1)
        )
        own = span or span_id(self._run.run_id)
        return set_span_in_context(
            NonRecordingSpan(SpanContext(trace, own, is_remote=True, trace_flags=TraceFlags(flags)))
        )

    def _span(
        self,
        name: str,
        own: int,
        parent: Any,
        begun: datetime,
        ended: datetime,
        attributes: Mapping[str, str | int],
        *,
        error: str = "",
        happened: list[tuple[str, datetime, Mapping[str, str]]] | None = None,
    ) -> None:
        from opentelemetry.context import Context
        from opentelemetry.trace import Status, StatusCode

        self._ids.trace, self._ids.span = trace_id(self._run.run_id), own
        span = self._tracer.start_span(
            name, context=parent or Context(), start_time=_nanoseconds(begun), attributes=dict(attributes)
        )
        for told, at, more in happened or ():
            span.add_event(told, dict(more), timestamp=_nanoseconds(at))
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(end_time=_nanoseconds(max(begun, ended)))


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000


def _ids() -> Any:
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class Given(IdGenerator):
        """The ids that the next span gets."""

        trace = span = 1

        def generate_trace_id(self) -> int:
            return self.trace

        def generate_span_id(self) -> int:
            return self.span

    return Given()


def _processor(put: Callable[[Any], None]) -> Any:
    from opentelemetry.sdk.trace import SpanProcessor

    class Passing(SpanProcessor):
        """Ended spans go to our own sender, which waits for nobody; the SDK's may take half a minute to end."""

        def on_end(self, span: Any) -> None:
            if span.context.trace_flags.sampled:
                put(span)

    return Passing()
