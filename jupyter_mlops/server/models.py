"""The operations on models: lists, versions with all that they hold, aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalog import Catalog
from ..catalog.records import ModelAlias, ModelVersion, RegisteredModel
from ..errors import InvalidInput
from ..models import ModelReference
from ..models.documents import (
    alias_body,
    comparison_body,
    envelope_body,
    model_body,
    move_body,
    version_body,
)
from ..models.overview import LIVE, overview, searched
from .panel import Panel
from .present import page
from .present_models import lineage_body

_MOST_MOVES = 200
_MOST_COMPARED = 20


def list_page(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listModels`."""
    store, text = panel.workspace.models, asked["search"] or ""
    limit, offset = asked["limit"], asked["offset"]
    total = panel.workspace.catalog.count(RegisteredModel, where=LIVE, search=searched(text))
    return page(map(model_body, store.overview(text, limit=limit, offset=offset)), total, limit, offset)


def _aliases(catalog: Catalog, name: str) -> tuple[list[ModelAlias], dict[int, list[str]]]:
    """The aliases, and their names by version."""
    found = catalog.find(ModelAlias, where={"name": name}, order_by="alias")
    by_version: dict[int, list[str]] = {}
    for each in found:
        by_version.setdefault(each.version, []).append(each.alias)
    return found, by_version


def show(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getModel`."""
    workspace, name = panel.workspace, asked["name"]
    catalog = workspace.catalog
    model = workspace.models.model(name)
    limit, offset = asked["limit"], asked["offset"]
    versions = catalog.find(
        ModelVersion, where={"name": name}, order_by="-version", limit=limit, offset=offset
    )
    aliases, by_version = _aliases(catalog, name)
    return {
        **model_body(overview(catalog, [model])[0]),
        "versions": [version_body(each, by_version.get(each.version, ())) for each in versions],
        "alias_list": [alias_body(each) for each in aliases],
        "alias_history": [move_body(each) for each in workspace.models.alias_history(name)[:_MOST_MOVES]],
        "metric_names": list(dict.fromkeys(metric for each in versions for metric in each.metrics)),
        "limit": limit,
        "offset": offset,
    }


def show_version(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getModelVersion`."""
    models = panel.workspace.models
    panel.workspace.models.model(asked["name"])
    version = models.get(ModelReference(asked["name"], version=asked["version"]))
    _, by_version = _aliases(panel.workspace.catalog, version.name)
    return {
        "version": version_body(version, by_version.get(version.version, ())),
        "envelope": envelope_body(models.manifest(version)),
        "lineage": lineage_body(models.lineage(version)),
    }


def set_alias(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`setAlias`."""
    panel.workspace.models.model(asked["name"])
    moved = panel.workspace.models.set_alias(
        asked["name"], asked["alias"], asked["version"],
        is_protected=asked["is_protected"], force=bool(asked["force"]),
    )  # fmt: skip
    return alias_body(moved)


def delete_alias(panel: Panel, asked: Mapping[str, Any]) -> None:
    """`deleteAlias`."""
    panel.workspace.models.model(asked["name"])
    panel.workspace.models.delete_alias(asked["name"], asked["alias"], force=bool(asked["force"]))


def compare(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`compareModels`."""
    name = asked["name"]
    numbers = list(dict.fromkeys(int(number) for number in asked["versions"].split(",")))
    if not 2 <= len(numbers) <= _MOST_COMPARED or max(numbers) >= 2**31:
        raise InvalidInput(
            f"versions: {asked['versions']} are not 2 to {_MOST_COMPARED} different versions",
            hint="versions=1,2",
        )
    panel.workspace.models.model(name)
    found = panel.workspace.models.compare(*(ModelReference(name, version=number) for number in numbers))
    return comparison_body(found, _aliases(panel.workspace.catalog, name)[1])
