"""``models`` as it is typed: looking, comparing, aliases, tags, predicting a file, to and from MLflow's folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import jupyter_mlops as mlops
from jupyter_mlops.session.place import close_workspace

from .conftest import Tell


class Doubler:
    """A model without a library."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def predict(self, rows: pd.DataFrame) -> pd.Series:
        return rows["a"] * self.factor


@pytest.fixture
def store(tell: Tell, tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "mlops.toml").touch()
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    for factor, region in ((2.0, "eu"), (3.0, "us")):
        mlops.register_model(
            "late", Doubler(factor), input_example=rows, metrics={"auc": factor / 10}, parameters={"factor": factor},
            tags={"region": region}, description="How late?",
        )  # fmt: skip
    mlops.alias("late", "champion", 1)
    yield tmp_path
    close_workspace()


@pytest.mark.usefixtures("store")
def test_they_are_listed_and_searched(tell: Tell) -> None:
    said = tell("models")
    assert said.code == 0
    assert "late" in said.out
    assert "champion → 1" in said.out
    assert "auc 0.3" in said.out
    (body,) = tell("models", "--json").json["models"]
    assert (body["name"], body["last_version"], body["aliases"]) == ("late", 2, {"champion": 1})
    assert tell("models", "--search", "LAT", "--json").json["models"]
    assert tell("models", "--search", "churn").out == "no model is called anything like 'churn'\n"


def test_where_there_are_none_it_says_how_one_is_made(tell: Tell) -> None:
    assert "%register_model" in tell("models").out
    assert "%%feature_view" in tell("features").out


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "versions"),
    [
        ([], [2, 1]),
        (["--sort", "auc", "--ascending"], [1, 2]),
        (["--where", "auc > 0.25"], [2]),
        (["--tag", "region=eu"], [1]),
        (["--where", "auc > 0.9"], []),
    ],
)
def test_versions_are_chosen_and_sorted(tell: Tell, words: list[str], versions: list[int]) -> None:
    told = tell("models", "versions", "late", *words, "--json").json["versions"]
    assert [one["version"] for one in told] == versions
    assert tell("models", "versions", "late", *words).code == 0


@pytest.mark.usefixtures("store")
def test_a_version_is_shown_whole_or_in_part(tell: Tell) -> None:
    said = tell("models", "show", "late@champion")
    for title in ("definition", "parameters", "dependencies", "signature", "input example", "lineage"):
        assert f"\n{title}\n" in said.out
    assert tell("models", "show", "late/2", "--part", "metrics").out == "metrics\n  auc  0.3\n"
    body = tell("models", "show", "late/1", "--json").json
    assert (body["version"]["aliases"], body["alias_moves"][0]["new_version"]) == (["champion"], 1)
    assert body["envelope"]["parameters"] == {"factor": 2.0}


@pytest.mark.usefixtures("store")
def test_versions_are_compared(tell: Tell) -> None:
    said = tell("models", "compare", "late/1", "late/2")
    assert "0.2" in said.out
    assert "factor" in said.out
    tables = {
        one["title"]: one
        for one in tell("models", "compare", "late/1", "late/2", "--json").json["comparison"]["tables"]
    }
    assert tables["metrics"]["rows"] == [{"name": "auc", "values": [0.2, 0.3], "is_same": False}]


@pytest.mark.usefixtures("store")
def test_an_alias_moves_unless_it_is_protected(tell: Tell) -> None:
    assert tell("models", "alias", "late", "champion", "2", "--protected").out == "late@champion is late/2\n"
    said = tell("models", "alias", "late", "champion", "1")
    assert (said.code, "protected" in said.err) == (2, True)
    assert tell("models", "alias", "late", "champion", "1", "--force", "--json").json["alias"]["version"] == 1
    assert tell("models", "alias", "late", "champion", "--delete").code == 2
    assert tell("models", "alias", "late", "champion", "--delete", "--force").code == 0
    assert tell("models", "--json").json["models"][0]["aliases"] == {}


@pytest.mark.usefixtures("store")
def test_tags_are_set_and_taken_away(tell: Tell) -> None:
    said = tell("models", "tag", "late/1", "region=", "team=ops", "--json")
    assert said.json["version"]["tags"] == {"team": "ops"}


def test_rows_of_files_are_predicted(tell: Tell, store: Path) -> None:
    pd.DataFrame({"a": [1.0, 5.0], "id": [7, 8]})[["a"]].to_csv(store / "rows.csv", index=False)
    assert tell("models", "predict", "late@champion", "rows.csv").out == "a,prediction\n1.0,2.0\n5.0,10.0\n"
    body = tell("models", "predict", "late/2", "rows.csv", "--json").json
    assert body == {
        "output": None,
        "count": 2,
        "rows": [{"a": 1.0, "prediction": 3.0}, {"a": 5.0, "prediction": 15.0}],
    }
    for name in ("out.parquet", "out.jsonl", "out.json", "out.csv"):
        assert tell("models", "predict", "late/2", "rows.csv", "-o", name, "--column", "late").code == 0
    assert pd.read_parquet(store / "out.parquet")["late"].tolist() == [3.0, 15.0]
    assert sorted(path.name for path in store.glob("out.*")) == [
        "out.csv",
        "out.json",
        "out.jsonl",
        "out.parquet",
    ]
    assert not list(store.glob(".out*"))


def test_a_model_goes_to_a_folder_and_comes_back(tell: Tell, store: Path) -> None:
    assert tell("models", "export", "late/1", "-o", "there").code == 0
    assert (store / "there" / "MLmodel").is_file()
    assert (
        tell("models", "import", "there", "--name", "again", "--alias", "champion").out
        == "registered again/1\n"
    )
    assert tell("models", "show", "again@champion", "--json").json["envelope"]["parameters"] == {
        "factor": 2.0
    }


@pytest.mark.usefixtures("store")
def test_what_an_alias_names_is_not_deleted(tell: Tell) -> None:
    said = tell("models", "delete", "late/1", "--yes")
    assert (said.code, "champion" in said.err) == (2, True)
    assert tell("models", "delete", "late/2", "-y").code == 0
    tell("models", "alias", "late", "champion", "--delete")
    assert tell("models", "delete", "late", "-y", "--json").json == {"deleted": "models:/late"}
    assert tell("models", "--json").json == {"models": []}


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_version_is_tried_again(tell: Tell) -> None:
    assert tell("models", "check", "late/1").out == "late/1 predicts its example as when it was registered\n"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["show", "lat"], "no model is called 'lat'", "did you mean 'late'?"),
        (["show", "late/9"], "the model 'late' has no version 9", "the newest is 2"),
        (["show", "late", "--part", "metric"], "a version has no part 'metric'", "version, definition"),
        (["shw"], "there is no command 'models shw'", "did you mean 'show'?"),
        (["alias", "late", "champion"], "either a version or --delete", "models alias late champion 3"),
        (["tag", "late/1", "region"], "tag 'region' is no pair", "region=eu"),
        (["versions", "late", "--where", "auc"], "--where 'auc' is no comparison", "auc > 0.9"),
        (["predict", "late/1", "none.csv"], "there is no file none.csv", ""),
        (["predict", "late/1", "none.csv", "-o", "x.xls"], "x.xls: what is in it?", ".parquet"),
        (["import", "there"], "a folder needs --name", ""),
        (["compare", "late/1"], "a comparison takes two versions or more", ""),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tell: Tell, words: list[str], message: str, hint: str) -> None:
    said = tell("models", *words)
    assert said.code == 2 or "no model" in said.err or "no version" in said.err or "no file" in said.err
    assert message in said.err
    assert hint in said.err
    assert "Traceback" not in said.err
