"""A kernel started in the ordinary way, by jupyter_client: other languages, Windows, ``isolation: cold``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import Any

from ..errors import KernelUnavailable
from .channels import PORTS, ZmqChannels, files_of
from .guard import Guard
from .kernel import Kernel
from .request import KernelRequest
from .specs import Spec

log = logging.getLogger("jupyter_mlops.kernels")


def transport_of(spec: Spec) -> str:
    """IPC for ipykernel (TCP loses ports under parallel starts, and is not encrypted), TCP for what may not
    know it."""
    return "ipc" if spec.is_ipykernel and sys.platform != "win32" else "tcp"


async def start(
    spec: Spec,
    request: KernelRequest,
    connection_file: Path,
    connection: dict[str, Any],
    *,
    context: Any,
    guard: Guard,
) -> Kernel:
    """Start the process, which `guard` ends should we be killed. The kernel is not yet asked whether it answers.

    `connection` is what `connection_file` says of an IPC kernel; the ports of a TCP one are chosen here.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    manager: Any = AsyncKernelManager(kernel_name=spec.name, connection_file=str(connection_file))
    manager.transport, manager.ip = connection["transport"], connection["ip"]
    manager.session.key = connection["key"].encode()
    if connection["transport"] == "ipc":
        for name, number in PORTS.items():
            setattr(manager, name, number)
    # The spec that was found, whatever its name, and without the environment, which is in ours already: a
    # provisioner would lay it over what the task wants.
    manager._kernel_spec = KernelSpec(
        resource_dir=spec.kernel_spec.resource_dir, **{**spec.kernel_spec.to_dict(), "env": {}}
    )
    try:
        await manager.start_kernel(
            cwd=str(request.cwd),
            env=spec.environment(request),
            extra_arguments=["--HistoryManager.hist_file=:memory:"] if spec.is_ipykernel else [],
        )
    except (OSError, RuntimeError) as error:
        raise KernelUnavailable(f"kernel {spec.name!r} does not start: {error}") from error
    known = {name: value for name, value in manager.get_connection_info().items() if name != "key"}
    channels = ZmqChannels({**connection, **known}, context)
    kernel = Kernel(channels, is_warm=False, files=files_of(connection))
    kernel.pid = getattr(manager.provisioner, "pid", 0) or 0
    has_group = bool(kernel.pid) and getattr(manager.provisioner, "pgid", 0) == kernel.pid  # of its own, here
    if has_group:
        guard.watch(kernel.pid)
    watching = asyncio.create_task(_watch(manager, kernel))

    async def finish() -> None:
        with contextlib.suppress(RuntimeError):
            await manager.shutdown_kernel()
        await kernel.exited.wait()

    async def close() -> None:
        watching.cancel()
        with contextlib.suppress(RuntimeError):
            await manager.shutdown_kernel(now=True)
        await manager.cleanup_resources()
        if has_group:
            guard.forget(kernel.pid)

    kernel.on_interrupt, kernel.on_finish, kernel.on_close = manager.interrupt_kernel, finish, close
    if request.cpus and kernel.pid:
        _pin(kernel.pid, request.cpus)
    return kernel


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
    while manager.provisioner is not None and (status := await manager.provisioner.poll()) is None:
        await asyncio.sleep(0.1)
    kernel.note_exit(status if manager.provisioner is not None else 0, False)
