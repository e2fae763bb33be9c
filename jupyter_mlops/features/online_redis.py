"""The online store for teams: Redis. A string for each key: its stamp, then the packed row.

Writes go through a script, so that "replace unless newer" is one step for all writers; batches of keys share
one MGET and one MSET in it. Keys of one view share a prefix, and nothing is ever made to expire by Redis: a row
beyond its ttl is EXPIRED, which is another answer than NOT_FOUND.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ..errors import InvalidInput, MissingExtra, StorageUnavailable
from ..fingerprint import digest_bytes
from .online import Found, Row

_BATCH = 1000  # keys a call of the script
_CALLS = 10  # calls a round trip
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
        try:
            self._client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=60)
        except ValueError as error:
            raise InvalidInput(f"the online store's URL cannot be right: {error}") from error
        self._script = self._client.register_script(_WRITE)
        shown = self._client.connection_pool.connection_kwargs
        self.place = str(shown.get("path") or f"{shown.get('host')}:{shown.get('port')}")
        self._prefixes: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"RedisStore({self.place!r})"  # never its password

    def write(self, *, view: str, rows: Iterable[Row]) -> None:
        """See `OnlineStore`."""
        prefix = self._prefix(view)
        remaining = iter(rows)
        with self._explained("write to"):
            self._load()
            while True:
                pipeline: Any = self._client.pipeline(transaction=False)
                for _ in range(_CALLS):
                    batch = list(islice(remaining, _BATCH))
                    if not batch:
                        break
                    keys = [prefix + key for key, _ in batch]
                    pipeline.evalsha(self._script.sha, len(keys), *keys, *(value for _, value in batch))
                if not len(pipeline):  # a pipeline is always true
                    return
                pipeline.execute()

    def read(self, *, wanted: Sequence[tuple[str, Sequence[bytes]]]) -> list[list[Found]]:
        """See `OnlineStore`."""
        names = [prefix + key for view, keys in wanted for prefix in (self._prefix(view),) for key in keys]
        if not names:
            return [[] for _ in wanted]
        with self._explained("read"):
            values: Any = self._client.mget(names)
        found = iter(values)
        return [list(islice(found, len(keys))) for _, keys in wanted]

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
        self._client.close()

    def _prefix(self, view: str) -> bytes:
        prefix = self._prefixes.get(view)
        if prefix is None:  # a digest: no name can run into another's keys, or into a pattern
            prefix = self._prefixes[view] = f"mlops:{digest_bytes(view.encode())[:16]}:".encode()
        return prefix

    def _load(self) -> None:
        self._client.script_load(_WRITE)

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise StorageUnavailable(
                f"cannot {verb} the online store Redis at {self.place}: {error}",
                hint="is the server running?",
            ) from error
