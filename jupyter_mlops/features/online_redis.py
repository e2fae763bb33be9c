"""The online store for teams: Redis. A string for each key: its stamp, then the packed row.

Writes go through a script, so that "replace unless newer" is one step for all writers; batches of keys share
one MGET and one MSET in it. As long as none of a write's keys is there, as when a view is first materialized,
MSETNX does without the comparison, in half of the server's time. The next calls are on their way while the server
is at the last ones. Keys of one view share a prefix, and nothing is ever made to expire by Redis: a row beyond its
ttl is EXPIRED, which is another answer than NOT_FOUND.

Reads have a `Line` for each thread, beside the client's pool: to take a connection from there, look whether it is
still good and put it back takes longer than the server does for its answer.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import chain, islice
from typing import Any
from weakref import WeakSet

from ..errors import InvalidInput, MissingExtra, StorageUnavailable
from ..fingerprint import digest_bytes
from .online import Block, Found, Row, cut
from .redis_line import Line, PlainLine

_BATCH = 1000  # keys a call of the script
_CALLS = 4  # of the script that are sent at once
_MOST_QUESTIONS = 1000  # kept ready
_MGET = b"*%d\r\n$4\r\nMGET\r\n"
# The stamp's numbers are unsigned and big-endian, and compared 32 bits at a time: Lua knows doubles only.
_WRITE = """
local old = redis.call('MGET', unpack(KEYS))
local now, out = {}, {}
for i, key in ipairs(KEYS) do
    local kept, new = now[key] or old[i], ARGV[i]
    local is_newer = true
    if kept then
        local a = {struct.unpack('>I4I4I4I4I4I4', kept)}
        local b = {struct.unpack('>I4I4I4I4I4I4', new)}
        for j = 1, 6 do
            if a[j] ~= b[j] then is_newer = b[j] > a[j]; break end
        end
    end
    if is_newer then now[key] = new end
end
for key, value in pairs(now) do out[#out + 1] = key; out[#out + 1] = value end
if #out > 0 then redis.call('MSET', unpack(out)) end
return #out / 2
"""


_Call = tuple[bool, list[Row] | Block]
"""Whether all of its keys are taken to be new (MSETNX, which is told when one is not), and the rows."""


_process = os.getpid()  # asked once: it takes longer than to pack a question


def _forked() -> None:
    global _process  # noqa: PLW0603 - there is one
    _process = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class RedisStore:
    """The store at ``redis://host:port/number``, ``rediss://…`` or ``unix:///path``."""

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError as error:
            raise MissingExtra(
                "an online store on Redis needs redis-py", hint="pip install 'jupyter-mlops[redis]'"
            ) from error
        self._errors = (redis.RedisError, OSError)
        self._broken = (redis.ConnectionError, redis.TimeoutError, OSError)
        try:
            self._client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=60)
        except ValueError as error:
            raise InvalidInput(f"the online store's URL cannot be right: {error}") from error
        self._script = self._client.register_script(_WRITE)
        shown = self._client.connection_pool.connection_kwargs
        self.place = str(shown.get("path") or f"{shown.get('host')}:{shown.get('port')}")
        self._prefixes: dict[str, bytes] = {}
        self._questions: dict[tuple[tuple[str, ...], Any], bytes] = {}
        self._kind = Line if find_spec("hiredis") else PlainLine
        self._local = threading.local()
        self._readers: WeakSet[Any] = WeakSet()  # a thread that ends takes its connection along

    def __repr__(self) -> str:
        return f"RedisStore({self.place!r})"  # never its password

    def write(self, *, view: str, rows: Iterable[Row]) -> None:
        """See `OnlineStore`."""
        prefix = self._prefix(view)
        batches: Iterator[list[Row] | Block]
        is_ordered = False
        if isinstance(rows, Block):
            batches, is_ordered = rows.parts(_BATCH), _is_ordered(rows)
        else:
            remaining = iter(rows)
            batches = iter(lambda: list(islice(remaining, _BATCH)), [])
        is_new = True  # as long as none of the keys was there, nothing need be compared
        sent: list[_Call] = []
        with self._explained("write to"), self._writing() as connection:
            while True:
                calls = [
                    (is_new and (is_ordered or _has_no_twins(batch)), batch)
                    for batch in islice(batches, _CALLS)
                ]
                connection.send_packed_command([self._packed(prefix, *call) for call in calls])
                refused = [call for call in sent if not connection.read_response() and call[0]]
                if refused:
                    is_new = False
                    again = [(False, batch) for _, batch in refused]
                    connection.send_packed_command([self._packed(prefix, *call) for call in again])
                    calls += again
                sent = calls
                if not sent:
                    return

    def _packed(
        self,
        prefix: bytes,
        is_new: bool,  # noqa: FBT001 - half of a call
        batch: list[Row] | Block,
    ) -> bytes:
        """A call in Redis's protocol."""
        verb = [b"MSETNX"] if is_new else [b"EVALSHA", self._script.sha.encode(), b"%d" % len(batch)]
        if isinstance(batch, Block):
            keys, values = (prefix, batch.keys, batch.key_size), (b"", batch.values, batch.value_size)
            rows = [_alike(keys, values)] if is_new else [_alike(keys), _alike(values)]
            return b"".join([_opened(verb, 2 * len(batch)), *rows])
        named = [(prefix + key, value) for key, value in batch]
        columns = named if is_new else zip(*named, strict=True)
        return _words([*verb, *chain.from_iterable(columns)])

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """A connection of the client's pool, with the script loaded."""
        self._client.script_load(_WRITE)
        pool = self._client.connection_pool
        connection: Any = pool.get_connection()
        try:
            yield connection
        except BaseException:
            connection.disconnect()  # answers may be on their way that nobody waits for
            raise
        finally:
            pool.release(connection)

    def read(self, *, wanted: Sequence[tuple[str, Sequence[bytes]]]) -> list[list[Found]]:
        """See `OnlineStore`."""
        asked = [_keys(self._prefix(view), keys) for view, keys in wanted if keys]
        if not asked:
            return [[] for _ in wanted]
        values = self._values(_MGET % (1 + sum([len(keys) for _, keys in wanted])) + b"".join(asked))
        if len(wanted) == 1:
            return [values]
        found = iter(values)
        return [list(islice(found, len(keys))) for _, keys in wanted]

    def read_row(self, *, views: tuple[str, ...], keys: Sequence[bytes]) -> Sequence[Found]:
        """See `OnlineStore`."""
        sizes = len(keys[0]) if len(keys) == 1 else tuple(map(len, keys))
        question = self._questions.get((views, sizes)) or self._question(views, keys, sizes)
        return self._values(question % tuple(keys)) if keys else []

    def _question(self, views: tuple[str, ...], keys: Sequence[bytes], sizes: Any) -> bytes:
        """What is sent for keys of these sizes, which are yet to be put in."""
        words = [_key(self._prefix(view), b"%b", len(key)) for view, key in zip(views, keys, strict=True)]
        if len(self._questions) >= _MOST_QUESTIONS:
            self._questions.clear()
        question = self._questions[views, sizes] = _MGET % (1 + len(words)) + b"".join(words)
        return question

    def _values(self, question: bytes) -> list[Found]:
        """The answer, on this thread's own line; if that is broken, once more on a new one."""
        try:
            line, process = self._local.line
            if process != _process:  # a fork must not talk on its parent's
                line = self._connect()
        except AttributeError:
            line = self._connect()
        try:
            try:
                values: list[Found] = line.ask(question)
            except self._broken:
                line.close()
                values = line.ask(question)
        except BaseException as error:
            line.close()  # its answer would be taken for the next one's
            if isinstance(error, self._errors):
                raise self._unavailable("read", error) from error
            raise
        return values

    def _connect(self) -> Line | PlainLine:
        """A line for this thread, for reading."""
        pool = self._client.connection_pool
        line = self._kind(pool.connection_class(**pool.connection_kwargs))
        self._local.line = line, _process
        self._readers.add(line)
        return line

    def delete(self, *, view: str, keys: Sequence[bytes] | None) -> None:
        """See `OnlineStore`."""
        prefix = self._prefix(view)
        with self._explained("delete from"):
            names: Iterator[bytes] = (
                self._client.scan_iter(match=prefix + b"*", count=5000)
                if keys is None
                else iter([prefix + key for key in keys])
            )
            while batch := list(islice(names, 5000)):
                self._client.unlink(*batch)

    def close(self) -> None:
        """See `OnlineStore`."""
        for line in list(self._readers):
            line.close()
        self._client.close()

    def _prefix(self, view: str) -> bytes:
        prefix = self._prefixes.get(view)
        if prefix is None:  # a digest: no name can run into another's keys, or into a pattern
            prefix = self._prefixes[view] = f"mlops:{digest_bytes(view.encode())[:16]}:".encode()
        return prefix

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise self._unavailable(verb, error) from error

    def _unavailable(self, verb: str, error: Exception) -> StorageUnavailable:
        return StorageUnavailable(
            f"cannot {verb} the online store Redis at {self.place}: {error}", hint="is the server running?"
        )


def _words(words: Sequence[bytes]) -> bytes:
    """A command in Redis's protocol; the client's own packing looks at the type of each of a million words."""
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def _key(prefix: bytes, key: bytes, size: int) -> bytes:
    """A key of a view, of this size, as a word of a command."""
    return b"$%d\r\n%b%b\r\n" % (len(prefix) + size, prefix, key)


def _keys(prefix: bytes, keys: Sequence[bytes]) -> bytes:
    """Several; those of one size are put together in one step."""
    size, *others = {*map(len, keys)}
    if others:
        return b"".join([_key(prefix, key, len(key)) for key in keys])
    head = b"$%d\r\n%b" % (len(prefix) + size, prefix)
    return b"%b%b\r\n" % (head, (b"\r\n" + head).join(keys))


def _opened(words: Sequence[bytes], more: int) -> bytes:
    """The beginning of a command, after which so many words more come."""
    return b"*%d\r\n%b" % (len(words) + more, _words(words).partition(b"\n")[2])


def _alike(*columns: tuple[bytes, bytes, int]) -> bytes:
    """Rows of words in Redis's protocol. A column is what its words begin with, and the rest of each, of one size,
    end to end."""
    import numpy as np

    pieces: list[bytes | Any] = []
    for head, data, size in columns:
        rest = np.frombuffer(data, np.dtype((np.void, size)))
        pieces += [b"$%d\r\n%b" % (len(head) + size, head), rest, b"\r\n"]
    kinds = [f"V{len(piece)}" if isinstance(piece, bytes) else piece.dtype for piece in pieces]
    rows = np.empty(len(rest), dtype=[(str(place), kind) for place, kind in enumerate(kinds)])
    for place, piece in enumerate(pieces):
        rows[str(place)] = np.void(piece) if isinstance(piece, bytes) else piece
    return rows.tobytes()


def _is_ordered(rows: Block) -> bool:
    """Whether each key is greater than the one before, as they come from a materialization: then no two are one."""
    import numpy as np

    if not rows.keys:
        return False
    # NumPy leaves zeros at the end of bytes out, which makes no difference where all have one size.
    keys: Any = np.frombuffer(rows.keys, np.dtype((np.bytes_, rows.key_size)))
    return bool((keys[1:] > keys[:-1]).all())


def _has_no_twins(batch: list[Row] | Block) -> bool:
    keys = cut(batch.keys, batch.key_size) if isinstance(batch, Block) else [key for key, _ in batch]
    return len({*keys}) == len(keys)
