"""A workspace's settings and the places that they name, looked at without making or migrating anything."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import tempfile
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..blobs import BlobStore
from ..catalog.look import look
from ..errors import CatalogUnavailable, InvalidSettings, MlopsError, did_you_mean
from ..features.online import open_online
from ..kernels.places import shared_directory
from ..preflight import demand_cluster
from ..resources import format_bytes
from ..settings import SETTINGS, Settings
from .checkup import (
    Check,
    commented_out,
    moved_away,
    of_error,
    renamed,
    settings_file,
    without_line,
    without_setting,
)

_LITTLE, _TOO_LITTLE = 2**30, 100 * 2**20
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def settings(root: Path, env: Mapping[str, str]) -> tuple[Settings | None, list[Check]]:
    """The settings, or everything that is wrong with them."""
    found = [*_of_file(root), *_of_environment(env)]
    if found:
        return None, found
    try:
        loaded = Settings.load(root, env=env)
    except InvalidSettings as error:  # what only all of them together can say
        cure = without_setting("cluster", root, env) if "cluster" in error.message else ""
        return None, [of_error("settings", error, cure)]
    file = settings_file(root)
    return loaded, [Check("settings", "ok", f"{root}" + (f", {file.name}" if file else ", all defaults"))]


def _of_file(root: Path) -> Iterator[Check]:
    file = settings_file(root)
    if file is None:
        return
    try:
        table: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        yield Check("settings", "problem", f"{file.name} cannot be read: {error}", moved_away(file, root))
        return
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        cure = commented_out(file, int(place[1])) if place else ""
        yield Check(
            "settings", "problem", f"{file.name} is not valid TOML: {error}", cure or moved_away(file, root)
        )
        return
    if file.name == "pyproject.toml":
        table = table.get("tool", {}).get("mlops", {})
    for name, value in table.items() if isinstance(table, Mapping) else ():
        setting = _BY_NAME.get(name)
        if setting is None:
            meant = _meant(name, value, table)
            cure = (renamed(file, name, meant) if meant else "") or without_line(file, name)
            hint = did_you_mean(name, _BY_NAME)
            yield Check("settings", "problem", f"{file.name}: unknown setting {name!r}", cure, hint)
            continue
        try:
            setting.read(value)
        except ValueError as error:
            yield Check("settings", "problem", f"{file.name}: {name} {error}", without_line(file, name))


def _meant(name: str, value: Any, table: Mapping[str, Any]) -> str:
    """The setting whose name was misspelled, if it is not there rightly spelled and could have the value."""
    near = get_close_matches(name, [known for known in _BY_NAME if known not in table], n=1)
    with suppress(ValueError):
        if near:
            _BY_NAME[near[0]].read(value)
            return near[0]
    return ""


def _of_environment(env: Mapping[str, str]) -> Iterator[Check]:
    for variable in sorted(name for name in env if name.startswith("MLOPS_")):
        if variable == "MLOPS_CLUSTER":
            continue  # what it may be stands in the file
        try:
            # From a folder that is not there: nothing but this variable can be wrong.
            Settings.load(Path(os.devnull) / "nowhere", env={variable: env[variable]})
        except InvalidSettings as error:
            yield of_error("settings", error, f"unset {variable}")


def catalog(loaded: Settings, env: Mapping[str, str]) -> Check:
    """Whether the database answers, and which schema it has."""
    try:
        revision, head = look(loaded.catalog)
    except CatalogUnavailable as error:
        return of_error("catalog", error, _cure_of_catalog(error, loaded, env))
    except MlopsError as error:
        return of_error("catalog", error, without_setting("catalog", loaded.root, env))
    if revision is None:
        file = Path(loaded.catalog.removeprefix("sqlite:///"))
        blocked = _blocked(file.parent, loaded.root) if loaded.catalog.startswith("sqlite:///") else ""
        if blocked:
            return Check("catalog", "problem", f"{file} cannot be made: {blocked[0]}", blocked[1])
        return Check("catalog", "ok", "not there yet: the first run makes it")
    if revision == head:
        return Check("catalog", "ok", f"answers, schema {head}")
    if revision < head:
        told = f"schema {revision}, this version has {head}: the next command migrates it"
        return Check("catalog", "warning", told, "jupyter mlops runs")
    told = f"schema {revision} is of a later jupyter-mlops, this version has {head}"
    return Check("catalog", "problem", told, "pip install --upgrade jupyter-mlops")


def _cure_of_catalog(error: CatalogUnavailable, loaded: Settings, env: Mapping[str, str]) -> str:
    file = Path(loaded.catalog.removeprefix("sqlite:///"))
    if any(word in error.message for word in ("not a database", "malformed")):
        return moved_away(file, loaded.root, also=("-wal", "-shm"))
    if file.is_dir():
        return moved_away(file, loaded.root)
    if any(word in error.message for word in ("locked", "busy")):
        return ""
    return without_setting("catalog", loaded.root, env)


def blobs(loaded: Settings, env: Mapping[str, str]) -> Check:
    """Whether bytes can be kept and read again."""
    is_local = "://" not in loaded.blobs
    if is_local and (blocked := _blocked(Path(loaded.blobs), loaded.root)):
        return Check("blobs", "problem", f"{loaded.blobs} cannot be written: {blocked[0]}", blocked[1])
    if is_local and not Path(loaded.blobs).exists():
        return Check("blobs", "ok", "not there yet: the first run makes it")
    name = f"doctor/{uuid.uuid4().hex}"
    try:
        store = BlobStore(loaded.blobs, loaded.blob_options)
        store.put_document(name, name.encode())
        read = store.read_document(name)
        store.delete_document(name)
    except MlopsError as error:
        return of_error("blobs", error, "" if is_local else without_setting("blobs", loaded.root, env))
    if read != name.encode():
        return Check("blobs", "problem", f"{loaded.blobs} gives back something else than it was given")
    return Check("blobs", "ok", f"{loaded.blobs} takes and gives bytes")


def features(loaded: Settings, env: Mapping[str, str]) -> Iterator[Check]:
    """Where features lie."""
    offline = loaded.offline_store or str(loaded.root / ".mlops" / "features")
    if "://" not in offline and (blocked := _blocked(loaded.root / offline, loaded.root)):
        yield Check("offline store", "problem", f"{offline} cannot be written: {blocked[0]}", blocked[1])
    else:
        yield Check("offline store", "ok", offline)
    online = loaded.online_store
    if online is None or "://" not in online or online.startswith("sqlite:"):
        yield Check("online store", "ok", "SQLite, in this workspace" if online is None else online)
        return
    try:
        store = open_online(online)
        store.read(wanted=[("doctor", [b"doctor"])])
        store.close()
        yield Check("online store", "ok", "answers")
    except MlopsError as error:
        is_missing = error.hint.startswith("pip install")
        yield of_error(
            "online store",
            error,
            error.hint if is_missing else without_setting("online_store", loaded.root, env),
        )


def cluster(loaded: Settings, env: Mapping[str, str]) -> Iterator[Check]:
    """The cluster that runs go to must be there, or startable; of the others it is told."""
    for name in dict.fromkeys([loaded.cluster, *loaded.clusters]):
        try:
            demand_cluster(name, loaded)
        except MlopsError as error:
            is_used = name == loaded.cluster
            extra = error.hint if error.hint.startswith("pip install") else ""
            cure = extra or (without_setting("cluster", loaded.root, env) if is_used else "")
            yield of_error("cluster", error, cure, state="problem" if is_used else "warning")
        else:
            yield Check("cluster", "ok", "local" if name == "local" else f"{name} answers, or can be started")


def disk(loaded: Settings) -> Iterator[Check]:
    """Space where things are written."""
    places = {loaded.root, Path(tempfile.gettempdir())}
    if "://" not in loaded.blobs:
        places.add(Path(loaded.blobs))
    seen: dict[int, tuple[int, Path]] = {}
    for place in sorted(places):
        there = next(folder for folder in (place, *place.parents) if folder.exists())
        with suppress(OSError):
            seen.setdefault(there.stat().st_dev, (shutil.disk_usage(there).free, there))
    for free, there in seen.values():
        state: Any = "ok" if free >= _LITTLE else "warning" if free >= _TOO_LITTLE else "problem"
        cure = "" if state == "ok" else "jupyter mlops clean"
        yield Check("disk", state, f"{format_bytes(free)} free at {there}", cure)


def secrets(loaded: Settings) -> Check:
    """Whether others may read the dotenv file."""
    try:
        mode = loaded.dotenv.stat().st_mode
    except OSError:
        return Check("secrets", "info", f"no {loaded.dotenv.name} here")
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        told = f"{loaded.dotenv.name} may be read by others"
        return Check("secrets", "warning", told, shlex.join(["chmod", "600", str(loaded.dotenv)]))
    return Check("secrets", "ok", f"{loaded.dotenv.name} is yours alone")


def zygotes() -> Check:
    """Where kernels that are shared between commands wait: a folder that must be ours alone."""
    folder = shared_directory()
    try:
        found = folder.lstat()
    except OSError:
        return Check("zygotes", "ok", "none waits yet")
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or not stat.S_ISDIR(found.st_mode):
        cure = shlex.join(["rm", "-rf", str(folder)])
        return Check("zygotes", "problem", f"{folder} is open to others: kernels start slowly", cure)
    return Check("zygotes", "ok", f"{sum(path.is_socket() for path in folder.iterdir())} wait")


def _blocked(place: Path, root: Path) -> tuple[str, str] | tuple[()]:
    """Why a folder cannot be made or written to, and the cure; nothing when it can."""
    there = next(path for path in (place, *place.parents) if path.exists() or path.is_symlink())
    if not there.is_dir():
        return f"{there} is no folder", moved_away(there, root)
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} is not writable", shlex.join(["chmod", "u+rwx", str(there)])
    return ()
