from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.pipelines.conditions import (
    And,
    Compare,
    Expression,
    ListOf,
    Named,
    Not,
    Or,
    Value,
    evaluate,
    explain,
    parse,
    references_in,
    to_text,
)
from jupyter_mlops.pipelines.references import Reference, parse_reference

VALUES = {
    "tasks.compare.results.best": "a",
    "params.week": 20,
    "params.ready": True,
    "params.day": date(2013, 6, 30),
    "params.at": datetime(2013, 6, 30, tzinfo=UTC),
    "tasks.skipped.results.auc": None,
    "item": [1, 2],
}


def lookup(reference: Reference) -> object:
    if reference.text not in VALUES:
        raise NotFound(f"no {reference}")
    return VALUES[reference.text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tasks.compare.results.best == 'a'", True),
        ('${tasks.compare.results.best} == "b"', False),
        ("params.week > 3 and params.week <= 20", True),
        ("params.week < 3 or not params.week != 20", True),
        ("params.week in [19, 20,]", True),
        ("params.week not in [19, 20]", False),
        ("'b' in 'abc'", True),
        ("2 in item", True),
        ("params.ready", True),
        ("not params.ready", False),
        ("not not (params.ready)", True),
        ("tasks.skipped.results.auc", False),
        ("tasks.skipped.results.auc == null", True),
        ("tasks.skipped.results.auc != null and tasks.skipped.results.auc > 1", False),
        ("false or true and false", False),
        ("(false or true) and true", True),
        ("1 == 1.0", True),
        ("true == 1", False),
        ("1 < 2.5", True),
        ("-1.5e1 < -14", True),
        ("[] == []", True),
        (r"'it\'s' == \"it's\"".replace('\\"', '"'), True),
        ("(1 < 2) == true", True),
        ("params.ready or missing_never_reached == 1".replace("missing_never_reached", "params.none"), True),
    ],
)
def test_a_condition_holds_or_not(text: str, expected: bool) -> None:
    assert evaluate(parse(text), lookup) is expected


@pytest.mark.parametrize(
    ("text", "position", "message", "hint"),
    [
        ("params.week = 3", 13, "'=' has no meaning", "write '=='"),
        ("params.week > 3 && true", 17, "'&&' has no meaning", "write 'and'"),
        ("params.ready || true", 14, "'||'", "write 'or'"),
        ("! params.ready", 1, "'!'", "write 'not'"),
        ("params.week + 1 > 3", 13, "'+'", "compute it in a notebook"),
        ("week > 3", 1, "a value is missing; found 'week'", "params.week"),
        ("tasks.pull.result.x", 1, "has no 'result'", "did you mean 'results'?"),
        ("1 < 2 < 3", 7, "'<' is one too many", "write a < b and b < c"),
        ("(1 < 2", 7, "'(' is not closed", ""),
        ("[1, 2", 6, "'[' is not closed", ""),
        ("params.week >", 14, "a value is missing; found 'the end'", ""),
        ("params.week == 'a", 16, "has no meaning", "not closed"),
        ("1e999 > 1", 1, "too large", ""),
        ("__import__('os')", 1, "found '__import__'", ""),
        ("__import__('os').system('x')", 17, "'.' has no meaning", ""),
        ("params.week.__class__ == 1 if true", 28, "'if' is one too many", ""),
    ],
)
def test_a_wrong_condition_says_where_and_what_to_write(
    text: str, position: int, message: str, hint: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert f"at character {position}:" in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_an_empty_condition_is_none() -> None:
    with pytest.raises(InvalidInput, match="empty"):
        parse("  ")


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    for text in ("(" * 5000 + "1", "[" * 5000 + "1"):
        with pytest.raises(InvalidInput, match="nested too deeply"):
            parse(text)
    assert evaluate(parse("not " * 5001 + "true"), lookup) is False


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("params.week > 'a'", '20 > "a" has no answer', "numbers with numbers"),
        ("params.week > true", "has no answer", ""),
        ("tasks.skipped.results.auc > 0.5", "null > 0.5", "test ${tasks.skipped.results.auc} != null first"),
        ("params.week", "neither true nor false", "${params.week} == 20"),
        ("1 in params.week", "20 is no list", ""),
        ("params.at > params.day", "has no answer", ""),
    ],
)
def test_apples_are_not_compared_with_pears(text: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        evaluate(parse(text), lookup)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_dates_have_an_order() -> None:
    later = {**VALUES, "params.other": date(2014, 1, 1)}
    assert evaluate(parse("params.day < params.other"), lambda reference: later[reference.text])


def test_times_with_and_without_a_zone_have_none() -> None:
    naive = datetime(2013, 6, 30)  # noqa: DTZ001 - that is the point
    values = {"params.at": VALUES["params.at"], "params.naive": naive}
    with pytest.raises(InvalidInput, match="has no answer"):
        evaluate(parse("params.at > params.naive"), lambda reference: values[reference.text])


def test_the_explanation_shows_the_values() -> None:
    text = explain(parse("tasks.compare.results.best == 'b' and params.none == 1"), lookup)
    assert text.endswith('(compare.best = "a")')
    assert explain(parse("false"), lookup) == "false"


def test_exporters_can_walk_the_tree() -> None:
    tree = parse("not (params.week > 3) and 'a' in [item, 1]")
    assert tree == And(
        (
            Not(Compare(">", Named(parse_reference("params.week")), Value(3))),
            Compare("in", Value("a"), ListOf((Named(parse_reference("item")), Value(1)))),
        )
    )
    assert [str(each) for each in references_in(tree)] == ["params.week", "item"]


LEAVES = st.one_of(
    st.integers(-999, 999).map(Value),
    st.floats(allow_nan=False, allow_infinity=False).map(Value),
    st.text(max_size=8).map(Value),
    st.sampled_from([Value(True), Value(False), Value(None)]),
    st.sampled_from(["params.week", "tasks.train[model=a].results.auc", "item", "run.id"]).map(
        lambda text: Named(parse_reference(text))
    ),
)
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Compare, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"]), inner, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items))),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items))),
        st.lists(inner, max_size=3).map(lambda items: ListOf(tuple(items))),
        inner.map(Not),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_every_tree_can_be_written_and_read_back(tree: Expression) -> None:
    assert parse(to_text(tree)) == tree


@given(st.text(alphabet="ab01.\"'()[]<>=!,$&{} ornotdisparmuek\\"))
def test_any_text_is_a_condition_or_one_clear_error(text: str) -> None:
    try:
        tree = parse(text)
    except InvalidInput:
        return
    assert parse(to_text(tree)) == tree
