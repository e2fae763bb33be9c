"""Values as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jupyter_mlops import words

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0.00 s"),
        (0.4249, "0.42 s"),
        (0.996, "1.0 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7380, "2 h 03 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations(seconds, text):
    assert words.duration(seconds) == text


def test_moments():
    assert words.ago(None, NOON) == ""
    assert words.ago(NOON - timedelta(seconds=5), NOON) == "just now"
    assert words.ago(NOON - timedelta(minutes=5), NOON) == "5 min ago"
    assert words.ago(NOON - timedelta(days=1, hours=1), NOON).startswith("yesterday ")
    assert words.ago(NOON - timedelta(days=40), NOON).startswith("2026-02-02 ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("two\nlines", "two lines"),
        (0.123456789, "0.123457"),
        (6099, "6099"),
        (True, "true"),
        ([1, 2], "[1, 2]"),
        ({"$type": "date", "value": "2026-01-31"}, "2026-01-31"),
        ("x" * 99, "x" * 59 + "…"),
    ],
)
def test_values(value, text):
    assert words.value(value) == text


def test_mappings_fit_a_line():
    assert words.mapping({"auc": 0.91, "rows": 6099}) == "auc = 0.91, rows = 6099"
    assert len(words.mapping({f"r{i}": i for i in range(99)}, 40)) == 40


def test_counts():
    assert [words.count(n, "task") for n in (0, 1, 2, 1000)] == [
        "0 tasks",
        "1 task",
        "2 tasks",
        "1,000 tasks",
    ]


def test_an_error_is_told_by_its_first_line():
    assert words.error_line({"message": "NameError: x\nmore"}) == "NameError: x"
    assert words.error_line({}) == ""


def test_a_long_traceback_is_cut_at_its_head():
    lines = [f"line {i}" for i in range(100)]
    assert words.traceback_tail({"traceback": "\n".join(lines)}) == lines[-12:]
    assert words.traceback_tail({"traceback": lines}) == lines[-12:]
    assert words.traceback_tail({}) == words.traceback_tail({"traceback": None}) == []
