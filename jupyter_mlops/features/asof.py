"""The point-in-time join itself: for each question (key, moment) the row that was known then.

Of the rows of a key whose event *and* creation are not later than the moment, the one with the newest event
is the answer; among equal events the one created last; among those the one that arrived last. This is one
sort and one binary search on (key, moment) packed into 64 bits, which is quicker here than any general ASOF
join, and its order has no ties that an engine could decide one way today and the other tomorrow.

Why it is right: a row becomes known at ``available = max(event, created)``. Sorted by it, the answer at a
moment is the greatest (event, created, arrival) of a prefix, so only rows that are the greatest so far can be
answers, and among those the last one of the prefix is the answer. Only a row that was created after its event
can be less than one before it, so without such rows the running maximum is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    Whole = NDArray[int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one view, as columns of 64-bit numbers (moments in microseconds).

    `code` numbers the keys from 0; a negative one is nobody's. No two rows are equal in all four.
    """

    code: Whole
    event: Whole
    created: Whole
    arrival: Whole


def known_at(code: Whole, at: Whole, rows: Rows, *, is_late_included: bool = False) -> Whole:
    """For each question the index of its row, or -1. It is quickest when questions are sorted by key and moment.

    `is_late_included` answers with what is known today instead of then: only the event must not be later.
    """
    import numpy as np

    rows, mine = _asked_for(rows)
    if not len(rows.code) or not len(code):
        return np.full(len(code), -1, np.int64)
    available = rows.event if is_late_included else np.maximum(rows.event, rows.created)
    moment, asked, bits = _compact(available, at, int(max(rows.code.max(), code.max())))
    packed = (rows.code << bits) + moment
    order = _sorted(packed, rows)
    packed = packed[order]
    keep = np.empty(len(packed), bool)
    keep[-1] = True
    np.not_equal(packed[1:], packed[:-1], out=keep[:-1])
    if not is_late_included and bool((rows.created > rows.event).any()):
        keep &= _is_greatest_so_far(rows.code[order], rows.event[order])
    if not keep.all():
        packed, order = packed[keep], order[keep]
    place = np.searchsorted(packed, (code << bits) + asked, side="right") - 1
    is_found = (place >= 0) & (code >= 0)
    is_found &= (packed[place] >> bits) == code
    index = order[place] if mine is None else mine[order[place]]
    return np.where(is_found, index, -1)


def _asked_for(rows: Rows) -> tuple[Rows, Whole | None]:
    """The rows whose key somebody asks for, and where they were (None: all are asked for)."""
    import numpy as np

    if not len(rows.code) or rows.code.min() >= 0:
        return rows, None
    mine = np.flatnonzero(rows.code >= 0)
    return Rows(rows.code[mine], rows.event[mine], rows.created[mine], rows.arrival[mine]), mine


def _compact(moment: Whole, asked: Whole, most: int) -> tuple[Whole, Whole, int]:
    """Moments as small numbers of the same order, so that they fit beside a key: (rows', asked, bits).

    An asked moment before all rows becomes -1, which sorts behind the previous key.
    """
    import numpy as np

    low, high = int(moment.min()), int(moment.max())
    bits = max(1, (high - low).bit_length())
    if bits + most.bit_length() <= 62:
        return moment - low, np.clip(asked, low - 1, high) - low, bits
    order = np.argsort(moment)
    ordered = moment[order]
    is_new = np.empty(len(ordered), bool)
    is_new[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    rank = np.empty(len(moment), np.int64)
    rank[order] = np.cumsum(is_new) - 1
    distinct = ordered[is_new]
    return rank, np.searchsorted(distinct, asked, side="right") - 1, max(1, len(distinct).bit_length())


def _sorted(packed: Whole, rows: Rows) -> Whole:
    """The order by key, moment known, event, created and arrival; only runs of equals are sorted in full."""
    import numpy as np

    order = np.argsort(packed)
    ordered = packed[order]
    is_tied = ordered[1:] == ordered[:-1]
    if not is_tied.any():
        return order
    in_run = np.zeros(len(order), bool)
    in_run[1:] |= is_tied
    in_run[:-1] |= is_tied
    places = np.flatnonzero(in_run)
    tied = order[places]
    order[places] = tied[
        np.lexsort((rows.arrival[tied], rows.created[tied], rows.event[tied], ordered[places]))
    ]
    return order


def _is_greatest_so_far(code: Whole, event: Whole) -> NDArray[int64]:
    """Which rows, sorted by key, have the greatest event of their key so far (ties count)."""
    import numpy as np

    low = int(event.min())
    bits = max(1, (int(event.max()) - low).bit_length())
    if bits + int(code.max()).bit_length() > 62:
        event, _, bits = _compact(event, event[:0], int(code.max()))
        low = 0
    packed = (code << bits) + (event - low)
    return np.asarray(packed == np.maximum.accumulate(packed))
