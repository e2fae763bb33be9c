"""``scheduler``: the service that fires schedules."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from ..runner.launch import Drivers
from ..scheduling.service import MOST_RUNS, demand_leader
from ..workspace import Workspace
from .group import PROGRAM, command
from .options import workspace_option


@command(
    name="scheduler",
    examples=[
        ("until Ctrl-C; see docs/schedules.md for systemd and containers", f"{PROGRAM} scheduler"),
        ("what is due now, from a cron of your own", f"{PROGRAM} scheduler --once"),
    ],
)
@click.option(
    "--runs",
    "most_runs",
    default=MOST_RUNS,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many runs at once; further fires wait.",
)
@click.option("--once", "is_once", is_flag=True, help="Start what is due now, and end.")
@click.option("--quiet", "is_quiet", is_flag=True, help="Tell warnings and errors only.")
@workspace_option
def scheduler(most_runs: int, is_once: bool, is_quiet: bool, workspace: Path | None) -> None:
    """Fire the schedules of a workspace.

    Several may run beside one catalog: one of them works, and another takes over within seconds when it is
    gone. Runs are driven by processes of their own, which go on when this one ends.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    logger = logging.getLogger("jupyter_mlops.scheduling")
    with Workspace.open(workspace) as opened:
        logger.setLevel(logging.WARNING if is_quiet else logging.INFO)
        logger.addHandler(handler)
        drivers = Drivers(opened.root)
        service = opened.schedules.scheduler(drivers, most_runs=most_runs)
        try:
            if is_once:
                demand_leader(service, opened.catalog)
                service.release()
            else:
                stop = threading.Event()
                _stop_on_signals(stop)
                service.serve(stop, heard=lambda: _tend(drivers))
        finally:
            drivers.forget()
            logger.removeHandler(handler)


def _tend(drivers: Drivers) -> None:
    """Take note of drivers that have ended. As a container's first process we inherit what they leave behind, and that
    stays in the table of processes until we have looked at it."""
    drivers.reap()
    if os.getpid() != 1:
        return
    with contextlib.suppress(ChildProcessError):  # there are none
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (ended := os.waitid(os.P_ALL, 0, look)) is not None and ended.si_pid not in drivers.pids():
            os.waitpid(ended.si_pid, os.WNOHANG)


def _stop_on_signals(stop: threading.Event) -> None:
    """Ctrl-C and SIGTERM end it between two ticks."""

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
