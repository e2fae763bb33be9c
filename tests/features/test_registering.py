"""Definitions: versions, pins, search; and what is wrong with them is told before anything is kept."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_mlops.catalog import FeatureDefinition
from jupyter_mlops.errors import Conflict, InvalidInput, MlopsError, NotFound, StorageUnavailable
from jupyter_mlops.features import (
    Aggregation,
    Entity,
    Expectation,
    FeatureService,
    FeatureStore,
    FeatureView,
    OnDemandView,
)


def day(number: float) -> datetime:
    """A moment of March 2024."""
    return datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=number - 1)


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.fixture(autouse=True)
def weather(tmp_path: Path) -> None:
    rows = [{"origin": "JFK", "event_timestamp": day(1), "made": day(2), "temp": 1.5, "wind": 3, "note": "x"}]
    write_parquet(tmp_path / "weather.parquet", rows)


def view(airport: Entity | str, **changes: Any) -> FeatureView:
    given = {"name": "weather", "entities": [airport], "sql": "SELECT * FROM 'weather.parquet'"}
    return FeatureView(**(given | changes))


def kept(store: FeatureStore) -> int:
    return store._catalog.count(FeatureDefinition)


def test_the_schema_is_read_off_the_source(store: FeatureStore, airport: Entity) -> None:
    made = store.register(view(airport, created_timestamp="made"))
    assert made.schema == {"temp": "float64", "wind": "int64", "note": "string"}
    assert store.get("weather") == made
    assert store.get(made.reference) == made
    assert store.get(f"weather@{made.version[:6]}") == made
    assert store.get("airport", Entity) == airport


def test_a_version_is_what_decides_the_values(store: FeatureStore, airport: Entity) -> None:
    first = store.register(view(airport, owner="ann", description="old"))
    again = store.register(
        view(
            airport,
            owner="bob",
            description="new",
            sql="\n  SELECT * FROM 'weather.parquet' ;\n",
            tags={"team": "x"},
        )
    )
    assert again.version == first.version
    assert store.get("weather").owner == "bob"
    different: list[dict[str, Any]] = [
        {"sql": "SELECT * FROM 'weather.parquet' WHERE true"}, {"ttl": timedelta(days=1)}, {"time_zone": "UTC"},
        {"created_timestamp": "made"}, {"schema": {"temp": "float64"}}, {"schema": {"temp": "float32"}},
    ]  # fmt: skip
    versions = {store.register(view(airport, **change)).version for change in different}
    assert len(versions | {first.version}) == len(different) + 1


def test_the_newest_registration_is_the_current_version(
    store: FeatureStore, airport: Entity, clock: Any
) -> None:
    old = store.register(view(airport))
    clock.go(minutes=1)
    new = store.register(view(airport, ttl=timedelta(days=2)))
    assert store.get("weather") == new
    clock.go(minutes=1)
    store.register(view(airport))
    assert store.get("weather") == old
    assert [one.version for one in store.find("weather", all_versions=True)] == [old.version, new.version]
    assert store.find("weather") == [old]


def test_a_service_pins_the_versions_of_its_features(
    store: FeatureStore, airport: Entity, clock: Any
) -> None:
    old, service = store.register(
        view(airport), FeatureService(name="s", features=["weather:temp", "weather:wind"])
    )
    assert list(service.features) == [f"{old.reference}:temp", f"{old.reference}:wind"]
    clock.go(minutes=1)
    store.register(view(airport, ttl=timedelta(days=2)))
    assert store.select("s").pinned == {"temp": service.features[0], "wind": service.features[1]}
    assert store.register(FeatureService(name="s", features=["weather:temp"])).version != service.version
    assert store.get(service.reference, FeatureService) == service


def test_a_view_alone_stands_for_all_of_its_features(store: FeatureStore, airport: Entity) -> None:
    made, service = store.register(view(airport), FeatureService(name="s", features=["weather"]))
    assert list(service.features) == [f"{made.reference}:{name}" for name in made.schema]


def test_search_finds_by_word_owner_kind_and_tag(store: FeatureStore, airport: Entity) -> None:
    made, service = store.register(
        view(airport, owner="ann", tags={"team": "ops"}, description="Hourly Weather"),
        FeatureService(name="model", features=["weather:temp"], owner="bob"),
    )
    assert store.find("hourly wind") == [made]
    assert store.find("temp") == [service, made]
    assert store.find(owner="ann") == [made]
    assert store.find(kind=FeatureService) == [service]
    assert store.find(tags={"team": "ops"}) == [made]
    assert store.find("nothing like it") == []
    with pytest.raises(InvalidInput, match="no kind of definition"):
        store.find(kind=str)


def test_registering_is_tied_to_the_run(store: FeatureStore, airport: Entity, monkeypatch: Any) -> None:
    monkeypatch.setenv("MLOPS_RUN_ID", "r1")
    store.register(view(airport))
    assert {one.run_id for one in store._catalog.find(FeatureDefinition)} == {"r1"}


WRONG: list[tuple[dict[str, Any], type[MlopsError], str, str]] = [
    ({"sql": "SELECT * FROM 'wether.parquet'"}, StorageUnavailable, "wether", ""),
    ({"sql": "SELEC 1"}, InvalidInput, "syntax error", ""),
    ({"sql": "SELECT temp FROM 'weather.parquet'"}, InvalidInput, "no column", ""),
    ({"event_timestamp": "event_timestmp"}, InvalidInput, "no column 'event_timestmp'", "'event_timestamp'"),
    ({"created_timestamp": "note"}, InvalidInput, "'note' has the type VARCHAR, not a time", "CAST"),
    ({"schema": {"tmp": "float64"}}, InvalidInput, "no column 'tmp'", "'temp'"),
    ({"schema": {"temp": "int64"}}, InvalidInput, "'temp' has the type DOUBLE, not int64", "CAST"),
    ({"schema": {"note": "float64"}}, InvalidInput, "'note' has the type VARCHAR, not float64", ""),
    ({"expectations": [Expectation("not_null", "tmp")]}, InvalidInput, "no feature 'tmp'", "'temp'"),
    ({"expectations": [Expectation("between", "note", low=0)]}, InvalidInput, "'note' is string", ""),
    ({"aggregations": [Aggregation("avg", "delay")]}, InvalidInput, "no column 'delay'", ""),
    ({"sql": "SELECT *, [1] AS list FROM 'weather.parquet'"}, InvalidInput, r"'list' has the type INTEGER\[\]", "cast"),
    ({"sql": "SELECT * REPLACE (event_timestamp::TIMESTAMP AS event_timestamp) FROM 'weather.parquet'"},
     InvalidInput, "without a zone", "time_zone"),
    ({"sql": "SELECT origin, event_timestamp FROM 'weather.parquet'"}, InvalidInput, "keys and times only", ""),
    ({"sql": "SELECT *, 1 AS \"a\"\"b\" FROM 'weather.parquet'", "schema": {'a"b': "int64"}},
     InvalidInput, "not a name", "AS"),
    ({"schema": {"origin": "string"}}, InvalidInput, "join key", ""),
    ({"database": "none.duckdb", "sql": "SELECT 1"}, StorageUnavailable, "none.duckdb", ""),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "error", "message", "hint"), WRONG)
def test_what_is_wrong_is_told_and_nothing_is_kept(
    store: FeatureStore,
    airport: Entity,
    changes: dict[str, Any],
    error: type[MlopsError],
    message: str,
    hint: str,
) -> None:
    with pytest.raises(error, match=message) as caught:
        store.register(
            FeatureView(name="fine", entities=[airport], sql="SELECT * FROM 'weather.parquet'"),
            view("airport", **changes),
        )
    assert hint in caught.value.hint
    assert kept(store) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Entity("a/b"), "not a name"),
        (lambda: Entity("a", "b c"), "not a name"),
        (lambda: Entity("a", {"b": "float64"}), "not a type"),
        (lambda: Entity("nul"), "not a name"),
        (lambda: Entity("a..b"), "not a name"),
        (lambda: FeatureView(name="v", entities=[], sql="x"), "no entity"),
        (lambda: FeatureView(name="v", entities=["a"]), "no source and no schema"),
        (lambda: FeatureView(name="v", entities=["a"], sql="x", function=print), "two sources"),
        (lambda: FeatureView(name="v", entities=["a"], schema={"x": "flaot64"}), "'flaot64' is not a type"),
        (lambda: FeatureView(name="v", entities=["a"], schema={"a__b": "int64"}), "not a name"),
        (lambda: FeatureView(name="v", entities=["a"], schema={"created_timestamp": "int64"}), "own name"),
        (lambda: FeatureView(name="v", entities=["a"], sql="x", ttl=timedelta(-1)), "ttl"),
        (lambda: FeatureView(name="v", entities=["a"], sql="x", time_zone="Mars/Base"), "not a time zone"),
        (lambda: FeatureView(name="v", entities=["a"], sql="x", time_zone="../etc/passwd"), "not a time zone"),
        (lambda: FeatureView(name="v", entities=["a"], sql="x", tags={"a": 1}), "tags"),
        (lambda: Aggregation("median", "x"), "none of count"),
        (lambda: Aggregation("avg"), "not a name"),
        (lambda: Aggregation("avg", "x", timedelta(0)), "at least a second"),
        (lambda: Expectation("nonnull", "x"), "none of not_null"),
        (lambda: Expectation("not_null"), "needs a feature"),
        (lambda: Expectation("row_count", "x", low=1), "takes no feature"),
        (lambda: Expectation("between", "x"), "lacks its bounds"),
        (lambda: Expectation("between", "x", low=float("nan")), "finite"),
        (lambda: Expectation("one_of", "x", values=[object()]), "not a number"),
        (lambda: Expectation("not_null", "x", severity="fatal"), "severity"),
        (lambda: FeatureService(name="s", features="weather:temp"), "no list"),
        (lambda: FeatureService(name="s", features=["a b"]), "refers to no feature"),
        (lambda: FeatureService(name="s", features=["v@x:f"]), "refers to no feature"),
        (lambda: OnDemandView(name="o", function=print, schema={}, request={"x": "int64"}), "no schema"),
        (lambda: OnDemandView(name="o", function=print, schema={"y": "int64"}), "no inputs"),
        (lambda: OnDemandView(name="o", function=print, schema={"y": "int64"}, inputs=["v"]), "names no feature"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_is_refused_at_once(make: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


def test_unknown_names_come_with_the_nearest(store: FeatureStore, airport: Entity) -> None:
    store.register(view(airport))
    for ask, hint in [
        (lambda: store.get("wether"), "'weather'"),
        (lambda: store.get("airprt", Entity), "'airport'"),
        (lambda: store.select(["weather:tmp"]), "'temp'"),
        (lambda: store.select(["wether:temp"]), "'weather'"),
        (lambda: store.register(FeatureService(name="s", features=["weather:wnd"])), "'wind'"),
        (lambda: store.materialize("waether"), "'weather'"),
        (lambda: store.push("weathr", {}), "'weather'"),
    ]:
        with pytest.raises(NotFound) as caught:
            ask()
        assert hint in caught.value.hint
    with pytest.raises(NotFound, match="no version 'abcdef'") as caught:
        store.get("weather@abcdef")
    assert store.get("weather").version in caught.value.hint


def test_a_name_is_one_thing_whatever_its_case(store: FeatureStore, airport: Entity) -> None:
    store.register(view(airport))
    with pytest.raises(Conflict, match="'weather'"):
        store.register(view(airport, name="Weather"))
    with pytest.raises(Conflict, match="the feature view 'weather'"):
        store.register(
            OnDemandView(name="weather", function=double, schema={"y": "float64"}, request={"x": "float64"})
        )
    with pytest.raises(Conflict, match="taken"):
        store.register(view(airport, name="one"), view(airport, name="ONE"))
    store.register(
        FeatureService(name="weather", features=["weather:temp"])
    )  # services have names of their own


def test_an_entity_keeps_its_join_keys(store: FeatureStore, airport: Entity) -> None:
    store.register(airport)
    store.register(Entity("airport", "origin", description="where it starts"))
    assert store.get("airport", Entity).description == "where it starts"
    with pytest.raises(Conflict, match="join keys"):
        store.register(view(Entity("airport", "dest")))


def double(frame: pd.DataFrame) -> Any:
    return {"y": frame["x"] * 2}


REGISTER = """
import sys
from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.features import Entity, FeatureStore, FeatureView
root, me = sys.argv[1:]
with Catalog.open(f"sqlite:///{root}/catalog.db") as catalog:
    store = FeatureStore(catalog, BlobStore(f"{root}/blobs"), root=root)
    for number in range(10):
        name = f"v{number}_{me}" if number % 2 else f"shared{number}"
        store.register(FeatureView(name=name, entities=[Entity("airport", "origin")], schema={"x": "int64"}))
"""


def test_processes_that_register_at_once_lose_nothing(store: FeatureStore, tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", REGISTER, str(tmp_path), str(number)] for number in range(2)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [process.communicate()[1] for process in processes] == ["", ""]
    assert len(store.find(kind=FeatureView)) == 15


def test_importing_the_room_loads_no_engine() -> None:
    code = "import sys, jupyter_mlops.features\nprint([name for name in sys.modules if '.' not in name])"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    for heavy in ("duckdb", "pyarrow", "pandas", "numpy", "redis", "matplotlib", "cloudpickle"):
        assert repr(heavy) not in loaded
