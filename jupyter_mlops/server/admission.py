"""The operations on the queue: who waits for what, in which order, and by which quotas.

Whose request it is comes from Jupyter's identity, never from what is sent: see `handlers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput, NotFound
from ..queueing.ceilings import ceilings
from ..queueing.documents import place_body
from ..queueing.quotas import DEFAULT_QUEUE
from ..queueing.snapshot import Place
from .panel import Panel

_MOST = 500


def list_queue(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listQueue`."""
    queue, user = panel.workspace.queue, asked["user_name"]
    places = queue.look()
    may_operate = queue.quotas().may_operate(user)
    return {
        "items": [_body(place, user, may_operate=may_operate) for place in places[:_MOST]],
        "total": len(places),
        "waiting": sum(place.entry.state != "admitted" for place in places),
    }


def change(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`changeQueueEntry`."""
    queue, run_id, user = panel.workspace.queue, asked["run_id"], asked["user_name"]
    priority, is_held = asked.get("priority"), asked.get("is_held")
    if priority is None and is_held is None:
        raise InvalidInput("nothing is to be changed", hint="give priority or is_held")
    entry = queue.find(run_id)
    if entry is None:
        raise NotFound(f"run {run_id} is in no queue", hint="it may have started already")
    if priority is not None and priority != entry.priority:
        queue.move(run_id, user, priority)
    if is_held is not None and is_held != (entry.state == "held"):
        (queue.hold if is_held else queue.release)(run_id, user)
    place = next((each for each in queue.look() if each.entry.run_id == run_id), None)
    if place is None:
        raise NotFound(f"run {run_id} is in no queue any more", hint="it is over")
    return _body(place, user, may_operate=queue.quotas().may_operate(user))


def quotas(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getQuotas`."""
    queue = panel.workspace.queue
    found = queue.quotas()
    limits = [
        {
            "scope": each.scope,
            "name": each.name,
            "resource": each.resource,
            "used": each.used,
            "limit": each.limit,
            "is_monthly": each.is_monthly,
        }
        for each in ceilings(queue, found)
    ]
    return {
        "is_set": bool(found),
        "user_name": asked["user_name"],
        "group_name": found.group_of(asked["user_name"]),
        "queues": [DEFAULT_QUEUE, *(name for name in found.queues if name != DEFAULT_QUEUE)],
        "limits": limits,
    }


def _body(place: Place, user: str, *, may_operate: bool) -> dict[str, Any]:
    entry = place.entry
    may_change = entry.state != "admitted" and (may_operate or user == entry.user_name)
    return {**place_body(place), "may_change": may_change}
