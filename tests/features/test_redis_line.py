"""Reads from a Redis that is away, comes back, hesitates, refuses, speaks TLS, or has other things to say."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import StorageUnavailable
from jupyter_mlops.features.online import open_online
from jupyter_mlops.features.redis_line import Line, PlainLine

redis = pytest.importorskip("redis")


class Server:
    """A Redis of one test, on a socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"unix://{folder}/s"
        self.start()

    def start(self, *words: str) -> None:
        found = shutil.which("redis-server")
        if found is None:  # in CI it must be there
            (pytest.fail if os.environ.get("CI") else pytest.skip)(
                "Redis is not installed: apt-get install redis-server"
            )
        command = [found, "--port", "0", "--unixsocket", "s", "--save", "", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self._folder)
        deadline = time.monotonic() + 60
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def client(self, **options: Any) -> Any:
        return redis.Redis(unix_socket_path=f"{self._folder}/s", **options)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="redis-line"))  # a socket's path must be short
    opened = Server(folder)
    yield opened
    opened.kill()
    shutil.rmtree(folder)


def row(number: int) -> tuple[bytes, bytes]:
    stamp = b"".join((one + 2**63).to_bytes(8, "big") for one in (number, 0, 0))
    return f"k{number}".encode(), stamp + b"of %d" % number


def ask(store: Any, *numbers: int) -> list[bytes | None]:
    """One key of a view each, by the way that predictions take."""
    found = store.read_row(views=("v",) * len(numbers), keys=[row(number)[0] for number in numbers])
    return list(found)


def test_a_server_that_is_killed_is_told_and_found_again(server: Server) -> None:
    store = open_online(server.url)
    for _ in range(2):
        store.write(view="v", rows=[row(1)])
        assert ask(store, 1) == [row(1)[1]]
        server.kill()
        with pytest.raises(StorageUnavailable, match="cannot read the online store Redis at /") as caught:
            ask(store, 1)
        assert "running" in caught.value.hint
        server.start()
        assert ask(store, 1) == [None], "it kept everything in memory"
    store.close()


@pytest.mark.slow
def test_no_answer_in_time_is_told_and_never_taken_for_the_next_one(server: Server) -> None:
    patient, store = open_online(server.url), open_online(f"{server.url}?socket_timeout=1")
    patient.write(view="v", rows=[row(1), row(2)])
    assert ask(store, 1) == [row(1)[1]]
    server.process.send_signal(signal.SIGSTOP)
    with pytest.raises(StorageUnavailable, match=r"(?i)time"):
        ask(store, 1)
    server.process.send_signal(signal.SIGCONT)
    assert ask(patient, 2) == [row(2)[1]]
    assert ask(store, 2) == [row(2)[1]]
    store.close()
    patient.close()


def test_a_refusal_is_told_and_the_next_question_is_answered(server: Server) -> None:
    with server.client() as client:
        store = open_online(server.url)
        store.write(view="v", rows=[row(1)])
        assert ask(store, 1) == [row(1)[1]]
        client.execute_command("ACL", "SETUSER", "default", "-mget")
        with pytest.raises(StorageUnavailable, match="mget"):
            ask(store, 1)
        client.execute_command("ACL", "SETUSER", "default", "+mget")
        assert ask(store, 1) == [row(1)[1]]
        store.close()


def test_what_the_server_says_unasked_is_no_answer(server: Server) -> None:
    """RESP3 has pushes: here those of keys that changed, which another client has sent to our connection."""
    with server.client() as client:
        store = open_online(f"{server.url}?protocol=3")
        known = {one["id"] for one in client.client_list()}
        assert ask(store, 1) == [None]
        (ours,) = [one["id"] for one in client.client_list() if one["id"] not in known]
        with server.client(single_connection_client=True) as other:
            other.execute_command("CLIENT", "TRACKING", "ON", "REDIRECT", ours, "BCAST")
            for number in range(5):
                client.set("changed", number)
                store.write(view="v", rows=[row(number)])
                assert ask(store, number, 99) == [row(number)[1], None]
        store.close()


@pytest.mark.parametrize("kind", [Line, PlainLine])
def test_with_and_without_hiredis(server: Server, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_mlops.features.online_redis.find_spec", lambda _: kind is Line or None)
    store: Any = open_online(f"{server.url}?db=3")
    store.write(view="v", rows=map(row, range(20_000)))
    assert ask(store, 3, 20_001) == [row(3)[1], None]
    keys = [row(number)[0] for number in range(20_000)]
    assert store.read(wanted=[("v", keys)]) == [[row(number)[1] for number in range(20_000)]], "many pieces"
    with server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
        assert ask(store, 4) == [row(4)[1]]
        client.execute_command("ACL", "SETUSER", "default", "-mget")
    with pytest.raises(StorageUnavailable, match="mget"):
        ask(store, 4)
    store.close()


FORK = """
import os, sys
from jupyter_mlops.features.online import open_online
store = open_online(sys.argv[1])
def ask(number):
    (found,) = store.read_row(views=("v",), keys=[b"k%d" % number])
    return found is not None and found.endswith(b"of %d" % number)
assert ask(0)
me, children = 0, []
for number in range(1, 4):
    child = os.fork()
    if not child:
        me, children = number, []
        break
    children.append(child)
is_right = all([ask(me) for _ in range(300)])
if me:
    os._exit(0 if is_right else 1)
assert is_right
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
assert ask(0)
store.close()
"""


@pytest.mark.slow
def test_forks_and_threads_get_their_own_answers(server: Server) -> None:
    store = open_online(server.url)
    store.write(view="v", rows=map(row, range(8)))
    command = [sys.executable, "-c", FORK, server.url]
    forked = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wrong: list[int] = []

    def work(number: int) -> None:
        wrong.extend([number for _ in range(200) if ask(store, number) != [row(number)[1]]])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert forked.communicate()[1] == ""
    assert forked.returncode == 0
    store.close()


def test_tls_a_user_with_a_password_and_a_database(server: Server, tmp_path: Path) -> None:
    server.kill()
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    asked = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *asked, *named, *files], check=True, capture_output=True)
    port = free_port()
    server.start(
        "--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key),
        "--tls-auth-clients", "no", "--bind", "127.0.0.1",
    )  # fmt: skip
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@all")
    url = f"rediss://reader:secret@localhost:{port}/2?ssl_ca_certs={certificate}"
    store = open_online(url)
    store.write(view="v", rows=map(row, range(3000)))
    assert ask(store, 1, 5000) == [row(1)[1], None]
    keys = [row(number)[0] for number in range(3000)]
    assert store.read(wanted=[("v", keys)]) == [[row(number)[1] for number in range(3000)]]
    with server.client() as client:
        assert client.info("keyspace").keys() == {"db2"}
        client.client_kill_filter(_type="normal", skipme=True)
    assert ask(store, 2) == [row(2)[1]]
    store.close()
    stranger = open_online(url.replace("secret", "wrong"))
    with pytest.raises(StorageUnavailable) as caught:
        ask(stranger, 1)
    assert "wrong" not in str(caught.value).replace("WRONGPASS", "")
    stranger.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
