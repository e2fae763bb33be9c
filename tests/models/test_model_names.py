"""Names of models and references to them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.models import ModelReference, parse_model_reference
from jupyter_mlops.models.names import check_alias, check_name

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}", fullmatch=True).filter(
    lambda name: name.lower() not in ("con", "prn", "aux", "nul") and name[:3].lower() not in ("com", "lpt")
)
aliases = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True).filter(
    lambda a: a.lower() != "latest"
)


@given(name=names, version=st.integers(1, 10**9), alias=aliases)
def test_a_reference_reads_back_what_it_writes(name: str, version: int, alias: str) -> None:
    for reference in (ModelReference(name), ModelReference(name, version), ModelReference(name, alias=alias)):
        assert parse_model_reference(str(reference)) == reference
        assert parse_model_reference(str(reference).removeprefix("models:/")) == reference


def test_the_newest_version_may_be_called_latest() -> None:
    assert (
        parse_model_reference("models:/m/latest") == parse_model_reference("m@latest") == ModelReference("m")
    )


@given(text=st.text(max_size=40))
def test_any_text_is_a_reference_or_is_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert check_name(parse_model_reference(text).name) in text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a%2fb",
        "../x",
        "a/b",
        "a..b",
        ".hidden",
        "-x",
        "con",
        "NUL.txt",
        "com1",
        "é",
        "x" * 129,
        "a\n",
        "a\0",
        None,
        3,
    ],
)
def test_a_name_that_some_system_would_misread_is_refused(name: object) -> None:
    with pytest.raises(InvalidInput, match="cannot name a model"):
        check_name(name)


@pytest.mark.parametrize("text", ["m/0", "m/-1", "m/1.5", "m/x", "m/01"])
def test_a_version_is_a_number_from_one(text: str) -> None:
    with pytest.raises(InvalidInput, match="no version"):
        parse_model_reference(text)


@pytest.mark.parametrize("alias", ["", "3", "latest", "Latest", "a b", "a/b", "x" * 65])
def test_an_alias_is_a_word_and_never_latest(alias: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be an alias"):
        check_alias(alias)
