"""Azure Machine Learning: `plan` makes the bodies of all calls, pure; `AzureMLTarget` sends them.

New deployments are made beside those that answer, with no share (blue/green); shares move when all are ready, and only
then what is not needed any more goes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout

from ...errors import Conflict, InvalidInput, MlopsError, NotFound, Unavailable
from ..endpoint import Cloud, EndpointTarget
from .account import Account
from .plan import Options, check, plan, read

_STATUS: Mapping[int, tuple[type[MlopsError], str]] = {
    400: (InvalidInput, "check image, instance type and options"),
    401: (Unavailable, "log in again: az login"),
    403: (Unavailable, "ask for the permissions that docs/targets.md lists"),
    404: (NotFound, "check subscription, resource group and workspace"),
    409: (Conflict, "something else is changing it: wait, and look at its status"),
    429: (Unavailable, "too many requests, or no quota: ask for more, or take another instance_type"),
}


@contextmanager
def _explaining(doing: str) -> Iterator[None]:
    """Azure's poller prints dots while it waits; stdout may be somebody's JSON, so they go to stderr."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except MlopsError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("azure", "marshmallow", "msrest"):
            raise
        raise explained(error, doing) from error


def explained(error: Exception, doing: str) -> MlopsError:
    """What Azure's client raises, as one of our errors with a cure. Of its classes only the names are known here."""
    message = f"Azure ML, {doing}: {' '.join(str(error).split())[:800]}"
    names = {each.__name__ for each in type(error).__mro__}
    if names & {"CredentialUnavailableError", "ClientAuthenticationError"}:
        return Unavailable(message, hint="log in: az login, or the variables AZURE_CLIENT_ID, …")
    if "quota" in message.lower():
        return Unavailable(message, hint="ask for more quota, or take another instance_type")
    if names & {"ValidationException", "ValidationError"}:
        return InvalidInput(message)
    kind, hint = _STATUS.get(getattr(error, "status_code", None) or 0, (Unavailable, ""))
    return kind(message, hint=hint)


class AzureMLTarget(EndpointTarget[Options, str]):
    """Models served by a managed online endpoint of Azure ML."""

    name = "azureml"
    cloud = Cloud(read, check, plan, _explaining)
    account = Account


__all__ = ["Account", "AzureMLTarget", "Options", "explained", "plan", "read"]
