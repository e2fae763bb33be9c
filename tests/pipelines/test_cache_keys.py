from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.pipelines.cache import explain, task_key

OLD = {
    "code": {"train.ipynb": "sha256:" + "a" * 64},
    "arguments": {"week": "20", "gone": "1"},
    "inputs": {"rows": "b" * 64},
    "files": {"data/a.csv": "c" * 64},
    "modules": {"features.py": "d" * 64},
    "distributions": {"scikit-learn": "1.8", "pandas": "2.2"},
    "kernel": "python3",
    "env": {"MODE": "fast"},
}
NEW = {
    "code": {"train.ipynb": "sha256:" + "e" * 64},
    "arguments": {"week": "21", "limit": "5"},
    "inputs": {"rows": "f" * 64},
    "files": {"data/b.csv": "c" * 64},
    "modules": {"features.py": "1" * 64},
    "distributions": {"scikit-learn": "1.9", "pandas": "2.2"},
    "kernel": "ir",
    "env": {"MODE": "slow"},
    "image": {"base": "x"},
}


def test_differences_are_sentences() -> None:
    assert explain(OLD, NEW) == [
        "code of train.ipynb changed",
        "argument gone is gone",
        "argument limit is new: 5",
        "argument week: 20 → 21",
        "input rows changed",
        "file data/a.csv is gone",
        "file data/b.csv is new",
        "module features.py changed",
        "scikit-learn 1.8 → 1.9",
        "kernel python3 → ir",
        "environment variable MODE: fast → slow",
        "image base is new: x",
    ]


def test_long_values_are_not_shown() -> None:
    assert explain({"arguments": {"x": "a" * 100}}, {"arguments": {"x": "b"}}) == ["argument x changed"]


def test_equal_components_have_nothing_to_tell_and_one_key_whatever_their_order() -> None:
    turned = {kind: OLD[kind] for kind in reversed(OLD)}
    assert explain(OLD, turned) == []
    assert task_key(OLD) == task_key(turned)
    assert task_key({**OLD, "image": {}}) == task_key(OLD)


PARTS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2", "x" * 64]), max_size=2)
COMPONENTS = st.dictionaries(st.sampled_from(["code", "arguments", "env"]), PARTS, max_size=3)


@given(COMPONENTS, COMPONENTS)
def test_keys_differ_exactly_when_there_is_something_to_tell(
    old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]
) -> None:
    assert (task_key(old) != task_key(new)) is bool(explain(old, new))
