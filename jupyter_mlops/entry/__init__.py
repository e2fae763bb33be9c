"""The entry point for other orchestrators: one task of a pipeline, run by a command line, wherever it stands.

An orchestrator starts tasks in its own order, each in a process or container of its own. What passes from one to
the next are the outcome documents in the blob store, under the orchestrator's id of the run; what a task makes of
them (its arguments, whether it runs at all) the run's state machine decides, so that a pipeline means the same
everywhere.
"""

from .task import Ended, TaskEntry

__all__ = ["Ended", "TaskEntry"]
