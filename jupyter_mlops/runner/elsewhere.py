"""Runs that another orchestrator drives, task by task (`entry`): what can be done about them from here."""

from __future__ import annotations

from dataclasses import replace

from ..catalog import Catalog, owner
from ..catalog.records import Run, TaskRun
from ..events import TERMINAL, now


def cancel(catalog: Catalog, run: Run) -> Run:
    """End it here: what does not run yet will not run any more, whatever the orchestrator starts. A task that is
    running is not interrupted, and says itself how it ended."""
    moment = now()
    reason = f"cancelled by {owner.user_name()}"
    with catalog.transaction():
        for task in catalog.find(TaskRun, where={"run_id": run.run_id}):
            if task.state not in TERMINAL and task.state != "running":
                catalog.put(replace(task, state="cancelled", reason=reason, finished_at=moment))
        changes = {
            "is_cancel_requested": True,
            "state": "cancelled",
            "message": reason,
            "finished_at": moment,
        }
        catalog.update(Run, run.run_id, runner="", **changes)
    return catalog.get(Run, run.run_id)
