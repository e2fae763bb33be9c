"""An executed notebook as a page to read and to share, light or dark as the reader prefers.

The notebook is cleaned (see `notebooks.render`), the page's policy allows no script and nothing from elsewhere, and
its sandbox takes from it what origin it has: opening somebody's notebook gives it no power over this server.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from .. import words
from ..catalog.records import Run, TaskRun
from ..notebooks.render import to_html
from ..pipelines.drawing import COLORS, GLYPHS
from .panel import Panel
from .tasks import executed

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
_STYLE = f"""
.mlops-head{{font:14px/1.5 {_FONT};display:flex;flex-wrap:wrap;gap:4px 14px;align-items:baseline;max-width:1100px;
margin:0 auto;padding:18px 24px 14px;border-bottom:1px solid var(--jp-border-color2,#d0d7de);
color:var(--jp-ui-font-color2,#59636e)}}
.mlops-head h1{{font-size:20px;font-weight:600;margin:0;color:var(--jp-ui-font-color1,#1f2328)}}
.mlops-head .state{{font-weight:600}}
.mlops-head .right{{margin-left:auto;font-size:12.5px}}
body.jp-Notebook,body{{background:var(--jp-layout-color1,#fff)}}
main{{max-width:1100px;margin:0 auto}}
.jp-OutputArea-output{{overflow-x:auto}}
"""


def page(panel: Panel, asked: Mapping[str, Any]) -> str:
    """`viewTask`."""
    workspace = panel.workspace
    run = workspace.catalog.get(Run, asked["run_id"])
    task = workspace.catalog.get(TaskRun, run.run_id, asked["task"])
    html = to_html(executed(workspace, run, task), title=f"{run.pipeline} · {task.task}")
    style = f"@media (prefers-color-scheme: dark) {{\n{_dark()}\n}}\n{_STYLE}{_state_style(task.state)}"
    html = html.replace("</head>", f"<style>{style}</style></head>", 1)
    start = html.find("<body")
    end = html.find(">", start) + 1
    return html[:end] + _header(run, task) + html[end:]


def _header(run: Run, task: TaskRun) -> str:
    glyph = GLYPHS.get(task.state, "")
    took = words.duration(task.duration_seconds) if task.duration_seconds else ""
    ended = f"{task.finished_at:%Y-%m-%d %H:%M} UTC" if task.finished_at else ""
    source = f"run {run.run_id}" + (f", executed in {task.source_run_id}" if task.source_run_id else "")
    right = " · ".join(escape(part) for part in (took, ended, source) if part)
    return (
        f'<header class="mlops-head"><h1>{escape(task.task)}</h1><span>{escape(run.pipeline)}</span>'
        f'<span class="state">{glyph} {escape(task.state.replace("_", " "))}</span>'
        f'<span class="right">{right}</span></header>'
    )


def _state_style(state: str) -> str:
    light, dark = COLORS.get(state, COLORS[""])
    darkly = f"@media (prefers-color-scheme: dark){{.mlops-head .state{{color:{dark}}}}}"
    return f".mlops-head .state{{color:{light}}}{darkly}"


@cache
def _dark() -> str:
    """The variables of JupyterLab's dark theme, as nbconvert has them."""
    import nbconvert

    found = [*Path(nbconvert.__file__).parent.glob("**/lab/static/theme-dark.css")]
    found += [
        path
        for folder in _template_folders()
        if (path := Path(folder) / "lab" / "static" / "theme-dark.css").is_file()
    ]
    return found[0].read_text(encoding="utf-8") if found else ""


def _template_folders() -> list[str]:
    from jupyter_core.paths import jupyter_path

    return jupyter_path("nbconvert", "templates")


def error_page(status: int, message: str, hint: str) -> str:
    """A page that says what is wrong."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{status}</title><style>body{{font:15px/1.6 {_FONT};max-width:40rem;margin:15vh auto;padding:0 24px}}"
        f"p{{color:GrayText}}</style></head><body><h1>{escape(message)}</h1><p>{escape(hint)}</p></body></html>"
    )
