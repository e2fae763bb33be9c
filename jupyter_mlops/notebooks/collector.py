"""What a running cell puts out, as it may be saved: in order, masked, and bounded in size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from .displays import Displays
from .gathered import GatheredText
from .outputs import Blobs, content_size, is_emitted, limit_outputs, text_size
from .overflow import Overflow
from .secrets import Mask, StreamMask

Output = dict[str, Any]
# Of one cell: how many outputs of streams that take turns, how many times the limit in them, and in what is displayed.
# Beyond it each stream goes on in one output of its own, and whatever is displayed spills.
_TURNS, _STREAMED, _DISPLAYED = 1000, 1, 8
_DISPLAYS = 10_000  # of one cell; more of them go to the blobs together, small as they are
_SMALL_BYTES = 2048  # what is displayed and not worth a blob
# The messages that are outputs, and what an output keeps of them.
_OUTPUTS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}
OUTPUT_KINDS = frozenset({*_OUTPUTS, "clear_output"})


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
        self._streams: dict[str, GatheredText] = {}  # those that can still grow: the last one, or one a name
        self._displays = Displays()
        self._overflow: Overflow | None = None
        # What the cell has put out so far.
        self._turns = self._streamed_bytes = self._displayed_bytes = self._displayed = 0

    def apart(self, outputs: list[Output]) -> Collector:
        """Another one, by the same rules, that puts out into `outputs` and tells nobody."""
        other = Collector(
            self.mask, self._limit, self._blobs, touched=lambda _: None, streamed=lambda *_: None
        )
        other.begin(0, outputs)
        return other

    def begin(self, index: int, outputs: list[Output]) -> None:
        """From now on it is cell `index` that puts out, into `outputs`."""
        self._index, self._outputs = index, outputs
        self._is_clearing = False
        self._turns = self._streamed_bytes = self._displayed_bytes = self._displayed = 0

    def end(self) -> None:
        """The cell is done: let go what the masks held back, and bound the size."""
        with ExitStack() as ends:  # each is done, though the disk be full for another
            ends.callback(self._displays.give_up)
            ends.callback(self._show_noted)
            ends.callback(self._finish_streams)
            ends.callback(self._finish_overflow)
            masks, self._masks = self._masks, {}
            for name, mask in masks.items():
                if rest := mask.flush():
                    self._write(name, rest)

    def flush(self) -> None:
        """Bring what has come so far into the notebook."""
        for stream in self._streams.values():
            stream.flush()
        if self._overflow is not None:
            self._overflow.flush()
        self._show_noted()

    def put(self, kind: str, content: Mapping[str, Any]) -> None:
        """A message of one of `OUTPUT_KINDS`."""
        if kind == "clear_output":
            self.clear(waits=bool(content.get("wait")))
        elif kind == "stream":
            self.stream(content["name"], content["text"])
        else:
            output = {"output_type": kind, **{name: content[name] for name in _OUTPUTS[kind]}}
            self.add(output, "" if kind == "error" else display_id_of(content))

    def stream(self, name: str, text: str) -> None:
        """A chunk of ``stdout`` or ``stderr``."""
        self._clear_if_due()
        if name not in self._masks:
            self._masks[name] = self.mask.stream()
        self._write(name, self._masks[name].feed(text))

    def add(self, output: Output, display_id: str = "") -> None:
        """A result, a display or an error; those with one `display_id` change together."""
        self._clear_if_due()
        if display_id:
            self.update(display_id, output["data"], output["metadata"])
        elif self._overflows(output):
            return
        kept, size = self._kept(output)
        self._displayed_bytes += size
        self._displayed += 1
        self._outputs.append(kept)
        if display_id:
            self._displays.add(display_id, self._index, kept, size)
        self._touched(self._index)

    def update(self, display_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Change what is displayed under `display_id`, wherever it is."""
        output = {"output_type": "display_data", "data": data, "metadata": metadata}
        for index in self._displays.note(display_id, output):
            self._touched(index)

    def clear(self, *, waits: bool) -> None:
        """Drop the cell's outputs, now or when the next one comes."""
        if waits:
            self._is_clearing = True
            return
        self._is_clearing = False
        self._outputs.clear()
        for stream in self._streams.values():
            stream.discard()
        self._streams.clear()
        if self._overflow is not None:
            self._overflow.discard()
            self._overflow = None
        self._turns = self._streamed_bytes = self._displayed_bytes = self._displayed = 0
        self._masks.clear()
        self._displays.forget(self._index)
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
        stream = self._streams.get(name)
        if stream is None or not (self._are_apart or stream.output is self._outputs[-1]):
            stream = self._begin_stream(name)
        stream.add(text)
        self._touched(self._index)
        self._streamed(name, text)

    @property
    def _are_apart(self) -> bool:
        """Whether the streams took turns for so long that each goes on by itself: memory must not grow with them."""
        limit = _STREAMED * self._limit
        return self._blobs is not None and (self._turns >= _TURNS or self._streamed_bytes > limit)

    def _begin_stream(self, name: str) -> GatheredText:
        if not self._are_apart:
            self._finish_streams()
        output: Output = {"output_type": "stream", "name": name, "text": ""}
        self._outputs.append(output)
        self._streams[name] = GatheredText(output, self._limit, self._blobs)
        return self._streams[name]

    def _finish_streams(self) -> None:
        streams, self._streams = [*self._streams.values()], {}
        with ExitStack() as ends:  # each is ended, though the disk be full for another
            for stream in streams:
                ends.callback(stream.finish)
        self._turns += len(streams)
        self._streamed_bytes += sum(text_size(stream.output["text"]) for stream in streams)

    def _overflows(self, output: Output) -> bool:
        """Whether `output` is one of too many, and has gone where those go."""
        if self._blobs is None or self._displayed < _DISPLAYS or output["output_type"] != "display_data":
            return False
        if any(map(is_emitted, output["data"])):
            return False
        if self._overflow is None:
            self._overflow = Overflow(self._blobs)
            self._outputs.append(self._overflow.output)
        self._overflow.add(self.mask.output(output) if self.mask else output)
        self._touched(self._index)
        return True

    def _finish_overflow(self) -> None:
        overflow, self._overflow = self._overflow, None
        if overflow is not None:
            overflow.finish()

    def _show_noted(self) -> None:
        """Bring what displays have changed to into their outputs."""
        self._displayed_bytes += self._displays.show(self._kept)

    def _kept(self, output: Output) -> tuple[Output, int]:
        """The output masked and bounded, and its size."""
        output = self.mask.output(output) if self.mask else output
        if self._blobs is None:
            return output, 0
        is_full = self._displayed_bytes > _DISPLAYED * self._limit
        limit = min(self._limit, _SMALL_BYTES) if is_full else self._limit
        size = content_size(output)
        if size <= limit:
            return output, size
        kept = limit_outputs(output, limit, self._blobs)
        return kept, content_size(kept)


def display_id_of(content: Mapping[str, Any]) -> str:
    """The id under which a message displays something; empty where it has none."""
    return (content.get("transient") or {}).get("display_id") or ""
