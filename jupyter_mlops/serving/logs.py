"""Logs, one JSON object a line on stderr, or text for people."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class JsonFormatter(logging.Formatter):
    """A record as JSON; what `extra={"fields": …}` brings stands beside."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        body: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "process": os.getpid(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            body["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
            body["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))[-8000:]
        return json.dumps(body, default=str)


def begin(level: str, form: str) -> None:
    """Send our logs to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    handler.setFormatter(JsonFormatter() if form == "json" else text)
    logger = logging.getLogger("jupyter_mlops.serving")
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(level.upper())


def trace_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The trace that a request belongs to, by its ``traceparent``."""
    match = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    return {"trace_id": match[1], "parent_span_id": match[2]} if match else {}
