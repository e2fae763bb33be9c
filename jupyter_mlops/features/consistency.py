"""Replay: were the features that a model was served the ones that training would have shown it?

Logged rows (keys, moment, served values) are asked for again with the point-in-time join, and each value is put
into one of four classes: equal, *mismatch* (both have one, and they differ), *missing* (served nothing, though
there was a value), *extra* (served a value, though there was none).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput
from .frames import column_of, to_pandas

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class FeatureCheck:
    """One feature: how many rows are of which class, and the symmetric mean relative error of numbers (0 to 2)."""

    feature: str
    rows: int
    mismatch: int
    missing: int
    extra: int
    smape: float | None

    @property
    def share(self) -> float:
        """The share of rows that differ in any way."""
        return (self.mismatch + self.missing + self.extra) / max(1, self.rows)


@dataclass(frozen=True, slots=True)
class Check:
    """A replay. `examples` is a frame of some rows that differ: keys, moment, feature, served, expected, class."""

    features: Sequence[FeatureCheck]
    examples: Any
    limit: float

    @property
    def is_consistent(self) -> bool:
        """Whether no feature differs in more than `limit` of the rows."""
        return all(one.share <= self.limit for one in self.features)

    def to_pandas(self) -> Any:
        """A row for each feature."""
        import pandas as pd

        names = ("feature", "rows", "mismatch", "missing", "extra", "share", "smape")
        return pd.DataFrame(
            [{name: getattr(one, name) for name in names} for one in self.features], columns=list(names)
        )

    def _repr_html_(self) -> str:
        html: str = self.to_pandas().to_html(index=False)
        return html


def compare(
    logged: Any,
    expected: Any,
    features: Sequence[str],
    keys: Sequence[str],
    timestamp: str,
    *,
    tolerance: float,
    limit: float,
) -> Check:
    """Compare two Arrow tables of the same rows, feature by feature; floats within a relative `tolerance`."""
    import pyarrow as pa

    if not 0 <= tolerance < 1 or not 0 <= limit <= 1:
        raise InvalidInput("tolerance and limit are shares from 0 to 1")
    checks, examples = [], []
    for name in features:
        served, known = column_of(logged, name, "the log"), column_of(expected, name, "the replay")
        classes, smape = _classes(served, known, tolerance)
        mismatch, missing, extra = (int((classes == number).sum()) for number in (1, 2, 3))
        checks.append(FeatureCheck(name, len(classes), mismatch, missing, extra, smape))
        examples += _examples(logged, name, served, known, classes, [*keys, timestamp])
    frame = to_pandas(pa.Table.from_pylist(examples)) if examples else to_pandas(pa.table({}))
    return Check(tuple(checks), frame, limit)


def _classes(served: Any, known: Any, tolerance: float) -> tuple[Any, float | None]:
    """For each row 0 equal, 1 mismatch, 2 missing, 3 extra; and the SMAPE of numbers."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    has_served = pc.is_valid(served).to_numpy(zero_copy_only=False)
    has_known = pc.is_valid(known).to_numpy(zero_copy_only=False)
    both = has_served & has_known
    smape = None
    if pa.types.is_floating(known.type) or pa.types.is_floating(served.type):
        one, other = (
            pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False)
            for column in (served, known)
        )
        is_equal = np.isclose(one, other, rtol=tolerance, atol=tolerance) | (one == other)
        with np.errstate(invalid="ignore", divide="ignore"):
            errors = np.nan_to_num(2 * np.abs(one - other) / (np.abs(one) + np.abs(other)))
        smape = float(errors[both].mean()) if both.any() else 0.0
    else:
        same = pc.fill_null(pc.equal(served, known.cast(served.type)), False)  # noqa: FBT003 - Arrow's signature
        is_equal = same.to_numpy(zero_copy_only=False)
    classes = np.zeros(len(both), np.int8)
    classes[both & ~is_equal] = 1
    classes[~has_served & has_known] = 2
    classes[has_served & ~has_known] = 3
    return classes, smape


def _examples(
    logged: Any, name: str, served: Any, known: Any, classes: Any, columns: Sequence[str]
) -> list[dict[str, Any]]:
    import numpy as np

    words = ("", "mismatch", "missing", "extra")
    found = []
    for row in np.flatnonzero(classes)[:EXAMPLES].tolist():
        example = {column: logged.column(column)[row].as_py() for column in columns}
        example |= {"feature": name, "served": str(served[row].as_py()), "expected": str(known[row].as_py())}
        found.append({**example, "class": words[classes[row]]})
    return found
