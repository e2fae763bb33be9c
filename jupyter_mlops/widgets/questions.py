"""What a form asks: the typed parameters of a notebook or a pipeline, as one kind of value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from ..notebooks.files import load_notebook
from ..notebooks.kinds import Kind, read_annotation
from ..notebooks.parameters import REQUIRED, Expression, Parameter, bind, read_parameters
from ..notebooks.secrets import SecretReference
from ..pipelines import Pipeline, PipelineParameter, load_pipeline
from ..pipelines.arguments import convert

Read = Callable[[Any, bool], Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One parameter. `default` is a value, an `Expression` or `REQUIRED`; `read` makes a typed value of what was
    entered (and of text, if the second argument says so), or raises `InvalidInput`."""

    name: str
    kind: Kind
    default: object
    default_source: str
    help: str
    read: Read

    @property
    def is_required(self) -> bool:
        """Whether something must be entered."""
        return self.default is REQUIRED

    @property
    def has_known_default(self) -> bool:
        """Whether the default is a value that can be shown here."""
        return not isinstance(self.default, Expression) and self.default is not REQUIRED

    @property
    def core(self) -> Kind:
        """The kind without its None: ``int`` of ``int | None``."""
        members = [kind for kind in self.kind.args if kind.name != "none"]
        return members[0] if self.kind.name == "union" and len(members) == 1 else self.kind

    @property
    def is_optional(self) -> bool:
        """Whether None is one of its values."""
        return self.kind.name == "union" and any(kind.name == "none" for kind in self.kind.args)

    @property
    def is_secret(self) -> bool:
        """Whether the value must be the name of a secret."""
        return self.core.name == "secret" or SecretReference.parse(self.default) is not None


def questions_of(path: Path) -> tuple[tuple[Question, ...], Pipeline | None]:
    """The parameters of a notebook, or of a pipeline together with the pipeline itself.

    Raises `NotFound`, `InvalidNotebook`, `InvalidPipeline`; `InvalidInput` for a file that is neither.
    """
    if path.suffix in (".yaml", ".yml"):
        pipeline = load_pipeline(path)
        return tuple(_of_pipeline(name, each) for name, each in pipeline.parameters.items()), pipeline
    if path.suffix == ".ipynb":
        nb = load_notebook(path)
        return tuple(_of_notebook(parameter) for parameter in read_parameters(nb, where=path.name)), None
    raise InvalidInput(f"{str(path)!r} has no parameters", hint="give a notebook (.ipynb) or a pipeline.yaml")


def _of_notebook(parameter: Parameter) -> Question:
    return Question(
        parameter.name,
        parameter.kind,
        parameter.default,
        parameter.default_source,
        parameter.help,
        partial(_read_notebook, parameter),
    )


def _read_notebook(parameter: Parameter, value: Any, is_text: bool) -> Any:  # noqa: FBT001 - a callback
    return bind([parameter], {parameter.name: value}, from_text=is_text)[parameter.name]


def _of_pipeline(name: str, parameter: PipelineParameter) -> Question:
    kind, _ = read_annotation(parameter.type)
    default = REQUIRED if parameter.is_required else parameter.default
    source = "" if parameter.is_required else str(parameter.default)
    return Question(name, kind, default, source, parameter.help, partial(_read_pipeline, parameter))


def _read_pipeline(parameter: PipelineParameter, value: Any, is_text: bool) -> Any:  # noqa: FBT001 - a callback
    return convert(value, parameter, from_text=is_text)
