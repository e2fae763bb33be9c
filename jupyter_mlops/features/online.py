"""The online store as a protocol: the newest row of each key, for serving.

Two implementations are here: SQLite, embedded, and Redis, for teams. What they promise is one conformance suite
(``tests/conformance/test_online_store.py``). A row replaces another only when its stamp (event,
created, arrival) is not less, whatever the order of writes, so late backfills and repeated ones do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..errors import InvalidInput
from ..plugins import Registry

Row = tuple[bytes, bytes]
"""(key, value); the first 24 bytes of a value are its stamp: event, created, arrival, in an order of bytes."""
Found = bytes | None


@dataclass(frozen=True, slots=True)
class Block:
    """Many rows end to end, where all keys have one size and all values another: a store may take them whole, which
    spares two million small objects in a million rows. For one that does not, it is rows like any others."""

    keys: bytes
    key_size: int
    values: bytes
    value_size: int

    def __len__(self) -> int:
        return len(self.values) // self.value_size

    def __iter__(self) -> Iterator[Row]:
        return zip(cut(self.keys, self.key_size), cut(self.values, self.value_size), strict=True)

    def part(self, start: int, end: int) -> Block:
        """The rows from `start` to before `end`."""
        keys, values = self.key_size, self.value_size
        return Block(
            self.keys[start * keys : end * keys], keys, self.values[start * values : end * values], values
        )

    def parts(self, rows: int) -> Iterator[Block]:
        """All of it, so many rows at a time; the last one may have fewer."""
        return (self.part(start, start + rows) for start in range(0, len(self), rows))


def cut(data: bytes, size: int) -> list[bytes]:
    """The pieces of this size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


PRESENT, NULL, EXPIRED, NOT_FOUND = "PRESENT", "NULL", "EXPIRED", "NOT_FOUND"


class OnlineStore(Protocol):
    """Where the newest rows are. Safe to use from many threads; many processes may use one store at once."""

    def write(self, *, view: str, rows: Iterable[Row]) -> None:
        """Keep rows, each unless a newer one of its key is there. They may be a `Block`."""

    def read(self, *, wanted: Sequence[tuple[str, Sequence[bytes]]]) -> list[list[Found]]:
        """For each (view, keys) what is there for each key, of all views in one question."""

    def read_row(self, *, views: tuple[str, ...], keys: Sequence[bytes]) -> Sequence[Found]:
        """What is there for one key of each view, of all at one moment: what is asked most, and quickest."""

    def delete(self, *, view: str, keys: Sequence[bytes] | None) -> None:
        """Forget these keys of a view, or all of them (None)."""

    def close(self) -> None:
        """Let go of connections."""


REGISTRY = Registry(
    "jupyter_mlops.online_stores",
    {
        "sqlite": ("jupyter_mlops.features.online_sqlite:SqliteStore", ""),
        "redis": ("jupyter_mlops.features.online_redis:RedisStore", "pip install 'jupyter-mlops[redis]'"),
        "rediss": ("jupyter_mlops.features.online_redis:RedisStore", "pip install 'jupyter-mlops[redis]'"),
        "unix": ("jupyter_mlops.features.online_redis:RedisStore", "pip install 'jupyter-mlops[redis]'"),
    },
)


def open_online(url: str | Path) -> OnlineStore:
    """The store at a URL: ``sqlite:///path``, ``redis://host:port/0``, ``unix:///path``, or a plain path."""
    text = str(url)
    scheme, has_scheme, _ = text.partition("://")
    if not text:
        raise InvalidInput("the online store has no URL", hint="sqlite:///.mlops/online.db")
    store: Any = REGISTRY.get(scheme if has_scheme else "sqlite")
    opened: OnlineStore = store(text if has_scheme else f"sqlite:///{text}")
    return opened
