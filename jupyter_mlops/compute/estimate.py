"""What a task, a run, a model version or a month of a pipeline costs, everywhere at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..display import Shown, facts_html
from ..errors import InvalidInput
from . import plot
from .advice import Suggestion, advise, suggest
from .breakeven import BreakEven, break_even
from .cost import Quote, here, on_demand, on_own, on_spot
from .instances import HOURS_A_MONTH, Instance, Machine, Server
from .money import money
from .prices import PriceList
from .usage import Use

OWN_UTILIZATION = 0.5  # half of all hours: what servers of one's own are hoped to be used


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Shown):
    """What `subject` costs once, and `runs_a_month` times (None: it is no pipeline), here and elsewhere."""

    subject: str
    uses: tuple[Use, ...]
    quotes: tuple[Quote, ...]
    server: Server | None  # of one's own, on which all tasks fit
    break_evens: tuple[BreakEven, ...]
    instances: tuple[Instance, ...]  # of each cloud the cheapest on which every task fits
    suggestions: tuple[Suggestion, ...]
    utilization: float
    runs_a_month: float | None = None
    basis: str = ""  # what that number is by
    warnings: tuple[str, ...] = ()

    @property
    def hours(self) -> float:
        """Of work, once."""
        return sum(use.seconds for use in self.uses) / 3600

    @property
    def load(self) -> float:
        """Which part of the server it keeps busy in a month; 2.5 takes three of them."""
        if self.server is None or self.runs_a_month is None:
            return 0.0
        return _load(self.uses, self.server, self.runs_a_month)

    def monthly(self, quote: Quote) -> float | None:
        """A quote's total for a month."""
        return None if self.runs_a_month is None else quote.total * self.runs_a_month

    def facts(self) -> dict[str, str]:
        """What a reader wants to know first."""
        amounts = {
            quote.place: money(quote.total if self.runs_a_month is None else self.monthly(quote))
            for quote in self.quotes
            if not quote.unfit
        }
        often = "" if self.runs_a_month is None else f"{self.runs_a_month:.3g} runs a month, by {self.basis}"
        return {"cost of": self.subject, "runs": often, **amounts}

    def _repr_html_(self) -> str:
        return facts_html(self.facts()) + (self.to_svg() if self.break_evens else "")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for the command line, REST and the panel."""
        return {
            "subject": self.subject,
            "hours": self.hours,
            "currency": "USD",
            "runs_a_month": self.runs_a_month,
            "basis": self.basis,
            "quotes": [{**quote.to_json(), "monthly": self.monthly(quote)} for quote in self.quotes],
            "server": None if self.server is None else self.server.to_json(),
            "utilization": self.utilization,
            "load": self.load,
            "break_evens": [each.to_json() for each in self.break_evens],
            "instances": [each.to_json() for each in self.instances],
            "suggestions": [each.to_json() for each in self.suggestions],
            "warnings": list(self.warnings),
        }

    def to_svg(self) -> str:
        """The break-even plot. Raises `InvalidInput` if there is nothing to draw."""
        if self.server is None or not self.break_evens:
            reason = (
                "no server of one's own has room for its tasks"
                if self.server is None
                else f"no cloud in the list of prices rents out what a {self.server.name} is"
            )
            raise InvalidInput(
                f"there is no break-even of {self.subject} to draw: {reason}",
                hint="add one to the file that the setting `compute_prices` names, or name a --server",
            )
        return plot.draw(
            title=f"{self.server.name}, owned or rented",
            server=self.server.name,
            own_monthly=sum(self.server.monthly().values()),
            rents=[
                plot.Rent(
                    place=each.place,
                    cloud=each.place.removesuffix(" spot"),
                    monthly=each.cloud_full,
                    crossing=each.utilization,
                    is_spot=each.place.endswith(" spot"),
                )
                for each in self.break_evens
            ],
            load=self.load,
            subject=self.subject,
        )


def estimate(
    subject: str, uses: Sequence[Use], prices: PriceList, machine: Machine, today: date, *,
    runs_a_month: float | None = None, basis: str = "", utilization: float = OWN_UTILIZATION,
    providers: Sequence[str] = (), instance: str = "", server: str = "", architecture: str = "x86_64",
) -> Estimate:  # fmt: skip
    """All of it. `instance` and `server` name the ones to take instead of the cheapest, `providers` the clouds.

    Raises `NotFound` for a name without a price, `InvalidInput` for a utilization that cannot be.
    """
    if not 0 < utilization <= 1:
        raise InvalidInput(
            f"a utilization of {utilization:g} cannot be", hint="give a part of 1, such as 0.5"
        )
    clouds = _clouds(prices, providers, instance, architecture)
    own = prices.server(server) if server else _fitting(uses, prices.servers, runs_a_month or 0.0)
    reference = own or max(prices.servers, key=lambda each: each.cpu, default=None)
    quotes = [] if reference is None else [here(uses, machine, reference)]
    for rented in clouds:
        quotes.append(on_demand(uses, rented))
        if any(each.spot is not None for each in rented):
            quotes.append(on_spot(uses, rented))
    crossings = []
    if own is not None:
        quotes.append(on_own(uses, [own], utilization=utilization))
        kind = _accelerator(uses)
        crossings = [
            break_even(own, rented, is_spot=is_spot, accelerator=kind)
            for rented in clouds
            for is_spot in (False, True)
        ]
    advised = [advise(uses, rented) for rented in clouds] if uses else []
    return Estimate(
        subject=subject,
        uses=tuple(uses),
        quotes=tuple(quotes),
        server=own,
        break_evens=tuple(each for each in crossings if each is not None),
        instances=tuple(each for each in advised if each is not None),
        suggestions=tuple(suggest(uses)),
        utilization=utilization,
        runs_a_month=runs_a_month,
        basis=basis,
        warnings=tuple(f"{problem.message}: {problem.hint}" for problem in prices.stale(today)),
    )


def _clouds(
    prices: PriceList, providers: Sequence[str], instance: str, architecture: str
) -> list[list[Instance]]:
    """What may be rented, cloud by cloud: notebooks run on machines of this machine's kind."""
    if instance:
        return [[prices.instance(instance)]]
    known = [prices.of(provider) for provider in (providers or prices.providers)]
    alike = [[each for each in rented if each.architecture == architecture] for rented in known]
    return [rented for rented in alike if rented]


def _accelerator(uses: Sequence[Use]) -> str | None:
    """The accelerator that tasks ask for by name, "" if any GPU will do, None if none asks for one."""
    asked = [use.asked.accelerator or "" for use in uses if use.asked.gpu]
    return max(asked, default=None)


def _load(uses: Sequence[Use], server: Server, runs_a_month: float) -> float:
    hours = sum(use.seconds / 3600 * server.share(use.demand()) for use in uses)
    return hours * runs_a_month / HOURS_A_MONTH


def _fitting(uses: Sequence[Use], servers: Sequence[Server], runs_a_month: float) -> Server | None:
    """The server that costs least a month of those on which every task fits and that can do all the work; where it
    takes several, the one that costs least for what it does."""
    fitting = [each for each in servers if all(each.fits(use.demand()) for use in uses)]
    enough = [each for each in fitting if _load(uses, each, runs_a_month) <= 1]
    if enough:
        return min(enough, key=lambda each: sum(each.monthly().values()))
    return min(
        fitting,
        key=lambda each: sum(each.monthly().values()) * _load(uses, each, runs_a_month),
        default=None,
    )
