"""Who fires the schedules: the holder of one lease of the catalog."""

from __future__ import annotations

from datetime import datetime

from ..catalog import Catalog, owner
from ..catalog.lease import Lease, LeaseLost

__all__ = ["LEASE", "Lease", "LeaseLost", "leader"]

LEASE = "scheduler"


def leader(catalog: Catalog, moment: datetime) -> str:
    """Who fires the schedules, for messages; "" when nobody does."""
    found = Lease(catalog, LEASE).current()
    if found is None or found.until_at <= moment:
        return ""
    return owner.shown(found.holder.rpartition(":")[0])
