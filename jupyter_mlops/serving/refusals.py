"""Every answer that is no prediction, decided once: status, code, and a message that tells nothing of the inside."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import MlopsError


class Refusal(Exception):
    """An answer other than 200: `code` is for programs, `message` for people, `headers` go along."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, str]:
        """What the client reads."""
        return {"error": self.message, "code": self.code}


class Invalid(Refusal):
    """What was sent is no request for this model."""

    status, code = 400, "invalid_input"


class Unauthorized(Refusal):
    """The token is missing or wrong."""

    status, code = 401, "unauthorized"

    def __init__(self) -> None:
        super().__init__("a valid bearer token is required", headers={"www-authenticate": "Bearer"})


class Unknown(Refusal):
    """Nothing is at this path."""

    status, code = 404, "not_found"


class WrongMethod(Refusal):
    """The path is there, for other methods."""

    status, code = 405, "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this path takes {allowed}", headers={"allow": allowed})


class TooSlow(Refusal):
    """The client did not send its request in time."""

    status, code = 408, "request_timeout"


class NoLength(Refusal):
    """A body without a length."""

    status, code = 411, "length_required"


class TooLarge(Refusal):
    """The body is larger than is taken."""

    status, code = 413, "too_large"


class WrongMediaType(Refusal):
    """The body is of a kind that is not read."""

    status, code = 415, "unsupported_media_type"


class TooManyHeaders(Refusal):
    """The head of the request is larger than is taken."""

    status, code = 431, "headers_too_large"


class Busy(Refusal):
    """More requests wait than the model can answer in time; another replica may be free."""

    status, code = 429, "too_many_requests"

    def __init__(self, seconds: float = 1) -> None:
        super().__init__(
            "too many requests are waiting", headers={"retry-after": str(max(1, round(seconds)))}
        )


class ModelFailed(Refusal):
    """The model raised; the log has what, under the prediction's id."""

    status, code = 500, "model_failed"


class NotReady(Refusal):
    """Loading, or ending: ask again soon, or another replica."""

    status, code = 503, "not_ready"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"retry-after": "1"})


class TookTooLong(Refusal):
    """The prediction was not there within the limit."""

    status, code = 504, "timed_out"


def refusal_of(error: MlopsError) -> Refusal:
    """An error of our tree, which is always about what was given here, as an answer."""
    return Invalid(f"{error.message} ({error.hint})" if error.hint else error.message)


STATUSES = (Invalid, Unauthorized, Unknown, WrongMethod, TooSlow, NoLength, TooLarge, WrongMediaType,
            TooManyHeaders, Busy, ModelFailed, NotReady, TookTooLong)  # fmt: skip
