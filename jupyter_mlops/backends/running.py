"""A cluster while it runs: started as `clusters` has it, grown with the work, ended; or the address of one that is
there."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..errors import InvalidSettings, MissingExtra, Unavailable
from ..resources import ResourceRequest
from .clusters import CLUSTERS, FIXED, ClusterSpec, arguments_of, demand_startable, wanted_workers

_PATIENCE_SECONDS = 60.0  # until it is said that no worker has come
_CLOSE_SECONDS = 10.0
log = logging.getLogger(__name__)


class RunningCluster:
    """A cluster that was started, or the address of one that runs. `close` ends what was started here."""

    def __init__(self, spec: ClusterSpec) -> None:
        """Raises `Unavailable` with what the batch system or the cloud said, `MissingExtra`."""
        self.spec = spec
        self._cluster: Any = None
        self._wanted = spec.minimum
        self._lost: set[str] = set()  # the names of those that came and went
        self._none_since = time.monotonic()
        self.security = _security(spec.tls)
        if spec.is_address:
            return
        demand_startable(spec)
        make = CLUSTERS.get(spec.type)
        given = arguments_of(spec)
        _mend_main()
        if self.security is not None:
            given.setdefault("security", self.security)
        try:
            self._cluster = make(**given)
            self.security = getattr(self._cluster, "security", self.security)
            self._notice_losses()
            if spec.type not in ("processes", *FIXED) and spec.minimum:
                self._cluster.scale(spec.minimum)
        except TypeError as error:
            raise InvalidSettings(
                f"clusters.{spec.name}: {error}",
                hint=f"its options are those of {make.__module__}.{make.__name__}",
            ) from error
        except ImportError as error:
            raise MissingExtra(
                f"the cluster {spec.name!r} needs {error.name}", hint=CLUSTERS.names()[spec.type][1]
            ) from error
        except Exception as error:
            raise Unavailable(
                f"the cluster {spec.name!r} does not start: {type(error).__name__}: {error}",
                hint=f"look at [clusters.{spec.name}] in the settings",
            ) from error

    def _notice_losses(self) -> None:
        """Whoever looks now and then would miss a worker that came and went between two looks."""
        from distributed.diagnostics.plugin import SchedulerPlugin

        lost, names = self._lost, dict[str, str]()

        class Losses(SchedulerPlugin):
            name = "mlops-losses"

            def add_worker(self, scheduler: Any, worker: str) -> None:
                names[worker] = str(scheduler.workers[worker].name)
                lost.discard(names[worker])

            def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
                lost.add(names.pop(worker, ""))

        scheduler: Any = getattr(self._cluster, "scheduler", None)
        if hasattr(scheduler, "add_plugin"):  # it is in this process
            self._cluster.loop.add_callback(scheduler.add_plugin, Losses())

    @property
    def address(self) -> str:
        """Of its scheduler."""
        return str(self.spec.address if self._cluster is None else self._cluster.scheduler_address)

    def client(self, timeout_seconds: float) -> Any:
        """A new client of it."""
        from distributed import Client

        if self.spec.type == "gateway":
            return self._cluster.get_client(set_as_default=False)
        return Client(
            self.address, timeout=timeout_seconds, set_as_default=False, **_given(security=self.security)
        )

    def fit(self, jobs: Sequence[ResourceRequest]) -> None:
        """Grow for these jobs at once, by what each asks for; shrink to the least when there are none. It never shrinks
        beside jobs: which worker would go, dask decides, and one with a notebook on it must not."""
        if self._cluster is None or self.spec.type in FIXED:
            return
        wanted = wanted_workers(self.spec, jobs, self._wanted)
        if wanted != self._wanted:
            self._wanted, self._none_since = wanted, time.monotonic()
            self._cluster.scale(wanted)

    def look(self, names: Collection[str]) -> None:
        """Who its workers are now. One that was there and is gone (its job was cancelled, its machine taken) is
        replaced: the batch system does not; by SSH they see to it themselves. Raises `Unavailable` when there are none
        and none of them starts."""
        if self._cluster is None:
            return
        kept = getattr(self._cluster, "worker_spec", {})
        gone = [name for name in kept if str(name) in self._lost]
        self._lost.difference_update(map(str, gone))
        if gone:
            log.warning(
                "the cluster %r lost %d of its workers; new ones are asked for", self.spec.name, len(gone)
            )
            self._cluster.sync(self._cluster.scale_down, gone)
            self._cluster.scale(self._wanted)
        if not names and self._all_failed():
            given_up = "; ".join(filter(None, (getattr(each, "given_up", "") for each in self._asked())))
            raise Unavailable(
                f"no worker of the cluster {self.spec.name!r} starts" + (f": {given_up}" if given_up else ""),
                hint=f"what went wrong is in the log above; look at [clusters.{self.spec.name}] in the settings",
            )
        if names or not self._wanted:
            self._none_since = time.monotonic()
        elif time.monotonic() - self._none_since > _PATIENCE_SECONDS:
            self._none_since = time.monotonic()
            log.warning(
                "no worker of the cluster %r has come within %g s: do its jobs wait or fail? look at their logs",
                self.spec.name,
                _PATIENCE_SECONDS,
            )

    def _all_failed(self) -> bool:
        """Whether every worker that was asked for could not even be started: a process that ends at once, a job that
        the batch system refuses. dask tells its log of that, and leaves it there."""
        asked = self._asked()
        # Among the cluster's workers are those whose start is over, one way or the other.
        return bool(asked) and all(
            getattr(worker.status, "name", "") in ("created", "failed", "closed") for worker in asked
        )

    def _asked(self) -> list[Any]:
        """What the cluster holds of each worker that there should be."""
        return [
            worker
            for name, worker in dict(getattr(self._cluster, "workers", {})).items()
            if name in self._cluster.worker_spec
        ]

    def refuse(self, why: Mapping[str, str]) -> None:
        """Workers of these names get no tasks: they are not started again to be refused once more."""
        for worker in self._asked():
            if getattr(worker, "known_as", None) in why:
                self._cluster.loop.add_callback(worker.give_up, why[worker.known_as])

    def close(self) -> None:
        """End it, if it was started here."""
        if self._cluster is None:
            return
        if self.spec.type != "gateway":
            self._cluster.close(timeout=_CLOSE_SECONDS)
            return
        self._cluster.close()
        # Its client closes itself once more when it is collected, and cannot without its loop, which has ended.
        vars(self._cluster.gateway).pop("_loop_runner", None)


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _security(tls: Mapping[str, str]) -> Any:
    """Certificates for ``tls://``; without, dask's own configuration says."""
    if not tls:
        return None
    from distributed.security import Security

    return Security(
        tls_ca_file=tls["ca"], require_encryption=True,
        **{f"tls_{who}_{part}": tls[part] for who in ("client", "scheduler", "worker") for part in ("cert", "key")},
    )  # fmt: skip


def _mend_main() -> None:
    """IPython's ``%reset`` empties `__main__`, and multiprocessing starts no process without its `__spec__`, which is
    None in a shell that was not reset."""
    main = sys.modules.get("__main__")
    if main is not None and not hasattr(main, "__spec__"):
        main.__spec__ = None
