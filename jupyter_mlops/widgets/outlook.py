"""What the quotas leave of what a notebook asks for, and about when a run of it would start.

Read now and then (`Standing.read`), judged at every key (`judged`): what is there does not change as fast as somebody
types. Where nobody has set quotas there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from pathlib import Path

from ..catalog import owner
from ..catalog.records import QueueEntry
from ..compute.money import money
from ..events import now
from ..queueing import Quotas
from ..queueing.admission import Admission
from ..queueing.amounts import RESOURCES, Amount, task_amount
from ..queueing.ceilings import MONTHLY, Ceiling, ceilings
from ..queueing.quotas import DEFAULT_QUEUE
from ..queueing.snapshot import Snapshot, waiting_of
from ..resources import ResourceRequest
from ..settings import Settings
from ..words import duration
from ..workspace import Workspace
from .availability import row, shown_bytes
from .markup import page

_ASKED = "(this one)"
_SHOWN: dict[str, Callable[[float], str]] = {"memory": shown_bytes, "cost": money}


@dataclass(frozen=True, slots=True)
class Standing:
    """The queue as it is, and how much of each quota is in use."""

    snapshot: Snapshot
    ceilings: Sequence[Ceiling]
    user: str

    @classmethod
    def read(cls, settings: Settings) -> Standing | None:
        """Of a workspace; None where it has no quotas, or has never been used. Raises `CatalogUnavailable`."""
        path = settings.catalog.removeprefix("sqlite:///")
        if path != settings.catalog and not Path(path).exists():
            return None
        with Workspace.open(settings.root) as workspace:
            quotas = workspace.queue.quotas()
            if not quotas:
                return None
            return cls(
                workspace.queue.decide()[0], tuple(ceilings(workspace.queue, quotas)), owner.user_name()
            )

    @property
    def quotas(self) -> Quotas:
        """What is set."""
        return self.snapshot.quotas

    @property
    def queues(self) -> list[str]:
        """Those that a run may wait in, the usual one first."""
        return [DEFAULT_QUEUE, *sorted(set(self.quotas.queues) - {DEFAULT_QUEUE})]


def judged(standing: Standing, request: ResourceRequest, queue: str, priority: int) -> str:
    """HTML: whether a run that asks for this would be admitted now, later or never, and each quota that it touches."""
    amount = task_amount(request, standing.quotas.task)._replace(runs=1)
    word, text = _verdict(standing, amount, queue, priority)
    sign = {"succeeded": "✔", "failed": "✘"}.get(word, "●")
    rows = "".join(_rows(standing, amount, queue))
    table = (
        f"<table class=tasks><thead><tr><th colspan=3>quotas</th></tr></thead>{rows}</table>" if rows else ""
    )
    return page(f"<p class={word}>{sign} {escape(text)}</p>{table}")


def _verdict(standing: Standing, amount: Amount, queue: str, priority: int) -> tuple[str, str]:
    moment = now()
    entry = QueueEntry(
        run_id=_ASKED, pipeline="", user_name=standing.user, group_name=standing.quotas.group_of(standing.user),
        queue=queue, priority=priority, least=list(amount), most=list(amount), since_at=moment, created_at=moment,
    )  # fmt: skip
    refusal = Admission(standing.quotas, (), moment.timestamp()).refusal(waiting_of(entry))
    if refusal:
        return "failed", refusal
    asked = replace(
        standing.snapshot,
        moment=moment,
        entries=[*standing.snapshot.entries, entry],
        driven=standing.snapshot.driven | {_ASKED},
    )
    place = next(each for each in asked.places() if each.entry.run_id == _ASKED)
    if place.reason == "can start now":
        return "succeeded", "the quotas would admit a run of it now"
    return "upstream_failed", f"a run of it {place.reason}; {_when(place.starts_at, moment)}"


def _when(starts_at: datetime | None, moment: datetime) -> str:
    if starts_at is None:
        return "nobody can say when it would start"
    seconds = (starts_at - moment).total_seconds()
    return "it would start at once" if seconds < 1 else f"it would start in about {duration(seconds)}"


def _rows(standing: Standing, amount: Amount, queue: str) -> Iterator[str]:
    touched = {(scope, name) for scope, name, _ in standing.quotas.scopes(standing.user, queue)}
    for each in standing.ceilings:
        if (each.scope, each.name) not in touched:
            continue
        whose = "everybody" if each.scope == "all" else f"{each.scope} {each.name}"
        what = each.resource.replace("_", " ") + (" this month" if each.is_monthly else "")
        asked = 0.0 if each.resource in MONTHLY else amount[RESOURCES.index(each.resource)]
        shown = _SHOWN.get(each.resource, "{:g}".format)
        yield row(f"{whose} {what}", asked, max(0.0, each.limit - each.used), each.limit, shown)
