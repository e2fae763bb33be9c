"""OpenTelemetry's traces, where it is installed and told where to send them; else nothing, at no cost."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol

from ..errors import MissingExtra


class Span(Protocol):
    """A request as a trace sees it."""

    def end(self, status: int, version: str) -> None:
        """It was answered."""


class Tracer:
    """Without traces."""

    def begin(self, name: str, headers: Mapping[str, str]) -> Span:
        """A request begins."""
        return _NO_SPAN

    def close(self) -> None:
        """Send what is left."""


class _NoSpan:
    def end(self, status: int, version: str) -> None:
        pass


_NO_SPAN = _NoSpan()


class OtelTracer(Tracer):
    """With them: each request a span, a child of the one that its ``traceparent`` names."""

    def __init__(self, exporter: Any) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        service = os.environ.get("OTEL_SERVICE_NAME", "jupyter-mlops-serving")
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("jupyter_mlops.serving")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, name: str, headers: Mapping[str, str]) -> Span:
        """A request begins."""
        from opentelemetry.trace import SpanKind

        context = self._propagator.extract({"traceparent": headers.get("traceparent", "")})
        return _OtelSpan(self._tracer.start_span(name, context=context, kind=SpanKind.SERVER))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


class _OtelSpan:
    def __init__(self, span: Any) -> None:
        self._span = span

    def end(self, status: int, version: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attribute("http.response.status_code", status)
        self._span.set_attribute("mlops.model.version", version)
        if status >= 500:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def open_tracer(environment: Mapping[str, str]) -> Tracer:
    """The tracer that ``OTEL_TRACES_EXPORTER`` (``otlp``, ``console``) or an OTLP endpoint asks for; `MissingExtra`."""
    wanted = environment.get("OTEL_TRACES_EXPORTER", "").lower()
    has_endpoint = any(
        environment.get(name)
        for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    )
    if not wanted and has_endpoint:
        wanted = "otlp"
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if wanted in ("", "none") or is_off:
        return Tracer()
    try:
        if wanted == "console":
            from opentelemetry.sdk.trace.export import ConsoleSpanExporter

            return OtelTracer(ConsoleSpanExporter())
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OtelTracer(OTLPSpanExporter())
    except ImportError as error:
        raise MissingExtra(
            f"traces need {error.name}, which is not installed", hint="pip install 'jupyter-mlops[otel]'"
        ) from error
