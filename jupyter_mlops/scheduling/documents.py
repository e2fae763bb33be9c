"""Schedules and their fires as JSON, for whoever shows them: ``--json`` and the panel."""

from __future__ import annotations

from typing import Any

from .. import encoding
from ..catalog.records import Fire, Run, Schedule
from ..words import iso
from .book import NextFire


def schedule_body(schedule: Schedule) -> dict[str, Any]:
    """A schedule."""
    spec = dict(schedule.spec)
    return {
        "name": schedule.name,
        "pipeline": schedule.pipeline,
        "pipeline_path": schedule.pipeline_path,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "parameters": spec.get("parameters", {}),
        "catch_up": spec.get("catch_up"),
        "overlap": spec.get("overlap"),
        "jitter_seconds": spec.get("jitter_seconds"),
        "start": spec.get("start") or None,
        "end": spec.get("end") or None,
        "queue": spec.get("queue") or None,
        "priority": spec.get("priority", 0),
        "is_preemptible": spec.get("is_preemptible", False),
        "is_paused": schedule.is_paused,
        "next_at": None if schedule.is_paused else iso(schedule.next_at),
        "due_at": None if schedule.is_paused else iso(schedule.due_at),
        "user_name": schedule.user_name,
        "created_at": iso(schedule.created_at),
    }


def fire_body(fire: Fire, run: Run | None) -> dict[str, Any]:
    """What became of a fire."""
    return {
        "schedule": fire.schedule,
        "fire_at": iso(fire.fire_at),
        "first_at": iso(fire.first_at or fire.fire_at),
        "count": fire.count,
        "state": fire_state(fire, run),
        "reason": fire.reason,
        "run_id": fire.run_id or None,
        "is_backfill": fire.is_backfill,
        "started_at": iso(run.started_at) if run else None,
        "finished_at": iso(run.finished_at) if run else None,
    }


def next_body(fire: NextFire) -> dict[str, Any]:
    """A fire that is to come."""
    return {
        "fire_at": iso(fire.fire_at),
        "due_at": iso(fire.due_at),
        "arguments": encoding.to_json(fire.arguments),
    }


def fire_state(fire: Fire, run: Run | None) -> str:
    """A run knows its end before the scheduler has noted it."""
    return run.state if run is not None and fire.state == "running" else fire.state
