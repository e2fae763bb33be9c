"""From what a request says to what the model takes, checked; from many requests to one; and back again.

The rules are `signatures.enforce`'s. Most requests are a few plain rows, for which a frame each would cost more than
the prediction: their values are checked here by type, kept as lists, and become one frame with those of the other
requests in the batch. What this quick way cannot tell for sure takes the other one, so that both agree (a property
test holds them to it), and every refusal is worded in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput
from ..signatures import enforce
from .payload import Payload
from .refusals import Invalid, refusal_of

WHAT = "the input"


@dataclass(slots=True)
class Input:
    """Rows that were checked: `columns` as lists, or `data` as the model takes it."""

    rows: int
    columns: dict[str, list[Any]] | None = None
    data: Any = None


class Intake:
    """Takes payloads for the ``inputs`` of one signature."""

    def __init__(self, signature: Mapping[str, Any]) -> None:
        self.signature = signature
        self.kind = str(signature.get("kind", ""))
        self.columns = [dict(one) for one in signature.get("columns") or ()]
        self.names = [one["name"] for one in self.columns]
        quick = {one["name"]: _quick(one) for one in self.columns} if self.kind == "frame" else {}
        self._quick = {name: way for name, way in quick.items() if way is not None}
        if len(self._quick) < len(quick):  # one column that takes the long way takes the others with it
            self._quick = {}

    def take(self, payload: Payload) -> Input:
        """The rows of a payload; `Invalid` that names what does not fit."""
        try:
            return self._take(payload)
        except InvalidInput as error:
            raise refusal_of(error) from None
        except (ValueError, TypeError, OverflowError, KeyError, RecursionError):
            raise Invalid("the rows are not of one form") from None

    def _take(self, payload: Payload) -> Input:
        if self.kind == "frame":
            return self._frame(self._named(payload))
        if self.kind == "records":
            return _sized(enforce(self.signature, self._records(payload), WHAT))
        if self.kind in ("array", "list", "series"):
            rows = _positional(payload, self.kind)
            if self.kind == "array" and self.signature["dtype"] != "bool":
                _check_numbers(rows)
            return _sized(enforce(self.signature, rows, WHAT))
        return _sized(_unsigned(payload))

    # --- forms ----------------------------------------------------------------------------------------------

    def _named(self, payload: Payload) -> Any:
        """Columns by name, or records."""
        if payload.kind != "rows":
            return payload.data
        rows, names = payload.data, self.names
        if hasattr(rows, "tolist"):
            rows = rows.tolist()
        if len(names) == 1 and not any(isinstance(row, list) for row in rows):
            return {names[0]: list(rows)}
        for index, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != len(names):
                raise Invalid(f"row {index} must be an object, or a list of {len(names)}: {', '.join(names)}")
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))

    def _frame(self, given: Any) -> Input:
        if self._quick:
            columns = _checked(given, self._quick)
            if columns is not None:
                return Input(len(columns[self.names[0]]), columns)
        frame = enforce(self.signature, given, WHAT)
        return Input(len(frame), None, frame)

    def _records(self, payload: Payload) -> Any:
        if payload.kind == "records":
            return payload.data
        names = [field["name"] for field in self.signature.get("fields") or ()]
        if payload.kind == "columns":
            names, rows = list(payload.data), list(zip(*payload.data.values(), strict=True))
        else:
            rows = payload.data
        if not all(isinstance(row, (list, tuple)) and len(row) == len(names) for row in rows):
            raise Invalid("each row must be an object")
        return [dict(zip(names, row, strict=True)) for row in rows]

    # --- many requests as one -------------------------------------------------------------------------------

    def join(self, inputs: Sequence[Input]) -> Any:
        """The rows of all, in order, as the model takes them."""
        if self.kind == "frame" and all(one.columns is not None for one in inputs):
            return self._built(inputs)
        parts = [self._built([one]) if one.columns is not None else one.data for one in inputs]
        if len(parts) == 1:
            return parts[0]
        if self.kind in ("frame", "series") or hasattr(parts[0], "iloc"):
            import pandas as pd

            return pd.concat(parts, ignore_index=True)
        if hasattr(parts[0], "dtype"):
            import numpy as np

            return np.concatenate(parts)
        return [row for part in parts for row in part]

    def _built(self, inputs: Sequence[Input]) -> Any:
        import pandas as pd

        if len(inputs) == 1:
            columns = inputs[0].columns or {}
        else:
            columns = {
                name: [value for one in inputs for value in (one.columns or {})[name]] for name in self.names
            }
        return pd.DataFrame({name: self._quick[name].build(columns[name]) for name in self.names}, copy=False)


def _sized(data: Any) -> Input:
    return Input(len(data), None, data)


def _positional(payload: Payload, kind: str) -> Any:
    if payload.kind == "rows":
        return payload.data
    if payload.kind == "columns":
        values = list(payload.data.values())
        return (
            values[0]
            if len(values) == 1 and kind != "array"
            else [list(row) for row in zip(*values, strict=True)]
        )
    raise Invalid("the model takes rows of plain values, not objects")


def _check_numbers(rows: Any) -> None:
    """NumPy takes true for 1; a model of numbers does not."""
    waiting = [rows] if isinstance(rows, list) else []
    while waiting:
        one = waiting.pop()
        if any(type(value) is bool for value in one):
            raise Invalid("the rows hold true or false, the model takes numbers")
        waiting += [value for value in one if isinstance(value, list)]


def _unsigned(payload: Payload) -> Any:
    """The model says nothing of what it takes: names make a frame, rows an array."""
    if payload.kind == "rows":
        import numpy as np

        return np.asarray(payload.data)
    import pandas as pd

    return pd.DataFrame(payload.data)


# --- the quick way ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Quick:
    """A column whose values are certainly right if their types are among `types` (and `allows` them)."""

    types: frozenset[type]
    build: Callable[[list[Any]], Any]
    allows: Callable[[list[Any]], bool] | None = None


_MISSING = type(None)


def _quick(column: Mapping[str, Any]) -> _Quick | None:
    kind, dtype = column["type"], column["dtype"]
    if kind in ("double", "float") and dtype in ("float64", "float32"):
        import numpy as np

        wanted = np.dtype(dtype)
        return _Quick(frozenset({float, int, _MISSING}), lambda values: np.array(values, wanted), _are_floats)
    if kind in ("integer", "long") and dtype in ("int64", "int32", "int16", "int8"):
        import numpy as np

        wanted, bounds = np.dtype(dtype), np.iinfo(dtype)
        low, high = int(bounds.min), int(bounds.max)
        return _Quick(
            frozenset({int}),
            lambda values: np.array(values, wanted),
            lambda values: low <= min(values) and max(values) <= high,
        )
    if kind == "boolean" and dtype == "bool":
        import numpy as np

        return _Quick(frozenset({bool}), lambda values: np.array(values, bool))
    if kind == "string" and dtype in ("str", "object"):
        import pandas as pd

        if dtype == "object":
            return _Quick(frozenset({str}), lambda values: pd.Series(values, dtype=object))
        return _Quick(frozenset({str, _MISSING}), lambda values: pd.array(values, dtype="str"))
    if dtype == "category" and "categories" in column:
        import pandas as pd

        known = frozenset(column["categories"])
        categorical = pd.CategoricalDtype(
            pd.Index(column["categories"]), ordered=column.get("is_ordered", False)
        )
        return _Quick(
            frozenset({str, _MISSING}),
            lambda values: pd.Categorical(values, dtype=categorical),
            lambda values: all(value in known or value is None for value in values),
        )
    return None


def _are_floats(values: list[Any]) -> bool:
    """Whole numbers beyond what a float can be are left to the long way."""
    return all(type(value) is not int or -(2**53) <= value <= 2**53 for value in values)


def _checked(given: Any, quick: Mapping[str, _Quick]) -> dict[str, list[Any]] | None:
    """The columns, if each value is certainly right; else None."""
    try:
        if isinstance(given, list):
            columns = {name: [row[name] for row in given] for name in quick}
        else:
            columns = {name: given[name] for name in quick}
    except KeyError:
        return None
    for name, way in quick.items():
        values = columns[name]
        if not way.types.issuperset(map(type, values)) or (way.allows is not None and not way.allows(values)):
            return None
    return columns
