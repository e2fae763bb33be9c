"""Shared options: arguments and the pipeline file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.cli.options import find_pipeline, gather_arguments, parse_arguments
from jupyter_mlops.errors import InvalidInput, NotFound


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_later_file_and_then_the_command_line_win(tmp_path):
    (tmp_path / "a.yaml").write_text("week: 1\nregion: west\nmodel: a\n")
    (tmp_path / "b.json").write_text('{"region": "east", "model": "b"}')
    given = gather_arguments([("model", "c")], ["a.yaml", "b.json"])
    assert given == {"week": 1, "region": "east", "model": "c"}


def test_dates_stay_text():
    assert parse_arguments("day: 2026-01-31\nat: 2026-01-31T10:00:00Z", "-y") == {
        "day": "2026-01-31",
        "at": "2026-01-31T10:00:00Z",
    }


def test_an_empty_file_has_no_arguments():
    assert parse_arguments("", "empty.yaml") == {}


def test_a_list_is_no_arguments():
    with pytest.raises(InvalidInput, match=r"the arguments in p\.yaml must be a mapping"):
        parse_arguments("- 1", "p.yaml")


def test_yaml_cannot_build_objects():
    with pytest.raises(InvalidInput, match="no YAML"):
        parse_arguments("a: !!python/object/apply:os.system ['true']", "p.yaml")


@given(st.text() | st.binary())
def test_any_text_is_arguments_or_one_clear_error(text):
    try:
        found = parse_arguments(text, "-y")
    except InvalidInput as error:
        found = {str(error): None}
    assert isinstance(found, dict)
    assert not any("arguments in -y" in name and "\n" in name for name in found)


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "params.yaml").write_text("")
    with pytest.raises(NotFound) as error:
        gather_arguments([], ["parms.yaml"])
    assert error.value.hint == "did you mean 'params.yaml'?"


def test_the_pipeline_is_found_here_or_in_a_directory(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "pipeline.yml").write_text("")
    (tmp_path / "pipeline.yaml").write_text("")
    assert find_pipeline(None) == tmp_path.joinpath("pipeline.yaml").relative_to(tmp_path)
    assert find_pipeline(tmp_path / "sub") == tmp_path / "sub" / "pipeline.yml"
    assert find_pipeline(tmp_path / "pipeline.yaml") == tmp_path / "pipeline.yaml"


def test_no_pipeline_says_how_to_get_one():
    with pytest.raises(NotFound) as error:
        find_pipeline(None)
    assert "jupyter mlops init" in error.value.hint


def test_a_missing_pipeline_names_the_nearest(tmp_path):
    (tmp_path / "flights.yaml").write_text("")
    with pytest.raises(NotFound) as error:
        find_pipeline(tmp_path / "flight.yaml")
    assert "flights.yaml" in error.value.hint
