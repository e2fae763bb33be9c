"""Parameters are read from the cell's syntax, and arguments are checked before anything runs."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill import inspect_notebook
from papermill.inspection import display_notebook_help
from papermill.translators import PythonTranslator, papermill_translators

from jupyter_mlops.errors import InvalidNotebook, InvalidParameter
from jupyter_mlops.notebooks import conversion
from jupyter_mlops.notebooks.inject import parameters_source
from jupyter_mlops.notebooks.kinds import ANY
from jupyter_mlops.notebooks.parameters import (
    REQUIRED,
    Expression,
    Parameter,
    bind,
    describe,
    parse_parameters,
    read_parameters,
    to_json,
)
from jupyter_mlops.notebooks.secrets import SecretReference


def notebook(source: str, language: str = "python", kernel: str = "python3") -> Any:
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel}, "language_info": {"name": language}}
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    return new_notebook(metadata=metadata, cells=[new_markdown_cell("# Title"), cell])


def one(source: str) -> Parameter:
    (parameter,) = parse_parameters(source)
    return parameter


# Reading

DEFAULTS: dict[str, Any] = {
    "3": 3,
    "-0.5": -0.5,
    "1_000": 1000,
    "'a'": "a",
    '"http://h/#frag"': "http://h/#frag",
    "None": None,
    "[1, 'a=b']": [1, "a=b"],
    "{'a': (1, 2)}": {"a": (1, 2)},
    "date(2013, 1, 1)": date(2013, 1, 1),
    "datetime.date(2013, 1, 1)": date(2013, 1, 1),
    'Path("x")': Path("x"),
    "pathlib.Path('x')": Path("x"),
    'Decimal("1.10")': Decimal("1.10"),
    "dict(p=1)": {"p": 1},
    "set()": set(),
    "[date(2013, 1, 1)]": [date(2013, 1, 1)],
    "{1: Path('x')}": {1: Path("x")},
    "today() - 7 * day": Expression("today() - 7 * day"),
    "f'{x}'": Expression("f'{x}'"),
    "date(2013, 13, 1)": Expression("date(2013, 13, 1)"),
    "Decimal('x')": Expression("Decimal('x')"),
    "dict(**a)": Expression("dict(**a)"),
    "{**a}": Expression("{**a}"),
    "{[]: 1}": Expression("{[]: 1}"),
    "[*a]": Expression("[*a]"),
    "__import__('os').system('ls')": Expression("__import__('os').system('ls')"),
    "int('9' * 10)": Expression("int('9' * 10)"),
}


@pytest.mark.parametrize(("source", "value"), DEFAULTS.items())
def test_a_default_is_its_value_or_its_source(source: str, value: Any) -> None:
    parameter = one(f"x = {source}  # help")
    assert parameter.default == value
    assert type(parameter.default) is type(value)
    assert parameter.default_source == source
    assert parameter.help == "help"


@pytest.mark.parametrize("source", ["x: int", "x: int = ...", "x = ...", "x: 'int'"])
def test_a_parameter_without_a_value_is_required(source: str) -> None:
    parameter = one(source)
    assert parameter.default is REQUIRED
    assert parameter.is_required
    assert pickle.loads(pickle.dumps(parameter)).default is REQUIRED


def test_the_cell_is_read_as_python_not_by_lines() -> None:
    source = """\
# Parameters
week: int = 20  # which week

# the region,
# as an airport code
region: Literal["JFK", "LGA"] = "JFK"
a = b = 1
c, (d, e) = 1, (2, "x")
options = {  # of the model
    "depth": 3,  # trees
}
many = [
    1,
    2,
]  # of them
typed = None  # type: int the old way
silent = 1  # noqa: E501
import os
from datetime import date
def helper(): inner = 1
if week: hidden = 2
x.y = 3
"""
    found = {parameter.name: parameter for parameter in parse_parameters(source)}
    assert list(found) == ["week", "region", *"abcde", "options", "many", "typed", "silent"]
    assert (found["week"].annotation, found["week"].help, found["week"].line) == ("int", "which week", 2)
    assert found["region"].help == "the region, as an airport code"
    assert str(found["region"].kind) == "one of 'JFK', 'LGA'"
    assert (found["d"].default, found["e"].default) == (2, "x")
    assert (found["options"].help, found["options"].default) == ("of the model", {"depth": 3})
    assert (found["many"].help, found["many"].default_source) == ("of them", "[1, 2]")
    assert (found["typed"].annotation, found["typed"].help) == ("int", "the old way")
    assert str(found["typed"].kind) == "int or None"
    assert found["silent"].help == ""
    assert found["a"].help == ""


def test_two_statements_about_one_name_are_one_parameter() -> None:
    parameter = one("x: int  # how many\nx = 3")
    assert (parameter.annotation, parameter.default, parameter.help) == ("int", 3, "how many")
    assert one("x = 1\nx: float = 2.0").annotation == "float"
    assert one("x = 1\nx: int").default == 1


def test_a_heading_is_no_help() -> None:
    assert one("# Parameters\nx = 1").help == ""
    assert one("# ---- params ----\nx = 1").help == ""


def test_ipythons_own_syntax_is_read_over() -> None:
    source = "%matplotlib inline\nx: int = 1\n!ls\nfiles = !ls *.csv\nwhat?\ny = 2"
    x, files, y = parse_parameters(source)
    assert (x.name, x.line, y.name, y.line) == ("x", 2, "y", 6)
    assert files.default == Expression("!ls *.csv")


def test_help_of_an_annotation_counts_where_there_is_no_comment() -> None:
    assert one("x: Annotated[int, 'weeks'] = 1").help == "weeks"
    assert one("x: Annotated[int, 'weeks'] = 1  # days").help == "days"


def test_a_cell_that_is_no_python_is_named_with_its_line() -> None:
    with pytest.raises(InvalidNotebook, match=r"train\.ipynb, cell 2, line 2: .*not Python"):
        read_parameters(notebook("x = 1\ny = = 2"), where="train.ipynb")


@pytest.mark.parametrize("source", ["", "# only a comment", "import os"])
def test_a_cell_without_parameters_declares_none(source: str) -> None:
    assert parse_parameters(source) == ()


@pytest.mark.parametrize("source", ["\ud800", "x\0 = 1", "(" * 1000])
def test_what_python_cannot_even_parse_is_refused(source: str) -> None:
    with pytest.raises(InvalidNotebook, match="not Python"):
        parse_parameters(source)


def test_no_cell_or_no_code_cell_declares_nothing() -> None:
    assert read_parameters(new_notebook(cells=[new_code_cell("x = 1")])) == ()
    cell = new_markdown_cell("x = 1", metadata={"tags": ["parameters"]})
    assert read_parameters(new_notebook(cells=[cell])) == ()


def test_a_language_that_papermill_cannot_read_declares_nothing() -> None:
    assert read_parameters(notebook("x <- 1", "R", "ir")) == ()
    assert read_parameters(notebook("x = 1", "cobol", "cobol")) == ()


def test_a_translator_that_somebody_registered_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(papermill_translators._translators, "mojo", PythonTranslator)
    x, y = read_parameters(notebook("x: int = 1  # help\ny = 2", "mojo", "mojo"))
    assert (x.name, x.annotation, str(x.kind), x.default, x.help) == (
        "x",
        "int",
        "int",
        Expression("1"),
        "help",
    )
    assert (y.annotation, str(y.kind)) == ("", "anything")


def test_what_papermill_reads_is_read_the_same(tmp_path: Path) -> None:
    source = "a = 1\nb: int = 2  # two\nc: 'List[int]' = [1, 2]\nd = 'x'  # type: str a word\n"
    nbformat.write(notebook(source), tmp_path / "a.ipynb")
    theirs = inspect_notebook(tmp_path / "a.ipynb")
    ours = {
        parameter.name: {
            "name": parameter.name,
            "inferred_type_name": parameter.annotation or "None",
            "default": parameter.default_source,
            "help": parameter.help,
        }
        for parameter in read_parameters(notebook(source))
    }
    assert ours == theirs


statements = st.sampled_from(
    [
        f"x: {a} = {d}{c}"
        for a in ("int", "'str'", "a.b[c]")
        for d in list(DEFAULTS)[:6]
        for c in ("", "  # c")
    ]
    + [f"y = {source}" for source in DEFAULTS]
    + ["x: int", "%magic", "# c", "", "z = !ls", "def f(): pass", "'''", "(", "a, b = 1"]
)


@given(st.lists(statements).map("\n".join) | st.text())
def test_any_cell_is_read_or_refused(source: str) -> None:
    try:
        parameters = parse_parameters(source)
    except InvalidNotebook as error:
        reason = str(error)
        assert "line" in reason
        return
    json.dumps([to_json(parameter) for parameter in parameters])
    assert describe(parameters)


# Arguments

CELL = """\
week: Annotated[int, range(1, 54)]  # the week
region: str = "JFK"
model: Literal["a", "b"] = "a"
since: date = date(2013, 1, 1)
version = "1.0"
share = 0.5
"""
DECLARED = parse_parameters(CELL)


def test_arguments_are_converted_and_defaults_left_to_the_notebook() -> None:
    bound = bind(DECLARED, {"week": np.int64(20), "since": "2013-05-06", "share": np.float32(0.5)})
    assert bound == {"week": 20, "since": date(2013, 5, 6), "share": np.float32(0.5)}
    assert [type(value) for value in bound.values()] == [int, date, np.float32]
    assert list(bind(DECLARED, {"share": 1, "week": 2})) == ["share", "week"]


def test_all_problems_are_told_at_once_with_their_place() -> None:
    with pytest.raises(InvalidParameter) as caught:
        bind(DECLARED, {"wek": 20, "region": 7, "model": "c", "since": "soon", "a b": 1}, where="train.ipynb")
    assert str(caught.value).splitlines() == [
        "train.ipynb: there is no parameter 'wek' (did you mean 'week'?)",
        "train.ipynb: parameter 'region' must be str, not 7 (int) (quote it)",
        "train.ipynb: parameter 'model' must be one of 'a', 'b', not 'c' (str)",
        "train.ipynb: parameter 'since' must be date, not 'soon' (str) (write it as 2026-12-31)",
        "train.ipynb: 'a b' cannot be a parameter (a parameter's name is a Python identifier)",
        "train.ipynb: parameter 'week' is required and missing (give it int from 1 below 54: the week)",
    ]
    assert len(caught.value.fields["problems"]) == 6


@pytest.mark.parametrize("value", [0, 54, "x", 1.5, None, True, [1], pytest.param(10**5000, id="huge")])
def test_a_wrong_value_names_parameter_value_type_and_notebook(value: Any) -> None:
    with pytest.raises(InvalidParameter) as caught:
        bind(DECLARED, {"week": value}, where="train.ipynb")
    message = str(caught.value)
    assert message.startswith("train.ipynb: parameter 'week' must be int from 1 below 54, not ")
    assert "\n" not in message
    assert len(message) < 200


def test_a_single_problem_has_its_hint_apart() -> None:
    with pytest.raises(InvalidParameter) as caught:
        bind(DECLARED, {"week": 1, "regin": "x"}, where="train.ipynb")
    assert str(caught.value) == "train.ipynb: there is no parameter 'regin'"
    assert caught.value.hint == "did you mean 'region'?"


def test_text_given_for_text_stays_as_it_is() -> None:
    words = {"week": "7", "region": "007", "version": "1.10", "share": "1.10"}
    assert bind(DECLARED, words, from_text=True) == {
        "week": 7,
        "region": "007",
        "version": "1.10",
        "share": 1.1,
    }
    assert bind(parse_parameters("v = 'a'"), {"v": "None"}, from_text=True) == {"v": None}
    assert bind(parse_parameters("v = 1"), {"v": "007"}, from_text=True) == {"v": 7}


def test_only_named_arguments_are_words() -> None:
    declared = parse_parameters("a = 1\nb = 2")
    assert bind(declared, {"a": "1", "b": "1"}, from_text={"a"}) == {"a": 1, "b": "1"}


def test_arguments_that_come_later_count_as_given() -> None:
    assert bind(DECLARED, {"region": "x"}, pending={"week"}) == {"region": "x"}
    with pytest.raises(InvalidParameter, match="no parameter 'wek'"):
        bind(DECLARED, {"week": 1}, pending=["wek"])


def test_a_notebook_that_declares_nothing_takes_any_argument() -> None:
    arguments = {"n": 1, "day": date(2013, 1, 1)}
    assert bind((), arguments) == arguments
    assert bind((), {"n": "7"}, from_text=True) == {"n": 7}
    assert bind((), {"my.name": 1}, language="R") == {"my.name": 1}


@pytest.mark.parametrize("name", ["import os; x", "class", "", "a.b", 1])
def test_names_that_are_no_identifiers_are_refused(name: Any) -> None:
    for declared in ((), DECLARED):
        with pytest.raises(InvalidParameter, match="cannot be a parameter"):
            bind(declared, {"week": 1, name: 1} if declared else {name: 1})


def test_secrets_are_kept_as_references() -> None:
    declared = parse_parameters("password: str\ntoken: 'Secret' = 'secret:TOKEN'\nn: int = 1")
    assert bind(declared, {"password": "secret:DB"}) == {
        "password": SecretReference("DB"),
        "token": SecretReference("TOKEN"),
    }
    with pytest.raises(InvalidParameter, match="'n' must be int") as caught:
        bind(declared, {"password": "x", "n": "secret:DB"})
    assert "declare the parameter str" in caught.value.hint


def test_a_secret_given_in_the_open_is_refused_and_not_repeated() -> None:
    declared = parse_parameters("token: 'Secret'")
    with pytest.raises(InvalidParameter) as caught:
        bind(declared, {"token": "hunter2"})
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert "secret:NAME" in caught.value.hint


def test_what_cannot_be_written_is_found_before_the_run() -> None:
    with pytest.raises(InvalidParameter, match=r"train\.ipynb: parameter 'x': a object cannot") as caught:
        bind((), {"x": object()}, where="train.ipynb")
    assert "artifact" in caught.value.hint
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidParameter, match="contains itself"):
        bind((), {"x": endless})


arguments = st.dictionaries(
    st.sampled_from(["week", "region", "model", "since", "version", "share", "wek", "a b"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.lists(st.integers()),
)


@given(arguments, st.booleans())
def test_bound_arguments_fit_when_they_are_injected(given_: Mapping[str, Any], from_text: bool) -> None:
    try:
        bound = bind(DECLARED, given_, from_text=from_text)
    except InvalidParameter:
        return
    namespace: dict[str, Any] = {}
    exec(parameters_source(bound), namespace)
    again = bind(DECLARED, {name: namespace[name] for name in bound})
    assert list(map(repr, again.values())) == list(map(repr, bound.values()))


# Help


def test_help_is_laid_out_as_papermills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = "a = 1\nb: int = 2  # two\nlong_parameter_name: float = 0.123456  # a long one\n"
    nbformat.write(notebook(source), tmp_path / "a.ipynb")
    display_notebook_help(click.Context(click.Command("papermill")), str(tmp_path / "a.ipynb"), None)
    theirs = capsys.readouterr().out.split("':\n", 1)[1]
    ours = describe(read_parameters(notebook(source)))
    assert [line.rstrip() for line in theirs.splitlines()] == ours.splitlines()


def test_help_tells_what_is_required_and_its_range() -> None:
    assert describe(DECLARED).splitlines()[:2] == [
        "  week: int from 1 below 54 (required)",
        "                                  the week",
    ]
    assert "any argument" in describe(())


def test_a_parameter_as_json_has_what_a_form_needs() -> None:
    week, _, _, since, *_ = (to_json(parameter) for parameter in DECLARED)
    assert week == {
        "name": "week",
        "annotation": "Annotated[int, range(1, 54)]",
        "kind": {"name": "int", "minimum": 1, "exclusive_maximum": 54},
        "is_required": True,
        "default": None,
        "default_source": "",
        "help": "the week",
        "line": 1,
    }
    assert since["default"] == {"$type": "date", "value": "2013-01-01"}
    assert to_json(one("x = f()"))["default"] is None


# Documentation

DOCS = (Path(__file__).parents[2] / "docs" / "parameters.md").read_text()


def test_the_documented_cell_is_read_as_documented() -> None:
    cell = DOCS.split("```python\n")[1].split("```")[0]
    found = {parameter.name: parameter for parameter in parse_parameters(cell)}
    assert len(found) == 8
    assert found["week"].is_required
    assert found["week"].help == "which week of 2013"
    assert found["since"].default == date(2013, 1, 1)
    assert str(found["model_path"].kind) == "Path or None"
    assert not any(found[name].kind == ANY for name in found if name != "version")


def test_the_documented_messages_are_the_messages() -> None:
    cell = DOCS.split("```python\n")[1].split("```")[0]
    with pytest.raises(InvalidParameter) as caught:
        bind(parse_parameters(cell), {"wek": 20, "share": 3}, where="train.ipynb")
    assert str(caught.value) == DOCS.split("```text\n")[1].split("\n```")[0]


def test_every_type_that_is_known_is_documented() -> None:
    table = DOCS.split("## Types")[1].split("Ranges stand")[0]
    for kind in {*conversion._SCALAR, *conversion._COMPOUND} - {"any", "none", "union", "literal", "secret"}:
        assert f"`{kind}`" in table or f"`{kind}[" in table, kind
