"""The price files: ours are sane, and whatever is wrong in one's own is told at once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from jupyter_mlops.compute.instances import HOURS_A_MONTH
from jupyter_mlops.compute.prices import load_prices, parse_prices
from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.settings import Settings
from jupyter_mlops.workspace import Workspace

OURS = load_prices()
OWN = """\
provider: hetzner
region: fsn1
currency: EUR
usd: 1.10
as_of: 2026-10-01
source: https://www.hetzner.com/cloud/
instances:
  - {name: cx32, cpu: 4, memory: 8Gi, price: 0.0113}
"""


@pytest.mark.parametrize("row", OURS.instances, ids=lambda row: row.name)
def test_our_instances_are_sane(row) -> None:
    assert row.source.startswith("https://")
    assert date(2024, 1, 1) < row.as_of <= datetime.now(UTC).date()
    assert row.spot is None or 0 < row.spot < row.price
    assert 1 <= row.memory / 2**30 / row.cpu <= 24 or row.accelerator
    assert bool(row.gpu) == bool(row.accelerator)
    if not row.gpu:
        assert 0.01 < row.price / row.cpu < 0.08  # US$ a vCPU and hour


def test_there_is_something_of_every_kind() -> None:
    assert OURS.providers == ["aws", "azure", "gcp"]
    assert {"t4", "a100", "h100", "tpu-v5e"} <= {row.accelerator for row in OURS.instances}
    assert {row.provider for row in OURS.servers} == {"own"}


def test_a_size_twice_as_large_costs_twice_as_much() -> None:
    for small, large in [
        ("m7i.large", "m7i.2xlarge"),
        ("n2-standard-2", "n2-standard-8"),
        ("Standard_D2s_v5", "Standard_D8s_v5"),
    ]:
        assert OURS.instance(large).price == pytest.approx(4 * OURS.instance(small).price)


@pytest.mark.parametrize("server", OURS.servers, ids=lambda row: row.name)
def test_a_servers_month(server) -> None:
    monthly = server.monthly()
    assert server.price() * HOURS_A_MONTH == pytest.approx(sum(monthly.values()))
    assert server.price(0.5) == pytest.approx(2 * server.price())
    assert server.running() == pytest.approx(
        sum(monthly.values()) - server.purchase / 12 / server.lifetime_years
    )
    assert server.power_an_hour() == pytest.approx(server.watts / 1000 * 1.4 * 0.15)


def test_ones_own_file_takes_the_place_of_its_providers(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(OWN)
    found = load_prices(path)
    assert found.instance("cx32").price == pytest.approx(0.0113 * 1.10)
    assert {"aws", "azure", "gcp", "hetzner"} == set(found.providers)
    path.write_text(OWN.replace("hetzner", "aws"))
    assert [row.name for row in load_prices(path).of("aws")] == ["cx32"]


def test_a_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OWN)
    (tmp_path / "b.yaml").write_text(OWN.replace("hetzner", "ovh").replace("cx32", "b3-8"))
    assert {"hetzner", "ovh"} <= set(load_prices(tmp_path).providers)


def test_old_prices_are_said_to_be_old(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(OWN)
    found = [problem.message for problem in load_prices(path).stale(date(2028, 1, 1))]
    assert found == [
        "prices of aws, azure, gcp, own are of 2025-06-30, older than a year",
        "prices of hetzner are of 2026-10-01, older than a year",
    ]
    assert load_prices(path).stale(date(2025, 7, 1)) == []


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (("cpu: 4", "cpus: 4"), "unknown field 'cpus'", "cpu"),
        (("cpu: 4, ", ""), "`cpu` is missing", ""),
        (("price: 0.0113", "price: free"), "price is 'free', and must be a number, above 0", ""),
        (("price: 0.0113", "price: -1"), "must be a number, above 0", ""),
        (("price: 0.0113", "price: .inf"), "must be a number", ""),
        (("memory: 8Gi", "memory: 8x"), "not an amount of memory", "4Gi"),
        (("usd: 1.10\n", ""), "the currency is EUR, and `usd` is missing", "usd"),
        (("as_of: 2026-10-01", "as_of: yesterday"), "which is no date", "2026-01-31"),
        (("as_of: 2026-10-01\n", ""), "`as_of` is missing", "2026-01-31"),
        (("source: https://www.hetzner.com/cloud/\n", ""), "`source` is missing", ""),
        (("{name: cx32,", "{"), "must be a mapping with a `name`", ""),
        (("region: fsn1\n", ""), "`region` is missing", ""),
        (("instances:", "instanses:"), "unknown field 'instanses'", "instances"),
        (("price: 0.0113}", "price: 0.0113, is_approximate: maybe}"), "must be true or false", ""),
        (("price: 0.0113}", "price: 0.0113}\n  - {name: cx32, cpu: 1, memory: 1Gi, price: 1}"), "is there twice", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_in_ones_own_file(
    tmp_path: Path, change: tuple[str, str], message: str, hint: str
) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(OWN.replace(*change))
    with pytest.raises(InvalidInput) as caught:
        load_prices(path)
    told = str(caught.value)
    assert message in told
    assert hint in told
    assert str(path) in told


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    body = {"provider": "x", "instances": [{"name": "a"}, "b"], "servers": 3, "site": [], "color": 1}
    with pytest.raises(InvalidInput) as caught:
        parse_prices(body, tmp_path / "prices.yaml")
    assert len(caught.value.problems) >= 7


@pytest.mark.parametrize("text", ["", "[]", "3", "a: [", "\t"])
def test_files_that_are_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"prices\.yaml"):
        load_prices(path)


def test_no_such_file_name_or_row(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        load_prices(tmp_path / "none.yaml")
    with pytest.raises(NotFound, match=r"no \*\.yaml"):
        load_prices(tmp_path)
    with pytest.raises(NotFound) as caught:
        OURS.instance("m7i.larg")
    assert "m7i.large" in caught.value.hint
    with pytest.raises(NotFound, match="'ibm'"):
        OURS.of("ibm")
    with pytest.raises(NotFound, match="'none'"):
        OURS.server("none")


def test_the_setting(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text('compute_prices = "prices.yaml"\n')
    (tmp_path / "prices.yaml").write_text(OWN)
    assert Settings.load(tmp_path, env={}).compute_prices == tmp_path / "prices.yaml"
    with Workspace.open(tmp_path) as workspace:
        assert "hetzner" in workspace.compute.prices.providers


@pytest.mark.parametrize(
    ("name", "demand", "expected"),
    [
        ("m7i.large", {"cpu": 2, "memory": "8Gi"}, True),
        ("m7i.large", {"cpu": 3}, False),
        ("m7i.large", {"memory": "9Gi"}, False),
        ("m7i.large", {"gpu": 1}, False),
        ("p4d.24xlarge", {"gpu": 8, "accelerator": "A100"}, True),
        ("a2-ultragpu-1g", {"gpu": 1, "accelerator": "a100"}, True),
        ("a2-highgpu-1g", {"gpu": 1, "accelerator": "a100-80gb"}, False),
        ("g6.xlarge", {"gpu": 1, "accelerator": "h100"}, False),
        ("ct5lp-hightpu-1t", {"gpu": 1}, False),
        ("ct5lp-hightpu-1t", {"gpu": 1, "accelerator": "tpu"}, True),
    ],
)
def test_what_fits(name: str, demand: dict[str, object], expected: bool) -> None:
    assert OURS.instance(name).fits(ResourceRequest.parse(demand)) is expected


def test_the_files_in_the_documentation_can_be_read(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "compute.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    for index, example in enumerate(examples):
        (tmp_path / f"{index}.yaml").write_text(example)
    found = load_prices(tmp_path)
    assert found.server("r7625").purchase == pytest.approx(38_500)
    assert found.instance("gex44").gpu == 1
