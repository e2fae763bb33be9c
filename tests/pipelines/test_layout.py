"""Layered positions of a DAG."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.pipelines.layout import lay_out


@st.composite
def dags(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    keys = [f"t{i}" for i in range(draw(st.integers(1, 14)))]
    pairs = [(a, b) for i, a in enumerate(keys) for b in keys[i + 1 :]]
    edges = draw(st.lists(st.sampled_from(pairs), max_size=25)) if pairs else []
    return draw(st.permutations(keys)), edges


@given(dags(), st.floats(1, 9), st.floats(0.5, 4))
def test_every_edge_points_to_a_later_layer_and_nothing_overlaps(dag, breadth, gap):
    keys, edges = dag
    breadths = {key: breadth * (1 + i % 3) for i, key in enumerate(keys)}
    layout = lay_out(keys, edges, breadths=breadths, gap=gap)
    assert sorted(key for layer in layout.layers for key in layer) == sorted(keys)
    for a, b in edges:
        assert layout.positions[a][0] < layout.positions[b][0]
    for layer in layout.layers:
        for left, right in itertools.pairwise(layer):
            distance = layout.positions[right][1] - layout.positions[left][1]
            assert distance >= (breadths[left] + breadths[right]) / 2 + gap - 1e-6
    for key, (_, x) in layout.positions.items():
        assert x - breadths[key] / 2 >= -1e-6
        assert x + breadths[key] / 2 <= layout.breadth + 1e-6


@given(dags())
def test_a_route_has_one_point_in_each_layer_that_it_crosses(dag):
    keys, edges = dag
    layout = lay_out(keys, edges)
    assert set(layout.routes) == set(edges)
    for (a, b), route in layout.routes.items():
        assert route[0] == layout.positions[a]
        assert route[-1] == layout.positions[b]
        assert [layer for layer, _ in route] == list(range(route[0][0], route[-1][0] + 1))


@given(dags())
def test_the_same_graph_is_laid_out_the_same_way(dag):
    keys, edges = dag
    assert lay_out(keys, edges) == lay_out(keys, edges)


def test_a_chain_is_straight():
    layout = lay_out("abc", [("a", "b"), ("b", "c")], breadths={"a": 3, "b": 9, "c": 5})
    assert {x for _, x in layout.positions.values()} == {4.5}
    assert layout.layers == (("a",), ("b",), ("c",))


def test_a_diamond_is_symmetric():
    layout = lay_out("abcd", [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    (_, a), (_, b), (_, c), (_, d) = (layout.positions[key] for key in "abcd")
    assert a == d == (b + c) / 2
    assert (b, c) == (0.5, 2.5)


def test_an_input_stands_right_above_what_needs_it():
    layout = lay_out("abcx", [("a", "b"), ("b", "c"), ("x", "c")])
    assert layout.positions["x"][0] == 1


def test_crossings_that_can_be_avoided_are():
    layout = lay_out(["a", "b", "y", "x"], [("a", "x"), ("b", "y")])
    assert [layer.index(key) for layer, key in zip(layout.layers, "ax", strict=True)] in ([0, 0], [1, 1])


def test_an_empty_graph_has_no_layers():
    layout = lay_out([], [])
    assert (layout.layers, layout.breadth) == ((), 0.0)


def test_a_cycle_is_named():
    with pytest.raises(InvalidInput, match="cycle among a, b"):
        lay_out("abc", [("a", "b"), ("b", "a"), ("c", "a")])


def test_an_edge_to_nowhere_is_refused():
    with pytest.raises(InvalidInput, match="there is no node 'z'"):
        lay_out("a", [("a", "z")])


def _tangled(count: int) -> list[tuple[str, str]]:
    """A chain in which the first leads to all and all lead to the last: nearly all edges are long."""
    chain = [(f"t{i}", f"t{i + 1}") for i in range(count - 1)]
    last = f"t{count - 1}"
    return [*chain, *(("t0", b) for _, b in chain[1:]), *((a, last) for a, _ in chain[1:-1])]


@pytest.mark.parametrize(
    "edges",
    [
        [("t0", f"t{i}") for i in range(1, 999)] + [(f"t{i}", "t999") for i in range(1, 999)],
        [(f"t{(i * 7919) % i}", f"t{i}") for i in range(1, 1000)]
        + [(f"t{(i * 31) % (i // 2 + 1)}", f"t{i}") for i in range(3, 1000)],
        _tangled(1000),
    ],
    ids=["fan-out", "scattered", "tangled"],
)
def test_a_thousand_nodes_take_less_than_a_second(edges):
    keys = [f"t{i}" for i in range(1000)]
    start = time.process_time()
    layout = lay_out(keys, edges)
    assert time.process_time() - start < 1
    assert len(layout.positions) == 1000


def test_edges_too_tangled_to_follow_go_straight():
    edges = _tangled(400)
    layout = lay_out([f"t{i}" for i in range(400)], edges)
    assert all(len(route) == 2 for route in layout.routes.values())
