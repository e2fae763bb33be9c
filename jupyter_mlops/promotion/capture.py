"""What a notebook needs to run elsewhere, found without running it: `capture_notebook`.

Its code is read with that of the modules it imports (`gathering`); what they import is looked up in the environment of
the notebook's kernel (`environment`), which gives versions (`requirements`), shared libraries (`system`), and the
constraints of the lock (`lock`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ..errors import InvalidNotebook, NotFound
from ..fingerprint import digest_bytes
from ..kernels import interpreter_of
from ..models.origin import commit
from ..notebooks import files as notebook_files
from ..notebooks.literals import is_python
from ..notebooks.parameters import read_parameters
from ..notebooks.request import read_request
from ..problems import Problem
from ..resources import ResourceRequest
from ..settings import find_root
from . import installs
from .captured import Capture
from .environment import Environment, read_environment
from .gathering import Gathered, Search, gather
from .installs import Installs
from .lock import lock
from .requirements import Resolved, constraints_of, modules_of, resolve
from .ship import closure, entries_of, names_used
from .stripping import stripped
from .system import system_packages

PLATFORMS = ("linux/amd64", "linux/arm64")
_LEAST_PYTHON = (3, 11)  # what jupyter_mlops itself needs
_ROUNDS = 3  # modules that lead to modules elsewhere; then that is all


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOptions:
    """See the fields.

    - `root`: below which files may be taken; by default the workspace, else the notebook's folder.
    - `kernel`: instead of the notebook's own. `platforms`: what the lock must be good for, the most important
      one first. `is_locked`: whether there is one at all; it needs an index.
    - `include_local`: modules of editable installations outside of the root go along.
    - `requirements`, `packages`: distributions and Debian packages besides.
    """

    root: Path | None = None
    kernel: str = ""
    platforms: Sequence[str] = PLATFORMS
    is_locked: bool = True
    include_local: bool = False
    requirements: Sequence[str] = ()
    packages: Sequence[str] = ()


def capture_notebook(path: Path | str, options: CaptureOptions | None = None) -> Capture:
    """What the notebook at `path` needs, as one value; what cannot be decided is among its `problems`.

    Raises `NotFound`, `InvalidNotebook`, `KernelUnavailable`, and `MissingExtra` when there is no uv to lock with.
    """
    options = options or CaptureOptions()
    path = Path(path).absolute()
    nb = read_python_notebook(path)
    root = root_of(path, options)
    capture = capture_together(
        [path], interpreter_of(options.kernel or notebook_files.kernel_name(nb)), root=root, options=options
    )
    return replace(
        capture,
        accelerator=(accelerator := accelerator_of(read_request(nb, where=path.name))),
        cuda=capture.cuda if accelerator else "",
        parameters=read_parameters(nb, where=path.name),
        source=shown(path, root),
        source_digest=f"sha256:{digest_bytes(stripped(nb))}",
    )


def read_python_notebook(path: Path) -> notebook_files.Notebook:
    """The notebook; `InvalidNotebook` for one in another language, `NotFound`."""
    if not path.is_file():
        raise NotFound(f"there is no notebook {path}")
    nb = notebook_files.load_notebook(path)
    language = notebook_files.language(nb)
    if not is_python(notebook_files.kernel_name(nb), language):
        raise InvalidNotebook(
            f"{path.name} is written in {language}", hint="only Python notebooks can be made an image of"
        )
    return nb


def capture_together(
    paths: Sequence[Path],
    python: str,
    *,
    root: Path,
    options: CaptureOptions,
    files: Mapping[str, bytes | Path] | None = None,
    is_pipeline: bool = False,
) -> Capture:
    """What several notebooks need in one image: they run in one environment, that of the interpreter `python`.

    `files` go along besides, by their paths below `root`; a pipeline's notebooks (`is_pipeline`) also run
    as tasks of a run that somebody else orchestrates. `cuda` is set whether or not it is wanted.
    """
    gathered, environment = _gather(paths, root, python, options)
    if not python:
        told = "the kernel is none of ipykernel's, so it is not known what is installed for it"
        hint = "versions are those of this environment; choose another kernel with --kernel"
        gathered.problems.append(Problem(message=told, hint=hint, severity="warning"))
    asked = _installs(gathered, paths, options)
    capture = Capture(
        kind="batch",
        name=_name(paths[0].stem),
        python=environment.minor,
        platforms=tuple(options.platforms),
        modules=dict(sorted(gathered.modules.items())),
        files=dict(sorted({**gathered.files, **(files or {})}.items())),
        notebooks=gathered.notebooks,
        import_paths=tuple(sorted(gathered.import_paths)),
        reasons=gathered.reasons,
        commit=_commit(root),
        cuda=cuda_of(environment),
        problems=(*gathered.problems, *asked.problems),
    )
    names = names_used(capture.notebooks.values(), capture.modules.values())
    needed = _runtime(frozenset(names), is_pipeline=is_pipeline)
    runtime = dict.fromkeys(needed, "jupyter_mlops runs the notebook with it")
    resolved = resolve(gathered.readings, asked, environment, runtime)
    return finish(capture, resolved, environment, asked.packages, options=options, root=root)


def root_of(path: Path, options: CaptureOptions) -> Path:
    """The folder below which files are taken: as asked, else the workspace's, else that of `path`."""
    root = (options.root or find_root(path.parent)).absolute()
    return root if path.is_relative_to(root) else path.parent


def _gather(
    paths: Sequence[Path], root: Path, python: str, options: CaptureOptions
) -> tuple[Gathered, Environment]:
    """The user's files and the environment. What no distribution brings is looked for below the root, and where
    editable installations lie: each such round may bring modules that import more."""
    environment = read_environment(python, ())
    version = tuple(int(part) for part in environment.python.split(".")[:2])
    search = Search()
    for _ in range(_ROUNDS):
        gathered = Gathered(root)
        for path in paths:
            gathered.add(gather(path, root, version, search))
        environment = read_environment(python, modules_of(gathered.readings))
        found = _wider(gathered, environment, search, include_local=options.include_local)
        if found == search:
            break
        search = found
    _explain(gathered)
    return gathered, environment


def _wider(gathered: Gathered, environment: Environment, search: Search, *, include_local: bool) -> Search:
    """The search with the places of modules that are still missing."""
    tops = {module.partition(".")[0] for module, names in environment.modules.items() if not names}
    late, elsewhere, wanted = list(search.late), list(search.elsewhere), set(search.wanted)
    for top in sorted(tops):
        place = environment.places.get(top)
        if place is not None and (include_local or place.is_relative_to(gathered.root)):
            late.append(place.parent)
            elsewhere += [place.parent] if not place.is_relative_to(gathered.root) else []
        elif (gathered.root / top).is_dir() or (gathered.root / f"{top}.py").is_file():
            late.append(gathered.root)
        else:
            continue
        wanted.add(top)
    return Search(tuple(dict.fromkeys(late)), frozenset(wanted), tuple(dict.fromkeys(elsewhere)))


def _explain(gathered: Gathered) -> None:
    """Say of each module who imports it."""
    for reading in gathered.readings:
        for one in reading.imports:
            top = one.module.partition(".")[0]
            for name in gathered.modules:
                parts = name.removesuffix(".py").split("/")
                if top in parts and name not in gathered.reasons:
                    gathered.reasons[name] = f"imported by {one.where}"


def _installs(gathered: Gathered, paths: Sequence[Path], options: CaptureOptions) -> Installs:
    """All that is declared and installed, with what the requirements files hold that it names."""
    found = [one for reading in gathered.readings for one in reading.installs]
    asked = tuple(installs.Install(text, "asked for", "asked for") for text in options.requirements)
    found.append(
        Installs(requirements=asked, packages=tuple((name, "asked for") for name in options.packages))
    )
    waiting = [file for one in found for file in one.files]
    seen: set[str] = set()
    while waiting:
        name, where = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        places = (path.parent / name for path in paths)
        try:
            # Not any file: what it holds is shown.
            text = next(one for one in places if one.is_file() and _is_below(one, gathered.root)).read_text(
                "utf-8"
            )
        except (StopIteration, OSError, UnicodeDecodeError):
            told = f"there is no requirements file {name} in the workspace"
            found.append(Installs(problems=(Problem(message=told, where=where),)))
            continue
        read = installs.of_file(text, name)
        waiting += [(posixpath.join(posixpath.dirname(name), file), name) for file, _ in read.files]
        found.append(read)
    return installs.join(found)


@lru_cache(maxsize=64)  # reads a hundred files of ours, which stay as they are
def _runtime(names: frozenset[str], *, is_pipeline: bool) -> tuple[str, ...]:
    return closure(*entries_of(is_pipeline=is_pipeline), names=names).distributions


def _is_below(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def finish(
    capture: Capture,
    resolved: Resolved,
    environment: Environment,
    packages: Sequence[tuple[str, str]] = (),
    *,
    options: CaptureOptions,
    root: Path | None = None,
) -> Capture:
    """A capture with requirements: locked, and with the Debian packages that they need in turn."""
    taken = [one for one in resolved.requirements if one.origin != "local"]
    closed = environment.closure((one.name, one.extras) for one in taken)
    system, unknown = system_packages(closed, packages)
    problems = [*capture.problems, *resolved.problems, *unknown, *_python_problems(environment)]
    made = replace(
        capture,
        requirements=tuple(resolved.requirements),
        system_packages=system,
        optional=tuple(dict.fromkeys(resolved.optional)),
    )
    if options.is_locked:
        constraints = constraints_of(environment, taken)
        locked = lock(made.input_text, constraints, python=made.python, platforms=made.platforms, root=root)
        problems += locked.problems
        made = replace(made, lock=locked.text, platforms=locked.platforms)
    return replace(made, problems=tuple(dict.fromkeys(problems)))


def _python_problems(environment: Environment) -> list[Problem]:
    if tuple(int(part) for part in environment.python.split(".")[:2]) >= _LEAST_PYTHON:
        return []
    least = ".".join(map(str, _LEAST_PYTHON))
    told = f"the kernel runs Python {environment.python}, and jupyter_mlops needs {least} in the image"
    return [Problem(message=told, hint="choose a newer kernel with --kernel")]


def accelerator_of(request: ResourceRequest) -> str:
    """Which kind is asked for: "any" for any GPU, "" for none."""
    return request.accelerator or ("any" if request.gpu else "")


def cuda_of(environment: Environment) -> str:
    """The CUDA version that what is installed was built for: as "12.4", "" when nothing says so."""
    for name in ("torch", "jaxlib", "cupy-cuda12x"):
        known = environment.installed.get(name)
        if known is not None and (match := re.fullmatch(r"cu(\d+)(\d)", known.local_version)):
            return f"{match[1]}.{match[2]}"
    for name, one in sorted(environment.installed.items(), reverse=True):
        if name.startswith("nvidia-cuda-runtime") and (match := re.match(r"(\d+\.\d+)", one.version)):
            return match[1]
    return ""


def _name(stem: str) -> str:
    """A name as registries allow it."""
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "notebook"


def shown(path: Path, root: Path) -> str:
    """A path as messages and records have it: below the root."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _commit(folder: Path) -> str:
    told = commit(folder)
    return f"{told['commit']}-dirty" if told.get("is_dirty") else str(told.get("commit", ""))
