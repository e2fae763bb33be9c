"""How keys and rows look in an online store: packed bytes, one value for all features of a view and a key.

A row is ``event, created, arrival (8 each) | digest of the schema (4) | bitmap of nulls | numbers | texts``,
big-endian; a text has its length among the numbers and its bytes at the end. The first 24 bytes are its *stamp*:
compared as bytes, they say which of two rows of a key is newer. Rows are packed a batch at a time, through NumPy,
and unpacked one by one. Keys keep their order as bytes, so that a batch that is
sorted by key is written from one end of the table to the other.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from ..errors import CorruptBlob, InvalidInput
from ..fingerprint import digest_bytes
from .dtypes import DTYPES, moment_of, python_value
from .online import cut

SIGN = 1 << 63  # turns whole numbers into unsigned ones of the same order
STAMP = 24  # bytes
_KEY = struct.Struct(">Q").pack
_INT, _STR = {int}, {str}
_NUMPY = {"q": ">i8", "i": ">i4", "d": ">f8", "f": ">f4", "?": "u1", "I": ">u4"}


class KeyCodec:
    """Join keys as bytes. A single text is its UTF-8; of several keys each text has its length before it."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys = dict(keys)
        self._is_single = len(self.keys) == 1
        self._first = next(iter(self.keys.items()))
        self.size = 8 * len(self.keys) if {*self.keys.values()} == {"int64"} else 0
        """Bytes of each key; 0 where they differ."""
        self._number = self._first[0] if self._is_single and self.size else None

    def pack(self, row: Mapping[str, Any]) -> bytes:
        """The key in a row; `InvalidInput` when one is missing or of another type."""
        if self._number is not None:  # mostly it is one number
            try:
                if type(value := row[self._number]) is int:
                    return _KEY(value + SIGN)
            except (LookupError, TypeError, struct.error):
                pass  # `_one` says what is wrong
        if self._is_single:
            return self._one(row, *self._first)
        return b"".join([self._one(row, name, dtype) for name, dtype in self.keys.items()])

    def pack_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[bytes]:
        """The keys of several rows; as `pack`, only quicker where all are plain values of one key."""
        if self._is_single:
            name, dtype = self._first
            try:
                values = [row[name] for row in rows]
                kinds = {*map(type, values)}
                if dtype == "int64" and kinds == _INT:
                    return [_KEY(value + SIGN) for value in values]
                if dtype == "string" and kinds == _STR:
                    return [value.encode() for value in values]
            except (LookupError, TypeError, UnicodeEncodeError, struct.error):
                pass  # `pack` says what is wrong
        return list(map(self.pack, rows))

    def _one(self, row: Mapping[str, Any], name: str, dtype: str) -> bytes:
        try:
            value = row[name]
        except (TypeError, IndexError):
            raise InvalidInput(
                f"the entity row {row!r} is no mapping", hint=f"{{{name!r}: …}}, for each row"
            ) from None
        except KeyError:
            raise InvalidInput(
                f"the entity row {_shown(row)} has no {name!r}", hint=f"its keys are {', '.join(self.keys)}"
            ) from None
        kind: type = type(value)
        if kind is int and dtype == "int64" and -SIGN <= value < SIGN:
            packed: bytes = (value + SIGN).to_bytes(8, "big")
            return packed
        if kind is not str or dtype != "string":
            value = python_value(value, dtype, f"join key {name!r}")
            if value is None:
                raise InvalidInput(f"join key {name!r} is empty")
            if dtype == "int64":
                return (int(value) + SIGN).to_bytes(8, "big")
        try:
            text = str(value).encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(f"join key {name!r}: {value!r} is not text that UTF-8 can hold") from error
        return text if self._is_single else len(text).to_bytes(4, "big") + text

    def pack_batch(self, table: Any) -> list[bytes]:
        """The keys of an Arrow table or batch whose key columns have their types and no nulls."""
        if self.size:
            return cut(self.pack_block(table), self.size)
        columns = []
        for name, dtype in self.keys.items():
            column = table.column(name)
            if dtype == "int64":
                columns.append(cut(_ordered(column).astype(">u8").tobytes(), 8))
            else:
                texts = [text.encode() for text in column.to_pylist()]
                columns.append(
                    texts if self._is_single else [len(one).to_bytes(4, "big") + one for one in texts]
                )
        return columns[0] if self._is_single else [b"".join(parts) for parts in zip(*columns, strict=True)]

    def pack_block(self, table: Any) -> bytes:
        """`pack_batch` end to end, where all keys have one size."""
        import numpy as np

        return np.stack([_ordered(table.column(name)) for name in self.keys], axis=1).astype(">u8").tobytes()


class RowCodec:
    """The features of one view as bytes; `schema` maps feature → type."""

    def __init__(self, schema: Mapping[str, str]) -> None:
        self.schema = dict(schema)
        self.digest = bytes.fromhex(digest_bytes(json.dumps(list(schema.items())).encode())[:8])
        self._kinds = [DTYPES[dtype] for dtype in schema.values()]
        self._codes = [kind.packed or "I" for kind in self._kinds]
        self._texts = [place for place, kind in enumerate(self._kinds) if not kind.packed]
        self._moments = [place for place, kind in enumerate(self._kinds) if kind.name == "timestamp"]
        self._nulls = (len(schema) + 7) // 8
        self._struct = struct.Struct(f">QQQ4s{self._nulls}s{''.join(self._codes)}")
        self._unpack = self._struct.unpack_from
        self._none = bytes(self._nulls)
        self.has_rest = bool(self._texts or self._moments)
        """Whether there is more to do than to read numbers."""
        self.size = 0 if self._texts else self._struct.size
        """Bytes of each row; 0 where they differ."""
        self.fields = f"Q16x{4 + self._nulls}s{''.join(self._codes)}"
        """A row without what a read does not need, for `struct`: the event, a mark, and the features."""
        self.plain = self.digest + self._none
        """The mark of a row in which nothing is null."""
        self._quick = struct.Struct(f">{self.fields}")
        self._quick_one = self._quick.unpack_from

    def pack_batch(self, table: Any, event: Any, created: Any, arrival: int) -> list[bytes]:
        """The rows of an Arrow table or batch whose feature columns have their types; the times are NumPy int64."""
        packed, texts = self._packed(table, event, created, arrival)
        rows = cut(packed, self._struct.size)
        return [b"".join(parts) for parts in zip(rows, *texts, strict=True)] if texts else rows

    def pack_block(self, table: Any, event: Any, created: Any, arrival: int) -> bytes:
        """`pack_batch` end to end, where all rows have one size."""
        return self._packed(table, event, created, arrival)[0]

    def _packed(self, table: Any, event: Any, created: Any, arrival: int) -> tuple[bytes, list[list[bytes]]]:
        """What has one size of each row, end to end, and the columns of texts that come after it."""
        import numpy as np

        fields: list[Any] = [("event", ">u8"), ("created", ">u8"), ("arrival", ">u8")]
        fields += [("digest", "V4"), ("nulls", "u1", (self._nulls,))]
        fields += [(str(place), _NUMPY[code]) for place, code in enumerate(self._codes)]
        rows = np.zeros(table.num_rows, dtype=np.dtype(fields))
        rows["event"] = event.view(np.uint64) ^ np.uint64(SIGN)
        rows["created"] = created.view(np.uint64) ^ np.uint64(SIGN)
        rows["arrival"] = arrival + SIGN
        rows["digest"] = np.void(self.digest)
        texts: list[list[bytes]] = []
        for place, name in enumerate(self.schema):
            column = table.column(name)
            if column.null_count:
                is_null = column.is_null().to_numpy(zero_copy_only=False)
                rows["nulls"][:, place // 8] |= is_null.astype(np.uint8) << np.uint8(place % 8)
            rows[str(place)], text = _numbers(column, self._kinds[place].name)
            texts += text
        return rows.tobytes(), texts

    def unpack_rows(self, found: Sequence[bytes | None]) -> tuple[list[int], list[tuple[Any, ...]]] | None:
        """`unpack` of several, as events and values, where all are there and nothing is null; else None.

        Only rows of numbers alone are unpacked this way: it takes a fifth of the time.
        """
        if self.has_rest or not found:
            return None
        try:
            rows = list(self._quick.iter_unpack(b"".join(found)))  # type: ignore[arg-type]
        except (TypeError, struct.error):  # one is missing, or is none of ours
            return None
        if len(rows) != len(found):
            return None
        events, marks, *columns = zip(*rows, strict=True)
        if marks.count(self.plain) != len(rows):
            return None
        return [event - SIGN for event in events], list(zip(*columns, strict=True))

    def unpack(self, data: bytes) -> tuple[int, tuple[Any, ...]]:
        """The event, and the values in the schema's order, None for null; `CorruptBlob` for bytes of another schema."""
        try:
            if not self.has_rest:  # mostly all are numbers, and none is null
                row = self._quick_one(data)
                if row[1] == self.plain:
                    return row[0] - SIGN, row[2:]
            fields = self._unpack(data)
        except struct.error as error:
            raise self._corrupt() from error
        if fields[3] != self.digest:
            raise self._corrupt()
        event, _, _, _, nulls, *values = fields
        bits = int.from_bytes(nulls, "little")
        offset = self._struct.size
        for place in self._texts:
            end = offset + values[place]
            if end > len(data):
                raise self._corrupt()
            text = data[offset:end]
            values[place] = text.decode() if self._kinds[place].name == "string" else text
            offset = end
        for place in self._moments:
            values[place] = moment_of(values[place])
        return event - SIGN, tuple(
            [None if bits >> place & 1 else value for place, value in enumerate(values)]
        )

    def _corrupt(self) -> CorruptBlob:
        return CorruptBlob(
            "the online store holds a row of another schema under this view's name",
            hint="materialize the view again",
        )


def selector(places: Sequence[int], size: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]] | None:
    """Picks some of a row's values, in order; None when that is all of them."""
    if list(places) == list(range(size)):
        return None
    return itemgetter(*places) if len(places) > 1 else lambda row: tuple([row[place] for place in places])


def _numbers(column: Any, dtype: str) -> tuple[Any, list[list[bytes]]]:
    """A column as numbers (0 for null), and its texts if it has any."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if DTYPES[dtype].packed:
        if dtype == "timestamp":
            column = column.cast(pa.int64())
        return pc.fill_null(column, pa.scalar(0, column.type) if dtype != "bool" else False).to_numpy(
            zero_copy_only=False
        ), []
    texts = [
        b"" if one is None else one.encode() if isinstance(one, str) else one for one in column.to_pylist()
    ]
    return [len(text) for text in texts], [texts]


def _ordered(column: Any) -> Any:
    """Whole numbers as unsigned ones of the same order."""
    import numpy as np

    return column.to_numpy().astype(np.int64).view(np.uint64) ^ np.uint64(SIGN)


def _shown(row: Any) -> str:
    text = repr(dict(row))
    return text if len(text) <= 100 else text[:100] + "…"
