from __future__ import annotations

import dataclasses
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidSettings
from jupyter_mlops.settings import SETTINGS, Settings, find_root, markdown_table


def test_without_any_file_the_defaults_hold_and_paths_are_absolute(tmp_path: Path) -> None:
    loaded = Settings.load(tmp_path, env={})
    assert loaded.catalog == f"sqlite:///{tmp_path}/.mlops/catalog.db"
    assert loaded.blobs == f"{tmp_path}/.mlops/blobs"
    assert loaded.dotenv == tmp_path / ".env"
    assert (loaded.cluster, loaded.kernel_pool, loaded.isolation) == ("local", 2, "warm")
    assert (loaded.cell_timeout_seconds, loaded.output_limit_bytes) == (None, 8 * 2**20)
    assert 1 <= loaded.workers <= (os.cpu_count() or 1)


def test_the_later_wins_file_environment_override(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text('kernel_pool = 3\nworkers = 3\nisolation = "cold"\n')
    env = {"MLOPS_WORKERS": "4", "MLOPS_ISOLATION": "", "OTHER": "x"}
    loaded = Settings.load(tmp_path, env=env, overrides={"workers": 5, "cluster": None})
    assert (loaded.kernel_pool, loaded.workers, loaded.isolation, loaded.cluster) == (3, 5, "cold", "local")
    assert Settings.load(tmp_path, env=env).workers == 4


def test_pyproject_counts_only_without_an_own_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.mlops]\nblobs = "s3://bucket/x"\n[tool.mlops.blob_options]\nkey = "k"\n'
    )
    loaded = Settings.load(tmp_path, env={})
    assert (loaded.blobs, loaded.blob_options) == ("s3://bucket/x", {"key": "k"})
    (tmp_path / "mlops.toml").write_text("")
    assert Settings.load(tmp_path, env={}).blobs == f"{tmp_path}/.mlops/blobs"


def test_options_come_from_the_environment_as_json(tmp_path: Path) -> None:
    env = {"MLOPS_BLOB_OPTIONS": '{"client_kwargs": {"endpoint_url": "http://localhost"}}'}
    assert Settings.load(tmp_path, env=env).blob_options["client_kwargs"] == {
        "endpoint_url": "http://localhost"
    }


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("sqlite:///x.db", "sqlite:///{root}/x.db"),
        ("sqlite:////abs/x.db", "sqlite:////abs/x.db"),
        ("sqlite:///x.db?mode=ro", "sqlite:///{root}/x.db?mode=ro"),
        ("postgresql://host/db", "postgresql://host/db"),
    ],
)
def test_a_relative_catalog_counts_from_the_workspace(tmp_path: Path, url: str, resolved: str) -> None:
    assert Settings.load(tmp_path, env={"MLOPS_CATALOG": url}).catalog == resolved.format(root=tmp_path)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("worker = 2", r"mlops.toml: unknown setting 'worker'", "did you mean 'workers'?"),
        ("workers = 0", r"mlops.toml: workers = 0 must be a whole number, at least 1", "at once"),
        ('workers = "two"', r"workers = 'two' must be", ""),
        ("workers = true", r"workers = True must be", ""),
        ("workers = 1.5", r"workers = 1.5 must be", ""),
        ('isolation = "hot"', r"must be one of warm, cold", ""),
        ('cluster = "somewhere"', r"tcp://host:8786", ""),
        ("cell_timeout_seconds = 0", r"above 0", ""),
        ("cell_timeout_seconds = inf", r"above 0", ""),
        ("blob_options = 3", r"must be a table", ""),
        ('blobs = ""', r"must be a text", ""),
        ("workers = = 1", r"mlops.toml is not valid TOML.*line 1", ""),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(tmp_path: Path, text: str, message: str, hint: str) -> None:
    (tmp_path / "mlops.toml").write_text(text)
    with pytest.raises(InvalidSettings, match=message) as caught:
        Settings.load(tmp_path, env={})
    assert hint in caught.value.hint


def test_a_wrong_variable_or_override_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="MLOPS_WORKERS = 'x'"):
        Settings.load(tmp_path, env={"MLOPS_WORKERS": "x"})
    with pytest.raises(InvalidSettings, match="overrides: unknown setting 'nope'"):
        Settings.load(tmp_path, env={}, overrides={"nope": 1})
    with pytest.raises(InvalidSettings, match=r"MLOPS_BLOB_OPTIONS.*JSON"):
        Settings.load(tmp_path, env={"MLOPS_BLOB_OPTIONS": "{"})


def test_a_slip_in_a_variable_is_told_and_the_variables_of_a_run_are_no_settings(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="MLOPS_WORKER ") as caught:
        Settings.load(tmp_path, env={"MLOPS_WORKER": "2"})
    assert caught.value.hint == "did you mean 'MLOPS_WORKERS'?"
    names = ("RUN_ID", "TASK", "ATTEMPT", "ROOT", "INPUTS", "SECRET_CATALOG", "SOMETHING_ELSE_ALTOGETHER")
    Settings.load(tmp_path, env={f"MLOPS_{name}": "x" for name in names})


def test_passwords_show_neither_in_errors_nor_in_a_repr(tmp_path: Path) -> None:
    loaded = Settings.load(tmp_path, env={"MLOPS_CATALOG": "postgresql://me:hunter2@host/db"})
    assert "hunter2" not in repr(loaded)
    with pytest.raises(InvalidSettings) as caught:
        Settings.load(tmp_path, env={"MLOPS_BLOB_OPTIONS": '["hunter2"]'})
    assert "hunter2" not in str(caught.value)


def test_the_root_is_the_nearest_folder_that_looks_like_a_workspace(tmp_path: Path) -> None:
    deep = tmp_path / "project" / "notebooks" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").write_text("[tool.other]\n")
    assert find_root(deep) in (deep, *[folder for folder in deep.parents if (folder / ".git").exists()])
    (tmp_path / "project" / "pyproject.toml").write_text("[tool.mlops]\n")
    assert find_root(deep) == tmp_path / "project"
    (tmp_path / "project" / "notebooks" / ".mlops").mkdir()
    assert find_root(deep) == tmp_path / "project" / "notebooks"
    (deep / "mlops.toml").write_text("")
    assert find_root(deep) == deep


def test_settings_and_their_table_have_the_same_names() -> None:
    names = [field.name for field in dataclasses.fields(Settings)]
    assert names == ["root", *(item.name for item in SETTINGS)]
    assert all(
        f"| `{item.name}` |" in markdown_table() and item.variable in markdown_table() for item in SETTINGS
    )


toml_values = st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([item.name for item in SETTINGS]) | st.text(), toml_values))
def test_any_override_is_taken_or_refused_as_invalid_settings(
    tmp_path: Path, overrides: dict[str, Any]
) -> None:
    with suppress(InvalidSettings):
        Settings.load(tmp_path, env={}, overrides=overrides)
