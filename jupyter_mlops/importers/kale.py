"""Kale: one notebook, whose cells are tagged with the steps of a pipeline. It is split into a notebook a step.

Kale hands variables from step to step by itself. Here that is written out: a step that reads a name which an
earlier one set gets it as an artifact.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from ..notebooks.files import cell_tags, load_notebook
from ..notebooks.parameters import parse_parameters
from ..pipelines import Pipeline, PipelineParameter, Task
from ..resources import ResourceRequest
from .imported import Imported, notebook_text, task_name

_SHARED = ("imports", "functions")
_TYPES = {int: "int", float: "float", str: "str", bool: "bool", list: "list", dict: "dict"}


@dataclass(slots=True)
class _Step:
    name: str
    cells: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    resources: dict[str, Any] = field(default_factory=dict)
    gives: dict[str, None] = field(default_factory=dict)  # names that later steps read
    takes: dict[str, str] = field(default_factory=dict)  # name → the step that set it


def read(path: Path) -> Imported:
    """The notebook's steps. Raises `InvalidInput` for one without any."""
    nb = load_notebook(path)
    lost: list[str] = []
    steps: dict[str, _Step] = {}
    shared: list[str] = []
    parameters: list[str] = []
    group: list[str] = []
    for number, cell in enumerate(nb["cells"], start=1):
        if cell["cell_type"] != "code" or not cell["source"].strip():
            continue
        tags = cell_tags(cell)
        current = [*tags] if _heads(tags) else group
        group = current
        _put(current, cell["source"], number, steps, shared, parameters, lost)
    if not steps:
        raise InvalidInput(
            f"{path} has no step: no cell has a tag such as step:train", hint="Kale's tags split it"
        )
    for step in steps.values():
        for need in step.needs:
            if need not in steps:
                raise InvalidInput(f"Kale: {step.name} comes after {need}, which is no step")
    declared = {each.name: each for each in parse_parameters("\n".join(parameters))}
    _hand_over(steps, shared, declared)
    metadata = (nb.get("metadata") or {}).get("kubeflow_notebook") or {}
    for key in ("experiment_name", "docker_image", "volumes", "katib_run", "katib_metadata"):
        if metadata.get(key):
            lost.append(f"{key} {metadata[key]!r}: there is nothing like it here")
    names = {name: task_name(name) for name in steps}
    tasks = [_task(step, names, declared, shared, "\n".join(parameters)) for step in steps.values()]
    used = {name for task, _ in tasks for name in task.parameters}
    pipeline = Pipeline(
        task_name(str(metadata.get("pipeline_name") or path.stem)),
        tuple(task for task, _ in tasks),
        description=" ".join(str(metadata.get("pipeline_description") or "").split()),
        parameters={
            name: PipelineParameter(type=_TYPES.get(type(each.default), "any"), default=each.default)
            for name, each in declared.items()
            if name in used
        },
    )
    return Imported(pipeline=pipeline, notebooks={task.notebook: text for task, text in tasks}, lost=lost)


def _heads(tags: Sequence[str]) -> bool:
    """Whether the cell begins something; one without such a tag belongs to what stands before it."""
    return any(
        tag in (*_SHARED, "skip", "pipeline-parameters", "pipeline-metrics")
        or tag.startswith(("step:", "block:"))
        for tag in tags
    )


def _put(
    tags: Sequence[str],
    source: str,
    number: int,
    steps: dict[str, _Step],
    shared: list[str],
    parameters: list[str],
    lost: list[str],
) -> None:
    if "skip" in tags:
        return
    if any(tag in _SHARED for tag in tags):
        shared.append(source)
        return
    if "pipeline-parameters" in tags:
        parameters.append(source)
        return
    name = next((tag.partition(":")[2] for tag in tags if tag.startswith(("step:", "block:"))), "")
    if "pipeline-metrics" in tags:
        lost.append(f"cell {number}: pipeline-metrics: emit them in a step with mlops.result")
        return
    if not name:
        lost.append(f"cell {number}: it stands before the first step, and is left out")
        return
    step = steps.setdefault(name, _Step(name))
    step.cells.append(source)
    for tag in tags:
        kind, _, rest = tag.partition(":")
        if kind == "prev" and rest not in step.needs:
            step.needs.append(rest)
        elif kind == "limit":
            what, _, amount = rest.rpartition(":")
            key = {"cpu": "cpu", "memory": "memory", "nvidia.com/gpu": "gpu"}.get(what)
            if key:
                step.resources[key] = amount
            elif f"{name}: {tag}" not in lost:
                lost.append(f"{name}: {tag}")
        elif kind in ("annotation", "label", "image", "notebook", "cache") and f"{name}: {tag}" not in lost:
            lost.append(f"{name}: {tag}")


def _hand_over(steps: Mapping[str, _Step], shared: Sequence[str], declared: Mapping[str, Any]) -> None:
    """Which name goes from which step to which: from the nearest one before that sets it."""
    common = {*dir(builtins), *_set_by(shared), *declared}
    sets = {name: _set_by(step.cells) for name, step in steps.items()}
    for step in steps.values():
        for name in sorted(_read_by(step.cells) - common):
            source = _nearest(step, name, steps, sets)
            if source is not None:
                step.takes[name] = source
                steps[source].gives[name] = None


def _nearest(step: _Step, name: str, steps: Mapping[str, _Step], sets: Mapping[str, set[str]]) -> str | None:
    waiting, seen = list(step.needs), set()
    while waiting:
        before = waiting.pop(0)
        if before in seen:
            continue
        seen.add(before)
        if name in sets[before]:
            return before
        waiting += steps[before].needs
    return None


def _tree(cells: Sequence[str]) -> ast.Module:
    lines = "\n".join(cells).splitlines()
    plain = [line if not line.lstrip().startswith(("%", "!")) else "pass" for line in lines]
    try:
        return ast.parse("\n".join(plain))
    except SyntaxError as error:
        raise InvalidInput(f"Kale: a step is no Python: {error.msg}: {(error.text or '').strip()}") from error


def _set_by(cells: Sequence[str]) -> set[str]:
    """Names that the cells bind at their outermost level or within its blocks."""
    names: set[str] = set()
    for node in ast.walk(_tree(cells)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names


def _read_by(cells: Sequence[str]) -> set[str]:
    """Names that are read before the cells themselves have set them, as pyflakes sees it; a name that is set later
    on, as in ``x = x + 1``, is among them."""
    read: set[str] = set()
    bound: set[str] = set()
    for statement in _tree(cells).body:
        inside = {
            n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        }
        arguments = {
            a.arg
            for n in ast.walk(statement)
            if isinstance(n, ast.arguments)
            for a in (*n.args, *n.kwonlyargs)
        }
        targets = {
            n.id
            for inner in ast.walk(statement)
            if isinstance(inner, ast.comprehension | ast.For)
            for n in ast.walk(inner.target)
            if isinstance(n, ast.Name)
        }
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            inside.add(statement.target.id)
        read |= inside - bound - arguments - targets
        bound |= _set_by([ast.unparse(statement)])
    return read


def _task(
    step: _Step,
    names: Mapping[str, str],
    declared: Mapping[str, Any],
    shared: Sequence[str],
    parameters: str,
) -> tuple[Task, str]:
    used = [name for name in declared if name in _read_by([*shared, *step.cells])]
    taken = [f"{name}: object = None" for name in step.takes]
    head = [line for name in used for line in _lines_of(parameters, name)]
    cells: list[tuple[str, Sequence[str]]] = []
    if taken or head:
        cells.append(("\n".join([*head, *taken]), ["parameters"]))
    cells += [(source, ()) for source in shared]
    if step.takes or step.gives:
        opened = [f"{name} = mlops.input({name})" for name in step.takes]
        cells.append(("\n".join(["import jupyter_mlops as mlops", *([""] if opened else []), *opened]), ()))
    cells += [(source, ()) for source in step.cells]
    if step.gives:
        cells.append(("\n".join(f'mlops.artifact("{name}", {name})' for name in step.gives), ()))
    arguments: dict[str, Any] = {name: f"${{params.{name}}}" for name in used}
    arguments |= {name: f"${{tasks.{names[source]}.artifacts.{name}}}" for name, source in step.takes.items()}
    name = names[step.name]
    task = Task(
        name,
        f"{name}.ipynb",
        parameters=arguments,
        needs=tuple(names[need] for need in step.needs),
        resources=ResourceRequest.parse(step.resources),
    )
    return task, notebook_text(cells)


def _lines_of(parameters: str, name: str) -> list[str]:
    """The line of the parameters cell that declares a name."""
    for node in ast.parse(parameters).body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return [ast.get_source_segment(parameters, node) or ""]
    return []
