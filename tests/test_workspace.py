"""The composition root: lazy, closed as a whole, and nothing more."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from jupyter_mlops.errors import InvalidSettings, StorageUnavailable
from jupyter_mlops.kernels import KernelRequest
from jupyter_mlops.workspace import Workspace


@pytest.fixture(autouse=True)
def _log_level():
    logger = logging.getLogger("jupyter_mlops")
    before = logger.level
    yield
    logger.setLevel(before)


def test_opening_touches_nothing(tmp_path):
    with Workspace.open(tmp_path) as workspace:
        assert workspace.root == tmp_path
        assert repr(workspace) == f"Workspace({str(tmp_path)!r})"
    assert list(tmp_path.iterdir()) == []


def test_the_root_is_found_from_within(tmp_path):
    (tmp_path / "mlops.toml").write_text("workers = 3\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    with Workspace.open(inner, kernel_pool=0) as workspace:
        assert workspace.root == tmp_path
        assert (workspace.settings.workers, workspace.settings.kernel_pool) == (3, 0)
    with pytest.raises(InvalidSettings):
        Workspace.open(inner, kernel_pol=0)


def test_what_is_made_lies_in_a_folder_that_git_need_not_see(tmp_path):
    with Workspace.open(tmp_path) as workspace:
        assert workspace.runs.catalog is workspace.catalog
        assert workspace.runs is workspace.runs
        digest = workspace.blobs.put_bytes(b"x")
        assert workspace.blobs.exists(digest)
    assert [path.name for path in tmp_path.iterdir()] == [".mlops"]
    assert (tmp_path / ".mlops" / ".gitignore").read_text() == "*\n"


def test_closing_ends_the_kernels(tmp_path):
    workspace = Workspace.open(tmp_path, zygote_linger_seconds=0)
    pool = workspace.kernels
    kernel = pool.run(pool.acquire(KernelRequest(cwd=tmp_path)))
    assert pool.directory.exists()
    workspace.close()
    workspace.close()
    assert kernel.exited.is_set()
    assert not pool.directory.exists()
    with workspace:  # opened again, it begins anew
        assert workspace.kernels is not pool


def test_a_folder_for_the_catalog_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / ".mlops").write_text("in the way")
    with Workspace.open(tmp_path) as workspace, pytest.raises(StorageUnavailable) as caught:
        _ = workspace.catalog
    assert ".mlops" in caught.value.message


def test_importing_it_waits_for_nothing_heavy():
    code = (
        "import sys, jupyter_mlops.workspace\n"
        "heavy = {'pandas', 'numpy', 'pyarrow', 'papermill', 'dask', 'distributed', 'alembic', 'keyring'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "[]"
