"""The zygote of one environment, and the kernels that idle behind it."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from ..errors import KernelUnavailable, MlopsError
from .kernel import Kernel
from .places import make_private, own_environment, shared_socket
from .request import extra_arguments
from .specs import Spec
from .zygotes import Zygote, ZygoteGone

log = logging.getLogger("jupyter_mlops.kernels")
_REFILL_SECONDS = 0.1
_STARTS_AT_ONCE = 4
_END_SECONDS = 2.0

Fork = Callable[[Zygote, list[str]], Awaitable[Kernel]]
Release = Callable[[Kernel], Awaitable[None]]


class Stock:
    """Kernels of one environment, `size` of them kept ready.

    `fork` makes one that answers, `release` ends one, `make_path` gives a new name for a socket in the pool's
    directory.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        is_bare: bool,
        size: int,
        linger_seconds: float,
        make_path: Callable[[], Path],
        fork: Fork,
        release: Release,
    ) -> None:
        self.spec, self.is_bare, self.size, self.linger_seconds = spec, is_bare, size, linger_seconds
        self._make_path, self._fork, self._release = make_path, fork, release
        self._zygote: Zygote | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._opening = asyncio.Lock()
        self._ready: asyncio.Queue[Kernel | MlopsError] = asyncio.Queue()
        self._starting: set[asyncio.Task[None]] = set()
        self._completed: dict[str, None] = {}  # what notebooks imported by using what was preloaded
        self._waiting = 0
        self._in_use = 0
        self._is_retired = False
        self._is_closed = False

    def is_outdated(self) -> bool:
        """Whether kernels from here would not be what a new interpreter would be."""
        return self._zygote is not None and (self._zygote.is_gone or self._zygote.is_outdated())

    async def prepare(self, preload: tuple[str, ...]) -> None:
        """The zygote runs and has the modules imported, and idle kernels are on their way."""
        await self._prepare(preload)
        self._top_up(spare=self.size)

    async def take(self, preload: tuple[str, ...]) -> Kernel:
        """The next kernel that answers. `give_back` tells that it is not in use any more."""
        await self._prepare(preload)
        is_short = self._ready.empty()
        self._waiting += 1
        self._in_use += 1
        try:
            kernel = await self._next()
        except BaseException:
            self._in_use -= 1
            raise
        finally:
            self._waiting -= 1
            if is_short:
                self._refill()
            else:  # a notebook that has just begun has the CPU to itself for a moment
                asyncio.get_running_loop().call_later(_REFILL_SECONDS, self._refill)
        return kernel

    def give_back(self, completed: tuple[str, ...] = ()) -> asyncio.Task[None] | None:
        """A kernel that was taken has ended, and has `completed` what was preloaded; the task, if any, ends what
        is left of a retired stock."""
        self._in_use -= 1
        self._completed.update(dict.fromkeys(completed))
        if self._is_retired and self._in_use == 0:
            return asyncio.create_task(self.close())
        self._refill()
        return None

    async def retire(self) -> None:
        """Give out no more kernels; those in use are left alone, and the last of them takes the zygote along."""
        self._is_retired = True
        if self._in_use == 0:
            await self.close()
        else:
            await self._discard_idle()

    async def close(self) -> None:
        """End the zygote and every kernel that came from it."""
        if self._is_closed:
            return
        self._is_closed = self._is_retired = True
        for task in list(self._starting):
            task.cancel()
        if self._starting:
            await asyncio.wait(self._starting)
        await self._discard_idle()
        if self._zygote is not None:
            await self._zygote.close()
        await _end(self._process)

    # --- the zygote -----------------------------------------------------------------------------------

    async def _prepare(self, preload: tuple[str, ...]) -> Zygote:
        async with self._opening:
            zygote = self._zygote or await self._open()
            before = (zygote.loaded, set(zygote.refused))
            if not self.is_bare and await zygote.preload((*preload, *self._completed)):
                refused = {name: why for name, why in zygote.refused.items() if name not in before[1]}
                if refused:
                    log.info(
                        "not preloaded: %s", "; ".join(" ".join(pair) for pair in sorted(refused.items()))
                    )
                if any("threads" in why for why in refused.values()):
                    zygote = await self._reopen(zygote)
                if zygote.loaded != before[0]:
                    await self._discard_idle()
            return zygote

    async def _open(self) -> Zygote:
        environment = {**own_environment(), **self.spec.env}
        is_shared = self.linger_seconds > 0
        socket = (
            shared_socket(self.spec.argv, environment, is_bare=self.is_bare)
            if is_shared
            else self._make_path()
        )
        zygote, process = await Zygote.open(
            self.spec.argv[0], socket, environment, is_bare=self.is_bare, linger_seconds=self.linger_seconds
        )
        directory = self._make_path().parent
        zygote.own(directory)
        make_private(directory)  # no sooner: now somebody removes it, whenever we are killed
        self._zygote, self._process = zygote, process
        return zygote

    async def _reopen(self, zygote: Zygote) -> Zygote:
        """A module started threads in the zygote, which a fork would not copy: begin again without it."""
        loaded, refused, process = zygote.loaded, zygote.refused, self._process
        zygote.retire()
        await zygote.close()
        await _end(process)
        fresh = await self._open()
        fresh.refused = refused
        await fresh.preload(tuple(name for name in loaded if name not in refused))
        return fresh

    # --- the kernels ----------------------------------------------------------------------------------

    async def _next(self) -> Kernel:
        while True:
            self._top_up(spare=0)
            found = await self._ready.get()
            if isinstance(found, MlopsError):
                raise found
            if not found.exited.is_set():
                return found
            await self._release(found)

    def _refill(self) -> None:
        if not self._is_retired:
            self._top_up(spare=self.size)

    def _top_up(self, *, spare: int) -> None:
        """Start what those who wait need, and `spare` more."""
        if self._is_closed or self._zygote is None or self._zygote.is_gone:
            for _ in range(self._waiting - self._ready.qsize()):
                self._ready.put_nowait(ZygoteGone("the kernel zygote has ended"))
            return
        wanted = self._waiting + spare - self._ready.qsize() - len(self._starting)
        for _ in range(min(wanted, _STARTS_AT_ONCE - len(self._starting))):
            task = asyncio.create_task(self._start(self._zygote))
            self._starting.add(task)
            task.add_done_callback(self._started)

    async def _start(self, zygote: Zygote) -> None:
        try:
            kernel = await self._fork(zygote, extra_arguments(self.spec.argv))
        except Exception as error:  # whatever it is, who waits must hear of it
            log.debug("no kernel could be forked", exc_info=True)
            if self._waiting > self._ready.qsize():
                self._ready.put_nowait(
                    error
                    if isinstance(error, MlopsError)
                    else KernelUnavailable(f"no kernel could be forked: {type(error).__name__}: {error}")
                )
        else:
            self._ready.put_nowait(kernel)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        if self._waiting > self._ready.qsize() + len(self._starting):
            self._top_up(spare=0)

    async def _discard_idle(self) -> None:
        while not self._ready.empty():
            found = self._ready.get_nowait()
            if isinstance(found, Kernel):
                await self._release(found)


async def _end(process: subprocess.Popen[bytes] | None) -> None:
    """Wait for a zygote whose connection was closed; it must not survive us."""
    # Not in a thread: there are no new ones any more when the interpreter itself is on its way out.
    deadline = time.monotonic() + _END_SECONDS
    while process is not None and process.poll() is None:
        if time.monotonic() > deadline:
            process.kill()
        await asyncio.sleep(0.005)
