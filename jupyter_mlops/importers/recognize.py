"""Which tool wrote a file, told by the file itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from ..errors import InvalidInput, did_you_mean
from . import elyra, kale, ploomber, scheduler
from .imported import Imported, read_text

_PLACEHOLDER = re.compile(
    r"\{\{[^{}:,]*\}\}"
)  # of Ploomber, which YAML takes for something else where it is not quoted
SOURCES: Mapping[str, Callable[[Path], Imported]] = {
    "elyra": elyra.read,
    "ploomber": ploomber.read,
    "kale": kale.read,
    "jupyter-scheduler": scheduler.read,
}


def read(path: Path, source: str = "") -> Imported:
    """The pipeline in a file of another tool; `source` names the tool where the file does not tell."""
    if source and source not in SOURCES:
        raise InvalidInput(f"nothing is imported from {source!r}", hint=did_you_mean(source, SOURCES))
    tool = source or _recognize(path)
    try:
        return SOURCES[tool](path)
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:  # a list where a mapping belongs, and the like
        raise InvalidInput(
            f"{path} is not as {tool} writes it: {type(error).__name__}: {error}",
            hint="open it in its own tool and save it again",
        ) from error


def _recognize(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".pipeline":
        return "elyra"
    if suffix in (".sqlite", ".db"):
        return "jupyter-scheduler"
    if suffix == ".ipynb":
        return "kale"
    text = read_text(path, "file")
    try:
        body = json.loads(text) if suffix == ".json" else yaml.safe_load(_PLACEHOLDER.sub("x", text))
    except (ValueError, yaml.YAMLError):
        body = None
    if isinstance(body, dict) and body.get("doc_type") == "pipeline":
        return "elyra"
    if isinstance(body, dict) and isinstance(body.get("tasks"), list):
        return "ploomber"
    if isinstance(body, dict) and isinstance(body.get("tasks"), dict):
        raise InvalidInput(f"{path} is a pipeline of ours already", hint=f"jupyter mlops run {path}")
    if isinstance(body, dict | list) and "input_filename" in text:
        return "jupyter-scheduler"
    raise InvalidInput(
        f"{path} is of no tool that is known here", hint=f"name the tool: --from {', '.join(SOURCES)}"
    )
