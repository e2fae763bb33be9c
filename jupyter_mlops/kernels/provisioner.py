"""Warm kernels for every Jupyter application: a jupyter_client kernel provisioner.

Choose it for one kernelspec (``metadata.kernel_provisioner.provisioner_name = "mlops-provisioner"``) or for all
(``c.KernelProvisionerFactory.default_provisioner_name = "mlops-provisioner"``). A kernel is then forked from the
zygote of its environment; what cannot be forked is started as `LocalProvisioner` starts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import List, Unicode

from ..errors import MlopsError
from .channels import PORTS
from .places import make_private, new_directory, own_environment
from .request import KernelRequest, extra_arguments, why_cold
from .zygotes import Zygote

log = logging.getLogger("jupyter_mlops.kernels")


class WarmKernelProvisioner(LocalProvisioner):
    """Forks kernels from a zygote that this process keeps for each interpreter."""

    preload = List(Unicode(), config=True, help="Third-party modules that the zygote imports before forking.")

    _zygotes: ClassVar[dict[Any, _Zygotes]] = {}

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose IPC with a path of its own: TCP ports get lost under parallel starts, and are not encrypted."""
        manager: Any = self.parent
        if manager is not None and self._is_forkable() and manager.transport == "tcp":
            manager.transport = "ipc"
            manager.ip = str(self._home().path())
            for name, number in PORTS.items():
                setattr(manager, name, number)
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork it, or start it."""
        if self._is_forkable():
            environment = {k: str(v) for k, v in kwargs.get("env", os.environ).items()}
            try:
                zygote = await self._home().zygote(cmd[0], tuple(self.preload))
                forked = _Forked()
                connection_file = Path(cmd[cmd.index("-f") + 1])
                cwd = str(kwargs.get("cwd") or os.getcwd())
                forked.pid = await zygote.fork(
                    forked.note_exit,
                    connection_file=str(connection_file),
                    argv=extra_arguments(cmd),
                    env=environment,
                    cwd=cwd,
                )
            except MlopsError as error:
                log.warning("no warm kernel, an ordinary start instead: %s", error)
                make_private(self._home().directory)  # where its sockets shall be
            else:
                process: Any = forked
                self.process, self.pid, self.pgid = process, forked.pid, forked.pid
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the sockets too."""
        await super().cleanup(restart)
        manager: Any = self.parent
        if manager is not None and manager.transport == "ipc" and not restart:
            for number in PORTS.values():
                with contextlib.suppress(OSError):
                    os.unlink(f"{manager.ip}-{number}")

    def _is_forkable(self) -> bool:
        return sys.platform != "win32" and not why_cold(KernelRequest(), list(self.kernel_spec.argv), "")

    def _home(self) -> _Zygotes:
        loop = asyncio.get_running_loop()
        for gone in [known for known in self._zygotes if known.is_closed()]:
            del self._zygotes[gone]
        if loop not in self._zygotes:
            self._zygotes[loop] = _Zygotes()
        return self._zygotes[loop]


class _Zygotes:
    """The zygotes of one event loop, and the directory of their sockets, which the first of them removes when
    this process has ended."""

    def __init__(self) -> None:
        self.directory = new_directory()
        self._numbers = itertools.count(1)
        self._open: dict[str, tuple[Zygote, subprocess.Popen[bytes] | None]] = {}
        self._outdated: list[Zygote] = []
        self._lock = asyncio.Lock()

    def path(self) -> Path:
        """A new name for the sockets of a kernel."""
        return self.directory / f"k{next(self._numbers)}"

    async def zygote(self, python: str, preload: tuple[str, ...]) -> Zygote:
        async with self._lock:
            known = self._open.get(python)
            if known is None or known[0].is_gone or known[0].is_outdated():
                if known is not None:
                    self._outdated.append(known[0])  # kernels that it forked are still in use
                known = await Zygote.open(
                    python, self.path(), own_environment(), is_bare=False, linger_seconds=0.0
                )
                known[0].own(self.directory)
                self._open[python] = known
            await known[0].preload(preload)
            return known[0]


class _Forked:
    """Looks like the Popen that `LocalProvisioner` drives."""

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        self.pid = 0
        self.returncode: int | None = None

    def note_exit(self, status: int, is_lost: bool, cpu_seconds: float | None) -> None:
        self.returncode = status

    def poll(self) -> int | None:
        return self.returncode

    def wait(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
