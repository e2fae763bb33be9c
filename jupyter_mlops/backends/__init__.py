"""Where jobs run; see `job.Backend`. A backend's module is imported when a run asks for it."""

from ..plugins import Registry
from .job import Backend, Job, JobKey, JobOutcome, Listener, Secrets

BACKENDS = Registry(
    "jupyter_mlops.backends", {"dask": ("jupyter_mlops.backends.dask:DaskBackend", "pip install distributed")}
)

__all__ = ["BACKENDS", "Backend", "Job", "JobKey", "JobOutcome", "Listener", "Secrets"]
