"""The OpenAPI document, and requests read by it.

Types, limits, defaults and required fields are said once, in ``openapi.yaml``: what does not fit is an
`InvalidInput` that names each problem before any code of ours has seen the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, did_you_mean
from ..problems import Problem, summarize

DOCUMENT = Path(__file__).parent / "openapi.yaml"
_VERBS = ("get", "put", "post", "delete")
_MOST_BYTES = 4 * 2**20  # of a body; a pipeline's text is the largest thing that is sent
_MOST_PROBLEMS = 20
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "UTF-8 text",
}
_READ: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda text: {"true": True, "false": False, "1": True, "0": False}[text.lower()],
    "string": str,
}


@dataclass(frozen=True)
class Operation:
    """One verb of one path."""

    name: str
    verb: str
    path: str
    summary: str
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None
    status: int
    is_page: bool

    @property
    def pattern(self) -> str:
        """The path as tornado's pattern; what stands for a file may hold slashes, encoded or not."""
        groups = {"path": "(.+)"}
        parts = re.split(r"\{(\w+)\}", self.path)
        return "".join(
            groups.get(part, "([^/]+)") if is_name else re.escape(part)
            for part, is_name in zip(parts, (i % 2 for i in range(len(parts))), strict=True)
        )

    def read(
        self, groups: Sequence[str], query: Mapping[str, Sequence[bytes]], body: bytes
    ) -> dict[str, Any]:
        """Everything that was asked, by name, checked and with defaults; the body's fields among them.

        Raises one `InvalidInput` with all `problems`.
        """
        problems: list[Problem] = []
        asked: dict[str, Any] = dict(zip(re.findall(r"\{(\w+)\}", self.path), groups, strict=True))
        declared = {each["name"]: each for each in self.parameters if each["in"] == "query"}
        for name in query:
            if name not in (*declared, "token", "_xsrf", "no_track_activity") and not name.isdigit():
                hint = did_you_mean(name, declared)
                problems.append(Problem(message=f"there is no query parameter {name!r}", hint=hint))
        for name, values in query.items():
            if name in declared:
                asked[name] = values[-1]
        read: dict[str, Any] = {}
        for each in self.parameters:
            try:
                read[each["name"]] = _parameter(each, asked.get(each["name"]))
            except InvalidInput as error:
                problems.append(Problem(message=error.message, hint=error.hint))
        if self.body is not None:
            given, wrong = _body(self.body, body)
            problems += wrong
            read |= given
        if problems:
            raise InvalidInput(summarize(problems), problems=problems)
        return read


def _parameter(declared: Mapping[str, Any], given: str | bytes | None) -> Any:
    """The value of a parameter, read by its schema."""
    name, schema = declared["name"], resolve(declared["schema"])
    if given is None:
        if declared.get("required"):
            raise InvalidInput(f"the query parameter {name!r} is missing", hint=declared["description"])
        return schema.get("default")
    try:
        text = given.decode() if isinstance(given, bytes) else given
        value = _READ[schema["type"]](text)
    except (ValueError, KeyError):
        raise InvalidInput(f"{name} must be {_KINDS[schema['type']]}", hint=declared["description"]) from None
    if isinstance(value, str) and "\0" in value:
        raise InvalidInput(f"{name} holds a null byte")
    problem = next(iter(_errors(schema, value)), None)
    if problem is not None:
        raise InvalidInput(f"{name}: {problem.message}", hint=declared["description"])
    return value


def _body(schema: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], list[Problem]]:
    """The fields of a body with their defaults, and what is wrong with it."""
    if len(body) > _MOST_BYTES:
        return {}, [Problem(message="the body is too large", hint=f"at most {_MOST_BYTES} bytes")]
    try:
        given = json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return {}, [Problem(message="the body is not JSON")]
    problems = _errors(schema, given)
    if problems or not isinstance(given, dict):
        return {}, problems or [Problem(message="the body must be an object")]
    fields = resolve(schema).get("properties", {})
    defaults = {name: resolve(field).get("default") for name, field in fields.items()}
    return {**defaults, **given}, []


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def _errors(schema: Mapping[str, Any], value: Any) -> list[Problem]:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator({**schema, "components": document()["components"]})
    problems = []
    for error in validator.iter_errors(value):
        place = ".".join(str(part) for part in error.absolute_path)
        message = error.message if len(error.message) <= 200 else f"{error.message[:200]}…"
        problems.append(Problem(message=f"{place}: {message}" if place else message))
        if len(problems) == _MOST_PROBLEMS:
            break
    return problems


@cache
def document() -> Mapping[str, Any]:
    """The document, as plain values."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: Mapping[str, Any] = yaml.load(DOCUMENT.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe one
    return read


def resolve(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a ``$ref`` stands for."""
    while "$ref" in node:
        found: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


@dataclass(frozen=True)
class Contract:
    """All operations."""

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """In the document's order."""
        return tuple(
            _operation(path, verb, item)
            for path, item in document()["paths"].items()
            for verb in _VERBS
            if verb in item
        )

    def operations_of(self, verb: str) -> list[Operation]:
        """Those of one verb, the most special path first."""
        return [each for operations in self.paths.values() for each in operations if each.verb == verb]

    @cached_property
    def paths(self) -> Mapping[str, Sequence[Operation]]:
        """The operations of each path, the most special path first: a file's path takes all that is left."""
        found: dict[str, list[Operation]] = {}
        for each in self.operations:
            found.setdefault(each.path, []).append(each)
        return dict(sorted(found.items(), key=lambda item: ("{path}" in item[0], item[0].endswith("{path}"))))


def _operation(path: str, verb: str, item: Mapping[str, Any]) -> Operation:
    node = item[verb]
    status = next(int(code) for code in node["responses"] if code.startswith("2"))
    content = resolve(node["responses"][str(status)]).get("content", {})
    body = node.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return Operation(
        name=node["operationId"],
        verb=verb,
        path=path,
        summary=node["summary"],
        parameters=tuple(
            resolve(each) for each in [*item.get("parameters", ()), *node.get("parameters", ())]
        ),
        body=body,
        status=status,
        is_page="text/html" in content,
    )


CONTRACT = Contract()


def markdown_table() -> str:
    """The routes as ``docs/rest.md`` shows them."""
    rows = ["| route | what it does |", "|---|---|"]
    for each in CONTRACT.operations:
        route = f"{each.verb.upper()} {each.path}".replace("|", "\\|")
        rows.append(f"| `{route}` | {each.summary} |")
    return "\n".join(rows) + "\n"
