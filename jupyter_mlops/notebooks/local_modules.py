"""Which files of the user's own a piece of code imports and runs, and those in turn.

They are looked for as Python would: beside the notebook, and where the code extends ``sys.path``. How a file is
read is the caller's business, since one asks what it imports and another why; each file is read once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .scan import Import, Scan


@dataclass(slots=True)
class Local:
    """The files beside the notebook that it uses, and the top-level names by which they are imported."""

    scans: dict[Path, Scan] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


def follow(
    start: Scan,
    folder: Path,
    read: Callable[[Path], Scan],
    *,
    search: Sequence[Path] = (),
    late: Sequence[Path] = (),
    is_installed: Callable[[str], bool] = lambda _top: False,
) -> Local:
    """Find what code in `folder` uses there (and where it extends ``sys.path``), and so on.

    `search` are more folders to look in, and `late` some that count only for what is not `is_installed`.
    """
    local = Local()
    places = [folder, *(_clean(folder / addition) for addition in start.path_additions), *search]
    waiting = [(start, folder)]
    while waiting:
        current, here = waiting.pop()
        for path in [
            *_imported_files(current, here, places, local.names),
            *_imported_files(_left(current, is_installed), here, late, local.names),
            *_run_files(current, folder),
        ]:
            if path not in local.scans:
                found = local.scans[path] = read(path)
                places += [_clean(folder / addition) for addition in found.path_additions]
                waiting.append((found, path.parent))
    return local


def _left(current: Scan, is_installed: Callable[[str], bool]) -> Scan:
    """The imports that are still to be found."""
    return Scan(imports=[one for one in current.imports if one.top and not is_installed(one.top)])


def _clean(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _imported_files(current: Scan, here: Path, search: Sequence[Path], names: set[str]) -> Iterator[Path]:
    """The files that the imports of a file in the folder `here` execute; local names go to `names`."""
    for one in current.imports:
        if one.level:
            for base in [here, *here.parents][one.level - 1 : one.level]:
                yield from _relative_files(base, one)
            continue
        for place in search:
            if found := list(_module_files(place, one.module.split("."), one.names)):
                names.add(one.top)
                yield from found
                break


def _run_files(current: Scan, folder: Path) -> Iterator[Path]:
    return (path for name in current.runs if (path := _clean(folder / name)).is_file())


def _relative_files(base: Path, one: Import) -> Iterator[Path]:
    if (base / "__init__.py").is_file():
        yield base / "__init__.py"
    if one.module:
        yield from _module_files(base, one.module.split("."), one.names)
    else:
        yield from _members(base, one.names)


def _module_files(place: Path, parts: Sequence[str], names: Sequence[str]) -> Iterator[Path]:
    """The files that ``from parts import names`` executes, if the module is found in `place`."""
    name, rest = parts[0], parts[1:]
    package, module = place / name, place / f"{name}.py"
    if not name:
        return
    if (package / "__init__.py").is_file():
        yield package / "__init__.py"
    elif module.is_file():
        yield module
        return
    elif not package.is_dir():
        return
    # A folder without __init__.py is a package only by what is found in it.
    yield from _module_files(package, rest, names) if rest else _members(package, names)


def _members(package: Path, names: Sequence[str]) -> Iterator[Path]:
    """The modules among what is imported from a package; ``*`` may mean all of them."""
    if "*" in names and (package / "__init__.py").is_file():
        yield from package.glob("*.py")
    for name in names:
        if name != "*":
            yield from _module_files(package, [name], ())
