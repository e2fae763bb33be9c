"""The kind of machine that tasks ask for, and what a cluster is."""

from __future__ import annotations

from typing import Any

import pytest
from distributed import Client, Scheduler, SpecCluster, Worker

from jupyter_mlops.backends.clusters import arguments_of, parse_cluster
from jupyter_mlops.backends.counting import LASTING, counted
from jupyter_mlops.backends.suiting import takes_image, unsuitable, usual_image, with_image
from jupyter_mlops.errors import InvalidInput, InvalidSettings
from jupyter_mlops.resources import ResourceRequest

IMAGED = ResourceRequest(image="team/train:2")
SPOT = ResourceRequest(spot=True)


@pytest.mark.parametrize(
    ("table", "image"),
    [
        ({"type": "kubernetes", "image": "team/worker:1"}, "image"),
        ({"type": "fargate"}, "image"),
        ({"type": "ec2"}, "docker_image"),
        ({"type": "azure"}, "docker_image"),
        ({"type": "gcp", "docker_image": "team/worker:1"}, "docker_image"),
        ({"type": "kubernetes", "custom_cluster_spec": "ours.yaml"}, ""),
        ({"type": "slurm"}, ""),
        ({"address": "tcp://h:1"}, ""),
    ],
)
def test_workers_start_in_the_image_that_tasks_ask_for(table: dict[str, Any], image: str) -> None:
    spec = parse_cluster("c", table)
    assert takes_image(spec) is bool(image)
    assert usual_image(spec) == table.get(image, "")
    assert with_image(spec, [None, None]) == spec
    changed = with_image(spec, [None, IMAGED.image, IMAGED.image])
    assert changed.options.get(image) == (IMAGED.image if image else None)
    assert arguments_of(changed).get(image or "image") == (IMAGED.image if image else None)
    said = [problem.message for problem in unsuitable(spec, {"train": IMAGED, "pull": ResourceRequest()})]
    assert said == (
        [] if image else ["image: not used for train, since the cluster 'c' starts no containers"]
    )


def test_the_workers_of_a_cluster_have_one_image() -> None:
    spec = parse_cluster("c", {"type": "ec2"})
    asked = {"a": IMAGED, "b": ResourceRequest(image="team/other:1")}
    (problem,) = unsuitable(spec, asked)
    assert problem.severity == "error"
    assert "2: team/other:1, team/train:2" in problem.message
    with pytest.raises(InvalidInput, match="one image"):
        with_image(spec, [each.image for each in asked.values()])


def test_what_has_no_effect_is_told_once() -> None:
    (problem,) = unsuitable(None, {f"t{number}": IMAGED for number in range(9)})
    assert problem.severity == "warning"
    assert problem.message == (
        "image: not used for t0, t1, t2, t3, t4 and 4 more, since this machine starts no containers"
    )
    assert unsuitable(None, {"a": SPOT, "b": ResourceRequest()}) == []  # nobody takes this machine away


def test_a_cluster_says_that_its_workers_can_be_taken_away() -> None:
    spec = parse_cluster("cheap", {"type": "slurm", "spot": True})
    (problem,) = unsuitable(spec, {"a": SPOT, "b": ResourceRequest(), "c": ResourceRequest(spot=False)})
    assert problem.severity == "warning"
    assert problem.message.startswith("spot: b, c may lose their worker")
    assert unsuitable(spec, {"a": SPOT}) == []
    assert "spot" not in arguments_of(spec)
    assert arguments_of(parse_cluster("c", {"type": "gcp", "spot": True}))["preemptible"] is True
    assert arguments_of(parse_cluster("c", {"type": "fargate", "spot": True}))["fargate_spot"] is True
    with pytest.raises(InvalidSettings, match="spot must be true or false"):
        parse_cluster("c", {"type": "slurm", "spot": "yes"})


def test_what_must_last_is_kept_off_workers_that_may_not() -> None:
    lasting, other = {"cpu": 4.0, LASTING: 1.0}, {"cpu": 4.0}
    plain, spot = ResourceRequest(cpu=1.0), ResourceRequest(cpu=1.0, spot=True)
    assert (
        counted(plain, [other]) == counted(spot, [other]) == counted(spot, [lasting, other]) == {"cpu": 1.0}
    )
    assert counted(ResourceRequest(), [other]) == {}
    assert set(counted(ResourceRequest(), [lasting, other])) == {LASTING}
    workers = {
        name: {"cls": Worker, "options": {"nthreads": 4, "resources": has, "dashboard_address": None}}
        for name, has in (("steady", lasting), ("cheap", other))
    }
    scheduler = {"cls": Scheduler, "options": {"port": 0, "host": "127.0.0.1", "dashboard": False}}
    with SpecCluster(workers=workers, scheduler=scheduler) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        offers = [each["resources"] for each in client.scheduler_info(n_workers=-1)["workers"].values()]
        futures = client.map(
            lambda number: number, range(20), pure=False, resources=counted(ResourceRequest(), offers)
        )
        client.gather(futures)
        held = client.who_has(futures)
        names = {each["id"] for each in client.scheduler_info(n_workers=-1)["workers"].values()}
        steady = [
            address
            for address, each in client.scheduler_info(n_workers=-1)["workers"].items()
            if each["id"] == "steady"
        ]
        assert names == {"steady", "cheap"}
        assert {address for places in held.values() for address in places} == set(steady)
