"""Models, their versions and aliases as JSON, for whoever shows them: ``--json`` and the panel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..catalog.records import AliasMove, ModelAlias, ModelVersion
from ..words import iso
from .comparison import Comparison
from .manifest import Manifest
from .overview import ModelOverview

_ENVELOPE = (
    "definition", "parameters", "dependencies", "data", "code", "run", "artifacts", "signature", "example", "tags",
    "description", "files", "check",
)  # fmt: skip


def metrics_body(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those that are numbers a chart can show."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def model_body(one: ModelOverview) -> dict[str, Any]:
    """`ModelSummary`."""
    model, newest = one.model, one.newest
    return {
        "name": model.name,
        "description": model.description or (newest.description if newest else ""),
        "tags": dict(newest.tags) if newest else dict(model.tags),
        "last_version": newest.version if newest else None,
        "version_count": one.version_count,
        "aliases": {each.alias: each.version for each in one.aliases},
        "metrics": metrics_body(newest.metrics) if newest else {},
        "estimator": newest.estimator if newest else "",
        "user_name": model.user_name,
        "created_at": iso(model.created_at),
        "updated_at": iso(model.updated_at),
    }


def version_body(version: ModelVersion, aliases: Sequence[str]) -> dict[str, Any]:
    """`ModelVersionSummary`."""
    return {
        "name": version.name,
        "version": version.version,
        "estimator": version.estimator,
        "format": version.format,
        "metrics": metrics_body(version.metrics),
        "tags": dict(version.tags),
        "description": version.description,
        "aliases": list(aliases),
        "run_id": version.run_id or None,
        "task": version.task or None,
        "user_name": version.user_name,
        "created_at": iso(version.created_at),
        "size_bytes": version.size_bytes,
        "check": version.check,
        "origin": version.origin,
    }


def envelope_body(manifest: Manifest) -> dict[str, Any]:
    """`Envelope`."""
    body = manifest.to_json()
    return {
        **{name: body[name] for name in _ENVELOPE},
        "featurize": _function(body["featurize"]),
        "predict": _function(body["predict"]),
        "metrics": metrics_body(manifest.metrics),
        "digest": manifest.digest,
    }


def _function(function: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if function is None:
        return None
    return {**function, "name": str(function.get("name", "")), "source": str(function.get("source", ""))}


def alias_body(alias: ModelAlias) -> dict[str, Any]:
    """`Alias`."""
    return {
        "name": alias.name,
        "alias": alias.alias,
        "version": alias.version,
        "is_protected": alias.is_protected,
        "user_name": alias.user_name,
        "updated_at": iso(alias.updated_at),
    }


def move_body(move: AliasMove) -> dict[str, Any]:
    """`AliasMove`."""
    return {
        "alias": move.alias,
        "old_version": move.old_version,
        "new_version": move.new_version,
        "user_name": move.user_name,
        "at": iso(move.at),
    }


def comparison_body(found: Comparison, aliases: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    """`ModelComparison`."""
    tables = [
        {
            "title": title,
            "rows": [
                {
                    "name": name,
                    "values": [_cell(value) for value in row],
                    "is_same": all(one == row[0] for one in row[1:]),
                }
                for name, row in rows.items()
            ],
        }
        for title, rows in found.tables.items()
    ]
    return {
        "versions": [version_body(each, aliases.get(each.version, ())) for each in found.versions],
        "tables": tables,
        "code": list(found.code),
    }


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)
