"""What is asked where: every contract's paths, in one table, and how each wants its answer.

SageMaker (``/ping``, ``/invocations``), Vertex AI (paths of ``AIP_*``), Azure ML (``/``, ``/score``), KServe V1 and
Open Inference V2, MLflow's server, probes of Kubernetes, Prometheus. The same rows get the same predictions by each.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from .. import _version
from . import openapi, outcome, tensors
from .logs import trace_of
from .messages import Answer, Request
from .options import Options
from .refusals import NotReady, Refusal, Unauthorized, Unknown, WrongMediaType, WrongMethod
from .service import Live, Prediction, Service
from .tracing import Tracer

Handler = Callable[[Request], Answer | Coroutine[Any, Any, Answer]]
_V1 = re.compile(r"/v1/models/([^/:]+)(:predict)?")
_V2 = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(?:/(ready|infer))?")
_IDENTITY = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_IDENTITY_HEADERS = ("x-mlops-prediction-id", "x-amzn-sagemaker-inference-id")
log = logging.getLogger("jupyter_mlops.serving")


class Routes:
    """Answers requests for one service."""

    def __init__(self, service: Service, options: Options, tracer: Tracer) -> None:
        self.service, self.options, self.tracer = service, options, tracer
        self._token = hashlib.sha256(options.token.encode()).digest() if options.token else b""
        health, ready = ({"GET": self._ready}, {"GET": self._ready})
        predict = {"POST": self._invocations}
        self._table: dict[str, Mapping[str, Handler]] = {
            "/ping": health,
            "/health": health,
            "/healthz/ready": ready,
            "/v2/health/ready": ready,
            "/healthz/live": {"GET": self._live},
            "/v2/health/live": {"GET": self._live},
            "/version": {"GET": self._version},
            "/invocations": predict,
            "/score": predict,
            "/": {"GET": self._ready},
            "/v1/models": {"GET": self._v1_models},
            "/v2": {"GET": self._v2_server},
            "/metrics": {"GET": self._metrics},
            "/mlops/state": {"GET": self._state},
            "/openapi.json": {"GET": self._openapi},
        }
        if options.health_route:
            self._table.setdefault(options.health_route, health)
        if options.predict_route:
            self._table.setdefault(options.predict_route, predict)
        self._open = {
            "/ping",
            "/health",
            "/healthz/ready",
            "/healthz/live",
            "/v2/health/ready",
            "/v2/health/live",
            "/",
        }
        self._open.add(options.health_route)

    def __call__(self, request: Request) -> Answer | Coroutine[Any, Any, Answer]:
        """The answer, now or to come; a `Refusal` is raised."""
        path = request.path
        if len(path) > 1 and path[-1] == "/":
            path = path.rstrip("/") or "/"
        if self._token and path not in self._open:
            self._authorize(request)
        methods = self._table.get(path) or self._of_model(path)
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            allowed = sorted({*methods, *(("HEAD",) if "GET" in methods else ())})
            raise WrongMethod(", ".join(allowed))
        return handler(request)

    def _authorize(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = hashlib.sha256(token.strip().encode("latin-1", errors="replace")).digest()
        if not hmac.compare_digest(given, self._token) or scheme.lower() != "bearer":
            raise Unauthorized

    def failed(self, request: Request | None, error: Exception) -> Answer:
        """What a handler raised, as an answer."""
        if not isinstance(error, Refusal):
            path = request.path if request else ""
            log.error("%s %s failed", request.method if request else "", path, exc_info=error)
            error = Refusal("something went wrong here; the log has what")
        return _json(error.body(), error.status, error.headers)

    # --- how it is ------------------------------------------------------------------------------------------

    def _ready(self, request: Request) -> Answer:
        service = self.service
        if not service.is_ready:
            raise NotReady(f"the server is {service.state}")
        return Answer(b'{"status":"ready"}')

    def _live(self, request: Request) -> Answer:
        if not self.service.is_alive:
            raise NotReady("the model does not come back from a prediction")
        return Answer(b'{"status":"live"}')

    def _version(self, request: Request) -> Answer:
        return Answer(_version.__version__.encode(), content_type=b"text/plain; charset=utf-8")

    def _state(self, request: Request) -> Answer:
        return _json(self.service.describe())

    def _metrics(self, request: Request) -> Answer:
        live = self.service.live
        text = self.service.metrics.text({
            "ready": ("Whether requests are answered.", [((), float(self.service.is_ready))]),
            "waiting": ("Requests that wait for the model.", [
                ((("version", str(one.version.number)),), float(one.batcher.waiting)) for one in live
            ]),
            "version_info": ("What answers.", [
                ((("model", one.version.name), ("version", str(one.version.number)),
                  ("digest", one.version.digest)), 1.0) for one in live
            ]),
            "share": ("Share of the requests.", [
                ((("version", str(one.version.number)),), one.part.share) for one in live
            ]),
        })  # fmt: skip
        return Answer(text, content_type=b"text/plain; version=0.0.4; charset=utf-8")

    def _openapi(self, request: Request) -> Answer:
        live = self._first()
        return _json(
            openapi.describe(live.version, self.options, has_features=self.service.featured is not None)
        )

    def _first(self) -> Live:
        """The version that metadata is of: the one with the largest share."""
        if not self.service.live:
            return self.service.choose("")
        return max(self.service.live, key=lambda one: one.part.share)

    # --- predictions ----------------------------------------------------------------------------------------

    async def _predict(
        self, request: Request, route: str, write: Callable[[Prediction], Answer], number: int | None = None
    ) -> Answer:
        metrics = self.service.metrics
        headers = request.headers
        began = time.perf_counter()
        metrics.in_flight += 1
        status, version = 500, ""
        identity = _identity(headers) or self.service.new_id()
        span = self.tracer.begin(f"POST {route}", headers)
        try:
            if headers.get("content-encoding", "identity") != "identity":
                raise WrongMediaType("compressed bodies are not read")
            made = await self.service.predict(
                request.body,
                headers.get("content-type", ""),
                key=headers.get("x-mlops-key", ""),
                number=number,
                identity=identity,
            )
            version = str(made.version.number)
            answer = write(made)
            answer.headers = {"x-mlops-model": made.version.header, "x-mlops-prediction-id": made.id}
            status = answer.status
        except Refusal as error:
            status = error.status
            error.headers.setdefault("x-mlops-model", self._header())
            error.headers.setdefault("x-mlops-prediction-id", identity)
            raise
        finally:
            metrics.in_flight -= 1
            seconds = time.perf_counter() - began
            metrics.answered(route, status, version, seconds)
            span.end(status, version)
            if self.options.log_requests:
                fields = {"route": route, "status": status, "version": version, "seconds": round(seconds, 6)}
                log.info("%s %s", route, status, extra={"fields": {**fields, **trace_of(headers)}})
        return answer

    def _header(self) -> str:
        return (
            max(self.service.live, key=lambda one: one.part.share).version.header
            if self.service.live
            else "none"
        )

    def _invocations(self, request: Request) -> Coroutine[Any, Any, Answer]:
        wants_csv = "text/csv" in request.headers.get("accept", "")

        def write(made: Prediction) -> Answer:
            if made.payload.form == "v2":
                return _v2_answer(made)
            if wants_csv:
                return Answer(outcome.to_csv(made.output), content_type=b"text/csv; charset=utf-8")
            return _json(_predictions(made))

        return self._predict(request, request.path, write)

    # --- KServe V1 and Open Inference V2 --------------------------------------------------------------------

    def _of_model(self, path: str) -> Mapping[str, Handler]:
        """The handlers of a path that names a model; `Unknown`."""
        if match := _V1.fullmatch(path):
            self._check_name(match[1])
            if match[2]:
                return {
                    "POST": lambda request: self._predict(
                        request, "v1", lambda made: _json(_predictions(made))
                    )
                }
            return {"GET": lambda request: _json({"name": match[1], "ready": self.service.is_ready})}
        if match := _V2.fullmatch(path):
            self._check_name(match[1])
            number = self._number(match[2])
            if match[3] == "infer":
                return {"POST": lambda request: self._predict(request, "v2", _v2_answer, number)}
            if match[3] == "ready":
                return {"GET": lambda request: self._v2_ready(number)}
            return {"GET": lambda request: self._v2_model(number)}
        raise Unknown("nothing is at this path; GET /openapi.json tells what there is")

    def _check_name(self, name: str) -> None:
        traffic = self.service.traffic
        if traffic is None:
            raise NotReady("the model is still loading")
        if name not in (traffic.name, traffic.model):
            raise Unknown(f"no model of this name answers here; it is {traffic.name!r}")

    def _number(self, text: str | None) -> int | None:
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise Unknown("versions are numbers")
        number = int(text)
        if all(one.version.number != number for one in self.service.live):
            raise Unknown(f"version {number} does not answer here")
        return number

    def _v1_models(self, request: Request) -> Answer:
        return _json({"models": [self.service.traffic.name] if self.service.traffic else []})

    def _v2_server(self, request: Request) -> Answer:
        return _json({"name": "jupyter_mlops", "version": _version.__version__, "extensions": []})

    def _v2_ready(self, number: int | None) -> Answer:
        if not self.service.is_ready:
            raise NotReady(f"the server is {self.service.state}")
        return _json({"name": self.service.traffic.name if self.service.traffic else "", "ready": True})

    def _v2_model(self, number: int | None) -> Answer:
        live = self._first() if number is None else self.service.choose("", number)
        version = live.version
        return _json({
            "name": self.service.traffic.name if self.service.traffic else version.name,
            "versions": [str(one.version.number) for one in self.service.live],
            "platform": f"jupyter_mlops_{version.manifest['definition'].get('library') or 'python'}",
            "inputs": tensors.describe(version.inputs, "input"),
            "outputs": tensors.describe(version.outputs, outcome.OUTPUT),
        })  # fmt: skip


def _predictions(made: Prediction) -> dict[str, Any]:
    body: dict[str, Any] = {"predictions": outcome.plain(made.output)}
    if made.features is not None:
        body["features"] = made.features.values
        body["statuses"] = made.features.statuses
    return body


def _v2_answer(made: Prediction) -> Answer:
    body: dict[str, Any] = {"model_name": made.version.name, "model_version": str(made.version.number)}
    if made.payload.id:
        body["id"] = made.payload.id
    return _json({**body, "outputs": tensors.encode(outcome.columns(made.output), made.payload.outputs)})


def _identity(headers: Mapping[str, str]) -> str:
    """The id that the client gave its prediction, if it is one that may stand in a log and a header."""
    for name in _IDENTITY_HEADERS:
        text = headers.get(name, "")
        if text and _IDENTITY.fullmatch(text):
            return text
    return ""


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    import orjson

    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    return Answer(orjson.dumps(body, default=str, option=options), status, headers=dict(headers or {}))
