"""What a notebook wants of its kernel, and whether a warm one can give it: decisions only.

A warm kernel has imported things before the notebook began, so whatever must be in place *before* an import
(environment variables that libraries read, mostly) decides which zygote, if any, may fork it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Isolation = Literal["warm", "cold"]

# The interpreter or the loader reads these at its own start: no fork can change them.
_AT_START = re.compile(r"^(PYTHON(?!UNBUFFERED)|LD_|DYLD_|GLIBC_|MALLOC_|VIRTUAL_ENV$|CONDA_)")
# Libraries read these when they are imported: a zygote that imported none of them will do.
_AT_IMPORT = re.compile(
    r"^(OMP_|MKL_|OPENBLAS_|BLIS_|VECLIB_|NUMEXPR_|NUMBA_|GOTO_|KMP_|TF_|XLA_|JAX_|KERAS_|TORCH_|PYTORCH_|HF_|"
    r"TRANSFORMERS_|MPL|PANDAS_|POLARS_|ARROW_|DASK_|SKLEARN_|SCIPY_|JOBLIB_|CUBLAS_|NCCL_)"
)
THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "LOKY_MAX_CPU_COUNT",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelRequest:
    """A kernel for one notebook.

    `env` is laid over this process's environment; `preload` names third-party modules that the notebook
    imports; `is_bare` asks for a kernel in which none of them has been imported; `cpus` is how many CPUs its
    threads may use (None: all).
    """

    kernel_name: str = ""
    language: str = "python"
    cwd: Path = field(default_factory=Path.cwd)
    env: Mapping[str, str] = field(default_factory=dict)
    preload: tuple[str, ...] = ()
    isolation: Isolation = "warm"
    is_bare: bool = False
    cpus: int | None = None


def why_cold(request: KernelRequest, argv: list[str], provisioner: str) -> str:
    """Why this kernel must be started in the ordinary way; empty when a zygote can fork it."""
    if request.isolation == "cold":
        return "isolation is cold"
    if sys.platform == "win32":
        return "Windows has no fork"
    if provisioner not in ("", "local-provisioner", "mlops-provisioner"):
        return f"the kernelspec names its own provisioner, {provisioner}"
    if not is_ipykernel(argv):
        return "it is not an ipykernel"
    early = sorted(name for name in request.env if _AT_START.match(name))
    if early:
        return f"the interpreter reads {', '.join(early)} at its start"
    return ""


def needs_bare(request: KernelRequest) -> bool:
    """Whether nothing may have been imported before the notebook's environment is in place."""
    return (
        request.is_bare
        or any(_AT_IMPORT.match(name) for name in request.env)
        or (request.cwd / "matplotlibrc").exists()  # matplotlib reads it when it is imported
    )


def is_sensitive(name: str) -> bool:
    """Whether an environment variable matters before or while modules are imported."""
    return bool(_AT_START.match(name) or _AT_IMPORT.match(name))


def is_ipykernel(argv: list[str]) -> bool:
    """Whether a kernelspec's command starts ipykernel, in a form that a zygote can stand for."""
    rest = [argument for argument in argv[1:] if not argument.startswith("-X")]
    return rest[:3] in (["-m", "ipykernel_launcher", "-f"], ["-m", "ipykernel", "-f"])


def extra_arguments(argv: list[str]) -> list[str]:
    """What a kernelspec gives to ipykernel beyond the connection file."""
    marker = argv.index("-f")
    return argv[marker + 2 :]
