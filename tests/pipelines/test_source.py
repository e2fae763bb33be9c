import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.pipelines.source import Reader


def read(text: str) -> tuple[object, list[str]]:
    reader = Reader("p.yaml")
    node = reader.read(text)
    return (None if node is None else node.plain()), [str(problem) for problem in reader.problems]


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = "{on: yes, no: NO, a: 007, b: 1e3, c: 0x1f, d: 2024-01-01, e: 1:30, f: ~, "
    text += "g: , h: '1', i: 1.10, j: True}"
    assert read(text) == (
        {
            "on": "yes", "no": "NO", "a": "007", "b": 1000.0, "c": 31, "d": "2024-01-01", "e": "1:30",
            "f": None, "g": None, "h": "1", "i": 1.1, "j": True,
        },
        [],
    )  # fmt: skip
    assert read("[.inf, -.inf, !!str 12, !!int 12, -5, +3]") == ([math.inf, -math.inf, "12", 12, -5, 3], [])
    value, _ = read("[.nan]")
    assert isinstance(value, list)
    assert math.isnan(value[0])


def test_lines_are_kept_for_keys_and_values() -> None:
    node = Reader("p.yaml").read("a: 1\nb:\n  c: 2\n  d:\n    - 3\n    - 4\n")
    assert node is not None
    assert node.lines == {"a": 1, "b": 2}
    assert node.value["b"].lines == {"c": 3, "d": 4}
    assert [item.line for item in node.value["b"].value["d"].value] == [5, 6]


def test_integer_keys_stay_integers() -> None:
    assert read("{1: a, 2: b}") == ({1: "a", 2: "b"}, [])


def test_anchors_and_merge_keys_work_and_own_keys_win() -> None:
    assert read("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne: {<<: [*x, {f: 4, b: 5}]}") == (
        {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}, "e": {"b": 1, "c": 2, "f": 4}},
        [],
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", "p.yaml:3: 'a' stands twice (the first is at line 1; drop one of them)"),
        ("a: b: c", "p.yaml:1: not YAML: mapping values are not allowed"),
        ("a: [1,", "p.yaml:2: not YAML"),
        ("\ta: 1", "p.yaml:1: not YAML: found character that cannot start any token (indent with spaces"),
        ("", "p.yaml:1: the file is empty"),
        ("# only this", "p.yaml:1: the file is empty"),
        ("a: 1\n---\nb: 2", "p.yaml:2: a second document begins"),
        ("a: !foo 1", "p.yaml:1: the tag '!foo' is not known"),
        ("a: !!int x", "p.yaml:1: 'x' is no int"),
        ("? [a]\n: 1", "p.yaml:1: a key must be plain text or a number"),
        ("a: *b", "p.yaml:1: *b stands for nothing that is defined before it"),
        ("a: &a [*a]", "p.yaml:1: *a stands for nothing that is defined before it"),
        ("a: {<<: 3}", "p.yaml:1: << takes a mapping"),
        ("a: \x00", "p.yaml:1: not YAML"),
        ("[" * 100_000, "p.yaml:1: nested too deeply"),
        ("a: " + "1" * 5000, "p.yaml:1: '1111"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, problem: str) -> None:
    _, problems = read(text)
    assert problems[0].startswith(problem)


def test_aliases_of_aliases_do_not_eat_the_memory() -> None:
    levels = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    _, problems = read("a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + levels)
    assert "aliases that stand for too much" in problems[0]


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@,?\n \t019.<~"))
def test_any_text_is_read_or_one_clear_problem(text: str) -> None:
    reader = Reader("p.yaml")
    assert reader.read(text) is not None or reader.problems
