"""Who we are at a registry: what ``docker login`` or ``podman login`` left on this machine.

The files are looked through as podman does: ``REGISTRY_AUTH_FILE`` alone when it is set, else podman's, then
docker's (``DOCKER_CONFIG``). A file may name programs that keep the secrets (``credHelpers``, ``credsStore``);
they are asked by docker's protocol. Nothing here is ever printed.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidSettings
from ..image_names import DOCKER_HUB

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", DOCKER_HUB, "registry-1.docker.io")
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HELPER_SECONDS = 30.0
_TOKEN_USER = "<token>"  # noqa: S105 (docker's mark for "the secret is an identity token")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with a password, or an identity token (what some registries give instead of keeping passwords)."""

    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    def basic(self) -> str:
        """The value of an ``Authorization`` header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def find_credentials(
    registry: str, repository: str = "", environ: Mapping[str, str] | None = None
) -> Credentials | None:
    """What this machine knows for a registry, and for a repository of it (podman's files may say so), or None."""
    for path in _files(os.environ if environ is None else environ):
        document = _read(path)
        found = _from_helper(document, registry, path) or _from_file(document, registry, repository, path)
        if found is not None:
            return found
    return None


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
        return
    home = Path(environ.get("HOME") or Path.home())
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"], "containers", "auth.json")
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "containers", "auth.json")
    yield Path(environ.get("DOCKER_CONFIG") or home / ".docker", "config.json")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidSettings(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise _wrong(path, "is not JSON") from error
    if not isinstance(document, dict):
        raise _wrong(path, "is no file of registry logins")
    return document


def _from_helper(document: Mapping[str, Any], registry: str, path: Path) -> Credentials | None:
    keys = _HUB_KEYS if registry == DOCKER_HUB else (registry, f"https://{registry}")
    helpers = document.get("credHelpers")
    helpers = helpers if isinstance(helpers, dict) else {}
    for key in keys:
        program = helpers.get(key) or document.get("credsStore")
        if program:
            found = _ask(str(program), key, path)
            if found is not None:
                return found
    return None


def _ask(program: str, key: str, path: Path) -> Credentials | None:
    """One question to ``docker-credential-PROGRAM``; it exits with 1 when it knows nothing."""
    if not _PROGRAM.fullmatch(program):
        raise _wrong(path, f"names a credential helper {program!r}, which is no program's name")
    command = [f"docker-credential-{program}", "get"]
    try:
        done = subprocess.run(
            command, input=key, capture_output=True, text=True, timeout=_HELPER_SECONDS, check=False
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
    except FileNotFoundError as error:
        raise InvalidSettings(
            f"{path} names {command[0]}, which is not installed",
            hint="install it, or log in without a helper",
        ) from error
    except (subprocess.TimeoutExpired, ValueError, OSError) as error:
        raise InvalidSettings(f"{command[0]}, named by {path}, gave no answer") from error
    user, secret = str(answer.get("Username") or ""), str(answer.get("Secret") or "")
    if not secret:
        return None
    return Credentials(identity_token=secret) if user == _TOKEN_USER else Credentials(user, secret)


def _from_file(document: Mapping[str, Any], registry: str, repository: str, path: Path) -> Credentials | None:
    entries = document.get("auths")
    if not isinstance(entries, dict):
        return None
    for key in _keys(registry, repository):
        entry = entries.get(key)
        if isinstance(entry, dict) and entry:
            found = _entry(entry, key, path)
            if found is not None:
                return found
    return None


def _keys(registry: str, repository: str) -> Iterator[str]:
    """Under what names a login may stand: the nearest part of the path first, as podman writes it."""
    parts = repository.split("/") if repository else []
    for length in range(len(parts), 0, -1):
        yield "/".join([registry, *parts[:length]])
    yield from _HUB_KEYS if registry == DOCKER_HUB else (registry,)
    yield from (
        f"https://{registry}",
        f"https://{registry}/",
        f"https://{registry}/v1/",
        f"https://{registry}/v2/",
    )


def _entry(entry: Mapping[str, Any], key: str, path: Path) -> Credentials | None:
    if entry.get("identitytoken"):
        return Credentials(identity_token=str(entry["identitytoken"]))
    if entry.get("auth"):
        try:
            user, colon, password = (
                base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
            )
        except (binascii.Error, ValueError) as error:
            raise _wrong(path, f"has a login for {key} that cannot be read") from error
        if not colon:
            raise _wrong(path, f"has a login for {key} without a password")
        return Credentials(user, password.rstrip("\0"))
    if entry.get("username"):
        return Credentials(str(entry["username"]), str(entry.get("password") or ""))
    return None


def _wrong(path: Path, what: str) -> InvalidSettings:
    return InvalidSettings(
        f"{path} {what}", hint="log in again: docker login REGISTRY, or podman login REGISTRY"
    )
