"""The Dockerfile, as text: the same facts give the same bytes.

What each part is for:

- Two stages. The first has pip and makes the virtual environment, the second has neither pip's cache nor its
  configuration: certificates and a private index come as secret mounts, which no layer keeps, and which may be
  missing. There is no ``# syntax=`` line: it would fetch a parser from Docker Hub before anything else.
- What changes seldom stands first: Debian packages, distributions, our files, the user's, labels.
- The same digest each time: an environment without pip in it (``ensurepip`` writes times into bytecode), hashes
  for all that is installed, and bytecode that is not dated (``unchecked-hash``), which a read-only root could
  not cache later. Times of files and layers are set by the builder (``SOURCE_DATE_EPOCH``).
- ``FROM`` is literal, since scanners and updaters read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LOCK, VCS, PACKAGES = "requirements.lock", "requirements.vcs", "packages.txt"
VENV = "/opt/venv"
_HOME = "/tmp"  # noqa: S108 - of the first stage, where pip and git look for what they are given
# Which secrets a build may be given, and where pip and git look for them.
SECRETS: Mapping[str, str] = {
    "pip_conf": "/etc/pip.conf",
    "netrc": f"{_HOME}/.netrc",
    "ca": "/etc/ssl/certs/ca-certificates.crt",
}
DOCKERIGNORE = "*\n!requirements.*\n!packages.txt\n!lib\n!bin\n!project\n!model\n!*.json\n"
_APT_LEAVES = "/var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/cache/ldconfig/aux-cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A folder or file of the context, and where it goes. What `is_compiled` gets bytecode in the first stage, what
    `is_program` may be executed."""

    source: str
    target: str
    is_compiled: bool = False
    is_program: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What the Dockerfile says, one field a part of it."""

    title: str  # "models:/flights/3"
    base: str
    copies: Sequence[Copy]
    entrypoint: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    has_packages: bool = False
    has_vcs: bool = False
    user: str = "10001:10001"  # "" leaves it to the base, which means root
    workdir: str = ""
    port: int = 0
    healthcheck: Sequence[str] = ()


def render(recipe: Recipe) -> str:
    """The text."""
    parts = [_head(recipe), *_build_stage(recipe), f"FROM {recipe.base}"]
    if recipe.has_packages:
        parts.append(f"COPY {PACKAGES} /opt/app/{PACKAGES}")
        parts.append(_apt(f"xargs -r -a /opt/app/{PACKAGES} apt-get install -y --no-install-recommends"))
    parts.append(f"COPY --from=build {VENV} {VENV}")
    parts.append(
        "\n".join(
            f"COPY {'--from=build ' if copy.is_compiled else '--chmod=0755 ' if copy.is_program else ''}"
            f"{_word(copy.target if copy.is_compiled else copy.source)} {_word(copy.target)}"
            for copy in recipe.copies
        )
    )
    if recipe.env:
        parts.append(f"ENV {_pairs(recipe.env)}")
    if recipe.labels:
        parts.append(f"LABEL {_pairs(recipe.labels)}")
    last = [f"WORKDIR {_word(recipe.workdir)}"] if recipe.workdir else []
    if recipe.user:
        last.append(f"USER {recipe.user}")
    if recipe.port:
        last.append(f"EXPOSE {recipe.port}")
    last.append("STOPSIGNAL SIGTERM")
    if recipe.healthcheck:
        last.append(
            "HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \\\n"
            f"    CMD {_exec(recipe.healthcheck)}"
        )
    last.append(f"ENTRYPOINT {_exec(recipe.entrypoint)}")
    parts.append("\n".join(last))
    return "\n\n".join(parts) + "\n"


def _head(recipe: Recipe) -> str:
    ids = ", ".join(SECRETS)
    return (
        f"# {' '.join(recipe.title.split())}\n"
        "# Made by `jupyter mlops dockerize`; the same input makes the same file.\n"
        f"# Secrets that a build may be given, none of which an image keeps: {ids}.\n"
        "#   docker build --secret id=pip_conf,src=/etc/pip.conf ."
    )


def _build_stage(recipe: Recipe) -> list[str]:
    """The first stage: everything that needs pip, git or a compiler of bytecode."""
    parts = [
        f"FROM {recipe.base} AS build",
        f"ENV HOME={_HOME} PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore",
    ]
    if recipe.has_vcs:
        parts.append(_apt("apt-get install -y --no-install-recommends git=1:2.*"))
    parts.append(f"RUN python -m venv --without-pip {VENV}")
    install = f"pip --python {VENV}/bin/python install --no-compile"
    commands = [f"{install} --require-hashes -r /tmp/{LOCK}"]
    if recipe.has_vcs:  # a commit is its own hash; what it depends on is in the lock
        commands.append(f"{install} --no-deps -r /tmp/{VCS}")
    commands.append(_compile(VENV))
    # Copied and not bound: buildah's cache does not look into what is bound, and would miss another lock.
    parts.append(f"COPY {' '.join([LOCK, *([VCS] if recipe.has_vcs else [])])} /tmp/")
    mounts = [
        f"--mount=type=cache,target={_HOME}/.cache/pip",
        *(
            f"--mount=type=secret,id={name},target={target},required=false"
            for name, target in SECRETS.items()
        ),
    ]
    parts.append(_run(mounts, commands))
    compiled = [copy for copy in recipe.copies if copy.is_compiled]
    if compiled:
        parts.append("\n".join(f"COPY {_word(copy.source)} {_word(copy.target)}" for copy in compiled))
        parts.append(_run([], [_compile(*(copy.target for copy in compiled))]))
    return parts


def _compile(*folders: str) -> str:
    """Some distributions bring templates that are no Python; they stay uncompiled, and the build goes on."""
    words = " ".join(folders)
    return f"{{ python -m compileall -qq -j 1 --invalidation-mode unchecked-hash {words} || true; }}"


def _apt(command: str) -> str:
    mounts = [
        "--mount=type=cache,target=/var/cache/apt,sharing=locked",
        "--mount=type=cache,target=/var/lib/apt/lists,sharing=locked",
    ]
    return _run(mounts, ["apt-get update", command, f"rm -rf {_APT_LEAVES}"])


def _run(mounts: Sequence[str], commands: Sequence[str]) -> str:
    lines = [*mounts, *(f"&& {one}" if place else one for place, one in enumerate(commands))]
    return "RUN " + " \\\n    ".join(lines)


def _pairs(values: Mapping[str, str]) -> str:
    return " \\\n    ".join(f"{name}={_quoted(value)}" for name, value in values.items())


def _word(text: str) -> str:
    """A path as COPY takes it; one with spaces must have the JSON form, and ours have none."""
    if not re.fullmatch(r"[\w./-]+", text):
        raise ValueError(f"not a path of ours: {text!r}")
    return text


def _quoted(text: str) -> str:
    """A value in double quotes in which nothing is expanded. A line break cannot be said, and becomes a space; a
    backslash at the end is more than hadolint can read, and becomes a slash."""
    escaped = re.sub(r'(["$])', r"\\\1", " ".join(text.replace("\\", "/").splitlines()))
    return f'"{escaped}"'


def _exec(words: Sequence[str]) -> str:
    return json.dumps(list(words))
