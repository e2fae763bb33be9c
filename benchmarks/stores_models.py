"""The model store beside MLflow: registration, loading, lists. The same model, refitted by each on the same rows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from harness import Place, Row, Table, require_equal, timed
from stores_peer import Contestant, Peer, take_turns

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.models import ModelStore


def write_rows(path: Path) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(generator.normal(size=(500, 4)), columns=["a", "b", "c", "d"])
    frame["label"] = (frame.a + frame.b * 0.5 + generator.normal(size=500) * 0.3 > 0).astype(int)
    frame.to_parquet(path)
    return frame


def models(place: Place, mlflow: Peer | None, options: Any) -> Table:
    """A version at a time, 1,000 of one name, and what is asked of them."""
    from sklearn.linear_model import LogisticRegression

    folder = place.folder("models")
    frame = write_rows(folder / "rows.parquet")
    rows = frame.drop(columns="label")
    model = LogisticRegression(max_iter=200).fit(rows, frame["label"])
    with Catalog.open(f"sqlite:///{folder}/catalog.db") as catalog:
        store = ModelStore(catalog, BlobStore(folder / "blobs"))
        if mlflow is not None:
            mlflow.ask("prepare", folder=str(folder / "mlflow"), rows=str(folder / "rows.parquet"))
        told = [
            *_register(store, mlflow, model, rows, options),
            *_load(store, mlflow, rows, options),
            *_many(store, mlflow, model, rows, options),
        ]
    notes = [
        "All of ours capture and pin dependencies, infer the signature, keep an example and replay it on the saved "
        "bytes. `pinned` tells MLflow its requirements, so that it need not look for them.",
        "MLflow's many versions are records that point to one model's files; ours are whole registrations.",
    ]
    return Table("Models", told, notes)


def _register(store: ModelStore, mlflow: Peer | None, model: Any, rows: Any, options: Any) -> list[Row]:
    case = "register a version"

    def peer(who: str, rounds: int, **task: bool) -> Contestant:
        return Row(case, who), lambda: _ask(mlflow, "register", **task), rounds

    def ours() -> float:
        with timed() as seconds:
            store.register("delay", model, input_example=rows.head(), metrics={"auc": 0.9})
        return seconds()

    turns = [(Row(case, "ours", is_ours=True), ours, options.rounds)]
    if mlflow is not None:
        few, rounds = options.peer_rounds + 1, options.rounds
        turns = [
            peer("MLflow, as it comes", few, is_pinned=False, has_example=False),
            peer("MLflow, with an example", few, is_pinned=False, has_example=True),
            peer("MLflow, pinned", rounds, is_pinned=True, has_example=False),
            peer("MLflow, pinned, with an example", rounds, is_pinned=True, has_example=True),
            *turns,
        ]
    take_turns(turns)
    return [row for row, _, _ in turns]


def _load(store: ModelStore, mlflow: Peer | None, rows: Any, options: Any) -> list[Row]:
    case, times = "load a version", options.loads
    answers: dict[str, Any] = {}

    def peer(how: str) -> Callable[[], float]:
        def measure() -> float:
            assert mlflow is not None
            found = mlflow.ask("load", how=how, times=times)
            answers[f"MLflow, {how}"] = found["answer"]
            return float(found["seconds"])

        return measure

    def ours() -> float:
        seconds = _middle(lambda: store.load("models:/delay/1"), times)
        answers["ours"] = [int(one) for one in store.load("models:/delay/1").predict(rows.head())]
        return seconds

    turns: list[Contestant] = []
    if mlflow is not None:
        turns += [(Row(case, f"MLflow, {how}"), peer(how), options.rounds) for how in ("pyfunc", "sklearn")]
    turns.append((Row(case, "ours", is_ours=True), ours, options.rounds))
    take_turns(turns)
    require_equal(answers)
    return [row for row, _, _ in turns]


def _many(store: ModelStore, mlflow: Peer | None, model: Any, rows: Any, options: Any) -> list[Row]:
    count = options.versions
    made, listed = f"{count:,} versions, each", f"list {count:,} versions"

    def fill() -> float:
        with timed() as seconds:
            for number in range(count):
                store.register("many", model, input_example=rows.head(), tags={"number": number})
        return seconds() / count

    def ours() -> float:
        found = len(store.find("many", limit=count))
        if found != count:
            raise SystemExit(f"we list {found} versions of {count}")
        return _middle(lambda: store.find("many", limit=count), 20)

    filling: list[Contestant] = [(Row(made, "ours", is_ours=True), fill, 1)]
    listing: list[Contestant] = [(Row(listed, "ours", is_ours=True), ours, options.rounds)]
    if mlflow is not None:
        filling.insert(0, (Row(made, "MLflow"), lambda: _ask(mlflow, "fill", count=count) / count, 1))
        listing.insert(
            0, (Row(listed, "MLflow"), lambda: _ask(mlflow, "listed", count=count, times=20), options.rounds)
        )
    take_turns(filling)
    take_turns(listing)
    return [row for row, _, _ in filling + listing]


def _ask(mlflow: Peer | None, action: str, **task: Any) -> float:
    assert mlflow is not None
    return float(mlflow.ask(action, **task)["seconds"])


def _middle(call: Callable[[], Any], times: int) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
