"""An image that was made without a daemon, in a container: pulled by digest, loaded from a file, run as strictly; it is
that of a pipeline, so that it also runs one of its tasks as a workflow of Argo's asks for it.

Slow, since containers are; see `conftest.base` for what the image below them is.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from jupyter_mlops.cli import cli
from jupyter_mlops.oci.cache import LayerCache
from jupyter_mlops.promotion import ship
from jupyter_mlops.promotion.assembly import make_context
from jupyter_mlops.promotion.captured import Capture
from jupyter_mlops.promotion.context import Built, Context
from jupyter_mlops.promotion.daemonless import build_without_daemon
from jupyter_mlops.promotion.lock import lock

from .conftest import Containers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SOURCES = (
    "week: int = 20  # the week",
    "import os\nimport jupyter_mlops as mlops\nfrom look import twice",
    "mlops.result('double', twice(week))\nmlops.result('uid', os.getuid())",
)
PIPELINE = b"""\
name: doubling
parameters: {week: 3}
tasks:
  pull: {notebook: pull.ipynb, parameters: {week: "${params.week}"}}
  again: {notebook: pull.ipynb, parameters: {week: "${tasks.pull.results.double}"}}
"""
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass(frozen=True)
class Made:
    containers: Containers
    context: Context
    cache: LayerCache
    built: Built


def context_of(base: str) -> Context:
    cells = [
        {"cell_type": "code", "id": f"c{place}", "outputs": [], "execution_count": None, "source": source,
         "metadata": {"tags": ["parameters"]} if not place else {}}
        for place, source in enumerate(SOURCES)
    ]  # fmt: skip
    notebook = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    entries = ship.entries_of(is_pipeline=True)
    needed = ship.closure(*entries, names=ship.names_used([notebook])).distributions
    locked = lock("".join(f"{name}\n" for name in needed), "", python=PYTHON, platforms=["linux/amd64"])
    assert locked.text, locked.problems
    capture = Capture(
        kind="batch",
        name="pull",
        python=PYTHON,
        platforms=("linux/amd64",),
        lock=locked.text,
        notebooks={"nb/pull.ipynb": notebook},
        files={"nb/pipeline.yaml": PIPELINE},
        modules={"nb/look.py": b"def twice(x):\n    return 2 * x\n"},
        import_paths=("nb",),
        tasks={"pull": "nb/pull.ipynb"},
        source="nb/pipeline.yaml",
    )
    return make_context(capture, base=base)


@pytest.fixture(scope="module")
def made(containers: Containers, tmp_path_factory: pytest.TempPathFactory) -> Made:
    base = f"{containers.registry}/library/python:{PYTHON}-slim"
    ours = f"docker.io/library/python:{PYTHON}-slim"
    containers.call("podman", "push", "-q", "--tls-verify=false", ours, f"docker://{base}")
    context, cache = context_of(base), LayerCache(tmp_path_factory.mktemp("daemonless-cache"))
    built = build_without_daemon(context, push=f"{containers.registry}/free/pull:1", cache=cache)
    return Made(containers, context, cache, built)


def results(made: Made, image: str, *words: str, user: str = "10001:10001") -> object:
    done = made.containers.run(image, *words, options=["--user", user])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["results"]


def test_it_is_pulled_by_its_digest_and_runs_whoever_runs_it(made: Made) -> None:
    image = made.built.reference
    made.containers.call("podman", "pull", "-q", "--tls-verify=false", image)
    assert results(made, image, "--week", "3") == {"double": 6, "uid": 10001}
    assert results(made, image, user="1000730000:0") == {"double": 40, "uid": 1000730000}
    user = made.containers.call(
        "podman", "image", "inspect", "--format", "{{.User}} {{.Config.Healthcheck}}", image
    )
    assert user.stdout.startswith("10001:10001")


def test_its_tasks_run_as_an_exported_workflow_asks_for_them(made: Made, tmp_path: Path) -> None:
    """Command, arguments and folder are those of the exported text; Argo's own words are filled in by hand."""
    (tmp_path / "nb").mkdir()
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "nb" / "pipeline.yaml").write_bytes(PIPELINE)
    words = ["export", str(tmp_path / "nb" / "pipeline.yaml"), "--to", "argo", "-o", str(tmp_path / "argo")]
    done = CliRunner().invoke(cli, [*words, "--image", made.built.reference, "-p", "week", "21"])
    assert done.exit_code == 0, done.output
    (file,) = (tmp_path / "argo").glob("*.yaml")
    templates = next(yaml.safe_load_all(file.read_text()))["spec"]["templates"]
    tasks = {one["name"]: one["container"] for one in templates if "container" in one}
    made.containers.call("podman", "pull", "-q", "--tls-verify=false", made.built.reference)
    for folder in ("blobs", "outputs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder).chmod(0o777)
    for name in ("pull", "again"):
        container = tasks[name]
        arguments = [
            word.replace("{{workflow.name}}", "w-1").replace("{{workflow.parameters.week}}", "21")
            for word in container["args"]
        ]
        outputs = arguments[arguments.index("--outputs") + 1]
        options = ["--workdir", container["workingDir"], "--entrypoint", json.dumps(container["command"])]
        options += ["-e", "MLOPS_BLOBS=/blobs", "-v", f"{tmp_path}/blobs:/blobs"]
        options += ["-v", f"{tmp_path}/outputs:{outputs}"]
        ran = made.containers.run(container["image"], *arguments, options=options)
        assert ran.returncode == 0, ran.stderr
    told = json.loads((tmp_path / "outputs" / "outcome.json").read_text())
    assert (told["task"], told["state"]) == ("again", "succeeded")
    assert told["results"] == {"double": 84, "uid": 10001}


def test_it_is_loaded_from_a_file_and_runs(made: Made, tmp_path: Path) -> None:
    build_without_daemon(made.context, output=tmp_path / "pull.tar", cache=made.cache)
    told = made.containers.call("podman", "load", "-q", "-i", str(tmp_path / "pull.tar"))
    assert "localhost/pull:latest" in told.stdout
    assert results(made, "localhost/pull:latest", "--week", "4") == {"double": 8, "uid": 10001}


def test_made_again_from_nothing_it_is_the_same(made: Made, tmp_path: Path) -> None:
    fresh = build_without_daemon(
        made.context, push=f"{made.containers.registry}/free/again:1", cache=LayerCache(tmp_path / "cache")
    )
    assert fresh.digest == made.built.digest
