"""Who wants to hear of a run, and how they are kept from harming it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Protocol

from ..catalog import Catalog
from ..catalog.records import Run
from ..errors import MlopsError
from ..events import Event
from ..pipelines import RunState
from ..settings import Settings
from . import lineage, traces

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Hears the events of one run, in order, each after it was committed."""

    def handle(self, event: Event) -> None:
        """It happened."""

    def close(self) -> None:
        """No more will come: from this process at least. Waits a few seconds for what is still to be sent."""


class _Guarded:
    """Observers of which one that fails is told of once, and not asked again."""

    def __init__(self, observers: list[Observer]) -> None:
        self._observers = observers

    def handle(self, event: Event) -> None:
        self._each(lambda observer: observer.handle(event))

    def close(self) -> None:
        self._each(lambda observer: observer.close())

    def _each(self, do: Callable[[Observer], None]) -> None:
        for observer in tuple(self._observers):
            try:
                do(observer)
            except Exception as error:  # noqa: BLE001 - other people's libraries; a run must not end by them
                _give_up(type(observer).__name__, error)
                self._observers.remove(observer)


def observe(
    run: Run,
    machine: RunState,
    *,
    catalog: Callable[[], Catalog],
    settings: Settings,
    environment: Mapping[str, str] = os.environ,
) -> Observer | None:
    """Who hears of this run, as settings and environment say; None if nobody does."""
    found: list[Observer] = []
    for name, wanted, make in (
        ("OpenLineage", lineage.is_wanted(settings, environment), lineage.open_observer),
        ("OpenTelemetry", traces.is_wanted(settings, environment), traces.open_observer),
    ):
        if wanted:
            try:
                found.append(make(run, machine, catalog, settings, environment))
            except Exception as error:  # noqa: BLE001 - a wrong variable, a package that is not there
                _give_up(name, error)
    return _Guarded(found) if found else None


def _give_up(name: str, error: Exception) -> None:
    told = f"{error} ({error.hint})" if isinstance(error, MlopsError) and error.hint else error or type(error)
    log.warning("%s is not told of this run: %s", name, told)
