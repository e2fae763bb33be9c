"""How the line of a magic is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.magics.options import Argument, Option, Syntax, read, split

SYNTAX = Syntax(
    arguments=[
        Argument(name="NAME", help=""),
        Argument(name="MODEL", help="", kind="expression", is_required=False),
    ],
    options=[
        Option(name="metric", short="m", help="", kind="expression", is_pair=True),
        Option(name="tag", help="", is_pair=True),
        Option(name="parameters", short="p", help="", is_pair=True, is_two_words=True),
        Option(name="alias", help="", is_repeated=True),
        Option(name="check", help="", choices=("quick", "full")),
        Option(name="order-by", help=""),
        Option(name="force", help="", kind="flag"),
    ],
)


def values(line: str) -> dict[str, object]:
    return dict(read(SYNTAX, line, lambda text: eval(text, {"week": 21})).values)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("delay", {"name": "delay"}),
        ("delay max(1, 2)", {"name": "delay", "model": 2}),
        ("delay --metric auc=round(0.91, 1)", {"name": "delay", "metric": {"auc": 0.9}}),
        ("delay -m a=1 -m b={'x': 2}['x']", {"name": "delay", "metric": {"a": 1, "b": 2}}),
        ("delay --tag note='two words'", {"name": "delay", "tag": {"note": "two words"}}),
        ("delay --tag week={week + 1}", {"name": "delay", "tag": {"week": "22"}}),
        ("delay -p week 21 -p url=a=b", {"name": "delay", "parameters": {"week": "21", "url": "a=b"}}),
        ("delay --alias a --alias=b", {"name": "delay", "alias": ["a", "b"]}),
        ("--force delay --order-by=auc", {"name": "delay", "force": True, "order_by": "auc"}),
        ("delay 'a -- b'", {"name": "delay", "model": "a -- b"}),
    ],
)
def test_what_a_line_means(line: str, expected: dict[str, object]) -> None:
    assert values(line) == expected


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("", "NAME is missing", "usage: NAME [MODEL] [options]"),
        ("delay 1 2", "'2' is one word too many", "it takes NAME, MODEL"),
        ("delay --metrc auc=1", "there is no option --metrc", "did you mean '--metric'?"),
        ("delay --metric", "--metric needs a value", "--metric KEY=EXPRESSION"),
        ("delay --metric 0.9", "--metric 0.9: that is no key=value", "--metric KEY=EXPRESSION"),
        ("delay -p week", "--parameters week needs a value", "--parameters KEY=TEXT"),
        ("delay --check ful", "--check takes quick, full, not ful", "did you mean 'full'?"),
        ("delay --force=1", "--force takes no value", ""),
        ("delay max(1, 2", "max(1, 2: ')' is missing at its end", ""),
        ("delay 'a", "'a: \"'\" is missing at its end", ""),
    ],
)
def test_a_slip_is_named_with_its_cure(line: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        values(line)
    assert (raised.value.message, raised.value.hint) == (message, hint)


def test_nothing_is_evaluated_before_all_words_are_understood() -> None:
    def evaluate(text: str) -> object:
        raise AssertionError(text)

    with pytest.raises(InvalidInput, match="no option"):
        read(SYNTAX, "delay model --metric auc=1 --wrong", evaluate)


@given(st.text(alphabet="ab1 '\"()[]{}=-\\,.", max_size=40))
def test_any_line_is_parted_without_loss_or_refused(line: str) -> None:
    try:
        words = split(line)
    except InvalidInput:
        words = split(line, is_partial=True)
    assert "".join("".join(word.text for word in words).split()) == "".join(line.split())
    for word in words:
        assert line[word.start :].startswith(word.text)
