"""JSON of models, their versions, aliases and lineage."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..catalog.records import AliasMove, ModelAlias, ModelVersion, RegisteredModel
from ..models import Comparison, Lineage, Manifest, Node
from .graphs import graph_of
from .present import moment

_DIGEST = re.compile(r"\b[0-9a-f]{16,}\b")
_ENVELOPE = (
    "definition", "parameters", "dependencies", "data", "code", "run", "artifacts", "signature", "example", "tags",
    "description", "files", "check",
)  # fmt: skip


def metrics_body(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those that are numbers a chart can show."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def model_body(
    model: RegisteredModel, newest: ModelVersion | None, count: int, aliases: Iterable[ModelAlias]
) -> dict[str, Any]:
    """`ModelSummary`."""
    return {
        "name": model.name,
        "description": model.description or (newest.description if newest else ""),
        "tags": dict(newest.tags) if newest else dict(model.tags),
        "last_version": newest.version if newest else None,
        "version_count": count,
        "aliases": {each.alias: each.version for each in aliases},
        "metrics": metrics_body(newest.metrics) if newest else {},
        "estimator": newest.estimator if newest else "",
        "user_name": model.user_name,
        "created_at": moment(model.created_at),
        "updated_at": moment(model.updated_at),
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
        "created_at": moment(version.created_at),
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
        "updated_at": moment(alias.updated_at),
    }


def move_body(move: AliasMove) -> dict[str, Any]:
    """`AliasMove`."""
    return {
        "alias": move.alias,
        "old_version": move.old_version,
        "new_version": move.new_version,
        "user_name": move.user_name,
        "at": moment(move.at),
    }


def lineage_body(lineage: Lineage) -> dict[str, Any]:
    """`Lineage`, drawn from left to right."""
    nodes = [*reversed(lineage.upstream), lineage.node, *lineage.downstream]
    ids = {node: f"{node.kind}:{node.name}" for node in nodes}
    edges = [(ids[a], ids[b]) for a, b in lineage.edges if a in ids and b in ids]
    return {
        "nodes": [
            {"id": ids[node], "kind": node.kind, "label": _label(node), "is_self": node == lineage.node}
            for node in nodes
        ],
        "edges": [list(edge) for edge in edges],
        "graph": graph_of(
            {ids[node]: (_label(node), "task") for node in nodes}, dict.fromkeys(edges, "needs"), "right"
        ),
    }


def _label(node: Node) -> str:
    """A name that fits into a box: digests cut, paths by their end."""
    name = node.name
    if node.kind in ("data", "notebook", "query") and "/" in name:
        name = name.rstrip("/").rpartition("/")[2] or name
    return _DIGEST.sub(lambda found: found[0][:8], name)


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
