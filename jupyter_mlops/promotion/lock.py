"""Requirements with hashes, by uv: one lock for all platforms of an image.

The environment goes in as constraints, so that each version is the one that is installed here. One resolution for
both platforms (``--universal``, limited to them) took 0.5 s, one for each twice that. Its markers are evaluated here,
since nearly all of them hold on both; those that are left tell one platform from the other.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from packaging.markers import InvalidMarker, Marker

from ..errors import InvalidInput, MissingExtra, did_you_mean
from ..problems import Problem
from .indexes import pip_settings, project_environment, uv_environment, without_secrets

MACHINES: Mapping[str, str] = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
_TIMEOUT_SECONDS = 300
_UNREACHABLE = re.compile(
    r"error sending request|failed to fetch|network was disabled|dns error|tcp connect|timed out|connection",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Locked:
    """The `text`, "" when there is none; the `platforms` that it is good for; what is to be told."""

    text: str
    platforms: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One way to lock: with what is installed here, with pip's extra indexes, for which platforms."""

    constraints: str
    has_extra: bool
    platforms: tuple[str, ...]


def lock(
    requirements: str, constraints: str, *, python: str, platforms: Sequence[str], root: Path | None = None
) -> Locked:
    """Lock `requirements` (a line each) for `python` ("3.11") and `platforms`, the first of which matters most.

    Indexes are those of the project at `root`, of uv's own settings, of pip's. One that does not answer is a
    problem, not a failure. Raises `MissingExtra` without uv, `InvalidInput` for a platform without wheels.
    """
    for platform in platforms:
        if platform not in MACHINES:
            hint = did_you_mean(platform, MACHINES)
            raise InvalidInput(f"{platform!r} is no platform that can be locked for", hint=hint)
    command = uv()
    if not requirements.strip():
        return Locked("", tuple(platforms))
    first = ""
    environ = {**project_environment(root), **os.environ} if root is not None else dict(os.environ)
    for attempt in _attempts(constraints, tuple(platforms), environ):
        text, told = _compile(command, requirements, attempt, python, environ)
        if text:
            machines = [MACHINES[platform] for platform in attempt.platforms]
            problems = _compromises(attempt, constraints, platforms, first)
            return Locked(simplified(text, python, machines), attempt.platforms, problems)
        first = first or told
        if _UNREACHABLE.search(told):
            break
    return Locked("", tuple(platforms), (_failure(first),))


def _attempts(constraints: str, platforms: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[_Attempt]:
    """The best one first. An extra index may be a mirror that holds a part only, so it is tried without, too."""
    extras = (True, False) if pip_settings(environ).get("extra-index-url") else (True,)
    several = (platforms, platforms[:1]) if len(platforms) > 1 else (platforms,)
    for given in dict.fromkeys((constraints, "")):
        for wanted, has_extra in itertools.product(several, extras):
            yield _Attempt(given, has_extra, wanted)


def _compromises(
    attempt: _Attempt, constraints: str, platforms: Sequence[str], told: str
) -> tuple[Problem, ...]:
    problems = []
    if constraints and not attempt.constraints:
        message = "what is installed here does not fit together, so what is needed in turn is locked anew"
        problems.append(Problem(message=message, hint=_last(told), severity="warning"))
    if left := [platform for platform in platforms if platform not in attempt.platforms]:
        message = f"not for {', '.join(left)}: not everything has a wheel there"
        problems.append(Problem(message=message, hint=_last(told), severity="warning"))
    return tuple(problems)


def _compile(
    command: Sequence[str], requirements: str, attempt: _Attempt, python: str, environ: Mapping[str, str]
) -> tuple[str, str]:
    """The lock, or what uv said instead."""
    environments = [
        f"sys_platform == 'linux' and implementation_name == 'cpython' and python_version == '{python}'"
        f" and platform_machine == '{MACHINES[platform]}'"
        for platform in attempt.platforms
    ]
    files = {
        "requirements.in": requirements,
        "constraints.txt": attempt.constraints,
        # uv reads the environments of a universal lock from a project's file only.
        "pyproject.toml": f"[tool.uv]\nenvironments = [{', '.join(map(_quoted, environments))}]\n",
    }
    arguments = [
        "--universal",
        "--generate-hashes",
        "--python-version",
        python,
        "--constraints",
        "constraints.txt",
    ]
    environ = uv_environment(environ, has_extra=attempt.has_extra)
    return _uv_compile(command, [*arguments, "requirements.in"], files, environ)


def _uv_compile(
    command: Sequence[str], arguments: Sequence[str], files: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[str, str]:
    """What ``uv pip compile`` wrote, or what it said; no secrets in either."""
    environ = {"UV_HTTP_RETRIES": "1", "UV_HTTP_TIMEOUT": "20", **environ}
    quiet = ["--no-annotate", "--no-header", "--quiet", "--no-progress"]
    with tempfile.TemporaryDirectory(prefix="mlops-lock-") as scratch:
        for name, text in files.items():
            Path(scratch, name).write_text(text, encoding="utf-8")
        try:
            done = subprocess.run(
                [*command, "pip", "compile", *quiet, *arguments],
                cwd=scratch, env=environ, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return "", f"connection: {error}"
    told = without_secrets(done.stderr.strip()) or f"uv ended with {done.returncode}"
    return (without_secrets(done.stdout), "") if done.returncode == 0 else ("", told)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _failure(told: str) -> Problem:
    if _UNREACHABLE.search(told):
        hint = "try again with a network, or name an index that answers (UV_DEFAULT_INDEX, or pip's configuration)"
        return Problem(message=f"not locked, since an index does not answer: {_last(told)}", hint=hint)
    hint = (
        "is it on the index that is configured? A private one is named by UV_INDEX or in pip's configuration"
    )
    return Problem(message=f"not locked: {_last(told)}", hint=hint)


def _last(told: str) -> str:
    """The innermost cause in what uv said that names something, in one line."""
    lines = [line.strip() for line in re.split(r"\n\s*hint:", told)[0].splitlines()]
    causes = [
        re.sub(r"^(cause|caused by|error):\s*", "", line, flags=re.IGNORECASE) for line in lines if line
    ]
    telling = [one for one in causes if re.search(r"==|://|not found|requir", one)]
    return (telling or causes or [told])[-1 if telling else 0][:400]


def simplified(text: str, python: str, machines: Sequence[str]) -> str:
    """A lock with markers only where the platforms differ, and without what none of them takes."""
    made: list[str] = []
    for block in re.split(r"\n(?=[^\s#])", text.strip()):
        head, newline, hashes = block.partition(" \\\n")
        requirement, semicolon, marker = head.partition(" ; ")
        if semicolon:
            holds = [machine for machine in machines if _holds(marker, python, machine)]
            if not holds:
                continue
            if len(holds) < len(machines):
                requirement += " ; " + " or ".join(f"platform_machine == '{one}'" for one in holds)
        made.append(f"{requirement}{newline}{hashes}")
    return "".join(f"{block}\n" for block in made)


def _holds(marker: str, python: str, machine: str) -> bool:
    # As of the newest patch of the minor version: what is for earlier ones only is not needed.
    told = {
        "python_version": python, "python_full_version": f"{python}.99", "implementation_version": f"{python}.99",
        "platform_machine": machine, "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix",
        "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": "",
    }  # fmt: skip
    try:
        return Marker(marker).evaluate(told)
    except InvalidMarker:
        return True


@lru_cache(maxsize=1)
def uv() -> tuple[str, ...]:
    """How uv is called: its module's binary, else the one on the path. Raises `MissingExtra`."""
    try:
        from uv import find_uv_bin

        return (find_uv_bin(),)
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise MissingExtra(
            "locking the distributions of an image needs uv", hint="pip install 'jupyter-mlops[images]'"
        )
    return (found,)
