"""What was locked, installed into a folder for a platform that need not be this one: no pip, no daemon, no QEMU.

uv picks the wheels for the platform and checks their hashes. What has only a source is built here, which does for pure
Python alone. What uv writes for this machine (the first line of scripts) is made for the image; bytecode is compiled
undated, so that the same lock gives the same files.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import BuildFailed, InvalidInput
from .indexes import uv_environment, without_secrets
from .lock import MACHINES, uv

# The glibc that wheels may ask for: that of Debian 10 and RHEL 8, which nearly all do with; where the lock has none
# such, that of Debian 12, which the official images of Python have or are ahead of.
_GLIBC = ("2_28", "2_36")
_TIMEOUT_SECONDS = 1800
_COMPILE_SECONDS = 900
_WITHOUT_WHEEL = re.compile(r"Because (\S+?)==\S+ has no (?:usable )?wheels")
_SHEBANG = re.compile(rb"\A#!(?:/bin/sh\n'''exec' )?[^\n]*?python[0-9.]*[^\n]*\n(?:' '''\n)?")
_COMPILED = "it has to be compiled: build with docker, podman or buildah, or leave that platform out"
_PYTHON = b"#!/usr/bin/env python3\n"


def install_wheels(lock: str, folder: Path, *, python: str, platform: str) -> None:
    """Install a lock into `folder`, as the prefix of an environment of `python` ("3.11") on `platform`.

    Raises `BuildFailed` with what uv said: a hash that differs, or a distribution that has no wheel there.
    """
    if platform not in MACHINES:
        raise InvalidInput(f"there are no wheels for {platform!r}", hint=f"platforms: {', '.join(MACHINES)}")
    with tempfile.TemporaryDirectory(prefix="mlops-wheels-") as scratch:
        file = Path(scratch, "requirements.lock")
        file.write_text(lock, encoding="utf-8")
        command = [*uv(), "pip", "install", "--quiet", "--no-progress", "--no-compile-bytecode"]
        command += ["--python", sys.executable, "--prefix", str(folder), "--python-version", python]
        command += ["--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", str(file)]
        built: list[str] = []
        while failed := _install(command, folder, MACHINES[platform], scratch):
            without = [name for name in _WITHOUT_WHEEL.findall(failed) if name not in built]
            if not without:
                break
            built += without
            command += [word for name in without for word in ("--no-binary", name)]
    if failed:
        raise BuildFailed(
            f"cannot install what was locked for {platform}: {_last(failed)}",
            hint=_hint(failed),
            log=failed,
        )
    _demand_pure(folder, built)
    _settle(folder, python)


def compile_bytecode(folder: Path, target: str, *, python: str) -> bool:
    """Compile what is in `folder`, which will be `target` in the image. Whether that could be done: only by a Python
    of the same minor version."""
    if python != f"{sys.version_info[0]}.{sys.version_info[1]}":
        return False
    packages = folder / "lib" / f"python{python}" / "site-packages"
    rooms = sorted(path for path in (packages if packages.is_dir() else folder).iterdir() if path.is_dir())
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="compile") as pool:
        # One process a package: what it makes depends on what it compiled before, so its part must be certain.
        for _ in pool.map(lambda room: _compile(room, folder, target), rooms):
            pass
    _compile(folder, folder, target)  # what is left
    return True


# --- inside ---------------------------------------------------------------------------------------------


def _install(command: list[str], folder: Path, machine: str, scratch: str) -> str:
    """Install into the emptied `folder`; what uv said when it failed at first, or nothing."""
    failed = ""
    for glibc, has_extra in itertools.product(_GLIBC, (True, False)):  # an extra index may hold a part only
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tags = ["--python-platform", f"{machine}-manylinux_{glibc}"]
        told = _run([*command, *tags], uv_environment(os.environ, has_extra=has_extra), scratch)
        if not told:
            return ""
        failed = failed or told
    return failed


def _demand_pure(folder: Path, built: Collection[str]) -> None:
    """What was built here, and not taken as a wheel, has to be the same on every machine."""
    for name in built:
        stem = re.sub(r"[-_.]+", "_", name)
        for tags in folder.glob(f"lib/python*/site-packages/{stem}-*.dist-info/WHEEL"):
            if not re.search(r"^Tag: \S+-none-any$", tags.read_text(encoding="utf-8"), re.MULTILINE):
                raise BuildFailed(f"{name} has no wheel, and is not of Python alone", hint=_COMPILED)


def _compile(part: Path, folder: Path, target: str) -> None:
    command = [
        sys.executable,
        "-I",
        "-m",
        "compileall",
        "-qq",
        "-j",
        "1",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    command += ["-s", str(folder), "-p", target, str(part)]
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Its exit code counts for nothing: templates of some distributions are no Python.
    subprocess.run(command, env=environ, capture_output=True, timeout=_COMPILE_SECONDS, check=False)


def _run(command: list[str], environ: dict[str, str], folder: str) -> str:
    """What uv said when it failed, or nothing."""
    try:
        done = subprocess.run(
            command,
            env=environ,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return without_secrets(f"uv did not end: {error}")
    return (
        without_secrets(done.stderr.strip() or f"uv ended with {done.returncode}") if done.returncode else ""
    )


def _settle(folder: Path, python: str) -> None:
    """Take out what tells of this machine: where its Python is, and the version that this Python has."""
    for place in folder.glob("lib/python*"):
        if place.name != f"python{python}":
            place.rename(place.with_name(f"python{python}"))
    changed: dict[Path, bytes] = {}
    for script in sorted((folder / "bin").glob("*")) if (folder / "bin").is_dir() else ():
        data = script.read_bytes()
        found = _SHEBANG.match(data)
        if found:
            mode = script.stat().st_mode
            script.unlink()  # it may be a link to uv's own copy, which stays as it is
            changed[script] = _PYTHON + data[found.end() :]
            script.write_bytes(changed[script])
            script.chmod(mode)
    for record in folder.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        _tell(record, changed)
    (folder / ".lock").unlink(missing_ok=True)


def _tell(record: Path, changed: dict[Path, bytes]) -> None:
    """Put the digests of changed scripts into the list of a distribution's files; the list is sorted."""
    rows = []
    packages = record.parent.parent
    for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8"))):
        data = changed.get(Path(os.path.normpath(packages / row[0]))) if row else None
        if data is not None:
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append([row[0], f"sha256={digest}", str(len(data))])
        else:
            rows.append(row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    record.unlink()
    record.write_text(text.getvalue(), encoding="utf-8")


def _last(told: str) -> str:
    """What uv said, in one line."""
    lines = [re.sub(r"^\s*(error:|×|╰─▶|├─▶|│)\s*", "", line).strip() for line in told.splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("hint:"))[:500]


def _hint(told: str) -> str:
    known: dict[str, str] = {
        "no wheels": _COMPILED,
        "no usable wheels": _COMPILED,
        "binary": _COMPILED,
        "download and build": _COMPILED,
        "failed to build": _COMPILED,
        "hash mismatch": "a file on the index is not what was locked; capture it again",
        "client error": "is the index of packages reachable? UV_DEFAULT_INDEX or pip's configuration names it",
    }
    return next((hint for text, hint in known.items() if text in told.lower()), "")
