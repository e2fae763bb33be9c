"""What a model version needs to be served: its manifest says, since it was tried with exactly that."""

from __future__ import annotations

from pathlib import Path

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Declared

from ..models.dependencies import normalize
from ..models.manifest import Manifest
from ..problems import Problem
from .capture import CaptureOptions, finish
from .captured import Capture, Requirement
from .environment import Environment, read_environment
from .requirements import Resolved
from .ship import FEATURES, SERVING, closure

_NEEDS = "the model needs it"
_FORMATS = {"skops": "skops", "safetensors": "safetensors"}


def capture_model(
    manifest: Manifest,
    reference: str,
    *,
    model_folder: Path | None = None,
    options: CaptureOptions | None = None,
) -> Capture:
    """A serving capture of a version; `reference` is ``models:/NAME/3``, `model_folder` what
    `ModelStore.export_mlflow` wrote.

    Versions are those of the manifest; what the server needs besides has the versions that are installed here.
    """
    options = options or CaptureOptions()
    environment = read_environment("", ())
    told = manifest.dependencies
    python = ".".join(str(told.get("python", "")).split(".")[:2]) or environment.minor
    resolved = Resolved()
    locked = _pins(told.get("locked", ()))
    for text in told.get("direct", ()):
        _take(resolved, text, _NEEDS)
    known = {one.name for one in resolved.requirements}
    for name in {_FORMATS[form] for form in _formats(manifest) if form in _FORMATS} - known:
        resolved.requirements.append(
            _requirement(name, locked, environment, "the model's file is in its form")
        )
    known = {one.name for one in resolved.requirements}
    has_features = any(one.get("feature_service") for one in manifest.data)
    for name in closure(SERVING, names={FEATURES} if has_features else ()).distributions:
        if name not in known:
            resolved.requirements.append(_requirement(name, locked, environment, "the server needs it"))
    resolved.requirements.sort(key=lambda one: one.name)
    _compare(resolved, locked, environment, python)
    git = manifest.code.get("git") or {}
    capture = Capture(
        kind="serving",
        name=_name(manifest.name),
        python=python,
        platforms=tuple(options.platforms),
        model_folder=model_folder,
        has_features=has_features,
        source=reference,
        source_digest=f"sha256:{manifest.digest}",
        commit=f"{git.get('commit', '')}{'-dirty' if git.get('is_dirty') else ''}",
        import_paths=(),
    )
    return finish(
        capture,
        resolved,
        _as_locked(environment, locked),
        [(name, "asked for") for name in options.packages],
        options=options,
        root=options.root,
    )


def _formats(manifest: Manifest) -> set[str]:
    return {str(file.get("format", "")) for file in manifest.files.values()}


def _pins(texts: object) -> dict[str, str]:
    """Name → version of ``name==version`` texts."""
    pins = {}
    for text in texts if isinstance(texts, (list, tuple)) else ():
        name, equal, version = str(text).partition("==")
        if equal:
            pins[normalize(name)] = version.strip()
    return pins


def _take(resolved: Resolved, text: str, why: str) -> None:
    """A pin of the manifest as a requirement."""
    try:
        wanted = Declared(text)
    except InvalidRequirement:
        told = f"{text!r} is among the model's dependencies, and no requirement"
        resolved.problems.append(Problem(message=told, hint="register the model again"))
        return
    name = normalize(wanted.name)
    if wanted.url:
        resolved.requirements.append(Requirement(name=name, origin="vcs", url=wanted.url, because=(why,)))
        return
    version = next((one.version for one in wanted.specifier if one.operator == "=="), "")
    public, plus, local = version.partition("+")
    if plus:
        told = f"{name} was {version}, a build that the usual index does not have"
        hint = f"{public} is taken; name the index of {local} builds (UV_INDEX) for the same one"
        resolved.problems.append(Problem(message=told, hint=hint, severity="warning"))
    if not version:
        told = f"{name} has no version among the model's dependencies"
        hint = "it was installed from files when the model was registered: put a wheel of it on your index"
        resolved.problems.append(Problem(message=told, hint=hint))
    resolved.requirements.append(
        Requirement(name=name, version=public, extras=tuple(sorted(wanted.extras)), because=(why,))
    )


def _requirement(name: str, locked: dict[str, str], environment: Environment, why: str) -> Requirement:
    known = environment.installed.get(name)
    version = locked.get(name) or (known.public_version if known else "")
    return Requirement(name=name, version=version, because=(why,))


def _compare(resolved: Resolved, locked: dict[str, str], environment: Environment, python: str) -> None:
    """Say where this environment differs: shared libraries are looked for in what is installed here."""
    other = [
        name
        for name, version in locked.items()
        if (known := environment.installed.get(name)) is None or known.version != version
    ]
    if other:
        told = f"{', '.join(sorted(other)[:5])} {'is' if len(other) == 1 else 'are'} not installed here as locked"
        hint = "the shared libraries that they link to are told by what is installed here"
        resolved.problems.append(Problem(message=told, hint=hint, severity="warning"))
    if python != environment.minor:
        told = f"the model was registered with Python {python}, and this is {environment.minor}"
        resolved.problems.append(Problem(message=told, severity="warning"))


def _as_locked(environment: Environment, locked: dict[str, str]) -> Environment:
    """This environment with the model's versions: the constraints of the lock."""
    from dataclasses import replace

    installed = {
        name: replace(one, version=locked.get(name, one.version))
        for name, one in environment.installed.items()
    }
    return replace(environment, installed=installed)


def _name(name: str) -> str:
    return name.lower().replace("_", "-").replace(" ", "-").strip("-.")
