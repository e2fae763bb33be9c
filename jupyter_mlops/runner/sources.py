"""What a task is made of on disk: its notebook, modules, files, environment and secrets.

From these come the components of its cache key and the job that a worker gets. Both see the same bound
arguments, so that a hit is a hit of what would have run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import encoding
from ..backends import Job, JobKey, Secrets
from ..blobs import BlobStore, parse_reference
from ..errors import InvalidInput, InvalidNotebook, NotFound
from ..fingerprint import digest_file, fingerprint
from ..kernels import interpreter_of
from ..notebooks.facts import NotebookFacts, environment_versions, inspect_notebook
from ..notebooks.files import dump_notebook, encode_text, load_notebook
from ..notebooks.inject import named_secrets, secret_environment
from ..notebooks.parameters import bind
from ..notebooks.secrets import SecretReference, resolve
from ..pipelines import PlannedTask
from ..pipelines.cache import Components
from ..preflight import matching
from ..resources import ResourceRequest
from ..settings import Settings
from ..standards.traces import notebook_environment

_OURS = "jupyter_mlops"  # another version of it is no reason to run a user's notebook again
_VERSIONS_SECONDS = 2.0  # how long the versions of what is installed are taken to be true
_READABLE = 60  # characters; a longer argument is told by its digest


@dataclass(frozen=True)
class Sources:
    """The files of one pipeline: `folder` is the one of its ``pipeline.yaml``."""

    folder: Path
    settings: Settings
    blobs: BlobStore
    isolation: str | None = None

    def facts(self, task: PlannedTask) -> NotebookFacts:
        """What is known of the task's notebook without running it."""
        return inspect_notebook(self.folder / task.notebook)

    def resources(self, task: PlannedTask) -> ResourceRequest:
        """What the task asks for; one that asks for nothing takes what its notebook asks for."""
        return task.resources or self.facts(task).resources

    def bind(self, task: PlannedTask, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the notebook declares them. Raises `InvalidParameter`."""
        facts = self.facts(task)
        return bind(facts.parameters, arguments, where=task.notebook, language=facts.language)

    def components(self, task: PlannedTask, bound: Mapping[str, Any], env: Mapping[str, str]) -> Components:
        """What the task's outcome depends on, by kind; see `pipelines.cache`."""
        facts = self.facts(task)
        inputs = {name: value for name, value in bound.items() if parse_reference(value)}
        kernel = task.kernel or facts.kernel_name
        python = interpreter_of(kernel, facts.language)
        versions = self._versions(python, facts.third_party) if python else {}
        return {
            "code": {task.notebook: facts.code_digest},
            "arguments": {name: _told(value) for name, value in bound.items() if name not in inputs},
            "inputs": {name: str(value) for name, value in inputs.items()},
            "files": self.declared_files(task),
            "modules": dict(facts.local_modules),
            "distributions": {name: version for name, version in versions.items() if name != "python"},
            "kernel": f"{kernel} {versions.get('python', '')}".strip(),
            "env": {**{name: _told(value) for name, value in env.items()}, **task.secrets},
        }

    def declared_files(self, task: PlannedTask) -> dict[str, str]:
        """Path relative to `folder` → digest, of the files that `task.files` names."""
        found: dict[str, str] = {}
        for pattern in task.files:
            matches = matching(self.folder, pattern)
            if not matches:
                raise NotFound(
                    f"{task.key}: no file matches {pattern!r} in {self.folder}",
                    hint="correct files: in the pipeline",
                )
            found.update({_relative(path, self.folder): digest_file(path) for path in matches})
        return found

    def job(
        self,
        task: PlannedTask,
        key: JobKey,
        bound: Mapping[str, Any],
        env: Mapping[str, str],
        preload: Iterable[str],
        output_path: Path,
    ) -> Job:
        """One attempt, with all that a worker elsewhere needs."""
        facts = self.facts(task)
        settings = self.settings
        return Job(
            key=key,
            notebook=self._put_once(facts.path, _without_outputs),
            notebook_name=Path(task.notebook).name,
            cwd=str(facts.path.parent),
            base=str(self._base(facts)),
            root=str(settings.root),
            blobs_url=settings.blobs,
            blob_options=dict(settings.blob_options),
            files=self._sent_files(task, facts),
            arguments={name: encoding.to_json(value) for name, value in named_secrets(bound).items()},
            inputs={name: str(value) for name, value in bound.items() if parse_reference(value)},
            env={**notebook_environment(settings, key.run_id, key.task, key.attempt), **env},
            secrets=self._secrets(task, bound),
            preload=tuple(preload),
            is_bare=facts.sets_environment,
            kernel=task.kernel or facts.kernel_name,
            isolation=self.isolation or task.isolation or settings.isolation,
            resources=task.resources or facts.resources,
            priority=task.priority,
            timeout_seconds=task.timeout_seconds,
            cell_timeout_seconds=task.cell_timeout_seconds or settings.cell_timeout_seconds,
            output_limit_bytes=settings.output_limit_bytes,
            output_path=str(output_path),
        )

    def _secrets(self, task: PlannedTask, bound: Mapping[str, Any]) -> Secrets:
        wanted = secret_environment(bound)
        for variable, text in task.secrets.items():
            reference = SecretReference.parse(text)
            if reference is None:
                raise InvalidInput(f"{task.key}: secrets.{variable} must be secret:NAME")
            wanted[variable] = reference.name
        dotenv = self.settings.dotenv
        return Secrets(
            {variable: resolve(name, env=os.environ, dotenv=dotenv) for variable, name in wanted.items()}
        )

    def _base(self, facts: NotebookFacts) -> Path:
        """What a worker elsewhere lays out again: the project, or the notebook's folder if it lies outside."""
        root, folder = self.settings.root, facts.path.parent
        return root if folder.is_relative_to(root) else folder

    def _sent_files(self, task: PlannedTask, facts: NotebookFacts) -> dict[str, str]:
        """Local modules and declared files, put into the blob store for workers that do not see this disk. What
        lies outside the project is not laid out elsewhere."""
        base = self._base(facts)
        paths = [facts.path.parent / name for name in facts.local_modules]
        paths += [self.folder / name for name in self.declared_files(task)]
        sent: dict[str, str] = {}
        for path in paths:
            name = _relative(path, base)
            if not name.startswith("../"):
                sent[name] = self._put_once(path, Path.read_bytes)
        return sent

    def _put_once(self, path: Path, read: Callable[[Path], bytes]) -> str:
        found = path.stat()
        mark = (str(path), found.st_mtime_ns, found.st_size)
        if mark not in self._sent:
            self._sent[mark] = self.blobs.put_bytes(read(path))
        return self._sent[mark]

    @cached_property
    def _sent(self) -> dict[tuple[str, int, int], str]:
        return {}

    def _versions(self, python: str, modules: tuple[str, ...]) -> Mapping[str, str]:
        """The distributions behind the modules. A thousand tasks in a row ask once."""
        wanted = tuple(name for name in modules if name != _OURS)
        at, known = self._known_versions.get((python, wanted), (0.0, {}))
        if time.monotonic() - at > _VERSIONS_SECONDS:
            known = environment_versions(python, wanted)
            self._known_versions[python, wanted] = time.monotonic(), known
        return known

    @cached_property
    def _known_versions(self) -> dict[tuple[str, tuple[str, ...]], tuple[float, Mapping[str, str]]]:
        return {}


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def preloads(facts: Iterable[NotebookFacts]) -> tuple[str, ...]:
    """The third-party modules that a zygote should import for these notebooks."""
    found = {item for each in facts for item in each.preload}
    if _OURS in found:
        found |= {"pandas", "pyarrow.parquet"}  # what it imports to open and keep frames
    return tuple(sorted(found))


def _told(value: Any) -> str:
    """An argument as its component: readable where short, a digest where long; equal only if equal."""
    if isinstance(value, SecretReference):
        return str(value)
    text = encoding.dumps(value)
    return text if len(text) <= _READABLE else fingerprint(value)


def _without_outputs(path: Path) -> bytes:
    nb = load_notebook(path)
    for cell in nb["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    try:
        return encode_text(dump_notebook(nb))
    except InvalidNotebook as error:
        raise InvalidNotebook(f"{path.name}: {error.message}", hint=error.hint) from error
