"""One thing that is wrong, before anything runs: what, where and how to mend it.

Parsers and checks gather problems and report all of them at once, since a user who mends one at a time has to
start over as many times as there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`where` is what an editor can jump to: ``pipeline.yaml:12`` or ``train.ipynb, cell 3, line 2``."""

    message: str
    where: str = ""
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text

    def to_json(self) -> dict[str, Any]:
        """The problem as REST and ``--json`` show it."""
        return asdict(self)


def summarize(problems: Sequence[Problem]) -> str:
    """All problems as one message: a line each."""
    return "\n".join(str(problem) for problem in problems)
