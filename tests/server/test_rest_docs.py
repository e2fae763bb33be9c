"""docs/rest.md shows the routes that there are."""

from __future__ import annotations

import json
import re

from jupyter_mlops.server.contract import document, markdown_table

from .conftest import REPOSITORY

TEXT = (REPOSITORY / "docs" / "rest.md").read_text(encoding="utf-8")


def test_the_table_of_routes_is_fresh() -> None:
    assert markdown_table() in TEXT, "write it again, as its comment says"


def test_what_it_shows_is_what_is_sent() -> None:
    error, change = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))
    schemas = document()["components"]["schemas"]
    assert set(error) == set(schemas["Error"]["properties"])
    assert set(error["problems"][0]) == set(schemas["Problem"]["properties"])
    assert set(change) == {*schemas["Change"]["properties"], "schema_id"}
