"""Which image each task of a pipeline starts in: what is given by hand, and what `dockerize --json` wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from jupyter_mlops.cli import cli
from jupyter_mlops.cli.dockerize import _document
from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.pipelines import load_pipeline
from jupyter_mlops.promotion.capture import CaptureOptions
from jupyter_mlops.promotion.capture_pipeline import capture_pipeline
from jupyter_mlops.promotion.context import Built
from jupyter_mlops.promotion.environments import TaskImages, choose_images
from jupyter_mlops.session.exporting import export_pipeline
from jupyter_mlops.workspace import Workspace

PIPELINE = """\
name: trains
tasks:
  pull: {notebook: pull.ipynb}
  train: {notebook: train.ipynb, needs: [pull]}
  look: {notebook: pull.ipynb, needs: [train]}
"""
DIGESTS = [f"sha256:{letter * 64}" for letter in "abc"]


@pytest.fixture
def pipeline(workspace: Path, write: Callable[..., Path]) -> Path:
    """Of two environments: one of its notebooks asks for a GPU."""
    write("x = 1", name="pull.ipynb")
    write("x = 2", name="train.ipynb", mlops={"resources": {"gpu": 1}})
    (workspace / "pipeline.yaml").write_text(PIPELINE)
    return workspace / "pipeline.yaml"


@pytest.fixture
def built(pipeline: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write what `dockerize --json` does when these images were built; the file."""

    def make(*names: str, is_split: bool = False, is_pushed: bool = True) -> Path:
        captures = capture_pipeline(
            load_pipeline(pipeline), CaptureOptions(is_locked=False), is_split=is_split
        )
        with Workspace.open(pipeline.parent) as opened:
            images = [
                opened.images.record(
                    capture, Built(name=name, digest=digest, builder="python", is_pushed=is_pushed)
                )
                for capture, name, digest in zip(captures, names, DIGESTS, strict=False)
            ]
        file = tmp_path / "images.json"
        file.write_text(json.dumps(_document(captures, [], images)))
        return file

    return make


def test_one_image_is_for_all_tasks_of_one_environment(pipeline: Path) -> None:
    pipeline.write_text("name: alone\ntasks: {pull: {notebook: pull.ipynb}, look: {notebook: pull.ipynb}}\n")
    loaded = load_pipeline(pipeline)
    assert choose_images(loaded, []) == TaskImages()
    assert choose_images(loaded, ["r/all:1"]) == TaskImages("r/all:1")


NOTE = (
    "image: r/all:1 is for 2 environments, trains-pull and trains-train, and must have what each needs; "
    "ENVIRONMENT=IMAGE names one for each"
)


def test_one_image_for_several_environments_is_told(pipeline: Path, tmp_path: Path) -> None:
    words = ["export", str(pipeline), "--to", "argo", "-o", str(tmp_path / "out"), "--image", "r/all:1"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert NOTE in done.stderr
    with pytest.raises(
        InvalidInput, match=r"not all of it holds in .*: image: r/all:1 is for 2 environments"
    ):
        export_pipeline("argo", tmp_path / "two", pipeline, image="r/all:1", is_strict=True)
    agreed = ["r/all:1", "trains-pull=r/all:1"]  # who says so of one knows that there are others
    assert choose_images(load_pipeline(pipeline), agreed) == TaskImages("r/all:1")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (
            "{notebook: train.ipynb, needs: [pull]}",
            "{notebook: train.ipynb, resources: {gpu: 1, image: r/gpu:1}}",
        ),
        ("pull.ipynb", "nowhere.ipynb"),
    ],
    ids=["a task has its own", "no notebook here"],
)
def test_where_no_second_environment_is_known_nothing_is_told(was: str, becomes: str, pipeline: Path) -> None:
    pipeline.write_text(PIPELINE.replace(was, becomes))
    assert choose_images(load_pipeline(pipeline), ["r/all:1"]) == TaskImages("r/all:1")


@pytest.mark.parametrize(
    ("given", "image", "own"),
    [
        (["r/all:1", "trains-train=r/gpu:1"], "r/all:1", {"train": "r/gpu:1"}),
        (["trains-pull=r/cpu:1", "trains-train=r/gpu:1"], "r/cpu:1", {"train": "r/gpu:1"}),
        (["trains-train=r/gpu:1"], "", {"train": "r/gpu:1"}),
        (["trains-pull=r/one:1", "trains-train=r/one:1"], "r/one:1", {}),
        (["r/one:1", "trains-train=r/one:1"], "r/one:1", {}),
    ],
)
def test_an_environment_has_its_own(
    given: list[str], image: str, own: dict[str, str], pipeline: Path
) -> None:
    assert choose_images(load_pipeline(pipeline), given) == TaskImages(image, own)


def test_the_only_environment_has_the_name_of_the_pipeline(pipeline: Path) -> None:
    pipeline.write_text("name: alone\ntasks: {pull: {notebook: pull.ipynb}}\n")
    assert choose_images(load_pipeline(pipeline), ["alone=r/a:1"]) == TaskImages("r/a:1")


def test_what_was_built_tells_it(pipeline: Path, built: Callable[..., Path]) -> None:
    file = built("r/t/trains-pull:1", "r/t/trains-train:1")
    gpu = {"train": f"r/t/trains-train@{DIGESTS[1]}"}
    assert choose_images(load_pipeline(pipeline), [], file) == TaskImages(
        f"r/t/trains-pull@{DIGESTS[0]}", gpu
    )
    assert choose_images(load_pipeline(pipeline), ["trains-pull=r/new:1"], file) == TaskImages("r/new:1", gpu)
    local = built("trains-pull:1", "trains-train:1", is_pushed=False)
    assert choose_images(load_pipeline(pipeline), [], local) == TaskImages(
        "trains-pull:1", {"train": "trains-train:1"}
    )


def test_what_was_built_for_each_notebook_tells_it(pipeline: Path, built: Callable[..., Path]) -> None:
    spec = "name: trains\ntasks: {a: {notebook: pull.ipynb}, b: {notebook: look.ipynb}, c: {notebook: train.ipynb}}\n"
    pipeline.write_text(spec)
    (pipeline.parent / "look.ipynb").write_bytes((pipeline.parent / "pull.ipynb").read_bytes())
    file = built("r/a:1", "r/b:1", "r/c:1", is_split=True)
    images = [f"r/{name}@{digest}" for name, digest in zip("abc", DIGESTS, strict=True)]
    assert choose_images(load_pipeline(pipeline), [], file) == TaskImages(
        images[0], {"b": images[1], "c": images[2]}
    )


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (["trains-trian=r/gpu:1"], NotFound, "no environment 'trains-trian'"),
        (["r/a:1", "r/b:1"], InvalidInput, "two images for all tasks: r/a:1 and r/b:1"),
        (["e=r/a:1", "e=r/b:1"], InvalidInput, "two images for the environment 'e'"),
        (["=r/a:1"], InvalidInput, "names no environment"),
        (["trains-train=R/a b"], InvalidInput, "no name of an image"),
        (["trains-train="], InvalidInput, "no name of an image"),
    ],
)
def test_what_is_given_wrong(given: list[str], error: type[Exception], said: str, pipeline: Path) -> None:
    with pytest.raises(error, match=said) as caught:
        choose_images(load_pipeline(pipeline), given)
    if error is NotFound:
        assert "did you mean 'trains-train'" in caught.value.hint  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[]", "{}", '{"images": [1], "captures": []}', '{"images": [{}], "captures": [7]}'],
)
def test_a_file_that_tells_nothing(text: str, pipeline: Path, tmp_path: Path) -> None:
    file = tmp_path / "images.json"
    file.write_text(text)
    with pytest.raises(InvalidInput, match="is not what `dockerize PIPELINE --json` wrote") as caught:
        choose_images(load_pipeline(pipeline), [], file)
    assert "dockerize pipeline.yaml --push IMAGE --json > images.json" in caught.value.hint


def test_a_file_of_no_image_or_of_another_pipeline(pipeline: Path, built: Callable[..., Path]) -> None:
    with pytest.raises(InvalidInput, match="none was built"):
        choose_images(load_pipeline(pipeline), [], built())
    with pytest.raises(NotFound, match="cannot read"):
        choose_images(load_pipeline(pipeline), [], pipeline.parent / "none.json")
    file = built("r/a:1", "r/b:1")
    pipeline.write_text(f"{PIPELINE}# and more\n")
    with pytest.raises(InvalidInput, match=r"not of pipeline\.yaml as it is now"):
        choose_images(load_pipeline(pipeline), [], file)


def test_the_command_line_starts_each_task_in_its_own(
    pipeline: Path, built: Callable[..., Path], tmp_path: Path
) -> None:
    file = built("r/t/trains-pull:1", "r/t/trains-train:1")
    words = ["export", str(pipeline), "--to", "argo", "--force", "-o", str(tmp_path / "out")]
    for more, image in (
        (["--built", str(file)], f"r/t/trains-train@{DIGESTS[1]}"),
        (["--image", "r/all:1", "--image", "trains-train=r/gpu:1"], "r/gpu:1"),
    ):
        done = CliRunner().invoke(cli, [*words, *more])
        assert done.exit_code == 0, done.output
        body = yaml.safe_load((tmp_path / "out" / "trains.yaml").read_text())
        containers = {each["name"]: each.get("container", {}) for each in body["spec"]["templates"]}
        assert containers["train"]["image"] == image
        assert containers["pull"]["image"] == containers["look"]["image"] != image
        assert containers["train"]["workingDir"] == "/project"
