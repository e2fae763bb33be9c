"""Join keys as small whole numbers: what the point-in-time join computes with.

The keys that are asked for are numbered; the rows of a view get the same numbers, and -1 when nobody asks for
them. Questions are sorted by key and moment once, for all views with these keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray


class Keys:
    """The distinct keys in some Arrow columns, numbered from 0; `code` is each row's number, -1 with a null."""

    def __init__(self, columns: Sequence[Any]) -> None:
        import numpy as np

        self._steps: list[tuple[Any, int, Any]] = []
        code = np.zeros(len(columns[0]), np.int64)
        size = 1
        for column in columns:
            words = column.dictionary_encode()
            count = max(1, len(words.dictionary))
            code = _combined(code, _filled(words.indices), count)
            size *= count
            distinct = None
            if (
                size > len(code) and len(columns) > 1
            ):  # no more numbers than there are keys, so that they stay small
                distinct = np.unique(code[code >= 0])
                code = _renumbered(code, distinct)
                size = max(1, len(distinct))
            self._steps.append((words.dictionary, count, distinct))
        self.code: NDArray[int64] = code

    def numbers(self, columns: Sequence[Any]) -> NDArray[int64]:
        """The numbers of other rows; -1 for a key that is none of these."""
        import numpy as np
        import pyarrow.compute as pc

        code = np.zeros(len(columns[0]), np.int64)
        for column, (dictionary, count, distinct) in zip(columns, self._steps, strict=True):
            found = _filled(pc.index_in(column, value_set=dictionary, skip_nulls=True))
            code = _combined(code, found, count)
            if distinct is not None:
                code = _renumbered(code, distinct)
        return code


class Questions:
    """Entity rows, sorted by key and moment: `code` and `at` (UTC microseconds)."""

    def __init__(self, names: Sequence[str], columns: Sequence[Any], at: NDArray[int64]) -> None:
        self.names = tuple(names)
        self.keys = Keys(columns)
        self._order = _order(self.keys.code, at)
        self.code = self.keys.code[self._order]
        self.at = at[self._order]

    def unsorted(self, values: Any) -> Any:
        """Answers to the sorted questions, in the order of the entity rows."""
        import numpy as np

        out = np.empty_like(values)
        out[self._order] = values
        return out


def _order(code: NDArray[int64], at: NDArray[int64]) -> NDArray[Any]:
    import numpy as np

    if not len(at):
        return np.zeros(0, np.int64)
    low = int(at.min())
    bits = (int(at.max()) - low).bit_length()
    if bits + int(code.max() + 1).bit_length() <= 62:
        return np.argsort((code << bits) + (at - low))
    return np.lexsort((at, code))


def _filled(indices: Any) -> NDArray[int64]:
    import numpy as np
    import pyarrow.compute as pc

    filled: NDArray[int64] = pc.fill_null(indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return filled


def _combined(code: NDArray[int64], other: NDArray[int64], count: int) -> NDArray[int64]:
    import numpy as np

    return np.where((code >= 0) & (other >= 0), code * count + other, -1)


def _renumbered(code: NDArray[int64], distinct: NDArray[int64]) -> NDArray[int64]:
    import numpy as np

    if not len(distinct):
        return np.full(len(code), -1, np.int64)
    place = np.searchsorted(distinct, code)
    place[place == len(distinct)] = 0
    return np.where(distinct[place] == code, place, -1)
