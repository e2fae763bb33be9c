"""Amounts of money as people read them."""

from __future__ import annotations


def money(amount: float | None) -> str:
    """US dollars with about three digits: ``$1,234``, ``$12.30``, ``$0.0124``; ``–`` for none."""
    if amount is None:
        return "–"
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    if size >= 99.995:
        return f"{sign}${size:,.0f}"
    if size >= 0.995 or size == 0:
        return f"{sign}${size:.2f}".replace("$0.00", "$0")
    if size < 0.00005:
        return f"<{sign}$0.0001"
    digits = 2 if size >= 0.1 else 3 if size >= 0.01 else 4
    return f"{sign}${size:.{digits}f}"
