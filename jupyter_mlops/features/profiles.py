"""The profile of a query's rows: as `profiles.profile_frame` makes one of a frame, but counted by DuckDB, since
the rows of a materialization need not fit into memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..profiles.profile import CATEGORIES, SAMPLE_ROWS, finite, histogram, numbers, top
from . import duck
from .names import quote


def profile_rows(connection: Any, rows: str, schema: Mapping[str, str]) -> dict[str, Any]:
    """The profile of a query's rows."""
    asked = ["count(*) AS __rows"]
    for place, (name, dtype) in enumerate(schema.items()):
        value = _value(name, dtype)
        asked.append(f"count({value}) AS __n{place}")
        if dtype not in (*CATEGORIES, "bytes"):
            asked += [
                f"{how}({value})::DOUBLE AS __{how}{place}" for how in ("min", "max", "avg", "stddev_samp")
            ]
    answer = duck.one(connection, f"SELECT {', '.join(asked)} FROM ({rows})")
    total = answer["__rows"]
    features = {}
    sample = _sample(connection, rows, schema, total)
    for place, (name, dtype) in enumerate(schema.items()):
        made: dict[str, Any] = {"dtype": dtype, "nulls": total - answer[f"__n{place}"]}
        if dtype in CATEGORIES:
            made |= {"top": top(sample[name])}
        elif dtype != "bytes":
            words = {"min": "min", "max": "max", "mean": "avg", "std": "stddev_samp"}
            made |= {word: finite(answer[f"__{how}{place}"]) for word, how in words.items()}
            made |= histogram(numbers(sample[name], ""))
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
