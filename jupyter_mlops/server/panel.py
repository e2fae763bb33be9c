"""What the operations work with: one server's root folder, one workspace, and who drives runs for it.

The panel shows *one* workspace: the one that the server's root lies in, as `find_root` has it (so it may be a
folder above), or the one that `c.MlopsExtension.workspace` names. Whatever is started from the panel runs there
and is seen there; a pipeline that has a workspace of its own further down is shown with a note.

Looking makes nothing: as long as a SQLite catalog is not there, an empty one in a temporary folder stands in for it, so
that a server that is started somewhere leaves no ``.mlops`` behind.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..runner.launch import Drivers
from ..settings import Settings, find_root
from ..workspace import Workspace
from .places import Places

_SQLITE = "sqlite:///"


@dataclass
class Panel:
    """`base_url` ends with a slash; `seq` is the number of the last `Change` that was rung."""

    places: Places
    workspace_root: Path
    base_url: str = "/"
    server_id: str = field(default_factory=lambda: secrets.token_hex(6))
    seq: int = 0
    saved: bool = False  # a pipeline was, and nobody was told yet
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _opened: Workspace | None = None
    _identity: tuple[int, int] | None = None
    _stand_in: Workspace | None = None
    _nowhere: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, repr=False)

    @classmethod
    def of(cls, root: Path, *, workspace: str = "", base_url: str = "/") -> Panel:
        """The panel of a server whose files begin at `root`."""
        root = Path(os.path.abspath(root))
        chosen = find_root(root / workspace) if workspace else find_root(root)
        return cls(places=Places(root), workspace_root=chosen, base_url=base_url)

    def __post_init__(self) -> None:
        self.drivers = Drivers(self.workspace_root)

    @property
    def settings(self) -> Settings:
        """As they are in the files now. Raises `InvalidSettings`."""
        return Settings.load(self.workspace_root)

    @property
    def is_fresh(self) -> bool:
        """Whether the workspace has no catalog yet."""
        return self._identify(self.settings) is None

    @property
    def workspace(self) -> Workspace:
        """The workspace, for reading. Raises `InvalidSettings`, `CatalogUnavailable`."""
        with self._lock:
            settings = self.settings
            identity = self._identify(settings)
            if identity is None:
                self._let_go()
                return self._standing_in(settings)
            if self._opened is None or identity != self._identity or settings != self._opened.settings:
                self._let_go()
                self._opened, self._identity = _opened(settings), identity
            return self._opened

    @property
    def made_workspace(self) -> Workspace:
        """The workspace, for writing: made now if it was not there."""
        with self._lock:
            if self.is_fresh:
                with Workspace(self.settings) as made:
                    made.catalog.change_seq()
            return self.workspace

    def close(self) -> None:
        """Let go of everything. Runs go on."""
        with self._lock:
            self._let_go()
            self._nowhere.close()
            self._stand_in = None

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _standing_in(self, settings: Settings) -> Workspace:
        if self._stand_in is None:
            # A request that is still answered may hold a file of it: a server that stops for that would not end.
            kept = tempfile.TemporaryDirectory(prefix="mlops-empty-", ignore_cleanup_errors=True)
            folder = Path(self._nowhere.enter_context(kept))
            url = f"{_SQLITE}{folder / 'catalog.db'}"
            self._stand_in = _opened(replace(settings, root=folder, catalog=url, blobs=str(folder / "blobs")))
            self._nowhere.callback(self._stand_in.close)
        return self._stand_in

    @staticmethod
    def _identify(settings: Settings) -> tuple[int, int] | None:
        """Which file the catalog is; None if it is not there. A server's is always there, and always the same."""
        if not settings.catalog.startswith(_SQLITE):
            return (0, 0)
        try:
            found = os.stat(settings.catalog.removeprefix(_SQLITE))
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _opened(settings: Settings) -> Workspace:
    """A workspace whose parts are there: many threads ask for them at once."""
    workspace = Workspace(settings)
    parts = (
        "catalog",
        "blobs",
        "runs",
        "queue",
        "schedules",
        "models",
        "features",
        "compute",
        "images",
        "deployments",
    )
    for name in parts:
        getattr(workspace, name)
    return workspace
