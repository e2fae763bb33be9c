"""Executed notebooks as safe pages, and what differs between two of them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from jupyter_mlops.notebooks.render import clean_html, diff_notebooks, to_html

EVIL = [
    "<script>alert(1)</script>",
    "<script src=http://evil/x.js>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(2)</script></svg>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<iframe src='http://evil'></iframe>",
    "<object data='x'></object><embed src='x'>",
    "<form action='http://evil'><input name=a></form>",
    "<div style='background:url(http://evil)'>x</div>",
    "<style>body{background:url(http://evil)}</style>",
    "<meta http-equiv=refresh content='0;url=http://evil'>",
    "<base href='http://evil'>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<scr<script>x</script>ipt>alert(1)</script>",
    "<script/>alert(1)</script >",
    "</pre></div><script>alert(1)</script>",
]


class Page(HTMLParser):
    """What a browser would find in a page that could act or fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.dangers: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("script", "iframe", "object", "embed", "form", "base", "input", "link"):
            self.dangers.append(tag)
        for name, value in attrs:
            text = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or text.startswith(("javascript:", "data:text", "vbscript:")):
                self.dangers.append(f"{tag} {name}")
            if name == "src" and not text.startswith("data:image/"):
                self.dangers.append(f"{tag} {name}")
            if name == "style" and "url(" in text:
                self.dangers.append(f"{tag} style")


def notebook(*outputs: Any, source: str = "x", prose: str = "") -> Any:
    return new_notebook(cells=[new_markdown_cell(prose), new_code_cell(source, outputs=list(outputs))])


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_active_survives_wherever_it_stands(evil: str):
    bundles = [
        {"text/html": evil},
        {"text/markdown": evil},
        {"text/latex": f"${evil}$"},
        {"text/plain": evil},
        {"image/svg+xml": f"<svg>{evil}</svg>"},
        {"image/png": evil},
        {"application/javascript": evil},
        {"application/vnd.jupyter.widget-view+json": {"model_id": evil}, "text/plain": "w"},
    ]
    page = to_html(
        notebook(
            *(new_output("display_data", data=data) for data in bundles),
            new_output("stream", text=evil),
            new_output("error", ename=evil, evalue=evil, traceback=[evil]),
            source=f"print({evil!r})",
            prose=f"# {evil}\n\ntext {evil}",
        ),
        title="safe",
    )
    assert Page(page).dangers == []
    assert "Content-Security-Policy" in page


PIECES = [
    "<", ">", "script", "/", "img src=x", " onerror=alert(1)", "'", '"', "style", "svg", "a href=",
    "javascript:", "\n", "<!--", "-->", "&lt;", "math", "template", "title", "x",
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from([*EVIL, *PIECES]), max_size=12))
def test_no_mixture_of_pieces_becomes_active(pieces: list[str]):
    assert Page(clean_html("".join(pieces))).dangers == []


def test_what_a_reader_needs_is_kept():
    frame = pd.DataFrame({"a": [1, 2]})
    page = to_html(
        notebook(
            new_output("display_data", data={"text/html": frame._repr_html_(), "text/plain": "x"}),
            new_output("display_data", data={"image/png": "iVBORw0KGgo="}),
            new_output("stream", text="\x1b[31mred\x1b[0m text"),
            prose="# Title\n\n- item\n- [link](https://example.org)\n\n$x^2$",
        ),
        title="train.ipynb",
    )
    for part in ("<table", "<th>a</th>", "<h1", "<li>item", 'href="https://example.org"', "ansi-red", "$x^2$",
                 "data:image/png;base64,iVBORw0KGgo=", "<title>train.ipynb</title>"):  # fmt: skip
        assert part in page
    assert "tbody tr th:only-of-type" not in page[page.index("<body") :]


def test_svg_and_harmless_styles_are_kept():
    cleaned = clean_html(
        '<div style="display:flex;position:fixed"><svg viewBox="0 0 1 1"><rect fill="red"/></svg></div>'
    )
    assert "display:flex" in cleaned
    assert "position" not in cleaned
    assert '<rect fill="red">' in cleaned


def test_a_giant_table_is_shown_as_its_text():
    output = new_output("display_data", data={"text/html": "<b>x</b>" * 200_000, "text/plain": "the text"})
    page = to_html(notebook(output))
    assert "the text" in page
    assert len(page) < 1_000_000


def test_the_notebook_itself_is_not_changed():
    nb = notebook(new_output("display_data", data={"text/html": "<script>x</script>" + "y" * 1_100_000}))
    before = json.dumps(nb)
    to_html(nb, theme="dark")
    assert json.dumps(nb) == before


# --- differences ------------------------------------------------------------------------------------------


def run(*cells: Any, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    made = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return new_notebook(cells=made, metadata={"papermill": {"parameters": parameters or {}}})


def printed(source: str, text: str, **metadata: Any) -> Any:
    return new_code_cell(source, outputs=[new_output("stream", text=text)], metadata=metadata)


def emitted(name: str, value: Any) -> Any:
    body = {"name": name, "data": value, "encoder": "json", "version": 1}
    data = {"application/scrapbook.scrap.json+json": body, "text/plain": f"{name} = {value}"}
    return new_code_cell("emit", outputs=[new_output("display_data", data=data)])


def test_two_executions_of_the_same_do_not_differ():
    first = printed("f()", "<A at 0x7f0011223344>\n")
    second = printed("f()", "<A at 0x7f9911223344>\n", papermill={"duration": 3})
    second["execution_count"] = 9
    difference = diff_notebooks(run("x = 1", first), run("x = 1", second))
    assert not difference
    assert difference.to_text() == ""


def test_parameters_and_results_are_compared_by_name():
    difference = diff_notebooks(
        run(emitted("auc", 0.91), emitted("old", "x"), parameters={"week": 20, "city": "a"}),
        run(emitted("auc", 0.93), emitted("new", True), parameters={"week": 21, "city": "a"}),
    )
    assert difference.to_text() == "\n".join(
        [
            "parameters", "  week: 20 → 21 (+1)",
            "results", "  auc: 0.91 → 0.93 (+0.02)", "  new: (none) → true", '  old: "x" → (none)',
        ]
    )  # fmt: skip
    assert difference.cells == ()


def test_a_cell_put_in_between_does_not_make_the_later_ones_differ():
    difference = diff_notebooks(run("a = 1", "b = 2", "c = 3"), run("a = 1", "extra = 9", "b = 2", "c = 3"))
    assert [(cell.kind, cell.before, cell.after, cell.source) for cell in difference.cells] == [
        ("added", None, 2, ("+ extra = 9",))
    ]
    assert difference.to_text() == "cell 2, code, added\n  + extra = 9"


def test_changed_sources_and_outputs_are_shown_as_lines():
    before = run("import x", printed("fit(1)\nshow()", "epoch 1\nloss 0.5\n"))
    after = run("import x", "new()", printed("fit(2)\nshow()", "epoch 1\nloss 0.4\n"))
    text = diff_notebooks(before, after).to_text()
    for line in ("- fit(1)", "+ fit(2)", "- loss 0.5", "+ loss 0.4", "outputs"):
        assert line in text


def test_changed_images_and_errors_are_told():
    def shown(image: str) -> Any:
        data = {"image/png": image, "text/plain": "<Figure>"}
        return new_code_cell("plot()", outputs=[new_output("display_data", data=data)])

    assert "image/png" in diff_notebooks(run(shown("aaaa")), run(shown("bbbb"))).to_text()
    failed = new_code_cell(
        "f()", outputs=[new_output("error", ename="ValueError", evalue="bad", traceback=["x"])]
    )
    assert "+ ValueError: bad" in diff_notebooks(run(printed("f()", "fine\n")), run(failed)).to_text()


def test_the_injected_cell_is_told_by_the_parameters_only():
    tagged = {"tags": ["injected-parameters"]}
    difference = diff_notebooks(
        run(new_code_cell("week = 20", metadata=tagged), "x", parameters={"week": 20}),
        run(new_code_cell("week = 21", metadata=tagged), "x", parameters={"week": 21}),
    )
    assert difference.cells == ()
    assert dict(difference.parameters) == {"week": (20, 21)}


CELLS = st.lists(
    st.builds(printed, st.sampled_from(["a", "b", "c\nd", ""]), st.sampled_from(["", "1\n", "2\n3\n"]))
    | st.sampled_from(["# t", "prose"]).map(new_markdown_cell),
    max_size=6,
)


@given(CELLS, CELLS)
def test_differences_are_json_and_none_only_for_equal_notebooks(before: list[Any], after: list[Any]):
    difference = diff_notebooks(run(*before), run(*after))
    json.dumps(difference.to_json())
    assert bool(difference) == bool(difference.to_text())
    assert not diff_notebooks(run(*before), run(*before))
    shown = [
        [(cell["source"], [o["text"] for o in cell.get("outputs", [])]) for cell in cells]
        for cells in (before, after)
    ]
    if not difference:
        assert [source for source, _ in shown[0]] == [source for source, _ in shown[1]]
    removed = sum(cell.kind == "removed" for cell in difference.cells)
    added = sum(cell.kind == "added" for cell in difference.cells)
    assert len(before) - removed + added == len(after)
