"""A dask cluster by SSH whose workers come back: dask's own starts each once, and does not notice when it has gone.

A worker is lost when its process has ended or its connection has broken, and the scheduler does not know it any
more: one that works on without its connection is let be. It is started again on its host by what started it, after a
pause that doubles; a host on which that fails too often in a row is given up, while the others work on. Each worker
has a task of its own for this, so that a host that does not answer holds up neither another one nor the cluster's end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Any

from distributed import SpecCluster
from distributed.core import Status
from distributed.deploy import ssh

RESTARTS = 12  # in vain, in a row: six minutes or more, in which a machine starts anew
_STEADY_SECONDS = 60.0  # a worker that lived so long was none that fails at once
_LONGEST_PAUSE_SECONDS = 60.0
_START_SECONDS = 120.0
_LOOK_SECONDS = 1.0
# A machine that vanishes says nothing: the connection asks. One that is down does not refuse, but keeps silent.
_CONNECTION = {"keepalive_interval": 15, "connect_timeout": 30}
log = logging.getLogger(__name__)


# --- when to try again ----------------------------------------------------------------------------------------


def failures_after(failures: int, lived_seconds: float) -> int:
    """How many failures in a row there are once a worker has ended that lived so long; 0 seconds: it did not start."""
    return 1 if lived_seconds >= _STEADY_SECONDS else failures + 1


def pause_before(failures: int, restarts: int) -> float | None:
    """Seconds to wait before the next start; None when the host is given up."""
    if failures > restarts:
        return None
    return min(_LONGEST_PAUSE_SECONDS, 2.0 ** min(failures - 1, 10))


def ending(status: int | None, signal: str, last_line: str) -> str:
    """How a process ended, in words."""
    if signal:
        return f"SIG{signal} ended it"
    if status is None:
        return "its connection broke"
    return f"it ended with status {status}" + (f": {last_line}" if last_line else "")


# --- the cluster ----------------------------------------------------------------------------------------------


def start_cluster(
    *,
    hosts: list[str],
    connect_options: Any = None,
    worker_options: Mapping[str, Any] | None = None,
    scheduler_options: Mapping[str, Any] | None = None,
    worker_class: str = "distributed.Nanny",
    remote_python: Any = None,
    restarts: int = RESTARTS,
    **given: Any,
) -> Any:
    """A `SpecCluster` that runs, of what ``distributed.SSHCluster`` takes; `restarts` is how often in a row a worker is
    started again in vain before its host is given up."""
    connects = [
        {**_CONNECTION, **(each or {})} for each in _each("connect_options", connect_options, len(hosts))
    ]
    pythons = _each("remote_python", remote_python, len(hosts))
    # Where one logs in as root, sshd kills nothing for us: a worker that finds no scheduler must end by itself.
    options = {"death_timeout": _START_SECONDS, **(worker_options or {})}
    # By its name the scheduler knows a worker again; so each is a process of its own, also beside others on a host.
    processes = int(options.pop("n_workers", 1))
    places = [place for place in range(1, len(hosts)) for _ in range(processes)]
    scheduler = {
        "cls": ssh.Scheduler,
        "options": {
            "address": hosts[0], "connect_options": connects[0], "kwargs": dict(scheduler_options or {}),
            "remote_python": pythons[0],
        },
    }  # fmt: skip
    workers = {
        number: {
            "cls": LastingWorker,
            "options": {
                "address": hosts[place], "connect_options": connects[place], "remote_python": pythons[place],
                "kwargs": {**options, "name": f"{hosts[place]}-{number}"}, "worker_class": worker_class,
                "restarts": restarts,
            },
        }
        for number, place in enumerate(places)
    }  # fmt: skip
    return SpecCluster(workers, scheduler, name="SSHCluster", **given)


def _each(name: str, value: Any, number: int) -> list[Any]:
    if not isinstance(value, list):
        return [value] * number
    if len(value) != number:
        raise ValueError(f"{name} is a list of {len(value)}, but there are {number} hosts")
    return value


class LastingWorker(ssh.Worker):
    """A worker on a host, started again when it is lost. `given_up` says why it is not any more."""

    proc: Any
    connection: Any

    def __init__(self, *words: Any, restarts: int, **options: Any) -> None:
        super().__init__(*words, **options)
        self.restarts = restarts
        self.given_up = ""
        self.known_as = str(self.kwargs["name"])
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """As dask's: the first start is tried once, since a cluster that begins with an error has a wrong setting."""
        await self._start_once()
        self._keeper = asyncio.create_task(self._keep())

    async def _start_once(self) -> None:
        await super().start()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """End it for good."""
        await self._stop_keeping()
        self._let_go()
        await super().close()  # type: ignore[no-untyped-call]

    async def give_up(self, why: str) -> None:
        """Do not start it again."""
        await self._stop_keeping()
        self._give_up(why)

    async def _stop_keeping(self) -> None:
        while self._keeper is not None and not self._keeper.done():
            self._keeper.cancel()  # which what it waits for may swallow: asyncio's wait_for did until Python 3.12
            await asyncio.wait([self._keeper], timeout=_LOOK_SECONDS)

    def _give_up(self, why: str) -> None:
        self.given_up = f"{self.address} is given up: {why}"
        self.status = Status.failed
        log.error("%s", self.given_up)

    async def _keep(self) -> None:
        failures = 0
        lived, why = await self._ended()
        while True:
            failures = failures_after(failures, lived)
            pause = pause_before(failures, self.restarts)
            if pause is None:
                break
            log.warning("the worker on %s is lost: %s; once more in %g s", self.address, why, pause)
            await asyncio.sleep(pause)
            lived, why = await self._again()
        self._let_go()
        tried = f"started again {failures - 1} times in a row in vain; at last: " if self.restarts else ""
        self._give_up(f"{tried}{why}")

    async def _again(self) -> tuple[float, str]:
        """One more life: how many seconds it had, and how it ended."""
        try:
            if await self._is_known():
                log.warning("the worker on %s works on without its connection", self.address)
            while await self._is_known():
                await asyncio.sleep(_LOOK_SECONDS)
            self._let_go()
            async with asyncio.timeout(_START_SECONDS):
                await self._start_once()
        except TimeoutError as error:
            return 0.0, str(error) or f"it does not start within {_START_SECONDS:g} s"
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is told
            why = f"{type(error).__name__}: {error}"
            return 0.0, why if self.proc is None else f"{why} ({await self._ending('')})"
        log.warning("there is a worker on %s again", self.address)
        return await self._ended()

    async def _is_known(self) -> bool:
        """Whether the scheduler has it: its connection broke, and it works on."""
        cluster = getattr(self, "_cluster", lambda: None)()
        if cluster is None:  # it is still about to start
            return False
        known = await cluster.scheduler_comm.identity(n_workers=-1)
        return any(str(each["name"]) == self.known_as for each in known["workers"].values())

    def _let_go(self) -> None:
        if self.proc is not None:
            with contextlib.suppress(OSError):
                self.proc.kill()
        if self.connection is not None:
            self.connection.close()
        self.proc = self.connection = None

    async def _ended(self) -> tuple[float, str]:
        """Wait for the end of what runs. What it says is read meanwhile: a full pipe would hold it up."""
        since, last = time.monotonic(), ""
        try:
            # The end of its output alone would not tell: what a notebook started may keep that open.
            while self.proc.returncode is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        line = await self.proc.stderr.readline()
                    if not line:
                        break
                    last = line.strip() or last
            why = await self._ending(last)
        except Exception as error:  # noqa: BLE001 - of whatever the connection died
            why = f"{type(error).__name__}: {error}"
        return time.monotonic() - since, why

    async def _ending(self, last: str) -> str:
        """How its process ended; the news of that may be behind the end of its output."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self.proc.wait_closed()
        for line in self.proc.collect_output()[1].splitlines():
            last = line.strip() or last
        signal = self.proc.exit_signal
        return ending(self.proc.exit_status, signal[0] if signal else "", last)
