"""The point-in-time join against the plainest program that can be written for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.features.asof import Rows, known_at
from jupyter_mlops.features.keys import Keys, Questions

SCALES = [1, 1_000_000, 10**12]  # the last one does not fit beside a key in 64 bits


def brute(code: list[int], at: list[int], rows: list[tuple[int, int, int, int]], *, late: bool) -> list[int]:
    """For each question look at each row."""
    answer = []
    for key, moment in zip(code, at, strict=True):
        known = [
            ((event, created, arrival), place)
            for place, (row, event, created, arrival) in enumerate(rows)
            if row == key >= 0 and event <= moment and (late or created <= moment)
        ]
        answer.append(max(known)[1] if known else -1)
    return answer


small = st.integers(0, 9)
rows_of = st.lists(
    st.tuples(st.integers(-1, 3), small, st.integers(0, 12), st.integers(0, 2)), max_size=25, unique=True
)
asked_of = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 14)), max_size=15)


@settings(max_examples=4 * settings.default.max_examples, deadline=None)
@given(
    rows_of, asked_of, st.sampled_from(SCALES), st.sampled_from([0, -7, 10**6]), st.booleans(), st.booleans()
)
def test_it_answers_as_brute_force_does(
    rows: list[tuple[int, int, int, int]],
    asked: list[tuple[int, int]],
    scale: int,
    shift: int,
    late: bool,
    wide: bool,
) -> None:
    width = 2**40 if wide else 1  # keys that leave little room for moments
    rows = [
        (key * width if key > 0 else key, (e + shift) * scale, (c + shift) * scale, a)
        for key, e, c, a in rows
    ]
    asked = [(key * width if key > 0 else key, (moment + shift) * scale) for key, moment in asked]
    table = np.array(rows, np.int64).reshape(-1, 4)
    questions = np.array(asked, np.int64).reshape(-1, 2)
    answer = known_at(
        questions[:, 0],
        questions[:, 1],
        Rows(*(table[:, place] for place in range(4))),
        is_late_included=late,
    )
    assert answer.tolist() == brute([key for key, _ in asked], [at for _, at in asked], rows, late=late)


def test_ties_are_decided_by_creation_and_then_by_arrival() -> None:
    code = np.zeros(4, np.int64)
    rows = Rows(code, np.full(4, 5), np.array([7, 9, 9, 8]), np.array([3, 1, 2, 9]))
    at = np.array([4, 6, 7, 8, 9])
    assert known_at(np.zeros(5, np.int64), at, rows).tolist() == [-1, -1, 0, 3, 2]


def test_a_late_row_never_hides_a_newer_one() -> None:
    rows = Rows(np.zeros(2, np.int64), np.array([10, 5]), np.array([10, 20]), np.zeros(2, np.int64))
    assert known_at(np.zeros(3, np.int64), np.array([9, 15, 25]), rows).tolist() == [-1, 0, 0]


texts = st.one_of(st.none(), st.sampled_from(["a", "b", "", "ä", "a\0", "a'b", '"', "x" * 50]))
numbers = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 3))


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(
    st.lists(st.tuples(texts, numbers, texts), min_size=1, max_size=20),
    st.lists(st.tuples(texts, numbers, texts), min_size=1, max_size=20),
)
def test_equal_keys_have_equal_numbers(
    asked: list[tuple[object, ...]], rows: list[tuple[object, ...]]
) -> None:
    import pyarrow as pa

    types = [pa.string(), pa.int64(), pa.string()]

    def columns(table: list[tuple[object, ...]]) -> list[pa.Array]:
        return [pa.array([row[place] for row in table], kind) for place, kind in enumerate(types)]

    keys = Keys(columns(asked))
    found = keys.numbers(columns(rows))
    for key, code in zip(asked, keys.code.tolist(), strict=True):
        assert (code < 0) == (None in key)
        for row, number in zip(rows, found.tolist(), strict=True):
            assert (number == code and code >= 0) == (row == key and None not in key)


@pytest.mark.parametrize("size", [0, 1, 50])
def test_sorted_questions_come_back_in_their_order(size: int) -> None:
    import pyarrow as pa

    generator = np.random.default_rng(size)
    code, at = generator.integers(0, 5, size), generator.integers(0, 2**62, size)
    questions = Questions(["key"], [pa.array(code, pa.int64())], at)
    assert questions.unsorted(questions.at).tolist() == at.tolist()
    pairs = list(zip(questions.code.tolist(), questions.at.tolist(), strict=True))
    assert pairs == sorted(pairs)
