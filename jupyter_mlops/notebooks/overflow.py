"""The many displays of a cell that a notebook is better off without: a file of them, and one output that says so.

Nobody looks at the ten-thousandth table of a loop in a notebook (JupyterLab shows fifty, and a button), but each costs
memory of whoever executes it, opens it, or compares it. So they go to the blobs, one output as JSON a line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..blobs import Growing, make_reference
from ..resources import format_bytes
from .outputs import SPILLED, Blobs, spill_notice

MIME = "application/x-ndjson"


class Overflow:
    """Outputs that go to a blob one by one; `output` stands for them in the notebook."""

    def __init__(self, blobs: Blobs) -> None:
        self.output: dict[str, Any] = {"output_type": "display_data", "data": {}, "metadata": {}}
        self._growing: Growing = blobs.begin()
        self._count = 0
        self._say("on their way to the blobs")

    def add(self, output: Mapping[str, Any]) -> None:
        """The next one, masked."""
        self._growing.write(json.dumps(output).encode() + b"\n")
        self._count += 1

    def flush(self) -> None:
        """Say how many they are so far."""
        self._say(f"{format_bytes(self._growing.size_bytes)} so far, on their way to the blobs")

    def finish(self) -> None:
        """Nothing more comes."""
        reference = make_reference(self._growing.keep(), "outputs", "jsonl")
        where = {"reference": reference, "size_bytes": self._growing.size_bytes}
        self._say(spill_notice(where))
        self.output["metadata"] = {SPILLED: {MIME: where}}

    def discard(self) -> None:
        """They were cleared."""
        self._growing.discard()

    def _say(self, where: str) -> None:
        self.output["data"] = {"text/plain": f"… {self._count:,} more outputs: {where} …"}
