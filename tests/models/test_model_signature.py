"""Signatures, and examples as JSON: what goes in comes back, and what does not fit is told."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.models import runtime, signature

MOMENTS = pd.to_datetime(["2026-01-01T00:00", "2026-03-29T01:30", None])
FRAME = pd.DataFrame(
    {
        "whole": pd.Series([1, 2, 3], dtype="int64"),
        "small": pd.Series([1, 2, 3], dtype="int8"),
        "maybe": pd.Series([1, None, 3], dtype="Int64"),
        "real": [1.5, np.nan, np.inf],
        "single": pd.Series([1.5, 2.5, -np.inf], dtype="float32"),
        "is_on": [True, False, True],
        "text": ["a", "ü", ""],
        "missing": pd.Series(["a", None, "b"], dtype="object"),
        "at": pd.to_datetime(["2026-01-01", "2026-03-29T01:30:00.123456789", None], format="ISO8601"),
        "zoned": MOMENTS.tz_localize("UTC").tz_convert("Europe/Paris"),
        "took": pd.to_timedelta(["1s", None, "2 days 00:00:00.000000001"]),
        "kind": pd.Categorical(["b", "a", None], categories=["a", "b", "c"], ordered=True),
        "parts": [[1, 2], [], [3.5]],
        "raw": [b"\x00\xff", b"", b"x"],
    }
)  # fmt: skip


def round_trip(value: Any) -> Any:
    return runtime.decode_data(json.loads(json.dumps(runtime.encode_data(value), allow_nan=False)))


def test_a_frame_of_every_dtype_comes_back_the_same() -> None:
    pd.testing.assert_frame_equal(round_trip(FRAME), FRAME)


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.5, np.nan], [np.inf, -0.0]]),
        np.arange(6, dtype="uint8").reshape(1, 2, 3),
        np.array(["a", "bc"]),
        np.array([True, False]),
    ],
)
def test_an_array_comes_back_the_same(value: Any) -> None:
    again = round_trip(value)
    np.testing.assert_array_equal(again, value)
    assert again.dtype == value.dtype


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@given(
    rows=st.lists(
        st.dictionaries(st.text(max_size=4).filter(lambda k: not k.startswith("$")), values, min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_records_come_back_the_same(rows: Any) -> None:
    assert round_trip(rows) == rows


@given(
    columns=st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.sampled_from(["int64", "float64", "bool", "Int64", "str", "datetime64[us, UTC]", "category"]),
        min_size=1,
        max_size=4,
    ),
    data=st.data(),
)
def test_frames_come_back_the_same(columns: dict[str, str], data: st.DataObject) -> None:
    kinds: dict[str, Any] = {
        "int64": st.integers(-(2**63), 2**63 - 1),
        "float64": st.floats(),
        "bool": st.booleans(),
        "Int64": st.none() | st.integers(-(2**53), 2**53),
        "str": st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        "datetime64[us, UTC]": st.datetimes(timezones=st.just(UTC), allow_imaginary=False),
        "category": st.sampled_from("abc"),
    }
    frame = pd.DataFrame(
        {
            name: pd.Series(data.draw(st.lists(kinds[kind], min_size=3, max_size=3)), dtype=kind)
            for name, kind in columns.items()
        }
    )
    pd.testing.assert_frame_equal(round_trip(frame), frame)


def test_a_signature_uses_mlflows_words_and_enforcing_it_on_the_example_changes_nothing() -> None:
    found = signature.infer(FRAME, "the example")
    types = {column["name"]: column["type"] for column in found["columns"]}
    assert types == {
        "whole": "long", "small": "integer", "maybe": "long", "real": "double", "single": "float",
        "is_on": "boolean", "text": "string", "missing": "string", "at": "datetime", "zoned": "datetime",
        "took": "any", "kind": "string", "parts": "any", "raw": "binary",
    }  # fmt: skip
    pd.testing.assert_frame_equal(signature.enforce(found, FRAME), FRAME)


def enforce(column: Any, given: Any) -> Any:
    found = signature.infer(pd.DataFrame({"x": column}), "the example")
    return signature.enforce(found, pd.DataFrame({"x": given}))["x"]


@pytest.mark.parametrize(
    ("example", "given", "dtype"),
    [
        ([1, 2], [1.0, 2.0], "int64"),
        ([1, 2], np.int8([1, 2]), "int64"),
        ([1.5], [1], "float64"),
        ([1.5], [None], "float64"),
        (pd.Series([1], dtype="Int64"), [None, 2], "Int64"),
        (np.int8([1]), [100], "int8"),
        (["a"], pd.Categorical(["b"]), "str"),
        (pd.Categorical(["a", "b"]), ["b", "a"], "category"),
        (pd.to_datetime(["2026-01-01"]), ["2026-02-03T04:05"], None),
        (pd.to_datetime(["2026-01-01"], utc=True), ["2026-02-03T04:05Z"], None),
        ([True], np.array([True, False]), "bool"),
    ],
)
def test_what_means_the_same_is_taken(example: Any, given: Any, dtype: str | None) -> None:
    got = enforce(example, given)
    assert str(got.dtype) == (dtype or str(pd.Series(example).dtype))


@pytest.mark.parametrize(
    ("example", "given", "reason"),
    [
        ([1, 2], [1, None], "missing values, the example had none"),
        ([1, 2], [1.5], "fractions"),
        ([1, 2], ["1"], "it holds '1'"),
        ([1, 2], [True], "it holds True"),
        (np.int8([1]), [1000], "do not fit"),
        ([1.5], ["much"], "it holds 'much'"),
        (["a"], [1], "it holds 1"),
        ([True], [1], "other values than true and false"),
        ([True], [True, None], "missing values"),
        (pd.Categorical(["a"]), ["z"], "'z' is none of its categories"),
        (pd.to_datetime(["2026-01-01"], utc=True), ["2026-01-01"], "no time zone"),
        (pd.to_datetime(["2026-01-01"]), ["2026-01-01T00:00Z"], "have a time zone"),
        (pd.to_datetime(["2026-01-01"]), ["soon"], "soon"),
    ],
)
def test_what_does_not_fit_is_told_with_its_column(example: Any, given: Any, reason: str) -> None:
    with pytest.raises(InvalidInput, match="the column 'x' must be") as caught:
        enforce(example, given)
    assert reason in str(caught.value)


def test_arrays_and_records_are_enforced_too() -> None:
    found = signature.infer(np.float32([[1, 2]]), "it")
    assert signature.enforce(found, [[1, 2], [3, 4]]).dtype == np.float32
    with pytest.raises(InvalidInput, match=r"the shape \(1, 3\), the model takes \(n, 2\)"):
        signature.enforce(found, [[1, 2, 3]])
    with pytest.raises(InvalidInput, match="must be an array of float32"):
        signature.enforce(found, [["a", "b"]])
    found = signature.infer([{"a": 1, "b": "x"}, {"a": 2}], "it")
    assert signature.enforce(found, [{"a": 5}]) == [{"a": 5}]
    with pytest.raises(InvalidInput, match=r"the input\[1\] lacks 'a'"):
        signature.enforce(found, [{"a": 5}, {"b": "x"}])
    with pytest.raises(InvalidInput, match="list of dicts"):
        signature.enforce(found, 3)


def test_mlflows_form_comes_back_as_ours() -> None:
    found = signature.infer(FRAME[["whole", "real", "text", "is_on"]], "it")
    theirs = signature.to_mlflow(found, signature.infer(np.array([1.0]), "out"))
    again = signature.from_mlflow(theirs)
    assert [column["type"] for column in again["inputs"]["columns"]] == [
        "long",
        "double",
        "string",
        "boolean",
    ]
    assert again["outputs"] == {"kind": "array", "dtype": "float64", "shape": [-1]}
    for nonsense in (None, {}, {"inputs": "nonsense"}, {"inputs": "[{}]"}):
        assert signature.from_mlflow(nonsense) == {}
