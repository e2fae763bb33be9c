"""What papermill's marks say of a notebook, step by step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from jupyter_mlops.notebooks import markers

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = AT + timedelta(seconds=1.5)


def marks(nb: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(each["status"], each["exception"]) for each in (c["metadata"]["papermill"] for c in nb["cells"])]


def test_a_start_clears_what_an_earlier_run_left(make_notebook: Any):
    nb = make_notebook("1", "#md text", "2", papermill={"version": "2.7", "exception": True})
    nb["cells"][0].update(outputs=[{"output_type": "stream"}], execution_count=9)
    markers.mark_error(nb, 2)
    assert len(nb["cells"]) == 5
    markers.begin(nb, AT)
    assert [cell["source"] for cell in nb["cells"]] == ["1", "#md text", "2"]
    assert (nb["cells"][0]["outputs"], nb["cells"][0]["execution_count"]) == ([], None)
    assert marks(nb) == [("pending", None)] * 3
    assert nb["metadata"]["papermill"] == {
        "version": "2.7", "start_time": AT.isoformat(), "end_time": None, "duration": None, "exception": None
    }  # fmt: skip


def test_a_cell_that_ran_says_when_and_how_long(make_notebook: Any):
    nb = make_notebook("1", "2")
    markers.begin(nb, AT)
    markers.begin_cell(nb["cells"][0], AT)
    assert marks(nb) == [("running", False), ("pending", None)]
    markers.end_cell(nb["cells"][0], LATER, is_failed=False)
    assert nb["cells"][0]["metadata"]["papermill"] == {
        "start_time": AT.isoformat(), "end_time": LATER.isoformat(), "duration": 1.5, "status": "completed",
        "exception": False,
    }  # fmt: skip


def test_an_end_completes_what_was_pending_unless_something_failed(make_notebook: Any):
    nb = make_notebook("1", "2")
    markers.begin(nb, AT)
    markers.end(nb, LATER, is_failed=False)
    assert marks(nb) == [("completed", None)] * 2
    assert nb["metadata"]["papermill"]["duration"] == 1.5
    assert nb["metadata"]["papermill"]["exception"] is None
    markers.begin(nb, AT)
    markers.begin_cell(nb["cells"][0], AT)
    markers.end_cell(nb["cells"][0], LATER, is_failed=True)
    markers.end(nb, LATER, is_failed=False)
    assert marks(nb) == [("failed", True), ("pending", None)]
    assert nb["metadata"]["papermill"]["exception"] is True
