"""What a running cell puts out, as it may be saved: in order, masked, and bounded in size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .gathered import GatheredText
from .outputs import Blobs, content_size, limit_outputs
from .secrets import Mask, StreamMask

Output = dict[str, Any]


class Collector:
    """Writes the outputs of one cell at a time into the notebook.

    `touched(index)` is called when cell `index` changed, `streamed(name, text)` with what became of a chunk of
    a stream.
    """

    def __init__(
        self,
        mask: Mask,
        limit_bytes: int,
        blobs: Blobs | None,
        *,
        touched: Callable[[int], None],
        streamed: Callable[[str, str], None],
    ) -> None:
        self.mask = mask
        self._limit, self._blobs = limit_bytes, blobs
        self._touched, self._streamed = touched, streamed
        self._index = 0
        self._outputs: list[Output] = []
        self._is_clearing = False
        self._masks: dict[str, StreamMask] = {}
        self._stream: GatheredText | None = None  # the last one; only that can still grow
        self._displays: dict[str, list[tuple[int, Output]]] = {}

    def begin(self, index: int, outputs: list[Output]) -> None:
        """From now on it is cell `index` that puts out, into `outputs`."""
        self._index, self._outputs = index, outputs
        self._is_clearing = False

    def end(self) -> None:
        """The cell is done: let go what the masks held back, and bound the size."""
        for name, mask in self._masks.items():
            if rest := mask.flush():
                self._write(name, rest)
        self._masks.clear()
        self._finish_stream()

    def flush(self) -> None:
        """Bring what has come so far into the notebook."""
        if self._stream is not None:
            self._stream.flush()

    def stream(self, name: str, text: str) -> None:
        """A chunk of ``stdout`` or ``stderr``."""
        self._clear_if_due()
        if name not in self._masks:
            self._masks[name] = self.mask.stream()
        self._write(name, self._masks[name].feed(text))

    def add(self, output: Output, display_id: str | None = None) -> None:
        """A result, a display or an error; those with one `display_id` change together."""
        self._clear_if_due()
        kept = self._bounded(self.mask.output(output) if self.mask else output)
        self._outputs.append(kept)
        if display_id:
            self._displays.setdefault(display_id, []).append((self._index, kept))
        self._touched(self._index)

    def update(self, display_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Change what is displayed under `display_id`, wherever it is."""
        shown = self._displays.get(display_id, [])
        if not shown:
            return
        output = {"output_type": "display_data", "data": data, "metadata": metadata}
        kept = self._bounded(self.mask.output(output) if self.mask else output)
        for index, known in shown:
            known["data"], known["metadata"] = kept["data"], kept["metadata"]
            self._touched(index)

    def clear(self, *, waits: bool) -> None:
        """Drop the cell's outputs, now or when the next one comes."""
        if waits:
            self._is_clearing = True
            return
        self._is_clearing = False
        self._outputs.clear()
        if self._stream is not None:
            self._stream.discard()
            self._stream = None
        self._masks.clear()
        for shown in self._displays.values():
            shown[:] = [(index, output) for index, output in shown if index != self._index]
        self._touched(self._index)

    def masked(self, value: Any) -> Any:
        """A JSON value without the secrets in it."""
        return self.mask.value(value) if self.mask else value

    def _clear_if_due(self) -> None:
        if self._is_clearing:
            self.clear(waits=False)

    def _write(self, name: str, text: str) -> None:
        if not text:
            return
        last = self._outputs[-1] if self._outputs else {}
        if self._stream is None or self._stream.output is not last or last["name"] != name:
            self._finish_stream()
            if last.get("output_type") != "stream" or last["name"] != name:
                last = {"output_type": "stream", "name": name, "text": ""}
                self._outputs.append(last)
            self._stream = GatheredText(last, self._limit, self._blobs)
        self._stream.add(text)
        self._touched(self._index)
        self._streamed(name, text)

    def _finish_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.finish()

    def _bounded(self, output: Output) -> Output:
        if self._blobs is not None and content_size(output) > self._limit:
            return limit_outputs(output, self._limit, self._blobs)
        return output
