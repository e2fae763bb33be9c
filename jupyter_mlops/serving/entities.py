"""Features by entity key: looked up in the online store, of the very feature service that the version was trained with.

The one part of a server that needs the catalog; it is opened only when a server is told of one (``--features``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..blobs import BlobStore
from ..catalog import Catalog
from ..errors import InvalidInput, MlopsError, NotFound
from ..features import FeatureStore
from .metrics import Metrics
from .options import Options
from .refusals import Invalid, NotReady, refusal_of
from .version import Version


@dataclass(slots=True)
class Featured:
    """What was looked up: `records` for the model; keys, values and statuses for the answer and the log."""

    at: datetime
    records: list[dict[str, Any]]
    entities: list[dict[str, Any]]
    values: list[dict[str, Any]]
    statuses: list[dict[str, str]]


class Lookup:
    """Looks up features, one question after the other, in a thread of its own."""

    def __init__(self, options: Options, metrics: Metrics) -> None:
        if not options.features_blobs or not options.features_online:
            raise InvalidInput(
                "--features needs the blob store and the online store of that catalog, too",
                hint="--features-blobs URL --features-online URL",
            )
        self._catalog = Catalog.open(options.features)
        self._store = FeatureStore(
            self._catalog, BlobStore(options.features_blobs), online=options.features_online
        )
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="features")

    async def look_up(self, version: Version, entities: Sequence[Mapping[str, Any]]) -> Featured:
        """The features of each entity; `Invalid` for wrong keys, or a version that was trained without any."""
        wanted = pinned(version.manifest)
        if not wanted:
            raise Invalid("this version was not trained from a feature service; send the rows themselves")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._thread, self._read, entities, wanted)
        except (InvalidInput, NotFound) as error:
            raise refusal_of(error) from None
        except MlopsError as error:
            raise NotReady("the online store cannot be reached") from error
        for row in found.statuses:
            for status in row.values():
                self._metrics.features[status] += 1
        return found

    def _read(self, entities: Sequence[Mapping[str, Any]], wanted: str | Sequence[str]) -> Featured:
        at = datetime.now(UTC)
        answer = self._store.get_online_features([dict(row) for row in entities], wanted, at=at)
        values = answer.to_dicts()
        statuses = [dict(zip(answer.names, row, strict=True)) for row in answer.statuses]
        given = [dict(row) for row in entities]
        records = [{**entity, **features} for entity, features in zip(given, values, strict=True)]
        return Featured(at, records, given, values, statuses)

    def close(self) -> None:
        """Let go of the stores."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._store.close()
        self._catalog.close()


def pinned(manifest: Mapping[str, Any]) -> str | list[str]:
    """The feature service (or the features) that a version's data came from; "" for none."""
    for source in manifest.get("data") or ():
        if source.get("feature_service"):
            return str(source["feature_service"])
    for source in manifest.get("data") or ():
        if source.get("feature_views"):
            return [str(one) for one in source["feature_views"]]
    return ""
