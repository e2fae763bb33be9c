"""The database of runs and all that belongs to them. See `store` for the why, `records` for what is kept."""

from .records import (
    RECORDS,
    AliasMove,
    Artifact,
    Attempt,
    CacheEntry,
    FeatureDefinition,
    FeaturePart,
    LineageLink,
    Materialization,
    ModelAlias,
    ModelVersion,
    Record,
    RegisteredModel,
    Run,
    RunEvent,
    TaskRun,
)
from .store import Catalog

__all__ = [
    "RECORDS",
    "AliasMove",
    "Artifact",
    "Attempt",
    "CacheEntry",
    "Catalog",
    "FeatureDefinition",
    "FeaturePart",
    "LineageLink",
    "Materialization",
    "ModelAlias",
    "ModelVersion",
    "Record",
    "RegisteredModel",
    "Run",
    "RunEvent",
    "TaskRun",
]
