"""The Python of every page runs as it stands, block after block, in one session in a project of its own.

`RUN` says what a page takes for granted: files, names, what was registered before. Pages whose examples are run by a
test of the room that they are about stand in `ELSEWHERE`, with that test.
"""

from __future__ import annotations

import gc
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from click.testing import CliRunner

import jupyter_mlops as mlops
from jupyter_mlops.catalog import Run
from jupyter_mlops.cli import cli
from jupyter_mlops.features import Entity, FeatureService, FeatureView
from jupyter_mlops.notebooks.files import load_notebook
from jupyter_mlops.notebooks.parameters import read_parameters
from jupyter_mlops.queueing import Quotas
from jupyter_mlops.session.place import close_workspace

from .conftest import ROOT, blocks, name_of

Names = dict[str, Any]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ELSEWHERE = {
    "docs/features.md": "tests/features/test_features_docs.py",
    "docs/howto/jupyterhub.md": "tests/docs/test_jupyterhub.py",
    "docs/howto/mlflow.md": "tests/models/test_model_mlflow_server.py",
    "docs/howto/secrets.md": "tests/docs/test_howto.py",
    "docs/magics.md": "tests/magics/test_documentation.py",
    "docs/parameters.md": "tests/notebooks/test_parameters.py",
    "docs/python.md": "tests/docs/test_reference.py",  # signatures, made from the code
    "docs/schedules.md": "tests/scheduling/test_schedule_docs.py",
    "docs/widgets.md": "tests/widgets/test_docs.py",
}
# Single blocks, by how they begin: what they need is not there, or would act on others.
LEFT_OUT = {
    (
        "docs/howto/feast.md",
        "weather = FeatureView(",
    ): "Feast's own words; tests/features/test_feast.py runs Feast",
    ("docs/pipeline.md", "# %% [markdown]"): "a notebook as a script, executed by its own test below",
    (
        "notebooks/README.md",
        "import sqlalchemy",
    ): "needs a PostgreSQL; tests/examples/test_flights_notebooks.py has one",
    ("README.md", "from typing import Annotated"): "a cell of parameters, read by tests/test_docs.py",
}


def _frame() -> pd.DataFrame:
    return pd.DataFrame({"departure": [600, 730, 1215, 1900], "distance": [200.0, 800.0, 1500.0, 400.0]})


def _notebook(path: str, code: str, parameters: str = "") -> None:
    cells = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})] if parameters else []
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells.append(nbformat.v4.new_code_cell(code))
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def emitting() -> Names:
    """A notebook's names: what the task before handed over, and what this one made."""
    _frame().to_parquet("rows.parquet")
    return {"rows": "rows.parquet", "fitted": {"weights": [1, 2]}, "frame": _frame()}


def emitted(names: Names) -> None:
    assert mlops.get_workspace().catalog is not None
    assert len(names["frame"]) == 4


def papermill() -> Names:
    _notebook("pull.ipynb", "print(week)", "week = 0")
    _notebook("train.ipynb", "print(model, rows)", "model = ''\nrows = ''")
    Path("out").mkdir()
    return {}


def papermill_done(names: Names) -> None:
    assert sorted(path.name for path in Path("out").iterdir()) == [
        *("pull.ipynb", "train-boosting.ipynb", "train-logistic.ipynb"),
    ]


def feast() -> Names:
    hours = pd.date_range("2026-03-01", periods=4, freq="h")
    pd.DataFrame({"origin": "JFK", "time_hour": hours, "temp": 1.0, "wind_speed": 2.0}).to_parquet(
        "weather.parquet"
    )
    return {}


def feast_done(names: Names) -> None:
    assert Path("repo/feature_store.yaml").is_file()
    assert "weather" in Path("repo/definitions.py").read_text()


def models() -> Names:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure
    from sklearn.linear_model import LogisticRegression

    flights = _frame()
    features = flights.assign(hour=flights["departure"] // 100)[["hour", "distance"]]
    Path("report.html").write_text("<p>fine</p>")
    estimator = LogisticRegression().fit(features, [0, 0, 1, 1])
    for _ in range(2):  # the page speaks of versions 2 and 3 as well
        mlops.register_model("delay", estimator, input_example=features, data=features)
    return {
        "estimator": estimator,
        "flights": flights,
        "train": flights,
        "this_week": flights,
        "SQL": "SELECT 1",
        "figure": Figure(),
    }


def models_before(names: Names, text: str) -> str:
    """Where the page goes on, there is a champion and a fourth version."""
    if "drift(" in text:
        names["store"].register(
            "delay", names["estimator"], input_example=names["flights"].assign(hour=1)[["hour", "distance"]]
        )
        names["store"].set_alias("delay", "champion", 3)
    return text.partition("from jupyter_mlops.models import MlflowServer")[0]  # with a server: ELSEWHERE


def models_done(names: Names) -> None:
    assert mlops.get_workspace().models.aliases("delay")["champion"] == 4
    assert Path("out/delay/MLmodel").is_file()


def pipeline_done(names: Names) -> None:
    assert [*names["plan"].tasks] == ["pull", "train"]


def queue() -> Names:
    _notebook("one.ipynb", "1 + 1")
    Path("pipeline.yaml").write_text("name: one\ntasks: {one: {notebook: one.ipynb}}\n")
    mlops.get_workspace().queue.set_quotas(Quotas.parse({"queues": {"night": {"runs": 2}}}), "ada")
    return {}


def queue_done(names: Names) -> None:
    (run,) = mlops.get_workspace().catalog.find(Run)
    assert (run.state, run.options["queue"]) == ("succeeded", "night")


def serving() -> Names:
    """What a server kept of two predictions, beside the stores that it read from."""
    store = mlops.feature_store()
    moments = [NOON - timedelta(hours=2), NOON - timedelta(hours=1)]
    pd.DataFrame({"origin": ["JFK", "LGA"], "event_timestamp": moments, "temp": [1.0, 2.0]}).to_parquet(
        "w.parquet"
    )
    airport = Entity("airport", {"origin": "string"})
    store.register(airport, FeatureView(name="weather", entities=[airport], sql="SELECT * FROM 'w.parquet'"))
    store.register(FeatureService(name="delays", features=["weather"]))
    store.materialize(end=NOON)
    Path("predictions").mkdir()
    lines = [
        {
            "id": str(number),
            "at": datetime.now(UTC).isoformat(),
            "entities": [{"origin": origin}],
            "features": [{"temp": temp}],
        }
        for number, (origin, temp) in enumerate((("JFK", 1.0), ("LGA", 7.0)))
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    Path("predictions/predictions-1.jsonl").write_text(text)
    return {"workspace": mlops.get_workspace()}


def serving_done(names: Names) -> None:
    assert not names["check"].is_consistent  # LGA was served a value that training would not have seen
    assert len(names["check"].examples) == 1


def server_settings() -> Names:
    from traitlets.config import Config

    return {"c": Config()}


def server_settings_done(names: Names) -> None:
    from jupyter_mlops.server.app import MlopsExtension

    extension = MlopsExtension(config=names["c"])
    assert extension.workspace == "projects/churn"


def images() -> Names:
    return {}


def capturing() -> Names:
    shutil.copytree(
        ROOT / "notebooks" / "flights",
        "notebooks/flights",
        ignore=shutil.ignore_patterns("*.duckdb", ".mlops"),
    )
    return {}


def capturing_done(names: Names) -> None:
    assert any("duckdb" in line for line in names["capture"].lock.splitlines())


def nothing(names: Names) -> None:
    """Only that it runs."""


def example() -> Names:
    mlops.register_model(
        "flights-delay",
        {"a": 1},
        predict=lambda model, rows: rows["x"],
        input_example=pd.DataFrame({"x": [1.0]}),
    )
    mlops.alias("flights-delay", "champion", 1)
    return {}


RUN: Mapping[str, tuple[Callable[[], Names], Callable[[Names], None]]] = {
    "README.md": (emitting, emitted),
    "docs/capture.md": (capturing, capturing_done),
    "docs/howto/elyra.md": (emitting, emitted),
    "docs/howto/feast.md": (feast, feast_done),
    "docs/howto/papermill.md": (papermill, papermill_done),
    "docs/images.md": (images, nothing),
    "docs/models.md": (models, models_done),
    "docs/pipeline.md": (dict, pipeline_done),
    "docs/queue.md": (queue, queue_done),
    "docs/rest.md": (server_settings, server_settings_done),
    "docs/serving.md": (serving, serving_done),
    "notebooks/README.md": (example, nothing),
}
BEFORE: Mapping[str, Callable[[Names, str], str]] = {"docs/models.md": models_before}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_zygotes: None) -> Iterator[Any]:
    """An IPython with our magics in an empty project."""
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.toml").touch()
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor")
    shell.run_line_magic("load_ext", "jupyter_mlops")
    yield shell
    for name in ("workspace", "store"):  # what a page opened and left open
        opened = shell.user_ns.pop(name, None)
        if hasattr(opened, "close"):
            opened.close()
    InteractiveShell.clear_instance()
    close_workspace()
    gc.unfreeze()


SLOW = ("docs/capture.md", "docs/howto/papermill.md", "docs/models.md", "docs/queue.md")


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.slow] * (page in SLOW)) for page in RUN]
)
def test_the_python_of_a_page_runs(page: str, shell: Any) -> None:
    given, done = RUN[page]
    names = shell.user_ns
    names |= given()
    count = 0
    for block in blocks("python"):
        if name_of(block.page) != page or any(
            page == at and block.text.startswith(begin) for at, begin in LEFT_OUT
        ):
            continue
        text = BEFORE[page](names, block.text) if page in BEFORE else block.text
        result = shell.run_cell(text)
        assert result.success, f"{block}: {result.error_in_exec or result.error_before_exec!r}"
        count += 1
    assert count, "no block of this page is run"
    done(names)


def test_every_page_with_python_is_run() -> None:
    pages = {name_of(block.page) for block in blocks("python")}
    assert pages == RUN.keys() | ELSEWHERE.keys()
    for page, test in ELSEWHERE.items():
        text = (ROOT / test).read_text(encoding="utf-8")
        assert Path(page).name in text or Path(page).stem in text, (page, test)
    for page, beginning in LEFT_OUT:
        assert any(
            name_of(block.page) == page and block.text.startswith(beginning) for block in blocks("python")
        )


@pytest.mark.slow
def test_the_script_of_cells_is_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/pipeline.md: a percent script with parameters, executed as it stands."""
    (text,) = [one.text for one in blocks("python") if one.text.startswith("# %% [markdown]")]
    (tmp_path / "mlops.toml").write_text("zygote_linger_seconds = 0\n")
    (tmp_path / "train.py").write_text(text)
    _frame().to_parquet(tmp_path / "rows.parquet")
    assert [one.name for one in read_parameters(load_notebook(tmp_path / "train.py"))] == ["rows", "share"]
    monkeypatch.chdir(tmp_path)
    words = ["execute", "train.py", "out.ipynb", "-p", "rows", "rows.parquet", "--json"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert re.search(r'"count": 4', done.output), done.output
