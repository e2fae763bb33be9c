from collections import Counter

import pytest

from jupyter_mlops.pipelines.definition import RUN_IF
from jupyter_mlops.pipelines.run_if import decide

# What becomes of a task after tasks in these states: R runs, S skipped, U upstream_failed, C cancelled;
# in the order of RUN_IF: all_success, all_done, none_failed, at_least_one_success, all_failed,
# at_least_one_failed.
TABLE = [
    ("succeeded succeeded", "RRRRSS"),
    ("succeeded cached", "RRRRSS"),
    ("succeeded skipped", "SRRRSS"),
    ("skipped skipped", "SRSSSS"),
    ("succeeded failed", "URURSR"),
    ("succeeded upstream_failed", "URURSR"),
    ("failed failed", "URUURR"),
    ("failed skipped", "URUUSR"),
    ("failed skipped succeeded", "URURSR"),
    ("succeeded cancelled", "CRCRSS"),
    ("cancelled skipped", "CRCCSS"),
    ("cancelled failed", "URUUSR"),
]
LETTERS = {"S": "skipped", "U": "upstream_failed", "C": "cancelled"}


@pytest.mark.parametrize(("states", "row"), TABLE)
def test_run_if_means_what_databricks_means(states: str, row: str) -> None:
    before = [(f"t{index}", Counter([state])) for index, state in enumerate(states.split())]
    for run_if, letter in zip(RUN_IF, row, strict=True):
        verdict = decide(run_if, before)
        assert (verdict[0] if verdict else None) == LETTERS.get(letter), run_if
        assert verdict is None or verdict[1]


@pytest.mark.parametrize("run_if", RUN_IF)
def test_without_tasks_before_it_a_task_runs(run_if: str) -> None:
    assert decide(run_if, []) is None


def test_skipped_instances_are_left_out_when_others_of_their_task_ran() -> None:
    assert decide("all_success", [("t", Counter(["skipped"])), ("t", Counter(["succeeded"]))]) is None
    assert decide("all_success", [("t", Counter(["skipped", "succeeded"]))]) is None
    assert decide("all_success", [("t", Counter(["skipped"])), ("t", Counter(["skipped"]))]) is not None


def test_the_reason_names_the_tasks() -> None:
    before = [(name, Counter(["failed"])) for name in "abcde"]
    assert decide("all_success", before) == ("upstream_failed", "a, b, c and 2 more failed")
