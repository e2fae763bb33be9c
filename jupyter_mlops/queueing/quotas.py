"""Quotas: what everybody together, each user, a group or a queue may use, as one value.

They are kept in the catalog, not in a project's settings: on a shared catalog they must be the same for all, and a
user must not be able to raise his own by editing a file of his own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..catalog.records import Quota
from ..errors import InvalidInput, NotFound, did_you_mean
from ..resources import MOST_PRIORITY, ResourceRequest, parse_bytes
from .amounts import RESOURCES

DEFAULT_QUEUE = "default"
EVERY_USER = "*"
_ONE_CPU = ResourceRequest(cpu=1.0)
_TABLES = ("task", "prices", "all", "users", "groups", "queues")
_SETTINGS = ("operators", "aging_minutes", "half_life_days", "patience_minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The ceilings of one table; None where there is none. The first five are in use at once, in the order of
    `amounts.Amount`; `gpu_hours` and `cost` are for a calendar month (UTC)."""

    runs: int | None = None
    tasks: int | None = None
    cpu: float | None = None
    memory: int | None = None
    gpu: int | None = None
    gpu_hours: float | None = None
    cost: float | None = None
    waiting: int | None = None  # runs in the queue, beyond which no more are taken
    max_priority: int | None = None
    weight: float = 1.0  # of a fair share
    members: tuple[str, ...] = ()  # of a group

    def at_once(self) -> tuple[tuple[int, float], ...]:
        """The ceilings of what is in use at once, by the position of the resource."""
        given = ((number, getattr(self, name)) for number, name in enumerate(RESOURCES))
        return tuple((number, limit) for number, limit in given if limit is not None)

    def to_json(self) -> dict[str, Any]:
        """The fields that were given."""
        fields = {each.name: (getattr(self, each.name), each.default) for each in dataclasses.fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, (value, default) in fields.items()
            if value != default
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """All of them. A group's and a queue's members share what it may use; ``users."*"`` is each user's own."""

    everybody: Limits = Limits()
    users: Mapping[str, Limits] = field(default_factory=dict)
    groups: Mapping[str, Limits] = field(default_factory=dict)
    queues: Mapping[str, Limits] = field(default_factory=dict)
    task: ResourceRequest = _ONE_CPU  # what a task counts that asks for nothing
    prices: Mapping[str, float] = field(default_factory=dict)  # of an hour: cpu, gpu, memory (of a GiB)
    operators: tuple[str, ...] = ()
    aging_minutes: float = 10.0
    half_life_days: float = 7.0
    patience_minutes: float = 60.0

    def __bool__(self) -> bool:
        return self != Quotas()

    def user(self, name: str) -> Limits:
        """What one user may use."""
        return self.users.get(name) or self.users.get(EVERY_USER) or Limits()

    def group_of(self, user: str) -> str:
        """The group that a user is in, "" for none."""
        return next((name for name, group in self.groups.items() if user in group.members), "")

    def scopes(self, user: str, queue: str) -> list[tuple[str, str, Limits]]:
        """Everything that limits a run of this user in this queue, the narrowest first."""
        group = self.group_of(user)
        found = [
            ("user", user, self.user(user)),
            ("group", group, self.groups.get(group, Limits())),
            ("queue", queue, self.queues.get(queue, Limits())),
            ("all", "", self.everybody),
        ]
        return [(scope, name, limits) for scope, name, limits in found if limits != Limits()]

    def demand_queue(self, name: str) -> None:
        """Raises `NotFound` for a queue that nobody has set up."""
        if name != DEFAULT_QUEUE and name not in self.queues:
            known = [DEFAULT_QUEUE, *self.queues]
            hint = did_you_mean(name, known) or f"there is {', '.join(known)}"
            raise NotFound(f"there is no queue {name!r}", hint=hint)

    def may_operate(self, user: str) -> bool:
        """Whether a user may set quotas, and change other people's entries."""
        return not self.operators or user in self.operators

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Quotas:
        """Read what a ``quotas.toml`` holds; `InvalidInput` names the place of what is wrong."""
        for name in given:
            if name not in (*_TABLES, *_SETTINGS):
                raise InvalidInput(
                    f"quotas: unknown table {name!r}", hint=did_you_mean(name, (*_TABLES, *_SETTINGS))
                )
        groups = {name: _limits(body, f"groups.{name}") for name, body in _tables(given, "groups")}
        seen: dict[str, str] = {}
        for name, group in groups.items():
            for member in group.members:
                if seen.setdefault(member, name) != name:
                    raise InvalidInput(
                        f"quotas: {member} is in the groups {seen[member]} and {name}",
                        hint="a user is in one group at most",
                    )
        settings = {name: _positive(given[name], name) for name in _SETTINGS[1:] if name in given}
        return cls(
            everybody=_limits(given.get("all", {}), "all"),
            users={name: _limits(body, f"users.{name}") for name, body in _tables(given, "users")},
            groups=groups,
            queues={name: _limits(body, f"queues.{name}") for name, body in _tables(given, "queues")},
            task=ResourceRequest.parse(given["task"]) if "task" in given else _ONE_CPU,
            prices=_prices(given.get("prices", {})),
            operators=_names(given.get("operators", ()), "operators"),
            **settings,
        )

    def to_json(self) -> dict[str, Any]:
        """``Quotas.parse(quotas.to_json()) == quotas``."""
        body: dict[str, Any] = {
            "operators": list(self.operators),
            **{name: getattr(self, name) for name in _SETTINGS[1:]},
            "task": self.task.to_json(),
            "prices": dict(self.prices),
            "all": self.everybody.to_json(),
        }
        for name in ("users", "groups", "queues"):
            body[name] = {key: limits.to_json() for key, limits in getattr(self, name).items()}
        return body

    def records(self, user_name: str, moment: datetime) -> list[Quota]:
        """As the catalog keeps them: one record for each table."""
        body = self.to_json()
        rows = [("settings", "", {name: body[name] for name in _SETTINGS})]
        rows += [(name, "", body[name]) for name in ("task", "prices", "all")]
        for name in ("users", "groups", "queues"):
            rows += [(name, key, table) for key, table in body[name].items()]
        return [
            Quota(scope=scope, name=name, body=table, user_name=user_name, updated_at=moment)
            for scope, name, table in rows
        ]

    @classmethod
    def of_records(cls, records: Iterable[Quota]) -> Quotas:
        """What `records` gave; no records are no quotas."""
        given: dict[str, Any] = {}
        for record in records:
            if record.scope == "settings":
                given.update(record.body)
            elif record.name:
                given.setdefault(record.scope, {})[record.name] = record.body
            else:
                given[record.scope] = record.body
        return cls.parse(given)


def _tables(given: Mapping[str, Any], name: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    tables = given.get(name, {})
    if not isinstance(tables, Mapping):
        raise InvalidInput(f"quotas: {name} must be tables", hint=f"write [{name}.NAME]")
    return tables.items()


def _limits(given: Any, where: str) -> Limits:
    if not isinstance(given, Mapping):
        raise InvalidInput(f"quotas: {where} must be a table", hint=f"write [{where}]")
    read: dict[str, Any] = {}
    known = [each.name for each in dataclasses.fields(Limits)]
    if not where.startswith("groups."):
        known.remove("members")
    for name, value in given.items():
        place = f"{where}.{name}"
        if name not in known:
            raise InvalidInput(f"quotas: unknown limit {place}", hint=did_you_mean(name, known))
        if name == "members":
            read[name] = _names(value, place)
        elif name == "memory":
            read[name] = parse_bytes(value)
        elif name == "max_priority":
            read[name] = _whole(value, place, -MOST_PRIORITY)
        elif name in ("runs", "tasks", "gpu", "waiting"):
            read[name] = _whole(value, place, 0)
        elif name == "weight":
            read[name] = _positive(value, place)
        else:
            read[name] = _number(value, place)
    return Limits(**read)


def _prices(given: Any) -> dict[str, float]:
    known = ("cpu", "gpu", "memory")
    if not isinstance(given, Mapping):
        raise InvalidInput(
            "quotas: prices must be a table", hint="of what an hour costs: cpu, gpu, memory (of a GiB)"
        )
    for name in given:
        if name not in known:
            raise InvalidInput(f"quotas: unknown price {name!r}", hint=did_you_mean(name, known))
    return {name: _number(value, f"prices.{name}") for name, value in given.items()}


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) and each for each in value):
        raise InvalidInput(f"quotas: {where} = {value!r} is not a list of names", hint='write ["ana", "ben"]')
    return tuple(value)


def _whole(value: Any, where: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**53:
        raise InvalidInput(f"quotas: {where} = {value!r} must be a whole number, at least {least}")
    return value


def _number(value: Any, where: str) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not (math.isfinite(value) and value >= 0):
        raise InvalidInput(f"quotas: {where} = {value!r} must be a number, at least 0")
    return float(value)


def _positive(value: Any, where: str) -> float:
    number = _number(value, where)
    if not number:
        raise InvalidInput(f"quotas: {where} must be above 0")
    return number
