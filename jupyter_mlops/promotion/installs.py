"""What a notebook installs by itself, and what it declares: ``%pip``, ``!apt-get``, PEP 723.

Read as text: a shell's line is split as a shell would, and what only the shell could expand is told, not guessed.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Declared

from ..problems import Problem

_BLOCK = re.compile(r"(?m)^# /// script[ \t]*$\n(?P<content>(?:^#(?:| .*)$\n?)+?)^# ///[ \t]*$")
_SEPARATORS = frozenset({"&&", "||", ";", "|", "&"})
# Options of pip and uv that take a value of their own.
_WITH_VALUE = frozenset(
    {"-i", "--index-url", "--extra-index-url", "--index", "--default-index", "-f", "--find-links", "-t", "--target",
     "--prefix", "--root", "--python", "-p", "--trusted-host", "--proxy", "--timeout", "--retries", "--cache-dir",
     "--no-binary", "--only-binary", "--platform", "--upgrade-strategy", "--upgrade-package", "-P", "--progress-bar",
     "--cert", "--log", "--abi", "--implementation", "--src", "--report"}
)  # fmt: skip
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+\Z")
_SPACED = re.compile(r"\s*(===|==|~=|!=|<=|>=|<|>)\s*")


@dataclass(frozen=True, slots=True)
class Install:
    """A requirement as it was written, and where; `how` is "PEP 723" or "%pip"."""

    text: str
    where: str
    how: str


@dataclass(frozen=True, slots=True)
class Installs:
    """What one command or block asks for."""

    requirements: tuple[Install, ...] = ()
    packages: tuple[tuple[str, str], ...] = ()  # (Debian package, where)
    files: tuple[tuple[str, str], ...] = ()  # (path of a requirements file, where)
    problems: tuple[Problem, ...] = ()
    python: str = ""  # requires-python


def of_command(line: str, where: str) -> Installs | None:
    """What a shell's line installs; None if it installs nothing."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    found = [_of_words(part, line, where) for part in _commands(words)]
    several = [one for one in found if one is not None]
    return join(several) if several else None


def of_script(source: str, where: str) -> Installs | None:
    """What a PEP 723 block in `source` declares; None without one."""
    blocks = list(_BLOCK.finditer(source))
    if not blocks:
        return None
    if len(blocks) > 1:
        return Installs(problems=(Problem(message="there are several `# /// script` blocks", where=where),))
    lines = blocks[0]["content"].splitlines()
    text = "\n".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
    try:
        told: dict[str, Any] = tomllib.loads(text)
        dependencies = told.get("dependencies", [])
        if not isinstance(dependencies, list) or not all(isinstance(one, str) for one in dependencies):
            raise ValueError("dependencies is a list of texts")
    except ValueError as error:
        message = f"the `# /// script` block cannot be read: {error}"
        return Installs(problems=(Problem(message=message, where=where, hint="PEP 723 says how"),))
    return Installs(
        requirements=tuple(Install(one, where, "PEP 723") for one in dependencies),
        python=str(told.get("requires-python", "")),
    )


def of_file(text: str, where: str) -> Installs:
    """The requirements of a ``requirements.txt``; its options are the index's business, not the image's."""
    requirements, files = [], []
    for written in text.replace("\\\n", " ").splitlines():
        line = re.split(r"(?:^|\s)#", written, maxsplit=1)[0].strip()
        if named := re.match(r"(?:-r|--requirement)[ =]*(.+)", line):
            files.append((named[1].strip(), where))
        elif line and not line.startswith("-"):
            requirements.append(Install(re.split(r"\s--\w", line, maxsplit=1)[0], where, where))
    return Installs(requirements=tuple(requirements), files=tuple(files))


def parse(install: Install) -> Declared | Problem:
    """The requirement, or why it is none."""
    text = install.text.strip()
    if re.match(r"(git|hg|svn|bzr)\+|https?://", text):
        return _of_url(install)
    if text.startswith((".", "/", "~")) or text.endswith((".whl", ".tar.gz")) or "@ file:" in text:
        message = f"{text} is a file of this machine: an image cannot install it"
        return Problem(message=message, where=install.where, hint="put a wheel of it on your index")
    try:
        return Declared(text)
    except InvalidRequirement:
        return Problem(message=f"{text!r} is no requirement", where=install.where)


def _of_url(install: Install) -> Declared | Problem:
    """``git+https://host/name.git@tag`` by the name that its egg or its path has."""
    url, _, fragment = install.text.partition("#")
    named = re.search(r"egg=([\w.-]+)", fragment)
    last = url.rstrip("/").rpartition("/")[2]
    name = named[1] if named else re.split(r"@|\.git|-\d", last, maxsplit=1)[0]
    try:
        return Declared(f"{name} @ {url}")
    except InvalidRequirement:
        return Problem(message=f"{url!r} names no distribution", where=install.where, hint="add #egg=NAME")


def join(several: Sequence[Installs]) -> Installs:
    """All of them as one."""
    return Installs(
        requirements=tuple(one for each in several for one in each.requirements),
        packages=tuple(one for each in several for one in each.packages),
        files=tuple(one for each in several for one in each.files),
        problems=tuple(one for each in several for one in each.problems),
        python=next((each.python for each in several if each.python), ""),
    )


def _commands(words: Sequence[str]) -> Iterator[list[str]]:
    current: list[str] = []
    for word in words:
        if word in _SEPARATORS or word.endswith(";"):
            yield [*current, *([word[:-1]] if word not in _SEPARATORS else [])]
            current = []
        else:
            current.append(word)
    yield current


def _of_words(words: list[str], line: str, where: str) -> Installs | None:
    while words and (words[0] in ("sudo", "!", "env", "-E", "exec") or re.match(r"\w+=", words[0])):
        words = words[1:]
    if not words:
        return None
    name = words[0].rpartition("/")[2]
    if name == "uv" and words[1:2] == ["pip"]:
        words, name = words[1:], "pip"
    elif re.fullmatch(r"python[\d.]*|\{sys\.executable\}", name) and words[1:3] == ["-m", "pip"]:
        words, name = words[2:], "pip"
    if "install" not in words:
        return None
    rest = words[words.index("install") + 1 :]
    if re.fullmatch(r"pip[\d.]*", name):
        return _of_pip(rest, where)
    if name in ("apt", "apt-get", "aptitude"):
        names = [word.partition("=")[0] for word in rest if not word.startswith("-")]
        return Installs(packages=tuple((word, where) for word in names if _PACKAGE.match(word)))
    if name in ("conda", "mamba", "micromamba"):
        message = f"`{line.strip()}`: conda's packages do not go into an image"
        hint = "what is imported is taken from the index in the version that is installed"
        return Installs(problems=(Problem(message=message, where=where, hint=hint, severity="warning"),))
    return None


def _of_pip(words: Sequence[str], where: str) -> Installs:
    requirements: list[Install] = []
    files: list[tuple[str, str]] = []
    problems: list[Problem] = []
    rest = iter(words)
    for word in rest:
        option, has_value, value = word.partition("=")
        if word in ("-r", "--requirement", "-c", "--constraint"):
            path = next(rest, "")
            files += [(path, where)] if word in ("-r", "--requirement") else []
        elif word.startswith("-r") and len(word) > 2:
            files.append((word[2:], where))
        elif word in ("-e", "--editable"):
            told = f"`-e {next(rest, '')}` installs from files of this machine"
            hint = "build a wheel and put it on your index, or import it from the workspace"
            problems.append(Problem(message=told, where=where, hint=hint, severity="warning"))
        elif word in _WITH_VALUE:
            next(rest, "")
        elif word.startswith("-"):
            if option == "--requirement" and has_value:
                files.append((value, where))
        elif re.search(r"\$|\{\w", word):
            told = f"{word!r} is installed by a name that is known only when it runs"
            hint = "write the requirement out"
            problems.append(Problem(message=told, where=where, hint=hint, severity="warning"))
        else:
            requirements.append(Install(_SPACED.sub(r"\1", word), where, "%pip"))
    return Installs(tuple(requirements), (), tuple(files), tuple(problems))
