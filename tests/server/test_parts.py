"""The pure parts: pictures, paths, JSON."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput, InvalidParameter, MlopsError, NotFound
from jupyter_mlops.pipelines import Task, graph
from jupyter_mlops.problems import Problem
from jupyter_mlops.server.contract import document
from jupyter_mlops.server.failures import body_of, status_of
from jupyter_mlops.server.graphs import graph_of, pipeline_graph
from jupyter_mlops.server.places import Places
from jupyter_mlops.server.present import dumps, problem_body
from jupyter_mlops.server.tasks import _piece

# --- pictures -------------------------------------------------------------------------------------------

dags = st.integers(1, 25).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda e: e[0] < e[1])
        ),
        st.sampled_from(["right", "down"]),
    )
)


@settings(deadline=None)
@given(dags)
def test_boxes_lie_within_the_picture_apart_and_in_order(dag: tuple[int, list[tuple[int, int]], str]) -> None:
    count, edges, direction = dag
    labels = {f"t{i}": (f"t{i}" + "x" * (i % 9), "task") for i in range(count)}
    drawn = graph_of(labels, {(f"t{a}", f"t{b}"): "needs" for a, b in edges}, direction)  # type: ignore[arg-type]
    boxes = {node["id"]: node for node in drawn["nodes"]}
    for box in boxes.values():
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= drawn["width"] + 0.2
        assert box["y"] + box["height"] <= drawn["height"] + 0.2
    listed = list(boxes.values())
    for i, one in enumerate(listed):
        for other in listed[i + 1 :]:
            apart_x = (
                one["x"] + one["width"] <= other["x"] + 0.2 or other["x"] + other["width"] <= one["x"] + 0.2
            )
            apart_y = (
                one["y"] + one["height"] <= other["y"] + 0.2 or other["y"] + other["height"] <= one["y"] + 0.2
            )
            assert apart_x or apart_y
    along, extent = ("x", "width") if direction == "right" else ("y", "height")
    place = 0 if direction == "right" else 1
    for edge in drawn["edges"]:
        source, target = boxes[edge["source"]], boxes[edge["target"]]
        assert source[along] + source[extent] <= target[along]
        assert edge["points"][0][place] == pytest.approx(source[along] + source[extent], abs=0.2)
        assert edge["points"][-1][place] == pytest.approx(target[along], abs=0.2)
        assert all(a[place] <= b[place] + 0.2 for a, b in pairwise(edge["points"]))


def test_edges_say_why() -> None:
    tasks = [
        Task("a", "a.ipynb"),
        Task("b", "b.ipynb", parameters={"x": "${tasks.a.results.x}"}, when="${tasks.a.results.x} > 1"),
        Task("c", "c.ipynb", when="${tasks.b.results.y} > 1", matrix={"m": [1, 2]}),
        Task("d", "d.ipynb", needs=("c",), map="${tasks.a.results.xs}"),
    ]
    drawn = pipeline_graph(tasks, graph.upstream(tasks), "right")
    kinds = {(edge["source"], edge["target"]): edge["kind"] for edge in drawn["edges"]}
    assert kinds == {
        ("a", "b"): "parameters",
        ("b", "c"): "when",
        ("c", "d"): "needs",
        ("a", "d"): "parameters",
    }
    assert [node["kind"] for node in drawn["nodes"]] == ["task", "task", "matrix", "map"]


def test_a_cycle_has_a_picture_too() -> None:
    tasks = [
        Task("a", "a.ipynb", needs=("b",)),
        Task("b", "b.ipynb", needs=("a",)),
        Task("c", "c.ipynb", needs=("c",)),
    ]
    drawn = pipeline_graph(tasks, graph.upstream(tasks), "right")
    assert len(drawn["nodes"]) == 3
    assert len(drawn["edges"]) == 1


def test_500_tasks_are_drawn() -> None:
    labels = {f"t{i}": (f"task {i}", "task") for i in range(500)}
    edges = {(f"t{i}", f"t{j}"): "needs" for i in range(500) for j in (i + 7, i + 31) if j < 500}
    assert len(graph_of(labels, edges, "right")["edges"]) == len(edges)


def test_an_empty_pipeline_has_an_empty_picture() -> None:
    assert graph_of({}, {}, "down")["nodes"] == []


# --- paths ----------------------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "sub" / "a.yaml").touch()
    (tmp_path / "outside.yaml").touch()
    return Places(tmp_path / "root")


def test_a_path_inside(places: Places) -> None:
    path = places.inside("sub/a.yaml", ".yaml")
    assert path == places.root / "sub" / "a.yaml"
    assert places.relative(path) == "sub/a.yaml"
    assert places.relative(places.root.parent / "outside.yaml") is None
    assert places.relative("") is None
    assert places.shown(f"{path}: wrong") == "sub/a.yaml: wrong"


@pytest.mark.parametrize(
    "text",
    ["", "/", "/etc/passwd", "../outside.yaml", "sub/../../outside.yaml", "sub//a.yaml", "./a.yaml", ".hidden.yaml",
     "sub/.git/a.yaml", "a\0.yaml", "sub\\a.yaml", "x" * 300 + ".yaml", "sub/a.yaml/"],
)  # fmt: skip
def test_a_path_outside(places: Places, text: str) -> None:
    with pytest.raises((InvalidInput, NotFound)):
        places.inside(text, ".yaml", "")


@given(st.text(max_size=60))
def test_no_text_leads_out(text: str) -> None:
    places = Places(Path("/srv/some/root"))
    try:
        path = places.inside(text)
    except (InvalidInput, NotFound):
        return
    assert path.is_relative_to(places.root)
    assert ".." not in path.parts


# --- JSON -----------------------------------------------------------------------------------------------


def test_what_is_no_number_is_null() -> None:
    assert json.loads(dumps({"a": float("nan"), "b": [float("inf"), 1.5], "c": ("x", None)})) == {
        "a": None,
        "b": [None, 1.5],
        "c": ["x", None],
    }


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (Problem(message="x", where="{root}/p.yaml:7"), {"file": "p.yaml", "line": 7, "task": "b"}),
        (Problem(message="a: no notebook", where="{root}/p.yaml:7"), {"task": "a"}),
        (Problem(message="parameter 'n': 'x' is no int"), {"parameter": "n", "task": None}),
        (Problem(message="parameter 'n' is required and missing"), {"parameter": "n"}),
        (Problem(message="the pipeline has no parameter 'm'"), {"parameter": "m"}),
        (Problem(message="b: x", where="t.ipynb, cell 3, line 2"), {"file": "t.ipynb", "line": None, "task": "b"}),
        (Problem(message="there is no query parameter 'foo'"), {"parameter": None}),
    ],
)  # fmt: skip
def test_a_problem_says_what_it_is_about(places: Places, problem: Problem, told: dict[str, object]) -> None:
    where = problem.where.replace("{root}", str(places.root))
    body = problem_body(Problem(message=problem.message, where=where), places, {"a": 2, "b": 5, "c": 9})
    assert {name: body[name] for name in told} == told
    assert set(body) == set(document()["components"]["schemas"]["Problem"]["properties"])


def test_an_unexpected_error_tells_nothing(places: Places) -> None:
    error = ValueError(f"secret in {places.root}/x")
    assert status_of(error) == 500
    assert "secret" not in dumps(body_of(error, 500, places))


def every_error() -> list[type[MlopsError]]:
    found: list[type[MlopsError]] = [MlopsError]
    for kind in found:
        found += kind.__subclasses__()
    return found


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_of_ours_knows_its_status(places: Places, kind: type[MlopsError]) -> None:
    error = kind("what", hint="how", problems=[Problem(message="this")])
    assert 400 <= status_of(error) < 600
    body = body_of(error, status_of(error), places)
    assert (body["code"], body["message"], body["hint"]) == (kind.code, "what", "how")
    assert len(body["problems"]) == 1


def test_the_paths_of_an_error_are_those_of_the_file_browser(places: Places) -> None:
    error = InvalidParameter(f"{places.root}/sub/a.yaml:1: wrong")
    assert body_of(error, 400, places)["message"] == "sub/a.yaml:1: wrong"


# --- logs -----------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40), st.integers(1, 5))
def test_a_log_that_grows_is_read_without_breaking_a_character(text: str, step: int) -> None:
    import tempfile

    data = text.encode("utf-8", "replace")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        read, offset = "", 0
        for end in [*range(0, len(data), step), len(data)]:
            path.write_bytes(data[:end])
            piece, offset, _ = _piece(path, offset)
            read += piece
        assert read == data.decode()
        assert _piece(path, offset) == ("", len(data), True)
