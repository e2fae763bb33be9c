"""A forked kernel that talks over one Unix socket, in one thread. Loaded by ``zygote.py``, under its rules.

ipykernel's five ZeroMQ channels cost a kernel six threads, which hand each message to each other and contend
for the interpreter; for a small notebook that is most of the work. Our own client needs none of it: what the
kernel says goes to one socket in the order in which it says it, and so outputs, replies and states cannot
overtake each other either. The kernel itself, its shell, its displays and its comms are ipykernel's.

A frame is ``channel (1 byte), number of parts, length of each part (4 bytes each, network order), parts``; on
the channels `SHELL` and `IOPUB` the parts are a Jupyter message as ZeroMQ would carry it, unsigned (the socket
lies in a directory that only its owner can enter), on `OWN` they are one JSON document: ``hello`` from the
kernel, then ``assign`` and ``finish`` from the client, with their replies.
"""
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False, disallow-incomplete-defs=False
# mypy: check-untyped-defs=False

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import json
import logging
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import time
import traceback
import types
import uuid

OWN, SHELL, IOPUB = 0, 1, 2
_TICK_SECONDS = 0.1  # how late what a busy cell prints may be
_READ_BYTES = 1 << 18
_PRINTED = (
    1 << 21
)  # characters in one message: one that prints fast must not fill its own memory, nor the client's


# Both ends frame by these: the kernel here, and its client in ``channels.py``.


def pack(channel: int, parts: list[bytes]) -> bytes:
    """One frame."""
    sizes = [memoryview(part).nbytes for part in parts]  # of an array, its length would be another number
    return b"".join([struct.pack("!BI%dI" % len(sizes), channel, len(sizes), *sizes), *parts])


class Frames:
    """Cuts what comes in into frames."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, list[bytes]]]:
        """The frames, as (channel, parts), that are complete now."""
        self.buffer += data
        found = []
        start = 0
        while len(self.buffer) - start >= 5:
            channel, count = struct.unpack_from("!BI", self.buffer, start)
            body = start + 5 + 4 * count
            if len(self.buffer) < body:
                break
            sizes = struct.unpack_from("!%dI" % count, self.buffer, start + 5)
            end = body + sum(sizes)
            if len(self.buffer) < end:
                break
            parts = []
            for size in sizes:
                parts.append(bytes(self.buffer[body : body + size]))
                body += size
            found.append((channel, parts))
            start = end
        del self.buffer[:start]
        return found


class Wire:
    """The socket. Any thread may send; a frame is written whole, whatever interrupts the one who writes it."""

    def __init__(self, sock):
        self.socket = sock
        self.lock = threading.RLock()
        self.held = []  # what may wait for what comes next: each write wakes the client
        self.is_holding = False

    def send(self, channel, parts):
        self.flush(pack(channel, parts))

    def flush(self, data=b""):
        """Send what is held back, and `data`."""
        is_main = threading.current_thread() is threading.main_thread()
        if self.is_holding and is_main:
            with self.lock:
                self.held.append(data)
            return
        # An interrupt between two halves of a frame would leave the client with a half.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if is_main else None
        try:
            with self.lock:
                if self.held:
                    data = b"".join([*self.held, data])
                    self.held.clear()
                self.socket.sendall(data)
        except OSError:
            os._exit(1)  # the client is gone, and nobody else can hear us
        finally:
            if before is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @contextlib.contextmanager
    def holding(self, is_holding):
        """What is sent meanwhile may wait for the next."""
        self.is_holding = is_holding
        try:
            yield
        finally:
            self.is_holding = False


class Stream:
    """What ipykernel takes for a ZeroMQ stream."""

    def __init__(self, wire, channel):
        self.wire = wire
        self.channel = channel

    def send_multipart(self, parts, *args, **kwargs):
        with self.wire.holding(self.channel == SHELL):  # the status of the kernel comes next
            self.wire.send(self.channel, parts)

    def flush(self, *args, **kwargs):
        """Everything has been sent."""

    def closed(self):
        return False


class Pump(threading.Thread):
    """The only other thread: sends what a busy cell has printed, and what was written to its file descriptors."""

    def __init__(self, wire):
        super().__init__(name="IOPub", daemon=True)
        self.wire = wire
        self.selector = selectors.DefaultSelector()
        self.timers = []
        self.pydev_do_not_trace = self.is_pydev_daemon_thread = True

    def run(self):
        while True:
            for key, _ in self.selector.select(_TICK_SECONDS):
                key.data()
            if self.wire.held:
                self.wire.flush()
            now = time.monotonic()
            with self.wire.lock:
                due = [function for at, function in self.timers if at <= now]
                self.timers = [timer for timer in self.timers if timer[0] > now]
            for function in due:
                function()

    def call_later(self, delay, function, *args):
        with self.wire.lock:
            self.timers.append((time.monotonic() + delay, lambda: function(*args)))


def remembered(function):
    """`function`, of something and a list of names, which tells the same each time."""
    known = {}

    def call(method, names):
        key = (method, *names)
        if key not in known:
            known[key] = function(method, names)
        return known[key]

    return call


def make_kernel(app):
    """The kernel of `app`, made in the zygote for all children; None where its ipykernel is another than we know."""
    if sys.version_info < (3, 11):  # its tasks could not keep the context of the cell before
        return None
    from ipykernel import ipkernel
    from ipykernel.ipkernel import IPythonKernel
    from jupyter_client.session import Session
    from traitlets import Any

    class DirectKernel(IPythonKernel):
        """Over one socket, and for one client that sends one cell at a time."""

        shell_stream = Any()
        control_stream = Any()
        # Though there is something in the place of the thread that has them: see `take_over`.
        _supports_kernel_subshells = False

        async def execute_request(self, stream, ident, parent):
            """Nobody is told by ipykernel when it fails itself, and the client would wait for ever."""
            try:
                await super().execute_request(stream, ident, parent)
            except Exception as error:
                content = {
                    "status": "error",
                    "ename": type(error).__name__,
                    "evalue": "in the kernel itself, not in the cell: %s" % error,
                    "traceback": traceback.format_exc().splitlines(),
                    "execution_count": self.execution_count,
                }
                self.session.send(stream, "execute_reply", content, parent, ident=ident)

        def _abort_queues(self, *args, **kwargs):
            """Nothing is ever queued behind a cell that failed."""

        def _publish_status(self, status, *args, **kwargs):
            with self.shell_stream.wire.holding(status == "busy"):
                super()._publish_status(status, *args, **kwargs)

        def _publish_execute_input(self, *args, **kwargs):
            with self.shell_stream.wire.holding(True):
                super()._publish_execute_input(*args, **kwargs)

    if hasattr(ipkernel, "_accepts_parameters"):  # it looks at a signature for each cell
        ipkernel._accepts_parameters = remembered(ipkernel._accepts_parameters)
    log = logging.getLogger("jupyter_mlops.direct")
    log.setLevel(logging.CRITICAL)
    try:
        session = Session(parent=app, username="kernel")
        session.auth = None
        return DirectKernel(parent=app, session=session, log=log, profile_dir=app.profile_dir)
    except Exception:
        app.log.warning("no direct kernels", exc_info=True)
        return None


def make_streams(wire, pump):
    """What the kernel publishes by, and the class of what stands for standard output and error. Classes within,
    since the file itself imports nothing of ipykernel's."""
    from ipykernel.iostream import IOPubThread, OutStream

    class Publisher(IOPubThread):
        """Publishes at once, from whichever thread."""

        thread = None
        closed = False

        def __init__(self):
            self.io_loop = pump

        def schedule(self, function):
            function()

        def send_multipart(self, parts, *args, **kwargs):
            wire.send(IOPUB, parts)

    class Printed(OutStream):
        """Standard output or error; with the file descriptor, which other libraries and processes write to."""

        def _setup_stream_redirects(self, name):
            self._draining = threading.Lock()
            self._of_child = ""
            self._unsent = 0
            self._sending = threading.RLock()  # what one thread took out first, it sends first
            self._fid, write = os.pipe()
            os.set_blocking(self._fid, False)
            self._original_stdstream_fd = 1 if name == "stdout" else 2
            self._original_stdstream_copy = os.dup(self._original_stdstream_fd)
            os.dup2(write, self._original_stdstream_fd)
            os.close(write)
            pump.selector.register(self._fid, selectors.EVENT_READ, self.drain)

        def drain(self):
            """Take over what has been written to the descriptor."""
            with self._draining:
                while True:
                    try:
                        data = os.read(self._fid, 1 << 16)
                    except BlockingIOError:
                        return
                    if not data:
                        pump.selector.unregister(self._fid)
                        return
                    super().write(data.decode(errors="replace"))

        def write_bounded(self, text):
            self._unsent += len(text)
            if self._unsent <= _PRINTED:
                return super().write(text)
            for start in range(0, len(text), _PRINTED):
                super().write(text[start : start + _PRINTED])
                self._flush()  # by whoever prints, who waits if the client does not keep up
            self._unsent = 0
            return len(text)

        def write(self, text):
            if not isinstance(text, str):
                return super().write(text)  # which says what is wrong
            if os.getpid() == self._master_pid:
                return self.write_bounded(text)
            self._of_child += text
            if "\n" in text:
                self.flush()
            return len(text)

        def flush(self):
            if os.getpid() == self._master_pid:
                self.drain()
                self._flush()
            else:  # we are a fork of the kernel: it reads what we write
                data, self._of_child = self._of_child.encode(errors="replace"), ""
                os.write(self._original_stdstream_fd, data)

        def _flush(self):
            with self._sending:
                super()._flush()

        def close(self):
            """Not before the process ends."""

    return Publisher(), Printed


def take_over(app, kernel, wire, pump):
    """In the child: what `IPKernelApp.initialize` does, but for sockets and threads."""
    from traitlets.utils.importstring import import_item

    cls = type(kernel)
    for known in cls._walk_mro():
        known._instance = kernel
    app.kernel = kernel
    kernel.session.pid = os.getpid()
    kernel.session.session = str(uuid.uuid4())
    kernel.ident = str(uuid.uuid4())
    publisher, Printed = make_streams(wire, pump)  # noqa: N806 - a class
    kernel.shell_stream = Stream(wire, SHELL)
    kernel.iopub_thread = kernel.iopub_socket = publisher
    # A cell that awaits asks which thread takes in signals, by the one that reads requests for it.
    kernel.shell_channel_thread = types.SimpleNamespace(parent_thread=threading.main_thread())
    shell = kernel.shell
    shell.kernel = shell.parent = kernel
    for hook in (shell.displayhook, shell.display_pub):
        hook.session, hook.pub_socket = kernel.session, publisher
    shell.displayhook.topic = kernel._topic("execute_result")
    app.session, app.iopub_thread, app.iopub_socket = kernel.session, publisher, publisher
    sys.stdout.flush()
    sys.stderr.flush()
    sys.stdout = Printed(kernel.session, publisher, "stdout", watchfd="force")
    sys.stderr = Printed(kernel.session, publisher, "stderr", watchfd="force")
    app.init_pdb()
    app.displayhook = import_item(str(app.displayhook_class))(kernel.session, publisher)
    app.displayhook.get_execution_count = lambda: kernel.execution_count
    sys.displayhook = app.displayhook
    app.patch_io()
    app.init_signal()
    app.init_path()
    app.init_shell()
    app.init_gui_pylab()
    app.init_extensions()
    app.init_code()
    sys.stdout.flush()
    sys.stderr.flush()
    shell.exit_now = False


class Server:
    """Takes in what the client sends."""

    def __init__(self, kernel, wire, token):
        self.kernel = kernel
        self.wire = wire
        self.token = token
        self.frames = Frames()
        self.context = contextvars.copy_context()
        self.tasks = set()
        self.lock = asyncio.Lock()
        self.own = {}  # name: what an OWN message of this name calls

    def serve(self):
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.call_soon(self.begin, loop)
        # What a signal's handler leaves to the loop must not wait for whatever else wakes it.
        woken, waking = socket.socketpair()
        for end in (woken, waking):
            end.setblocking(False)
        loop.add_reader(woken, woken.recv, 4096)
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        while True:
            try:
                loop.run_forever()
                return
            except KeyboardInterrupt:  # one that came too late for its cell
                pass

    def begin(self, loop):
        from tornado.ioloop import IOLoop

        self.loop = loop
        self.kernel.io_loop = IOLoop.current()
        self.task(self.warm_up())

    async def warm_up(self):
        """Run a cell of our own: writing for the first time to a page that a fork shares costs a copy of it, and
        nobody waits for us yet."""
        session = self.kernel.session
        content = {"code": "pass", "silent": False, "store_history": False, "allow_stdin": False}
        await self.handle(session.serialize(session.msg("execute_request", content)))
        gc.collect()
        self.loop.add_reader(self.wire.socket.fileno(), self.readable)
        self.say({"op": "hello", "token": self.token, "language_info": self.kernel.language_info})

    def task(self, work):
        task = self.loop.create_task(work, context=self.context)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def say(self, document):
        self.wire.send(OWN, [json.dumps(document).encode()])

    def readable(self):
        try:
            data = self.wire.socket.recv(_READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            os._exit(0)  # the client is gone
        for channel, parts in self.frames.feed(data):
            if channel == OWN:
                document = json.loads(parts[0])
                self.say(self.own[document["op"]](document))
            else:
                self.task(self.handle(parts))

    async def handle(self, parts):
        import zmq

        message = [zmq.Message(part) for part in parts]
        main = getattr(self.kernel, "shell_main", None)  # lets the comms of a waiting cell overtake
        if main is not None:
            await main(None, message)
        else:
            async with self.lock:
                await self.kernel.dispatch_shell(message)


def run(app, kernel, request, make_assignment):
    """Be the kernel until killed."""
    sys.argv = [sys.modules["ipykernel"].__path__[0] + "_launcher.py", "-f", request["wire"]]
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(request["wire"])
    wire = Wire(sock)
    pump = Pump(wire)
    take_over(app, kernel, wire, pump)
    pump.start()
    server = Server(kernel, wire, request["token"])
    server.own = make_assignment(kernel).operations()
    server.serve()
