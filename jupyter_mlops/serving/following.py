"""``jupyter mlops serve``: what an alias names, served from here, and again when the alias moves.

The store is asked here and the model answers in processes of its own, which know nothing of it: between them lie the
folders of the versions and the traffic file.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..catalog import ModelVersion
from ..errors import MlopsError
from ..models import ModelStore
from .options import Options, secrets_of, to_arguments
from .traffic import Part, Traffic

POLL_SECONDS = 0.5
log = logging.getLogger("jupyter_mlops.serving")


class Follower:
    """Keeps a traffic file in `folder` at what `reference` means in the model store."""

    def __init__(self, models: ModelStore, reference: str, folder: Path, *, name: str = "") -> None:
        self._models, self._reference, self._folder, self._name = models, reference, folder, name
        self._version: ModelVersion | None = None
        self._revision = 0
        self.path = folder / "traffic.json"

    def refresh(self) -> bool:
        """Look where the reference leads now; whether that is another version. Errors of the store."""
        version = self._models.get(self._reference)
        if self._version is not None and version.version == self._version.version:
            return False
        self._models.check_trusted(version)
        folder = self._folder / f"{version.name}-{version.version}"
        if not folder.exists():
            self._models.export_mlflow(f"models:/{version.name}/{version.version}", folder)
        self._revision += 1
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


def start(
    options: Options, traffic: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """The serving process for a traffic file; it ends on SIGTERM, with its answers out."""
    given = dataclasses.replace(options, traffic=str(traffic), model="")
    command: Sequence[str] = [sys.executable, "-m", "jupyter_mlops.serving", *to_arguments(given)]
    return subprocess.Popen(command, env={**os.environ, **secrets_of(given), **(environment or {})})
