"""One of many: a lease in the catalog that ends by itself when its holder does.

The clock only decides when somebody else may *try*. That what a former holder began cannot be finished is decided
by the database: each of its transactions starts with `fence`, which fails once the token has moved on.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from ..errors import Conflict
from ..events import now
from . import owner
from .records import Lease as LeaseRecord
from .store import Catalog

SECONDS = 6.0


class LeaseLost(Conflict):
    """Somebody else holds it now."""


class Lease:
    """The lease `name`, as this process sees it."""

    def __init__(
        self, catalog: Catalog, name: str, *, seconds: float = SECONDS, clock: Callable[[], datetime] = now
    ) -> None:
        self._catalog, self._name, self._clock = catalog, name, clock
        self._length = timedelta(seconds=seconds)
        self._mark = f"{owner.mark()}:{secrets.token_hex(4)}"
        self._token = 0

    def hold(self) -> bool:
        """Whether we hold it: take it if it is free, renew it if a third of its time is over."""
        found = self.current()
        moment = self._clock()
        if found is None:
            made = self._made(1, moment)
            try:
                self._catalog.add(made)
            except Conflict:  # somebody was quicker
                return False
            self._token = 1
            return True
        if found.holder == self._mark and found.token == self._token:
            if found.until_at - moment > self._length * 2 / 3:
                return True
            return self._renew(moment)
        if found.until_at > moment:
            return False
        # It is also the same until_at that is asked for: one who renews meanwhile keeps it.
        expected = {"token": found.token, "until_at": found.until_at}
        taken = self._made(found.token + 1, moment)
        changes = {
            "holder": taken.holder,
            "token": taken.token,
            "until_at": taken.until_at,
            "renewed_at": moment,
        }
        if not self._catalog.compare_and_set(LeaseRecord, self._name, expected, **changes):
            return False
        self._token = taken.token
        return True

    def fence(self) -> None:
        """The first thing in a transaction that only the holder may make. Raises `LeaseLost`."""
        if not self._renew(self._clock()):
            raise LeaseLost(f"the lease {self._name!r} has gone to somebody else")

    def release(self) -> None:
        """Let the next one take it at once."""
        expected = {"holder": self._mark, "token": self._token}
        self._catalog.compare_and_set(LeaseRecord, self._name, expected, until_at=self._clock())

    def current(self) -> LeaseRecord | None:
        """Who holds it, or held it last."""
        return next(iter(self._catalog.find(LeaseRecord, where={"name": self._name})), None)

    def _renew(self, moment: datetime) -> bool:
        expected = {"holder": self._mark, "token": self._token}
        return self._catalog.compare_and_set(
            LeaseRecord, self._name, expected, until_at=moment + self._length, renewed_at=moment
        )

    def _made(self, token: int, moment: datetime) -> LeaseRecord:
        return LeaseRecord(
            name=self._name, holder=self._mark, token=token, until_at=moment + self._length, renewed_at=moment
        )
