"""The pipeline editor: what is drawn and filled in stands in the YAML, and the rest of it as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
_TEXT = """\
# Who leaves next month?
name: drawn   # do not rename

parameters:
  rows: 1000   # how many

tasks:
  # reads everything
  load:
    notebook: load.ipynb
    parameters: {rows: "${params.rows}"}

  fit:
    notebook: fit.ipynb   # the slow one
    parameters:
      rows: ${tasks.load.results.rows}
"""


@pytest.fixture
def drawn(churn: Path) -> Path:
    path = churn / "drawn.pipeline.yaml"
    path.write_text(_TEXT)
    return path


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def _open(page: Any, command: Any, path: str = "churn/drawn.pipeline.yaml") -> Any:
    command(page, "docmanager:open", path=path, factory="Pipeline Editor")
    editor = page.locator(".jp-mlops-Editor:visible")
    _expect(editor.locator(".jp-mlops-Editor-verdict")).not_to_have_class("jp-mod-stale")
    editor.locator(".jp-mlops-Card").first.wait_for()
    return editor


def _card(editor: Any, name: str) -> Any:
    return editor.get_by_role("button", name=f"Task {name}", exact=True)


def _save(page: Any, command: Any, path: Path) -> str:
    """Save the document; the file's text."""
    page.wait_for_selector(".lm-TabBar-tab.jp-mod-dirty")
    command(page, "docmanager:save")
    page.wait_for_selector(".lm-TabBar-tab.jp-mod-dirty", state="detached")
    return path.read_text()


def _draw(page: Any, editor: Any, source: str, target: str) -> None:
    port = _card(editor, source).locator(".jp-mlops-Card-port").bounding_box()
    card = _card(editor, target).bounding_box()
    page.mouse.move(port["x"] + port["width"] / 2, port["y"] + port["height"] / 2)
    page.mouse.down()
    page.mouse.move(card["x"] - 20, card["y"] + 40, steps=4)
    page.mouse.move(card["x"] + 20, card["y"] + card["height"] / 2, steps=4)
    page.mouse.up()


def test_a_pipeline_is_drawn_and_its_comments_stay(open_lab: Any, command: Any, drawn: Path) -> None:
    page = open_lab()
    editor = _open(page, command)

    # A notebook is dropped, the way the file browser drops it.
    page.evaluate(
        """paths => {
          const node = document.querySelector('.jp-mlops-EditorDocument');
          const drop = new Event('lm-drop', {bubbles: true, cancelable: true});
          const has = mime => mime === 'application/x-jupyter-icontents';
          Object.assign(drop, {mimeData: {hasData: has, getData: () => paths}, proposedAction: 'move'});
          node.dispatchEvent(drop);
        }""",
        ["churn/report.ipynb", "churn/drawn.pipeline.yaml"],
    )
    _expect(_card(editor, "report")).to_have_attribute("aria-pressed", "true")

    # A line is drawn, and says what goes along.
    page.keyboard.press("Escape")
    _draw(page, editor, "fit", "report")
    form = editor.locator(".jp-mlops-ConnectForm")
    form.get_by_label("What goes along").select_option("results")
    form.get_by_label("Result of fit").fill("auc")
    form.get_by_label("For the parameter").select_option("scores")
    form.get_by_role("button", name="Connect").click()

    # A task gets another name, a condition, resources, and an argument.
    _card(editor, "load").click()
    name = editor.get_by_label("Name", exact=True)
    name.fill("pull")
    name.press("Enter")
    _card(editor, "pull").wait_for()
    rows = editor.get_by_label("rows", exact=True)
    rows.fill("77")
    rows.press("Enter")
    _card(editor, "fit").click()
    editor.locator("summary", has_text="Condition").click()
    condition = editor.get_by_label("Only when")
    condition.fill("tasks.pull.results.rows > 10")
    condition.press("Enter")
    editor.locator("summary", has_text="Resources").click()
    memory = editor.get_by_label("Memory")
    memory.fill("2Gi")
    memory.press("Enter")

    text = _save(page, command, drawn)
    assert text == (
        _TEXT.replace("load:\n", "pull:\n")
        .replace("${tasks.load.", "${tasks.pull.")
        .replace('{rows: "${params.rows}"}', "{rows: 77}")
        + "    when: tasks.pull.results.rows > 10\n    resources:\n      memory: 2Gi\n"
        + "\n  report:\n    notebook: report.ipynb\n    parameters:\n      scores: ${tasks.fit.results.auc}\n"
    )
    assert _card(editor, "report").is_visible()


def test_problems_stand_where_they_are(open_lab: Any, command: Any, drawn: Path) -> None:
    drawn.write_text(_TEXT.replace("rows: ${tasks.load.results.rows}", "rows: many\n      speed: 3"))
    editor = _open(open_lab(), command)
    _expect(editor.locator(".jp-mlops-Editor-verdict")).to_contain_text("problem")
    card = editor.locator(".jp-mlops-Card", has_text="fit")
    _expect(card.locator(".jp-mlops-Card-badge")).to_be_visible()
    editor.locator(".jp-mlops-Editor-verdict").click()
    wrong = editor.locator(".jp-mlops-Field.jp-mod-wrong", has_text="speed")
    _expect(wrong.get_by_role("alert")).to_contain_text("speed")
    editor.get_by_role("button", name="Do not give speed").click()
    _expect(wrong).to_have_count(0)
    rows = editor.get_by_label("rows", exact=True)
    rows.fill("5")
    rows.press("Enter")
    _expect(editor.locator(".jp-mlops-Editor-verdict")).to_have_text("✔No problems")


def test_undo_is_the_documents_own(open_lab: Any, command: Any, drawn: Path) -> None:
    page = open_lab()
    editor = _open(page, command)
    _card(editor, "fit").click()
    page.keyboard.press("Delete")
    _expect(_card(editor, "fit")).to_have_count(0)
    page.wait_for_selector(".lm-TabBar-tab.jp-mod-dirty")
    editor.get_by_role("button", name="Undo").click()
    _card(editor, "fit").wait_for()
    editor.get_by_role("button", name="Redo").click()
    _expect(_card(editor, "fit")).to_have_count(0)
    editor.get_by_role("button", name="Undo").click()
    _card(editor, "fit").wait_for()
    assert drawn.read_text() == _TEXT


def test_a_line_is_cut(open_lab: Any, command: Any, drawn: Path) -> None:
    page = open_lab()
    editor = _open(page, command)
    edge = editor.locator(".jp-mlops-Canvas-edge").first
    edge.locator("path").first.dispatch_event("pointerdown")
    _expect(editor.locator(".jp-mlops-Editor-side")).to_contain_text("${tasks.load.results.rows}")
    editor.get_by_role("button", name="Disconnect", exact=True).click()
    text = _save(page, command, drawn)
    assert "tasks.load" not in text
    assert text == _TEXT[: _TEXT.index("    parameters:\n      rows")]


def test_a_circle_is_refused_and_broken_text_is_told(open_lab: Any, command: Any, drawn: Path) -> None:
    page = open_lab()
    editor = _open(page, command)
    _draw(page, editor, "fit", "load")
    _expect(editor.get_by_role("alert")).to_contain_text("circle")
    _set_text(page, "tasks: [")
    _expect(editor.locator(".jp-mlops-Editor-complaint")).to_contain_text("not YAML in line 1")
    _expect(_card(editor, "fit")).to_be_visible()  # the last picture stays, pale
    _expect(editor.get_by_role("button", name="Add notebook")).to_be_disabled()
    _set_text(page, "name: empty\n")
    editor.get_by_text("No tasks yet").wait_for()


def test_a_schedule_stands_in_the_file(open_lab: Any, command: Any, drawn: Path) -> None:
    page = open_lab()
    editor = _open(page, command)
    editor.locator("summary", has_text="Schedules").click()
    name = editor.get_by_label("Another schedule")
    name.fill("weekly")
    name.press("Enter")
    form = editor.locator(".jp-mlops-ScheduleFields")

    # What it will do is shown while it is typed, what is wrong at its field.
    cron = form.get_by_label("Cron")
    cron.fill("61 6 * * MON")
    _expect(form.locator(".jp-mlops-NextFires")).to_contain_text("61")
    cron.press("Enter")
    _expect(cron).to_have_attribute("aria-invalid", "true")
    _expect(form.get_by_role("alert")).to_have_count(1)
    _expect(editor.locator(".jp-mlops-Editor-verdict")).to_contain_text("problem")
    cron.fill("30 6 * * MON")
    zone = form.get_by_label("Time zone")
    zone.fill("Europe/Berlin")
    zone.press("Enter")
    _expect(form.get_by_role("alert")).to_have_count(0)
    _expect(form.locator(".jp-mlops-NextFires li")).to_have_count(3)
    _expect(form.locator(".jp-mlops-NextFires li").first).to_contain_text("06:30")

    # By keys alone: an argument, how fires meet, a pause.
    form.locator("summary", has_text="Arguments").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("${schedule.fire_at.week}")
    page.keyboard.press("Tab")
    form.get_by_label("Paused").focus()
    page.keyboard.press("Space")
    _expect(editor.locator("summary", has_text="weekly")).to_contain_text("paused")
    form.locator("summary", has_text="When fires meet").click()
    form.get_by_label("While an earlier run goes on").select_option("queue")
    _expect(editor.locator(".jp-mlops-Editor-verdict")).to_have_text("✔No problems")
    written = (
        _TEXT + "\nschedules:\n  weekly:\n    cron: 30 6 * * MON\n    timezone: Europe/Berlin\n"
        "    parameters:\n      rows: ${schedule.fire_at.week}\n    paused: true\n    overlap: queue\n"
    )
    assert _save(page, command, drawn) == written

    editor.get_by_role("button", name="Undo").click()
    _expect(form.get_by_label("While an earlier run goes on")).to_have_value("skip")
    editor.get_by_role("button", name="Remove the schedule weekly").click()
    _expect(form).to_have_count(0)
    assert _save(page, command, drawn) == _TEXT


def _set_text(page: Any, text: str) -> None:
    page.evaluate(
        "text => window.jupyterapp.shell.currentWidget.context.model.sharedModel.setSource(text)", text
    )


def test_a_pipeline_opens_as_text_by_default_and_visually_on_wish(
    open_lab: Any, command: Any, drawn: Path
) -> None:
    page = open_lab()
    command(page, "docmanager:open", path="churn/drawn.pipeline.yaml")
    page.wait_for_selector(".jp-FileEditor:visible")
    page.locator("#jp-mlops-tab-pipelines").click()
    row = page.locator('[data-path="churn/drawn.pipeline.yaml"]')
    row.locator("button").first.click()
    page.get_by_role("button", name="Edit", exact=True).click()
    page.wait_for_selector(".jp-mlops-Editor:visible")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(lab: Any, open_lab: Any, command: Any, shoot: Any, theme: str) -> None:
    flights = Path(__file__).parents[2] / "notebooks" / "flights"
    folder = lab.root / "late-flights"  # "flights" is what another module runs
    folder.mkdir(exist_ok=True)
    for path in [*flights.glob("*.ipynb"), *flights.glob("*.py"), flights / "pipeline.yaml"]:
        (folder / path.name).write_bytes(path.read_bytes())
    assert json.loads((folder / "pull.ipynb").read_text())["nbformat"] == 4
    page = open_lab(theme=theme, width=1440, height=900)
    editor = _open(page, command, "late-flights/pipeline.yaml")
    _card(editor, "compare").click()
    editor.locator(".jp-mlops-TaskForm").wait_for()
    editor.get_by_label("holdout", exact=True).wait_for()
    shoot(page, f"editor-{theme}")
    editor.locator(".jp-mlops-Canvas").focus()
    page.keyboard.press("Escape")
    editor.locator("summary", has_text="Parameters").click()
    editor.locator("summary", has_text="Schedules").click()
    name = editor.get_by_label("Another schedule")
    name.fill("weekly")
    name.press("Enter")
    form = editor.locator(".jp-mlops-ScheduleFields")
    form.get_by_label("Time zone").fill("America/New_York")
    form.locator("summary", has_text="Arguments").click()
    form.get_by_label("week", exact=False).first.fill("${schedule.data_interval_start.week}")
    form.get_by_label("train_weeks").click()
    _expect(form.locator(".jp-mlops-NextFires li").first).to_contain_text("06:00")
    editor.locator("summary", has_text="weekly").scroll_into_view_if_needed()
    shoot(page, f"editor-schedule-{theme}")
