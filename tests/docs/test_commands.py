"""What stands in the consoles of the pages is typed, in the order of its page, in such a project as the page takes for
granted; `console.py` says what a reader puts in, and which lines are typed elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.settings import Settings
from jupyter_mlops.workspace import Workspace

from . import console, project
from .conftest import ROOT
from .console import OURS, SHELL, STEPS, Step, is_typed
from .test_examples import _commands

PAGES = list(dict.fromkeys(step.page for step in OURS if is_typed(step)))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a project that has been run, to be copied; and a home of its own, for all who type."""
    folder = tmp_path_factory.mktemp("docs-commands")
    sockets = tempfile.mkdtemp(prefix="docs-")  # a socket's path must be short
    homes = {"HOME": ".", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "share", "XDG_CACHE_HOME": "cache"}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CI", "FORCE_COLOR", "NO_COLOR", "PYTHONDONTWRITEBYTECODE"):
            patch.delenv(name, raising=False)
        for variable, place in homes.items():
            (folder / "home" / place).mkdir(parents=True, exist_ok=True)
            patch.setenv(variable, str(folder / "home" / place))
        patch.setenv("XDG_RUNTIME_DIR", sockets)
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("MLOPS_ZYGOTE_LINGER_SECONDS", "0")
        (folder / "project").mkdir()
        patch.chdir(folder / "project")
        project.make()
        yield folder / "project"
    shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture(scope="module")
def typed() -> set[str]:
    """What means the same on each page and was typed on one."""
    return set()


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that takes everything, and the paths that were asked there."""
    asked: list[str] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@dataclass
class Reader:
    """Somebody who types the lines of a page, one after the other."""

    patch: pytest.MonkeyPatch
    places: dict[str, str]
    wrong: list[str] = field(default_factory=list)

    def words(self, step: Step) -> list[str]:
        """What is typed: with what the page leaves to its reader."""
        made = {there: here.format_map(self.places) for there, here in console.PUT_IN.items()}
        return [made.get(word, word) for word in (step.given if step.is_ours else step.words)]

    def type(self, step: Step) -> None:
        words = self.words(step)
        if not step.is_ours:
            return self.type_other(words)
        if console.DRY.match(step.command):
            self.aim(step, words)
        code, said = project.enter(*(word for word in words if word != console.WATCH))
        if code not in console.CODES.get(step.command, {0}):
            self.wrong.append(f"{step} → {code}\n{said}")
        missing = [word for word in _names(step.answer) if word not in _names(said.splitlines())]
        if missing:
            self.wrong.append(f"{step} does not say {missing}:\n{said}")
        if url := re.search(r"^url +(http\S+)", said, re.MULTILINE):
            self.places["endpoint"] = url[1]
        return None

    def type_other(self, words: list[str]) -> None:
        """Of what is not ours, what the next lines need."""
        if words[0] == "cd":
            self.patch.chdir(words[1])
        elif words[0] == "export":
            self.patch.setenv(*words[1].split("=", 1))
        elif words[0] == "curl" and shutil.which("curl"):
            done = subprocess.run(["curl", "-sf", *words[1:]], capture_output=True, text=True, timeout=60)
            if "predictions" not in done.stdout:
                self.wrong.append(f"{words} → {done.returncode}\n{done.stdout}")

    def aim(self, step: Step, words: list[str]) -> None:
        """At a cloud: its registry has images, and nothing is sent."""
        target = words[words.index("--target") + 1]
        (model,) = re.findall(r"^(?:models:/)?([\w-]+)", words[1])
        if "--image" not in words:
            for version in range(1, 5):
                project.push(f"{project.REGISTRIES[target]}/{model}", f"models:/{model}/{version}")
        if "--dry-run" not in words:
            words.append("--dry-run")
            if target == "kubernetes" and "-o context=" not in step.command:
                self.wrong.append(f"{step} names no context, without which nothing is applied")


def _names(lines: Any) -> list[str]:
    """What lines of facts and of checks begin with, which stays the same whatever comes behind."""
    told = [re.match(r"(?:[✔✘⚠·] )?([a-z]+)\b  ?", line) for line in lines]
    return [match[1] for match in told if match]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_type_works(
    page: str,
    world: Path,
    typed: set[str],
    receiver: tuple[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "elsewhere").mkdir()
    reader = Reader(
        monkeypatch, {"elsewhere": str(tmp_path / "elsewhere"), "receiver": receiver[0], "endpoint": ""}
    )
    steps = [step for step in STEPS if step.page == page and (is_typed(step) or not step.is_ours)]
    parts = [[step] for step in steps] if page in console.ALTERNATIVES else [steps]
    for number, part in enumerate(parts):
        project.begin(page, world, tmp_path / f"project-{number}", monkeypatch)
        project.foreign({step.command for step in part if step.is_ours})
        root = Path.cwd()
        try:
            for step in part:
                if step.command not in typed or not step.is_ours:
                    reader.type(step)
                typed |= {step.command} & console.ONCE
        finally:
            with Workspace(Settings.load(root)) as workspace:
                for one in workspace.deployments.find():
                    workspace.deployments.remove(one.name)
    assert not reader.wrong, "\n\n".join(reader.wrong)
    assert page != "docs/standards.md" or {path.split("/")[1] for path in receiver[1]} == {"api", "v1"}


@pytest.mark.slow
def test_a_line_works_in_a_shell(world: Path, tmp_path: Path) -> None:
    """Whatever the pages say in one line, with `cd` and all, by the program that Jupyter finds."""
    (block,) = (each for each in SHELL if each.page.name == "cli.md")
    done = subprocess.run(["sh", "-c", block.text], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "demo succeeded" in done.stdout + done.stderr


def test_every_command_line_is_typed_or_says_where() -> None:
    told = [command for block in SHELL for command in _commands(block.text) if not command.startswith("#")]
    assert len(OURS) == len(told)  # a package's name before a remark is none
    assert not console.ELSEWHERE.keys() - {step.command for step in OURS}, "no longer there"
    assert not console.RECIPES.keys() - {step.page for step in OURS}, "no longer there"
    words = {word for step in STEPS for word in step.words}
    assert not console.PUT_IN.keys() - words, "no longer there"


@pytest.mark.parametrize("reason", sorted({*console.ELSEWHERE.values(), *console.RECIPES.values()}))
def test_what_is_typed_elsewhere_is(reason: str) -> None:
    path, _, name = reason.rpartition(" ")[2].partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
