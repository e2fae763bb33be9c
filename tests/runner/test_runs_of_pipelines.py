"""Whole runs of small pipelines: what flows, what branches, what fails, what is tried again."""

from __future__ import annotations

import json

import pytest

from jupyter_mlops.catalog.records import Artifact
from jupyter_mlops.errors import InvalidParameter, InvalidPipeline, NotFound, PreflightFailed
from jupyter_mlops.events import AttemptStarted, CellExecuted, OutputStreamed, RunFinished, TaskStateChanged
from jupyter_mlops.pipelines import Pipeline, Task

EMIT = "import jupyter_mlops as mlops\n"


def test_results_and_artifacts_flow_as_arguments(project):
    project.notebook(
        "make.ipynb",
        EMIT + "import pandas as pd\n"
        "mlops.result('rows', 3)\n"
        "mlops.artifact('table', pd.DataFrame({'a': range(size)}))",
        parameters="size: int = 3",
    )
    project.notebook(
        "use.ipynb",
        EMIT + "frame = mlops.input(table)\n"
        "assert mlops.input('table').equals(frame)\n"
        "mlops.result('told', f'{rows} rows, {len(frame)} read, {text}')",
        parameters="rows: int\ntable: str\ntext: str",
    )
    project.pipeline("""\
name: flow
parameters: {size: {type: int, default: 3}}
tasks:
  make: {notebook: make.ipynb, parameters: {size: "${params.size}"}}
  use:
    notebook: use.ipynb
    parameters:
      rows: ${tasks.make.results.rows}
      table: ${tasks.make.artifacts.table}
      text: "of ${params.size} in ${run.pipeline}"
""")
    done = project.run({"size": 5})
    assert done.states == {"make": "succeeded", "use": "succeeded"}
    assert done.tasks["use"].results == {"told": "3 rows, 5 read, of 5 in flow"}
    assert done.tasks["use"].arguments["rows"] == 3
    (artifact,) = project.catalog.find(Artifact)
    assert (artifact.task, artifact.name, artifact.format) == ("make", "table", "parquet")
    assert artifact.size_bytes > 0
    assert artifact.summary
    assert project.blobs.exists(artifact.digest)
    assert done.run.arguments == {"size": 5}
    assert done.run.finished_at is not None
    assert done.run.runner == ""


def test_every_decision_is_told_and_kept(counted):
    counted.pipeline("name: p\ntasks: {a: {notebook: count.ipynb}}")
    done = counted.run()
    kinds = [type(event) for event in done.events]
    assert kinds[-1] is RunFinished
    assert {AttemptStarted, CellExecuted, TaskStateChanged} <= set(kinds)
    log = [entry.kind for entry in counted.log(done.run.run_id)]
    assert log == [
        "RunStarted", "CacheMissed", "AttemptStarted", "TaskStateChanged", "AttemptSucceeded", "TaskStateChanged",
        "RunFinished",
    ]  # fmt: skip
    (attempt,) = done.attempts
    assert attempt.state == "succeeded"
    assert attempt.worker
    assert attempt.started_at <= attempt.finished_at
    assert attempt.peak_memory_bytes > 0
    assert attempt.cpu_seconds is not None
    assert attempt.cpus >= 1
    assert done.tasks["a"].cells == 3


def test_a_matrix_and_its_join(counted):
    counted.notebook("sum.ipynb", EMIT + "mlops.result('sum', sum(values))", parameters="values: list = []")
    counted.pipeline("""\
name: matrix
tasks:
  each:
    notebook: count.ipynb
    matrix: {n: [1, 2, 3]}
    parameters: {value: "${matrix.n}"}
  join: {notebook: sum.ipynb, parameters: {values: "${tasks.each.results.value}"}}
""")
    done = counted.run()
    assert done.tasks["join"].results == {"sum": 9}
    assert set(done.states) == {"each[n=1]", "each[n=2]", "each[n=3]", "join"}


def test_a_dynamic_map_and_its_join(counted):
    counted.notebook("list.ipynb", EMIT + "mlops.result('items', [10, 20, 30])")
    counted.notebook("sum.ipynb", EMIT + "mlops.result('sum', sum(values))", parameters="values: list = []")
    counted.pipeline("""\
name: mapped
tasks:
  list: {notebook: list.ipynb}
  each: {notebook: count.ipynb, map: "${tasks.list.results.items}", parameters: {value: "${item}"}}
  join: {notebook: sum.ipynb, parameters: {values: "${tasks.each.results.value}"}}
""")
    done = counted.run()
    assert done.tasks["join"].results == {"sum": 63}
    assert done.tasks["each"].results == {"value": [11, 21, 31]}
    assert done.states["each[2]"] == "succeeded"
    assert counted.run().states == dict.fromkeys(done.states, "cached")


def test_a_condition_skips_and_what_waits_for_it_is_skipped_too(counted):
    counted.pipeline("""\
name: branch
tasks:
  first: {notebook: count.ipynb, parameters: {value: 4}}
  big: {notebook: count.ipynb, when: "${tasks.first.results.value} > 10"}
  small: {notebook: count.ipynb, when: "${tasks.first.results.value} <= 10"}
  after: {notebook: count.ipynb, needs: [big]}
  either: {notebook: count.ipynb, needs: [big, small], run_if: at_least_one_success}
""")
    done = counted.run()
    assert done.states == {
        "first": "succeeded", "big": "skipped", "small": "succeeded", "after": "skipped", "either": "succeeded",
    }  # fmt: skip
    assert done.state == "succeeded"
    assert done.reasons["big"].startswith("not when")


def test_a_failure_stops_what_needs_it_and_no_more(counted):
    counted.notebook("bad.ipynb", "print('so far')", "{}['missing']")
    counted.pipeline("""\
name: failing
tasks:
  bad: {notebook: bad.ipynb}
  after: {notebook: count.ipynb, needs: [bad]}
  other: {notebook: count.ipynb}
  clean: {notebook: count.ipynb, needs: [bad], run_if: at_least_one_failed}
""")
    done = counted.run()
    assert done.state == "failed"
    assert done.run.message == "failed: bad"
    assert done.states == {
        "bad": "failed", "after": "upstream_failed", "other": "succeeded", "clean": "succeeded",
    }  # fmt: skip
    assert done.tasks["bad"].error["ename"] == "KeyError"
    executed = counted.runs.task_notebook(done.run.run_id, "bad")
    assert "papermill-error-cell" in executed.read_text()


def test_a_retry_waits_and_counts(project):
    project.notebook(
        "flaky.ipynb",
        "from pathlib import Path\ntried = len(Path('tried.txt').read_text()) if Path('tried.txt').exists() else 0\n"
        "with open('tried.txt', 'a') as file:\n    file.write('x')\n"
        "if tried < 2:\n    raise ConnectionError('not yet')",
    )
    project.pipeline("""\
name: flaky
tasks:
  flaky: {notebook: flaky.ipynb, retries: {limit: 3, delay: 0.1s, backoff: 2, on: [ConnectionError]}}
""")
    done = project.run()
    assert done.state == "succeeded"
    assert [attempt.state for attempt in done.attempts] == ["failed", "failed", "succeeded"]
    first, second, third = done.attempts
    assert (second.started_at - first.finished_at).total_seconds() >= 0.1
    assert (third.started_at - second.finished_at).total_seconds() >= 0.2


def test_other_errors_are_not_tried_again(project):
    project.notebook("bad.ipynb", "raise ValueError('wrong for ever')")
    project.pipeline(
        "name: p\ntasks: {bad: {notebook: bad.ipynb, retries: {limit: 3, on: [ConnectionError]}}}"
    )
    done = project.run()
    assert len(done.attempts) == 1
    assert "wrong for ever" in done.reasons["bad"]


def test_a_task_that_takes_too_long_ends_with_its_timeout(project):
    project.notebook("slow.ipynb", "import time\ntime.sleep(60)")
    project.pipeline("name: p\ntasks: {slow: {notebook: slow.ipynb, timeout: 0.5s}}")
    done = project.run()
    assert done.tasks["slow"].error["code"] == "timed_out"
    assert done.tasks["slow"].duration_seconds < 10


def test_the_environment_of_a_task(project):
    project.notebook(
        "env.ipynb",
        EMIT + "import os\nnames = ['COLOR', 'MLOPS_TASK', 'MLOPS_ATTEMPT', 'MLOPS_RUN_ID']\n"
        "mlops.result('env', {name: os.environ[name] for name in names})",
    )
    project.pipeline("""\
name: p
parameters: {color: {default: blue}}
tasks: {env: {notebook: env.ipynb, env: {COLOR: "${params.color}"}}}
""")
    done = project.run()
    expected = {"COLOR": "blue", "MLOPS_TASK": "env", "MLOPS_ATTEMPT": "1", "MLOPS_RUN_ID": done.run.run_id}
    assert done.tasks["env"].results["env"] == expected


def test_what_a_cell_writes_is_told_and_logged(project):
    project.notebook(
        "talk.ipynb", "print('one')\nprint('two')", "import sys\nprint('three', file=sys.stderr)"
    )
    project.pipeline("name: p\ntasks: {talk: {notebook: talk.ipynb}, again: {notebook: talk.ipynb}}")
    done = project.run()
    assert "".join(e.text for e in done.events if isinstance(e, OutputStreamed) and e.task == "talk") == (
        "one\ntwo\nthree\n"
    )
    assert list(project.runs.log(done.run.run_id, "talk")) == ["one", "two", "three"]
    lines = list(project.runs.log(done.run.run_id))
    assert sorted(lines) == sorted(
        f"{task}: {n}" for task in ("talk", "again") for n in ("one", "two", "three")
    )
    with pytest.raises(NotFound, match="talk"):
        project.runs.log(done.run.run_id, "talkk")


def test_a_log_can_be_followed_to_the_end_of_the_run(project):
    code = "import time\nfor n in range(4):\n    print(n, end='')\n    time.sleep(0.3)\n    print('!')"
    project.notebook("talk.ipynb", code)
    project.pipeline("name: p\ntasks: {talk: {notebook: talk.ipynb}}")
    started = project.start()
    assert list(project.runs.log(started.run_id, "talk", follow=True)) == ["0!", "1!", "2!", "3!"]
    assert started.finish().state == "succeeded"


def test_a_pipeline_built_in_python(counted):
    pipeline = Pipeline(
        name="built",
        tasks=[
            Task(name="a", notebook="count.ipynb", parameters={"value": 1}),
            Task(name="b", notebook="count.ipynb", parameters={"value": "${tasks.a.results.value}"}),
        ],
    )
    done = counted.run(pipeline=pipeline)
    assert done.tasks["b"].results == {"value": 3}
    assert done.run.pipeline_path == ""
    assert counted.run(pipeline=pipeline).states == {"a": "cached", "b": "cached"}


def test_everything_that_is_wrong_is_told_before_anything_runs(counted):
    counted.pipeline("""\
name: wrong
tasks:
  a: {notebook: count.ipynb, parameters: {valu: 1}}
  b: {notebook: cuont.ipynb}
  c: {notebook: count.ipynb, resources: {cpu: 9999}}
  d: {notebook: count.ipynb, secrets: {TOKEN: "secret:NOBODY_KNOWS_IT"}}
""")
    with pytest.raises(PreflightFailed) as caught:
        counted.run()
    told = [problem.message for problem in caught.value.problems]
    assert len(told) == 4
    assert "9999" in str(told)
    assert any(problem.hint == "did you mean 'count.ipynb'?" for problem in caught.value.problems)
    assert counted.executed() == []
    with pytest.raises(NotFound):
        counted.runs.resolve_run("latest")


def test_wrong_arguments_and_files(counted):
    counted.pipeline("name: p\nparameters: {n: {type: int}}\ntasks: {a: {notebook: count.ipynb}}")
    with pytest.raises(InvalidParameter):
        counted.run({"m": 1})
    counted.pipeline("name: p\ntasks: {a: {notebok: count.ipynb}}")
    with pytest.raises(InvalidPipeline):
        counted.run()
    with pytest.raises(NotFound):
        counted.runs.run(counted.root / "nothing.yaml")


def test_a_result_that_is_not_there_fails_its_reader_with_a_hint(counted):
    counted.notebook("quiet.ipynb", EMIT + "name = 'x'\nmlops.result(name, 1)")
    counted.pipeline("""\
name: p
tasks:
  quiet: {notebook: quiet.ipynb}
  reader: {notebook: count.ipynb, parameters: {value: "${tasks.quiet.results.y}"}}
""")
    done = counted.run()
    assert done.states == {"quiet": "succeeded", "reader": "failed"}
    assert "emitted no result 'y'" in done.reasons["reader"]


def test_a_value_of_the_wrong_type_fails_its_reader(counted):
    counted.notebook("text.ipynb", EMIT + "mlops.result('value', 'many')")
    counted.pipeline("""\
name: p
tasks:
  text: {notebook: text.ipynb}
  reader: {notebook: count.ipynb, parameters: {value: "${tasks.text.results.value}"}}
""")
    done = counted.run()
    assert done.tasks["reader"].error["code"] == "invalid_parameter"
    assert done.tasks["reader"].attempt == 0


def test_runs_are_found_by_the_beginning_of_their_id(counted):
    counted.pipeline("name: p\ntasks: {a: {notebook: count.ipynb}}")
    first, second = counted.run().run, counted.run().run
    assert counted.runs.resolve_run(first.run_id).run_id == first.run_id
    assert counted.runs.resolve_run(second.run_id[:-1]).run_id == second.run_id
    assert counted.runs.resolve_run("latest").run_id == second.run_id
    with pytest.raises(NotFound):
        counted.runs.resolve_run("nonesuch")


def test_the_executed_notebook_is_written_out_again(counted):
    counted.pipeline("name: p\ntasks: {a: {notebook: count.ipynb}}")
    done = counted.run()
    path = counted.runs.task_notebook(done.run.run_id, "a")
    text = path.read_text()
    path.unlink()
    assert counted.runs.task_notebook(done.run.run_id, "a").read_text() == text
    assert json.loads(text)["metadata"]["papermill"]["exception"] is None


def test_a_task_with_a_name_as_long_as_a_novel(counted):
    value = "x" * 300
    counted.pipeline(f"""\
name: p
tasks:
  a: {{notebook: count.ipynb, matrix: {{n: [{value}]}}, parameters: {{name: "${{matrix.n}}"}}}}
""")
    done = counted.run()
    assert done.state == "succeeded", done.reasons
    assert counted.runs.task_notebook(done.run.run_id, next(iter(done.tasks))).exists()
