"""What a value looks like in a notebook and in a terminal: short tables, facts, a line of a metric.

The HTML has no colors of its own: it takes them from the page, so that it is legible in a light theme and in a
dark one, in JupyterLab, VS Code, Colab and in an exported file. Whatever is shown is escaped here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from . import words

_LINE = "1px solid var(--jp-border-color2, rgba(128, 128, 128, .4))"
_CELL = (
    "color:inherit;background:none;text-align:left;vertical-align:top;padding:.15em 1.2em .15em 0;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere"
)
_LINK = (
    "display:inline;margin:0;padding:0;border:none;background:none;font:inherit;text-align:inherit;"
    "color:var(--jp-content-link-color, inherit)"
)
_BARS = "▁▂▃▄▅▆▇█"


class Markup(str):
    """HTML that is safe already, and is not escaped again."""

    __slots__ = ()


def command(text: str, name: str, **arguments: object) -> Markup:
    """A text that runs a command of JupyterLab's when it is clicked; elsewhere it is that text and no more.

    It is a button, since JupyterLab lets commands through its sanitizer on buttons only, and keyboards reach them.
    """
    return Markup(
        f'<button type="button" data-commandlinker-command="{escape(name)}"'
        f' data-commandlinker-args="{escape(json.dumps(arguments))}" style="{_LINK}">{escape(text)}</button>'
    )


def tab(text: str, kind: str, **about: str) -> Markup:
    """A text that opens one of the panel's tabs (the kinds are in the extension's ``tabs.ts``) in JupyterLab."""
    return command(text, "mlops:open-tab", kind=kind, args=about)


class Shown:
    """A value that shows itself as a few facts: `facts` gives them, title first."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        # IPython looks class by class, and would take a dataclass's own repr before what stands here.
        cls._repr_pretty_ = Shown._repr_pretty_  # type: ignore[method-assign]

    def facts(self) -> Mapping[str, str]:
        """Label → text; the empty ones are left out."""
        raise NotImplementedError

    def told(self, text: str) -> str:
        """The first fact as a reader of HTML gets it: where the panel has a tab of the value, a way to it."""
        return text

    def _repr_html_(self) -> str:
        facts = dict(self.facts())
        for label, text in list(facts.items())[:1]:
            facts[label] = self.told(text)
        return facts_html(facts)

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:  # noqa: FBT001 - IPython calls it so
        printer.text(facts_text(self.facts()))  # type: ignore[attr-defined]


def table_html(columns: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "") -> str:
    """A table; cells that are `Markup` stand as they are."""
    head = "".join(
        f'<th style="{_CELL};border-bottom:{_LINE};font-weight:600">{escape(name)}</th>' for name in columns
    )
    body = "".join(
        "<tr style='background:none'>"
        + "".join(f'<td style="{_CELL}">{_markup(cell)}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    title = f'<div style="margin:.2em 0">{_markup(caption)}</div>' if caption else ""
    return (
        f'{title}<table style="border-collapse:collapse;border:none;margin:.2em 0;color:inherit">'
        f"<thead><tr style='background:none'>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def table_text(columns: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "") -> str:
    """The same for a terminal: columns as wide as their widest cell."""
    lines = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(words.columns(line[place]) for line in lines) for place in range(len(columns))]
    told = [
        "  ".join(
            cell + " " * (width - words.columns(cell)) for cell, width in zip(line, widths, strict=True)
        )
        for line in lines
    ]
    return "\n".join(filter(None, [caption, *(line.rstrip() for line in told)]))


def facts_html(facts: Mapping[str, str]) -> str:
    """One row a fact, without the empty ones."""
    rows = "".join(
        f'<tr style="background:none"><th style="{_CELL};font-weight:600">{escape(label)}</th>'
        f'<td style="{_CELL}">{_markup(text)}</td></tr>'
        for label, text in facts.items()
        if text
    )
    return f'<table style="border-collapse:collapse;border:none;margin:.2em 0;color:inherit">{rows}</table>'


def facts_text(facts: Mapping[str, str]) -> str:
    """One line a fact."""
    shown = {label: text for label, text in facts.items() if text}
    width = max(map(len, shown), default=0)
    return "\n".join(f"{label:<{width}}  {text}".rstrip() for label, text in shown.items())


def sparkline(values: Sequence[float], *, label: str = "") -> Markup:
    """A small line of values, oldest first, its last point marked; nothing for less than two."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return Markup()
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0
    width, height, edge = 72.0, 16.0, 2.5
    points = [
        (
            edge + place * (width - 2 * edge) / (len(finite) - 1),
            height - edge - (value - low) / span * (height - 2 * edge),
        )
        for place, value in enumerate(finite)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    title = escape(f"{label}: {finite[0]:.4g} → {finite[-1]:.4g}".removeprefix(": "))
    color = "var(--jp-brand-color1, currentColor)"
    return Markup(
        f'<svg role="img" aria-label="{title}" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" style="vertical-align:middle"><title>{title}</title>'
        f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        f'<circle cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="2" fill="{color}"/></svg>'
    )


def bars(values: Sequence[float]) -> str:
    """The same as text: ``▁▃▇``."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1))] for value in finite)


def _markup(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text).replace("\n", "<br>")
