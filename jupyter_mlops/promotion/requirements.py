"""From what the code asks for to distributions with versions: those of the environment that it runs in.

What the notebook declares (PEP 723, then ``%pip``) goes before what is imported, and an installed version that meets
what is declared before anything else: what ran here shall run there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ..models.dependencies import USUAL, normalize
from ..problems import Problem
from . import hidden
from .captured import OptionalModule, Requirement
from .environment import Environment, Installed
from .installs import Install, Installs, parse
from .sources import Imported, Reading

_OURS = "jupyter_mlops"
_ORDER = {"PEP 723": 0, "metadata": 1}  # then what is installed by a cell
# IPython finds its own extensions by short names.
_LEFT = sys.stdlib_module_names | {_OURS, "__main__", "autoreload", "storemagic"}


@dataclass(slots=True)
class _Draft:
    """What is known of one distribution so far."""

    because: list[str] = field(default_factory=list)
    extras: set[str] = field(default_factory=set)
    specifiers: list[tuple[SpecifierSet, str]] = field(default_factory=list)  # with who asks
    url: str = ""
    marker: str = ""
    where: str = ""


@dataclass(slots=True)
class Resolved:
    """The outcome: see `Capture`."""

    requirements: list[Requirement] = field(default_factory=list)
    optional: list[OptionalModule] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def modules_of(readings: Iterable[Reading]) -> set[str]:
    """The dotted names of the modules that distributions bring."""
    return {
        one.module
        for reading in readings
        for one in reading.imports
        if (top := one.module.partition(".")[0]) and top not in _LEFT and top not in reading.local
    }


def resolve(
    readings: Sequence[Reading],
    installs: Installs,
    environment: Environment,
    runtime: Mapping[str, str],
) -> Resolved:
    """The requirements of code and declarations; `runtime` are distributions that the image needs anyhow, with the
    reason."""
    resolving = _Resolving(environment, frozenset().union(*(reading.local for reading in readings)))
    for install in sorted(installs.requirements, key=lambda one: _ORDER.get(one.how, 2)):
        resolving.declare(install)
    for reading in readings:
        for one in reading.imports:
            resolving.take_import(one, reading.local)
    libraries = frozenset().union(*(reading.libraries for reading in readings))
    for need, where in _needs(readings, libraries):
        resolving.take_need(need, where)
    for name, why in runtime.items():
        resolving.draft(name).because.append(why)
    resolving.check_python(installs.python)
    return resolving.finish()


def _needs(readings: Iterable[Reading], libraries: frozenset[str]) -> Iterator[tuple[hidden.Need, str]]:
    for reading in readings:
        for call in reading.calls:
            for need in hidden.of_call(call.name, libraries, call.engine, call.path):
                yield need, call.where
        for text, where in reading.texts:
            for need in hidden.of_text(text, libraries):
                yield need, where
        for one in reading.imports:
            for need in hidden.of_module(one.module):
                yield need, one.where


@dataclass(slots=True)
class _Resolving:
    environment: Environment
    local: frozenset[str]
    drafts: dict[str, _Draft] = field(default_factory=dict)
    resolved: Resolved = field(default_factory=Resolved)
    told: set[str] = field(default_factory=set)

    def draft(self, name: str) -> _Draft:
        return self.drafts.setdefault(normalize(name), _Draft())

    def tell(self, message: str, where: str = "", hint: str = "", *, is_warning: bool = False) -> None:
        """Once for each message."""
        if message not in self.told:
            self.told.add(message)
            severity = "warning" if is_warning else "error"
            self.resolved.problems.append(
                Problem(message=message, where=where, hint=hint, severity=severity)  # type: ignore[arg-type]
            )

    # --- what is asked for ------------------------------------------------------------------------------

    def declare(self, install: Install) -> None:
        wanted = parse(install)
        if isinstance(wanted, Problem):
            self.tell(wanted.message, wanted.where, wanted.hint)
            return
        if normalize(wanted.name) == normalize(_OURS):
            return
        draft = self.draft(wanted.name)
        draft.extras |= set(wanted.extras)
        draft.because.append(
            f"{install.how}, {install.where}" if install.how != install.where else install.where
        )
        draft.where = draft.where or install.where
        if wanted.url:
            draft.url = draft.url or wanted.url
        if wanted.specifier:
            draft.specifiers.append((wanted.specifier, f"{install.how}, {install.where}"))
        draft.marker = draft.marker or str(wanted.marker or "")

    def take_import(self, one: Imported, local: frozenset[str]) -> None:
        top = one.module.partition(".")[0]
        if not top or top in _LEFT or top in local:
            return
        if one.unless and all(self._is_here(module, local) for module in one.unless):
            return
        names = self.environment.behind(one.module)
        if len(names) > 1:
            usual = normalize(USUAL.get(top, top))
            names = (usual,) if usual in names else names
        if names:
            for name in names:
                self._because(name, f"imported by {one.where}")
            if len(names) > 1:
                told = f"{one.module} comes from {' and '.join(names)}: all of them are taken"
                self.tell(told, one.where, is_warning=True)
        elif normalize(USUAL.get(top, top)) not in self.drafts:
            self._missing(one, top)

    def _because(self, name: str, why: str) -> None:
        because = self.draft(name).because
        if why not in because:
            because.append(why)

    def _is_here(self, module: str, local: frozenset[str]) -> bool:
        top = module.partition(".")[0]
        return top in _LEFT or top in local or bool(self.environment.behind(module))

    def _missing(self, one: Imported, top: str) -> None:
        if one.is_optional:
            self.resolved.optional.append(OptionalModule(module=top, where=one.where))
            return
        unknown = [name for name in self.drafts if name not in self.environment.installed]
        if unknown:
            told = f"{top} is not installed here; it has to come with {' or '.join(sorted(unknown))}"
            self.tell(told, one.where, is_warning=True)
        elif place := self.environment.places.get(top):
            told = f"{top} is imported from {place.parent}, neither of the workspace nor of a distribution"
            self.tell(
                told, one.where, "move it into the workspace, install it from a wheel, or say include_local"
            )
        else:
            told = (
                f"{top} is imported, but not installed for the notebook's kernel: which distribution is it?"
            )
            self.tell(
                told, one.where, f"install it, or name it in a cell: %pip install {USUAL.get(top, top)}"
            )

    def take_need(self, need: hidden.Need, where: str) -> None:
        known = next((name for name in need.any_of if name in self.environment.installed), None)
        if known is not None:
            self._because(known, f"{need.why}, {where}")
        elif need.is_certain and not any(name in self.drafts for name in need.any_of):
            told = f"{need.why} needs {' or '.join(need.any_of)}, which is not installed here"
            self.tell(told, where, f"%pip install {need.any_of[0]}", is_warning=True)

    def check_python(self, wanted: str) -> None:
        if not wanted:
            return
        try:
            is_met = SpecifierSet(wanted).contains(Version(self.environment.python))
        except (InvalidSpecifier, InvalidVersion):
            self.tell(f"requires-python is {wanted!r}", hint='write it as ">=3.11"')
            return
        if not is_met:
            self.tell(
                f"the notebook requires Python {wanted}, and its kernel runs {self.environment.python}",
                hint="choose another kernel, or another requires-python",
            )

    # --- what becomes of it -----------------------------------------------------------------------------

    def finish(self) -> Resolved:
        for name, draft in sorted(self.drafts.items()):
            if (requirement := self._requirement(name, draft)) is not None:
                self.resolved.requirements.append(requirement)
        return self.resolved

    def _requirement(self, name: str, draft: _Draft) -> Requirement | None:
        known = self.environment.installed.get(name)
        common = Requirement(
            name=name, extras=tuple(sorted(draft.extras)), marker=draft.marker, because=tuple(draft.because)
        )
        if draft.url and (known is None or known.origin != "vcs"):
            if "+" in draft.url.partition("://")[0] and "@" not in draft.url.rpartition("/")[2]:
                told = f"{name} comes from the newest commit of {draft.url}, which changes"
                self.tell(told, draft.where, "name the commit: …git@<commit>", is_warning=True)
            return replace(common, origin="vcs", url=draft.url)
        if known is None:
            return self._not_installed(common, draft)
        if known.note:
            self.tell(f"{name}: {known.note}", is_warning=True)
        if known.origin == "vcs":
            self.tell(f"{name} is taken from a repository: {known.url}", draft.where, is_warning=True)
            return replace(common, origin="vcs", url=known.url, version=known.version)
        if known.origin == "local":
            return self._local(common, known)
        for specifier, who in draft.specifiers[:1]:  # the first one goes before the others
            if not specifier.contains(known.public_version, prereleases=True):
                return self._other_version(common, draft, specifier, who, known)
        if known.local_version:
            told = f"{name} is installed as {known.version}, a build that the usual index does not have"
            hint = (
                f"{known.public_version} is taken; name the index of that build (UV_INDEX) for the same one"
            )
            self.tell(told, hint=hint, is_warning=True)
        return replace(common, version=known.public_version)

    def _local(self, common: Requirement, known: Installed) -> Requirement | None:
        if known.editable is not None and any(normalize(top) == known.name for top in self.local):
            return None  # its modules go along
        kind = "as editable" if known.editable is not None else "from a file"
        told = f"{known.name} is installed {kind} from {known.url}, where an image cannot reach it"
        self.tell(
            told,
            hint="put a wheel of it on your index, or let its modules go along: include_local (--include-local)",
        )
        return replace(common, origin="local", version=known.version, url=known.url)

    def _other_version(
        self, common: Requirement, draft: _Draft, specifier: SpecifierSet, who: str, known: Installed
    ) -> Requirement:
        told = f"{common.name} {known.version} is installed, but {who} asks for {specifier}: that is taken"
        self.tell(told, draft.where, is_warning=True)
        return replace(common, specifier=_first(draft))

    def _not_installed(self, common: Requirement, draft: _Draft) -> Requirement:
        asked = _first(draft)
        is_pinned = asked.startswith("==") and "," not in asked and "*" not in asked
        if not is_pinned and draft.where:
            told = f"{common.name} is not installed here: its version is chosen when it is locked"
            self.tell(told, draft.where, is_warning=True)
        return replace(common, specifier=asked)


def _first(draft: _Draft) -> str:
    """What is asked of the version by who goes first: PEP 723 before ``%pip``."""
    return str(draft.specifiers[0][0]) if draft.specifiers else ""


def constraints_of(environment: Environment, requirements: Sequence[Requirement]) -> str:
    """The whole environment as constraints, so that what is needed in turn is what is installed here."""
    free = {one.name for one in requirements if one.specifier or one.origin != "index"}
    lines = [
        f"{one.name}=={one.public_version}"
        for one in environment.installed.values()
        if one.origin == "index" and one.name not in free and _is_version(one.public_version)
    ]
    return "".join(f"{line}\n" for line in sorted(lines))


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
