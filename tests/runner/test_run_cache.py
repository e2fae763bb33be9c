"""What is not run again, and why something is."""

from __future__ import annotations

import importlib
import os
import shutil
import time

import pytest

from jupyter_mlops.blobs import parse_reference
from jupyter_mlops.catalog.records import CacheEntry
from jupyter_mlops.errors import NotFound

EMIT = "import jupyter_mlops as mlops\n"
CHAIN = """\
name: chain
parameters: {n: {type: int, default: 1}}
tasks:
  a: {notebook: count.ipynb, parameters: {name: a, value: "${params.n}"}}
  b: {notebook: count.ipynb, parameters: {name: b, value: "${tasks.a.results.value}"}}
  c: {notebook: count.ipynb, parameters: {name: c, value: "${tasks.b.results.value}"}}
"""


@pytest.fixture
def chain(counted):
    counted.pipeline(CHAIN)
    return counted


def why(project, task="a", **arguments):
    status = {each.task: each for each in project.runs.status(project.root / "pipeline.yaml", arguments)}
    return status[task].state, list(status[task].reasons)


def test_nothing_runs_twice(chain):
    first = chain.run()
    second = chain.run()
    assert chain.executed() == ["a", "b", "c"]
    assert second.state == "succeeded"
    assert set(second.states.values()) == {"cached"}
    assert second.tasks["c"].results == first.tasks["c"].results
    assert second.tasks["c"].source_run_id == first.run.run_id
    assert second.tasks["c"].notebook == first.tasks["c"].notebook
    assert second.attempts == []


def test_another_argument_is_a_miss_that_says_so(chain):
    chain.run()
    assert why(chain, n=2) == ("stale", ["argument value: 1 → 2"])
    done = chain.run({"n": 2})
    assert set(done.states.values()) == {"succeeded"}
    assert chain.run({"n": 1}).states["c"] == "cached"
    assert chain.executed() == ["a", "b", "c"] * 2


def test_what_depends_on_an_unchanged_result_stays(chain):
    chain.notebook(
        "first.ipynb", EMIT + "mlops.result('value', 7 if value else 7)", parameters="value: int = 0"
    )
    chain.pipeline(
        CHAIN.replace("notebook: count.ipynb, parameters: {name: a, ", "notebook: first.ipynb, parameters: {")
    )
    chain.run({"n": 1})
    done = chain.run({"n": 2})
    assert done.states == {"a": "succeeded", "b": "cached", "c": "cached"}


def test_comments_and_layout_do_not_matter_but_code_does(project):
    project.pipeline("name: p\ntasks: {a: {notebook: a.ipynb}}")
    project.notebook("a.ipynb", "x = 1\nprint(x)")
    project.run()
    project.notebook("a.ipynb", "x   =  1  # the first number", "", "print( x )")
    assert project.run().states == {"a": "cached"}
    project.notebook("a.ipynb", "x = 2\nprint(x)")
    assert why(project) == ("stale", ["code of a.ipynb changed"])
    done = project.run()
    assert done.states == {"a": "succeeded"}
    missed = next(entry for entry in project.log(done.run.run_id) if entry.kind == "CacheMissed")
    assert missed.body["reason"] == "code of a.ipynb changed"


def test_a_local_module_and_a_declared_file_count(project):
    project.pipeline("name: p\ntasks: {a: {notebook: sub/a.ipynb, files: [data/*.csv]}}")
    project.notebook("sub/a.ipynb", "import mine\nprint(mine.x)")
    (project.root / "sub" / "mine.py").write_text("x = 1\n")
    (project.root / "data").mkdir()
    (project.root / "data" / "one.csv").write_text("1")
    project.run()
    assert why(project)[0] == "fresh"
    (project.root / "sub" / "mine.py").write_text("x = 2\n")
    assert why(project) == ("stale", ["module mine.py changed"])
    (project.root / "sub" / "mine.py").write_text("x = 1\n")
    (project.root / "data" / "two.csv").write_text("2")
    assert why(project)[0] == "stale"
    assert why(project)[1][0].startswith("file data/two.csv is new")


def test_another_version_of_a_distribution_counts(project, tmp_path, monkeypatch):
    """A distribution that this test makes, where this Python and its kernels find it."""
    place = tmp_path / "site"
    place.mkdir()
    (place / "tiny_dist.py").write_text("x = 1\n")

    def install(version):
        for old in place.glob("*.dist-info"):
            shutil.rmtree(old)
        info = place / f"tiny_dist-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tiny-dist\nVersion: {version}\n")
        (info / "RECORD").write_text("tiny_dist.py,,\n")
        (info / "top_level.txt").write_text("tiny_dist\n")
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("PYTHONPATH", str(place))
    install("1.0")
    project.pipeline("name: p\ntasks: {a: {notebook: a.ipynb, isolation: cold}}")
    project.notebook("a.ipynb", "import tiny_dist")
    assert project.run().state == "succeeded"
    assert why(project)[0] == "fresh"
    install("1.1")
    assert why(project) == ("stale", ["tiny-dist 1.0 → 1.1"])


def test_a_task_without_cache_runs_every_time(counted):
    counted.pipeline("name: p\ntasks: {a: {notebook: count.ipynb, parameters: {name: a}, cache: false}}")
    counted.run()
    counted.run()
    assert counted.executed() == ["a", "a"]
    assert why(counted) == ("stale", ["cache is off: it runs every time"])


def test_force_runs_what_it_names(chain):
    chain.run()
    done = chain.run(force=frozenset({"b"}))
    assert done.states == {"a": "cached", "b": "succeeded", "c": "cached"}
    assert set(chain.run(force="all").states.values()) == {"succeeded"}


def test_only_and_from_take_the_rest_from_the_cache(chain):
    chain.run()
    done = chain.run(only=("b",), force=frozenset({"b"}))
    assert done.states == {"a": "cached", "b": "succeeded"}
    done = chain.run({"n": 5}, start_from=("b",))
    assert done.states == {"a": "cached", "b": "cached", "c": "cached"}, (
        "what n was is not asked of a reused task"
    )


def test_only_fails_where_nothing_can_be_reused(chain):
    done = chain.run(only=("b",))
    assert done.state == "failed"
    assert "no earlier outcome of a" in done.reasons["a"]


def test_a_frozen_task_stands_whatever_changes(chain):
    chain.run()
    chain.runs.freeze(chain.root / "pipeline.yaml", "a")
    assert why(chain, n=9)[0] == "frozen"
    assert chain.run({"n": 9}).states == {"a": "cached", "b": "cached", "c": "cached"}
    assert chain.run({"n": 9}, force=frozenset({"a"})).tasks["a"].results == {"value": 10}
    assert chain.run({"n": 1}).tasks["a"].results == {"value": 10}, "what was forced is frozen now"
    chain.runs.unfreeze(chain.root / "pipeline.yaml", "a")
    assert chain.run({"n": 11}).tasks["a"].results == {"value": 12}
    with pytest.raises(NotFound, match="not frozen"):
        chain.runs.unfreeze(chain.root / "pipeline.yaml", "a")
    with pytest.raises(NotFound, match="no task 'aa'"):
        chain.runs.freeze(chain.root / "pipeline.yaml", "aa")


def test_only_what_ran_can_be_frozen(chain):
    with pytest.raises(NotFound, match="no outcome"):
        chain.runs.freeze(chain.root / "pipeline.yaml", "a")


def test_status_walks_as_far_as_it_can(chain):
    states = [each.state for each in chain.runs.status(chain.root / "pipeline.yaml")]
    assert states == ["new", "new", "new"]
    chain.run()
    fresh = chain.runs.status(chain.root / "pipeline.yaml")
    assert [each.state for each in fresh] == ["fresh"] * 3
    assert all(each.at and each.run_id for each in fresh)
    stale = chain.runs.status(chain.root / "pipeline.yaml", {"n": "7"}, from_text=True)
    assert [each.state for each in stale] == ["stale"] * 3
    assert stale[2].reasons == ("b would run first",)


def test_what_was_cleaned_away_runs_again(project):
    project.notebook("make.ipynb", EMIT + "mlops.artifact('words', ['a', 'b'])")
    project.notebook("use.ipynb", EMIT + "print(mlops.input(words))", parameters="words: str")
    project.pipeline("""\
name: p
tasks:
  make: {notebook: make.ipynb}
  use: {notebook: use.ipynb, parameters: {words: "${tasks.make.artifacts.words}"}}
""")
    done = project.run()
    reference = parse_reference(done.tasks["make"].artifacts["words"])
    project.blobs.delete(reference.digest)
    again = project.run()
    assert again.states == {"make": "succeeded", "use": "cached"}
    missed = next(entry for entry in project.log(again.run.run_id) if entry.kind == "CacheMissed")
    assert missed.body["reason"] == "artifact words is gone from the blobs"


def test_tasks_of_one_notebook_do_not_share_their_outcomes(counted):
    counted.pipeline("name: p\ntasks: {a: {notebook: count.ipynb}, b: {notebook: count.ipynb}}")
    counted.run()
    keys = [entry.cache_key for entry in counted.catalog.find(CacheEntry)]
    assert len(set(keys)) == 2


def test_another_environment_variable_of_the_task_counts(counted):
    text = "name: p\ntasks: {{a: {{notebook: count.ipynb, env: {{COLOR: {0}}}}}}}"
    counted.pipeline(text.format("red"))
    counted.run()
    counted.pipeline(text.format("blue"))
    assert why(counted) == ("stale", ['environment variable COLOR: "red" → "blue"'])


def test_a_notebook_that_is_edited_between_two_attempts_is_cached_as_what_it_was_then(project):
    """An edit while a retry waits must not make the old code's key stand for the new code's outcome."""
    project.pipeline("name: p\ntasks: {a: {notebook: a.ipynb, retries: {limit: 1, delay: 1.5s}}}")
    project.notebook("a.ipynb", "raise ValueError('the old one')")
    old = (project.root / "a.ipynb").read_text()
    started = project.start()
    while not any(type(event).__name__ == "AttemptFailed" for event in started.events):
        time.sleep(0.01)
    project.notebook("a.ipynb", EMIT + "mlops.result('new', True)")
    done = started.finish()
    assert done.tasks["a"].results == {"new": True}
    assert project.run().states == {"a": "cached"}
    (project.root / "a.ipynb").write_text(old)
    assert project.run().state == "failed", "the old code never succeeded"


def test_an_instance_that_changed_runs_alone(counted):
    counted.notebook("list.ipynb", EMIT + "mlops.result('items', items)", parameters="items: list = []")
    counted.pipeline("""\
name: p
parameters: {items: {type: list, default: [1, 2]}}
tasks:
  list: {notebook: list.ipynb, parameters: {items: "${params.items}"}}
  each: {notebook: count.ipynb, map: "${tasks.list.results.items}", parameters: {name: "x${item}", value: "${item}"}}
""")
    counted.run()
    done = counted.run({"items": [1, 3, 2]})
    *first, last = counted.executed()
    assert (sorted(first), last) == (["x1", "x2"], "x3")
    assert done.states["each[1]"] == "succeeded"
    assert done.states["each[2]"] == "cached", "an item is known wherever it stands in the list"


def test_clean_deletes_old_runs_and_what_nothing_needs(chain):
    for _ in range(3):
        chain.run(force="all")
    assert chain.runs.clean(older_than_days=0, keep_runs=1, is_dry_run=True).runs == 2
    assert chain.runs.clean(older_than_days=1, keep_runs=1).runs == 0
    report = chain.runs.clean(older_than_days=0, keep_runs=1)
    assert (report.runs, report.blobs) == (2, 0), "blobs are young: they stay for a day"
    assert len(list((chain.root / ".mlops" / "runs").iterdir())) == 1
    assert chain.run().states["c"] == "cached"


def test_clean_deletes_blobs_that_are_old_enough(chain):
    chain.run(force="all")
    chain.run({"n": 2}, force="all")
    for path in (chain.root / ".mlops" / "blobs" / "sha256").rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
    would = chain.runs.clean(older_than_days=0, keep_runs=1, is_dry_run=True)
    done = chain.runs.clean(older_than_days=0, keep_runs=1)
    assert would == done
    assert done.blobs > 0
    assert done.bytes > 0
    assert chain.run({"n": 2}).states["c"] == "cached"
    kept = chain.done(chain.runs.resolve_run("latest").run_id)
    assert chain.runs.task_notebook(kept.run.run_id, "c").exists()
