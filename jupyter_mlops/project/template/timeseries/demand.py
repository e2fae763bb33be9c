"""Hourly demand for electricity in a town that does not exist, and three ways to foretell it."""

from __future__ import annotations

import numpy as np
import pandas as pd

DAY, WEEK = 24, 168


def make_demand(weeks: int, seed: int = 11) -> pd.Series:
    """Megawatts by the hour: days, weekends, a slow rise, and weather that lingers."""
    random = np.random.default_rng(seed)
    hours = pd.date_range("2025-01-06", periods=weeks * WEEK, freq="h", name="at")
    clock, is_weekend = hours.hour.to_numpy(), hours.day_of_week.to_numpy() >= 5
    shape = 60 + 22 * np.sin((clock - 7) * np.pi / 12) + 8 * np.sin((clock - 1) * np.pi / 6)
    noise = random.normal(0, 1.6, len(hours))
    weather = np.zeros(len(hours))
    for hour in range(1, len(hours)):
        weather[hour] = 0.97 * weather[hour - 1] + noise[hour]
    demand = shape - 9 * is_weekend + 0.004 * np.arange(len(hours)) + weather
    return pd.Series(demand.round(2), index=hours, name="megawatts")


def forecast(known: pd.Series, method: str) -> np.ndarray:
    """The next day, hour by hour, from nothing but `known`."""
    if method == "yesterday":
        return known.to_numpy()[-DAY:]
    if method == "last_week":
        return known.to_numpy()[-WEEK : -WEEK + DAY]
    if method == "regression":  # each hour on the same hour of a day, two days and a week before
        values = known.to_numpy()
        rows = np.arange(WEEK, len(values))
        seen = np.column_stack(
            [np.ones(len(rows)), values[rows - DAY], values[rows - 2 * DAY], values[rows - WEEK]]
        )
        weights, *_ = np.linalg.lstsq(seen, values[rows], rcond=None)
        ahead = np.arange(len(values), len(values) + DAY)
        return (
            np.column_stack(
                [np.ones(DAY), values[ahead - DAY], values[ahead - 2 * DAY], values[ahead - WEEK]]
            )
            @ weights
        )
    raise ValueError(f"there is no method {method!r}")
