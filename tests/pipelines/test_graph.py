from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.pipelines.definition import Task
from jupyter_mlops.pipelines.graph import (
    axis_texts,
    downstream,
    expand_matrix,
    find_cycles,
    instance_key,
    matching_instance,
    reachable,
    scan,
    topological_order,
    upstream,
)

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


def test_edges_come_from_needs_and_from_every_kind_of_reference() -> None:
    names = "abcdefg"
    tasks = [Task(name, "n.ipynb") for name in names]
    last = Task(
        "last",
        "n.ipynb",
        needs=("g", "a[m=1]"),
        parameters={"x": ["${tasks.b.results.x}", {"y": "and ${tasks.c.artifacts.y}"}]},
        env={"E": "${tasks.d.results.e}"},
        map="${tasks.e.results.items}",
        when="tasks.f.state == 'failed' or tasks.unknown.results.x",
    )
    assert upstream([*tasks, last])["last"] == ("g", "a", "b", "c", "d", "e", "f")


def test_wrong_references_are_gathered_with_their_field() -> None:
    task = Task("a", "a.ipynb", parameters={"x": "${week}", "y": "${params.y}"}, when="1 =")
    found, errors = scan(task)
    assert [(field, str(reference)) for field, reference in found] == [("parameters.y", "params.y")]
    assert [field for field, _ in errors] == ["parameters.x", "when"]


def test_order_keeps_the_order_of_definition_where_it_can() -> None:
    assert topological_order(DIAMOND) == ["a", "b", "c", "d"]
    assert topological_order({"z": ("a",), "a": (), "b": ()}) == ["a", "b", "z"]


def test_ancestors_and_descendants() -> None:
    assert reachable(DIAMOND, ["b"]) == {"a", "b"}
    assert reachable(downstream(DIAMOND), ["b"]) == {"b", "d"}


def test_every_separate_cycle_is_found() -> None:
    edges = {"x": ("b",), "a": ("b",), "b": ("a",), "c": ("c", "a"), "d": ("f",), "e": ("d",), "f": ("e",)}
    assert find_cycles(edges) == [["a", "b", "a"], ["c", "c"], ["d", "e", "f", "d"]]


NODES = st.integers(0, 9).map(str)


@given(st.dictionaries(NODES, st.lists(NODES, max_size=3).map(tuple), min_size=1))
def test_any_graph_has_an_order_or_a_cycle_that_is_one(edges: dict[str, tuple[str, ...]]) -> None:
    edges = {node: tuple(other for other in before if other in edges) for node, before in edges.items()}
    cycles = find_cycles(edges)
    order = topological_order(edges)
    assert (len(order) == len(edges)) is (not cycles)
    for node in order:
        assert all(order.index(other) < order.index(node) for other in edges[node])
    for cycle in cycles:
        assert cycle[0] == cycle[-1]
        assert all(before in edges[after] for before, after in pairwise(cycle))


def test_a_matrix_expands_with_the_last_axis_fastest() -> None:
    assert expand_matrix("t", {"m": ["a", "b"], "n": [1, 2]}) == {
        "t[m=a,n=1]": {"m": "a", "n": 1},
        "t[m=a,n=2]": {"m": "a", "n": 2},
        "t[m=b,n=1]": {"m": "b", "n": 1},
        "t[m=b,n=2]": {"m": "b", "n": 2},
    }
    assert instance_key("t", 3) == "t[3]"


def test_values_that_would_not_do_in_a_file_name_are_written_by_position() -> None:
    values = ["a", 1.5, True, None, "x,y", "../etc", {"a": 1}, "ü", "..", "x" * 41]
    assert axis_texts(values) == ["a", "1.5", "true", "null", "#4", "#5", "#6", "#7", "#8", "#9"]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"m": [1, "1"]}, "has the value 1 twice"),
        ({"m": []}, "has no values"),
        ({"m": list(range(101)), "n": list(range(100))}, "more than 10,000 combinations"),
    ],
)
def test_impossible_matrices_are_refused(axes: dict[str, list[object]], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        expand_matrix("t", axes)


def test_an_instance_is_matched_whatever_the_order_of_its_axes() -> None:
    assert matching_instance("t", "n=1,m=a", ["m", "n"]) == "t[m=a,n=1]"
    for wrong in ("m=a", "m=a,n=1,o=2", "m=a,m=a", "3"):
        with pytest.raises(InvalidInput, match="does not say one instance"):
            matching_instance("t", wrong, ["m", "n"])
