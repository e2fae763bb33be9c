"""Pipelines that run by themselves: `decide` says what a schedule is due for, `book` keeps schedules, `service`
fires them, `backfill` makes up for what never fired."""

from .backfill import Backfill, BackfillStep
from .book import NextFire, Schedules
from .lease import Lease
from .service import Scheduler

__all__ = ["Backfill", "BackfillStep", "Lease", "NextFire", "Scheduler", "Schedules"]
