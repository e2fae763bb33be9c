# ruff: noqa: E501 - a row a case
from datetime import UTC, date, datetime

import pytest

from jupyter_mlops.errors import InvalidParameter
from jupyter_mlops.pipelines.arguments import bind_arguments
from jupyter_mlops.pipelines.definition import Pipeline, PipelineParameter, Task


def bound(kind: str, value: object, *, from_text: bool = False) -> object:
    parameters = {"x": PipelineParameter(kind, is_required=True)}
    pipeline = Pipeline("p", (Task("a", "a.ipynb"),), parameters=parameters)
    return bind_arguments(pipeline, {"x": value}, from_text=from_text)["x"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "20", 20), ("float", "1e3", 1000.0), ("float", "2", 2.0), ("str", "007", "007"), ("str", "1.10", "1.10"),
        ("bool", "True", True), ("bool", "0", False), ("list", "[1, 2]", [1, 2]), ("dict", '{"a": 1}', {"a": 1}),
        ("date", "2013-06-30", date(2013, 6, 30)),
        ("datetime", "2013-06-30T12:00+00:00", datetime(2013, 6, 30, 12, tzinfo=UTC)),
        ("any", "20", 20), ("any", "1.10", 1.1), ("any", "True", True), ("any", "None", None), ("any", "text", "text"),
        ("int", "secret:WEEK", "secret:WEEK"), ("list", "blob://sha256/ab/x.parquet", "blob://sha256/ab/x.parquet"),
    ],
)  # fmt: skip
def test_text_is_read_by_the_declared_type(kind: str, text: str, value: object) -> None:
    read = bound(kind, text, from_text=True)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", 3), ("float", 2.5), ("str", "a"), ("bool", False), ("list", (1, 2)), ("dict", {1: 2}),
        ("date", date(2013, 6, 30)), ("any", object),
    ],
)  # fmt: skip
def test_values_of_the_type_stay_themselves(kind: str, value: object) -> None:
    assert bound(kind, value) is value


def test_numbers_of_numpy_stay_themselves() -> None:
    np = pytest.importorskip("numpy")
    for kind, value in (("int", np.int64(3)), ("float", np.float64(2.5))):
        assert bound(kind, value) is value


def test_whole_numbers_and_dates_as_text_are_converted() -> None:
    assert type(bound("float", 2)) is float
    assert bound("date", "2013-06-30") == date(2013, 6, 30)


@pytest.mark.parametrize(
    ("kind", "value", "from_text"),
    [
        ("int", "20", False), ("int", True, False), ("int", 1.5, False), ("int", "x", True), ("float", "x", True),
        ("str", 7, False), ("bool", "maybe", True), ("bool", 1, False), ("list", "[1", True), ("list", "3", True),
        ("dict", "[]", True), ("date", "30.6.2013", True), ("date", datetime(2013, 6, 30, tzinfo=UTC), False),
        ("datetime", date(2013, 6, 30), False), ("int", None, False), ("list", "[" * 100_000, True),
    ],
)  # fmt: skip
def test_other_values_are_refused_with_an_example(kind: str, value: object, from_text: bool) -> None:
    with pytest.raises(InvalidParameter, match=f"parameter 'x': .* is no {kind}"):
        bound(kind, value, from_text=from_text)


def test_all_problems_are_told_at_once() -> None:
    parameters = {
        "week": PipelineParameter("int", is_required=True),
        "day": PipelineParameter("date", date(2013, 1, 1)),
        "limit": PipelineParameter("int", None),
    }
    pipeline = Pipeline("p", (Task("a", "a.ipynb"),), parameters=parameters)
    with pytest.raises(InvalidParameter) as caught:
        bind_arguments(pipeline, {"dya": 1, "day": 3})
    assert [str(problem) for problem in caught.value.fields["problems"]] == [
        "the pipeline has no parameter 'dya' (did you mean 'day'?)",
        "parameter 'week' must be given (give it: week=20)",
        "parameter 'day': 3 is no date (for example 2013-06-30)",
    ]
    assert bind_arguments(pipeline, {"week": 1, "limit": None}) == {
        "week": 1,
        "day": date(2013, 1, 1),
        "limit": None,
    }
