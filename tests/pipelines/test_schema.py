from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from jupyter_mlops.pipelines.fields import TASK_FIELDS
from jupyter_mlops.pipelines.schema import SCHEMA_FILE, field_table, pipeline_schema, schema_text, with_tables
from jupyter_mlops.pipelines.source import Reader
from jupyter_mlops.pipelines.spec import parse_pipeline

DOCUMENT = Path(__file__).parents[2] / "docs" / "pipeline.md"


def examples() -> list[str]:
    """The YAML blocks of the documentation that are whole pipelines."""
    blocks = DOCUMENT.read_text(encoding="utf-8").split("```yaml\n")[1:]
    return [block.partition("```")[0] for block in blocks if "\ntasks:" in block and "name:" in block]


def plain(text: str) -> Any:
    node = Reader("x").read(text)
    assert node is not None
    return node.plain()


def errors(document: Any) -> list[str]:
    return [
        error.message for error in jsonschema.Draft202012Validator(pipeline_schema()).iter_errors(document)
    ]


def test_the_published_schema_is_fresh() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), (
        "run: python -m jupyter_mlops.pipelines.schema"
    )


def test_the_tables_in_the_documentation_are_fresh() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert with_tables(text) == text, "run: python -m jupyter_mlops.pipelines.schema"
    assert field_table(TASK_FIELDS) in text


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(pipeline_schema())


def test_the_examples_in_the_documentation_are_pipelines_for_both_readers() -> None:
    assert len(examples()) >= 2
    for text in examples():
        assert errors(plain(text)) == []
        parse_pipeline(text)


TASK: dict[str, Any] = {"notebook": "a.ipynb"}


@pytest.mark.parametrize(
    "document",
    [
        {"tasks": {"a": TASK}},
        {"name": "x", "tasks": {}},
        {"name": "x", "tasks": {"a": {}}},
        {"name": "x", "tasks": {"a b": TASK}},
        {"name": "x", "tasks": {"a": TASK | {"run_if": "always"}}},
        {"name": "x", "tasks": {"a": TASK | {"timeout": "1:30"}}},
        {"name": "x", "tasks": {"a": TASK | {"retries": {"limt": 1}}}},
        {"name": "x", "tasks": {"a": TASK | {"retries": 101}}},
        {"name": "x", "tasks": {"a": TASK | {"secrets": {"A": "x"}}}},
        {"name": "x", "tasks": {"a": TASK | {"map": "regions"}}},
        {"name": "x", "tasks": {"a": TASK}, "parameters": {"a": {"type": "integer"}}},
        {"name": "x", "tasks": {"a": TASK}, "defaults": {"notebook": "b.ipynb"}},
        {"name": "x", "tasks": {"a": TASK}, "retrys": 1},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(document: Any) -> None:
    assert errors(document)
    with pytest.raises(Exception, match=r"pipeline\.yaml:1"):
        parse_pipeline(yaml.safe_dump(document, default_flow_style=True, width=10_000))
