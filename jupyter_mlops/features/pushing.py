"""Rows that are pushed: checked whole before anything is written, then logged and put online in one call."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..catalog import FeaturePart
from ..errors import InvalidInput, did_you_mean
from ..frames import to_arrow
from .codec import KeyCodec
from .definitions import FeatureView
from .dtypes import arrow_type, microseconds, moment_of
from .frames import moments, typed
from .log import Log
from .materialize import packer
from .names import ARRIVAL, CREATED, EVENT
from .online import OnlineStore


def batch_of(view: FeatureView, keys: Mapping[str, str], rows: Any, now: datetime) -> Any:
    """The rows in physical form, as an Arrow table; `InvalidInput` for whatever is wrong with them."""
    import numpy as np
    import pyarrow as pa

    where = f"rows pushed to {view.name!r}"
    is_row = isinstance(rows, Mapping) and not any(
        isinstance(value, (list, tuple)) for value in rows.values()
    )
    table = to_arrow([rows] if is_row else rows, where)
    if not table.num_rows:
        raise InvalidInput(f"{where}: there are none")
    known = {*keys, *view.schema, view.event_timestamp, view.created_timestamp}
    unknown = sorted({*table.column_names} - known)
    if unknown:
        raise InvalidInput(
            f"{where}: the view has no {unknown[0]!r}", hint=did_you_mean(unknown[0], known - {""})
        )
    arrays = {name: typed(table, name, dtype, where) for name, dtype in keys.items()}
    for name, column in arrays.items():
        if column.null_count:
            raise InvalidInput(f"{where}: the join key {name!r} is empty in {column.null_count} rows")
    event = moments(table, view.event_timestamp, where, view.time_zone)
    if view.created_timestamp in table.column_names:
        created = moments(table, view.created_timestamp, where, view.time_zone)
    else:
        created = np.maximum(event, microseconds(now)) if view.created_timestamp else event
    utc = arrow_type("timestamp")
    arrays |= {EVENT: pa.array(event).cast(utc), CREATED: pa.array(created).cast(utc)}
    for name, dtype in view.schema.items():
        is_given = name in table.column_names
        arrays[name] = (
            typed(table, name, dtype, where, view.time_zone)
            if is_given
            else pa.nulls(len(event), arrow_type(dtype))
        )
    batch = pa.table(arrays)
    _check_distinct(batch, list(keys), where)
    return batch


def part_of(log: Log, view: FeatureView, batch: Any, now: datetime) -> FeaturePart:
    """Write a batch to the log; its record."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.max_element_wise(*(batch.column(name).cast(pa.int64()) for name in (EVENT, CREATED)))
    bounds = pc.min_max(known).as_py()
    path = log.write(batch, view.version)
    return FeaturePart(
        part_id=uuid.uuid4().hex, view=view.name, version=view.version, path=path, rows=batch.num_rows,
        size_bytes=log.size(path), least_at=moment_of(bounds["min"]), greatest_at=moment_of(bounds["max"]),
        created_at=now,
    )  # fmt: skip


def write_online(
    store: OnlineStore,
    view: FeatureView,
    keys: Mapping[str, str],
    batch: Any,
    part: FeaturePart | None,
    now: datetime,
) -> None:
    """Put the rows online that are known by now. Rows that are not logged count as arrived before all others
    with the same times."""
    import pyarrow as pa
    import pyarrow.compute as pc

    event, created = (batch.column(name).cast(pa.int64()) for name in (EVENT, CREATED))
    is_known = pc.less_equal(pc.max_element_wise(event, created), microseconds(now))
    batch = (
        batch.append_column("__event", event)
        .append_column("__created", created)
        .filter(is_known)
        .combine_chunks()
    )
    store.write(view=view.reference, rows=packer(view, keys, part.seq if part else 0)(batch))


def empty(view: FeatureView, keys: Mapping[str, str], features: Sequence[str]) -> Any:
    """No rows, as an Arrow table of keys, times, features and arrival."""
    import pyarrow as pa

    types = {
        **keys,
        EVENT: "timestamp",
        CREATED: "timestamp",
        **{name: view.schema[name] for name in features},
    }
    return pa.table(
        {name: pa.array([], arrow_type(dtype)) for name, dtype in {**types, ARRIVAL: "int64"}.items()}
    )


def key_packer(keys: Mapping[str, str]) -> Callable[[Mapping[str, Any]], bytes]:
    """From an entity row to its key in the online store."""
    return KeyCodec(keys).pack


def _check_distinct(batch: Any, keys: Sequence[str], where: str) -> None:
    by = [*keys, EVENT, CREATED]
    counts = batch.group_by(by).aggregate([([], "count_all")])
    if counts.num_rows == batch.num_rows:
        return
    twice = next(row for row in counts.to_pylist() if row["count_all"] > 1)
    shown = ", ".join(f"{name}={twice[name]!r}" for name in keys)
    raise InvalidInput(
        f"{where}: {twice['count_all']} rows have {shown} and the same times",
        hint="which one is meant? push it alone",
    )
