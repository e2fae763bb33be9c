"""Run by any Python from 3.8 on: which distributions of its environment stand behind some modules.

Its text is executed by the kernel's Python, which need not have jupyter_mlops, so it imports nothing but the
standard library. ``importlib.metadata.packages_distributions`` would read every file list in the environment;
here a module is first looked for in the distribution of its own name, which nearly always is right.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys

# Well-known modules that are called otherwise than their distribution; saves reading all of them.
_USUAL = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv_python",
    "dateutil": "python_dateutil",
    "skimage": "scikit_image",
    "sklearn": "scikit_learn",
    "yaml": "pyyaml",
}


def probe(modules: list[str]) -> dict[str, object]:
    """``{"python": version, "path": folders, "modules": {module: [[distribution, version, source], …]}}``.

    `source` is "" for what is installed for good; for an editable install, and for a module that belongs to
    no distribution at all (then without name and version), it is the file or folder that is imported.
    """
    infos = _installed(sys.path)
    everything: dict[str, list[tuple[str, str, str]]] = {}
    found: dict[str, list[list[str]]] = {}
    for module in modules:
        own = infos.get(_USUAL.get(module, _normalized(module)))
        if own and module in _modules_of(own[2]):
            behind = [own]
        else:
            if not everything:
                for info in infos.values():
                    for name in _modules_of(info[2]):
                        everything.setdefault(name, []).append(info)
            behind = everything.get(module, [])
        found[module] = [
            [name.replace("_", "-").lower(), version, _source(module) if _is_editable(folder) else ""]
            for name, version, folder in behind
        ]
        source = "" if behind else _source(module)
        if source:
            found[module] = [["", "", source]]
    return {"python": ".".join(map(str, sys.version_info[:3])), "path": sys.path, "modules": found}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _installed(path: list[str]) -> dict[str, tuple[str, str, str]]:
    """Name, version and metadata folder of each distribution by normalized name; the first one wins."""
    known: dict[str, tuple[str, str, str]] = {}
    for folder in path:
        try:
            entries = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for entry in entries:
            stem, suffix = os.path.splitext(entry)
            if suffix in (".dist-info", ".egg-info"):
                name, _, version = stem.partition("-")
                place = os.path.join(folder, entry)
                if not version or suffix == ".egg-info":
                    version = _version(place) or version
                known.setdefault(_normalized(name), (name, version, place))
    return known


def _version(place: str) -> str:
    text = _read(place, "METADATA") or _read(place, "PKG-INFO") or _read(place)
    match = re.search(r"^Version: *(.+)$", text, re.MULTILINE)
    return match.group(1).strip() if match else ""


def _read(*parts: str) -> str:
    try:
        with open(os.path.join(*parts), encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _modules_of(place: str) -> set[str]:
    """The top-level modules that a distribution brings."""
    names = set(_read(place, "top_level.txt").split())
    if not names:
        for line in _read(place, "RECORD").splitlines():
            first, slash, rest = line.partition("/")
            file = (rest if slash else first).partition(",")[0]
            if file.endswith((".py", ".so", ".pyd", "py.typed")):
                names.add(first if slash else first.partition(".")[0])
    if not names and _is_editable(place):
        # An editable install lists no modules; its files are elsewhere.
        stem = os.path.splitext(os.path.basename(place))[0]
        names.add(stem.partition("-")[0].lower())
    return names


def _is_editable(place: str) -> bool:
    text = _read(place, "direct_url.json")
    try:
        return bool(text) and json.loads(text).get("dir_info", {}).get("editable") is True
    except (ValueError, AttributeError):
        return False


def _source(module: str) -> str:
    """The file or folder that would be imported."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return ""
    if spec is None or spec.origin in ("built-in", "frozen"):
        return ""
    for folder in spec.submodule_search_locations or []:
        return str(folder)
    return spec.origin or ""


if __name__ == "__main__":
    sys.path[:] = [folder for folder in sys.path if folder]  # not the folder that this happens to run in
    print(json.dumps(probe(json.load(sys.stdin))))  # noqa: T201 - this is its answer
