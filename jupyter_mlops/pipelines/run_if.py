"""``run_if``: whether a task runs, given how the tasks before it ended. Names and meanings are Databricks'.

Cached counts as succeeded, `upstream_failed` as failed. The instances of one fanned-out task are taken one
by one, except that those which were skipped are left out when others ran: a `when` over a matrix or a mapped
list is a filter, and must not skip what collects the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from ..events import State

Tally = Counter[str]  # state → how many


def decide(run_if: str, before: Iterable[tuple[str, Tally]]) -> tuple[State, str] | None:
    """None if the task shall run; else the state it ends in, and why. `before` has a task's name and tally
    for each task or instance that was needed."""
    by_name: dict[str, Tally] = {}
    for name, tally in before:
        by_name.setdefault(name, Counter()).update(tally)
    if not by_name:
        return None
    total: Tally = Counter()
    names: dict[str, list[str]] = {"failed": [], "cancelled": [], "skipped": []}
    for name, tally in by_name.items():
        counts = _merged(tally)
        if counts.total() > counts["skipped"]:
            del counts["skipped"]
        total += counts
        for state, those in names.items():
            if counts[state]:
                those.append(name)
    if _RULES[run_if](total):
        return None
    return _ending(run_if, total, names)


def _merged(tally: Tally) -> Tally:
    return Counter(
        {
            "ok": tally["succeeded"] + tally["cached"],
            "failed": tally["failed"] + tally["upstream_failed"],
            "cancelled": tally["cancelled"],
            "skipped": tally["skipped"],
        }
    )


def _ending(run_if: str, total: Tally, names: Mapping[str, list[str]]) -> tuple[State, str]:
    """How a task ends that does not run. Where failure was what it waited for, its lack is no failure."""
    if run_if not in ("all_failed", "at_least_one_failed"):
        if total["failed"]:
            return "upstream_failed", f"{_listed(names['failed'])} failed"
        if total["cancelled"]:
            return "cancelled", f"{_listed(names['cancelled'])} was cancelled"
        if run_if == "all_success":
            return "skipped", f"{_listed(names['skipped'])} was skipped"
    return "skipped", f"run_if {run_if} does not hold"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


_RULES: Mapping[str, Callable[[Tally], bool]] = {
    "all_success": lambda total: total["ok"] == total.total(),
    "all_done": lambda total: True,
    "none_failed": lambda total: not total["failed"] and not total["cancelled"] and total["ok"] > 0,
    "at_least_one_success": lambda total: total["ok"] > 0,
    "all_failed": lambda total: total["failed"] == total.total(),
    "at_least_one_failed": lambda total: total["failed"] > 0,
}
