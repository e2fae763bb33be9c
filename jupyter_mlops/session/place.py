"""The workspace in which this process stands: opened once, and again when something that decides it has changed.

In a run the kernel is told where the workspace is. A worker elsewhere may not have that folder; then what it
would register must not land in some other catalog that happens to lie about, so it is refused in one sentence.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path

from ..errors import CatalogUnavailable, StorageUnavailable
from ..settings import Settings, find_root
from ..workspace import Workspace

_opened: Workspace | None = None
_opened_by = 0  # the process: a fork must not use its parent's connections
_left_to_parent: list[Workspace] = []  # neither used nor closed here


def get_workspace() -> Workspace:
    """The workspace of this process: of the run that it belongs to, else the one around the current directory.

    It is opened once and closed at exit; another directory, or other settings, give another one. Raises
    `InvalidSettings`, and `CatalogUnavailable` in a run whose workspace cannot be reached from here.
    """
    global _opened, _opened_by  # noqa: PLW0603 - one a process, as the docstring says
    settings = current_settings()
    if _opened is not None and _opened_by != os.getpid():
        _left_to_parent.append(_opened)
        _opened = None
    _check_reachable(settings)
    if _opened is not None and _opened.settings == settings:
        return _opened
    close_workspace()
    _opened, _opened_by = Workspace(settings), os.getpid()
    return _opened


def close_workspace() -> None:
    """Let go of it; the next one who asks opens it again."""
    global _opened  # noqa: PLW0603
    if _opened is not None and _opened_by == os.getpid():
        _opened.close()
    _opened = None


atexit.register(close_workspace)


def current_settings() -> Settings:
    """The settings of the workspace in which this process stands, which need not be there yet."""
    given = os.environ.get("MLOPS_ROOT", "")
    return Settings.load(Path(given) if given and Path(given).is_dir() else find_root(Path.cwd()))


def has_catalog(settings: Settings) -> bool:
    """Whether there is something to ask: a folder where nothing has happened is left as it is."""
    return not _is_sqlite(settings) or _sqlite_file(settings).exists()


def demand_feature_stores(settings: Settings) -> None:
    """In a run that is not where its workspace is, rows in local files would be lost: `StorageUnavailable`."""
    if _is_home_here():
        return
    local = [name for name in ("offline_store", "online_store") if _is_local(getattr(settings, name))]
    if local:
        raise StorageUnavailable(
            f"{_where()} cannot reach the workspace's features: its {' and '.join(local)} are local files",
            hint="set offline_store to a bucket and online_store to a redis:// URL",
        )


def _check_reachable(settings: Settings) -> None:
    """In a run its own catalog must be there: a new and empty one would take what nobody ever finds."""
    if not os.environ.get("MLOPS_RUN_ID") or not _is_sqlite(settings):
        return
    if not _is_home_here() or not _sqlite_file(settings).exists():
        raise CatalogUnavailable(
            f"{_where()} cannot reach the catalog of its workspace {os.environ.get('MLOPS_ROOT', '')},"
            " which is a local file elsewhere",
            hint="keep the catalog on PostgreSQL and set MLOPS_CATALOG for the workers; results and artifacts"
            " need no catalog",
        )


def _where() -> str:
    return f"task {os.environ.get('MLOPS_TASK', '')} of run {os.environ.get('MLOPS_RUN_ID', '')}"


def _is_home_here() -> bool:
    given = os.environ.get("MLOPS_ROOT", "")
    return not (os.environ.get("MLOPS_RUN_ID") and given) or Path(given).is_dir()


def _is_sqlite(settings: Settings) -> bool:
    return settings.catalog.startswith("sqlite:")


def _sqlite_file(settings: Settings) -> Path:
    return Path(settings.catalog.removeprefix("sqlite:///"))


def _is_local(url: str | None) -> bool:
    return url is None or "://" not in url or url.startswith(("sqlite:", "file:"))
