"""A request held against what there is: whether it can ever run, whether it could run now, and bars to see why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ..compute.cost import Quote
from ..compute.money import money
from ..compute.offers import Offer
from ..resources import ResourceRequest, format_bytes
from .markup import page

_MOST_OFFERS = 12


def verdict(request: ResourceRequest, offers: Sequence[Offer]) -> str:
    """One line of HTML: never, now, or when something is free again."""
    if not offers:
        return page("<p class=failed>✘ there is no worker</p>")
    able = [offer for offer in offers if request.fits(offer.total)]
    if not able:
        nearest = min(offers, key=lambda offer: len(request.shortfall(offer.total)))
        lacking = "; ".join(request.shortfall(nearest.total))
        where = "" if len(offers) == 1 else f"; nearest is {nearest.label}"
        return page(f"<p class=failed>✘ it can never run here: {escape(lacking + where)}</p>")
    if any(request.fits(offer.free) for offer in able):
        return page(f"<p class=succeeded>✔ there is room for it now{_among(able, offers)}</p>")
    lacking = "; ".join(request.shortfall(able[0].free))
    return page(
        f"<p class=upstream_failed>● not enough is free now ({escape(lacking)}){_among(able, offers)}</p>"
    )


def price_html(quotes: Sequence[Quote]) -> str:
    """What an hour of it costs to rent, on demand and on spot, where each is cheapest; "" where nobody rents it out."""
    spot = next((each for each in quotes if each.place.endswith(" spot")), None)
    plain = next((each for each in quotes if not each.place.endswith(" spot")), None)
    told = [f"{money(each.total)} on {each.place}" for each in (plain, spot) if each is not None]
    if not told:
        return ""
    dated = " and ".join(sorted({each.as_of for each in (plain, spot) if each is not None and each.as_of}))
    return page(f"<p class=muted>an hour of it: {escape(', '.join(told))} (prices of {escape(dated)})</p>")


def availability_html(request: ResourceRequest, offers: Sequence[Offer]) -> str:
    """Each place with a bar for each resource: in use, asked for, free."""
    parts = []
    for offer in offers[:_MOST_OFFERS]:
        rows = [
            row("cpu", request.cpu, offer.free.cpu, offer.total.cpu, "{:g}".format),
            row("memory", request.memory, offer.free.memory, offer.total.memory, shown_bytes),
        ]
        if offer.total.gpu or request.gpu:
            rows.append(row("gpu", request.gpu, offer.free.gpu, offer.total.gpu, "{:g}".format))
        body = "".join(rows)
        parts.append(
            f"<table class=tasks><thead><tr><th colspan=3>{escape(offer.label)}</th></tr></thead>{body}</table>"
        )
    if len(offers) > _MOST_OFFERS:
        parts.append(f"<p class=muted>… and {len(offers) - _MOST_OFFERS} more</p>")
    return page("".join(parts))


def _among(able: Sequence[Offer], offers: Sequence[Offer]) -> str:
    return "" if len(offers) == 1 else f", on {len(able)} of {len(offers)} workers"


def row(
    name: str, asked: float | None, free: float | None, total: float | None, shown: Callable[[float], str]
) -> str:
    """A row with a bar: in use, asked for, free."""
    if total is None or free is None:
        return f"<tr><td>{escape(name)}</td><td class=muted colspan=2>not limited</td></tr>"
    scale = max(total, asked or 0.0) or 1.0
    used, wanted = total - free, asked or 0.0
    state = "failed" if wanted > total else "upstream_failed" if wanted > free else "running"
    width = 100 * wanted / scale
    start = min(100 * used / scale, 100 - width)
    bar = (
        f"<span class='bar wide'><i class=used style='width:{100 * used / scale:.1f}%'></i>"
        f"<i class='asked {state}' style='left:{start:.1f}%;width:{width:.1f}%'></i></span>"
    )
    words = f"{shown(free)} of {shown(total)} free"
    return f"<tr><td>{escape(name)}</td><td>{bar}</td><td class=muted>{escape(words)}</td></tr>"


def shown_bytes(count: float) -> str:
    """Bytes in few words."""
    return format_bytes(int(count))
