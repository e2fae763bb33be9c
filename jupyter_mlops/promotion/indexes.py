"""Where distributions come from: pip's configuration as uv reads it, so that whoever set up pip needs nothing else.

uv asks its own settings only. What they leave open is taken from pip's environment variables and files; it goes to
uv by environment, since a command line can be seen by others and an index's URL may hold a password.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s'\"]+@")
_NAMES = ("index-url", "extra-index-url", "find-links", "cert", "no-index", "trusted-host")


def uv_environment(environ: Mapping[str, str], *, has_extra: bool = True) -> dict[str, str]:
    """`environ` with pip's indexes, find-links and certificate where uv has none of its own; without pip's extra
    indexes unless `has_extra`."""
    pip = pip_settings(environ)
    made = dict(environ)
    is_set = {name for name in environ if name.startswith("UV_")}
    if (index := pip.get("index-url")) and not is_set & {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}:
        made["UV_DEFAULT_INDEX"] = index
    if (
        has_extra
        and (extra := pip.get("extra-index-url"))
        and not is_set & {"UV_INDEX", "UV_EXTRA_INDEX_URL"}
    ):
        made["UV_INDEX"] = " ".join(extra.split())
        # A version that an extra index lacks may come from the other, as with pip; but the extra ones go first, so
        # that nobody can take a private name's place.
        made.setdefault("UV_INDEX_STRATEGY", "unsafe-first-match")
    if links := pip.get("find-links"):
        made.setdefault("UV_FIND_LINKS", ",".join(links.split()))
    if pip.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        made.setdefault("UV_NO_INDEX", "1")
    if cert := pip.get("cert"):
        made.setdefault("SSL_CERT_FILE", cert)
    if hosts := pip.get("trusted-host"):
        made.setdefault("UV_INSECURE_HOST", " ".join(hosts.split()))
    return made


def project_environment(root: Path) -> dict[str, str]:
    """The indexes that the project at `root` names for uv, in ``uv.toml`` or ``[tool.uv]``: a lock is made elsewhere,
    so uv would not see them. A named index keeps its name, by which uv finds its credentials."""
    told = _tool_uv(root)
    made: dict[str, str] = {}
    listed = told.get("index")
    indexes = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    named = [
        (f"{one['name']}={one['url']}" if one.get("name") else str(one["url"]), one)
        for one in indexes
        if "url" in one
    ]
    if extra := [text for text, one in named if not one.get("default") and not one.get("explicit")]:
        made["UV_INDEX"] = " ".join(extra)
    if default := [text for text, one in named if one.get("default")] or _texts(told.get("index-url")):
        made["UV_DEFAULT_INDEX"] = default[0]
    if "UV_INDEX" not in made and (older := _texts(told.get("extra-index-url"))):
        made["UV_INDEX"] = " ".join(older)
    if links := _texts(told.get("find-links")):
        made["UV_FIND_LINKS"] = ",".join(one if "://" in one else str(root / one) for one in links)
    if strategy := _texts(told.get("index-strategy")):
        made["UV_INDEX_STRATEGY"] = strategy[0]
    return made


def _tool_uv(root: Path) -> Mapping[str, Any]:
    for name, keys in (("uv.toml", ()), ("pyproject.toml", ("tool", "uv"))):
        try:
            told: Any = tomllib.loads((root / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # ValueError: a broken file, of which uv and others tell
            continue
        for key in keys:
            told = told.get(key) if isinstance(told, dict) else None
        if isinstance(told, dict):
            return told
    return {}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What pip is told of indexes: by its variables, else by its files, the nearest first."""
    found: dict[str, str] = {}
    for name in _NAMES:
        if value := environ.get(f"PIP_{name.upper().replace('-', '_')}"):
            found[name] = value
    for path in _files(environ):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip itself says so
        for section in ("install", "global"):
            for name in _NAMES:
                value = parser.get(section, name, fallback=None) or parser.get(
                    section, name.replace("-", "_"), fallback=None
                )
                if value:
                    found.setdefault(name, value)
    return found


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    given = environ.get("PIP_CONFIG_FILE")
    if given == os.devnull:
        return
    if given:
        yield Path(given)
    home = Path(environ.get("HOME") or Path.home())
    yield Path(sys.prefix, "pip.conf")
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    yield home / ".pip" / "pip.conf"
    yield from (
        Path(folder, "pip", "pip.conf")
        for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
        if folder
    )
    yield Path("/etc/pip.conf")


def without_secrets(text: str) -> str:
    """`text` without user names and passwords in URLs."""
    return _CREDENTIALS.sub("", text)
