"""The module that the notebooks share is tested as any other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from demand import DAY, forecast, make_demand


@pytest.mark.parametrize("method", ["yesterday", "last_week", "regression"])
def test_a_forecast_is_a_day_and_knows_nothing_of_it(method: str) -> None:
    demand = make_demand(4)
    known = demand[:-DAY]
    assert forecast(known, method).shape == (DAY,)
    assert (forecast(known, method) == forecast(known.copy(), method)).all()


def test_a_method_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no method 'tarot'"):
        forecast(make_demand(3), "tarot")
