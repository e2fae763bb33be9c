"""The self-test at registration finds what would fail, or differ, when the model serves."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.models import ModelStore

Register = Callable[..., Any]
FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "c": ["a", "b", "a", "c"]})


class Sum:
    def predict(self, features: pd.DataFrame) -> Any:
        return features.sum(axis=1).to_numpy()


def keep(store: ModelStore, featurize: Any = None, **more: Any) -> Any:
    return store.register(
        "m", Sum(), featurize=featurize, input_example=FRAME, code={"cells": [], "git": {}}, **more
    )


def centered(data: pd.DataFrame) -> pd.DataFrame:
    return data[["x"]] - data["x"].mean()


def ranked(data: pd.DataFrame) -> pd.DataFrame:
    return data[["x"]].rank()


def dummies(data: pd.DataFrame) -> pd.DataFrame:
    return pd.get_dummies(data["c"], dtype=float)


def previous(data: pd.DataFrame) -> pd.DataFrame:
    return data[["x"]].shift(1)


def filled(data: pd.DataFrame) -> pd.DataFrame:
    return data[["x"]].where(data["x"] > 1.5).fillna(data["x"].median())


@pytest.mark.parametrize("featurize", [centered, ranked, dummies, previous, filled])
def test_featurize_that_looks_at_other_rows_is_refused(store: ModelStore, featurize: Any) -> None:
    with pytest.raises(InvalidInput, match="for a row alone featurize gives other values") as caught:
        keep(store, featurize)
    assert caught.value.hint
    assert store.models() == []


def test_the_features_that_differ_are_named(store: ModelStore) -> None:
    with pytest.raises(InvalidInput, match=r"featurize gives other values \(x\)"):
        keep(store, centered)


def test_a_model_that_means_the_whole_batch_says_so(store: ModelStore) -> None:
    keep(store, centered, is_rowwise=False)
    loaded = store.load("m")
    np.testing.assert_allclose(loaded.predict(FRAME), [-1.5, -0.5, 0.5, 1.5])


def test_a_prediction_is_missing_or_too_much(store: ModelStore) -> None:
    with pytest.raises(InvalidInput, match="4 rows went in, 3 predictions came out"):
        keep(store, lambda data: data[["x"]].iloc[1:])


def test_a_model_that_fails_on_its_own_example_says_where(store: ModelStore) -> None:
    def featurize(data: pd.DataFrame) -> pd.DataFrame:
        return data[["x"]] / data["missing"]

    with pytest.raises(InvalidInput, match="fails on its own example: KeyError: 'missing'") as caught:
        keep(store, featurize)
    assert "in featurize" in caught.value.hint
    assert 'data["missing"]' in caught.value.hint


def test_chance_is_refused_unless_nothing_is_checked(store: ModelStore) -> None:
    def featurize(data: pd.DataFrame) -> pd.DataFrame:
        return data[["x"]] + np.random.default_rng().random()

    with pytest.raises(InvalidInput, match="predicts otherwise than the original"):
        keep(store, featurize)
    assert keep(store, featurize, check="none").check == "none"


def test_functions_may_change_what_they_are_given(store: ModelStore) -> None:
    def featurize(data: pd.DataFrame) -> pd.DataFrame:
        data["x"] = data["x"] * 2
        del data["c"]
        return data

    example = FRAME.copy()
    keep(store, featurize)
    loaded = store.load("m")
    np.testing.assert_allclose(loaded.predict(example), [2, 4, 6, 8])
    pd.testing.assert_frame_equal(example, FRAME)


def test_the_full_trial_finds_files_settings_and_variables_of_this_process(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def variable(data: pd.DataFrame) -> pd.DataFrame:
        return data[["x"]] * float(os.environ.get("MLOPS_TEST_FACTOR", "1"))

    def beside(data: pd.DataFrame) -> pd.DataFrame:
        return data[["x"]] * float(Path("factor.txt").read_text())

    monkeypatch.chdir(tmp_path)
    (tmp_path / "factor.txt").write_text("2")
    with pytest.raises(InvalidInput, match=r"in a clean process: FileNotFoundError.*factor.txt"):
        keep(store, beside, check="full")
    assert keep(store, variable, check="full").check == "full"
    assert store.models()[0].last_version == 1


def test_the_full_trial_finds_a_distribution_that_no_code_names(store: ModelStore) -> None:
    def featurize(data: pd.DataFrame) -> pd.DataFrame:
        module = __import__("importlib").import_module("ya" + "ml")
        return data[["x"]] * len(module.safe_load("[1, 2]"))

    with pytest.raises(InvalidInput, match="yaml is not among the dependencies of this version"):
        keep(store, featurize, check="full")
    keep(store, featurize, check="full", requires=["PyYAML"])
    np.testing.assert_allclose(store.load("m").predict(FRAME), [2, 4, 6, 8])


def test_modules_that_lie_about_go_along_to_a_clean_process(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lies_about.py").write_text("SCALE = 5\ndef scaled(x):\n    return x * SCALE\n")
    (tmp_path / "lies_late.py").write_text("import lies_about\nOFFSET = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import lies_about  # type: ignore[import-not-found]

    def featurize(data: pd.DataFrame) -> pd.DataFrame:
        import lies_late  # type: ignore[import-not-found]

        return lies_about.scaled(data[["x"]]) + lies_late.OFFSET

    keep(store, featurize, check="full")
    np.testing.assert_allclose(store.load("m").predict(FRAME), [6, 11, 16, 21])


@pytest.mark.parametrize("value", [np.float32([[1, 2], [3, 4]]), [{"x": 1.0}, {"x": 2.0}], [1.0, 2.0]])
def test_arrays_records_and_lists_are_examples_too(store: ModelStore, value: Any) -> None:
    def predict(model: Any, rows: Any) -> Any:
        return [float(np.sum(list(row.values()) if isinstance(row, dict) else row)) for row in rows]

    store.register("m", "the model", predict=predict, input_example=value, check="full")
    assert store.load("m").predict(value) == predict(None, value)


def test_a_function_alone_is_a_model(store: ModelStore) -> None:
    store.register("m", lambda frame: frame["x"] * 2, input_example=FRAME[["x"]])
    assert store.load("m").predict(FRAME).tolist() == [2, 4, 6, 8]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predict": lambda features: features}, r"predict cannot be called as predict\(model, features\)"),
        ({"featurize": 3}, "featurize is a int, not a function"),
        ({"input_example": FRAME.iloc[:0]}, "is empty"),
        ({"input_example": FRAME.set_index("c")}, "an index of its own"),
        ({"input_example": FRAME.set_axis([0, 1], axis=1)}, "the column 0"),
        ({"input_example": FRAME.set_axis(["x", "x"], axis=1)}, "two columns 'x'"),
        ({"input_example": FRAME.assign(c=[object()] * 4)}, "cannot be kept as JSON"),
        ({"input_example": 3}, "neither a frame, nor an array, nor a list"),
        ({"predict": lambda model, features: 3}, "the prediction for the input example"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_told(store: ModelStore, changes: dict[str, Any], message: str) -> None:
    given = {"input_example": FRAME, "featurize": lambda data: data[["x"]], **changes}
    with pytest.raises(InvalidInput, match=message) as caught:
        store.register("m", Sum(), **given)
    assert caught.value.hint


async def coroutine(data: Any) -> Any:
    return data


def test_a_coroutine_function_is_told(store: ModelStore) -> None:
    with pytest.raises(InvalidInput, match="coroutine"):
        keep(store, coroutine)
