"""Unpacking all views of one entity in one step says what unpacking them one by one says, or nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.features.codec import RowCodec
from jupyter_mlops.features.dtypes import arrow_type
from jupyter_mlops.features.one_row import OneRow

NUMBERS: dict[str, st.SearchStrategy[Any]] = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "float64": st.floats(allow_nan=False),
    "float32": st.floats(allow_nan=False, width=32),
    "bool": st.booleans(),
}
schemas = st.lists(st.sampled_from(sorted(NUMBERS)), min_size=1, max_size=10).map(
    lambda dtypes: {f"f{place}": dtype for place, dtype in enumerate(dtypes)}
)
moments = st.integers(-5, 5)


def packed(schema: dict[str, str], row: tuple[Any, ...], event: int) -> bytes:
    table = pa.table(
        {name: pa.array([value], arrow_type(schema[name])) for name, value in zip(schema, row, strict=True)}
    )
    stamp = np.array([event], np.int64)
    return RowCodec(schema).pack_batch(table, stamp, stamp, 0)[0]


@settings(deadline=None)
@given(st.data(), st.lists(schemas, min_size=1, max_size=4), moments)
def test_together_or_one_by_one(data: st.DataObject, views: list[dict[str, str]], at: int) -> None:
    ttls = data.draw(st.lists(st.integers(0, 6), min_size=len(views), max_size=len(views)))
    rows, events, found = [], [], []
    for schema in views:
        values = tuple([data.draw(NUMBERS[dtype]) for dtype in schema.values()])
        if data.draw(st.integers(0, 9)) == 0:
            values = (None, *values[1:])
        rows.append(values)
        events.append(data.draw(moments))
        found.append(
            data.draw(st.sampled_from([packed(schema, values, events[-1])] * 9 + [None, b"", b"x" * 40]))
        )
    width = sum(map(len, views))
    wanted = data.draw(st.lists(st.integers(0, width - 1), min_size=1, max_size=2 * width))
    answer = OneRow([RowCodec(schema) for schema in views], ttls, wanted).unpack(found, at)
    is_whole = all(
        one == packed(schema, values, event) and None not in values and event >= at - ttl
        for one, schema, values, event, ttl in zip(found, views, rows, events, ttls, strict=True)
    )
    if not is_whole:
        assert answer is None
        return
    side_by_side = [value for values in rows for value in values]
    assert answer == (tuple([side_by_side[place] for place in wanted]), [(event,) for event in events])


def test_a_row_of_another_schema_is_left_to_who_tells_it() -> None:
    number, text = {"x": "int64"}, {"x": "float64"}
    one = OneRow([RowCodec(number)], [10], [0])
    assert one.unpack([packed(number, (7,), 3)], 4) == ((7,), [(3,)])
    assert one.unpack([packed(text, (7.0,), 3)], 4) is None
