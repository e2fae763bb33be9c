"""The watch: notices whatever anybody writes into the workspace, and rings.

Kernels, commands and drivers are other processes; what they have in common with this one is the catalog. It is
asked some times a second whether anything was written at all, which costs next to nothing, and only then what.
Heartbeats are writes too, so what counts is compared: a ring that says nothing new would make every client
ask again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..catalog import Catalog
from ..catalog.records import (
    AliasMove,
    ComputeMeasurement,
    Deployment,
    FeatureDefinition,
    FeaturePart,
    Fire,
    Image,
    Lease,
    Materialization,
    QueueEntry,
    Quota,
    RegisteredModel,
    Run,
    RunEvent,
    Schedule,
    TaskRun,
)
from ..errors import MlopsError
from ..events import TERMINAL
from .panel import Panel

SCHEMA = Path(__file__).parent / "change.schema.yaml"
SCHEMA_ID = "https://jupyter-mlops.github.io/schemas/change/v1"
_EMBEDDED_SECONDS = 0.15
_SERVER_SECONDS = 0.75  # between questions to a PostgreSQL, each of which goes over a network
_AFTER_FAILURE_SECONDS = 5.0
_MOST_RUNS = 200  # named in one ring; beyond it, any
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What the catalog shows at a moment, as far as clients care. `runs` maps a live run to what of it moves."""

    token: str = ""
    event: int = 0
    runs: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, Any] = field(
        default_factory=dict
    )  # kind → what differs when something of it changed


@dataclass(frozen=True, slots=True)
class News:
    """The kinds that changed, and the runs."""

    kinds: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()


def look(catalog: Catalog, before: Look) -> tuple[Look, set[str]]:
    """What there is now, and the runs of whose log something is new."""
    token = catalog.change_seq()
    if token == before.token:
        return before, set()
    new = catalog.find(
        RunEvent, where={"seq": (">", before.event)}, order_by="seq", omit=("body",), limit=5000
    )
    going: dict[str, list[Any]] = {}
    for run in catalog.find(
        Run, where={"state": ["queued", "running"]}, omit=("plan", "arguments", "options")
    ):
        going[run.run_id] = [run.state, run.is_cancel_requested, run.message, bool(run.runner)]
    for task in catalog.find(
        TaskRun, where={"state": "running"}, omit=("arguments", "results", "artifacts", "error")
    ):
        going.setdefault(task.run_id, []).append((task.task, task.attempt, task.cell, task.cells))
    now = Look(token=token, event=new[-1].seq if new else before.event, runs=going, others=_others(catalog))
    return now, {event.run_id for event in new}


def _others(catalog: Catalog) -> dict[str, Any]:
    fires = {"state": ["queued", "running"]}
    return {
        "model": _newest(catalog, RegisteredModel, "updated_at") + _newest(catalog, AliasMove, "seq"),
        "feature": _newest(catalog, FeatureDefinition, "registered_at")
        + _newest(catalog, FeaturePart, "seq")
        + _newest(catalog, Materialization, "created_at")
        + (catalog.count(Materialization, where={"finished_at": None}),),
        "schedule": _newest(catalog, Schedule, "updated_at")
        + _newest(catalog, Fire, "created_at")
        + (catalog.count(Fire, where=fires), *(lease.holder for lease in catalog.find(Lease))),
        "queue": _queue(catalog),
        "compute": _newest(catalog, ComputeMeasurement, "measured_at"),
        "deployment": _newest(catalog, Deployment, "updated_at") + _newest(catalog, Image, "created_at"),
    }


def _queue(catalog: Catalog) -> tuple[Any, ...]:
    """Who waits, as what and why; and the quotas. Of a long queue the first ones: the others move with them."""
    entries = catalog.find(
        QueueEntry, order_by=("state", "position"), limit=_MOST_RUNS, omit=("least", "most")
    )
    told = [
        (each.run_id, each.state, each.priority, each.position, each.reason, each.starts_at, each.is_leaving)
        for each in entries
    ]
    return (catalog.count(QueueEntry), *_newest(catalog, Quota, "updated_at"), *told)


def _newest(catalog: Catalog, kind: type[Any], name: str) -> tuple[Any, ...]:
    found = catalog.find(kind, order_by=f"-{name}", limit=1)
    return (getattr(found[0], name), catalog.count(kind)) if found else (None, 0)


def news(before: Look, now: Look, logged: set[str]) -> News:
    """What is different, for clients."""
    moved = {key for key in before.runs.keys() | now.runs.keys() if before.runs.get(key) != now.runs.get(key)}
    run_ids = sorted(logged | moved)
    changed = [kind for kind, state in now.others.items() if before.others.get(kind) != state]
    kinds = [*(["run"] if run_ids else []), *changed]
    return News(tuple(kinds), tuple(run_ids) if len(run_ids) <= _MOST_RUNS else ())


def _tell(catalog: Catalog, run_id: str) -> None:
    """A run whose driver died without a word says where to look."""
    told = f"the process that drove it has died: see .mlops/runs/{run_id}/driver.log, and resume it"
    catalog.compare_and_set(Run, run_id, {"state": ("not in", TERMINAL), "message": ""}, message=told)


class Watch:
    """Looks, and calls `ring` with each change on the event loop, from `start` until `stop`."""

    def __init__(self, panel: Panel, ring: Callable[[dict[str, Any]], None]) -> None:
        self.panel, self._ring = panel, ring
        # One of its own, so that it hears whatever keeps the others busy.
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="mlops-watch")
        self._seen: Look | None = None
        self._catalog: Catalog | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._go(), name="mlops-watch")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.thread.shutdown(wait=False, cancel_futures=True)

    def look(self) -> News:
        """What is new since the last look. The first look at a catalog sees nothing new, a later one at
        another catalog sees everything."""
        catalog = self.panel.workspace.catalog
        for run_id in self.panel.drivers.failures():
            _tell(catalog, run_id)
        if catalog is not self._catalog or self._seen is None:
            is_first = self._catalog is None
            newest = catalog.find(RunEvent, order_by="-seq", limit=1, omit=("body",))
            self._seen, _ = look(catalog, Look(event=newest[0].seq if newest else 0))
            self._catalog = catalog
            return News() if is_first else News(("run", *self._seen.others))
        now, logged = look(catalog, self._seen)
        found = news(self._seen, now, logged)
        self._seen = now
        return found

    async def _go(self) -> None:
        loop = asyncio.get_running_loop()
        is_well = True
        while True:
            pause = _EMBEDDED_SECONDS
            try:
                found = await loop.run_in_executor(self.thread, self.look)
                if found.kinds or self.panel.saved:
                    self.ring(found)
                if not self._is_embedded():
                    pause = _SERVER_SECONDS
                is_well = True
            except MlopsError as error:
                if is_well:
                    log.warning("changes are not noticed for now: %s", error.message)
                is_well, pause = False, _AFTER_FAILURE_SECONDS
            except Exception:
                log.exception("changes are not noticed for now")
                pause = _AFTER_FAILURE_SECONDS
            await asyncio.sleep(pause)

    def ring(self, found: News) -> None:
        """Tell all clients."""
        kinds = list(found.kinds)
        if self.panel.saved:
            self.panel.saved = False
            kinds.append("pipeline")
        self.panel.seq += 1
        change = {"seq": self.panel.seq, "server_id": self.panel.server_id, "kinds": kinds}
        self._ring({"schema_id": SCHEMA_ID, **change, "run_ids": list(found.run_ids)})

    def _is_embedded(self) -> bool:
        return self._catalog is None or self._catalog.url.startswith("sqlite")
