"""The examples of docs/widgets.md, run as they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path

from jupyter_mlops.resources import ResourceRequest

TEXT = (Path(__file__).parents[2] / "docs" / "widgets.md").read_text(encoding="utf-8")


def test_every_example_runs_in_a_kernel(session):
    examples = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(examples) == 7
    for example in examples:
        answer = session.run(example)
        assert answer.error == "", example
        assert answer.displays or answer.result, example


def test_the_metadata_are_as_they_are_written():
    (text,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    request = ResourceRequest(cpu=2.0, memory=4 << 30)
    assert json.loads(text) == {"mlops": {"resources": request.written()}}
