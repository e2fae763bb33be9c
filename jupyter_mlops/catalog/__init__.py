"""The database of runs and all that belongs to them. See `store` for the why, `records` for what is kept."""

from .records import RECORDS, Artifact, Attempt, CacheEntry, Record, Run, RunEvent, TaskRun
from .store import Catalog

__all__ = ["RECORDS", "Artifact", "Attempt", "CacheEntry", "Catalog", "Record", "Run", "RunEvent", "TaskRun"]
