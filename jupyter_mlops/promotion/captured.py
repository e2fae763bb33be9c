"""What of a notebook, a pipeline or a model goes into an image, and why: values that know no file system.

A `Capture` is all that the Dockerfile and the daemonless builder are made of. Paths are relative to one root
(the workspace, else the notebook's folder) and keep their places to each other, so what the notebook opens by
``../data/x.csv`` is there too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from ..fingerprint import digest_bytes, digest_file
from ..notebooks import parameters as declared
from ..problems import Problem

Kind = Literal["batch", "serving"]
Origin = Literal["index", "vcs", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A distribution, as it is installed where it was captured, and what needs it.

    `origin` says where an image gets it: an index, a commit of a repository (`url`), or nowhere (``local``:
    it is installed from files of that machine, which a problem tells, unless its modules go along).
    """

    name: str  # as indexes compare it: "scikit-learn"
    version: str = ""
    specifier: str = ""  # ">=2,<3": what the notebook itself asks for, where no installed version meets it
    extras: tuple[str, ...] = ()
    marker: str = ""  # 'sys_platform == "linux"'
    because: tuple[str, ...] = ()  # "imported by pull.ipynb, cell 3", "pandas reads parquet with it"
    origin: Origin = "index"
    url: str = ""  # of vcs: "git+https://…@<commit>"

    @property
    def text(self) -> str:
        """The requirement as pip and uv read it."""
        head = f"{self.name}[{','.join(self.extras)}]" if self.extras else self.name
        if self.origin == "vcs":
            head = f"{head} @ {self.url}"
        elif self.version or self.specifier:
            head += f"=={self.version}" if self.version else self.specifier
        marker_gap = " " if self.origin == "vcs" else ""  # a URL ends at a space only
        return f"{head}{marker_gap}; {self.marker}" if self.marker else head

    def to_json(self) -> dict[str, Any]:
        """For reports."""
        return {
            "name": self.name,
            "version": self.version,
            "specifier": self.specifier,
            "extras": list(self.extras),
            "marker": self.marker,
            "because": list(self.because),
            "origin": self.origin,
            "url": self.url,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPackage:
    """A Debian package, and what needs it."""

    name: str  # "libgomp1"
    because: tuple[str, ...] = ()  # "lightgbm links to libgomp.so.1"

    def to_json(self) -> dict[str, Any]:
        """For reports."""
        return {"name": self.name, "because": list(self.because)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalModule:
    """A module that the code tries to import and does without: not taken unless it is installed here."""

    module: str
    where: str = ""

    def to_json(self) -> dict[str, Any]:
        """For reports."""
        return {"module": self.module, "where": self.where}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """See the fields. `problems` that are errors forbid an image; warnings are for the report.

    - `python`: "3.11". `lock`: requirements with hashes for all `platforms`; "" when it could not be made.
    - `modules`, `notebooks`, `files`: by path below the root. Notebooks come without outputs; data files are
      bytes or, when large, where they lie.
    - `import_paths`: folders below the root that imports are looked for in, "" for the root itself.
    - `reasons`: why a module or a file is taken: "imported by pull.ipynb, cell 3".
    - `model_folder`: of a serving capture, the folder that `ModelStore.export_mlflow` wrote.
    - `accelerator`: "" when none is asked for, "any" or a kind ("a100"); `cuda`: the CUDA version that what
      is installed was built for, as "12.4", "" when nothing says so.
    - `has_features`: a model that was trained on features of the store, which its server may look up.
    - `tasks`: of a pipeline's capture, task → its notebook's path.
    - `source`, `source_digest`: what it was made of, as `catalog.records.Image` keeps it. `commit`: of its
      repository, with ``-dirty`` when the files differ from it.
    """

    kind: Kind
    name: str
    python: str
    requirements: tuple[Requirement, ...] = ()
    lock: str = ""
    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64")
    system_packages: tuple[SystemPackage, ...] = ()
    modules: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, bytes | Path] = field(default_factory=dict)
    notebooks: Mapping[str, bytes] = field(default_factory=dict)
    import_paths: tuple[str, ...] = ("",)
    reasons: Mapping[str, str] = field(default_factory=dict)
    model_folder: Path | None = None
    has_features: bool = False
    optional: tuple[OptionalModule, ...] = ()
    problems: tuple[Problem, ...] = ()
    accelerator: str = ""
    cuda: str = ""
    parameters: tuple[declared.Parameter, ...] = ()
    tasks: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    source_digest: str = ""
    commit: str = ""

    def __post_init__(self) -> None:
        for path in (*self.modules, *self.files, *self.notebooks):
            parts = PurePosixPath(path).parts
            if path.startswith("/") or ".." in parts or not parts:
                raise ValueError(f"not below the root: {path!r}")  # ours to see to, so no MlopsError

    @property
    def is_complete(self) -> bool:
        """Whether nothing stands against an image."""
        return not any(problem.severity == "error" for problem in self.problems)

    @property
    def input_text(self) -> str:
        """The requirements as the lock is made of them, a line each."""
        return "".join(f"{one.text}\n" for one in self.requirements if one.origin != "local")

    def content(self) -> dict[str, str]:
        """Path → digest of everything that goes along, in order."""
        everything: dict[str, bytes | Path] = {**self.modules, **self.files, **self.notebooks}
        return {
            path: digest_file(what) if isinstance(what, Path) else digest_bytes(what)
            for path, what in sorted(everything.items())
        }

    def to_json(self) -> dict[str, Any]:
        """For ``--json`` and reports: files by their digests."""
        return {
            "kind": self.kind,
            "name": self.name,
            "python": self.python,
            "requirements": [one.to_json() for one in self.requirements],
            "lock": self.lock,
            "platforms": list(self.platforms),
            "system_packages": [one.to_json() for one in self.system_packages],
            "modules": sorted(self.modules),
            "files": sorted(self.files),
            "notebooks": sorted(self.notebooks),
            "content": self.content(),
            "import_paths": list(self.import_paths),
            "reasons": dict(self.reasons),
            "optional": [one.to_json() for one in self.optional],
            "problems": [problem.to_json() for problem in self.problems],
            "accelerator": self.accelerator,
            "cuda": self.cuda,
            "parameters": [declared.to_json(one) for one in self.parameters],
            "tasks": dict(self.tasks),
            "source": self.source,
            "source_digest": self.source_digest,
            "commit": self.commit,
        }
