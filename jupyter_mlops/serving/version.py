"""One version of a model, loaded from the folder that `ModelStore.export_mlflow` wrote, and ready to predict.

The folder brings its own loader, the model store's `runtime`, which verifies the digest of every file before it opens
it. A version is tried on its own example before it answers anybody: what it imports late is imported then.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import CorruptBlob, InvalidInput, NotFound
from . import outcome, shortcut
from .intake import Input, Intake

_DIGEST = re.compile(r'^DIGEST = "([0-9a-f]{64})"$', re.MULTILINE)
_DATA = "artifacts"


class Version:
    """A model that can predict: `manifest` says what it is."""

    def __init__(
        self, running: Any, manifest: Mapping[str, Any], number: int, digest: str, folder: str
    ) -> None:
        self.running = running
        self.manifest = manifest
        self.number = number
        self.digest = digest
        self.folder = folder
        self.name = str(manifest.get("name", ""))
        signature = manifest.get("signature") or {}
        self.inputs: Mapping[str, Any] = signature.get("inputs") or {}
        self.outputs: Mapping[str, Any] = signature.get("outputs") or {}
        self.intake = Intake(self.inputs)
        self.is_rowwise = bool((manifest.get("check") or {}).get("is_rowwise"))
        self.array_dtype: Any = None  # see `shortcut`
        self.header = f"{self.name}/{number}"

    def predict(self, inputs: Sequence[Input]) -> list[Any]:
        """The predictions for each of the inputs, of one call."""
        running = self.running
        if self.array_dtype is not None and all(one.columns is not None for one in inputs):
            array = shortcut.to_array(
                [one.columns or {} for one in inputs], self.intake.names, self.array_dtype
            )
            return outcome.split(running.predict_features(array), [one.rows for one in inputs])
        data = self.intake.join(inputs)
        # The rows are ours alone: without featurize there is no need for the copy that it would work on.
        features = data if running.featurize_function is None else running.featurize(data)
        output = running.predict_features(features)
        if not self.is_rowwise and len(inputs) == 1:
            return [output]
        return outcome.split(output, [one.rows for one in inputs])


def load(folder: str | Path, *, number: int = 0, digest: str = "") -> Version:
    """The version in `folder`; `NotFound`, `CorruptBlob` or `InvalidInput` say why it cannot be.

    Without a `digest` the one is taken that the folder was written with, so that damage is found either way.
    """
    folder = Path(folder)
    path, told = _loader(folder)
    runtime = _import(path)
    number = number or number_of(folder)
    try:
        running = runtime.load(str(folder / _DATA), digest or told)
    except runtime.Refused as error:
        raise CorruptBlob(f"{folder.name}: {error}") from error
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"{folder.name} needs {error.name}, which is not installed here",
            hint="pip install -r requirements.txt, of its folder",
        ) from error
    except Exception as error:
        raise CorruptBlob(f"{folder.name} cannot be loaded: {type(error).__name__}: {error}") from error
    version = Version(running, running.manifest, number, digest or told, str(folder))
    _try(version, runtime, folder)
    return version


def _loader(folder: Path) -> tuple[Path, str]:
    """Where the folder's runtime is, and the digest that its manifest has to have."""
    found = sorted(folder.glob("code/mlops_loader_*/runtime.py"))
    if not found:
        raise NotFound(
            f"{folder} holds no model version", hint="a folder that ModelStore.export_mlflow wrote"
        )
    match = _DIGEST.search((found[0].parent / "__init__.py").read_text(encoding="utf-8"))
    if match is None:
        raise CorruptBlob(f"{folder.name}: its loader does not say the digest of its manifest")
    return found[0], match.group(1)


def _import(path: Path) -> Any:
    name = f"_mlops_runtime_{uuid.uuid4().hex[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101 - it is a .py file
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def number_of(folder: Path) -> int:
    """The number in ``reference: models:/NAME/3`` of the MLmodel file; 1 where none is said."""
    try:
        match = re.search(
            r"reference: '?models:/[^/@\n]+/(\d+)", (folder / "MLmodel").read_text(encoding="utf-8")
        )
    except OSError:
        return 1
    return int(match.group(1)) if match else 1


def _try(version: Version, runtime: Any, folder: Path) -> None:
    """Predict its own example once; `InvalidInput` if it cannot."""
    file = str(version.manifest.get("example", {}).get("file", ""))
    path = folder.joinpath(_DATA, *file.split("/"))
    if not file or not path.is_file():
        return
    try:
        example = runtime.decode_data(json.loads(path.read_bytes()))
        for _ in range(2):
            began = time.monotonic()
            version.predict([Input(len(example), None, example)])
            if time.monotonic() - began > 1:
                break
        dtype = shortcut.dtype_of(version.inputs, version.running) if version.is_rowwise else None
        if dtype is not None and shortcut.is_same(version.running, example, dtype):
            version.array_dtype = dtype
    except Exception as error:
        raise InvalidInput(
            f"{folder.name} fails on its own example: {type(error).__name__}: {error}"
        ) from error
