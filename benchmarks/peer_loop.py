"""A peer's end of `stores_peer.Peer`: reads tasks as lines of JSON, answers with lines of JSON. Needs nothing."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any


def serve(actions: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
    """Answer until nobody asks any more. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        action, task = json.loads(line)
        answers.write(json.dumps(actions[action](**task)) + "\n")
        answers.flush()


def middle(call: Callable[[], Any], times: int) -> dict[str, Any]:
    """The median seconds of a call."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return {"seconds": statistics.median(taken)}
