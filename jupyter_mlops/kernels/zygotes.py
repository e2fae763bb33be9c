"""The client's side of a zygote: start it or find it, ask it for kernels, hear when they end.

Everything here runs on the kernel pool's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import KernelUnavailable

_SCRIPT = Path(__file__).with_name("zygote.py")
START_SECONDS = 60.0


class ZygoteGone(KernelUnavailable):
    """The zygote ended while we needed it."""

    code = "kernel_unavailable"


class Zygote:
    """A connection to one zygote process; see ``zygote.py`` for the protocol."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Mapping[str, Any]
    ) -> None:
        self.pid: int = hello["hello"]
        self.site: list[str] = hello["site"]
        self.loaded: tuple[str, ...] = ()
        self.refused: Mapping[str, str] = {}
        self.is_gone = False
        self._writer = writer
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._watchers: dict[int, Callable[[int, bool], None]] = {}
        self._early_exits: dict[int, int] = {}
        self._count = 0
        self._marks = self._site_marks()
        self._listening = asyncio.create_task(self._listen(reader))

    @classmethod
    async def open(
        cls, python: str, socket: Path, env: Mapping[str, str], log: Path, linger_seconds: float
    ) -> tuple[Zygote, subprocess.Popen[bytes] | None]:
        """Connect to the zygote at `socket`; start one if none is there. The process is ours when we started
        it and it does not linger."""
        socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(socket.with_suffix(".lock"), "w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)  # two clients must not start two
            process = None
            connected = await _connect(socket)
            if connected is None:
                with contextlib.suppress(FileNotFoundError):
                    socket.unlink()
                process = _launch(python, socket, env, log, linger_seconds)
                connected = await _await_start(process, socket, log)
        return cls(*connected), process

    async def preload(self, modules: tuple[str, ...]) -> bool:
        """Import `modules` in the zygote; says whether that changed anything."""
        wanted = [name for name in modules if name not in self.loaded and name not in self.refused]
        if not wanted:
            return False
        answer = await self._ask({"op": "preload", "modules": wanted})
        before = self.loaded
        self.loaded, self.refused = tuple(answer["loaded"]), answer["refused"]
        return before != self.loaded

    async def fork(
        self, connection_file: Path, argv: list[str], on_exit: Callable[[int, bool], None], **place: Any
    ) -> int:
        """The pid of a new kernel; `place` may give its `env` and `cwd` from the beginning.

        `on_exit(status, is_lost)` is called once when it has ended: a negative status is a signal, `is_lost`
        says that it fell with the zygote.
        """
        answer = await self._ask({"op": "fork", "connection_file": str(connection_file), "argv": argv, **place})
        pid: int = answer["pid"]
        if pid in self._early_exits:
            on_exit(self._early_exits.pop(pid), False)
        elif self.is_gone:
            on_exit(-9, True)
        else:
            self._watchers[pid] = on_exit
        return pid

    def own(self, directory: Path) -> None:
        """Have the zygote remove `directory` when we are gone."""
        self._send({"op": "own", "directory": str(directory)})

    def is_outdated(self) -> bool:
        """Whether something was installed or removed since the zygote began: its modules may be old."""
        return self._marks != self._site_marks()

    async def close(self) -> None:
        """End the connection, and with it every kernel that came from it."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        await self._listening

    def _site_marks(self) -> list[int]:
        marks = []
        for directory in self.site:
            try:
                marks.append(os.stat(directory).st_mtime_ns)
            except OSError:
                marks.append(0)
        return marks

    def _send(self, message: Mapping[str, Any]) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        if self.is_gone:
            raise ZygoteGone("the kernel zygote has ended")
        self._count += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._count] = answer
        self._send({**message, "id": self._count})
        return await answer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                message = json.loads(line)
                if "exit" in message:
                    watcher = self._watchers.pop(message["exit"], None)
                    if watcher is None:
                        self._early_exits[message["exit"]] = message["status"]
                    else:
                        watcher(message["status"], False)
                elif not (answer := self._answers.pop(message["id"])).done():
                    answer.set_result(message)
        self.is_gone = True
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ZygoteGone("the kernel zygote has ended"))
        for watcher in self._watchers.values():
            watcher(-9, True)
        self._watchers.clear()


def _launch(
    python: str, socket: Path, env: Mapping[str, str], log: Path, linger_seconds: float
) -> subprocess.Popen[bytes]:
    options = json.dumps({"socket": str(socket), "linger": linger_seconds})
    with open(log, "ab") as output:
        try:
            return subprocess.Popen(
                [python, str(_SCRIPT), options],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=dict(env), cwd="/",
                start_new_session=True,  # a Ctrl-C in the terminal is ours to handle, not the kernels'
            )  # fmt: skip
        except OSError as error:
            raise KernelUnavailable(
                f"cannot start {python}: {error.strerror}",
                hint="does the kernelspec's interpreter still exist?",
            ) from error


async def _connect(
    socket: Path,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Mapping[str, Any]] | None:
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket), limit=1 << 22)
    except OSError:
        return None
    line = await reader.readline()
    if not line:
        writer.close()
        return None
    return reader, writer, json.loads(line)


async def _await_start(
    process: subprocess.Popen[bytes], socket: Path, log: Path
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Mapping[str, Any]]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_SECONDS
    while loop.time() < deadline:
        if process.poll() is not None:
            break
        if socket.exists() and (connected := await _connect(socket)) is not None:
            return connected
        await asyncio.sleep(0.005)
    process.kill()
    process.wait()
    tail = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    raise KernelUnavailable(
        f"the kernel zygote of {process.args[0] if isinstance(process.args, list) else sys.executable} did not start"
        + (f": {tail[0]}" if tail else ""),
        hint="is ipykernel installed in that environment?",
    )
