"""Pictures of a DAG: Mermaid for documents, SVG for pages, boxes of characters for a terminal.

They take plain values, so that a planned pipeline, a run in the catalog and the panel are drawn by the same
code. A state is always shown twice, by a color and by a sign or a word: color alone says nothing to many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ..words import columns, shorten
from .boxes import Box, Piece, draw_boxes
from .layout import Edge, lay_out

GLYPHS: Mapping[str, str] = {
    "queued": "○",
    "running": "●",
    "succeeded": "✔",
    "cached": "↺",
    "failed": "✘",
    "upstream_failed": "⊘",
    "cancelled": "■",
    "skipped": "–",
}
# One hue a state, as (light, dark); the light ones can be told apart on a dark ground too.
COLORS: Mapping[str, tuple[str, str]] = {
    "": ("#8c959f", "#8b949e"),
    "queued": ("#8c959f", "#8b949e"),
    "running": ("#0969da", "#58a6ff"),
    "succeeded": ("#1a7f37", "#3fb950"),
    "cached": ("#0e8a8a", "#39c5cf"),
    "failed": ("#cf222e", "#ff7b72"),
    "upstream_failed": ("#bc4c00", "#f0883e"),
    "cancelled": ("#8250df", "#bc8cff"),
    "skipped": ("#6e7781", "#6e7681"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A task in a picture. `state` may be empty (a definition has none); `detail` is one short line."""

    key: str
    label: str = ""
    state: str = ""
    detail: str = ""

    @property
    def text(self) -> str:
        """What the picture writes: the label, else the key."""
        return self.label or self.key


# --- mermaid --------------------------------------------------------------------------------------------


def to_mermaid(nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """A Mermaid flowchart. States color the borders, not the ground, so that both themes can read it."""
    ids = {node.key: f"t{i}" for i, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    for node in nodes:
        sign = f"{GLYPHS[node.state]} " if node.state in GLYPHS else ""
        detail = f"<br/><small>{_mermaid_text(node.detail)}</small>" if node.detail else ""
        lines.append(f'  {ids[node.key]}["{sign}{_mermaid_text(node.text)}{detail}"]')
    lines += [f"  {ids[a]} --> {ids[b]}" for a, b in dict.fromkeys(edges)]
    for state in sorted({node.state for node in nodes if node.state in GLYPHS}):
        lines.append(f"  classDef {state} stroke:{COLORS[state][0]},stroke-width:2px")
        lines.append(f"  class {','.join(ids[n.key] for n in nodes if n.state == state)} {state}")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """Mermaid has its own entities, ``#`` and a name or number; brackets and quotes would end the label."""
    return "".join(
        f"#{ord(char)};" if char in '#"<>&[](){}|`\\;' else char for char in " ".join(text.split())
    )


# --- svg ------------------------------------------------------------------------------------------------

_NODE_HEIGHT, _ROW_GAP, _LAYER_GAP, _MARGIN = 46.0, 18.0, 56.0, 20.0
# Signs as strokes in a 16 × 16 square: fonts differ, these do not.
_STROKES: Mapping[str, str] = {
    "queued": "M8 5v3.2l2.2 1.3",
    "running": "M6.4 5l5 3-5 3z",
    "succeeded": "M4.8 8.3l2.2 2.2 4.2-4.6",
    "cached": "M11.2 6.6a3.6 3.6 0 1 0 .3 2.4M11.4 4.4v2.4h-2.4",
    "failed": "M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8",
    "upstream_failed": "M4.9 11.1l6.2-6.2",
    "cancelled": "M6 6h4v4h-4z",
    "skipped": "M5 8h6",
}


def to_svg(
    nodes: Sequence[Node], edges: Sequence[Edge], *, title: str = "Pipeline", least_width: float = 0.0
) -> str:
    """A self-contained SVG, left to right: inputs on the left. It follows the reader's light or dark setting,
    and JupyterLab's theme where it stands in a page of JupyterLab. Screen readers get each task's state.

    A picture that moves gives each box a `least_width`, in pixels, so that it does not jump with every text.
    """
    layout = lay_out(
        [n.key for n in nodes], edges, breadths={n.key: _NODE_HEIGHT for n in nodes}, gap=_ROW_GAP
    )
    own = {node.key: max(least_width, _box_width(node)) for node in nodes}
    widths = [max((own[key] for key in layer), default=0.0) for layer in layout.layers]
    lefts = [_MARGIN + sum(widths[:i]) + _LAYER_GAP * i for i in range(len(widths))]
    width = (lefts[-1] + widths[-1] if widths else 0.0) + _MARGIN
    height = layout.breadth + 2 * _MARGIN
    counts = {state: sum(n.state == state for n in nodes) for state in dict.fromkeys(n.state for n in nodes)}
    summary = (
        ", ".join(f"{count} {state}" for state, count in counts.items() if state) or f"{len(nodes)} tasks"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mlops-graph" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" '
        f"aria-label={quoteattr(f'{title}: {summary}')}>",
        f"<title>{escape(title)}</title><desc>{escape(summary)}</desc>",
        f"<style>{_style()}</style>",
        f'<rect class="ground" width="{width:.0f}" height="{height:.0f}" rx="10"/>',
    ]
    for edge, route in layout.routes.items():
        parts.append(_svg_edge(edge, route, lefts, widths, own[edge[0]]))
    for node in nodes:
        layer, y = layout.positions[node.key]
        parts.append(_svg_node(node, lefts[layer], y + _MARGIN - _NODE_HEIGHT / 2, own[node.key]))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _second_line(node: Node) -> str:
    return " · ".join(part for part in (node.state.replace("_", " "), node.detail) if part)


def _box_width(node: Node) -> float:
    """The width of a node in pixels, by an average character: SVG cannot measure text before it is shown."""
    label, second = columns(shorten(node.text, 30)), columns(shorten(_second_line(node), 36))
    return max(96.0, 47.0 + max(8.6 * label, 6.5 * second))


def _svg_edge(
    edge: Edge,
    route: Sequence[tuple[int, float]],
    lefts: Sequence[float],
    widths: Sequence[float],
    start: float,
) -> str:
    """A smooth path from a node's right side, level through the layers it crosses, to the other's left."""
    (layer, y), *rest = route
    x, y = lefts[layer] + start, y + _MARGIN
    path = [f"M{x:.1f} {y:.1f}"]
    if x < lefts[layer] + widths[layer]:
        x = lefts[layer] + widths[layer]
        path.append(f"H{x:.1f}")
    for i, (layer, center) in enumerate(rest):
        is_last = i == len(rest) - 1
        next_x, next_y = lefts[layer] - (7.0 if is_last else 0.0), center + _MARGIN
        middle = (x + next_x) / 2
        path.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {next_y:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
        if not is_last:
            x += widths[layer]
            path.append(f"H{x:.1f}")
    head = f'<path class="head" d="M{x:.1f} {y - 4:.1f}l7 4-7 4z"/>'
    title = escape(f"{edge[0]} → {edge[1]}")
    return f'<g class="edge"><title>{title}</title><path d="{"".join(path)}"/>{head}</g>'


def _svg_node(node: Node, x: float, y: float, width: float) -> str:
    second = shorten(_second_line(node), 36)
    said = f"{node.text}: {_second_line(node)}" if second else node.text
    state = node.state if node.state in COLORS else ""
    stroke = f'<path class="sign" d="{_STROKES[state]}"/>' if state in _STROKES else ""
    text_y = 20 if second else 27.5
    detail = f'<text class="detail" x="35" y="36">{escape(second)}</text>' if second else ""
    return (
        f'<g class="node {state or "plain"}" data-task={quoteattr(node.key)} role="img" '
        f'aria-label={quoteattr(said)} transform="translate({x:.1f} {y:.1f})"><title>{escape(said)}</title>'
        f'<rect class="box" width="{width:.1f}" height="{_NODE_HEIGHT:.0f}" rx="8"/>'
        f'<g transform="translate(10 {_NODE_HEIGHT / 2 - 9:.0f}) scale(1.125)">'
        f'<circle class="disc" cx="8" cy="8" r="7"/>{stroke}</g>'
        f'<text class="label" x="35" y="{text_y}">{escape(shorten(node.text, 30))}</text>{detail}</g>'
    )


_GROUNDS: Mapping[str, tuple[str, str, str]] = {  # name: (JupyterLab's variable, light, dark)
    "ground": ("--jp-layout-color1", "#ffffff", "#0d1117"),
    "box": ("--jp-layout-color2", "#f6f8fa", "#161b22"),
    "text": ("--jp-ui-font-color1", "#1f2328", "#e6edf3"),
    "muted": ("--jp-ui-font-color2", "#59636e", "#9198a1"),
    "line": ("--jp-border-color1", "#8c959f", "#6e7681"),
}


def palette(selector: str) -> str:
    """CSS variables below `selector`: a color for each state, and ``--ground --box --text --muted --line``.

    Light or dark by what the reader prefers; a page that says which it is (JupyterLab, VS Code) knows better.
    """

    def scheme(*, is_dark: bool) -> str:
        grounds = "".join(
            f"--{name}:var({jp},{(light, dark)[is_dark]});" for name, (jp, light, dark) in _GROUNDS.items()
        )
        return grounds + "".join(f"--{state or 'plain'}:{pair[is_dark]};" for state, pair in COLORS.items())

    light, dark = scheme(is_dark=False), scheme(is_dark=True)
    pages = (
        ("[data-jp-theme-light=true]", light),
        ("[data-jp-theme-light=false]", dark),
        (".vscode-light", light),
        (".vscode-dark", dark),
    )
    return f"{selector}{{{light}}}@media (prefers-color-scheme:dark){{{selector}{{{dark}}}}}" + "".join(
        f"{selector}:is({page} *){{{rules}}}" for page, rules in pages
    )


def _style() -> str:
    """Everything hangs below ``.mlops-graph``: the picture can stand inside a page without touching it.

    Each color is said twice, plainly and by a variable: viewers that know no variables show the light one.
    """

    def paint(selector: str, attribute: str, name: str, rest: str = "") -> str:
        light = _GROUNDS[name][1] if name in _GROUNDS else COLORS["" if name == "plain" else name][0]
        return f".mlops-graph {selector}{{{attribute}:{light};{attribute}:var(--{name});{rest}}}"

    rules = [
        palette(".mlops-graph"),
        ".mlops-graph{font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}",
        paint(".ground", "fill", "ground"),
        paint(".box", "fill", "box", "stroke-width:1.5"),
        paint(
            ".sign",
            "stroke",
            "ground",
            "fill:none;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round",
        ),
        paint(".label", "fill", "text", "font-size:13px;font-weight:600"),
        paint(".detail", "fill", "muted", "font-size:11px"),
        paint(".edge path", "stroke", "line", "fill:none;stroke-width:1.5"),
        paint(".edge .head", "fill", "line", "stroke:none"),
        ".mlops-graph .skipped .box,.mlops-graph .upstream_failed .box{stroke-dasharray:4 3}",
    ]
    for name in (state or "plain" for state in COLORS):
        rules += [paint(f".{name} .box", "stroke", name), paint(f".{name} .disc", "fill", name)]
    return "".join(rules)


# --- terminal -------------------------------------------------------------------------------------------

Paint = Callable[[str, str], str]


def to_text(
    nodes: Sequence[Node], edges: Sequence[Edge], *, width: int = 80, paint: Paint | None = None
) -> str:
    """Boxes joined by lines, from top to bottom, if they fit into `width` columns; else a line a task.

    ``paint(text, role)`` may add colors; the role is a state, ``"label"``, ``"detail"`` or ``"line"``.
    """
    for is_detailed, most in ((True, 32), (True, 20), (False, 20)):
        boxes = {node.key: _box(node, most, is_detailed=is_detailed) for node in nodes}
        lines = draw_boxes(boxes, edges, width=width)
        if lines is not None:
            break
    else:
        lines = _list(nodes, edges, width)
    return "".join("".join(paint(*piece) if paint else piece[0] for piece in line) + "\n" for line in lines)


def _sign(node: Node) -> list[Piece]:
    return [(f"{GLYPHS.get(node.state, '·')} ", node.state)] if node.state else []


def _box(node: Node, most: int, *, is_detailed: bool) -> Box:
    lines = [[*_sign(node), (shorten(node.text, most), "label")]]
    if node.detail and is_detailed:
        lines.append([(shorten(node.detail, most), "detail")])
    return Box(lines, node.state or "line")


def _list(nodes: Sequence[Node], edges: Sequence[Edge], width: int) -> list[list[Piece]]:
    """One line a task, layer by layer, with what it needs behind an arrow."""
    by_key = {node.key: node for node in nodes}
    needs: dict[str, list[str]] = {node.key: [] for node in nodes}
    for a, b in dict.fromkeys(edges):
        needs[b].append(by_key[a].text)
    most = min(max((columns(node.text) for node in nodes), default=0), width // 2)
    lines: list[list[Piece]] = []
    for key in (key for layer in lay_out(list(by_key), edges).layers for key in layer):
        node, text = by_key[key], shorten(by_key[key].text, most)
        few = [*needs[key][:3], f"{len(needs[key]) - 3} more"] if len(needs[key]) > 4 else needs[key]
        arrow = f"← {', '.join(few)}" if few else ""
        more = shorten("  ".join(part for part in (node.detail, arrow) if part), width - most - 4)
        line = [*(_sign(node) or [("· ", "line")]), (text, "label")]
        lines.append([*line, (" " * (most - columns(text) + 2) + more, "detail")] if more else line)
    return lines
