"""What a notebook asks of its kernel decides how it is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.kernels import KernelRequest
from jupyter_mlops.kernels.request import extra_arguments, is_sensitive, needs_bare, why_cold

IPYKERNEL = ["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"]


@pytest.mark.parametrize(
    ("request_", "argv", "provisioner", "reason"),
    [
        ({}, IPYKERNEL, "", ""),
        ({}, IPYKERNEL, "local-provisioner", ""),
        (
            {},
            ["python", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "",
            "",
        ),
        ({"env": {"A": "1", "OMP_NUM_THREADS": "1"}}, IPYKERNEL, "", ""),
        ({"env": {"PYTHONUNBUFFERED": "1"}}, IPYKERNEL, "", ""),
        ({"isolation": "cold"}, IPYKERNEL, "", "isolation is cold"),
        ({}, IPYKERNEL, "k8s-provisioner", "the kernelspec names its own provisioner, k8s-provisioner"),
        ({}, ["R", "--slave", "-e", "IRkernel::main()"], "", "it is not an ipykernel"),
        ({}, ["python", "-m", "xeus_python", "-f", "{connection_file}"], "", "it is not an ipykernel"),
        (
            {"env": {"PYTHONPATH": "x", "LD_PRELOAD": "y"}},
            IPYKERNEL,
            "",
            "the interpreter reads LD_PRELOAD, PYTHONPATH at its start",
        ),
    ],
)
def test_a_kernel_is_forked_unless_there_is_a_reason(
    request_: dict[str, Any], argv: list[str], provisioner: str, reason: str
):
    assert why_cold(KernelRequest(**request_), argv, provisioner) == reason


def test_windows_has_no_fork(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jupyter_mlops.kernels.request.sys.platform", "win32")
    assert why_cold(KernelRequest(), IPYKERNEL, "") == "Windows has no fork"


def test_nothing_is_imported_before_what_an_import_would_read(tmp_path: Path):
    assert not needs_bare(KernelRequest(cwd=tmp_path, env={"A": "1"}))
    assert needs_bare(KernelRequest(cwd=tmp_path, is_bare=True))
    assert needs_bare(KernelRequest(cwd=tmp_path, env={"OMP_NUM_THREADS": "1"}))
    (tmp_path / "matplotlibrc").touch()
    assert needs_bare(KernelRequest(cwd=tmp_path))


def test_variables_that_a_zygote_must_agree_on():
    assert all(map(is_sensitive, ["PYTHONPATH", "VIRTUAL_ENV", "MKL_NUM_THREADS", "MPLBACKEND"]))
    assert not any(map(is_sensitive, ["HOME", "PATH", "AWS_REGION", "MY_PYTHONPATH"]))


def test_what_a_kernelspec_gives_to_ipykernel_is_kept():
    assert extra_arguments([*IPYKERNEL, "--matplotlib=inline", "--debug"]) == [
        "--matplotlib=inline",
        "--debug",
    ]
