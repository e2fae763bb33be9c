"""What holds for every target: it plans without doing anything, in plain JSON, and refuses what it does not know."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import InvalidInput, MissingExtra
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.targets import TARGETS, Target, Wanted, make_target

REGISTRIES = {  # some pull only from their own
    "sagemaker": "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "vertex": "europe-west1-docker.pkg.dev/models",
    "azureml": "models.azurecr.io",
}
# What a target must be told, since nobody else can know it.
NEEDED: dict[str, dict[str, Any]] = {
    "kubernetes": {"namespace": "models"},
    "sagemaker": {"role": "arn:aws:iam::123456789012:role/models", "region": "eu-west-1"},
    "vertex": {"project": "models", "region": "europe-west1"},
    "azureml": {
        "subscription": "00000000-0000-0000-0000-000000000000",
        "resource_group": "g",
        "workspace": "w",
    },
}


@pytest.fixture(params=sorted(["local", *NEEDED]))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Target, Wanted]:
    try:
        target = make_target(request.param, tmp_path)
    except MissingExtra as error:
        pytest.skip(str(error))
    registry = REGISTRIES.get(request.param, "registry.example.com")
    images = {3: f"{registry}/late@sha256:{'0' * 64}"} if target.needs_image else {}
    wanted = Wanted(
        name="late", model="late", revision=1, traffic={3: 1.0}, digests={3: "0" * 64}, replicas=(2, 4),
        images=images, folders={} if target.needs_image else {3: "late-3"},
        resources=ResourceRequest(cpu=1, memory=2**30), options=NEEDED.get(request.param, {}),
    )  # fmt: skip
    return target, wanted


def test_every_target_is_tried_here() -> None:
    assert set(TARGETS.names()) == {"local", *NEEDED}


def test_a_plan_is_plain_and_the_same_each_time(case: tuple[Target, Wanted], tmp_path: Path) -> None:
    target, wanted = case
    target.check(wanted)
    first, second = list(target.requests(wanted)), list(target.requests(wanted))
    assert first == second
    assert first
    for one in first:
        assert one.call
        assert json.loads(json.dumps(one.body)) == one.body
    assert list(tmp_path.iterdir()) == []


def test_an_option_that_it_does_not_know_is_refused(case: tuple[Target, Wanted]) -> None:
    target, wanted = case
    with pytest.raises(InvalidInput, match="no_such_option"):
        target.check(replace(wanted, options={**wanted.options, "no_such_option": 1}))


def test_its_name_is_the_one_under_which_it_is_found(case: tuple[Target, Wanted]) -> None:
    assert case[0].name in TARGETS.names()
