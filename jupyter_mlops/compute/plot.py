"""Break-even as a picture: what a month costs by how much of it a machine is used. SVG, drawn here.

A server of one's own costs the same whether it is used or not: a level line. Renting costs by the hour: lines that
rise. Where they cross, owning begins to be cheaper. Lines are named where they end; colors follow the reader's
light or dark theme, and each is told apart by its name and dash too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .money import money

_WIDTH, _HEIGHT = 720.0, 400.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 72.0, 172.0, 56.0, 52.0
_LABEL_GAP = 16.0
# name: (JupyterLab's variable or none, light, dark)
_COLORS = {
    "ground": ("--jp-layout-color1", "#ffffff", "#0d1117"),
    "text": ("--jp-ui-font-color1", "#1f2328", "#e6edf3"),
    "muted": ("--jp-ui-font-color2", "#59636e", "#9198a1"),
    "line": ("--jp-border-color2", "#d1d9e0", "#30363d"),
    "own": ("", "#1f2328", "#e6edf3"),
    "cloud0": ("", "#b35900", "#f0a35e"),
    "cloud1": ("", "#2f6db3", "#79b8ff"),
    "cloud2": ("", "#1a7f37", "#56d364"),
    "cloud3": ("", "#8250df", "#d2a8ff"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rent:
    """One way to rent: what a whole month of it costs. Those of one `cloud` share a color; spot is dashed."""

    place: str
    cloud: str
    monthly: float
    crossing: float | None = None  # the utilization from which owning is cheaper
    is_spot: bool = False


def draw(
    *,
    title: str,
    server: str,
    own_monthly: float,
    rents: Sequence[Rent],
    load: float = 0.0,
    subject: str = "",
) -> str:
    """The picture. `load` is the part of the server that `subject` keeps busy; 0 leaves it out."""
    most = nice(max([own_monthly, *(rent.monthly for rent in rents)]) * 1.04)
    clouds = list(dict.fromkeys(rent.cloud for rent in rents))
    parts = [_frame(title, most)]
    for rent in rents:
        color = f"cloud{clouds.index(rent.cloud) % 4}"
        dash = ' stroke-dasharray="5 4"' if rent.is_spot else ""
        parts.append(
            f'<line class="{color}" x1="{_x(0):.1f}" y1="{_y(0, most):.1f}" x2="{_x(1):.1f}"'
            f' y2="{_y(rent.monthly, most):.1f}"{dash}/>'
        )
    parts.append(
        f'<line class="own" x1="{_x(0):.1f}" y1="{_y(own_monthly, most):.1f}" x2="{_x(1):.1f}"'
        f' y2="{_y(own_monthly, most):.1f}"/>'
    )
    parts += [
        f'<circle class="cross" cx="{_x(rent.crossing):.1f}" cy="{_y(own_monthly, most):.1f}" r="4">'
        f"<title>{escape(_crossing(server, rent))}</title></circle>"
        for rent in rents
        if rent.crossing is not None
    ]
    names = [(own_monthly, f"{server} {money(own_monthly)}", "text", True)]
    for rent in rents:
        at = "" if rent.crossing is None else f": own from {percent(rent.crossing)}"
        names.append((rent.monthly, f"{rent.place}{at}", f"name{clouds.index(rent.cloud) % 4}", False))
    parts += _names(names, most)
    if load > 0:
        parts.append(_load(load, subject))
    described = "; ".join(_crossing(server, rent) for rent in rents)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mlops-cost" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}"'
        f' width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" role="img"><title>{escape(title)}</title>'
        f"<desc>{escape(described)}</desc><style>{_style()}</style>"
        f'<rect class="ground" width="100%" height="100%"/>{"".join(parts)}</svg>\n'
    )


def nice(value: float) -> float:
    """The next round number, for the end of an axis."""
    if not value > 1e-9:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value)


def percent(part: float) -> str:
    """For people, with two digits: ``21 %``, ``0.4 %``."""
    return (
        f"{part * 100:.0f} %" if part >= 0.0995 else f"{part * 100:.2g} %" if part >= 0.0001 else "< 0.01 %"
    )


def _crossing(server: str, rent: Rent) -> str:
    if rent.crossing is None:
        return f"{rent.place} is cheaper than {server} at any utilization"
    return f"{server} is cheaper than {rent.place} from {percent(rent.crossing)} on"


def _x(part: float) -> float:
    return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)


def _y(amount: float, most: float) -> float:
    return _HEIGHT - _BOTTOM - amount / most * (_HEIGHT - _TOP - _BOTTOM)


def _frame(title: str, most: float) -> str:
    lines = [f'<text class="title" x="{_LEFT:.0f}" y="26">{escape(title)}</text>']
    for step in range(5):
        amount = most * step / 4
        y = _y(amount, most)
        lines.append(f'<line class="grid" x1="{_x(0):.1f}" y1="{y:.1f}" x2="{_x(1):.1f}" y2="{y:.1f}"/>')
        lines.append(
            f'<text class="tick" x="{_LEFT - 8:.0f}" y="{y + 4:.1f}" text-anchor="end">{money(amount)}</text>'
        )
    for step in range(5):
        lines.append(
            f'<text class="tick" x="{_x(step / 4):.1f}" y="{_HEIGHT - _BOTTOM + 18:.0f}"'
            f' text-anchor="middle">{step * 25} %</text>'
        )
    lines.append(
        f'<text class="tick" x="{_x(0.5):.1f}" y="{_HEIGHT - 12:.0f}" text-anchor="middle">'
        "of all hours in which the machine is used</text>"
    )
    lines.append(f'<text class="tick" x="{_LEFT:.0f}" y="44">US$ a month</text>')
    return "".join(lines)


def _names(names: Sequence[tuple[float, str, str, bool]], most: float) -> list[str]:
    """Texts at the lines' ends, moved apart where they would cover each other."""
    placed = sorted(
        ((_y(amount, most), text, css, bold) for amount, text, css, bold in names), key=lambda n: n[0]
    )
    ys = [y for y, *_ in placed]
    for index in range(1, len(ys)):
        ys[index] = max(ys[index], ys[index - 1] + _LABEL_GAP)
    lowest = _HEIGHT - _BOTTOM
    for index in range(len(ys) - 1, -1, -1):
        ys[index] = min(ys[index], lowest)
        lowest = ys[index] - _LABEL_GAP
    return [
        f'<text class="{css}{" bold" if bold else ""}" x="{_x(1) + 8:.1f}" y="{y + 4:.1f}">'
        f"{escape(text)}</text>"
        for y, (_, text, css, bold) in zip(ys, placed, strict=True)
    ]


def _load(load: float, subject: str) -> str:
    x = _x(min(load, 1.0))
    anchor = "start" if x < _WIDTH / 2 else "end"
    side = 6 if anchor == "start" else -6
    return (
        f'<line class="load" x1="{x:.1f}" y1="{_TOP:.0f}" x2="{x:.1f}" y2="{_HEIGHT - _BOTTOM:.0f}"/>'
        f'<text class="tick" x="{x + side:.1f}" y="{_TOP + 16:.0f}" text-anchor="{anchor}">'
        f"{escape(subject)}: {percent(load)}</text>"
    )


def _style() -> str:
    """Each color twice, plainly and by a variable: viewers that know no variables show the light one."""

    def scheme(index: int) -> str:
        return "".join(
            f"--{name}:{f'var({color[0]},{color[index]})' if color[0] else color[index]};"
            for name, color in _COLORS.items()
        )

    def paint(selector: str, attribute: str, name: str, rest: str = "") -> str:
        return f".mlops-cost {selector}{{{attribute}:{_COLORS[name][1]};{attribute}:var(--{name});{rest}}}"

    light, dark = scheme(1), scheme(2)
    pages = (
        ("[data-jp-theme-light=true]", light),
        ("[data-jp-theme-light=false]", dark),
        (".vscode-light", light),
        (".vscode-dark", dark),
    )
    rules = [
        f".mlops-cost{{{light}font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}}",
        f"@media (prefers-color-scheme:dark){{.mlops-cost{{{dark}}}}}",
        *(f".mlops-cost:is({page} *){{{colors}}}" for page, colors in pages),
        paint(".ground", "fill", "ground"),
        paint(".title", "fill", "text", "font-size:14px;font-weight:600"),
        paint(".text", "fill", "text"),
        ".mlops-cost .bold{font-weight:600}",
        paint(".tick", "fill", "muted", "font-variant-numeric:tabular-nums"),
        paint(".grid", "stroke", "line", "stroke-width:1"),
        paint(".load", "stroke", "muted", "stroke-width:1;stroke-dasharray:2 3"),
        paint(".own", "stroke", "own", "stroke-width:2.5"),
        paint(".cross", "fill", "ground", "stroke:#1f2328;stroke:var(--own);stroke-width:2"),
    ]
    for index in range(4):
        rules.append(paint(f".cloud{index}", "stroke", f"cloud{index}", "stroke-width:1.8"))
        rules.append(paint(f".name{index}", "fill", f"cloud{index}"))
    return "".join(rules)
