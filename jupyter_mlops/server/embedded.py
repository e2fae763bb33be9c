"""The scheduler within Jupyter's server: for one person, schedules fire as long as the server is there.

It waits for the first schedule before it does anything, so that a server without any writes nothing. It holds the
same lease as `jupyter mlops scheduler`: where that runs too, one of them fires, and the other stands by.
"""

from __future__ import annotations

import logging
import threading

from ..catalog.records import Schedule
from ..errors import MlopsError
from ..workspace import Workspace
from .panel import Panel

_LOOK_SECONDS = 3.0
log = logging.getLogger(__name__)


class EmbeddedScheduler:
    """From `start` until `stop`, in a thread of its own with a workspace of its own."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, name="mlops-scheduler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and let another process take over at once. Runs go on."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _go(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                if not self._panel.is_fresh and self._panel.workspace.catalog.count(Schedule):
                    with Workspace(self._panel.settings) as workspace:
                        workspace.schedules.scheduler(self._panel.drivers).serve(
                            self._stop
                        )  # the watch reaps
            except MlopsError as error:
                log.warning("schedules do not fire for now: %s", error.message)
            except Exception:
                log.exception("schedules do not fire for now")
