"""``%load_ext jupyter_mlops``: what `emit` does, as line magics.

``%result auc`` emits the variable ``auc``; ``%result auc model.score(X, y)`` the value of an expression;
``%artifact train`` and ``train = %input train`` likewise. They translate and decide nothing: a line is parsed,
one function is called, and what is wrong is said in one line, without a traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from . import emit
from .errors import MlopsError, did_you_mean


@magics_class
class EmitMagics(Magics):
    """Results, artifacts and inputs."""

    @line_magic
    def result(self, line: str) -> None:
        """%result NAME [EXPRESSION]: emit a small value; without an expression, the variable NAME."""
        name, value = self._named_value(line, "result")
        _told(lambda: emit.result(name, value))

    @line_magic
    def artifact(self, line: str) -> str | None:
        """%artifact NAME [EXPRESSION]: store a frame, file or object; without an expression, the variable NAME."""
        name, value = self._named_value(line, "artifact")
        _told(lambda: emit.artifact(name, value))
        return None

    @line_magic
    def input(self, line: str) -> Any:
        """%input NAME: open an artifact, by a parameter's name, an artifact's, or a reference."""
        name = line.strip()
        if not name:
            raise UsageError("%input needs a name: data = %input train")
        shell: Any = self.shell
        known = shell.user_ns.get(name)
        is_reference = isinstance(known, str) and known.startswith("blob://")
        return _told(lambda: emit.input(known if is_reference else name))

    def _named_value(self, line: str, magic: str) -> tuple[str, Any]:
        shell: Any = self.shell
        name, _, expression = line.strip().partition(" ")
        if not name:
            raise UsageError(f"%{magic} needs a name: %{magic} auc")
        if expression.strip():
            return name, shell.ev(expression)  # the user's own code, in the user's own kernel
        if name not in shell.user_ns:
            variables = [known for known in shell.user_ns if not known.startswith("_")]
            hint = did_you_mean(name, variables) if len(variables) > 12 else ""
            raise UsageError(f"there is no variable {name!r}" + (f" ({hint})" if hint else ""))
        return name, shell.user_ns[name]


def _told(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except MlopsError as error:
        raise UsageError(f"{error.message} ({error.hint})" if error.hint else error.message) from None


def register(shell: Any) -> None:
    """Called by ``%load_ext``."""
    shell.register_magics(EmitMagics)
