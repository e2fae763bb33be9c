"""What the documentation says of settings and rooms is what the code has."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from jupyter_mlops.notebooks.parameters import parse_parameters
from jupyter_mlops.pipelines import parse_pipeline
from jupyter_mlops.settings import SETTINGS, Settings, markdown_table

ROOT = Path(__file__).parent.parent


def test_the_table_of_settings_is_fresh() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert markdown_table() in text, "write it again, as its comment says"


def test_the_example_of_settings_can_be_read(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    (tmp_path / "mlops.toml").write_text(example[1], encoding="utf-8")
    settings = Settings.load(tmp_path, env={})
    assert settings.cluster.startswith("tcp://")
    assert dict(settings.blob_options) == {"endpoint_url": "https://s3.example.com"}


def test_every_setting_says_what_it_is_for() -> None:
    assert all(len(setting.help) > 10 for setting in SETTINGS)


def test_the_readme_shows_a_pipeline_and_parameters_that_are_right() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (pipeline,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert [task.name for task in parse_pipeline(pipeline).tasks] == ["pull", "train", "deploy"]
    parameters = parse_parameters(re.findall(r"```python\n(from typing.*?)```", text, re.DOTALL)[0])
    assert [(each.name, each.help) for each in parameters] == [
        ("week", "ISO week"),
        ("region", ""),
        ("api_key", "never in a cell, a log or the database"),
    ]


def test_a_release_would_take_in_what_changed(tmp_path: Path) -> None:
    """Each file of changelog.d/ has a kind that the changelog has, and towncrier gathers all of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    kinds = {kind["directory"] for kind in project["tool"]["towncrier"]["type"]}
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]
    for path in fragments:
        assert re.fullmatch(rf"[+\w-]+\.({'|'.join(kinds)})\.md", path.name), path.name
    command = [
        sys.executable,
        "-m",
        "towncrier",
        "build",
        "--draft",
        "--version",
        "9.9.9",
        "--date",
        "2030-01-01",
    ]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.startswith("## 9.9.9 (2030-01-01)")
    assert told.count("\n- ") == len(fragments)
    assert "<!-- towncrier release notes start -->" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
