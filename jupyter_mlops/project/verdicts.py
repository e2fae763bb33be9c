"""What became of each pipeline and notebook, for the table at the end and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .. import words

_MOST = 80  # columns of a note
_SIGNS = {"passed": ("✔", "green"), "skipped": ("–", "yellow"), "failed": ("✘", "red")}


@dataclass(slots=True)
class Verdict:
    """A line: a test of a pipeline, or all cells of a notebook."""

    path: str
    test: str
    state: str = "passed"
    seconds: float = 0.0
    note: str = ""
    cells: int = 0
    passed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The line as ``--json`` shows it."""
        body = asdict(self)
        return body if self.cells else {k: v for k, v in body.items() if k not in ("cells", "passed")}


class Verdicts:
    """Hears reports of pytest and keeps what concerns us."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Verdict] = {}

    def lines(self) -> list[Verdict]:
        """In the order in which they came."""
        return list(self._lines.values())

    def refused(self, nodeid: str) -> None:
        """A file that could not even be read."""
        path = nodeid.partition("::")[0]
        if path.endswith((".ipynb", ".yaml", ".yml")):
            self._lines[path, "read"] = Verdict(path, "read", "failed", note="cannot be read")

    def hear(self, report: Any) -> None:
        """A part (setup, call, teardown) of one test."""
        path, _, name = report.nodeid.partition("::")
        is_cell = path.endswith(".ipynb") and name.startswith("Cell ")
        if not is_cell and not path.endswith((".ipynb", ".yaml", ".yml")):
            return
        line = self._lines.setdefault(
            (path, "cells" if is_cell else name), Verdict(path, "cells" if is_cell else name)
        )
        line.seconds += report.duration
        if report.when == "call" or not report.passed:
            if report.failed:
                line.state = "failed"
            elif report.skipped and line.state == "passed" and not is_cell:
                line.state = "skipped"
            line.cells += is_cell
            line.passed += is_cell and not report.failed
        notes = [text for key, text in report.user_properties if key == "mlops"]
        if is_cell:
            line.note = (
                f"{words.count(line.cells, 'cell')}"
                if line.state == "passed"
                else f"{line.passed} of {words.count(line.cells, 'cell')}"
            )
        elif notes:
            line.note = words.shorten(notes[-1], _MOST)


def draw(terminal: Any, lines: list[Verdict]) -> None:
    """The table, by pytest's own reporter."""
    terminal.section("pipelines and notebooks")
    width = max(words.columns(line.path) for line in lines)
    kind = max(len(line.test) for line in lines)
    most = max(words.columns(line.note) for line in lines)
    for line in lines:
        sign, color = _SIGNS[line.state]
        terminal.write(f"{sign} ", **{color: True})
        terminal.write_line(
            f"{line.path:<{width}}  {line.test:<{kind}}  {line.note:<{most}}  {words.duration(line.seconds)}".rstrip()
        )
