"""What a notebook itself asks of a machine: ``metadata.mlops.resources``, written as in a ``pipeline.yaml``.

A task that asks for nothing takes this. It decides where a notebook runs, not what comes of it, and so is no
part of a cache key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput, InvalidNotebook
from ..resources import ResourceRequest
from .files import Notebook

_GROUP, _KEY = "mlops", "resources"


def read_request(nb: Mapping[str, Any], *, where: str = "notebook") -> ResourceRequest:
    """What `nb` asks for, by default nothing. Raises `InvalidNotebook` for nonsense."""
    group = nb["metadata"].get(_GROUP)
    given = group.get(_KEY) if isinstance(group, Mapping) else None
    try:
        return ResourceRequest.parse(given)
    except InvalidInput as error:
        raise InvalidNotebook(
            f"{where}: metadata.mlops.resources: {error.message}", hint=error.hint
        ) from error


def write_request(nb: Notebook, request: ResourceRequest) -> None:
    """Let `nb` ask for `request`; an empty one is taken out again, with what would be left empty."""
    metadata = nb["metadata"]
    group = dict(metadata[_GROUP]) if isinstance(metadata.get(_GROUP), Mapping) else {}
    group.pop(_KEY, None)
    if written := request.written():
        group[_KEY] = written
    if group:
        metadata[_GROUP] = group
    else:
        metadata.pop(_GROUP, None)
