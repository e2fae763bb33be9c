from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.fingerprint import digest_bytes, digest_file, fingerprint


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [1.5, None, 2.5], **columns})


FRAMES = [
    frame(),
    frame()[["b", "a", "c"]],
    frame().iloc[::-1],
    frame().set_index("a"),
    frame().rename(columns={"a": "A"}),
    frame().rename_axis("rows"),
    frame(a=[1, 2, 4]),
    frame(b=["x", "y", ""]),
    frame(b=["xy", "", None]),
    frame(c=[1.5, 0.0, 2.5]),
    frame().astype({"a": "int32"}),
    frame().astype({"a": "Int64"}),
    frame().astype({"b": "category"}),
    frame().astype({"b": object}),
    frame(d=pd.to_datetime(["2026-01-01"] * 3)),
    frame(d=pd.to_datetime(["2026-01-01"] * 3, utc=True)),
    frame(d=pd.to_datetime(["2026-01-01"] * 3, utc=True).tz_convert("Europe/Paris")),
    frame(d=[[1], [2], [3]]),
    frame(d=[(1,), (2,), (3,)]),
    frame().set_index(["a", "b"]),
    frame()["a"],
    frame()["a"].rename("b"),
    frame()["a"].to_numpy(),
    frame()["a"].to_numpy().reshape(3, 1),
    pd.Index([1, 2, 3]),
    pd.RangeIndex(1, 4, name="r"),
    pa.table({"a": [1, 2, 3]}),
    pa.table({"a": [1, 2, None]}),
    pa.table({"a": pa.array([1, 2, 3], "int8")}),
    pa.table({"a": ["1", "2", "3"]}),
    pd.Timestamp("2026-01-01"),
    pd.Timestamp("2026-01-01", tz="UTC"),
    pd.Timedelta(1),
]
PLAIN: list[Any] = [
    None, False, True, 0, 1, -1, 0.0, -0.0, 1.0, float("nan"), float("inf"), 1j, "", "1", "None", b"", b"1",
    bytearray(b"1"), [], (), {}, set(), frozenset(), [[]], [1], (1,), {1}, frozenset({1}), {"a": 1}, {1: "a"},
    {"1": "a"}, ["a", "b"], ["ab"], ["b", "a"], [["a"], "b"], [["a", "b"]], date(2026, 1, 1), timedelta(1),
    datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=ZoneInfo("Europe/Paris")), Decimal("1"),
    Decimal("1.0"), range(3), range(4), PurePosixPath("1"), np.int64(1), np.int32(1), np.float64(1),
    np.str_("1"), np.array(1), np.array([1]), np.array(["1"], dtype=object), np.bool_(True), pd.NA, pd.NaT,
    np.datetime64("2026-01-01"),
]  # fmt: skip


def test_different_values_have_different_fingerprints() -> None:
    everything = [*PLAIN, *FRAMES]
    assert len({fingerprint(value) for value in everything}) == len(everything)


@pytest.mark.parametrize("value", FRAMES, ids=range(len(FRAMES)))
def test_a_copy_has_the_same_fingerprint(value: Any) -> None:
    if isinstance(value, pa.Table):
        copy = pa.concat_tables([value.slice(0, 1), value.slice(1)])  # other chunks, the same content
    else:
        copy = value.copy() if hasattr(value, "copy") else type(value)(value)
    assert fingerprint(copy) == fingerprint(value)


def test_the_layout_in_memory_does_not_count() -> None:
    square = np.arange(12).reshape(3, 4)
    assert fingerprint(np.asfortranarray(square)) == fingerprint(square)
    wide = pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=list("abcd"))
    apart = pd.DataFrame({name: wide[name].copy() for name in "abcd"})
    assert fingerprint(apart) == fingerprint(wide)


def test_the_order_of_mappings_and_sets_does_not_count() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint(set("abc")) == fingerprint(set("cba"))


def test_it_is_the_same_in_every_process_and_known_in_advance() -> None:
    code = "from jupyter_mlops.fingerprint import *; print(fingerprint({'a': {'x', 'y'}, 'b': [1, None]}))"
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    told = subprocess.check_output([sys.executable, "-c", code], text=True, env=env).strip()
    assert told == fingerprint({"b": [1, None], "a": {"y", "x"}})
    # Pinned: a change of the digest empties every cache, and must be meant.
    assert fingerprint("a") == "sha256:" + hashlib.sha256(b"str:1:a").hexdigest()


def test_no_library_is_imported_for_plain_values() -> None:
    code = (
        "from jupyter_mlops.fingerprint import *; import sys; fingerprint([1]); print('numpy' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_a_path_stands_for_its_content(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"same")
    other.write_bytes(b"same")
    assert fingerprint(one) == fingerprint(other)
    assert digest_file(one) == digest_bytes(b"same") == hashlib.sha256(b"same").hexdigest()
    before = fingerprint(one)
    one.write_bytes(b"not the same")
    assert fingerprint(one) != before


def test_a_folder_stands_for_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "deep" / "x").write_text("1")
    prints = [fingerprint(tmp_path)]
    (tmp_path / "a" / "y").write_text("1")
    prints.append(fingerprint(tmp_path))
    (tmp_path / "a" / "y").rename(tmp_path / "a" / "z")
    prints.append(fingerprint(tmp_path))
    assert len(set(prints)) == 3


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        fingerprint(tmp_path / "missing")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(InvalidInput, match="link"):
        fingerprint(tmp_path)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        print,
        len,
        [1, {"a": iter([])}],
        np.ma.masked_array([1]),
        np.zeros(2, "i4,i4"),
        np.random.default_rng(0),
        pd.DataFrame({"a": [print]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_certain_content_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="cannot digest"):
        fingerprint(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    knot: dict[str, Any] = {}
    knot["self"] = knot
    with pytest.raises(InvalidInput, match="contains itself"):
        fingerprint(knot)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(json_values, json_values)
def test_two_json_values_share_a_fingerprint_only_if_they_are_the_same(one: Any, other: Any) -> None:
    import json

    is_same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (fingerprint(one) == fingerprint(other)) == is_same


def test_a_large_frame_is_digested_quickly() -> None:
    import time

    many = pd.DataFrame({"n": np.arange(300_000), "text": [f"N{number % 999}" for number in range(300_000)]})
    begin = time.process_time()
    fingerprint(many)
    assert time.process_time() - begin < 2
