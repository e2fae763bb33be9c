"""The user's own files that go along: notebooks, the modules that they import, the data that they open.

All lie below one root and keep their places to each other. What lies elsewhere, looks like a secret or is too
large for an image is told instead of taken.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import MlopsError
from ..notebooks.files import load_notebook
from ..notebooks.local_modules import follow
from ..notebooks.scan import Scan
from ..problems import Problem
from ..resources import format_bytes
from .files import Mention
from .sources import Reading, read_module, read_notebook
from .stripping import stripped

_INLINE = 2**20  # larger files stay where they are until an image is built
_LARGEST = 2**29
_SECRETS = (".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "id_rsa*", "id_ed25519*", "id_ecdsa*", ".netrc",
            ".pgpass", ".pypirc", ".git-credentials", "credentials", "credentials.*", "*credentials.json", "kubeconfig",
            "secrets.*", "*.keystore", "*.jks")  # fmt: skip
_DATABASE = re.compile(r"(?:sqlite|duckdb)(?:\+\w+)?:///([^\s?]+)\Z")
_SKIPPED = frozenset({".git", ".mlops", "__pycache__", ".ipynb_checkpoints", ".venv", "node_modules"})


@dataclass(slots=True)
class Gathered:
    """What goes along by its path below the root, and everything that was read of it."""

    root: Path
    notebooks: dict[str, bytes] = field(default_factory=dict)
    modules: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes | Path] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    import_paths: set[str] = field(default_factory=set)
    local_names: set[str] = field(default_factory=set)
    readings: list[Reading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: Gathered) -> None:
        """Take in what another notebook below the same root needs."""
        self.notebooks.update(other.notebooks)
        self.modules.update(other.modules)
        self.files.update(other.files)
        self.reasons = {**other.reasons, **self.reasons}
        self.import_paths |= other.import_paths
        self.local_names |= other.local_names
        self.readings += other.readings
        self.problems += [one for one in other.problems if one not in self.problems]


@dataclass(frozen=True, slots=True)
class Search:
    """Where modules are looked for besides the notebook's folder: `late` for top-level names that are `wanted`
    only, which no distribution brings; `elsewhere` are folders outside of the root that go along all the same."""

    late: tuple[Path, ...] = ()
    wanted: frozenset[str] = frozenset()
    elsewhere: tuple[Path, ...] = ()


def gather(notebook: Path, root: Path, python: tuple[int, ...], search: Search) -> Gathered:
    """Read `notebook` and what it uses. Raises `NotFound` and `InvalidNotebook` for the notebook itself."""
    gathered = Gathered(root)
    places = _Places(root, search.elsewhere)
    name = places.below(notebook) or notebook.name
    nb = load_notebook(notebook)
    own = read_notebook(nb, name, python)
    gathered.notebooks[name] = stripped(nb)
    gathered.readings.append(own)
    gathered.import_paths.add(posixpath.dirname(name))
    folder = notebook.parent
    for path, text in own.written_modules.items():
        if (written := _write_module(gathered, places, folder, path, text, python)) is not None:
            own.scan.imports += [one for one in written.scan.imports if not one.level]
    read = _reader(gathered, places, folder, python)
    local = follow(
        _with_runs(own, folder),
        folder,
        read,
        late=search.late,
        is_installed=lambda top: top not in search.wanted,
    )
    gathered.local_names |= local.names
    _import_paths(gathered, places, folder, search, local.names)
    for reading in gathered.readings:
        reading.local = frozenset(gathered.local_names)
        _take_files(gathered, places, folder, reading)
        gathered.problems += reading.problems
    return gathered


def _reader(
    gathered: Gathered, places: _Places, folder: Path, python: tuple[int, ...]
) -> Callable[[Path], Scan]:
    """How `follow` reads a file: it goes along, and what it asks for is kept."""

    def read(path: Path) -> Scan:
        name = places.below(path)
        if name is None or places.below(path.resolve()) is None:
            told = f"{path.name} is imported from {path.parent}, which lies outside of {gathered.root.name}"
            hint = "move it into the workspace, or say include_local"
            gathered.problems.append(Problem(message=told, where=next(iter(gathered.notebooks)), hint=hint))
            return Scan()
        try:
            if path.suffix == ".ipynb":
                nb = load_notebook(path)
                reading = read_notebook(nb, name, python)
                gathered.notebooks[name] = stripped(nb)
            else:
                content = path.read_bytes()
                reading = read_module(content, name, python, file=_relative(path, folder))
                gathered.modules.setdefault(name, content)
        except (MlopsError, OSError) as error:
            told = f"it cannot be read: {error}"
            gathered.problems.append(Problem(message=told, where=name))
            return Scan()
        gathered.readings.append(reading)
        return _with_runs(reading, folder)

    return read


def _with_runs(reading: Reading, folder: Path) -> Scan:
    """Its scan, with the notebooks and scripts that it names as well: somebody runs them."""
    named = [mention.path for mention, _ in reading.mentions if mention.how in ("named", "read")]
    for path in dict.fromkeys(named):
        is_code = path.endswith((".ipynb", ".py")) and not path.startswith(("/", "~"))
        if is_code and path not in reading.scan.runs and (folder / path).is_file():
            reading.scan.runs.append(path)
    return reading.scan


def _write_module(
    gathered: Gathered, places: _Places, folder: Path, path: str, text: str, python: tuple[int, ...]
) -> Reading | None:
    """A module that a cell writes goes along as the cell writes it."""
    name = places.below(Path(os.path.normpath(folder / path)))
    if name is None:
        return None
    content = text.encode()
    gathered.modules[name] = content
    gathered.reasons[name] = "written by a cell"
    reading = read_module(content, name, python, file=path)
    gathered.readings.append(reading)
    gathered.local_names.add(Path(path).parts[0].removesuffix(".py"))
    return reading


def _import_paths(
    gathered: Gathered, places: _Places, folder: Path, search: Search, names: Collection[str]
) -> None:
    """The folders that imports need on the path: of those looked in, the ones in which something was found."""
    additions = [
        Path(os.path.normpath(folder / addition))
        for reading in gathered.readings
        for addition in reading.scan.path_additions
    ]
    for place in [*search.late, *additions]:
        below = places.below(place)
        if below is not None and any(_holds(gathered.modules, below, top) for top in names):
            gathered.import_paths.add(below)


def _holds(modules: Collection[str], folder: str, top: str) -> bool:
    head = posixpath.join(folder, top)
    return any(path == f"{head}.py" or path.startswith(f"{head}/") for path in modules)


# --- data -------------------------------------------------------------------------------------------------


def _take_files(gathered: Gathered, places: _Places, folder: Path, reading: Reading) -> None:
    """The files that a reading mentions, if they are there: not what the code itself writes first."""
    first: dict[str, str] = {}
    is_listing = any(mention.how == "listed" for mention, _ in reading.mentions)
    told: set[str] = set()
    for text, where in reading.texts:
        _tell_database(gathered, folder, text, where)
    for mention, where in reading.mentions:
        if mention.how == "unknown":
            if not is_listing and (text := f"{mention.call}({mention.path})") not in told:
                told.add(text)
                message = f"which file {text} opens is known only when it runs"
                hint = "spell the path out, mount the file, or pass it as an artifact"
                gathered.problems.append(Problem(message=message, where=where, hint=hint, severity="warning"))
            continue
        if "://" in mention.path or mention.path.startswith("~") or "\0" in mention.path:
            continue
        if first.setdefault(os.path.normpath(mention.path), mention.how) != "written":
            _take(gathered, places, folder, mention, where)


def _tell_database(gathered: Gathered, folder: Path, text: str, where: str) -> None:
    """A database beside the notebook changes, so it does not go along."""
    match = _DATABASE.match(text)
    if match is not None and not match[1].startswith("/") and (folder / match[1]).is_file():
        message = f"the database {match[1]} does not go along"
        hint = "mount it where the container runs, or give another URL"
        gathered.problems.append(Problem(message=message, where=where, hint=hint, severity="warning"))


def _take(gathered: Gathered, places: _Places, folder: Path, mention: Mention, where: str) -> None:
    try:
        found = [path for path in _found(folder, mention) if not _SKIPPED & set(path.parts)]
    except (OSError, ValueError):  # text that no file system takes for a path
        return
    if not found and mention.how == "read" and "." in mention.path and not mention.path.startswith("/"):
        told = f"{mention.call}({mention.path!r}): there is no such file here"
        hint = "mount it, or pass it as an artifact"
        gathered.problems.append(Problem(message=told, where=where, hint=hint, severity="warning"))
    for path in found:
        name = places.below(path)
        if name in gathered.modules or name in gathered.notebooks or name in gathered.files:
            continue
        if (why := _why_not(places, path, name)) is None and name is not None:
            gathered.files[name] = path.read_bytes() if path.stat().st_size <= _INLINE else path
            gathered.reasons[name] = f"{mention.call or 'named'}, {where}"
        elif mention.how in ("read", "listed") or (name is not None and why):
            hint = "mount it where the container runs"
            told = f"{mention.path} is not taken: {why}"
            gathered.problems.append(Problem(message=told, where=where, hint=hint, severity="warning"))


def _found(folder: Path, mention: Mention) -> Iterator[Path]:
    """The files that a mention stands for; folders only where something is read from them."""
    path = Path(os.path.normpath(folder / mention.path))
    if mention.how == "listed":
        pattern = os.path.join(glob.escape(str(folder)), mention.path)
        yield from (
            Path(os.path.normpath(one))
            for one in sorted(glob.glob(pattern, recursive=True))
            if os.path.isfile(one)
        )
    elif path.is_file():
        yield path
    elif path.is_dir() and mention.how == "read" and mention.path not in ("", "."):
        yield from (one for one in sorted(path.rglob("*")) if one.is_file())


def _why_not(places: _Places, path: Path, name: str | None) -> str | None:
    if name is None or places.below(path.resolve()) is None:
        return "it lies outside of the workspace"
    if any(fnmatch.fnmatch(path.name.lower(), pattern) for pattern in _SECRETS):
        return "it looks like a secret"
    if path.stat().st_size > _LARGEST:
        return f"it has {format_bytes(path.stat().st_size)}"
    return None


# --- places -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Places:
    """Paths as an image has them: below the root; what is included from elsewhere below ``_local``."""

    root: Path
    elsewhere: Sequence[Path] = ()

    def below(self, path: Path) -> str | None:
        """The path below the root, "" for the root itself; None for what lies outside."""
        for place, head in [
            (self.root, ""),
            (self.root.resolve(), ""),
            *((one, "_local") for one in self.elsewhere),
        ]:
            if path.is_relative_to(place):
                inner = path.relative_to(place).as_posix()
                return posixpath.join(head, "" if inner == "." else inner).rstrip("/")
        return None


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
