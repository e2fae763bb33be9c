"""The model store by magics and by their twins."""

from __future__ import annotations

import pytest
from IPython.lib.pretty import pretty

import jupyter_mlops as mlops

from .conftest import Notebook

FUNCTIONS = """%%featurize
def only_a_and_b(rows):
    return rows[["a", "b"]]
"""
PREDICT = """%%predict
def chance(model, columns):
    return model.predict_proba(columns)[:, 1]
"""


def test_marked_functions_go_with_the_model(with_model: Notebook) -> None:
    assert with_model.shown(FUNCTIONS) == "featurize: only_a_and_b\n"
    assert with_model.shown(PREDICT) == "predict: chance\n"
    version = with_model.run("%register_model demo model --example X.head(3) --metric auc=max(0.5, 0.91)")
    assert (version.reference, dict(version.metrics)) == ("models:/demo/1", {"auc": 0.91})
    manifest = mlops.get_workspace().models.manifest(version)
    assert manifest.featurize is not None
    assert manifest.featurize["name"] == "only_a_and_b"
    assert "return rows" in manifest.featurize["source"]
    chances = mlops.load_model("demo").predict(with_model.shell.user_ns["X"])
    assert 0 < chances.min() < chances.max() < 1


def test_all_of_an_envelope_can_be_told_in_a_line(with_model: Notebook) -> None:
    version = with_model.run(
        "%register_model demo model --example X[:5] --data X -m auc=0.9 --parameter weeks=2 + 1"
        " --tag region='north west' -t week={len(X)} -a challenger --alias canary --description 'a model'"
        " --artifact note={'k': 1} --requires numpy --check none --featurize None --predict None".replace(
            "2 + 1", "(2 + 1)"
        )
    )
    manifest = mlops.get_workspace().models.manifest(version)
    assert manifest.parameters["weeks"] == 3
    assert dict(version.tags) == {"region": "north west", "week": "50"}
    assert mlops.get_workspace().models.aliases("demo") == {"challenger": 1, "canary": 1}
    assert (version.description, version.check, manifest.featurize) == ("a model", "none", None)
    assert set(manifest.artifacts) == {"note"}
    assert manifest.data[0]["rows"] == 50


def test_decorators_are_the_twins_of_the_cell_magics(with_model: Notebook) -> None:
    with_model.run("@mlops.featurize\ndef mine(rows):\n    return rows[['a', 'b']]")
    version = with_model.run("mlops.register_model('demo', model, input_example=X.head(3))")
    featurize = mlops.get_workspace().models.manifest(version).featurize
    assert featurize is not None
    assert featurize["name"] == "mine"
    assert with_model.run("mine").__name__ == "mine"


def test_a_cell_that_raises_marks_nothing_and_shows_the_users_own_error(with_model: Notebook) -> None:
    with pytest.raises(ZeroDivisionError):
        with_model.run("%%featurize\n1 / 0\ndef broken(rows):\n    return rows")
    assert mlops.session.modeling.marked("featurize") is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%register_model demo model", "input_example is missing"),
        ("%register_model demo modle --example X", "there is no variable 'modle' (did you mean 'model'?)"),
        ("%register_model demo model --example X.hed()", "X.hed() raised AttributeError"),
        ("%register_model demo model --exmple X", "there is no option --exmple (did you mean '--example'?)"),
        ("%register_model ../demo model --example X", "'../demo' cannot name a model"),
        ("%register_model demo model --example X --alias latest", "'latest' cannot be an alias"),
        ("%register_model demo model --example X -m auc='high'", "auc"),
        ("%register_model demo model --example X --featurize 3", "featurize is a int, not a function"),
        ("%%featurize\nx = 1", "the cell defines no function"),
        ("%%featurize other\ndef f(x): return x", "the cell defines no function 'other'"),
        ("%%featurize\ndef f(x:", "line 1 of the cell"),
        ("%models demo", "no model is called 'demo'"),
        ("%models --where auc", "is no comparison"),
        ("%models --where 'auc > high'", "'high' is no number"),
        ("%alias demo champion", "VERSION is missing"),
        ("%alias demo champion two", "'two' is no version"),
        ("%alias demo champion 1", "no model is called 'demo'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_registered(
    with_model: Notebook, cell: str, message: str
) -> None:
    assert message in with_model.refused(cell)
    assert len(mlops.find_models()) == 0


def test_models_are_listed_filtered_and_ordered(with_model: Notebook) -> None:
    for auc in (0.7, 0.9, 0.8):
        with_model.run(f"%register_model demo model --example X.head(3) -m auc={auc} --check none")
    with_model.run("%register_model other model --example X.head(3) --check none")
    with_model.run("%alias demo champion 2")
    overview = with_model.run("%models")
    assert [one.reference for one in overview] == ["models:/demo/3", "models:/other/1"]  # it changed last
    assert overview.course("demo", "auc") == [0.7, 0.9, 0.8]
    best = with_model.run("%models demo --order-by auc --where 'auc > 0.75'")
    assert [one.version for one in best] == [2, 3]
    worst = with_model.run("%models demo --order-by auc --ascending")
    assert [one.version for one in worst] == [1, 3, 2]
    text, html = repr(overview), overview._repr_html_()
    assert "champion → 2" in text
    assert "<svg" in html
    assert "champion" in repr(best)


def test_an_overview_has_each_model_however_many_versions_others_have(
    with_model: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_mlops.session.modeling._MOST_HISTORY", 2)
    with_model.run("%register_model other model --example X.head(3) --check none")
    for _ in range(3):
        with_model.run("%register_model demo model --example X.head(3) --check none")
    assert [one.reference for one in mlops.find_models()] == ["models:/demo/3", "models:/other/1"]


def test_a_protected_alias_moves_only_by_force(with_model: Notebook) -> None:
    for _ in range(2):
        with_model.run("%register_model demo model --example X.head(3) --check none")
    with_model.run("%alias demo champion 1 --protected")
    assert "protected" in with_model.refused("%alias demo champion 2")
    moved = with_model.run("%alias demo champion 2 --force")
    assert (moved.version, moved.is_protected) == (2, True)
    assert mlops.load_model("models:/demo@champion").version.version == 2


def test_names_and_metrics_are_escaped(with_model: Notebook) -> None:
    for auc in (0.7, 0.8):
        with_model.run(
            f"v = mlops.register_model('demo', model, input_example=X.head(3), metrics={{'<b>': {auc}}},"
            " tags={'k': '<script>'}, description='<i>', check='none')"
        )
    version = with_model.run("v")
    for html in (
        mlops.find_models()._repr_html_(),
        mlops.find_models("demo")._repr_html_(),
        version._repr_html_(),
    ):
        assert "<script>" not in html
        assert "<b>" not in html
        assert "<i>" not in html
    assert pretty(version).startswith("model")


def test_ipythons_own_alias_is_still_there(notebook: Notebook) -> None:
    notebook.run("%shell_alias hello echo hi")
    assert notebook.shell.alias_manager.is_alias("hello")
    notebook.run("%reload_ext jupyter_mlops")
    assert not hasattr(notebook.shell.find_line_magic("shell_alias"), "of_jupyter_mlops")
