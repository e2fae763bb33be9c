"""How much of each quota is in use: what `jupyter mlops quota` and the panel show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..events import now
from . import shares
from .amounts import NOTHING, RESOURCES, Amount, plus
from .queue import Queue
from .quotas import EVERY_USER, Limits, Quotas

MONTHLY = ("gpu_hours", "cost")


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One limit of a user, a group, a queue or of all, and how much of it is in use."""

    scope: str
    name: str
    resource: str
    used: float
    limit: float

    @property
    def share(self) -> float:
        """Of the limit, 1 for all of it."""
        return self.used / self.limit if self.limit else 1.0

    @property
    def is_monthly(self) -> bool:
        """Whether it is of this month, not of this moment."""
        return self.resource in MONTHLY


def ceilings(queue: Queue, quotas: Quotas) -> Iterator[Ceiling]:
    """Every limit, the widest first, and for users those who have used something or have limits of their own."""
    going, usage = queue.in_use()
    spent = shares.spent(usage, now())
    in_use: dict[tuple[str, str], Amount] = {}
    for entry in going:
        for scope, name, _ in quotas.scopes(entry.user_name, entry.queue):
            in_use[scope, name] = plus(in_use.get((scope, name), NOTHING), Amount.read(entry.granted))
    users = {name for scope, name in [*in_use, *spent] if scope == "user"}
    for scope, name, limits in _tables(quotas, users):
        amount = in_use.get((scope, name), NOTHING)
        for number, limit in limits.at_once():
            yield Ceiling(scope, name, RESOURCES[number], amount[number], limit)
        for resource, value in zip(MONTHLY, spent.get((scope, name), (0.0, 0.0)), strict=True):
            most = getattr(limits, resource)
            if most is not None:
                yield Ceiling(scope, name, resource, value, most)


def _tables(quotas: Quotas, users: set[str]) -> Iterator[tuple[str, str, Limits]]:
    yield "all", "", quotas.everybody
    for name, limits in quotas.queues.items():
        yield "queue", name, limits
    for name, limits in quotas.groups.items():
        yield "group", name, limits
    for name in sorted(users | (set(quotas.users) - {EVERY_USER})):
        yield "user", name, quotas.user(name)
