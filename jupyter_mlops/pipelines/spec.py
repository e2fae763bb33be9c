"""``pipeline.yaml`` to values and back.

Reading goes in two steps, and every problem of both is told at once, with its line: the format, by the tables
of `fields`, then what must hold beyond it, by `checks`. A file that breaks the format in one place is still
checked in all others.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import yaml

from ..errors import InvalidPipeline, NotFound
from ..problems import Problem, summarize
from .checks import check
from .definition import Pipeline, PipelineParameter, RetryPolicy, Task
from .fields import DEFAULT_FIELDS, PIPELINE_FIELDS, TASK_FIELDS
from .reading import read_fields, write_fields
from .source import KINDS, Node, Reader

__all__ = [
    "Pipeline",
    "PipelineParameter",
    "RetryPolicy",
    "Task",
    "load_pipeline",
    "parse_pipeline",
    "read_pipeline",
    "to_yaml",
]

_MERGED = ("env", "secrets")  # a task adds to these defaults, and replaces the others
_NO_TASK = Task("none", "none.ipynb")


def load_pipeline(path: str | Path) -> Pipeline:
    """The pipeline of a YAML file. Raises `NotFound`, or `InvalidPipeline` with all `problems`."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        hint = "give the path of a pipeline.yaml"
        raise NotFound(f"there is no pipeline file {str(path)!r}", hint=hint) from error
    except UnicodeDecodeError as error:
        problem = Problem(message="not UTF-8 text", where=str(path), hint="save it as UTF-8")
        raise InvalidPipeline(str(problem), problems=[problem]) from error
    return parse_pipeline(text, path)


def parse_pipeline(text: str, path: str | Path = "pipeline.yaml") -> Pipeline:
    """The pipeline that YAML text writes; `path` is how problems name the file, and where notebooks are
    relative to. Raises `InvalidPipeline` with all `problems`, warnings among them."""
    pipeline, problems = read_pipeline(text, path)
    if pipeline is None or any(problem.severity == "error" for problem in problems):
        raise InvalidPipeline(summarize(problems), problems=problems)
    return pipeline


def read_pipeline(text: str, path: str | Path = "pipeline.yaml") -> tuple[Pipeline | None, list[Problem]]:
    """As much of a pipeline as can be made of the text, for an editor, and everything that is wrong with it."""
    reader = Reader(str(path))
    root = reader.read(text)
    pipeline = None if root is None else _pipeline(reader, root, Path(path))
    problems = list(reader.problems)
    if pipeline is not None:
        known = {(problem.where, problem.message) for problem in problems}
        problems += [each for each in check(pipeline) if (each.where, each.message) not in known]
    problems.sort(key=lambda problem: _line(problem.where))
    return pipeline, problems


def _line(where: str) -> int:
    line = where.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


def _pipeline(reader: Reader, root: Node, path: Path) -> Pipeline | None:
    given = read_fields(reader, root, PIPELINE_FIELDS, "the pipeline")
    defaults = _defaults(reader, given.pop("defaults", None))
    tasks = _tasks(reader, given.pop("tasks", None), defaults)
    if tasks is None:
        return None  # the checks would only repeat that there are none
    lines = {"": root.line, **{str(key): line for key, line in root.lines.items()}}
    if (parameters := root.value.get("parameters")) is not None:
        lines |= {f"parameters.{name}": line for name, line in parameters.lines.items()}
    if (schedules := root.value.get("schedules")) is not None and isinstance(schedules.value, dict):
        for name, item in schedules.value.items():
            lines[f"schedules.{name}"] = schedules.lines[name]
            lines |= {f"schedules.{name}.{key}": line for key, line in item.lines.items()}
    given.setdefault("name", "unnamed")
    return Pipeline(**given, tasks=tuple(tasks), path=path, lines=lines)


def _defaults(reader: Reader, node: Node | None) -> dict[str, Any]:
    return {} if node is None else read_fields(reader, node, DEFAULT_FIELDS, "`defaults`")


def _tasks(reader: Reader, node: Node | None, defaults: dict[str, Any]) -> list[Task] | None:
    if node is None:
        return None
    if not isinstance(node.value, dict) or not node.value:
        hint = "write the name of each task as a key: {pull: {notebook: pull.ipynb}}"
        reader.problem(f"`tasks` must be a mapping of names to tasks, not {node.kind}", node.line, hint)
        return None
    return [_task(reader, str(name), item, node.lines[name], defaults) for name, item in node.value.items()]


def _task(reader: Reader, name: str, node: Node, line: int, defaults: dict[str, Any]) -> Task:
    lines = {"": line}
    if isinstance(node.value, dict):
        for key, item in node.value.items():
            lines[str(key)] = node.lines[key]
            lines |= {f"{key}.{inner}": inner_line for inner, inner_line in item.lines.items()}
    given = read_fields(reader, node, TASK_FIELDS, f"task {name!r}")
    for key in _MERGED:
        if key in given and key in defaults:
            given[key] = {**defaults[key], **given[key]}
    # A task without a notebook is told already; this one lets its other fields be checked.
    given.setdefault("notebook", _NO_TASK.notebook)
    return Task(name, **{**defaults, **given}, lines=lines)


def to_yaml(pipeline: Pipeline) -> str:
    """The pipeline as YAML that `parse_pipeline` reads back as an equal value.

    Arguments that YAML cannot write (a `Decimal`, a `Path`) raise `InvalidPipeline`.
    """
    empty = Pipeline("", ())
    body = write_fields(pipeline, [f for f in PIPELINE_FIELDS if f.key not in ("defaults", "tasks")], empty)
    body["tasks"] = {
        task.name: write_fields(task, TASK_FIELDS, dataclasses.replace(_NO_TASK, notebook=""))
        for task in pipeline.tasks
    }
    try:
        return yaml.dump(
            body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
        )
    except yaml.representer.RepresenterError as error:
        raise InvalidPipeline(
            f"YAML cannot write {error.args[-1]!r}", hint="pass it as text; the notebook's type converts it"
        ) from error


class _Dumper(yaml.SafeDumper):
    """Writes what `source` reads, and refuses what it would read as something else."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as PyYAML declares it

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.yaml_representers = {
    **{kind: yaml.SafeDumper.yaml_representers[kind] for kind in (str, int, float, bool, type(None))},
    **{kind: yaml.SafeDumper.yaml_representers[kind] for kind in (list, tuple, dict)},
    None: yaml.SafeDumper.represent_undefined,  # type: ignore[dict-item]  # any other
}

# Text that YAML 1.1 or 1.2 would read as something else is quoted, so that every reader agrees.
for _tag, _pattern in KINDS:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern.pattern})\Z"), None)
for _letter, _resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items():
    _Dumper.yaml_implicit_resolvers.setdefault(_letter, []).extend(_resolvers)
