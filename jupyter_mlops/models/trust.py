"""Whose pickles may be opened: opening one executes what it says.

Versions that were registered here may: only who can write to the store can have made them, and every byte is
verified. What was imported from elsewhere needs an entry in the setting `trusted_models`, which is ours: an
artifact never says of itself that it may be trusted. An entry is a pattern (``*``, ``?``) of the origin, such as
``https://mlflow.example.com/*``, of ``NAME/VERSION``, or the digest of the manifest, ``sha256:…``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ..catalog import ModelVersion
from ..errors import InvalidInput
from .manifest import Manifest
from .runtime import FUNCTIONS


def check_trust(version: ModelVersion, manifest: Manifest, trusted: Sequence[str]) -> bool:
    """Whether an entry trusts the version; `InvalidInput` for one from elsewhere that takes a pickle to open
    and that no entry trusts."""
    known = (version.origin, f"{version.name}/{version.version}", f"sha256:{version.manifest}")
    is_trusted = any(fnmatchcase(name, pattern) for pattern in trusted for name in known if name)
    if version.origin and not is_trusted and needs_pickle(manifest):
        raise InvalidInput(
            f"{version.name}/{version.version} comes from {version.origin} and holds a pickle, "
            "which would execute what it says",
            hint=f'if you trust it: trusted_models = ["{version.name}/{version.version}"] in mlops.toml',
        )
    return is_trusted


def needs_pickle(manifest: Manifest) -> bool:
    """Whether a version cannot be opened without unpickling."""
    portable = manifest.definition["forms"].get("portable")
    return (
        FUNCTIONS in manifest.files or portable is None or manifest.files[portable].get("format") == "pickle"
    )
