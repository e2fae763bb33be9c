"""What a cluster of the settings has to offer: the way from its name to its workers. What machines are and have,
`compute` tells."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..compute import discovery
from ..compute.offers import Offer, ask_offers, offer_here
from ..compute.units import ComputeUnit
from ..errors import Unavailable
from .clusters import LOCAL, ClusterSpec, find_cluster
from .running import RunningCluster

_SECONDS = 3.0


def find_offers(
    cluster: str = LOCAL, clusters: Mapping[str, Any] | None = None, *, places: int = 1
) -> list[Offer]:
    """This machine, with so many `places`, for ``local``; else the workers of the scheduler at that address; of a
    cluster in the settings' `clusters` that a run starts, what each worker will have.

    Raises `Unavailable` if it does not answer, `InvalidSettings`.
    """
    if cluster == LOCAL:
        return [offer_here(places)]
    spec = find_cluster(cluster, clusters or {})
    if not spec.is_address:
        return [
            Offer(
                name=spec.name, kind="planned", total=spec.worker, free=spec.worker, places=spec.tasks,
                most=spec.maximum,
            )
        ]  # fmt: skip
    with _client(spec) as client:
        return ask_offers(client)


def find_units(cluster: str = LOCAL, clusters: Mapping[str, Any] | None = None) -> list[ComputeUnit]:
    """This machine's units, or those of the workers of the scheduler at an address, each as it finds them where it
    runs. Of a cluster that a run starts there are none yet, and this machine's are told.

    Raises `Unavailable` if it does not answer, `InvalidSettings`.
    """
    spec = None if cluster == LOCAL else find_cluster(cluster, clusters or {})
    if spec is None or not spec.is_address:
        return discovery.find_units()
    with _client(spec) as client:
        return discovery.ask_units(client)


def unreachable(address: str) -> str:
    """Why nothing listens at the address of a scheduler; "" if something does."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if not host or not port:
        return "the address has no host and port"
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except (OSError, UnicodeError) as error:
        return getattr(error, "strerror", None) or str(error) or "it does not answer"
    return ""


@contextlib.contextmanager
def _client(spec: ClusterSpec) -> Iterator[Any]:
    hint = "start one with `dask scheduler` and `dask worker`, or set cluster to local"
    if problem := unreachable(spec.address):
        raise Unavailable(f"no dask scheduler answers at {spec.address}: {problem}", hint=hint)
    try:
        client = RunningCluster(spec).client(_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        raise Unavailable(f"no dask scheduler answers at {spec.address}: {error}", hint=hint) from error
    try:
        yield client
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"the dask scheduler at {spec.address} went away: {error}") from error
    finally:
        client.close(timeout=2)
