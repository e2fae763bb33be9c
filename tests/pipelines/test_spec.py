# ruff: noqa: E501 - a row a case
import pickle
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput, InvalidPipeline, NotFound
from jupyter_mlops.pipelines.checks import check
from jupyter_mlops.pipelines.definition import RUN_IF, Pipeline, PipelineParameter, RetryPolicy, Task
from jupyter_mlops.pipelines.reading import parse_duration
from jupyter_mlops.pipelines.spec import load_pipeline, parse_pipeline, to_yaml
from jupyter_mlops.resources import ResourceRequest

FLIGHTS = """\
name: flights
description: delays
parameters:
  week: 20
  day: {type: date, default: 2013-06-30, help: the first day}
  token: {type: str}
defaults:
  retries: 1
  timeout: 10m
  env: {A: 1, B: yes}
tasks:
  pull:
    notebook: pull.ipynb
    parameters: {week: "${params.week}", day: "${params.day}", zip: 007}
    env: {B: "${params.token}"}
    secrets: {TOKEN: secret:WAREHOUSE}
    files: data/*.csv
  train:
    notebook: train.ipynb
    matrix: {model: [a, b], depth: [1, 2]}
    parameters: {rows: "${tasks.pull.artifacts.rows}", model: "${matrix.model}"}
    retries: {limit: 3, delay: 10s, backoff: 3, max_delay: 1m, on: [TimedOut, KernelDied]}
    resources: {cpu: 500m, memory: 4Gi, gpu: 1, accelerator: a100}
    priority: 5
  each:
    notebook: each.ipynb
    map: ${tasks.pull.results.regions}
    parameters: {region: "${item.name}"}
    retries: 0
    cache: false
    isolation: cold
  deploy:
    notebook: deploy.ipynb
    needs: [each]
    when: tasks.train[model=a,depth=1].results.auc > 0.5
    run_if: none_failed
    cell_timeout: 1h30m
    kernel: python3
    description: deploys
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(InvalidPipeline) as caught:
        parse_pipeline(text)
    return [str(problem) for problem in caught.value.fields["problems"]]


def task_problems(body: str, *, head: str = "") -> list[str]:
    return problems_of(
        f"name: x\n{head}tasks:\n  pull: {{notebook: pull.ipynb}}\n  a:\n    notebook: a.ipynb\n{body}"
    )


def test_a_whole_pipeline_is_read() -> None:
    pipeline = parse_pipeline(FLIGHTS, Path("dir/pipeline.yaml"))
    assert pipeline.path == Path("dir/pipeline.yaml")
    assert pipeline.parameters == {
        "week": PipelineParameter("int", 20),
        "day": PipelineParameter("date", date(2013, 6, 30), "the first day"),
        "token": PipelineParameter("str", None, is_required=True),
    }
    pull, train, each, deploy = pipeline.tasks
    assert pull == Task(
        "pull",
        "pull.ipynb",
        parameters={"week": "${params.week}", "day": "${params.day}", "zip": "007"},
        env={"A": "1", "B": "${params.token}"},
        secrets={"TOKEN": "secret:WAREHOUSE"},
        files=("data/*.csv",),
        retries=RetryPolicy(limit=1),
        timeout_seconds=600,
    )
    assert train.matrix == {"model": ["a", "b"], "depth": [1, 2]}
    assert train.resources == ResourceRequest(cpu=0.5, memory=4 * 2**30, gpu=1, accelerator="a100")
    assert train.retries == RetryPolicy(
        limit=3, delay_seconds=10, backoff=3, max_delay_seconds=60, on=("TimedOut", "KernelDied")
    )
    assert (each.map, each.retries, each.cache, each.isolation) == (
        "${tasks.pull.results.regions}", RetryPolicy(), False, "cold",
    )  # fmt: skip
    assert (deploy.run_if, deploy.cell_timeout_seconds, deploy.kernel) == ("none_failed", 5400, "python3")


def test_yaml_written_from_a_pipeline_reads_back_as_the_same() -> None:
    pipeline = parse_pipeline(FLIGHTS)
    assert parse_pipeline(to_yaml(pipeline)) == pipeline


def test_a_python_pipeline_is_the_same_value() -> None:
    text = "name: x\ntasks:\n  a: {notebook: a.ipynb, retries: 2}\n"
    assert parse_pipeline(text) == Pipeline(
        name="x", tasks=(Task("a", "a.ipynb", retries=RetryPolicy(limit=2)),)
    )


def test_values_pickle() -> None:
    pipeline = parse_pipeline(FLIGHTS)
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline


def test_all_problems_are_told_at_once_in_the_order_of_lines() -> None:
    text = (
        "nam: x\ntasks:\n  a: {notebok: a.ipynb, needs: b}\n  b: {notebook: b.txt, run_if: all_sucess}\n"
        "  b: {notebook: c.ipynb}\n  c: {notebook: c.ipynb, parameters: {x: '${params.week}'}}\n"
    )
    assert problems_of(text) == [
        "pipeline.yaml:1: the pipeline has no key 'nam' (did you mean 'name'?)",
        "pipeline.yaml:1: the pipeline lacks `name` (what runs of it are listed under)",
        "pipeline.yaml:3: task 'a' has no key 'notebok' (did you mean 'notebook'?)",
        "pipeline.yaml:3: task 'a' lacks `notebook` (the notebook, relative to the pipeline's file)",
        f"pipeline.yaml:4: `run_if` must be one of {', '.join(RUN_IF)}, not 'all_sucess' (did you mean 'all_success'?)",
        "pipeline.yaml:4: b: 'b.txt' is no notebook (a task runs an .ipynb file, or a .py of cells (# %%))",
        "pipeline.yaml:5: 'b' stands twice (the first is at line 4; drop one of them)",
        "pipeline.yaml:6: c: the pipeline has no parameter 'week' (declare it under `parameters:`)",
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("    retries: {on: [X], limt: 1}", "pipeline.yaml:6: `retries` has no key 'limt' (did you mean 'limit'?)"),
        ("    retries: {delay: 3}", "pipeline.yaml:6: `retries` lacks `limit`"),
        ("    retries: many", "pipeline.yaml:6: `retries` must be a whole number, not text ('many')"),
        ("    retries: 101", "pipeline.yaml:6: `retries` is 101; it must be 0 to 100"),
        ("    retries: {limit: 1, backoff: 0.5}", "pipeline.yaml:6: `backoff` must be a factor of 1 to 1000"),
        ("    timeout: 1:30", "pipeline.yaml:6: `timeout`: '1:30' is no duration (write 90, 90s, 10m or 1h30m)"),
        ("    timeout: 0", "pipeline.yaml:6: `timeout` must be more than nothing"),
        ("    timeout: [1]", "pipeline.yaml:6: `timeout`: 'a list' is no duration"),
        ("    cache: on", "pipeline.yaml:6: `cache` must be true or false, not text ('on')"),
        ("    priority: high", "pipeline.yaml:6: `priority` must be a whole number"),
        ("    notebook: [a]", "pipeline.yaml:6: 'notebook' stands twice"),
        ("    needs: pul", "pipeline.yaml:6: a: no task is called 'pul' (did you mean 'pull'?)"),
        ("    needs: [3]", "pipeline.yaml:6: `needs` must be text, not a number ('3') (quote it)"),
        ("    needs: pull[x=1]", "pipeline.yaml:6: a: 'pull' has no matrix and no map"),
        ("    needs: a", "pipeline.yaml:4: a: a cycle: a → a"),
        ("    isolation: hot", "pipeline.yaml:6: `isolation` must be one of warm, cold, not 'hot'"),
        ("    resources: {cpu: x}", "pipeline.yaml:6: cpu: 'x' is not a number of cores"),
        ("    resources:\n      memry: 3", "pipeline.yaml:7: unknown resource 'memry' (did you mean 'memory'?)"),
        ("    resources: {gpu: 0, accelerator: a100}", "pipeline.yaml:6: accelerator 'a100'"),
        ("    resources: 3", "pipeline.yaml:6: `resources` must be a mapping"),
        ("    env: {A: [1]}", "pipeline.yaml:6: `env.A` must be text, not a list"),
        ("    env: {'A B': 1}", "pipeline.yaml:6: a: 'A B' cannot name a variable"),
        ("    env: 3", "pipeline.yaml:6: `env` must be a mapping"),
        ("    secrets: {A: hunter2}", "pipeline.yaml:6: a: secret 'A' is not given by reference"),
        ("    secrets: {A: secret:A}\n    env: {A: 1}", "pipeline.yaml:6: a: 'A' stands under env as well"),
        ("    parameters: [1]", "pipeline.yaml:6: `parameters` must be a mapping"),
        ("    parameters:\n      a-b: 1", "pipeline.yaml:7: a: 'a-b' is no parameter name"),
        ("    parameters:\n      1: 1", "pipeline.yaml:7: a: 1 is no parameter name"),
        (
            "    parameters:\n      x: 1\n      y: [1, '${tasks.pul.results.x}']",
            "pipeline.yaml:8: a: no task is called 'pul' (did you mean 'pull'?)",
        ),
        ("    parameters: {x: '${tasks.pull.result.x}'}", "pipeline.yaml:6: a: ${tasks.pull.result.x}: a task has"),
        ("    parameters: {x: '${matrix.m}'}", "pipeline.yaml:6: a: the task has no axis 'm'"),
        ("    parameters: {x: '${item}'}", "pipeline.yaml:6: a: ${item} has a meaning only where `map` is set"),
        ("    parameters: {x: '${tasks.pull[0].results.x}'}", "pipeline.yaml:6: a: 'pull' has no matrix"),
        ("    when: tasks.pull.results.x = 3", "pipeline.yaml:6: a: condition"),
        ("    when: tasks.pul.results.x == 3", "pipeline.yaml:6: a: no task is called 'pul'"),
        ("    when: 3", "pipeline.yaml:6: `when` must be text, not a number ('3')"),
        ("    run_if: all_failed", "pipeline.yaml:6: a: run_if all_failed has no task to look at"),
        ("    matrix: {m: [1, 1]}", "pipeline.yaml:6: a: axis 'm' has the value 1 twice"),
        ("    matrix: {m: []}", "pipeline.yaml:6: a: axis 'm' has no values"),
        ("    matrix: {m: 3}", "pipeline.yaml:6: `matrix.m` must be a list of values"),
        ("    matrix: [1]", "pipeline.yaml:6: `matrix` must be a mapping of axes"),
        ("    matrix: {a-b: [1]}", "pipeline.yaml:6: a: 'a-b' cannot name an axis"),
        ("    matrix: {m: '${tasks.pull.results.x}'}", "pipeline.yaml:6: a: ${tasks.pull.results.x} cannot stand in a"),
        (f"    matrix: {{m: {list(range(200))}, n: {list(range(200))}}}", "pipeline.yaml:6: a: the matrix of 'a' has more"),
        ("    map: 3", "pipeline.yaml:6: `map` must be a list, or a reference to one"),
        ("    map: ['${item}']", "pipeline.yaml:6: a: ${item} has a meaning only where"),
        ("    map: [1]\n    matrix: {m: [1]}", "pipeline.yaml:6: a: a task has a matrix or a map, not both"),
        ("    description: ''", "pipeline.yaml:6: `description` must be text"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line_and_its_cure(body: str, problem: str) -> None:
    assert any(told.startswith(problem) for told in task_problems(body)), task_problems(body)


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("retrys: 2\n", "pipeline.yaml:2: the pipeline has no key 'retrys'"),
        ("parameters: [week]\n", "pipeline.yaml:2: `parameters` must be a mapping"),
        ("parameters: {a-b: 1}\n", "pipeline.yaml:2: 'a-b' is no parameter name"),
        ("parameters: {a: {type: integer}}\n", "pipeline.yaml:2: `type` must be one of"),
        ("parameters: {a: {type: int, default: x}}\n", "pipeline.yaml:2: default of 'a': 'x' is no int"),
        ("parameters:\n  a: {typ: int}\n", "pipeline.yaml:3: parameter 'a' has no key 'typ'"),
        ("defaults: {notebook: x.ipynb}\n", "pipeline.yaml:2: `defaults` has no key 'notebook'"),
        ("defaults: 3\n", "pipeline.yaml:2: `defaults` must be a mapping"),
    ],
)
def test_mistakes_in_the_heading_are_told(head: str, problem: str) -> None:
    assert any(told.startswith(problem) for told in task_problems("", head=head)), task_problems(
        "", head=head
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: x\n", "pipeline.yaml:1: the pipeline lacks `tasks`"),
        ("name: x\ntasks: {}\n", "pipeline.yaml:2: `tasks` must be a mapping of names to tasks"),
        (
            "name: x\ntasks: [{name: a}]\n",
            "pipeline.yaml:2: `tasks` must be a mapping of names to tasks, not a list",
        ),
        ("name: x\ntasks: {a: 3}\n", "pipeline.yaml:2: task 'a' must be a mapping, not a number"),
        ("name: x\ntasks: {1: {notebook: a.ipynb}}\n", "pipeline.yaml:2: 1: '1' is no task name"),
        ("name: x\ntasks: {a b: {notebook: a.ipynb}}\n", "pipeline.yaml:2: a b: 'a b' is no task name"),
        ("name: 3\ntasks: {a: {notebook: a.ipynb}}\n", "pipeline.yaml:1: `name` must be text"),
        ("name: a b\ntasks: {a: {notebook: a.ipynb}}\n", "pipeline.yaml:1: 'a b' is no name"),
        ("- 1\n", "pipeline.yaml:1: the pipeline must be a mapping, not a list"),
        ("a: b: c", "pipeline.yaml:1: not YAML"),
        ("", "pipeline.yaml:1: the file is empty"),
    ],
)
def test_what_is_no_pipeline_is_told(text: str, problem: str) -> None:
    assert any(told.startswith(problem) for told in problems_of(text)), problems_of(text)


def test_a_cycle_is_named_as_a_path() -> None:
    text = """name: x
tasks:
  a: {notebook: a.ipynb, needs: c}
  b: {notebook: b.ipynb, parameters: {x: "${tasks.a.results.x}"}}
  c: {notebook: c.ipynb, when: tasks.b.results.y == 1}
  d: {notebook: d.ipynb, needs: c}
  e: {notebook: e.ipynb, needs: e}
"""
    assert [problem.partition(" (")[0] for problem in problems_of(text)] == [
        "pipeline.yaml:3: a: a cycle: a → b → c → a",
        "pipeline.yaml:7: e: a cycle: e → e",
    ]


def test_an_instance_of_a_matrix_must_exist() -> None:
    head = "name: x\ntasks:\n  t: {notebook: t.ipynb, matrix: {m: [a, b], n: [1]}}\n  u: {notebook: u.ipynb, "
    assert "t[m=c,n=1] is none of the matrix (did you mean" in problems_of(head + "needs: ['t[n=1,m=c]']}")[0]
    assert "does not say one instance (write t[m=…,n=…])" in problems_of(head + "needs: 't[m=a]'}")[0]
    assert parse_pipeline(head + "needs: ['t[n=1, m=a]']}").tasks[1].needs == ("t[n=1, m=a]",)


def test_a_parameter_that_nothing_uses_is_a_warning_and_no_error() -> None:
    pipeline = parse_pipeline("name: x\nparameters: {week: 1}\ntasks: {a: {notebook: a.ipynb}}")
    (problem,) = check(pipeline)
    assert problem.severity == "warning"
    assert str(problem) == "pipeline.yaml:2: no task uses the parameter 'week' (pass it on: ${params.week})"


def test_a_python_pipeline_is_checked_too_and_names_the_field() -> None:
    pipeline = Pipeline(
        name="x",
        tasks=(
            Task("a", "a.ipynb", parameters={"x": "${params.week}"}),
            Task("a", "b.ipynb", needs=("c",), run_if="always", isolation="x"),
        ),
        parameters={"n": PipelineParameter("number", 1)},
    )
    told = [str(problem) for problem in check(pipeline)]
    assert "task 'a', parameters.x: a: the pipeline has no parameter 'week' (known: n)" in told
    assert "task 'a': a: the name is taken by another task (rename one of them)" in told
    assert "task 'a', run_if: a: run_if cannot be 'always'" in " ".join(told)
    assert any("no type 'number'" in problem for problem in told)


def test_a_file_is_loaded_with_its_path_in_problems(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text("\ufeffname: ü\ntasks: {a: {notebook: a.ipynb}}", encoding="utf-8")
    with pytest.raises(InvalidPipeline) as caught:
        load_pipeline(path)
    assert str(caught.value).startswith(f"{path}:1: 'ü' is no name")
    path.write_bytes(b"name: \xff")
    with pytest.raises(InvalidPipeline, match="not UTF-8"):
        load_pipeline(path)
    with pytest.raises(NotFound, match="no pipeline file"):
        load_pipeline(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(90, 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("1d", 86400), ("500ms", 0.5), ("1.5h", 5400), (0, 0),
     ("1h 30m", 5400)],
)  # fmt: skip
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "m", "10", "10x", "1.2.3s", "-5s", -1, True, None, "1m1h", float("nan"), 1e12]
)
def test_no_durations(text: object) -> None:
    with pytest.raises(InvalidInput, match="no duration"):
        parse_duration(text)


def test_a_retry_policy_waits_longer_each_time_up_to_a_limit() -> None:
    policy = RetryPolicy(limit=9, delay_seconds=10, backoff=2, max_delay_seconds=60)
    assert [policy.delay_before(retry) for retry in (1, 2, 3, 4, 5000)] == [10, 20, 40, 60, 60]


def test_a_retry_policy_covers_subclasses() -> None:
    assert RetryPolicy().covers("Whatever")
    policy = RetryPolicy(on=("KernelDied", "ConnectionError", "pandas.errors.ParserError", "HTTPError"))
    covered = [
        "KernelDied",
        "OutOfMemory",
        "ConnectionResetError",
        "pandas.errors.ParserError",
        "requests.HTTPError",
    ]
    assert all(policy.covers(name) for name in covered)
    assert not any(policy.covers(name) for name in ("TimedOut", "ValueError", "path", "did_you_mean"))


def test_what_yaml_cannot_write_is_refused() -> None:
    with pytest.raises(InvalidPipeline, match="YAML cannot write"):
        to_yaml(Pipeline("x", (Task("a", "a.ipynb", parameters={"x": Decimal("1.10")}),)))


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,5}", fullmatch=True)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=10
).filter(lambda text: text.strip() and "${" not in text)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXTS
    | st.sampled_from(["on", "yes", "007", "1e3", "0x1f", "2024-01-01", "1:30", "~", "", "<<", "=", "1_000", ".5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.integers(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
SECONDS = st.none() | st.integers(1, 10**6).map(float) | st.floats(0.001, 10**6)
TASKS = st.builds(
    Task,
    NAMES,
    TEXTS.map(lambda text: text + ".ipynb"),
    description=st.just("") | TEXTS,
    parameters=st.dictionaries(st.from_regex(r"[a-z_]{1,4}", fullmatch=True), PLAIN, max_size=3),
    when=st.none() | st.just("1 < 2"),
    run_if=st.sampled_from(RUN_IF[:3]),
    map=st.none() | st.lists(PLAIN, max_size=3),
    retries=st.builds(
        RetryPolicy,
        limit=st.integers(0, 100),
        delay_seconds=st.floats(0, 10**6),
        backoff=st.floats(1, 1000),
        on=st.lists(NAMES, max_size=2).map(tuple),
    ),
    timeout_seconds=SECONDS,
    cell_timeout_seconds=SECONDS,
    resources=st.builds(
        ResourceRequest,
        cpu=st.none() | st.integers(1, 64).map(float),
        memory=st.none() | st.integers(2**20, 2**45) | st.sampled_from([2**30, 3 * 2**20, 1536 * 2**20]),
        gpu=st.none() | st.integers(0, 8),
    ),
    priority=st.integers(-9, 9),
    cache=st.booleans(),
    files=st.lists(TEXTS, max_size=2).map(tuple),
    env=st.dictionaries(st.from_regex(r"[A-Z]{1,4}", fullmatch=True), TEXTS, max_size=2),
    kernel=st.none() | NAMES,
    isolation=st.sampled_from([None, "warm", "cold"]),
)
PIPELINES = st.builds(
    Pipeline,
    NAMES,
    st.lists(TASKS, min_size=1, max_size=3, unique_by=lambda task: task.name).map(tuple),
    description=st.just("") | TEXTS,
)


@given(PIPELINES)
def test_any_pipeline_survives_the_trip_through_yaml(pipeline: Pipeline) -> None:
    assert parse_pipeline(to_yaml(pipeline)) == pipeline


@given(st.recursive(
    st.sampled_from(["name", "tasks", "notebook", "a.ipynb", "x", "needs", "when", "1 < 2", "${params.x}", "on"])
    | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["name", "tasks", "notebook", "needs", "when", "matrix", "map", "retries", "parameters", "a"]),
        inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_any_document_is_a_pipeline_or_one_error_with_lines(document: object) -> None:
    import yaml

    try:
        pipeline = parse_pipeline(yaml.safe_dump(document), "p.yaml")
    except InvalidPipeline as error:
        assert all(problem.where.startswith("p.yaml:") for problem in error.fields["problems"])  # noqa: PT017
        return
    assert pipeline.tasks
