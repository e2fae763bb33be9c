"""Kernels that are ready before they are needed.

Starting a kernel and importing pandas and scikit-learn costs seconds; forking one that has done it costs tens
of milliseconds, and taking one that is already answering costs none. The pool owns one event loop in one
thread, on which every kernel of this process is talked to; it keeps a zygote an environment, and behind each a
few kernels that idle (`stock`). What a fork cannot give (another language, Windows, a broken environment) is
started in the ordinary way (`ordinary`), and the log says so.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import itertools
import json
import logging
import os
import shutil
import threading
import uuid
import weakref
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from ..errors import KernelUnavailable, MlopsError
from . import ordinary
from .channels import PORTS, Message, WireChannels, ZmqChannels, files_of, unsigned_session
from .guard import Guard
from .kernel import READY_SECONDS, Kernel
from .places import make_private, new_directory
from .request import KernelRequest, needs_bare
from .specs import Spec, find_spec
from .stock import Stock
from .zygotes import Zygote

T = TypeVar("T")
log = logging.getLogger("jupyter_mlops.kernels")
_ORDINARY_TRIES = 3
_ASSIGN_SECONDS = 30.0


class KernelPool:
    """Hands out answering kernels. One a process is enough; `close` it, or leave that to the interpreter's end.

    `size` kernels idle in each environment. With `linger_seconds` > 0 the zygotes are shared between processes
    of this user and outlive them by so long, which makes a command line fast; kernels never outlive their
    client.
    """

    def __init__(self, *, size: int = 2, linger_seconds: float = 0.0) -> None:
        self.size = size
        self.linger_seconds = linger_seconds
        self.directory = new_directory()  # made with the first zygote, or the guard
        self.loop = asyncio.new_event_loop()
        self._context: Any = None
        self._numbers = itertools.count(1)
        self._stocks: dict[str, Stock] = {}
        self._kernels: dict[Kernel, Stock | None] = {}
        self._tasks: set[asyncio.Task[Any]] = set()  # the loop itself holds its tasks only weakly
        self._closing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Future[asyncio.Server] | None = None
        self._wires: weakref.WeakSet[WireChannels] = weakref.WeakSet()
        self._arrivals: dict[str, asyncio.Future[WireChannels]] = {}
        self._guard = Guard()
        self._is_closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="mlops-kernels", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    # --- from any thread ------------------------------------------------------------------------------

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine on the pool's loop."""
        if self._is_closed:
            work.close()
            raise KernelUnavailable("the kernel pool is closed")
        return asyncio.run_coroutine_threadsafe(self._tracked(work), self.loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the pool's loop and wait for it."""
        return self.submit(work).result()

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        """Call a plain function on the pool's loop."""
        with contextlib.suppress(RuntimeError):  # closed meanwhile: nothing is left to tell
            self.loop.call_soon_threadsafe(function, *args)

    def warm(self, request: KernelRequest) -> None:
        """Prepare for kernels like this one, in the background; problems show when one is acquired."""

        async def prepare() -> None:
            with contextlib.suppress(MlopsError):
                spec = find_spec(request)
                if not spec.why_cold(request):
                    await self._stock(spec, is_bare=needs_bare(request)).prepare(request.preload)

        self.submit(prepare())

    def close(self) -> None:
        """End every kernel and zygote and remove every file; again and again does no harm."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        atexit.unregister(self.close)
        try:
            asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(timeout=30)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(timeout=5)
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> KernelPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- on the loop ----------------------------------------------------------------------------------

    async def acquire(self, request: KernelRequest) -> Kernel:
        """An answering kernel in the requested directory and environment. `release` it."""
        spec = find_spec(request)
        reason = spec.why_cold(request)
        if not reason:
            try:
                return await self._acquire_warm(spec, request)
            except MlopsError as error:
                if self._is_closed:
                    raise
                reason = f"no warm kernel: {error}"
        log.info("ordinary kernel start for %s: %s", spec.name, reason)
        return await self._start_ordinary(spec, request)

    async def release(self, kernel: Kernel) -> None:
        """End the kernel: it is killed at once, its files are removed a moment later."""
        if kernel not in self._kernels:
            return
        stock = self._kernels.pop(kernel)
        kernel.kill()
        self._later(asyncio.create_task(kernel.close()))
        if stock is not None:
            self._later(stock.give_back(kernel.completed))

    # --- inside ---------------------------------------------------------------------------------------

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        import zmq.asyncio

        self._context = zmq.asyncio.Context()
        self._context.max_sockets = 65536
        try:
            self.loop.run_forever()
        finally:
            self._context.destroy(linger=0)
            self.loop.close()

    async def _tracked(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("run outside of a task")
        self._tasks.add(task)
        try:
            return await work
        finally:
            self._tasks.discard(task)

    def _later(self, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _acquire_warm(self, spec: Spec, request: KernelRequest) -> Kernel:
        stock = self._stock(spec, is_bare=needs_bare(request))
        kernel = await stock.take(request.preload)
        self._kernels[kernel] = stock
        try:
            content = {"cwd": str(request.cwd), "env": spec.environment(request), "cpus": request.cpus}
            await kernel.ask("assign", content, _ASSIGN_SECONDS)
        except BaseException:
            await self.release(kernel)
            raise
        return kernel

    def _stock(self, spec: Spec, *, is_bare: bool) -> Stock:
        key = json.dumps([spec.argv, sorted(spec.env.items()), is_bare])
        stock = self._stocks.get(key)
        if stock is None or stock.is_outdated():
            if stock is not None:
                log.info("the environment of %s changed: a new zygote", spec.name)
                self._later(asyncio.create_task(stock.retire()))
            stock = self._stocks[key] = Stock(
                spec,
                is_bare=is_bare,
                size=self.size,
                linger_seconds=self.linger_seconds,
                make_path=self._make_path,
                fork=self._fork,
                release=self.release,
            )
        return stock

    async def _fork(self, zygote: Zygote, argv: list[str]) -> Kernel:
        if zygote.is_direct and not argv:
            return await self._fork_direct(zygote)
        connection_file, connection = self._connection("ipc")
        kernel = Kernel(ZmqChannels(connection, self._context), is_warm=True, files=files_of(connection))
        self._kernels[kernel] = None
        try:
            kernel.pid = await zygote.fork(kernel.note_exit, connection_file=str(connection_file), argv=argv)
            await kernel.answer()
        except BaseException:
            await self.release(kernel)
            raise
        return kernel

    async def _fork_direct(self, zygote: Zygote) -> Kernel:
        token = uuid.uuid4().hex
        self._arrivals[token] = arrival = self.loop.create_future()
        exits: list[tuple[int, bool, float | None]] = []
        kernel: Kernel | None = None

        def note_exit(status: int, is_lost: bool, cpu_seconds: float | None) -> None:
            if kernel is not None:
                kernel.note_exit(status, is_lost, cpu_seconds)
            else:
                exits.append((status, is_lost, cpu_seconds))
                if not arrival.done():
                    arrival.set_exception(KernelUnavailable(f"the forked kernel ended at once ({status})"))

        try:
            pid = await zygote.fork(note_exit, wire=str(await self._wire()), token=token)
            async with asyncio.timeout(READY_SECONDS):
                channels = await arrival
        except TimeoutError:
            raise KernelUnavailable(f"the kernel did not answer within {READY_SECONDS:g} s") from None
        except asyncio.CancelledError:
            if arrival.done() and not arrival.cancelled() and arrival.exception() is None:
                arrival.result().close()  # it came just now, and ends with its channel
            raise
        finally:
            del self._arrivals[token]
        kernel = Kernel(channels, is_warm=True)
        kernel.pid = pid
        self._kernels[kernel] = None
        for ended in exits:
            kernel.note_exit(*ended)
        try:
            await kernel.answer()
        except BaseException:
            await self.release(kernel)
            raise
        return kernel

    async def _wire(self) -> Path:
        """Where forked kernels come to us."""
        path = self.directory / "wire"
        if self._server is None:
            session = unsigned_session()
            self._server = asyncio.ensure_future(
                self.loop.create_unix_server(lambda: self._new_wire(session), path=str(path), backlog=256)
            )
        await asyncio.shield(self._server)
        return path

    def _new_wire(self, session: Any) -> WireChannels:
        wire = WireChannels(session, self._arrived)
        self._wires.add(wire)
        return wire

    def _arrived(self, channels: WireChannels, hello: Message) -> None:
        arrival = self._arrivals.get(str(hello.get("token")))
        if arrival is None or arrival.done():
            channels.close()  # nobody waits for it any more
        else:
            arrival.set_result(channels)

    async def _start_ordinary(self, spec: Spec, request: KernelRequest) -> Kernel:
        tries = 1 if spec.is_ipykernel else _ORDINARY_TRIES
        self._guard.own(self.directory)
        make_private(self.directory)
        while True:
            connection_file, connection = self._connection(ordinary.transport_of(spec))
            kernel = await ordinary.start(
                spec, request, connection_file, connection, context=self._context, guard=self._guard
            )
            self._kernels[kernel] = None
            try:
                await kernel.answer()
            except MlopsError:
                # A TCP port can be lost to somebody else between its choice and its use.
                await self.release(kernel)
                tries -= 1
                if tries == 0:
                    raise
            except BaseException:
                await self.release(kernel)
                raise
            else:
                return kernel

    def _make_path(self) -> Path:
        return self.directory / f"k{next(self._numbers)}"

    def _connection(self, transport: str) -> tuple[Path, dict[str, Any]]:
        """A connection file and what it says; over IPC it is written, and its path is that of the sockets too
        (two kernels with one path would take each other's)."""
        prefix = self._make_path()
        connection: dict[str, Any] = {
            "transport": transport,
            "ip": str(prefix) if transport == "ipc" else "127.0.0.1",
            "key": uuid.uuid4().hex,
            "signature_scheme": "hmac-sha256",
        }
        path = prefix.with_suffix(".json")
        if transport == "ipc":
            connection.update(PORTS)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w") as file:
                json.dump(connection, file)
        return path, connection

    async def _close(self) -> None:
        # First: until a zygote is told that we end in order, it removes these files if we are killed; after that
        # nobody would. Who is connected needs no path any more.
        shutil.rmtree(self.directory, ignore_errors=True)
        for stock in self._stocks.values():
            await stock.close()
        for kernel in list(self._kernels):
            await self.release(kernel)
        # Those whose kernel this was hear of it, and have their last word.
        others = self._tasks - {asyncio.current_task()}
        if others:
            _, late = await asyncio.wait(others, timeout=10)
            for task in late:
                task.cancel()
        if self._closing:
            await asyncio.wait(set(self._closing), timeout=10)
        self._guard.close()
        if self._server is not None:
            (await self._server).close()
            await asyncio.sleep(0)
            for wire in list(self._wires):  # a kernel of a zygote that stays may have come just now
                wire.close()
            await asyncio.sleep(0)  # what was closed is let go of in the loop's next round
