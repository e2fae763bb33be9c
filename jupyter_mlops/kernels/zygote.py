"""The zygote: a process that has imported what kernels need, and forks them.

It is run as a script by the Python of a kernelspec, in which jupyter_mlops need not be installed, so it uses
the standard library and that environment's ipykernel alone, and no syntax newer than Python 3.8.

It listens on a Unix socket. A connection speaks JSON, a message a line::

    ← {"hello": pid, "direct": whether kernels can speak over one socket (see ``direct.py``),
       "site": {directory: when it was last changed, as of our start}}
    → {"op": "own", "directory": path or null}     removed when the connection ends and we were not told otherwise
    → {"op": "preload", "id": n, "modules": []}   ← {"id": n, "loaded": [], "refused": {module: why}}
    → {"op": "fork", "id": n, "connection_file": path, "argv": [], "env": {}?, "cwd": path?}
                                                  or {"op": "fork", "id": n, "wire": path, "token": text}
                                                  ← {"id": n, "pid": pid} or {"id": n, "error": text}
    → {"op": "retire"}                             no new connections; the end comes with the last one
                                                  ← {"exit": pid, "status": code, "cpu_seconds": n}   (at any time)

A kernel belongs to the connection that asked for it: when that ends, for whatever reason, kill -9 of the client
included, the kernel is killed. When the last connection has ended the zygote lives `linger` seconds more.

One that does not linger makes its starter's directory itself, and removes it if the starter has gone before it came:
so whenever that is killed, somebody is there who cleans up.

It stays single-threaded as far as can be had: modules that start Python threads when imported are refused (the
client then starts another zygote without them), since a fork copies the locks of threads, but not the threads.
"""

import contextlib
import errno
import gc
import importlib.util
import json
import os
import selectors
import shutil
import signal
import socket
import stat
import struct
import sys
import threading
import time

# What a kernel imports while it starts and runs its first cells; found by comparing sys.modules before and after.
KERNEL_MODULES = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger", "ipykernel.connect",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.oinspect", "IPython.extensions.storemagic",
    "IPython.core.payloadpage", "IPython.core.pylabtools", "IPython.core.ultratb", "IPython.utils.wildcard",
    "pdb", "sqlite3", "faulthandler", "tornado.platform.asyncio", "jupyter_client.localinterfaces", "psutil",
    "comm",
)  # fmt: skip
# Native threads of these are known to handle fork (they have pthread_atfork handlers, or start them anew).
FORK_SAFE = {
    "numpy", "scipy", "pandas", "sklearn", "matplotlib", "pyarrow", "numexpr", "numba", "joblib", "statsmodels",
    "seaborn", "plotly", "PIL", "xgboost", "lightgbm", "duckdb", "threadpoolctl", "torch", "jupyter_mlops",
}  # fmt: skip
# These start threads or device contexts when imported or first used, or say themselves that fork breaks them.
NEVER = {
    "tensorflow", "jax", "jaxlib", "ray", "pyspark", "distributed", "dask", "grpc", "torch_xla", "cupy", "cudf",
    "vllm", "polars", "ipyparallel", "rpy2", "julia", "PyQt5", "PyQt6", "PySide2", "PySide6", "gi", "tkinter",
    "debugpy", "wandb", "sentry_sdk", "ddtrace", "opentelemetry", "newrelic", "cv2",
}  # fmt: skip

_UNCLAIMED_SECONDS = 60.0  # for the client that started us to come


def native_threads():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def site_directories():
    import site
    import sysconfig

    paths = sysconfig.get_paths()
    found = [paths["purelib"], paths["platlib"], *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        found.append(site.getusersitepackages())
    return sorted(
        {
            known(path)
            for path in found
            if os.path.isdir(path)
            for known in (os.path.abspath, os.path.realpath)
        }
    )


class Preloader:
    """Imports modules of installed distributions, and says why it did not import the others."""

    def __init__(self):
        self.loaded = set()
        self.refused = {}
        self.site = {directory: os.stat(directory).st_mtime_ns for directory in site_directories()}
        self.at_start = set()

    def load_kernel(self, forked, direct):
        """What every kernel imports and makes anyway."""
        for name in KERNEL_MODULES:
            try:
                importlib.import_module(name)
            except ImportError:
                if name == "ipykernel.kernelapp":
                    raise
        app = forked.prepare_app()
        kernel = direct.make_kernel(app)
        self.at_start = set(sys.modules)
        rest()
        return app, kernel

    def names(self):
        """Top-level names of modules that a fresh kernel would not have imported."""
        return {name.partition(".")[0] for name in set(sys.modules) - self.at_start}

    def load(self, items):
        """Import each item: a module, or ``module:name,name`` for what is imported from one."""
        for item in items:
            name, _, members = item.partition(":")
            top = name.partition(".")[0]
            if item in self.loaded or item in self.refused:
                continue
            why = "does not survive a fork" if top in NEVER else self._where(top)
            if why is None:
                why = self._import(name, [member for member in members.split(",") if member], top)
            if why is None:
                self.loaded.add(item)
            else:
                self.refused[item] = why
        if "matplotlib" in sys.modules:
            # What inline figures need. Their own module must wait: when imported, it hooks into the shell.
            self._import("matplotlib.backends.backend_agg", [], "matplotlib")
        rest()

    def _where(self, top):
        """Only what pip installed: the project's own modules change, and must be imported afresh."""
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError, AttributeError) as error:
            return "not found: %s" % error
        if spec is None:
            return "not installed"
        places = (
            [spec.origin] if spec.origin and spec.origin not in ("built-in", "frozen", "namespace") else []
        )
        places += list(spec.submodule_search_locations or [])
        if not places:
            return None
        for place in (os.path.abspath(places[0]), os.path.realpath(places[0])):
            if any(place.startswith(directory + os.sep) for directory in self.site):
                return None
        return "not in site-packages"

    def _import(self, name, members, top):
        threads, native = threading.active_count(), native_threads()
        try:
            with builtins_of_shell():
                __import__(name, fromlist=members or ["__name__"])
        except BaseException as error:  # whatever it raises is the notebook's to see, not ours
            return "import failed: %s: %s" % (type(error).__name__, error)
        if threading.active_count() > threads:
            return "starts threads when imported"
        if native_threads() > native and top not in FORK_SAFE:
            return "starts native threads when imported"
        return None


def builtins_of_shell():
    """What code in a cell finds among the builtins: pandas asks `get_ipython` whether it prints to a terminal."""
    from IPython import get_ipython

    shell = get_ipython()
    return contextlib.nullcontext() if shell is None else shell.builtin_trap


def rest():
    """Nothing is garbage now; and a collection in a child would write to, and so copy, every page it shares."""
    gc.collect()
    gc.freeze()


def load_sibling(name):
    """A script beside this one, which is on no path and shall stay out of ``sys.modules``."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location("_mlops_" + name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Connection:
    """One client, the kernels it asked for and the directory that goes with it."""

    def __init__(self, sock):
        self.socket = sock
        self.buffer = b""
        self.kernels = set()
        self.directory = None

    def send(self, message):
        try:
            self.socket.setblocking(True)
            self.socket.sendall(json.dumps(message).encode() + b"\n")
            self.socket.setblocking(False)
        except OSError:
            pass  # the client is gone; its end will be read as such, or has been

    def receive(self):
        """Whole messages that have arrived, or None when the client is gone."""
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        parts = (self.buffer + data).split(b"\n")
        lines, self.buffer = parts[:-1], parts[-1]
        return [json.loads(line) for line in lines]


class Zygote:
    """The loop: connections, forks, and the exits of children."""

    def __init__(self, listener, linger, starter, directory, preloader, forked, exits, app, direct, kernel):
        self.direct = direct
        self.kernel = kernel
        self.listener = listener
        self.linger = linger
        self.preloader = preloader
        self.forked = forked
        self.exits = exits
        self.app = app
        self.connections = []
        self.owner = {}
        self.selector = selectors.DefaultSelector()
        self.wake, wake_write = socket.socketpair()
        self.wake.setblocking(False)
        wake_write.setblocking(False)
        self.wake_write = wake_write
        signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self.terminate)
        self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.deadline = time.monotonic() + max(linger, _UNCLAIMED_SECONDS)
        self.starter = starter
        self.directory = directory

    def terminate(self, *_):
        for connection in list(self.connections):
            self.drop(connection)
        self.bury()
        os._exit(0)

    def serve(self):
        while True:
            if self.connections:
                timeout = None
            else:
                timeout = self.deadline - time.monotonic()
                # Who started us may be gone before it came; whoever else may come knows us only if we linger.
                is_orphan = not self.linger and os.getppid() != self.starter
                if timeout <= 0 or is_orphan:
                    self.bury()
                    return
                timeout = min(timeout, 1.0)
            for key, _ in self.selector.select(timeout):
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj is self.wake:
                    self.reap()
                else:
                    self.read(key.data)

    def accept(self):
        sock, _ = self.listener.accept()
        if hasattr(socket, "SO_PEERCRED"):
            _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if uid not in (os.getuid(), 0):
                sock.close()
                return
        connection = Connection(sock)
        connection.directory = self.directory  # its starter's, who may be killed before it says so
        sock.setblocking(False)
        self.connections.append(connection)
        self.selector.register(sock, selectors.EVENT_READ, connection)
        connection.send(
            {"hello": os.getpid(), "direct": self.kernel is not None, "site": self.preloader.site}
        )

    def read(self, connection):
        messages = connection.receive()
        if messages is None:
            self.drop(connection)
            return
        for message in messages:
            getattr(self, "do_" + message["op"])(connection, message)

    def do_own(self, connection, message):
        connection.directory = message["directory"]

    def do_retire(self, connection, message):
        self.linger = 0
        if self.listener is not None:
            self.selector.unregister(self.listener)
            try:
                os.unlink(self.listener.getsockname())
            except OSError:
                pass
            self.listener.close()
            self.listener = None

    def do_preload(self, connection, message):
        self.preloader.load(message["modules"])
        refused = self.preloader.refused
        connection.send({"id": message["id"], "loaded": sorted(self.preloader.loaded), "refused": refused})

    def do_fork(self, connection, message):
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:  # the system has no more processes or memory to give
            connection.send({"id": message["id"], "error": str(error)})
            return
        if pid == 0:
            sockets = [self.wake, self.wake_write] + [one.socket for one in self.connections]
            if self.listener is not None:
                sockets.append(self.listener)
            self.selector.close()
            self.forked.become_kernel(
                self.app,
                message,
                parent,
                sockets,
                self.exits,
                self.preloader.names(),
                self.direct,
                self.kernel,
            )
        connection.kernels.add(pid)
        self.owner[pid] = connection
        connection.send({"id": message["id"], "pid": pid})

    def reap(self):
        try:
            while self.wake.recv(4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            kill_group(ended.si_pid)  # what it started, while its own id cannot be another's yet
            _, status, used = os.wait4(ended.si_pid, 0)
            connection = self.owner.pop(ended.si_pid, None)
            if connection is not None:
                connection.kernels.discard(ended.si_pid)
                code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                cpu = used.ru_utime + used.ru_stime
                connection.send({"exit": ended.si_pid, "status": code, "cpu_seconds": cpu})

    def bury(self):
        """Wait for kernels that were killed: where init does not do it, they would be zombies for ever."""
        deadline = time.monotonic() + 2
        while self.owner and time.monotonic() < deadline:
            self.reap()
            time.sleep(0.005)

    def drop(self, connection):
        if connection not in self.connections:
            return
        self.connections.remove(connection)
        self.selector.unregister(connection.socket)
        connection.socket.close()
        for pid in connection.kernels:
            kill_group(pid)
        if connection.directory:
            shutil.rmtree(connection.directory, ignore_errors=True)
        self.deadline = time.monotonic() + self.linger


def kill_group(pid):
    """Kill a kernel and what it has started, or the kernel alone if it has not got its own group yet."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
            return
        except OSError as error:
            if error.errno not in (errno.ESRCH, errno.EPERM):
                raise


def make_private(directory):
    """Make it ours alone; a zygote of the same starter may have done so."""
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        found = os.lstat(directory)
        if found.st_uid != os.getuid() or found.st_mode & 0o077 or not stat.S_ISDIR(found.st_mode):
            sys.exit("%s is open to others" % directory)


def main():
    options = json.loads(sys.argv[1])
    forked, direct = load_sibling("forked"), load_sibling("direct")
    exits = forked.Exits()
    preloader = Preloader()
    # As a kernel has it: neither this script's directory nor the current one.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if path and os.path.abspath(path) != here]
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    if not options["bare"]:
        # Kernels run beside each other; OpenMP's threads would by default burn the CPUs that others wait for.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    app, kernel = preloader.load_kernel(forked, direct)
    gc.disable()
    if options["directory"]:  # only now, when nothing can fail any more
        make_private(options["directory"])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(options["socket"])
    os.chmod(options["socket"], 0o600)
    listener.listen(16)
    try:
        Zygote(
            listener,
            float(options["linger"]),
            options["starter"],
            options["directory"],
            preloader,
            forked,
            exits,
            app,
            direct,
            kernel,
        ).serve()
    finally:
        for path in (options["socket"], os.path.splitext(options["socket"])[0] + ".log"):
            try:
                os.unlink(path)
            except OSError:
                pass
        if options["directory"] and os.getppid() != options["starter"]:
            shutil.rmtree(options["directory"], ignore_errors=True)


if __name__ == "__main__":
    main()
