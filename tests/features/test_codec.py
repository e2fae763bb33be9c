"""Packed rows and keys come back as what they were, and keep their order."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.errors import CorruptBlob, InvalidInput
from jupyter_mlops.features.codec import STAMP, KeyCodec, RowCodec
from jupyter_mlops.features.dtypes import DTYPES, arrow_type

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "float64": st.floats(allow_nan=False),
    "float32": st.floats(allow_nan=False, width=32),
    "bool": st.booleans(),
    "string": st.text(),
    "bytes": st.binary(),
    "timestamp": st.datetimes(timezones=st.just(UTC)),
}
times = st.integers(-(2**62), 2**62)


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(st.data(), st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=20))
def test_rows_of_any_schema_come_back(data: st.DataObject, dtypes: list[str]) -> None:
    schema = {f"f{place}": dtype for place, dtype in enumerate(dtypes)}
    rows = data.draw(st.lists(st.tuples(*(st.none() | VALUES[dtype] for dtype in dtypes)), max_size=5))
    events = data.draw(st.lists(times, min_size=len(rows), max_size=len(rows)))
    table = pa.table(
        {
            name: pa.array([row[place] for row in rows], arrow_type(schema[name]))
            for place, name in enumerate(schema)
        }
    )
    codec = RowCodec(schema)
    stamps = np.array(events, np.int64)
    packed = codec.pack_batch(table, stamps, stamps, 7)
    assert [codec.unpack(one) for one in packed] == list(zip(events, rows, strict=True))


def test_stamps_are_in_the_order_of_event_created_and_arrival() -> None:
    codec = RowCodec({"x": "bool"})
    numbers = [-(2**62), -1, 0, 1, 2**40, 2**62]
    stamps = [
        codec.pack_batch(pa.table({"x": [True]}), np.array([event]), np.array([created]), arrival)[0][:STAMP]
        for event in numbers
        for created in numbers
        for arrival in (0, 1, 300)
    ]
    assert stamps == sorted(stamps)


def test_a_row_of_another_schema_is_noticed() -> None:
    moment = np.zeros(1, np.int64)
    packed = RowCodec({"x": "int64"}).pack_batch(pa.table({"x": [1]}), moment, moment, 0)[0]
    for other in ({"x": "float64"}, {"y": "int64"}, {"x": "string"}, {"x": "int64", "y": "int64"}):
        with pytest.raises(CorruptBlob, match="another schema") as caught:
            RowCodec(other).unpack(packed)
        assert "materialize" in caught.value.hint
    for cut in (b"", packed[:10], packed[:-1]):
        with pytest.raises(CorruptBlob):
            RowCodec({"x": "int64"}).unpack(cut)


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES["int64"], st.text(), st.text()), min_size=1, max_size=8))
def test_a_key_alone_is_packed_as_in_a_batch_and_differs_from_others(
    rows: list[tuple[int, str, str]],
) -> None:
    for names in (["n"], ["s"], ["n", "s"], ["s", "t"], ["s", "n", "t"]):
        codec = KeyCodec({name: {"n": "int64"}.get(name, "string") for name in names})
        table = pa.table(
            {"n": [row[0] for row in rows], "s": [row[1] for row in rows], "t": [row[2] for row in rows]}
        )
        alone = [codec.pack(row) for row in table.to_pylist()]
        assert codec.pack_batch(table) == alone
        distinct = {tuple(row[name] for name in names) for row in table.to_pylist()}
        assert len(set(alone)) == len(distinct)


@given(VALUES["int64"], VALUES["int64"])
def test_numbers_as_keys_keep_their_order(first: int, second: int) -> None:
    codec = KeyCodec({"n": "int64"})
    assert (codec.pack({"n": first}) < codec.pack({"n": second})) == (first < second)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "no 'n'"),
        ({"n": None}, "empty"),
        ({"n": "1"}, "'1' is not a whole number"),
        ({"n": 1.0}, "1.0 is not a whole number"),
        ({"n": True}, "True is not a whole number"),
        ({"n": 2**63}, "does not fit"),
        ({"n": float("nan")}, "empty"),
    ],
)
def test_what_is_no_key_is_told(row: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        KeyCodec({"n": "int64"}).pack(row)
    with pytest.raises(InvalidInput, match="not a text"):
        KeyCodec({"s": "string"}).pack({"s": 1})
    with pytest.raises(InvalidInput, match="UTF-8"):
        KeyCodec({"s": "string"}).pack({"s": "\ud800"})


def test_numpy_and_pandas_scalars_are_keys_too() -> None:
    import pandas as pd

    codec = KeyCodec({"n": "int64", "s": "string"})
    expected = codec.pack({"n": 5, "s": "x"})
    assert codec.pack({"n": np.int32(5), "s": np.str_("x")}) == expected
    assert codec.pack(pd.DataFrame({"n": [5], "s": ["x"]}).iloc[0].to_dict()) == expected


def test_every_type_has_its_test() -> None:
    assert set(VALUES) == set(DTYPES)
