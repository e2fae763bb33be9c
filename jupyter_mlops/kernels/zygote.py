"""The zygote: a process that has imported what kernels need, and forks them.

It is run as a script by the Python of a kernelspec, in which jupyter_mlops need not be installed, so it uses
the standard library and that environment's ipykernel alone, and no syntax newer than Python 3.8.

It listens on a Unix socket. A connection speaks JSON, a message a line::

    ← {"hello": pid, "version": [3, 11, 7], "site": [dirs], "prefix": …}
    → {"op": "own", "directory": dir}                          removed when the connection ends
    → {"op": "preload", "id": n, "modules": [names]}          ← {"id": n, "loaded": [], "refused": {name: why}}
    → {"op": "fork", "id": n, "connection_file": path, "argv": [], "env": {}?, "cwd": dir?}    ← {"id": n, "pid": pid}
                                                              ← {"exit": pid, "status": code}   (at any time)

A kernel belongs to the connection that asked for it: when that ends, for whatever reason, kill -9 of the client
included, the kernel is killed. When the last connection has ended the zygote lives `linger` seconds more.

It stays single-threaded as far as can be had: modules that start Python threads when imported are refused (the
client then starts another zygote without them), since a fork copies the locks of threads, but not the threads.
"""

import atexit
import ctypes
import errno
import gc
import json
import os
import random
import selectors
import shutil
import signal
import socket
import struct
import sys
import threading
import time
import traceback

# What a kernel imports while it starts and runs its first cells; found by comparing sys.modules before and after.
KERNEL_MODULES = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger", "ipykernel.connect",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.oinspect", "IPython.extensions.storemagic",
    "IPython.core.payloadpage", "IPython.core.pylabtools", "IPython.core.ultratb", "IPython.utils.wildcard",
    "matplotlib_inline.backend_inline", "matplotlib_inline.config", "pdb", "sqlite3", "faulthandler",
    "tornado.platform.asyncio", "jupyter_client.localinterfaces", "psutil", "cloudpickle", "comm",
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


def die_with_parent(parent):
    """On Linux the kernel kills us as soon as the zygote is gone."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


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
    return sorted({os.path.realpath(path) for path in found if os.path.isdir(path)})


class Preloader:
    """Imports modules of installed distributions, and says why it did not import the others."""

    def __init__(self):
        self.loaded = {}
        self.refused = {}
        self.site = site_directories()

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
                self.loaded[item] = getattr(sys.modules.get(top), "__file__", None)
            else:
                self.refused[item] = why
        gc.collect()
        gc.freeze()  # a collection in a child would write to, and so copy, every page that it shares

    def _where(self, top):
        """Only what pip installed: the project's own modules change, and must be imported afresh."""
        import importlib.util

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
        real = os.path.realpath(places[0])
        if any(real.startswith(directory + os.sep) for directory in self.site):
            return None
        return "not in site-packages"

    def _import(self, name, members, top):
        threads, native = threading.active_count(), native_threads()
        try:
            __import__(name, fromlist=members or ["__name__"])
        except BaseException as error:  # whatever it raises is the notebook's to see, not ours
            return "import failed: %s: %s" % (type(error).__name__, error)
        if threading.active_count() > threads:
            return "starts threads when imported"
        if native_threads() > native and top not in FORK_SAFE:
            return "starts native threads when imported"
        return None


PRELOADER = Preloader()


# --- in the child ---------------------------------------------------------------------------------------------


def reseed():
    """Siblings must not draw the same random numbers."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.seed()
    uuid = sys.modules.get("uuid")
    if uuid is not None and hasattr(uuid, "_last_timestamp"):
        uuid._last_timestamp = None


def drop_shadowed(directory):
    """A preloaded module must not hide a file of the same name beside the notebook."""
    for name in {item.partition(":")[0].partition(".")[0] for item in PRELOADER.loaded}:
        if os.path.exists(os.path.join(directory, name + ".py")) or os.path.exists(
            os.path.join(directory, name, "__init__.py")
        ):
            for module in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
                del sys.modules[module]


def move_in(environment, directory):
    """Take over the environment and the directory of one notebook."""
    environment = dict(environment)
    environment.setdefault("MPLBACKEND", os.environ.get("MPLBACKEND", ""))
    zone = os.environ.get("TZ")
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
    if environment.get("TZ") != zone:
        time.tzset()
    os.chdir(directory)
    drop_shadowed(directory)


def limit_cpus(count):
    """Pin every thread to `count` of the CPUs we may use, and tell the numeric libraries that are loaded."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        if count < len(allowed):
            start = os.getpid() % len(allowed)
            chosen = {allowed[(start + i) % len(allowed)] for i in range(count)}
            for thread in os.listdir("/proc/self/task"):
                try:
                    os.sched_setaffinity(int(thread), chosen)
                except OSError:
                    pass  # that thread has just ended
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(count)


class Assignment:
    """The two messages of our own that a forked kernel understands, and the state between them.

    ``mlops_assign_request`` turns a kernel that has been idle into the kernel of one notebook: its directory,
    its whole environment, its share of the CPUs. ``mlops_finish_request`` does what an interpreter does on its
    way out (callbacks of atexit, threads, buffers of open files), so that the process can be killed at once.
    """

    def __init__(self, kernel):
        self.kernel = kernel
        self.callbacks = []
        self.threads = set(threading.enumerate())
        self._register, self._unregister = atexit.register, atexit.unregister
        atexit.register, atexit.unregister = self.register, self.unregister
        kernel.shell_handlers["mlops_assign_request"] = self.handle_assign
        kernel.shell_handlers["mlops_finish_request"] = self.handle_finish

    def register(self, function, *args, **kwargs):
        self.callbacks.append((function, args, kwargs))
        return self._register(function, *args, **kwargs)

    def unregister(self, function):
        self.callbacks = [known for known in self.callbacks if known[0] != function]
        self._unregister(function)

    def reply(self, stream, ident, parent, action):
        content = {"status": "ok"}
        try:
            action(parent["content"])
        except BaseException as error:  # told to the client, who decides
            content = {
                "status": "error",
                "ename": type(error).__name__,
                "evalue": str(error),
                "traceback": traceback.format_exc().splitlines(),
            }
        kind = parent["header"]["msg_type"].replace("_request", "_reply")
        self.kernel.session.send(stream, kind, content, parent, ident=ident)

    def handle_assign(self, stream, ident, parent):
        self.reply(stream, ident, parent, self.assign)

    def handle_finish(self, stream, ident, parent):
        self.reply(stream, ident, parent, self.finish)

    def assign(self, content):
        move_in(content["env"], content["cwd"])
        if content.get("cpus"):
            limit_cpus(int(content["cpus"]))

    def finish(self, content):
        deadline = time.monotonic() + float(content.get("timeout", 5))
        for thread in threading.enumerate():
            if thread not in self.threads and not thread.daemon:
                thread.join(max(0.0, deadline - time.monotonic()))
        while self.callbacks:
            function, args, kwargs = self.callbacks.pop()
            try:
                function(*args, **kwargs)
            except Exception:  # as the interpreter does: print it and go on
                traceback.print_exc()
        logging = sys.modules.get("logging")
        if logging is not None:
            logging.shutdown()
        flush_open_files()


def flush_open_files():
    """Write what open files still hold. gc knows only objects made since the fork, so this is quick."""
    import io

    for kind in (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom):
        for item in gc.get_objects():
            if type(item) is kind and not item.closed and item.writable():
                try:
                    item.flush()
                except (OSError, ValueError):
                    pass


def lose_nothing(app_class):
    """ZeroMQ drops broadcasts beyond a thousand that a slow client has not read; outputs must not be dropped."""
    init_iopub = app_class.init_iopub

    def unlimited(self, context):
        context.sndhwm = 0
        init_iopub(self, context)

    app_class.init_iopub = unlimited


def become_kernel(request, parent, sockets):
    """Never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for item in sockets:
            item.close()
        os.setsid()
        die_with_parent(parent)
        reseed()
        gc.enable()
        if "env" in request:
            move_in(request["env"], request["cwd"])
        from ipykernel.kernelapp import IPKernelApp

        arguments = ["-f", request["connection_file"], *request.get("argv", [])]
        sys.argv = [sys.modules["ipykernel"].__path__[0] + "_launcher.py", *arguments]
        app = IPKernelApp.instance()
        if not sys.platform.startswith("linux"):
            app.parent_handle = parent
        lose_nothing(IPKernelApp)
        app.initialize([*arguments, "--IPKernelApp.log_level=50", "--HistoryManager.hist_file=:memory:"])
        Assignment(app.kernel)
        app.start()
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        try:
            atexit._run_exitfuncs()
        finally:
            os._exit(status)


# --- the server -----------------------------------------------------------------------------------------------


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
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]


class Zygote:
    """The loop: connections, forks, and the exits of children."""

    def __init__(self, listener, linger):
        self.listener = listener
        self.linger = linger
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
        self.deadline = time.monotonic() + max(linger, 60.0)

    def terminate(self, *_):
        for connection in list(self.connections):
            self.drop(connection)
        os._exit(0)

    def serve(self):
        while True:
            if self.connections:
                timeout = None
            else:
                timeout = self.deadline - time.monotonic()
                if timeout <= 0:
                    return
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
        sock.setblocking(False)
        self.connections.append(connection)
        self.selector.register(sock, selectors.EVENT_READ, connection)
        connection.send(
            {
                "hello": os.getpid(),
                "version": list(sys.version_info[:3]),
                "site": PRELOADER.site,
                "prefix": sys.prefix,
            }
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

    def do_preload(self, connection, message):
        PRELOADER.load(message["modules"])
        connection.send(
            {"id": message["id"], "loaded": sorted(PRELOADER.loaded), "refused": PRELOADER.refused}
        )

    def do_fork(self, connection, message):
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            sockets = [self.listener, self.wake, self.wake_write, *[c.socket for c in self.connections]]
            self.selector.close()
            become_kernel(message, parent, sockets)
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
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            connection = self.owner.pop(pid, None)
            if connection is not None:
                connection.kernels.discard(pid)
                code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                connection.send({"exit": pid, "status": code})

    def drop(self, connection):
        if connection not in self.connections:
            return
        self.connections.remove(connection)
        self.selector.unregister(connection.socket)
        connection.socket.close()
        for pid in connection.kernels:
            for kill in (os.killpg, os.kill):
                try:
                    kill(pid, signal.SIGKILL)
                except OSError as error:
                    if error.errno not in (errno.ESRCH, errno.EPERM):
                        raise
        if connection.directory:
            shutil.rmtree(connection.directory, ignore_errors=True)
        self.deadline = time.monotonic() + self.linger


def main():
    options = json.loads(sys.argv[1])
    # As a kernel has it: neither this script's directory nor the current one.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if path and os.path.abspath(path) != here]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(options["socket"])
    os.chmod(options["socket"], 0o600)
    listener.listen(16)
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    # Kernels run beside each other; OpenMP's threads would by default burn the CPUs that others wait for.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import importlib

    for name in KERNEL_MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            if name == "ipykernel.kernelapp":
                raise
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        Zygote(listener, float(options.get("linger", 0))).serve()
    finally:
        try:
            os.unlink(options["socket"])
        except OSError:
            pass


if __name__ == "__main__":
    main()
