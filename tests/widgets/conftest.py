"""A small project, and a real kernel in which a notebook's cells run against it."""

from __future__ import annotations

import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbformat import v4

PIPELINE = """\
name: small
description: pull, then train
parameters:
  week: {type: int, default: 1, help: which week}
tasks:
  pull:
    notebook: pull.ipynb
    parameters: {week: "${params.week}"}
  train:
    notebook: train.ipynb
    parameters: {rows: "${tasks.pull.results.rows}"}
"""


def notebook(path: Path, *cells: str, parameters: str = "", metadata: dict[str, Any] | None = None) -> Path:
    """A notebook file of code cells; `parameters` is the tagged one."""
    nb = v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    nb.metadata.update(metadata or {})
    if parameters:
        nb.cells.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    nb.cells += [v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nb, path)
    return path


def papermill(folder: Path, name: str) -> Any:
    """The notebook as papermill leaves it."""
    command = [sys.executable, "-m", "papermill", name, "out.ipynb", "--no-progress-bar"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return nbformat.read(folder / "out.ipynb", 4)


@pytest.fixture
def project(tmp_path: Path, warm_zygotes: None) -> Path:
    """A pipeline of two tasks, each quick."""
    (tmp_path / "mlops.toml").write_text("workers = 2\n")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    emit = "import jupyter_mlops as mlops"
    notebook(tmp_path / "pull.ipynb", emit, "mlops.result('rows', 10 * week)", parameters="week: int = 1")
    notebook(tmp_path / "train.ipynb", emit, "mlops.result('auc', rows / 100)", parameters="rows: int = 0")
    return tmp_path


@dataclass
class Answer:
    """What a cell left: its displays by id (as they stand at the end, and how often each was replaced), its
    streams, its error, and the messages of widgets."""

    displays: dict[str, dict[str, Any]] = field(default_factory=dict)
    updates: dict[str, int] = field(default_factory=dict)
    text: str = ""
    error: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    comms: list[dict[str, Any]] = field(default_factory=list)


class Session:
    """A kernel and its front end's side."""

    def __init__(self, folder: Path) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(folder))
        self.answer = Answer()

    def run(self, code: str, timeout: float = 60) -> Answer:
        """Execute a cell and gather what comes of it."""
        self.answer = Answer()
        wanted = self.client.execute(code)
        self._gather(lambda message: message["parent_header"].get("msg_id") == wanted, timeout)
        return self.answer

    def send(self, comm_id: str, **state: Any) -> Answer:
        """What a front end sends when somebody moves a widget."""
        return self._tell(comm_id, {"method": "update", "state": state, "buffer_paths": []})

    def click(self, comm_id: str) -> Answer:
        """A button is pressed."""
        return self._tell(comm_id, {"method": "custom", "content": {"event": "click"}})

    def until(self, done: Callable[[], bool], timeout: float = 60) -> None:
        """Gather what threads of the kernel send, until that is enough."""
        deadline = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < deadline, "the kernel did not say it"
            self._take(0.2)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def _tell(self, comm_id: str, body: dict[str, Any]) -> Answer:
        self.answer = Answer()
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": body})
        self.client.shell_channel.send(message)
        wanted = message["header"]["msg_id"]
        self._gather(lambda told: told["parent_header"].get("msg_id") == wanted, 60)
        return self.answer

    def _gather(self, is_ours: Callable[[dict[str, Any]], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            message = self._take(1.0)
            is_idle = (
                message is not None
                and message["msg_type"] == "status"
                and message["content"]["execution_state"] == "idle"
            )
            if is_idle and is_ours(message):
                return
        pytest.fail("the kernel is still busy")

    def _take(self, timeout: float) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=timeout)
        except queue.Empty:
            return None
        kind, content, answer = message["msg_type"], message["content"], self.answer
        if kind in ("display_data", "update_display_data"):
            name = content["transient"].get("display_id", f"#{len(answer.displays)}")
            answer.displays[name] = content["data"]
            answer.updates[name] = answer.updates.get(name, -1) + 1
        elif kind == "stream":
            answer.text += content["text"]
        elif kind == "error":
            answer.error = f"{content['ename']}: {content['evalue']}"
        elif kind == "execute_result":
            answer.result = content["data"]
        elif kind.startswith("comm_"):
            answer.comms.append({"kind": kind, **content})
        return message


@pytest.fixture
def session(project: Path) -> Iterator[Session]:
    opened = Session(project)
    yield opened
    opened.close()
