"""Versions swap, share and shadow, and no request is lost; a process ends with its answers out."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.serving.traffic import Part, Traffic, choose, place_of

from .conftest import FLIGHTS, ROW, Served


def write(
    path: Path, revision: int, *parts: tuple[int, Path, float] | tuple[int, Path, float, float]
) -> Path:
    versions = tuple(
        Part(version=number, folder=str(folder), share=share, shadow=shadow[0] if shadow else 0.0)
        for number, folder, share, *shadow in parts
    )
    Traffic(name="late", model="late", revision=revision, versions=versions).write(path)
    return path


class Load:
    """Clients that ask all the time over connections that they keep; what came back, and what went wrong."""

    def __init__(self, served: Served, clients: int = 6) -> None:
        self.served, self.answers, self.wrong = served, Counter[str](), list[str]()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        import http.client

        body = json.dumps({"instances": [ROW]}).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=20)
        while not self._stop.is_set():
            try:
                connection.request("POST", "/invocations", body, {"content-type": "application/json"})
                answer = connection.getresponse()
                text = answer.read().decode()
                if answer.status != 200:
                    self.wrong.append(f"{answer.status} {text}")
                self.answers[f"{answer.headers['x-mlops-model']} {text}"] += 1
            except OSError as error:
                self.wrong.append(repr(error))
                return
        connection.close()


def test_a_swap_under_load_loses_nothing(
    start: Callable[..., Served], flights: Path, doubled: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "traffic.json", 1, (1, flights, 1.0))
    served = start("--traffic", str(path))
    with Load(served) as load:
        for revision in range(2, 8):
            number, folder = (2, doubled) if revision % 2 == 0 else (1, flights)
            write(path, revision, (number, folder, 1.0))
            served.until_revision(revision)
            time.sleep(0.1)
    assert load.wrong == []
    assert set(load.answers) == {'late/1 {"predictions":[10.0]}', 'late2/2 {"predictions":[19.0]}'}
    assert served.state()["errors"] == 0
    assert served.metric('mlops_swaps_total{outcome="done"}') == 7


def test_what_cannot_be_loaded_does_not_answer(
    start: Callable[..., Served], flights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "traffic.json"
    served = start("--traffic", str(path), is_awaited=False)
    served.until(lambda: served.ask("/healthz/live").status == 200)
    waiting = served.ask("/invocations", {"instances": [ROW]})
    assert (waiting.status, waiting.json["code"], waiting.headers["retry-after"]) == (503, "not_ready", "1")
    assert served.ask("/ping").status == 503
    path.write_text("{")
    served.until(lambda: served.state()["state"] == "failed")
    write(path, 1, (1, flights, 1.0))
    served.until_revision(1)
    write(path, 2, (1, flights, 0.5), (2, tmp_path / "nowhere", 0.5))
    served.until(lambda: "revision 2" in served.state()["message"])
    assert (served.state()["revision"], served.state()["state"]) == (1, "ready")
    assert served.predict([ROW]) == [10.0]
    wrong = json.loads(path.read_text())
    Traffic.from_json({**wrong, "versions": [wrong["versions"][0], {**wrong["versions"][1], "share": 0.5}]})
    write(path, 3, (1, flights, 1.0))
    served.until_revision(3)
    assert served.state()["message"] == ""


def test_a_digest_that_is_not_the_versions_is_refused(
    start: Callable[..., Served], flights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "traffic.json"
    part = Part(version=1, folder=str(flights), manifest_digest="0" * 64)
    Traffic(name="late", model="late", revision=1, versions=(part,)).write(path)
    served = start("--traffic", str(path), is_awaited=False)
    served.until(lambda: served.state()["state"] == "failed")
    assert "damaged" in served.state()["message"]


def test_a_canary_gets_its_share_and_a_key_stays(
    start: Callable[..., Served], flights: Path, doubled: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "traffic.json", 1, (1, flights, 0.8), (2, doubled, 0.2))
    served = start("--traffic", str(path))
    keys = [f"key-{index}" for index in range(200)]
    first = {key: served.predict([ROW], **{"x-mlops-key": key})[0] for key in keys}
    share = sum(value == 19.0 for value in first.values()) / 200
    assert 0.1 < share < 0.3
    assert {key: served.predict([ROW], **{"x-mlops-key": key})[0] for key in keys[:50]} == {
        key: first[key] for key in keys[:50]
    }
    by_chance = Counter(served.predict([ROW])[0] for _ in range(200))
    assert 0.08 < by_chance[19.0] / 200 < 0.32
    write(path, 2, (1, flights, 0.5), (2, doubled, 0.5))
    served.until_revision(2)
    moved = {key: served.predict([ROW], **{"x-mlops-key": key})[0] for key in keys}
    assert all(moved[key] == 19.0 for key in keys if first[key] == 19.0)  # who was there stays there
    body = {"inputs": [{"name": name, "shape": [1], "datatype": kind, "data": [ROW[name]]} for name, kind in
                       zip(ROW, ("INT64", "FP64", "BYTES", "BOOL", "BYTES"), strict=True)]}  # fmt: skip
    for number, wanted in ((1, 10.0), (2, 19.0)):
        reply = served.ask(f"/v2/models/late/versions/{number}/infer", body)
        assert reply.json["outputs"][0]["data"] == [wanted]


def test_a_shadow_is_asked_and_never_seen(
    start: Callable[..., Served], flights: Path, doubled: Path, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "traffic.json", 1, (1, flights, 1.0), (2, doubled, 0.0, 1.0), (3, flights, 0.0, 0.5)
    )
    served = start("--traffic", str(path))
    assert {served.predict([ROW])[0] for _ in range(200)} == {10.0}
    served.until(lambda: served.metric('mlops_shadow_total{version="2",outcome="other"}') == 200)
    assert 60 < served.metric('mlops_shadow_total{version="3",outcome="same"}') < 140
    assert served.metric('mlops_shadow_total{version="2",outcome="same"}') == 0


# --- ending -------------------------------------------------------------------------------------------------


def sleepy(folder_of: Callable[..., Path], seconds: float = 0.4) -> Path:
    def predict(model, features):
        import time

        time.sleep(model)
        return features["distance"]

    more = {"predict": predict, "input_example": FLIGHTS, "check": "none"}
    return folder_of(f"sleepy-{1000 * seconds:g}", lambda: {"model": seconds, **more})


def test_sigterm_waits_for_answers(start: Callable[..., Served], folder_of: Callable[..., Path]) -> None:
    served = start("--model", str(sleepy(folder_of, 2.0)))
    replies: list[Any] = []
    threads = [
        threading.Thread(target=lambda: replies.append(served.ask("/invocations", {"instances": [ROW]})))
        for _ in range(5)
    ]
    idle = socket.create_connection(("127.0.0.1", served.port), timeout=10)
    idle.sendall(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n")
    assert idle.recv(1000).startswith(b"HTTP/1.1 200")
    for thread in threads:
        thread.start()
    served.until(lambda: served.state()["in_flight"] == 5)
    served.process.send_signal(signal.SIGTERM)
    answer = b""
    while b"connection: close" not in answer:  # until the signal has come, and the listener is closed
        idle.sendall(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = idle.recv(1000)
    assert answer.startswith(b"HTTP/1.1 503")
    idle.close()
    for thread in threads:
        thread.join()
    assert served.process.wait(60) == 0
    assert [reply.status for reply in replies] == [200] * 5


def test_what_is_killed_while_it_drains_is_gone_and_nothing_hangs(
    start: Callable[..., Served], folder_of: Callable[..., Path]
) -> None:
    served = start("--model", str(sleepy(folder_of)))
    opened = socket.create_connection(("127.0.0.1", served.port), timeout=10)
    body = json.dumps({"instances": [ROW]}).encode()
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    opened.sendall(head % len(body) + body)
    served.until(lambda: served.state()["in_flight"] == 1)
    served.process.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    assert served.stop(signal.SIGKILL) == -signal.SIGKILL
    with opened, contextlib.suppress(ConnectionResetError):
        assert opened.recv(100) == b""


def test_a_prediction_has_its_time_and_the_queue_its_length(
    start: Callable[..., Served], folder_of: Callable[..., Path]
) -> None:
    served = start(
        "--model", str(sleepy(folder_of)), "--timeout-seconds", "0.1", "--waiting", "3", "--batch-rows", "1"
    )
    late_reply = served.ask("/invocations", {"instances": [ROW]})
    assert (late_reply.status, late_reply.json["code"]) == (504, "timed_out")
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(served.ask("/invocations", {"instances": [ROW]}).status)
        )
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    assert served.ask("/ping").status == 200
    for thread in threads:
        thread.join()
    assert 429 in statuses
    assert set(statuses) <= {200, 429, 504}


def test_several_processes_share_a_port_and_one_that_dies_comes_again(
    start: Callable[..., Served], flights: Path
) -> None:
    served = start("--model", str(flights), "--workers", "2")
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children")
    served.until(lambda: len(children.read_text().split()) == 2)
    first = children.read_text().split()
    os.kill(int(first[0]), signal.SIGKILL)
    served.until(lambda: len(set(children.read_text().split()) - {first[0]}) == 2)
    assert served.predict([ROW]) == [10.0]
    assert served.stop() == 0


def test_processes_end_with_the_one_that_started_them(start: Callable[..., Served], flights: Path) -> None:
    served = start("--model", str(flights), "--workers", "2")
    assert served.stop(signal.SIGKILL) == -signal.SIGKILL
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as opened:
            if opened.connect_ex(("127.0.0.1", served.port)) != 0:
                return
        time.sleep(0.1)
    pytest.fail("somebody still listens")


def test_a_unix_socket(flights: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "s"
    command = [sys.executable, "-m", "jupyter_mlops.serving", "--model", str(flights), "--uds", str(path)]
    for _ in range(2):  # one that was left behind is replaced
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        answer = b""
        end = time.monotonic() + 20
        while not answer.startswith(b"HTTP/1.1 200") and time.monotonic() < end:
            with socket.socket(socket.AF_UNIX) as opened:
                if opened.connect_ex(str(path)) == 0:
                    opened.sendall(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n")
                    answer = opened.recv(1000)
            time.sleep(0.02)
        assert answer.startswith(b"HTTP/1.1 200")
        process.kill()
        process.wait()


# --- deciding -----------------------------------------------------------------------------------------------


def test_choosing_is_even_and_stays() -> None:
    counts = Counter(choose((0.7, 0.2, 0.1), str(index)) for index in range(20_000))
    assert [round(counts[index] / 20_000, 1) for index in range(3)] == [0.7, 0.2, 0.1]
    assert choose((1.0, 0.0), "x") == 0
    assert choose((0.0, 1.0)) == 1
    assert 0 <= place_of("a") < 1
    assert place_of("a") != place_of("a", "salt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"versions": []}, "lists no versions"),
        ({"versions": [{"version": 0, "folder": "x"}]}, "has a number"),
        ({"versions": [{"version": 1}]}, "has no folder"),
        ({"versions": [{"version": 1, "folder": "x", "share": 0.5}]}, "sum to 0.5"),
        ({"versions": [{"version": 1, "folder": "x", "share": True}]}, "no number from 0 to 1"),
        ({"versions": [{"version": 1, "folder": "x", "shadow": 2}]}, "the shadow of version 1 is 2"),
        ({"versions": [{"version": 1, "folder": "x", "share": 0.5}] * 2}, "a version twice"),
        ({"revision": "x", "versions": [{"version": 1, "folder": "x"}]}, "whole number"),
    ],
)
def test_a_wrong_traffic_file(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Traffic.from_json({"name": "a", "model": "a", "revision": 1, **change})
