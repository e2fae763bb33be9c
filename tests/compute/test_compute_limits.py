"""Control groups of both versions, as files; what they allow is what we say we have."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from jupyter_mlops.compute.limits import cpu_quota, memory_limit, usable_cpus, usable_memory
from jupyter_mlops.compute.offers import machine_resources

GIB = 2**30


def system(root: Path, cgroup: str, **files: str) -> Path:
    """A root with ``/proc/self/cgroup`` and files below ``/sys/fs/cgroup`` (``__`` is a slash)."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    (root / "sys/fs/cgroup").mkdir(parents=True)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_version_2(tmp_path: Path) -> None:
    root = system(
        tmp_path, "0::/pod/container\n",
        pod__container__cpu_dot_max="150000 100000\n", pod__container__memory_dot_max=f"{4 * GIB}\n",
    )  # fmt: skip
    assert cpu_quota(root) == 1.5
    assert memory_limit(root) == 4 * GIB


def test_a_group_above_may_allow_less(tmp_path: Path) -> None:
    root = system(
        tmp_path, "0::/pod/container\n",
        pod__cpu_dot_max="100000 100000", pod__container__cpu_dot_max="max 100000",
        pod__memory_dot_max=str(GIB), pod__container__memory_dot_max=str(2 * GIB),
    )  # fmt: skip
    assert (cpu_quota(root), memory_limit(root)) == (1.0, GIB)


def test_in_a_container_the_path_may_be_the_hosts(tmp_path: Path) -> None:
    root = system(
        tmp_path, "0::/kubepods/burstable/pod123\n", cpu_dot_max="50000 100000", memory_dot_max=str(GIB)
    )
    assert (cpu_quota(root), memory_limit(root)) == (0.5, GIB)


def test_version_1(tmp_path: Path) -> None:
    root = system(
        tmp_path, "5:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n1:name=systemd:/\n",
        memory__docker__a__memory_dot_limit_in_bytes=str(3 * GIB),
    )  # fmt: skip
    folder = tmp_path / "sys/fs/cgroup/cpu,cpuacct/docker/a"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("250000")
    (folder / "cpu.cfs_period_us").write_text("100000")
    assert (cpu_quota(root), memory_limit(root)) == (2.5, 3 * GIB)


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [
        ("max 100000", "max"),
        ("", ""),
        ("nonsense", "nonsense"),
        ("-1 100000", "9223372036854771712"),
        ("0 0", "0"),
    ],
)
def test_without_a_limit(tmp_path: Path, cpu: str, memory: str) -> None:
    root = system(tmp_path, "0::/\n", cpu_dot_max=cpu, memory_dot_max=memory)
    assert cpu_quota(root) is None
    assert memory_limit(root) is None
    assert usable_memory(root) == psutil.virtual_memory().total


def test_where_there_are_no_groups_at_all(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert usable_cpus(tmp_path) >= 1


def test_a_limit_beyond_the_machine_is_the_machine(tmp_path: Path) -> None:
    root = system(tmp_path, "0::/\n", cpu_dot_max="99900000 100000", memory_dot_max=str(2**59))
    assert usable_cpus(root) == usable_cpus(tmp_path / "elsewhere")
    assert usable_memory(root) == psutil.virtual_memory().total


def test_what_jobs_are_offered_honors_them() -> None:
    offered = machine_resources()
    assert (offered.cpu, offered.memory) == (usable_cpus(), usable_memory())
