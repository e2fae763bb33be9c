"""An image that was made without a daemon, in a container: pulled by digest, loaded from a file, run as strictly.

Slow, since a base image is made first; see `conftest.containers` for what that takes.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_mlops.oci.cache import LayerCache
from jupyter_mlops.promotion import ship
from jupyter_mlops.promotion.assembly import make_context
from jupyter_mlops.promotion.captured import Capture
from jupyter_mlops.promotion.context import Built, Context
from jupyter_mlops.promotion.daemonless import build_without_daemon
from jupyter_mlops.promotion.lock import lock

from .conftest import Containers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]
SOURCES = (
    "week: int = 20  # the week",
    "import os\nimport jupyter_mlops as mlops\nfrom look import twice",
    "mlops.result('double', twice(week))\nmlops.result('uid', os.getuid())",
)
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
    needed = ship.closure(ship.BATCH, names=ship.names_used([notebook])).distributions
    locked = lock("".join(f"{name}\n" for name in needed), "", python=PYTHON, platforms=["linux/amd64"])
    assert locked.text, locked.problems
    capture = Capture(
        kind="batch",
        name="pull",
        python=PYTHON,
        platforms=("linux/amd64",),
        lock=locked.text,
        notebooks={"nb/pull.ipynb": notebook},
        modules={"nb/look.py": b"def twice(x):\n    return 2 * x\n"},
        import_paths=("nb",),
        source="nb/pull.ipynb",
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
