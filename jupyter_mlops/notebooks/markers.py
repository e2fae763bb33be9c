"""papermill's marks in an executed notebook: timing and status of each cell, and where it failed.

Same names, places and texts as papermill 2 writes (``papermill/engines.py``, ``papermill/execute.py``), so
that whatever reads its notebooks reads ours.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

ERROR_TAG = "papermill-error-cell-tag"
_STYLE = 'style="color:red; font-family:Helvetica Neue, Helvetica, Arial, sans-serif; font-size:2em;"'


def begin(nb: Any, at: datetime) -> None:
    """The notebook starts: no outputs, no markers of an earlier run."""
    nb["cells"][:] = [cell for cell in nb["cells"] if ERROR_TAG not in cell["metadata"].get("tags", [])]
    nb["metadata"].setdefault("papermill", {}).update(
        start_time=at.isoformat(), end_time=None, duration=None, exception=None
    )
    for cell in nb["cells"]:
        cell["metadata"]["papermill"] = {
            "exception": None, "start_time": None, "end_time": None, "duration": None, "status": "pending",
        }  # fmt: skip
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None


def end(nb: Any, at: datetime, *, is_failed: bool) -> None:
    """The notebook is done. Cells after one that failed stay pending."""
    marks = nb["metadata"]["papermill"]
    marks["end_time"] = at.isoformat()
    marks["duration"] = (at - datetime.fromisoformat(marks["start_time"])).total_seconds()
    statuses = [cell["metadata"]["papermill"] for cell in nb["cells"]]
    if is_failed or any(cell["status"] == "failed" for cell in statuses):
        marks["exception"] = True
        return
    for cell in statuses:
        cell["status"] = "completed"


def begin_cell(cell: Any, at: datetime) -> None:
    """A cell starts."""
    cell["metadata"]["papermill"].update(start_time=at.isoformat(), status="running", exception=False)


def end_cell(cell: Any, at: datetime, *, is_failed: bool) -> None:
    """A cell is done."""
    marks = cell["metadata"]["papermill"]
    marks["end_time"] = at.isoformat()
    marks["duration"] = (at - datetime.fromisoformat(marks["start_time"])).total_seconds()
    marks["status"] = "failed" if is_failed else "completed"
    marks["exception"] = is_failed


def mark_error(nb: Any, index: int) -> None:
    """Put a banner at the top and an anchor before the cell that failed."""
    count = nb["cells"][index].get("execution_count")
    link = f'<a href="#papermill-error-cell">In [{count}]</a>'
    banner = f"<span {_STYLE}>An Exception was encountered at '{link}'.</span>"
    anchor = (
        f'<span id="papermill-error-cell" {_STYLE}>'
        "Execution using papermill encountered an exception here and stopped:</span>"
    )
    nb["cells"].insert(index, _markdown(anchor))
    nb["cells"].insert(0, _markdown(banner))


def _markdown(source: str) -> dict[str, Any]:
    return {
        "cell_type": "markdown",
        "id": uuid.uuid4().hex[:8],
        "metadata": {"tags": [ERROR_TAG]},
        "source": source,
    }
