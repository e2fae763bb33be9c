"""Ploomber's ``pipeline.yaml``: tasks that name their products, and whose code names what comes before them.

Its notebooks run unchanged: they get `upstream` and `product` as they know them, and paths are relative to the
folder of the pipeline, where every imported notebook is put for that reason.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ..errors import InvalidInput
from ..pipelines import Pipeline, PipelineParameter, Task
from ..pipelines.references import as_text
from .imported import Imported, inside, parameter_name, read_text, refuse, task_name
from .placeholders import Placeholders
from .ploomber_source import Source, read_source

_CARRIED = {"name", "source", "product", "upstream", "params", "grid"}
_REFUSED = {"client": "SQL", "product_client": "SQL", "class": "a task class of its own"}
_META_CARRIED = {"import_tasks_from", "extract_upstream"}
_EXECUTOR = "executor"
_GRID = re.compile(r"\[\[\s*(\w+)\s*\]\]")


@dataclass(frozen=True, slots=True)
class _Node:
    """One task after its grid was expanded. `original` is its name in Ploomber, `product` as its notebook gets it."""

    name: str
    original: str
    body: Mapping[str, Any]
    product: Any
    params: Mapping[str, Any]
    source: Source
    upstream: tuple[str, ...] = field(default=())

    @property
    def made(self) -> tuple[Any, ...]:
        """The products that the code itself writes."""
        return tuple(each for each in _paths(self.product) if each not in self.reports)

    @property
    def reports(self) -> tuple[Any, ...]:
        """The products that Ploomber makes of the executed notebook."""
        if self.source.function:
            return ()
        keys = self.body.get("nb_product_key", "nb")
        if not isinstance(self.product, dict):
            return tuple(_paths(self.product))
        return tuple(
            self.product[key] for key in (keys if isinstance(keys, list) else [keys]) if key in self.product
        )


def read(path: Path) -> Imported:
    """The pipeline. Raises `InvalidInput` for tasks that are no Python."""
    return _Reader(path).imported()


def _yaml(path: Path, what: str) -> Any:
    try:
        return yaml.safe_load(read_text(path, what))
    except yaml.YAMLError as error:
        raise InvalidInput(f"the {what} {path} is no YAML: {' '.join(str(error).split())}") from error


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path, self.folder = path, path.parent
        self.lost: list[str] = []
        self.files: dict[str, str] = {}
        self.names: list[str] = []
        body = _yaml(path, "Ploomber pipeline")
        if not isinstance(body, dict) or "location" in body:
            raise InvalidInput(
                f"{path} makes its pipeline by Python code", hint="import what it makes as YAML"
            )
        self.body: Mapping[str, Any] = body
        self.meta: Mapping[str, Any] = body.get("meta") or {}
        beside = self.folder / "env.yaml"
        env = _yaml(beside, "env.yaml") if beside.is_file() else {}
        self.placeholders = Placeholders(env if isinstance(env, dict) else {})

    def imported(self) -> Imported:
        self._tell_lost_of_pipeline()
        nodes = [node for body in self._bodies() for node in self._nodes(body)]
        by_name = {node.original: node for node in nodes}
        tasks = [self._task(node, by_name) for node in nodes]
        parameters = {
            parameter_name(key): PipelineParameter(type=_type(value), default=value)
            for key, value in self.placeholders.used.items()
        }
        reports = [str(each) for node in nodes for each in node.reports]
        if reports:
            more = f" and {len(reports) - 2} more" if len(reports) > 3 else ""
            shown = ", ".join(reports if not more else reports[:2]) + more
            self.lost.append(f"executed notebooks are kept in the workspace, and not written to {shown}")
        for name, value in self.placeholders.spelled.items():
            self.lost.append(f"{{{{{name}}}}}: within text and paths {value!r} is written {as_text(value)}")
        pipeline = Pipeline(task_name(self.folder.resolve().name), tuple(tasks), parameters=parameters)
        needs = sorted({each for node in nodes for each in node.source.needs})
        return Imported(pipeline=pipeline, notebooks=self.files, lost=self.lost, needs=needs)

    def _tell_lost_of_pipeline(self) -> None:
        for key, value in self.body.items():
            if key in ("tasks", "meta") or key == _EXECUTOR:  # in parallel it runs anyhow
                continue
            if key in ("serializer", "unserializer"):
                raise refuse(
                    "Ploomber", [f"{key} {value!r}"], "have functions read and write their files themselves"
                )
            self.lost.append(f"{key}: {value!r}: there is nothing like it here")
        for key in self.meta:
            if key not in _META_CARRIED:
                self.lost.append(f"meta.{key}: {self.meta[key]!r}: there is nothing like it here")

    def _bodies(self) -> list[Mapping[str, Any]]:
        tasks = list(self.body.get("tasks") or ())
        if self.meta.get("import_tasks_from"):
            more = _yaml(inside(self.folder, str(self.meta["import_tasks_from"])), "file of tasks")
            tasks += more if isinstance(more, list) else []
        if not tasks or not all(isinstance(each, dict) and "source" in each for each in tasks):
            raise InvalidInput(f"{self.path}: `tasks` must be a list of mappings with `source`")
        wrong = [
            f"{each['source']} is {why}" for each in tasks for key, why in _REFUSED.items() if key in each
        ]
        if wrong:
            raise refuse("Ploomber", wrong, "put what it does into a notebook or a Python function")
        return tasks

    # --- one task -------------------------------------------------------------------------------------------

    def _nodes(self, body: Mapping[str, Any]) -> Iterator[_Node]:
        where = str(self.placeholders.static(body["source"]))
        source = read_source(self.folder, where)
        original = str(body.get("name") or source.function or PurePosixPath(where).stem)
        given = dict(body.get("params") or {})
        product = body.get("product")
        for number, values in enumerate(_combinations(body.get("grid"))):
            is_grid = body.get("grid") is not None
            name = _numbered(original, number, values) if is_grid else original
            self.names.append(task_name(name, self.names))
            yield _Node(
                name=self.names[-1],
                original=name,
                body=body,
                product=_map(
                    product, lambda text, n=number, v=values, g=is_grid: self._path(text, n, v, is_grid=g)
                ),
                params=_map({**given, **values}, self.placeholders.reference),
                source=source,
                upstream=self._upstream(body, source),
            )

    def _path(self, text: Any, number: int, values: Mapping[str, Any], *, is_grid: bool) -> Any:
        if not isinstance(text, str):
            return text
        if is_grid:  # with or without [[names]], Ploomber numbers the products
            path = PurePosixPath(text)
            suffix = "".join(path.suffixes)
            text = _filled(str(path.with_name(f"{path.name.removesuffix(suffix)}-{number}{suffix}")), values)
        return self.placeholders.reference(text)

    def _upstream(self, body: Mapping[str, Any], source: Source) -> tuple[str, ...]:
        written = body.get("upstream")
        if written is not None:
            return tuple(written) if isinstance(written, list) else (str(written),)
        return source.upstream if self.meta.get("extract_upstream", True) else ()

    def _task(self, node: _Node, by_name: Mapping[str, _Node]) -> Task:
        upstream: dict[str, Any] = {}
        before: dict[str, _Node] = {}
        for pattern in node.upstream:
            found = {n: by_name[n] for n in by_name if fnmatch.fnmatchcase(n, pattern)}
            if not found:
                raise InvalidInput(f"Ploomber: {node.name} names {pattern!r} upstream, which is no task")
            products = {n: each.product for n, each in found.items()}
            upstream[pattern] = products if "*" in pattern else next(iter(products.values()))
            before |= found
        for key, value in node.body.items():
            if key not in _CARRIED:
                self.lost.append(f"{node.name}: {key} {value!r}: there is nothing like it here")
        resources = node.params.get("resources_")
        watched = [
            text
            for text in (*(p for each in before.values() for p in each.made), *_paths(resources))
            if isinstance(text, str) and "${" not in text
        ]
        arguments = {"upstream": upstream or None, "product": node.product, **node.params}
        notebook, text = node.source.notebook(node.name, list(arguments))
        if text is not None:
            self.files[notebook] = text
        for path in _paths(node.product):
            parent = PurePosixPath(self.placeholders.by_default(str(path))).parent
            if str(parent) != "." and not parent.is_absolute() and ".." not in parent.parts:
                self.files[f"{parent}/.gitkeep"] = ""  # Ploomber makes the folders of products
        return Task(
            node.name,
            notebook,
            needs=tuple(each.name for each in before.values()),
            parameters=arguments,
            files=tuple(watched),
        )


def _combinations(grid: Any) -> Iterator[dict[str, Any]]:
    """Every combination of a grid's values; of a list of grids one after the other."""
    if grid is None:
        yield {}
        return
    for each in grid if isinstance(grid, list) else [grid]:
        if not isinstance(each, dict):
            raise InvalidInput(
                f"Ploomber: the grid {each!r} is no mapping", hint="a dotted path is not followed"
            )
        axes = {key: values if isinstance(values, list) else [values] for key, values in each.items()}
        for combination in itertools.product(*axes.values()):
            yield dict(zip(axes, combination, strict=True))


def _numbered(name: str, number: int, values: Mapping[str, Any]) -> str:
    return _filled(name, values) if "[[" in name else f"{name}{number}"  # `fit-` gives fit-0, fit-1


def _filled(text: str, values: Mapping[str, Any]) -> str:
    """Grids of a list need not have the same names: what one lacks is nothing."""
    return _GRID.sub(lambda hole: str(values.get(hole[1], "")), text)


def _map(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {key: _map(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_map(item, change) for item in value]
    return change(value)


def _paths(product: Any) -> Iterator[Any]:
    if isinstance(product, dict | list):
        for each in product.values() if isinstance(product, dict) else product:
            yield from _paths(each)
    elif product is not None:
        yield product


def _type(value: Any) -> str:
    kinds = {bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "dict"}
    return kinds.get(type(value), "any")
