"""Boxes joined by lines, drawn with characters.

The layout says where the boxes stand; here the lines between two layers find their way. Sources that feed the
same targets share one *bus*: a tree with one level stretch, on a row (*track*) of its own between the layers.
Two lines that cross are drawn as a bridge, never as a junction, so that the picture cannot be misread; where
that cannot be had, or the width does not suffice, there is no picture, and the caller shows a list instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

from ..words import columns
from .layout import Edge, Layout, lay_out

Piece = tuple[str, str]
"""Text and its role: a state, ``"label"``, ``"detail"`` or ``"line"``; the caller knows colors for them."""

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_CHARS = " │││─╯╮┤─╰╭├─┴┬┼"  # by the ways that meet in a cell
_GAP = 3.0
_Item = tuple[
    str, int
]  # a node (its key, -1), or the chain of a node's long edges in a layer (its key, layer)


@dataclass(frozen=True, slots=True)
class Box:
    """What stands in a box: `lines` of pieces, and the role that colors its border."""

    lines: Sequence[Sequence[Piece]]
    role: str = "line"

    @property
    def breadth(self) -> int:
        """Columns with the border and a space on either side; odd, so that there is a middle."""
        inner = max((sum(columns(text) for text, _ in line) for line in self.lines), default=0)
        return (inner + 4) | 1

    @property
    def height(self) -> int:
        """Rows with the border."""
        return len(self.lines) + 2


def draw_boxes(boxes: Mapping[str, Box], edges: Iterable[Edge], *, width: int) -> list[list[Piece]] | None:
    """The picture as lines of pieces, at most `width` columns wide; nothing if it cannot be clear."""
    breadths = {key: box.breadth for key, box in boxes.items()}
    if max(breadths.values(), default=0) > width:
        return None
    layout = lay_out(list(boxes), edges, breadths=breadths, gap=_GAP)
    if layout.breadth > width:
        return None
    joins = _joins(layout)
    if joins is None:
        return None
    canvas = _Canvas()
    middle = {(key, -1): floor(x) for key, (_, x) in layout.positions.items()}
    for (source, _), route in layout.routes.items():
        middle.update({(source, layer): floor(x) for layer, x in route[1:-1]})
    top, entries = 0, dict[_Item, list[int]]()
    for layer, keys in enumerate(layout.layers):
        buses = _ports(joins[layer], middle, boxes)
        tracks = None if buses is None else _tracks(buses)
        if buses is None or tracks is None:
            return None
        exits: dict[_Item, int] = {item: at for bus in buses for item, at in bus.sources.items()}
        height = max(boxes[key].height for key in keys)
        for key in keys:
            item = (key, -1)
            box = boxes[key]
            canvas.box(top, middle[item] - box.breadth // 2, box, entries.get(item, ()), exits.get(item))
            if item in exits:
                canvas.vertical(top + box.height, top + height, exits[item])
        for item in (item for item in exits if item[1] == layer):
            canvas.vertical(top, top + height, exits[item])
        top += height
        rows = max(1, tracks) if buses else 0
        for bus in buses:
            canvas.bus(top, rows, bus)
        entries = {}
        for bus in buses:
            for item, at in bus.targets.items():
                entries.setdefault(item, []).append(at)
        top += rows
    return canvas.lines()


# --- the way of the lines -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Bus:
    """Lines from each of its sources to each of its targets, with the columns where they leave and arrive."""

    sources: dict[_Item, int]
    targets: dict[_Item, int]
    track: int = 0

    @property
    def span(self) -> tuple[int, int]:
        ends = [*self.sources.values(), *self.targets.values()]
        return min(ends), max(ends)

    @property
    def is_straight(self) -> bool:
        return self.span[0] == self.span[1]


def _joins(layout: Layout) -> list[dict[_Item, dict[_Item, None]]] | None:
    """For each layer, which items lead to which of the next; nothing if long edges were left straight."""
    joins: list[dict[_Item, dict[_Item, None]]] = [{} for _ in layout.layers]
    for (a, b), route in layout.routes.items():
        first, last = route[0][0], route[-1][0]
        if len(route) != last - first + 1:
            return None
        for layer in range(first, last):
            source = (a, -1) if layer == first else (a, layer)
            target = (b, -1) if layer + 1 == last else (a, layer + 1)
            joins[layer].setdefault(source, {})[target] = None
    return joins


def _ports(
    joins: Mapping[_Item, Mapping[_Item, None]], middle: Mapping[_Item, int], boxes: Mapping[str, Box]
) -> list[_Bus] | None:
    """The buses below a layer with the columns of their ends; nothing if a box is too narrow for its own."""

    def inside(item: _Item, at: int) -> bool:
        return item[1] < 0 and abs(at - middle[item]) < boxes[item[0]].breadth // 2

    groups: dict[frozenset[_Item], _Bus] = {}
    for source, targets in joins.items():
        bus = groups.setdefault(frozenset(targets), _Bus({}, {target: middle[target] for target in targets}))
        bus.sources[source] = middle[source]
    buses = list(groups.values())
    arriving: dict[_Item, list[_Bus]] = {}
    for bus in buses:
        for target in bus.targets:
            arriving.setdefault(target, []).append(bus)
    for target, several in arriving.items():
        several.sort(key=lambda bus: sum(bus.sources.values()) / len(bus.sources))
        for i, bus in enumerate(several):
            at = middle[target] + 2 * i - (len(several) - 1)
            if len(several) > 1 and not inside(target, at):
                return None
            bus.targets[target] = at
    for bus in buses:
        if len(bus.sources) == len(bus.targets) == 1:
            (source, leaves), (target, arrives) = *bus.sources.items(), *bus.targets.items()
            if inside(source, arrives):
                bus.sources[source] = arrives
            elif len(arriving[target]) == 1 and inside(target, leaves):
                bus.targets[target] = leaves
    return buses


def _tracks(buses: Sequence[_Bus]) -> int | None:
    """Give each bus that is not straight a row; how many rows that takes, or nothing if lines would coincide.

    A line that comes down in a column in which another one goes on must end above where that begins.
    """
    starts = {at: bus for bus in buses for at in bus.sources.values()}
    above: dict[int, set[int]] = {id(bus): set() for bus in buses}
    for bus in buses:
        for at in bus.targets.values():
            other = starts.get(at)
            if other is not None and other is not bus:
                if other.is_straight or bus.is_straight:
                    return None
                above[id(bus)].add(id(other))
    waiting = sorted((bus for bus in buses if not bus.is_straight), key=lambda bus: bus.span)
    placed: dict[int, _Bus] = {}
    while waiting:
        free = [bus for bus in waiting if above[id(bus)] <= placed.keys()]
        if not free:
            return None
        bus = free[0]
        waiting.remove(bus)
        low, high = bus.span
        bus.track = max((placed[other].track + 1 for other in above[id(bus)]), default=0)
        taken = {o.track for o in placed.values() if o.span[0] <= high + 1 and o.span[1] >= low - 1}
        while bus.track in taken:
            bus.track += 1
        placed[id(bus)] = bus
    return max((bus.track + 1 for bus in placed.values()), default=0)


# --- characters -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Canvas:
    """Cells by (row, column): a character and its role; the second cell of a wide character is empty text."""

    cells: dict[tuple[int, int], Piece] = field(default_factory=dict)

    def write(self, row: int, column: int, text: str, role: str) -> int:
        """Put text down; the column after it."""
        for char in text:
            wide = columns(char)
            if not wide:  # an accent belongs to the character before it
                before, its_role = self.cells[row, column - 1]
                self.cells[row, column - 1] = (before + char, its_role)
                continue
            self.cells[row, column] = (char, role)
            if wide == 2:
                self.cells[row, column + 1] = ("", role)
            column += wide
        return column

    def vertical(self, top: int, bottom: int, column: int) -> None:
        for row in range(top, bottom):
            self.cells[row, column] = ("│", "line")

    def box(self, top: int, left: int, box: Box, entries: Iterable[int], leaves: int | None) -> None:
        right = left + box.breadth - 1
        self.write(top, left, f"╭{'─' * (box.breadth - 2)}╮", box.role)
        for row, line in enumerate(box.lines, top + 1):
            self.write(row, left, "│", box.role)
            column = left + 2
            for text, role in line:
                column = self.write(row, column, text, role)
            self.write(row, right, "│", box.role)
        bottom = top + box.height - 1
        self.write(bottom, left, f"╰{'─' * (box.breadth - 2)}╯", box.role)
        for at in entries:
            self.write(top, at, "┴", box.role)
        if leaves is not None:
            self.write(bottom, leaves, "┬", box.role)

    def bus(self, top: int, rows: int, bus: _Bus) -> None:
        mine: dict[tuple[int, int], int] = {}

        def add(row: int, column: int, ways: int) -> None:
            mine[row, column] = mine.get((row, column), 0) | ways

        level = rows - 1 if bus.is_straight else bus.track
        for at in bus.sources.values():
            for row in range(level):
                add(row, at, _UP | _DOWN)
            add(level, at, _UP)
        for at in bus.targets.values():
            add(level, at, _DOWN)
            for row in range(level + 1, rows):
                add(row, at, _UP | _DOWN)
        low, high = bus.span
        for at in range(low, high):
            add(level, at, _RIGHT)
            add(level, at + 1, _LEFT)
        for (row, column), ways in mine.items():
            is_bridge = (top + row, column) in self.cells  # two lines cross: the upright one goes over
            self.cells[top + row, column] = ("│" if is_bridge else _CHARS[ways], "line")

    def lines(self) -> list[list[Piece]]:
        """The rows, runs of one role joined, no blanks at their ends."""
        bottom = max((row for row, _ in self.cells), default=-1)
        ends = [0] * (bottom + 1)
        for row, column in self.cells:
            ends[row] = max(ends[row], column + 1)
        lines: list[list[Piece]] = []
        for row, end in enumerate(ends):
            line: list[Piece] = []
            for column in range(end):
                char, role = self.cells.get((row, column), (" ", ""))
                if line and line[-1][1] == role:
                    line[-1] = (line[-1][0] + char, role)
                else:
                    line.append((char, role))
            lines.append(line)
        return lines
