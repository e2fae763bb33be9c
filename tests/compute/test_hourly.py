"""What an hour costs: of a request, and of as much as a unit is."""

from __future__ import annotations

import pytest

from jupyter_mlops.compute.hourly import hourly, like_unit
from jupyter_mlops.compute.prices import load_prices
from jupyter_mlops.compute.units import ComputeUnit
from jupyter_mlops.resources import ResourceRequest

PRICES = load_prices(None)


def test_the_cheapest_place_comes_first() -> None:
    quotes = hourly(ResourceRequest(cpu=2.0, memory=2**32), PRICES)
    totals = [quote.total for quote in quotes]
    assert totals == sorted(totals)
    assert {quote.place for quote in quotes} >= {"aws", "aws spot", "gcp", "azure"}
    assert all(quote.total > 0 for quote in quotes)


def test_what_nobody_rents_out_has_no_price() -> None:
    assert hourly(ResourceRequest(cpu=5000.0), PRICES) == []


@pytest.mark.parametrize(
    ("kind", "name", "least", "most"),
    [
        ("GPU", "NVIDIA H100 80GB HBM3", 2.0, 15.0),
        ("GPU", "NVIDIA A100-SXM4-80GB", 1.0, 6.0),
        ("TPU", "TPU v5e", 0.5, 3.0),
    ],
)
def test_an_accelerator_is_found_by_its_name(kind: str, name: str, least: float, most: float) -> None:
    quote = like_unit(ComputeUnit(unit="host/0", kind=kind, name=name), PRICES)
    assert quote is not None
    assert least < quote.total < most


def test_an_accelerator_that_nobody_sells_has_no_price() -> None:
    assert like_unit(ComputeUnit(unit="host/ipu0", kind="IPU", name="Graphcore IPU"), PRICES) is None


def test_cpus_cost_as_much_as_their_cores_and_memory() -> None:
    small, large = (
        like_unit(ComputeUnit(unit="host/cpu", kind="CPU", name="EPYC", cores=n, memory=n * 2**32), PRICES)
        for n in (2, 8)
    )
    assert small is not None
    assert large is not None
    assert small.total < large.total
    assert small.place in ("aws", "azure", "gcp")
