"""`workspace.images`, the command and the magic over it: what they make of a target, and what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jupyter_mlops import Workspace
from jupyter_mlops.catalog import Image, LineageLink
from jupyter_mlops.cli.dockerize import dockerize, images
from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.promotion.capture import CaptureOptions
from jupyter_mlops.promotion.captured import Capture
from jupyter_mlops.promotion.context import Built
from jupyter_mlops.promotion.images import BuildOptions, Prepared, default_name, names_for

DIGEST = "sha256:" + "cd" * 32
UNLOCKED = CaptureOptions(is_locked=False)
CAPTURE = Capture(
    kind="batch", name="pull", python="3.11", lock="x==1 --hash=sha256:" + "0" * 64 + "\n", source="nb/pull.ipynb",
    source_digest="sha256:" + "ab" * 32,
)  # fmt: skip
MODEL = replace(CAPTURE, kind="serving", name="delay", source="models:/delay/3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a notebook and a pipeline of two."""
    (tmp_path / "mlops.toml").write_text("")
    for name, source in {"pull": "week: int = 20  # the week", "train": "x = 1"}.items():
        cells = [
            {"cell_type": "code", "id": f"c{place}", "outputs": [], "execution_count": None, "source": text,
             "metadata": {"tags": [] if place else ["parameters"]}}
            for place, text in enumerate([source, "import jupyter_mlops as mlops\nmlops.result('a', 1)"])
        ]  # fmt: skip
        spec = {"name": "python3", "display_name": "Python", "language": "python"}
        nb = {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(nb))
    (tmp_path / "pipeline.yaml").write_text(
        "name: flights\ntasks:\n  first: {notebook: pull.ipynb}\n  second: {notebook: train.ipynb}\n"
    )
    return tmp_path


def run(folder: Path, *words: str, command: Any = dockerize) -> Any:
    return CliRunner().invoke(command, [*words, "-w", str(folder)], catch_exceptions=False)


def test_without_anything_else_it_tells_what_would_be_taken(folder: Path) -> None:
    done = run(folder, str(folder / "pull.ipynb"), "--no-lock")
    assert done.exit_code == 0
    assert "ipykernel" in done.stdout
    assert "week" in done.stdout
    assert not (folder / ".mlops").exists(), "a look opens no catalog"


def test_json_has_the_captures(folder: Path) -> None:
    done = run(folder, str(folder), "--no-lock", "--json")
    (capture,) = json.loads(done.stdout)["captures"]
    assert (capture["name"], sorted(capture["notebooks"])) == ("flights", ["pull.ipynb", "train.ipynb"])


def test_nothing_is_written_of_what_is_not_locked(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="not locked"):
        run(folder, str(folder / "pull.ipynb"), "--no-lock", "-o", str(folder / "out"))
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["pul.ipynb"], NotFound, "no notebook or pipeline"),
        (["mlops.toml"], InvalidInput, "neither a notebook"),
        (["models:/delay@champion"], NotFound, "delay"),
        (["pull.ipynb", "--push", "a:1", "--name", "b:1"], InvalidInput, "two names"),
        (["pull.ipynb", "--build", "--secret", "password=x"], InvalidInput, "no secret 'password'"),
    ],
)
def test_what_it_refuses(
    folder: Path, words: list[str], error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(error, match=said):
        run(folder, *words, "--no-lock")


def test_names_of_images() -> None:
    assert default_name(CAPTURE) == "pull:abababababab"
    assert default_name(MODEL) == "delay:3"
    assert names_for([CAPTURE], "r.example/a:1") == ["r.example/a:1"]
    other = replace(CAPTURE, name="train")
    assert names_for([CAPTURE, other], "r.example/team:1") == [
        "r.example/team/pull:1",
        "r.example/team/train:1",
    ]
    with pytest.raises(InvalidInput, match="by its digest"):
        names_for([CAPTURE, other], f"r.example/team@{DIGEST}")


def test_python_needs_somewhere_to_go_and_a_signature_something_pushed(folder: Path) -> None:
    with Workspace.open(folder) as workspace:
        with pytest.raises(InvalidInput, match="no store"):
            workspace.images.build(Prepared(CAPTURE), BuildOptions(builder="python"))
        (folder / "key.pem").write_text("no key")
        with pytest.raises(InvalidInput):
            workspace.images.build(Prepared(CAPTURE), BuildOptions(key=folder / "key.pem"))
        with pytest.raises(InvalidInput, match="not locked"):
            workspace.images.build(Prepared(replace(CAPTURE, lock="")))


def test_what_was_built_is_kept_with_its_lineage(folder: Path) -> None:
    built = Built(
        name="r.example/delay:3",
        digest=DIGEST,
        builder="buildah",
        is_pushed=True,
        size_bytes=5,
        platforms=("linux/amd64",),
    )
    with Workspace.open(folder) as workspace:
        kept = workspace.images.record(MODEL, built)
        assert workspace.images.find() == [kept]
        assert workspace.images.find(source="models:/delay/4") == []
        (link,) = workspace.catalog.find(LineageLink)
        assert (link.source_kind, link.source) == ("model", "delay/3")
        assert (link.target_kind, link.target) == ("image", f"r.example/delay@{DIGEST}")
        workspace.images.record(CAPTURE, replace(built, name="pull:1", is_pushed=False))
    listed = run(folder, command=images)
    assert [word in listed.stdout for word in ("r.example/delay:3", "pushed", "pull:1", "local")] == [
        True
    ] * 4
    (first, _) = json.loads(run(folder, "--json", command=images).stdout)["images"]
    assert first["source"] in ("nb/pull.ipynb", "models:/delay/3")


def test_an_image_is_meant_by_its_digest() -> None:
    image = Image(
        digest=DIGEST,
        name="localhost:5000/team/pull:1",
        kind="batch",
        source="",
        created_at=datetime.now(UTC),
    )
    assert image.reference == f"localhost:5000/team/pull@{DIGEST}"


def test_no_images_yet(folder: Path) -> None:
    assert "no images yet" in run(folder, command=images).stderr


# --- from a notebook ----------------------------------------------------------------------------------------


def test_the_twin_shows_a_report_and_escapes_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import jupyter_mlops as mlops
    from jupyter_mlops.session.place import close_workspace

    monkeypatch.chdir(folder)
    evil = json.loads((folder / "pull.ipynb").read_text())
    evil["cells"][0]["source"] = "week: int = 20  # <script>alert(1)</script>"
    (folder / "pull.ipynb").write_text(json.dumps(evil))
    try:
        made = mlops.dockerize("pull.ipynb", lock=False)
        assert made.captures[0].name == "pull"
        assert "<script>" not in made._repr_html_()
        assert "ipykernel" in repr(made)
        with pytest.raises(InvalidInput, match="not locked"):
            mlops.dockerize("pull.ipynb", lock=False, output="out")
    finally:
        close_workspace()
