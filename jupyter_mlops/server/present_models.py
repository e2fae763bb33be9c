"""JSON of what models were made from, and what was made from them."""

from __future__ import annotations

import re
from typing import Any

from ..models import Lineage, Node
from .graphs import graph_of

_DIGEST = re.compile(r"\b[0-9a-f]{16,}\b")


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
