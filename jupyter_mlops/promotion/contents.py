"""What an image gets apart from its base, its distributions and its Debian packages: where it lies in the folder of its
Dockerfile, and where in the image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import dockerfile, sbom, ship
from .captured import Capture
from .context import APP, BILL, LIB, MODEL, PROGRAM, PROJECT, Content, digest_of

# What orchestrators call, which know nothing of images; see `exporters`.
_PROGRAM = f'#!/bin/sh\nexec python -m {ship.TASK} "$@"\n'.encode()
_TARGETS = {"model": MODEL, "lib": LIB, "project": PROJECT}  # what changes seldom first


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """`folders` by their names in `_TARGETS`, `documents` that lie beside them, and the `programs`."""

    folders: Mapping[str, Mapping[str, Content]]
    documents: Mapping[str, Content]
    programs: Mapping[str, Content] = field(default_factory=dict)

    def in_context(self) -> dict[str, Content]:
        """By the paths in the folder of the Dockerfile."""
        inner = {f"{name}/{path}": what for name, own in self.folders.items() for path, what in own.items()}
        return {**self.documents, **{f"bin/{name}": what for name, what in self.programs.items()}, **inner}

    def in_image(self) -> dict[str, Content]:
        """By the paths in the image."""
        return {
            **{
                f"{_TARGETS[name]}/{path}": what
                for name, own in self.folders.items()
                for path, what in own.items()
            },
            **{f"{APP}/{name}": what for name, what in self.documents.items()},
            **dict.fromkeys([PROGRAM] if self.programs else [], _PROGRAM),
        }

    def copies(self) -> list[dockerfile.Copy]:
        """From one to the other."""
        return [
            *(
                dockerfile.Copy(source=name, target=target, is_compiled=name == "lib")
                for name, target in _TARGETS.items()
                if self.folders[name]
            ),
            *(
                dockerfile.Copy(source=f"bin/{name}", target=PROGRAM, is_program=True)
                for name in self.programs
            ),
            *(dockerfile.Copy(source=name, target=f"{APP}/{name}") for name in sorted(self.documents)),
        ]


def contents_of(capture: Capture, *, base: str, locks: Sequence[str], packages: Sequence[str]) -> Contents:
    """Our own files that it needs, the user's, the model, and what tells of them."""
    is_serving = capture.kind == "serving"
    names = ship.names_used(capture.notebooks.values(), capture.modules.values())
    if capture.has_features:
        names |= {ship.FEATURES}
    entries = [ship.SERVING] if is_serving else ship.entries_of(is_pipeline=bool(capture.tasks))
    own: dict[str, Content] = {**capture.modules, **capture.files, **capture.notebooks}
    model = _model_files(capture.model_folder) if is_serving else {}
    bill = sbom.render(
        name=capture.name,
        version=capture.source_digest or capture.commit,
        base=base,
        locks=locks,
        system_packages=packages,
        files={f"{MODEL}/{path}": digest_of(what) for path, what in model.items()}
        | {f"{PROJECT}/{path}": digest_of(what) for path, what in own.items()},
        properties={"jupyter-mlops:source": capture.source, "jupyter-mlops:commit": capture.commit},
    )
    return Contents(
        folders={"model": model, "lib": ship.closure(*entries, names=names).files, "project": own},
        documents={BILL: bill.encode(), **({} if is_serving else {"job.json": _job(capture)})},
        programs={"jupyter-mlops": _PROGRAM} if ship.TASK in entries else {},
    )


def _model_files(folder: Path | None) -> dict[str, Content]:
    assert folder is not None  # noqa: S101 - checked before
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


def _job(capture: Capture) -> bytes:
    """What the batch entry finds: notebooks by the names of tasks, else by their own."""
    notebooks = dict(capture.tasks) or {Path(path).stem: path for path in sorted(capture.notebooks)}
    document = {"name": capture.name, "notebooks": notebooks, "import_paths": list(capture.import_paths)}
    document["project"] = PROJECT
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
