"""What is counted, in Prometheus' text form. All of it is touched by the event loop only, so nothing is locked."""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

LATENCY = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096)
Labels = tuple[tuple[str, str], ...]


class Histogram:
    """How often values fell below each bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def quantile(self, share: float) -> float:
        """About the value below which this share of the values lies; 0 without any."""
        wanted = share * sum(self.counts)
        if not wanted:
            return 0.0
        seen, low = 0, 0.0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            if count and seen + count >= wanted:
                return low + (bound - low) * (wanted - seen) / count
            seen, low = seen + count, bound
        return low


class Metrics:
    """Of one process."""

    def __init__(self) -> None:
        self.started_at = time.time()
        self.requests: dict[tuple[str, int, str], int] = defaultdict(int)  # route, status, version
        self.latency: dict[str, Histogram] = defaultdict(lambda: Histogram(LATENCY))  # by version
        self.predicting: dict[str, Histogram] = defaultdict(lambda: Histogram(LATENCY))
        self.batch_rows: dict[str, Histogram] = defaultdict(lambda: Histogram(SIZES))
        self.batch_requests: dict[str, Histogram] = defaultdict(lambda: Histogram(SIZES))
        self.shadow: dict[tuple[str, str], int] = defaultdict(int)  # version, what came of it
        self.features: dict[str, int] = defaultdict(int)  # by status
        self.journal: dict[str, int] = defaultdict(int)  # written, dropped
        self.swaps: dict[str, int] = defaultdict(int)  # done, failed
        self.in_flight = 0
        self.predictions = 0  # requests for predictions that were answered, whatever with
        self.errors = 0  # of them with a status of 500 and more

    def answered(self, route: str, status: int, version: str, seconds: float) -> None:
        """A request for predictions has its answer."""
        self.requests[route, status, version] += 1
        self.latency[version].observe(seconds)
        self.predictions += 1
        if status >= 500:
            self.errors += 1

    def batch(self, version: str, requests: int, rows: int, seconds: float) -> None:
        """The model was called once."""
        self.predicting[version].observe(seconds)
        self.batch_rows[version].observe(rows)
        self.batch_requests[version].observe(requests)

    def text(self, gauges: Mapping[str, tuple[str, Iterable[tuple[Labels, float]]]]) -> bytes:
        """Everything, with `gauges` that are asked for now: name → (help, [(labels, value)])."""
        lines: list[str] = []
        _counter(lines, "requests_total", "Requests for predictions, by route, status and version.", (
            ((("route", route), ("status", str(status)), ("version", version)), count)
            for (route, status, version), count in self.requests.items()
        ))  # fmt: skip
        for name, words, histograms in (
            ("request_seconds", "From the whole request to its answer.", self.latency),
            ("predict_seconds", "One call of the model.", self.predicting),
            ("batch_rows", "Rows of a call of the model.", self.batch_rows),
            ("batch_requests", "Requests that shared a call of the model.", self.batch_requests),
        ):
            _histogram(lines, name, words, histograms)
        _counter(lines, "shadow_total", "Requests shown to a shadow, by what came of it.", (
            ((("version", version), ("outcome", what)), count) for (version, what), count in self.shadow.items()
        ))  # fmt: skip
        for name, words, label, counts in (
            ("features_total", "Features looked up by key, by status.", "status", self.features),
            ("prediction_log_total", "Predictions for the log.", "outcome", self.journal),
            ("swaps_total", "Changes of what is served.", "outcome", self.swaps),
        ):
            _counter(lines, name, words, (((((label, key)),), count) for key, count in counts.items()))
        known = {
            "in_flight": (
                "Requests for predictions that wait for their answer.",
                [((), float(self.in_flight))],
            ),
            "process_resident_memory_bytes": ("Memory of this process.", [((), float(resident_bytes()))]),
            "process_start_time_seconds": ("When this process began.", [((), self.started_at)]),
        }
        for name, (words, values) in {**known, **gauges}.items():
            _gauge(lines, name, words, values)
        return ("\n".join(lines) + "\n").encode()


def resident_bytes() -> int:
    """The memory of this process; 0 where it cannot be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _full(name: str) -> str:
    return name if name.startswith("process_") else f"mlops_{name}"


def _head(lines: list[str], name: str, words: str, kind: str) -> None:
    lines += [f"# HELP {_full(name)} {words}", f"# TYPE {_full(name)} {kind}"]


def _counter(lines: list[str], name: str, words: str, values: Iterable[tuple[Labels, float]]) -> None:
    _head(lines, name, words, "counter")
    lines += [f"{_full(name)}{_labels(labels)} {value}" for labels, value in values]


def _gauge(lines: list[str], name: str, words: str, values: Iterable[tuple[Labels, float]]) -> None:
    _head(lines, name, words, "gauge")
    lines += [f"{_full(name)}{_labels(labels)} {value:.17g}" for labels, value in values]


def _histogram(lines: list[str], name: str, words: str, histograms: Mapping[str, Histogram]) -> None:
    _head(lines, name, words, "histogram")
    for version, one in histograms.items():
        below = 0
        label = ("version", version)
        for bound, count in zip((*one.bounds, float("inf")), one.counts, strict=True):
            below += count
            text = "+Inf" if bound == float("inf") else f"{bound:g}"
            lines.append(f"{_full(name)}_bucket{_labels((label, ('le', text)))} {below}")
        lines.append(f"{_full(name)}_sum{_labels((label,))} {one.total:.9g}")
        lines.append(f"{_full(name)}_count{_labels((label,))} {below}")


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for name, value in labels
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
