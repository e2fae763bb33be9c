"""The format of ``pipeline.yaml`` as tables: one row a key, from which it is read, written, described by the
JSON Schema and documented.

A row's `read` turns a YAML node into the value of a `Task`, `Pipeline` or `RetryPolicy`, noting problems on
the way; its `write` turns that value back; its `schema` is what editors complete from.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from datetime import date
from typing import Any

from ..errors import InvalidInput
from ..resources import MOST_PRIORITY, ResourceRequest
from .arguments import convert
from .definition import ISOLATION, RUN_IF, PipelineParameter, RetryPolicy
from .reading import (
    BAD,
    NAME,
    PARAMETER_NAME,
    TYPES,
    Field,
    read_arguments,
    read_condition,
    read_count,
    read_duration,
    read_environment,
    read_factor,
    read_fields,
    read_limit,
    read_map,
    read_matrix,
    read_names,
    read_one_of,
    read_plain,
    read_resources,
    read_text,
    read_truth,
    read_whole,
    table_schema,
    write_fields,
    wrong,
)
from .schedules import CATCH_UP, OVERLAP, ScheduleSpec
from .source import Node, Reader

# --- settings that are mappings themselves ------------------------------------------------------------


def _retries(reader: Reader, node: Node, key: str) -> Any:
    if isinstance(node.value, dict):
        return RetryPolicy(**read_fields(reader, node, RETRY_FIELDS, f"`{key}`"))
    limit = read_count(reader, node, key)
    return BAD if limit is BAD else RetryPolicy(limit=limit)


def _parameter(reader: Reader, node: Node, key: str) -> Any:
    """Short form: the default. Long form: a mapping with type, default, help."""
    if not isinstance(node.value, dict):
        value = node.plain()
        return PipelineParameter(type=infer_type(value), default=value)
    given = read_fields(reader, node, PARAMETER_FIELDS, f"parameter {key!r}")
    if "type" not in given:
        given["type"] = infer_type(given.get("default"))
    parameter = PipelineParameter(**given, is_required="default" not in given)
    if isinstance(parameter.default, str):  # YAML has a date as text
        with contextlib.suppress(InvalidInput):  # told by `checks`
            return dataclasses.replace(parameter, default=convert(parameter.default, parameter))
    return parameter


def _parameters(reader: Reader, node: Node, key: str) -> Any:
    if not isinstance(node.value, dict):
        return wrong(reader, node, key, "a mapping of names to defaults")
    return {str(name): _parameter(reader, item, str(name)) for name, item in node.value.items()}


def _schedules(reader: Reader, node: Node, key: str) -> Any:
    if not isinstance(node.value, dict):
        return wrong(reader, node, key, "a mapping of names to schedules", _SCHEDULE_HINT)
    found = {}
    for name, item in node.value.items():
        given = read_fields(reader, item, SCHEDULE_FIELDS, f"schedule {name!r}")
        if "cron" in given:
            found[str(name)] = ScheduleSpec(**given)
    return found


def infer_type(value: Any) -> str:
    """The name of the parameter type that `value` has."""
    return type(value).__name__ if type(value).__name__ in TYPES else "any"


def _number(seconds: float) -> float | int:
    return int(seconds) if seconds == int(seconds) else seconds


def _write_retries(policy: RetryPolicy) -> Any:
    written = {"limit": policy.limit, **write_fields(policy, RETRY_FIELDS, RetryPolicy())}
    return policy.limit if len(written) == 1 else written


def _write_parameters(parameters: Mapping[str, PipelineParameter]) -> dict[str, Any]:
    return {name: _write_parameter(parameter) for name, parameter in parameters.items()}


def _write_schedules(schedules: Mapping[str, ScheduleSpec]) -> dict[str, Any]:
    plain = ScheduleSpec(cron="")
    return {name: write_fields(each, SCHEDULE_FIELDS, plain) for name, each in schedules.items()}


def _write_parameter(parameter: PipelineParameter) -> Any:
    is_short = not (parameter.is_required or parameter.help or isinstance(parameter.default, dict | date))
    if is_short and parameter.type == infer_type(parameter.default):
        return parameter.default
    written: dict[str, Any] = {"type": parameter.type}
    if not parameter.is_required:
        default = parameter.default
        written["default"] = default.isoformat() if isinstance(default, date) else default
    return {**written, "help": parameter.help} if parameter.help else written


# --- the tables -----------------------------------------------------------------------------------------

_SCHEDULE_HINT = "for example {nightly: {cron: 30 2 * * *}}"
_TEXT = {"type": "string", "minLength": 1}
_DURATION_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {
            "type": "string",
            "minLength": 2,
            "pattern": r"^([0-9.]+d)?\s*([0-9.]+h)?\s*([0-9.]+m)?\s*([0-9.]+s)?\s*([0-9.]+ms)?$",
        },
    ]
}
_REFERENCE_SCHEMA = {"type": "string", "pattern": r"\$\{"}
_ONE_OR_MORE = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_NUMBER_OR_TEXT = {"type": ["number", "string"]}


RETRY_FIELDS: tuple[Field, ...] = (
    Field(
        key="limit", attribute="limit", read=read_count,
        schema={"type": "integer", "minimum": 0, "maximum": 100},
        shape="whole number", help="how many further attempts after the first", is_required=True,
    ),
    Field(
        key="delay", attribute="delay_seconds", read=read_duration, schema=_DURATION_SCHEMA, write=_number,
        shape="duration", help="wait before the first retry (0)",
    ),
    Field(
        key="backoff", attribute="backoff", read=read_factor, shape="number",
        schema={"type": "number", "minimum": 1, "maximum": 1000},
        help="each further delay is so many times longer (2)",
    ),
    Field(
        key="max_delay", attribute="max_delay_seconds", read=read_duration, schema=_DURATION_SCHEMA,
        write=_number, shape="duration", help="no delay is longer (1h)",
    ),
    Field(
        key="on", attribute="on", read=read_names, schema=_ONE_OR_MORE, write=list,
        shape="error class, or list", help="retry only these errors and their subclasses (any error)",
    ),
)  # fmt: skip

PARAMETER_FIELDS: tuple[Field, ...] = (
    Field(
        key="type", attribute="type", read=read_one_of(TYPES), schema={"enum": list(TYPES)},
        shape=", ".join(TYPES), help="what an argument must be (the type of the default)",
    ),
    Field(
        key="default", attribute="default", read=read_plain, schema={}, shape="any value",
        help="the value when none is given; without it the parameter is required",
    ),
    Field(key="help", attribute="help", read=read_text, schema=_TEXT, shape="text", help="what it is for"),
)  # fmt: skip

SCHEDULE_FIELDS: tuple[Field, ...] = (
    Field(
        key="cron", attribute="cron", read=read_text, schema=_TEXT, shape="cron expression",
        help="when: five fields (30 2 * * MON-FRI), or @hourly, @daily, @weekly, @monthly, @yearly",
        is_required=True,
    ),
    Field(
        key="timezone", attribute="timezone", read=read_text, schema=_TEXT, shape="IANA zone",
        help="whose clock, such as Europe/Berlin (UTC)",
    ),
    Field(
        key="parameters", attribute="parameters", read=read_arguments, schema={"type": "object"}, write=dict,
        shape="mapping", help="arguments of the pipeline; may hold ${schedule.…}, see schedules.md",
    ),
    Field(
        key="catch_up", attribute="catch_up", read=read_one_of(CATCH_UP), schema={"enum": list(CATCH_UP)},
        shape=", ".join(CATCH_UP), help="which of the fires that nobody was there for run late (last)",
    ),
    Field(
        key="overlap", attribute="overlap", read=read_one_of(OVERLAP), schema={"enum": list(OVERLAP)},
        shape=", ".join(OVERLAP), help="what a fire does while an earlier one's run goes on (skip)",
    ),
    Field(
        key="jitter", attribute="jitter_seconds", read=read_duration, schema=_DURATION_SCHEMA, write=_number,
        shape="duration", help="start up to so much later, each fire by another amount (0)",
    ),
    Field(
        key="start", attribute="start", read=read_text, schema=_TEXT, shape="date or moment",
        help="no fire before it: 2026-01-31, or 2026-01-31T06:00 by the schedule's clock",
    ),
    Field(
        key="end", attribute="end", read=read_text, schema=_TEXT, shape="date or moment",
        help="no fire from then on",
    ),
    Field(
        key="paused", attribute="is_paused", read=read_truth, schema={"type": "boolean"}, shape="true, false",
        help="do not fire until somebody resumes it (false)",
    ),
    Field(
        key="queue", attribute="queue", read=read_text, schema=_TEXT, shape="name",
        help="where its runs wait for admission, where quotas are set (default)",
    ),
    Field(
        key="priority", attribute="priority", read=read_whole,
        schema={"type": "integer", "minimum": -MOST_PRIORITY, "maximum": MOST_PRIORITY}, shape="whole number",
        help="higher ones are admitted first (0)",
    ),
    Field(
        key="preemptible", attribute="is_preemptible", read=read_truth, schema={"type": "boolean"},
        shape="true, false", help="its runs may be made to wait again by one of a higher priority (false)",
    ),
)  # fmt: skip

TASK_FIELDS: tuple[Field, ...] = (
    Field(
        key="notebook", attribute="notebook", read=read_text,
        schema={"type": "string", "pattern": r"\.(ipynb|py)$"},
        shape="path", help="the notebook, relative to the pipeline's file", is_required=True,
    ),
    Field(
        key="description", attribute="description", read=read_text, schema=_TEXT, shape="text",
        help="what the task does, shown beside its name",
    ),
    Field(
        key="parameters", attribute="parameters", read=read_arguments, schema={"type": "object"}, write=dict,
        shape="mapping", help="arguments for the notebook's parameters; may hold references",
    ),
    Field(
        key="needs", attribute="needs", read=read_names,
        schema=_ONE_OR_MORE, write=list, shape="task, or list",
        help="tasks that come first, beyond those that references name already",
    ),
    Field(
        key="when", attribute="when", read=read_condition, schema={"type": ["string", "boolean"]},
        shape="condition", help="the task is skipped unless this holds",
    ),
    Field(
        key="run_if", attribute="run_if", read=read_one_of(RUN_IF), schema={"enum": list(RUN_IF)},
        shape=", ".join(RUN_IF), help="how the tasks before must have ended (all_success)", is_default=True,
    ),
    Field(
        key="matrix", attribute="matrix", read=read_matrix, write=dict, shape="mapping of lists",
        schema={
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "array", "minItems": 1}, _REFERENCE_SCHEMA]},
        },
        help="run once for each combination of the axes' values, ${matrix.axis}",
    ),
    Field(
        key="map", attribute="map", read=read_map, schema={"anyOf": [{"type": "array"}, _REFERENCE_SCHEMA]},
        shape="list, or reference to one", help="run once for each item of a list, ${item}",
    ),
    Field(
        key="retries", attribute="retries", read=_retries, write=_write_retries, is_default=True,
        schema={"anyOf": [{"type": "integer", "minimum": 0, "maximum": 100}, table_schema(RETRY_FIELDS)]},
        shape="number, or mapping", help="further attempts after a failure (0)",
    ),
    Field(
        key="timeout", attribute="timeout_seconds", read=read_limit, schema=_DURATION_SCHEMA, write=_number,
        shape="duration", help="how long the whole notebook may take (no limit)", is_default=True,
    ),
    Field(
        key="cell_timeout", attribute="cell_timeout_seconds", read=read_limit, schema=_DURATION_SCHEMA,
        write=_number, shape="duration", help="how long each cell may take (the setting)", is_default=True,
    ),
    Field(
        key="resources", attribute="resources", read=read_resources, write=ResourceRequest.written, is_default=True,
        schema={
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cpu": {"description": "cores: 2, 0.5, 500m", **_NUMBER_OR_TEXT},
                "memory": {"description": "bytes: 512Mi, 4Gi, 2GB", **_NUMBER_OR_TEXT},
                "gpu": {"description": "whole GPUs", **_NUMBER_OR_TEXT},
                "accelerator": {"description": "the kind of GPU, such as a100", "type": "string"},
                "spot": {
                    "description": "whether capacity that can be taken away, and costs less, will do",
                    "type": "boolean",
                },
                "image": {"description": "where tasks run in containers: the image", **_TEXT},
            },
        },
        shape="mapping", help="what the task asks for: cpu, memory, gpu, accelerator, spot, image",
    ),
    Field(
        key="priority", attribute="priority", read=read_whole,
        schema={"type": "integer"}, shape="whole number",
        help="higher goes first among tasks that wait (0)", is_default=True,
    ),
    Field(
        key="cache", attribute="cache", read=read_truth, schema={"type": "boolean"}, shape="true, false",
        help="reuse an earlier outcome when nothing that counts has changed (true)", is_default=True,
    ),
    Field(
        key="files", attribute="files", read=read_names,
        schema=_ONE_OR_MORE, write=list, shape="path, or list",
        help="input files (globs); they travel with the task and count for the cache",
    ),
    Field(
        key="env", attribute="env", read=read_environment, write=dict, is_default=True,
        schema={"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
        shape="mapping", help="environment variables of the kernel; may hold references",
    ),
    Field(
        key="secrets", attribute="secrets", read=read_environment, write=dict, is_default=True,
        schema={"type": "object", "additionalProperties": {"type": "string", "pattern": "^secret:."}},
        shape="mapping", help="environment variables that hold secrets: {TOKEN: secret:NAME}",
    ),
    Field(
        key="kernel", attribute="kernel", read=read_text, schema=_TEXT, shape="name",
        help="the kernel (the notebook's own)", is_default=True,
    ),
    Field(
        key="isolation", attribute="isolation", read=read_one_of(ISOLATION), schema={"enum": list(ISOLATION)},
        shape=", ".join(ISOLATION), help="a forked warm kernel, or a fresh interpreter (the setting)",
        is_default=True,
    ),
)  # fmt: skip

DEFAULT_FIELDS: tuple[Field, ...] = tuple(field for field in TASK_FIELDS if field.is_default)


def _unread(reader: Reader, node: Node, key: str) -> Any:
    return node  # `spec` reads tasks, once the defaults are known


PIPELINE_FIELDS: tuple[Field, ...] = (
    Field(
        key="name", attribute="name", read=read_text,
        schema={"type": "string", "pattern": f"^{NAME.pattern}$"},
        shape="name", help="what runs of it are listed under", is_required=True,
    ),
    Field(
        key="description", attribute="description", read=read_text, schema=_TEXT, shape="text",
        help="what the pipeline is for",
    ),
    Field(
        key="parameters", attribute="parameters", read=_parameters, write=_write_parameters,
        schema={
            "type": "object",
            "propertyNames": {"pattern": f"^{PARAMETER_NAME.pattern}$"},
            "additionalProperties": {
                "anyOf": [table_schema(PARAMETER_FIELDS), {"not": {"type": "object"}}],
            },
        },
        shape="mapping", help="typed inputs, ${params.name}: a default, or a mapping of type, default, help",
    ),
    Field(
        key="schedules", attribute="schedules", read=_schedules, write=_write_schedules,
        schema={
            "type": "object",
            "propertyNames": {"pattern": f"^{NAME.pattern}$"},
            "additionalProperties": table_schema(SCHEDULE_FIELDS),
        },
        shape="mapping", help="when it runs by itself: name → cron and more; `schedule add` makes them active",
    ),
    Field(
        key="defaults", attribute="defaults", read=_unread,
        schema=table_schema(DEFAULT_FIELDS), shape="mapping",
        help="settings for every task that does not say otherwise; env and secrets are merged",
    ),
    Field(
        key="tasks", attribute="tasks", read=_unread, is_required=True,
        schema={
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": f"^{NAME.pattern}$"},
            "additionalProperties": table_schema(TASK_FIELDS),
        },
        shape="mapping", help="the tasks: name → settings",
    ),
)  # fmt: skip
