"""The module that the notebooks share is tested as any other."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from customers import features, make_customers


def test_the_same_seed_makes_the_same_customers() -> None:
    assert make_customers(50).equals(make_customers(50))
    assert not make_customers(50).equals(make_customers(50, seed=8))


def test_what_is_to_be_foretold_is_no_feature() -> None:
    seen = features(make_customers(50))
    assert "has_left" not in seen
    assert not seen.isna().any().any()
