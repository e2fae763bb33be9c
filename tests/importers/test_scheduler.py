"""jupyter-scheduler's job definitions, as its REST API and its database have them."""

from __future__ import annotations

import json
import sqlite3

import pytest

from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.importers import read
from jupyter_mlops.pipelines import parse_pipeline

DEFINITION = {
    "name": "weekly report", "input_filename": "report.ipynb", "runtime_environment_name": "base",
    "output_formats": ["ipynb", "html"], "parameters": {"n": "3", "who": "'me'", "raw": "os.getcwd()", "ref": "${x}"},
    "schedule": "0 6 * * 1", "timezone": "Europe/Zurich", "active": False, "tags": ["a"],
}  # fmt: skip


def test_a_definition_of_the_api(tmp_path):
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"job_definitions": [DEFINITION], "total_count": 1}))
    imported = read(path)
    (task,) = imported.pipeline.tasks
    assert task.notebook == "report.ipynb"
    assert task.parameters == {"n": 3, "who": "me", "raw": "os.getcwd()", "ref": "$${x}"}
    spec = imported.pipeline.schedules["imported"]
    assert (spec.cron, spec.timezone, spec.is_paused) == ("0 6 * * 1", "Europe/Zurich", True)
    told = "\n".join(imported.lost)
    assert all(what in told for what in ("html", "'base'", "tags"))
    again = parse_pipeline(imported.files()["pipeline.yaml"])
    assert again.tasks == imported.pipeline.tasks
    assert again.schedules == imported.pipeline.schedules


def test_the_database(tmp_path):
    path = tmp_path / "scheduler.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE job_definitions (name, input_filename, parameters, schedule, timezone, active)"
        )
        row = ("nightly", "night.ipynb", '{"n": "1.5"}', None, None, 1)
        connection.execute("INSERT INTO job_definitions VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.close()
    (task,) = read(path).pipeline.tasks
    assert (task.name, task.parameters) == ("nightly", {"n": 1.5})


def test_schedules_that_differ_are_not_mixed(tmp_path):
    path = tmp_path / "d.json"
    path.write_text(json.dumps([DEFINITION, {**DEFINITION, "schedule": "0 7 * * *"}]))
    with pytest.raises(InvalidInput, match="2 schedules"):
        read(path)


def test_nothing_there(tmp_path):
    (tmp_path / "d.json").write_text("[]")
    with pytest.raises(NotFound):
        read(tmp_path / "d.json", "jupyter-scheduler")
    (tmp_path / "x.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(InvalidInput, match="no database"):
        read(tmp_path / "x.sqlite")
