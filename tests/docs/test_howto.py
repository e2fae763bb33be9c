"""Recipes, done as they stand: their files are written, their commands run, one after the other in one folder."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner

import jupyter_mlops as mlops
from jupyter_mlops.cli import cli

from .conftest import ROOT

pytestmark = pytest.mark.slow
HOWTO = ROOT / "docs" / "howto"
DIGEST = f"sha256:{'a' * 64}"


def block(page: str, kind: str, beginning: str = "") -> str:
    """The first block of a kind on a page that begins so."""
    text = (HOWTO / page).read_text(encoding="utf-8")
    return next(
        found for found in re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) if found.startswith(beginning)
    )


def first(page: Path, kind: str, beginning: str = "") -> str:
    """The same of any page."""
    found = re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return next(text for text in found if text.startswith(beginning))


def lines(page: str, beginning: str) -> list[str]:
    """Commands of a page that begin so, without their prompt."""
    text = (HOWTO / page).read_text(encoding="utf-8")
    found = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith(f"$ {beginning}")]
    assert found, (page, beginning)
    return found


def write(path: str, parameters: str, code: str) -> None:
    cells = [
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(f"import jupyter_mlops as mlops\n{code}"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


@pytest.fixture
def do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command line of `jupyter mlops` in a folder of its own; what it printed."""
    (tmp_path / "mlops.toml").write_text("zygote_linger_seconds = 0\n")
    monkeypatch.chdir(tmp_path)

    def run(line: str, *more: str, code: int | None = 0) -> str:
        words = shlex.split(line, comments=True)
        assert words[:2] == ["jupyter", "mlops"]
        done = CliRunner().invoke(cli, [*words[2:], *more])
        assert code is None or done.exit_code == code, (line, done.output)
        return done.output

    return run


def test_a_script_that_calls_papermill_becomes_a_pipeline(do: Callable[..., str]) -> None:
    write(
        "pull.ipynb",
        "week: int = 20",
        "import pandas as pd\nmlops.artifact('rows', pd.DataFrame({'week': [week]}))",
    )
    write(
        "train.ipynb",
        "model = ''\nrows = ''\nweek = 0",
        "mlops.result('week', int(mlops.input(rows).week[0]) if rows else week)",
    )
    Path("pipeline.yaml").write_text(block("papermill.md", "yaml"))
    Path("arguments.yaml").write_text("week: 22\n")
    Path("out").mkdir()
    for line in lines("papermill.md", "jupyter mlops execute"):
        do(line)
    assert Path("out/train-20.ipynb").exists()
    do("jupyter mlops check")
    told = do("jupyter mlops run -p week 21")
    assert re.search(r"train\[model=boosting\]\s+week\s+21", told)


def test_secrets_are_masked(do: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    write("pull.ipynb", block("secrets.md", "python"), "print('with', password, token)")
    (line,) = lines("secrets.md", "jupyter mlops execute")
    assert "no secret is called 'WAREHOUSE_TOKEN'" in do(line, code=2)
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "hunter22")
    monkeypatch.setenv("WAREHOUSE_TOKEN", "a-long-token")
    do(line)
    text = Path("out.ipynb").read_text()
    assert "with **** ****" in text
    assert "hunter22" not in text
    assert "a-long-token" not in text


def test_quotas_of_the_pages_are_set(do: Callable[..., str]) -> None:
    for page in ("team.md", "gpu.md"):
        Path("quotas.toml").write_text(block(page, "toml", "# quotas.toml"))
        for line in lines(page, "jupyter mlops quota"):
            do(line)
    do("jupyter mlops quota clear")


def test_blobs_move_and_what_is_old_is_cleaned(do: Callable[..., str], tmp_path: Path) -> None:
    write("one.ipynb", "", "mlops.artifact('note', {'a': 1})")
    Path("pipeline.yaml").write_text("name: one\ntasks: {one: {notebook: one.ipynb}}\n")
    do("jupyter mlops run")
    for line in lines("team.md", "jupyter mlops sync"):
        do(line.replace("s3://our-bucket/mlops", str(tmp_path / "elsewhere")))
    assert any(path.is_file() for path in (tmp_path / "elsewhere").rglob("*"))
    for line in lines("team.md", "jupyter mlops clean"):
        do(line)


def test_each_cloud_is_told_what_the_page_says(do: Callable[..., str]) -> None:
    pd = pytest.importorskip("pandas")
    linear = pytest.importorskip("sklearn.linear_model")
    raw = pd.DataFrame({"hour": [1, 2, 3, 4]})
    model = linear.LogisticRegression().fit(raw, [0, 0, 1, 1])
    mlops.register_model("delay", model, input_example=raw)
    mlops.alias("delay", "champion", 1)
    images = {
        "kubernetes": "registry.example.com/team/delay",
        "sagemaker": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/delay",
        "vertex": "europe-west4-docker.pkg.dev/my-project/models/delay",
        "azureml": "ourregistry.azurecr.io/delay",
    }
    told = {}
    for line in lines("clouds.md", "jupyter mlops deploy models:/delay@champion --name"):
        target = shlex.split(line)[shlex.split(line).index("--target") + 1]
        more = () if "--dry-run" in line else ("--dry-run",)
        told[target] = do(line, "--image", f"{images[target]}@{DIGEST}", *more)
    assert told.keys() == images.keys()
    assert all(DIGEST in text for text in told.values())


def test_a_team_has_its_servers(
    do: Callable[..., str],
    postgresql: Any,
    s3: dict[str, Any],
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = block("team.md", "toml", "# mlops.toml")
    ours = {
        "postgresql://mlops@db.example.com/mlops": postgresql.fresh(),
        "s3://our-bucket": "s3://mlops/team",
        "redis://redis.example.com:6379/0": redis_url,
    }
    for theirs, place in ours.items():
        assert theirs in settings
        settings = settings.replace(theirs, place)
    Path("mlops.toml").write_text(f"zygote_linger_seconds = 0\n{settings}\n[blob_options]\n")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3["client_kwargs"]["endpoint_url"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3["key"])  # the usual chain, as the page says
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3["secret"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    write("one.ipynb", "", "mlops.artifact('note', {'a': 1})")
    Path("pipeline.yaml").write_text("name: one\ntasks: {one: {notebook: one.ipynb}}\n")
    do("jupyter mlops run")
    assert "one" in do("jupyter mlops runs")
    found = {
        each["name"]: each for each in json.loads(do("jupyter mlops doctor --json", code=None))["checks"]
    }
    for name in ("settings", "catalog", "blobs", "offline store", "online store"):
        assert found[name]["state"] == "ok", found[name]


@pytest.mark.timeout(400)
def test_a_run_goes_through_slurm(
    do: Callable[..., str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's cluster and pipeline on a real SLURM, whose one node claims the size that the page speaks of."""
    spec = importlib.util.spec_from_file_location("real_slurm", ROOT / "tests" / "backends" / "slurm.py")
    assert spec is not None
    assert spec.loader is not None
    real = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(real)
    if real.missing() or os.geteuid() != 0:
        pytest.fail("SLURM is not there") if os.environ.get("CI") else pytest.skip("SLURM is not there")
    conf = real._CONF.replace("CPUs=4 RealMemory=8000", "CPUs=16 RealMemory=160000")
    partitions = "".join(f"PartitionName={name} Nodes={{host}} State=UP\n" for name in ("standard", "gpu"))
    monkeypatch.setattr(real, "_CONF", conf + partitions)
    settings = block("slurm.md", "toml", "# mlops.toml")
    assert "/shared/team/mlops" in settings
    settings = settings.replace("/shared/team/mlops", str(Path.cwd() / "shared"))
    for name in ("hpc", "hpc-gpu"):  # this machine's only network, and no account to charge
        settings = settings.replace(f"[clusters.{name}]\n", f'[clusters.{name}]\ninterface = "lo"\n')
    Path("mlops.toml").write_text(f"zygote_linger_seconds = 0\n{settings}")
    Path("pipeline.yaml").write_text(block("slurm.md", "yaml"))
    write(
        "simulate.ipynb",
        "seed: int = 0",
        "import os\nprint('seed is', seed)\nmlops.result('job', os.environ['SLURM_JOB_ID'])",
    )
    with real.slurm(tmp_path_factory.mktemp("recipe-slurm")) as env:
        for name in ("SLURM_CONF", "PATH"):
            monkeypatch.setenv(name, env[name])
        do("jupyter mlops check")
        (line,) = (one for one in lines("slurm.md", "jupyter mlops run") if "--no-wait" not in one)
        told = json.loads(do(line, "--json"))
        assert [task["state"] for task in told["tasks"]] == ["succeeded"] * 4
        assert all(int(task["results"]["job"]) for task in told["tasks"])
        assert "seed is 4" in do(*lines("slurm.md", "jupyter mlops logs"))


def test_what_goes_to_kubernetes_is_written(do: Callable[..., str]) -> None:
    write("report.ipynb", "week: int = 1", "mlops.result('week', week)")
    Path("pipeline.yaml").write_text("name: one\ntasks: {one: {notebook: report.ipynb}}\n")
    for line in lines("kubernetes.md", "jupyter mlops export"):
        do(line)
    image = ("--image", f"registry.example.com/team/report@{DIGEST}")
    for line in lines("kubernetes.md", "jupyter mlops manifests report.ipynb"):
        told = do(line, *image)
        assert "kind: CronJob" in told or "k8s" in told
    assert Path("k8s/overlays/prod/kustomization.yaml").is_file()  # what `kubectl apply -k` takes
    assert DIGEST.removeprefix("sha256:") in "".join(path.read_text() for path in Path("k8s").rglob("*.yaml"))
    assert list(Path("argo").rglob("*.yaml"))
    assert list(Path("kfp").rglob("*"))


def test_a_task_that_asks_for_a_gpu_is_told_whether_there_is_one(do: Callable[..., str]) -> None:
    write("train.ipynb", "fold: int = 1", "mlops.result('fold', fold)")
    Path("pipeline.yaml").write_text(block("gpu.md", "yaml"))
    units = do("jupyter mlops compute")
    if "GPU" not in units:
        assert "gpu" in do("jupyter mlops check", code=2)
    Path("mlops.toml").write_text(f"zygote_linger_seconds = 0\n{block('gpu.md', 'toml')}")
    assert "gpu" in do(
        "jupyter mlops doctor --json", code=None
    )  # the cluster of the page is one that there is
    for line in lines("gpu.md", "jupyter mlops cost"):
        do(line, code=None)


def test_the_pipeline_of_the_readme_runs(do: Callable[..., str]) -> None:
    """Its YAML, its cell of parameters and its three calls, together with what they leave to the reader."""
    readme = ROOT / "README.md"
    emits = first(readme, "python", "import jupyter_mlops")
    frame = "import pandas as pd\nmlops.artifact('rows', pd.DataFrame({'x': range(1001)}))\nmlops.result('count', 1001)"
    write("pull.ipynb", first(readme, "python", "from typing").replace('"secret:API_KEY"', '""'), frame)
    write("train.ipynb", "rows: str = ''\nmodel: str = ''", f"fitted = {{'a': 1}}\n{emits}")
    write("deploy.ipynb", "scores: list[float] = []", "mlops.result('best', max(scores))")
    Path("pipeline.yaml").write_text(first(readme, "yaml"))
    told = json.loads(do("jupyter mlops run --json"))
    assert {task["task"]: task["state"] for task in told["tasks"]} == {
        "pull": "succeeded",
        "train[model=logistic]": "succeeded",
        "train[model=boosting]": "succeeded",
        "deploy": "succeeded",
    }
    assert told["tasks"][-1]["results"] == {"best": 0.91}


def test_a_notebook_of_ones_own_becomes_a_pipeline(do: Callable[..., str]) -> None:
    page = ROOT / "docs" / "start.md"
    write("report.ipynb", "", "print('as it is')")
    Path("pipeline.yaml").write_text(first(page, "yaml"))
    assert "succeeded" in do("jupyter mlops run")
