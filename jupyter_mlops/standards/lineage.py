"""OpenLineage: a job for the pipeline and one for each of its tasks, a run for each attempt, and what it read and made.

Sent by OpenLineage's own client, so that its variables and its ``openlineage.yml`` say where to: HTTP, Kafka, a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import encoding, events, words
from .._version import __version__
from ..catalog import Catalog
from ..catalog.records import Fire, Run
from ..errors import CatalogUnavailable, MissingExtra
from ..events import Event
from ..notebooks.inject import named_secrets
from ..pipelines import RunState
from ..settings import Settings
from .datasets import Datasets
from .identity import lineage_id
from .sending import Sender

PRODUCER = f"urn:jupyter-mlops:{__version__}"
_LONGEST = 1000  # characters of an argument or a result
_RUN_ENDS = {"succeeded": "COMPLETE", "cancelled": "ABORT"}


def is_wanted(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Whether the setting `lineage_url` or OpenLineage's own variables say where events go."""
    if environment.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    names = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG")
    return bool(
        settings.lineage_url
        or any(environment.get(name) for name in names)
        or any(name.upper().startswith("OPENLINEAGE__TRANSPORT") for name in environment)
    )


def open_observer(
    run: Run,
    machine: RunState,
    catalog: Callable[[], Catalog],
    settings: Settings,
    environment: Mapping[str, str],
) -> LineageObserver:
    """Raises `MissingExtra`, and what the client finds wrong with its variables."""
    try:
        from openlineage.client import OpenLineageClient
    except ImportError as error:
        raise MissingExtra(
            f"OpenLineage's events need {error.name}, which is not installed",
            hint="pip install 'jupyter-mlops[openlineage]'",
        ) from error
    url = settings.lineage_url
    client = OpenLineageClient(config={"transport": {"type": "http", "url": url}} if url else None)
    try:
        known: Catalog | None = catalog()
    except CatalogUnavailable:
        known = None
    return LineageObserver(run, machine, known, settings, environment, client)


class LineageObserver:
    """Tells one run. A task's runs are told with the pipeline's run as their parent."""

    def __init__(
        self,
        run: Run,
        machine: RunState,
        catalog: Catalog | None,
        settings: Settings,
        environment: Mapping[str, str],
        client: Any,
    ) -> None:
        from openlineage.client import event_v2, facet_v2

        self._events, self._facets = event_v2, facet_v2
        self._run, self._machine, self._catalog = run, machine, catalog
        self._namespace = environment.get("OPENLINEAGE_NAMESPACE") or "default"
        folder = Path(run.pipeline_path).parent if run.pipeline_path else settings.root
        self._datasets = Datasets(
            machine, catalog, settings.blobs, folder, namespace=self._namespace, producer=PRODUCER
        )
        self._outer = _outer(environment.get("OPENLINEAGE_PARENT_ID", ""))
        self._client = client
        self._sender = Sender(self._send, name="OpenLineage")

    def handle(self, event: Event) -> None:
        """Tell it, if it is something that OpenLineage knows."""
        match event:
            case events.RunStarted():
                self._tell_run("START", event.at, self._begun())
            case events.RunFinished():
                facets = self._error({"message": event.message}) if event.state == "failed" else {}
                made = self._datasets.materialized() if event.state == "succeeded" else []
                self._tell_run(_RUN_ENDS.get(event.state, "FAIL"), event.at, facets, made)
            case events.AttemptStarted():
                given = self._parameters(self._machine.arguments(event.task))
                self._tell_task("START", event, event.attempt, given, read=self._datasets.read(event.task))
            case events.AttemptSucceeded():
                self._made(event, event.attempt, event.results)
            case events.CacheHit():
                self._tell_task("START", event, 0, read=self._datasets.read(event.task))
                self._made(event, 0, event.results, {"cached": "true", "source_run": event.source_run_id})
            case events.AttemptFailed():
                self._tell_task("FAIL", event, event.attempt, self._error(event.error))
            case events.AttemptLost():
                self._tell_task("FAIL", event, event.attempt, self._error({"message": event.reason}))
            case events.AttemptCancelled():
                self._tell_task("ABORT", event, event.attempt)
            case events.TaskUnrunnable():
                self._tell_task("FAIL", event, 0, self._error(event.error))

    def close(self) -> None:
        """Wait a little for what is on its way."""
        self._sender.close()
        self._client.close(0)

    # --- within ---------------------------------------------------------------------------------------------

    def _send(self, batch: list[Any]) -> None:
        for event in batch:
            self._client.emit(event)

    def _made(
        self, event: events.TaskFact, attempt: int, results: Mapping[str, Any], more: Mapping[str, str] = {}
    ) -> None:
        tags = {**more, **{f"result.{name}": _short(value) for name, value in results.items()}}
        task = event.task
        self._tell_task(
            "COMPLETE", event, attempt, self._tags(tags),
            read=[*self._datasets.read(task), *self._datasets.read_for_models(task)],
            made=self._datasets.made(task),
        )  # fmt: skip

    def _tell_run(
        self, kind: str, at: datetime, facets: Mapping[str, Any], made: list[Any] | None = None
    ) -> None:
        run_id = lineage_id(self._run.run_id)
        given = {**facets, **(self._parent(*self._outer) if self._outer else {})}
        self._emit(kind, at, run_id, self._run.pipeline, "PIPELINE", given, made=made)

    def _tell_task(
        self,
        kind: str,
        event: events.TaskFact,
        attempt: int,
        facets: Mapping[str, Any] | None = None,
        *,
        read: list[Any] | None = None,
        made: list[Any] | None = None,
    ) -> None:
        planned = self._machine.task(event.task).planned
        parent = self._parent(self._namespace, self._run.pipeline, lineage_id(self._run.run_id))
        self._emit(
            kind, event.at, lineage_id(self._run.run_id, event.task, attempt), f"{self._run.pipeline}.{planned.key}",
            "NOTEBOOK", {**(facets or {}), **parent}, read=read, made=made, description=planned.description,
        )  # fmt: skip

    def _emit(
        self,
        kind: str,
        at: datetime,
        run_id: str,
        job: str,
        job_type: str,
        facets: Mapping[str, Any],
        *,
        read: list[Any] | None = None,
        made: list[Any] | None = None,
        description: str = "",
    ) -> None:
        engine = self._facets.processing_engine_run.ProcessingEngineRunFacet(
            name="jupyter_mlops", version=__version__, producer=PRODUCER
        )
        job_facets: dict[str, Any] = {
            "jobType": self._facets.job_type_job.JobTypeJobFacet(
                processingType="BATCH", integration="JUPYTER_MLOPS", jobType=job_type, producer=PRODUCER
            )
        }
        if description:
            job_facets["documentation"] = self._facets.documentation_job.DocumentationJobFacet(
                description=description, producer=PRODUCER
            )
        event = self._events.RunEvent(
            eventType=self._events.RunState[kind],
            eventTime=at.isoformat(),
            run=self._events.Run(runId=run_id, facets={"processing_engine": engine, **facets}),
            job=self._events.Job(namespace=self._namespace, name=job, facets=job_facets),
            inputs=read or [],
            outputs=made or [],
            producer=PRODUCER,
        )
        self._sender.put(event)

    def _begun(self) -> dict[str, Any]:
        facets = self._parameters(self._run.arguments)
        fires = [] if self._catalog is None else self._catalog.find(Fire, where={"run_id": self._run.run_id})
        if fires:
            facets["nominalTime"] = self._facets.nominal_time_run.NominalTimeRunFacet(
                nominalStartTime=fires[0].fire_at.isoformat(), producer=PRODUCER
            )
        return facets

    def _parameters(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        module = self._facets.execution_parameters_run
        given = [
            module.ExecutionParameter(key=name, value=_short(value))
            for name, value in named_secrets(dict(arguments)).items()
        ]
        if not given:
            return {}
        facet = module.ExecutionParametersRunFacet(parameters=given, producer=PRODUCER)
        return {"executionParameters": facet}

    def _tags(self, tags: Mapping[str, str]) -> dict[str, Any]:
        if not tags:
            return {}
        module = self._facets.tags_run
        made = [
            module.TagsRunFacetFields(key=k, value=v, source="jupyter_mlops") for k, v in tags.items() if v
        ]
        return {"tags": module.TagsRunFacet(tags=made, producer=PRODUCER)}

    def _error(self, error: Mapping[str, Any]) -> dict[str, Any]:
        traceback = error.get("traceback")
        text = "\n".join(map(str, traceback)) if isinstance(traceback, list | tuple) else str(traceback or "")
        facet = self._facets.error_message_run.ErrorMessageRunFacet(
            message=str(error.get("message") or "it failed"),
            programmingLanguage="python",
            stackTrace=words.plain(text) or None,
            producer=PRODUCER,
        )
        return {"errorMessage": facet}

    def _parent(self, namespace: str, name: str, run_id: str) -> dict[str, Any]:
        module = self._facets.parent_run
        facet = module.ParentRunFacet(
            run=module.Run(runId=run_id), job=module.Job(namespace=namespace, name=name), producer=PRODUCER
        )
        return {"parent": facet}


def _outer(text: str) -> tuple[str, str, str] | None:
    """Namespace, name and run of who started us, as dbt and others take it: ``namespace/name/run``."""
    namespace, _, rest = text.partition("/")
    name, _, run_id = rest.rpartition("/")
    return (namespace, name, run_id) if namespace and name and run_id else None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else encoding.dumps(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
