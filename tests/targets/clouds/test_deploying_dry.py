"""What ``deploy --dry-run`` prints for each target, and a deployment in a cluster from end to end by the workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from jupyter_mlops.cli import cli
from jupyter_mlops.errors import DeploymentFailed
from jupyter_mlops.settings import Settings
from jupyter_mlops.workspace import Workspace

DIGEST = "@sha256:" + "1" * 64
TARGETS = {
    "kubernetes": ("registry.example/late", {"namespace": "models"}),
    "sagemaker": (
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/late",
        {"region": "eu-central-1", "role": "arn:aws:iam::123456789012:role/serving"},
    ),
    "vertex": (
        "europe-west4-docker.pkg.dev/p/models/late",
        {"project": "my-project", "region": "europe-west4"},
    ),
    "azureml": (
        "models.azurecr.io/late",
        {"subscription": "00000000-0000-0000-0000-000000000001", "resource_group": "ml", "workspace": "ws"},
    ),
}


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two versions of a model."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    root = tmp_path_factory.mktemp("stocked-for-clouds")
    frame = pd.DataFrame({"a": [float(i) for i in range(10)], "b": [float(i % 3) for i in range(10)]})
    model = LogisticRegression().fit(frame, (frame["a"] > 4).astype(int))
    with Workspace(Settings.load(root, env={})) as workspace:
        for _ in range(2):
            workspace.models.register("late", model, input_example=frame.head(3), check="none")
        workspace.models.set_alias("late", "champion", 1)
    (root / "mlops.toml").write_text("")
    return root


@pytest.mark.parametrize("name", TARGETS)
def test_a_dry_run_prints_every_request_and_sends_none(stocked, name):
    registry, options = TARGETS[name]
    words = [
        "deploy",
        "models:/late@champion",
        "--target",
        name,
        "--image",
        registry + DIGEST,
        "--dry-run",
        "--json",
    ]
    words += [word for pair in options.items() for word in ("-o", "=".join(pair))]
    result = CliRunner().invoke(cli, [*words, "-w", str(stocked)])
    assert result.exit_code == 0, result.output
    requests = json.loads(result.stdout)["requests"]
    assert len(requests) >= 4
    assert registry + DIGEST in result.stdout
    with Workspace(Settings.load(stocked, env={})) as workspace:
        assert not workspace.deployments.find()


def test_manifests_of_a_model(stocked):
    words = [
        "manifests",
        "models:/late@champion",
        "--option",
        "namespace=models",
        "--image",
        f"r/late{DIGEST}",
    ]
    result = CliRunner().invoke(cli, [*words, "-w", str(stocked), "--json"])
    assert result.exit_code == 0, result.output
    kinds = [each["kind"] for each in json.loads(result.stdout)["manifests"]]
    assert {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"} < set(kinds)


@pytest.mark.slow
def test_the_workspace_deploys_rolls_back_and_removes(stocked, cluster):
    options = {"namespace": "models", "context": "here"}
    good, bad = (f"registry.example/late@sha256:{digest}" for digest in ("1" * 64, "bad" + "0" * 61))
    with Workspace(Settings.load(stocked, env={})) as workspace:
        deployments = workspace.deployments
        made = deployments.deploy("models:/late/1", target="kubernetes", image=good, options=options)
        assert (made.state, made.url) == ("running", "http://late.models.svc")
        with pytest.raises(DeploymentFailed, match="ImagePullBackOff"):
            deployments.deploy("models:/late/2", image=bad)
        assert deployments.status("late").live.revision == 1
        other = good.replace("1" * 64, "2" * 64)
        assert deployments.deploy("models:/late/2", image=other).state == "running"
        container = cluster.get("Deployment", "late")["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == other
        deployments.rollback("late")
        container = cluster.get("Deployment", "late")["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == good
        deployments.remove("late")
        assert not cluster.names("Deployment")
