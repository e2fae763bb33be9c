"""What was made from what, both ways: query → data → features → run and notebook → version → deployment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..catalog import Catalog, LineageLink
from ..events import now

_MOST = 1000  # nodes that one story may have


@dataclass(frozen=True, slots=True)
class Node:
    """A thing in a lineage: its kind (``data``, ``run``, ``model``, …) and its name among them."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Of one node: `edges` (from, to) of all that it was made from and that was made from it."""

    node: Node
    upstream: tuple[Node, ...]
    downstream: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]

    def __str__(self) -> str:
        lines = [*(f"  ← {node}" for node in self.upstream), *(f"  → {node}" for node in self.downstream)]
        return "\n".join([str(self.node), *lines])


def record_link(catalog: Catalog, source: Node, target: Node) -> None:
    """Note that `target` was made from `source`, such as a deployment from a version."""
    catalog.put(
        LineageLink(
            source_kind=source.kind,
            source=source.name,
            target_kind=target.kind,
            target=target.name,
            created_at=now(),
        )
    )


def trace(catalog: Catalog, kind: str, name: str) -> Lineage:
    """The lineage of a thing, nearest first in both directions."""
    node = Node(kind, name)
    upstream, up = _walk(catalog, node, is_up=True)
    downstream, down = _walk(catalog, node, is_up=False)
    return Lineage(node, tuple(upstream), tuple(downstream), tuple(dict.fromkeys([*up, *down])))


def _walk(catalog: Catalog, start: Node, *, is_up: bool) -> tuple[list[Node], list[tuple[Node, Node]]]:
    seen: dict[Node, None] = {start: None}
    edges: list[tuple[Node, Node]] = []
    level = [start]
    while level and len(seen) < _MOST:
        links = list(_links(catalog, level, is_up=is_up))
        edges += links
        level = list(
            dict.fromkeys(far for link in links if (far := link[0] if is_up else link[1]) not in seen)
        )
        seen |= dict.fromkeys(level)
    return [node for node in seen if node != start], edges


def _links(catalog: Catalog, nodes: list[Node], *, is_up: bool) -> Iterator[tuple[Node, Node]]:
    end = "target" if is_up else "source"
    for kind in dict.fromkeys(node.kind for node in nodes):
        names = [node.name for node in nodes if node.kind == kind]
        where = {f"{end}_kind": kind, end: names}
        for link in catalog.find(LineageLink, where=where, order_by=("source_kind", "source")):
            yield Node(link.source_kind, link.source), Node(link.target_kind, link.target)
