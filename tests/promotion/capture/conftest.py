"""An environment made for the tests: a real interpreter with distributions as pip writes them down, none of which
has to be downloaded; its kernel; and a workspace to write notebooks into."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.promotion.capture import CaptureOptions, capture_notebook
from jupyter_mlops.promotion.captured import Capture

KERNEL = "kernel-of-the-capture-tests"
RUNTIME = "jupyter_mlops runs the notebook with it"


def elf(needs: Sequence[str], soname: str = "") -> bytes:
    """A shared object that links to `needs`: a header, one loaded segment, its dynamic table and its names."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in [*needs, soname])
    offsets, at = [], 1
    for name in [*needs, soname]:
        offsets.append(at)
        at += len(name.encode()) + 1
    base, start = 0x10000, 64 + 2 * 56
    entries = [(1, offset) for offset in offsets[:-1]] + ([(14, offsets[-1])] if soname else [])
    table = start + 16 * (len(entries) + 3)
    entries += [(5, base + table), (10, len(names)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    size = table + len(names)
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    )
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, base, base, size, size, 4096)
    where = struct.pack("<IIQQQQQQ", 2, 4, start, base + start, base + start, len(dynamic), len(dynamic), 8)
    return head + load + where + dynamic + names


@pytest.fixture(scope="session")
def make_elf() -> Callable[..., bytes]:
    """See `elf`."""
    return elf


class World:
    """The environment's ``site-packages``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
        self.python = folder / "bin" / "python"
        (self.site,) = (folder / "lib").glob("python*/site-packages")

    def install(
        self,
        name: str,
        version: str,
        files: Mapping[str, str | bytes] | Sequence[str] = (),
        *,
        requires: Sequence[str] = (),
        direct: Mapping[str, Any] | None = None,
        installer: str = "pip",
    ) -> None:
        """A distribution with its file list; `files` are modules, empty where only named."""
        files = files if isinstance(files, Mapping) else dict.fromkeys(files, "")
        for path, content in files.items():
            (self.site / path).parent.mkdir(parents=True, exist_ok=True)
            (self.site / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        info = self.site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        head = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {each}" for each in requires)]
        (info / "METADATA").write_text(
            "\n".join(["Metadata-Version: 2.1", *head, "", "Requires-Dist: not-this\n"])
        )
        (info / "RECORD").write_text("".join(f"{path},,\n" for path in [*files, f"{info.name}/METADATA"]))
        (info / "INSTALLER").write_text(installer)
        if direct:
            (info / "direct_url.json").write_text(json.dumps(direct))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("capture-environment") / "env")
    listed = """
        pandas 2.2.3, numpy 2.1.0, polars 1.9.0, pyarrow 17.0.0, openpyxl 3.1.5, requests 2.32.3, joblib 1.4.2,
        scipy 1.14.1, seaborn 0.13.2, matplotlib 3.9.2, orjson 3.10.7, simplejson 3.19.3, duckdb 1.1.1, xlrd 2.0.1,
        s3fs 2024.9.0, sqlalchemy 2.0.35, tqdm 4.66.5, ipywidgets 8.1.5, uvicorn 0.31.0, httptools 0.6.1,
        ipython 8.28.0, tomli 2.0.2, lxml 5.3.0, networkx 3.3
    """
    packages = dict(each.split() for each in listed.split(","))
    needs = {
        "pandas": ["numpy>=1.23"],
        "uvicorn": ['httptools>=0.6; extra == "standard"'],
        "seaborn": ["matplotlib", "pandas"],
    }
    for name, version in packages.items():
        module = {"ipython": "IPython"}.get(name, name)
        made.install(name, version, [f"{module}/__init__.py"], requires=needs.get(name, ()))
    made.install(
        "scikit-learn", "1.5.2", ["sklearn/__init__.py", "sklearn/svm.py"], requires=["numpy", "scipy"]
    )
    made.install("pillow", "10.4.0", ["PIL/__init__.py", "PIL/Image.py"])
    made.install("PyYAML", "6.0.2", ["yaml/__init__.py", "_yaml/__init__.py"])
    made.install("opencv-python-headless", "4.10.0.84", ["cv2/__init__.py"])
    made.install("beautifulsoup4", "4.12.3", ["bs4/__init__.py"])
    made.install("protobuf", "5.28.2", ["google/protobuf/__init__.py", "google/protobuf/message.py"])
    made.install("google-cloud-storage", "2.18.2", ["google/cloud/storage/__init__.py"])
    made.install("google-cloud-bigquery", "3.26.0", ["google/cloud/bigquery/__init__.py"])
    bundled = {
        "psycopg2/__init__.py": "",
        "psycopg2/_psycopg.so": elf(["libpq-1234.so.5.1k", "libc.so.6"]),
        "psycopg2_binary.libs/libpq-1234.so.5.1k": elf(["libm.so.6"], "libpq-1234.so.5.1k"),
    }
    made.install("psycopg2-binary", "2.9.9", bundled)
    linked = elf(["libgomp.so.1", "libstdc++.so.6"])
    made.install("lightgbm", "4.5.0", {"lightgbm/__init__.py": "", "lightgbm/lib/lib_lightgbm.so": linked})
    odd = elf(["libnobodyhasit.so.7", "libcuda.so.1"])
    made.install("oddlib", "1.0", {"oddlib/__init__.py": "", "oddlib/_odd.so": odd})
    made.install("torch", "2.4.1+cu124", ["torch/__init__.py"])
    made.install("graphviz", "0.20.3", ["graphviz/__init__.py"])
    vcs = {
        "url": "https://user:secret@host/team/fromgit.git",
        "vcs_info": {"vcs": "git", "commit_id": "a" * 40},
    }
    made.install("fromgit", "0.3", ["fromgit/__init__.py"], direct=vcs)
    made.install(
        "fromfile",
        "0.4",
        ["fromfile/__init__.py"],
        direct={"url": "file:///home/me/fromfile.whl", "archive_info": {}},
    )
    conda = {"url": "file:///home/conda/feedstock_root/build_artifacts/condaone", "dir_info": {}}
    made.install("condaone", "7.1", ["condaone/__init__.py"], direct=conda, installer="conda")
    elsewhere = tmp_path_factory.mktemp("capture-elsewhere")
    (elsewhere / "outsider").mkdir()
    (elsewhere / "outsider" / "__init__.py").write_text("import orjson\nfrom . import inner\n")
    (elsewhere / "outsider" / "inner.py").write_text("import networkx\n")
    (made.site / "elsewhere.pth").write_text(f"{elsewhere}\n")
    made.install("outsider", "0.1", (), direct={"url": elsewhere.as_uri(), "dir_info": {"editable": True}})
    return made


@pytest.fixture
def workspace(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace whose notebooks run in `world`."""
    kernels = tmp_path / "jupyter" / "kernels" / KERNEL
    kernels.mkdir(parents=True)
    argv = [str(world.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernels / "kernel.json").write_text(
        json.dumps({"argv": argv, "language": "python", "display_name": "x"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    root = tmp_path / "capture-workspace"
    root.mkdir()
    (root / "mlops.toml").write_text("")
    return root


def notebook_of(*cells: str | tuple[str, list[str]], kernel: str = KERNEL, **metadata: Any) -> dict[str, Any]:
    made = []
    for number, cell in enumerate(cells):
        source, tags = cell if isinstance(cell, tuple) else (cell, [])
        made.append(
            {"id": f"cell-{number}", "metadata": {"tags": tags} if tags else {}, "source": source, "cell_type": "code",
             "outputs": [{"output_type": "stream", "name": "stdout", "text": "an output"}], "execution_count": 3}
        )  # fmt: skip
    spec = {"name": kernel, "language": "python", "display_name": "Python 3"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec, **metadata}, "cells": made}


@pytest.fixture
def write(workspace: Path) -> Callable[..., Path]:
    """Write a notebook of the given cells into the workspace; its path."""

    def make(*cells: str | tuple[str, list[str]], name: str = "work.ipynb", **metadata: Any) -> Path:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook_of(*cells, **metadata)))
        return path

    return make


@pytest.fixture
def captured(write: Callable[..., Path]) -> Callable[..., Capture]:
    """Capture a notebook of the given cells, without a lock; without what only our own code needs."""

    def make(
        *cells: str | tuple[str, list[str]], options: CaptureOptions | None = None, **more: Any
    ) -> Capture:
        asked = replace(options or CaptureOptions(), is_locked=False)
        found = capture_notebook(write(*cells, **more), asked)
        own = tuple(one for one in found.requirements if one.because != (RUNTIME,))
        return replace(found, requirements=own)

    return make
