"""What a capture took, why, and what it could not decide: as Markdown, for a terminal, for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..display import facts_html, table_html
from ..resources import format_bytes
from .captured import Capture

if TYPE_CHECKING:
    from rich.console import RenderableType

_REASONS = 3  # of one distribution; the others are counted


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def facts(capture: Capture) -> dict[str, str]:
    """The head of the report; the empty ones are left out by who shows it."""
    pins = sum(line[:1] not in (" ", "#", "") for line in capture.lock.split("\n"))
    return {
        "image of": capture.source or capture.name,
        "kind": "runs the notebook" if capture.kind == "batch" else "serves the model",
        "commit": capture.commit,
        "Python": capture.python,
        "platforms": ", ".join(capture.platforms),
        "accelerator": " · ".join(
            filter(None, [capture.accelerator, f"CUDA {capture.cuda}" if capture.cuda else ""])
        ),
        "locked": f"{pins} distributions, with hashes" if capture.lock else "no",
    }


def sections(capture: Capture) -> tuple[Section, ...]:
    """The tables of the report that have rows."""
    found = (
        Section("Could not be decided", ("", "where", "what", "cure"), tuple(_problems(capture))),
        Section("Parameters", ("name", "type", "default", "help"), tuple(_parameters(capture))),
        Section("Distributions", ("distribution", "version", "because"), tuple(_requirements(capture))),
        Section(
            "Not taken",
            ("module", "where", "because"),
            tuple((one.module, one.where, "optional, and not installed here") for one in capture.optional),
        ),
        Section(
            "Debian packages",
            ("package", "because"),
            tuple((one.name, "; ".join(one.because)) for one in capture.system_packages),
        ),
        Section("Files", ("file", "size", "because"), tuple(_files(capture))),
    )
    return tuple(section for section in found if section.rows)


def to_markdown(capture: Capture) -> str:
    """The report as a document."""
    lines = [f"# {capture.name}", ""]
    lines += [f"- {label}: {_cell(text)}" for label, text in facts(capture).items() if text]
    for section in sections(capture):
        lines += ["", f"## {section.title}", "", _row(section.columns), _row(["---"] * len(section.columns))]
        lines += [_row([_cell(text) for text in row]) for row in section.rows]
    return "\n".join([*lines, ""])


def to_html(capture: Capture) -> str:
    """The report in the output of a cell; what is shown is escaped."""
    tables = [table_html(one.columns, one.rows, caption=one.title) for one in sections(capture)]
    return "".join([facts_html(facts(capture)), *tables])


def to_rich(capture: Capture) -> RenderableType:
    """The report in a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    head = Table(box=None, show_header=False, pad_edge=False)
    for label, text in facts(capture).items():
        if text:
            head.add_row(Text(label, style="bold"), Text(text))
    tables: list[RenderableType] = [head]
    for section in sections(capture):
        table = Table(box=None, pad_edge=False, title=section.title, title_justify="left", title_style="bold")
        for column in section.columns:
            table.add_column(column, style="bright_black" if column == "because" else "", overflow="fold")
        for row in section.rows:
            table.add_row(*map(Text, row))
        tables += [Text(), table]
    return Group(*tables)


def _problems(capture: Capture) -> Iterator[tuple[str, ...]]:
    for problem in sorted(capture.problems, key=lambda one: one.severity != "error"):
        yield "✘" if problem.severity == "error" else "⚠", problem.where, problem.message, problem.hint


def _parameters(capture: Capture) -> Iterator[tuple[str, ...]]:
    for one in capture.parameters:
        yield one.name, str(one.kind), "required" if one.is_required else one.default_source, one.help


def _requirements(capture: Capture) -> Iterator[tuple[str, ...]]:
    for one in capture.requirements:
        name = f"{one.name}[{','.join(one.extras)}]" if one.extras else one.name
        version = one.url if one.origin == "vcs" else one.version or one.specifier or "any"
        left = len(one.because) - _REASONS
        more = f" and {left} more" if left > 0 else ""
        yield name, version, "; ".join(one.because[:_REASONS]) + more


def _files(capture: Capture) -> Iterator[tuple[str, ...]]:
    everything = {**capture.notebooks, **capture.modules, **capture.files}
    for path, content in sorted(everything.items()):
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        own = "the notebook" if path in capture.notebooks else ""
        yield path, format_bytes(size), capture.reasons.get(path, own)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text that means itself in a cell of Markdown."""
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`").replace("*", "\\*")
    return escaped.replace("_", "\\_").replace("<", "&lt;").replace("\n", " ")
