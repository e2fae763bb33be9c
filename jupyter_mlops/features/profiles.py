"""Profiles of data and the drift between them.

A profile is small JSON that is kept with each materialization and may be kept with a model version: counts and
moments of all rows, and a histogram and quantiles of a sample. Drift compares new rows with it: PSI over the
profile's bins (for texts, over its most frequent values), and the Kolmogorov-Smirnov distance for numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput, MissingExtra
from . import duck
from .dtypes import inferred
from .frames import to_arrow
from .names import quote

SAMPLE_ROWS = 100_000
_BINS = 10
_TOP = 20
_GRID = 101
_LEAST = 1e-4  # the share of an empty bin: PSI has a logarithm
_CATEGORIES = ("string", "bool")
Profile = Mapping[str, Any]
"""``{"rows": n, "features": {name: {"dtype", "nulls", …}}}``"""


def profile_frame(frame: Any, features: Sequence[str] | None = None) -> dict[str, Any]:
    """The profile of a frame's columns (all that can be features, if `features` is None)."""
    table = to_arrow(frame, "profile")
    with duck.connect() as connection, duck.explained("profile"):
        connection.register("rows", table)
        relation = connection.sql("SELECT * FROM rows")
        schema = {}
        for name, kind in zip(relation.columns, map(str, relation.types), strict=True):
            if features is None or name in features:
                try:
                    schema[name] = inferred(kind, name)
                except InvalidInput:
                    if features is not None:
                        raise
        return profile_rows(connection, "SELECT * FROM rows", schema)


def profile_rows(connection: Any, rows: str, schema: Mapping[str, str]) -> dict[str, Any]:
    """The profile of a query's rows."""
    asked = ["count(*) AS __rows"]
    for place, (name, dtype) in enumerate(schema.items()):
        value = _value(name, dtype)
        asked.append(f"count({value}) AS __n{place}")
        if dtype not in (*_CATEGORIES, "bytes"):
            asked += [
                f"{how}({value})::DOUBLE AS __{how}{place}" for how in ("min", "max", "avg", "stddev_samp")
            ]
    answer = duck.one(connection, f"SELECT {', '.join(asked)} FROM ({rows})")
    total = answer["__rows"]
    features = {}
    sample = _sample(connection, rows, schema, total)
    for place, (name, dtype) in enumerate(schema.items()):
        made: dict[str, Any] = {"dtype": dtype, "nulls": total - answer[f"__n{place}"]}
        if dtype in _CATEGORIES:
            made |= {"top": _top(sample[name])}
        elif dtype != "bytes":
            words = {"min": "min", "max": "max", "mean": "avg", "std": "stddev_samp"}
            made |= {word: _finite(answer[f"__{how}{place}"]) for word, how in words.items()}
            made |= _histogram(_numbers(sample[name]))
        features[name] = made
    return {"rows": total, "features": features}


def _value(name: str, dtype: str) -> str:
    """A column as what is profiled: NaN is null, infinities do not count, moments are seconds."""
    column = quote(name)
    if dtype == "timestamp":
        return f"epoch({column})"
    return f"CASE WHEN isfinite({column}) THEN {column} END" if dtype.startswith("float") else column


def _sample(connection: Any, rows: str, schema: Mapping[str, str], total: int) -> Any:
    if not schema:
        return {}
    asked = ", ".join(f"{_value(name, dtype)} AS {quote(name)}" for name, dtype in schema.items())
    if total <= SAMPLE_ROWS:
        return duck.table(connection, f"SELECT {asked} FROM ({rows})")
    step = -(-total // SAMPLE_ROWS)  # every n-th row: the same ones each time
    numbered = f"SELECT *, row_number() OVER () AS __row FROM ({rows})"
    return duck.table(connection, f"SELECT {asked} FROM ({numbered}) WHERE __row % {step} = 0")


def _numbers(column: Any) -> Any:
    import numpy as np

    return column.drop_null().to_numpy().astype(np.float64)


def _histogram(values: Any) -> dict[str, Any]:
    """Distinct deciles as edges, the share of rows between them, and the quantiles."""
    import numpy as np

    if not len(values):
        return {"edges": [], "shares": [], "quantiles": []}
    quantiles = np.quantile(values, np.linspace(0, 1, _GRID), method="inverted_cdf")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1], method="lower"))
    return {"edges": edges.tolist(), "shares": _shares(values, edges), "quantiles": quantiles.tolist()}


def _shares(values: Any, edges: Any) -> list[float]:
    """The share of values in (…, e0], (e0, e1], …, (en, …)."""
    import numpy as np

    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    shares: list[float] = (counts / max(1, len(values))).tolist()
    return shares


def _top(column: Any) -> dict[str, float]:
    values = column.drop_null()
    counts = values.value_counts().to_pylist()
    counts.sort(key=lambda one: (-one["counts"], str(one["values"])))
    return {str(one["values"]): one["counts"] / len(values) for one in counts[:_TOP]}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


# --- drift ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How far one feature is from its profile. `ks` is None for what has no order."""

    feature: str
    psi: float
    ks: float | None
    null_share: float
    null_share_before: float
    is_drifted: bool
    shares: Sequence[float]
    shares_before: Sequence[float]
    bins: Sequence[str]


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift of each feature, in the profile's order."""

    rows: int
    features: Sequence[FeatureDrift]

    @property
    def is_drifted(self) -> bool:
        """Whether any feature is."""
        return any(one.is_drifted for one in self.features)

    def to_pandas(self) -> Any:
        """A row for each feature."""
        import pandas as pd

        names = ("feature", "psi", "ks", "null_share", "null_share_before", "is_drifted")
        return pd.DataFrame([{name: getattr(one, name) for name in names} for one in self.features])

    def _repr_html_(self) -> str:
        html: str = self.to_pandas().to_html(index=False, float_format="%.3f")
        return html

    def plot(self) -> Any:
        """A Matplotlib figure: before and now, for each feature."""
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtra("a plot needs Matplotlib", hint="pip install matplotlib") from error
        columns = min(3, max(1, len(self.features)))
        lines = -(-len(self.features) // columns) or 1
        figure = Figure(figsize=(4.2 * columns, 2.8 * lines), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False).flat
        for one, panel in zip(self.features, panels, strict=False):
            places = list(range(len(one.shares)))
            panel.bar(
                [place - 0.2 for place in places], one.shares_before, 0.4, label="before", color="#9aa5b1"
            )
            now = "#d64545" if one.is_drifted else "#2186eb"
            panel.bar([place + 0.2 for place in places], one.shares, 0.4, label="now", color=now)
            ks = "" if one.ks is None else f", KS {one.ks:.2f}"
            panel.set_title(f"{one.feature}: PSI {one.psi:.2f}{ks}", fontsize=9)
            panel.set_xticks(places, one.bins, rotation=45, ha="right", fontsize=6)
            panel.legend(fontsize=7, frameon=False)
        for panel in list(panels):
            panel.set_visible(False)
        return figure


def drift(before: Profile, frame: Any, *, psi_limit: float = 0.2, ks_limit: float = 0.2) -> Drift:
    """How far the columns of `frame` are from a profile; a PSI or KS from its limit on counts as drifted.

    `InvalidInput` when they have no feature in common.
    """
    table = to_arrow(frame, "drift")
    names = [name for name in before["features"] if name in table.column_names]
    if not names:
        raise InvalidInput(f"the frame has none of the profile's features: {', '.join(before['features'])}")
    found = []
    for name in names:
        kept = before["features"][name]
        if kept["dtype"] != "bytes":
            found.append(_drift_of(name, kept, before["rows"], table.column(name), psi_limit, ks_limit))
    return Drift(rows=table.num_rows, features=tuple(found))


def _drift_of(
    name: str, kept: Mapping[str, Any], rows: int, column: Any, psi_limit: float, ks_limit: float
) -> FeatureDrift:
    total = len(column)
    is_category = kept["dtype"] in _CATEGORIES
    values = column.drop_null() if is_category else _as_numbers(name, kept["dtype"], column)
    nulls, nulls_before = 1 - len(values) / max(1, total), kept["nulls"] / max(1, rows)
    ks: float | None = None
    if is_category:
        bins, shares_before = _named([*kept["top"]]), [*kept["top"].values()]
        now = {
            str(one["values"]): one["counts"] / max(1, len(values))
            for one in values.value_counts().to_pylist()
        }
        shares = [now.get(value, 0.0) for value in kept["top"]]
        shares_before, shares = (
            [*shares_before, max(0.0, 1 - sum(shares_before))],
            [*shares, max(0.0, 1 - sum(shares))],
        )
        bins = [*bins, "other"]
    else:
        bins, shares_before = _ranges(kept["edges"]), list(kept["shares"])
        shares = _shares(values, kept["edges"]) if shares_before else []
        ks = _ks(kept["quantiles"], values)
    psi = _psi([*shares_before, nulls_before], [*shares, nulls])
    return FeatureDrift(
        feature=name, psi=psi, ks=ks, null_share=nulls, null_share_before=nulls_before,
        is_drifted=psi >= psi_limit or (ks is not None and ks >= ks_limit),
        shares=shares, shares_before=shares_before, bins=bins,
    )  # fmt: skip


def _as_numbers(name: str, dtype: str, column: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    if dtype == "timestamp" and pa.types.is_timestamp(column.type):
        return _numbers(column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())) / 1e6
    if not (
        pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_null(column.type)
    ):
        raise InvalidInput(f"drift: {name!r} has the type {column.type}, in the profile it is {dtype}")
    values = _numbers(column)
    return values[np.isfinite(values)]


def _psi(before: Sequence[float], now: Sequence[float]) -> float:
    pairs = [(max(one, _LEAST), max(other, _LEAST)) for one, other in zip(before, now, strict=True)]
    return sum((other - one) * math.log(other / one) for one, other in pairs)


def _ks(quantiles: Sequence[float], values: Any) -> float | None:
    """The greatest distance between the profile's distribution and the values', at the profile's quantiles."""
    import numpy as np

    if not quantiles or not len(values):
        return None
    grid = np.asarray(quantiles)
    ordered = np.sort(values)
    below, up_to = (np.searchsorted(grid, grid, side=side) / _GRID for side in ("left", "right"))
    now_below, now_up_to = (
        np.searchsorted(ordered, grid, side=side) / len(ordered) for side in ("left", "right")
    )
    distance = max(np.abs(below - now_below).max(), np.abs(up_to - now_up_to).max())
    return float(max(0.0, distance - 1 / _GRID))  # the grid is no finer


def _ranges(edges: Sequence[float]) -> list[str]:
    if not edges:
        return []
    words = [f"{edge:.3g}" for edge in edges]
    return [f"≤ {words[0]}", *(f"≤ {word}" for word in words[1:]), f"> {words[-1]}"]


def _named(values: Sequence[str]) -> list[str]:
    return [value if len(value) <= 12 else value[:11] + "…" for value in values]
