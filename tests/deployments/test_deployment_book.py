"""Deployments of a workspace: what is kept, in which order, and what a crash leaves."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog import Deployment, Image, ModelVersion, owner
from jupyter_mlops.deployments import Deployments
from jupyter_mlops.errors import Conflict, DeploymentFailed, InvalidInput, NotFound, Unavailable
from jupyter_mlops.events import now
from jupyter_mlops.workspace import Workspace

from .conftest import Shelf


def reasons(deployments: Deployments, name: str = "late") -> list[str]:
    return [one.reason for one in reversed(deployments.revisions(name))]


def test_a_version_is_deployed_and_its_lineage_says_so(
    deployments: Deployments, shelf: Shelf, workspace: Workspace
) -> None:
    made = deployments.deploy("late/1")
    assert (made.name, made.target, made.state, made.revision) == ("late", "local", "running", 1)
    assert made.url == "http://shelf/late"
    assert "deployer" not in made.options
    (wanted,) = shelf.applied
    assert wanted.traffic == {1: 1.0}
    assert wanted.digests == {1: workspace.models.get("late/1").manifest}
    assert (Path(wanted.folders[1]) / "MLmodel").is_file()
    downstream = [str(node) for node in workspace.models.lineage("late/1").downstream]
    assert downstream == ["deployment late"]
    assert "http://shelf/late" in str(deployments.status("late").facts())


def test_what_runs_already_is_left_alone(deployments: Deployments, shelf: Shelf) -> None:
    deployments.deploy("late/1", replicas=(1, 2))
    again = deployments.deploy("models:/late@champion")
    assert (again.revision, len(shelf.applied)) == (1, 1)
    assert deployments.deploy("late/1", replicas=3).revision == 2  # that is another wish


def test_what_is_not_given_stays_as_it_is(deployments: Deployments, shelf: Shelf) -> None:
    deployments.deploy("late/1", replicas="1:3", resources={"memory": "1Gi"}, options={"port": 8123})
    deployments.deploy("late/2")
    wanted = shelf.applied[-1]
    assert (wanted.replicas, wanted.resources.memory, wanted.options) == ((1, 3), 2**30, {"port": 8123})
    assert [path.name for path in Path(wanted.folders[2]).parent.iterdir()] == [Path(wanted.folders[2]).name]


def test_canaries_shadows_and_the_way_back(deployments: Deployments, shelf: Shelf) -> None:
    deployments.deploy("late/1")
    deployments.deploy("late", traffic={1: 0.9, 2: 0.1}, shadow={3: 1.0})
    assert shelf.applied[-1].shadow == {3: 1.0}
    back = deployments.rollback("late")
    assert (back.revision, shelf.applied[-1].traffic, shelf.applied[-1].shadow) == (3, {1: 1.0}, {})
    deployments.rollback("late", to=2)
    assert (shelf.applied[-1].traffic, shelf.applied[-1].shadow) == ({1: 0.9, 2: 0.1}, {3: 1.0})
    assert reasons(deployments) == ["deploy", "deploy", "rollback to 1", "rollback to 2"]


def test_a_revision_that_does_not_come_up_is_kept_and_changes_nothing(
    deployments: Deployments, shelf: Shelf
) -> None:
    shelf.damaged = {2}
    deployments.deploy("late/1")
    with pytest.raises(DeploymentFailed):
        deployments.deploy("late/2", replicas=7)
    known = deployments.get("late")
    assert (known.state, known.revision, known.options["replicas"]) == ("running", 1, [2, 4])
    assert "does not come up" in known.message
    assert reasons(deployments) == ["deploy", "failed: deploy"]
    with pytest.raises(Conflict, match="never came up"):
        deployments.rollback("late", to=2)
    assert deployments.deploy("late/3").revision == 3


def test_a_first_revision_that_does_not_come_up_has_failed(deployments: Deployments, shelf: Shelf) -> None:
    shelf.damaged = {1}
    with pytest.raises(DeploymentFailed):
        deployments.deploy("late/1")
    assert deployments.get("late").state == "failed"
    shelf.damaged = set()
    assert deployments.deploy("late/1").state == "running"


class Killed(BaseException):
    """As if the process had ended here."""


def test_a_crash_before_the_deed_is_mended_by_the_next_look(
    deployments: Deployments, shelf: Shelf, workspace: Workspace
) -> None:
    deployments.deploy("late/1")
    shelf.dies = Killed()
    with pytest.raises(Killed):
        deployments.deploy("late/2")
    known = deployments.get("late")
    assert (known.state, known.revision) == ("deploying", 2)
    assert "is being rolled out by process" in known.message
    for deployer, state in ((owner.mark(), "deploying"), (f"{owner.mark().rpartition(':')[0]}:1", "running")):
        # One that lives is left alone; one that is long gone is not.
        workspace.catalog.update(Deployment, "late", options={**known.options, "deployer": deployer})
        assert deployments.status("late").deployment.state == state
    mended = deployments.status("late").deployment
    assert (mended.state, mended.revision) == ("running", 1)
    assert "revision 2 was cut off" in mended.message
    shelf.dies = None
    assert deployments.deploy("late/2").revision == 3


def test_one_that_was_interrupted_is_mended_though_its_process_lives(
    deployments: Deployments, shelf: Shelf
) -> None:
    deployments.deploy("late/1")
    shelf.dies = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        deployments.deploy("late/2")
    assert deployments.get("late").state == "deploying"
    mended = deployments.status("late").deployment
    assert (mended.state, mended.revision) == ("running", 1)


def test_a_deploy_goes_on_after_a_crash_and_a_failure_then_goes_back_to_what_answers(
    deployments: Deployments, shelf: Shelf
) -> None:
    deployments.deploy("late/1")
    shelf.dies = Killed()
    with pytest.raises(Killed):
        deployments.deploy("late/2")
    shelf.dies, shelf.damaged = None, {3}
    with pytest.raises(DeploymentFailed):
        deployments.deploy("late/3")
    known = deployments.get("late")
    assert (known.state, known.revision) == ("running", 1)


def test_of_two_at_once_one_wins_and_the_other_is_told(
    deployments: Deployments, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployments.deploy("late/1")
    apply = shelf.apply
    inside, go_on = threading.Event(), threading.Event()

    def slow(wanted: Any, *, timeout_seconds: float = 600) -> Any:
        if wanted.traffic == {2: 1.0}:
            inside.set()
            go_on.wait(10)
        return apply(wanted)

    monkeypatch.setattr(shelf, "apply", slow)
    failures: list[Exception] = []

    def first() -> None:
        try:
            deployments.deploy("late/2")
        except Conflict as error:
            failures.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    assert deployments.deploy("late/3").revision == 3
    go_on.set()
    thread.join(10)
    assert "somebody else has deployed 'late' meanwhile" in str(failures[0])
    assert deployments.get("late").revision == 3


def test_an_alias_is_followed_when_it_moves_and_a_rollback_stays(
    deployments: Deployments, shelf: Shelf, workspace: Workspace
) -> None:
    made = deployments.deploy("late", follow_alias="champion")
    assert (made.alias, shelf.applied[-1].traffic) == ("champion", {1: 1.0})
    assert deployments.follow("late") is None
    workspace.models.set_alias("late", "champion", 2)
    followed = deployments.follow("late")
    assert followed is not None
    assert (followed.revision, shelf.applied[-1].traffic) == (2, {2: 1.0})
    assert deployments.follow("late") is None
    deployments.rollback("late")
    assert deployments.follow("late") is None
    assert shelf.applied[-1].traffic == {1: 1.0}
    workspace.models.set_alias("late", "champion", 3)
    assert deployments.follow("late") is not None
    assert reasons(deployments)[1:] == ["alias champion moved", "rollback to 1", "alias champion moved"]


def test_an_alias_that_moves_to_what_does_not_come_up_is_tried_once(
    deployments: Deployments, shelf: Shelf, workspace: Workspace
) -> None:
    shelf.damaged = {2}
    deployments.deploy("late@champion", follow_alias="champion")
    workspace.models.set_alias("late", "champion", 2)
    with pytest.raises(DeploymentFailed):
        deployments.follow("late")
    assert deployments.follow("late") is None
    known = deployments.get("late")
    assert (known.state, known.revision, known.alias) == ("running", 1, "champion")


def test_a_version_that_is_named_is_served_until_the_alias_moves(
    deployments: Deployments, shelf: Shelf, workspace: Workspace
) -> None:
    deployments.deploy("late/3", follow_alias="champion")
    assert shelf.applied[-1].traffic == {3: 1.0}
    assert deployments.follow("late") is None
    workspace.models.set_alias("late", "champion", 3)  # which it serves already
    assert deployments.follow("late") is not None
    assert deployments.get("late").revision == 1
    assert deployments.follow("late") is None
    workspace.models.set_alias("late", "champion", 2)
    deployments.follow("late")
    assert shelf.applied[-1].traffic == {2: 1.0}


def test_an_alias_is_followed_no_more(deployments: Deployments, workspace: Workspace) -> None:
    deployments.deploy("late@champion", follow_alias="champion")
    assert deployments.deploy("late@champion", follow_alias="").alias == ""
    workspace.models.set_alias("late", "champion", 2)
    assert deployments.follow("late") is None


def test_what_is_removed_is_gone_and_its_history_stays(deployments: Deployments, shelf: Shelf) -> None:
    deployments.deploy("late/1")
    assert deployments.remove("late").state == "removed"
    assert shelf.standing == {}
    assert deployments.find() == []
    assert [one.name for one in deployments.find(with_removed=True)] == ["late"]
    assert deployments.status("late").live.state == "removed"
    again = deployments.deploy("early", name="late")  # the name is free for another model
    assert (again.revision, again.model) == (2, "early")


def test_a_dry_run_keeps_nothing(deployments: Deployments, shelf: Shelf) -> None:
    (request,) = deployments.requests("late/2", replicas=3)
    assert (request.call, request.body) == ("shelf.put", {"name": "late", "traffic": {2: 1.0}})
    assert (deployments.find(), shelf.applied) == ([], [])


def test_images_are_found_by_what_they_were_made_of(
    deployments: Deployments, shelf: Shelf, workspace: Workspace
) -> None:
    shelf.needs_image = True
    with pytest.raises(NotFound, match="no image of models:/late/1 has been pushed") as caught:
        deployments.deploy("late/1")
    assert "dockerize models:/late/1 --push" in caught.value.hint
    for version in (1, 2):
        workspace.catalog.add(
            Image(digest=f"sha256:{version:064}", name="registry:5000/late:v1", kind="serving", is_pushed=True,
                  source=f"models:/late/{version}", created_at=now())
        )  # fmt: skip
    deployments.deploy("late/1")
    assert shelf.applied[-1].images == {1: f"registry:5000/late@sha256:{1:064}"}
    assert shelf.applied[-1].folders == {}
    assert deployments.revisions("late")[0].image == f"registry:5000/late@sha256:{1:064}"
    deployments.deploy("late", traffic={1: 0.5, 2: 0.5})
    assert set(shelf.applied[-1].images) == {1, 2}
    deployments.rollback("late")
    assert shelf.applied[-1].images == {1: f"registry:5000/late@sha256:{1:064}"}
    with pytest.raises(InvalidInput, match="one image cannot hold several"):
        deployments.deploy("late", traffic={1: 0.5, 2: 0.5}, image="mine@sha256:1")


def test_a_pickle_from_elsewhere_is_not_served(
    deployments: Deployments, shelf: Shelf, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.catalog.update(ModelVersion, ("late", 2), origin="https://elsewhere.example.com/1")
    monkeypatch.setattr("jupyter_mlops.models.trust.needs_pickle", lambda manifest: True)
    with pytest.raises(InvalidInput, match="holds a pickle"):
        deployments.deploy("late/2")
    assert shelf.applied == []


@pytest.mark.parametrize(
    ("reference", "given", "says"),
    [
        ("lat/1", {}, "no model is called 'lat'"),
        ("late/9", {}, "no version 9"),
        ("late@champoin", {}, "no alias 'champoin'"),
        ("late/1", {"name": "../up"}, "cannot name a deployment"),
        ("late/1", {"traffic": {1: 0.5}}, "sum to 0.5"),
        ("late/1", {"traffic": {2: 1.0}}, "version 1 gets none of the traffic"),
        ("late/1", {"traffic": {1: 0.5, 9: 0.5}}, "no version 9"),
        ("late/1", {"shadow": {1: 1.0}}, "cannot be a shadow too"),
        ("late/1", {"replicas": "4:2"}, "no number of replicas"),
        ("late/1", {"resources": {"cpus": 1}}, "unknown resource 'cpus'"),
        ("late/1", {"resources": {"image": "a/b:1"}}, "names no image"),
        ("late/1", {"options": {"wrong": 1}}, "no option 'wrong'"),
        ("late", {"follow_alias": "no alias"}, "cannot be an alias"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_kept(
    deployments: Deployments, shelf: Shelf, reference: str, given: dict[str, Any], says: str
) -> None:
    with pytest.raises((InvalidInput, NotFound), match=says):
        deployments.deploy(reference, **given)
    assert (deployments.find(with_removed=True), deployments.revisions("late"), shelf.applied) == ([], [], [])


def test_a_name_that_is_not_there(deployments: Deployments) -> None:
    deployments.deploy("late/1")
    with pytest.raises(NotFound, match="no deployment 'lat'") as caught:
        deployments.status("lat")
    assert "late" in caught.value.hint


def test_what_another_machine_serves_is_neither_judged_nor_removed_from_here(
    deployments: Deployments, shelf: Shelf, workspace: Workspace
) -> None:
    made = deployments.deploy("late/1")
    shelf.standing.clear()  # of it, this machine knows nothing
    workspace.catalog.update(Deployment, "late", options={**made.options, "machine": "far-away"})
    status = deployments.status("late")
    assert (status.deployment.state, status.live.state) == ("running", "running")
    assert "are on far-away" in status.live.message
    with pytest.raises(Conflict, match="are on far-away, and would go on"):
        deployments.remove("late")
    assert deployments.deploy("late/2").options["machine"] == ""
    assert deployments.remove("late").state == "removed"


def test_one_whose_target_cannot_be_asked_stands_in_the_list_and_can_be_forgotten(
    deployments: Deployments, shelf: Shelf
) -> None:
    deployments.deploy("late/1")
    shelf.is_away = True
    with pytest.raises(Unavailable, match="the shelf is away"):
        deployments.status("late")
    found = deployments.look("late")
    assert (found.live.state, found.deployment.state) == ("running", "running")
    assert (found.trouble, found.note) == ("the shelf is away; wait for it",) * 2
    with pytest.raises(Unavailable) as caught:
        deployments.remove("late")
    assert caught.value.hint.startswith("wait for it; if it is gone for good: ")
    assert caught.value.hint.endswith("deployments remove late --forget")
    assert deployments.get("late").state == "running"
    assert deployments.remove("late", is_forgotten=True).state == "removed"
    assert deployments.find() == []
    assert shelf.standing.keys() == {"late"}, "it was not asked"


def test_what_runs_here_is_not_forgotten(
    deployments: Deployments, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deployments.deploy("late/1")
    monkeypatch.undo()  # the real target of this machine now
    workspace.catalog.update(Deployment, "late", target="local")
    with pytest.raises(InvalidInput, match="is on this machine, and can be ended"):
        deployments.remove("late", is_forgotten=True)
    workspace.catalog.update(Deployment, "late", options={**made.options, "machine": "far-away"})
    for _ in "12":  # once more is no error
        assert deployments.remove("late", is_forgotten=True).state == "removed"
        workspace.catalog.update(Deployment, "late", options=made.options)


def test_processes_of_others_are_not_ours_to_stop(deployments: Deployments) -> None:
    deployments.deploy("late/1")
    with pytest.raises(InvalidInput, match="not ours to stop"):
        deployments.stop("late")
