"""``jupyter mlops serve``: what an alias names, served from here, and again when the alias moves.

The store is asked here and the model answers in processes of its own, which know nothing of it: between them lie the
folders of the versions and the traffic file. Mostly a new version is loaded beside the old one, in the same process.
One that brings other modules of its own under the same names cannot be: it gets a new process at the same socket, and
the old one ends when the new one is ready.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from ..catalog import ModelVersion
from ..errors import MlopsError
from ..models import Manifest, ModelStore
from .options import Options, secrets_of, to_arguments
from .readiness import heard
from .server import listen
from .traffic import Part, Traffic

POLL_SECONDS = 0.5
READY_SECONDS = 300.0
_TICK_SECONDS = 0.1
_CODE = "code/"
log = logging.getLogger("jupyter_mlops.serving")


class Follower:
    """Keeps a traffic file in `folder` at what `reference` means in the model store. `path` is the file; it is another
    one when what it says needs another process."""

    def __init__(self, models: ModelStore, reference: str, folder: Path, *, name: str = "") -> None:
        self._models, self._reference, self._folder, self._name = models, reference, folder, name
        self._version: ModelVersion | None = None
        self._modules: list[Manifest] = []  # those that the present process has loaded
        self._revision = 0
        self.path = folder / "traffic-1.json"

    def refresh(self) -> bool:
        """Look where the reference leads now; whether that is another version. Errors of the store."""
        version = self._models.get(self._reference)
        if self._version is not None and version.version == self._version.version:
            return False
        self._models.check_trusted(version)
        folder = self._folder / f"{version.name}-{version.version}"
        if not folder.exists():
            self._models.export_mlflow(f"models:/{version.name}/{version.version}", folder)
        manifest = self._models.manifest(version)
        self._revision += 1
        if any(clash(one, manifest) for one in self._modules):
            self._modules = []
            self.path = self._folder / f"traffic-{self._revision}.json"
        self._modules.append(manifest)
        part = Part(version=version.version, folder=str(folder), manifest_digest=version.manifest)
        name = self._name or version.name
        Traffic(name=name, model=version.name, revision=self._revision, versions=(part,)).write(self.path)
        self._version = version
        log.info("%s is %s/%s", self._reference, version.name, version.version)
        return True

    def watch(self, stop: threading.Event) -> None:
        """Refresh until `stop`; what the store cannot say now, it may say later."""
        told = ""
        while not stop.wait(POLL_SECONDS):
            try:
                self.refresh()
                told = ""
            except MlopsError as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("%s cannot be followed now: %s", self._reference, error)


def clash(one: Manifest, other: Manifest) -> bool:
    """Whether two versions bring different modules of the same name, so that one process can only have one of them."""
    mine, others = _modules(one), _modules(other)
    return any(mine[name] != others[name] for name in mine.keys() & others.keys())


def _modules(manifest: Manifest) -> Mapping[str, Mapping[str, str]]:
    """The local modules that are imported by their names: name → path → digest."""
    found: dict[str, dict[str, str]] = {}
    names = {name.partition(".")[0] for name in manifest.dependencies.get("imported_by_name") or ()}
    for path, file in manifest.files.items():
        top = path.removeprefix(_CODE).split("/")[0].removesuffix(".py")
        if path.startswith(_CODE) and top in names:
            found.setdefault(top, {})[path] = str(file["digest"])
    return found


# --- processes ----------------------------------------------------------------------------------------------


def serve(follower: Follower, options: Options, stop: threading.Event) -> int:
    """Serve what the follower's file says until `stop`, or until the process ends by itself; its exit code."""
    with contextlib.closing(listen(options)) as listener:
        path = follower.path
        process = _start(options, path, listener)
        watcher = threading.Thread(target=follower.watch, args=(stop,), daemon=True)
        watcher.start()
        while not stop.wait(_TICK_SECONDS):
            if process.poll() is not None:
                stop.set()
            elif follower.path != path:
                path = follower.path
                process = _replace(process, options, path, listener, stop)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        code = process.wait()
        watcher.join(5)
    if options.uds:
        Path(options.uds).unlink(missing_ok=True)
    return abs(code)


def _replace(
    old: subprocess.Popen[bytes], options: Options, path: Path, listener: socket.socket, stop: threading.Event
) -> subprocess.Popen[bytes]:
    """A new process in the place of the old one, which ends when the new one is ready; the old one if that never is."""
    log.info("the new version brings other modules of its own: it gets a new process")
    with heard() as (variables, is_ready):
        fresh = _start(dataclasses.replace(options, listen_when_ready=True), path, listener, variables)
        end = time.monotonic() + READY_SECONDS
        while fresh.poll() is None and time.monotonic() < end and not stop.wait(_TICK_SECONDS):
            if is_ready():
                old.send_signal(signal.SIGTERM)
                old.wait()
                return fresh
    log.error("the new process does not become ready; the old one goes on")
    fresh.kill()
    fresh.wait()
    return old


def _start(
    options: Options, traffic: Path, listener: socket.socket, variables: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """The serving process for a traffic file; it ends on SIGTERM, with its answers out."""
    given = dataclasses.replace(options, traffic=str(traffic), model="", fd=listener.fileno(), uds="", port=0)
    return subprocess.Popen(
        [sys.executable, "-m", "jupyter_mlops.serving", *to_arguments(given)],
        pass_fds=[listener.fileno()],
        env={**os.environ, **secrets_of(given), **(variables or {})},
        start_new_session=True,  # Ctrl-C is for the one that was started; it ends the others in order
    )
