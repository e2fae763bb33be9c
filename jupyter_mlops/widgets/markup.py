"""HTML of a run and of a pipeline: pure text from values.

No JavaScript and nothing from elsewhere, so that it lives in a saved notebook. Everything that comes from
outside is escaped. Colors are those of the drawings; states are told by a word and a sign, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape

from .. import words
from ..display import command, tab
from ..events import DONE_WELL
from ..pipelines import Pipeline
from ..pipelines.drawing import GLYPHS, palette, to_svg, to_text
from ..problems import Problem
from ..runner.board import Board, Row, plain_words
from ..runner.pictures import board_picture, pipeline_picture

MOST_ROWS = 40  # of the table: more than that nobody reads in a cell
_MOST_FAILURES = 5
_LEAST_SCALE = 0.8
_BOX_WIDTH = 188.0  # enough for "succeeded · 12.3 s", so that boxes keep their size while a run goes on


def run_html(board: Board, moment: datetime, *, notice: str = "") -> str:
    """The run as it stands at `moment`: headline, picture, tasks, failures."""
    if not board.rows and not board.run_id:
        return page("<p class=muted>checking the pipeline …</p>")
    notice = notice or board.waits
    nodes, edges = board_picture(board, moment, has_results=False)
    title = f"{board.pipeline}, run {board.run_id}"
    parts = [
        _headline(board, moment),
        _progress(board),
        f"<p class=notice>{escape(notice)}</p>" if notice else "",
        _picture(to_svg(nodes, edges, title=title, least_width=_BOX_WIDTH)) if nodes else "",
        _tasks(board, moment),
        *_failures(row for row in board.rows.values() if row.state == "failed"),
    ]
    return page("".join(parts))


def run_text(board: Board, moment: datetime, *, notice: str = "") -> str:
    """The same for a terminal and for whoever asks for plain text."""
    took = words.duration(words.lifetime(board.started_at, board.finished_at, moment))
    lines = [f"{board.pipeline}, run {board.run_id}: {_shown(board.state)}, {took}", notice or board.waits]
    nodes, edges = board_picture(board, moment)
    if nodes:
        lines.append(to_text(nodes, edges))
    lines += [
        f"{GLYPHS.get(row.state, '·')} {row.task}: {plain_words(row)}" for row in board.telling(MOST_ROWS)
    ]
    return "\n".join(line for line in lines if line)


def pipeline_html(
    pipeline: Pipeline | None, problems: Sequence[Problem], *, title: str, place: str = ""
) -> str:
    """A definition: its picture, its parameters, and what is wrong with it. `place` is the file as the panel names
    it, where it is one that the panel can show."""
    parts = []
    if pipeline is not None:
        nodes, edges = pipeline_picture(pipeline)
        about = f" <span class=muted>{escape(pipeline.description)}</span>" if pipeline.description else ""
        name = command(pipeline.name, "mlops:run-pipeline", path=place) if place else escape(pipeline.name)
        parts.append(f"<p class=head><b>{name}</b>{about}</p>")
        parts.append(_picture(to_svg(nodes, edges, title=pipeline.name)))
        parts.append(_parameters(pipeline))
    else:
        parts.append(f"<p class=head><b>{escape(title)}</b></p>")
    return page("".join([*parts, problems_html(problems)]))


def pipeline_text(pipeline: Pipeline | None, problems: Sequence[Problem], *, title: str) -> str:
    """The same as plain text."""
    lines = [title]
    if pipeline is not None:
        lines.append(to_text(*pipeline_picture(pipeline)))
    return "\n".join([*lines, *(f"{problem.severity}: {problem}" for problem in problems)])


def problems_html(problems: Iterable[Problem]) -> str:
    """Problems as a list, errors first; "" where there is none."""
    items = []
    for problem in sorted(problems, key=lambda problem: problem.severity != "error"):
        where = f"<code>{escape(problem.where)}</code> " if problem.where else ""
        hint = f" <span class=muted>({escape(problem.hint)})</span>" if problem.hint else ""
        state = "failed" if problem.severity == "error" else "upstream_failed"
        items.append(
            f"<li><b class={state}>{problem.severity}</b> {where}{escape(problem.message)}{hint}</li>"
        )
    return f"<ul class=problems>{''.join(items)}</ul>" if items else ""


# --- parts ----------------------------------------------------------------------------------------------


def _headline(board: Board, moment: datetime) -> str:
    took = words.duration(words.lifetime(board.started_at, board.finished_at, moment))
    state = board.state
    stopping = board.is_cancelling and board.finished_at is None
    return (
        f"<p class=head><b>{escape(board.pipeline)}</b> {_badge(state)} "
        f"<span class=muted>run {tab(board.run_id, 'run', runId=board.run_id, title=board.pipeline)} · {took}"
        f"{' · stopping: running cells are being interrupted' if stopping else ''}</span></p>"
    )


def _progress(board: Board) -> str:
    total, done = len(board.rows), board.done
    share = 100 * done / total if total else 0
    kind = "failed" if board.count("failed", "upstream_failed") else "succeeded"
    counts = [f"{done}/{total}"]
    counts += [
        f"{n} {_shown(s)}" for s in ("running", "cached", "failed", "skipped") if (n := board.count(s))
    ]
    return (
        f'<p class=tally><span class=bar role=progressbar aria-valuemin=0 aria-valuemax="{total}" '
        f'aria-valuenow="{done}" aria-label="tasks that are over"><i class={kind} style="width:{share:.1f}%">'
        f"</i></span> <span class=muted>{' · '.join(counts)}</span></p>"
    )


def _picture(svg: str) -> str:
    """Wide pictures shrink while they can be read, then they scroll."""
    width = re.search(r'width="(\d+)"', svg)
    least = 0 if width is None else int(_LEAST_SCALE * int(width[1]))
    return f'<div class=picture style="--least:{least}px">{svg}</div>'


def _tasks(board: Board, moment: datetime) -> str:
    rows = board.telling(MOST_ROWS)
    lines = [_task(row, moment) for row in rows]
    rest = len(board.rows) - len(rows)
    if rest:
        lines.append(f"<tr><td colspan=4 class=muted>… and {words.count(rest, 'more task')}</td></tr>")
    head = "<tr><th>task</th><th>state</th><th>took</th><th></th></tr>"
    return f"<div class=scroll><table class=tasks><thead>{head}</thead><tbody>{''.join(lines)}</tbody></table></div>"


def _task(row: Row, moment: datetime) -> str:
    took = "" if row.is_waiting else words.duration(words.lifetime(row.started_at, row.finished_at, moment))
    progress = ""
    if row.state == "running" and row.cells:
        share = 100 * max(row.cell - 1, 0) / row.cells
        progress = (
            f'<span class="bar small"><i class=running style="width:{share:.0f}%"></i></span> '
            f"<span class=muted>cell {row.cell}/{row.cells}</span>"
        )
    return (
        f"<tr><td><b>{escape(row.task)}</b></td><td>{_badge(row.state)} {progress}</td>"
        f"<td class=took>{took}</td><td class=note>{_note(row)}</td></tr>"
    )


def _note(row: Row) -> str:
    """What is worth knowing of a task, in one line."""
    if row.state == "running":
        attempt = f"attempt {row.attempt} · " if row.attempt > 1 else ""
        said = f"<code>{escape(words.shorten(row.line, 100))}</code>" if row.line else escape(row.description)
        return f"<span class=muted>{attempt}{said}</span>"
    if row.state == "failed" or row.is_waiting:
        return f"<span class=failed>{escape(words.error_line(row.error) or row.reason)}</span>"
    if row.state in DONE_WELL and row.results:
        reason = f" <span class=muted>({escape(row.reason)})</span>" if row.state == "cached" else ""
        return escape(words.mapping(row.results, 120)) + reason
    return f"<span class=muted>{escape(row.reason)}</span>"


def _failures(rows: Iterable[Row]) -> Iterable[str]:
    for row in list(rows)[:_MOST_FAILURES]:
        hint = str(row.error.get("hint") or "")
        tail = "\n".join(words.traceback_tail(row.error))
        if not (tail or hint):
            continue
        yield (
            f"<details><summary><b>{escape(row.task)}</b> "
            f"<span class=failed>{escape(words.error_line(row.error))}</span></summary>"
            + (f"<p>{escape(hint)}</p>" if hint else "")
            + (f"<pre>{escape(tail)}</pre>" if tail else "")
            + "</details>"
        )


def _parameters(pipeline: Pipeline) -> str:
    if not pipeline.parameters:
        return ""
    rows = []
    for name, parameter in pipeline.parameters.items():
        default = "required" if parameter.is_required else words.value(parameter.default)
        rows.append(
            f"<tr><td><b>{escape(name)}</b></td><td>{escape(parameter.type)}</td><td>{escape(default)}</td>"
            f"<td class=note><span class=muted>{escape(parameter.help)}</span></td></tr>"
        )
    head = "<tr><th>parameter</th><th>type</th><th>default</th><th></th></tr>"
    return f"<div class=scroll><table class=tasks><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table></div>"


def _badge(state: str) -> str:
    return f"<span class='state {state}'>{GLYPHS.get(state, '·')} {_shown(state)}</span>"


def _shown(state: str) -> str:
    return state.replace("_", " ")


def page(body: str) -> str:
    """The body with its style around it."""
    return f"<div class=mlops-view><style>{_STYLE}</style>{body}</div>"


def _rules(rules: Mapping[str, str]) -> str:
    return "".join(f".mlops-view {selector}{{{style}}}" for selector, style in rules.items())


_STYLE = (
    palette(".mlops-view")
    + ".mlops-view{font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.45;"
    "color:var(--text);max-width:1200px}"
    + _rules(
        {
            "p": "margin:0 0 6px",
            ".head b": "font-size:15px",
            ".muted": "color:var(--muted)",
            ".notice": "color:var(--upstream_failed)",
            "code": "background:none;color:inherit;padding:0;font-size:12px",
            ".bar": "display:inline-block;width:180px;height:6px;border-radius:3px;background:var(--box);"
            "box-shadow:inset 0 0 0 1px var(--line);overflow:hidden;vertical-align:middle",
            ".bar.small": "width:56px",
            ".bar i": "display:block;height:100%;background:currentColor",
            ".bar.wide": "width:220px;height:10px;position:relative",
            ".bar.wide i": "position:absolute;top:0",
            ".bar i.used": "background:var(--line);opacity:.55",
            ".bar i.asked": "opacity:.85",
            ".picture": "overflow-x:auto;margin:4px 0 8px",
            ".picture svg": "max-width:100%;min-width:var(--least);height:auto;display:block",
            ".mlops-graph .ground": "fill:none",
            ".scroll": "overflow-x:auto",
            "table.tasks": "border-collapse:collapse;border:0;margin:0;table-layout:auto;"
            "color:inherit;font-size:12.5px",
            "table.tasks thead tr": "border-bottom:1px solid var(--line)",
            "table.tasks tbody tr": "background:none",
            "table.tasks th": "text-align:left;font-weight:500;color:var(--muted);padding:2px 14px 2px 0;"
            "background:none",
            "table.tasks td": "text-align:left;padding:3px 14px 3px 0;vertical-align:top;white-space:nowrap;"
            "max-width:none",
            "table.tasks td.note": "white-space:normal;min-width:180px;overflow-wrap:anywhere",
            "table.tasks td.took": "font-variant-numeric:tabular-nums;text-align:right",
            ".state": "font-weight:500;white-space:nowrap",
            "details": "margin:6px 0",
            "summary": "cursor:pointer",
            "pre": "font-size:12px;margin:4px 0 0;padding:8px;background:var(--box);color:var(--text);"
            "overflow-x:auto;white-space:pre;border-radius:4px",
            "ul.problems": "margin:6px 0;padding-left:18px",
            **{f".{state}": f"color:var(--{state})" for state in GLYPHS},
        }
    )
    + "@keyframes mlops-pulse{50%{opacity:.4}}"
    "@media (prefers-reduced-motion:no-preference)"
    "{.mlops-view .node.running .disc{animation:mlops-pulse 1.6s infinite}}"
)
