"""A request held against what there is: whether it can ever run, whether it could run now, and bars to see why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from ..compute.cost import Quote
from ..compute.money import money
from ..compute.offers import Offer
from ..problems import Problem
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


@dataclass(frozen=True, slots=True)
class Prices:
    """What an hour of a request costs to rent where that is cheapest: on demand and on spot, None where nobody does."""

    plain: Quote | None = None
    spot: Quote | None = None

    @classmethod
    def of(cls, quotes: Sequence[Quote]) -> Prices:
        """Of quotes with the cheapest first."""
        on_spot = [each for each in quotes if each.place.endswith(" spot")]
        plain = [each for each in quotes if each not in on_spot]
        return cls(plain[0] if plain else None, on_spot[0] if on_spot else None)

    def chosen_html(self, *, is_spot: bool) -> str:
        """The price of what is asked for; "" where nobody rents it out."""
        quote = self.spot if is_spot and self.spot is not None else self.plain
        if quote is None:
            return ""
        told = f"{money(quote.total)} on {quote.place} (prices of {quote.as_of})"
        return page(f"<p class=muted>an hour of it: {escape(told)}</p>")

    def spot_html(self) -> str:
        """What it costs on spot, and what otherwise; "" where one of the two is not to be had."""
        if self.plain is None or self.spot is None:
            return ""
        told = f"{money(self.spot.total)} an hour instead of {money(self.plain.total)}"
        return page(f"<p class=muted>{escape(told)}</p>")


def unsuitable_html(problems: Sequence[Problem]) -> str:
    """What of a request has no effect here, or another one than one may think."""
    return page("".join(f"<p class=upstream_failed>● {escape(each.message)}</p>" for each in problems))


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
