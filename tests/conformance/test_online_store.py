"""What every online store promises, asked of SQLite and of a real Redis."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput, NotFound, StorageUnavailable
from jupyter_mlops.features.online import Block, OnlineStore, open_online

SIGN = 1 << 63


def stamped(event: int, created: int = 0, arrival: int = 0, value: bytes = b"") -> bytes:
    return b"".join((number + SIGN).to_bytes(8, "big") for number in (event, created, arrival)) + value


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/online.db"
    import redis

    place: str = request.getfixturevalue("redis_url")
    client = redis.Redis.from_url(place)
    client.flushall()
    client.close()
    return place


@pytest.fixture
def store(url: str) -> Iterator[OnlineStore]:
    opened = open_online(url)
    yield opened
    opened.close()


def read(store: OnlineStore, view: str, *keys: bytes) -> list[bytes | None]:
    return store.read(wanted=[(view, keys)])[0]


def test_what_is_written_is_read_and_nothing_else(store: OnlineStore) -> None:
    store.write(view="v", rows=[(b"a", stamped(1, value=b"x")), (b"b", stamped(2, value=b""))])
    assert read(store, "v", b"b", b"c", b"a", b"b") == [
        stamped(2), None, stamped(1, value=b"x"), stamped(2),
    ]  # fmt: skip
    assert read(store, "w", b"a") == [None]
    assert read(store, "never written", b"a", b"b") == [None, None]


def test_nothing_asked_nothing_answered(store: OnlineStore) -> None:
    assert store.read(wanted=[]) == []
    assert store.read(wanted=[("v", []), ("w", [])]) == [[], []]
    store.write(view="v", rows=[])
    store.delete(view="v", keys=[])
    store.delete(view="w", keys=None)


def test_several_views_are_one_question(store: OnlineStore) -> None:
    for view in ("v", "w"):
        store.write(view=view, rows=[(b"k", stamped(1, value=view.encode()))])
    wanted = [("v", [b"k", b"z"]), ("none", [b"k"]), ("w", [b"k"]), ("v", [b"k"])]
    v, w = stamped(1, value=b"v"), stamped(1, value=b"w")
    assert store.read(wanted=wanted) == [[v, None], [None], [w], [v]]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_newest_stands_in_whatever_order_they_come(store: OnlineStore, order: tuple[int, ...]) -> None:
    rows = [stamped(-5, 9, 9), stamped(3, 1, 9), stamped(3, 2, 1), stamped(3, 2, 5, b"newest")]
    for place in order:
        store.write(view="v", rows=[(b"k", rows[place])])
    assert read(store, "v", b"k") == [rows[3]]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_newest_stands_within_one_batch(store: OnlineStore, order: tuple[int, ...]) -> None:
    rows = [stamped(1), stamped(2**40), stamped(2**40, 0, 1)]
    store.write(view="v", rows=[(b"k", rows[place]) for place in order])
    assert read(store, "v", b"k") == [rows[2]]


def test_an_equal_stamp_replaces(store: OnlineStore) -> None:
    store.write(view="v", rows=[(b"k", stamped(1, value=b"old"))])
    store.write(view="v", rows=[(b"k", stamped(1, value=b"new"))])
    assert read(store, "v", b"k") == [stamped(1, value=b"new")]


moments = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3), st.integers(2**53 - 2, 2**53 + 2))


@settings(
    max_examples=2 * settings.default.max_examples // 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"", b"a", b"\0", b"a" * 300]), moments, moments, moments), max_size=12
    )
)
def test_the_guard_is_the_order_of_the_three_numbers(
    store: OnlineStore, rows: list[tuple[bytes, int, int, int]]
) -> None:
    store.delete(view="v", keys=None)
    best: dict[bytes, tuple[int, int, int]] = {}
    for key, *stamp in rows:
        store.write(view="v", rows=[(key, stamped(*stamp))])
        best[key] = max(best.get(key, (stamp[0], stamp[1], stamp[2])), (stamp[0], stamp[1], stamp[2]))
    assert read(store, "v", *best) == [stamped(*stamp) for stamp in best.values()]


HOSTILE = ["*", "[a-z]", "v'; DROP TABLE rows; --", "../../x", "ä\n\0", "v", "V", "v:", "mlops:*", "x" * 3000]


def test_hostile_names_keys_and_values_are_just_bytes(store: OnlineStore) -> None:
    keys = [b"", b"\0", b"*", b"'; --", bytes(range(256)), b"\xff" * 500]
    for place, view in enumerate(HOSTILE):
        store.write(view=view, rows=[(key, stamped(1, value=bytes([place]) + key)) for key in keys])
    for place, view in enumerate(HOSTILE):
        assert read(store, view, *keys) == [stamped(1, value=bytes([place]) + key) for key in keys]
    store.delete(view=HOSTILE[0], keys=None)
    assert read(store, HOSTILE[0], *keys) == [None] * len(keys)
    assert all(read(store, view, b"*")[0] is not None for view in HOSTILE[1:])


def test_many_keys_at_once(store: OnlineStore) -> None:
    keys = [number.to_bytes(8, "big") for number in range(40_000)]
    random.Random(1).shuffle(keys)
    store.write(view="v", rows=((key, stamped(1, value=key)) for key in keys))
    store.write(view="w", rows=((key, stamped(1)) for key in keys[:10]))
    found = store.read(wanted=[("v", keys), ("w", keys[:20])])
    assert found[0] == [stamped(1, value=key) for key in keys]
    assert found[1] == [stamped(1)] * 10 + [None] * 10


def block(rows: list[tuple[bytes, bytes]]) -> Block:
    keys, values = zip(*rows, strict=True)
    return Block(b"".join(keys), len(keys[0]), b"".join(values), len(values[0]))


@pytest.mark.parametrize("count", [1, 999, 1000, 2001])
def test_a_block_is_its_rows(store: OnlineStore, count: int) -> None:
    rows = [(bytes(4) + place.to_bytes(4, "big"), stamped(place, value=b"\0v")) for place in range(count)]
    store.write(view="v", rows=block(rows))
    assert read(store, "v", *(key for key, _ in rows)) == [value for _, value in rows]
    later = [(key, stamped(count // 2, 1, value=b"w\0")) for key, _ in rows]
    store.write(view="v", rows=block([*later, *rows, *later]))  # each key three times
    best = [
        max(pair) for pair in zip([value for _, value in rows], [value for _, value in later], strict=True)
    ]
    assert read(store, "v", *(key for key, _ in rows)) == best
    assert list(block(rows)) == rows
    assert len(block(rows)) == count


def test_no_rows_are_a_block_too(store: OnlineStore) -> None:
    store.write(view="v", rows=Block(b"", 8, b"", 30))
    assert read(store, "v", bytes(8)) == [None]


def test_one_key_of_each_of_many_views(store: OnlineStore) -> None:
    views = [f"view {number}" for number in range(150)]
    for view in views[::2]:
        store.write(view=view, rows=[(b"k", stamped(1, value=view.encode()))])
    for asked in (views, views[:3]):
        found = store.read(wanted=[(view, [b"k"]) for view in asked])
        wanted = [None if place % 2 else stamped(1, value=view.encode()) for place, view in enumerate(asked)]
        assert found == [[one] for one in wanted]
        row = store.read_row(views=tuple(asked), keys=[b"k"] * len(asked))
        assert list(row) == wanted


def test_a_row_is_the_same_question_for_one_key_each(store: OnlineStore, url: str) -> None:
    def row(*asked: tuple[str, bytes]) -> list[bytes | None]:
        return list(store.read_row(views=tuple(view for view, _ in asked), keys=[key for _, key in asked]))

    assert row() == []
    assert row(("v", b"k")) == [None], "nobody knows the view yet"
    other = open_online(url)  # what another writes is seen at once, before and after the question is known
    for number in range(3):
        other.write(view="v", rows=[(b"k", stamped(number))])
        assert row(("v", b"k")) == [stamped(number)]
        assert row(("v", b"k"), ("w", b"k"), ("v", b"z"), ("v", b"k")) == [
            stamped(number),
            None,
            None,
            stamped(number),
        ]
    assert row(("v", b"z")) == [None]
    other.write(view="w", rows=[(b"k", stamped(9))])
    assert row(("w", b"k"), ("v", b"k")) == [stamped(9), stamped(2)]
    other.delete(view="v", keys=[b"k"])
    assert row(("v", b"k")) == [None]
    store.close()
    assert row(("w", b"k")) == [stamped(9)], "a store that was closed opens again"
    for number in range(300):  # many questions are more than are kept ready
        assert row(("w", b"k"), *[("v", b"k")] * (number % 7), (f"u{number}", b"k"))[0] == stamped(9)
    other.close()


def test_what_is_deleted_is_gone_and_may_come_back_older(store: OnlineStore) -> None:
    store.write(view="v", rows=[(b"a", stamped(9)), (b"b", stamped(9)), (b"c", stamped(9))])
    store.delete(view="v", keys=[b"a", b"never there"])
    assert read(store, "v", b"a", b"b") == [None, stamped(9)]
    store.write(view="v", rows=[(b"a", stamped(1))])
    assert read(store, "v", b"a") == [stamped(1)]
    store.delete(view="v", keys=None)
    assert read(store, "v", b"a", b"b", b"c") == [None] * 3


def test_a_batch_that_fails_half_way_can_be_written_again(store: OnlineStore) -> None:
    def rows() -> Iterator[tuple[bytes, bytes]]:
        yield b"a", stamped(1)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="broke"):
        store.write(view="v", rows=rows())
    store.write(view="v", rows=[(b"a", stamped(2))])
    assert read(store, "v", b"a") == [stamped(2)]


def test_another_store_of_the_same_url_sees_it(store: OnlineStore, url: str) -> None:
    other = open_online(url)
    assert read(other, "v", b"k") == [None]  # the view is unknown when it is asked for first
    store.write(view="v", rows=[(b"k", stamped(1))])
    assert read(other, "v", b"k") == [stamped(1)]
    other.close()


WRITE = """
import sys
from jupyter_mlops.features.online import open_online
store = open_online(sys.argv[1])
me = int(sys.argv[2])
for turn in range(40):
    stamp = b"".join((number + 2**63).to_bytes(8, "big") for number in (turn, me, 0))
    store.write(view="v", rows=[(bytes([key]), stamp) for key in range(50)])
store.close()
"""


def test_processes_that_write_at_once_leave_the_newest(store: OnlineStore, url: str) -> None:
    commands = [[sys.executable, "-c", WRITE, url, str(number)] for number in range(3)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [process.communicate()[1] for process in processes] == ["", "", ""]
    assert read(store, "v", *(bytes([key]) for key in range(50))) == [stamped(39, 2)] * 50


def test_threads_share_a_store(store: OnlineStore) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(30):
                store.write(view=f"v{number % 2}", rows=[(b"k", stamped(turn, number))])
                assert read(store, f"v{number % 2}", b"k")[0] is not None
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert read(store, "v0", b"k") == [stamped(29, 2)]


def test_a_closed_store_opens_again_when_asked(store: OnlineStore) -> None:
    store.write(view="v", rows=[(b"k", stamped(1))])
    store.close()
    assert read(store, "v", b"k") == [stamped(1)]


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageUnavailable, match="online store"):
        open_online(f"sqlite:///{tmp_path}/file/online.db").read(wanted=[("v", [b"k"])])
    (tmp_path / "text.db").write_text("this is no database " * 100)
    with pytest.raises(StorageUnavailable, match=r"text\.db"):
        open_online(tmp_path / "text.db").write(view="v", rows=[(b"k", stamped(1))])
    with pytest.raises(StorageUnavailable, match="Redis at /") as caught:
        open_online(f"unix://{tmp_path}/nobody").read(wanted=[("v", [b"k"])])
    assert "running" in caught.value.hint


def test_a_url_that_means_nothing_is_told() -> None:
    with pytest.raises(NotFound, match="memcached"):
        open_online("memcached://host")
    with pytest.raises(InvalidInput, match="no URL"):
        open_online("")


def test_no_password_shows(redis_url: str) -> None:
    assert "secret" not in repr(open_online("redis://:secret@localhost:1/0"))
    with pytest.raises(StorageUnavailable) as caught:
        open_online("redis://:secret@127.0.0.1:1/0").read(wanted=[("v", [b"k"])])
    assert "secret" not in str(caught.value)


def test_many_rows_of_which_one_is_there_already(store: OnlineStore) -> None:
    keys = [f"k{number:05}".encode() for number in range(7000)]
    store.write(
        view="v", rows=[(keys[4321], stamped(9, value=b"newer")), (keys[77], stamped(1, value=b"older"))]
    )
    store.write(view="v", rows=[(key, stamped(5, value=key)) for key in keys])
    found = dict(zip(keys, read(store, "v", *keys), strict=True))
    assert found.pop(keys[4321]) == stamped(9, value=b"newer")
    assert found == {key: stamped(5, value=key) for key in found}
    store.write(view="v", rows=[(b"new", stamped(2)), (b"new", stamped(3)), (b"new", stamped(1))])
    assert read(store, "v", b"new") == [stamped(3)]


def test_a_server_that_was_away_is_found_again(tmp_path: Path, redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        store = open_online(redis_url)
        store.write(view="v", rows=[(b"k", stamped(1))])
        assert read(store, "v", b"k") == [stamped(1)]
        client.client_kill_filter(_type="normal", skipme=True)  # as a restart does to those who are connected
        assert read(store, "v", b"k", b"z") == [stamped(1), None]
        assert read(store, "v", b"k") == [stamped(1)]
        client.client_kill_filter(_type="normal", skipme=True)
        store.write(view="v", rows=[(b"k", stamped(2))])
        assert read(store, "v", b"k") == [stamped(2)]
        store.close()
        assert read(store, "v", b"k") == [stamped(2)], "a store that was closed opens again"
        store.close()


def test_a_thread_that_ends_leaves_no_connection(redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        store = open_online(redis_url)
        before = len(client.client_list())
        for _ in range(5):
            thread = threading.Thread(target=lambda: read(store, "v", b"k"))
            thread.start()
            thread.join()
        store.close()
        assert len(client.client_list()) <= before
