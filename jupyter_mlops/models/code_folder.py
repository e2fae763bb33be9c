"""The folder from which a version's own modules are imported when its functions ask for them by name."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ..blobs import BlobStore
from ..fingerprint import digest_bytes
from . import runtime
from .manifest import Manifest


def materialize(manifest: Manifest, blobs: BlobStore) -> str:
    """A folder with the sources, made once for each set of them; "" when nothing is imported by name."""
    if not manifest.dependencies.get("imported_by_name"):
        return ""
    prefix = f"{runtime.CODE}/"
    wanted = {
        path.removeprefix(prefix): str(file["digest"])
        for path, file in sorted(manifest.files.items())
        if path.startswith(prefix)
    }
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupyter_mlops" / "code"
    folder = cache / digest_bytes(repr(wanted).encode())[:32]
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=cache))
        for path, digest in wanted.items():
            target = fresh.joinpath(*path.split("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(blobs.read_bytes(digest))
        try:
            os.rename(fresh, folder)
        except OSError:  # another process was faster
            shutil.rmtree(fresh, ignore_errors=True)
    return str(folder)
