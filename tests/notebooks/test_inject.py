"""Injection is papermill's: notebooks prepared here and by papermill are compared with each other."""

from __future__ import annotations

import contextlib
import json
import logging
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import papermill
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.translators import translate_parameters

from jupyter_mlops import encoding
from jupyter_mlops.errors import InvalidParameter
from jupyter_mlops.notebooks.files import load_notebook, save_notebook
from jupyter_mlops.notebooks.inject import (
    inject,
    named_secrets,
    parameters_source,
    secret_environment,
    template_path,
)
from jupyter_mlops.notebooks.secrets import SecretReference

PYTHON = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
PLAIN: dict[str, Any] = {
    "n": 3, "rate": 0.1, "big": 10**30, "on": True, "none": None, "far": float("inf"), "low": -0.0,
    "text": 'a "b" \\n {x}\n é 😀 \0', "items": [1, "a", [None, False]],
    "nested": {"a b": {"c": [1.5]}, "": 1},
}  # fmt: skip


def notebook(*cells: Any, **metadata: Any) -> dict[str, Any]:
    return dict(new_notebook(cells=list(cells), metadata=PYTHON | metadata))


def tagged(source: str, *tags: str) -> Any:
    return new_code_cell(source, metadata={"tags": list(tags)})


def prepared_by_papermill(folder: Path, nb: dict[str, Any], arguments: dict[str, Any], **options: Any) -> Any:
    source = folder / "in.ipynb"
    nbformat.write(nbformat.from_dict(nb), source)
    papermill.execute_notebook(
        source, folder / "out.ipynb", arguments, prepare_only=True, progress_bar=False, **options
    )
    return json.loads((folder / "out.ipynb").read_text())


def prepared_here(folder: Path, arguments: dict[str, Any], **options: Any) -> Any:
    source, target = folder / "in.ipynb", folder / "out.ipynb"
    nb = inject(load_notebook(source), arguments, input_path=source, output_path=target, **options)
    save_notebook(nb, folder / "ours.ipynb")
    return json.loads((folder / "ours.ipynb").read_text())


def without_ids(nb: Any) -> Any:
    for cell in nb["cells"]:
        assert cell.pop("id")
    return nb


CASES = {
    "after the parameters cell": [tagged("a = 1"), tagged("n = 1", "parameters"), tagged("print(n)")],
    "to the top": [new_markdown_cell("# Title"), tagged("print(n)")],
    "in place of an injected cell": [
        tagged("n = 1", "parameters"), tagged("x = 2"), tagged("n = 2", "injected-parameters"), tagged("y"),
    ],
    "in place of an injected cell without parameters": [tagged("x"), tagged("n = 2", "injected-parameters")],
    "after markdown tagged so": [new_markdown_cell("", metadata={"tags": ["parameters"]}), tagged("n")],
    "after the first of two": [tagged("n = 1", "parameters"), tagged("n = 2", "parameters")],
    "without error markers": [
        tagged("n = 1", "parameters"), new_markdown_cell("", metadata={"tags": ["papermill-error-cell-tag"]}),
    ],
    "into nothing": [],
}  # fmt: skip


@pytest.mark.parametrize("cells", CASES.values(), ids=CASES)
@pytest.mark.parametrize("arguments", [PLAIN, {}], ids=["arguments", "no arguments"])
def test_the_prepared_notebook_is_papermills(
    tmp_path: Path, cells: list[Any], arguments: dict[str, Any]
) -> None:
    # Infinity is no JSON: papermill writes it all the same, we write it as the value that it is.
    finite = {name: value for name, value in arguments.items() if name != "far"}
    theirs = prepared_by_papermill(tmp_path, notebook(*cells), finite)
    assert without_ids(prepared_here(tmp_path, finite)) == without_ids(theirs)


def test_report_mode_hides_what_papermill_hides(tmp_path: Path) -> None:
    nb = notebook(new_markdown_cell("# T"), tagged("n = 1", "parameters"), tagged("print(n)"))
    theirs = prepared_by_papermill(tmp_path, nb, {"n": 2}, report_mode=True)
    assert without_ids(prepared_here(tmp_path, {"n": 2}, is_report=True)) == without_ids(theirs)


def test_metadata_of_an_earlier_run_is_kept_as_papermill_keeps_it(tmp_path: Path) -> None:
    earlier = {"version": "1.0", "parameters": {"n": 1}, "default_parameters": {"n": 0}, "duration": 3.0}
    nb = notebook(tagged("n = 1", "parameters"), papermill=earlier)
    theirs = prepared_by_papermill(tmp_path, nb, {"n": 2})
    assert without_ids(prepared_here(tmp_path, {"n": 2})) == without_ids(theirs)


def test_the_given_notebook_stays_as_it_is() -> None:
    nb = notebook(tagged("n = 1", "parameters"), tagged("print(n)"))
    before = json.dumps(nb)
    changed = inject(nb, {"n": 2}, input_path="a", output_path="b")
    changed["cells"][0]["metadata"]["tags"] = []
    changed["cells"][0]["outputs"].append({})
    assert json.dumps(nb) == before


def test_a_second_injection_replaces_the_first_and_its_cell_keeps_its_id() -> None:
    nb = notebook(tagged("n = 1", "parameters"))
    once = inject(nb, {"n": 2})
    twice = inject(once, {"n": 3})
    assert [cell["source"] for cell in twice["cells"]] == ["n = 1", "# Parameters\nn = 3\n"]
    assert once["cells"][1]["id"] == twice["cells"][1]["id"]
    nbformat.validate(nbformat.from_dict(twice))


def test_the_injected_cells_id_is_free() -> None:
    nb = notebook(new_code_cell("x", id="injected-parameters"))
    assert [cell["id"] for cell in inject(nb, {"n": 1})["cells"]] == [
        "injected-parameters-2",
        "injected-parameters",
    ]


def test_no_parameters_cell_is_worth_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        inject(notebook(tagged("x")), {"n": 1})
    assert "no cell tagged 'parameters'" in caplog.text


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}_", fullmatch=True), plain, max_size=4))
def test_plain_values_have_papermills_text(arguments: dict[str, Any]) -> None:
    assert parameters_source(arguments) == translate_parameters("python3", "python", arguments)


RICH: dict[str, Any] = {
    "day": date(2013, 1, 1), "price": Decimal("1.10"), "where": Path("a/b"), "count": np.int64(3),
    "pair": (1, "x"), "tags": {"b", "a"}, "by_hour": {1: timedelta(hours=2)},
}  # fmt: skip


def test_rich_values_arrive_as_themselves_and_leave_no_names_behind() -> None:
    namespace: dict[str, Any] = {}
    exec(parameters_source(RICH), namespace)
    del namespace["__builtins__"]
    assert namespace == RICH
    assert {name: type(value) for name, value in namespace.items()} == {k: type(v) for k, v in RICH.items()}


def test_metadata_with_rich_values_are_json(tmp_path: Path) -> None:
    save_notebook(inject(notebook(), RICH), tmp_path / "out.ipynb")
    parameters = load_notebook(tmp_path / "out.ipynb")["metadata"]["papermill"]["parameters"]
    assert parameters["day"] == {"$type": "date", "value": "2013-01-01"}
    nbformat.validate(nbformat.read(tmp_path / "out.ipynb", as_version=4))


def test_a_secret_is_in_no_cell_and_no_metadata() -> None:
    arguments = {"password": SecretReference("DB"), "hosts": [{"key": SecretReference("api.key")}]}
    nb = inject(notebook(), arguments)
    assert 'password = __import__("os").environ["MLOPS_SECRET_DB"]' in nb["cells"][0]["source"]
    assert nb["metadata"]["papermill"]["parameters"] == {
        "password": "secret:DB",
        "hosts": [{"key": "secret:api.key"}],
    }


def test_arguments_with_secrets_travel_as_json() -> None:
    arguments = {"password": SecretReference("DB"), "hosts": [({"key": SecretReference("api.key")},)], "n": 1}
    arrived = encoding.loads(encoding.dumps(named_secrets(arguments)))
    assert inject(notebook(), arrived) == inject(notebook(), arguments)
    assert secret_environment(arrived) == {}
    assert named_secrets({"n": 1}) == {"n": 1}


def test_the_secret_environment_names_each_variable_of_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = {"password": SecretReference("DB"), "hosts": [{"key": SecretReference("api.key")}], "n": 1}
    environment = secret_environment(arguments)
    assert set(environment.values()) == {"DB", "api.key"}
    for variable, name in environment.items():
        monkeypatch.setenv(variable, f"value of {name}")
    namespace: dict[str, Any] = {}
    exec(parameters_source(arguments), namespace)
    assert namespace["password"] == "value of DB"
    assert namespace["hosts"] == [{"key": "value of api.key"}]


@pytest.mark.parametrize("name", ["import os; x", "a.b", "class", "", "1st", "x = 1\ny"])
def test_a_name_that_is_no_identifier_is_not_executed(name: str) -> None:
    with pytest.raises(InvalidParameter, match=r"train\.ipynb: .* cannot be a parameter"):
        inject(notebook(), {name: 1}, input_path="train.ipynb")


def test_a_value_that_cannot_be_written_is_named() -> None:
    with pytest.raises(InvalidParameter, match=r"train\.ipynb: parameter 'model': a object cannot") as caught:
        inject(notebook(), {"model": object()}, input_path="train.ipynb")
    assert "artifact" in caught.value.hint


# Other languages

LANGUAGES = {
    "R": "ir", "julia": "julia-1.10", "scala": "scala", "matlab": "matlab", "bash": "bash",
    "C#": ".net-csharp", "F#": ".net-fsharp",
}  # fmt: skip


@pytest.mark.parametrize(("language", "kernel"), LANGUAGES.items())
def test_other_languages_have_papermills_text(language: str, kernel: str) -> None:
    arguments = {"a": 1, "b": 2.5, "c": "text", "d": True, "e": [1, 2]}
    ours = parameters_source(arguments, kernel_name=kernel, language=language)
    assert ours == translate_parameters(kernel, language, arguments)


def test_an_r_notebook_is_injected_as_papermill_does(tmp_path: Path) -> None:
    kernel = {
        "kernelspec": {"name": "ir", "language": "R", "display_name": "R"},
        "language_info": {"name": "R"},
    }
    nb = notebook(tagged("n <- 1", "parameters"), **kernel)
    arguments = {"n": 2, "my.names": ["a", "b"], "deep": {"x": None}}
    theirs = prepared_by_papermill(tmp_path, nb, arguments)
    assert without_ids(prepared_here(tmp_path, arguments)) == without_ids(theirs)


def test_rich_values_reach_other_languages_as_their_nearest_plain_value() -> None:
    source = parameters_source(RICH, kernel_name="julia-1.10", language="julia")
    assert 'day = "2013-01-01"' in source
    assert 'price = "1.10"' in source
    assert "count = 3" in source
    assert 'pair = [1, "x"]' in source
    assert 'tags = ["a", "b"]' in source
    assert 'by_hour = Dict("1" => 7200.0)' in source


@pytest.mark.parametrize(
    ("language", "kernel", "expected"),
    [
        ("R", "ir", 'key = list("u", Sys.getenv("MLOPS_SECRET_DB"))'),
        ("julia", "julia-1.10", 'key = ["u", ENV["MLOPS_SECRET_DB"]]'),
        ("bash", "bash", 'key=(u "$MLOPS_SECRET_DB")'),
        ("PowerShell", ".net-powershell", "$key = @('u', $Env:MLOPS_SECRET_DB)"),
    ],
)
def test_secrets_reach_other_languages_by_the_environment(language: str, kernel: str, expected: str) -> None:
    arguments = {"key": ["u", SecretReference("DB")]}
    assert expected in parameters_source(arguments, kernel_name=kernel, language=language)


def test_text_is_no_code_to_julia_and_powershell() -> None:
    text = "$(run(`rm`)) '’ \" `$x"
    julia = parameters_source({"x": text}, kernel_name="julia-1.10", language="julia")
    assert julia.splitlines()[1] == r"""x = "\$(run(`rm`)) '\u2019 \" `\$x" """.strip()
    powershell = parameters_source({"x": text}, kernel_name=".net-powershell", language="PowerShell")
    assert powershell.splitlines()[1] == "$x = '$(run(`rm`)) ''’’ \" `$x'"


@pytest.mark.parametrize(
    ("language", "kernel", "value"),
    [("cobol", "cobol85", 1), ("C#", ".net-csharp", None), ("bash", "bash", {"a": 1}), ("R", "ir", b"x")],
)
def test_what_a_language_cannot_take_is_an_error_of_ours(language: str, kernel: str, value: Any) -> None:
    with pytest.raises(InvalidParameter, match=f"train.ipynb: .*cannot be written in '?{language}"):
        parameters_source({"n": value}, kernel_name=kernel, language=language, where="train.ipynb")


# Output paths


def test_paths_are_filled_in() -> None:
    arguments = {"region": "us", "week": 7, "day": date(2013, 1, 2), "opts": {"a": 1}}
    path = template_path("out/{region}-{week:02d}-{day:%Y}-{day.month}-{opts[a]}-{{x}}.ipynb", arguments)
    assert path == "out/us-07-2013-1-1-{x}.ipynb"


def test_papermills_own_names_are_known_in_paths() -> None:
    assert len(template_path("{pm[run_uuid]}", {})) == 36 == len(template_path("{pm.run_uuid}", {}))
    assert template_path("{pm.current_datetime_utc:%Y}{pm[current_datetime_local].year}", {})[:2] == "20"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("{wek}.ipynb", "did you mean 'week'"),
        ("{", "braces"),
        ("{}", ""),
        ("{week:q}", "braces"),
        ("{pm.x}", ""),
    ],
)
def test_a_path_that_cannot_be_filled_in_says_why(path: str, hint: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        template_path(path, {"week": 1})
    assert hint in caught.value.hint
    assert repr(path) in str(caught.value)


def test_paths_show_neither_secrets_nor_private_attributes() -> None:
    for path in ("{key}", "{keys[a]}", "{week.__class__}"):
        with pytest.raises(InvalidParameter):
            template_path(
                path, {"key": SecretReference("DB"), "keys": {"a": SecretReference("DB")}, "week": 1}
            )


@given(st.text())
def test_any_path_is_filled_in_or_refused(path: str) -> None:
    with contextlib.suppress(InvalidParameter):
        assert isinstance(template_path(path, {"week": 1}), str)
