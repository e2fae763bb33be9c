"""What differs between two executed notebooks: parameters, results, and cell by cell sources and outputs.

Cells are aligned by what they say, as ``diff`` aligns lines, so a cell put in between does not make all later
ones differ. What any two executions have different (times, counts, ids, addresses of objects) is left out, so
that what remains is worth reading.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..resources import format_bytes
from .files import cell_tags
from .outputs import ARTIFACT_MIME, RECORD_MIME, SCRAP_PREFIX, read_artifacts, read_results

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class CellDifference:
    """One pair of aligned cells that differ; `before` and `after` are their numbers from 1, None where there
    is none. `source` and `outputs` are lines as of ``diff``, each beginning with ``-``, ``+`` or a space."""

    kind: Literal["changed", "added", "removed"]
    cell_type: str
    before: int | None
    after: int | None
    source: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotebookDifference:
    """All that differs. `parameters`, `results`, `artifacts` map a name to its two values, None for none."""

    parameters: Mapping[str, tuple[Any, Any]]
    results: Mapping[str, tuple[Any, Any]]
    artifacts: Mapping[str, tuple[Any, Any]]
    cells: tuple[CellDifference, ...]

    def __bool__(self) -> bool:
        return bool(self.parameters or self.results or self.artifacts or self.cells)

    def to_json(self) -> dict[str, Any]:
        """The difference as REST and ``--json`` show it."""
        return asdict(self)

    def to_text(self) -> str:
        """The difference for a reader in a terminal; "" if there is none."""
        lines: list[str] = []
        for title in ("parameters", "results", "artifacts"):
            pairs: Mapping[str, tuple[Any, Any]] = getattr(self, title)
            if pairs:
                lines += [title, *(f"  {name}: {_change(*pair)}" for name, pair in sorted(pairs.items()))]
        for cell in self.cells:
            lines += [_title(cell), *(f"  {line}" for line in cell.source)]
            if cell.outputs:
                lines += ["  outputs", *(f"  {line}" for line in cell.outputs)]
        return "\n".join(lines)


def diff_notebooks(before: Mapping[str, Any], after: Mapping[str, Any]) -> NotebookDifference:
    """Compare two notebooks, usually of two runs of one task."""
    return NotebookDifference(
        parameters=_pairs(_parameters(before), _parameters(after)),
        results=_pairs(read_results(before), read_results(after)),
        artifacts=_pairs(
            *({n: a["reference"] for n, a in read_artifacts(nb).items()} for nb in (before, after))
        ),
        cells=tuple(_cells(before.get("cells", ()), after.get("cells", ()))),
    )


def _parameters(nb: Mapping[str, Any]) -> dict[str, Any]:
    return dict(nb.get("metadata", {}).get("papermill", {}).get("parameters", {}))


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [*before, *(name for name in after if name not in before)]
    return {
        name: (before.get(name), after.get(name))
        for name in names
        if before.get(name, _MISSING) != after.get(name, _MISSING)
    }


def _change(before: Any, after: Any) -> str:
    numbers = [value for value in (before, after) if isinstance(value, (int, float)) and value is not True]
    step = (
        f" ({after - before:+.6g})"
        if len(numbers) == 2 and before is not False and after is not False
        else ""
    )
    return f"{_short(before)} → {_short(after)}{step}"


def _short(value: Any) -> str:
    text = "(none)" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else f"{text[:60]}…{text[-36:]}"


def _title(cell: CellDifference) -> str:
    place = f"cell {cell.after or cell.before}"
    if cell.before and cell.after and cell.before != cell.after:
        place += f" (was {cell.before})"
    return f"{place}, {cell.cell_type}" + (f", {cell.kind}" if cell.kind != "changed" else "")


def _cells(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[CellDifference]:
    for old, new in _aligned(before, after):
        if old is None or new is None:
            cell = before[old] if old is not None else after[new or 0]
            lines = tuple(f"{'-' if new is None else '+'} {line}" for line in _source(cell).splitlines())
            kind: Literal["added", "removed"] = "removed" if new is None else "added"
            yield CellDifference(kind, cell["cell_type"], _number(old), _number(new), lines, ())
            continue
        source = _diff(_source(before[old]), _source(after[new]))
        outputs = _diff(_outputs(before[old]), _outputs(after[new]))
        if "injected-parameters" in cell_tags(after[new]):
            source = ()  # told by the parameters already
        if source or outputs:
            cell_type = after[new]["cell_type"]
            yield CellDifference("changed", cell_type, _number(old), _number(new), source, outputs)


def _number(index: int | None) -> int | None:
    return None if index is None else index + 1


def _aligned(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int | None, int | None]]:
    keys = [[_key(cell) for cell in cells] for cells in (before, after)]
    matcher = difflib.SequenceMatcher(a=keys[0], b=keys[1], autojunk=False)
    for tag, first, last, start, stop in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(range(first, last), range(start, stop), strict=True)
            continue
        at, to = first, start
        for old, new in [*_similar(before, after, first, last, start, stop), (last, stop)]:
            yield from ((index, None) for index in range(at, old))
            yield from ((None, index) for index in range(to, new))
            if old < last:
                yield old, new
            at, to = old + 1, new + 1


def _similar(
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    first: int,
    last: int,
    start: int,
    stop: int,
) -> list[tuple[int, int]]:
    """Of two blocks of cells the pairs, in order, that are most like each other altogether."""
    # best[new] is (likeness, pairs) for the cells looked at so far: the usual table, one row at a time.
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])] * (stop - start + 1)
    for old in range(first, last):
        row = [best[0]]
        for index, new in enumerate(range(start, stop), start=1):
            likeness, pairs = best[index - 1]
            together = likeness + _likeness(before[old], after[new])
            choices = [best[index], row[index - 1]]
            if together > likeness:
                choices.append((together, [*pairs, (old, new)]))
            row.append(max(choices, key=lambda choice: choice[0]))
        best = row
    return best[-1][1]


def _likeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """0 for cells that have little in common, up to 1."""
    if one["cell_type"] != other["cell_type"]:
        return 0.0
    matcher = difflib.SequenceMatcher(a=_source(one)[:2000], b=_source(other)[:2000], autojunk=False)
    likeness = matcher.quick_ratio()
    return likeness if likeness > 0.4 else 0.0


def _key(cell: Mapping[str, Any]) -> tuple[str, str]:
    is_injected = "injected-parameters" in cell_tags(cell)
    return cell["cell_type"], "injected-parameters" if is_injected else _source(cell)


def _source(cell: Mapping[str, Any]) -> str:
    return _joined(cell.get("source", ""))


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _diff(before: str, after: str) -> tuple[str, ...]:
    """The differing lines with one line of context; nothing if they are equal."""
    if before == after:
        return ()
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    return tuple(f"{line[:1]} {line[1:]}".rstrip() for line in list(lines)[2:] if not line.startswith("@@"))


def _outputs(cell: Mapping[str, Any]) -> str:
    """A cell's outputs as text to compare: streams joined, images by their digest, results left out."""
    parts: list[str] = []
    for output in cell.get("outputs", ()):
        if output["output_type"] == "stream":
            parts.append(_joined(output.get("text", "")))
        elif output["output_type"] == "error":
            parts.append(f"{output.get('ename')}: {output.get('evalue')}\n")
        else:
            parts += _bundle(output.get("data", {}))
    return _ADDRESS.sub("0x…", _ANSI.sub("", "".join(parts)))


def _bundle(data: Mapping[str, Any]) -> Iterator[str]:
    if any(mime.startswith(SCRAP_PREFIX) or mime in (ARTIFACT_MIME, RECORD_MIME) for mime in data):
        return
    if "text/plain" in data:
        yield _joined(data["text/plain"]) + "\n"
    for mime, body in sorted(data.items()):
        if mime.startswith("image/") or ("text/plain" not in data and mime != "text/html"):
            text = body if isinstance(body, str) else json.dumps(body, sort_keys=True)
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            yield f"[{mime}, {format_bytes(len(text))}, {digest}]\n"
