"""What is kept of each released version: a project with something of every kind in it, as that version wrote it.

`python tests/catalog/released/frozen.py` writes the folder of the version that is being developed: the catalog as
SQL of both engines, blobs and feature logs as they lie, and what the product's own API answered about them. Nobody
writes into a folder once its version is released; `test_upgrade.py` opens each with today's code and asks the same.
"""

from __future__ import annotations

import dataclasses
import getpass
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd

from jupyter_mlops import Workspace, __version__
from jupyter_mlops.catalog import records
from jupyter_mlops.features import Entity, FeatureService, FeatureView
from jupyter_mlops.queueing import Quotas

FOLDER = Path(__file__).parent
SETTINGS = 'blobs = "blobs"\noffline_store = "features"\nzygote_linger_seconds = 0\n'
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PIPELINE = """\
name: weekly
parameters: {week: {type: int, default: 20}}
schedules:
  monday: {cron: "0 6 * * 1", timezone: Europe/Zurich}
tasks:
  pull: {notebook: pull.ipynb, parameters: {week: "${params.week}"}}
  train:
    notebook: train.ipynb
    matrix: {model: [mean, median]}
    parameters: {rows: "${tasks.pull.artifacts.rows}", model: "${matrix.model}"}
  fail: {notebook: fail.ipynb, needs: [train], when: "${tasks.pull.results.count} > 21"}
"""
NOTEBOOKS = {
    "pull": (
        "week: int = 0",
        "import pandas as pd\nimport jupyter_mlops as mlops\n"
        "mlops.artifact('rows', pd.DataFrame({'x': range(week)}))\nmlops.result('count', week)",
    ),
    "train": (
        "rows: str = ''\nmodel: str = ''",
        "import jupyter_mlops as mlops\nmlops.result('value', float(mlops.input(rows).x.agg(model)))",
    ),
    "fail": ("", "1 / 0"),
}
# What only a cloud, a cluster or a benchmark would write.
OTHERS: tuple[records.Record, ...] = (
    records.Image(
        digest=f"sha256:{'a' * 64}",
        name="registry.example.com/team/delay:1",
        kind="serving",
        source="models:/delay/1",
        is_pushed=True,
        platforms=("linux/amd64",),
        builder="python",
        created_at=NOON,
    ),
    records.Deployment(
        name="delay",
        target="kubernetes",
        model="delay",
        state="running",
        url="https://delay.example.com",
        revision=1,
        options={"namespace": "models"},
        alias="champion",
        created_at=NOON,
        updated_at=NOON,
    ),
    records.DeploymentRevision(
        name="delay", revision=1, traffic={"1": 0.9, "2": 0.1}, reason="deploy", created_at=NOON
    ),
    records.ComputeMeasurement(
        unit="host/cpu", kind="CPU", name="a processor", body={"float64": 1e11}, measured_at=NOON
    ),
    records.Fire(schedule="weekly.monday", fire_at=NOON, state="missed", count=2, created_at=NOON),
    records.Lease(name="scheduler", holder="nobody", token=7, until_at=NOON, renewed_at=NOON),
    records.QueueEntry(
        run_id="waits", pipeline="weekly", user_name="ada", queue="default", state="held",
        least=[], most=[], since_at=NOON, created_at=NOON,
    ),
    records.QueueUsage(day="2026-03-01", user_name="ada", queue="default", cpu_seconds=12.5),
)  # fmt: skip


def _predict() -> Any:
    """A function whose pickle does not name the file that it stands in here."""
    names: dict[str, Any] = {}
    code = "def predict(model, rows):\n    return rows['x'] * model['weight'][0]\n"
    exec(compile(code, "project/model.py", "exec"), names)
    return names["predict"]


def fill(folder: Path) -> None:
    """A project, and all that its user did."""
    (folder / "mlops.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    for name, (parameters, code) in NOTEBOOKS.items():
        cells = [
            nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}, id="parameters"),
            nbformat.v4.new_code_cell(code, id="code"),
        ]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb")
    with Workspace.open(folder) as workspace:
        for week in (20, 20, 22):  # executed, from the cache, failed
            workspace.runs.run("pipeline.yaml", {"week": week})
        workspace.schedules.add(folder / "pipeline.yaml")
        workspace.queue.set_quotas(Quotas.parse({"users": {"ada": {"runs": 3, "cpu": 4}}}), "ada")
        for weight in (1.0, 2.0):
            workspace.models.register(
                "delay",
                {"weight": np.array([weight])},
                predict=_predict(),
                input_example=pd.DataFrame({"x": [1.0]}),
                metrics={"auc": weight / 4},
                tags={"region": "eu"},
                data=pd.DataFrame({"x": [1.0, 2.0]}),
            )
        workspace.models.set_alias("delay", "champion", 1)
        workspace.models.set_alias("delay", "champion", 2)
        moments = [NOON - timedelta(hours=hours) for hours in (30, 20, 10)]
        rows = pd.DataFrame({"user": [1, 2, 1], "event_timestamp": moments, "amount": [1.5, 2.5, 3.5]})
        rows.to_parquet(folder / "spent.parquet")
        user = Entity("user", {"user": "int64"})
        workspace.features.register(
            user, FeatureView(name="spent", entities=[user], sql="SELECT * FROM 'spent.parquet'", ttl=timedelta(days=2))
        )  # fmt: skip
        workspace.features.register(FeatureService(name="model", features=["spent"]))
        workspace.features.materialize(end=NOON)
        workspace.features.push("spent", rows.assign(event_timestamp=NOON, amount=9.0).head(1))
        workspace.catalog.add(*OTHERS)
        for kind in records.RECORDS:
            assert workspace.catalog.count(kind), f"put a {kind.__name__} into it"


def told(workspace: Workspace) -> dict[str, Any]:
    """What the API answers about it, as plain JSON. What is asked here is asked for ever."""
    catalog, runs, models = workspace.catalog, workspace.runs, workspace.models
    newest, cached, oldest = catalog.find(records.Run)
    question = pd.DataFrame(
        {"user": [1, 2, 3], "event_timestamp": [NOON - timedelta(hours=hours) for hours in (5, 15, 5)]}
    )
    found = workspace.features.get_historical_features(question, features="model", with_status=True)
    champion = models.get("delay@champion")
    return {
        "runs": [(run.state, run.arguments["week"]) for run in (oldest, cached, newest)],
        "tasks": [
            (one.task, one.state, dict(one.results))
            for run in (oldest, cached, newest)
            for one in catalog.find(records.TaskRun, where={"run_id": run.run_id})
        ],
        "error": catalog.get(records.TaskRun, newest.run_id, "fail").error["ename"],
        "notebook": len(nbformat.read(runs.task_notebook(oldest.run_id, "pull"), as_version=4).cells),
        "log": [line.partition(" ")[2] for line in runs.log(oldest.run_id, "pull")][-1:],
        "model": (champion.reference, dict(champion.metrics), models.manifest(champion).name),
        "predicted": _predicted(workspace),
        "aliases": [(one.old_version, one.new_version) for one in models.alias_history("delay")],
        "features": json.loads(found.to_json(orient="records", date_format="iso")),
        "schedules": [(one.name, one.cron, one.timezone) for one in workspace.schedules.find()],
        "quotas": [(one.scope, one.name, dict(one.body)) for one in catalog.find(records.Quota)],
        "deployments": [(one.name, one.state, one.url) for one in workspace.deployments.find()],
        "traffic": [dict(one.traffic) for one in workspace.deployments.revisions("delay")],
        "images": [one.reference for one in workspace.images.find()],
        "waits": [place.entry.state for place in workspace.queue.look()],
    }


def _predicted(workspace: Workspace) -> list[Any]:
    """Of a model with a function: such a pickle is read by the Python that wrote it, others do not try."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    made_by = workspace.models.manifest("delay@champion").dependencies["python"]
    if not made_by.startswith(version):
        return []
    model = workspace.models.load("models:/delay@champion")
    return [float(one) for one in model.predict(pd.DataFrame({"x": [3.0]}))]


def dump_sqlite(path: Path) -> str:
    """The database as SQL."""
    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def dump_postgresql(server: Any, url: str, binaries: Path) -> str:
    """The same of PostgreSQL, by `pg_dump`, without what would tie it to one server, schema or version."""
    schema = re.findall(r"search_path%3D(\w+)", url)[0]
    command = [
        shutil.which("pg_dump", path=f"{binaries}{os.pathsep}{os.environ['PATH']}") or "pg_dump",
        "-h",
        server.folder,
        "-U",
        "postgres",
        "-d",
        "postgres",
        "-n",
        schema,
    ]
    done = subprocess.run(
        [*command, "--inserts", "--no-owner", "--no-privileges", "--no-comments"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines = [
        line
        for line in done.stdout.splitlines()
        if line and not re.match(r"--|\\|SET |SELECT pg_catalog.set_config|CREATE SCHEMA", line)
    ]
    return "\n".join(lines).replace(f"{schema}.", "") + "\n"


def copied(source: Workspace, url: str) -> None:
    """All records of a workspace in another catalog."""
    from jupyter_mlops.catalog import Catalog

    with Catalog.open(url) as target:
        for kind in records.RECORDS:
            for record in source.catalog.find(kind, order_by=kind.KEY):
                seq = {"seq": 0} if kind.KEY == ("seq",) else {}  # the database numbers them
                target.add(dataclasses.replace(record, **seq))


def main() -> None:
    """Write the folder of this version."""
    sys.path.insert(0, str(FOLDER.parents[1]))
    from conftest import postgresql  # type: ignore[import-not-found]

    folder = FOLDER / ".".join(__version__.split(".")[:2])
    os.environ |= {"LOGNAME": "ada", "TZ": "UTC"}
    assert getpass.getuser() == "ada"
    shutil.rmtree(folder, ignore_errors=True)
    project = Path(tempfile.gettempdir()) / "project"
    project.mkdir()
    servers = postgresql.__wrapped__()
    server = next(servers)
    try:
        os.chdir(project)
        fill(project)
        url = server.fresh()
        with Workspace.open(project) as workspace:
            answers = json.dumps(told(workspace), indent=1)
            copied(workspace, url)
        folder.mkdir(parents=True)
        (folder / "told.json").write_text(answers + "\n", encoding="utf-8")
        texts = {
            "sqlite": dump_sqlite(project / ".mlops" / "catalog.db"),
            "postgresql": dump_postgresql(server, url, server.binaries),
        }
        for engine, text in texts.items():
            plain = re.sub(rf"\b{re.escape(socket.gethostname())}\b", "host", text)
            (folder / f"{engine}.sql").write_text(plain, encoding="utf-8")
        for name in ("blobs", "features"):
            shutil.copytree(project / name, folder / name)
        for path in (*project.glob("*.ipynb"), project / "pipeline.yaml", project / "mlops.toml"):
            shutil.copy(path, folder)
    finally:
        next(servers, None)
        shutil.rmtree(project)


if __name__ == "__main__":
    main()
