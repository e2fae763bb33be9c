from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.resources import ResourceRequest, format_bytes, parse_bytes

requests = st.builds(
    ResourceRequest,
    cpu=st.none() | st.integers(0, 10**9).map(lambda thousandths: thousandths / 1000),
    memory=st.none() | st.just(0) | st.integers(2**20, 2**50),
    gpu=st.none() | st.integers(1, 64),
).flatmap(
    lambda made: st.sampled_from([None, "a100", "T4"]).map(
        lambda name: ResourceRequest(made.cpu, made.memory, made.gpu, name if made.gpu else None)
    )
)
wishes = st.builds(
    replace,
    requests,
    spot=st.sampled_from([None, True, False]),
    image=st.sampled_from([None, "a", "ghcr.io/team/train:2", f"localhost:5000/x@sha256:{'0' * 64}"]),
)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("4Gi", 4 * 2**30),
        ("4 GiB", 4 * 2**30),
        ("2GB", 2 * 10**9),
        ("2G", 2 * 10**9),
        ("512Mi", 512 * 2**20),
        ("512M", None),
        ("1.5gi", 3 * 2**29),
        (".5Ti", 2**39),
        ("1048576", 2**20),
        (2**30, 2**30),
        ("1kB", 1000),
        ("0", 0),
    ],
)
def test_memory_is_read_as_kubernetes_and_people_write_it(text: Any, count: int | None) -> None:
    assert parse_bytes(text) == (512 * 10**6 if count is None else count)


@pytest.mark.parametrize(
    "text", ["512m", "4Gi4", "Gi", "-1Gi", "", "4 G i", True, None, "1e9", "٤Gi", float("nan"), "9999Pi"]
)
def test_memory_that_means_nothing_certain_is_refused_with_a_hint(text: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_bytes(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("given_cpu", "cores"), [(2, 2.0), (0.5, 0.5), ("500m", 0.5), ("1.5", 1.5), ("2", 2.0), ("1m", 0.001)]
)
def test_cpu_is_read_as_cores(given_cpu: Any, cores: float) -> None:
    assert ResourceRequest.parse({"cpu": given_cpu}).cpu == cores


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"cpu": "two"}, "'two' is not a number of cores"),
        ({"cpu": True}, "True is not a number of cores"),
        ({"cpu": -1}, "not a possible number"),
        ({"cpu": "4Gi"}, "not a number of cores"),
        ({"memory": 4}, "only 4 bytes"),
        ({"gpu": 0.5}, "whole number of GPUs"),
        ({"gpu": "half"}, "whole number of GPUs"),
        ({"gpu": True}, "whole number of GPUs"),
        ({"accelerator": ""}, "is not a name"),
        ({"accelerator": "a100", "gpu": 0}, "gpu: 0"),
        ("4Gi", "must be a mapping"),
    ],
)
def test_nonsense_is_refused_and_named(mapping: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        ResourceRequest.parse(mapping)
    assert caught.value.hint


def test_an_unknown_resource_names_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="'mem'") as caught:
        ResourceRequest.parse({"mem": "4Gi"})
    assert "memory" in caught.value.hint


def test_nothing_asked_is_the_empty_request_and_fits_everywhere() -> None:
    assert (
        ResourceRequest.parse(None)
        == ResourceRequest.parse({})
        == ResourceRequest.parse({"cpu": None})
        == ResourceRequest()
    )
    assert ResourceRequest().fits(ResourceRequest(cpu=0, memory=0, gpu=0))
    assert str(ResourceRequest()) == "no resources"


def test_an_accelerator_means_one_gpu_unless_more_are_asked() -> None:
    assert ResourceRequest.parse({"accelerator": "a100"}).gpu == 1
    assert ResourceRequest.parse({"accelerator": "a100", "gpu": "2"}).gpu == 2


def test_what_kind_of_machine_it_is_matters_to_no_amount() -> None:
    spot = ResourceRequest(cpu=1, spot=True, image="a/b")
    assert spot.fits(ResourceRequest(cpu=1))
    assert spot + spot == ResourceRequest(cpu=2)
    assert ResourceRequest(cpu=2) - spot == ResourceRequest(cpu=1)
    assert spot.to_dask() == {"cpu": 1.0}
    assert str(spot) == "1 cpu, spot, a/b"
    assert str(ResourceRequest(spot=False)) == "not on spot"
    assert ResourceRequest(spot=False), "who says no asks for something"


def test_what_is_lacking_is_told_one_by_one() -> None:
    asked = ResourceRequest.parse({"cpu": 4, "memory": "8Gi", "gpu": 1, "accelerator": "a100"})
    free = ResourceRequest(cpu=2, memory=4 * 2**30, gpu=0, accelerator="T4")
    assert asked.shortfall(free) == (
        "cpu: 4 asked, 2 there",
        "memory: 8 GiB asked, 4 GiB there",
        "gpu: 1 asked, 0 there",
        "accelerator: a100 asked, T4 there",
    )
    with pytest.raises(InvalidInput, match="cannot take"):
        free - asked


def test_different_accelerators_do_not_add_up() -> None:
    assert (ResourceRequest(gpu=1, accelerator="A100") + ResourceRequest(gpu=1, accelerator="a100")).gpu == 2
    with pytest.raises(InvalidInput, match="different accelerators"):
        ResourceRequest(gpu=1, accelerator="a100") + ResourceRequest(gpu=1, accelerator="t4")


def test_dask_gets_floats_for_what_was_asked() -> None:
    assert ResourceRequest(cpu=1.5, memory=2**30).to_dask() == {"cpu": 1.5, "memory": float(2**30)}


def test_tenths_of_a_core_add_up_exactly() -> None:
    free = ResourceRequest(cpu=1)
    for _ in range(10):
        free = free - ResourceRequest(cpu=0.1)
    assert free.cpu == 0


@given(wishes)
def test_json_makes_the_round_trip(request: ResourceRequest) -> None:
    assert ResourceRequest.parse(request.to_json()) == ResourceRequest.parse(request.written()) == request


@given(requests, requests)
def test_what_is_taken_and_given_back_leaves_all_there(free: ResourceRequest, taken: ResourceRequest) -> None:
    assume(taken.fits(free))
    left = free - taken
    assert left.fits(free)
    limited = zip(fields(free), fields(taken), strict=True)
    asked = ResourceRequest(*(value if limit is not None else None for limit, value in limited))
    assert left + asked == free


def fields(request: ResourceRequest) -> tuple[Any, ...]:
    return request.cpu, request.memory, request.gpu, request.accelerator


@given(requests, requests)
def test_a_sum_fits_only_where_both_do(one: ResourceRequest, other: ResourceRequest) -> None:
    assume(not one.accelerator or not other.accelerator or one.accelerator == other.accelerator)
    both = one + other
    assert one + other == other + one
    assert one.fits(both)
    assert other.fits(both)


@given(st.integers(0, 2**58))
def test_shown_bytes_are_short_and_read_back_near(count: int) -> None:
    shown = format_bytes(count)
    assert len(shown) <= 10
    assert abs(parse_bytes(shown) - count) <= max(0.5, count * 0.06)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (17, "17 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (2**20 - 1, "1 MiB"),
        (8 * 2**30, "8 GiB"),
    ],
)
def test_bytes_are_shown_in_binary_units(count: int, text: str) -> None:
    assert format_bytes(count) == text


@given(
    st.dictionaries(
        st.text(max_size=8), st.none() | st.text() | st.integers() | st.floats() | st.lists(st.none())
    )
)
def test_any_mapping_is_read_or_refused_as_invalid_input(mapping: dict[str, Any]) -> None:
    with suppress(InvalidInput):
        ResourceRequest.parse(mapping)
