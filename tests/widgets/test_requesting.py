"""What a notebook asks of a machine: filled in, judged, written, picked up by runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from distributed import LocalCluster

from jupyter_mlops.backends.looking import find_offers
from jupyter_mlops.catalog.records import CacheEntry, TaskRun
from jupyter_mlops.compute.offers import Offer
from jupyter_mlops.errors import InvalidInput, InvalidNotebook, PreflightFailed, Unavailable
from jupyter_mlops.notebooks.facts import inspect_notebook
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.widgets.availability import availability_html, verdict
from jupyter_mlops.widgets.requesting import ResourceForm, request_resources
from jupyter_mlops.workspace import Workspace

from .conftest import notebook

SMALL = Offer(
    name="a", total=ResourceRequest(cpu=2.0, memory=2**32), free=ResourceRequest(cpu=1.0, memory=2**31)
)
LARGE = Offer(
    name="<b>",
    total=ResourceRequest(cpu=8.0, memory=2**36, gpu=1),
    free=ResourceRequest(cpu=8.0, memory=2**36, gpu=0),
)


@pytest.mark.parametrize(
    ("request_", "offers", "said"),
    [
        (ResourceRequest(cpu=1.0), [SMALL], "there is room for it now"),
        (ResourceRequest(cpu=2.0), [SMALL], "not enough is free now (cpu: 2 asked, 1 there)"),
        (ResourceRequest(cpu=3.0), [SMALL], "never run here: cpu: 3 asked, 2 there"),
        (ResourceRequest(cpu=3.0), [SMALL, LARGE], "room for it now, on 1 of 2 workers"),
        (
            ResourceRequest(gpu=1),
            [SMALL, LARGE],
            "room for it now",
        ),  # the small one declares none: not limited
        (ResourceRequest(gpu=2, memory=2**40), [SMALL, LARGE], "nearest is worker a"),
        (ResourceRequest(gpu=1), [LARGE], "not enough is free now (gpu: 1 asked, 0 there)"),
        (ResourceRequest(), [], "there is no worker"),
    ],
)
def test_a_request_is_judged_at_once(request_, offers, said):
    assert said in verdict(request_, offers)


def test_what_an_hour_costs_stands_beside_it(asking):
    asking._wishes.cpu.value, asking._wishes.memory.value = "2", "4Gi"
    small = asking._price.value
    assert "an hour of it: $" in small
    assert " spot" not in small
    beside = asking._wishes.spot_price.value
    assert re.search(r"\$[0-9.]+ an hour instead of \$[0-9.]+", beside)
    asking._wishes.spot.value = True
    assert re.search(r"an hour of it: \$[0-9.]+ on \w+ spot", asking._price.value)
    assert asking._wishes.spot_price.value == beside
    asking._wishes.cpu.value = "2000"
    assert asking._price.value == ""  # nobody rents that out
    assert asking._wishes.spot_price.value == ""
    assert "can never run here" in asking._verdict.value


def test_each_worker_shows_what_it_has_and_has_free():
    html = availability_html(ResourceRequest(cpu=1.0, gpu=1), [SMALL, LARGE])
    assert "1 of 2 free" in html
    assert "2 GiB of 4 GiB free" in html
    assert "not limited" in html
    assert "worker &lt;b&gt;" in html


def test_this_machine_offers_what_it_has():
    (here,) = find_offers()
    assert here.free.fits(here.total)
    assert 0 < here.free.memory < here.total.memory


def test_workers_of_a_cluster_offer_what_they_declare():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None,
        resources={"cpu": 4, "memory": 2**33},
    ) as cluster:  # fmt: skip
        offers = find_offers(cluster.scheduler_address)
        assert [offer.total for offer in offers] == [ResourceRequest(cpu=4.0, memory=2**33)] * 2
        assert all(offer.free == offer.total for offer in offers)
    with pytest.raises(Unavailable, match="no dask scheduler"):
        find_offers("tcp://127.0.0.1:9")


@pytest.fixture
def asking(project: Path) -> ResourceForm:
    return request_resources(project / "train.ipynb")


def test_what_is_filled_in_is_a_request_or_one_clear_error(asking):
    assert asking.request == ResourceRequest()
    asking._wishes.cpu.value, asking._wishes.memory.value = "500m", "1.5Gi"
    assert asking.request == ResourceRequest(cpu=0.5, memory=3 * 2**29)
    asking._wishes.memory.value = "<4>"
    assert "&lt;4&gt;" in asking._verdict.value
    assert "write it with a unit" in asking._verdict.value
    with pytest.raises(InvalidInput):
        asking.save_to_notebook()
    asking._wishes.memory.value, asking._wishes.cpu.value = "", "100000"
    assert "can never run here" in asking._verdict.value


def test_it_is_written_into_the_notebook_and_only_there(asking, project):
    before = json.loads((project / "train.ipynb").read_text())
    digest = inspect_notebook(project / "train.ipynb").code_digest
    asking._wishes.cpu.value, asking._wishes.memory.value = "1", "256Mi"
    asking.save_to_notebook()
    after = json.loads((project / "train.ipynb").read_text())
    assert after["metadata"].pop("mlops") == {"resources": {"cpu": 1, "memory": "256Mi"}}
    assert after == before
    assert inspect_notebook(project / "train.ipynb").code_digest == digest
    again = request_resources(project / "train.ipynb")
    assert again.request == ResourceRequest(cpu=1.0, memory=2**28)
    again._wishes.cpu.value = again._wishes.memory.value = ""
    again.save_to_notebook()
    assert json.loads((project / "train.ipynb").read_text()) == before


def test_it_is_written_into_the_pipeline_on_wish(asking, project):
    text = (project / "pipeline.yaml").read_text().replace("  train:\n", "  train:  # the large one\n")
    (project / "pipeline.yaml").write_text(text)
    assert asking._task.options == ("train",)
    asking._wishes.gpu.value, asking._priority.value = 0, 5
    asking._wishes.memory.value = "64Mi"
    asking._save(to_pipeline=True)
    assert "written to task train of pipeline.yaml" in asking._done.value
    after = (project / "pipeline.yaml").read_text()
    assert "  train:  # the large one\n" in after
    assert "    resources: {memory: 64Mi}\n" in after
    assert "    priority: 5\n" in after
    assert request_resources(project / "train.ipynb").request == ResourceRequest(memory=2**26)


def test_image_and_spot_are_written_and_shown_again(asking, project):
    text = (project / "pipeline.yaml").read_text()
    wishes = asking._wishes
    wishes.image.value, wishes.spot.value = "Team/Train", True
    assert "repositories are in lower case" in asking._verdict.value
    wishes.image.value = "ghcr.io/team/train:2"
    assert asking.request == ResourceRequest(spot=True, image="ghcr.io/team/train:2")
    assert "not used for train, since this machine starts no containers" in asking._unsuitable.value
    asking.save_to_notebook()
    written = json.loads((project / "train.ipynb").read_text())["metadata"]["mlops"]
    assert written == {"resources": {"spot": True, "image": "ghcr.io/team/train:2"}}
    asking.save_to_pipeline()
    line = '    resources: {spot: true, image: "ghcr.io/team/train:2"}\n'
    assert (project / "pipeline.yaml").read_text().replace(line, "") == text

    again = request_resources(project / "train.ipynb")
    assert again.request == asking.request
    again._wishes.spot.value, again._wishes.image.value = False, ""
    assert again.request == ResourceRequest(spot=False), "it would take what the notebook asks for, otherwise"
    assert again._unsuitable.value.count("●") == 0


def test_what_a_cluster_uses_without_an_image_stands_in_its_field(project):
    (project / "mlops.toml").write_text(
        '[clusters.k]\ntype = "kubernetes"\nimage = "team/worker:1"\ncpu = 2\nspot = true\n'
    )
    form = request_resources(project / "train.ipynb", cluster="k")
    assert form._wishes.image.placeholder == "team/worker:1"
    form._wishes.image.value = "team/train:2"
    assert "starts no containers" not in form._unsuitable.value
    assert "train may lose their worker" in form._unsuitable.value
    form._wishes.spot.value = True
    assert "●" not in form._unsuitable.value


def test_a_run_takes_what_the_notebook_asks_for(asking, project):
    with Workspace.open(project) as workspace:
        first = workspace.runs.run(project / "pipeline.yaml")
        keys = {entry.cache_key for entry in workspace.catalog.find(CacheEntry)}
        asking._wishes.memory.value = "40Mi"
        asking.save_to_notebook()
        second = workspace.runs.run(project / "pipeline.yaml")
        tasks = workspace.catalog.find(TaskRun, where={"run_id": second.run_id})
        assert {task.state for task in tasks} == {"cached"}, (
            "where it runs changes nothing of what comes of it"
        )
        assert {entry.cache_key for entry in workspace.catalog.find(CacheEntry)} == keys
        assert first.state == second.state == "succeeded"
        nb = nbformat.read(project / "train.ipynb", 4)
        nb.cells[-1].source = "large = bytearray(400_000_000)\nmlops.result('auc', 1)"
        nbformat.write(nb, project / "train.ipynb")
        third = workspace.runs.run(project / "pipeline.yaml")
        failed = workspace.catalog.get(TaskRun, third.run_id, "train")
        assert failed.state == "failed"
        assert "more than the 40 MiB of its resource request" in failed.error["message"]


def test_what_a_notebook_can_never_get_is_told_before_the_run(asking, project):
    asking._wishes.cpu.value = "9999"
    asking.save_to_notebook()
    with (
        Workspace.open(project) as workspace,
        pytest.raises(PreflightFailed, match="train: this machine can never run it"),
    ):
        workspace.runs.run(project / "pipeline.yaml")
    pipeline = project / "pipeline.yaml"
    pipeline.write_text(pipeline.read_text() + "    resources: {cpu: 1}\n")
    with Workspace.open(project) as workspace:
        assert workspace.runs.run(pipeline).state == "succeeded", "what the task itself asks for counts"


def test_nonsense_in_the_metadata_is_one_clear_error(project):
    notebook(project / "bad.ipynb", "1", metadata={"mlops": {"resources": {"cpu": "many"}}})
    with pytest.raises(InvalidNotebook, match=r"bad\.ipynb: metadata\.mlops\.resources: cpu: 'many' is not"):
        inspect_notebook(project / "bad.ipynb")
    notebook(project / "other.ipynb", "1", metadata={"mlops": "text"})
    assert inspect_notebook(project / "other.ipynb").resources == ResourceRequest()


def test_the_form_lives_in_a_kernel(session, project):
    answer = session.run("import jupyter_mlops as mlops\nf = mlops.request_resources('train.ipynb')\nf")
    assert answer.error == ""
    opened = {c["comm_id"]: c["data"]["state"] for c in answer.comms if c["kind"] == "comm_open"}
    cpu = next(name for name, state in opened.items() if state.get("description") == "cpu")
    save = next(name for name, state in opened.items() if state.get("description") == "Save to notebook")
    answer = session.send(cpu, value="12345")
    assert any("can never run here" in json.dumps(c.get("data", {})) for c in answer.comms)
    session.send(cpu, value="1")
    session.click(save)
    assert json.loads((project / "train.ipynb").read_text())["metadata"]["mlops"] == {"resources": {"cpu": 1}}
