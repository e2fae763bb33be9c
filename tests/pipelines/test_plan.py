# ruff: noqa: E501 - a row a case
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput, InvalidParameter, InvalidPipeline, NotFound
from jupyter_mlops.pipelines.definition import RUN_IF, Pipeline, PipelineParameter, RetryPolicy, Task
from jupyter_mlops.pipelines.plan import Plan, lower, select
from jupyter_mlops.pipelines.spec import parse_pipeline
from jupyter_mlops.resources import ResourceRequest

TEXT = """
name: flights
parameters: {week: 20, models: {type: list, default: [a, b]}}
tasks:
  deploy: {notebook: d.ipynb, needs: compare, when: tasks.compare.results.best == 'a'}
  compare: {notebook: c.ipynb, parameters: {all: "${tasks.train.results.auc}"}}
  train: {notebook: t.ipynb, matrix: {model: "${params.models}"}, parameters: {rows: "${tasks.pull.artifacts.x}"}}
  check: {notebook: k.ipynb, parameters: {auc: "${tasks.train[model=a].results.auc}"}}
  pull: {notebook: p.ipynb, parameters: {week: "${params.week}"}}
  each: {notebook: e.ipynb, map: "${tasks.pull.results.regions}"}
  join: {notebook: j.ipynb, needs: each, parameters: {first: "${tasks.each[0].results.x}"}}
"""


def flights(**arguments: Any) -> Plan:
    return lower(parse_pipeline(TEXT), arguments)


def test_tasks_stand_in_order_with_their_edges_by_key() -> None:
    plan = flights()
    assert plan.edges == {
        "pull": (),
        "train[model=a]": ("pull",),
        "train[model=b]": ("pull",),
        "each": ("pull",),
        "compare": ("train[model=a]", "train[model=b]"),
        "check": ("train[model=a]",),
        "join": ("each",),
        "deploy": ("compare",),
    }
    keys = list(plan.tasks)
    for key, needs in plan.edges.items():
        assert all(keys.index(needed) < keys.index(key) for needed in needs)
    assert plan.keys_of["train"] == ("train[model=a]", "train[model=b]")
    assert plan.tasks["train[model=b]"].matrix == {"model": "b"}
    assert plan.tasks["train[model=b]"].name == "train"
    assert (plan.pipeline, plan.path, plan.arguments) == (
        "flights",
        "pipeline.yaml",
        {"week": 20, "models": ["a", "b"]},
    )


def test_an_axis_takes_its_values_from_a_parameter() -> None:
    assert flights(models=["a", "x", "y"]).keys_of["train"][2] == "train[model=y]"
    with pytest.raises(InvalidPipeline, match=r"train: axis 'model' has no values"):
        flights(models=[])
    with pytest.raises(InvalidPipeline, match="is none of the matrix"):
        flights(models=["x"])
    with pytest.raises(InvalidParameter, match="'a' is no list"):
        flights(models="a")
    pipeline = Pipeline(
        "p", (Task("t", "t.ipynb", matrix={"m": "${params.x}"}),), parameters={"x": PipelineParameter()}
    )
    with pytest.raises(InvalidPipeline, match="axis 'm' is 3, which is no list"):
        lower(pipeline, {"x": 3})


def test_a_pipeline_with_errors_is_not_planned() -> None:
    with pytest.raises(InvalidPipeline, match="a cycle: a → b → a"):
        lower(Pipeline("p", (Task("a", "a.ipynb", needs=("b",)), Task("b", "b.ipynb", needs=("a",)))))


def test_only_some_tasks_reuse_what_comes_before_them() -> None:
    plan = select(flights(), only=["compare"])
    assert set(plan.tasks) == {"pull", "train[model=a]", "train[model=b]", "compare"}
    assert plan.reuse == {"pull", "train[model=a]", "train[model=b]"}
    plan = select(flights(), only=["train[model=a]", "pull"])
    assert (set(plan.tasks), plan.reuse) == ({"pull", "train[model=a]"}, frozenset())


def test_from_a_task_on_everything_after_it_runs() -> None:
    plan = select(flights(), start_from="train")
    assert plan.reuse == {"pull"}
    assert set(plan.tasks) == {"pull", "train[model=a]", "train[model=b]", "compare", "check", "deploy"}


def test_both_selections_add_up() -> None:
    plan = select(flights(), only=["pull"], start_from=["each"])
    assert (set(plan.tasks), plan.reuse) == ({"pull", "each", "join"}, frozenset())


def test_force_names_tasks_or_all_and_never_what_is_reused() -> None:
    assert select(flights(), force=["train"]).force == {"train[model=a]", "train[model=b]"}
    assert select(flights(), only=["deploy"], force="all").force == {"deploy"}
    assert select(flights(), only=["pull"], force=["deploy"]).force == frozenset()


def test_more_to_reuse_can_be_named_by_the_caller() -> None:
    assert select(flights(), reuse=["pull", "each[0]"]).reuse == {"pull", "each[0]"}


def test_an_unknown_task_is_named_with_the_nearest() -> None:
    with pytest.raises(NotFound, match="'flights' has no task 'trian'") as caught:
        select(flights(), only=["trian"])
    assert caught.value.hint == "did you mean 'train'?"


def test_a_plan_is_plain_json_and_back() -> None:
    plan = select(flights(week=3), only=["deploy"], force="all")
    body = json.loads(json.dumps(plan.to_json()))
    assert Plan.from_json(body) == plan
    with pytest.raises(InvalidInput, match="version 2"):
        Plan.from_json({**body, "version": 2})


RICH = st.recursive(
    st.none() | st.integers() | st.text(st.characters(exclude_characters="$"), max_size=5) | st.dates()
    | st.decimals(allow_nan=False) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.tuples(inner, inner) | st.dictionaries(st.integers(), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def arguments_of(names: st.SearchStrategy[str]) -> st.SearchStrategy[Mapping[str, Any]]:
    return st.dictionaries(names, RICH, max_size=3)


IDENTIFIERS = st.from_regex(r"[a-z_]{1,4}", fullmatch=True)


@given(
    st.lists(
        st.builds(
            Task,
            st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,5}", fullmatch=True),
            st.just("n.ipynb"),
            parameters=arguments_of(IDENTIFIERS),
            when=st.sampled_from([None, "1 < 2"]),
            run_if=st.sampled_from(RUN_IF[:3]),
            matrix=st.sampled_from([{}, {"m": [1, "a"], "n": [date(2013, 1, 1)]}]),
            retries=st.builds(RetryPolicy, limit=st.integers(0, 9), on=st.sampled_from([(), ("A", "B")])),
            timeout_seconds=st.none() | st.floats(1, 9),
            resources=st.builds(
                ResourceRequest, cpu=st.none() | st.just(2.0), memory=st.none() | st.just(2**30)
            ),
            priority=st.integers(-5, 5),
            cache=st.booleans(),
            files=st.sampled_from([(), ("a", "b")]),
            env=st.sampled_from([{}, {"A": "b"}]),
            kernel=st.sampled_from([None, "ir"]),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda task: task.name,
    ),
    RICH,
)
def test_any_plan_survives_the_trip_through_json(tasks: list[Task], value: object) -> None:
    pipeline = Pipeline("p", tuple(tasks), parameters={"x": PipelineParameter()})
    plan = lower(pipeline, {"x": value})
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_decimals_and_dates_stay_themselves_on_the_way() -> None:
    task = Task("a", "a.ipynb", parameters={"x": Decimal("1.10"), "y": (date(2013, 1, 1),)}, map=[{1: "a"}])
    plan = Plan.from_json(lower(Pipeline("p", (task,))).to_json())
    assert plan.tasks["a"].parameters == {"x": Decimal("1.10"), "y": (date(2013, 1, 1),)}
    assert plan.tasks["a"].map == [{1: "a"}]
