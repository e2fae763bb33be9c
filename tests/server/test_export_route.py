"""A pipeline in another orchestrator's files, from the panel: a look, and a folder below the root."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Server, notebook

PIPELINE = """\
name: sent
tasks:
  a: {notebook: sent.ipynb}
  b: {notebook: sent.ipynb, needs: [a], run_if: all_done, priority: 3}
"""


@pytest.fixture(scope="module", autouse=True)
def sent(server: Server) -> Iterator[None]:
    folder = server.root / "sent"
    folder.mkdir()
    (folder / "sent.ipynb").write_text(notebook("n + 1", parameters="n: int = 3"))
    (folder / "pipeline.yaml").write_text(PIPELINE)
    yield
    shutil.rmtree(folder)


def ask(server: Server, **asked: Any) -> Any:
    return server.ask("POST", "/api/export", json={"path": "sent/pipeline.yaml", "target": "argo", **asked})


def test_a_look_writes_nothing(server: Server) -> None:
    answer = ask(server, image="i:1")
    assert answer.status_code == 200, answer.text
    assert [each["name"] for each in answer.json()["files"]] == ["sent.yaml"]
    assert any("priority" in note for note in answer.json()["notes"])
    assert answer.json()["folder"] is None
    assert not (server.root / "sent" / "argo").exists()
    assert str(server.root) not in ask(server, target="airflow").text


def test_it_is_written_and_not_over_what_somebody_changed(server: Server) -> None:
    asked = {"image": "i:1", "folder": "sent/argo", "schedule": "0 6 * * 1", "timezone": "Europe/Zurich"}
    assert ask(server, **asked).json()["folder"] == "sent/argo"
    file = server.root / "sent" / "argo" / "sent.yaml"
    assert "Europe/Zurich" in file.read_text()
    file.write_text("mine")
    assert ask(server, **asked).status_code == 409
    assert file.read_text() == "mine"
    assert ask(server, **asked, is_forced=True).status_code == 200
    assert file.read_text() != "mine"


def test_images_of_environments_stand_in_one_line(server: Server) -> None:
    (file,) = ask(server, image="r/all:1  sent=r/own:1").json()["files"]
    assert "image: r/own:1" in file["text"]
    assert "r/all:1" not in file["text"], "the pipeline has this one environment"


def test_an_environment_of_notebooks_that_are_gone(server: Server) -> None:
    nb = server.root / "sent" / "sent.ipynb"
    text = nb.read_text()
    nb.unlink()
    try:
        answer = ask(server, image="sent=r/own:1")
    finally:
        nb.write_text(text)
    assert answer.status_code == 404
    assert "there is no notebook" in answer.text
    assert str(server.root) not in answer.text


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({}, 400, "--image"),
        ({"image": "sen=r/own:1"}, 404, "did you mean 'sent'"),
        ({"image": "i:1 and:2"}, 400, "two images for all tasks"),
        ({"image": "I"}, 400, "no name of an image"),
        ({"target": "kubeflow"}, 400, "--image"),
        ({"target": "cron"}, 400, "cron"),
        ({"path": "sent/none.yaml"}, 404, "none.yaml"),
        ({"path": "../pipeline.yaml"}, 404, ""),
        ({"image": "i:1", "folder": "../out"}, 404, ""),
        ({"image": "i:1", "folder": ".mlops"}, 404, ""),
        ({"image": "i:1", "schedule": "weekly"}, 400, "five fields"),
        ({"image": "i:1", "timezone": "Mars"}, 400, "Mars"),
    ],
)
def test_what_cannot_be_is_said(server: Server, asked: dict[str, Any], status: int, told: str) -> None:
    answer = ask(server, **asked)
    assert answer.status_code == status, answer.text
    assert told in answer.text
    assert str(server.root) not in answer.text
