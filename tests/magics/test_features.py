"""The feature store by magics and by their twins."""

from __future__ import annotations

from datetime import timedelta

import pytest

import jupyter_mlops as mlops
from jupyter_mlops.features import Entity, FeatureView

from .conftest import Notebook

DATA = """
import pandas as pd, numpy as np
import jupyter_mlops as mlops
hours = pd.date_range("2013-01-01", periods=24, freq="h", tz="UTC")
rows = pd.DataFrame({"origin": "JFK", "event_timestamp": hours, "temp": np.arange(24.0)})
rows.to_parquet("weather.parquet")
"""
SQL = "SELECT origin, event_timestamp, temp FROM 'weather.parquet'"


@pytest.fixture
def with_rows(notebook: Notebook) -> Notebook:
    notebook.run(DATA)
    return notebook


def test_a_query_becomes_a_view(with_rows: Notebook) -> None:
    (view,) = with_rows.run(
        f"%%feature_view weather --entities airport=origin --ttl 6h --owner ops -t kind=air\n{SQL}"
    )
    assert isinstance(view, FeatureView)
    assert dict(view.schema) == {"temp": "float64"}
    assert (view.ttl, view.owner, dict(view.tags)) == (timedelta(hours=6), "ops", {"kind": "air"})
    assert mlops.feature_store().get("airport", Entity).keys == {"origin": "string"}


def test_a_query_runs_on_a_database_beside_the_notebook(with_rows: Notebook) -> None:
    with_rows.run(
        "import duckdb, os\nos.makedirs('sub'); os.chdir('sub')\n"
        "with duckdb.connect('w.duckdb') as c: c.execute(\"CREATE TABLE w AS FROM '../weather.parquet'\")"
    )
    (view,) = with_rows.run(
        "%%feature_view weather --entities airport=origin --database w.duckdb\nSELECT * FROM w"
    )
    assert view.database == "sub/w.duckdb"
    assert list(view.schema) == ["temp"]


def test_a_function_becomes_a_view_with_windows(with_rows: Notebook) -> None:
    (view,) = with_rows.run(
        '%%feature_view recent -e airport=origin -w "avg temp 3h" -w "count 1d as n"\n'
        'def helper():\n    return rows\n\ndef recent():\n    """Of the last hours."""\n    return helper()'
    )
    assert list(view.schema) == ["temp_avg_3h", "n"]
    assert view.description == "Of the last hours."
    assert with_rows.run("len(recent())") == 24
    found = mlops.feature_store().get_historical_features(
        [{"origin": "JFK", "event_timestamp": with_rows.shell.user_ns["hours"][10]}], ["recent"]
    )
    assert found.loc[0, "temp_avg_3h"] == 9.0


def test_the_decorator_is_the_twin(with_rows: Notebook) -> None:
    with_rows.run(
        "@mlops.feature_view(entities='plane=origin:string', ttl='1d', aggregations=['max temp 2h'])\n"
        "def warm():\n    'Warm.'\n    return rows"
    )
    view = with_rows.run("warm")
    assert (view.name, view.description, list(view.schema)) == ("warm", "Warm.", ["temp_max_2h"])


def test_the_same_again_is_the_same_version(with_rows: Notebook) -> None:
    cell = f"%%feature_view weather --entities airport=origin\n{SQL}"
    assert with_rows.run(cell)[0].version == with_rows.run(cell)[0].version
    assert len(mlops.find_features("weather")) == 1
    with_rows.run(f"%%feature_view weather --entities airport --ttl 1h\n{SQL}")
    assert len(with_rows.run("%features weather")) == 2


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (f"%%feature_view weather\n{SQL}", "has no entity"),
        (f"%%feature_view weather -e airport=origin --ttl 6x\n{SQL}", "'6x' is no duration"),
        (f"%%feature_view 'we ather' -e airport=origin\n{SQL}", "is not a name for a feature view"),
        (f"%%feature_view weather -e airport=origin -w temp\n{SQL}", "is no aggregation"),
        (f"%%feature_view weather -e airport=origin -w 'mean temp 3h'\n{SQL}", "none of count"),
        (f"%%feature_view weather -e airport=origin --time-zone Mars\n{SQL}", "'Mars' is not a time zone"),
        ("%%feature_view weather -e airport=origin\nSELECT nothing FROM 'weather.parquet'", "nothing"),
        ("%%feature_view weather -e airport=origin\nSELECT * FROM 'away.parquet'", "away.parquet"),
        ("%%feature_view weather -e airport=origin\ndef f(:", "line 1 of the cell: invalid syntax"),
        (f"%%feature_view weather -e airport\n{SQL}", "airport"),
        ("%%feature_view weather -e airport=origin\n\n ", "has no source"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_registered(
    with_rows: Notebook, cell: str, message: str
) -> None:
    assert message in with_rows.refused(cell)
    assert len(mlops.find_features()) == 0


def test_an_unknown_name_is_answered_with_the_nearest(with_rows: Notebook) -> None:
    with_rows.run(f"%%feature_view weather -e airport=origin --description 'of the air'\n{SQL}")
    assert "did you mean 'weather'?" in with_rows.refused("%features wether")
    assert [one.name for one in with_rows.run("%features air")] == ["airport", "weather"]
    table = with_rows.run("%features")
    assert "airport" in repr(table)
    assert "temp" in table._repr_html_()


def test_a_description_is_escaped(with_rows: Notebook) -> None:
    with_rows.run(f"%%feature_view weather -e airport=origin --description '<script>'\n{SQL}")
    assert "<script>" not in mlops.find_features()._repr_html_()
