"""Ploomber's ``{{placeholders}}``: what ``env.yaml`` says becomes a parameter of the pipeline."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from ..pipelines.references import as_text, escape
from .imported import parameter_name

_HOLE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_HERE = ("here", "root", "cwd")


class Placeholders:
    """The values of ``env.yaml``. `used` gathers those that became parameters."""

    def __init__(self, env: Mapping[str, Any]) -> None:
        self.env = {key: self._expanded(value, env) for key, value in env.items() if key != "path"}
        self.used: dict[str, Any] = {}

    def static(self, value: Any) -> Any:
        """`value` with the values as they are now, for what must be known before a run."""
        return self._expanded(value, self.env)

    def reference(self, value: Any) -> Any:
        """`value` with references to the pipeline's parameters."""
        if not isinstance(value, str):
            return value

        parts = _HOLE.split(value)  # text and names by turns
        return "".join(self._named(part) if number % 2 else escape(part) for number, part in enumerate(parts))

    def _named(self, name: str) -> str:
        if name in _HERE:
            return "."
        self.used[name] = self._value(name, self.env)
        return f"${{params.{parameter_name(name)}}}"

    def _expanded(self, value: Any, env: Mapping[str, Any]) -> Any:
        if isinstance(value, dict):
            return {key: self._expanded(item, env) for key, item in value.items()}
        if isinstance(value, list):
            return [self._expanded(item, env) for item in value]
        if not isinstance(value, str):
            return value
        whole = _HOLE.fullmatch(value)
        if whole is not None and whole[1] not in _HERE:
            return self._value(whole[1], env)
        return _HOLE.sub(lambda hole: "." if hole[1] in _HERE else as_text(self._value(hole[1], env)), value)

    @staticmethod
    def _value(name: str, env: Mapping[str, Any]) -> Any:
        if name not in env:
            raise InvalidInput(
                f"Ploomber: the placeholder {{{{{name}}}}} is not in env.yaml",
                hint="write its value there; {{user}}, {{now}}, {{git}} and {{env.X}} have none before a run",
            )
        return env[name]
