"""The operation that says who answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._version import __version__
from ..catalog.owner import user_name
from .panel import Panel


def status(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getStatus`."""
    return {
        "version": __version__,
        "server_id": panel.server_id,
        "seq": panel.seq,
        "user_name": user_name(),
        "root": panel.places.root.name or str(panel.places.root),
        "workspace": os.path.relpath(panel.workspace_root, panel.places.root).replace(os.sep, "/"),
        "is_fresh": panel.is_fresh,
    }
