"""``jupyter mlops manifests``: files for Kubernetes, of pipelines, notebooks and models."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from jupyter_mlops.catalog.records import Image
from jupyter_mlops.cli import cli
from jupyter_mlops.workspace import Workspace

IMAGE = "registry.example/jobs/flights@sha256:" + "0" * 64
PIPELINE = """\
name: Flights_x
parameters:
  week: {type: int, default: 20}
  day: {type: date, default: 2024-01-02}
schedules:
  nightly: {cron: "0 2 * * *", timezone: Europe/Zurich, parameters: {week: 21}}
  weekly: {cron: "0 6 * * 1"}
tasks:
  pull:
    notebook: pull.ipynb
    matrix: {region: [east, west]}
    parameters: {week: "${params.week}", day: "${params.day}", region: "${matrix.region}"}
    resources: {cpu: 2, memory: 2Gi}
    timeout: 1h
    retries: 3
  train:
    notebook: pull.ipynb
    parameters: {week: "${tasks.pull.results.week}"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    body = {
        "cells": [],
        "metadata": {"mlops": {"resources": {"cpu": 3}}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "pull.ipynb").write_text(json.dumps(body))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def say(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["manifests", *words])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


SPACE = ("--option", "namespace=jobs")


def containers(text: str) -> dict[str, dict]:
    found = [each for each in yaml.safe_load_all(text) if each["kind"] in ("Job", "CronJob")]
    return {
        each["metadata"]["name"]: each["spec"].get("jobTemplate", each)["spec"]["template"]["spec"][
            "containers"
        ][0]
        for each in found
    }


def test_a_task_runs_by_the_pipelines_schedules_with_their_arguments(project):
    text = say(
        "pipeline.yaml",
        "--task",
        "pull[region=west]",
        "--image",
        IMAGE,
        *SPACE,
        "--executed",
        "s3://b/{week}.ipynb",
    )
    found = containers(text)
    assert found["flights-x-nightly"]["args"] == [
        "--notebook", "pull", "--output", "s3://b/{week}.ipynb",
        "-p", "week", "21", "-p", "day", "2024-01-02", "-p", "region", "west",
    ]  # fmt: skip
    assert found["flights-x-weekly"]["args"][5] == "week"
    assert found["flights-x-weekly"]["args"][6] == "20"
    assert found["flights-x-weekly"]["resources"]["requests"]["cpu"] == "2"
    (nightly, _) = [each for each in yaml.safe_load_all(text) if each["kind"] == "CronJob"]
    job = nightly["spec"]["jobTemplate"]["spec"]
    assert (job["activeDeadlineSeconds"], job["backoffLimit"]) == (3600, 3)


def test_what_is_typed_wins_over_a_schedule(project):
    words = ("pipeline.yaml", "--task", "pull[region=west]", "--image", IMAGE, *SPACE, "-p", "week", "7")
    assert {each["args"][4] for each in containers(say(*words)).values()} == {"7"}
    found = containers(say(*words, "--schedule", "*/5 * * * *", "--timezone", "Europe/Zurich"))
    assert list(found) == ["flights-x-schedule"]


def test_a_notebook_is_a_job_that_asks_for_what_it_says(project):
    (name, container), *rest = containers(
        say("pull.ipynb", "--image", IMAGE, *SPACE, "-p", "week", "3")
    ).items()
    assert not rest
    assert name.startswith("pull-")
    assert container["args"] == ["-p", "week", "3"]
    assert container["resources"]["requests"]["cpu"] == "3"
    (container,) = containers(
        say("pull.ipynb", "--image", IMAGE, *SPACE, "--cpu", "1", "--gpu", "1")
    ).values()
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_the_last_image_that_was_pushed_is_taken(project):
    with Workspace.open(project) as workspace:
        for number, is_pushed in enumerate([True, True, False]):
            image = Image(
                digest="sha256:" + f"{number}" * 64, name="localhost:5000/jobs/pull:1", kind="batch",
                is_pushed=is_pushed, source="pull.ipynb", created_at=datetime(2026, 1, 1 + number, tzinfo=UTC),
            )  # fmt: skip
            workspace.catalog.add(image)
    (container,) = containers(say("pull.ipynb", *SPACE)).values()
    assert container["image"] == "localhost:5000/jobs/pull@sha256:" + "1" * 64


def test_a_folder_is_written_once_and_told(project):
    words = ("pull.ipynb", "--image", IMAGE, *SPACE, "--schedule", "@daily", "-o", "k8s")
    document = json.loads(say(*words, "--json"))
    assert len(document["files"]) == 7
    assert (project / "k8s" / "base" / "cronjob-pull-schedule.yaml").exists()
    (project / "k8s" / "base" / "cronjob-pull-schedule.yaml").write_text("mine")
    assert "differs" in say(*words, code=2)
    say(*words, "--force")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("pull.ipynb", *SPACE), "no image of pull.ipynb has been pushed"),
        (("pull.ipynb", "--image", "flights:latest", *SPACE), "not given by its digest"),
        (("pull.ipynb", "--image", IMAGE), "needs a namespace"),
        (("pull.ipynb", "--image", IMAGE, "--option", "namespace"), "is no option"),
        (("pull.ipynb", "--image", IMAGE, "--option", "namspace=x"), "did you mean 'namespace'"),
        (("none.ipynb", "--image", IMAGE, *SPACE), "there is no notebook none.ipynb"),
        (("pipeline.yaml", "--image", IMAGE, *SPACE), "which task of Flights_x"),
        (("pipeline.yaml", "--image", IMAGE, *SPACE, "--task", "pull[region=wst]"), "did you mean"),
        (("pipeline.yaml", "--image", IMAGE, *SPACE, "--task", "train"), "needs what other tasks made"),
        (("pipeline.yaml", "--image", IMAGE, *SPACE, "--task", "train", "-p", "week", "x"), "week"),
        (("pipeline.yaml", "--image", IMAGE, *SPACE, "--task", "train", "-p", "wek", "1"), "wek"),
        (("pull.ipynb", "--image", IMAGE, *SPACE, "--schedule", "0 25 * * *"), "hour"),
        (("pull.ipynb", "--image", IMAGE, *SPACE, "--schedule", "@daily", "--timezone", "Mars/X"), "zone"),
        (("models:/nobody", *SPACE), "no model is called"),
    ],
)
def test_what_is_wrong_is_one_clear_error(project, words, message):
    said = say(*words, code=2)
    assert message in said
    assert "Traceback" not in said
