"""Runs in the output of a cell, in a real kernel."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops.catalog import owner
from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.events import OutputStreamed, RunFinished, TaskStateChanged, now
from jupyter_mlops.widgets import PipelineView, RunView
from jupyter_mlops.workspace import Workspace

from .conftest import Answer, notebook, papermill

RUN = """
from jupyter_mlops import Workspace
from jupyter_mlops.widgets import RunView
workspace = Workspace.open()
view = RunView()
run = workspace.runs.run("pipeline.yaml", on_plan=view.on_plan, on_event=view.on_event)
print(run.state)
"""


def edit_last_cell(path: Path, source: str) -> None:
    nb = nbformat.read(path, 4)
    nb.cells[-1].source = source
    nbformat.write(nb, path)


def test_a_run_is_one_display_that_ends_with_its_last_state(session):
    answer = session.run(RUN)
    assert answer.error == ""
    assert answer.text.strip() == "succeeded"
    (shown,) = answer.displays.values()
    assert shown["text/html"].count("✔ succeeded") == 3  # the run and its two tasks
    assert "auc = 0.1" in shown["text/html"]
    assert "<script" not in shown["text/html"]
    assert "✔ train: succeeded in" in shown["text/plain"]
    assert sum(answer.updates.values()) >= 1


def test_a_failure_tells_the_error_and_its_traceback(session, project):
    edit_last_cell(project / "train.ipynb", "1 / rows")
    answer = session.run(RUN.replace('"pipeline.yaml"', '"pipeline.yaml", {"week": 0}'))
    assert answer.text.strip() == "failed"
    (shown,) = answer.displays.values()
    assert "ZeroDivisionError" in shown["text/html"]
    assert "<details>" in shown["text/html"]
    assert "\x1b" not in shown["text/html"]


def test_a_run_that_another_process_drives_is_followed_to_its_end(session, project):
    edit_last_cell(project / "pull.ipynb", "import time; time.sleep(3); mlops.result('rows', 7)")
    main = "from jupyter_mlops.cli import main; main()"
    command = [sys.executable, "-c", main, "run", "pipeline.yaml", "--json"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL) as process:
        answer = session.run(
            "import time\nfrom jupyter_mlops import Workspace\nfrom jupyter_mlops.catalog.records import Run\n"
            "from jupyter_mlops.widgets import RunView\nworkspace = Workspace.open()\n"
            "while not workspace.catalog.count(Run): time.sleep(0.1)\nRunView.of(workspace, 'latest')"
        )
        assert answer.error == ""
        (name,) = answer.displays
        assert "running" in answer.displays[name]["text/plain"]
        session.until(lambda: ": succeeded," in answer.displays[name]["text/plain"])
        assert process.wait() == 0


def test_a_run_without_a_driver_says_so_and_how_to_go_on(project):
    with Workspace.open(project) as workspace:
        plan = {"tasks": [{"key": "pull", "name": "pull"}]}
        workspace.catalog.add(
            Run(run_id="r1", pipeline="small", plan=plan, state="running", created_at=now()),
            TaskRun(run_id="r1", task="pull", name="pull", state="running"),
        )
        shown = []
        view = RunView.of(
            workspace, "r1", place=type("Place", (), {"show": lambda _, bundle: shown.append(bundle)})()
        )
        assert view._is_over.wait(10)
        while not shown:
            pass
        assert "jupyter mlops resume r1" in shown[-1]["text/html"]
        assert "jupyter mlops resume r1" in shown[-1]["text/plain"]


def test_a_pipeline_is_drawn_with_its_parameters(project):
    view = PipelineView(project / "pipeline.yaml")
    html = view._repr_html_()
    assert "pull → train" in html
    assert "which week" in html
    assert "<b class=failed>" not in html
    assert "│ pull" in repr(view)


def test_the_problems_of_a_pipeline_are_listed(project):
    path = project / "pipeline.yaml"
    path.write_text(
        path.read_text().replace("results.rows", "results.rosw").replace("train.ipynb", "tarin.ipynb")
    )
    html = PipelineView(path)._repr_html_()
    assert "pull → train" in html
    assert html.count("<li>") == 2
    path.write_text("tasks: {a: {notebok: <script>.ipynb}}")
    html = PipelineView(path)._repr_html_()
    assert "<script" not in html
    assert "notebok" in html


def test_many_events_are_few_pictures(project):
    """Events come by the thousand; a thread draws at its own pace, and the last state is always drawn."""
    shown: list[str] = []
    view = RunView(type("Place", (), {"show": lambda _, bundle: shown.append(bundle["text/plain"])})())
    run = Run(
        run_id="r1",
        pipeline="p",
        plan={"tasks": [{"key": "a"}]},
        state="running",
        created_at=now(),
        runner=owner.mark(),
    )
    with owner.driving("r1"):
        view.on_plan(run, [TaskRun(run_id="r1", task="a", name="a")])
        for number in range(20_000):
            view.on_event(
                OutputStreamed(run_id="r1", task="a", attempt=1, cell=1, name="stdout", text=f"{number}\n")
            )
        view.on_event(TaskStateChanged(run_id="r1", task="a", state="succeeded"))
        view.on_event(RunFinished(run_id="r1", state="succeeded"))
    assert ": succeeded," in shown[-1]
    assert len(shown) < 50


def test_a_place_that_cannot_show_does_not_end_the_run(project, caplog):
    def broken(*_: object) -> None:
        raise OSError("the front end is gone")

    view = RunView(type("Place", (), {"show": broken})())
    with Workspace.open(project) as workspace:
        run = workspace.runs.run(project / "pipeline.yaml", on_plan=view.on_plan, on_event=view.on_event)
    assert run.state == "succeeded"
    assert "cannot show run" in caplog.text


def test_the_stop_button_of_jupyter_cancels_the_run_and_that_is_shown(session, project):
    edit_last_cell(project / "pull.ipynb", "import time; time.sleep(60); mlops.result('rows', 1)")
    pid = session.run("import os\nprint(os.getpid())").text
    session.answer = Answer()
    session.client.execute(RUN)
    shown = session.answer.displays
    session.until(lambda: any(re.search(r"cell (\d)/\1", str(bundle)) for bundle in shown.values()))
    os.kill(int(pid), signal.SIGINT)
    session.until(lambda: session.answer.text.strip() == "cancelled")
    (bundle,) = shown.values()
    assert "■ cancelled" in bundle["text/html"]


def test_in_a_terminal_it_is_a_line_for_each_thing_that_happens(project, capsys):
    view = RunView()
    with Workspace.open(project) as workspace:
        workspace.runs.run(project / "pipeline.yaml", on_plan=view.on_plan, on_event=view.on_event)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("small, run ")
    assert [line for line in lines if line.startswith("✔ train: succeeded in")]


@pytest.mark.slow
def test_a_notebook_that_papermill_executed_keeps_how_the_run_ended(project):
    notebook(project / "shown.ipynb", RUN)
    done = papermill(project, "shown.ipynb")
    pictures = [output for output in done.cells[-1].outputs if "text/html" in output.get("data", {})]
    assert len(pictures) == 1
    assert pictures[0]["data"]["text/html"].count("✔ succeeded") == 3
