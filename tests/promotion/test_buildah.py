"""Images, for real: built from the generated Dockerfile, pushed to a registry, pulled by digest, run, and asked.

Slow, since containers are; see `conftest.base` for what the image below them is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import NotFound
from jupyter_mlops.image_names import parse_reference
from jupyter_mlops.oci.registry import Registry
from jupyter_mlops.promotion import ship
from jupyter_mlops.promotion.assembly import make_context
from jupyter_mlops.promotion.build import build
from jupyter_mlops.promotion.build_secrets import own_secrets
from jupyter_mlops.promotion.captured import Capture
from jupyter_mlops.promotion.context import Built, Context
from jupyter_mlops.promotion.images import pinned
from jupyter_mlops.promotion.lock import lock

from .conftest import Containers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SOURCES = (
    "week: int = 20  # the week\nmode: str = ''",
    "import os\nimport time\nimport jupyter_mlops as mlops\nfrom look import twice",
    "open('written.txt', 'w').write('x')\nprint('week', week, open('../data/d.txt').read())",
    "if mode == 'fail':\n    raise ValueError('no')\nif mode == 'sleep':\n    print('sleeping')\n    time.sleep(60)",
    "mlops.result('double', twice(week))\nmlops.result('uid', os.getuid())\nmlops.artifact('kept', {'week': week})",
)
# What an image must not have, and when its newest file was changed.
PROBE = """
import pathlib
site = next(pathlib.Path("/opt/venv/lib").glob("python3*/site-packages"))
print([name for name in ("pip", "dask", "jupyterlab", "papermill", "sqlalchemy") if (site / name).exists()])
print([path for path in ("/etc/pip.conf", "/tmp/.netrc", "/tmp/.cache") if pathlib.Path(path).exists()])
print(max(path.lstat().st_mtime for path in pathlib.Path("/opt").rglob("*")))
"""


@dataclass(frozen=True)
class Made:
    """An image, how it came to be, and how long that took."""

    containers: Containers
    context: Context
    changed: Context  # the same but for a line of the user's
    built: Built

    @property
    def pulled(self) -> str:
        """The image by its digest, as it comes from the registry."""
        self.containers.call("podman", "pull", "-q", "--tls-verify=false", self.built.reference)
        return self.built.reference


def captured(folder: Path) -> Capture:
    cells = [
        {"cell_type": "code", "id": f"c{place}", "outputs": [], "execution_count": None, "source": source,
         "metadata": {"tags": ["parameters"]} if not place else {}}
        for place, source in enumerate(SOURCES)
    ]  # fmt: skip
    spec = {"name": "python3", "display_name": "Python", "language": "python"}
    nb = json.dumps(
        {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    needed = ship.closure(ship.BATCH, names=ship.names_used([nb])).distributions
    locked = lock("".join(f"{name}\n" for name in needed), "", python=version, platforms=["linux/amd64"])
    assert locked.text, locked.problems
    return Capture(
        kind="batch",
        name="pull",
        python=version,
        lock=locked.text,
        notebooks={"nb/pull.ipynb": nb},
        modules={"nb/look.py": b"def twice(x):\n    return 2 * x\n"},
        files={"data/d.txt": b"of data"},
        import_paths=("nb",),
        source="nb/pull.ipynb",
        source_digest="ab" * 32,
        commit="c0ffee",
    )


def built(containers: Containers, context: Context, tag: str, **options: Any) -> Built:
    name = f"{containers.registry}/team/pull:{tag}"
    kept = {key: os.environ.get(key) for key in containers.env}
    os.environ.update(containers.env)
    try:
        with own_secrets(os.environ) as secrets:
            return build(context, name=name, secrets=secrets, is_pushed=True, **options)
    finally:
        for key, value in kept.items():
            os.environ.pop(key) if value is None else os.environ.__setitem__(key, value)


@pytest.fixture(scope="module")
def batch(containers: Containers, tmp_path_factory: pytest.TempPathFactory) -> Made:
    capture = captured(tmp_path_factory.mktemp("batch-captured"))
    context = make_context(capture)
    other = replace(capture, modules={"nb/look.py": b"def twice(x):\n    return 3 * x\n"})
    return Made(containers, context, make_context(other), built(containers, context, "1", builder="buildah"))


def last_line(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout.strip(), done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that the container's user may write to."""
    tmp_path.chmod(0o777)
    return tmp_path


def test_the_notebook_runs_in_a_container_that_may_do_nothing(batch: Made, out: Path) -> None:
    done = batch.containers.run(
        batch.pulled, "--week", "3", "--output", "/out/", options=["-v", f"{out}:/out"]
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "week 3 of data"
    assert last_line(done)["results"] == {"double": 6, "uid": 10001}
    assert '"week 3 of data' in (out / "pull.ipynb").read_text()
    assert list((out / "blobs").rglob("*"))


def test_arguments_come_from_the_environment_too_and_any_user_will_do(batch: Made) -> None:
    options = ["-e", "MLOPS_PARAM_WEEK=5", "--user", "1000730000:0"]
    done = batch.containers.run(batch.pulled, options=options)
    assert last_line(done)["results"] == {"double": 10, "uid": 1000730000}
    assert last_line(batch.containers.run(batch.pulled, options=["--user", "0"]))["results"]["uid"] == 0


def test_exit_codes_of_a_container(batch: Made) -> None:
    assert batch.containers.run(batch.pulled, "--mode", "fail").returncode == 1
    wrong = batch.containers.run(batch.pulled, "--week", "soon")
    assert (wrong.returncode, "must be int" in wrong.stderr) == (64, True)
    told = batch.containers.run(batch.pulled, "--help")
    assert (told.returncode, "--week INT" in told.stdout) == (0, True)


def test_stopping_a_container_saves_the_notebook(batch: Made, out: Path) -> None:
    call = batch.containers.call
    name = f"stops-{os.getpid()}"
    words = ["--mode", "sleep", "--output", "/out/stopped.ipynb"]
    call(
        "podman",
        "run",
        "-d",
        "--name",
        name,
        "--read-only",
        "--cap-drop",
        "ALL",
        "-v",
        f"{out}:/out",
        batch.pulled,
        *words,
    )
    for _ in range(300):
        if "sleeping" in call("podman", "logs", name).stdout:
            break
        time.sleep(0.1)
    call("podman", "stop", "-t", "20", name)
    assert call("podman", "inspect", "--format", "{{.State.ExitCode}}", name).stdout.strip() == "143"
    assert "KeyboardInterrupt" in (out / "stopped.ipynb").read_text()


def test_nothing_of_this_machine_is_in_the_image(batch: Made) -> None:
    call = batch.containers.call
    done = call("podman", "run", "--rm", "--user", "0", "--entrypoint", "python", batch.pulled, "-c", PROBE)
    found, secrets, newest = done.stdout.splitlines()
    assert (found, secrets, newest) == ("[]", "[]", f"{float(batch.context.epoch)}")
    history = batch.containers.call("podman", "history", "--no-trunc", batch.pulled).stdout
    assert not [secret for secret in ("http://", "https://", "index-url") if secret in history]


def test_labels_tell_where_it_comes_from(batch: Made) -> None:
    text = batch.containers.call("podman", "image", "inspect", batch.pulled).stdout
    labels = json.loads(text)[0]["Labels"]
    assert {name: labels.get(name) for name in batch.context.labels} == dict(batch.context.labels)
    assert json.loads(text)[0]["Config"]["User"] == "10001:10001"


def test_a_base_is_pinned_by_what_its_registry_says(batch: Made) -> None:
    name = f"{batch.containers.registry}/team/pull"
    assert pinned(f"{name}:1") == f"{name}:1@{batch.built.digest}"
    assert pinned(batch.built.reference) == batch.built.reference
    with pytest.raises(NotFound):
        pinned(f"{name}:none")


def test_the_same_input_gives_the_same_digest(batch: Made) -> None:
    """By another builder, from the cache; and by this one, with no cache at all."""
    started = time.monotonic()
    again = built(batch.containers, batch.context, "2", builder="podman")
    assert again.digest == batch.built.digest
    assert time.monotonic() - started < batch.built.seconds, "the cache was of no use"
    anew = built(batch.containers, batch.context, "3", builder="buildah", is_cached=False)
    assert anew.digest == batch.built.digest


def test_other_code_gives_another_image_and_the_same_layer_of_distributions(batch: Made) -> None:
    other = built(batch.containers, batch.changed, "4", builder="buildah")
    reference = parse_reference(batch.built.reference)
    layers = [
        [
            layer["digest"]
            for layer in Registry.of(reference).read_manifest(reference.repository, digest).document["layers"]
        ]
        for digest in (batch.built.digest, other.digest)
    ]
    assert other.digest != batch.built.digest
    assert layers[0][:3] == layers[1][:3], "base, distributions and our own files"
