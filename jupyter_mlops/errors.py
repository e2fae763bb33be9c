"""Every error that a user can meet, as one tree.

::

    MlopsError
    ├── InvalidInput                400, exit 2: what was given cannot be right
    │   ├── InvalidParameter            an argument, a parameter or their types
    │   ├── InvalidNotebook             not a notebook, or one that cannot be read
    │   ├── InvalidPipeline             a pipeline file, with file and line
    │   ├── InvalidSettings             mlops.toml, [tool.mlops] or MLOPS_*
    │   ├── ExpectationFailed           422, exit 1: rows that do not meet their feature view's expectations
    │   └── PreflightFailed             all problems found before a run, at once
    ├── NotFound                    404, exit 2: a name that names nothing
    │   └── SecretNotFound              a secret that no source knows
    ├── AccessDenied                403, exit 1: a service does not let this user do that
    ├── Conflict                    409, exit 2: it is there already, or somebody else is at it
    ├── TaskError                   500, exit 1: a task did not do what it should
    │   ├── NotebookFailed              a cell raised
    │   ├── TimedOut                    504, exit 124: a cell or a notebook took too long
    │   ├── KernelDied                  exit 138: the kernel ended by itself
    │   │   └── OutOfMemory             it used more memory than it may
    │   ├── Cancelled                   exit 130: somebody asked for it to stop
    │   └── WorkerLost                  503: the worker that ran it is gone
    ├── RunFailed                   exit 1: a run that ended with failed tasks
    ├── BuildFailed                 exit 1: an image that a builder could not build or push
    ├── DeploymentFailed            exit 1: a revision that does not come up; the one before it goes on answering
    ├── Unavailable                 503, exit 1: something that we need does not answer
    │   ├── KernelUnavailable           no such kernel, or it does not start
    │   ├── CatalogUnavailable          the database
    │   ├── RegistryUnavailable         a registry of container images
    │   └── StorageUnavailable          the blob store, or the disk is full
    ├── CorruptBlob                 500, exit 1: bytes that are not what their digest says
    └── MissingExtra                501, exit 1: an optional dependency, with its install command

Each class knows its ``code`` (for programs), ``status`` (HTTP) and ``exit_code`` (a shell). A message says
what went wrong and with which thing; ``hint`` says how to mend it. Errors cross dask and process borders, so
each of them pickles: the constructor takes a message, and keyword fields that are plain data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar


class MlopsError(Exception):
    """The root. ``str(error)`` is the message alone; `hint` holds the cure, or is empty."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields = fields
        for name, value in fields.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.hint, self.fields))

    def to_json(self) -> dict[str, Any]:
        """The error as REST and ``--json`` show it: plain JSON."""
        fields = {name: _plain(value) for name, value in self.fields.items()}
        return {"code": self.code, "message": self.message, "hint": self.hint, **fields}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.to_json() if hasattr(value, "to_json") else value


def _rebuild(kind: type[MlopsError], message: str, hint: str, fields: dict[str, Any]) -> MlopsError:
    return kind(message, hint=hint, **fields)


class InvalidInput(MlopsError):
    """What was given cannot be right."""

    code, status, exit_code = "invalid_input", 400, 2


class InvalidParameter(InvalidInput):
    """An argument that does not fit the notebook's or the pipeline's parameters."""

    code = "invalid_parameter"


class InvalidNotebook(InvalidInput):
    """A file that is no notebook, or one that cannot be read."""

    code = "invalid_notebook"


class InvalidPipeline(InvalidInput):
    """A pipeline definition that does not hold; `problems` lists each with file and line."""

    code = "invalid_pipeline"


class InvalidSettings(InvalidInput):
    """A setting that is unknown or has a wrong value."""

    code = "invalid_settings"


class ExpectationFailed(InvalidInput):
    """Rows that do not meet the expectations of their feature view, and were kept out; `problems` lists them."""

    code, status, exit_code = "expectation_failed", 422, 1


class PreflightFailed(InvalidInput):
    """What would fail later, told before the first kernel starts; `problems` lists all."""

    code = "preflight_failed"


class NotFound(MlopsError):
    """A name that names nothing here."""

    code, status, exit_code = "not_found", 404, 2


class SecretNotFound(NotFound):
    """A secret that neither the environment, nor the dotenv file, nor the keyring knows."""

    code = "secret_not_found"


class AccessDenied(MlopsError):
    """A service does not know this user, or does not let them do that."""

    code, status, exit_code = "access_denied", 403, 1


class Conflict(MlopsError):
    """It exists already, or somebody else holds it."""

    code, status, exit_code = "conflict", 409, 2


class TaskError(MlopsError):
    """A task did not do what it should."""

    code = "task_error"


class NotebookFailed(TaskError):
    """A cell raised: `ename`, `evalue`, `traceback` (text), `cell` (index from 0)."""

    code = "notebook_failed"
    ename: str
    evalue: str


class TimedOut(TaskError):
    """A cell or a whole notebook took longer than it may."""

    code, status, exit_code = "timed_out", 504, 124


class KernelDied(TaskError):
    """The kernel ended by itself; papermill's exit code for it."""

    code, exit_code = "kernel_died", 138


class OutOfMemory(KernelDied):
    """The kernel used more memory than its request allows and was stopped."""

    code = "out_of_memory"


class Cancelled(TaskError):
    """Somebody asked for it to stop."""

    code, status, exit_code = "cancelled", 409, 130


class WorkerLost(TaskError):
    """The worker (or its kernel zygote) that ran the task is gone."""

    code, status = "worker_lost", 503


class RunFailed(MlopsError):
    """A run that ended with failed tasks."""

    code = "run_failed"


class BuildFailed(MlopsError):
    """A builder could not build or push an image; `log` is the end of what it printed."""

    code = "build_failed"


class DeploymentFailed(MlopsError):
    """A revision of a deployment that does not come up; the one before it, if there is one, goes on answering."""

    code = "deployment_failed"


class Unavailable(MlopsError):
    """Something that we need does not answer."""

    code, status = "unavailable", 503


class KernelUnavailable(Unavailable):
    """No such kernel, or it does not start."""

    code = "kernel_unavailable"


class CatalogUnavailable(Unavailable):
    """The catalog's database does not answer, or is locked by another process."""

    code = "catalog_unavailable"


class RegistryUnavailable(Unavailable):
    """A registry of container images does not answer, or not as one does."""

    code = "registry_unavailable"


class StorageUnavailable(Unavailable):
    """The blob store or a disk does not take or give bytes."""

    code = "storage_unavailable"


class CorruptBlob(MlopsError):
    """Bytes that are not what their digest says."""

    code = "corrupt_blob"


class MissingExtra(MlopsError):
    """An optional dependency is not installed; the hint has the command."""

    code, status = "missing_extra", 501


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence naming the nearest known word, or the known words if there are few, or nothing."""
    names = sorted({str(name) for name in known})
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= 12 else ""
