"""Run by any Python from 3.8 on: what is installed in its environment, and what stands behind some modules.

Its text is executed by the kernel's Python, which need not have jupyter_mlops, so it imports nothing but the
standard library. Unlike `notebooks.probe`, which tells a cache key apart, it reads the file lists: a module of
a namespace (``google.cloud.storage``) belongs to whoever brings that very file.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import sys

_SUFFIXES = (".py", ".so", ".pyd")


def inventory(modules: list[str]) -> dict[str, object]:
    """``{"python", "machine", "path", "distributions": {name: {…}}, "modules": {dotted: [name, …]}, "places"}``.

    A distribution has its `version`, what it `requires` (with markers), the `folder` that it is installed in,
    its `direct` URL as pip recorded it, and its `installer`. `places` are the files or folders of those
    top-level modules that belong to no file list: local ones, and editable ones.
    """
    known: dict[str, dict[str, object]] = {}
    records: dict[str, list[str]] = {}
    for folder in sys.path:
        try:
            entries = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for entry in entries:
            if entry.endswith((".dist-info", ".egg-info")):
                name, told = _read(os.path.join(folder, entry), entry)
                if name not in known:  # the first one on the path wins, as for an import
                    known[name] = {**told, "folder": folder}
                    records[name] = _files(os.path.join(folder, entry)) if modules else []
    tops = {module.partition(".")[0] for module in modules}
    relevant: dict[str, dict[str, list[str]]] = {top: {} for top in tops}
    for name, files in records.items():
        for file in files:
            top = file.partition("/")[0].partition(".")[0]
            if top in tops and file.endswith(_SUFFIXES):
                relevant[top].setdefault(name, []).append(file)
    found = {module: _behind(module, relevant[module.partition(".")[0]]) for module in modules}
    homeless = {module.partition(".")[0] for module, names in found.items() if not names}
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "machine": platform.machine(),
        "path": sys.path,
        "distributions": known,
        "modules": found,
        "places": {top: place for top in sorted(homeless) for place in [_place(top)] if place},
    }


def _behind(module: str, files: dict[str, list[str]]) -> list[str]:
    """The distributions that bring most of a dotted name: its longest part that is a file of theirs."""
    best: list[str] = []
    depth = 0
    parts = module.split(".")
    for name, own in files.items():
        reached = max((_depth(parts, file) for file in own), default=0)
        if reached > depth:
            best, depth = [name], reached
        elif reached == depth and depth:
            best.append(name)
    return best


def _depth(parts: list[str], file: str) -> int:
    """How many of a dotted name's parts a file stands for; 0 if it is another module's."""
    *folders, last = file.split("/")
    stem = last.partition(".")[0]
    own = folders if stem == "__init__" else [*folders, stem]
    return len(own) if own == parts[: len(own)] else 0


def _read(place: str, entry: str) -> tuple[str, dict[str, object]]:
    text = _text(place, "METADATA") or _text(place, "PKG-INFO") or _text(place)
    head = text.partition("\n\n")[0]
    stem = os.path.splitext(entry)[0]
    name = _field(head, "Name") or stem.partition("-")[0]
    try:
        direct = json.loads(_text(place, "direct_url.json") or "{}")
    except ValueError:
        direct = {}
    return re.sub(r"[-_.]+", "-", name).lower(), {
        "version": _field(head, "Version") or stem.partition("-")[2],
        "requires": re.findall(r"^Requires-Dist: *(.+?) *$", head, re.MULTILINE),
        "direct": direct,
        "installer": _text(place, "INSTALLER").strip(),
        "files": os.path.basename(place),
    }


def _field(head: str, name: str) -> str:
    match = re.search(f"^{name}: *(.+?) *$", head, re.MULTILINE)
    return match.group(1) if match else ""


def _files(place: str) -> list[str]:
    """The files of a distribution, relative to the folder that it is installed in."""
    lines = _text(place, "RECORD").splitlines()
    if lines:
        return [line.strip('"').partition(",")[0] for line in lines]
    # Without a file list, as Debian and old eggs have it: the top-level names must do.
    names = _text(place, "top_level.txt").split()
    return [file for name in names for file in (f"{name}/__init__.py", f"{name}.py")]


def _text(*parts: str) -> str:
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _place(top: str) -> str:
    """The file or folder that would be imported for a top-level name."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return ""
    if spec is None or spec.origin in ("built-in", "frozen"):
        return ""
    for folder in spec.submodule_search_locations or []:
        return str(folder)
    return spec.origin or ""


if __name__ == "__main__":
    sys.path[:] = [folder for folder in sys.path if folder]  # not the folder that this happens to run in
    print(json.dumps(inventory(json.load(sys.stdin))))  # noqa: T201 - this is its answer
