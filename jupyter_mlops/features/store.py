"""The feature store: definitions, history for training, the newest values for serving, and proof that they agree.

Everything with state is behind it: the catalog (definitions, watermarks, which files are part of the log), the
offline log (parquet), the online store (SQLite or Redis). Moments are what the clock says that is handed in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, time_ns
from typing import Any, TypeVar

from ..blobs import BlobStore
from ..catalog import Catalog, FeaturePart, Materialization
from ..errors import InvalidInput, NotFound, did_you_mean
from ..frames import to_arrow
from ..profiles import Drift, Profile, drift, profile_frame
from . import consistency, duck, feast, functions, pushing, sources
from .definitions import Definition, Entity, FeatureService, FeatureView, OnDemandView
from .dtypes import microseconds
from .frames import like, plain, typed
from .history import features_at
from .log import Log
from .materialize import Materializer, check_every, windows
from .names import ARRIVAL, CREATED, EVENT, parse_reference
from .online import OnlineStore, open_online
from .registry import REFRESH_SECONDS, Definitions
from .selection import Features, Selection, references, select
from .serving import OnlineFeatures, Reader

D = TypeVar("D", Entity, FeatureView, OnDemandView, FeatureService)
_GRACE_SECONDS = 24 * 3600.0
_MOST_READERS = 256


class FeatureStore:
    """The features of one workspace.

    `root` is what relative paths in queries count from. `offline` (a path or fsspec URL, with `offline_options`)
    is where the log lies, `online` the URL of the online store: ``sqlite:///path`` or ``redis://host:port/0``.
    """

    def __init__(
        self,
        catalog: Catalog,
        blobs: BlobStore,
        *,
        root: Path | str = ".",
        offline: str | Path | None = None,
        offline_options: Mapping[str, Any] | None = None,
        online: str | Path | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.root = Path(root).absolute()
        home = self.root / ".mlops"
        self.log = Log(offline if offline is not None else home / "features", offline_options)
        self._catalog = catalog
        self._blobs = blobs
        self._online_url = online if online is not None else f"sqlite:///{home / 'online.db'}"
        self._online: OnlineStore | None = None
        self._now = now or _now
        self._microseconds = _microseconds_now if now is None else lambda: microseconds(now())
        self._definitions = Definitions(catalog, blobs, self._inspect)
        self._materializer = Materializer(
            catalog, self.log, lambda: self.online, self._open_source, self._now
        )
        self._readers: dict[Any, tuple[float, Reader]] = {}

    def __repr__(self) -> str:
        return f"FeatureStore({self.log.url!r})"

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the online store."""
        online, self._online = self._online, None
        if online is not None:
            online.close()

    @property
    def online(self) -> OnlineStore:
        """The online store, opened when first asked for."""
        if self._online is None:
            self._online = open_online(self._online_url)
        return self._online

    # --- definitions ------------------------------------------------------------------------------------

    def register(self, *definitions: Definition, run_id: str | None = None) -> Any:
        """Keep definitions, all or none; returns them with schemas read, references pinned and versions known
        (the one, if one was given).

        The same definition again is the same version, and becomes the current one. `InvalidInput`, `NotFound`,
        `Conflict` say what is wrong; nothing is kept then.
        """
        if not definitions:
            raise InvalidInput("nothing was given to register")
        kept = self._definitions.register(definitions, at=self._now(), run_id=_run(run_id))
        self._readers.clear()
        return kept[0] if len(kept) == 1 else kept

    def get(self, name: str, kind: type[D] | None = None) -> Any:
        """The definition ``name`` (its current version) or ``name@version``: a view, or of the given `kind`."""
        reference = parse_reference(name)
        if reference.feature:
            raise InvalidInput(
                f"{name!r} is a feature, not a definition", hint=f"get({str(reference.view)!r})"
            )
        if kind is None:
            return self._definitions.view(reference)
        return self._definitions.get(kind, reference.view, reference.version)

    def named(self, name: str) -> Definition:
        """The view, service or entity of that name (or ``name@version``); `NotFound` with the nearest one."""
        kinds: tuple[type[Any], ...] = (FeatureView, OnDemandView, FeatureService, Entity)
        for kind in kinds:
            with suppress(NotFound):
                found: Definition = self.get(name, kind)
                return found
        known = {one.name for one in self.find()}
        raise NotFound(f"no feature definition is called {name!r}", hint=did_you_mean(name, known))

    def find(
        self,
        text: str = "",
        *,
        kind: type[Any] | None = None,
        owner: str | None = None,
        tags: Mapping[str, str] | None = None,
        all_versions: bool = False,
    ) -> list[Definition]:
        """Definitions with each word of `text` in their name, description, owner, features or tags."""
        return self._definitions.find(text, kind=kind, owner=owner, tags=tags, are_all_versions=all_versions)

    def select(self, features: Features, *, full_names: bool = False) -> Selection:
        """What a list of features (or a service) stands for now; its `pinned` names each with its version."""
        return select(self._definitions, features, has_full_names=full_names)

    # --- history ----------------------------------------------------------------------------------------

    def get_historical_features(
        self,
        entity_rows: Any,
        features: Features,
        *,
        timestamp: str = EVENT,
        time_zone: str = "",
        with_status: bool = False,
        include_late: bool = False,
        full_names: bool = False,
    ) -> Any:
        """The features of each row as they were known at its moment: one row out for each row in, in order.

        `entity_rows` is a frame with the join keys and the column `timestamp`; the answer is a frame of the same
        kind (a pandas one for lists and mappings), with a column for each feature. Rows that were created later
        than the moment do not count, unless `include_late`. `with_status` adds ``<feature>__status``. A pandas
        answer has ``attrs["features"]``, each column's pinned reference.
        """
        table = to_arrow(entity_rows, "entity rows")
        selection = self.select(features, full_names=full_names)
        answer = features_at(
            table, selection, self._rows, self._definitions.keys_of, self._function, timestamp=timestamp,
            time_zone=time_zone, has_status=with_status, is_late_included=include_late,
        )  # fmt: skip
        if type(entity_rows).__module__.partition(".")[0] == "pandas":
            made = like(entity_rows, answer.drop_columns(table.column_names)).set_axis(entity_rows.index)
            frame = entity_rows.assign(**{name: made[name] for name in made.columns})
            frame.attrs = {**entity_rows.attrs, "features": selection.pinned}
            return frame
        return like(entity_rows, answer)

    # --- now --------------------------------------------------------------------------------------------

    def get_online_features(
        self,
        entity_rows: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        features: Features,
        *,
        at: datetime | None = None,
        full_names: bool = False,
    ) -> OnlineFeatures:
        """The newest values for each entity row (a mapping with the join keys), with status and age.

        `at` is the moment against which ttl and age are counted, now by default. A version that another process
        registers is noticed within some seconds.
        """
        rows = entity_rows if isinstance(entity_rows, (list, tuple)) else _as_rows(entity_rows)
        moment = self._microseconds() if at is None else microseconds(at)
        reader = self._reader(features, full_names)
        return reader.read(self._online or self.online, rows, moment)

    def _reader(self, features: Features, full_names: bool) -> Reader:  # noqa: FBT001 - part of the key
        name: Any = features
        if type(name) is list:  # mostly
            name = tuple(name)
        elif not isinstance(name, (str, tuple)):
            name = name.reference if isinstance(name, FeatureService) else _listed(name)
        key = (name, full_names)
        now = monotonic()
        try:
            until, reader = self._readers[key]
            if now < until:
                return reader
        except KeyError:
            pass
        except TypeError:
            references(features)  # which says what is wrong
            raise
        selection = self.select(features, full_names=full_names)
        reader = Reader(selection, self._definitions.keys_of, self._function)
        if len(self._readers) >= _MOST_READERS:
            self._readers.clear()
        self._readers[key] = (now + REFRESH_SECONDS, reader)
        return reader

    def forget(self, view: str, entity_rows: Sequence[Mapping[str, Any]]) -> None:
        """Take entity rows out of the online store; the log keeps them."""
        found = self._feature_view(view)
        pack = pushing.key_packer(self._definitions.keys_of(found))
        self.online.delete(view=found.reference, keys=[pack(row) for row in entity_rows])

    # --- bringing values in -----------------------------------------------------------------------------

    def materialize(
        self,
        views: str | Iterable[str] | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        every: timedelta | None = None,
        online: bool = True,
        run_id: str | None = None,
    ) -> list[Materialization]:
        """Bring what became known in ``(start, end]`` from the sources to the log, and online.

        `views` is a name or several, all with a source by default. `start` is where the last one ended by
        default, `end` is now. With `every`, in batches of that much time, each of which is done for good. A
        materialization that was cut off is completed by the next one. Raises `ExpectationFailed` when one of
        severity error does not hold; that batch leaves no trace in the stores.
        """
        until = self._now() if end is None else end
        microseconds(until, where="end")
        check_every(every)
        if start is not None:
            microseconds(start, where="start")
        done = []
        for view in self._chosen(views):
            done += self._materialize(view, start, until, every, is_online=online, run_id=_run(run_id))
        return done

    def _materialize(
        self,
        view: FeatureView,
        start: datetime | None,
        end: datetime,
        every: timedelta | None,
        *,
        is_online: bool,
        run_id: str,
    ) -> list[Materialization]:
        keys = self._definitions.keys_of(view)
        begin = self._materializer.watermark(view) if start is None else start
        done = []
        if (begin is None or begin < end) and (view.sql or view.function):
            for since, until in windows(begin, end, every):
                record = self._materializer.log(view, keys, since, until, run_id)
                if is_online:
                    record = self._materializer.finish(record, self._materializer.publish(view, keys, until))
                done.append(record)
        if is_online:  # what an earlier one left undone, and pushed rows whose time has come
            self._materializer.publish(view, keys, end)
            self._complete(view)
        self._materializer.compact(view, keys)
        return done

    def _complete(self, view: FeatureView) -> None:
        where = {"view": view.name, "version": view.version, "state": "logged"}
        for record in self._catalog.find(Materialization, where=where, omit=("profile", "problems")):
            self._materializer.finish(record, record.online_rows)

    def push(self, view: str, rows: Any, *, offline: bool = True, online: bool = True) -> int:
        """Bring rows (a frame, a mapping or several, with keys, times and features) to both stores at once; how
        many there were.

        Without a creation time they are created now. Rows of the future wait in the log until a materialization
        after their time. `InvalidInput` for wrong types, missing zones, and two rows with the same key and times.
        """
        found = self._feature_view(view)
        if found.aggregations:
            raise InvalidInput(
                f"feature view {found.name!r} is made of windows; rows of its source are needed, not results",
                hint="materialize it",
            )
        batch = pushing.batch_of(found, self._definitions.keys_of(found), rows, self._now())
        part = self._log_pushed(found, batch) if offline else None
        if online:
            pushing.write_online(
                self.online, found, self._definitions.keys_of(found), batch, part, self._now()
            )
            if part is not None and part.greatest_at <= self._now():
                self._catalog.update(FeaturePart, part.seq, is_online=True)
        return int(batch.num_rows)

    def _log_pushed(self, view: FeatureView, batch: Any) -> FeaturePart:
        part = pushing.part_of(self.log, view, batch, self._now())
        self._catalog.add(part)
        return self._catalog.find(FeaturePart, where={"part_id": part.part_id})[0]

    # --- quality ----------------------------------------------------------------------------------------

    def profile(self, what: Any, features: Sequence[str] | None = None) -> Mapping[str, Any]:
        """The profile of a frame, or of a view's newest materialization with rows (a name)."""
        if not isinstance(what, str):
            return profile_frame(what, features)
        view = self._feature_view(what)
        where = {
            "view": view.name,
            "version": view.version,
            "state": ["logged", "succeeded"],
            "rows": (">", 0),
        }
        newest = self._catalog.find(Materialization, where=where, limit=1)
        if not newest:
            raise NotFound(
                f"the feature view {view.name!r} has no materialization", hint=f"materialize({view.name!r})"
            )
        return newest[0].profile

    def drift(
        self, before: Profile | str, now: Any, *, psi_limit: float = 0.2, ks_limit: float = 0.2
    ) -> Drift:
        """How far a frame (or a view's newest materialization, by its name) is from a profile (or a view's name).

        The training profile, ``store.profile(training_frame)``, is what a model version keeps for this.
        """
        reference = self.profile(before) if isinstance(before, str) else before
        frame = self.newest_rows(now) if isinstance(now, str) else now
        return drift(reference, frame, psi_limit=psi_limit, ks_limit=ks_limit)

    def check(
        self,
        logged: Any,
        features: Features,
        *,
        timestamp: str = EVENT,
        time_zone: str = "",
        tolerance: float = 1e-6,
        limit: float = 0.0,
        full_names: bool = False,
    ) -> consistency.Check:
        """Replay logged predictions: a frame with keys, the question's moment, and each feature as it was served."""
        table = to_arrow(logged, "the log")
        selection = self.select(features, full_names=full_names)
        served = {
            one.output: typed(table, one.output, one.view.schema[one.feature], "the log", time_zone)
            for one in selection.columns
        }
        asked = table.drop_columns(list(served))
        expected = features_at(
            asked, selection, self._rows, self._definitions.keys_of, self._function,
            timestamp=timestamp, time_zone=time_zone,
        )  # fmt: skip
        for name, column in served.items():
            table = table.set_column(table.column_names.index(name), name, column)
        return consistency.compare(
            table, expected, list(served), list(selection.keys), timestamp, tolerance=tolerance, limit=limit
        )

    def standing(self, view: FeatureView | OnDemandView) -> tuple[datetime | None, int]:
        """Until when a view's values are in the log (None when none ever was brought there), and how many rows."""
        watermark = self._materializer.watermark(view) if isinstance(view, FeatureView) else None
        where = {"view": view.name, "version": view.version}
        return watermark, int(self._catalog.total(FeaturePart, "rows", where=where))

    def materializations(self, view: str, *, limit: int = 10) -> list[Materialization]:
        """The last batches of a view, the newest first, without their profiles."""
        found = self._feature_view(view)
        where = {"view": found.name, "version": found.version}
        return self._catalog.find(
            Materialization, where=where, order_by="-created_at", limit=limit, omit=("profile",)
        )

    def clean(self, *, grace_seconds: float = _GRACE_SECONDS, is_dry_run: bool = False) -> Mapping[str, int]:
        """Delete the files of the offline store that no record names, if they are older than the grace period;
        path → bytes of each. `is_dry_run` only tells."""
        kept = (one.path for one in self._catalog.find(FeaturePart))
        return self.log.clean(kept, older_than_seconds=grace_seconds, is_dry_run=is_dry_run)

    def export_feast(
        self, folder: Path | str, *, project: str = "features", services: Sequence[str] | None = None
    ) -> list[Path]:
        """Write a Feast repository: the current feature views, their entities, and services (all by default) that
        need nothing else, with their rows. `InvalidInput` for what Feast cannot say. Returns the files."""
        import pyarrow.parquet as pq

        views = [one for one in self.find(kind=FeatureView) if isinstance(one, FeatureView)]
        names = dict.fromkeys(str(name) for view in views for name in view.entities)
        chosen = self._services(views, services)
        keys = {view.name: self._definitions.keys_of(view) for view in views}
        texts = feast.repository(project, [self.get(name, Entity) for name in names], views, chosen, keys)
        target, written = Path(folder), []
        (target / "data").mkdir(parents=True, exist_ok=True)
        for view in views:
            written.append(target / feast.data_path(view))
            rows = self._rows(view, list(view.schema), None, None).drop_columns([ARRIVAL])
            pq.write_table(rows, written[-1])
        for name, text in texts.items():
            written.append(target / name)
            written[-1].write_text(text, encoding="utf-8")
        return written

    def _services(self, views: Sequence[FeatureView], names: Sequence[str] | None) -> list[FeatureService]:
        if names is not None:
            return [self.get(name, FeatureService) for name in names]
        known = {view.reference for view in views}
        found = [one for one in self.find(kind=FeatureService) if isinstance(one, FeatureService)]
        return [one for one in found if all(text.partition(":")[0] in known for text in one.features)]

    # --- behind it --------------------------------------------------------------------------------------

    def _feature_view(self, name: str) -> FeatureView:
        view: FeatureView = self.get(name, FeatureView)
        return view

    def _chosen(self, views: str | Iterable[str] | None) -> list[FeatureView]:
        if isinstance(views, str):
            return [self._feature_view(views)]
        if views is not None:
            return [self._feature_view(name) for name in references(views)]
        return [one for one in self.find(kind=FeatureView) if isinstance(one, FeatureView)]

    def _function(self, view: OnDemandView) -> Callable[..., Any]:
        return functions.load(view.function, self._blobs)

    def _open_source(self, view: FeatureView, **bounds: datetime | None) -> Any:
        function = None if view.function is None else functions.load(view.function, self._blobs)
        return sources.opened(view, function, root=self.root, options=self.log.options, **bounds)

    def _inspect(self, view: FeatureView, keys: Mapping[str, str]) -> dict[str, str]:
        with self._open_source(view) as source:
            schema = sources.schema_in(view, keys, source)
            with duck.explained(f"feature view {view.name!r}"):
                source.connection.sql(sources.normalized(replace(view, schema=schema), keys, source))
        return schema

    def _rows(
        self, view: FeatureView, features: Sequence[str], until: datetime | None, since: datetime | None
    ) -> Any:
        """A view's rows as an Arrow table of keys, times, features and arrival: the log's, or the source's as
        long as nothing was ever materialized."""
        import pyarrow as pa

        keys = self._definitions.keys_of(view)
        columns = [*keys, EVENT, CREATED, *features]
        parts = [
            part
            for part in self._materializer.parts(view)
            if (until is None or part.least_at <= until) and (since is None or part.greatest_at >= since)
        ]
        tables = [self.log.read(parts, columns)] if parts else []
        if (view.sql or view.function) and self._materializer.watermark(view) is None:
            tables.append(self._live(view, keys, columns))
        return pa.concat_tables(tables) if tables else pushing.empty(view, keys, features)

    def _live(self, view: FeatureView, keys: Mapping[str, str], columns: Sequence[str]) -> Any:
        import pyarrow as pa

        with self._open_source(view) as source, duck.explained(f"feature view {view.name!r}"):
            source.connection.register(
                "live", duck.table(source.connection, sources.normalized(view, keys, source))
            )
            rows = "SELECT * FROM live"
            if duck.one(source.connection, sources.ties(rows, keys))["ties"]:
                rows = sources.decided(rows, keys, view.schema)
            table = plain(duck.table(source.connection, rows).select(list(columns)))
        return table.append_column(ARRIVAL, pa.array([0] * table.num_rows, pa.int64()))

    def newest_rows(self, name: str) -> Any:
        """The rows of a view's newest materialization, an Arrow table; `NotFound` if there is none."""
        view = self._feature_view(name)
        parts = [part for part in self._materializer.parts(view) if part.materialization_id][-1:]
        if not parts:
            raise NotFound(
                f"the feature view {view.name!r} has no materialization", hint=f"materialize({view.name!r})"
            )
        return self.log.read(parts, list(view.schema)).drop_columns([ARRIVAL])


def _now() -> datetime:
    return datetime.now(UTC)


def _microseconds_now() -> int:
    return time_ns() // 1000


def _as_rows(rows: Any) -> Sequence[Mapping[str, Any]]:
    if isinstance(rows, Mapping):
        return [rows]
    return list(rows) if isinstance(rows, Iterator) else to_arrow(rows, "entity rows").to_pylist()


def _listed(features: Any) -> tuple[str, ...]:
    try:
        hash(listed := tuple(features))
    except TypeError:
        return references(features)  # which says what is wrong
    return listed


def _run(run_id: str | None) -> str:
    return os.environ.get("MLOPS_RUN_ID", "") if run_id is None else run_id
