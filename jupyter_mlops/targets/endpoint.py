"""A cloud's endpoint, by the account that it belongs to: planned by pure functions, sent, taken back when it fails.

Clouds in which what is new is made beside what answers, and whose clients do the waiting, differ in their plans and in
their accounts only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from .target import Request, Status, Wanted

Options = TypeVar("Options")
Made = TypeVar("Made")  # how an account notes what it has made


class Account(Protocol[Made]):
    """What sends the calls of a plan that are not done already."""

    def send(
        self, calls: list[Request], wanted: Wanted, made: list[Made], *, timeout_seconds: float
    ) -> None: ...

    def take_back(self, wanted: Wanted, made: list[Made]) -> None: ...

    def clean(self, wanted: Wanted, calls: list[Request]) -> None: ...

    def status(self, name: str) -> Status: ...

    def remove(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Cloud(Generic[Options]):
    """The pure part: how options are `read`, what is refused, the calls; and how its errors become ours."""

    read: Callable[[Mapping[str, Any]], Options]
    check: Callable[[Wanted, Options], None]
    plan: Callable[[Wanted, Options], list[Request]]
    explaining: Callable[[str], AbstractContextManager[None]]


class EndpointTarget(Generic[Options, Made]):
    """Models served by an endpoint of a cloud; subclasses say of which."""

    name: str
    needs_image = True
    cloud: Cloud[Options]
    account: Callable[[Options], Account[Made]]

    def __init__(self, root: Path | None = None) -> None:
        self.root = root

    def check(self, wanted: Wanted) -> None:
        """Raise `InvalidInput` for what the cloud cannot do."""
        self.cloud.check(wanted, self.cloud.read(wanted.options))

    def requests(self, wanted: Wanted) -> list[Request]:
        """The bodies of all calls, exactly; those whose object is there already are not sent."""
        return self.cloud.plan(wanted, self.cloud.read(wanted.options))

    def apply(self, wanted: Wanted, *, timeout_seconds: float = 3600) -> Status:
        """Send them and wait. What was made for a revision that never answers is deleted."""
        options = self.cloud.read(wanted.options)
        calls = self.cloud.plan(wanted, options)
        with self.cloud.explaining("deploying"):
            account = self.account(options)
            made: list[Made] = []
            try:
                account.send(calls, wanted, made, timeout_seconds=timeout_seconds)
            except BaseException:
                account.take_back(wanted, made)
                raise
            account.clean(wanted, calls)
            return account.status(wanted.name)

    def status(self, name: str, options: Mapping[str, Any]) -> Status:
        """What the endpoint says."""
        with self.cloud.explaining("asking"):
            return self.account(self.cloud.read(options)).status(name)

    def remove(self, name: str, options: Mapping[str, Any]) -> None:
        """The endpoint with what it serves."""
        with self.cloud.explaining("removing"):
            self.account(self.cloud.read(options)).remove(name)
