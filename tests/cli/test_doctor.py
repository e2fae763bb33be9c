"""doctor: faults are planted one by one; each is found, and the command that is printed mends it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jupyter_mlops.catalog import Catalog, schema
from jupyter_mlops.catalog.engines import create_engine
from jupyter_mlops.project import surroundings
from jupyter_mlops.project.checkup import Check
from jupyter_mlops.project.doctor import examine

BIN = str(Path(sys.executable).parent)


@dataclass
class Place:
    """A project with an environment of its own; `env` is what its user's shell has."""

    root: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def examine(self, group: str) -> list[Check]:
        return examine(self.root, self.env, groups=[group])

    def apply(self, cure: str) -> None:
        """Type the command into a shell in the project's folder, and keep what it does to the environment."""
        done = subprocess.run(
            ["bash", "-c", f"{cure}\ncode=$?; env -0; exit $code"],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        pairs = (line.decode().partition("=") for line in done.stdout.split(b"\0") if b"=" in line)
        self.env = {name.splitlines()[-1]: value for name, _, value in pairs}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    root, home = tmp_path / "project", tmp_path / "home"
    (root / ".mlops").mkdir(parents=True)
    for name in ("config", "data"):
        (home / name).mkdir(parents=True)
    run = Path(tempfile.mkdtemp(prefix="run-"))  # a socket's path must be short
    for name in [n for n in os.environ if n.startswith("MLOPS_") or n == "PYTHONDONTWRITEBYTECODE"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(home / "config"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(home / "data"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")  # what the user says counts more than the environment
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    monkeypatch.setenv("MLOPS_ZYGOTE_LINGER_SECONDS", "0")
    (home / "data" / "labextensions" / "jupyter-mlops").mkdir(parents=True)
    (home / "data" / "labextensions" / "jupyter-mlops" / "package.json").write_text(
        json.dumps({"name": "jupyter-mlops", "version": "1.0.0", "jupyterlab": {"extension": True}})
    )
    yield Place(root, home, dict(os.environ))
    shutil.rmtree(run)


def _setting(text: str) -> Callable[[Place], None]:
    return lambda place: (place.root / "mlops.toml").write_text(text) and None


def _old_catalog(place: Place) -> None:
    """One that an earlier version wrote."""
    from alembic import command

    engine = create_engine(f"sqlite:///{place.root / '.mlops' / 'catalog.db'}", 5)
    with engine.connect() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.commit()
    engine.dispose()


def _broken_catalog(place: Place) -> None:
    Catalog.open(f"sqlite:///{place.root / '.mlops' / 'catalog.db'}").close()
    (place.root / ".mlops" / "catalog.db").write_bytes(b"this was a database " * 500)


def _nobody_listens() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _disabled_server(place: Place) -> None:
    """As `jupyter server extension disable --user jupyter_mlops` does it."""
    file = place.home / "config" / "jupyter_server_config.d" / "jupyter_mlops.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"jupyter_mlops": False}}}))


def _disabled_panel(place: Place) -> None:
    folder = place.home / "config" / "labconfig"
    folder.mkdir()
    (folder / "page_config.json").write_text(json.dumps({"disabledExtensions": {"jupyter-mlops": True}}))


def _open_zygotes(place: Place) -> None:
    folder = Path(os.environ["XDG_RUNTIME_DIR"]) / f"mlops-zygotes-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)


def _readable_secrets(place: Place) -> None:
    (place.root / ".env").write_text("API_KEY=x\n")
    (place.root / ".env").chmod(0o644)


def _elsewhere(place: Place) -> None:
    place.env["PATH"] = os.pathsep.join(p for p in place.env["PATH"].split(os.pathsep) if p != BIN)


def _set(name: str, value: str) -> Callable[[Place], None]:
    return lambda place: place.env.update({name: value})


FAULTS = {
    "a slip in the name of a setting": ("workspace", "settings", _setting("worker = 3\n")),
    "a setting of the wrong kind": ("workspace", "settings", _setting('# ours\nworkers = "many"\n')),
    "a setting that nobody knows": ("workspace", "settings", _setting("colour = 1\n")),
    "settings that are no TOML": ("workspace", "settings", _setting("workers = 2\nblobs = s3://mine\n")),
    "a slip in a variable": ("workspace", "settings", _set("MLOPS_WORKRES", "3")),
    "a wrong variable": ("workspace", "settings", _set("MLOPS_ISOLATION", "lukewarm")),
    "a cluster that nobody knows": ("workspace", "settings", _setting('cluster = "lokal"\n')),
    "a catalog of an earlier version": ("workspace", "catalog", _old_catalog),
    "a damaged catalog": ("workspace", "catalog", _broken_catalog),
    "a catalog on a server that is away": (
        "workspace",
        "catalog",
        _set("MLOPS_CATALOG", "postgresql://me@127.0.0.1:9/mlops?connect_timeout=2"),
    ),
    "a file where blobs should be": (
        "workspace",
        "blobs",
        lambda place: (place.root / ".mlops" / "blobs").write_text("") or None,
    ),
    "a cluster that is away": (
        "workspace",
        "cluster",
        lambda place: _setting(f'cluster = "tcp://127.0.0.1:{_nobody_listens()}"\n')(place),
    ),
    "an online store that is away": (
        "workspace",
        "online store",
        lambda place: _setting(f'online_store = "redis://127.0.0.1:{_nobody_listens()}/0"\n')(place),
    ),
    "secrets that others may read": ("workspace", "secrets", _readable_secrets),
    "a server extension that is disabled": ("jupyter", "server extension", _disabled_server),
    "a panel that is disabled": ("jupyter", "panel", _disabled_panel),
    "a folder of zygotes that is open to others": ("kernels", "zygotes", _open_zygotes),
    "a shell that keeps no bytecode": ("environment", "bytecode", _set("PYTHONDONTWRITEBYTECODE", "1")),
    "another environment on the path": ("environment", "command", _elsewhere),
}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(name, marks=pytest.mark.slow) if "panel" in name else name for name in FAULTS],
)
def test_a_planted_fault_is_found_and_its_cure_mends_it(fault: str, place: Place) -> None:
    group, name, plant = FAULTS[fault]
    plant(place)
    found = [check for check in place.examine(group) if check.state in ("warning", "problem")]
    assert [check.name for check in found] == [name], found
    assert found[0].cure, found
    place.apply(found[0].cure)
    left = [check for check in place.examine(group) if check.state in ("warning", "problem")]
    assert not left


def test_several_faults_of_the_settings_are_told_at_once(place: Place) -> None:
    (place.root / "mlops.toml").write_text('worker = 3\nisolation = "luke"\n')
    place.env["MLOPS_LOG_LEVEL"] = "loud"
    problems = [check for check in place.examine("workspace") if check.state == "problem"]
    assert len(problems) == 3
    for check in problems:
        place.apply(check.cure)
    assert all(check.state != "problem" for check in place.examine("workspace"))
    assert (place.root / "mlops.toml").read_text() == 'workers = 3\n# isolation = "luke"\n'


def test_what_no_command_can_mend_is_said(place: Place) -> None:
    file = place.home / "config" / "jupyter_server_config.json"
    file.write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"jupyter_mlops": False}}}))
    (check,) = [check for check in place.examine("jupyter") if check.state == "problem"]
    assert (check.cure, check.advice) == ("", f"take jupyter_mlops out of jpserver_extensions in {file}")


def test_what_no_line_can_mend_is_put_aside(place: Place) -> None:
    (place.root / "mlops.toml").write_bytes(b"\xff\xfe nothing")
    (check,) = [check for check in place.examine("workspace") if check.state == "problem"]
    place.apply(check.cure)
    assert (place.root / "mlops.toml.aside").exists()
    assert all(check.state != "problem" for check in place.examine("workspace"))


def test_libraries_that_do_not_fit_are_named_with_what_is_needed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = place.home / "older"
    (older / "pyflakes-1.0.dist-info").mkdir(parents=True)
    (older / "pyflakes-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: pyflakes\nVersion: 1.0\n"
    )
    monkeypatch.syspath_prepend(str(older))
    (check,) = surroundings.libraries()
    assert (check.state, check.message) == ("problem", "pyflakes is 1.0, needed: pyflakes>=3.2")
    assert check.cure.endswith("-m pip install 'pyflakes>=3.2'")


def test_a_full_disk_is_a_problem(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 2**20))
    checks = [check for check in place.examine("workspace") if check.name == "disk"]
    assert {(check.state, check.cure) for check in checks} == {("problem", "jupyter mlops clean")}


def test_looking_changes_nothing(place: Place) -> None:
    (place.root / ".mlops").rmdir()
    place.examine("workspace")
    assert list(place.root.iterdir()) == []


@pytest.mark.slow
def test_a_kernel_of_an_environment_that_is_gone(place: Place, spawn, finish, write_notebook) -> None:
    spec = place.home / "data" / "kernels" / "mine"
    spec.mkdir(parents=True)
    argv = [
        str(place.home / "gone" / "bin" / "python"),
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
    ]
    spec.joinpath("kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Mine", "language": "python"})
    )
    notebook = write_notebook(place.root / "train.ipynb", "1 + 1")
    notebook.write_text(notebook.read_text().replace('"name": "python3"', '"name": "mine"'))

    said = finish(spawn("doctor", "--json", cwd=place.root))
    assert said.code == 1, said
    checks = {check["name"]: check for check in said.json["checks"]}
    assert not said.json["is_good"]
    assert checks["kernel python3"]["state"] == "ok"
    assert checks["kernel mine"]["state"] == "problem"
    place.apply(checks["kernel mine"]["cure"])

    said = finish(spawn("doctor", cwd=place.root))
    assert said.code == 0, said
    assert "✔ kernel mine" in said.out
    assert said.out.splitlines()[-1] == "all is well"
