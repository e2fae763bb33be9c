"""Annotations are read without being evaluated, and values become what is declared, or not at all."""

# ruff: noqa: DTZ001 - a datetime without a zone is a value like others here

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from papermill.cli import _resolve_type

from jupyter_mlops.blobs import make_reference
from jupyter_mlops.notebooks.conversion import Mismatch, convert, guess, show
from jupyter_mlops.notebooks.kinds import ANY, read_annotation
from jupyter_mlops.notebooks.secrets import SecretReference

ANNOTATIONS = {
    "int": "int",
    "builtins.int": "int",
    "'int'": "int",
    "\"Optional['int']\"": "int or None",
    "datetime.date": "date",
    "dt.datetime": "datetime",
    "pathlib.Path": "Path",
    "os.PathLike[str]": "Path",
    "None": "None",
    "Any": "anything",
    "typing.Any": "anything",
    "np.ndarray": "anything",
    "Color": "anything",
    "f()": "anything",
    "int | None": "int or None",
    "Union[int, str, None]": "int or str or None",
    "Optional[Union[int, str]]": "int or str or None",
    "int | int": "int",
    "int | Color": "anything",
    "list[int]": "list[int]",
    "List": "list",
    "Sequence[float]": "list[float]",
    "dict[str, list[date]]": "dict[str, list[date]]",
    "tuple[int, ...]": "tuple[int, ...]",
    "tuple[int, str]": "tuple[int, str]",
    "collections.abc.Set[str]": "set[str]",
    "Final[int]": "int",
    "Literal['a', 'b']": "one of 'a', 'b'",
    "Literal[1]": "1",
    "Literal[Color.RED]": "anything",
    "Annotated[int, Ge(1), Le(53)]": "int from 1 to 53",
    "Annotated[int, annotated_types.Interval(ge=1, lt=10)]": "int from 1 below 10",
    "Annotated[float, Field(gt=0)]": "float above 0",
    "Annotated[float, pydantic.Field(le=-1.5)]": "float up to -1.5",
    "Annotated[int, range(10)]": "int from 0 below 10",
    "Annotated[int, range(1, 10, 2)]": "int from 1 below 10 in steps of 2",
    "Annotated[int | None, Ge(1)]": "int from 1 or None",
    "Annotated[str, Ge(1)]": "str",
    "Annotated[int, Ge(limit)]": "int",
    "'Secret'": "a secret",
    "not python": "anything",
    "": "anything",
}


@pytest.mark.parametrize(("annotation", "kind"), ANNOTATIONS.items())
def test_annotations_are_read_by_their_last_names(annotation: str, kind: str) -> None:
    assert str(read_annotation(annotation)[0]) == kind


@pytest.mark.parametrize(
    "annotation",
    [
        "Annotated[int, 'weeks back']",
        "Annotated[int, Doc('weeks back')]",
        "Annotated[int, Field(description='weeks back', ge=1)]",
    ],
)
def test_help_is_read_from_annotations(annotation: str) -> None:
    assert read_annotation(annotation)[1] == "weeks back"


@given(st.text() | st.lists(st.sampled_from([*ANNOTATIONS, "[", "]", ",", "|"])).map("".join))
def test_any_annotation_is_read(annotation: str) -> None:
    kind, _ = read_annotation(annotation)
    assert str(kind)
    json.dumps(kind.to_json())


def test_a_kind_tells_forms_what_they_need() -> None:
    assert read_annotation("Annotated[int, range(1, 10)]")[0].to_json() == {
        "name": "int",
        "minimum": 1,
        "exclusive_maximum": 10,
    }
    assert read_annotation("Literal['a', 1]")[0].to_json() == {"name": "literal", "choices": ["a", 1]}
    assert read_annotation("list[int]")[0].to_json() == {"name": "list", "args": [{"name": "int"}]}


# annotation, value given, value bound
CONVERTED: list[tuple[str, Any, Any]] = [
    ("int", 3, 3),
    ("int", 3.0, 3),
    ("int", Decimal(3), 3),
    ("int", np.int64(3), 3),
    ("int", "20", 20),
    ("float", 3, 3.0),
    ("float", np.float32(0.5), 0.5),
    ("float", "nan", float("nan")),
    ("float", Decimal("0.5"), 0.5),
    ("bool", np.bool_(True), True),
    ("bool", "no", False),
    ("str", "007", "007"),
    ("str", "1.10", "1.10"),
    ("str", np.str_("a"), "a"),
    ("complex", "1+2j", 1 + 2j),
    ("bytes", bytearray(b"a"), b"a"),
    ("date", "2013-01-02", date(2013, 1, 2)),
    ("date", datetime(2013, 1, 2), date(2013, 1, 2)),
    ("date", np.datetime64("2013-01-02"), date(2013, 1, 2)),
    ("date", pd.Timestamp("2013-01-02"), date(2013, 1, 2)),
    ("datetime", "2013-01-02T03:04:05Z", datetime(2013, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ("datetime", date(2013, 1, 2), datetime(2013, 1, 2)),
    ("datetime", pd.Timestamp("2013-01-02 03:04"), datetime(2013, 1, 2, 3, 4)),
    ("datetime", np.datetime64("2013-01-02T03:04:05.000000000", "ns"), datetime(2013, 1, 2, 3, 4, 5)),
    ("time", "03:04", time(3, 4)),
    ("timedelta", 90, timedelta(seconds=90)),
    ("timedelta", np.timedelta64(90, "s"), timedelta(seconds=90)),
    ("timedelta", pd.Timedelta(90, "s"), timedelta(seconds=90)),
    ("Path", "a/b", Path("a/b")),
    ("Path", PurePosixPath("a"), PurePosixPath("a")),
    ("Decimal", "1.10", Decimal("1.10")),
    ("Decimal", 1.1, Decimal("1.1")),
    ("Decimal", np.float64(1.1), Decimal("1.1")),
    ("list", (1, 2), [1, 2]),
    ("list[int]", np.array([1, 2]), [1, 2]),
    ("list[date]", ["2013-01-02"], [date(2013, 1, 2)]),
    ("tuple[int, str]", [1, "a"], (1, "a")),
    ("tuple[int, ...]", [1, 2, 3], (1, 2, 3)),
    ("set[str]", ["a", "a"], {"a"}),
    ("frozenset", {1}, frozenset({1})),
    ("dict[int, Path]", {"1": "a"}, {1: Path("a")}),
    ("Literal[1, 'a']", "a", "a"),
    ("Literal[1, 2]", np.int64(1), 1),
    ("int | None", None, None),
    ("int | str", "007", "007"),
    ("str | int", 7, 7),
    ("float | int", 7, 7),
    ("int | float", 7.0, 7.0),
    ("date | datetime", datetime(2013, 1, 2), datetime(2013, 1, 2)),
    ("int | date", "2013-01-02", date(2013, 1, 2)),
    ("Annotated[int, Ge(1)]", 1, 1),
    ("Annotated[int, range(1, 10, 2)]", 3, 3),
    ("Color", np.int64(3), np.int64(3)),
    ("Any", (1, {2}), (1, {2})),
]


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (a == b or (a != a and b != b))


@pytest.mark.parametrize(("annotation", "given", "bound"), CONVERTED)
def test_values_become_what_is_declared(annotation: str, given: Any, bound: Any) -> None:
    assert same(convert(read_annotation(annotation)[0], given), bound)


REFUSED: list[tuple[str, Any]] = [
    ("int", True),
    ("int", 3.5),
    ("int", "3.5"),
    ("int", float("nan")),
    ("int", float("inf")),
    ("int", Decimal("NaN")),
    ("int", None),
    ("int", [1]),
    ("int", "9" * 5000),
    ("float", "a"),
    ("float", True),
    ("float", 10**400),
    ("bool", 1),
    ("bool", "maybe"),
    ("str", 7),
    ("str", None),
    ("complex", True),
    ("bytes", "a"),
    ("date", datetime(2013, 1, 2, 3)),
    ("date", "yesterday"),
    ("date", 20130102),
    ("datetime", 0),
    ("datetime", pd.Timestamp(1)),
    ("datetime", np.datetime64(1, "ns")),
    ("time", 3),
    ("timedelta", True),
    ("timedelta", "long"),
    ("timedelta", 1e300),
    ("Path", 3),
    ("Decimal", "a"),
    ("Decimal", True),
    ("list", "abc"),
    ("list[int]", ["a"]),
    ("tuple[int, str]", [1]),
    ("set", [[1]]),
    ("dict", [1]),
    ("dict[int, int]", {"1": 1, 1: 2}),
    ("Literal[1]", True),
    ("Literal['a']", "b"),
    ("Literal[1]", "1"),
    ("int | date", "x"),
    ("None", 0),
    ("Annotated[int, Ge(1)]", 0),
    ("Annotated[int, range(1, 10)]", 10),
    ("Annotated[int, range(1, 10, 2)]", 4),
    ("Annotated[float, Field(gt=0)]", 0.0),
    ("Annotated[float, Field(gt=0)]", float("nan")),
    ("Annotated[Decimal, Field(lt=1)]", "1"),
    ("'Secret'", "hunter2"),
]


@pytest.mark.parametrize(("annotation", "given"), REFUSED)
def test_values_that_do_not_fit_are_refused(annotation: str, given: Any) -> None:
    with pytest.raises(Mismatch):
        convert(read_annotation(annotation)[0], given)


FROM_TEXT: list[tuple[str, str, Any]] = [
    ("str", "007", "007"),
    ("str", "None", "None"),
    ("int", " 7 ", 7),
    ("bool", "True", True),
    ("Path", "a b", Path("a b")),
    ("Optional[int]", "None", None),
    ("Optional[str]", "None", None),
    ("str | None", "1.10", "1.10"),
    ("int | str", "7", 7),
    ("int | str", "007", "007"),
    ("str | float", "1.5", 1.5),
    ("str | float", "1.50", "1.50"),
    ("Literal[1, 2]", "2", 2),
    ("Literal['1']", "1", "1"),
    ("list[int]", "1,2", [1, 2]),
    ("list[int]", "[1, 2]", [1, 2]),
    ("list[str]", "007, a", ["007", "a"]),
    ("list", "7,a", [7, "a"]),
    ("list", "", []),
    ("tuple[int, str]", "(1, 'a')", (1, "a")),
    ("set[int]", "{1, 2}", {1, 2}),
    ("set", "set()", set()),
    ("dict[int, str]", '{"1": "a"}', {1: "a"}),
    ("dict", "{1: None}", {1: None}),
    ("Any", "True", True),
    ("Color", "1_000", 1000),
    ("Color", "1.10", 1.1),
    ("Color", "true", "true"),
]


@pytest.mark.parametrize(("annotation", "given", "bound"), FROM_TEXT)
def test_words_of_a_command_line_are_read_as_declared(annotation: str, given: str, bound: Any) -> None:
    assert same(convert(read_annotation(annotation)[0], given, from_text=True), bound)


@pytest.mark.parametrize("text", ["[1, 2", "{a}", "(1"])
def test_a_broken_collection_is_refused(text: str) -> None:
    with pytest.raises(Mismatch, match="neither JSON nor a Python literal"):
        convert(read_annotation("list")[0], text, from_text=True)


@given(st.text())
def test_undeclared_words_are_taken_for_what_papermill_takes_them_for(text: str) -> None:
    assert same(guess(text), _resolve_type(text))


def test_a_reference_to_an_artifact_passes_for_every_kind() -> None:
    reference = make_reference("a" * 64, "train", "parquet")
    for annotation in ANNOTATIONS:
        assert convert(read_annotation(annotation)[0], reference) == reference


def test_a_secret_passes_for_text_only() -> None:
    secret = SecretReference("DB")
    for annotation in ("str", "str | None", "Any", "'Secret'", "Color"):
        assert convert(read_annotation(annotation)[0], "secret:DB") == secret
        assert convert(read_annotation(annotation)[0], secret, from_text=True) == secret
    assert convert(read_annotation("dict[str, str]")[0], {"a": "secret:DB"}) == {"a": secret}
    assert convert(ANY, {"a": ["secret:DB", (1, "secret:DB")]}) == {"a": [secret, (1, secret)]}
    with pytest.raises(Mismatch, match="declare the parameter str"):
        convert(read_annotation("int")[0], "secret:DB")


def test_a_value_without_secrets_is_not_copied() -> None:
    value = {"a": [1, (2, "x")]}
    assert convert(ANY, value) is value


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.decimals()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(ANNOTATIONS)), anything, st.booleans())
def test_converting_twice_changes_nothing(annotation: str, value: Any, from_text: bool) -> None:
    kind, _ = read_annotation(annotation)
    try:
        once = convert(kind, value, from_text=from_text)
    except Mismatch:
        return
    assert repr(convert(kind, once)) == repr(once)


@pytest.mark.parametrize("make", [lambda: 10**5000, lambda: "x" * 500, lambda: [1] * 500, lambda: None])
def test_shown_values_are_short(make: Callable[[], Any]) -> None:
    assert 0 < len(show(make())) <= 80
