"""What a task reads and makes, as OpenLineage's datasets: artifacts, declared files, models, feature views.

A dataset's name is what stays the same from run to run (``flights.pull.rows``, ``models/flights``,
``features/weather``); which content it had is its version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..blobs import Reference, parse_reference
from ..catalog import Catalog
from ..catalog.records import Artifact, LineageLink, Materialization, ModelVersion
from ..pipelines import RunState
from ..preflight import matching

_MOST = 200  # datasets on one side of one event
_SOURCES = {"data": "data", "feature_view": "features", "feature_service": "features"}


class Datasets:
    """The datasets of one run. `make` gives the client's classes their producer."""

    def __init__(
        self, machine: RunState, catalog: Catalog | None, blobs: str, folder: Path, *, namespace: str, producer: str
    ) -> None:  # fmt: skip
        from openlineage.client import event_v2, facet_v2

        self._events, self._facets = event_v2, facet_v2
        self._machine, self._catalog, self._folder = machine, catalog, folder
        self._namespace, self._producer = namespace, producer
        self._store = _without_login(blobs)

    def read(self, task: str) -> list[Any]:
        """What the task is about to read: the artifacts among its arguments, and its declared files."""
        found: dict[str, Any] = {}
        for reference in _references(self._machine.arguments(task)):
            name = self._name_of(str(reference))
            facets = self._artifact_facets(reference)
            found[name] = self._events.InputDataset(namespace=self._namespace, name=name, facets=facets)
        for pattern in self._machine.task(task).planned.files:
            for path in matching(self._folder, pattern):
                found[str(path)] = self._events.InputDataset(namespace="file", name=path.as_posix())
        return list(found.values())[:_MOST]

    def made(self, task: str) -> list[Any]:
        """What it left: artifacts with their rows and columns, and versions of models."""
        run_id = self._machine.run_id
        told = {each.name: each for each in self._find(Artifact, run_id=run_id, task=task)}
        found = []
        for name, text in self._machine.task(task).artifacts.items():
            reference = parse_reference(text)
            if reference is not None:
                facets, size = self._artifact_facets(reference), None
                if name in told:
                    facets |= self._schema(told[name].summary)
                    size = self._statistics(told[name])
                dataset = self._events.OutputDataset(
                    namespace=self._namespace, name=self._artifact(task, name), facets=facets,
                    outputFacets={"outputStatistics": size} if size else {},
                )  # fmt: skip
                found.append(dataset)
        found += [self._model(version) for version in self._models(task)]
        return found[:_MOST]

    def read_for_models(self, task: str) -> list[Any]:
        """What its models say that they were trained on: named data, feature views and services."""
        found: dict[str, Any] = {}
        for version in self._models(task):
            links = self._find(LineageLink, target_kind="model", target=f"{version.name}/{version.version}")
            for link in links:
                if link.source_kind == "data":
                    links += self._find(LineageLink, target_kind="data", target=link.source)
                if link.source_kind in _SOURCES:
                    name = f"{_SOURCES[link.source_kind]}/{link.source}"
                    found[name] = self._events.InputDataset(namespace=self._namespace, name=name)
        return list(found.values())[:_MOST]

    def materialized(self) -> list[Any]:
        """The feature views that the run brought into the stores."""
        found = {}
        for each in self._find(Materialization, run_id=self._machine.run_id, state="succeeded"):
            rows = self._facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                rowCount=each.rows, producer=self._producer
            )
            found[each.view] = self._events.OutputDataset(
                namespace=self._namespace, name=f"features/{each.view}", facets=self._version(each.version),
                outputFacets={"outputStatistics": rows},
            )  # fmt: skip
        return list(found.values())[:_MOST]

    # --- within ---------------------------------------------------------------------------------------------

    def _find(self, kind: type[Any], **where: Any) -> list[Any]:
        return [] if self._catalog is None else self._catalog.find(kind, where=where, limit=_MOST)

    def _models(self, task: str) -> list[ModelVersion]:
        return self._find(ModelVersion, run_id=self._machine.run_id, task=task)

    def _artifact(self, task: str, name: str) -> str:
        """The instances of a map make parts of one dataset; those of a matrix each their own."""
        return f"{self._machine.plan.pipeline}.{self._machine.task(task).planned.key}.{name}"

    def _name_of(self, reference: str) -> str:
        """The dataset that a reference is a version of: what the task that made it calls it."""
        for key, state in self._machine.tasks.items():
            for name, text in state.artifacts.items():
                if text == reference:
                    return self._artifact(key, name)
        parsed = parse_reference(reference)
        return f"artifacts/{parsed.name or parsed.digest}" if parsed else reference

    def _artifact_facets(self, reference: Reference) -> dict[str, Any]:
        layer = self._store.partition("://")[0] if "://" in self._store else "file"
        storage = self._facets.storage_dataset.StorageDatasetFacet(
            storageLayer=layer, fileFormat=reference.format or None, producer=self._producer
        )
        uri = self._store if "://" in self._store else f"file://{self._store}"
        source = self._facets.datasource_dataset.DatasourceDatasetFacet(
            name=uri, uri=uri, producer=self._producer
        )
        return {**self._version(reference.digest), "storage": storage, "dataSource": source}

    def _version(self, version: object) -> dict[str, Any]:
        facet = self._facets.dataset_version_dataset.DatasetVersionDatasetFacet
        return {"version": facet(datasetVersion=str(version), producer=self._producer)}

    def _schema(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        columns = summary.get("column_names")
        if not columns:
            return {}
        module = self._facets.schema_dataset
        fields = [module.SchemaDatasetFacetFields(name=str(name)) for name in columns]
        return {"schema": module.SchemaDatasetFacet(fields=fields, producer=self._producer)}

    def _statistics(self, artifact: Artifact) -> Any:
        rows = artifact.summary.get("rows")
        return self._facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=rows if isinstance(rows, int) else None,
            size=artifact.size_bytes,
            producer=self._producer,
        )

    def _model(self, version: ModelVersion) -> Any:
        facets = self._version(version.version)
        tags = {**version.tags, **{f"metric.{name}": value for name, value in version.metrics.items()}}
        if tags:
            module = self._facets.tags_dataset
            made = [
                module.TagsDatasetFacetFields(key=key, value=str(value), source="jupyter_mlops")
                for key, value in tags.items()
            ]
            facets["tags"] = module.TagsDatasetFacet(tags=made, producer=self._producer)
        if version.description:
            facets["documentation"] = self._facets.documentation_dataset.DocumentationDatasetFacet(
                description=version.description, producer=self._producer
            )
        name = f"models/{version.name}"
        return self._events.OutputDataset(namespace=self._namespace, name=name, facets=facets)


def _references(value: Any) -> Iterator[Reference]:
    """The references to artifacts in a value, however deep."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)
    elif (parsed := parse_reference(value)) is not None:
        yield parsed


def _without_login(url: str) -> str:
    """A URL without the name and password that some have."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
