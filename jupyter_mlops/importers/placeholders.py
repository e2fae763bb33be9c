"""Ploomber's ``{{placeholders}}``: what ``env.yaml`` says becomes a parameter of the pipeline."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from ..pipelines.references import as_text, escape
from .imported import parameter_name

_HOLE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_HERE = ("here", "root", "cwd")  # the folder of the pipeline, unless env.yaml says otherwise


class Placeholders:
    """The values of ``env.yaml``. `used` gathers those that became parameters, `spelled` those of them that stand
    within text, where we write some values in another way than Python does."""

    def __init__(self, env: Mapping[str, Any]) -> None:
        self.env = {key: self._expanded(value, env) for key, value in env.items() if key != "path"}
        self.used: dict[str, Any] = {}
        self.spelled: dict[str, Any] = {}

    def static(self, value: Any) -> Any:
        """`value` with the values as they are now, for what must be known before a run."""
        return self._expanded(value, self.env)

    def reference(self, value: Any) -> Any:
        """`value` with references to the pipeline's parameters."""
        if not isinstance(value, str):
            return value

        parts = _HOLE.split(value)  # text and names by turns
        if _HOLE.fullmatch(value) is None:
            within = {name: self.env[name] for name in parts[1::2] if name in self.env}
            self.spelled |= {name: each for name, each in within.items() if as_text(each) != str(each)}
        return "".join(self._named(part) if number % 2 else escape(part) for number, part in enumerate(parts))

    def by_default(self, text: str) -> str:
        """What `reference` made, with the values as they are now."""
        for name, value in self.used.items():
            text = text.replace(f"${{params.{parameter_name(name)}}}", as_text(value))
        return text

    def _named(self, name: str) -> str:
        if _is_here(name, self.env):
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
        if whole is not None and not _is_here(whole[1], env):
            return self._value(whole[1], env)
        return _HOLE.sub(
            lambda hole: "." if _is_here(hole[1], env) else as_text(self._value(hole[1], env)), value
        )

    @staticmethod
    def _value(name: str, env: Mapping[str, Any]) -> Any:
        if name not in env:
            raise InvalidInput(
                f"Ploomber: the placeholder {{{{{name}}}}} is not in env.yaml",
                hint="write its value there; {{user}}, {{now}}, {{git}} and {{env.X}} have none before a run",
            )
        return env[name]


def _is_here(name: str, env: Mapping[str, Any]) -> bool:
    return name in _HERE and name not in env
