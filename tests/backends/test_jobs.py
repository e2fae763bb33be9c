"""The values that travel to workers, and what a worker hands out."""

from __future__ import annotations

import pickle
import threading
import time

import pytest

from jupyter_mlops.backends import Job, JobKey, JobOutcome, Secrets
from jupyter_mlops.backends.work import Devices
from jupyter_mlops.compute.gpus import count_gpus
from jupyter_mlops.compute.offers import machine_resources

KEY = JobKey(run_id="r", task="train[model=a/b]", attempt=2)


def test_a_job_travels_and_never_shows_its_secrets():
    job = Job(
        key=KEY, notebook="0" * 64, notebook_name="a.ipynb", cwd="/x", base="/x", root="/x", blobs_url="/b",
        secrets=Secrets(TOKEN="hunter2"),
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(job)) == job
    assert pickle.loads(pickle.dumps(job)).secrets["TOKEN"] == "hunter2"
    assert "hunter2" not in f"{job} {job!r} {job.secrets} {job.secrets!r}"
    assert "TOKEN" in repr(job.secrets)


def test_the_documents_of_an_attempt_lie_within_those_of_its_run():
    assert KEY.document == "outcomes/r/train%5Bmodel%3Da%2Fb%5D/2.json"
    assert KEY.start_document == "outcomes/r/train%5Bmodel%3Da%2Fb%5D/2.started"
    assert str(KEY) == "r/train[model=a/b]/2"


def test_an_outcome_survives_json_and_later_versions():
    outcome = JobOutcome(
        state="failed", error={"message": "x"}, error_class="ValueError", peak_memory_bytes=7
    )
    body = outcome.to_json()
    assert JobOutcome.from_json({**body, "a_later_field": 1}) == outcome


def test_gpus_are_those_that_may_be_seen(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert count_gpus() == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert count_gpus() == 0
    offer = machine_resources()
    assert offer.cpu is not None
    assert offer.cpu >= 1
    assert offer.gpu == 0


def test_each_device_goes_to_one_job_at_a_time():
    devices = Devices(3)
    seen: list[str] = []
    lock = threading.Lock()

    def job() -> None:
        with devices.take(2) as env:
            taken = env["CUDA_VISIBLE_DEVICES"].split(",")
            with lock:
                assert not set(taken) & set(seen)
                seen.extend(taken)
            time.sleep(0.02)
            with lock:
                for one in taken:
                    seen.remove(one)

    threads = [threading.Thread(target=job) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    with devices.take(3) as env:
        assert env == {"CUDA_VISIBLE_DEVICES": "0,1,2"}
    with devices.take(None) as env:
        assert env == {}, "who asks for nothing sees what the machine shows"
    with devices.take(0) as env:
        assert env == {"CUDA_VISIBLE_DEVICES": ""}


def test_devices_come_back_when_a_job_breaks():
    devices = Devices(1)
    with pytest.raises(ValueError, match="broken"), devices.take(1):
        raise ValueError("broken")
    with devices.take(1) as env:
        assert env == {"CUDA_VISIBLE_DEVICES": "0"}


def test_devices_are_those_that_the_worker_may_see():
    with Devices(2, "2, GPU-8f1c").take(1) as env:
        assert env == {"CUDA_VISIBLE_DEVICES": "2"}
    devices = Devices(2, "2,GPU-8f1c")
    with devices.take(1), devices.take(1) as env:
        assert env == {"CUDA_VISIBLE_DEVICES": "GPU-8f1c"}
    with devices.take(2) as env:
        assert env == {"CUDA_VISIBLE_DEVICES": "2,GPU-8f1c"}
