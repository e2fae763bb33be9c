"""The arithmetic of costs: units, order, and what may never happen."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.compute.advice import advise, fitting_memory, suggest
from jupyter_mlops.compute.breakeven import break_even, equivalent_price, fleet, payback_months
from jupyter_mlops.compute.cadence import fires_a_month, runs_a_month, seen_a_month
from jupyter_mlops.compute.cost import cheapest_fit, expected_seconds, here, on_demand, on_own, on_spot
from jupyter_mlops.compute.estimate import estimate
from jupyter_mlops.compute.instances import HOURS_A_MONTH, Instance, Machine, Server, Site
from jupyter_mlops.compute.money import money
from jupyter_mlops.compute.plot import Rent, draw, nice, percent
from jupyter_mlops.compute.prices import load_prices
from jupyter_mlops.compute.usage import DEFAULT_MEMORY, RunUse, Use, typical
from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.resources import ResourceRequest

GIB = 2**30
PRICES = load_prices()
AWS = PRICES.of("aws")
HERE = Machine(provider="here", name="laptop", cpu=8, memory=32 * GIB)
DAY = date(2025, 7, 1)
ROW = Instance(
    provider="x", name="x1", cpu=4, memory=16 * GIB, region="r", price=0.4, spot=0.1, as_of=DAY, source="s"
)  # fmt: skip
SERVER = Server(
    provider="own", name="s1", cpu=40, memory=160 * GIB, purchase=6000, watts=0, lifetime_years=5, colocation=100,
    site=Site(maintenance_a_year=0), as_of=DAY, source="s",
)  # fmt: skip
seconds = st.floats(0.01, 1e6)
demands = st.builds(
    ResourceRequest,
    cpu=st.floats(0.1, 32),
    memory=st.integers(2**20, 128 * GIB),
    gpu=st.none() | st.integers(1, 4),
)
uses = st.builds(Use, task=st.just("t"), seconds=seconds, asked=demands)


def test_units_by_hand() -> None:
    # Half of its CPUs for half an hour, at 40 cents an hour: 10 cents.
    use = Use(task="t", seconds=1800, asked=ResourceRequest(cpu=2, memory=GIB))
    quote = on_demand([use], [ROW])
    assert quote.total == pytest.approx(0.10)
    assert (quote.tasks[0].machine, quote.tasks[0].share, quote.tasks[0].hours) == ("x1", 0.5, 0.5)
    # Three quarters of its memory, whatever it takes of CPUs.
    assert on_demand([Use(task="t", seconds=3600, peak_memory=12 * GIB)], [ROW]).total == pytest.approx(0.30)
    assert on_demand([use], [ROW], utilization=0.5).total == pytest.approx(0.20)


def test_a_task_that_asks_for_spot_pays_for_spot() -> None:
    plain = Use(task="a", seconds=1800, asked=ResourceRequest(cpu=2, memory=GIB))
    spot = Use(task="b", seconds=1800, asked=ResourceRequest(cpu=2, memory=GIB, spot=True))
    quote = on_demand([plain, spot], [ROW])
    assert [each.amount for each in quote.tasks] == [pytest.approx(0.10), pytest.approx(0.025)]
    assert quote.notes == ("on spot, as they ask: b",)
    assert quote.tasks[1].amount == on_spot([spot], [ROW]).total
    assert on_demand([spot], [replace(ROW, spot=None)]).total == pytest.approx(0.10)  # nobody offers it
    assert on_demand([plain], [ROW]).notes == ()
    long = replace(spot, seconds=36000.0)
    risky = replace(ROW, interruptions_an_hour=0.1, is_spot_approximate=True)
    quote = on_demand([long], [risky])
    assert quote.total > 10 * 2 * 0.025  # what is cut off starts again
    assert quote.is_approximate


def test_a_server_of_ones_own_by_hand() -> None:
    # 6000 over 60 months and 100 for its place are 200 a month; a quarter of it for 73 hours, used half of the time.
    use = Use(task="t", seconds=73 * 3600, asked=ResourceRequest(cpu=10, memory=GIB))
    assert on_own([use], [SERVER], utilization=0.5).total == pytest.approx(200 / 10 / 4 * 2)


@given(uses)
def test_twice_the_time_costs_twice_as_much(use: Use) -> None:
    once, twice = on_demand([use], AWS), on_demand([replace(use, seconds=2 * use.seconds)], AWS)
    assert twice.total == pytest.approx(2 * once.total)
    assert twice.unfit == once.unfit


@given(uses, st.floats(1, 4))
def test_who_asks_for_more_never_pays_less(use: Use, factor: float) -> None:
    asked = use.asked
    more = replace(
        use, asked=replace(asked, cpu=(asked.cpu or 0) * factor, memory=int((asked.memory or 0) * factor))
    )
    less_quote, more_quote = on_demand([use], AWS), on_demand([more], AWS)
    if not more_quote.unfit:
        assert not less_quote.unfit
        assert more_quote.total >= less_quote.total * (1 - 1e-9)


@given(st.lists(uses, max_size=6))
def test_a_run_is_the_sum_of_its_tasks(several: list[Use]) -> None:
    together = on_demand(several, AWS)
    assert together.total == pytest.approx(math.fsum(on_demand([use], AWS).total for use in several))
    assert len(together.tasks) == len(several)


@given(uses)
def test_more_to_choose_from_never_costs_more(use: Use) -> None:
    few, all_of_them = on_demand([use], AWS[::2]), on_demand([use], AWS)
    if not few.unfit:
        assert all_of_them.total <= few.total * (1 + 1e-9)


@given(uses)
def test_what_is_chosen_fits(use: Use) -> None:
    for cost in on_demand([use], AWS).tasks:
        assert cost.machine is None or PRICES.instance(cost.machine).fits(use.demand())
    chosen = cheapest_fit(use.demand(), AWS)
    assert chosen is None or all(chosen.price <= each.price for each in AWS if each.fits(use.demand()))


@given(st.floats(0, 1e5), st.floats(0, 1), st.floats(0, 600))
def test_interruptions_only_add(took: float, rate: float, restart: float) -> None:
    longer = expected_seconds(took, rate, restart)
    assert longer >= took * (1 - 1e-9)
    assert expected_seconds(took, rate * 2, restart) >= longer * (1 - 1e-9)
    assert expected_seconds(took * 2, rate, restart) >= 2 * longer * (1 - 1e-9)  # long tasks lose more


def test_interruptions_by_hand() -> None:
    assert expected_seconds(3600, 0) == 3600
    assert expected_seconds(3600, 1, 0) == pytest.approx(3600 * (math.e - 1))
    assert expected_seconds(1e7, 1) == math.inf
    row = replace(ROW, interruptions_an_hour=1.0)
    use = Use(task="t", seconds=3600, asked=ResourceRequest(cpu=4, memory=GIB))
    assert on_spot([use], [row]).total == pytest.approx(0.1 * (math.e - 1) * (1 + 120 / 3600))
    assert on_spot([use], [ROW]).total == pytest.approx(0.1)


def test_a_task_that_is_always_cut_off_has_no_price_on_spot() -> None:
    use = Use(task="t", seconds=1e7, asked=ResourceRequest(cpu=4, memory=GIB))
    assert on_spot([use], [replace(ROW, interruptions_an_hour=1.0)]).unfit == ("t",)
    assert on_spot([use], [replace(ROW, spot=None)]).unfit == ("t",)


def test_here_it_is_the_power_alone() -> None:
    server = replace(SERVER, watts=1000, site=Site(electricity_a_kwh=0.2, overhead=1.5))
    use = Use(task="t", seconds=3600, asked=ResourceRequest(cpu=8, memory=GIB))
    # This machine is a fifth of the server, and so are its 0.3 a hour.
    assert here([use], HERE, server).total == pytest.approx(0.3 / 5)
    assert here([Use(task="big", seconds=1, peak_memory=64 * GIB)], HERE, server).unfit == ("big",)


def test_what_a_task_takes_is_at_least_what_it_was_measured_to_use() -> None:
    assert Use(task="t", seconds=1).demand() == ResourceRequest(cpu=1.0, memory=DEFAULT_MEMORY)
    asked = ResourceRequest(cpu=2, memory=GIB)
    assert Use(task="t", seconds=1, asked=asked, peak_memory=3 * GIB).demand().memory == 3 * GIB
    assert Use(task="t", seconds=1, asked=asked, peak_memory=5).demand().memory == GIB
    assert Use(task="t", seconds=1, peak_memory=5 * 2**20).demand().memory == 5 * 2**20


# --- break-even --------------------------------------------------------------------------------------------


def test_break_even_by_hand() -> None:
    # The server costs 200 a month; ten of the instance at 0.4 an hour cost 2920: break-even at 200/2920.
    found = break_even(SERVER, [ROW])
    assert found is not None
    assert found.cloud_full == pytest.approx(10 * 0.4 * HOURS_A_MONTH)
    assert found.utilization == pytest.approx(200 / 2920)
    assert found.months == pytest.approx(6000 / (2920 - 100))
    half = break_even(SERVER, [ROW], at=0.5)
    assert half is not None
    assert half.months == pytest.approx(6000 / (1460 - 100))


@given(st.floats(0.001, 10))
def test_at_break_even_both_cost_the_same(price: float) -> None:
    found = break_even(SERVER, [replace(ROW, price=price)])
    assert found is not None
    if found.utilization is not None:
        assert found.cloud_full * found.utilization == pytest.approx(found.own_monthly)
    else:
        assert found.cloud_full < found.own_monthly


def test_where_renting_is_always_cheaper() -> None:
    found = break_even(SERVER, [replace(ROW, price=0.001)])
    assert found is not None
    assert (found.utilization, found.months) == (None, None)
    assert found.to_json()["utilization"] is None


def test_gpus_are_compared_with_gpus() -> None:
    h100 = PRICES.server("gpu-8-h100")
    assert equivalent_price(h100, AWS) == pytest.approx(PRICES.instance("p5.48xlarge").price)
    assert equivalent_price(PRICES.server("server-64"), [PRICES.instance("g6.xlarge")]) is None
    assert break_even(h100, [ROW]) is None
    # Four of eight GPUs are half of it, whatever CPUs come along; any GPU will do, but no TPU.
    half = replace(h100, gpu=4)
    assert equivalent_price(half, AWS) == pytest.approx(PRICES.instance("p5.48xlarge").price / 2)
    assert equivalent_price(half, AWS, accelerator="") == pytest.approx(
        4 * PRICES.instance("g4dn.xlarge").price
    )
    tpu = [PRICES.instance("ct5lp-hightpu-1t")]
    assert equivalent_price(half, tpu, accelerator="") is None
    assert equivalent_price(half, tpu, accelerator="tpu-v5e") == pytest.approx(4.8)


@pytest.mark.parametrize("accelerator", [None, "h100"])
def test_a_task_with_a_gpu_everywhere(accelerator: str | None) -> None:
    train = Use(
        task="train", seconds=3600, asked=ResourceRequest(gpu=1, accelerator=accelerator), peak_memory=GIB
    )
    found = estimate("run 1", [train], PRICES, HERE, DAY)
    by_place = {quote.place: quote for quote in found.quotes}
    assert by_place["here"].unfit == ("train",)
    assert found.server is not None
    assert found.server.gpu
    assert {each.place for each in found.break_evens} >= {"aws", "gcp spot"}
    assert "aws" in found.to_svg()
    if accelerator:
        assert by_place["aws"].total == pytest.approx(PRICES.instance("p5.48xlarge").price / 8)
        assert found.instances[0].name == "p5.48xlarge"
    else:
        assert by_place["aws"].total == pytest.approx(0.526)


def test_a_server_that_no_cloud_rents_out() -> None:
    found = flights(server="workstation-4090")
    assert found.break_evens == ()
    with pytest.raises(InvalidInput, match="rents out what a workstation-4090 is"):
        found.to_svg()


@given(st.floats(1, 1e6), st.floats(0, 1e5), st.floats(0, 1e5))
def test_payback_is_never_negative(purchase: float, cloud: float, running: float) -> None:
    assert payback_months(purchase, cloud_monthly=cloud, running_monthly=running) > 0
    compared = fleet(3, 7, own_monthly=running, cloud_monthly=cloud)
    assert compared.saved == pytest.approx(compared.cloud - compared.own)


# --- cadence -----------------------------------------------------------------------------------------------

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("@daily", 365 / 12),
        ("0 6 * * MON", 52.14 / 12),
        ("@monthly", 1),
        ("* * * * *", 43_800),
        ("*/15 * * * *", 2920),
    ],
)
def test_fires_a_month(cron: str, expected: float) -> None:
    assert fires_a_month(cron, "Europe/Berlin", NOW) == pytest.approx(expected, rel=0.02)


def test_without_a_schedule_it_is_what_was_seen() -> None:
    started = [NOW - timedelta(days=day) for day in range(0, 60, 2)]
    assert seen_a_month(started, NOW) == pytest.approx(16 * 365 / 360)
    assert runs_a_month([], started, NOW)[1] == "its runs of the last 30 days"
    assert runs_a_month([("@daily", "UTC"), ("@daily", "UTC")], [], NOW) == (
        pytest.approx(365 / 6),
        "its schedules",
    )


def test_a_typical_run_finds_nothing_in_the_cache() -> None:
    latest = RunUse(
        (Use(task="a", seconds=10, peak_memory=5, asked=ResourceRequest(cpu=2)),), frozenset({"b"})
    )
    before = RunUse((Use(task="a", seconds=20, peak_memory=9), Use(task="b", seconds=6)))
    skipped = RunUse((Use(task="a", seconds=30),))
    a, b = typical([latest, before, skipped])
    assert (a.seconds, a.peak_memory, a.asked) == (20, 9, ResourceRequest(cpu=2))
    assert b.seconds == pytest.approx(6 * 2 / 3)  # executed or cached in two of three
    assert typical([]) == []


# --- advice ------------------------------------------------------------------------------------------------


def test_asked_8_used_1_2() -> None:
    use = Use(task="train", seconds=9, asked=ResourceRequest(memory=8 * GIB), peak_memory=int(1.2 * GIB))
    (found,) = suggest([use])
    assert str(found) == "asked 8 GiB, used 1.2 GiB: ask 1.5 GiB"
    assert found.to_json()["resources"] == {"memory": "1.5Gi"}


@given(st.integers(1, 2**40))
def test_what_is_suggested_is_enough_and_needs_no_suggestion(peak: int) -> None:
    memory = fitting_memory(peak)
    assert memory >= peak
    assert memory % (256 * 2**20) == 0
    assert suggest([Use(task="t", seconds=1, asked=ResourceRequest(memory=memory), peak_memory=peak)]) == []


def test_who_asks_too_little_is_told() -> None:
    (short,) = suggest([Use(task="t", seconds=1, asked=ResourceRequest(memory=GIB), peak_memory=2 * GIB)])
    assert short.is_short
    assert suggest([Use(task="never measured", seconds=1, asked=ResourceRequest(memory=GIB))]) == []


def test_the_cheapest_instance_with_room_for_every_task() -> None:
    tasks = [
        Use(task="wide", seconds=1, asked=ResourceRequest(cpu=7, memory=GIB)),
        Use(task="tall", seconds=1, asked=ResourceRequest(cpu=1, memory=30 * GIB)),
    ]
    found = advise(tasks, [each for each in AWS if each.architecture == "x86_64"])
    assert found is not None
    assert found.name == "m7i.2xlarge"
    assert advise([Use(task="t", seconds=1, asked=ResourceRequest(cpu=1e6))], AWS) is None


# --- the whole ---------------------------------------------------------------------------------------------


def flights(**chosen):
    tasks = [
        Use(task="pull", seconds=600, peak_memory=GIB),
        Use(task="train", seconds=3600, asked=ResourceRequest(cpu=8, memory=16 * GIB), peak_memory=3 * GIB),
    ]
    return estimate("pipeline flights", tasks, PRICES, HERE, DAY, **chosen)


def test_an_estimate_of_everywhere() -> None:
    found = flights(runs_a_month=730, basis="its schedules")
    assert [quote.place for quote in found.quotes] == [
        "here", "aws", "aws spot", "azure", "azure spot", "gcp", "gcp spot", "own",
    ]  # fmt: skip
    assert found.server is not None
    assert found.load == pytest.approx(
        sum(u.seconds / 3600 * found.server.share(u.demand()) for u in found.uses)
    )
    by_place = {quote.place: quote for quote in found.quotes}
    assert by_place["aws spot"].total < by_place["aws"].total
    assert found.monthly(by_place["aws"]) == pytest.approx(730 * by_place["aws"].total)
    assert [each.name for each in found.instances] == ["c7i.2xlarge", "Standard_F8s_v2", "e2-standard-8"]
    assert found.facts()["runs"] == "730 runs a month, by its schedules"
    assert not any("m7g" in (task.machine or "") for quote in found.quotes for task in quote.tasks)


def test_a_larger_load_takes_a_larger_server() -> None:
    small, large = flights(runs_a_month=1), flights(runs_a_month=3000)
    assert small.server is not None
    assert large.server is not None
    assert small.server.cpu < large.server.cpu


def test_what_can_be_chosen() -> None:
    assert [quote.place for quote in flights(providers=["gcp"]).quotes] == ["here", "gcp", "gcp spot", "own"]
    one = flights(instance="m7i.8xlarge", server="gpu-8-h100")
    assert {task.machine for task in one.quotes[1].tasks} == {"m7i.8xlarge"}
    assert one.server is not None
    assert one.server.name == "gpu-8-h100"
    for wrong in ({"instance": "x"}, {"server": "x"}, {"providers": ["x"]}):
        with pytest.raises(NotFound):
            flights(**wrong)
    for utilization in (0, 1.1, math.nan, -1):
        with pytest.raises(InvalidInput, match="cannot be"):
            flights(utilization=utilization)


def test_what_fits_nowhere() -> None:
    huge = [Use(task="huge", seconds=60, asked=ResourceRequest(cpu=100_000))]
    found = estimate("run 1", huge, PRICES, HERE, DAY)
    assert all(quote.unfit == ("huge",) for quote in found.quotes)
    assert found.instances == ()
    with pytest.raises(InvalidInput, match="no break-even"):
        found.to_svg()
    nothing = estimate("run 2", [], PRICES, HERE, DAY)
    assert all(quote.total == 0 for quote in nothing.quotes)


# --- the picture -------------------------------------------------------------------------------------------


def test_the_picture_is_sound_and_says_what_it_shows() -> None:
    text = flights(runs_a_month=730).to_svg()
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    words = " ".join(root.itertext())
    for part in ("aws", "gcp spot", "owned or rented", "pipeline flights", "US$ a month", "of all hours"):
        assert part in words
    assert "prefers-color-scheme:dark" in text
    assert "<script" not in text


def test_the_picture_is_the_one_that_was_looked_at() -> None:
    """To take a new one: write `text` into the file, and look at it in a light and in a dark theme."""
    server = PRICES.server("tower-16")
    found = [
        break_even(server, PRICES.of(cloud), is_spot=spot)
        for cloud in PRICES.providers
        for spot in (False, True)
    ]
    rents = [
        Rent(place=each.place, cloud=each.place.split()[0], monthly=each.cloud_full, crossing=each.utilization,
             is_spot=each.place.endswith("spot"))
        for each in found if each is not None
    ]  # fmt: skip
    monthly = sum(server.monthly().values())
    text = draw(
        title="tower-16, owned or rented", server=server.name, own_monthly=monthly, rents=rents, load=0.065,
        subject="pipeline flights",
    )  # fmt: skip
    golden = (Path(__file__).parent / "golden" / "break-even.svg").read_text(encoding="utf-8")
    assert text == golden
    assert golden == (Path(__file__).parents[2] / "docs" / "images" / "break-even.svg").read_text(
        encoding="utf-8"
    )


def test_names_are_escaped_and_labels_do_not_touch() -> None:
    rents = [Rent(place=f"<b>&{n}", cloud=str(n), monthly=100 + n, crossing=None) for n in range(8)]
    text = draw(title="<i>", server="s&s", own_monthly=100, rents=rents, load=0.5, subject='"<x>')
    root = ElementTree.fromstring(text)
    assert "<b>" not in text
    names = [node for node in root.iter() if node.get("class", "").startswith(("name", "text"))]
    heights = sorted(float(node.get("y", "0")) for node in names)
    assert all(later - earlier > 15.9 for earlier, later in pairwise(heights))
    assert max(heights) < 400


@given(st.floats(0, 1e12))
def test_the_axis_ends_at_a_round_number_above(value: float) -> None:
    assert nice(value) >= value
    assert nice(value) <= max(1.0, value * 2.01)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0"), (1234.5, "$1,234"), (12.3, "$12.30"), (0.124, "$0.12"), (0.0124, "$0.012"), (0.00124, "$0.0012"),
     (0.00001, "<$0.0001"), (None, "–"), (-3, "-$3.00"), (99.999, "$100")],
)  # fmt: skip
def test_money_as_people_read_it(amount: float | None, text: str) -> None:
    assert money(amount) == text


@pytest.mark.parametrize(
    ("part", "text"), [(0.214, "21 %"), (0.004, "0.4 %"), (0.00001, "< 0.01 %"), (1, "100 %")]
)
def test_parts_as_people_read_them(part: float, text: str) -> None:
    assert percent(part) == text
