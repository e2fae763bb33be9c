"""The environment that a project stands in: Python and its libraries, Jupyter, the tools beside it."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .checkup import Check

OLDEST_PYTHON = (3, 11)
_DISTRIBUTION = "jupyter-mlops"
_SERVER_EXTENSION = "jupyter_mlops"
_FEWEST_FILES = 512
_BUILDERS = ("docker", "podman", "buildah")


def python(env: Mapping[str, str]) -> Iterator[Check]:
    """The interpreter, and what it is told by its environment."""
    where = f"{platform.python_version()} in {sys.prefix}"
    if sys.version_info < OLDEST_PYTHON:
        yield Check("python", "problem", f"{where} is too old", advice="use Python 3.11 or newer")
    else:
        yield Check("python", "ok", where)
    if env.get("PYTHONDONTWRITEBYTECODE"):
        yield Check(
            "bytecode",
            "warning",
            "PYTHONDONTWRITEBYTECODE is set: every kernel compiles again what it imports",
            "unset PYTHONDONTWRITEBYTECODE",
        )


def command(env: Mapping[str, str]) -> Check:
    """Whether `jupyter mlops` in a shell is this one."""
    folder = Path(sys.executable).parent
    found = shutil.which("jupyter-mlops", path=env.get("PATH", os.defpath))
    if found is not None and Path(found).resolve().parent == folder.resolve():
        return Check("command", "ok", f"jupyter mlops is {found}")
    other = "is not on PATH" if found is None else f"on PATH is that of another environment: {found}"
    return Check(
        "command", "warning", f"jupyter-mlops {other}", f"export PATH={shlex.quote(str(folder))}:$PATH"
    )


def libraries() -> Iterator[Check]:
    """Whether what is installed fits what we ask for."""
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in requires(_DISTRIBUTION) or ()]
    except PackageNotFoundError:
        yield Check("libraries", "info", "jupyter-mlops runs from its sources, not installed")
        return
    wrong, count = [], 0
    for requirement in wanted:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        count += 1
        try:
            is_good = requirement.specifier.contains(version(requirement.name), prereleases=True)
            told = "" if is_good else f"{requirement.name} is {version(requirement.name)}"
        except PackageNotFoundError:
            told = f"{requirement.name} is not installed"
        if told:
            wrong.append((told, f"{requirement.name}{requirement.specifier}"))
    for told, needed in wrong:
        cure = shlex.join([sys.executable, "-m", "pip", "install", needed])
        yield Check("libraries", "problem", f"{told}, needed: {needed}", cure)
    if not wrong:
        yield Check("libraries", "ok", f"{count} distributions fit jupyter-mlops {version(_DISTRIBUTION)}")


def server_extension() -> Check:
    """Whether Jupyter's server loads us: what it reads, in the order in which it reads it."""
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    places = jupyter_config_path()
    manager: Any = ExtensionConfigManager(read_config_path=places)
    found = manager.get_jpserver_extensions()
    if found.get(_SERVER_EXTENSION):
        return Check("server extension", "ok", "enabled")
    told = "disabled" if _SERVER_EXTENSION in found else "not enabled"
    message = f"{told}: JupyterLab would show no panel"
    file = _first_saying(places, "jupyter_server_config", _SERVER_EXTENSION)
    if file is not None and not file.parent.name.endswith(".d"):  # it wins over what `enable` would write
        advice = f"take {_SERVER_EXTENSION} out of jpserver_extensions in {file}"
        return Check("server extension", "problem", message, advice=advice)
    scope = _scope("" if file is None else str(file.parent.parent), "--{}", "sys-prefix")
    cure = f"jupyter server extension enable {scope} {_SERVER_EXTENSION}"
    return Check("server extension", "problem", message, cure)


def panel() -> Iterator[Check]:
    """Whether JupyterLab finds the panel and may load it."""
    from jupyter_core.paths import jupyter_config_path, jupyter_path

    if not any(
        Path(place, _DISTRIBUTION, "package.json").is_file() for place in jupyter_path("labextensions")
    ):
        yield Check(
            "panel",
            "warning",
            "JupyterLab's extension is not installed; the command line works without it",
            f"{shlex.quote(sys.executable)} -m pip install --force-reinstall --no-deps jupyter-mlops",
        )
        return
    for place in jupyter_config_path():
        names = _disabled(Path(place, "labconfig", "page_config.json"))
        ours = sorted(
            name for name, is_off in names.items() if is_off and name.split(":")[0] == _DISTRIBUTION
        )
        if ours:
            level = _scope(place, "--level={}", "sys_prefix")
            cure = " && ".join(f"jupyter labextension enable {level} {shlex.quote(name)}" for name in ours)
            yield Check("panel", "problem", f"JupyterLab's extension is disabled in {place}", cure)
            return
        if any(name.split(":")[0] == _DISTRIBUTION for name in names):
            break  # the first place that says something decides
    yield Check("panel", "ok", "JupyterLab's extension is installed")


def open_files() -> Check:
    """Kernels, their sockets and dask need files open at once."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return Check("open files", "info", "no limit here")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _FEWEST_FILES:
        return Check("open files", "ok", f"{soft} at once" if soft >= 0 else "no limit")
    most = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    return Check("open files", "warning", f"only {soft} at once", f"ulimit -n {most}")


def tools(env: Mapping[str, str]) -> Iterator[Check]:
    """What is there for those who want more: none of it is needed to run pipelines."""
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    uv = shutil.which("uv", path=path)
    yield Check("uv", "info", uv or "not here: locks with hashes need it (pip install uv)")
    builders = [name for name in _BUILDERS if shutil.which(name, path=path)]
    said = ", ".join(builders) or "none here: images are built without a daemon (docs/images.md)"
    yield Check("builders", "info", said)
    node = shutil.which("node", path=path)
    yield Check("node", "info", node or "not here: only building the panel from its sources needs it")
    if find_spec("duckdb") is None:
        yield Check("features", "info", "the feature store needs: pip install 'jupyter-mlops[features]'")


def _disabled(file: Path) -> Mapping[str, Any]:
    try:
        names = json.loads(file.read_text(encoding="utf-8")).get("disabledExtensions", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return names if isinstance(names, Mapping) else dict.fromkeys(map(str, names), True)


def _first_saying(places: list[str], name: str, word: str) -> Path | None:
    for place in places:
        for file in (Path(place, f"{name}.json"), *sorted(Path(place, f"{name}.d").glob("*.json"))):
            try:
                if word in file.read_text(encoding="utf-8"):
                    return file
            except OSError:
                continue
    return None


def _scope(place: str, form: str, environment: str) -> str:
    """How Jupyter's commands name the place where something is said."""
    from jupyter_core.paths import jupyter_config_dir

    if not place or Path(place).is_relative_to(sys.prefix):
        return form.format(environment)
    return form.format("user" if Path(place) == Path(jupyter_config_dir()) else "system")
