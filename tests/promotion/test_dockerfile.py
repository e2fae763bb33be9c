"""The Dockerfile: what hadolint says of it, what a parser reads from it, and that it is the same each time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

from jupyter_mlops.promotion import dockerfile
from jupyter_mlops.promotion.dockerfile import Copy, Recipe

PLAIN = Recipe(
    title="batch image of pull.ipynb",
    base="docker.io/library/python:3.11-slim",
    copies=[Copy(source="lib", target="/opt/app/lib", is_compiled=True), Copy(source="project", target="/project")],
    entrypoint=["python", "-m", "jupyter_mlops.promotion.entry_batch"],
    env={"PYTHONPATH": "/opt/app/lib"},
    labels={"org.opencontainers.image.title": "pull"},
    workdir="/project",
)  # fmt: skip
FULL = replace(
    PLAIN,
    has_packages=True,
    has_vcs=True,
    port=8080,
    healthcheck=["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz/live')"],
    labels={"org.opencontainers.image.title": 'a "title" that costs $5,\nin two lines \\'},
)  # fmt: skip
ROOT = replace(FULL, user="")
RECIPES = {"plain": PLAIN, "full": FULL, "root": ROOT}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_hadolint_has_nothing_to_say(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(dockerfile.render(recipe), encoding="utf-8")
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--failure-threshold", "style", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stdout
    assert "hadolint" not in path.read_text(encoding="utf-8"), "no rule is switched off"


def parsed(recipe: Recipe, tmp_path: Path) -> DockerfileParser:
    parser = DockerfileParser(path=str(tmp_path), env_replace=True)
    parser.content = dockerfile.render(recipe)
    return parser


def test_it_has_two_stages_from_a_literal_base(tmp_path: Path) -> None:
    parser = parsed(PLAIN, tmp_path)
    assert parser.is_multistage
    assert set(parser.parent_images) == {PLAIN.base}
    assert "ARG" not in {one["instruction"] for one in parser.structure}
    assert not parser.content.startswith("# syntax"), "it would be fetched from Docker Hub"


def test_distributions_come_before_code_and_code_before_labels(tmp_path: Path) -> None:
    steps = [f"{one['instruction']} {one['value']}" for one in parsed(PLAIN, tmp_path).structure]
    final = steps[len(steps) - steps[::-1].index("FROM docker.io/library/python:3.11-slim") :]
    order = [
        "COPY --from=build /opt/venv",
        "COPY --from=build /opt/app/lib",
        "COPY project",
        "ENV",
        "LABEL",
        "USER",
    ]
    places = [next(place for place, step in enumerate(final) if step.startswith(start)) for start in order]
    assert places == sorted(places)


def test_secrets_are_mounted_and_may_be_missing(tmp_path: Path) -> None:
    (install,) = [
        one["value"] for one in parsed(FULL, tmp_path).structure if "--require-hashes" in one["value"]
    ]
    for name in dockerfile.SECRETS:
        assert f"--mount=type=secret,id={name},target={dockerfile.SECRETS[name]},required=false" in install
    assert "--mount=type=cache" in install
    assert "PIP_NO_CACHE_DIR" not in dockerfile.render(FULL)


def test_values_are_quoted(tmp_path: Path) -> None:
    title = parsed(FULL, tmp_path).labels["org.opencontainers.image.title"]
    assert title == 'a "title" that costs \\$5, in two lines /', "the parser leaves this one escape alone"
    evil = replace(
        PLAIN, labels={"org.opencontainers.image.title": 'x"\nRUN touch /evil\n'}, title="a\nRUN b"
    )
    instructions = [one["instruction"] for one in parsed(evil, tmp_path).structure]
    assert instructions.count("RUN") == [
        one["instruction"] for one in parsed(PLAIN, tmp_path).structure
    ].count("RUN")


def test_entrypoint_and_health_have_the_exec_form(tmp_path: Path) -> None:
    steps = {one["instruction"]: one["value"] for one in parsed(FULL, tmp_path).structure}
    assert json.loads(steps["ENTRYPOINT"]) == list(FULL.entrypoint)
    assert json.loads(steps["HEALTHCHECK"].partition("CMD ")[2]) == list(FULL.healthcheck)
    assert steps["USER"] == "10001:10001"
    assert "USER" not in {one["instruction"] for one in parsed(ROOT, tmp_path).structure}


def test_packages_are_read_from_their_file(tmp_path: Path) -> None:
    text = dockerfile.render(FULL)
    assert "xargs -r -a /opt/app/packages.txt apt-get install -y --no-install-recommends" in text
    assert "apt-get" not in dockerfile.render(PLAIN)


def test_nothing_is_bound() -> None:
    """buildah's cache does not look into what is bound, and took an old lock's distributions for a new one's."""
    assert "type=bind" not in dockerfile.render(FULL)


def test_the_same_recipe_gives_the_same_text() -> None:
    assert dockerfile.render(FULL) == dockerfile.render(replace(FULL))


def test_paths_that_are_not_ours_are_refused() -> None:
    with pytest.raises(ValueError, match="not a path of ours"):
        dockerfile.render(replace(PLAIN, workdir="/opt/app\nRUN true"))
