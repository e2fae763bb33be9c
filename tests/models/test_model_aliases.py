"""Aliases move one at a time, whoever moves them; numbers are given once, whoever asks."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.errors import Conflict, InvalidInput, NotFound
from jupyter_mlops.models import ModelStore


def simple(store: ModelStore, **more: Any) -> Any:
    return store.register(
        "m", lambda rows: rows, input_example=[1.5, 2.5], code={"cells": [], "git": {}}, check="none", **more
    )


def test_an_alias_names_one_version_and_its_moves_are_kept(store: ModelStore) -> None:
    simple(store, aliases=["champion"])
    simple(store)
    store.set_alias("m", "champion", 2)
    store.set_alias("m", "champion", 2)  # stays where it is
    store.set_alias("m", "challenger", 1)
    store.delete_alias("m", "champion")
    assert store.aliases("m") == {"challenger": 1}
    moves = [
        (one.old_version, one.new_version, one.user_name) for one in store.alias_history("m", "champion")
    ]
    assert moves == [(2, None, "ada"), (1, 2, "ada"), (None, 1, "ada")]


def test_a_protected_alias_moves_only_when_that_is_asked_for(store: ModelStore) -> None:
    simple(store)
    simple(store)
    store.set_alias("m", "champion", 1, is_protected=True)
    for move in (
        lambda: store.set_alias("m", "champion", 2),
        lambda: store.delete_alias("m", "champion"),
        lambda: simple(store, aliases=["champion"]),
    ):
        with pytest.raises(Conflict, match="is protected") as caught:
            move()
        assert "force=True" in caught.value.hint
    assert len(store.find("m")) == 2
    assert store.set_alias("m", "champion", 2, force=True).is_protected
    store.set_alias("m", "champion", 2, is_protected=False, force=True)
    store.delete_alias("m", "champion")


def test_a_version_that_an_alias_names_is_not_deleted(store: ModelStore) -> None:
    simple(store, aliases=["champion"])
    with pytest.raises(Conflict, match="m/1 is 'champion'"):
        store.delete("m/1")
    with pytest.raises(Conflict, match="has the aliases 'champion'"):
        store.delete_model("m")
    with pytest.raises(InvalidInput, match="no single version"):
        store.delete("m")
    store.delete_alias("m", "champion")
    store.delete("m/1")
    with pytest.raises(NotFound, match="has no version"):
        store.get("m")


def test_an_alias_of_what_is_not_there_is_refused(store: ModelStore) -> None:
    simple(store)
    with pytest.raises(NotFound, match="has no version 2"):
        store.set_alias("m", "champion", 2)
    with pytest.raises(NotFound, match="no model is called 'n'"):
        store.set_alias("n", "champion", 1)
    with pytest.raises(NotFound, match="no alias"):
        store.delete_alias("m", "champion")


def test_moves_made_at_once_stand_one_after_the_other(catalog_url: str, blobs: BlobStore) -> None:
    catalogs = [Catalog.open(catalog_url) for _ in range(3)]
    stores = [ModelStore(catalog, blobs) for catalog in catalogs]
    for _ in range(5):
        simple(stores[0])

    def move(store: ModelStore, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(15):
            if chance.random() < 0.2:
                with suppress(NotFound):
                    store.delete_alias("m", "champion")
            else:
                store.set_alias("m", "champion", chance.randint(1, 5))

    threads = [threading.Thread(target=move, args=(store, seed)) for seed, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = stores[0].alias_history("m", "champion")[::-1]
    assert len(history) > 10
    at: int | None = None
    for one in history:  # each begins where the one before ended
        assert one.old_version == at
        assert one.new_version != at
        at = one.new_version
    assert stores[0].aliases("m").get("champion") == at
    for catalog in catalogs:
        catalog.close()


REGISTER = """
import sys
from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.models import ModelStore
url, folder, count = sys.argv[1:]
store = ModelStore(Catalog.open(url), BlobStore(folder))
envelope = dict(model={"w": [1]}, predict=lambda model, rows: rows, input_example=[1.5], check="none",
                code={"cells": [], "git": {}}, aliases=["newest"])
print(*(store.register("m", **envelope).version for _ in range(int(count))))
"""


def register_at_once(url: str, blobs: BlobStore, processes: int, count: int) -> None:
    command = [sys.executable, "-c", REGISTER, url, blobs.url, str(count)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    told = [process.communicate()[0].split() for process in running]
    numbers = Counter(int(number) for line in told for number in line)
    assert sorted(numbers) == list(range(1, processes * count + 1))
    assert set(numbers.values()) == {1}
    with Catalog.open(url) as catalog:
        store = ModelStore(catalog, blobs)
        assert len(store.find("m", limit=None)) == processes * count
        assert len(store.alias_history("m")) == processes * count
        assert store.get("m@newest").version in numbers


@pytest.mark.slow
def test_processes_that_register_at_once_in_a_fresh_catalog_lose_nothing(
    catalog_url: str, blobs: BlobStore
) -> None:
    register_at_once(catalog_url, blobs, processes=3, count=15)


@pytest.mark.slow
def test_four_processes_register_two_hundred_versions_each_and_lose_none(
    catalog_url: str, blobs: BlobStore
) -> None:
    register_at_once(catalog_url, blobs, processes=4, count=200)


def test_new_names_at_once_are_one_model(catalog_url: str, blobs: BlobStore) -> None:
    with Catalog.open(catalog_url) as catalog:
        store = ModelStore(catalog, blobs)
        threads = [threading.Thread(target=simple, args=(store,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [one.last_version for one in store.models()] == [6]


def test_tags_set_at_once_are_all_kept(catalog_url: str, blobs: BlobStore) -> None:
    with Catalog.open(catalog_url) as catalog:
        store = ModelStore(catalog, blobs)
        simple(store)
        calls: list[Callable[[], Any]] = [
            lambda name=f"t{number}": store.set_tags("m/1", **{name: "x"}) for number in range(8)
        ]  # type: ignore[misc]
        threads = [threading.Thread(target=call) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.get("m/1").tags) == 8
