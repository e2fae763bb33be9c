"""A model's image for arm64, made on amd64 without a daemon, answers where instructions of arm64 are carried out.

QEMU carries them out, as one program (``qemu-aarch64-static``) that the container is given: nothing is registered with
this machine's kernel. The base is Debian's own Python for arm64, unpacked and never configured.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Containers, needed
from .served import REGISTER, ask, free_port, mlops, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EMULATOR = "qemu-aarch64-static"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
PACKAGES = f"python{PYTHON},ca-certificates,libstdc++6"  # as `python:slim` has


@pytest.fixture(scope="module")
def arm_base(containers: Containers, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its name in the registry."""
    if shutil.which(EMULATOR) is None:
        needed("arm64 is emulated by QEMU: apt-get install qemu-user-static")
    folder = tmp_path_factory.mktemp("arm64")
    root, name = folder / "root.tar", f"{containers.registry}/debian/python-arm64:{PYTHON}"
    words = ["--quiet", "--variant=extract", "--architectures=arm64", f"--include={PACKAGES}"]
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    containers.call("mmdebstrap", *words, release, str(root), timeout=300)
    changes = ["ENV PATH=/opt/python:/usr/bin:/bin", f"ENV PYTHON_VERSION={PYTHON}"]
    link = folder / "opt" / "python" / "python"
    link.parent.mkdir(parents=True)
    link.symlink_to(f"/usr/bin/python{PYTHON}")
    subprocess.run(["tar", "-rf", root, "-C", folder, "./opt"], check=True)
    options = [word for change in changes for word in ("--change", change)]
    containers.call("podman", "import", "-q", "--os", "linux", "--arch", "arm64", *options, str(root), name)
    containers.call("podman", "push", "-q", "--tls-verify=false", name)
    return name


def test_a_model_s_image_for_arm64_answers(containers: Containers, arm_base: str, tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "register.py").write_text(REGISTER)
    subprocess.run([sys.executable, "register.py"], cwd=tmp_path, check=True, capture_output=True)
    words = ["--builder", "python", "--arch", "linux/arm64", "--base", arm_base]
    name = f"{containers.registry}/team/twice-arm64:1"
    (image,) = mlops(containers, tmp_path, "dockerize", "models:/twice@champion", *words, "--push", name)[
        "images"
    ]

    containers.call("podman", "pull", "-q", "--tls-verify=false", "--arch", "arm64", image["reference"])
    shown = containers.call("podman", "image", "inspect", image["reference"]).stdout
    config = json.loads(shown)[0]
    assert (config["Architecture"], config["Config"]["User"].split(":")[0]) == ("arm64", "10001")
    program, *arguments = config["Config"]["Entrypoint"]
    port = free_port()
    emulated = ["/emulator", f"/opt/python/{program}"]
    options = ("--arch", "arm64", "-v", f"{shutil.which(EMULATOR)}:/emulator:ro", "-e", f"PORT={port}")
    options += ("--entrypoint", json.dumps([*emulated, *arguments]))
    with running(containers, image["reference"], options=options) as container:
        wait_for(port, seconds=120)
        assert ask(port, "/invocations", {"inputs": [[1.0, 2.0], [3.0, 4.0]]})[1] == {
            "predictions": [6.0, 14.0]
        }
        probe = "import platform, numpy; print(platform.machine(), numpy.asarray([1.5]).sum())"
        told = containers.call("podman", "exec", container, *emulated, "-c", probe)
        assert told.stdout.split() == ["aarch64", "1.5"]
