"""A scheduler in a process of its own, for `test_exactly_once`: a real catalog, a real lease, a clock that the test
moves, and runs that are over as soon as somebody drives them."""

from __future__ import annotations

import logging
import secrets
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog, RunEvent
from jupyter_mlops.catalog.records import Run, Schedule
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.events import now
from jupyter_mlops.pipelines import lower, parse_pipeline
from jupyter_mlops.runner import Runs
from jupyter_mlops.scheduling import Lease, Scheduler
from jupyter_mlops.settings import Settings

LEASE_SECONDS = 0.6
PLAN = lower(parse_pipeline("name: small\ntasks:\n  only: {notebook: only.ipynb}\n"))


def no_kernels() -> Any:
    raise AssertionError("nothing is executed here")


def main(folder: Path, url: str) -> None:
    logging.disable()  # that a lease was lost is what the test is about
    clock_file = folder / "clock"

    def clock() -> datetime:
        return datetime.fromtimestamp(float(clock_file.read_text()), UTC)

    settings = replace(Settings.load(folder, env={}), catalog=url)
    with Catalog.open(url) as catalog:
        runs = Runs(
            catalog=catalog, blobs=BlobStore(str(folder / "blobs")), settings=settings, kernels=no_kernels
        )

        def prepare(schedule: Schedule, fire_at: datetime) -> Run:
            return Run(
                run_id=f"{schedule.name}/{fire_at.isoformat()}/{secrets.token_hex(4)}",
                pipeline=schedule.pipeline,
                plan=PLAN.to_json(),
                created_at=now(),
            )

        def drive(verb: str, run_id: str) -> None:
            with catalog.transaction():
                if catalog.compare_and_set(Run, run_id, {"state": "queued"}, state="succeeded"):
                    catalog.add(RunEvent(run_id=run_id, kind="executed", at=now(), body={}))

        lease = Lease(catalog, "scheduler", seconds=LEASE_SECONDS)
        scheduler = Scheduler(catalog, lease, prepare=prepare, keep=runs.queue, drive=drive, clock=clock)
        while True:
            try:
                is_leader = scheduler.tick()
            except MlopsError as error:
                print(error, file=sys.stderr, flush=True)
                is_leader = False
            time.sleep(0.002 if is_leader else 0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
