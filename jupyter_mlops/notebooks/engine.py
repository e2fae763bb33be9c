"""papermill's engine ``mlops``: ``papermill --engine mlops in.ipynb out.ipynb`` on warm kernels.

papermill keeps its conventions (arguments, markers, exit codes); the cells run here. Since a command line is
over too soon to profit from a zygote of its own, this one lingers and serves the next (see `LINGER_VARIABLE`).
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import from_dict
from papermill.engines import Engine  # noqa: TID253 - papermill itself loads this module

from ..errors import KernelDied, NotebookFailed, TimedOut
from ..kernels import KernelPool, KernelRequest
from .execute import Limits, Progress, run_cells
from .facts import inspect_source

LINGER_VARIABLE = "MLOPS_ZYGOTE_LINGER_SECONDS"
_LINGER_SECONDS = 300.0


@cache
def _pool() -> KernelPool:
    return KernelPool(size=1, linger_seconds=float(os.environ.get(LINGER_VARIABLE, _LINGER_SECONDS)))


class MlopsEngine(Engine):  # type: ignore[misc]
    """See the module."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        log_output: bool = False,  # noqa: FBT001, FBT002 - papermill's signature
        stdout_file: Any = None,
        stderr_file: Any = None,
        execution_timeout: float | None = None,
        **_: Any,
    ) -> None:
        """Called by papermill. Raises what its own engine raises."""
        facts = inspect_source(nb_man.nb, Path.cwd())
        outcome = run_cells(
            nb_man.nb,
            pool=_pool(),
            request=KernelRequest(
                kernel_name=kernel_name or "",
                language=facts.language,
                cwd=Path.cwd(),
                preload=facts.preload,
                is_bare=facts.sets_environment,
            ),
            limits=Limits(cell_timeout_seconds=execution_timeout),
            progress=_Managed(nb_man, {"stdout": stdout_file, "stderr": stderr_file}, is_logged=log_output),
            marks_error=False,
        )
        nb_man.nb = from_dict(outcome.notebook)
        error = outcome.error
        if isinstance(error, KernelDied):
            raise DeadKernelError(str(error))
        if isinstance(error, TimedOut):
            raise CellTimeoutError(str(error))
        if error is not None and not isinstance(error, NotebookFailed):
            raise error


class _Managed(Progress):
    """Moves papermill's bar and feeds its log and files."""

    def __init__(self, nb_man: Any, files: dict[str, Any], *, is_logged: bool) -> None:
        self.nb_man, self.files, self.is_logged = nb_man, files, is_logged

    def cell_executed(self, cell: int, cells: int, duration_seconds: float) -> None:
        if self.nb_man.pbar:
            self.nb_man.pbar.update(1)

    def streamed(self, cell: int, name: str, text: str) -> None:
        file = self.files.get(name)
        if file is not None:
            file.write(text)
            file.flush()
        if self.is_logged:
            from papermill.log import logger

            (logger.warning if name == "stderr" else logger.info)(text)
