"""What a frame looks like, as small JSON: counts and moments of its rows, a histogram and quantiles of a sample.

Time and size are bounded whatever the frame: of very large ones every n-th row is looked at (the same ones each
time), of very wide ones the first columns are, and texts are cut. Of texts with many values those that occur once
are left out: they say nothing of a distribution, and may name somebody.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..errors import InvalidInput, did_you_mean
from ..frames import to_arrow

SAMPLE_ROWS = 100_000
CATEGORIES = ("string", "bool")
_MOST_CELLS = 50_000_000
_MOST_FEATURES = 100
_BINS = 10
_TOP = 20
_LONGEST = 100  # characters of a text
GRID = 101
Profile = Mapping[str, Any]
"""``{"rows": n, "features": {name: {"dtype", "nulls", …}}}``; also `seen`, if that is fewer rows, and `omitted`,
how many columns are not in it."""


def profile_frame(frame: Any, features: Sequence[str] | None = None) -> dict[str, Any]:
    """The profile of a frame's columns: of `features`, else of all that have a profile, the first 100 at most.

    `InvalidInput` for what is no frame, and for `features` that it has not or that have no profile.
    """
    rows, columns = columns_of(frame, features)
    made: dict[str, Any] = {}
    seen = rows
    omitted = 0
    for name, values in columns:
        dtype = "" if isinstance(values, InvalidInput) else dtype_of(values.type)
        if not dtype or (features is None and len(made) >= _MOST_FEATURES):
            if features is not None:
                raise InvalidInput(f"profile: {name!r} has no profile: {getattr(values, 'type', values)}")
            omitted += 1
            continue
        seen = len(values)
        made[name] = _of_column(values, dtype)
    profile: dict[str, Any] = {"rows": rows, "features": made}
    if seen < rows:
        profile["seen"] = seen
    if omitted:
        profile["omitted"] = omitted
    return profile


def columns_of(
    frame: Any, features: Sequence[str] | None = None, where: str = "profile"
) -> tuple[int, Iterator[tuple[str, Any]]]:
    """How many rows there are; and each column as an Arrow array of the rows to look at, or what is wrong with it.

    A pandas frame is converted a column at a time: one of mixed objects does not spoil the others.
    """
    is_pandas = type(frame).__module__.partition(".")[0] == "pandas" and hasattr(frame, "columns")
    table = frame if is_pandas else to_arrow(frame, where)
    names = [str(name) for name in (table.columns if is_pandas else table.column_names)]
    for name in features or ():
        if name not in names:
            raise InvalidInput(f"{where}: the frame has no column {name!r}", hint=did_you_mean(name, names))
    places = [place for place, name in enumerate(names) if features is None or name in features]
    rows = len(table)
    step = max(1, -(-rows * len(places) // _MOST_CELLS))

    def each() -> Iterator[tuple[str, Any]]:
        for place in places:
            try:
                one = to_arrow(table.iloc[::step, [place]], where) if is_pandas else table.select([place])
            except InvalidInput as error:
                yield names[place], error
                continue
            values = one.column(0)
            yield names[place], values if is_pandas or step == 1 else values.take([*range(0, rows, step)])

    return rows, each()


def dtype_of(kind: Any) -> str:
    """The type of an Arrow column in a profile; "" for what has none."""
    import pyarrow as pa

    is_kind = {
        "bool": pa.types.is_boolean(kind),
        "int64": pa.types.is_integer(kind),
        "float32": pa.types.is_float32(kind),
        "float64": pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind),
        "string": pa.types.is_string(kind) or pa.types.is_large_string(kind),
        "bytes": pa.types.is_binary(kind) or pa.types.is_large_binary(kind),
        "timestamp": pa.types.is_timestamp(kind) or pa.types.is_date(kind),
    }
    return next((name for name, is_it in is_kind.items() if is_it), "")


def _of_column(values: Any, dtype: str) -> dict[str, Any]:
    import numpy as np

    total = len(values)
    if dtype in CATEGORIES:
        return {"dtype": dtype, "nulls": values.null_count, "top": top(values[: SAMPLE_ROWS * 10])}
    if dtype == "bytes":
        return {"dtype": dtype, "nulls": values.null_count}
    known = numbers(values, dtype)
    body: dict[str, Any] = {"dtype": dtype, "nulls": total - len(known)}
    with np.errstate(over="ignore", invalid="ignore"):
        for name in ("min", "max", "mean"):
            body[name] = finite(float(getattr(known, name)())) if len(known) else None
        body["std"] = finite(float(known.std(ddof=1))) if len(known) > 1 else None
    return body | histogram(known[:: max(1, -(-len(known) // SAMPLE_ROWS))])


def numbers(column: Any, dtype: str) -> Any:
    """The values that are there and finite, as NumPy floats; moments as seconds."""
    import numpy as np
    import pyarrow as pa

    if dtype == "timestamp":
        zone = getattr(column.type, "tz", None)
        micros = column.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
        return micros.drop_null().to_numpy().astype(np.float64) / 1e6
    if not pa.types.is_floating(column.type):
        column = column.cast(pa.float64(), safe=False)
    values = column.drop_null().to_numpy().astype(np.float64)
    return values[np.isfinite(values)]


def histogram(values: Any) -> dict[str, Any]:
    """Distinct deciles as edges, the share of values between them, and the quantiles."""
    import numpy as np

    if not len(values):
        return {"edges": [], "shares": [], "quantiles": []}
    quantiles = np.quantile(values, np.linspace(0, 1, GRID), method="inverted_cdf")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1], method="lower"))
    return {
        "edges": edges.tolist(),
        "shares": shares_between(values, edges),
        "quantiles": quantiles.tolist(),
    }


def shares_between(values: Any, edges: Any) -> list[float]:
    """The share of values in (…, e0], (e0, e1], …, (en, …)."""
    import numpy as np

    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    shares: list[float] = (counts / max(1, len(values))).tolist()
    return shares


def top(column: Any) -> dict[str, float]:
    """The shares of the most frequent values, and of many values only of those that occur again."""
    import numpy as np

    values, counts = _counted(column)
    total = int(counts.sum())
    if len(counts) > _TOP:
        least = max(2, int(np.partition(counts, -_TOP)[-_TOP]))
        is_kept = counts >= least
        values, counts = values.filter(is_kept), counts[is_kept]
    found = sorted(zip(map(str, values.to_pylist()), counts.tolist(), strict=True), key=_by_count)
    return {value: count / total for value, count in found[:_TOP]}


def shares_of(column: Any, names: Collection[str]) -> dict[str, float]:
    """The shares of these values, named as `top` does."""
    values, counts = _counted(column)
    total = int(counts.sum())
    if len(names) < len(counts) and _is_text(values.type):
        import pyarrow as pa
        import pyarrow.compute as pc

        is_named = pc.is_in(values, value_set=pa.array(list(names), values.type)).to_numpy(
            zero_copy_only=False
        )
        values, counts = values.filter(is_named), counts[is_named]
    found = dict(zip(map(str, values.to_pylist()), counts.tolist(), strict=True))
    return {name: found.get(name, 0) / max(1, total) for name in names}


def _by_count(one: tuple[str, int]) -> tuple[int, str]:
    return -one[1], one[0]


def _counted(column: Any) -> tuple[Any, Any]:
    """The distinct values, texts cut, and how often each occurs."""
    import pyarrow.compute as pc

    values = column.drop_null()
    if _is_text(values.type):
        values = pc.utf8_slice_codeunits(values, 0, _LONGEST)
    counted = values.value_counts()
    return counted.field("values"), counted.field("counts").to_numpy()


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def finite(value: float | None) -> float | None:
    """The value, None if JSON cannot hold it."""
    return value if value is not None and math.isfinite(value) else None
