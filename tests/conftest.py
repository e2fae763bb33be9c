"""Real servers for the tests: a PostgreSQL, an S3 and a Redis, each started once a session when a test asks for it."""

from __future__ import annotations

import gc
import glob
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """What must be so before the first test. The everyday subset tries fewer examples of a property."""
    from hypothesis import settings

    # Read when gcsfs is imported, by whichever test is first; it would look by gRPC, which no emulator speaks, for
    # what kind a bucket is, and wait four minutes for an answer.
    os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"
    for name in (
        "COLUMNS",
        "LINES",
    ):  # of a terminal that a worker of xdist does not have; readline sets them
        os.environ.pop(name, None)
    settings.register_profile("everyday", max_examples=25)
    if config.option.markexpr == "not slow":
        settings.load_profile("everyday")
    if hasattr(config.option, "loadscopereorder"):  # xdist's own order has the files of one long test last
        config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Beside others: files with slow tests come first, then those with most tests, so that all workers end at once.

    A worker gets files whole, and the next one before it has ended the last; with one long test at the end of all, the
    others would have nothing to do.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    counts = Counter(item.path for item in items)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, -counts[item.path], str(item.path)))


def pytest_collection_finish() -> None:
    """What thousands of tests and all their imports are made of stays to the end: garbage is looked for elsewhere."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _main_as_it_was() -> Iterator[None]:
    """A shell of IPython's takes the place of `__main__`, which multiprocessing looks at: also one that all tests of a
    file share, which is there before the first of them begins."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(autouse=True)
def _process_as_it_was(_main_as_it_was: None) -> Iterator[None]:
    """What libraries leave in the process would be found by whoever starts a process later: a shell of IPython's
    `__main__`, and variables that OpenLineage's client writes."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE__")]:
        del os.environ[name]


@pytest.fixture(autouse=True)
def _no_marked_functions() -> Iterator[None]:
    """What one test marks as featurize or predict belongs to no model of the next one."""
    yield
    modeling = sys.modules.get("jupyter_mlops.session.modeling")
    if modeling is not None:
        modeling._marked.clear()


def _retire_zygotes(folder: Path) -> None:
    for place in folder.glob("mlops-zygotes-*/*"):
        if place.is_socket():
            with suppress(OSError), socket.socket(socket.AF_UNIX) as zygote:
                zygote.connect(str(place))
                zygote.sendall(b'{"op": "retire"}\n')


@pytest.fixture(scope="session")
def retire_zygotes() -> Callable[[Path], None]:
    """Ends those that listen in a runtime folder and would stay for a next command."""
    return _retire_zygotes


@pytest.fixture(scope="session")
def _runtime_folder() -> Iterator[Path]:
    """Where zygotes listen that stay for the next test. They end with the session."""
    folder = Path(tempfile.mkdtemp(prefix="run"))  # a socket's path must be short
    yield folder
    _retire_zygotes(folder)
    from jupyter_mlops.kernels import zygotes

    for process in zygotes._lingering:  # whoever is not waited for is complained of when Python ends
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def warm_zygotes(_runtime_folder: Path) -> Iterator[None]:
    """Zygotes stay for the next test, as they do for a user's next command: to start one is most of what a small
    run costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(_runtime_folder))
        patch.setenv("MLOPS_ZYGOTE_LINGER_SECONDS", "60")
        yield


@pytest.fixture(scope="module", autouse=True)
def _as_a_user_has_it(request: pytest.FixtureRequest) -> None:
    """Command lines and workspaces of these rooms share warm zygotes, which outlive them."""
    if request.path.parent.name in ("cli", "importers", "scheduling", "standards"):
        request.getfixturevalue("warm_zygotes")


def _needed(what: str) -> None:
    """A server that is missing fails the build in CI; elsewhere the tests that need it are skipped."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@dataclass
class PostgreSQL:
    """A server of our own, reachable through a socket in its folder; PostgreSQL refuses to run as root."""

    binaries: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    names: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def url(self, **query: str) -> str:
        from urllib.parse import urlencode

        return f"postgresql://postgres@/postgres?{urlencode({'host': str(self.folder), **query})}"

    def connect(self) -> Any:
        import psycopg

        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def fresh(self) -> str:
        """The URL of an empty schema."""
        name = f"t{next(self.names)}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return self.url(options=f"-csearch_path={name}")

    def start(self) -> None:
        import psycopg

        who: dict[str, Any] = {"cwd": self.folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            who |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        if not (self.folder / "data").exists():
            initdb = [self.binaries / "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
            subprocess.run([*initdb, "--locale=C", "--no-sync"], check=True, **who)
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "fsync=off",
            "shared_buffers=32MB",
        ]
        command = [
            self.binaries / "postgres",
            "-D",
            "data",
            *(part for one in settings for part in ("-c", one)),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, **who)
        for _ in range(400):
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(2)  # a fast shutdown
        self.process.wait(30)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A running PostgreSQL; ``postgresql.fresh()`` is the URL of an empty place in it."""
    found = [*glob.glob("/usr/lib/postgresql/*/bin/postgres"), *filter(None, [shutil.which("postgres")])]
    if not found:
        _needed("PostgreSQL's server is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = PostgreSQL(binaries=Path(found[-1]).parent, folder=folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, Any]]:
    """The options of fsspec for a running S3 (moto's server) that has the bucket ``mlops``."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        _needed("moto is not installed: pip install 'jupyter-mlops[test]'")
    import boto3

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    place = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    boto3.client("s3", aws_access_key_id="test", aws_secret_access_key="test", **place).create_bucket(
        Bucket="mlops"
    )
    yield {"key": "test", "secret": "test", "client_kwargs": place}
    server.stop()


@pytest.fixture(scope="session")
def gcs() -> Iterator[dict[str, Any]]:
    """The options of fsspec for a running emulator of Google's storage that has the bucket ``mlops``."""
    try:
        from gcp_storage_emulator.server import create_server
    except ImportError:
        _needed("the emulator is not installed: pip install 'jupyter-mlops[test]'")

    port = _free_port()
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket="mlops")
    server.start()
    yield {"endpoint_url": f"http://127.0.0.1:{port}", "token": "anon", "project": "test"}
    server.stop()


@pytest.fixture(scope="session")
def azure() -> Iterator[dict[str, Any]]:
    """The options of fsspec for a running Azurite, Microsoft's own emulator, that has the container ``mlops``."""
    import fsspec

    folder = Path(tempfile.mkdtemp(prefix="azurite"))
    scripts = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{scripts}:{os.environ.get('PATH', '')}"}
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "azurite@3"]
    try:
        subprocess.run(install, cwd=folder, env=env, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError):
        _needed("azurite cannot be installed: npm install azurite")
    port = _free_port()
    command = ["node", "node_modules/azurite/dist/src/blob/main.js", "--inMemoryPersistence", "--silent"]
    process = subprocess.Popen(
        [*command, "--blobPort", str(port), "--skipApiVersionCheck"], cwd=folder, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    # The account and the key that every Azurite has; they are published.
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    text = (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};"
        f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        time.sleep(0.1)
    fsspec.filesystem("abfs", connection_string=text).mkdir("mlops")
    yield {"connection_string": text}
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a running Redis of our own, on a socket in its folder."""
    binary = shutil.which("redis-server")
    if binary is None:
        _needed("Redis is not installed: apt-get install redis-server")
    import redis

    folder = Path(tempfile.mkdtemp(prefix="redis"))
    command = [str(binary), "--port", "0", "--unixsocket", "s", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
    client = redis.Redis(unix_socket_path=str(folder / "s"))
    for _ in range(400):
        try:
            client.ping()
            break
        except redis.RedisError:
            time.sleep(0.05)
    client.close()
    yield f"unix://{folder}/s"
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder, ignore_errors=True)
