"""Many notebooks: pipelines as values, their plan, and the run's state machine. All of it pure."""

from .cache import explain, task_key
from .definition import Pipeline, PipelineParameter, RetryPolicy, Task
from .machine import RunState, replay
from .plan import Plan, PlannedTask, lower, select
from .schedules import ScheduleSpec
from .spec import load_pipeline, parse_pipeline, read_pipeline, to_yaml

__all__ = [
    "Pipeline",
    "PipelineParameter",
    "Plan",
    "PlannedTask",
    "RetryPolicy",
    "RunState",
    "ScheduleSpec",
    "Task",
    "explain",
    "load_pipeline",
    "lower",
    "parse_pipeline",
    "read_pipeline",
    "replay",
    "select",
    "task_key",
    "to_yaml",
]
