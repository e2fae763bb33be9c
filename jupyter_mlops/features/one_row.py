"""The rows of one entity in all views of a question, unpacked in one step: what a model asks with each prediction.

It answers when everything is as it should be: each row is there and not too old, all are numbers, none is null.
Otherwise it does not, and the rows are understood one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from .codec import SIGN, RowCodec, selector


class OneRow:
    """Unpacks the rows of one entity, one of each codec."""

    def __init__(self, codecs: Sequence[RowCodec], ttls: Sequence[int], wanted: Sequence[int]) -> None:
        """`wanted` are places among the features of all views side by side; `ttls` are microseconds."""
        features: list[int] = []
        marks: list[int] = []
        for codec in codecs:  # event, mark and features of each in a row of fields
            start = len(features) + 2 * len(marks)
            marks.append(start + 1)
            features += range(start + 2, start + 2 + len(codec.schema))
        self._unpack = struct.Struct(">" + "".join([codec.fields for codec in codecs])).unpack
        self._marks = itemgetter(*marks)
        self._plain: Any = codecs[0].plain if len(codecs) == 1 else tuple([codec.plain for codec in codecs])
        self._events = [(mark - 1, ttl) for mark, ttl in zip(marks, ttls, strict=True)]
        self._values: Any = selector([features[place] for place in wanted], 0)

    def unpack(
        self, found: Sequence[bytes | None], at: int
    ) -> tuple[tuple[Any, ...], list[Sequence[int | None]]] | None:
        """What is wanted, and the event of each view; None when something is not as it should be at that moment."""
        try:
            fields = self._unpack(b"".join(found))  # type: ignore[arg-type]
        except (TypeError, struct.error):  # one is missing, or is none of ours
            return None
        if self._marks(fields) != self._plain:
            return None
        events: list[Sequence[int | None]] = []
        for place, ttl in self._events:
            event = fields[place] - SIGN
            if event < at - ttl:
                return None
            events.append((event,))
        return self._values(fields), events
