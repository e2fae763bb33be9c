"""Everything that would fail later is told before the first kernel, all of it, each with its place and its cure."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from jupyter_mlops import preflight
from jupyter_mlops.errors import Unavailable
from jupyter_mlops.settings import Settings


@pytest.fixture
def check(tmp_path):
    """Write notebooks (name → code, or (parameters, code)) and a pipeline, and check it."""
    (tmp_path / "mlops.toml").touch()

    def go(pipeline: str, arguments=None, *, env=None, cluster=None, **notebooks):
        for name, content in notebooks.items():
            parameters, code = content if isinstance(content, tuple) else ("", content)
            write(tmp_path / f"{name}.ipynb", code, parameters)
        path = tmp_path / "pipeline.yaml"
        path.write_text(pipeline)
        overrides = {"cluster": cluster} if cluster else {}
        settings = Settings.load(tmp_path, env={}, overrides=overrides)
        return preflight.check(path, arguments, settings=settings, env=env or {})

    return go


def write(
    path: Path, code: str, parameters: str = "", kernel: str = "python3", language: str = "python"
) -> None:
    cells = [(parameters, ["parameters"])] if parameters else []
    body = {
        "cells": [
            {
                "cell_type": "code", "id": f"c{n}", "metadata": {"tags": tags}, "source": source,
                "outputs": [], "execution_count": None,
            }
            for n, (source, tags) in enumerate([*cells, (code, [])])
        ],
        "metadata": {"kernelspec": {"name": kernel, "language": language, "display_name": kernel}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(body))


def told(problems) -> list[str]:
    return [problem.message for problem in problems]


def test_a_good_pipeline_has_no_problems(check):
    assert (
        check("name: p\ntasks: {a: {notebook: a.ipynb, parameters: {n: 1}}}", a=("n: int = 0", "n + 1")) == []
    )


def test_all_problems_come_at_once(check):
    problems = check(
        """\
name: p
tasks:
  a: {notebook: a.ipynb, parameters: {nn: 1}}
  b: {notebook: bb.ipynb}
  c: {notebook: c.ipynb, resources: {gpu: 99}, secrets: {T: "secret:UNKNOWN_ONE"}}
  d: {notebook: d.ipynb}
""",
        a=("n: int = 0", "n"),
        c="undefined_name",
        d="def broken(",
    )
    text = "\n".join(told(problems))
    assert len(problems) == 6, text
    for part in ("'nn'", "bb.ipynb", "99", "UNKNOWN_ONE", "undefined_name", "def broken("):
        assert part in text


def test_a_problem_of_a_task_names_its_line(check):
    (problem,) = check("name: p\ntasks:\n  a: {notebook: nothing.ipynb}\n")
    assert problem.where.endswith("pipeline.yaml:3")


def test_a_pipeline_that_cannot_be_read(check, tmp_path):
    assert "notebok" in told(check("name: p\ntasks: {a: {notebok: a.ipynb}}"))[0]
    settings = Settings.load(tmp_path, env={})
    assert "nothing.yaml" in told(preflight.check(tmp_path / "nothing.yaml", settings=settings))[0]


def test_a_cycle_is_named(check):
    problems = check(
        "name: p\ntasks: {a: {notebook: a.ipynb, needs: [b]}, b: {notebook: a.ipynb, needs: [a]}}", a="1"
    )
    assert any("a" in message and "b" in message and "cycle" in message for message in told(problems))


def test_arguments_that_are_known_are_converted_and_others_named(check):
    pipeline = """\
name: p
parameters: {n: {type: str, default: many}}
tasks:
  first: {notebook: first.ipynb}
  a: {notebook: a.ipynb, parameters: {n: "${params.n}"}}
  b: {notebook: a.ipynb, parameters: {n: "${tasks.first.results.n}", m: "${tasks.first.results.n}"}}
"""
    emit = "import jupyter_mlops as mlops\nmlops.result('n', 1)"
    problems = check(pipeline, a=("n: int", "n"), first=emit)
    assert len(problems) == 2
    assert "'many'" in problems[0].message
    assert "'m'" in problems[1].message
    assert (
        check(
            pipeline.replace(', m: "${tasks.first.results.n}"', ""), {"n": "3"}, a=("n: int", "n"), first=emit
        )
        == []
    )


def test_a_required_parameter_that_nobody_gives(check):
    (problem,) = check("name: p\ntasks: {a: {notebook: a.ipynb}}", a=("n: int", "n"))
    assert "n" in problem.message


def test_results_that_nobody_emits(check):
    pipeline = """\
name: p
tasks:
  a: {notebook: a.ipynb}
  b: {notebook: b.ipynb, parameters: {x: "${tasks.a.results.rovs}"}}
  c: {notebook: b.ipynb, parameters: {x: "${tasks.a.artifacts.table}"}}
"""
    emit = "import jupyter_mlops as mlops\nmlops.result('rows', 1)\n"
    first, second = check(pipeline, a=emit, b=("x: object", "x"))
    assert "emits no result 'rovs'" in first.message
    assert first.hint == "did you mean 'rows'?"
    assert "emits no artifact 'table'" in second.message
    assert (
        check(pipeline, a=emit + "mlops.result(str(1), 1)\nmlops.artifact(str(2), 1)", b=("x: object", "x"))
        == []
    )


def test_a_kernel_that_is_not_there(check, tmp_path):
    write(tmp_path / "a.ipynb", "x", kernel="no-such-kernel", language="cobol")
    (problem,) = check("name: p\ntasks: {a: {notebook: a.ipynb}}")
    assert "no-such-kernel" in problem.message


def test_secrets_are_looked_up_once_and_found(check):
    pipeline = """\
name: p
tasks:
  a: {notebook: a.ipynb, parameters: {token: "secret:TOKEN"}, secrets: {X: "secret:TOKEN"}}
  b: {notebook: a.ipynb, parameters: {token: "secret:TOKEN"}}
"""
    assert len(check(pipeline, a=("token: str", "token"))) == 1
    assert check(pipeline, env={"TOKEN": "abcdef"}, a=("token: str", "token")) == []


def test_files_that_are_not_there_yet_are_a_warning(check, tmp_path):
    (problem,) = check("name: p\ntasks: {a: {notebook: a.ipynb, files: [data/*.csv]}}", a="1")
    assert problem.severity == "warning"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").touch()
    assert check("name: p\ntasks: {a: {notebook: a.ipynb, files: [data/*.csv]}}", a="1") == []


@pytest.mark.parametrize("pattern", ["/etc/host*", "../*/mlops.toml", "[", "**", "\\", "a\tb"])
def test_any_pattern_of_files_is_taken(pattern, tmp_path):
    assert all(path.is_file() for path in preflight.matching(tmp_path, pattern))


def test_a_matrix_is_checked_once(check):
    pipeline = "name: p\ntasks: {a: {notebook: a.ipynb, matrix: {i: [1, 2, 3]}, parameters: {wrong: 1}}}"
    assert len(check(pipeline, a=("n: int = 0", "n"))) == 1


def test_resources_are_those_of_this_machine_only_when_it_runs_here(check):
    pipeline = "name: p\ntasks: {a: {notebook: a.ipynb, resources: {cpu: 9999}}}"
    (problem,) = check(pipeline, a="1")
    assert "this machine can never run it" in problem.message
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert check(pipeline, cluster=f"tcp://127.0.0.1:{server.getsockname()[1]}", a="1") == []


def test_an_image_that_is_not_used_is_told_once(check):
    tasks = "a: {notebook: a.ipynb}, b: {notebook: a.ipynb, resources: {image: t/b:1}}"
    pipeline = f"name: p\ndefaults: {{resources: {{image: t/a:1}}}}\ntasks: {{{tasks}}}"
    (problem,) = check(pipeline, a="1")
    assert problem.severity == "warning"
    assert problem.message == "image: not used for a, b, since this machine starts no containers"


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ("{imaeg: a/b}", "unknown resource 'imaeg'", "image"),
        ("{image: Team/Train}", "image: 'Team/Train' is no name of an image", "lower case"),
        ("{image: 3}", "image: 3 is no name of an image", "registry"),
        ("{spot: often}", "spot: 'often' is neither true nor false", "taken away"),
    ],
)
def test_a_wish_that_cannot_be_is_told_where_it_stands(check, given, message, hint):
    (problem,) = check(f"name: p\ntasks:\n  a:\n    notebook: a.ipynb\n    resources: {given}\n", a="1")
    assert (problem.message, problem.severity) == (message, "error")
    assert problem.where.endswith(":5")
    assert hint in problem.hint


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://host.invalid:80", "tcp://x", "tcp://h:99999999", "tls://[::1"]
)
def test_a_cluster_that_does_not_answer(address, check, tmp_path):
    (problem,) = check("name: p\ntasks: {a: {notebook: a.ipynb}}", cluster=address, a="1")
    assert problem.message.startswith(f"no dask scheduler answers at {address}: ")
    with pytest.raises(Unavailable):
        preflight.demand_cluster(address, Settings.load(tmp_path))


def test_a_thousand_tasks_of_one_notebook_take_no_time(check):
    tasks = "\n".join(f"  t{n}: {{notebook: a.ipynb, parameters: {{n: {n}}}}}" for n in range(1000))
    pipeline = f"name: p\ntasks:\n{tasks}\n"
    check(pipeline, a=("n: int = 0", "n"))
    moment = time.process_time()
    assert check(pipeline, a=("n: int = 0", "n")) == []
    assert time.process_time() - moment < 1.0


def test_a_folder_among_the_files_stands_for_all_in_it(tmp_path):
    (tmp_path / "parts" / "more").mkdir(parents=True)
    for name in ("parts/1.txt", "parts/more/2.txt", "other.txt"):
        (tmp_path / name).touch()
    named = [path.relative_to(tmp_path).as_posix() for path in preflight.matching(tmp_path, "parts")]
    assert named == ["parts/1.txt", "parts/more/2.txt"]
    assert preflight.matching(tmp_path, "parts/*") == [tmp_path / "parts" / "1.txt"]
