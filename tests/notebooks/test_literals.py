"""Source written for a value evaluates to that value, of that type, whatever it holds."""

from __future__ import annotations

import math
from collections import namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from jupyter_mlops import encoding
from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.notebooks.literals import name_problem, python_source, secret_variable
from jupyter_mlops.notebooks.secrets import SecretReference

HOSTILE = [
    '"',
    "'",
    '"""',
    "\\",
    '\\"',
    "\n",
    "\r\n",
    "\0",
    "\x1b[31m",
    "\ud800",
    "😀",
    "\u2028",
    "{x}",
    "%ls",
    "!ls",
    "x?",
    "# no",
]
text = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(HOSTILE)).map("".join)
zones = (
    st.none()
    | st.just(UTC)
    | st.sampled_from(["Europe/Paris", "America/New_York"]).map(ZoneInfo)
    | st.timedeltas(min_value=timedelta(hours=-23), max_value=timedelta(hours=23)).map(timezone)
)
numbers = (
    st.integers()
    | st.integers(-3, 3).map(lambda digit: digit * 10**4400)
    | st.floats()
    | st.complex_numbers()
    | st.decimals().filter(lambda number: not number.is_snan())
)
hashable = (
    st.none() | st.booleans() | numbers | text | st.binary() | st.dates() | st.times() | st.timedeltas()
    | st.datetimes(timezones=zones) | text.filter(lambda word: "\0" not in word).map(Path)
    | st.sampled_from([PurePosixPath("a/b"), PureWindowsPath("c:\\d"), range(3), range(1, 9, 2)])
)  # fmt: skip
NUMPY = [
    np.int8(-3), np.uint64(2**64 - 1), np.float16(0.1), np.float32(0.1), np.float64("nan"), np.bool_(True),
    np.complex64(1 + 2j), np.str_('a"b\0'), np.bytes_(b"a\0b\0"), np.datetime64("2013-01-01"),
    np.datetime64("2013-01-01T05:06:07.123456789", "ns"), np.datetime64("NaT", "s"), np.timedelta64(90, "m"),
    np.datetime64(5, "10ms"), np.timedelta64(3),
]  # fmt: skip
numpy_scalars = st.integers(0, len(NUMPY) - 1).map(lambda index: NUMPY[index])
values = st.recursive(
    hashable | numpy_scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(hashable, max_size=4)
        | st.frozensets(hashable, max_size=4)
        | st.dictionaries(hashable, inner, max_size=4)
    ),
    max_leaves=10,
)


def same(a: Any, b: Any) -> bool:
    """Equal in value and type throughout; NaN is itself, and so is a zone."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (set, frozenset)):
        return sorted(map(python_source, a)) == sorted(map(python_source, b))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and (a.tobytes() == b.tobytes() or bool(a != a and b != b))
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, (datetime, time)):
        return (a.replace(tzinfo=None), a.fold, a.tzinfo) == (b.replace(tzinfo=None), b.fold, b.tzinfo)
    if isinstance(a, date) and not isinstance(a, datetime):
        return a == b
    return a == b if not isinstance(a, Decimal) else str(a) == str(b)


@given(values)
def test_source_evaluates_to_the_same_value_and_type(value: Any) -> None:
    assert same(eval(python_source(value), {}), value)


@given(values)
def test_ipython_sees_one_line_of_plain_python(value: Any) -> None:
    line = f"x = {python_source(value)}\n"
    assert line.count("\n") == 1
    assert line.isascii() or isinstance(value, (bytes, dict, set, frozenset, list, tuple))
    assert TransformerManager().transform_cell(line) == line


@given(values)
def test_whatever_travels_as_json_can_also_be_written(value: Any) -> None:
    try:
        arrived = encoding.loads(encoding.dumps(value))
    except InvalidInput:
        return  # not what travels
    assert python_source(arrived)


def test_equal_sets_are_written_alike() -> None:
    assert python_source({"b", "a", "c"}) == '{"a", "b", "c"}' == python_source({"c", "b", "a"})
    assert python_source(set()) == "set()"
    assert python_source(frozenset()) == "frozenset()"


class Color(IntEnum):
    RED = 1


class Name(str, Enum):  # noqa: UP042 - the older spelling
    RED = "red"


def test_enum_members_and_mappings_are_written_as_their_plain_value() -> None:
    class Node(dict):  # type: ignore[type-arg]
        pass

    assert python_source([Color.RED, Name.RED, Node(a=1)]) == '[1, "red", {"a": 1}]'


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (object(), "object"),
        (np.zeros(2), "numpy.ndarray"),
        (np.longdouble(1), "numpy.longdouble"),
        (namedtuple("Point", "x y")(1, 2), "Point"),
        (datetime(2013, 1, 1, tzinfo=type("Zone", (tzinfo,), {"utcoffset": lambda *_: None})()), "zone"),
        (len, "builtin_function"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(value: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        python_source([value])


def test_what_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidInput, match="contains itself"):
        python_source(endless)


@pytest.mark.parametrize(
    "wrap", [lambda x: [x], lambda x: (x,), lambda x: {"a": x}, lambda x: frozenset({x})]
)
def test_the_deepest_that_is_written_can_be_read(wrap: Any) -> None:
    value: Any = 1
    for _ in range(50):
        value = wrap(value)
    assert eval(python_source(value)) == value
    with pytest.raises(InvalidInput, match="nested"):
        python_source(wrap(value))


def test_nan_and_infinity_are_written_as_papermill_does() -> None:
    assert [python_source(x) for x in (math.nan, math.inf, -math.inf)] == [
        "float('nan')",
        "float('inf')",
        "float('-inf')",
    ]


def test_a_secret_is_the_lookup_of_its_variable() -> None:
    assert python_source(SecretReference("DB")) == '__import__("os").environ["MLOPS_SECRET_DB"]'


def test_secrets_with_unlike_names_have_unlike_variables() -> None:
    names = ["a-b", "a.b", "a_b", "A_B"]
    variables = [secret_variable(name) for name in names]
    assert len(set(variables)) == len(names)
    assert all(variable.isidentifier() for variable in variables)


@pytest.mark.parametrize(
    "name", ["import os", "a.b", "", "1a", "a-b", "class", "None", "__debug__", "a\n", 3, "x=1;y"]
)
def test_a_name_that_is_no_identifier_is_refused(name: Any) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("name", ["week", "_x", "größe", "match", "print"])
def test_other_names_are_taken(name: str) -> None:
    assert name_problem(name) == ""


def test_r_has_dots_in_names_and_julia_has_not() -> None:
    assert name_problem("train.size", "R") == ""
    assert name_problem("train.size", "julia")
    assert name_problem("x); system('ls')", "R")
    assert name_problem("___", "R")
