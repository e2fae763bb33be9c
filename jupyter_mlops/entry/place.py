"""What a task of somebody else's run needs of its workspace, which is no more than an image of its pipeline has."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from types import TracebackType

from ..blobs import BlobStore
from ..catalog import Catalog
from ..settings import Settings, find_root, make_home


class Place:
    """The settings and stores of the workspace that `folder` lies in; a context manager. Raises `InvalidSettings`."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings.load(find_root(folder))
        self.blobs = BlobStore(self.settings.blobs, self.settings.blob_options)
        logging.getLogger("jupyter_mlops").setLevel(self.settings.log_level.upper())

    @cached_property
    def catalog(self) -> Catalog:
        """Its database; created or migrated when first asked for. Raises `CatalogUnavailable`."""
        make_home(self.settings.root)
        return Catalog.open(self.settings.catalog)

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "catalog" in self.__dict__:
            self.catalog.close()
