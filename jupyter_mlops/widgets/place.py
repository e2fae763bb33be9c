"""Where a picture that moves is shown: a display in a cell's output, replaced in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Bundle = Mapping[str, str]
"""One thing to show, by MIME type."""


class Place(Protocol):
    """Somewhere that shows one thing at a time."""

    def show(self, bundle: Bundle) -> None:
        """Show this instead of what was there. May be called from any thread, one call at a time."""


class CellOutput:
    """A display in the output of the cell that runs at the first call.

    What it shows last is what the saved notebook keeps, and the only thing: a display that is updated leaves no
    trail. It needs no JavaScript, so that every front end shows it, nbconvert too.
    """

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, bundle: Bundle) -> None:
        """See `Place`."""
        from IPython.display import DisplayHandle

        if self._handle is None:
            self._handle = DisplayHandle()
            self._handle.display(dict(bundle), raw=True)
        else:
            self._handle.update(dict(bundle), raw=True)


def has_rich_output() -> bool:
    """Whether this process is a kernel, whose displays can be replaced. A terminal prints each one anew."""
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")
