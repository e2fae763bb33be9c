"""The client's side of a zygote: start it or find it, ask it for kernels, hear when they end.

Everything here runs on the kernel pool's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import KernelUnavailable

_SCRIPT = Path(__file__).with_name("zygote.py")
START_SECONDS = 60.0
_HELLO_SECONDS = 60.0
_ANSWER_SECONDS = 120.0  # it does one thing at a time, and may be importing what is large for somebody else
_SAID_BYTES = 4096  # of its last words
_lingering: list[subprocess.Popen[bytes]] = []  # started by us, but not ours to wait for

OnExit = Callable[[int, bool, float | None], None]


class ZygoteGone(KernelUnavailable):
    """The zygote ended while we needed it."""

    code = "kernel_unavailable"


class Zygote:
    """A connection to one zygote process; see ``zygote.py`` for the protocol."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Mapping[str, Any]
    ) -> None:
        self.pid: int = hello["hello"]
        self.loaded: tuple[str, ...] = ()
        self.refused: Mapping[str, str] = {}
        self.is_gone = False
        self.is_direct: bool = hello["direct"]  # its kernels can do with one socket
        self._site: Mapping[str, int] = hello["site"]
        self._writer = writer
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._watchers: dict[int, OnExit] = {}
        self._expecting: dict[int, OnExit] = {}
        self._count = 0
        self._listening = asyncio.create_task(self._listen(reader))

    @classmethod
    async def open(
        cls, python: str, socket: Path, env: Mapping[str, str], *, is_bare: bool, linger_seconds: float
    ) -> tuple[Zygote, subprocess.Popen[bytes] | None]:
        """Connect to the zygote at `socket`; start one if none is there. One that does not linger is ours alone, its
        process too; it makes the directory of `socket`, and is there to remove it should we be killed."""
        options = {
            "socket": str(socket),
            "directory": str(socket.parent) if linger_seconds <= 0 else None,
            "linger": linger_seconds,
            "bare": is_bare,
            "starter": os.getpid(),
        }
        if options["directory"]:
            with tempfile.TemporaryFile() as log:
                return await cls._start(python, options, env, log)
        with open(socket.with_suffix(".lock"), "w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)  # two clients must not start two
            known = await _connect(socket)
            if known is not None:
                zygote = cls(*known)
                if not zygote.is_outdated():
                    return zygote, None
                zygote.retire()
                await zygote.close()
            with contextlib.suppress(FileNotFoundError):
                socket.unlink()
            with open(socket.with_suffix(".log"), "w+b") as log:
                zygote, process = await cls._start(python, options, env, log)
        _lingering[:] = [one for one in (*_lingering, process) if one.poll() is None]
        return zygote, None

    @classmethod
    async def _start(
        cls, python: str, options: Mapping[str, Any], env: Mapping[str, str], log: IO[bytes]
    ) -> tuple[Zygote, subprocess.Popen[bytes]]:
        process = _launch(python, options, env, log)
        try:
            return cls(*await _await_start(process, python, Path(options["socket"]), log)), process
        except BaseException:
            process.kill()
            process.wait()
            raise

    async def preload(self, modules: tuple[str, ...]) -> bool:
        """Import `modules` in the zygote; says whether it had not been asked for all of them before."""
        wanted = [name for name in modules if name not in self.loaded and name not in self.refused]
        if wanted:
            answer = await self._ask({"op": "preload", "modules": wanted})
            self.loaded, self.refused = tuple(answer["loaded"]), answer["refused"]
        return bool(wanted)

    async def fork(self, on_exit: OnExit, **how: Any) -> int:
        """The pid of a new kernel. `how`: ``wire`` and ``token``, for one that comes over a socket of ours;
        or ``connection_file`` and ``argv``, for one of Jupyter's own channels, with ``env`` and ``cwd`` if it
        is to have them from the beginning.

        `on_exit(status, is_lost, cpu_seconds)` is called once when it has ended: a negative status is a signal,
        `is_lost` says that it fell with the zygote, and nobody then knows how long it kept a CPU busy.
        """
        answer = await self._ask({"op": "fork", **how}, on_exit)
        if "error" in answer:
            raise KernelUnavailable(f"no kernel can be forked: {answer['error']}")
        return int(answer["pid"])

    def own(self, directory: Path | None) -> None:
        """Have the zygote remove `directory` should we vanish."""
        self._send({"op": "own", "directory": directory and str(directory)})

    def retire(self) -> None:
        """Have it take no more clients, and end with the last one that it has."""
        self._send({"op": "retire"})

    def is_outdated(self) -> bool:
        """Whether something was installed or removed since the zygote began: its modules may be old."""
        return any(_modified(directory) != mark for directory, mark in self._site.items())

    async def close(self) -> None:
        """End the connection, and with it every kernel that came from it."""
        self.own(None)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        await self._listening

    def _send(self, message: Mapping[str, Any]) -> None:
        if not self.is_gone:
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def _ask(self, message: dict[str, Any], on_exit: OnExit | None = None) -> dict[str, Any]:
        if self.is_gone:
            raise ZygoteGone("the kernel zygote has ended")
        self._count += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._count] = answer
        if on_exit is not None:
            self._expecting[self._count] = on_exit
        self._send({**message, "id": self._count})
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            raise KernelUnavailable(
                f"the kernel zygote (process {self.pid}) has not answered for {_ANSWER_SECONDS:g} s"
            ) from None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                message = json.loads(line)
                if "exit" in message:
                    if (watcher := self._watchers.pop(message["exit"], None)) is not None:
                        watcher(message["status"], False, message.get("cpu_seconds"))
                else:
                    self._take_answer(message)
        self.is_gone = True
        self._writer.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ZygoteGone("the kernel zygote has ended"))
        for pid, watcher in self._watchers.items():
            _kill_group(pid)  # the kernel has died with its zygote; what it had started has not
            watcher(-signal.SIGKILL, True, None)
        self._watchers.clear()

    def _take_answer(self, message: dict[str, Any]) -> None:
        answer = self._answers.pop(message["id"])
        on_exit = self._expecting.pop(message["id"], None)
        if answer.done():  # who asked has gone
            if "pid" in message:
                _kill_group(message["pid"])
            return
        if on_exit is not None and "pid" in message:
            self._watchers[message["pid"]] = on_exit  # from now on: it may end before the asker goes on
        answer.set_result(message)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _modified(directory: str) -> int:
    try:
        return os.stat(directory).st_mtime_ns
    except OSError:
        return 0


def _launch(
    python: str, options: Mapping[str, Any], env: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [python, str(_SCRIPT), json.dumps(options)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(env), cwd="/",
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
    line = b""
    try:
        # It ended before it could say anything, or is stopped: then another one serves us better.
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_HELLO_SECONDS):
                line = await reader.readline()
    finally:
        if not line:
            writer.close()
    return (reader, writer, json.loads(line)) if line else None


async def _await_start(
    process: subprocess.Popen[bytes], python: str, socket: Path, log: IO[bytes]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Mapping[str, Any]]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_SECONDS
    while loop.time() < deadline and process.poll() is None:
        if socket.exists() and (connected := await _connect(socket)) is not None:
            return connected
        await asyncio.sleep(0.005)
    size = os.fstat(log.fileno()).st_size
    said = os.pread(log.fileno(), _SAID_BYTES, max(0, size - _SAID_BYTES))
    tail = said.decode(errors="replace").strip().splitlines()[-1:]
    raise KernelUnavailable(
        f"the kernel zygote of {python} did not start" + (f": {tail[0]}" if tail else ""),
        hint="is ipykernel installed in that environment?",
    )
