"""Where the tasks of a DAG stand in a picture.

Sugiyama's method in its plainest form: layers by longest path, dummy nodes where an edge crosses a layer, a
few barycenter sweeps against crossings, then coordinates. The last step is the one that makes a picture calm:
within a layer each node wants to stand at the mean of its neighbors, and must keep its distance from the one
before it; that is isotonic regression, which pooling adjacent violators solves exactly, in linear time.

The unit is the caller's (characters, pixels): a layer is an index, a position within it a float. Pure and
deterministic; the terminal, the SVG and the panel draw the same layout.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import InvalidInput

Edge = tuple[str, str]
Point = tuple[int, float]
_SWEEPS = 4
_ALIGNMENTS = 6
_MOST_DUMMIES = 20_000  # beyond, long edges go straight: nobody can follow them anyway


@dataclass(frozen=True, slots=True)
class Layout:
    """`positions` gives each node's layer and its center within it; `routes` the points of each edge, one a
    layer, both ends included; `layers` the nodes of each layer in order; `breadth` is the widest extent."""

    layers: tuple[tuple[str, ...], ...]
    positions: Mapping[str, Point]
    routes: Mapping[Edge, tuple[Point, ...]]
    breadth: float


@dataclass(slots=True)
class _Graph:
    """Integer nodes, the dummies after the real ones; `below` and `above` join adjacent layers only."""

    layer_of: list[int]
    rows: list[list[int]]
    below: list[list[int]]
    above: list[list[int]]
    chains: list[dict[int, int]]  # of each real node: the dummy that carries its long edges through a layer


def lay_out(
    keys: Sequence[str],
    edges: Iterable[Edge],
    *,
    breadths: Mapping[str, float] | None = None,
    gap: float = 1.0,
) -> Layout:
    """Place `keys`, each `breadths[key]` (1.0 if not told) wide, at least `gap` apart within a layer.

    Earlier keys stand first where nothing else decides. Raises `InvalidInput` for a cycle or an edge whose
    end is not among the keys.
    """
    number = {key: i for i, key in enumerate(keys)}
    pairs = list(dict.fromkeys(edges))
    for edge in pairs:
        for end in edge:
            if end not in number:
                raise InvalidInput(f"edge {edge[0]} → {edge[1]}: there is no node {end!r}")
    numbered = [(number[a], number[b]) for a, b in pairs]
    graph = _with_dummies(_layer(keys, numbered), numbered)
    _order(graph)
    width = [(breadths or {}).get(key, 1.0) for key in keys] + [0.0] * (len(graph.layer_of) - len(keys))
    x = _place(graph, width, gap)
    left = min((x[i] - width[i] / 2 for i in range(len(x))), default=0.0)
    points = [(graph.layer_of[i], x[i] - left) for i in range(len(x))]
    routes = {}
    for (a, b), edge in zip(numbered, pairs, strict=True):
        between = range(graph.layer_of[a] + 1, graph.layer_of[b])
        passing = tuple(points[graph.chains[a][layer]] for layer in between if layer in graph.chains[a])
        routes[edge] = (points[a], *passing, points[b])
    return Layout(
        layers=tuple(tuple(keys[i] for i in row if i < len(keys)) for row in graph.rows),
        positions={key: points[i] for key, i in number.items()},
        routes=routes,
        breadth=max((x[i] + width[i] / 2 for i in range(len(x))), default=left) - left,
    )


def _layer(keys: Sequence[str], edges: Sequence[tuple[int, int]]) -> list[int]:
    """The longest path that leads to each node; one without inputs stands right above who needs it first."""
    count = len(keys)
    children: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for a, b in edges:
        children[a].append(b)
        waiting[b] += 1
    roots = [i for i in range(count) if not waiting[i]]
    layer, ready, done = [0] * count, list(roots), 0
    while done < len(ready):
        node = ready[done]
        done += 1
        for child in children[node]:
            layer[child] = max(layer[child], layer[node] + 1)
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    if done < count:
        stuck = sorted(keys[i] for i in range(count) if waiting[i])
        raise InvalidInput(f"not a DAG: there is a cycle among {', '.join(stuck[:8])}")
    for root in roots:
        if children[root]:
            layer[root] = min(layer[child] for child in children[root]) - 1
    return layer


def _with_dummies(layer: list[int], edges: Sequence[tuple[int, int]]) -> _Graph:
    """Break edges over several layers into short ones; long edges of a node share one chain of dummies."""
    real = len(layer)
    farthest = [at + 1 for at in layer]
    for a, b in edges:
        farthest[a] = max(farthest[a], layer[b])
    is_straight = sum(far - at - 1 for far, at in zip(farthest, layer, strict=True)) > _MOST_DUMMIES
    layer_of, chains = list(layer), [dict[int, int]() for _ in range(real)]
    short: list[tuple[int, int]] = []
    for a in range(real) if not is_straight else ():
        last = a
        for at in range(layer[a] + 1, farthest[a]):
            chains[a][at] = len(layer_of)
            short.append((last, len(layer_of)))
            last = len(layer_of)
            layer_of.append(at)
    for a, b in edges:
        if layer[b] == layer[a] + 1:
            short.append((a, b))
        elif not is_straight:
            short.append((chains[a][layer[b] - 1], b))
    below: list[list[int]] = [[] for _ in layer_of]
    above: list[list[int]] = [[] for _ in layer_of]
    for a, b in short:
        below[a].append(b)
        above[b].append(a)
    rows: list[list[int]] = [[] for _ in range(max(layer_of, default=-1) + 1)]
    for node, at in enumerate(layer_of):
        rows[at].append(node)
    return _Graph(layer_of, rows, below, above, chains)


def _order(graph: _Graph) -> None:
    """Sort each row by the mean place of its neighbors, down and up; keep the order with fewest crossings."""
    best, fewest = [list(row) for row in graph.rows], _crossings(graph)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        is_down = sweep % 2 == 0
        neighbors = graph.above if is_down else graph.below
        rows = graph.rows[1:] if is_down else graph.rows[-2::-1]
        place = {node: float(i) for row in graph.rows for i, node in enumerate(row)}
        for row in rows:
            wish = {
                node: sum(place[other] for other in neighbors[node]) / len(neighbors[node])
                if neighbors[node]
                else place[node]
                for node in row
            }
            row.sort(key=lambda node, wish=wish: (wish[node], place[node]))  # type: ignore[misc]
            place.update({node: float(i) for i, node in enumerate(row)})
        count = _crossings(graph)
        if count < fewest:
            best, fewest = [list(row) for row in graph.rows], count
    graph.rows[:] = best


def _crossings(graph: _Graph) -> int:
    """How many pairs of short edges cross."""
    total = 0
    for upper, lower in zip(graph.rows, graph.rows[1:], strict=False):
        place = {node: i for i, node in enumerate(lower)}
        seen: list[int] = []
        for node in upper:
            ends = sorted(place[child] for child in graph.below[node])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _place(graph: _Graph, width: Sequence[float], gap: float) -> list[float]:
    """Coordinates within the rows: alternately each row under its inputs and over its outputs."""
    x = [0.0] * len(width)
    for row in graph.rows:
        at = 0.0
        for node in row:
            x[node] = at + width[node] / 2
            at += width[node] + gap
        for node in row:  # rows start centered on one axis
            x[node] -= (at - gap) / 2
    for turn in range(_ALIGNMENTS):
        is_down = turn % 2 == 0
        near, far = (graph.above, graph.below) if is_down else (graph.below, graph.above)
        for row in graph.rows if is_down else reversed(graph.rows):
            wishes = []
            for node in row:
                others = near[node] or far[node]
                wishes.append(sum(x[other] for other in others) / len(others) if others else x[node])
            for node, at in zip(row, _spread(wishes, [width[node] for node in row], gap), strict=True):
                x[node] = at
    return x


def _spread(wishes: Sequence[float], widths: Sequence[float], gap: float) -> list[float]:
    """Places nearest to the wishes (least squares) that keep order and distance: pool adjacent violators."""
    offsets: list[float] = []
    for i, width in enumerate(widths):
        offsets.append(offsets[-1] + (widths[i - 1] + width) / 2 + gap if i else 0.0)
    pools: list[tuple[float, int]] = []  # (mean, size), means increasing
    for wish, offset in zip(wishes, offsets, strict=True):
        mean, size = wish - offset, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
