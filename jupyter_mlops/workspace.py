"""The composition root: one project directory, its settings, and what stands on them.

It wires, lazily, and hands out; it has no verbs of its own. What few commands need is imported when it is asked for:
every command opens a workspace, and would pay for it.
"""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .backends.looking import find_units
from .blobs import BlobStore
from .catalog import Catalog
from .features import FeatureStore
from .kernels import KernelPool
from .models import ModelStore
from .queueing import Queue
from .runner import Runs
from .scheduling import Schedules
from .settings import Settings, find_root, make_home

if TYPE_CHECKING:
    from .compute.book import Compute
    from .deployments import Deployments
    from .promotion.images import Images


class Workspace:
    """A project directory. Close it, or use it as a context manager: its kernels end with it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.root

    @classmethod
    def open(cls, path: Path | str | None = None, **overrides: Any) -> Workspace:
        """The workspace that `path` (the current directory, if None) lies in; `overrides` of its settings.

        Raises `InvalidSettings`.
        """
        settings = Settings.load(
            find_root(Path(path) if path is not None else Path.cwd()), overrides=overrides
        )
        logging.getLogger("jupyter_mlops").setLevel(settings.log_level.upper())
        return cls(settings)

    @cached_property
    def catalog(self) -> Catalog:
        """Its database; created or migrated when first asked for. Raises `CatalogUnavailable`."""
        make_home(self.root)
        return Catalog.open(self.settings.catalog)

    @cached_property
    def blobs(self) -> BlobStore:
        """Its artifacts and executed notebooks."""
        return BlobStore(self.settings.blobs, self.settings.blob_options)

    @cached_property
    def kernels(self) -> KernelPool:
        """Kernels that are ready."""
        return KernelPool(size=self.settings.kernel_pool, linger_seconds=self.settings.zygote_linger_seconds)

    @cached_property
    def runs(self) -> Runs:
        """Runs of pipelines."""
        return Runs(
            catalog=self.catalog, blobs=self.blobs, settings=self.settings, kernels=lambda: self.kernels
        )

    @cached_property
    def queue(self) -> Queue:
        """Which runs wait for admission, and by which quotas."""
        return Queue(self.catalog)

    @cached_property
    def schedules(self) -> Schedules:
        """When pipelines run by themselves."""
        return Schedules(self.catalog, self.runs, self.root)

    @cached_property
    def models(self) -> ModelStore:
        """Registered models and their versions."""
        return ModelStore(self.catalog, self.blobs, trusted=self.settings.trusted_models)

    @cached_property
    def features(self) -> FeatureStore:
        """Features: their definitions, their history and their latest values."""
        return FeatureStore(
            self.catalog,
            self.blobs,
            root=self.root,
            offline=self.settings.offline_store,
            online=self.settings.online_store,
        )

    @cached_property
    def compute(self) -> Compute:
        """Compute units, what they were measured to do, and what runs cost."""
        from .compute.book import Compute

        settings = self.settings
        return Compute(
            self.catalog, settings.compute_prices, lambda: find_units(settings.cluster, settings.clusters)
        )

    @cached_property
    def images(self) -> Images:
        """Container images of notebooks, pipelines and models."""
        from .promotion.images import Images

        return Images(lambda: self.catalog, lambda: self.models, self.root)

    @cached_property
    def deployments(self) -> Deployments:
        """Served models."""
        from .deployments import Deployments

        return Deployments(self.catalog, self.models, self.root, trusted=self.settings.trusted_models)

    def close(self) -> None:
        """Let go of what was opened."""
        for name in ("features", "kernels", "catalog"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                opened.close()
        for name in ("queue", "runs", "schedules", "models", "deployments", "images", "compute"):
            self.__dict__.pop(name, None)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"
