"""Ctrl-C as a wish that is heard between two steps, not as an exception in the middle of one.

An exception between what the machine decided and what the catalog was told of it would leave the two at odds.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def interrupts(heard: Callable[[], None]) -> Iterator[None]:
    """Call `heard` at the first Ctrl-C within the block; a second one raises `KeyboardInterrupt` at once.

    `heard` runs in the middle of anything: it may only put something into a queue. In other threads than the
    main one, where there is no Ctrl-C, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_heard = False

    def handle(number: int, frame: Any) -> None:
        nonlocal is_heard
        if is_heard:
            raise KeyboardInterrupt
        is_heard = True
        heard()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
