"""Whether a run may wait in the queue at all, and its entry if so."""

from __future__ import annotations

import statistics
from datetime import datetime
from typing import Any

from ..catalog import Catalog
from ..catalog.records import QueueEntry, Run
from ..errors import Conflict, InvalidInput
from ..resources import MOST_PRIORITY
from .admission import Admission
from .amounts import Amount
from .quotas import Quotas
from .snapshot import waiting_of

_EARLIER = 5  # runs by which the length of the next one is guessed
_FIELDS = {"user": "user_name", "group": "group_name", "queue": "queue"}


def new_entry(
    catalog: Catalog,
    quotas: Quotas,
    run: Run,
    ask: tuple[Amount, Amount],
    moment: datetime,
    *,
    queue: str,
    priority: int,
    is_preemptible: bool,
) -> QueueEntry:
    """The place of a run that may wait, not kept yet. Raises what keeps it from ever running: `NotFound` for an
    unknown queue, `InvalidInput` for a priority or resources beyond the quotas, `Conflict` when the user has
    too many waiting."""
    quotas.demand_queue(queue)
    made = QueueEntry(
        run_id=run.run_id, pipeline=run.pipeline, user_name=run.user_name,
        group_name=quotas.group_of(run.user_name), queue=queue, priority=priority, is_preemptible=is_preemptible,
        least=list(ask[0]), most=list(ask[1]), seconds=_guess(catalog, run.pipeline),
        since_at=run.created_at, created_at=moment,
    )  # fmt: skip
    demand_priority(quotas, made, priority)
    refusal = Admission(quotas, (), moment.timestamp()).refusal(waiting_of(made))
    if refusal:
        hint = "let its tasks ask for less, or have the quota raised: jupyter mlops quota"
        raise InvalidInput(f"{run.pipeline} {refusal}", hint=hint)
    for scope, name, limits in quotas.scopes(run.user_name, queue):
        if limits.waiting is not None and _waiting_in(catalog, scope, name) >= limits.waiting:
            raise Conflict(
                f"{_who(scope, name)} has {limits.waiting} runs waiting, and may not have more",
                hint="wait for some of them, or cancel some: jupyter mlops queue",
            )
    return made


def demand_priority(quotas: Quotas, entry: QueueEntry, priority: int) -> None:
    """Raises `InvalidInput` for a priority that this entry may not have."""
    if not -MOST_PRIORITY <= priority <= MOST_PRIORITY:
        raise InvalidInput(f"priority {priority} is not between {-MOST_PRIORITY} and {MOST_PRIORITY}")
    for scope, name, limits in quotas.scopes(entry.user_name, entry.queue):
        if limits.max_priority is not None and priority > limits.max_priority:
            raise InvalidInput(
                f"priority {priority} is more than {_who(scope, name)} may ask for",
                hint=f"at most {limits.max_priority}",
            )


def _who(scope: str, name: str) -> str:
    return f"{scope} {name}".strip()


def _waiting_in(catalog: Catalog, scope: str, name: str) -> int:
    where: dict[str, Any] = {"state": ["waiting", "held"]}
    return catalog.count(QueueEntry, where=where | ({_FIELDS[scope]: name} if scope in _FIELDS else {}))


def _guess(catalog: Catalog, pipeline: str) -> float | None:
    """How long a run of this pipeline takes: the median of the last ones that did well."""
    earlier = catalog.find(
        Run, where={"pipeline": pipeline, "state": "succeeded"}, order_by="-created_at", limit=_EARLIER,
        omit=["plan", "arguments", "options"],
    )  # fmt: skip
    took = [
        (run.finished_at - run.started_at).total_seconds()
        for run in earlier
        if run.started_at is not None and run.finished_at is not None
    ]
    return statistics.median(took) if took else None
