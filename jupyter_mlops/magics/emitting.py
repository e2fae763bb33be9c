"""``%result``, ``%artifact``, ``%input``: what `emit` does."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError

from .. import emit
from ..errors import did_you_mean
from .magic import Call, Magic, evaluator
from .options import Argument, Syntax

_MANY = 12  # variables; among fewer one sees by oneself which was meant


def _result(call: Call) -> None:
    emit.result(*_named_value(call))


def _artifact(call: Call) -> None:
    emit.artifact(*_named_value(call))


def _input(call: Call) -> Any:
    name = call.given["name"]
    known = call.names.get(name)
    is_reference = isinstance(known, str) and known.startswith("blob://")
    return emit.input(str(known) if is_reference else name)


def _named_value(call: Call) -> tuple[str, Any]:
    name = call.given["name"]
    if call.given.has("expression"):
        return name, evaluator(call.shell)(call.given["expression"])
    if name not in call.names:
        variables = [known for known in call.names if not known.startswith("_")]
        hint = did_you_mean(name, variables) if len(variables) > _MANY else ""
        raise UsageError(f"there is no variable {name!r}" + (f" ({hint})" if hint else ""))
    return name, call.names[name]


def _syntax(name_help: str) -> Syntax:
    rest = Argument(
        name="EXPRESSION",
        help="its value; without it, the variable NAME",
        is_required=False,
        takes_rest=True,
        completes="variables",
    )
    return Syntax(arguments=[Argument(name="NAME", help=name_help, completes="variables"), rest])


MAGICS = (
    Magic(
        name="result",
        summary="Emit a small JSON value: a metric, a count, a list that others fan out over.",
        syntax=_syntax("the name under which other tasks refer to it"),
        examples=("%result auc", "%result auc model.score(X, y)"),
        run=_result,
    ),
    Magic(
        name="artifact",
        summary="Keep a frame, file or object by its content, for other notebooks to open.",
        syntax=_syntax("the name under which it is kept"),
        examples=("%artifact train", "%artifact report 'report.html'"),
        run=_artifact,
    ),
    Magic(
        name="input",
        summary="Open an artifact.",
        syntax=Syntax(
            arguments=[
                Argument(
                    name="NAME", help="a parameter's name, an artifact's, or a reference", completes="inputs"
                )
            ]
        ),
        examples=("data = %input train",),
        run=_input,
    ),
)
