"""What a magic is: its name, its words, what it does; and how it is called, from a line or a cell.

All of ours are values of `Magic`. So help, completion, documentation and the rule that whatever is wrong is said
in one line, without a traceback of ours, are made once, for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from IPython.core.error import UsageError

from ..errors import MlopsError, did_you_mean
from .options import Given, Syntax, read, shape

_NOTHING = Syntax()


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a magic: what was given, the cell's body (None for a line), and the notebook's namespace."""

    given: Given
    shell: Any
    cell: str | None = None

    @property
    def names(self) -> Mapping[str, Any]:
        """The notebook's variables."""
        return self.shell.user_ns  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class Magic:
    """See the fields. `summary` is one sentence, `details` some more, `examples` are lines that work."""

    name: str
    summary: str
    run: Callable[[Call], Any]
    kind: Literal["line", "cell"] = "line"
    syntax: Syntax = _NOTHING
    details: str = ""
    examples: tuple[str, ...] = ()

    @property
    def sign(self) -> str:
        """``%name`` or ``%%name``."""
        return f"{'%%' if self.kind == 'cell' else '%'}{self.name}"

    def help(self) -> str:
        """What ``%name --help`` prints and ``%name?`` shows."""
        lines = [f"{self.sign} {self.syntax.usage()}".rstrip(), "", self.summary]
        if self.details:
            lines += ["", self.details]
        rows = [(one.name, one.help) for one in self.syntax.arguments]
        rows += [
            (f"{f'-{one.short}, ' if one.short else ''}--{one.name} {shape(one)}".rstrip(), one.help)
            for one in self.syntax.options
        ]
        width = min(34, max((len(left) for left, _ in rows), default=0))
        lines += ["", *(f"  {left:<{width}}  {right}" for left, right in rows)] if rows else []
        lines += ["", "Examples:", *(f"  {example}" for example in self.examples)] if self.examples else []
        return "\n".join(lines)


def call(magic: Magic, shell: Any, line: str, cell: str | None = None) -> Any:
    """Do what a line says. Whatever is wrong with it becomes a `UsageError` of one line; what the user's own cell
    raises goes through, with the user's traceback alone."""
    __tracebackhide__ = True
    if line.strip() in ("--help", "-h"):
        print(magic.help())  # noqa: T201 - that is what was asked for
        return None
    try:
        return magic.run(Call(read(magic.syntax, line, evaluator(shell)), shell, cell))
    except MlopsError as error:
        text = f"{error.message} ({error.hint})" if error.hint else error.message
        raise UsageError(f"{magic.sign}: {' '.join(text.split())}") from None


def evaluator(shell: Any) -> Callable[[str], Any]:
    """How an expression of a line is evaluated: the user's own code, in the user's own kernel."""

    def evaluate(expression: str) -> Any:
        try:
            return shell.ev(expression)
        except NameError as error:
            variables = [name for name in shell.user_ns if not name.startswith("_")]
            name = getattr(error, "name", None) or expression
            hint = did_you_mean(name, variables)
            near = f" ({hint})" if hint.startswith("did you mean") else ""
            what = f"{expression}: " if name != expression else ""
            raise UsageError(f"{what}there is no variable {name!r}{near}") from None
        except SyntaxError as error:
            raise UsageError(f"{expression}: {error.msg}") from None
        except UsageError:
            raise
        except Exception as error:
            message = " ".join(str(error).split())
            raise UsageError(f"{expression} raised {type(error).__name__}: {message}") from error

    return evaluate
