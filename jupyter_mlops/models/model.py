"""A version that is loaded: what it predicts, with its input checked against its signature."""

from __future__ import annotations

from typing import Any

from ..catalog import ModelVersion
from . import runtime, signature
from .manifest import Manifest


class LoadedModel:
    """``predict(data)`` is predict(model, featurize(data)), as it was registered.

    `version` is the catalog's record, `manifest` the whole envelope, `model` the estimator itself, `running`
    what predicts without looking at the signature.
    """

    def __init__(self, version: ModelVersion, manifest: Manifest, running: runtime.Model) -> None:
        self.version = version
        self.manifest = manifest
        self.running = running

    @property
    def model(self) -> Any:
        """The estimator itself."""
        return self.running.model

    @property
    def reference(self) -> str:
        """``models:/NAME/3``."""
        return f"models:/{self.version.name}/{self.version.version}"

    def featurize(self, data: Any) -> Any:
        """The features of raw data, which is first checked: `InvalidInput`."""
        return self.running.featurize(self._checked(data))

    def predict(self, data: Any) -> Any:
        """The predictions for raw data, one for each row; `InvalidInput` for what does not fit the signature."""
        return self.running.predict(self._checked(data))

    def _checked(self, data: Any) -> Any:
        inputs = self.manifest.signature.get("inputs")
        return signature.enforce(inputs, data) if inputs else data

    def __repr__(self) -> str:
        return f"LoadedModel({self.reference!r}, {self.manifest.definition['class']})"
