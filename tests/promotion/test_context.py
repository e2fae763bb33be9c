"""From what was captured to the folder that is built: what lies where, what is refused, what stays the same."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from jupyter_mlops.errors import Conflict, InvalidInput
from jupyter_mlops.exporters import TARGETS
from jupyter_mlops.exporters.making import make
from jupyter_mlops.pipelines import load_pipeline
from jupyter_mlops.problems import Problem
from jupyter_mlops.promotion import sbom, ship
from jupyter_mlops.promotion.assembly import make_context
from jupyter_mlops.promotion.captured import Capture, Requirement, SystemPackage
from jupyter_mlops.promotion.context import Built, write_context

HASH = "0" * 64
LOCK = f"""\
numpy==2.4.1 \\
    --hash=sha256:{HASH} \\
    --hash=sha256:{"1" * 64}
uvloop==0.22 ; sys_platform != 'win32' \\
    --hash=sha256:{HASH}
"""


def notebook(*sources: str) -> bytes:
    cells = [
        {"cell_type": "code", "id": f"c{place}", "metadata": {}, "outputs": [], "execution_count": None, "source": one}
        for place, one in enumerate(sources)
    ]  # fmt: skip
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


BATCH = Capture(
    kind="batch",
    name="pull",
    python="3.11",
    requirements=(Requirement(name="numpy", version="2.4.1"),),
    lock=LOCK,
    modules={"flights/look.py": b"GREY = 1\n"},
    files={"flights/data.csv": b"a,b\n"},
    notebooks={"flights/pull.ipynb": notebook("import jupyter_mlops as mlops\nmlops.result('a', 1)")},
    import_paths=("flights",),
    source="flights/pull.ipynb",
    source_digest="ab" * 32,
    commit="c0ffee",
)
PIPELINE = replace(
    BATCH,
    name="flights",
    files={"flights/pipeline.yaml": b"name: flights\n"},
    tasks={"pull": "flights/pull.ipynb"},
    source="flights/pipeline.yaml",
)


@pytest.fixture
def serving(tmp_path: Path) -> Capture:
    folder = tmp_path / "exported"
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "data" / "model.bin").write_bytes(b"weights")
    return Capture(
        kind="serving",
        name="delay",
        python="3.11",
        lock=LOCK,
        system_packages=(SystemPackage(name="libgomp1"),),
        model_folder=folder,
        source="models:/delay/3",
    )


def test_what_lies_where_in_a_batch_image() -> None:
    context = make_context(BATCH)
    assert context.code["/project/flights/look.py"] == b"GREY = 1\n"
    assert {"/opt/app/job.json", "/opt/app/sbom.cdx.json", "/opt/app/lib/jupyter_mlops/emit.py"} <= set(
        context.code
    )
    assert json.loads(bytes(context.files["job.json"])) == {  # type: ignore[arg-type]
        "name": "pull", "notebooks": {"pull": "flights/pull.ipynb"}, "import_paths": ["flights"],
        "project": "/project",
    }  # fmt: skip
    assert context.user == "10001:10001"
    assert context.labels["org.opencontainers.image.revision"] == "c0ffee"
    assert context.healthcheck is None


def test_an_image_of_a_pipeline_runs_its_tasks_for_others(tmp_path: Path) -> None:
    context = make_context(PIPELINE)
    assert bytes(context.code["/opt/venv/bin/jupyter-mlops"]).startswith(b"#!/bin/sh\n")  # type: ignore[arg-type]
    assert "COPY --chmod=0755 bin/jupyter-mlops /opt/venv/bin/jupyter-mlops" in context.dockerfile
    assert context.workdir == "/project/flights"
    assert "WORKDIR /project/flights\n" in context.dockerfile
    assert context.code["/project/flights/pipeline.yaml"] == b"name: flights\n"
    ours = "/opt/app/lib/jupyter_mlops"
    assert {f"{ours}/cli/task.py", f"{ours}/entry/task.py", f"{ours}/promotion/entry_batch.py"} <= set(
        context.code
    )
    assert not {f"{ours}/workspace.py", f"{ours}/cli/run.py", f"{ours}/models/store.py"} & set(context.code)
    assert "/opt/venv/bin/jupyter-mlops" not in make_context(BATCH).code


def test_an_export_looks_for_a_pipeline_where_its_image_has_it(tmp_path: Path) -> None:
    (tmp_path / "flights").mkdir()
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "flights" / "pipeline.yaml").write_text(
        "name: flights\ntasks: {pull: {notebook: pull.ipynb}}\n"
    )
    path = tmp_path / "flights" / "pipeline.yaml"
    (text,) = make(load_pipeline(path), TARGETS.get("argo"), {}, image="registry/flights:1").files.values()
    assert f"workingDir: {make_context(PIPELINE).workdir}\n" in text


def test_what_lies_where_in_a_serving_image(serving: Capture) -> None:
    context = make_context(serving)
    assert context.code["/opt/ml/model/data/model.bin"] == serving.model_folder / "data" / "model.bin"  # type: ignore[operator]
    assert context.labels["io.jupyter-mlops.model"] == "delay"
    assert context.labels["io.jupyter-mlops.model.version"] == "3"
    assert context.exposed_ports == (8080,)
    assert context.healthcheck is not None
    assert "HEALTHCHECK" in context.dockerfile
    assert context.files["packages.txt"] == b"libgomp1\n"
    assert "COPY model /opt/ml/model" in context.dockerfile


def test_hadolint_has_nothing_to_say_of_whole_files(serving: Capture, tmp_path: Path) -> None:
    contexts = [
        make_context(BATCH),
        make_context(PIPELINE),
        make_context(serving),
        make_context(serving, platform="sagemaker"),
    ]
    paths = [tmp_path / f"Dockerfile.{place}" for place in range(len(contexts))]
    for path, context in zip(paths, contexts, strict=True):
        path.write_text(context.dockerfile, encoding="utf-8")
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--failure-threshold", "style", *paths], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_sagemaker_wants_root(serving: Capture) -> None:
    context = make_context(serving, platform="sagemaker")
    assert context.user == "0:0"
    assert "\nUSER" not in context.dockerfile


def test_the_code_and_the_folder_say_the_same(serving: Capture) -> None:
    for context in (make_context(serving), make_context(BATCH), make_context(PIPELINE)):
        folders = {
            "bin": "/opt/venv/bin",
            "lib": "/opt/app/lib",
            "project": "/project",
            "model": "/opt/ml/model",
        }
        built = {}
        for path, content in context.files.items():
            head, _, rest = path.partition("/")
            if rest:
                built[f"{folders[head]}/{rest}"] = content
            elif path.endswith(".json"):
                built[f"/opt/app/{path}"] = content
        assert built == dict(context.code)


def test_the_same_input_gives_the_same_context(serving: Capture) -> None:
    assert make_context(serving).digest == make_context(serving).digest
    assert make_context(BATCH).files == make_context(BATCH).files
    assert (
        make_context(BATCH).digest
        != make_context(replace(BATCH, modules={"flights/look.py": b"GREY = 2\n"})).digest
    )


def test_a_pinned_base_is_told() -> None:
    context = make_context(BATCH, base=f"registry.example/python:3.11@sha256:{HASH}")
    assert context.dockerfile.count(f"FROM registry.example/python:3.11@sha256:{HASH}") == 2
    assert context.labels["org.opencontainers.image.base.digest"] == f"sha256:{HASH}"


def test_commits_of_repositories_have_a_file_of_their_own() -> None:
    line = "tool @ git+https://example.com/tool.git@0123456789abcdef0123456789abcdef01234567"
    context = make_context(replace(BATCH, lock=f"{LOCK}{line}\n"))
    assert context.files["requirements.vcs"] == f"{line}\n".encode()
    assert context.requirements_lock == LOCK
    assert "--no-deps -r /tmp/requirements.vcs" in context.dockerfile


def test_what_stands_against_an_image_is_told_at_once() -> None:
    wrong = replace(
        BATCH,
        problems=(
            Problem(message="no torch"),
            Problem(message="no jax"),
            Problem(message="hm", severity="warning"),
        ),
    )
    with pytest.raises(InvalidInput, match=r"no torch\nno jax") as caught:
        make_context(wrong)
    assert len(caught.value.fields["problems"]) == 2
    with pytest.raises(InvalidInput, match="not locked"):
        make_context(replace(BATCH, lock=""))
    make_context(replace(BATCH, problems=(Problem(message="hm", severity="warning"),)))


def test_times_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert make_context(BATCH).epoch == 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(InvalidInput, match="not seconds"):
        make_context(BATCH)


def test_a_folder_is_written_whole_and_somebody_elses_left_alone(
    serving: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context(serving)
    folder = tmp_path / "out"
    write_context(context, folder)
    assert (folder / "model" / "data" / "model.bin").read_bytes() == b"weights"
    write_context(make_context(BATCH), folder)
    assert not (folder / "model").exists()
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        ".dockerignore", "Dockerfile", "job.json", "requirements.lock", "sbom.cdx.json",
    ]  # fmt: skip
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    (other / "Dockerfile").write_text("FROM scratch\n")  # people have those, too
    with pytest.raises(Conflict, match="holds no earlier context"):
        write_context(context, other)
    (other / ".git").mkdir()
    with pytest.raises(Conflict, match="somebody works in"):
        write_context(context, other, is_forced=True)
    inside = other / "deep"
    inside.mkdir()
    monkeypatch.chdir(inside)
    for folder in (inside.parent, Path()):
        (inside / "draft.txt").write_text("more work")
        with pytest.raises(Conflict, match="somebody works in"):
            write_context(context, folder, is_forced=True)
    assert (other / "thesis.txt").exists()
    assert not list(tmp_path.glob(".out-*"))


def test_a_reference_is_the_name_with_the_digest() -> None:
    built = Built(name="localhost:5000/team/pull:3", digest=f"sha256:{HASH}", builder="buildah")
    assert built.reference == f"localhost:5000/team/pull@sha256:{HASH}"
    assert replace(built, name="pull").reference == f"pull@sha256:{HASH}"


# --- the bill of materials ----------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["docker.io/library/python:3.11-slim", f"r.example/python@sha256:{HASH}"])
def test_the_bill_of_materials_is_valid(serving: Capture, base: str) -> None:
    text = bytes(make_context(serving, base=base).files["sbom.cdx.json"]).decode()  # type: ignore[arg-type]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    purls = {one.get("purl") for one in document["components"]}
    assert {"pkg:pypi/numpy@2.4.1", "pkg:pypi/uvloop@0.22", "pkg:deb/debian/libgomp1"} <= purls
    refs = [one["bom-ref"] for one in document["components"]]
    assert len(refs) == len(set(refs))
    assert "timestamp" not in document["metadata"]


def test_a_lock_is_read_with_its_hashes_and_markers() -> None:
    numpy, uvloop = sbom.read_lock(LOCK)
    assert (numpy.name, numpy.version, len(numpy.hashes)) == ("numpy", "2.4.1", 2)
    assert uvloop.marker == 'sys_platform != "win32"'


# --- our own files ------------------------------------------------------------------------------------------


def test_a_serving_image_has_no_jupyter_and_no_dask() -> None:
    files, distributions = ship.closure(ship.SERVING)
    assert {"orjson", "uvloop"} <= set(distributions)
    assert not {"ipykernel", "dask", "distributed", "papermill", "jupyterlab", "sqlalchemy"} & set(
        distributions
    )
    assert "jupyter_mlops/serving/__init__.py" in files
    assert not [path for path in files if path.startswith(("jupyter_mlops/kernels", "jupyter_mlops/catalog"))]


def test_a_batch_image_has_a_kernel_but_no_jupyterlab_and_no_dask() -> None:
    files, distributions = ship.closure(ship.BATCH, names=["result"])
    assert "ipykernel" in distributions
    assert not {
        "dask",
        "distributed",
        "papermill",
        "jupyterlab",
        "jupyter-server",
        "sqlalchemy",
        "click",
        "rich",
    } & set(distributions)
    assert {"jupyter_mlops/kernels/zygote.py", "jupyter_mlops/emit.py"} <= set(files)
    assert "jupyter_mlops/promotion/build.py" not in files


def test_what_a_notebook_uses_of_us_goes_along() -> None:
    used = ship.names_used(
        [notebook("%load_ext jupyter_mlops", "import jupyter_mlops as m", "m.register_model('a', 1)")],
        [b"from jupyter_mlops import artifact\n", b"not python"],
    )
    assert used == {"load_ipython_extension", "register_model", "artifact"}
    files, distributions = ship.closure(ship.BATCH, names=used)
    assert {"jupyter_mlops/magics/__init__.py", "jupyter_mlops/workspace.py"} <= set(files)
    assert {"sqlalchemy", "alembic"} <= set(distributions)
    assert "dask" not in distributions


def test_a_module_of_ours_goes_along_however_it_is_imported() -> None:
    used = ship.names_used(
        [notebook("from jupyter_mlops.features import FeatureView", "import jupyter_mlops.models as m")]
    )
    assert used == {".features", ".models"}
    files, distributions = ship.closure(ship.BATCH, names=used)
    assert {"jupyter_mlops/features/store.py", "jupyter_mlops/models/store.py"} <= set(files)
    assert "duckdb" in distributions


def test_a_server_that_looks_up_features_has_the_feature_store(serving: Capture, tmp_path: Path) -> None:
    assert not [path for path in make_context(serving).files if "jupyter_mlops/features/" in path]
    context = make_context(replace(serving, has_features=True))
    assert [path for path in context.files if path.endswith("jupyter_mlops/features/store.py")]
    shipped = ship.closure(ship.SERVING, names={ship.FEATURES})
    for name, content in shipped.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    code = "import jupyter_mlops.serving.entities as e; print(e.__file__)"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith(str(tmp_path))  # it was found there, and whatever it imports of ours, too
