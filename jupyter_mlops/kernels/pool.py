"""Kernels that are ready before they are needed.

Starting a kernel and importing pandas and scikit-learn costs seconds; forking one that has done it costs tens
of milliseconds, and taking one that is already answering costs none. The pool owns one event loop in one
thread, on which every kernel of this process is talked to; it keeps a zygote an environment, and behind each a
few kernels that idle. What a fork cannot give (another language, Windows, a broken environment) is started in
the ordinary way, and the log says so.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import hashlib
import itertools
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from .._version import __version__
from ..errors import KernelUnavailable, MlopsError, did_you_mean
from .kernel import Kernel
from .request import THREAD_VARIABLES, KernelRequest, extra_arguments, is_sensitive, needs_bare, why_cold
from .zygotes import Zygote

T = TypeVar("T")
log = logging.getLogger("jupyter_mlops.kernels")
_PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}
_COLD_TRIES = 3
_PREFIX = "jm-"


class KernelPool:
    """Hands out answering kernels. One a process is enough; `close` it, or leave that to the interpreter's end.

    `size` kernels idle in each environment. With `linger_seconds` > 0 the zygotes are shared between processes
    of this user and outlive them by so long, which makes a command line fast; kernels never outlive their
    client.
    """

    def __init__(self, *, size: int = 2, linger_seconds: float = 0.0) -> None:
        self.size = size
        self.linger_seconds = linger_seconds
        self.directory = make_directory()
        self._numbers = itertools.count(1)
        self._environments: dict[str, _Environment] = {}
        self._kernels: set[Kernel] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._submitted: set[concurrent.futures.Future[Any]] = set()
        self._is_closed = False
        self._lock = threading.Lock()
        self.loop = asyncio.new_event_loop()
        self._context: Any = None
        self._thread = threading.Thread(target=self._serve, name="mlops-kernels", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    # --- from any thread ------------------------------------------------------------------------------

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine on the pool's loop."""
        if self._is_closed:
            work.close()
            raise KernelUnavailable("the kernel pool is closed")
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        self._submitted.add(future)  # the loop itself holds its tasks only weakly
        future.add_done_callback(self._submitted.discard)
        return future

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the pool's loop and wait for it."""
        return self.submit(work).result()

    def call_soon(self, function: Any, *args: Any) -> None:
        """Call a plain function on the pool's loop."""
        with contextlib.suppress(RuntimeError):  # closed meanwhile: nothing is left to tell
            self.loop.call_soon_threadsafe(function, *args)

    def warm(self, request: KernelRequest) -> None:
        """Prepare for kernels like this one, in the background; problems show when one is acquired."""

        async def prepare() -> None:
            with contextlib.suppress(MlopsError):
                spec = _find_spec(request)
                if not why_cold(request, spec.argv, spec.provisioner):
                    environment = self._environment(spec, is_bare=needs_bare(request))
                    await environment.prepare(request.preload)

        self.submit(prepare())

    def close(self) -> None:
        """End every kernel and zygote and remove every file; again and again does no harm."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        atexit.unregister(self.close)
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(timeout=30)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=5)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> KernelPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- on the loop -----------------------------------------------------------------------------------

    async def acquire(self, request: KernelRequest) -> Kernel:
        """An answering kernel in the requested directory and environment. `release` it."""
        spec = _find_spec(request)
        reason = why_cold(request, spec.argv, spec.provisioner)
        if not reason:
            try:
                return await self._acquire_warm(spec, request)
            except MlopsError as error:
                reason = f"no warm kernel: {error}"
        log.info("ordinary kernel start for %s: %s", spec.name, reason)
        return await self._start_cold(spec, request)

    async def release(self, kernel: Kernel) -> None:
        """End the kernel; its process is gone when this returns, its files a moment later."""
        self._kernels.discard(kernel)
        kernel.kill()
        task = asyncio.create_task(kernel.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        if not kernel.is_warm:
            await task

    async def start_warm(self, zygote: Zygote, argv: list[str]) -> Kernel:
        """Fork a kernel and wait until it answers."""
        prefix, connection = self._connection("ipc")
        kernel = Kernel(connection, self._context, is_warm=True)
        self._kernels.add(kernel)
        try:
            kernel.pid = await zygote.fork(prefix.with_suffix(".json"), argv, kernel.note_exit)
            await kernel.answer()
        except BaseException:
            await self.release(kernel)
            raise
        return kernel

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        import zmq.asyncio

        self._context = zmq.asyncio.Context()
        self._context.rcvhwm = 0  # read late is better than dropped
        try:
            self.loop.run_forever()
        finally:
            self._context.destroy(linger=0)
            self.loop.close()

    async def _acquire_warm(self, spec: _Spec, request: KernelRequest) -> Kernel:
        environment = self._environment(spec, is_bare=needs_bare(request))
        kernel = await environment.take(request.preload)
        try:
            content = {"cwd": str(request.cwd), "env": _environment_of(spec, request), "cpus": request.cpus}
            await kernel.request("mlops_assign_request", content, 30.0)
        except BaseException:
            await self.release(kernel)
            raise
        return kernel

    def _environment(self, spec: _Spec, *, is_bare: bool) -> _Environment:
        key = json.dumps([spec.argv, sorted(spec.env.items()), is_bare])
        environment = self._environments.get(key)
        if environment is None or environment.is_outdated():
            if environment is not None:
                log.info("the environment of %s changed: a new zygote", spec.name)
                task = asyncio.create_task(environment.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
            environment = self._environments[key] = _Environment(self, spec, is_bare=is_bare)
        return environment

    async def _start_cold(self, spec: _Spec, request: KernelRequest) -> Kernel:
        for attempt in range(1, _COLD_TRIES + 1):
            try:
                return await self._start_cold_once(spec, request)
            except MlopsError:
                # A TCP port can be lost to somebody else between its choice and its use.
                if spec.is_ipykernel or attempt == _COLD_TRIES:
                    raise
        raise AssertionError("unreachable")

    async def _start_cold_once(self, spec: _Spec, request: KernelRequest) -> Kernel:
        from jupyter_client.manager import AsyncKernelManager

        transport = "ipc" if spec.is_ipykernel and sys.platform != "win32" else "tcp"
        prefix, connection = self._connection(transport)
        manager = AsyncKernelManager(kernel_name=spec.name, connection_file=str(prefix.with_suffix(".json")))
        manager.transport, manager.ip = transport, connection["ip"]
        manager.session.key = connection["key"].encode()
        if transport == "ipc":
            for name, number in _PORTS.items():
                setattr(manager, name, number)
        if spec.is_fallback:
            manager._kernel_spec = spec.kernel_spec
        extra = ["--HistoryManager.hist_file=:memory:"] if spec.is_ipykernel else []
        try:
            environment = _environment_of(spec, request)
            await manager.start_kernel(cwd=str(request.cwd), env=environment, extra_arguments=extra)
        except (OSError, RuntimeError) as error:
            raise KernelUnavailable(f"kernel {spec.name!r} does not start: {error}") from error
        connection.update({k: v for k, v in manager.get_connection_info().items() if k != "key"})
        kernel = Kernel(connection, self._context, is_warm=False)
        self._kernels.add(kernel)
        kernel.pid = getattr(manager.provisioner, "pid", 0) or 0
        watching = asyncio.create_task(_watch(manager, kernel))
        kernel.on_interrupt = manager.interrupt_kernel

        async def shut_down() -> None:
            watching.cancel()
            with contextlib.suppress(RuntimeError):
                await manager.shutdown_kernel(now=kernel.exited.is_set())
            await manager.cleanup_resources()

        kernel.on_close = shut_down
        if request.cpus and kernel.pid:
            _pin(kernel.pid, request.cpus)
        try:
            await kernel.answer()
        except BaseException:
            kernel.kill()
            await self.release(kernel)
            raise
        return kernel

    def _connection(self, transport: str) -> tuple[Path, dict[str, Any]]:
        """A unique path for the sockets (two kernels of one name would take each other's) and what to write."""
        prefix = self.directory / f"k{next(self._numbers)}"
        connection: dict[str, Any] = {
            "transport": transport,
            "ip": str(prefix) if transport == "ipc" else "127.0.0.1",
            "key": uuid.uuid4().hex,
            "signature_scheme": "hmac-sha256",
        }
        if transport == "ipc":
            connection.update(_PORTS)
            descriptor = os.open(prefix.with_suffix(".json"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w") as file:
                json.dump(connection, file)
        return prefix, connection

    async def _close(self) -> None:
        for environment in self._environments.values():
            await environment.close()
        for kernel in list(self._kernels):
            await self.release(kernel)
        if self._closing:
            await asyncio.wait(self._closing, timeout=10)


class _Environment:
    """A zygote and the kernels that idle behind it."""

    def __init__(self, pool: KernelPool, spec: _Spec, *, is_bare: bool) -> None:
        self.pool = pool
        self.spec = spec
        self.is_bare = is_bare
        self._zygote: Zygote | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._opening = asyncio.Lock()
        self._ready: asyncio.Queue[Kernel | MlopsError] = asyncio.Queue()
        self._idle: set[Kernel] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._is_closed = False

    def is_outdated(self) -> bool:
        zygote = self._zygote
        return zygote is not None and (zygote.is_gone or zygote.is_outdated())

    async def prepare(self, preload: tuple[str, ...]) -> Zygote:
        """The zygote, with the modules imported, and idle kernels on their way."""
        async with self._opening:
            if self._zygote is None:
                await self._open()
            zygote = self._zygote
            assert zygote is not None
            if not self.is_bare and await zygote.preload(preload):
                if zygote.refused:
                    log.info(
                        "not preloaded: %s", "; ".join(f"{k} {v}" for k, v in sorted(zygote.refused.items()))
                    )
                if any("threads" in why for why in zygote.refused.values()):
                    await self._reopen(zygote)
                    zygote = self._zygote
                await self._discard_idle()
        self._top_up()
        return zygote

    async def take(self, preload: tuple[str, ...]) -> Kernel:
        """The next kernel that answers."""
        await self.prepare(preload)
        self._waiting += 1
        try:
            while True:
                self._top_up()
                kernel = await self._ready.get()
                if isinstance(kernel, MlopsError):
                    raise kernel
                self._idle.discard(kernel)
                if not kernel.exited.is_set():
                    return kernel
                await self.pool.release(kernel)
        finally:
            self._waiting -= 1
            self._top_up()

    async def close(self) -> None:
        self._is_closed = True
        for task in list(self._starting):
            task.cancel()
        if self._starting:
            await asyncio.wait(self._starting)
        await self._discard_idle()
        if self._zygote is not None:
            await self._zygote.close()
        await asyncio.to_thread(_end, self._process)

    async def _open(self) -> None:
        environment = {**_own_environment(), **self.spec.env}
        if self.pool.linger_seconds > 0:
            socket = _shared_socket(self.spec, environment, is_bare=self.is_bare)
        else:
            socket = self.pool.directory / f"z{next(self.pool._numbers)}"
        self._zygote, process = await Zygote.open(
            self.spec.argv[0], socket, environment, socket.with_suffix(".log"), self.pool.linger_seconds
        )
        self._zygote.own(self.pool.directory)
        self._process = process if self.pool.linger_seconds <= 0 else None

    async def _reopen(self, zygote: Zygote) -> None:
        """A module started threads in the zygote: begin again without it."""
        loaded, refused = zygote.loaded, zygote.refused
        await zygote.close()
        await asyncio.to_thread(_end, self._process)
        self.pool.directory.mkdir(mode=0o700, exist_ok=True)  # the old one has removed it
        await self._open()
        assert self._zygote is not None
        self._zygote.refused = refused
        await self._zygote.preload(tuple(name for name in loaded if name not in refused))

    def _top_up(self) -> None:
        if self._is_closed or self._zygote is None or self._zygote.is_gone:
            if self._waiting:
                self._ready.put_nowait(KernelUnavailable("the kernel zygote has ended"))
            return
        wanted = self._waiting + self.pool.size - self._ready.qsize() - len(self._starting)
        for _ in range(min(wanted, 4 - len(self._starting))):
            task = asyncio.create_task(self._start(self._zygote))
            self._starting.add(task)
            task.add_done_callback(self._started)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        if not task.cancelled() and task.exception() is None:
            self._top_up()

    async def _start(self, zygote: Zygote) -> None:
        try:
            kernel = await self.pool.start_warm(zygote, extra_arguments(self.spec.argv))
        except Exception as error:
            if self._waiting > self._ready.qsize():  # somebody must hear of it
                self._ready.put_nowait(
                    error if isinstance(error, MlopsError) else KernelUnavailable(f"no kernel could be forked: {error}")
                )
            raise
        self._idle.add(kernel)
        self._ready.put_nowait(kernel)

    async def _discard_idle(self) -> None:
        while not self._ready.empty():
            kernel = self._ready.get_nowait()
            if isinstance(kernel, Kernel):
                self._idle.discard(kernel)
                await self.pool.release(kernel)


# --- kernelspecs ------------------------------------------------------------------------------------------


class _Spec:
    """A kernelspec, with its interpreter made absolute."""

    def __init__(self, name: str, kernel_spec: Any, *, is_fallback: bool = False) -> None:
        self.name = name
        self.kernel_spec = kernel_spec
        self.is_fallback = is_fallback
        self.argv: list[str] = list(kernel_spec.argv)
        if self.argv and self.argv[0] in ("python", "python3", f"python3.{sys.version_info[1]}"):
            self.argv[0] = sys.executable  # as jupyter_client does
        self.env: Mapping[str, str] = {k: os.path.expandvars(v) for k, v in kernel_spec.env.items()}
        provisioner = kernel_spec.metadata.get("kernel_provisioner", {})
        self.provisioner: str = provisioner.get("provisioner_name", "")

    @property
    def is_ipykernel(self) -> bool:
        return not why_cold(KernelRequest(), self.argv, "")


_specs: dict[tuple[str, str], _Spec] = {}


def _find_spec(request: KernelRequest) -> _Spec:
    key = (request.kernel_name, request.language)
    if key not in _specs:
        _specs[key] = _look_up_spec(*key)
    return _specs[key]


def _look_up_spec(name: str, language: str) -> _Spec:
    from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        return _Spec(name or NATIVE_KERNEL_NAME, manager.get_kernel_spec(name or NATIVE_KERNEL_NAME))
    except NoSuchKernel:
        known = sorted(manager.find_kernel_specs())
    if language.lower() in ("", "python"):
        # The name in a notebook's metadata is that of its author's machine: "this environment" is what is meant.
        log.warning("no kernel is called %r here; using this environment's Python", name)
        return _Spec(NATIVE_KERNEL_NAME, manager.get_kernel_spec(NATIVE_KERNEL_NAME), is_fallback=True)
    raise KernelUnavailable(
        f"no kernel is called {name!r} (language {language})",
        hint=did_you_mean(name, known) or "jupyter kernelspec list shows those that are installed",
    )


# --- processes and files ----------------------------------------------------------------------------------


def _own_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("JPY_")}


def _environment_of(spec: _Spec, request: KernelRequest) -> dict[str, str]:
    environment = {**_own_environment(), **spec.env}
    if request.cpus:
        environment.update(dict.fromkeys(THREAD_VARIABLES, str(request.cpus)))
    environment.update(request.env)
    return environment


def _pin(pid: int, cpus: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        if cpus < len(allowed):
            with contextlib.suppress(OSError):
                os.sched_setaffinity(pid, {allowed[(pid + i) % len(allowed)] for i in range(cpus)})


async def _watch(manager: Any, kernel: Kernel) -> None:
    """Tell the kernel that its process ended: at once where Linux gives us a pidfd, else within 0.1 s."""
    if kernel.pid and hasattr(os, "pidfd_open"):
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(kernel.pid)
            loop.add_reader(descriptor, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
    while (status := await manager.provisioner.poll()) is None:
        await asyncio.sleep(0.1)
    kernel.note_exit(status, False)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def make_directory() -> Path:
    """A short path (a Unix socket's may have about 100 characters), ours alone, with our pid in its name."""
    base = Path(tempfile.gettempdir())
    if len(str(base)) > 60:
        base = Path("/tmp")  # noqa: S108 - mkdtemp makes it unique and private
    _sweep(base)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))


def _sweep(base: Path) -> None:
    """Remove what a pool left that was killed together with its zygote."""
    for path in base.glob(f"{_PREFIX}*"):
        pid = path.name[len(_PREFIX) :].partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            with contextlib.suppress(OSError):
                if path.stat().st_uid == os.getuid():
                    shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _shared_socket(spec: _Spec, environment: Mapping[str, str], *, is_bare: bool) -> Path:
    """Where this user's lingering zygote for an environment listens."""
    sensitive = {name: value for name, value in environment.items() if is_sensitive(name)}
    # A kernel has its zygote's limits and control group: those of another job would be the wrong ones.
    surroundings = [_read("/proc/self/cgroup"), _read("/proc/self/limits")]
    script = Path(__file__).with_name("zygote.py").stat()
    key = json.dumps([__version__, script.st_mtime_ns, spec.argv, sorted(sensitive.items()), is_bare, surroundings])
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    directory = base / f"mlops-zygotes-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.stat().st_uid != os.getuid():
        raise KernelUnavailable(f"{directory} belongs to somebody else")
    return directory / digest


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def interpreter_of(kernel_name: str, language: str = "python") -> str:
    """The absolute path of the Python that a kernel runs, or "" for a kernel of another kind.

    Raises `KernelUnavailable` if there is no such kernel.
    """
    spec = _find_spec(KernelRequest(kernel_name=kernel_name, language=language))
    return spec.argv[0] if spec.is_ipykernel else ""
