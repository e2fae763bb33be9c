"""jupyter-scheduler's job definitions: its database, or what its REST API answers. Each becomes a task with the
schedule of the whole, so a file with several gives several pipelines, of which one is chosen by name.
"""

from __future__ import annotations

import ast
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import InvalidInput, NotFound
from ..pipelines import Pipeline, Task
from ..pipelines.references import escape
from ..pipelines.schedules import ScheduleSpec
from .imported import Imported, read_json, task_name

_COLUMNS = (
    "name", "input_filename", "runtime_environment_name", "runtime_environment_parameters", "output_formats",
    "parameters", "tags", "schedule", "timezone", "active", "compute_type", "package_input_folder",
)  # fmt: skip


def read(path: Path) -> Imported:
    """All definitions as one pipeline if they share a schedule (or have none), with a task each."""
    definitions = _of_database(path) if path.suffix.lower() in (".sqlite", ".db") else _of_json(path)
    if not definitions:
        raise NotFound(f"there are no job definitions in {path}")
    schedules = {(each.get("schedule") or "", each.get("timezone") or "UTC") for each in definitions}
    if len(schedules) > 1:
        raise InvalidInput(
            f"the {len(definitions)} job definitions in {path} have {len(schedules)} schedules; a pipeline has its own",
            hint="write each definition to a JSON file of its own and import those",
        )
    lost: list[str] = []
    tasks: list[Task] = []
    for definition in definitions:
        tasks.append(_task(definition, lost, [task.name for task in tasks]))
    cron, zone = schedules.pop()
    is_paused = not all(each.get("active", True) for each in definitions)
    spec = (
        {"imported": ScheduleSpec(cron=cron, timezone=zone, catch_up="none", is_paused=is_paused)}
        if cron
        else {}
    )
    name = (
        task_name(str(definitions[0].get("name") or tasks[0].name))
        if len(tasks) == 1
        else task_name(path.stem)
    )
    return Imported(
        pipeline=Pipeline(name, tuple(tasks), schedules=spec),
        lost=lost,
        needs=sorted({task.notebook for task in tasks}),
    )


def _task(definition: Mapping[str, Any], lost: list[str], taken: list[str]) -> Task:
    file = str(definition.get("input_filename") or "")
    if not file.endswith(".ipynb"):
        raise InvalidInput(
            f"jupyter-scheduler: {file or 'a definition'!r} is no notebook", hint="only those are run"
        )
    name = task_name(str(definition.get("name") or PurePosixPath(file).stem), taken)
    formats = [each for each in _list(definition.get("output_formats")) if each != "ipynb"]
    if formats:
        lost.append(f"{name}: output formats {', '.join(formats)}: the executed notebook is kept; convert it")
    for key in ("runtime_environment_parameters", "compute_type", "tags"):
        if definition.get(key) not in (None, "", "{}", "[]", {}, []):
            lost.append(f"{name}: {key} {definition[key]!r}: there is nothing like it here")
    if definition.get("package_input_folder"):
        lost.append(f"{name}: the input folder is not packed: the notebook runs where it lies")
    environment = definition.get("runtime_environment_name")
    if environment:
        lost.append(
            f"{name}: environment {environment!r}: the notebook's kernel decides; set `kernel:` to choose one"
        )
    given = definition.get("parameters") or {}
    parameters = json.loads(given) if isinstance(given, str) else dict(given)
    return Task(
        name,
        PurePosixPath(file).name,
        parameters={str(key): _value(value) for key, value in parameters.items()},
    )


def _value(text: Any) -> Any:
    """jupyter-scheduler pasted arguments into code as they are: a Python literal, or else text."""
    if not isinstance(text, str):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return escape(text)
    plain = (str, int, float, bool, list, dict, type(None))
    return (escape(value) if isinstance(value, str) else value) if isinstance(value, plain) else escape(text)


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = [value]
    return [str(each) for each in value or ()]


def _of_json(path: Path) -> list[Mapping[str, Any]]:
    body = read_json(path, "file of job definitions")
    if isinstance(body, dict):
        body = body.get("job_definitions", [body])
    return [each for each in body if isinstance(each, dict) and "input_filename" in each]


def _of_database(path: Path) -> list[Mapping[str, Any]]:
    if not path.is_file():
        raise NotFound(f"there is no database {path}")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute("SELECT * FROM job_definitions")]
    except sqlite3.Error as error:
        raise InvalidInput(f"{path} is no database of jupyter-scheduler: {error}") from error
    return [{key: row[key] for key in _COLUMNS if key in row} for row in rows]
