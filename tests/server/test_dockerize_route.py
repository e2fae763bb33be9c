"""Images from the panel: a look at what would be taken, and a folder that nobody else's files are lost by."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from .conftest import Server, notebook


@pytest.fixture(scope="module", autouse=True)
def report_notebook(server: Server) -> None:
    text = notebook("import yaml\nprint(yaml.safe_dump({'n': n}))", parameters="n: int = 3")
    (server.root / "report.ipynb").write_text(text)


def test_a_look_tells_what_would_be_taken_and_writes_nothing(server: Server) -> None:
    before = {path.name for path in server.root.iterdir()}
    asked = {"target": "report.ipynb", "is_locked": False}
    (image,) = server.post("/api/dockerize", asked, status=200)["images"]
    assert (image["name"], image["kind"], image["folder"]) == ("report", "batch", None)
    sections = {section["title"]: section["rows"] for section in image["sections"]}
    assert ["n", "int", "3", ""] in sections["Parameters"]
    assert any(row[0] == "pyyaml" for row in sections["Distributions"])
    assert any(row[0] == "report.ipynb" for row in sections["Files"])
    assert {path.name for path in server.root.iterdir()} == before


def test_what_somebody_else_wrote_is_left_alone(server: Server) -> None:
    folder = server.root / "mine"
    folder.mkdir()
    try:
        (folder / "Dockerfile").write_text("FROM scratch\n")
        (folder / "train.py").write_text("print()\n")
        answer = server.ask("POST", "/api/dockerize", json={"target": "report.ipynb", "folder": "mine"})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert sorted(path.name for path in folder.iterdir()) == ["Dockerfile", "train.py"]
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"target": "../report.ipynb"}, 404),
        ({"target": "nothing.ipynb"}, 404),
        ({"target": "mlops.toml"}, 400),
        ({"target": "models:/nobody/1"}, 404),
        ({"target": "report.ipynb", "folder": "../out"}, 404),
        ({"target": "report.ipynb", "folder": ".mlops"}, 404),
        ({"target": "report.ipynb", "folder": "/etc/out"}, 400),
        ({"target": ""}, 400),
    ],
)
def test_it_stays_below_the_root(server: Server, asked: dict[str, Any], status: int) -> None:
    answer = server.ask("POST", "/api/dockerize", json={"is_locked": False, **asked})
    assert answer.status_code == status, answer.text
    assert str(server.root) not in answer.text
