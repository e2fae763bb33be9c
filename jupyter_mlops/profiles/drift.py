"""How far new rows are from a profile: PSI over its bins (for texts, over its most frequent values), and the
Kolmogorov-Smirnov distance for numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput, MissingExtra
from .profile import CATEGORIES, GRID, Profile, columns_of, dtype_of, numbers, shares_between, shares_of

_LEAST = 1e-4  # the share of an empty bin: PSI has a logarithm


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
    if not isinstance(before, Mapping) or not {"rows", "features"} <= before.keys():
        raise InvalidInput(f"{before!r:.60} is no profile", hint="profile_frame(frame) makes one")
    kept = before["features"]
    rows, columns = columns_of(frame, where="drift")
    now = {name: values for name, values in columns if name in kept}
    if not now:
        raise InvalidInput(f"the frame has none of the profile's features: {', '.join(kept)}")
    seen = before.get("seen", before["rows"])
    found = []
    for name in (one for one in kept if one in now and kept[one]["dtype"] != "bytes"):
        if isinstance(now[name], InvalidInput):
            raise now[name]
        found.append(_drift_of(name, kept[name], seen, now[name], psi_limit, ks_limit))
    return Drift(rows=rows, features=tuple(found))


def _drift_of(
    name: str, kept: Mapping[str, Any], rows: int, column: Any, psi_limit: float, ks_limit: float
) -> FeatureDrift:
    total = len(column)
    is_category = kept["dtype"] in CATEGORIES
    values = column.drop_null() if is_category else _as_numbers(name, kept["dtype"], column)
    nulls, nulls_before = 1 - len(values) / max(1, total), kept["nulls"] / max(1, rows)
    ks: float | None = None
    if is_category:
        bins, shares_before = [*_named([*kept["top"]]), "other"], _with_rest([*kept["top"].values()])
        shares = _with_rest([*shares_of(column, kept["top"]).values()])
    else:
        bins, shares_before = _ranges(kept["edges"]), list(kept["shares"])
        shares = shares_between(values, kept["edges"]) if shares_before else []
        ks = _ks(kept["quantiles"], values)
    psi = _psi([*shares_before, nulls_before], [*shares, nulls])
    return FeatureDrift(
        feature=name, psi=psi, ks=ks, null_share=nulls, null_share_before=nulls_before,
        is_drifted=psi >= psi_limit or (ks is not None and ks >= ks_limit),
        shares=shares, shares_before=shares_before, bins=bins,
    )  # fmt: skip


def _with_rest(shares: list[float]) -> list[float]:
    return [*shares, max(0.0, 1 - sum(shares))]


def _as_numbers(name: str, dtype: str, column: Any) -> Any:
    found = dtype_of(column.type)
    is_moment = dtype == "timestamp"
    if found in ("", "bytes", *CATEGORIES) or (
        is_moment != (found == "timestamp") and column.null_count < len(column)
    ):
        raise InvalidInput(f"drift: {name!r} has the type {column.type}, in the profile it is {dtype}")
    return numbers(column, found)


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
    below, up_to = (np.searchsorted(grid, grid, side=side) / GRID for side in ("left", "right"))
    now_below, now_up_to = (
        np.searchsorted(ordered, grid, side=side) / len(ordered) for side in ("left", "right")
    )
    distance = max(np.abs(below - now_below).max(), np.abs(up_to - now_up_to).max())
    return float(max(0.0, distance - 1 / GRID))  # the grid is no finer


def _ranges(edges: Sequence[float]) -> list[str]:
    if not edges:
        return []
    words = [f"{edge:.3g}" for edge in edges]
    return [f"≤ {words[0]}", *(f"≤ {word}" for word in words[1:]), f"> {words[-1]}"]


def _named(values: Sequence[str]) -> list[str]:
    return [value if len(value) <= 12 else value[:11] + "…" for value in values]
