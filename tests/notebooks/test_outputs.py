"""Results and artifacts are read from outputs, and outputs that are too large go to the blob store."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, new_output

from jupyter_mlops import emit
from jupyter_mlops.blobs import BlobStore, parse_reference
from jupyter_mlops.notebooks import outputs
from jupyter_mlops.notebooks.outputs import content_size, limit_outputs, read_artifacts, read_results

LIMIT = 10_000


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def display(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}}


def notebook(*produced: dict[str, Any]) -> dict[str, Any]:
    return dict(
        new_notebook(cells=[new_code_cell("x", outputs=[nbformat.from_dict(one) for one in produced])])
    )


def scrap(name: str, data: Any, encoder: str = "json") -> dict[str, Any]:
    body = {"name": name, "data": data, "encoder": encoder, "version": 1}
    return display({f"application/scrapbook.scrap.{encoder}+json": body})


def whole(output: dict[str, Any], blobs: BlobStore, mime: str) -> bytes:
    reference = parse_reference(output["metadata"]["spilled"][mime]["reference"])
    assert reference is not None
    return blobs.read_bytes(reference.digest)


# --- reading ----------------------------------------------------------------------------------------------


def test_results_are_read_and_the_last_of_a_name_counts():
    nb = notebook(scrap("auc", 0.5), scrap("names", ["a"]), scrap("auc", 0.91), scrap("note", "hi", "text"))
    assert read_results(nb) == {"auc": 0.91, "names": ["a"], "note": "hi"}


def test_what_older_papermill_recorded_is_read_too():
    assert read_results(notebook(display({"application/papermill.record+json": {"rows": 3}}))) == {"rows": 3}


def test_scraps_that_are_not_plain_values_are_no_results():
    frame = scrap("frame", "UEFSMQ==", "pandas")
    shown = display({"application/scrapbook.scrap.json+json": {"no": "name"}, "text/plain": "x"})
    assert read_results(notebook(frame, shown)) == {}


def test_artifacts_are_read_with_all_that_was_said_about_them():
    body = {"name": "train", "reference": "blob://sha256/" + "a" * 64 + "/train.parquet", "size_bytes": 3}
    nb = notebook(display({outputs.ARTIFACT_MIME: body}), display({outputs.ARTIFACT_MIME: {"name": "half"}}))
    assert read_artifacts(nb) == {"train": body}


def test_a_notebook_without_outputs_emitted_nothing():
    nb = {
        "cells": [{"cell_type": "markdown", "source": ""}, {"cell_type": "code", "source": "", "outputs": []}]
    }
    assert read_results(nb) == {}
    assert read_artifacts(nb) == {}


def test_writer_and_reader_agree_on_the_types():
    assert emit.RESULT_MIME.startswith(outputs.SCRAP_PREFIX)
    assert emit.ARTIFACT_MIME == outputs.ARTIFACT_MIME


# --- limiting ---------------------------------------------------------------------------------------------


def test_what_fits_is_left_alone(blobs: BlobStore):
    for output in (
        {"output_type": "stream", "name": "stdout", "text": "x" * LIMIT},
        display({"text/plain": "x", "image/png": "y" * (LIMIT - 50)}),
        {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["a", "b"]},
        {"output_type": "update_display_data"},
    ):
        assert limit_outputs(output, LIMIT, blobs) == output
    assert list(blobs.digests()) == []


def test_a_long_stream_keeps_its_first_and_last_lines_and_names_the_blob(blobs: BlobStore):
    text = "".join(f"epoch {number}: loss {1 / (number + 1):.6f}\n" for number in range(5000))
    limited = limit_outputs({"output_type": "stream", "name": "stderr", "text": text}, LIMIT, blobs)
    assert limited["text"].startswith("epoch 0: loss 1.000000\n")
    assert limited["text"].endswith("epoch 4999: loss 0.000200\n")
    (notice,) = [line for line in limited["text"].splitlines() if "spilled" in line]
    assert notice.startswith("… ")
    assert " spilled to blob://sha256/" in notice
    assert notice.endswith("/stderr.txt …")
    reference = parse_reference(notice.split()[-2])
    assert reference is not None
    assert blobs.read_bytes(reference.digest).decode() == text
    assert len(limited["text"]) < LIMIT


def test_one_endless_line_is_cut_too(blobs: BlobStore):
    output = {"output_type": "stream", "name": "stdout", "text": "é" * 1_000_000}
    limited = limit_outputs(output, LIMIT, blobs)
    assert len(limited["text"]) < LIMIT
    assert "1.9 MiB spilled" in limited["text"]


def test_a_large_image_leaves_a_line_that_says_where_it_is(blobs: BlobStore):
    png = bytes(range(256)) * 200
    output = display({"image/png": base64.b64encode(png).decode(), "text/plain": "<Figure>"}, {"k": 1})
    limited = limit_outputs(output, LIMIT, blobs)
    assert "image/png" not in limited["data"]
    assert limited["data"]["text/plain"].startswith("<Figure>\n[image/png: 50 KiB spilled to blob://sha256/")
    assert limited["metadata"]["k"] == 1
    assert whole(limited, blobs, "image/png") == png


def test_the_largest_representations_go_first_and_small_ones_stay(blobs: BlobStore):
    html = "<table>" + "<tr><td>1</td></tr>" * 2000 + "</table>"
    limited = limit_outputs(display({"text/html": html, "text/plain": "a table"}), LIMIT, blobs)
    assert limited["data"]["text/html"].startswith("<p><em>")
    assert limited["data"]["text/plain"].startswith("a table\n[text/html: ")
    assert whole(limited, blobs, "text/html").decode() == html


def test_results_and_artifacts_never_spill(blobs: BlobStore):
    output = scrap("names", ["x" * 50] * 400)
    output["data"]["text/html"] = "y" * 30_000
    limited = limit_outputs(output, LIMIT, blobs)
    assert read_results(notebook(limited)) == {"names": ["x" * 50] * 400}
    assert len(limited["data"]["text/html"]) < 500


def test_json_and_lines_are_stored_as_a_file_would_hold_them(blobs: BlobStore):
    table = {"rows": list(range(5000))}
    svg = ["<svg>\n"] + ["<g/>\n"] * 5000 + ["</svg>"]
    limited = limit_outputs(display({"application/vnd.x+json": table, "image/svg+xml": svg}), LIMIT, blobs)
    assert json.loads(whole(limited, blobs, "application/vnd.x+json")) == table
    assert whole(limited, blobs, "image/svg+xml").decode() == "".join(svg)
    assert limited["data"]["text/plain"].count("spilled") == 2


def test_a_long_traceback_stays_a_list_of_lines(blobs: BlobStore):
    trace = ["Traceback", *[f"  frame {number}" for number in range(3000)], "ValueError: x"]
    output = {"output_type": "error", "ename": "ValueError", "evalue": "x" * 50_000, "traceback": trace}
    limited = limit_outputs(output, LIMIT, blobs)
    assert limited["traceback"][0] == "Traceback"
    assert limited["traceback"][-1] == "ValueError: x"
    assert content_size(limited) < content_size(output) / 4


TEXTS = st.text(max_size=30).flatmap(lambda text: st.integers(0, 400).map(lambda times: text * times))


@given(
    st.one_of(
        TEXTS.map(lambda text: {"output_type": "stream", "name": "stdout", "text": text}),
        st.dictionaries(
            st.sampled_from(["text/plain", "text/html", "image/png", "application/json", "text/latex"]),
            TEXTS | st.lists(TEXTS, max_size=3),
            max_size=4,
        ).map(display),
        st.builds(
            lambda value, trace: {"output_type": "error", "ename": "E", "evalue": value, "traceback": trace},
            TEXTS,
            st.lists(TEXTS, max_size=3),
        ),
    ),
    st.integers(0, 5000),
)
def test_a_limited_output_is_never_larger_and_stays_valid(
    tmp_path_factory: pytest.TempPathFactory, output: dict[str, Any], limit: int
):
    blobs = BlobStore(tmp_path_factory.getbasetemp() / "shared-blobs")
    limited = limit_outputs(output, limit, blobs)
    assert content_size(limited) <= max(content_size(output), limit) + 200
    nbformat.validate(nbformat.from_dict(notebook(new_output(**limited))))
