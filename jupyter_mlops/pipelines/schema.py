"""The JSON Schema of ``pipeline.yaml`` and the tables of its documentation, from the tables that read it.

The schema is published as ``pipeline.schema.json`` beside this module, so that editors complete and check
while somebody types (``# yaml-language-server: $schema=…``). A test compares both with what is generated
here; ``python -m jupyter_mlops.pipelines.schema`` writes them anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .fields import PARAMETER_FIELDS, PIPELINE_FIELDS, RETRY_FIELDS, SCHEDULE_FIELDS, TASK_FIELDS
from .reading import Field, table_schema

SCHEMA_FILE = Path(__file__).with_name("pipeline.schema.json")
_TABLES: Mapping[str, Sequence[Field]] = {
    "pipeline": PIPELINE_FIELDS,
    "parameter": PARAMETER_FIELDS,
    "task": TASK_FIELDS,
    "retries": RETRY_FIELDS,
    "schedule": SCHEDULE_FIELDS,
}


def pipeline_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jupyter_mlops pipeline",
        "description": "Notebooks, chained into a DAG",
        **table_schema(PIPELINE_FIELDS),
    }


def schema_text() -> str:
    """The schema as its file has it."""
    return json.dumps(pipeline_schema(), indent=2, ensure_ascii=False) + "\n"


def field_table(fields: Sequence[Field]) -> str:
    """Keys with their values and meanings, as a Markdown table."""
    rows = ["| key | value | meaning |", "|---|---|---|"]
    for field in fields:
        mark = " (required)" if field.is_required else ""
        rows.append(f"| `{field.key}`{mark} | {field.shape} | {field.help.replace('|', chr(92) + '|')} |")
    return "\n".join(rows)


def with_tables(document: str) -> str:
    """`document` with the text between ``<!-- table NAME -->`` and ``<!-- end -->`` generated anew."""

    def fill(found: re.Match[str]) -> str:
        return f"<!-- table {found[1]} -->\n{field_table(_TABLES[found[1]])}\n<!-- end -->"

    return re.sub(r"<!-- table (\w+) -->.*?<!-- end -->", fill, document, flags=re.DOTALL)


def main() -> None:
    """Write the schema, and the tables of ``docs/pipeline.md`` where this is a checkout."""
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    document = SCHEMA_FILE.parents[2] / "docs" / "pipeline.md"
    if document.exists():
        document.write_text(with_tables(document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
