"""Real servers for the tests: a PostgreSQL, an S3 and a Redis, each started once a session when a test asks for it."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


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
