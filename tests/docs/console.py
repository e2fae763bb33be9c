"""The command lines of the pages: which there are, what a reader puts in, and which are typed elsewhere, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .conftest import Block, blocks, name_of
from .test_examples import _commands, _words

DIGEST = f"sha256:{'a' * 64}"


@dataclass(frozen=True)
class Step:
    """One command, in the order of its page. `answer` is what the page shows that it says."""

    page: str
    line: int
    words: tuple[str, ...]
    answer: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        return self.words[:2] == ("jupyter", "mlops") or self.words[0] == "jupyter-mlops"

    @property
    def given(self) -> list[str]:
        """What stands behind the program's name."""
        return list(self.words[1 if self.words[0] == "jupyter-mlops" else 2 :])

    @property
    def command(self) -> str:
        """The same as the tables below have it."""
        return " ".join(self.given)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {' '.join(self.words)}"


def _steps(block: Block) -> list[Step]:
    lines = [line.strip() for line in re.sub(r"\\\n\s*", " ", block.text).splitlines()]
    is_console = any(line.startswith("$ ") for line in lines)
    found: list[Step] = []
    for number, line in enumerate(lines, block.line):
        if is_console and not line.startswith("$ "):
            if found and line:
                found[-1] = replace(found[-1], answer=(*found[-1].answer, line))
            continue
        parts = map(_words, line.removeprefix("$ ").split(" && "))
        found += [Step(name_of(block.page), number, tuple(words)) for words in parts if words]
    return found


SHELL = [block for block in blocks("", "console", "bash", "sh") if _commands(block.text)]
STEPS = [step for block in SHELL for step in _steps(block)]
OURS = [step for step in STEPS if step.is_ours]

# A word of a page → what its reader puts there. `{…}` are places that the test makes.
PUT_IN = {
    "NAME": "flights-delay",
    "RUN": "a-run-of-theirs",
    "registry.example.com/flights@sha256:…": f"registry.example.com/flights@{DIGEST}",
    "gs://our-bucket/mlops": "{elsewhere}",
    "s3://our-bucket/mlops": "{elsewhere}",
    "OPENLINEAGE_URL=http://marquez:5000": "OPENLINEAGE_URL={receiver}",
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318": "OTEL_EXPORTER_OTLP_ENDPOINT={receiver}",
    "http://127.0.0.1:8100/invocations": "{endpoint}/invocations",
}
# What a cloud would be sent is shown, and nothing is sent; what would be shown again and again is shown once.
DRY = re.compile(r"deploy .*--target (kubernetes|sagemaker|vertex|azureml)\b")
WATCH = "--watch"

# Where each page begins: in an empty folder, in what `init` writes, or else in a project that has been run.
EMPTY = {"README.md", "docs/cli.md", "docs/index.md", "docs/start.md", "notebooks/README.md"}
BEGUN = {"docs/doctor.md", "docs/release.md", "docs/testing.md"}
ALTERNATIVES = {"docs/import.md"}  # each line for itself

ONCE = {"test", "doctor", "compute bench"}  # means the same on each page, and takes its time
CODES = {"doctor": {0, 1}}  # 1 as on its page, where something is not in order; else 0

# Pages that are typed from beginning to end by a test of their own.
RECIPES = {
    "docs/cli.md": "tests/docs/test_commands.py::test_a_line_works_in_a_shell",
    "docs/howto/papermill.md": "tests/docs/test_howto.py::test_a_script_that_calls_papermill_becomes_a_pipeline",
    "docs/howto/slurm.md": "tests/docs/test_howto.py::test_a_run_goes_through_slurm",
    "docs/schedules.md": "tests/scheduling/test_schedule_docs.py::test_its_commands_run",
}

_BACKENDS = "tests/backends/"
_CLUSTER = "tests/conformance/test_backend_runs.py::test_a_run_and_a_second_one_that_has_nothing_to_do"
_GPU = "test_started_clusters.py::test_a_task_that_needs_a_gpu_waits_for_a_worker_that_has_one"
_K8S = "test_kubernetes_objects.py::test_each_run_has_a_cluster_of_its_own_with_a_name_that_kubernetes_takes"
_SERVE = "tests/serving/test_serving_command.py::test_an_alias_is_followed_and_nothing_is_left"
_LOCAL = "tests/deployments/test_deploy_front_ends.py::test_a_deployments_life_on_the_command_line"
_CLOUD = "tests/targets/clouds/test_deploying_dry.py::test_the_workspace_deploys_rolls_back_and_removes"
_FLIGHTS = "tests/examples/test_flights_notebooks.py::"
_WEEKS = "minutes, in which either model wins: tests/exporters/test_engines.py::test_flights"
_IMAGES = "tests/promotion/"
_PUSH = (
    f"a registry: {_IMAGES}test_daemonless_runs.py::test_it_is_pulled_by_its_digest_and_runs_whoever_runs_it"
)
_TASKS = f"{_IMAGES}test_daemonless_runs.py::test_its_tasks_run_as_an_exported_workflow_asks_for_them"
_ENVIRONMENTS = f"{_IMAGES}capture/test_environments.py::test_the_command_line_starts_each_task_in_its_own"
_PYTHON = "a registry: tests/oci/test_daemonless.py::"
_MODEL = "dockerize models:/delay@champion"
_NOTEBOOK = "dockerize train.ipynb"
_DELAY = "registry.example.com/team/delay:3"

# Command → what it needs that is not here, and which test does it, or the like of it, with that.
ELSEWHERE = {
    "run --cluster tcp://host:8786": f"a scheduler: {_CLUSTER}",
    "run --cluster hpc": f"a batch system: {RECIPES['docs/howto/slurm.md']}",
    "run --cluster gpu": f"a batch system with GPUs: {_BACKENDS}{_GPU}",
    "run --cluster k8s": f"a Kubernetes: {_BACKENDS}{_K8S}",
    "resume latest": "a run that was killed: tests/cli/test_run.py::test_a_run_that_was_killed_is_resumed",
    "serve models:/delay@champion": f"somebody who ends it: {_SERVE}",
    "run pipeline.yaml": f"a minute: {_FLIGHTS}test_a_second_run_does_nothing_but_deploy",
    "show": "that run: tests/cli/test_runs.py::test_a_run_is_shown",
    "deployments remove flights-delay": f"that run: {_LOCAL}",
    "run pipeline.yaml -p week 4": _WEEKS,
    "run pipeline.yaml -p delay_minutes 60": _WEEKS,
    "run pipeline.yaml -p warehouse postgresql+psycopg://me@localhost/flights": (
        f"a PostgreSQL: {_FLIGHTS}test_a_warehouse_on_postgresql_gives_the_same_features"
    ),
    f"{_NOTEBOOK} --name train:1 --build": (
        f"a base image: {_IMAGES}test_buildah.py::test_the_notebook_runs_in_a_container_that_may_do_nothing"
    ),
    f"{_MODEL} --name delay:3 --build": (
        f"a base image: {_IMAGES}test_buildah_serving.py::test_a_model_answers_from_a_container_that_may_do_nothing"
    ),
    "dockerize report.ipynb --push registry.example.com/team/report:1": _PUSH,
    f"{_MODEL} --push {_DELAY}": _PUSH,
    f"{_MODEL} --push europe-west4-docker.pkg.dev/my-project/models/delay:3": _PUSH,
    f"{_MODEL} --push ourregistry.azurecr.io/delay:3": _PUSH,
    f"{_MODEL} --platform sagemaker --push 123456789012.dkr.ecr.eu-central-1.amazonaws.com/delay:3": _PUSH,
    "dockerize pipeline.yaml --requirement s3fs --requirement psycopg[binary] --push registry/flights:1": (
        f"a registry: {_TASKS}"
    ),
    "dockerize pipeline.yaml --push registry/flights:1 --json": f"a registry: {_TASKS}",
    "export pipeline.yaml --to argo -o argo --built images.json": f"what it wrote: {_ENVIRONMENTS}",
    "export pipeline.yaml --to argo -o argo --image registry/flights/flights-pull:1"
    " --image flights-train=registry/flights/flights-train:1": f"a kernel for each: {_ENVIRONMENTS}",
    f"{_MODEL} --builder python --push {_DELAY}": f"{_PYTHON}test_an_image_is_made_and_can_be_pulled",
    f"{_NOTEBOOK} --builder python --save train.tar": f"{_PYTHON}test_a_file_instead_of_a_registry",
    f"{_NOTEBOOK} --builder python --arch linux/amd64 --arch linux/arm64 --push registry.example.com/team/train:1": (
        f"{_PYTHON}test_one_image_for_two_platforms"
    ),
    f"{_MODEL} --builder python --push {_DELAY} --sign cosign.key": (
        f"{_PYTHON}test_what_is_pushed_is_signed_and_has_its_bill"
    ),
    **dict.fromkeys(
        [
            "deploy delay --name delay-aws --traffic 3=90% --traffic 4=10%",
            "rollback delay-aws",
            "deployments remove delay-aws",
            "deploy delay --traffic 3=90% --traffic 4=10%",
            "rollback delay",
        ],
        f"what an account serves: {_CLOUD}",
    ),
}


def is_typed(step: Step) -> bool:
    return step.is_ours and step.page not in RECIPES and step.command not in ELSEWHERE
