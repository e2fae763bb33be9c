"""One serving process: it listens, loads, follows the traffic file, and ends without losing an answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, MlopsError
from ..plugins import Registry
from . import logs, readiness
from .http import Server
from .journal import Journal
from .messages import Limits
from .metrics import Metrics
from .options import Options
from .routes import Routes
from .service import Answered, Service
from .tracing import Tracer, open_tracer
from .traffic import Part, Traffic
from .version import number_of

_POLL_SECONDS = 0.2
_PARENT_SECONDS = 1.0
_TICK_SECONDS = 0.02
_SWITCH_SECONDS = 0.001  # how long a predicting thread may hold the interpreter while health waits
# What only some servers need, and images that do not need it do not carry.
EXTRAS = Registry(
    "jupyter_mlops.serving_extras",
    {"features": ("jupyter_mlops.serving.entities:Lookup", "pip install 'jupyter-mlops[features]'")},
)
log = logging.getLogger("jupyter_mlops.serving")


def run(options: Options) -> int:
    """Serve until SIGTERM; the exit code."""
    import uvloop

    logs.begin(options.log_level, options.log_format)
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Said of the arrays that `shortcut` gives them.
    warnings.filterwarnings("ignore", message="X does not have valid feature names", category=UserWarning)
    tracer = open_tracer(os.environ)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(options, tracer))


async def _serve(options: Options, tracer: Tracer) -> int:
    """Wire it up, and let go of everything in the end."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.fd >= 0:  # whose socket it is, ends it
        watching = loop.create_task(_watch_parent(stop))
        watching.add_done_callback(lambda _: stop.set())
    metrics = Metrics()
    with contextlib.ExitStack() as opened:
        service = _service(options, metrics, opened)
        return await _answer(service, options, tracer, stop)


def _service(options: Options, metrics: Metrics, opened: contextlib.ExitStack) -> Service:
    """The service with what it is told to look up and to log, which `opened` closes."""
    featured = None
    if options.features:
        featured = EXTRAS.get("features")(options, metrics)
        opened.callback(featured.close)
    answered: list[Answered] = []
    if options.journal:
        journal = Journal(
            Path(options.journal),
            metrics,
            share=options.journal_share,
            most_bytes=options.journal_bytes,
            most_files=options.journal_files,
        )
        opened.callback(journal.close)
        answered.append(journal)
    return Service(
        metrics=metrics,
        seconds=options.timeout_seconds,
        most_rows=options.batch_rows,
        most_waiting=options.waiting,
        featured=featured,
        answered=answered,
    )


async def _answer(service: Service, options: Options, tracer: Tracer, stop: asyncio.Event) -> int:
    """Listen until `stop`; the exit code."""
    loop = asyncio.get_running_loop()
    routes = Routes(service, options, tracer)
    server = Server(routes, routes.failed, _limits(options))
    following = loop.create_task(_follow(service, options))
    stopping = loop.create_task(stop.wait())
    while options.listen_when_ready and not (service.is_ready or following.done() or stop.is_set()):
        await asyncio.sleep(_TICK_SECONDS)
    listener = await loop.create_server(server, sock=listen(options))
    log.info("listening at %s", where(options))
    telling = loop.create_task(_tell_ready(service, os.environ.get(readiness.VARIABLE, "")))
    await asyncio.wait([following, stopping], return_when=asyncio.FIRST_COMPLETED)
    code = 0
    if following.done() and not stop.is_set():  # the one version that it was started for cannot be served
        code = 1
    else:
        service.drain()
        log.info("ending: what is asked is still answered")
        await asyncio.sleep(options.linger_seconds)
    telling.cancel()
    if not following.done():
        following.cancel()
    listener.close()
    is_whole = await server.drain(options.drain_seconds)
    await service.close()
    tracer.close()
    if options.uds:
        Path(options.uds).unlink(missing_ok=True)
    if code:
        following.result()  # raises what was wrong
    log.info("ended" if is_whole else "ended before all answers were out")
    return code if is_whole else 1


def _limits(options: Options) -> Limits:
    return Limits(
        body_bytes=options.body_bytes,
        held_bytes=options.held_bytes,
        head_seconds=options.head_seconds,
        body_seconds=options.body_seconds,
        idle_seconds=options.idle_seconds,
        connections=options.connections,
    )


async def _follow(service: Service, options: Options) -> None:
    """Load what is to be served, and every change of it. Returns only when nothing can be served at all."""
    if options.model:
        if await service.serve(await asyncio.to_thread(_alone, options)):
            await asyncio.Event().wait()
        return
    path, seen = Path(options.traffic), b""
    while True:
        with contextlib.suppress(OSError):
            data = path.read_bytes()
            if data != seen:
                seen = data
                await _serve_file(service, path)
        await asyncio.sleep(_POLL_SECONDS)


async def _watch_parent(stop: asyncio.Event) -> None:
    """Come back when the process that started this one is gone: a port must not stay taken by nobody's children."""
    parent = os.getppid()
    while os.getppid() == parent and not stop.is_set():
        await asyncio.sleep(_PARENT_SECONDS)


async def _tell_ready(service: Service, address: str) -> None:
    """Say so to whoever started this process, as systemd has it, once requests are answered."""
    if not address:
        return
    while not service.is_ready:
        await asyncio.sleep(_TICK_SECONDS)
    readiness.tell(address)


async def _serve_file(service: Service, path: Path) -> None:
    try:
        await service.serve(Traffic.read(path))
    except MlopsError as error:
        log.error("%s", error)
        service.message = str(error)
        if not service.live:
            service.state = "failed"


def _alone(options: Options) -> Traffic:
    """The traffic of one folder: all to one version."""
    folder = Path(options.model)
    name, number = named(folder)
    part = Part(version=number, folder=str(folder))
    return Traffic(name=options.name or name, model=name, revision=1, versions=(part,))


def named(folder: Path) -> tuple[str, int]:
    """The name and number of the version in a folder, without opening the model."""

    try:
        manifest: dict[str, Any] = json.loads((folder / "artifacts" / "manifest.json").read_bytes())
        return str(manifest["name"]), number_of(folder)
    except (OSError, ValueError, KeyError):
        raise InvalidInput(
            f"{folder} holds no model version", hint="a folder that export_mlflow wrote"
        ) from None


# --- where it listens ---------------------------------------------------------------------------------------


def listen(options: Options) -> socket.socket:
    """The socket to accept at; `InvalidInput` if it cannot be had."""
    if options.fd >= 0:
        return socket.socket(fileno=options.fd)
    try:
        return _at_path(options.uds) if options.uds else _at_port(options.host, options.port)
    except OSError as error:
        raise InvalidInput(
            f"cannot listen at {where(options)}: {error.strerror or error}", hint="--port, --host or --uds"
        ) from None


def _at_port(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(1024)
        opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    except OSError:
        opened.close()
        raise
    return opened


def _at_path(path: str) -> socket.socket:
    """A Unix socket; one that nobody listens at any more is replaced."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if Path(path).is_socket() and opened.connect_ex(path) != 0:
            Path(path).unlink()
        opened.close()
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.bind(path)
        opened.listen(1024)
        opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    except OSError:
        opened.close()
        raise
    return opened


def where(options: Options) -> str:
    """The address, for people."""
    return options.uds or (
        f"socket {options.fd}" if options.fd >= 0 else f"http://{options.host}:{options.port}"
    )
