"""Google Vertex AI: `plan` makes the bodies of all calls, pure; `VertexTarget` sends them.

New models are deployed beside those that answer, with no share; shares move when all are ready, and only then what is
not needed any more goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ...errors import Conflict, InvalidInput, MlopsError, NotFound, Unavailable
from ..endpoint import Cloud, EndpointTarget
from .account import Account
from .plan import Options, check, plan, read

_KINDS: Mapping[str, tuple[type[MlopsError], str]] = {
    "DefaultCredentialsError": (Unavailable, "log in: gcloud auth application-default login"),
    "RefreshError": (Unavailable, "log in again: gcloud auth application-default login"),
    "PermissionDenied": (Unavailable, "ask for the permissions that docs/targets.md lists"),
    "Forbidden": (Unavailable, "ask for the permissions that docs/targets.md lists"),
    "Unauthenticated": (Unavailable, "log in again: gcloud auth application-default login"),
    "ResourceExhausted": (Unavailable, "ask for a higher quota, or take another machine_type or region"),
    "InvalidArgument": (InvalidInput, "check image, machine type and service account"),
    "NotFound": (NotFound, "check project and region"),
    "AlreadyExists": (Conflict, "something else made it"),
    "Aborted": (Conflict, "something else is changing it: wait, and look at its status"),
    "FailedPrecondition": (Conflict, "something else is changing it: wait, and look at its status"),
}


@contextmanager
def _explaining(doing: str) -> Iterator[None]:
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("google", "grpc", "concurrent"):
            raise
        raise explained(error, doing) from error


def explained(error: Exception, doing: str) -> MlopsError:
    """What Google's clients raise, as one of our errors with a cure. Only the names of their classes are known here."""
    message = f"Vertex AI, {doing}: {' '.join(str(error).split())[:800]}"
    for each in type(error).__mro__:
        if each.__name__ in _KINDS:
            kind, hint = _KINDS[each.__name__]
            return kind(message, hint=hint)
    return Unavailable(message, hint="try again; status.cloud.google.com tells of outages")


class VertexTarget(EndpointTarget[Options, tuple[str, str]]):
    """Models served by a Vertex AI endpoint."""

    name = "vertex"
    cloud = Cloud(read, check, plan, _explaining)
    account = Account


__all__ = ["Account", "Options", "VertexTarget", "explained", "plan", "read"]
