"""Values as people read them: durations, moments, results. Pure text, no colors."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_ESCAPES = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_TRACEBACK_LINES = 12


def duration(seconds: float | None) -> str:
    """``0.42 s``, ``12.3 s``, ``3 min 05 s``, ``2 h 03 min``; nothing for nothing."""
    if seconds is None:
        return ""
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def lifetime(started_at: datetime | None, finished_at: datetime | None, now: datetime) -> float | None:
    """Seconds between two moments, up to now if the second is still to come; nothing before the first."""
    return None if started_at is None else max(0.0, ((finished_at or now) - started_at).total_seconds())


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, or null: a moment in JSON."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def ago(moment: datetime | None, now: datetime) -> str:
    """``just now``, ``5 min ago``, ``3 h ago``, ``yesterday 14:05``, ``2026-01-31 14:05`` (local time)."""
    if moment is None:
        return ""
    seconds = (now - moment).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min ago"
    local, today = moment.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{seconds / 3600:.0f} h ago"
    if (today.date() - local.date()).days == 1:
        return f"yesterday {local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def forecast(text: str, starts_at: str, now: datetime) -> str:
    """What is said of something that waits, with about how long (`starts_at` in ISO 8601; "" adds nothing)."""
    if not starts_at:
        return text
    minutes = (datetime.fromisoformat(starts_at) - now).total_seconds() / 60
    if minutes < 1:
        return f"{text}; about to start"
    told = (
        f"{minutes:.0f} min"
        if minutes < 90
        else f"{minutes / 60:.0f} h"
        if minutes < 2880
        else f"{minutes / 1440:.0f} d"
    )
    return f"{text}; about {told}"


def count(number: int, noun: str) -> str:
    """``1 task``, ``3 tasks``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def value(given: Any, most: int = 60) -> str:
    """A result or argument on one line: a text as it is, a number with at most six digits, else JSON."""
    if isinstance(given, str):
        text = given
    elif isinstance(given, float):
        text = f"{given:.6g}"
    elif isinstance(given, Mapping) and set(given) == {"$type", "value"}:
        text = str(given["value"])  # an encoded date, path, decimal …
    else:
        text = json.dumps(given, ensure_ascii=False, default=str)
    return shorten(text, most)


def mapping(given: Mapping[str, Any], most: int = 80) -> str:
    """``auc = 0.91, rows = 6099``, shortened as a whole."""
    return shorten(", ".join(f"{name} = {value(item)}" for name, item in given.items()), most)


def error_line(error: Mapping[str, Any], most: int = 160) -> str:
    """The first line of an error's message."""
    lines = str(error.get("message") or "").strip().splitlines()
    return shorten(lines[0], most) if lines else ""


def traceback_tail(error: object, most: int = _TRACEBACK_LINES) -> list[str]:
    """The last lines of an error's traceback, without its colors."""
    text = error.get("traceback") if isinstance(error, Mapping) else None
    if isinstance(text, list):
        text = "\n".join(str(line) for line in text)
    lines = plain(str(text or "")).splitlines()
    return [line.rstrip() for line in lines if line.strip()][-most:]


def plain(text: str) -> str:
    """Text without a terminal's escapes and control characters; line ends and tabs stay."""
    return _ESCAPES.sub("", text)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: East Asian wide characters take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def shorten(text: str, most: int) -> str:
    """The text in at most `most` columns, on one line, with an ellipsis where something is left out."""
    text = " ".join(text.split())
    if columns(text) <= most:
        return text
    while text and columns(text) > most - 1:
        text = text[:-1]
    return text + "…" if most > 0 else ""
