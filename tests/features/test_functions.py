"""What a function is: its digest changes when it would compute something else, and only then."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.features import functions


def make(source: str, **names: Any) -> FunctionType:
    """A function as a notebook's cell makes it, with a text that `inspect` finds."""
    import linecache

    text = textwrap.dedent(source)
    path = f"<cell {abs(hash(text))}>"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    namespace: dict[str, Any] = {"__name__": "__main__", **names}
    exec(compile(text, path, "exec"), namespace)
    made = namespace["f"]
    assert isinstance(made, FunctionType)
    return made


PLAIN = "def f(x):\n    return x + 1\n"


def test_comments_and_layout_do_not_count() -> None:
    other = "def f( x ):  # why\n\n    # because\n    return (x\n            + 1)\n"
    assert functions.digest_of(make(PLAIN)) == functions.digest_of(make(other))


@pytest.mark.parametrize(
    "other",
    ["def f(x):\n    return x + 2\n", "def f(x, y=1):\n    return x + 1\n", "def f(y):\n    return y + 1\n"],
)
def test_other_code_counts(other: str) -> None:
    assert functions.digest_of(make(PLAIN)) != functions.digest_of(make(other))


def test_constants_defaults_and_helpers_count() -> None:
    uses = "def f(x):\n    return helper(x) * FACTOR\n"
    one, two = make("def f(x): return x"), make("def f(x): return -x")
    first = functions.digest_of(make(uses, helper=one, FACTOR=2))
    assert functions.digest_of(make(uses, helper=one, FACTOR=2)) == first
    assert functions.digest_of(make(uses, helper=one, FACTOR=3)) != first
    assert functions.digest_of(make(uses, helper=two, FACTOR=2)) != first
    assert functions.digest_of(make(uses, helper=one, FACTOR=2, other=9)) == first

    def closing(over: int) -> FunctionType:
        def f(x: int) -> int:
            return x + over

        return f

    assert functions.digest_of(closing(1)) != functions.digest_of(closing(2))


def test_functions_that_call_each_other_have_a_digest() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("def f(x): return g(x)\ndef g(x): return f(x)", namespace)
    assert len(functions.digest_of(namespace["f"])) == 64


def test_it_runs_where_nobody_has_seen_it(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    (tmp_path / "my_helpers.py").write_text("FACTOR = 3\ndef scale(x):\n    return x * FACTOR\n")
    sys.path.insert(0, str(tmp_path))
    try:
        import my_helpers  # type: ignore[import-not-found]

        kept = functions.capture(
            make("def f(x):\n    return my_helpers.scale(x) + K\n", my_helpers=my_helpers, K=1), blobs
        )
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("my_helpers", None)
    code = f"""
from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.features import definitions, functions
kept = definitions.Function(name="f", source="", digest="", blob={kept.blob!r})
print(functions.load(kept, BlobStore({str(tmp_path / "blobs")!r}))(2))
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd="/") == "7\n"
    assert kept.source.startswith("def f(x)")


def test_what_cannot_be_kept_is_named(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    with (
        (tmp_path / "log").open("w") as file,
        pytest.raises(InvalidInput, match="refers to 'file'") as caught,
    ):
        functions.capture(make("def f(x):\n    file.write(x)\n", file=file), blobs)
    assert "inside" in caught.value.hint
    with pytest.raises(InvalidInput, match="not a Python function"):
        functions.capture(print, blobs)
