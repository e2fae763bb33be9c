from __future__ import annotations

import enum
import json
import math
import types
from collections import OrderedDict
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.encoding import dumps, from_json, loads, to_json
from jupyter_mlops.errors import InvalidInput

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
zones = (
    st.none()
    | st.just(UTC)
    | offsets
    | st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Tokyo"]).map(ZoneInfo)
)
hashable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**1200), 2**1200)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=8)
    | st.dates()
    | st.datetimes(timezones=zones, allow_imaginary=True)
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=9).map(Path)
    | st.sampled_from([PurePosixPath("a/b"), PureWindowsPath("C:/x"), range(3), range(5, 0, -2)]),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
values = st.recursive(
    hashable,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.sets(hashable, max_size=3)
        | st.dictionaries(st.just("$type") | st.text(max_size=5), inner, max_size=3)
        | st.dictionaries(hashable, inner, max_size=3)
    ),
    max_leaves=8,
)
numpy_scalars = st.one_of(
    st.integers(-128, 127).map(np.int8),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.integers(0, 2**64 - 1).map(np.uint64),
    st.floats(allow_nan=False, width=16).map(np.float16),
    st.floats(allow_nan=False, width=32).map(np.float32),
    st.floats(allow_nan=False).map(np.float64),
    st.complex_numbers(allow_nan=False).map(np.complex128),
    st.booleans().map(np.bool_),
    st.integers(-(2**62), 2**62).map(lambda number: np.datetime64(number, "ns")),
    st.integers(-(2**62), 2**62).map(lambda number: np.timedelta64(number, "s")),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=5).map(np.str_),
    st.binary(max_size=5).map(lambda data: np.bytes_(data.rstrip(b"\0"))),
)


def same(one: Any, other: Any) -> bool:
    """Equal, of the same types all the way down, with the same zones and signs."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    if isinstance(one, (datetime, time)):
        return repr(one) == repr(other)
    return bool(one == other)


@given(values)
def test_every_value_comes_back_as_itself(value: Any) -> None:
    text = dumps(value)
    assert text.isascii()
    assert same(loads(text), value)
    json.loads(text, parse_constant=pytest.fail)  # no NaN or Infinity, which are no JSON


@given(numpy_scalars)
def test_numpy_scalars_stay_numpy_scalars(value: Any) -> None:
    back = loads(dumps({"x": value}))["x"]
    assert type(back) is type(value)
    assert back.dtype == value.dtype
    assert back == value


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        -0.0,
        np.float32("nan"),
        np.datetime64("NaT"),
        complex(0, math.nan),
        Decimal("sNaN"),
        Decimal("1.10"),
    ],
)
def test_numbers_on_the_edge_come_back(value: Any) -> None:
    assert repr(loads(dumps(value))) == repr(value)


@pytest.mark.parametrize("value", [None, True, 0, "x", "", [1, [2]], {"a": {"b": None}}, 1.5])
def test_plain_json_stays_as_it_is(value: Any) -> None:
    assert to_json(value) == value


def test_a_dict_that_looks_like_a_tag_is_not_taken_for_one() -> None:
    trap = {"$type": "path", "value": "/etc/passwd"}
    assert loads(dumps(trap)) == trap
    assert loads(dumps([{"$type": trap}])) == [{"$type": trap}]


def test_sets_have_one_text_whatever_their_order() -> None:
    assert dumps({f"{number}" for number in range(50)}) == dumps(
        {f"{number}" for number in reversed(range(50))}
    )


def test_integer_keys_keep_their_type_and_order() -> None:
    back = loads(dumps({3: "c", 1: "a", "1": "text"}))
    assert list(back.items()) == [(3, "c"), (1, "a"), ("1", "text")]


def test_a_named_zone_keeps_its_name_and_the_second_hour_of_autumn() -> None:
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Paris"), fold=1)
    back = loads(dumps(twice))
    assert (back.tzinfo.key, back.fold) == ("Europe/Paris", 1)
    assert back.utcoffset() == timedelta(hours=1)


class Color(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Color.RED, "red"),
        (Level.HIGH, 3),
        (OrderedDict(a=1), {"a": 1}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (type("Floating", (float,), {})(1.5), 1.5),
        (type("Listing", (list,), {})([1]), [1]),
    ],
)
def test_subclasses_that_equal_a_plain_value_travel_as_that(value: Any, plain: Any) -> None:
    assert same(loads(dumps(value)), plain)


def test_what_cannot_be_encoded_is_told_with_its_place() -> None:
    with pytest.raises(
        InvalidInput, match=r"cannot encode a value of type object \(at \['models'\]\[2\]\['x'\]\)"
    ) as caught:
        dumps({"models": [1, 2, {"x": object()}]})
    assert "artifact" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        np.arange(3),
        np.longdouble(1),
        np.array([(1, 2)], dtype="i4,i4")[0],
        print,
        iter([]),
        memoryview(b"x"),
        enum.Enum("Plain", "A").A,
        type("Moment", (datetime,), {})(2026, 1, 1),
        {"k": {1, 2, frozenset([print])}},
        datetime(2026, 1, 1, tzinfo=type("Zone", (tzinfo,), {"utcoffset": lambda *_: timedelta(0)})()),
    ],
)  # fmt: skip
def test_what_would_lose_something_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="cannot encode"):
        dumps(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    knot: list[Any] = []
    knot.append(knot)
    with pytest.raises(InvalidInput, match="contains itself"):
        dumps(knot)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"$type": "pickle", "value": ""}',
        '{"$type": 3}',
        '{"$type": "date"}',
        '{"$type": "date", "value": "soon"}',
        '{"$type": "set", "value": [[1]]}',
        '{"$type": "numpy", "dtype": "O", "value": 1}',
        '{"$type": "numpy", "dtype": "nonsense", "value": 1}',
        '{"$type": "datetime", "value": {"text": "2026-01-01", "zone": "Mars/Base"}}',
        '{"$type": "datetime", "value": {"text": "2026-01-01", "zone": "../../etc/passwd"}}',
        '{"$type": "decimal", "value": "ten"}',
        '{"$type": "bytes", "value": "?"}',
        '{"$type": "timedelta", "value": [1e400, 0, 0]}',
        "[" * 100_000,
    ],
)
def test_text_that_dumps_cannot_have_written_is_one_clear_error(text: str) -> None:
    with pytest.raises(InvalidInput):
        loads(text)


TAGS = [
    "int",
    "float",
    "dict",
    "tuple",
    "set",
    "date",
    "datetime",
    "time",
    "timedelta",
    "path",
    "decimal",
    "complex",
]
TAGS += ["bytes", "range", "numpy"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {"$type": st.sampled_from(TAGS)},
            optional={"value": inner, "dtype": st.sampled_from(["int8", "O", "M8[ns]", "U3"])},
        )
    ),
    max_leaves=6,
)


@given(json_values)
def test_any_json_is_decoded_or_refused_as_invalid_input(value: Any) -> None:
    with suppress(InvalidInput):
        from_json(value)
