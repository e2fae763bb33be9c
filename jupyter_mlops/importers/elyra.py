"""Elyra's ``.pipeline``: JSON, format 3.0, versions 3 to 8 of Elyra's own fields.

An edge is a link into a node's input port. A super-node holds another pipeline of the same file; links to it name
the inner node by the port (``<id>_outPort``), so that what is inside can be laid flat.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import InvalidInput
from ..pipelines import Pipeline, PipelineParameter, Task
from ..pipelines.references import escape
from ..resources import ResourceRequest
from .imported import Imported, inside, parameter_name, read_json, refuse, script_notebook, task_name

_OPERATIONS = {"execute-notebook-node": "notebook", "execute-python-node": "script"}
_TYPES = {"str": "str", "string": "str", "int": "int", "integer": "int", "float": "float", "bool": "bool",
          "boolean": "bool", "list": "list", "dict": "dict"}  # fmt: skip
_CARRIED = {
    "filename", "dependencies", "include_subdirectories", "env_vars", "kubernetes_secrets", "cpu", "memory", "gpu",
    "pipeline_parameters", "disable_node_caching", "label",
}  # fmt: skip
_EMPTY: tuple[Any, ...] = (None, "", 0, [], {}, False)


@dataclass(frozen=True, slots=True)
class _Node:
    id: str
    label: str
    operation: str
    fields: Mapping[str, Any]
    needs: tuple[str, ...]


def read(path: Path) -> Imported:
    """The pipeline. Raises `InvalidInput` for components that are neither notebook nor Python script."""
    body = read_json(path, "Elyra pipeline")
    if not isinstance(body, dict):
        raise InvalidInput(f"{path} is no Elyra pipeline: it holds no JSON object")
    pipelines = {str(each.get("id")): each for each in body.get("pipelines", ()) if isinstance(each, dict)}
    primary = pipelines.get(str(body.get("primary_pipeline")))
    if primary is None:
        raise InvalidInput(f"{path} is no Elyra pipeline: it has no primary pipeline")
    properties = _properties(primary)
    nodes = {node.id: node for node in _nodes(primary, pipelines, {})}
    wrong = [
        f"{node.label!r} is a {node.operation}"
        for node in nodes.values()
        if node.operation not in _OPERATIONS
    ]
    if wrong:
        raise refuse("Elyra", wrong, "put what it does into a notebook, and import again")
    return _Reader(path, properties, nodes).imported()


def _properties(pipeline: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of version 4 and later below ``properties``; before that directly in ``app_data``."""
    data = pipeline.get("app_data") or {}
    return data.get("properties") or data


def _nodes(
    pipeline: Mapping[str, Any], pipelines: Mapping[str, Any], outer: Mapping[str, list[str]]
) -> Iterator[_Node]:
    """The nodes of a pipeline and of those within it. `outer`: inner node id → what its super-node links it to."""
    supers = {node["id"] for node in pipeline.get("nodes", ()) if node.get("type") == "super_node"}
    for node in pipeline.get("nodes", ()):
        if node.get("type") == "binding":
            continue
        links = {port["id"]: _links(port, supers) for port in node.get("inputs") or ()}
        if node["id"] in supers:
            reference = str((node.get("subflow_ref") or {}).get("pipeline_id_ref"))
            if reference not in pipelines:
                raise InvalidInput(f"Elyra: the super-node {node['id']} refers to no pipeline of the file")
            inner = {port.removesuffix("_inPort"): found for port, found in links.items()}
            yield from _nodes(pipelines[reference], pipelines, inner)
            continue
        data = node.get("app_data") or {}
        fields = {**data, **(data.get("component_parameters") or {})}
        label = data.get("label") or (data.get("ui_data") or {}).get("label") or ""
        if not label:
            label = PurePosixPath(str(fields.get("filename", node["id"]))).stem
        needs = [found for each in links.values() for found in each] + outer.get(node["id"], [])
        yield _Node(
            node["id"], PurePosixPath(label).stem, node.get("op", node.get("type", "")), fields, tuple(needs)
        )


def _links(port: Mapping[str, Any], supers: set[str]) -> list[str]:
    found = []
    for link in port.get("links") or ():
        source = link.get("node_id_ref", "")
        if source in supers:
            source = str(link.get("port_id_ref", "")).removesuffix("_outPort")
        found.append(source)
    return found


class _Reader:
    def __init__(self, path: Path, properties: Mapping[str, Any], nodes: Mapping[str, _Node]) -> None:
        self.path, self.properties, self.nodes = path, properties, nodes
        self.lost: list[str] = []
        self.needs: list[str] = []
        self.notebooks: dict[str, str] = {}
        self.names: dict[str, str] = {}
        for node in nodes.values():
            self.names[node.id] = task_name(node.label, self.names.values())
        self.parameters = {
            parameter_name(str(each.get("name", ""))): _parameter(each)
            for each in properties.get("pipeline_parameters") or ()
        }

    def imported(self) -> Imported:
        defaults = self.properties.get("pipeline_defaults") or {}
        tasks = [self.task(node, defaults) for node in self.nodes.values()]
        for name in ("runtime", "runtime_type"):
            if self.properties.get(name) not in (*_EMPTY, "local", "LOCAL"):
                self.lost.append(
                    f"{name} {self.properties[name]!r}: choose one with `jupyter mlops export --to`"
                )
        if self.properties.get("cos_object_prefix"):
            self.lost.append("cos_object_prefix: results go to the workspace's blob store")
        used = {name for task in tasks for name in task.env}
        unused = [name for name in self.parameters if name not in used]
        self.lost += [f"parameter {name!r}: no node uses it" for name in unused]
        pipeline = Pipeline(
            task_name(str(self.properties.get("name") or self.path.stem)),
            tuple(tasks),
            description=" ".join(str(self.properties.get("description") or "").split()),
            parameters={name: each for name, each in self.parameters.items() if name in used},
        )
        return Imported(
            pipeline=pipeline, notebooks=self.notebooks, lost=self.lost, needs=sorted(set(self.needs))
        )

    def task(self, node: _Node, defaults: Mapping[str, Any]) -> Task:
        name, fields = self.names[node.id], _merged(defaults, node.fields)
        file = str(fields.get("filename") or "")
        inside(self.path.parent, file)
        self.needs.append(file)
        notebook = file
        if _OPERATIONS[node.operation] == "script":
            notebook = str(PurePosixPath(file).with_suffix(".ipynb"))
            self.notebooks[notebook] = script_notebook(PurePosixPath(file).name)
        for key, value in fields.items():
            self.tell_lost(name, key, value)
        env = {key: escape(value) for key, value in _pairs(fields.get("env_vars"))}
        for parameter in fields.get("pipeline_parameters") or ():
            env[parameter_name(str(parameter))] = f"${{params.{parameter_name(str(parameter))}}}"
        secrets = {
            str(each["env_var"]): each
            for each in fields.get("kubernetes_secrets") or ()
            if each.get("env_var")
        }
        for variable, secret in secrets.items():
            self.lost.append(
                f"{name}: secret {secret.get('name')}/{secret.get('key')}: provide it as the secret {variable}"
            )
        resources = {"cpu": fields.get("cpu"), "gpu": fields.get("gpu")}
        if fields.get("memory"):
            resources["memory"] = f"{fields['memory']}GB"
        files = [*(str(each) for each in fields.get("dependencies") or ())]
        if fields.get("include_subdirectories"):
            files += [
                f"{each}/**" for each in files if "*" not in each and (self.path.parent / each).is_dir()
            ]
        self.needs += files
        return Task(
            name,
            notebook,
            needs=tuple(dict.fromkeys(self.names[need] for need in node.needs if need in self.names)),
            env=env,
            secrets={variable: f"secret:{variable}" for variable in secrets},
            resources=ResourceRequest.parse({key: value for key, value in resources.items() if value}),
            cache=not fields.get("disable_node_caching"),
            files=tuple(files),
        )

    def tell_lost(self, task: str, key: str, value: Any) -> None:
        if (
            key in _CARRIED
            or value in _EMPTY
            or key in ("ui_data", "component_parameters", "component_source", "version")
        ):
            return
        told = {
            "runtime_image": "give it to `jupyter mlops export --image`",
            "outputs": "notebooks find the files where they lie; emit them with mlops.artifact to have them kept",
        }.get(key, "there is nothing like it here")
        self.lost.append(f"{task}: {key} {value!r}: {told}")


def _merged(defaults: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The node's own values win; lists are joined, as Elyra does it."""
    merged = {**defaults, **{key: value for key, value in fields.items() if value not in (None, "")}}
    env = {**dict(_pairs(defaults.get("env_vars"))), **dict(_pairs(fields.get("env_vars")))}
    return {**merged, "env_vars": [{"env_var": key, "value": value} for key, value in env.items()]}


def _pairs(given: Any) -> Iterator[tuple[str, str]]:
    """``{"env_var", "value"}`` of later versions, ``"K=V"`` of earlier ones."""
    for each in given or ():
        if isinstance(each, Mapping):
            key, value = str(each.get("env_var", "")), str(each.get("value", ""))
        else:
            key, _, value = str(each).partition("=")
        if key.strip():
            yield key.strip(), value


def _parameter(body: Mapping[str, Any]) -> PipelineParameter:
    default = body.get("default_value") or {}
    kind = _TYPES.get(str(default.get("type", body.get("type", "str"))).lower(), "any")
    value = default.get("value")
    is_required = bool(body.get("required")) and value in (None, "")
    parameter = PipelineParameter(
        type=kind, help=" ".join(str(body.get("description") or "").split()), is_required=is_required
    )
    return parameter if is_required else dataclasses.replace(parameter, default=_typed(kind, value))


def _typed(kind: str, value: Any) -> Any:
    kinds: Mapping[str, Any] = {
        "int": int,
        "float": float,
        "str": str,
        "bool": bool,
        "list": list,
        "dict": dict,
    }
    empty = kinds[kind]() if kind in kinds else None
    return empty if value is None else value
