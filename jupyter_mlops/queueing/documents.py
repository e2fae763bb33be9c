"""The queue as JSON, for whoever shows it: ``--json`` and the panel."""

from __future__ import annotations

from typing import Any

from ..words import iso
from .amounts import Amount, body
from .snapshot import Place


def place_body(place: Place) -> dict[str, Any]:
    """One entry. It needs so much to start at all, and is granted at most what it asks for."""
    entry = place.entry
    return {
        "run_id": entry.run_id,
        "pipeline": entry.pipeline,
        "state": entry.state,
        "position": place.position,
        "reason": place.reason,
        "starts_at": iso(place.starts_at),
        "user_name": entry.user_name,
        "group_name": entry.group_name,
        "queue": entry.queue,
        "priority": entry.priority,
        "is_preemptible": entry.is_preemptible,
        "preemptions": entry.preemptions,
        "needs": dict(body(Amount.read(entry.least))),
        "asks": dict(body(Amount.read(entry.most))),
        "granted": dict(body(Amount.read(entry.granted))) if entry.granted else None,
        "since_at": iso(entry.since_at),
        "admitted_at": iso(entry.admitted_at),
    }
