"""Profiles stay small and quick whatever the frame, and say nothing of single people. See features/test_quality
for what they are good for."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.profiles import drift, profile_frame
from jupyter_mlops.profiles import profile as making


def test_a_column_that_cannot_be_profiled_does_not_spoil_the_others() -> None:
    mixed = pd.DataFrame({"x": [1.0, 2.0], "odd": [1, "a"], "list": [[1], [2]], 7: [True, None]})
    profile = profile_frame(mixed)
    assert list(profile["features"]) == ["x", "7"]
    assert profile["omitted"] == 2
    assert not drift(profile, mixed).is_drifted
    with pytest.raises(InvalidInput, match="'list' has no profile"):
        profile_frame(mixed, ["list"])
    with pytest.raises(InvalidInput, match="no column 'odt'") as caught:
        profile_frame(mixed, ["odt"])
    assert caught.value.hint == "did you mean 'odd'?"


def test_two_columns_of_one_name_are_no_reason_to_fail() -> None:
    twins = pd.DataFrame([[1, 2.5], [3, 4.5]], columns=["x", "x"])
    assert set(profile_frame(twins)["features"]) == {"x"}


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pa.array([1, 2], pa.uint8()), "int64"),
        (pa.array([1.5, None], pa.float32()), "float32"),
        (pa.array([Decimal("1.5"), None]), "float64"),
        (pa.array([date(2024, 1, 1), None]), "timestamp"),
        (pa.array(["a", "b"]).dictionary_encode(), "string"),
        (pa.array(["a", None], pa.string_view()), "string"),
        (pa.array([None, None]), "float64"),
        (pa.array([b"a", None]), "bytes"),
    ],
)
def test_types_have_the_names_that_features_have(values: Any, dtype: str) -> None:
    table = pa.table({"x": values})
    profile = profile_frame(table)
    assert profile["features"]["x"]["dtype"] == dtype
    assert profile["features"]["x"]["nulls"] == values.null_count
    assert json.loads(json.dumps(profile, allow_nan=False)) == profile
    assert not drift(profile, table).is_drifted


def test_of_many_texts_those_that_occur_once_are_left_out() -> None:
    names = [f"somebody {number}" for number in range(100)] + ["nobody"] * 50
    profile = profile_frame(pd.DataFrame({"name": names, "few": ["a", *["b"] * 149]}))
    assert profile["features"]["name"]["top"] == {"nobody": pytest.approx(1 / 3)}
    assert set(profile["features"]["few"]["top"]) == {"a", "b"}
    assert not drift(profile, pd.DataFrame({"name": names})).is_drifted
    assert drift(profile, pd.DataFrame({"name": ["nobody"] * 9})).is_drifted


def test_texts_are_cut_and_still_compared() -> None:
    frame = pd.DataFrame({"text": ["x" * 5000, "y" * 5000] * 50})
    profile = profile_frame(frame)
    assert len(json.dumps(profile)) < 1000
    assert not drift(profile, frame).is_drifted
    assert drift(profile, frame.iloc[::2]).is_drifted


def test_a_wide_frame_has_a_profile_of_its_first_columns() -> None:
    profile = profile_frame(pd.DataFrame(np.zeros((3, 500))))
    assert len(profile["features"]) == 100
    assert profile["omitted"] == 400


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_of_a_very_large_frame_every_nth_row_is_looked_at(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(making, "_MOST_CELLS", 2000)
    frame: Any = pd.DataFrame({"x": np.arange(10_000.0), "y": np.where(np.arange(10_000) % 2, np.nan, 1)})
    given = frame if kind == "pandas" else pa.Table.from_pandas(frame)
    profile = profile_frame(given)
    assert (profile["rows"], profile["seen"]) == (10_000, 1000)
    assert profile["features"]["x"]["mean"] == pytest.approx(4995)
    assert not drift(profile, given).is_drifted
