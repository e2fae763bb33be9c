"""One field of one task changes; every other character of the file stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidPipeline, NotFound
from jupyter_mlops.pipelines import parse_pipeline
from jupyter_mlops.pipelines.editing import set_task_field
from jupyter_mlops.resources import ResourceRequest

FILE = """\
# flights, nightly
name: flights   # a comment
tasks:
  pull: {notebook: pull.ipynb}   # quick
  train:
    # the large one
    notebook: train.ipynb  # beside this file
    needs: [pull]

    resources:   # what it takes
      cpu: 1     # cores
      memory: 1Gi  # at least
    retries: 2
  last:
    description: >
      two
      lines
    notebook: "last.ipynb"
    needs: [train]"""


def lines_that_changed(before: str, after: str) -> tuple[set[str], set[str]]:
    old, new = before.splitlines(), after.splitlines()
    return {line for line in old if line not in new}, {line for line in new if line not in old}


def test_a_block_task_gets_the_field_behind_its_notebook():
    after = set_task_field(FILE, "last", "resources", {"cpu": 2, "memory": "4Gi"})
    assert lines_that_changed(FILE, after) == (set(), {"    resources: {cpu: 2, memory: 4Gi}"})
    assert after.index("last.ipynb") < after.index("resources: {cpu: 2")


def test_a_task_in_braces_gets_it_within_them():
    after = set_task_field(FILE, "pull", "resources", {"gpu": 1, "accelerator": "NVIDIA A100: 80"})
    (line,) = lines_that_changed(FILE, after)[1]
    assert (
        line
        == '  pull: {resources: {gpu: 1, accelerator: "NVIDIA A100: 80"}, notebook: pull.ipynb}   # quick'
    )


def test_a_field_that_is_there_is_replaced():
    after = set_task_field(FILE, "train", "resources", {"cpu": 4})
    assert "    resources: {cpu: 4}  # at least\n    retries: 2\n" in after
    assert set_task_field(after, "train", "resources", {"cpu": 8}) == after.replace("cpu: 4", "cpu: 8")


def test_a_field_is_taken_out():
    after = set_task_field(FILE, "train", "resources", None)
    assert "resources" not in after
    assert "# the large one" in after
    flow = set_task_field(FILE, "pull", "priority", 3)
    assert set_task_field(flow, "pull", "priority", None) == FILE
    assert set_task_field(FILE, "last", "resources", None) == FILE


def test_what_cannot_be_edited_safely_is_left_to_people():
    aliased = "name: x\ntasks:\n  a: &a {notebook: a.ipynb}\n  b: *a\n"
    with pytest.raises(InvalidPipeline, match="alias"):
        set_task_field(aliased, "b", "priority", 1)
    with pytest.raises(InvalidPipeline, match="without changing something else"):
        set_task_field(aliased, "a", "priority", 1)
    with pytest.raises(NotFound, match="no task 'trian'") as raised:
        set_task_field(FILE, "trian", "priority", 1)
    assert "train" in raised.value.hint
    with pytest.raises(InvalidPipeline):
        set_task_field(FILE, "train", "resources", {"cpu": -1})


AMOUNTS = st.builds(
    ResourceRequest,
    cpu=st.none() | st.floats(0, 512).map(lambda cores: round(cores, 3)),
    memory=st.none() | st.integers(2**20, 2**44),
    gpu=st.none() | st.integers(1, 16),
    accelerator=st.none() | st.text(min_size=1, max_size=20).map(str.strip).filter(bool),
)


@given(AMOUNTS, st.sampled_from(["pull", "train", "last"]))
def test_whatever_is_asked_for_is_what_the_file_then_says(request, task):
    request = ResourceRequest.parse(request.to_json())
    after = parse_pipeline(set_task_field(FILE, task, "resources", request.written()))
    assert {known.name: known for known in after.tasks}[task].resources == request
