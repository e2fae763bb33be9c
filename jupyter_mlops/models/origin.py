"""Where a model comes from: the data, and the code that made it.

Data is told by a digest of its content, where it lies, and the query or features that made it; the code by the
cells that ran so far, the notebook and the commit. What a run knows of itself stands in the environment that it
gives its kernels.
"""

from __future__ import annotations

import configparser
import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..blobs import parse_reference
from ..errors import InvalidInput, NotFound, did_you_mean
from ..fingerprint import digest_bytes, digest_file, fingerprint
from ..profiles import profile_frame

_SECRET = "MLOPS_SECRET_"  # noqa: S105 - the prefix of a run's variables, no secret
_SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """Data that a model was made from.

    `digest` is of its content (``sha256:…``), `uri` where it lies, `query` what selected it; `feature_service`
    and `feature_views` (``name@version``) which features were joined to it. `profile` is what its rows looked like.
    """

    name: str = "train"
    digest: str = ""
    uri: str = ""
    query: str = ""
    rows: int | None = None
    columns: Sequence[str] = ()
    feature_service: str = ""
    feature_views: Sequence[str] = ()
    profile: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, value: Any, **fields: Any) -> DataSource:
        """The source of a frame, an Arrow table or an array; of an artifact (``blob://…``); of a file or URI."""
        if isinstance(value, DataSource):
            return dataclasses.replace(value, **fields)
        if isinstance(value, Mapping):
            return cls._of_fields({**value, **fields})
        if isinstance(value, (str, os.PathLike)):
            return cls(**{**_located(os.fspath(value)), **fields})
        if hasattr(value, "to_arrow") and not hasattr(value, "iloc"):  # Polars
            value = value.to_arrow()
        names: Any = getattr(value, "column_names", None)
        if names is None:
            names = getattr(value, "columns", ())
        try:
            digest = fingerprint(value)
            if not hasattr(value, "__len__"):
                raise InvalidInput(f"a {type(value).__qualname__} has no rows")
            rows = len(value)
        except (InvalidInput, TypeError) as error:
            raise InvalidInput(
                f"data: {error}", hint="give the frame, a path or URI, or mlops.DataSource(digest=…, uri=…)"
            ) from None
        body = {"digest": digest, "rows": rows, "columns": tuple(map(str, names)), **fields}
        return cls(**{"profile": _profile_of(value), **body})

    @classmethod
    def _of_fields(cls, given: Mapping[str, Any]) -> DataSource:
        known = {field.name for field in dataclasses.fields(cls)}
        fields = {name: value for name, value in given.items() if name != "data"}
        for name in fields:
            if name not in known:
                raise InvalidInput(f"data has no field {name!r}", hint=did_you_mean(name, {*known, "data"}))
        return cls.of(given["data"], **fields) if "data" in given else cls(**fields)

    @property
    def key(self) -> str:
        """By what lineage knows it: its digest, else its URI, else the digest of its query."""
        return (
            self.digest or self.uri[:1000] or (query_key(self.query) if self.query else f"data:{self.name}")
        )

    def to_json(self) -> dict[str, Any]:
        """As the manifest keeps it."""
        body = dataclasses.asdict(self)
        del body["profile"]  # long: it has a place of its own
        return {**body, "columns": list(self.columns), "feature_views": list(self.feature_views)}


def query_key(query: str) -> str:
    """By what lineage knows a query: the digest of its text."""
    return f"sha256:{digest_bytes(query.strip().encode())}"


def data_sources(given: Any) -> tuple[DataSource, ...]:
    """`data=` of a registration: one source or a list of them, each anything that `DataSource.of` takes."""
    if given is None:
        return ()
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    return tuple(DataSource.of(one) for one in several)


def profiles_of(sources: Sequence[DataSource]) -> dict[str, Any]:
    """The profiles that the sources have, by their names; of two with one name the later is ``name 2``."""
    profiles: dict[str, Any] = {}
    for one in sources:
        if one.profile:
            taken = sum(known == one.name or known.startswith(f"{one.name} ") for known in profiles)
            profiles[f"{one.name} {taken + 1}" if taken else one.name] = dict(one.profile)
    return profiles


def _profile_of(value: Any) -> Mapping[str, Any]:
    """Nothing for what has no columns: a profile is welcome, not needed."""
    try:
        profile = profile_frame(value)
    except InvalidInput:
        return {}
    return profile if profile["features"] else {}


def _located(text: str) -> dict[str, Any]:
    if reference := parse_reference(text):
        return {"name": reference.name, "uri": text, "digest": f"sha256:{reference.digest}"}
    if "://" in text:
        return {"uri": text}
    path = Path(text)
    if not path.is_file():
        raise NotFound(
            f"data: there is no file {path} here ({Path.cwd()})", hint="a URI has a scheme: s3://…"
        )
    return {"name": path.stem, "uri": path.absolute().as_uri(), "digest": f"sha256:{digest_file(path)}"}


# --- code -------------------------------------------------------------------------------------------------


def generating_code(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The code that made a model: ``cells`` (sources), ``notebook``, ``notebook_digest``, ``script``, ``git``.

    What is not given is found: the cells of this IPython session, what a run tells its kernels of its notebook,
    the script that runs, the commit of the working tree. Values of a run's secrets are masked.
    """
    given = dict(given or {})
    known = ("cells", "notebook", "notebook_digest", "script", "git")
    for name in given:
        if name not in known:
            raise InvalidInput(f"code has no field {name!r}", hint=did_you_mean(name, known))
    told = {
        "notebook": os.environ.get("MLOPS_NOTEBOOK"),
        "notebook_digest": os.environ.get("MLOPS_NOTEBOOK_DIGEST"),
    }
    given = {**{name: value for name, value in told.items() if value and "notebook" not in given}, **given}
    notebook = str(given.get("notebook") or os.environ.get("JPY_SESSION_NAME") or "")
    cells = list(given["cells"]) if "cells" in given else _session_cells()
    return {
        "cells": [masked(cell) for cell in cells],
        "notebook": notebook,
        "notebook_digest": given.get("notebook_digest") or _digest_of(notebook),
        "script": masked(str(given.get("script") or ("" if cells else _script()))),
        "git": dict(given.get("git") or commit(Path.cwd())),
    }


def run_identity(given: Any = None) -> dict[str, str]:
    """Run, task and attempt in which this happens: as given (a run's id or fields), or as a run tells its
    kernels, or nothing."""
    if isinstance(given, str):
        return {"run_id": given, "task": ""}
    if given is not None:
        if not isinstance(given, Mapping) or "run_id" not in given:
            raise InvalidInput(f"run is {given!r}", hint="a run's id, or {'run_id': …, 'task': …}")
        return {"run_id": str(given["run_id"]), "task": str(given.get("task", ""))}
    run_id = os.environ.get("MLOPS_RUN_ID", "")
    return {"run_id": run_id, "task": os.environ.get("MLOPS_TASK", "") if run_id else ""}


def _session_cells() -> list[str]:
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython is not None else None
    history = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None)
    return [cell for cell in list(history or [])[1:] if cell.strip()]


def _script() -> str:
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if not path or not path.endswith(".py") or "-packages" in path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def secrets() -> dict[str, str]:
    """The secrets that this process holds for a run, by the name of their variable."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_SECRET) and len(value) >= _SHORTEST_SECRET
    }


def masked(text: str) -> str:
    """`text` without the values of secrets."""
    for value in sorted(secrets().values(), key=len, reverse=True):
        text = text.replace(value, "****")
    return text


def _digest_of(notebook: str) -> str:
    path = Path(notebook)
    return f"sha256:{digest_file(path)}" if notebook and path.is_file() else ""


def commit(folder: Path) -> dict[str, Any]:
    """``commit``, ``is_dirty``, ``remote`` of the git working tree that `folder` is in; {} outside of one."""
    root = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)
    if root is None:
        return {}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return {}
    told = done.stdout.strip()
    return {
        "commit": told.removesuffix("-dirty"),
        "is_dirty": told.endswith("-dirty"),
        "remote": _remote(root / ".git" / "config"),
    }


def _remote(path: Path) -> str:
    """The URL of ``origin``, without a password."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return ""
    url = parser.get('remote "origin"', "url", fallback="")
    return re.sub(r"//[^/@]*@", "//", url)


def lineage_of(
    data: Iterable[DataSource], code: Mapping[str, Any], run: Mapping[str, str], model: str
) -> list[tuple[str, str, str, str]]:
    """(source kind, source, target kind, target) of what a version was made from, and what that was made from."""
    links: list[tuple[str, str, str, str]] = []
    for one in data:
        links.append(("data", one.key, "model", model))
        if one.query:
            links.append(("query", query_key(one.query), "data", one.key))
        for view in one.feature_views:
            links.append(("feature_view", view, "data", one.key))
        if one.feature_service:
            links.append(("feature_service", one.feature_service, "data", one.key))
    if run.get("run_id"):
        links.append(("run", run["run_id"], "model", model))
    notebook = code.get("notebook_digest") or code.get("notebook")
    if notebook:
        target = ("run", run["run_id"]) if run.get("run_id") else ("model", model)
        links.append(("notebook", str(notebook), *target))
    if code.get("git"):
        links.append(("commit", str(code["git"]["commit"]), "model", model))
    return links
