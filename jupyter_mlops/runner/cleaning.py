"""Deleting old runs, and the blobs that nothing refers to any more."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from ..blobs import BlobStore, parse_reference
from ..blobs.store import GRACE_SECONDS
from ..catalog import Catalog
from ..catalog.owner import is_driven
from ..catalog.records import RECORDS, Artifact, Attempt, CacheEntry, Fire, Run, RunEvent, TaskRun
from ..errors import MlopsError
from ..events import TERMINAL, now
from .options import CleanReport
from .places import run_folder

_REFERENCE = re.compile(rb"blob://sha256/([0-9a-f]{64})")


def clean(
    catalog: Catalog,
    blobs: BlobStore,
    root: Path,
    *,
    older_than_days: float,
    keep_runs: int,
    is_dry_run: bool,
) -> CleanReport:
    """See `Runs.clean`."""
    old = _old_runs(catalog, older_than_days, keep_runs)
    kept = _needed(catalog, blobs, without=set(old))
    if not is_dry_run:
        for run_id in old:
            _delete_run(catalog, blobs, root, run_id)
        _delete_fires(catalog, older_than_days)
    sizes = {digest: blobs.size(digest) for digest in blobs.digests() if digest not in kept}
    gone = blobs.clean(kept, grace_seconds=_grace_seconds(catalog), is_dry_run=is_dry_run)
    return CleanReport(runs=len(old), blobs=len(gone), bytes=sum(sizes.get(digest, 0) for digest in gone))


def _grace_seconds(catalog: Catalog) -> float:
    """What is younger than the oldest run that goes on may be on its way to a worker."""
    going = catalog.find(Run, where={"state": ["queued", "running"]}, omit=("plan",))
    ages = [(now() - run.created_at).total_seconds() for run in going if is_driven(run)]
    return max([GRACE_SECONDS, *(age + 60.0 for age in ages)])


def _old_runs(catalog: Catalog, older_than_days: float, keep_runs: int) -> list[str]:
    before = now() - timedelta(days=older_than_days)
    seen: Counter[str] = Counter()
    old = []
    for run in catalog.find(Run, order_by="-created_at", omit=("plan",)):
        seen[run.pipeline] += 1
        is_over = run.state in TERMINAL and (run.finished_at or run.created_at) < before
        if is_over and seen[run.pipeline] > keep_runs:
            old.append(run.run_id)
    return old


def _needed(catalog: Catalog, blobs: BlobStore, without: set[str]) -> set[str]:
    """The digests that the runs that stay, and the newest entry of the cache for each task, refer to."""
    notebooks: set[str] = set()
    references: list[str] = []
    for task in catalog.find(TaskRun):
        if task.run_id not in without:
            notebooks.add(task.notebook)
            references += task.artifacts.values()
    for attempt in catalog.find(Attempt):
        if attempt.run_id not in without:
            notebooks.add(attempt.notebook)
    for entry in _kept_entries(catalog, without):
        notebooks.add(entry.notebook)
        references += entry.artifacts.values()
    notebooks.discard("")
    digests = {parsed.digest for text in references if (parsed := parse_reference(text))}
    return digests | notebooks | named_blobs(catalog) | _mentioned(blobs, notebooks)


def named_blobs(catalog: Catalog) -> set[str]:
    """The digests that records say they are made of: versions of models, functions of feature views."""
    kinds = [kind for kind in RECORDS if "blobs" in {field.name for field in fields(kind)}]
    return {digest for kind in kinds for record in catalog.find(kind) for digest in record.blobs}  # type: ignore[union-attr]


def _kept_entries(catalog: Catalog, without: set[str]) -> list[CacheEntry]:
    entries = catalog.find(CacheEntry, order_by="-created_at")
    newest: set[tuple[str, str]] = set()
    kept = []
    for entry in entries:
        is_newest = (entry.pipeline, entry.task) not in newest
        newest.add((entry.pipeline, entry.task))
        if is_newest or entry.is_frozen or entry.run_id not in without:
            kept.append(entry)
    return kept


def _mentioned(blobs: BlobStore, notebooks: Iterable[str]) -> set[str]:
    """What executed notebooks point to: outputs that were too large for them."""
    found: set[str] = set()
    for digest in notebooks:
        try:
            content = blobs.read_bytes(digest)
        except MlopsError:
            continue  # it is gone or damaged: it needs nothing any more
        found |= {match.decode() for match in _REFERENCE.findall(content)}
    return found


def _delete_fires(catalog: Catalog, older_than_days: float) -> None:
    """What became of the fires of schedules goes with its run, and where there was none after as long a time."""
    before = now() - timedelta(days=older_than_days)
    staying = catalog.find(Run, where={"created_at": ("<", before)}, omit=("plan",))
    where = {
        "run_id": ("not in", [run.run_id for run in staying]),
        "state": ("not in", ["queued", "running"]),
    }
    catalog.delete(Fire, {**where, "created_at": ("<", before)})


def _delete_run(catalog: Catalog, blobs: BlobStore, root: Path, run_id: str) -> None:
    kept = {entry.cache_key for entry in _kept_entries(catalog, {run_id})}
    with catalog.transaction():
        for entry in catalog.find(CacheEntry, where={"run_id": run_id}):
            if entry.cache_key not in kept:
                catalog.delete(CacheEntry, {"cache_key": entry.cache_key})
        for kind in (RunEvent, Artifact, Attempt, TaskRun, Run):
            catalog.delete(kind, {"run_id": run_id})
    for name in blobs.documents(f"outcomes/{run_id}/"):
        blobs.delete_document(name)
    shutil.rmtree(run_folder(root, run_id), ignore_errors=True)
