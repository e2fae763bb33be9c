"""A pipeline's image run task by task, as another orchestrator does it: from the image's own files, which are all that
it has of ours. `test_daemonless_runs` does it in a container."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.promotion.assembly import make_context
from jupyter_mlops.promotion.captured import Capture

pytestmark = pytest.mark.slow
PIPELINE = b"""\
name: doubling
parameters: {week: 3}
tasks:
  pull: {notebook: nb/pull.ipynb, parameters: {week: "${params.week}"}}
  tell: {notebook: nb/tell.ipynb, parameters: {value: "${tasks.pull.results.double}"}}
  never: {notebook: nb/tell.ipynb, when: tasks.pull.results.double > 100, parameters: {value: 0}}
"""


def notebook(*sources: str) -> bytes:
    cells = [
        {"cell_type": "code", "id": f"c{place}", "outputs": [], "execution_count": None, "source": source,
         "metadata": {"tags": ["parameters"]} if not place else {}}
        for place, source in enumerate(sources)
    ]  # fmt: skip
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


CAPTURE = Capture(
    kind="batch",
    name="doubling",
    python=f"{sys.version_info[0]}.{sys.version_info[1]}",
    lock="x==1 --hash=sha256:" + "0" * 64 + "\n",
    notebooks={
        "flows/nb/pull.ipynb": notebook(
            "week: int = 1",
            "import jupyter_mlops as mlops\nfrom look import twice\nopen('written.txt', 'w').write('x')\n"
            "mlops.result('double', twice(week))\nmlops.result('home', mlops.__file__)",
        ),
        "flows/nb/tell.ipynb": notebook(
            "value: int = 0", "import jupyter_mlops as m\nm.result('told', value + 1)"
        ),
    },
    modules={"shared/look.py": b"def twice(x):\n    return 2 * x\n"},
    files={"flows/pipeline.yaml": PIPELINE},
    import_paths=("flows/nb", "shared"),
    tasks={"pull": "flows/nb/pull.ipynb", "tell": "flows/nb/tell.ipynb", "never": "flows/nb/tell.ipynb"},
    source="flows/pipeline.yaml",
)


class Image:
    """What an image is made of, below a folder, and its program."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path, content in make_context(CAPTURE, base="python:3-slim").code.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        job = root / "opt/app/job.json"
        job.write_text(job.read_text().replace('"/project"', json.dumps(str(root / "project"))))
        (root / "project/flows").chmod(0o555)

    def __call__(self, *words: object, **env: str) -> tuple[int, Any, str]:
        """Exit code, the document on stdout, and what is told on stderr."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLOPS_")}
        own = {"MLOPS_JOB": str(self.root / "opt/app/job.json"), "PYTHONPATH": str(self.root / "opt/app/lib")}
        done = subprocess.run(
            [sys.executable, "-m", "jupyter_mlops.cli.contained", *map(str, words)],
            cwd=self.root / "project/flows", env={**inherited, **own, **env}, capture_output=True, text=True,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return (
            done.returncode,
            json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout,
            done.stderr,
        )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image(tmp_path_factory.mktemp("contained"))


def test_a_run_goes_task_by_task_through_containers(image: Image, tmp_path: Path) -> None:
    catalog = f"sqlite:///{tmp_path}/told.sqlite"
    given = ["--run-id", "monday", "--arguments", '{"week": 21}', "--json"]
    stores = {"MLOPS_BLOBS": str(tmp_path / "blobs"), "MLOPS_CATALOG": catalog}
    code, pulled, _ = image("task", "pipeline.yaml", "pull", *given, **stores)
    assert (code, pulled["state"], pulled["results"]["double"]) == (0, "succeeded", 42)
    assert pulled["results"]["home"].startswith(str(image.root)), "nothing of ours but what the image has"
    words = [image.root / "project/flows/pipeline.yaml", "tell"]  # as an orchestrator elsewhere writes it
    assert image("task", *words, *given, **stores)[1]["results"] == {"told": 43}
    code, never, _ = image("task", "pipeline.yaml", "never", *given, "--skip-code", "99", **stores)
    assert (code, never["state"]) == (99, "skipped")
    assert sorted(path.name for path in (image.root / "project/flows").iterdir()) == ["nb", "pipeline.yaml"]
    assert any(True for _ in BlobStore(tmp_path / "blobs").digests())
    with Catalog.open(catalog) as told:
        assert told.get(Run, "monday").state == "succeeded"
        states = {task.task: task.state for task in told.find(TaskRun, where={"run_id": "monday"})}
    assert states == {"pull": "succeeded", "tell": "succeeded", "never": "skipped"}


def test_what_an_image_cannot_do_is_told(image: Image) -> None:
    code, said, _ = image("task", "pipeline.yaml", "pull", "--run-id", "r", "--json")
    assert code == 2
    assert "set MLOPS_BLOBS" in said["error"]["hint"]
    assert image("task", "pipeline.yaml", "pull", "--run-id", "r", MLOPS_BLOBS="blobs")[0] == 2
    code, _, told = image("run", "pipeline.yaml")
    assert code == 2
    assert "there is no command 'run'" in told
    assert "--run-id" in image("task", "--help")[1]
