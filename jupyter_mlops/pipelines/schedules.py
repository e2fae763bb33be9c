"""Schedules as a pipeline's file has them, and what their parameters' templates become at a fire. Pure.

``${schedule.data_interval_start}`` is the moment of the fire before, ``${schedule.data_interval_end}`` that of
this one: a pipeline that takes both asks for "what came since last time", whenever it really runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from ..cron import Cron, parse_cron
from ..errors import InvalidInput, did_you_mean

CATCH_UP = ("none", "last", "all")
OVERLAP = ("skip", "queue", "cancel")
MOMENTS = ("fire_at", "data_interval_start", "data_interval_end")
_PARTS: Mapping[str, Callable[[datetime], Any]] = {
    "date": lambda at: at.date(),
    "iso": lambda at: at.isoformat(),
    "timestamp": lambda at: int(at.timestamp()),
    "year": lambda at: at.year,
    "month": lambda at: at.month,
    "day": lambda at: at.day,
    "hour": lambda at: at.hour,
    "minute": lambda at: at.minute,
    "weekday": lambda at: at.isoweekday(),
    "week": lambda at: at.isocalendar().week,
    "week_year": lambda at: at.isocalendar().year,
}
_HOLE = re.compile(r"\$\$\{|\$\{(?P<inside>[^{}]*)\}|\$\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSpec:
    """When a pipeline runs by itself. `start` and `end` are dates or moments as written; without an offset
    they are by the clock of `timezone`. Text in `parameters` may hold ``${schedule.…}``. `queue`, `priority` and
    `is_preemptible` are for its runs, where quotas are set; "" is the queue of those who name none."""

    cron: str
    timezone: str = "UTC"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    catch_up: str = "last"
    overlap: str = "skip"
    jitter_seconds: float = 0.0
    start: str = ""
    end: str = ""
    is_paused: bool = False
    queue: str = ""
    priority: int = 0
    is_preemptible: bool = False

    def parsed(self) -> Cron:
        """The cron. Raises `InvalidInput`."""
        return parse_cron(self.cron, self.timezone)

    def moving(self) -> list[str]:
        """The parameters that depend on the fire."""
        return [name for name, value in self.parameters.items() if moves(value)]

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """Start and end as moments in UTC. Raises `InvalidInput`."""
        cron = self.parsed()
        start, end = (read_moment(text, cron) if text else None for text in (self.start, self.end))
        if start is not None and end is not None and end <= start:
            raise InvalidInput(f"it ends ({self.end}) before it starts ({self.start})")
        return start, end


def read_moment(text: str, cron: Cron) -> datetime:
    """``2026-01-31`` or ``2026-01-31T06:00`` by the clock of the cron's zone, in UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=cron.zone)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{text!r} is no date and no moment", hint="write 2026-01-31 or 2026-01-31T06:00"
        ) from None


def fire_values(name: str, cron: Cron, fire_at: datetime) -> dict[str, Any]:
    """What ``${schedule.…}`` stands for at a fire; its moments are by the cron's clock."""
    before = cron.before(fire_at) or fire_at
    shown = fire_at.astimezone(cron.zone)
    return {
        "name": name,
        "fire_at": shown,
        "data_interval_start": before.astimezone(cron.zone),
        "data_interval_end": shown,
    }


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """`value` with each ``${schedule.…}`` in it replaced. Text that is one template keeps the type of what it
    names. Raises `InvalidInput` for one that names nothing."""
    if isinstance(value, str):
        parts = list(_split(value))
        if len(parts) == 1 and isinstance(parts[0], tuple):
            return _look_up(parts[0][0], values)
        return "".join(part if isinstance(part, str) else _text(_look_up(part[0], values)) for part in parts)
    if isinstance(value, Mapping):
        return {key: fill(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, values) for item in value]
    return value


def moves(value: Any) -> bool:
    """Whether it, or something in it, depends on the fire."""
    if isinstance(value, Mapping):
        return any(moves(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(moves(each) for each in value)
    return isinstance(value, str) and "${schedule" in value


def as_type(value: Any, kind: str) -> Any:
    """A moment or date in the form that a parameter of this type takes; anything else as it is."""
    if kind == "date" and isinstance(value, datetime):
        return value.date()
    if kind == "datetime" and isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value.isoformat() if isinstance(value, date) and kind == "str" else value


def _split(text: str) -> Iterator[str | tuple[str]]:
    """Literal text, and what stands in ``${…}`` as a tuple of one; ``$${`` comes out as ``${``."""
    literal, position = "", 0
    for hole in _HOLE.finditer(text):
        literal += text[position : hole.start()]
        position = hole.end()
        if hole.group() == "$${":
            literal += "${"
        elif hole["inside"] is None:
            raise InvalidInput(
                f"{text!r} opens ${{ and does not close it", hint="a literal ${ is written $${"
            )
        else:
            if literal:
                yield literal
            literal = ""
            yield (hole["inside"].strip(),)
    literal += text[position:]
    if literal or not text:
        yield literal


def _look_up(path: str, values: Mapping[str, Any]) -> Any:
    root, *steps = path.split(".")
    if root != "schedule":
        hint = "only ${schedule.…} is known when a schedule fires"
        raise InvalidInput(f"${{{path}}} means nothing in a schedule", hint=hint)
    if not steps or steps[0] not in values:
        hint = did_you_mean(steps[0] if steps else "", values)
        raise InvalidInput(f"${{{path}}}: a schedule has no {'.'.join(steps[:1])!r}", hint=hint)
    value = values[steps[0]]
    if len(steps) == 1:
        return value
    if not isinstance(value, datetime) or len(steps) > 2:
        raise InvalidInput(f"${{{path}}} leads into plain text")
    if steps[1] not in _PARTS:
        hint = did_you_mean(steps[1], _PARTS)
        raise InvalidInput(f"${{{path}}}: a moment has no {steps[1]!r}", hint=hint)
    return _PARTS[steps[1]](value)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
