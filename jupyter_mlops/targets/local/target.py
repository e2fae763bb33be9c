"""The target ``local``: served by this machine's own processes, which survive whoever deployed."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import Conflict, DeploymentFailed, InvalidInput, MissingExtra, NotFound, did_you_mean
from ...resources import format_bytes
from ..target import ReplicaStatus, Request, Status, Wanted
from . import processes
from .places import Places, locked, read, write

_OPTIONS: Mapping[str, str] = {
    "port": "a number; by default the first free one from 8100 on, which is then kept",
    "host": "the address to listen on; by default 127.0.0.1, which only this machine reaches",
    "env": "a mapping of environment variables for the replicas, such as MLOPS_SERVING_…",
}
_MOST_REPLICAS = 64
_LEAST_MEMORY = 64 * 2**20
_POLL_SECONDS = 0.03
_GONE_SECONDS = 60.0


class LocalTarget:
    """Deployments of the workspace at `root`."""

    name = "local"
    needs_image = False

    def __init__(self, root: Path) -> None:
        self.root = root

    # --- planning -------------------------------------------------------------------------------------------

    def check(self, wanted: Wanted) -> None:
        """Raise `InvalidInput` for what this machine cannot give."""
        for name in wanted.options:
            if name not in _OPTIONS:
                hint = did_you_mean(name, _OPTIONS)
                raise InvalidInput(f"the target local has no option {name!r}", hint=hint)
        _port(wanted.options.get("port"))
        _environment(wanted.options.get("env"))
        least, most = wanted.replicas
        if not 1 <= least <= most <= _MOST_REPLICAS:
            raise InvalidInput(
                f"replicas: {least} to {most} cannot be",
                hint=f"at least 1, at most {_MOST_REPLICAS}, the lesser first: 2:4",
            )
        if wanted.resources.gpu or wanted.resources.accelerator:
            raise InvalidInput("the target local gives out no GPUs", hint="leave gpu and accelerator out")
        memory = wanted.resources.memory
        if memory is not None and memory < _LEAST_MEMORY:
            raise InvalidInput(
                f"a replica cannot live in {format_bytes(memory)}",
                hint=f"at least {format_bytes(_LEAST_MEMORY)}",
            )
        missing = [version for version in wanted.traffic if version not in wanted.folders]
        if wanted.folders and missing:
            raise InvalidInput(f"no folder is given for version {missing[0]}")

    def requests(self, wanted: Wanted) -> Sequence[Request]:
        """The one file that would be written; everything follows from it."""
        self.check(wanted)
        return [Request(call=f"write {Places.of(self.root, wanted.name).wanted}", body=self._body(wanted))]

    def _body(self, wanted: Wanted) -> dict[str, Any]:
        versions = [
            {
                "version": version,
                "folder": wanted.folders.get(version, ""),
                "manifest_digest": wanted.digests.get(version, ""),
                "share": wanted.traffic.get(version, 0.0),
                "shadow": wanted.shadow.get(version, 0.0),
            }
            for version in sorted({*wanted.traffic, *wanted.shadow})
        ]
        return {
            "name": wanted.name,
            "model": wanted.model,
            "revision": wanted.revision,
            "versions": versions,
            "replicas": list(wanted.replicas),
            "memory": wanted.resources.memory,
            "cpu": wanted.resources.cpu,
            "host": str(wanted.options.get("host") or "127.0.0.1"),
            "port": _port(wanted.options.get("port")),
            "env": _environment(wanted.options.get("env")),
        }

    # --- deeds ----------------------------------------------------------------------------------------------

    def apply(self, wanted: Wanted, *, timeout_seconds: float = 600) -> Status:
        """Make it so, and wait until all replicas answer with the revision.

        Raises `DeploymentFailed` when they cannot (the old revision goes on answering), `Conflict` when the port
        is taken, or somebody else deploys meanwhile.
        """
        self.check(wanted)
        _demand_serving()
        at = Places.of(self.root, wanted.name)
        at.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = {**self._body(wanted), "timeout_seconds": timeout_seconds}
        with locked(at.folder / "wanted.lock"):
            before = read(at.wanted)
            if int(before.get("revision", 0)) > wanted.revision:
                raise _superseded(wanted.name, int(before["revision"]))
            self._check_port(at, body)
            if before.get("companion"):
                body["companion"] = before["companion"]
            write(at.wanted, body)
        try:
            status = self._wait(at, wanted.revision, timeout_seconds)
        except DeploymentFailed:
            with locked(at.folder / "wanted.lock"):
                is_ours = read(at.wanted).get("revision") == wanted.revision
                if is_ours and before:
                    write(at.wanted, before)
            if is_ours and not before:
                self.remove(wanted.name, wanted.options)
            raise
        return status

    def _check_port(self, at: Places, body: Mapping[str, Any]) -> None:
        state = read(at.state)
        is_up = processes.is_alive(str(state.get("supervisor", "")))
        port, host = int(body["port"]), str(body["host"])
        if is_up and ((port and port != state.get("port")) or host != state.get("host")):
            if not state.get("port"):
                return
            raise Conflict(
                f"{body['name']!r} listens on {state.get('host')}:{state['port']}, and keeps to it",
                hint=f"leave host and port out, or first: jupyter mlops deployments stop {body['name']}",
            )
        if port and not is_up:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    raise Conflict(
                        f"cannot listen on {host}:{port}: {error.strerror or error}",
                        hint="give another port, or none: then one that is free is taken",
                    ) from None

    def _wait(self, at: Places, revision: int, timeout_seconds: float) -> Status:
        """Until it is served, or it is clear that it will not be."""
        until = time.monotonic() + timeout_seconds
        started = 0.0
        while True:
            state = read(at.state)
            is_up = processes.is_alive(str(state.get("supervisor", "")))
            rejected = state.get("rejected") or {}
            if is_up and state.get("wanted") == revision:
                if rejected.get("revision") == revision:
                    raise self._failure(at, revision, state, str(rejected.get("message")))
                if state.get("revision") == revision and state.get("state") == "running":
                    return _status(state)
            now = int(read(at.wanted).get("revision", 0))
            if now != revision:
                raise _superseded(at.folder.name, now)
            if time.monotonic() > until:
                raise self._failure(at, revision, state, state.get("message") or "it did not answer in time")
            if not is_up and time.monotonic() - started > 5.0:
                started = time.monotonic()
                at.start_supervisor()
            processes.reap()
            time.sleep(_POLL_SECONDS)

    def _failure(self, at: Places, revision: int, state: Mapping[str, Any], message: str) -> DeploymentFailed:
        old = int(state.get("revision") or 0)
        after = f"; revision {old} goes on answering" if old else ""
        rejected = state.get("rejected") or {}
        said = str(rejected.get("log") or "").strip().splitlines()
        told = f" ({said[-1]})" if said else ""
        return DeploymentFailed(
            f"revision {revision} of {at.folder.name!r} does not come up: {message}{told}{after}",
            hint=str(rejected.get("hint") or "")
            or "try the version here first: jupyter mlops serve, or mlops.load_model(…).predict(…)",
        )

    def status(self, name: str, options: Mapping[str, Any]) -> Status:
        """How it is now."""
        at = Places.of(self.root, name)
        wanted, state = read(at.wanted), read(at.state)
        if not wanted:
            return Status(state="removed", message="nothing of it is on this machine")
        is_up = processes.is_alive(str(state.get("supervisor", "")))
        if is_up and state:
            return _status(state)
        if wanted.get("is_stopped"):
            return Status(state="stopped", revision=int(wanted["revision"]))
        if processes.is_alive(str(read(at.processes).get("front", ""))):
            return _status({**state, "message": "its supervisor has ended, and is being started again"})
        return Status(
            state="stopped",
            message=f"none of its processes runs; go on with: jupyter mlops deployments start {name}",
            revision=int(state.get("revision") or 0),
        )

    def remove(self, name: str, options: Mapping[str, Any]) -> None:
        """End its processes and take its folder away."""
        at = Places.of(self.root, name)
        if at.folder.exists():
            self._end(at)
            shutil.rmtree(at.sockets, ignore_errors=True)
            shutil.rmtree(at.folder, ignore_errors=True)

    def stop(self, name: str) -> None:
        """Answer what was begun, then end."""
        at = self._known(name)
        with locked(at.folder / "wanted.lock"):
            write(at.wanted, {**read(at.wanted), "is_stopped": True})
        self._end(at)

    def start(self, name: str, *, timeout_seconds: float = 600) -> Status:
        """Go on with what it served last."""
        at = self._known(name)
        with locked(at.folder / "wanted.lock"):
            wanted = read(at.wanted)
            self._check_port(at, wanted)
            if wanted.pop("is_stopped", False):
                write(at.wanted, wanted)
        return self._wait(at, int(wanted["revision"]), timeout_seconds)

    def logs(self, name: str) -> Mapping[str, Path]:
        """The log of each process."""
        found = sorted(self._known(name).logs.glob("*.log"))
        return {path.stem: path for path in found}

    def accompany(self, name: str, words: Sequence[str]) -> None:
        """Keep another process running beside it."""
        at = self._known(name)
        with locked(at.folder / "wanted.lock"):
            wanted = read(at.wanted)
            if list(wanted.get("companion") or ()) != list(words):
                write(at.wanted, {**wanted, "companion": list(words)})

    def _known(self, name: str) -> Places:
        at = Places.of(self.root, name)
        if not read(at.wanted):
            raise NotFound(f"nothing of {name!r} is on this machine", hint="deploy it again")
        return at

    def _end(self, at: Places) -> None:
        """End all processes: by the supervisor if there is one, else one by one."""
        until = time.monotonic() + _GONE_SECONDS
        met = ""  # the supervisor that we told to end: it lets go of its lock a moment before it is gone
        while time.monotonic() < until:
            found = read(at.processes)
            marks = [found.get("supervisor", ""), found.get("front", ""), found.get("companion", "")]
            marks += [one.get("mark", "") for one in found.get("replicas", ())]
            supervisor, *others = [str(mark) for mark in marks]
            if processes.is_alive(supervisor):
                met = supervisor
                processes.send(supervisor, signal.SIGTERM)
            elif processes.is_alive(met):
                pass
            else:
                with contextlib.suppress(OSError), locked(at.lock, wait=False) as is_ours:
                    alive = [mark for mark in others if processes.is_alive(mark)]
                    if is_ours and not alive:
                        return
                    for mark in alive:
                        processes.send(mark, signal.SIGTERM)
            processes.reap()
            time.sleep(_POLL_SECONDS)
        for mark in marks:
            processes.send(str(mark), signal.SIGKILL)


def _demand_serving() -> None:
    for name in ("httptools", "orjson"):
        if find_spec(name) is None:
            raise MissingExtra(f"the target local needs {name}", hint="pip install 'jupyter-mlops[serving]'")


def _status(state: Mapping[str, Any]) -> Status:
    host = str(state.get("host") or "")
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return Status(
        state=str(state.get("state", "")),
        url=f"http://{shown}:{state['port']}" if state.get("port") else "",
        message=str(state.get("message", "")),
        revision=int(state.get("revision") or 0),
        replicas=[
            ReplicaStatus(
                name=one["name"], state=one["state"], revision=int(one.get("revision") or 0),
                message=str(one.get("message", "")), restarts=int(one.get("restarts", 0)),
                requests=int(one.get("requests", 0)), errors=int(one.get("errors", 0)),
            )
            for one in state.get("replicas", ())
        ],
        metrics=dict(state.get("metrics", {})),
    )  # fmt: skip


def _superseded(name: str, revision: int) -> Conflict:
    return Conflict(
        f"somebody else has deployed revision {revision} of {name!r} meanwhile",
        hint="look at it, then deploy again if need be",
    )


def _port(given: Any) -> int:
    if given is None or given == "":
        return 0
    text = str(given)
    if isinstance(given, bool) or not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise InvalidInput(f"{given!r} is no port", hint="a number from 1 to 65535")
    return int(text)


def _environment(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(
        isinstance(name, str) and isinstance(value, (str, int, float)) for name, value in given.items()
    ):
        raise InvalidInput("env must be a mapping of names to texts")
    return {name: str(value) for name, value in given.items()}
