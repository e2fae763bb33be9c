"""The readers of code, ELF files and locks: whatever they are given, they answer, and what is spelled out is found."""

from __future__ import annotations

import ast
import keyword
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.promotion import files, guards, indexes, installs, literals, lock, sources, stripping
from jupyter_mlops.promotion.elf import read_linked

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))
paths = st.lists(st.from_regex(r"[a-zA-Z0-9_-]{1,8}", fullmatch=True), min_size=1, max_size=4)


@given(st.text(max_size=200))
def test_any_cell_is_read(text: str) -> None:
    nb = {"metadata": {}, "cells": [{"cell_type": "code", "metadata": {}, "source": text}]}
    sources.read_notebook(nb, "n.ipynb", (3, 11))
    sources.read_module(text.encode("utf-8", "replace"), "m.py", (3, 11), file="m.py")
    stripping.without_installs(text)
    installs.of_command(text, "here")
    installs.of_file(text, "here")
    installs.of_script(text, "here")
    installs.parse(installs.Install(text, "here", "%pip"))


magics = st.sampled_from(
    ["%pip ", "!pip ", "!apt-get ", "%%bash\n", "%conda ", "!sudo ", "%", "!", "# /// script\n# "]
)
words = st.sampled_from(
    ["install", "-r", "-e", "x==1", "--upgrade", "&&", ";", "'", "{a}", "$X", "\\\n", "git+https://h/n"]
)


@given(magics, st.lists(words, max_size=6), st.booleans())
def test_any_command_is_read_and_keeps_its_lines(magic: str, rest: list[str], is_indented: bool) -> None:
    text = f"{'  ' if is_indented else ''}{magic}{' '.join(rest)}\nx = 1"
    nb = {"metadata": {}, "cells": [{"cell_type": "code", "metadata": {}, "source": text}]}
    sources.read_notebook(nb, "n.ipynb", (3, 11))
    assert stripping.without_installs(text).count("\n") == text.count("\n")


@given(st.lists(st.tuples(names, names), min_size=1, max_size=6), st.booleans())
def test_every_import_is_found(modules: list[tuple[str, str]], is_late: bool) -> None:
    lines = [
        f"import {top}.{inner}" if len(top) % 2 else f"from {top} import {inner} as x"
        for top, inner in modules
    ]
    lines = ["def f():", *(f"    {line}" for line in lines)] if is_late else lines
    nb = {"metadata": {}, "cells": [{"cell_type": "code", "metadata": {}, "source": "\n".join(lines)}]}
    found = {one.module for one in sources.read_notebook(nb, "n.ipynb", (3, 11)).imports}
    assert found == {f"{top}.{inner}" for top, inner in modules}


@given(paths, st.sampled_from(["div", "join", "joinpath", "f", "add", "nested"]))
def test_a_path_is_evaluated_as_python_would(parts: list[str], how: str) -> None:
    quoted = [repr(part) for part in parts]
    source = {
        "div": "Path(" + ") / (".join(quoted) + ")",
        "join": f"os.path.join({', '.join(quoted)})",
        "joinpath": f"Path({quoted[0]}).joinpath({', '.join(quoted[1:])})",
        "f": "f'" + "/".join("{A}" if index == 0 else part for index, part in enumerate(parts)) + "'",
        "add": " + '/' + ".join(quoted),
        "nested": f"str(Path(Path({', '.join(quoted)}).parent, {quoted[-1]}).resolve())",
    }[how]
    tree = ast.parse(f"A = {quoted[0]}\nB = {source}")
    assert literals.constants([tree])["B"].removeprefix("./") == "/".join(parts)


@given(st.text(alphabet="ab()[]{}'\"/.+%f,:=\n _0", max_size=60))
def test_whatever_parses_is_evaluated_without_being_run(text: str) -> None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    known = literals.constants([tree], file="x.py")
    files.mentions(tree, known)
    guards.split(tree, (3, 11))


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("if TYPE_CHECKING:\n import a\nelse:\n import b", {"b"}),
        ("if not typing.TYPE_CHECKING:\n import a", {"a"}),
        ("if sys.version_info[:2] >= (3, 12):\n import a\nelse:\n import b", {"b"}),
        ("if sys.version_info[0] == 2:\n import a", set()),
        ("if os.name == 'nt' or sys.platform == 'win32':\n import a", set()),
        ("if os.name == 'posix' and unknown:\n import a", {"a"}),
        ("if platform.system() == 'Darwin':\n import a", set()),
        ("if (3, 'x') > sys.version_info:\n import a", {"a"}),
        ("if (3, 'x') > (3, 11):\n import a", {"a"}),
        ("if 0:\n import a", set()),
        ("while True:\n import a", {"a"}),
        ("a = __import__('a')", {"a"}),
    ],
)  # fmt: skip
def test_branches_that_are_not_taken(code: str, modules: set[str]) -> None:
    tree = ast.parse(code)
    before = ast.dump(tree)
    try:
        found = sources.read_module(code.encode(), "m.py", (3, 11), file="m.py")
    finally:
        assert ast.dump(tree) == before
    assert {one.module for one in found.imports} == modules


@given(
    needs=st.lists(
        st.from_regex(r"lib[a-zA-Z0-9_+-]{1,20}\.so(\.[0-9]{1,3}){0,2}", fullmatch=True), max_size=12
    ),
    has_name=st.booleans(),
)
def test_what_a_shared_object_links_to(
    tmp_path_factory: pytest.TempPathFactory, make_elf: Callable[..., bytes], needs: list[str], has_name: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "linked-by-a-test.so"
    path.write_bytes(make_elf(needs, "libmine.so.1" if has_name else ""))
    assert read_linked(path) == (tuple(needs), "libmine.so.1" if has_name else "")


@settings(max_examples=2 * settings.default.max_examples)
@given(data=st.binary(max_size=300), at=st.integers(0, 299))
def test_a_broken_shared_object_is_none(
    tmp_path_factory: pytest.TempPathFactory, make_elf: Callable[..., bytes], data: bytes, at: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "broken-by-a-test.so"
    whole = make_elf(["libc.so.6", "libm.so.6"])
    for content in (whole[:at] + data + whole[at + len(data) :], whole[:at]):
        path.write_bytes(content)
        read_linked(path)


def test_a_real_extension_module_is_read() -> None:
    import zmq.backend.cython._zmq as module

    found = read_linked(Path(module.__file__))
    assert found is not None
    assert "libc.so.6" in found.needs
    assert read_linked(Path(sys.prefix, "pyvenv.cfg")) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a==1 ; sys_platform == 'linux' \\\n    --hash=sha256:1", "a==1 \\\n    --hash=sha256:1"),
        ("a==1 ; platform_machine == 'x86_64'", "a==1 ; platform_machine == 'x86_64'"),
        ("a==1 ; sys_platform == 'win32' \\\n    --hash=sha256:1", ""),
        ("a==1 ; python_full_version < '3.11'\nb==2", "b==2"),
        ("a @ git+https://h/n@c ; sys_platform == 'linux'", "a @ git+https://h/n@c"),
    ],
)
def test_markers_that_hold_everywhere_are_left_out(line: str, expected: str) -> None:
    found = lock.simplified(line, "3.11", ["x86_64", "aarch64"])
    assert found.strip() == expected


class TestIndexes:
    def test_pip_is_asked_where_uv_says_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "pip.conf").write_text(
            "[global]\nindex-url = https://me:pw@one/simple\nextra-index-url =\n  https://two\n  https://three\n"
            "find_links = /wheels\n[install]\ncert = /ca.pem\n"
        )
        environ = {
            "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
            "HOME": str(tmp_path),
            "XDG_CONFIG_DIRS": str(tmp_path),
        }
        made = indexes.uv_environment(environ)
        assert made["UV_DEFAULT_INDEX"] == "https://me:pw@one/simple"
        assert made["UV_INDEX"] == "https://two https://three"
        assert (made["UV_FIND_LINKS"], made["SSL_CERT_FILE"]) == ("/wheels", "/ca.pem")
        assert "UV_INDEX" not in indexes.uv_environment(environ, has_extra=False)
        assert indexes.uv_environment({**environ, "UV_DEFAULT_INDEX": "mine"})["UV_DEFAULT_INDEX"] == "mine"
        assert (
            indexes.uv_environment({**environ, "PIP_INDEX_URL": "https://four"})["UV_DEFAULT_INDEX"]
            == "https://four"
        )

    @pytest.mark.parametrize(("name", "head"), [("uv.toml", ""), ("pyproject.toml", "tool.uv.")])
    def test_a_projects_own_indexes(self, tmp_path: Path, name: str, head: str) -> None:
        (tmp_path / name).write_text(
            f'{head}find-links = ["wheels"]\n{head}index-strategy = "first-index"\n'
            f'[[{head}index]]\nname = "team"\nurl = "https://team/simple"\n'
            f'[[{head}index]]\nurl = "https://mirror/simple"\ndefault = true\n'
            f'[[{head}index]]\nname = "cpu"\nurl = "https://cpu/simple"\nexplicit = true\n'
        )
        assert indexes.project_environment(tmp_path) == {
            "UV_INDEX": "team=https://team/simple",
            "UV_DEFAULT_INDEX": "https://mirror/simple",
            "UV_FIND_LINKS": str(tmp_path / "wheels"),
            "UV_INDEX_STRATEGY": "first-index",
        }
        (tmp_path / name).write_text("no toml [")
        assert indexes.project_environment(tmp_path) == {}

    def test_a_broken_file_is_pips_business(self, tmp_path: Path) -> None:
        (tmp_path / "pip.conf").write_text("no [section")
        assert (
            indexes.pip_settings({"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "HOME": str(tmp_path)})
            is not None
        )
        assert indexes.pip_settings({"PIP_CONFIG_FILE": "/dev/null"}) == {}

    def test_no_password_in_a_message(self) -> None:
        assert indexes.without_secrets("error: https://me:pw@one/simple and git+https://t@h/x") == (
            "error: https://one/simple and git+https://h/x"
        )
