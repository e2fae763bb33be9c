"""An executed notebook as one HTML page that is safe to open, and what differs between two of them.

Outputs may hold whatever a notebook, or the data that it read, put there. So nothing active survives: HTML
and Markdown are cleaned to a list of harmless elements (nbconvert's own list loses tables and headings), all
scripts go, nbconvert's included, and a content security policy in the page forbids what might have been
missed, and any fetching from elsewhere.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from .comparison import CellDifference, NotebookDifference, diff_notebooks

__all__ = ["CellDifference", "NotebookDifference", "clean_html", "diff_notebooks", "to_html"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HTML_LIMIT = 500_000  # characters of one HTML output; cleaning more would take too long for a reader
_DEPTH_LIMIT = 1000  # elements that are opened and not closed; cleaning takes quadratic time in them
_CLOSED = re.compile(r"</|/>|<!|<(?:br|hr|img|col|wbr)\b", re.IGNORECASE)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none'"
_OPENING = re.compile(r"<(script|style|template)\b[^<>]*(?<!/)>", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|mailto:|#)[^\x00-\x20]*", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_TAGS = _words(
    """
    a abbr b blockquote br caption center cite code col colgroup dd del details dfn div dl dt em
    figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub
    summary sup table tbody td tfoot th thead time tr u ul var svg g path rect circle ellipse line
    polyline polygon text tspan title defs clipPath
    """
)
_ATTRIBUTES = _words(
    """
    alt align border class cellpadding cellspacing colspan dir headers height id lang open rowspan scope
    span start style title valign width cx cy d dx dy fill fill-opacity font-family font-size
    font-weight opacity points r rx ry stroke stroke-dasharray stroke-linecap stroke-linejoin
    stroke-opacity stroke-width text-anchor transform viewBox x x1 x2 y y1 y2
    """
)
_STYLES = _words(
    """
    align-items background background-color border border-bottom border-collapse border-color
    border-left border-radius border-right border-spacing border-style border-top border-width color
    display fill flex flex-direction flex-wrap float font font-family font-size font-style font-variant
    font-variant-numeric font-weight gap grid-template-columns height justify-content letter-spacing
    line-height list-style margin margin-bottom margin-left margin-right margin-top max-height max-width
    min-height min-width opacity overflow overflow-wrap overflow-x overflow-y padding padding-bottom
    padding-left padding-right padding-top stroke stroke-width table-layout text-align text-decoration
    text-indent text-transform vertical-align white-space width word-break word-wrap
    """
)


def to_html(nb: Mapping[str, Any], *, title: str = "Notebook", theme: str = "light") -> str:
    """One self-contained page that shows `nb` as JupyterLab does (`theme`: ``light`` or ``dark``).

    Formulas stay as they are written, since what sets them is a script.
    """
    import nbformat
    from nbconvert import HTMLExporter

    prepared = copy.deepcopy(dict(nb))
    for cell in prepared.get("cells", ()):
        for output in cell.get("outputs", ()):
            _drop_giants(output.get("data", {}))
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        sanitize_html=True,
        filters={"clean_html": clean_html},
        theme=theme,
        embed_images=True,
        mathjax_url="",
        require_js_url="",
        jupyter_widgets_base_url="",
    )
    node = nbformat.from_dict(prepared)
    page, _ = exporter.from_notebook_node(node, {"metadata": {"name": title}})
    page = re.sub(r"<script\b.*?</script\s*>", "", page, flags=re.IGNORECASE | re.DOTALL)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    return re.sub(r"<head[^>]*>", lambda head: head[0] + policy, page, count=1)


def clean_html(html: object) -> str:
    """`html` with harmless elements, attributes and styles only; of other elements the text stays."""
    text = str(html)
    if _is_too_much(text):
        return "<p><em>This HTML is too large to be shown.</em></p>"
    cleaned: str = _cleaner().clean(_without_active(text))
    return cleaned


def _without_active(html: str) -> str:
    """`html` without the text of scripts and styles, which would be shown otherwise; the cleaner removes the
    elements themselves. One search after another, so that no input takes more than linear time."""
    kept, at = [], 0
    unclosed: set[str] = set()
    for opening in _OPENING.finditer(html):
        name = opening[1].lower()
        if opening.start() < at or name in unclosed:
            continue
        closing = re.compile(f"</{name}[^>]*>?", re.IGNORECASE).search(html, opening.end())
        if closing is None:
            unclosed.add(name)
            continue
        kept.append(html[at : opening.start()])
        at = closing.end()
    return "".join([*kept, html[at:]])


@cache
def _cleaner() -> Any:
    from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]
    from bleach.sanitizer import Cleaner  # type: ignore[import-untyped]

    return Cleaner(
        tags=_TAGS,
        attributes=_is_harmless,
        protocols={"http", "https", "mailto", "data"},
        strip=True,
        css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES, allowed_svg_properties=_STYLES),
    )


def _is_harmless(tag: str, name: str, value: str) -> bool:
    if name == "href":
        return tag == "a" and _LINK.fullmatch(value) is not None
    if name == "src":
        return tag == "img" and _IMAGE.fullmatch(value) is not None
    return name in _ATTRIBUTES and "url(" not in value.lower()


def _is_too_much(html: str) -> bool:
    opened = html.count("<") - html.count("</") - len(_CLOSED.findall(html))
    return len(html) > _HTML_LIMIT or opened > _DEPTH_LIMIT


def _drop_giants(data: dict[str, Any]) -> None:
    """Show the plain text where the HTML is too much to be cleaned."""
    html = data.get("text/html", "")
    if "text/plain" in data and _is_too_much(html if isinstance(html, str) else "".join(html)):
        del data["text/html"]
