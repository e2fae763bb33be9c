"""Kernelspecs: which interpreter a kernel runs, and what is meant by a name that nobody has here."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from ..errors import KernelUnavailable, did_you_mean
from .places import own_environment
from .request import THREAD_VARIABLES, KernelRequest, is_ipykernel, why_cold

log = logging.getLogger("jupyter_mlops.kernels")


class Spec:
    """A kernelspec, with its interpreter made absolute."""

    def __init__(self, name: str, kernel_spec: Any, *, is_fallback: bool = False) -> None:
        self.name = name
        self.kernel_spec = kernel_spec
        self.is_fallback = is_fallback
        self.argv: list[str] = list(kernel_spec.argv)
        if self.argv and self.argv[0] in ("python", "python3", f"python3.{sys.version_info[1]}"):
            self.argv[0] = sys.executable  # as jupyter_client does
        self.env: Mapping[str, str] = {k: os.path.expandvars(v) for k, v in kernel_spec.env.items()}
        provisioner = kernel_spec.metadata.get("kernel_provisioner", {})
        self.provisioner: str = provisioner.get("provisioner_name", "")

    @property
    def is_ipykernel(self) -> bool:
        """Whether it is a Python that speaks through ipykernel."""
        return is_ipykernel(self.argv)

    def why_cold(self, request: KernelRequest) -> str:
        """See `request.why_cold`."""
        return why_cold(request, self.argv, self.provisioner)

    def environment(self, request: KernelRequest) -> dict[str, str]:
        """Every variable of a kernel: ours, the kernelspec's, the request's, the later over the earlier."""
        environment = {**own_environment(), **self.env}
        if request.cpus:
            environment.update(dict.fromkeys(THREAD_VARIABLES, str(request.cpus)))
        environment.update(request.env)
        return environment


_specs: dict[tuple[str, str], Spec] = {}
_fallbacks: dict[tuple[str, str], tuple[float, Spec]] = {}
_FALLBACK_SECONDS = 2.0  # the kernel that was asked for may be installed yet


def find_spec(request: KernelRequest) -> Spec:
    """The kernelspec that a request means. Raises `KernelUnavailable` if there is none."""
    key = (request.kernel_name, request.language)
    if (known := _specs.get(key)) is not None:
        return known
    at, fallback = _fallbacks.get(key, (float("-inf"), None))
    if fallback is not None and time.monotonic() - at < _FALLBACK_SECONDS:
        return fallback
    found = _look_up(*key)
    if found.is_fallback:
        _fallbacks[key] = (time.monotonic(), found)
    else:
        _specs[key] = found
    return found


def interpreter_of(kernel_name: str, language: str = "python") -> str:
    """The absolute path of the Python that a kernel runs, or "" for a kernel of another kind.

    Raises `KernelUnavailable` if there is no such kernel.
    """
    spec = find_spec(KernelRequest(kernel_name=kernel_name, language=language))
    return spec.argv[0] if spec.is_ipykernel else ""


def _look_up(name: str, language: str) -> Spec:
    from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        return Spec(name or NATIVE_KERNEL_NAME, manager.get_kernel_spec(name or NATIVE_KERNEL_NAME))
    except NoSuchKernel:
        known = sorted(manager.find_kernel_specs())
    if language.lower() in ("", "python"):
        # The name in a notebook's metadata is that of its author's machine: "this environment" is what is meant.
        log.warning("no kernel is called %r here; using this environment's Python", name)
        return Spec(NATIVE_KERNEL_NAME, manager.get_kernel_spec(NATIVE_KERNEL_NAME), is_fallback=True)
    raise KernelUnavailable(
        f"no kernel is called {name!r} (language {language})",
        hint=did_you_mean(name, known) or "jupyter kernelspec list shows those that are installed",
    )
