"""Materialization: what became known since the last time goes from the source to the log, and from there online.

Two steps, each of which may be cut off anywhere. *Logging* writes a file, profiles it, asks the expectations,
and then records file and watermark in one transaction: before that nothing has happened. *Publishing* takes the
parts of the log that are not online yet and upserts the newest row of each key, in key order and in batches,
noting how far it is; the next one goes on from there, and doing a batch twice changes nothing.

The bounds are half-open, ``(start, end]``, and are of the moment when a row became known, not of its event:
late rows are not missed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ..catalog import Catalog, FeaturePart, Materialization
from ..errors import Conflict, ExpectationFailed, InvalidInput
from . import duck, expectations, profiles, sources
from .codec import KeyCodec, RowCodec
from .definitions import FeatureView
from .dtypes import moment_of
from .log import Log
from .names import CREATED, EVENT, literal, quote
from .online import Block, OnlineStore, Row

BATCH_ROWS = 50_000
MOST_PUSHED = 64  # parts
_DONE = ["logged", "succeeded"]
Open = Callable[..., Any]
T = TypeVar("T")


class Materializer:
    """Brings views into a log and an online store. `open_source` is `sources.opened`, bound to a workspace."""

    def __init__(
        self,
        catalog: Catalog,
        log: Log,
        online: Callable[[], OnlineStore],
        open_source: Open,
        now: Callable[[], datetime],
    ) -> None:
        self._catalog = catalog
        self._log = log
        self._online = online
        self._open_source = open_source
        self._now = now
        self._single: set[str] = set()  # files that were found to have one row a key, to be asked once

    def watermark(self, view: FeatureView) -> datetime | None:
        """The end of what is in the log; None when nothing was ever brought there."""
        where = {"view": view.name, "version": view.version, "state": _DONE}
        newest = self._catalog.find(
            Materialization, where=where, order_by="-end_at", limit=1, omit=("profile", "problems")
        )
        return newest[0].end_at if newest else None

    def parts(self, view: FeatureView) -> list[FeaturePart]:
        """The files of the view's log, in the order of their arrival."""
        return self._catalog.find(
            FeaturePart, where={"view": view.name, "version": view.version}, order_by="seq"
        )

    # --- logging ----------------------------------------------------------------------------------------

    def log(
        self, view: FeatureView, keys: Mapping[str, str], start: datetime | None, end: datetime, run_id: str
    ) -> Materialization:
        """Write what became known in ``(start, end]``. `ExpectationFailed` when an expectation keeps it out."""
        record = Materialization(
            materialization_id=uuid.uuid4().hex, view=view.name, version=view.version, start_at=start, end_at=end,
            run_id=run_id, created_at=self._now(),
        )  # fmt: skip
        self._catalog.add(record)
        path = ""
        try:
            with self._open_source(view, start=start, end=end) as source:
                rows = sources.between(sources.normalized(view, keys, source), start, end)
                path = self._log.copy(source.connection, rows, view.version)
                path = self._without_ties(source.connection, path, view, keys)
                record = self._judged(source.connection, path, view, record)
                part = self.part_of(source.connection, path, view, record.materialization_id)
            self._keep(record, part)
        except BaseException as error:
            with suppress(Exception):
                self._catalog.update(
                    Materialization, record.materialization_id, state="failed", message=str(error),
                    problems=list(record.problems), finished_at=self._now(),
                )  # fmt: skip
            if path:
                with suppress(Exception):
                    self._log.delete(path)
            raise
        if part is None:
            self._log.delete(path)
        return replace(record, state="logged")

    def _without_ties(self, connection: Any, path: str, view: FeatureView, keys: Mapping[str, str]) -> str:
        rows = self._log.sql([path])
        duck.see(connection, rows, self._log.options)
        # Mostly a batch has one row a key, or none tied; the cheaper question comes first.
        if not duck.one(connection, sources.ties(rows, keys, has_times=False))["ties"]:
            self._single.add(path)
            return path
        if not duck.one(connection, sources.ties(rows, keys))["ties"]:
            return path
        decided = self._log.copy(connection, sources.decided(rows, keys, view.schema), view.version)
        self._log.delete(path)
        return decided

    def _judged(
        self, connection: Any, path: str, view: FeatureView, record: Materialization
    ) -> Materialization:
        rows = self._log.sql([path])
        profile = profiles.profile_rows(connection, rows, view.schema)
        problems = expectations.problems(connection, rows, view, record.end_at)
        record = replace(record, profile=profile, problems=problems, rows=profile["rows"])
        errors = [one["message"] for one in problems if one["severity"] == "error"]
        if errors:
            raise ExpectationFailed(
                f"feature view {view.name!r}: the rows do not meet its expectations: {'; '.join(errors)}",
                hint="nothing was materialized; mend the source, or make the expectation a warning",
                problems=problems,
            )
        return record

    def part_of(
        self, connection: Any, path: str, view: FeatureView, materialization_id: str
    ) -> FeaturePart | None:
        """The record of a written file; None when it has no rows."""
        rows = self._log.sql([path])
        duck.see(connection, rows, self._log.options)
        known = f"greatest({EVENT}, {CREATED})"
        facts = duck.one(
            connection,
            f"SELECT count(*) AS n, epoch_us(min({known})) AS least, epoch_us(max({known})) AS greatest FROM ({rows})",
        )
        if not facts["n"]:
            return None
        return FeaturePart(
            part_id=uuid.uuid4().hex, view=view.name, version=view.version, path=path, rows=facts["n"],
            materialization_id=materialization_id, size_bytes=self._log.size(path),
            least_at=moment_of(facts["least"]), greatest_at=moment_of(facts["greatest"]), created_at=self._now(),
        )  # fmt: skip

    def _keep(self, record: Materialization, part: FeaturePart | None) -> None:
        with self._catalog.transaction():
            if part is not None:
                self._catalog.add(part)
            self._catalog.update(
                Materialization, record.materialization_id, state="logged", rows=record.rows, profile=record.profile,
                problems=record.problems,
            )  # fmt: skip

    # --- publishing -------------------------------------------------------------------------------------

    def publish(self, view: FeatureView, keys: Mapping[str, str], end: datetime) -> int:
        """Bring online what is in the log and was known at `end`; how many rows were written."""
        where = {"view": view.name, "version": view.version, "is_online": False, "least_at": ("<=", end)}
        written = 0
        for part in self._catalog.find(FeaturePart, where=where, order_by="seq"):
            written += self._publish_part(view, keys, part, end)
        return written

    def _publish_part(
        self, view: FeatureView, keys: Mapping[str, str], part: FeaturePart, end: datetime
    ) -> int:
        is_whole = part.greatest_at <= end
        done = part.online_rows if is_whole else 0  # a part that waits for its time is gone through again
        rows = self._log.sql([part.path])
        by = ", ".join(map(quote, keys))
        known = (
            f"SELECT *, epoch_us({EVENT}) AS __event, epoch_us({CREATED}) AS __created FROM ({rows})"
            f" WHERE greatest({EVENT}, {CREATED}) <= TIMESTAMPTZ {literal(end.isoformat(sep=' '))}"
        )
        newest = (
            f"{known} QUALIFY row_number() OVER (PARTITION BY {by} ORDER BY {EVENT} DESC, {CREATED} DESC) = 1"
        )
        pack = packer(view, keys, part.seq)
        store, written = self._online(), 0
        with duck.connect(options=self._log.options, sql=rows) as connection, duck.explained(view.name):
            has_more = part.path not in self._single and bool(
                duck.one(connection, sources.ties(rows, keys, has_times=False))["ties"]
            )
            asked = f"{newest if has_more else known} ORDER BY {by} OFFSET {done}"
            batches = duck.batches(connection, asked, BATCH_ROWS)
            with closing(_ahead((batch.num_rows, pack(batch)) for batch in batches)) as packed:
                for count, rows_of_batch in packed:
                    store.write(view=view.reference, rows=rows_of_batch)
                    written += count
                    self._catalog.update(FeaturePart, part.seq, online_rows=done + written)
        self._single.discard(part.path)
        self._catalog.update(
            FeaturePart, part.seq, is_online=is_whole, online_rows=done + written if is_whole else 0
        )
        return written

    def compact(self, view: FeatureView, keys: Mapping[str, str], *, most: int = MOST_PUSHED) -> bool:
        """Make one part of the pushed ones when there are many; whether it did. Each row keeps its arrival. The
        old files stay until they are cleaned up: somebody may be reading them."""
        where = {"view": view.name, "version": view.version, "materialization_id": "", "is_online": True}
        parts = self._catalog.find(FeaturePart, where=where, order_by="seq")
        if len(parts) <= most:
            return False
        path = self._log.write(self._log.read(parts, [*keys, EVENT, CREATED, *view.schema]), view.version)
        part = replace(
            parts[0], seq=0, part_id=uuid.uuid4().hex, path=path, rows=sum(one.rows for one in parts),
            size_bytes=self._log.size(path), least_at=min(one.least_at for one in parts),
            greatest_at=max(one.greatest_at for one in parts), created_at=self._now(),
        )  # fmt: skip
        old = [one.seq for one in parts]
        try:
            with self._catalog.transaction():
                if self._catalog.delete(FeaturePart, {"seq": old}) != len(old):
                    raise Conflict(f"the log of {view.name!r} was compacted by another process")
                self._catalog.add(part)
        except Conflict:
            self._log.delete(path)
            return False
        return True

    def finish(self, record: Materialization, online_rows: int) -> Materialization:
        """Note that a materialization is through."""
        changes: dict[str, Any] = {
            "state": "succeeded",
            "online_rows": online_rows,
            "finished_at": self._now(),
        }
        self._catalog.update(Materialization, record.materialization_id, **changes)
        return replace(record, **changes)


def _ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items, the next of which is made while one is used: DuckDB, NumPy and the online store work side by side."""
    with ThreadPoolExecutor(1, thread_name_prefix="features") as thread:
        made = thread.submit(next, items, None)
        while (item := made.result()) is not None:
            made = thread.submit(next, items, None)
            yield item


def packer(view: FeatureView, keys: Mapping[str, str], arrival: int) -> Callable[[Any], Iterable[Row]]:
    """From an Arrow batch with the times as numbers, ``__event`` and ``__created`` to rows of the online store."""
    key_codec, row_codec = KeyCodec(keys), RowCodec(view.schema)

    def pack(batch: Any) -> Iterable[Row]:
        event, created = batch.column("__event").to_numpy(), batch.column("__created").to_numpy()
        if key_codec.size and row_codec.size:
            packed = row_codec.pack_block(batch, event, created, arrival)
            return Block(key_codec.pack_block(batch), key_codec.size, packed, row_codec.size)
        values = row_codec.pack_batch(batch, event, created, arrival)
        return zip(key_codec.pack_batch(batch), values, strict=True)

    return pack


def check_every(every: object) -> None:
    """`InvalidInput` unless it is None or a time above 0."""
    if every is not None and (not isinstance(every, timedelta) or every <= timedelta(0)):
        raise InvalidInput(f"every is {every!r}, not a timedelta above 0", hint="every=timedelta(days=1)")


def windows(
    start: datetime | None, end: datetime, every: timedelta | None
) -> Iterator[tuple[datetime | None, datetime]]:
    """The batches of ``(start, end]``: one, or one for each `every` of time."""
    check_every(every)
    if every is None or start is None:
        yield start, end
        return
    while start < end:
        until = min(start + every, end)
        yield start, until
        start = until
