"""Which version answers: loaded in the background, swapped when all are ready, chosen for each request.

A request holds on to the version that it was given to. So a swap loses none: new requests meet the new versions, the
old ones end when their last answer is out.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..errors import MlopsError
from . import outcome
from .batching import Batcher, Counted, Raised
from .intake import Input
from .metrics import Metrics
from .payload import Payload, parse
from .refusals import ModelFailed, NotReady, Refusal, TookTooLong, Unknown
from .traffic import Part, Traffic, choose
from .version import Version, load

_INLINE_BYTES = 64 * 2**10  # larger bodies are read in a thread, so that health goes on answering
_SHADOWS_WAITING = 32  # a shadow that is behind misses requests; it never makes anybody wait
_SWEEP_SECONDS = 0.25
log = logging.getLogger("jupyter_mlops.serving")


class Live:
    """A version that answers, with its part of the traffic."""

    def __init__(self, version: Version, part: Part, service: Service) -> None:
        self.version = version
        self.part = part
        metrics, name = service.metrics, str(version.number)
        self.batcher = Batcher(
            version.predict,
            is_joined=version.is_rowwise,
            most_rows=service.most_rows,
            most_waiting=service.most_waiting,
            counted=Counted(lambda requests, rows, seconds: metrics.batch(name, requests, rows, seconds)),
        )


@dataclass(slots=True)
class Prediction:
    """An answer: `output` for the rows of `given`, by `version`, known as `id`."""

    id: str
    version: Version
    payload: Payload
    given: Input
    output: Any
    features: Any = None  # what was looked up by key, if it was


Answered = Callable[[Prediction, str], None]


class Service:
    """The versions that answer now. `featured` looks up features by key; `answered` hears of each prediction."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        seconds: float = 60.0,
        most_rows: int = 1024,
        most_waiting: int = 512,
        featured: Any = None,
        answered: Sequence[Answered] = (),
    ) -> None:
        self.metrics = metrics
        self.seconds = seconds
        self.most_rows = most_rows
        self.most_waiting = most_waiting
        self.featured = featured
        self.answered = tuple(answered)
        self.traffic: Traffic | None = None
        self.live: tuple[Live, ...] = ()
        self.state, self.message = "loading", ""
        self._shares: tuple[float, ...] = ()
        self._shadows: tuple[Live, ...] = ()
        self._ending: list[Live] = []
        self._loading = asyncio.Lock()
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._reader = ThreadPoolExecutor(2, thread_name_prefix="read")
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids = itertools.count()
        self._prefix = secrets.token_hex(6)
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    # --- what is served -------------------------------------------------------------------------------------

    async def serve(self, traffic: Traffic) -> bool:
        """Load what is new, and swap; whether it went well. If not, what answered before goes on answering."""
        async with self._loading:
            kept = {_identity(one.part): one for one in self.live}
            fresh: list[Live] = []
            try:
                for part in traffic.versions:
                    known = kept.get(_identity(part))
                    version = known.version if known else await self._load(part)
                    fresh.append(Live(version, part, self) if known is None else _renewed(known, part))
            except MlopsError as error:
                log.error("revision %s cannot be served: %s", traffic.revision, error)
                self.metrics.swaps["failed"] += 1
                self.message = f"revision {traffic.revision}: {error}"
                if not self.live:
                    self.state = "failed"
                for one in fresh:
                    if one.batcher not in {live.batcher for live in self.live}:
                        one.batcher.close()
                return False
            self._swap(traffic, tuple(fresh))
            return True

    async def _load(self, part: Part) -> Version:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._loader, lambda: load(part.folder, number=part.version, digest=part.manifest_digest)
        )

    def _swap(self, traffic: Traffic, fresh: tuple[Live, ...]) -> None:
        old, self.live = self.live, fresh
        self._shares = tuple(one.part.share for one in fresh)
        self._shadows = tuple(one for one in fresh if one.part.shadow > 0)
        self.traffic = traffic
        if self.state != "draining":
            self.state, self.message = "ready", ""
        self.metrics.swaps["done"] += 1
        kept = {one.batcher for one in fresh}
        for one in old:
            if one.batcher not in kept:
                self._ending.append(one)
        log.info("revision %s answers: %s", traffic.revision, ", ".join(one.version.header for one in fresh))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            for one in [*self.live, *self._ending]:
                one.batcher.sweep()
            for one in [one for one in self._ending if one.batcher.is_idle]:
                one.batcher.close()
                self._ending.remove(one)

    @property
    def is_ready(self) -> bool:
        """Whether requests are answered."""
        return self.state == "ready"

    @property
    def is_alive(self) -> bool:
        """Whether the model is not stuck: a call that takes three times what any request may is none that ends."""
        return all(one.batcher.stuck_seconds() < 3 * self.seconds for one in self.live)

    def describe(self) -> dict[str, Any]:
        """``GET /mlops/state``."""
        traffic = self.traffic
        return {
            "name": traffic.name if traffic else "",
            "model": traffic.model if traffic else "",
            "revision": traffic.revision if traffic else 0,
            "state": self.state,
            "message": self.message,
            "versions": [
                {
                    "version": one.version.number,
                    "share": one.part.share,
                    "shadow": one.part.shadow,
                    "manifest_digest": one.version.digest,
                    "is_rowwise": one.version.is_rowwise,
                    "waiting": one.batcher.waiting,
                }
                for one in self.live
            ],
            "in_flight": self.metrics.in_flight,
            "requests": self.metrics.predictions,
            "errors": self.metrics.errors,
        }

    # --- predicting -----------------------------------------------------------------------------------------

    def choose(self, key: str, number: int | None = None) -> Live:
        """The version for a request; `NotReady`, or `Unknown` for a number that does not answer here."""
        if self.state == "draining" and not self.live:
            raise NotReady("the server is ending")
        if not self.live:
            raise NotReady(
                "the model is still loading" if self.state == "loading" else "no model could be loaded"
            )
        if number is not None:
            for one in self.live:
                if one.version.number == number:
                    return one
            raise Unknown(f"version {number} does not answer here")
        if len(self.live) == 1:
            return self.live[0]
        return self.live[choose(self._shares, key)]

    async def predict(
        self, body: bytes, content_type: str, *, key: str = "", number: int | None = None, identity: str = ""
    ) -> Prediction:
        """The predictions for a body; a `Refusal` for everything that is none."""
        if len(body) > _INLINE_BYTES:
            loop = asyncio.get_running_loop()
            payload = await loop.run_in_executor(self._reader, parse, body, content_type)
        else:
            payload = parse(body, content_type)
        if payload.kind == "entities":
            key = key or _key_of(payload.data)
        live = self.choose(key, number)
        identity = identity or self.new_id()
        live.batcher.held += 1  # a swap meanwhile does not take the version away
        try:
            made = await self._predict(live, payload, identity, is_large=len(body) > _INLINE_BYTES)
        finally:
            live.batcher.held -= 1
        if self._shadows:
            self._show(live, made, key)
        for hear in self.answered:
            hear(made, key)
        return made

    def new_id(self) -> str:
        """The id of a prediction: of this process, and counted."""
        return f"{self._prefix}{next(self._ids):08x}"

    async def _predict(self, live: Live, payload: Payload, identity: str, *, is_large: bool) -> Prediction:
        version, features = live.version, None
        if payload.kind == "entities":
            features = await self._look_up(version, payload)
            payload = Payload("records", features.records, payload.form, payload.id, payload.outputs)
        if is_large:
            loop = asyncio.get_running_loop()
            given = await loop.run_in_executor(self._reader, version.intake.take, payload)
        else:
            given = version.intake.take(payload)
        try:
            output = await live.batcher.submit(given, self.seconds)
        except Raised as error:
            log.error(
                "prediction %s by %s failed: %s", identity, version.header, error, exc_info=error.__cause__
            )
            raise ModelFailed(f"the model failed on this input (prediction {identity})") from None
        return Prediction(identity, version, payload, given, output, features)

    async def _look_up(self, version: Version, payload: Payload) -> Any:
        if self.featured is None:
            raise Unknown("this server looks up no features; send the rows themselves")
        try:
            async with asyncio.timeout(self.seconds):
                return await self.featured.look_up(version, payload.data)
        except TimeoutError:
            raise TookTooLong("the features could not be looked up in time") from None

    # --- shadows --------------------------------------------------------------------------------------------

    def _show(self, live: Live, made: Prediction, key: str) -> None:
        for one in self._shadows:
            if one is live or random.random() >= one.part.shadow:  # noqa: S311 - chance, no secret
                continue
            if one.batcher.waiting >= _SHADOWS_WAITING:
                self.metrics.shadow[str(one.version.number), "dropped"] += 1
                continue
            task = asyncio.get_running_loop().create_task(self._compare(one, made, key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _compare(self, live: Live, made: Prediction, key: str) -> None:
        """Ask a shadow the same, and count whether it says the same."""
        number = str(live.version.number)
        try:
            given = live.version.intake.take(made.payload)
            output = await live.batcher.submit(given, self.seconds)
        except (Refusal, Raised) as error:
            log.warning("shadow %s failed on prediction %s: %s", live.version.header, made.id, error)
            self.metrics.shadow[number, "failed"] += 1
            return
        is_same = outcome.agree(made.output, output)
        self.metrics.shadow[number, "same" if is_same else "other"] += 1
        shown = Prediction(f"{made.id}-shadow", live.version, made.payload, given, output, made.features)
        for hear in self.answered:
            hear(shown, key)

    # --- ending ---------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """From now on it is not ready; what comes nevertheless is still answered."""
        self.state = "draining"

    async def close(self) -> None:
        """End the threads."""
        self._sweeper.cancel()
        for one in [*self.live, *self._ending]:
            one.batcher.close()
        for task in list(self._tasks):
            task.cancel()
        self._loader.shutdown(wait=False, cancel_futures=True)
        self._reader.shutdown(wait=False, cancel_futures=True)


def _identity(part: Part) -> tuple[int, str, str]:
    return part.version, part.folder, part.manifest_digest


def _renewed(known: Live, part: Part) -> Live:
    """The same version with another part of the traffic: its thread and its queue stay."""
    one = Live.__new__(Live)
    one.version, one.part, one.batcher = known.version, part, known.batcher
    return one


def _key_of(entities: Sequence[Mapping[str, Any]]) -> str:
    """What a question by key sticks to: the keys of its first row."""
    return repr(sorted(entities[0].items(), key=lambda item: item[0])) if entities else ""
