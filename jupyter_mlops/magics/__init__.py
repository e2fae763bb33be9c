"""The magics: ``%load_ext jupyter_mlops``, then ``%mlops help``.

They translate and decide nothing: a line is read (`options`), one function of `emit` or `session` is called, and
what is wrong is said in one line (`magic`). What they need is imported when one is used, so that loading the
extension costs next to nothing.
"""

from __future__ import annotations

from typing import Any

from IPython.core.magic import no_var_expand

from . import costing, deploying, emitting, exporting, featuring, modeling, promoting, running
from .completion import complete_with
from .magic import Magic, call

MAGICS: tuple[Magic, ...] = (
    *featuring.MAGICS,
    *modeling.MAGICS,
    *emitting.MAGICS,
    *promoting.MAGICS,
    *deploying.MAGICS,
    running.RUN_PIPELINE,
    *exporting.MAGICS,
    *costing.MAGICS,
    running.overview(lambda: MAGICS),
)


def register(shell: Any) -> None:
    """Called by ``%load_ext``; a second time changes nothing."""
    own = shell.find_line_magic("alias")
    if own is not None and not hasattr(own, "of_jupyter_mlops"):
        shell.register_magic_function(own, "line", "shell_alias")
    for magic in MAGICS:
        shell.register_magic_function(_function(magic, shell), magic.kind, magic.name)
    complete_with(shell, MAGICS)


def _function(magic: Magic, shell: Any) -> Any:
    """What IPython calls. Braces and dollars are ours to read: an expression may well have some."""

    def on_line(line: str) -> Any:
        __tracebackhide__ = True
        return call(magic, shell, line)

    def on_cell(line: str, cell: str) -> Any:
        __tracebackhide__ = True
        return call(magic, shell, line, cell)

    function: Any = no_var_expand(on_cell if magic.kind == "cell" else on_line)
    function.__name__ = magic.name
    function.__doc__ = magic.help()
    function.of_jupyter_mlops = True
    return function
