"""The published exits from the cloud, recomputed from their published inputs.

Ahrefs: E. Mirochnik, "How Ahrefs Saved US$400M in 3 Years by NOT Going to the Cloud", March 2023
(https://tech.ahrefs.com/how-ahrefs-saved-us-400m-in-3-years-by-not-going-to-the-cloud-8939dd930af8). One server cost
US$1,550 a month; its equivalent in AWS US$17,557: 5,606 for two EC2 instances, 11,486 for EBS, 464 for traffic.
The parts are quoted, too, by https://www.techerati.com/features-hub/opinions/ahrefs-claims-400m-savings-over-three-years-cloud-colocated-data-centre/.

37signals: D. Heinemeier Hansson, "We stand to save $7m over five years from our cloud exit", February 2023
(https://world.hey.com/dhh/we-stand-to-save-7m-over-five-years-from-our-cloud-exit-53996caa), and "Our cloud-exit
savings will now top ten million over five years", October 2024
(https://world.hey.com/dhh/our-cloud-exit-savings-will-now-top-ten-million-over-five-years-c7d9b5bd). The first has:
"We spent $3.2m on cloud in 2022. Just under a million of that was on storing 8 petabytes of files in S3", and "that
leaves ~$2.3m on everything else".
"""

from __future__ import annotations

from datetime import date

import pytest

from jupyter_mlops.compute.breakeven import fleet, payback_months
from jupyter_mlops.compute.instances import Server, Site

AHREFS_OWN, AHREFS_PARTS = 1_550.0, (5_606.0, 11_486.0, 464.0)
BILL, REST, S3_BYTES = 3_200_000.0, 2_300_000.0, 8e15
HARDWARE_PLANNED, RACKS_MONTHLY = 600_000.0, 60_000.0
HARDWARE, BILL_AFTER = 700_000.0, 1_300_000.0


def test_ahrefs_one_server_is_11_times_as_dear_in_the_cloud() -> None:
    cloud = sum(AHREFS_PARTS)
    assert cloud == pytest.approx(17_557, abs=1)
    assert AHREFS_PARTS[1] / cloud == pytest.approx(0.65, abs=0.005)  # "EBS 65 %"
    one = fleet(1, 1, own_monthly=AHREFS_OWN, cloud_monthly=cloud)
    assert round(one.ratio, 1) == 11.3
    assert round(cloud / 11.3, -1) == AHREFS_OWN
    assert round(20 / one.ratio) == 2  # "our 20-server rack would transform into just 2 servers"


def test_ahrefs_850_servers_over_two_and_a_half_years() -> None:
    all_of_them = fleet(850, 30, own_monthly=AHREFS_OWN, cloud_monthly=sum(AHREFS_PARTS))
    assert all_of_them.own == pytest.approx(39.5e6, rel=0.002)
    assert all_of_them.cloud == pytest.approx(447.7e6, rel=0.002)
    assert all_of_them.saved == pytest.approx(408e6, rel=0.002)  # "US$400M"
    assert round(all_of_them.ratio, 1) == 11.3


def test_37signals_the_bill() -> None:
    s3 = BILL - REST
    assert 0.85e6 < s3 < 1e6  # "just under a million"
    a_gigabyte_month = s3 / 12 / (S3_BYTES / 1e9)
    assert (
        0.004 < a_gigabyte_month < 0.021
    )  # between the list prices of S3's instant archive and its standard class


def test_37signals_seven_millions_over_five_years() -> None:
    # The new machines as servers of ours: the racks are paid for already, so all of them are counted to the new ones.
    machine = Server(
        provider="own", name="R7625", cpu=256, memory=2**40, purchase=HARDWARE_PLANNED / 16, watts=0, lifetime_years=5,
        colocation=RACKS_MONTHLY / 16, site=Site(maintenance_a_year=0), as_of=date(2023, 2, 21), source="37signals",
    )  # fmt: skip
    yearly = 16 * 12 * sum(machine.monthly().values())
    assert yearly == pytest.approx(840_000)  # "$840,000/year for everything"
    assert 16 * 12 * machine.monthly()["purchase"] == pytest.approx(120_000)  # "it's just $120,000 per year"
    compared = fleet(1, 60, own_monthly=yearly / 12, cloud_monthly=REST / 12)
    assert compared.saved == pytest.approx(7.3e6, rel=0.01)  # "about $7m"


def test_37signals_the_hardware_was_paid_back_in_half_a_year() -> None:
    # From 3.2 to 1.3 million a year, in racks and with power that they had anyway: "recouped during 2023", of "savings
    # accrued during the second half".
    months = payback_months(HARDWARE, cloud_monthly=BILL / 12, running_monthly=BILL_AFTER / 12)
    assert 4 < months <= 6
    assert pytest.approx(1.9e6, rel=0.01) == BILL - BILL_AFTER  # "almost two million dollars per year"


def test_what_saves_nothing_never_pays_back() -> None:
    assert payback_months(1.0, cloud_monthly=10, running_monthly=10) == float("inf")
