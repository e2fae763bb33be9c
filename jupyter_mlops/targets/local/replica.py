"""One replica as its supervisor keeps it: started, asked how it is, ended, taken over from a supervisor that died."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import decide, processes
from .places import Places

_ASK_SECONDS = 5.0
_MOST_SILENT = 3  # questions in a row without an answer before it is taken for hung
_START_SECONDS = 180.0  # so long may it import before it answers at all
_DRAIN_SECONDS = 30.0


class Replica:
    """A process of ``jupyter_mlops.serving``. Its name stays when it is started again, its socket does not."""

    def __init__(self, at: Places, name: str, kept: Mapping[str, Any] | None = None) -> None:
        kept = kept or {}
        self.at, self.name = at, name
        self.mark = str(kept.get("mark", ""))
        self.socket = str(kept.get("socket", ""))
        self.restarts = int(kept.get("restarts", 0))
        self.generation = int(kept.get("generation", 0))
        self.spec: Mapping[str, Any] = kept.get("spec", {})
        self.said: Mapping[str, Any] = {}
        self.held = 0  # bytes of memory, when it was last asked
        self.first = (
            -1 if kept else 0
        )  # the revision that this process answered with first; -1 if nobody saw that
        self.deaths = 0  # in a row
        self.deaths_in_rollout = 0
        self.began = time.monotonic()
        self.asked = 0.0
        self.silent = 0
        self.start_at = 0.0
        self.leaving_since: float | None = None
        self.told_to_end = False
        self.is_outdated = False  # answers with the old revision until others answer with the new one
        self.why = ""

    def keep(self) -> dict[str, Any]:
        """For a supervisor that takes over."""
        return {
            "name": self.name, "mark": self.mark, "socket": self.socket, "restarts": self.restarts,
            "generation": self.generation, "spec": dict(self.spec),
        }  # fmt: skip

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return processes.is_alive(self.mark)

    def seen(self) -> decide.Seen:
        """For decisions."""
        return decide.Seen(
            self.name, self.is_alive, self.deaths_in_rollout, self.said, self.held, self.first
        )  # fmt: skip

    @property
    def is_ready(self) -> bool:
        """Whether requests may be sent to it."""
        return self.leaving_since is None and self.seen().is_ready

    def told(self) -> dict[str, Any]:
        """For whoever looks at the deployment."""
        state = "starting"
        if self.leaving_since is not None:
            state = "leaving"
        elif self.is_ready:
            state = "running"
        elif self.deaths > 1 and not self.mark:
            state = "failed"
        return {
            "name": self.name,
            "state": state,
            "revision": self.seen().revision,
            "message": str(self.said.get("message") or self.why),
            "restarts": self.restarts,
            "requests": int(self.said.get("requests") or 0),
            "errors": int(self.said.get("errors") or 0),
            "pid": int(self.mark.partition(":")[0] or 0),
        }

    def note_death(self) -> None:
        """It is gone: when it is started again depends on how often that happened."""
        if self.mark:
            self.deaths = decide.deaths_after(self.deaths, time.monotonic() - self.began)
            self.deaths_in_rollout += 1
            self.restarts += 1
            self.start_at = time.monotonic() + decide.pause(self.deaths)
            Path(self.socket).unlink(missing_ok=True)
        self.mark, self.said, self.silent, self.held = "", {}, 0, 0

    def start(self, spec: Mapping[str, Any]) -> None:
        """Start its process. Raises `Unavailable`."""
        self.generation += 1
        self.socket = str(self.at.sockets / f"{self.name.rpartition('-')[2]}.{self.generation}")
        self.spec = spec
        self.began, self.silent, self.said = time.monotonic(), 0, {}
        self.held = self.first = 0
        threads = str(max(1, int(spec.get("cpu") or 1)))
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        processes.rotate(self.at.log(self.name))
        self.mark = processes.spawn(
            [
                "-m",
                "jupyter_mlops.serving",
                "--traffic",
                str(self.at.traffic),
                "--uds",
                self.socket,
            ],
            self.at.log(self.name),
            cwd=self.at.folder,
            env={**limits, **{str(name): str(value) for name, value in dict(spec.get("env") or {}).items()}},
        )

    async def look(self) -> None:
        """Ask it how it is; one that hangs is killed."""
        self.asked = time.monotonic()
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                self.said = await ask(self.socket, "/mlops/state", self.token)
            self.silent = 0
            self.held = processes.memory(self.mark)
            self.first = self.first or self.seen().revision
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.silent += isinstance(error, TimeoutError)
            lived = time.monotonic() - self.began
            if self.silent >= _MOST_SILENT or (not self.said and lived > _START_SECONDS):
                processes.send(self.mark, signal.SIGKILL)

    @property
    def token(self) -> str:
        """What it must be asked with, if it was told to ask for it."""
        told = processes.environment(dict(self.spec.get("env") or {}))
        path = told.get("MLOPS_SERVING_TOKEN_FILE", "")
        if told.get("MLOPS_SERVING_TOKEN") or not path:
            return told.get("MLOPS_SERVING_TOKEN", "")
        try:
            return (self.at.folder / path).read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def leave(self, why: str) -> None:
        """Send it no more requests, then end it: see `end`."""
        if self.leaving_since is None:
            self.leaving_since, self.why = time.monotonic(), why

    def end(self, in_flight: int) -> None:
        """One more step to its end, once nothing is on its way to it."""
        gone = time.monotonic() - (self.leaving_since or 0.0)
        if not self.told_to_end and ((in_flight == 0 and gone > 0.2) or gone > _DRAIN_SECONDS):
            self.told_to_end = True
            processes.send(self.mark, signal.SIGTERM)
        elif gone > 2 * _DRAIN_SECONDS:
            processes.send(self.mark, signal.SIGKILL)


async def ask(path: str, route: str, token: str = "") -> dict[str, Any]:
    """GET over a Unix socket; the answer's JSON. Raises OSError, ValueError."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        allowed = f"authorization: Bearer {token}\r\n" if token else ""
        writer.write(
            f"GET {route} HTTP/1.1\r\nhost: localhost\r\n{allowed}connection: close\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        found = json.loads(await reader.readexactly(length))
    finally:
        writer.close()
    if not isinstance(found, dict):
        raise ValueError(f"{route} gave no object")
    return found
