"""docs/serving.md is as complete as the server is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from jupyter_mlops.serving.options import table
from jupyter_mlops.serving.refusals import STATUSES
from jupyter_mlops.serving.traffic import Traffic

TEXT = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()


def test_every_option_is_there_with_its_meaning() -> None:
    for flag, _, _, words in table():
        assert re.search(rf"^\| `{flag}` \|.*\| {re.escape(words)} \|$", TEXT, re.M), flag


def test_every_status_is_there() -> None:
    for one in STATUSES:
        assert str(one.status) in TEXT
        assert f"`{one.code}`" in TEXT


def test_the_traffic_file_can_be_read() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.S)
    assert [part.share for part in Traffic.from_json(json.loads(block)).versions] == [0.9, 0.1, 0.0]
