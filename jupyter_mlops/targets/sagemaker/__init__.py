"""Amazon SageMaker: `plan` makes the bodies of all calls, pure; `SageMakerTarget` sends them.

SageMaker updates an endpoint blue/green: until the new instances answer the old ones do, and if they never do it goes
back by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..target import Request, Status, Wanted
from .account import Account
from .explained import explained, explaining
from .plan import Options, check, plan, read


class SageMakerTarget:
    """Models served by a SageMaker endpoint."""

    name = "sagemaker"
    needs_image = True

    def __init__(self, root: Path | None = None) -> None:
        self.root = root

    def check(self, wanted: Wanted) -> None:
        """Raise `InvalidInput` for what SageMaker cannot do."""
        check(wanted, read(wanted.options))

    def requests(self, wanted: Wanted) -> list[Request]:
        """The bodies of all calls; boto3 gets exactly these. An endpoint that is there is updated, else created."""
        return plan(wanted, read(wanted.options))

    def apply(self, wanted: Wanted, *, timeout_seconds: float = 1800) -> Status:
        """Send them and wait. What was made for a revision that never answers is deleted; SageMaker itself keeps the
        instances that were there."""
        options = read(wanted.options)
        calls = plan(wanted, options)
        with explaining("deploying"):
            account = Account(options)
            before = account.endpoint(wanted.name)
            scaling = account.pause_scaling(wanted.name)
            try:
                for call in calls:
                    if call.call.endswith("_endpoint"):
                        account.put_endpoint(call, is_there=before is not None, options=options)
                        account.wait(wanted, timeout_seconds)
                    else:
                        account.send(call)
            except BaseException:
                account.take_back(wanted, is_new=before is None, scaling=scaling)
                raise
            account.clean(wanted.name, keep=wanted.revision)
            return account.status(wanted.name)

    def status(self, name: str, options: Mapping[str, Any]) -> Status:
        """What the endpoint says."""
        with explaining("asking"):
            return Account(read(options)).status(name)

    def remove(self, name: str, options: Mapping[str, Any]) -> None:
        """The endpoint, its configurations, its models, its scaling."""
        with explaining("removing"):
            account = Account(read(options))
            account.pause_scaling(name)
            account.delete_endpoint(name)
            account.clean(name, keep=None)


__all__ = ["Options", "SageMakerTarget", "explained", "plan", "read"]
