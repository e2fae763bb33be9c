import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.pipelines.references import (
    Reference,
    as_text,
    escape,
    follow,
    parse_reference,
    parse_template,
    references,
    resolve,
)

VALUES = {"params.week": 20, "tasks.pull.results.rows": [1, 2], "item": {"a": 1}, "run.id": "r1"}


def lookup(reference: Reference) -> object:
    return VALUES[reference.text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params.week", Reference("params", "week", text="params.week")),
        ("params.grid.depth[0]", Reference("params", "grid", ("depth", 0), text="params.grid.depth[0]")),
        ("item", Reference("item", text="item")),
        ("item.region[-1]", Reference("item", path=("region", -1), text="item.region[-1]")),
        ("matrix.model", Reference("matrix", "model", text="matrix.model")),
        ("run.id", Reference("run", "id", text="run.id")),
        (
            "tasks.pull.results.rows",
            Reference("tasks", "rows", task="pull", field="results", text="tasks.pull.results.rows"),
        ),
        (
            "tasks.t-1.artifacts.train",
            Reference("tasks", "train", task="t-1", field="artifacts", text="tasks.t-1.artifacts.train"),
        ),
        (
            "tasks.train[model=a, depth=3].results.auc",
            Reference(
                "tasks", "auc", (), "train", "model=a,depth=3", "results",
                "tasks.train[model=a, depth=3].results.auc",
            ),
        ),
        (
            "tasks.train[0].state",
            Reference("tasks", task="train", instance="0", field="state", text="tasks.train[0].state"),
        ),
        (
            'tasks.a.results["my key"].x',
            Reference("tasks", "my key", ("x",), "a", "", "results", 'tasks.a.results["my key"].x'),
        ),
    ],
)  # fmt: skip
def test_a_reference_is_a_path(text: str, expected: Reference) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("week", "begins with 'week'", "${params.week}"),
        ("parms.week", "begins with 'parms'", "did you mean 'params'?"),
        ("tasks", "lacks a task", "tasks.name.results.key"),
        ("tasks.pull", "lacks results, artifacts or state", "tasks.name.results.key"),
        ("tasks.pull.result.rows", "has no 'result'", "did you mean 'results'?"),
        ("tasks.pull.results", "which of the results", "${tasks.pull.results.name}"),
        ("tasks.pull.artifacts.a.b", "leads into an artifact", "notebook"),
        ("tasks.pull.state.x", "leads into a state", ""),
        ("params", "lacks a name", "${params.name}"),
        ("run.name", "has no 'name'", "id"),
        ("run.id.x", "leads into run.id", ""),
        ("params.week[a]", "is no index", "quote it"),
        ("params.week + 1", "cannot be read from ' + 1' on", "a path goes on"),
        ("", "names nothing", "${params.week}"),
        ("__import__('os')", "begins with '__import__'", ""),
    ],
)
def test_a_wrong_reference_says_what_and_how_to_mend_it(text: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_reference(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_whole_string_keeps_the_type_and_an_embedded_one_becomes_text() -> None:
    value = {"a": "${params.week}", "b": ["week-${params.week}.csv", "${ tasks.pull.results.rows }"], "c": 3}
    assert resolve(value, lookup) == {"a": 20, "b": ["week-20.csv", [1, 2]], "c": 3}


def test_embedded_structures_become_json_and_truth_stays_lower_case() -> None:
    assert resolve("x=${item}", lookup) == 'x={"a": 1}'
    assert [as_text(value) for value in (None, True, 1.5, "a", (1,))] == ["null", "true", "1.5", "a", "[1]"]


def test_a_doubled_dollar_is_a_literal() -> None:
    assert resolve("$${params.week} costs $5 or ${params.week}", lookup) == "${params.week} costs $5 or 20"


def test_tuples_stay_tuples_and_other_values_stay_themselves() -> None:
    thing = object()
    assert resolve(("${params.week}", thing), lookup) == (20, thing)


def test_an_open_brace_is_told() -> None:
    with pytest.raises(InvalidInput, match="does not close"):
        parse_template("a ${params.week")


def test_references_are_found_wherever_they_stand() -> None:
    value = {"a": ["${params.week}", {"b": "x ${run.id} ${item}"}], "c": 5, "d": ("${matrix.m}",)}
    assert [str(each) for each in references(value)] == ["params.week", "run.id", "item", "matrix.m"]


def test_a_step_that_leads_nowhere_is_named() -> None:
    with pytest.raises(NotFound, match="there is no 'depht'") as caught:
        follow({"depth": 3}, parse_reference("params.grid.depht"))
    assert caught.value.hint == "did you mean 'depth'?"
    with pytest.raises(NotFound, match="no item 3 in a list of 2"):
        follow([1, 2], parse_reference("params.grid[3]"))
    with pytest.raises(NotFound, match="int has no 'x'"):
        follow(1, parse_reference("params.grid.x"))


@given(st.text(alphabet="${}abc. "))
def test_what_is_escaped_comes_out_as_it_was(text: str) -> None:
    assert resolve(escape(text), lookup) == text


@given(st.text(alphabet='${}[]"=,.ab0-taskparmsieu '))
def test_any_text_is_a_template_or_one_clear_error(text: str) -> None:
    try:
        parts = parse_template(text)
    except InvalidInput:
        return
    assert all(isinstance(part, str | Reference) for part in parts)
