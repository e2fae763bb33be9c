"""What a version is, as one JSON document whose digest is the version's identity.

Every part of the envelope has a field here, and each is there: what could not be found is empty, not left out.
The document is canonical (sorted keys, no spaces), so that the digest is of the content.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CorruptBlob, InvalidInput
from ..fingerprint import digest_bytes

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """See the fields; all are plain JSON.

    - `definition`: the model's class, library, text and source, and the `forms` in which it is kept.
    - `parameters`: what it was made with. `featurize`, `predict`: name and source of the functions, or None.
    - `dependencies`: pinned, direct and locked; modules of the user's own.
    - `data`: a `DataSource` each. `code`: cells, notebook and its digest, commit. `run`: run and task.
    - `artifacts`: name → the file's path and what it is. `metrics`, `tags`, `description`: as given.
    - `signature`: ``inputs`` and ``outputs``; `example` says where the input example is.
    - `profiles`: what the training data looked like, by the name of the data source; `drift` compares with it.
    - `files`: path → digest, size and format of everything that is kept; the paths below ``artifacts/``,
      ``code/`` or at the top are safe to write.
    - `check`: how it was tried, and the outcome's bounds.
    """

    name: str
    definition: Mapping[str, Any]
    parameters: Mapping[str, Any]
    featurize: Mapping[str, Any] | None
    predict: Mapping[str, Any] | None
    dependencies: Mapping[str, Any]
    data: Sequence[Mapping[str, Any]]
    code: Mapping[str, Any]
    run: Mapping[str, str]
    artifacts: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, float]
    signature: Mapping[str, Any]
    example: Mapping[str, Any]
    tags: Mapping[str, str]
    description: str
    files: Mapping[str, Mapping[str, Any]]
    check: Mapping[str, Any]
    created_at: str
    user_name: str
    profiles: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    schema: int = SCHEMA

    def to_bytes(self) -> bytes:
        """The document."""
        body = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        plain: dict[str, Any] = json.loads(self.to_bytes())
        return plain

    @property
    def digest(self) -> str:
        """The SHA-256 of the document: what the version *is*."""
        return digest_bytes(self.to_bytes())

    @property
    def blobs(self) -> list[str]:
        """The digests of all files."""
        return sorted({str(file["digest"]) for file in self.files.values()})

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(int(file["size_bytes"]) for file in self.files.values())

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """The manifest of a document; `CorruptBlob` for anything else, `InvalidInput` for unsafe paths."""
        names = {field.name for field in dataclasses.fields(cls)}
        try:
            body = json.loads(data)
            manifest = cls(**{name: value for name, value in body.items() if name in names})
        except (ValueError, TypeError, AttributeError) as error:
            raise CorruptBlob(f"not the manifest of a model version: {error}") from None
        if manifest.schema > SCHEMA:
            raise InvalidInput(
                f"the version is of a later jupyter-mlops (schema {manifest.schema})",
                hint="pip install --upgrade jupyter-mlops",
            )
        for path in manifest.files:
            check_path(path)
        return manifest


def check_path(path: str) -> str:
    """`path` itself, if writing it below a folder stays there on every system; else `InvalidInput`."""
    parts = path.split("/")
    is_bad = (
        not path
        or len(path) > 500
        or any(part in ("", ".", "..") or part.endswith((" ", ".")) for part in parts)
        or any(ord(character) < 32 or character in '\\:*?"<>|' for character in path)
    )
    if is_bad:
        raise InvalidInput(
            f"{path!r} cannot be a file of a model version",
            hint="plain relative paths with '/', without '..' and without characters that some systems refuse",
        )
    return path
