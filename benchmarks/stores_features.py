"""The feature store beside Feast (with both of its offline stores) and Polars: joins, materialization, reads.

All are asked the same of the same parquet files, and what they answer is compared row by row. Every row was
created with its event, since Feast takes the creation time for ties only.
"""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from harness import Place, Row, Table, require_equal, timed
from stores_peer import Contestant, Peer, take_turns

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.features import Entity, FeatureStore, FeatureView

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 30
END = START + timedelta(days=DAYS + 1)
FEATURES = 3
_FEAST = {"dask": "Feast, its default (dask) store", "duckdb": "Feast, its DuckDB store"}


# --- data -------------------------------------------------------------------------------------------------


def write_rows(path: Path, name: str, keys: int, rows_each: int, seed: int) -> Path:
    """A view's rows: `rows_each` for each key, no two of a key at one moment, in no order."""
    generator = np.random.default_rng(seed)
    slot = DAYS * 86_400_000_000 // rows_each
    users = np.repeat(np.arange(keys, dtype=np.int64), rows_each)
    micros = np.tile(np.arange(rows_each, dtype=np.int64) * slot, keys) + generator.integers(
        0, slot, len(users)
    )
    moments = pd.Timestamp(START).as_unit("us") + pd.to_timedelta(micros, unit="us").as_unit("us")
    frame = pd.DataFrame({"user": users, "ts": moments, "created": moments})
    for place in range(FEATURES):
        frame[f"{name}_{place}"] = generator.normal(size=len(users))
    frame.iloc[generator.permutation(len(users))].to_parquet(path, index=False)
    return path


def write_questions(path: Path, keys: int, rows: int) -> Path:
    """Entity rows with a number, by which answers are told apart."""
    generator = np.random.default_rng(99)
    micros = generator.integers(0, DAYS * 86_400_000_000, rows)
    moments = pd.Timestamp(START).as_unit("us") + pd.to_timedelta(micros, unit="us").as_unit("us")
    users = generator.integers(0, keys, rows)
    pd.DataFrame({"row": np.arange(rows), "user": users, "event_timestamp": moments}).to_parquet(path)
    return path


@contextmanager
def open_store(folder: Path, online: str | None = None) -> Iterator[FeatureStore]:
    folder.mkdir(parents=True)
    with (
        Catalog.open(f"sqlite:///{folder}/catalog.db") as catalog,
        FeatureStore(catalog, BlobStore(folder / "blobs"), root=folder, online=online) as store,
    ):
        yield store


def define(store: FeatureStore, views: Mapping[str, Path], ttl_days: float) -> None:
    user = Entity("user", {"user": "int64"})
    store.register(
        *(
            FeatureView(
                name=name, entities=[user], ttl=timedelta(days=ttl_days),
                sql=f"SELECT user, ts AS event_timestamp, created, COLUMNS('{name}_.') FROM '{path}'",
                created_timestamp="created",
            )
            for name, path in views.items()
        )
    )  # fmt: skip


# --- answers ----------------------------------------------------------------------------------------------


def differences(answer: pd.DataFrame, expected: pd.DataFrame) -> tuple[int, int]:
    """(rows of `expected` that the answer lacks, rows in which a value differs); rows have numbers."""
    columns = [name for name in expected.columns if name.rpartition("_")[2].isdigit()]
    wanted = expected.set_index("row")[columns]
    given = answer.drop_duplicates("row").set_index("row")[columns]
    missing = len(wanted) - len(wanted.index.intersection(given.index))
    both = wanted.loc[given.index].to_numpy(float, na_value=np.nan)
    is_equal = np.isclose(given.to_numpy(float, na_value=np.nan), both, rtol=0, atol=0, equal_nan=True)
    return missing, int((~is_equal.all(axis=1)).sum())


# --- the point-in-time join -------------------------------------------------------------------------------


def joins(place: Place, feast: Peer | None, options: Any) -> Table:
    """Many keys with few rows each for three views, and few keys with many rows each for one."""
    many, dense = options.join_rows, options.dense_rows
    rows = _join(
        place, feast, options, case=f"{many:,} rows × 3 views of {many:,}", asked=many,
        names="abc", keys=max(1, many // 10), rows_each=10, ttl_days=7.0,
    ) + _join(
        place, feast, options, case=f"dense: {dense:,} rows, {options.dense_keys:,} keys × 1,000", asked=dense,
        names="a", keys=options.dense_keys, rows_each=1000, ttl_days=30.0,
    )  # fmt: skip
    note = (
        "`lost` counts the rows that an answer lacks, `wrong` those with another value than ours, row by row. "
        "All start from a pandas frame and end in one, but for Polars with its own frames."
    )
    return Table("Point-in-time join", rows, [note])


def _join(
    place: Place, feast: Peer | None, options: Any, *, case: str, asked: int, names: str, keys: int,
    rows_each: int, ttl_days: float,
) -> list[Row]:  # fmt: skip
    folder = place.folder("join")
    paths = {
        name: write_rows(folder / f"{name}.parquet", name, keys, rows_each, seed)
        for seed, name in enumerate(names)
    }
    questions = write_questions(folder / "questions.parquet", keys, asked)
    frame = pd.read_parquet(questions)
    features = [f"{name}:{name}_{number}" for name in names for number in range(FEATURES)]
    answers: dict[str, Path] = {}

    def peer(who: str, action: str, rounds: int, **task: Any) -> Contestant:
        answers[who] = folder / f"answer-{len(answers)}.parquet"
        asked = {**task, "questions": str(questions), "answer": str(answers[who])}
        return Row(case, who), lambda: _ask(feast, action, **asked), rounds

    def ours(who: str, store: FeatureStore) -> Contestant:
        path = answers[who] = folder / f"answer-{len(answers)}.parquet"

        def measure() -> float:
            with timed() as seconds:
                found = store.get_historical_features(frame, features)
            found.to_parquet(path)
            return seconds()

        return Row(case, who, is_ours=True), measure, options.rounds

    with open_store(folder / "live") as live, open_store(folder / "logged") as logged:
        for store in (live, logged):
            define(store, paths, ttl_days)
        logged.materialize(online=False, end=END)
        turns: list[Contestant] = []
        if feast is not None:
            views = {name: str(path) for name, path in paths.items()}
            for kind, who in _FEAST.items():
                _prepare(feast, f"join-{kind}", folder / kind, kind, None, views, ttl_days)
                turns.append(peer(who, "join", options.peer_rounds, store=f"join-{kind}", features=features))
            given: dict[str, Any] = {"views": views, "ttl_days": ttl_days}
            turns.append(peer("Polars' join_asof", "polars", options.rounds, **given))
            turns.append(peer("Polars' own frames", "polars", options.rounds, kind="polars", **given))
        turns.append(ours("ours", logged))
        turns.append(ours("ours, nothing materialized yet", live))
        take_turns(turns)
    expected = pd.read_parquet(answers["ours"])
    for row, _, _ in turns:
        missing, different = differences(pd.read_parquet(answers[row.who]), expected)
        row.extra.update(lost=missing, wrong=different)
        if row.is_ours and (missing or different):
            raise SystemExit(f"{row.who} differs from ours: {missing} rows lost, {different} wrong")
    return [row for row, _, _ in turns]


def _ask(feast: Peer | None, action: str, **task: Any) -> float:
    assert feast is not None
    return float(feast.ask(action, **task)["seconds"])


def _prepare(
    feast: Peer, store: str, folder: Path, offline: str, online: Mapping[str, Any] | None,
    views: Mapping[str, str], ttl_days: float,
) -> None:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    feast.ask(
        "prepare", store=store, folder=str(folder), offline=offline, views=dict(views), ttl_days=ttl_days,
        online=dict(online or {"type": "sqlite", "path": f"{folder}/online.db"}),
    )  # fmt: skip


# --- materialization and online reads ---------------------------------------------------------------------


def online(place: Place, feast: Peer | None, port: int | None, options: Any) -> list[Table]:
    """One row of each entity goes online, is read there, and what is read is compared."""
    folder = place.folder("online")
    path = write_rows(folder / "a.parquet", "a", options.entities, 1, 1)
    few = max(100, options.entities // 10)
    three = {
        name: write_rows(folder / f"{name}-few.parquet", name, few, 1, seed)
        for seed, name in enumerate("abc")
    }
    filled: list[Row] = []
    reads: list[Row] = []
    targets = {"SQLite": None} if port is None else {"SQLite": None, "Redis": port}
    for name, target in targets.items():
        made, read = _online(folder, path, feast, name, target, options)
        filled += made
        reads += read
        reads += _three(folder, three, feast, name, target, few, options)
    note = (
        "Ours writes the rows to the offline log with their profile first, and then online. Feast's are read by "
        "its DuckDB store, and by its default one where that is said."
    )
    told = (
        "Medians of single calls in a warm process; what they answer is the same. A bare socket sends a question of "
        "this size and takes its answer, and makes nothing of it: the floor for whoever asks a server. "
        f"With three views there are {few:,} entities."
    )
    return [Table("Materialize", filled, [note]), Table("Online reads", reads, [told])]


def _online(
    folder: Path, path: Path, feast: Peer | None, name: str, port: int | None, options: Any
) -> tuple[list[Row], list[Row]]:
    case = f"{options.entities:,} entities, {name}"
    url = _url(port)
    turns: list[Contestant] = []
    if feast is not None:
        for kind in ("dask", "duckdb") if port is None else ("duckdb",):
            kept = folder / f"{name}-{kind}"
            _prepare(feast, kept.name, kept, kind, _target(port), {"a": str(path)}, 3650.0)
            turns.append((Row(case, _FEAST[kind]), _feast_fill(feast, f"{name}-{kind}"), 1))
    opened: list[Any] = []

    def fill() -> float:
        """Each time into a store that is empty."""
        if opened:
            opened[-1].__exit__(None, None, None)
            if port is not None:
                _flush(port)
        opened.append(open_store(folder / f"{name}-ours-{len(opened)}", url))
        store = opened[-1].__enter__()
        define(store, {"a": path}, 3650.0)
        with timed() as seconds:
            (record,) = store.materialize("a", end=END)
        if record.online_rows != options.entities:
            raise SystemExit(f"we have materialized {record.online_rows} rows of {options.entities}")
        stores.append(store)
        return seconds()

    stores: list[FeatureStore] = []
    turns.append((Row(case, "ours", is_ours=True), fill, options.rounds))
    take_turns(turns)
    reads = _reads(feast, stores[-1], name, options.entities, options, port)
    opened[-1].__exit__(None, None, None)
    return [row for row, _, _ in turns], reads


def _three(
    folder: Path, paths: Mapping[str, Path], feast: Peer | None, name: str, port: int | None, entities: int,
    options: Any,
) -> list[Row]:  # fmt: skip
    """Reads of three views in one question, as a model asks them."""
    if port is not None:  # both have a view `a` there already
        _flush(port, 0)
        _flush(port)
    if feast is not None:
        kept = folder / f"{name}-three"
        views = {view: str(path) for view, path in paths.items()}
        _prepare(feast, kept.name, kept, "duckdb", _target(port), views, 3650.0)
        for view in paths:
            _feast_fill(feast, kept.name, view)()
    with open_store(folder / f"{name}-ours-three", _url(port)) as store:
        define(store, paths, 3650.0)
        store.materialize(end=END)
        return _reads(feast, store, f"{name}-three", entities, options, port, views="abc")


def _target(port: int | None) -> dict[str, Any] | None:
    return None if port is None else {"type": "redis", "connection_string": f"127.0.0.1:{port}"}


def _url(port: int | None) -> str | None:
    return None if port is None else f"redis://127.0.0.1:{port}/1"


def _feast_fill(feast: Peer, store: str, view: str = "a") -> Callable[[], float]:
    start = (START - timedelta(days=1)).isoformat()
    return lambda: _ask(feast, "materialize", store=store, start=start, end=END.isoformat(), view=view)


def _flush(port: int, number: int = 1) -> None:
    import redis

    with redis.Redis(port=port, db=number) as client:
        client.flushdb()


def _reads(
    feast: Peer | None, store: FeatureStore, name: str, entities: int, options: Any, port: int | None,
    views: str = "a",
) -> list[Row]:  # fmt: skip
    features = [f"{view}:{view}_{number}" for view in views for number in range(FEATURES)]
    kept = name if len(views) > 1 else f"{name}-duckdb"
    told = name if len(views) == 1 else f"{len(views)} views, {name.partition('-')[0]}"
    generator = np.random.default_rng(7)
    rows: list[Row] = []
    for number, times in ((1, options.reads), (100, max(1, options.reads // 10))):
        users = [int(one) for one in generator.integers(0, entities, number)]
        asked = [{"user": user} for user in users]
        answers: dict[str, Any] = {}
        case = f"{number} {'entity' if number == 1 else 'entities'}, {told}"
        turns: list[Contestant] = []

        def ours(asked: Any = asked, answers: Any = answers, times: int = times) -> float:
            taken = []
            for _ in range(times):
                started = time.perf_counter()
                store.get_online_features(asked, features).to_dict()
                taken.append(time.perf_counter() - started)
            answers["ours"] = store.get_online_features(asked, features).to_dicts()
            return statistics.median(taken)

        def peer(users: Any = users, answers: Any = answers, times: int = times) -> float:
            assert feast is not None
            found = feast.ask("read", store=kept, features=features, users=users, times=times)
            answers["Feast"] = _rows_of(found["answer"])
            return float(found["seconds"])

        if feast is not None:
            turns.append((Row(case, "Feast"), peer, options.rounds))
        turns.append((Row(case, "ours", is_ours=True), ours, options.rounds))
        if feast is not None and port is not None and number == 1:  # the floor of the ratio
            turns.append((Row(case, "a bare socket"), _bare(port, len(views), times), options.rounds))
        take_turns(turns)
        require_equal(answers)
        rows += [row for row, _, _ in turns]
    return rows


def _bare(port: int, views: int, times: int) -> Callable[[], float]:
    """The way to the server and back alone: what nobody who asks it over a socket can be quicker than."""

    def measure() -> float:
        name, value = b"a bare socket", bytes(70)
        question = b"*%d\r\n$4\r\nMGET\r\n" % (1 + views) + b"$%d\r\n%b\r\n" % (len(name), name) * views
        taken = []
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(
                b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(name), name, len(value), value)
            )
            line.recv(64)
            for _ in range(times):
                started = time.perf_counter()
                line.sendall(question)
                line.recv(4096)
                taken.append(time.perf_counter() - started)
            line.sendall(b"*2\r\n$3\r\nDEL\r\n$%d\r\n%b\r\n" % (len(name), name))
            line.recv(64)
        return statistics.median(taken)

    return measure


def _rows_of(answer: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    names = [name for name in answer if name != "user"]
    return [dict(zip(names, row, strict=True)) for row in zip(*(answer[name] for name in names), strict=True)]
