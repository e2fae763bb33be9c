"""Problems that would stop a run are found before it; IPython's syntax is understood without IPython."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.notebooks.lint import lint
from jupyter_mlops.notebooks.source import parse_cell, to_python


def notebook(*sources: Any, **metadata: Any) -> dict[str, Any]:
    """Code cells; a pair is source and tag, a list is prose."""
    cells = []
    for source in sources:
        if isinstance(source, list):
            cells.append({"cell_type": "markdown", "source": source[0], "metadata": {}})
            continue
        text, *tags = (source,) if isinstance(source, str) else source
        cells.append({"cell_type": "code", "source": text, "metadata": {"tags": tags}, "outputs": []})
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def found(*sources: Any, **options: Any) -> list[str]:
    return [str(problem) for problem in lint(notebook(*sources), "train.ipynb", **options)]


# --- undefined names --------------------------------------------------------------------------------------


def test_an_undefined_name_is_told_with_cell_line_and_cure():
    problems = lint(notebook(["# Prose"], "frame = 1", "x = 2\nprint(fram)\n"), "train.ipynb")
    assert [str(problem) for problem in problems] == [
        "train.ipynb, cell 3, line 2: undefined name 'fram' (did you mean 'frame'?)"
    ]
    assert problems[0].severity == "error"


def test_a_name_that_is_defined_later_only_is_told_so():
    assert found("print(model)", "x = 1", "model = 1") == [
        "train.ipynb, cell 1, line 1: undefined name 'model' "
        "(it is defined in cell 3 only; a run executes cells from top to bottom)"
    ]


def test_a_forgotten_usual_import_is_spelled_out():
    assert found("pd.read_csv('x')")[0].endswith("undefined name 'pd' (import pandas as pd)")


@pytest.mark.parametrize(
    "sources",
    [
        ["import os", "os.getcwd()"],
        ["def f():\n    return later", "later = 1"],
        ["from math import *", "sin(1)"],
        ["try:\n    x\nexcept NameError:\n    x = 1"],
        ["display(get_ipython(), In, Out, _, __, _3, _i7)"],
        ["await client.get(1)", "async with a() as b:\n    pass", "async for x in y:\n    pass"][:1],
        ["for i in range(3):\n    print(i)", "[j for j in range(i)]"],
        ["class A:\n    x = 1\n    def f(self):\n        return __class__"],
        ["import unused", "y = 1\ny == 'x' % 3"],
        ["x: int = 1", "with open(x) as f:\n    f.read()"],
        ["if (n := 10) > 5:\n    print(n)"],
        ["match 1:\n    case {'a': b}:\n        print(b)"],
        ["lambda *a, k=1: (a, k)", "print(__name__)"],
        ["def f(x: 'Unknown') -> 'list[Nowhere]':\n    y: 'Else' = x"],
    ],
)
def test_sound_code_has_no_problems(sources: list[str]):
    assert found("client = y = 1", *sources) == []


def test_parameters_and_names_from_outside_are_known():
    declared = ("week: int  # required\ncity: 'str'\n", "parameters")
    assert found(declared, "print(week, city)") == []
    assert len(found("week: int", "print(week)")) == 1
    assert found("print(extra)", known_names=["extra"]) == []


def test_cells_that_execution_skips_and_other_languages_have_no_problems():
    assert found(("nonsense here", "skip-execution")) == []
    assert lint(notebook("x <- y", kernelspec={"name": "ir", "language": "R"})) == []


def test_where_names_may_appear_unseen_an_undefined_one_is_a_warning():
    for opening in ("%run other.py", "%pylab inline", "exec(text)", "globals().update(text)", "%store -r a"):
        problems = lint(notebook("text = ''", opening, "print(nowhere)"))
        assert [problem.severity for problem in problems] == ["warning"]


# --- syntax -----------------------------------------------------------------------------------------------


def test_a_syntax_error_is_told_with_cell_line_and_text():
    assert found("x = 1", "\nif x\n    pass") == ["train.ipynb, cell 2, line 2: expected ':' in `if x`"]


def test_all_problems_come_at_once_and_in_order():
    problems = found("a = (", "print(b1)\nprint(b2)", "return 3", "c d", "print(e)")
    assert [text.split(":")[0] for text in problems] == [
        "train.ipynb, cell 1, line 1", "train.ipynb, cell 2, line 1", "train.ipynb, cell 2, line 2",
        "train.ipynb, cell 3, line 1", "train.ipynb, cell 4, line 1", "train.ipynb, cell 5, line 1",
    ]  # fmt: skip


def test_names_that_a_broken_cell_may_define_are_not_called_undefined():
    assert len(found("model = fit(", "model.predict()")) == 1


@pytest.mark.parametrize("code", ["return 1", "yield 1", "continue", "break", "nul\0l"])
def test_what_only_the_compiler_refuses_is_told_too(code: str):
    assert len(found(code)) == 1


def test_syntax_of_a_newer_python_is_a_warning():
    nb = notebook("x = 1 2", language_info={"name": "python", "version": "3.99.1"})
    assert [problem.severity for problem in lint(nb)] == ["warning"]


# --- IPython's syntax -------------------------------------------------------------------------------------

MAGICAL = [
    "%matplotlib inline",
    "%%bash\nfor x in *; do echo $x; done",
    "%%html\n<b>it's</b>",
    "%%time\nx = 1\nprint(x)",
    "%%time",
    "%%capture out\nprint(1)",
    "%%timeit -n 3 y = 2\ny + 1",
    "!pip install 'x'",
    "!!ls",
    "files = !ls *.csv",
    "a, b = !echo {x}",
    "d['k'] = !ls",
    "here = %pwd",
    "t = %timeit -o f(1)",
    "if True:\n    %time x = sum(range(3))\n    !echo hi",
    "for i in range(2):\n    y = %who_ls",
    "%time x = {'a': 1}",
    "%timeit -n 10 -r 3 sum([1])",
    "print?",
    "?print",
    "pd.DataFrame??",
    "%time?",
    "*int*?",
    "x = '''\n%not magic\n!nor this\n'''",
    'x = """a\n%b""" + "c"\n%time print(x)',
    "x = (1\n%2\n)\n!ls",
    "x = 5 \\\n % 3\n!ls",
    "!ls \\\n  -l \\\n  -a\nx = 1",
    "%run a.py \\\n --flag",
    "# %not_magic\n%magic",
    "x = 10 % 3\ny = x != 3\nx %= 2",
    "f'{x!r:>{10}}'\n!ls",
    "  x = 1\n  y = 2",
    "await f()",
    "x = await f()\n%time await f()",
    "/f 1 2",
    ",f a b",
    "s = 'it\\'s' # don't\n!ls",
    "%load_ext autoreload\n%autoreload 2",
    "f(x); # trailing\nf(x);",
    "def f(x):\n    return x\n%time f(1)\n",
    "",
    "\n\n%%bash\necho",
    "x = r'\\'\n!ls" if False else "x = r'a\\b'\n!ls",
    "%config InlineBackend.figure_format = 'retina'",
    "%env KEY=va'lue",
    '!echo "unclosed',
]


@pytest.mark.parametrize("source", MAGICAL)
def test_what_ipython_accepts_is_python_for_us_line_by_line(source: str):
    from IPython.core.inputtransformer2 import TransformerManager

    theirs = TransformerManager().transform_cell(source)
    compile(theirs, "x", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # IPython accepts it
    text, tree, error = parse_cell(source)
    assert error is None
    assert tree is not None
    assert text.count("\n") == source.count("\n")


@pytest.mark.parametrize("source", ["x = 1 +", "if x", "f(", "!ls\nx = = 1", "%%time\nx = = 1", "a b"])
def test_what_ipython_refuses_is_refused(source: str):
    assert parse_cell(source)[2] is not None


def test_what_a_magic_assigns_is_defined_and_what_it_runs_is_checked():
    assert (
        found("files = !ls", "%time total = 1", "%%capture out\ninner = 1", "out, total, files, inner") == []
    )
    assert found("%%bash --out listing\nls", "print(listing)") == []
    assert found("%time print(nothing)")[0].startswith(
        "train.ipynb, cell 1, line 1: undefined name 'nothing'"
    )
    assert found("%%time\nx = 1\nprint(nothing)")[0].startswith("train.ipynb, cell 1, line 3: ")
    assert found("%result auc")[0].startswith("train.ipynb, cell 1, line 1: undefined name 'auc'")
    assert found("auc = 1\n%result auc") == []
    assert found("x = 1\n%result double x * 2") == []


@given(
    st.lists(
        st.sampled_from([*MAGICAL, "x = 1", "print(x)", "'''", '"""', "(", ")", "\\", "# c", "%a", "!b", "?"])
    ),
    st.text("%!?'\"()[]#\\ \nax=;,/", max_size=30),
)
def test_any_text_is_translated_with_as_many_lines(parts: list[str], tail: str):
    source = "\n".join([*parts, tail])
    assert to_python(source).count("\n") == source.count("\n")
    parse_cell(source)
    lint(notebook(source, tail))


# --- speed and company ------------------------------------------------------------------------------------


def test_a_hundred_notebooks_take_no_time():
    cell = "import pandas as pd\ndef f_{0}(x):\n    return x + {0}\ny_{0} = f_{0}(3)\nprint(y_{0})\n"
    notebooks = [notebook(*[cell.format(100 * book + number) for number in range(20)]) for book in range(100)]
    started = time.process_time()
    assert not any(lint(nb) for nb in notebooks)
    assert time.process_time() - started < 3  # 0.4 s on an idle machine


def test_the_same_cells_may_be_checked_in_many_threads():
    nb = notebook(*["import os\ndef f():\n    return os.getcwd() + missing\n"] * 30)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(len(lint(nb)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [30] * 8


def test_ipython_is_not_imported():
    program = "import sys, jupyter_mlops.notebooks.lint; print('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
