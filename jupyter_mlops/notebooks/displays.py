"""What is displayed under an id, so that it can be changed later: each change costs the same, however often it comes.

A progress bar changes a hundred thousand times and is looked at when the notebook is saved. So what it changes to is
only noted, and comes into the outputs when somebody looks; what was noted before that is gone, as on a screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Output = dict[str, Any]


@dataclass(slots=True)
class Displayed:
    """The outputs under one id, by the index of their cell; they show the same."""

    outputs: dict[int, list[Output]] = field(default_factory=dict)
    size_bytes: int = 0  # of all of them together


class Displays:
    """The displays of one notebook."""

    def __init__(self) -> None:
        self._by_id: dict[str, Displayed] = {}
        self._ids_of: dict[int, set[str]] = {}
        self._noted: dict[str, Output] = {}

    def add(self, display_id: str, index: int, output: Output, size_bytes: int) -> None:
        """Cell `index` shows `output`, of this size, under this id."""
        displayed = self._by_id.setdefault(display_id, Displayed())
        displayed.outputs.setdefault(index, []).append(output)
        displayed.size_bytes += size_bytes
        self._ids_of.setdefault(index, set()).add(display_id)

    def note(self, display_id: str, content: Output) -> list[int]:
        """From now on `content` is shown under this id: the cells of which nobody knew yet that they change."""
        displayed = self._by_id.get(display_id)
        if displayed is None:
            return []
        is_known = display_id in self._noted
        self._noted[display_id] = content
        return [] if is_known else list(displayed.outputs)

    def show(self, keep: Callable[[Output], tuple[Output, int]]) -> int:
        """Bring what was noted into the outputs, each as `keep` gives it with its size; by how many bytes they grow.

        What cannot be kept stays noted.
        """
        growth = 0
        for display_id in [*self._noted]:
            kept, size_bytes = keep(self._noted[display_id])
            del self._noted[display_id]
            displayed = self._by_id[display_id]
            outputs = [output for of_cell in displayed.outputs.values() for output in of_cell]
            for output in outputs:
                output["data"], output["metadata"] = kept["data"], kept["metadata"]
            growth += len(outputs) * size_bytes - displayed.size_bytes
            displayed.size_bytes = len(outputs) * size_bytes
        return growth

    def give_up(self) -> None:
        """What is noted now is not shown any more."""
        self._noted.clear()

    def forget(self, index: int) -> None:
        """Cell `index` shows nothing any more."""
        for display_id in self._ids_of.pop(index, ()):
            displayed = self._by_id[display_id]
            del displayed.outputs[index]
            if not displayed.outputs:
                del self._by_id[display_id]
                self._noted.pop(display_id, None)
