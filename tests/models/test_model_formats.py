"""The forms in which models are kept, and whose are opened."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.models import ModelStore, formats, runtime
from jupyter_mlops.models.names import parse_model_reference

Register = Callable[..., Any]
X = np.random.default_rng(1).random((60, 3))


def test_an_estimator_of_safe_types_has_a_portable_form_and_a_fast_one() -> None:
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(X, X[:, 0])
    saved = formats.save(model)
    assert saved.forms == {"portable": "model.skops", "fast": "model.pkl"}
    for path in saved.forms.values():
        form, data = saved.files[path]
        np.testing.assert_allclose(runtime.open_model(data, form).predict(X), model.predict(X))


def test_an_estimator_whose_types_would_have_to_be_trusted_is_pickled() -> None:
    from sklearn.tree import DecisionTreeRegressor

    saved = formats.save(DecisionTreeRegressor().fit(X, X[:, 0]))
    assert saved.forms == {"fast": "model.pkl"}


def test_an_estimator_with_a_function_inside_is_pickled_by_value() -> None:
    from sklearn.preprocessing import FunctionTransformer

    saved = formats.save(FunctionTransformer(lambda x: x * 2))
    assert saved.forms == {"fast": "model.pkl"}
    np.testing.assert_allclose(runtime.unpickle(saved.files["model.pkl"][1]).transform(X), X * 2)


def test_arrays_are_kept_as_safetensors() -> None:
    saved = formats.save({"w": X, "b": np.zeros(3)[::-1]})
    assert saved.forms == {"portable": "model.safetensors"}
    np.testing.assert_array_equal(
        runtime.open_model(saved.files["model.safetensors"][1], "safetensors")["w"], X
    )
    assert formats.save({"w": np.array([object()])}).forms == {"fast": "model.pkl"}


def test_lightgbms_booster_is_kept_in_its_own_format() -> None:
    import lightgbm

    booster = lightgbm.train(
        {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 1, "min_data_in_bin": 1},
        lightgbm.Dataset(X, X[:, 0]),
        num_boost_round=2,
    )
    saved = formats.save(booster)
    assert saved.forms == {"portable": "model.txt"}
    opened = runtime.open_model(saved.files["model.txt"][1], "lightgbm")
    assert len({*opened.predict(X)}) > 1, "it has learned nothing, so anything would equal it"
    np.testing.assert_array_equal(opened.predict(X), booster.predict(X))


def test_xgboosts_booster_is_kept_in_its_own_format() -> None:
    import xgboost

    rows = xgboost.DMatrix(X, X[:, 0])
    booster = xgboost.train({"verbosity": 0, "nthread": 1}, rows, num_boost_round=2)
    saved = formats.save(booster)
    assert saved.forms == {"portable": "model.ubj"}
    opened = runtime.open_model(saved.files["model.ubj"][1], "xgboost")
    assert len({*opened.predict(rows)}) > 1, "it has learned nothing, so anything would equal it"
    np.testing.assert_array_equal(opened.predict(rows), booster.predict(rows))


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_their_estimators_are_pickled(library: str) -> None:
    kind = {"lightgbm": "LGBMRegressor", "xgboost": "XGBRegressor"}[library]
    model = getattr(importlib.import_module(library), kind)(n_estimators=2, n_jobs=1)
    saved = formats.save(model.fit(X, X[:, 0]))
    assert saved.forms == {"fast": "model.pkl"}
    opened = runtime.unpickle(saved.files["model.pkl"][1])
    np.testing.assert_array_equal(opened.predict(X), model.predict(X))


def test_a_form_can_be_asked_for() -> None:
    assert formats.save({"w": X}, "pickle").forms == {"fast": "model.pkl"}
    with pytest.raises(InvalidInput, match="cannot be kept as skops"):
        formats.save({"w": X}, "skops")
    with pytest.raises(InvalidInput, match="no format 'safetensor'") as caught:
        formats.save({"w": X}, "safetensor")
    assert "did you mean 'safetensors'" in caught.value.hint


# --- trust ------------------------------------------------------------------------------------------------


class Trap:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("/tmp/mlops-trap-sprung"),))


def export(store: ModelStore, register: Register, folder: Path, **changes: Any) -> Path:
    register(**changes)
    return store.export_mlflow("delay", folder)


def test_a_pickle_from_elsewhere_needs_an_entry_in_our_settings(
    store: ModelStore, register: Register, tmp_path: Path, catalog: Catalog, blobs: BlobStore, flights: Any
) -> None:
    folder = export(store, register, tmp_path / "out")
    version = store.import_mlflow(folder, "theirs", origin="https://mlflow.example.com/models/delay/1")
    with pytest.raises(InvalidInput, match="holds a pickle") as caught:
        store.load("theirs")
    assert 'trusted_models = ["theirs/1"]' in caught.value.hint
    for entry in ("https://mlflow.example.com/*", "theirs/1", "theirs/*", f"sha256:{version.manifest}", "*"):
        trusting = ModelStore(catalog, blobs, trusted=["other/1", entry])
        np.testing.assert_allclose(
            trusting.load("theirs").predict(flights), store.load("delay").predict(flights)
        )
    for entry in ("theirs", "http://mlflow.example.com/*", "delay/1", f"sha256:{'0' * 64}"):
        with pytest.raises(InvalidInput, match="holds a pickle"):
            ModelStore(catalog, blobs, trusted=[entry]).load("theirs")


def test_what_needs_no_pickle_needs_no_trust(store: ModelStore, tmp_path: Path) -> None:
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(X, X[:, 0])
    store.register("line", model, input_example=X[:4])
    version = store.import_mlflow(store.export_mlflow("line", tmp_path / "out"), "theirs")
    assert "model.pkl" not in store.manifest(version).files
    np.testing.assert_allclose(store.load("theirs").predict(X), model.predict(X))


def test_a_skops_file_that_asks_for_trust_in_itself_is_refused(
    store: ModelStore, tmp_path: Path, catalog: Catalog, blobs: BlobStore
) -> None:
    """The hole of GHSA-w582-9x45-8mpx: an allow-list that is read from the artifact."""
    from sklearn.tree import DecisionTreeRegressor
    from skops import io

    folder = tmp_path / "model"
    folder.mkdir()
    io.dump(DecisionTreeRegressor().fit(X, X[:, 0]), folder / "model.skops")
    (folder / "MLmodel").write_text(
        "flavors:\n  sklearn:\n    pickled_model: model.skops\n    serialization_format: skops\n"
        "    skops_trusted_types: [sklearn.tree._tree.Tree]\n"
    )
    store.import_mlflow(folder, "theirs")
    with pytest.raises(InvalidInput, match=r"not know to be safe: sklearn\.tree\._tree\.Tree"):
        store.load("theirs")
    trusting = ModelStore(catalog, blobs, trusted=["theirs/*"])
    assert trusting.load("theirs").predict(X).shape == (60,)


def test_importing_opens_nothing(store: ModelStore, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(pickle.dumps(Trap()))
    (folder / "MLmodel").write_text(
        "flavors:\n  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n"
    )
    store.import_mlflow(folder, "trap")
    with pytest.raises(InvalidInput, match="holds a pickle"):
        store.load("trap")
    assert not Path("/tmp/mlops-trap-sprung").exists()


def test_pickles_are_refused_everywhere_when_the_environment_forbids_them(
    store: ModelStore, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register()
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with pytest.raises(InvalidInput, match="MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
        store.load("delay")


def test_a_version_whose_library_is_not_here_says_what_to_install(
    store: ModelStore, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register()
    monkeypatch.setattr(runtime, "unpickle", lambda data: __import__("no_such_library"))
    with pytest.raises(InvalidInput, match="needs no_such_library, which is not installed") as caught:
        store.load("delay")
    assert "pip install cloudpickle==" in caught.value.hint


@pytest.mark.parametrize("path", ["../model.pkl", "/etc/passwd", "a\\b", "a//b", "C:x"])
def test_a_path_that_leads_out_of_the_folder_is_refused(store: ModelStore, tmp_path: Path, path: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "model.pkl").write_bytes(b"x")
    flavor = f"flavors:\n  sklearn:\n    pickled_model: '{path}'\n    serialization_format: cloudpickle\n"
    (folder / "MLmodel").write_text(flavor)
    with pytest.raises(InvalidInput, match="cannot be a file of a model version"):
        store.import_mlflow(folder, "theirs")


def test_a_link_that_leads_out_of_the_folder_is_refused(store: ModelStore, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (folder / "model.pkl").symlink_to(tmp_path / "secret")
    (folder / "MLmodel").write_text("flavors:\n  sklearn:\n    pickled_model: model.pkl\n")
    with pytest.raises(InvalidInput, match="leads out of the model's folder"):
        store.import_mlflow(folder, "theirs")


def test_a_reference_never_becomes_a_path(store: ModelStore) -> None:
    for text in ("models:/../x/1", "models:/a%2f..%2fb", "/etc/passwd", "file:///etc/passwd"):
        with pytest.raises(InvalidInput):
            store.load(text)
    assert parse_model_reference("models:/a.b-c_d/1").name == "a.b-c_d"
