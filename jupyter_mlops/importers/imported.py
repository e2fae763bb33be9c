"""What an importer gives back, and what all of them need: names, notebooks, a gathering of losses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, NotFound
from ..notebooks.files import Notebook, dump_notebook, parse_notebook
from ..pipelines import Pipeline, to_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A pipeline, and the notebooks it needs that are not there as they must be: path → text. `lost` tells, a
    sentence each, what the pipeline does not say any more, or says otherwise; `needs` names files that lie where
    the original lies."""

    pipeline: Pipeline
    notebooks: Mapping[str, str] = field(default_factory=dict)
    lost: Sequence[str] = ()
    needs: Sequence[str] = ()

    def files(self, name: str = "pipeline.yaml") -> dict[str, str]:
        """Everything to be written."""
        return {name: to_yaml(self.pipeline), **self.notebooks}


def refuse(tool: str, problems: Sequence[str], hint: str) -> InvalidInput:
    """The error for what would change the meaning if it were left out."""
    return InvalidInput(f"{tool}: {'; '.join(problems)}", hint=hint)


def task_name(text: str, taken: Iterable[str] = ()) -> str:
    """A name that a task may have, near to `text`, and not taken."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-") or "task"
    name = name if name[0].isalpha() else f"task_{name}"
    known, number, unique = set(taken), 1, name
    while unique in known:
        number += 1
        unique = f"{name}_{number}"
    return unique


def parameter_name(text: str) -> str:
    """A name that a parameter may have."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII)
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"


def read_text(path: Path, what: str) -> str:
    """The text of a file. Raises `NotFound` and `InvalidInput`."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise NotFound(f"there is no {what} {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the {what} {path}: {error}") from error


def read_json(path: Path, what: str) -> Any:
    """The JSON of a file."""
    try:
        return json.loads(read_text(path, what))
    except ValueError as error:
        raise InvalidInput(f"the {what} {path} is no JSON: {error}") from error


def inside(folder: Path, name: str) -> Path:
    """The file that `name` means beside the original; never one outside of its folder."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InvalidInput(f"{name!r} leads out of {folder}", hint="move the file into the project")
    return path


def notebook_text(
    cells: Iterable[tuple[str, Sequence[str]]], metadata: Mapping[str, Any] | None = None
) -> str:
    """A notebook of code cells with tags."""
    made: Notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": list(tags)} if tags else {},
                "source": source,
                "execution_count": None,
                "outputs": [],
            }
            for number, (source, tags) in enumerate(cells, start=1)
        ],
        "metadata": dict(
            metadata or {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        ),
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return dump_notebook(parse_notebook(json.dumps(made)))


def script_notebook(script: str) -> str:
    """A notebook that runs a script as Python itself would."""
    return notebook_text([(f'import runpy\n\nrunpy.run_path({json.dumps(script)}, run_name="__main__")', ())])
