"""What boto3 raises, as one of our errors with a cure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import Conflict, InvalidInput, MlopsError, NotFound, Unavailable

_CODES: tuple[tuple[str, type[MlopsError], str], ...] = (
    ("AccessDenied", Unavailable, "ask for the permissions that docs/targets.md lists"),
    ("UnrecognizedClient", Unavailable, "the credentials are of no account: aws sts get-caller-identity"),
    ("InvalidSignature", Unavailable, "the credentials do not fit, or the clock is wrong"),
    ("ExpiredToken", Unavailable, "log in again: aws sso login"),
    ("ResourceLimitExceeded", Unavailable, "ask for a higher quota, or take another instance_type"),
    ("Throttling", Unavailable, "try again in a minute"),
    ("ResourceInUse", Conflict, "something else is changing it: wait, and look at its status"),
    ("ValidationException", InvalidInput, "check role, image, subnets and instance type"),
)


@contextmanager
def explaining(doing: str) -> Iterator[None]:
    """What boto3 raises, as one of our errors with a cure."""
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("botocore", "boto3"):
            raise
        raise explained(error, doing) from error


def explained(error: Exception, doing: str) -> MlopsError:
    """Of the SDK's error classes only their names are known here: importing them costs half a second."""
    kind, message = type(error).__name__, f"SageMaker, {doing}: {' '.join(str(error).split())}"
    names = {each.__name__ for each in type(error).__mro__}
    if names & {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "TokenRetrievalError",
    }:
        hint = "log in: aws configure, aws sso login, or the variables AWS_ACCESS_KEY_ID, …"
        return Unavailable(message, hint=hint)
    if kind == "ProfileNotFound":
        return NotFound(message, hint="see which there are: aws configure list-profiles")
    if kind == "ParamValidationError":
        return InvalidInput(message)
    code = str(getattr(error, "response", {}).get("Error", {}).get("Code", kind))
    for sign, ours, hint in _CODES:
        if code.startswith(sign):
            return ours(message, hint=hint)
    return Unavailable(message)
