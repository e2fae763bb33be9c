"""The settings of a workspace: one frozen value, read once, handed down from there.

Defaults, then ``mlops.toml`` (or, when there is none, ``[tool.mlops]`` of ``pyproject.toml``), then the
environment ``MLOPS_*``, then what the command line says; the later wins. Whatever nobody knows or has a wrong
value is an error that names its place. `SETTINGS` is the one table: the loader reads it, and so does
`markdown_table`, from which the documentation is made.
"""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .errors import InvalidSettings, StorageUnavailable, did_you_mean

_LOG_LEVELS = ("debug", "info", "warning", "error")
# Variables of the same prefix that a run sets for its kernels; they are no settings.
_RUN_VARIABLES = (
    "MLOPS_NOTEBOOK",
    "MLOPS_NOTEBOOK_DIGEST",
    "MLOPS_RUN_ID",
    "MLOPS_TASK",
    "MLOPS_ATTEMPT",
    "MLOPS_ROOT",
    "MLOPS_INPUTS",
    "MLOPS_SECRET_",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `read` turns a value of a file or a text of the environment into the setting's
    type, and raises ValueError with the rest of a sentence: ``must be …``."""

    name: str
    read: Callable[[Any], Any]
    type: str
    default: Any
    help: str
    default_text: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"MLOPS_{self.name.upper()}"


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text")
    return value.strip()


def _integer(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise ValueError(f"must be a whole number, at least {least}")
        return number

    return read


def _seconds(value: Any) -> float:
    try:
        number = (
            float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
        )
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise ValueError("must be a number of seconds above 0")
    return number


def _seconds_or_none(value: Any) -> float:
    return 0.0 if value in (0, "0") else _seconds(value)


def _choice(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = value.strip().lower() if isinstance(value, str) else value
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(text)

    return read


def _cluster(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(
            'must be "local", a name of `clusters`, or an address of a dask scheduler: tcp://host:8786'
        )
    return value


def _check_cluster(cluster: str, clusters: Mapping[str, Any]) -> None:
    if cluster != "local" and "://" not in cluster and cluster not in clusters:
        raise InvalidSettings(
            f"no cluster is called {cluster!r}: cluster is local, a name of `clusters`, or tcp://host:8786",
            hint=did_you_mean(cluster, ["local", *clusters]),
        )


def _table(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError(f"must be a JSON object ({error})") from None
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError("must be a table of options")
    return dict(value)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):  # of the environment
        value = [text.strip() for text in value.split(",") if text.strip()]
    if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) for text in value):
        raise ValueError("must be a list of texts")
    return tuple(value)


def _cpu_count() -> int:
    """The CPUs that this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


SETTINGS: tuple[Setting, ...] = (
    Setting("catalog", _text, "URL", "sqlite:///.mlops/catalog.db", "The database: SQLite or PostgreSQL."),
    Setting("blobs", _text, "path or URL", ".mlops/blobs", "Where artifacts and executed notebooks lie."),
    Setting("blob_options", _table, "table", MappingProxyType({}), "Such as `endpoint_url` of an S3."),
    Setting("offline_store", _text, "path or URL", None, "Where the history of features lies.", "`.mlops/features`"),
    Setting("online_store", _text, "path or URL", None, "The latest values: `sqlite:///…` or `redis://…`.", "`sqlite:///.mlops/online.db`"),
    Setting("cluster", _cluster, "text", "local", "`local`, a name of `clusters`, or a dask scheduler's address (`tcp://…`)."),
    Setting("clusters", _table, "table", MappingProxyType({}), "Clusters that a run starts: see clusters.md.", "none"),
    Setting("compute_prices", _text, "path", None, "A file or folder of your own prices: compute.md.", "ours"),
    Setting("workers", _integer(1), "integer", _cpu_count, "Tasks that run at once here.", "number of CPUs"),
    Setting("kernel_pool", _integer(0), "integer", 2, "Idle kernels that are kept ready."),
    Setting("zygote_linger_seconds", _seconds_or_none, "number", 300.0, "How long zygotes stay for the next command."),
    Setting("isolation", _choice("warm", "cold"), "text", "warm", "`warm`: forked; `cold`: started anew."),
    Setting("cell_timeout_seconds", _seconds, "number", None, "The longest one cell may take.", "no limit"),
    Setting("output_limit_bytes", _integer(0), "integer", 8 * 2**20, "Outputs beyond it go to the blobs."),
    Setting("dotenv", _text, "path", ".env", "A file of secrets, never stored anywhere else."),
    Setting("trusted_models", _texts, "list", (), "Imported models that may be unpickled: see models.md.", "none"),
    Setting("lineage_url", _text, "URL", None, "Where OpenLineage's events go: standards.md.", "nowhere"),
    Setting("traces_url", _text, "URL", None, "Where OpenTelemetry's spans go, by OTLP: standards.md.", "nowhere"),
    Setting("log_level", _choice(*_LOG_LEVELS), "text", "warning", f"One of {', '.join(_LOG_LEVELS)}."),
)  # fmt: skip
_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the workspace at `root`. Paths in it are absolute."""

    root: Path
    catalog: str
    blobs: str
    blob_options: Mapping[str, Any]
    offline_store: str | None
    online_store: str | None
    cluster: str
    clusters: Mapping[str, Any]
    compute_prices: Path | None
    workers: int
    kernel_pool: int
    zygote_linger_seconds: float
    isolation: str
    cell_timeout_seconds: float | None
    output_limit_bytes: int
    dotenv: Path
    trusted_models: tuple[str, ...]
    lineage_url: str | None
    traces_url: str | None
    log_level: str

    @classmethod
    def load(
        cls, root: Path, env: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
    ) -> Settings:
        """Read them for the workspace at `root`; an override that is None counts as not given.

        Raises `InvalidSettings` for an unknown or wrong one, naming the file, variable or flag.
        """
        root = Path(root).absolute()
        values = {item.name: item.default() if callable(item.default) else item.default for item in SETTINGS}
        values |= _from_file(root)
        values |= _from_environment(os.environ if env is None else env)
        given = {name: value for name, value in (overrides or {}).items() if value is not None}
        values |= _read_all(given, "overrides")
        values["catalog"] = _absolute_catalog(values["catalog"], root)
        values["blobs"] = (
            values["blobs"] if "://" in values["blobs"] else str(_absolute(values["blobs"], root))
        )
        _check_cluster(values["cluster"], values["clusters"])
        values["dotenv"] = _absolute(values["dotenv"], root)
        if values["compute_prices"] is not None:
            values["compute_prices"] = _absolute(values["compute_prices"], root)
        return cls(root=root, **values)

    def __repr__(self) -> str:
        # The catalog's URL and the options may hold passwords.
        return f"Settings(root={str(self.root)!r})"


def find_root(start: Path) -> Path:
    """The workspace's folder: the nearest one upward with ``mlops.toml``, ``[tool.mlops]``, ``.mlops`` or
    ``.git``; `start` when there is none."""
    start = Path(start).absolute()
    for folder in (start, *start.parents):
        if (folder / "mlops.toml").is_file() or (folder / ".mlops").is_dir() or (folder / ".git").exists():
            return folder
        pyproject = folder / "pyproject.toml"
        # Somebody else's broken file on the way up is not our business.
        if pyproject.is_file() and "[tool.mlops" in pyproject.read_text(encoding="utf-8", errors="replace"):
            return folder
    return start


def make_home(root: Path) -> None:
    """``.mlops/``, which git need not see. Raises `StorageUnavailable`."""
    home = root / ".mlops"
    try:
        home.mkdir(parents=True, exist_ok=True)
        ignore = home / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise StorageUnavailable(
            f"cannot make the folder {home}: {error.strerror}",
            hint="is there something else of that name, or is the folder not yours to write to?",
        ) from error


def markdown_table() -> str:
    """`SETTINGS` as the documentation shows them."""
    rows = ["| setting | type | default | environment | what it is for |", "|---|---|---|---|---|"]
    for item in SETTINGS:
        default = (
            item.default_text or f"`{dict(item.default) if item.name == 'blob_options' else item.default}`"
        )
        rows.append(f"| `{item.name}` | {item.type} | {default} | `{item.variable}` | {item.help} |")
    return "\n".join(rows) + "\n"


def _from_file(root: Path) -> dict[str, Any]:
    own, project = root / "mlops.toml", root / "pyproject.toml"
    if own.is_file():
        return _read_all(_parse(own), "mlops.toml")
    if project.is_file():
        table = _parse(project).get("tool", {}).get("mlops", {})
        if not isinstance(table, Mapping):
            raise InvalidSettings("pyproject.toml: [tool.mlops] must be a table")
        return _read_all(table, "pyproject.toml [tool.mlops]")
    return {}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise InvalidSettings(f"cannot read {path}: {error.strerror}") from error


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    names = {item.variable: item.name for item in SETTINGS}
    given = {}
    for variable, text in env.items():
        if variable in names:
            if text:  # set to nothing is how a shell unsets
                given[variable] = text
        elif variable.startswith("MLOPS_") and not variable.startswith(_RUN_VARIABLES):
            hint = did_you_mean(variable, names)
            if hint.startswith("did you mean"):  # others may use the prefix, but a slip must not pass
                raise InvalidSettings(f"the environment variable {variable} is no setting", hint=hint)
    return {names[variable]: _read(names[variable], text, variable) for variable, text in given.items()}


def _read_all(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name in given:
        if name not in _BY_NAME:
            raise InvalidSettings(f"{where}: unknown setting {name!r}", hint=did_you_mean(name, _BY_NAME))
    return {name: _read(name, value, f"{where}: {name}") for name, value in given.items()}


def _read(name: str, value: Any, where: str) -> Any:
    try:
        return _BY_NAME[name].read(value)
    except ValueError as error:
        shown = "…" if name in ("catalog", "blob_options") else repr(value)
        raise InvalidSettings(f"{where} = {shown} {error}", hint=_BY_NAME[name].help) from None


def _absolute(path: str, root: Path) -> Path:
    return root / Path(path).expanduser()


def _absolute_catalog(url: str, root: Path) -> str:
    """A relative SQLite path counts from the workspace, not from wherever the process happens to stand."""
    if url.startswith("sqlite:///"):
        path, mark, query = url.removeprefix("sqlite:///").partition("?")
        if path and path != ":memory:":
            return f"sqlite:///{_absolute(path, root)}{mark}{query}"
    return url
