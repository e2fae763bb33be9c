"""Registries that are spoken to without TLS because the user says so, where podman asks, too: ``registries.conf``.

::

    [[registry]]
    location = "registry.cluster.local:5000"
    insecure = true

TLS is tried first all the same.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import InvalidSettings
from ..image_names import is_loopback


def may_be_plain(host: str, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a registry may go without TLS: one on loopback, or one that is marked so."""
    if is_loopback(host):
        return True
    return any(_marks(path, host) for path in _files(os.environ if environ is None else environ))


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """The one that is named, else the user's, else the machine's; with what lies in the folder beside it."""
    home = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or Path.home(), ".config"))
    named = environ.get("CONTAINERS_REGISTRIES_CONF")
    places = (
        [Path(named)]
        if named
        else [home / "containers" / "registries.conf", Path("/etc/containers/registries.conf")]
    )
    for path in places:
        if path.is_file():
            yield path
            break
    for folder in dict.fromkeys(path.with_name("registries.conf.d") for path in places):
        yield from sorted(folder.glob("*.conf"))


def _marks(path: Path, host: str) -> bool:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(
            f"{path} is not TOML: {error}", hint="see man containers-registries.conf"
        ) from error
    entries = document.get("registry")
    return any(
        isinstance(entry, dict)
        and entry.get("insecure") is True
        and host in (entry.get("location"), str(entry.get("prefix") or "").partition("/")[0])
        for entry in (entries if isinstance(entries, list) else ())
    )
