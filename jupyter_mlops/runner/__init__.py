"""The shell round the run's state machine: see `drive` for the loop and `runs` for what can be asked of it."""

from .options import CleanReport, RunOptions, TaskStatus
from .runs import Runs

__all__ = ["CleanReport", "RunOptions", "Runs", "TaskStatus"]
