"""Customers of a telephone company that does not exist: made by chance, but always the same ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

CONTRACTS = ("monthly", "yearly", "two years")


def make_customers(count: int, seed: int = 7) -> pd.DataFrame:
    """One row a customer; `has_left` is what a model is to foretell."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "months": random.integers(1, 72, count),
            "contract": random.choice(CONTRACTS, count, p=[0.55, 0.25, 0.2]),
            "charge": random.normal(65, 25, count).clip(15, 140).round(2),
            "calls_to_support": random.poisson(1.2, count),
            "has_fiber": random.random(count) < 0.45,
        }
    )
    pull = (
        -0.6
        - 0.045 * frame.months
        + 1.1 * (frame.contract == "monthly")
        - 0.9 * (frame.contract == "two years")
        + 0.014 * (frame.charge - 65)
        + 0.45 * frame.calls_to_support
        + 0.5 * (frame.has_fiber & (frame.charge > 80))
    )
    frame["has_left"] = random.random(count) < 1 / (1 + np.exp(-pull))
    return frame


def features(frame: pd.DataFrame) -> pd.DataFrame:
    """What a model sees of a customer: numbers only, and nothing of what is to be foretold."""
    seen = frame[["months", "charge", "calls_to_support"]].astype(float)
    for contract in CONTRACTS:
        seen[f"is_{contract.replace(' ', '_')}"] = (frame.contract == contract).astype(float)
    return seen.assign(has_fiber=frame.has_fiber.astype(float))
