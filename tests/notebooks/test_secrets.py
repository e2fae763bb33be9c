"""Secrets resolve from their sources and are gone from whatever a notebook leaves behind."""

from __future__ import annotations

import base64
import html
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import keyring
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.errors import KeyringLocked

from jupyter_mlops.errors import InvalidParameter, SecretNotFound
from jupyter_mlops.notebooks.secrets import Mask, SecretReference, resolve

SECRET = "s3cr3t/Pass+word&\"'"


class InMemoryKeyring(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self, values: dict[tuple[str, str], str], *, is_locked: bool = False) -> None:
        super().__init__()
        self.values, self.is_locked = values, is_locked

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("locked")
        return self.values.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.values[service, username] = password


@pytest.fixture
def use_keyring():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


# --- references and resolution ----------------------------------------------------------------------------


def test_a_reference_is_its_name_and_never_a_value():
    reference = SecretReference.parse("secret:DB_PASSWORD")
    assert reference == SecretReference("DB_PASSWORD")
    assert str(reference) == "secret:DB_PASSWORD"
    assert repr(reference) == "SecretReference(name='DB_PASSWORD')"


@pytest.mark.parametrize(
    "text", ["secret:", "secret: of life", "my secret:X", "secret:1x", 7, None, ["secret:X"]]
)
def test_other_values_are_no_references(text: object):
    assert SecretReference.parse(text) is None


def test_the_environment_goes_before_the_dotenv_file_and_that_before_the_keyring(tmp_path: Path, use_keyring):
    dotenv = tmp_path / ".env"
    dotenv.write_text("A=from file\nB='with ${A} and # signs'\n")
    use_keyring(InMemoryKeyring({("jupyter_mlops", name): "from keyring" for name in "ABC"}))
    assert resolve("A", env={"A": "from env"}, dotenv=dotenv) == "from env"
    assert resolve("A", env={}, dotenv=dotenv) == "from file"
    assert resolve("B", env={}, dotenv=dotenv) == "with ${A} and # signs"
    assert resolve("C", env={}, dotenv=dotenv) == "from keyring"
    assert resolve("C", env={}) == "from keyring"


def test_an_unknown_secret_says_where_it_can_be_set(tmp_path: Path, use_keyring):
    use_keyring(FailKeyring())
    with pytest.raises(SecretNotFound) as caught:
        resolve("DB_PASSWORT", env={"DB_PASSWORD": "hidden value"}, dotenv=tmp_path / ".env")
    assert "DB_PASSWORT" in str(caught.value)
    for part in ("did you mean 'DB_PASSWORD'?", "environment variable", ".env", "keyring set jupyter_mlops"):
        assert part in caught.value.hint
    assert "hidden" not in caught.value.hint


def test_a_locked_keyring_counts_as_none(use_keyring):
    use_keyring(InMemoryKeyring({}, is_locked=True))
    with pytest.raises(SecretNotFound):
        resolve("A", env={})


@pytest.mark.parametrize("value", ["", "abc"])
def test_a_secret_too_short_to_mask_is_refused(value: str):
    with pytest.raises(InvalidParameter, match="could not be masked") as caught:
        resolve("PIN", env={"PIN": value})
    assert not value or value not in str(caught.value)


# --- masking ----------------------------------------------------------------------------------------------


def test_the_mask_replaces_the_value_and_says_nothing_about_it():
    mask = Mask([SECRET])
    assert mask.text(f"login with {SECRET}!") == "login with ****!"
    assert SECRET not in repr(mask)
    assert mask
    assert not Mask()


def test_without_secrets_everything_comes_back_untouched():
    output = {"output_type": "stream", "name": "stdout", "text": "abc"}
    assert Mask().text("abc") == "abc"
    assert Mask(["abc"]).output(output) == output  # three characters: ignored


@pytest.mark.parametrize(
    "form",
    [
        json.dumps(SECRET),
        json.dumps({"k": SECRET}).replace("/", "\\/"),
        repr(SECRET),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        "s3cr3t%2fPass%2bword%26%22%27",
        f"https://me:{quote(SECRET)}@host/",
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        repr(SECRET.encode()),
    ],
)
def test_the_usual_disguises_are_masked(form: str):
    masked = Mask([SECRET]).text(form)
    assert "****" in masked
    assert len(masked) < len(form)


@pytest.mark.parametrize("user", ["u", "me", "tom", "anna", "kevin"])
def test_basic_authentication_does_not_give_it_away(user: str):
    header = base64.b64encode(f"{user}:{SECRET}:after".encode()).decode()
    masked = Mask([SECRET]).text(header)
    before, after = masked.split("****")
    assert len(before) + len(after) <= len(header) - len(SECRET) * 8 // 6 + 1


def test_color_codes_inside_a_secret_do_not_hide_it_and_stay_balanced():
    text = "\x1b[0;31mValueError\x1b[0m: hunt\x1b[1mer2\x1b[22m-x and \x1b]8;;http://x\x07link\x1b]8;;\x07"
    masked = Mask(["hunter2-x"]).text(text)
    assert (
        masked == "\x1b[0;31mValueError\x1b[0m: ****\x1b[1m\x1b[22m and \x1b]8;;http://x\x07link\x1b]8;;\x07"
    )


def test_a_secret_cut_into_lines_of_a_notebook_file_is_found():
    mask = Mask(["first line\nsecond line"])
    output = {"output_type": "stream", "name": "stdout", "text": ["x first line\n", "second line y"]}
    masked = mask.output(output)
    assert "".join(masked["text"]) == "x **** y"
    assert mask.text("printed alone: second line") == "printed alone: ****"


def test_a_traceback_and_its_message_are_masked():
    output = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "bad hunter2!",
        "traceback": ["\x1b[31m---> 1\x1b[0m login('hunter2!')", "ValueError: bad hunter2!"],
    }
    masked = Mask(["hunter2!"]).output(output)
    assert masked["ename"] == "ValueError"
    assert "hunter2" not in json.dumps(masked)
    assert len(masked["traceback"]) == 2


def test_what_nbformat_names_survives_a_secret_of_the_same_name():
    output = {
        "output_type": "display_data",
        "data": {"text/plain": "plain stream stdout"},
        "metadata": {},
    }
    masked = Mask(["plain", "stream", "stdout", "display_data"]).output(output)
    assert masked == {**output, "data": {"text/plain": "**** **** ****"}}
    stream = {"output_type": "stream", "name": "stdout", "text": ""}
    assert Mask(["stream", "stdout"]).output(stream) == stream


def test_a_notebook_is_masked_in_outputs_sources_metadata_and_attachments():
    nb = {
        "cells": [
            {
                "cell_type": "code",
                "id": "a",
                "source": "key = 'hunter2!'",
                "metadata": {"papermill": {"exception": "hunter2!"}},
                "execution_count": 1,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "hunter2!"}],
            },
            {"cell_type": "markdown", "source": "x", "metadata": {}, "attachments": {"a": {"b": "hunter2!"}}},
        ],
        "metadata": {"papermill": {"parameters": {"k": "hunter2!"}}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    masked = Mask(["hunter2!"]).notebook(nb)
    assert json.dumps(masked) == json.dumps(nb).replace("hunter2!", "****")
    assert "hunter2!" in json.dumps(nb)  # the original is not changed


def test_a_secret_that_is_a_number_is_masked_where_it_became_one():
    data = {"application/json": {"pin": 918273, "list": [918273.0, 7, True]}}
    masked = Mask(["918273"]).output({"output_type": "display_data", "data": data, "metadata": {}})
    assert masked["data"]["application/json"] == {"pin": "****", "list": ["****", 7, True]}


def test_a_secret_made_of_asterisks_is_masked_by_something_else():
    for secret in ("****", "***a", "a***•"):
        masked = Mask([secret]).text(f"x{secret}*a*")
        assert secret not in masked


# Secrets as people have them, and strange ones.
SECRETS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=20)
JSON_FILL = st.text(max_size=10)


def _embeddings(secret: str) -> st.SearchStrategy[Any]:
    """JSON values of any shape that hold the secret in one of the forms that we promise to find."""
    forms = st.sampled_from(
        [secret, json.dumps(secret), repr(secret), html.escape(secret), quote(secret), quote(secret, safe="")]
    )
    leaf = st.builds(lambda before, form, after: before + form + after, JSON_FILL, forms, JSON_FILL)
    return st.recursive(
        leaf | st.none() | st.integers() | JSON_FILL,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(JSON_FILL | leaf, inner, max_size=3),
        max_leaves=8,
    )


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _strings(part)]
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []


@given(st.data(), st.lists(SECRETS, min_size=1, max_size=3))
def test_no_output_keeps_a_secret_wherever_it_stands(data: st.DataObject, secrets: list[str]):
    secret = data.draw(st.sampled_from(secrets))
    assume(secret not in "display_data metadata text/plain application/json image/png")
    body = _embeddings(secret)
    output = {
        "output_type": "display_data",
        "data": {mime: data.draw(body) for mime in ("text/plain", "application/json", "image/png")},
        "metadata": {"any": data.draw(body)},
    }
    masked = Mask(secrets).output(output)
    for text in _strings([masked["data"], masked["metadata"]]):
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text


@given(SECRETS, st.text(max_size=30), st.text(max_size=30))
def test_what_is_not_secret_stays(secret: str, before: str, after: str):
    mask = Mask([secret])
    text = before + after
    assume(not any(form in text for form in mask.forms))
    assert mask.text(text) == text


# --- streams ----------------------------------------------------------------------------------------------


@given(
    SECRETS,
    st.lists(st.text("ab \n\x1b[m1", max_size=5), max_size=4),
    st.integers(1, 7),
)
def test_a_stream_cut_anywhere_shows_what_the_whole_text_would(secret: str, parts: list[str], step: int):
    mask = Mask([secret, secret + "tail"])
    text = (secret + "ta").join(["", *parts, "end"])
    stream = mask.stream()
    chunks = [stream.feed(text[at : at + step]) for at in range(0, len(text), step)]
    shown = "".join([*chunks, stream.flush()])
    assert secret not in shown
    assert shown == mask.text(text)


def test_ordinary_text_is_shown_at_once():
    stream = Mask(["hunter2!"]).stream()
    assert stream.feed("epoch 1\n") == "epoch 1\n"
    assert stream.feed("password: hun") == "password: "
    assert stream.feed("ter2!\n") == "****\n"
    assert stream.feed("hun") == ""
    assert stream.flush() == "hun"


def test_megabytes_are_searched_in_milliseconds():
    text = "an ordinary line of output\n" * 40_000  # 1 MB
    mask = Mask(["hunter2!", "another-token-0123456789"])
    started = time.process_time()
    assert mask.text(text) is text
    assert time.process_time() - started < 0.5
