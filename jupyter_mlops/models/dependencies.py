"""What must be installed, and which files must lie beside, for a model to run elsewhere.

From the modules that the pickles name and the imports that the functions' code makes: each leads to a
distribution, pinned as it is installed here, or to a file of the user's own, whose source goes along. What
those distributions need in turn makes the lock.
"""

from __future__ import annotations

import ast
import dis
import importlib.util
import os
import platform
import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, did_you_mean
from .capture import Captured, is_local, is_local_file

# Modules that are called otherwise than their distribution; saves reading the file lists of all of them.
USUAL = {
    "PIL": "pillow", "bs4": "beautifulsoup4", "cv2": "opencv-python", "dateutil": "python-dateutil",
    "skimage": "scikit-image", "sklearn": "scikit-learn", "yaml": "pyyaml",
}  # fmt: skip
_OWN = "jupyter_mlops"
_IMPORT = re.compile(r"^Requires-Dist: *(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`direct` and `locked`: requirements (``numpy==2.4.6``); `sources`: path below ``code/`` → bytes;
    `by_name`: local modules that are imported when a function runs, so that their files must be found then;
    `modules`: those of distributions that are used, which whoever wants to be quick imports beforehand."""

    python: str
    platform: str
    direct: tuple[str, ...]
    locked: tuple[str, ...]
    sources: Mapping[str, bytes]
    by_name: tuple[str, ...]
    modules: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As the manifest keeps it; the sources are files of the version."""
        return {
            "python": self.python,
            "platform": self.platform,
            "direct": list(self.direct),
            "locked": list(self.locked),
            "local_modules": sorted(self.sources),
            "imported_by_name": list(self.by_name),
            "modules": list(self.modules),
        }


def gather(
    captured: Iterable[Captured], *, modules: Iterable[str] = (), requires: Sequence[str] = ()
) -> Dependencies:
    """What `captured` needs; `modules` are needed besides, `requires` names distributions that no code names
    (plugins). `InvalidInput` for one that is not installed."""
    captured = list(captured)
    named = {module for one in captured for module in one.modules} | set(modules)
    lazy = {
        module for one in captured for function in one.functions for module in _imports(function.__code__)
    }
    for one in captured:
        for kind in one.classes:
            lazy |= {
                m
                for f in vars(kind).values()
                if isinstance(f, types.FunctionType)
                for m in _imports(f.__code__)
            }
    local = _Local()
    for module in sorted(named):
        if is_local(module):
            local.add(module)
    local_by_name = {module for module in lazy if local.add(module)}
    followed = local.follow(local_by_name)
    left = sys.stdlib_module_names | local.tops | {"", _OWN, "__main__", "__mp_main__"}
    foreign = {module for module in named | lazy | followed if module.partition(".")[0] not in left}
    tops = {module.partition(".")[0] for module in foreign}
    found = {name for top in sorted(tops) for name in distributions_of(top)} | {
        _required(text) for text in requires
    }
    return Dependencies(
        python=platform.python_version(),
        platform=f"{sys.platform}-{platform.machine()}",
        direct=tuple(sorted(map(_pin, found))),
        locked=tuple(sorted(map(_pin, _closure(found)))),
        sources=local.sources,
        by_name=tuple(sorted(local_by_name | local.names_of(followed))),
        modules=tuple(sorted(foreign)),
    )


def _imports(code: types.CodeType) -> Iterator[str]:
    """The modules that a function's code, and what is nested in it, imports when it runs."""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _imports(constant)


# --- the user's own modules -----------------------------------------------------------------------------------


class _Local:
    """Files that lie about, by the path at which they are importable below one folder."""

    def __init__(self) -> None:
        self.sources: dict[str, bytes] = {}
        self.tops: set[str] = set()

    def add(self, module: str) -> bool:
        """Take the source of a module and of the packages that it lies in; whether it is a local one."""
        path = _file_of(module)
        if path is None:
            return False
        parts = module.split(".")
        end = "/__init__.py" if path.name == "__init__.py" else ".py"
        self.sources["/".join(parts) + end] = path.read_bytes()
        self.tops.add(parts[0])
        for count in range(1, len(parts)):
            parent = _file_of(".".join(parts[:count]))
            if parent is not None:
                self.sources["/".join([*parts[:count], "__init__.py"])] = parent.read_bytes()
        return True

    def follow(self, modules: Iterable[str]) -> set[str]:
        """All that `modules` import at their head or anywhere, local ones in turn."""
        waiting, seen = list(modules), set(modules)
        while waiting:
            module = waiting.pop()
            path = _file_of(module)
            if path is None:
                continue
            for name in _imports_of_file(path, module):
                if name not in seen:
                    seen.add(name)
                    if self.add(name):
                        waiting.append(name)
        return seen

    def names_of(self, modules: Iterable[str]) -> set[str]:
        return {name for name in modules if _file_of(name) is not None}


def _file_of(module: str) -> Path | None:
    """The file of a module of the user's own, without importing it."""
    if module in sys.modules:
        path = getattr(sys.modules[module], "__file__", None)
        return Path(path) if path and is_local(module) else None
    top, _, rest = module.partition(".")
    if top in sys.stdlib_module_names or top in (_OWN, "__main__", ""):
        return None
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None or not spec.origin or not is_local_file(spec.origin, top):
        return None
    base = Path(spec.origin)
    if not rest:
        return base
    place = base.parent.joinpath(*rest.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)


def _imports_of_file(path: Path, module: str) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield stem
            yield from (f"{stem}.{alias.name}" for alias in node.names if _file_of(f"{stem}.{alias.name}"))


# --- distributions --------------------------------------------------------------------------------------------


def distributions_of(top: str) -> tuple[str, ...]:
    """The normalized names of the distributions that bring a top-level module; () when none does."""
    return _distributions_of(top, _stamp())


def _stamp() -> tuple[int, ...]:
    """Changes when something is installed, so that what is remembered is read anew."""
    return tuple(
        os.stat(path).st_mtime_ns for path in sys.path if "-packages" in path and os.path.isdir(path)
    )


@lru_cache(maxsize=4096)
def _distributions_of(top: str, stamp: tuple[int, ...]) -> tuple[str, ...]:
    usual = normalize(USUAL.get(top, top))
    if usual in _installed(stamp) and top in top_levels(usual):
        return (usual,)
    return tuple(sorted({normalize(name) for name in _everything(stamp).get(top, ())}))


@lru_cache(maxsize=4)
def _everything(stamp: tuple[int, ...]) -> Mapping[str, Sequence[str]]:
    return metadata.packages_distributions()


@lru_cache(maxsize=4)
def _installed(stamp: tuple[int, ...]) -> Mapping[str, tuple[str, Path]]:
    """Normalized name → (version, metadata folder); the first one on the path wins, as for an import."""
    known: dict[str, tuple[str, Path]] = {}
    for folder in sys.path:
        try:
            entries = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for entry in entries:
            stem, suffix = os.path.splitext(entry)
            name, _, version = stem.partition("-")
            if suffix == ".dist-info" and version:
                known.setdefault(normalize(name), (version, Path(folder, entry)))
    return known


def normalize(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def top_levels(name: str) -> frozenset[str]:
    """The top-level modules that a distribution brings."""
    found = _installed(_stamp()).get(name)
    return _top_levels(found[1]) if found else frozenset()


@lru_cache(maxsize=1024)
def _top_levels(folder: Path) -> frozenset[str]:
    text = _read(folder / "top_level.txt")
    if text.strip():
        return frozenset(text.split())
    names = set()
    for line in _read(folder / "RECORD").splitlines():
        first, slash, rest = line.partition("/")
        if (rest if slash else first).partition(",")[0].endswith((".py", ".so", ".pyd", "py.typed")):
            names.add(first if slash else first.partition(".")[0].partition(",")[0])
    return frozenset(names)


def _pin(name: str) -> str:
    found = _installed(_stamp()).get(name)
    if found is None:
        return name
    version, folder = found
    vcs = _from_repository(folder)
    return f"{name} @ {vcs}" if vcs else f"{name}=={version}"


@lru_cache(maxsize=1024)
def _from_repository(folder: Path) -> str:
    """Where a distribution was installed from, if that was a commit of a repository."""
    import json

    try:
        told = json.loads(_read(folder / "direct_url.json") or "{}")
    except ValueError:
        return ""
    vcs = told.get("vcs_info")
    return f"{vcs['vcs']}+{told['url']}@{vcs['commit_id']}" if vcs else ""


def _required(text: str) -> str:
    name = normalize(re.split(r"[\s=<>!~\[;@]", text.strip(), maxsplit=1)[0])
    known = _installed(_stamp())
    if name not in known:
        raise InvalidInput(
            f"requires: {text!r} is not installed here, so it cannot be pinned",
            hint=did_you_mean(name, known) or "install it here first",
        )
    return name


def _closure(names: Iterable[str]) -> set[str]:
    """`names` and all that they require, as far as it is installed."""
    waiting, seen = list(names), set(names)
    while waiting:
        found = _installed(_stamp()).get(waiting.pop())
        for name in _requires(found[1]) if found else ():
            if name not in seen and name in _installed(_stamp()):
                seen.add(name)
                waiting.append(name)
    return seen


@lru_cache(maxsize=1024)
def _requires(folder: Path) -> tuple[str, ...]:
    """The distributions that one requires here: markers are evaluated, extras are not asked for."""
    from packaging.requirements import InvalidRequirement, Requirement

    names = []
    head = _read(folder / "METADATA").partition("\n\n")[0]
    for text in _IMPORT.findall(head):
        try:
            requirement = Requirement(text.strip())
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            names.append(normalize(requirement.name))
    return tuple(names)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
