"""Pictures of a DAG: Mermaid, SVG, terminal."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.events import TERMINAL
from jupyter_mlops.pipelines.boxes import Box, draw_boxes
from jupyter_mlops.pipelines.drawing import COLORS, GLYPHS, Node, to_mermaid, to_svg, to_text
from jupyter_mlops.words import columns, shorten

DIAMOND = [("pull", "a"), ("pull", "b"), ("a", "compare"), ("b", "compare")]
NODES = [
    Node(key="pull", state="cached", detail="6,099 rows"),
    Node(key="a", state="succeeded"),
    Node(key="b", state="running", detail="cell 3/7"),
    Node(key="compare", state="queued"),
]
SVG = "{http://www.w3.org/2000/svg}"


def plain(*keys: str) -> list[Node]:
    return [Node(key=key) for key in keys]


def test_every_state_has_a_sign_and_a_color():
    states = {"queued", "running", *TERMINAL}
    assert set(GLYPHS) == states
    assert set(COLORS) == states | {""}
    assert len({*GLYPHS.values()}) == len(states)
    assert all(columns(sign) == 1 for sign in GLYPHS.values())


# --- terminal -------------------------------------------------------------------------------------------


def test_a_diamond_in_a_terminal():
    assert to_text(NODES, DIAMOND) == (
        "   ╭─────────────╮\n"
        "   │ ↺ pull      │\n"
        "   │ 6,099 rows  │\n"
        "   ╰──────┬──────╯\n"
        "   ╭──────┴─────╮\n"
        "╭──┴──╮   ╭─────┴─────╮\n"
        "│ ✔ a │   │ ● b       │\n"
        "╰──┬──╯   │ cell 3/7  │\n"
        "   │      ╰─────┬─────╯\n"
        "   ╰──────┬─────╯\n"
        "    ╭─────┴─────╮\n"
        "    │ ○ compare │\n"
        "    ╰───────────╯\n"
    )


def test_lines_that_cross_are_a_bridge_not_a_junction():
    edges = [(a, b) for a in ("left", "right") for b in "ab"]
    text = to_text(plain("left", "right", "a", "b", "c"), [*edges, ("left", "c")])
    assert "─│" in text.splitlines()[4]


def test_a_graph_too_wide_for_boxes_is_a_list_with_needs():
    keys = [f"train[{i}]" for i in range(9)]
    edges = [("list", key) for key in keys] + [(key, "join") for key in keys]
    text = to_text([Node(key="list", state="succeeded"), *plain(*keys, "join")], edges, width=60)
    assert text.splitlines()[0] == "✔ list"
    assert text.splitlines()[1] == "· train[0]  ← list"
    assert text.splitlines()[-1] == "· join      ← train[0], train[1], train[2], 6 more"


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Node], list[tuple[str, str]]]:
    names = draw(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=9, unique=True))
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    edges = draw(st.lists(st.sampled_from(pairs), max_size=14, unique=True)) if pairs else []
    states = st.sampled_from(["", *GLYPHS])
    return [Node(key=n, state=draw(states), detail=draw(st.text(max_size=30))) for n in names], edges


@given(graphs(), st.integers(24, 100))
def test_no_line_is_wider_than_asked(graph, width):
    nodes, edges = graph
    text = to_text(nodes, edges, width=width)
    assert all(columns(line) <= width for line in text.split("\n"))


@given(graphs(), st.integers(24, 100))
def test_paint_adds_color_and_changes_no_character(graph, width):
    nodes, edges = graph
    painted = to_text(nodes, edges, width=width, paint=lambda text, role: f"\x00{role}\x01{text}\x02")
    assert re.sub("\x00[^\x01]*\x01|\x02", "", painted) == to_text(nodes, edges, width=width) or any(
        char in node.key + node.detail for node in nodes for char in "\x00\x01\x02"
    )


WAYS = {"│": "ud", "─": "lr", "╯": "ul", "╰": "ur", "╮": "dl", "╭": "dr", "┤": "udl", "├": "udr",
        "┴": "ulr", "┬": "dlr", "┼": "udlr"}  # fmt: skip
STEP = {"d": (1, 0), "l": (0, -1), "r": (0, 1)}
BACK = {"u": "d", "d": "u", "l": "r", "r": "l"}


def _follow(cells: dict[tuple[int, int], tuple[str, str]], start: tuple[int, int]) -> set[tuple[int, int]]:
    """Walk along the lines that leave a box, as a reader does, never upward, to where they arrive."""
    ends, seen, todo = set(), set(), [(*start, "d")]
    while todo:
        row, column, way = todo.pop()
        row, column = row + STEP[way][0], column + STEP[way][1]
        if (row, column, way) in seen:
            continue
        seen.add((row, column, way))
        char, role = cells[row, column]
        if role == "box":
            assert way == "d", f"a line runs into the side of a box at {row}, {column}"
            ends.add((row, column))
        elif char == "│" and way in "lr":  # a bridge: this line runs on below it
            todo.append((row, column, way))
        else:
            assert BACK[way] in WAYS[char], f"a line runs against {char!r} at {row}, {column}"
            todo += [(row, column, other) for other in WAYS[char] if other not in ("u", BACK[way])]
    return ends


@pytest.mark.parametrize("seed", range(60))
def test_following_the_lines_finds_exactly_the_edges(seed):
    """Draw random graphs and read the pictures back: what is joined on paper is what is joined in truth."""
    chance = random.Random(seed)
    keys = [f"n{i}" for i in range(chance.randrange(2, 9))]
    edges = [(a, b) for i, a in enumerate(keys) for b in keys[i + 1 :] if chance.random() < 0.35]
    lines = draw_boxes({key: Box([[(f"{key:^7}", key)]], "box") for key in keys}, edges, width=120)
    if lines is None:  # the lines of this one cannot be told apart: it is shown as a list
        return
    cells = {}
    for row, line in enumerate(lines):
        chars = [(char, role) for text, role in line for char in text]
        cells.update({(row, column): cell for column, cell in enumerate(chars)})
    inside = {key: [at for at, (_, role) in cells.items() if role == key] for key in keys}
    covers = {(row, column + i): key for key in keys for row, column in inside[key] for i in (-1, 0, 1)}
    found = set()
    for key in keys:
        row = inside[key][0][0]
        for column in {column for (_, column), its in covers.items() if its == key}:
            if cells[row + 1, column][0] == "┬":
                found.update(
                    (key, covers[end_row + 1, end]) for end_row, end in _follow(cells, (row + 1, column))
                )
    assert found == set(edges)


def test_few_random_graphs_are_too_tangled_for_boxes():
    drawn = 0
    for seed in range(60):
        chance = random.Random(seed)
        keys = [f"n{i}" for i in range(chance.randrange(2, 9))]
        edges = [(a, b) for i, a in enumerate(keys) for b in keys[i + 1 :] if chance.random() < 0.35]
        drawn += draw_boxes({key: Box([[(key, "label")]]) for key in keys}, edges, width=120) is not None
    assert drawn >= 50


# --- svg ------------------------------------------------------------------------------------------------


def test_an_svg_tells_each_task_and_its_state_to_a_screen_reader():
    root = ElementTree.fromstring(to_svg(NODES, DIAMOND, title="flights"))
    assert root.get("aria-label") == "flights: 1 cached, 1 succeeded, 1 running, 1 queued"
    labels = [g.get("aria-label") for g in root.iter(f"{SVG}g") if g.get("role") == "img"]
    assert labels == ["pull: cached · 6,099 rows", "a: succeeded", "b: running · cell 3/7", "compare: queued"]


def test_an_svg_stands_alone_and_leaves_the_page_around_it_alone():
    text = to_svg(NODES, DIAMOND)
    assert "prefers-color-scheme:dark" in text
    style = ElementTree.fromstring(text).find(f"{SVG}style").text
    selectors = re.findall(r"(?:^|[}{])([^{}@]+){", style)
    assert selectors
    assert all(part.startswith(".mlops-graph") for rule in selectors for part in rule.split(","))
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_an_svg_contains_every_node_and_edge_once():
    root = ElementTree.fromstring(to_svg(NODES, [*DIAMOND, DIAMOND[0]]))
    assert [g.get("data-task") for g in root.iter(f"{SVG}g") if g.get("data-task")] == [n.key for n in NODES]
    edges = [g.find(f"{SVG}title").text for g in root.iter(f"{SVG}g") if g.get("class") == "edge"]
    assert edges == ["pull → a", "pull → b", "a → compare", "b → compare"]


def test_nodes_of_an_svg_do_not_overlap_and_stay_inside():
    nodes = [Node(key=f"train[{i}]", detail="x" * i) for i in range(30)]
    root = ElementTree.fromstring(to_svg([*nodes, Node(key="join")], [(n.key, "join") for n in nodes]))
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = []
    for group in root.iter(f"{SVG}g"):
        if group.get("data-task"):
            x, y = map(float, re.findall(r"[\d.]+", group.get("transform"))[:2])
            rect = group.find(f"{SVG}rect")
            boxes.append((x, y, x + float(rect.get("width")), y + float(rect.get("height"))))
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left > 0
        assert right < width
        assert top > 0
        assert bottom < height
        assert all(
            right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            for other in boxes[i + 1 :]
        )


def test_names_cannot_break_out_of_an_svg():
    evil = '"><script>alert(1)</script>&'
    root = ElementTree.fromstring(to_svg([Node(key=evil, detail=evil)], [], title=evil))
    assert not list(root.iter(f"{SVG}script"))


def test_states_can_be_read_on_either_ground():
    """WCAG's 3:1 for what is no text, on both grounds; a light page in a dark JupyterLab included."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    for light, dark in COLORS.values():
        assert contrast(light, "#ffffff") >= 3
        assert contrast(light, "#111111") >= 3
        assert contrast(dark, "#0d1117") >= 3


# --- mermaid --------------------------------------------------------------------------------------------


def test_a_mermaid_flowchart():
    assert to_mermaid(NODES[:3], DIAMOND[:2]) == (
        "flowchart LR\n"
        '  t0["↺ pull<br/><small>6,099 rows</small>"]\n'
        '  t1["✔ a"]\n'
        '  t2["● b<br/><small>cell 3/7</small>"]\n'
        "  t0 --> t1\n"
        "  t0 --> t2\n"
        "  classDef cached stroke:#0e8a8a,stroke-width:2px\n"
        "  class t0 cached\n"
        "  classDef running stroke:#0969da,stroke-width:2px\n"
        "  class t2 running\n"
        "  classDef succeeded stroke:#1a7f37,stroke-width:2px\n"
        "  class t1 succeeded\n"
    )


@given(st.text(min_size=1))
def test_names_cannot_break_out_of_a_mermaid_label(name):
    text = to_mermaid([Node(key=name)], [])
    assert re.fullmatch(r'flowchart LR\n  t0\["[^"\n<>]*"\]\n', text)


# --- text -----------------------------------------------------------------------------------------------


@given(st.text(), st.integers(0, 40))
def test_shortened_text_fits(text, most):
    assert columns(shorten(text, most)) <= most


def test_wide_characters_take_two_columns():
    assert columns("東京") == 4
    assert columns("e\u0301") == 1
    assert shorten("東京都", 5) == "東京…"
