"""Azure Machine Learning: `plan` makes the bodies of all calls, pure; `AzureMLTarget` sends them.

New deployments are made beside those that answer, with no share (blue/green); shares move when all are ready, and only
then what is not needed any more goes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from ...errors import Conflict, InvalidInput, MlopsError, NotFound, Unavailable
from ..target import Request, Status, Wanted
from .account import Account
from .plan import Options, check, plan, read


class AzureMLTarget:
    """Models served by a managed online endpoint of Azure ML."""

    name = "azureml"
    needs_image = True
    account: type[Account] = Account

    def __init__(self, root: Path | None = None) -> None:
        self.root = root

    def check(self, wanted: Wanted) -> None:
        """Raise `InvalidInput` for what Azure ML cannot do."""
        check(wanted, read(wanted.options))

    def requests(self, wanted: Wanted) -> list[Request]:
        """The bodies of all calls, exactly; those whose object is there already are not sent."""
        return plan(wanted, read(wanted.options))

    def apply(self, wanted: Wanted, *, timeout_seconds: float = 3600) -> Status:
        """Send them and wait. What was made for a revision that never answers is deleted."""
        options = read(wanted.options)
        calls = plan(wanted, options)
        with _explaining("deploying"):
            account = self.account(options)
            made: list[str] = []
            try:
                account.send(calls, wanted, made, timeout_seconds=timeout_seconds)
            except BaseException:
                account.take_back(wanted, made)
                raise
            account.clean(wanted, calls)
            return account.status(wanted.name)

    def status(self, name: str, options: Mapping[str, Any]) -> Status:
        """What the endpoint says."""
        with _explaining("asking"):
            return self.account(read(options)).status(name)

    def remove(self, name: str, options: Mapping[str, Any]) -> None:
        """The endpoint with its deployments."""
        with _explaining("removing"):
            self.account(read(options)).remove(name)


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


__all__ = ["Account", "AzureMLTarget", "Options", "explained", "plan", "read"]
