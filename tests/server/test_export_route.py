"""A pipeline in another orchestrator's files, from the panel: a look, and a folder below the root."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_mlops.fingerprint import digest_bytes

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


BUILT = {"is_pushed": True, "name": "r/own:1", "reference": f"r/own@sha256:{'a' * 64}"}


def told_built(server: Server) -> dict[str, Any]:
    """What `dockerize sent/pipeline.yaml --push r/own:1 --json` writes, as far as an export reads it."""
    digest = f"sha256:{digest_bytes((server.root / 'sent' / 'pipeline.yaml').read_bytes())}"
    return {"captures": [{"name": "sent", "tasks": ["a", "b"], "source_digest": digest}], "images": [BUILT]}


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


def test_the_environments_of_a_pipeline_are_told(server: Server) -> None:
    """Tasks with a wish for a GPU have an environment of their own."""
    file = server.root / "sent" / "gpu.pipeline.yaml"
    file.write_text(PIPELINE.replace("needs: [a]", "needs: [a], resources: {gpu: 1}"))
    told = server.get("/api/pipelines/sent/gpu.pipeline.yaml/environments")["items"]
    assert [each["tasks"] for each in told] == [["a"], ["b"]]
    names = [each["name"] for each in told]
    asked = {
        "path": "sent/gpu.pipeline.yaml",
        "image": "r/all:1",
        "images": {names[1]: "r/gpu:1", names[0]: ""},
    }
    (made,) = ask(server, **asked).json()["files"]
    images = re.findall(r"image: (\S+)", made["text"])
    assert {"r/all:1", "r/gpu:1"} <= set(images)
    file.unlink()
    assert server.ask("GET", "/api/pipelines/sent/gpu.pipeline.yaml/environments").status_code == 404


def test_images_of_environments_and_what_was_built(server: Server) -> None:
    (file,) = ask(server, image="r/all:1", images={"sent": "r/own:1"}).json()["files"]
    assert "image: r/own:1" in file["text"]
    assert "r/all:1" not in file["text"], "the pipeline has this one environment"
    built = server.root / "sent" / "images.json"
    built.write_text(json.dumps(told_built(server)))
    (file,) = ask(server, built="sent/images.json").json()["files"]
    assert f"image: {BUILT['reference']}" in file["text"]
    (file,) = ask(server, built="sent/images.json", images={"sent": "r/new:1"}).json()["files"]
    assert "image: r/new:1" in file["text"]
    built.write_text("{}")
    assert told_at(ask(server, built="sent/images.json")) == ["built"]


def test_an_environment_of_notebooks_that_are_gone(server: Server) -> None:
    nb = server.root / "sent" / "sent.ipynb"
    text = nb.read_text()
    nb.unlink()
    try:
        answer = ask(server, images={"sent": "r/own:1"})
    finally:
        nb.write_text(text)
    assert answer.status_code == 404
    assert "there is no notebook" in answer.text
    assert str(server.root) not in answer.text


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({}, 400, "--image"),
        ({"images": {"sen": "r/own:1"}}, 404, "did you mean 'sent'"),
        ({"images": {"": "r/own:1"}}, 400, "names no environment"),
        ({"image": "i:1 and:2"}, 400, "image"),
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


def told_at(answer: Any) -> list[str]:
    """The fields of the request that the answer says something against."""
    return [each["where"] for each in answer.json()["problems"]]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "image"),
        ({"image": "I"}, "image"),
        ({"image": "i:1", "images": {"sent": "r/Own:1"}}, "images.sent"),
        ({"built": "sent/none.json"}, "built"),
        ({"built": "sent/sent.ipynb"}, "built"),
        ({"built": "../images.json"}, "built"),
        ({"built": ".mlops/catalog.db"}, "built"),
        ({"image": "i:1", "folder": "../out"}, "folder"),
        ({"image": "i:1", "folder": "sent/sent.ipynb"}, "folder"),
        ({"image": "i:1", "schedule": "61 * * * *"}, "schedule"),
        ({"image": "i:1", "timezone": "Mars"}, "timezone"),
    ],
)
def test_it_is_said_at_the_field_that_is_meant(server: Server, asked: dict[str, Any], field: str) -> None:
    answer = ask(server, **asked)
    assert answer.status_code in (400, 404), answer.text
    assert told_at(answer) == [field]
    assert str(server.root) not in answer.text
