"""What the server answers when something went wrong: the right status, and JSON that says what and how to mend it.

Nothing of an unexpected error goes to the client but that there was one: its story is in the server's log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import responses
from typing import Any

from tornado.web import HTTPError

from ..errors import MlopsError
from ..problems import Problem
from .places import Places
from .present import problem_body

_HINTS = {
    403: "log in, or send the server's token; for all verbs but GET the header X-XSRFToken as well",
    404: "see docs/rest.md for the routes",
    405: "see docs/rest.md for the routes",
}


def status_of(error: BaseException | None, default: int = 500) -> int:
    """The HTTP status of an error."""
    if isinstance(error, MlopsError):
        return error.status
    return error.status_code if isinstance(error, HTTPError) else default


def body_of(error: BaseException | None, status: int, places: Places) -> dict[str, Any]:
    """The `Error` of the contract."""
    if isinstance(error, MlopsError):
        problems = [each for each in error.fields.get("problems") or () if isinstance(each, Problem)]
        return {
            "code": error.code,
            "message": places.shown(error.message),
            "hint": places.shown(error.hint),
            "problems": [problem_body(each, places) for each in problems],
        }
    words = responses.get(status, "Error")
    message = (error.reason or words) if isinstance(error, HTTPError) else "something unexpected went wrong"
    return {
        "code": words.lower().replace(" ", "_"),
        "message": message,
        "hint": _HINTS.get(status, "the server's log has the details" if status >= 500 else ""),
        "problems": [],
    }


@contextmanager
def at_field(name: str, about: str = "") -> Iterator[None]:
    """What is wrong in here (with `about` in its message) is wrong with a field of the request (`built`,
    `images.NAME`): it is told as a problem whose `where` is the field, so that a form can show it there."""
    try:
        yield
    except MlopsError as error:
        if about in error.message:
            told = Problem(message=error.message, where=name, hint=error.hint)
            error.fields = {"problems": [told], **error.fields}
        raise
