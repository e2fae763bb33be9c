"""Forms: a control for each type, what is entered read as the command line reads it, and runs."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import ipywidgets as widgets
import pytest

from jupyter_mlops.errors import InvalidInput, InvalidParameter, NotFound
from jupyter_mlops.notebooks.secrets import SecretReference
from jupyter_mlops.widgets.form import ParameterForm, form

from .conftest import notebook, papermill

EIGHT = datetime(2014, 1, 1, 8)  # noqa: DTZ001 - as the notebook has it
PARAMETERS = """
week: Annotated[int, range(1, 54), "which week"] = 20
rows: Annotated[int, Ge(0), Le(10_000_000)] = 1000
any_int: int = 7
rate: Annotated[float, Ge(0), Le(1)] = 0.1
model: Literal["forest", "linear"] = "forest"
is_full: bool = False
since: date = date(2013, 1, 1)
at: datetime = datetime(2013, 1, 1, 12, 30)
names: list[str] = ["a", "b"]
limit: int | None = None
text: str = "<b>"
token: Secret = "secret:API_TOKEN"
computed = len("abc")
region: str
"""


@pytest.fixture
def filled(tmp_path: Path) -> ParameterForm:
    return form(notebook(tmp_path / "train.ipynb", "1", parameters=PARAMETERS))


def test_each_type_has_its_control(filled):
    kinds = {name: type(field.widget).__name__ for name, field in filled.fields.items()}
    assert kinds == {
        "week": "IntSlider", "rows": "BoundedIntText", "any_int": "IntText", "rate": "BoundedFloatText",
        "model": "Dropdown", "is_full": "Checkbox", "since": "DatePicker", "at": "NaiveDatetimePicker",
        "names": "Text", "limit": "Text", "text": "Text", "token": "Text", "computed": "Text", "region": "Text",
    }  # fmt: skip
    week = filled.fields["week"].widget
    assert (week.min, week.max, week.value) == (1, 53, 20)
    assert filled.fields["region"].widget.description == "region *"
    assert filled.fields["computed"].widget.placeholder == 'len("abc")'


def test_arguments_are_typed_and_those_left_alone_are_not_given(filled):
    filled.fields["region"].widget.value = "west"
    assert filled.given == {"region": "west"}
    arguments = filled.arguments
    assert arguments["week"] == 20
    assert arguments["since"] == date(2013, 1, 1)
    assert arguments["token"] == "secret:API_TOKEN"
    assert "computed" not in filled.given
    for name, value in {
        "week": 21, "rate": 0.5, "model": 1, "is_full": True, "since": date(2014, 2, 3),
        "at": EIGHT, "names": '["x"]', "limit": "5", "text": "${params.x}", "token": "secret:OTHER",
    }.items():  # fmt: skip
        filled.fields[name].widget.value = value
    assert filled.given == {
        "week": 21, "rate": 0.5, "model": "linear", "is_full": True, "since": date(2014, 2, 3),
        "at": EIGHT, "names": ["x"], "limit": 5, "text": "${params.x}",
        "token": SecretReference("OTHER"), "region": "west",
    }  # fmt: skip
    assert list(filled.arguments)[:2] == ["week", "rows"]


def test_what_is_wrong_is_said_beside_the_field(filled):
    filled.fields["limit"].widget.value = "<many>"
    error = filled.fields["limit"]._error
    assert "must be int or None" in error.value
    assert "&lt;many&gt;" in error.value
    assert error.layout.display is None
    with pytest.raises(InvalidParameter) as raised:
        _ = filled.given
    assert {problem.message.partition(":")[0] for problem in raised.value.fields["problems"]} == {
        "limit",
        "region",
    }
    filled.fields["limit"].widget.value = "3"
    assert error.layout.display == "none"


def test_the_value_of_a_secret_is_refused_and_shown_nowhere(filled):
    filled.fields["token"].widget.value = "hunter2hunter2"
    assert "only the name" in filled.fields["token"]._error.value
    with pytest.raises(InvalidParameter) as raised:
        _ = filled.given
    assert "hunter2" not in str(raised.value)


def test_a_secret_that_stands_in_the_notebook_is_not_shown(tmp_path):
    made = form(notebook(tmp_path / "n.ipynb", "1", parameters='token: Secret = "hunter2hunter2"'))
    assert made.fields["token"].widget.value == ""


def test_a_pipeline_has_a_form_too(project):
    made = form(project / "pipeline.yaml")
    assert made.arguments == {"week": 1}
    made.fields["week"].widget.value = 3
    assert made.given == {"week": 3}


def test_what_has_no_parameters_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no parameters"):
        form(tmp_path / "x.csv")
    with pytest.raises(NotFound):
        form(tmp_path / "none.ipynb")


def test_the_button_runs_the_notebook_and_shows_the_run(session, project):
    answer = session.run("from jupyter_mlops.widgets.form import form\nf = form('pull.ipynb')\nf\n")
    assert answer.error == ""
    opened = {c["comm_id"]: c["data"]["state"] for c in answer.comms if c["kind"] == "comm_open"}
    assert [d for d in answer.displays.values() if "application/vnd.jupyter.widget-view+json" in d]
    week = next(name for name, state in opened.items() if state["_model_name"] == "IntTextModel")
    run = next(name for name, state in opened.items() if state.get("description") == "Run")
    session.send(week, value=4)
    session.click(run)
    session.until(lambda: any("rows = 40" in json.dumps(c.get("data", {})) for c in session.answer.comms))
    answer = session.run(
        "import time\nwhile f._button.disabled: time.sleep(0.05)\nprint(f.run.state, f.arguments)"
    )
    assert answer.text.strip() == "succeeded {'week': 4}"
    state = session.run("import ipywidgets\nprint('rows = 40' in str(ipywidgets.Widget.get_manager_state()))")
    assert state.text.strip() == "True"


@pytest.mark.slow
def test_a_form_is_executed_headless_by_papermill(project):
    notebook(project / "shown.ipynb", "from jupyter_mlops.widgets.form import form\nform('pull.ipynb')")
    done = papermill(project, "shown.ipynb")
    (output,) = done.cells[-1].outputs
    model = output["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    saved = done.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert saved[model]["model_name"] == "VBoxModel"
    assert any(item["state"].get("description") == "week" for item in saved.values())


def test_a_wrong_run_says_one_clear_line(project):
    (project / "pull.ipynb").write_text((project / "pull.ipynb").read_text().replace("10 * week", "10 * wek"))
    made = form(project / "pull.ipynb")
    thread = made.start()
    assert thread is not None
    thread.join(60)
    assert made.run is None
    assert "wek" in made._message.value
    assert not made._button.disabled
    assert widgets.HTML is type(made._message)
