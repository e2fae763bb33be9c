"""What a zygote's child does to become a kernel. Loaded by ``zygote.py``, under its rules: the standard library
and ipykernel alone, syntax of Python 3.8.

A forked kernel idles until it is told which notebook is its own. It then must be what a fresh kernel would be:
its environment, directory, random state, and no module in memory that a fresh interpreter would find elsewhere.
"""
# ruff: noqa: BLE001, SIM105
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False, disallow-incomplete-defs=False
# mypy: check-untyped-defs=False

import atexit
import ctypes
import gc
import io
import os
import random
import signal
import sys
import threading
import time
import traceback

ARGUMENTS = ["--IPKernelApp.log_level=50", "--HistoryManager.hist_file=:memory:"]
_OUR_EXITS = ("ipykernel", "IPython", "jupyter_client", "zmq", "tornado", "traitlets")


class Exits:
    """The callbacks of atexit, in order, so that a kernel can be made to run them before it is killed."""

    def __init__(self):
        self.callbacks = []
        self._register, self._unregister = atexit.register, atexit.unregister
        atexit.register, atexit.unregister = self.register, self.unregister

    def register(self, function, *args, **kwargs):
        self.callbacks.append((function, args, kwargs))
        return self._register(function, *args, **kwargs)

    def unregister(self, function):
        self.callbacks = [known for known in self.callbacks if known[0] != function]
        self._unregister(function)

    def run(self):
        """Run all but those that would take the kernel apart before it can say that it is done."""
        while self.callbacks:
            function, args, kwargs = self.callbacks.pop()
            if (getattr(function, "__module__", None) or "").partition(".")[0] in _OUR_EXITS:
                continue
            try:
                function(*args, **kwargs)
            except Exception:  # as the interpreter does: print it and go on
                traceback.print_exc()


class Assignment:
    """The two operations of our own that a forked kernel knows, and the state between them.

    ``assign`` turns a kernel that has been idle into the kernel of one notebook: its directory, its whole
    environment, its share of the CPUs. ``finish`` does what an interpreter does on its way out (threads,
    callbacks of atexit, destructors, open files), so that the process can be killed at once.
    """

    def __init__(self, kernel, exits, preloaded):
        self.kernel = kernel
        self.exits = exits
        self.preloaded = preloaded
        self.threads = set(threading.enumerate())
        self.before = set(sys.modules)
        for name, operation in self.operations().items():
            kernel.shell_handlers["mlops_" + name + "_request"] = self._handler(operation)

    def operations(self):
        """Name → what does it: from the content of a request to that of the reply."""
        return {"assign": self._told(self.assign), "finish": self._told(self.finish)}

    def completed(self):
        """What was imported meanwhile of packages that were there already: many import parts of themselves when
        they are first used. The next kernel may have them from the beginning."""
        return [
            name
            for name in list(sys.modules)
            if name not in self.before
            and name.partition(".")[0] in self.preloaded
            and isinstance(getattr(sys.modules[name], "__file__", None), str)
        ]

    def _handler(self, operation):
        def handle(stream, ident, parent):
            kind = parent["header"]["msg_type"].replace("_request", "_reply")
            self.kernel.session.send(stream, kind, operation(parent["content"]), parent, ident=ident)

        return handle

    def _told(self, action):
        def operation(content):
            try:
                return {"status": "ok", **(action(content) or {})}
            except BaseException as error:  # told to the client, who decides
                return {
                    "status": "error",
                    "ename": type(error).__name__,
                    "evalue": str(error),
                    "traceback": [],
                }

        return operation

    def assign(self, content):
        move_in(content["env"], content["cwd"], self.preloaded)
        self.kernel.shell.init_environment()  # a pager that waits for a key would wait for ever
        # A pause after each cell, for clients that go by the reply alone. Ours waits for the idle status, which
        # comes after all outputs on the same channel.
        self.kernel._execute_sleep = 0
        if content.get("cpus"):
            limit_cpus(int(content["cpus"]))

    def finish(self, content):
        deadline = time.monotonic() + float(content.get("timeout", 5))
        for callback in reversed(getattr(threading, "_threading_atexits", [])):  # executors end their threads
            callback()
        for thread in threading.enumerate():
            if thread not in self.threads and not thread.daemon:
                thread.join(max(0.0, deadline - time.monotonic()))
        self.exits.run()
        completed = self.completed()
        self.clear_namespace()
        flush_open_files()
        return {"completed": completed}

    def clear_namespace(self):
        """Let destructors run: files of libraries are closed, temporary directories removed."""
        shell = self.kernel.shell
        shell.displayhook.flush()
        for name in list(shell.user_ns):
            if name not in shell.user_ns_hidden:
                del shell.user_ns[name]
        sys.last_type = sys.last_value = sys.last_traceback = sys.last_exc = None
        gc.collect()


def flush_open_files():
    """Write what open files still hold. gc knows only objects made since the fork, so this is quick."""
    for item in gc.get_objects():
        if type(item) in (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom):
            try:
                if not item.closed and item.writable():
                    item.flush()
            except (OSError, ValueError):
                pass


def move_in(environment, directory, preloaded):
    """Take over the environment and the directory of one notebook."""
    zone = os.environ.get("TZ")
    backend = os.environ.get("MPLBACKEND")
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
    if backend:
        os.environ.setdefault("MPLBACKEND", backend)
    if os.environ.get("TZ") != zone:
        time.tzset()
    os.chdir(directory)
    drop_shadowed(directory, preloaded)


def drop_shadowed(directory, preloaded):
    """A preloaded module must not hide a file of the same name beside the notebook."""
    try:
        names = {entry.partition(".")[0] for entry in os.listdir(directory)} & preloaded
    except OSError:
        return
    for name in names:
        if os.path.exists(os.path.join(directory, name + ".py")) or os.path.exists(
            os.path.join(directory, name, "__init__.py")
        ):
            for module in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
                del sys.modules[module]


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


def reseed():
    """Siblings must not draw the same random numbers."""
    random.seed()
    for name in ("numpy.random", "torch"):
        module = sys.modules.get(name)
        if module is not None:
            module.seed()


def die_with_parent(parent):
    """On Linux the kernel kills us as soon as the zygote is gone."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def prepare_app():
    """The kernel's application, as far as it can be made before the fork: configured, and with its shell.

    That is two thirds of the work of starting a kernel. The shell is there before modules are preloaded, too, so
    that those which look for one when they are imported (matplotlib, ipywidgets) find it.
    """
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelapp import IPKernelApp
    from IPython.core.application import BaseIPythonApplication

    class Configured(BaseIPythonApplication):
        is_configured = False

        def initialize(self, argv=None):
            if not self.is_configured:
                super().initialize(argv)
                self.is_configured = True

    class App(IPKernelApp, Configured):
        """Between IPKernelApp and its base, so that a second ``initialize`` does the kernel's part only."""

        def init_iopub(self, context):
            context.sndhwm = (
                0  # ZeroMQ would drop what a slow client has not read beyond a thousand broadcasts
            )
            super().init_iopub(context)

        def init_kernel(self):
            super().init_kernel()
            if self.kernel.shell.kernel is not self.kernel:  # that was made before
                self.kernel.shell.kernel = self.kernel.shell.parent = self.kernel

    app = App.instance()
    Configured.initialize(app, ARGUMENTS)
    if app.kernel_class is IPythonKernel:
        traits = IPythonKernel.class_traits()
        shell_class, compiler_class = (traits[name].klass for name in ("shell_class", "compiler_class"))
        shell = shell_class.instance(parent=app, profile_dir=app.profile_dir, compiler_class=compiler_class)
        shell.run_cell("1", silent=True, store_history=False)  # fills what the first cell finds empty
        shell.display_formatter.format(1)
    return app


def start_over(app):
    """An application and a shell that are yet to be configured, in place of those that are."""
    app.kernel_class.class_traits()["shell_class"].klass.clear_instance()
    type(app).clear_instance()
    return type(app).instance()


def keep_history(app):
    """What a person types is to be found again, as in any kernel; what a notebook runs is not kept."""
    for config in (app.config, app.shell.config):
        config.HistoryManager.pop("hist_file", None)
    app.shell.init_history()


def become_kernel(app, request, parent, sockets, exits, preloaded, direct, kernel):
    """Never returns. `app` is what `prepare_app` made, `kernel` what `direct` made of it."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for item in sockets:
            item.close()
        os.setsid()
        die_with_parent(parent)
        reseed()
        gc.enable()
        if "wire" in request:
            direct.run(app, kernel, request, lambda kernel: Assignment(kernel, exits, preloaded))
            os._exit(0)
        if "env" in request:
            move_in(request["env"], request["cwd"], preloaded)
        arguments = ["-f", request["connection_file"], *request.get("argv", [])]
        sys.argv = [sys.modules["ipykernel"].__path__[0] + "_launcher.py", *arguments]
        if request.get("argv"):
            app = start_over(app)
        app.connection_file = request["connection_file"]
        if not sys.platform.startswith("linux"):
            app.parent_handle = parent
        app.initialize([*arguments, *ARGUMENTS])
        if "env" in request:  # for another application
            app.shell.init_environment()
            keep_history(app)
        Assignment(app.kernel, exits, preloaded)
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
