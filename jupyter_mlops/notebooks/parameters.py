"""What a notebook takes: the parameters that it declares, and arguments checked and converted before it runs.

All problems are told at once, in one `InvalidParameter`. A notebook that declares nothing (no cell tagged
``parameters``, an empty one, a language that cannot be read) takes any argument, as with papermill.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import encoding
from ..errors import InvalidInput, InvalidParameter, did_you_mean
from ..problems import Problem, summarize
from . import files
from .conversion import Mismatch, convert, guess, show
from .declarations import REQUIRED, Expression, Parameter, Required, parse_parameters
from .kinds import ANY, Kind, read_annotation
from .literals import is_python, name_problem, python_source
from .secrets import SecretReference

__all__ = [
    "REQUIRED",
    "Expression",
    "Kind",
    "Parameter",
    "bind",
    "describe",
    "parse_parameters",
    "read_parameters",
    "to_json",
]


def read_parameters(
    nb: Mapping[str, Any], *, where: str = "notebook", kernel_name: str = "", language: str = ""
) -> tuple[Parameter, ...]:
    """The parameters that `nb` declares, in order; `kernel_name` and `language` override its own.

    Raises `InvalidNotebook` with cell and line if the cell is no Python.
    """
    index = files.tagged_cell(nb, "parameters")
    if index is None or nb["cells"][index]["cell_type"] != "code":
        return ()
    cell = nb["cells"][index]
    kernel_name, language = kernel_name or files.kernel_name(nb), language or files.language(nb)
    if not is_python(kernel_name, language):
        return _read_by_papermill(cell, kernel_name, language)
    return parse_parameters(cell["source"], where=f"{where}, cell {index + 1}")


def bind(
    parameters: Sequence[Parameter],
    arguments: Mapping[str, Any],
    *,
    from_text: bool | Collection[str] = False,
    where: str = "notebook",
    language: str = "python",
    pending: Collection[str] = (),
) -> dict[str, Any]:
    """`arguments`, checked and converted to what `parameters` declare, in their order.

    `from_text` says which of them (or all) are words from a command line. `pending` are names whose values
    come later: they count as given and are left out. ``secret:NAME`` becomes a `SecretReference`, also where
    it is the default. Raises one `InvalidParameter` with all `problems`; each names `where` and parameter.
    """
    declared = {parameter.name: parameter for parameter in parameters}
    bound: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in [*arguments, *(name for name in pending if name not in arguments)]:
        parameter = declared.get(name, Parameter(name))
        is_text = from_text if isinstance(from_text, bool) else name in from_text
        try:
            _check_name(name, declared, language)
            if name not in pending:
                bound[name] = _converted(parameter, arguments[name], from_text=is_text)
        except InvalidInput as error:
            problems.append(Problem(message=str(error), where=where, hint=error.hint))
    for parameter in parameters:
        if parameter.name in arguments or parameter.name in pending:
            continue
        secret = SecretReference.parse(parameter.default)
        if parameter.is_required:
            problems.append(_missing(parameter, where))
        elif secret is not None:
            bound[parameter.name] = secret
    if problems:
        hint = problems[0].hint if len(problems) == 1 else ""
        lines = [replace(problem, hint="") for problem in problems] if hint else problems
        raise InvalidParameter(summarize(lines), hint=hint, problems=problems)
    return bound


def describe(parameters: Sequence[Parameter]) -> str:
    """The parameters as ``--help-notebook`` shows them, laid out as papermill does."""
    if not parameters:
        return "  No parameters are declared: any argument is passed on."
    lines = []
    for parameter in parameters:
        default = "required" if parameter.is_required else f"default {parameter.default_source}"
        text = f"  {parameter.name}: {_type_text(parameter)} ({default})"
        if parameter.help:
            text = f"{text:<34}{parameter.help}" if len(text) <= 30 else f"{text}\n{34 * ' '}{parameter.help}"
        lines.append(text)
    return "\n".join(lines)


def to_json(parameter: Parameter) -> dict[str, Any]:
    """A parameter for ``--json``, REST and forms; `default` is encoded, null where it is not known here."""
    is_known = not isinstance(parameter.default, Expression | Required)
    return {
        "name": parameter.name,
        "annotation": parameter.annotation,
        "kind": parameter.kind.to_json(),
        "is_required": parameter.is_required,
        "default": encoding.to_json(parameter.default) if is_known else None,
        "default_source": parameter.default_source,
        "help": parameter.help,
        "line": parameter.line,
    }


def _type_text(parameter: Parameter) -> str:
    if not parameter.annotation:
        return "Unknown type"
    return str(parameter.kind) if "Annotated[" in parameter.annotation else parameter.annotation


# Checking arguments


def _check_name(name: object, declared: Mapping[str, Parameter], language: str) -> None:
    if name in declared:
        return
    if reason := name_problem(name, language):
        raise InvalidParameter(f"{name!r} cannot be a parameter", hint=reason)
    if declared:
        raise InvalidParameter(f"there is no parameter {name!r}", hint=did_you_mean(str(name), declared))


def _converted(parameter: Parameter, value: Any, *, from_text: bool) -> Any:
    if from_text and parameter.kind == ANY and isinstance(parameter.default, str) and isinstance(value, str):
        # Its default is text, so what looks like a number (007, 1.10) is text too.
        guessed = guess(value)
        from_text = guessed is None or isinstance(guessed, bool)
    try:
        converted = convert(parameter.kind, value, from_text=from_text)
    except Mismatch as mismatch:
        # What was meant to be a secret is not repeated in a message.
        shown = "what was given" if parameter.kind.name == "secret" else _show_typed(value)
        raise InvalidParameter(
            f"parameter {parameter.name!r} must be {parameter.kind}, not {shown}", hint=str(mismatch)
        ) from None
    except RecursionError:
        raise InvalidParameter(
            f"parameter {parameter.name!r} is nested too deep, or contains itself"
        ) from None
    try:
        python_source(converted)
    except InvalidInput as error:
        raise InvalidParameter(f"parameter {parameter.name!r}: {error}", hint=error.hint) from None
    return converted


def _show_typed(value: object) -> str:
    return show(value) if value is None else f"{show(value)} ({type(value).__name__})"


def _missing(parameter: Parameter, where: str) -> Problem:
    text = f"parameter {parameter.name!r} is required and missing"
    kind = f"give it {parameter.kind}" if parameter.kind != ANY else ""
    return Problem(
        message=text, where=where, hint=kind + (f": {parameter.help}" if kind and parameter.help else "")
    )


# Other languages


def _read_by_papermill(cell: Mapping[str, Any], kernel_name: str, language: str) -> tuple[Parameter, ...]:
    """What a translator of papermill's says of a cell. Its own know only Python, so it is asked only where
    somebody has loaded it, as one who registers a translator has: importing it would take a second or two."""
    translators = sys.modules.get("papermill.translators")
    if translators is None:
        return ()
    from papermill.exceptions import PapermillException

    try:
        found = translators.papermill_translators.find_translator(kernel_name, language).inspect(cell)
    except (PapermillException, NotImplementedError):
        return ()
    return tuple(
        Parameter(
            each.name,
            "" if each.inferred_type_name == "None" else each.inferred_type_name,
            read_annotation(each.inferred_type_name)[0] if each.inferred_type_name != "None" else ANY,
            Expression(each.default),
            each.default,
            each.help,
        )
        for each in found
    )
