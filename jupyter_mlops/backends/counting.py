"""What dask counts of what jobs ask for: the resources that workers declare. Pure.

dask keeps a job that asks for a name that no worker has, for ever; so cores and memory that nobody declares are not
counted. A GPU is another matter: nobody has one by accident, and a job that needs one waits for a worker that has it.

A job cannot ask dask for a worker that is *not* something. So where some workers can be taken away, those that cannot
declare `LASTING`, and a job that does not say ``spot: true`` asks for a grain of it, as many as there may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..resources import ResourceRequest

Offers = Sequence[Mapping[str, float]]  # what each worker declares
LASTING = "lasting"
_GRAIN = 1e-6


def counted(request: ResourceRequest, offers: Offers) -> dict[str, float]:
    """What of a request a worker must have left."""
    wanted = request.to_dask()
    if not request.spot:
        wanted[LASTING] = _GRAIN
    declared = {name for offer in offers for name in offer} | {"gpu"}
    return {name: amount for name, amount in wanted.items() if amount and name in declared}


def most(offers: Offers, *, is_final: bool) -> ResourceRequest | None:
    """The most that one worker gives to a job, None where nobody says. Where `is_final`, no other kind of worker will
    come: then a GPU that none declares is one that there never will be."""
    best = {
        name: max((offer[name] for offer in offers if name in offer), default=None)
        for name in ("cpu", "memory", "gpu")
    }
    if best["gpu"] is None and is_final:
        best["gpu"] = 0.0
    if all(amount is None for amount in best.values()):
        return None
    return ResourceRequest(cpu=best["cpu"], memory=_whole(best["memory"]), gpu=_whole(best["gpu"]))


def _whole(amount: float | None) -> int | None:
    return None if amount is None else int(amount)
