"""Sending in a thread of its own, so that a receiver that is slow or gone costs a run nothing."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)
_MOST_WAITING = 10_000  # what waits beyond that is dropped, and told
_BATCH = 500
_CLOSE_SECONDS = 5.0  # how long the end of a run waits for what is not sent yet


class Sender:
    """Sends in order, all at once that has come meanwhile. What fails is told once; the rest is tried all the same."""

    def __init__(self, send: Callable[[list[Any]], None], *, name: str) -> None:
        self._send, self._name = send, name
        self._waiting: queue.Queue[Any] = queue.Queue(_MOST_WAITING)
        self._has_failed = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def put(self, item: Any) -> None:
        """Send it soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"mlops-{self._name}", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self._failed("its receiver is too slow: some of it is lost")

    def close(self) -> None:
        """Wait for what is on its way, but not for long."""
        if self._thread is None or self._is_closed:
            return
        self._is_closed = True
        until = time.monotonic() + _CLOSE_SECONDS
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=_CLOSE_SECONDS)
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._thread.is_alive():
            self._failed("its receiver did not take all of it in time")

    def _work(self) -> None:
        is_open = True
        while is_open:
            batch = [self._waiting.get()]
            while len(batch) < _BATCH and not self._waiting.empty():
                batch.append(self._waiting.get())
            is_open = batch[-1] is not None
            try:
                self._send(batch if is_open else batch[:-1])
            except Exception as error:  # noqa: BLE001 - whatever a transport raises
                self._failed(f"{error or type(error).__name__}")

    def _failed(self, told: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            log.warning("%s: %s", self._name, told)
