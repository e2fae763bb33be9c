"""Definitions in the catalog: registered whole or not at all, never changed, found again.

Everything that can be wrong is found before the first record is written, and the records are written in one
transaction. What a version means cannot change, so versions are kept in memory; which version is the current
one is asked again every few seconds.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from ..blobs import BlobStore
from ..catalog import Catalog, FeatureDefinition
from ..errors import Conflict, InvalidInput, NotFound, did_you_mean
from . import expectations, functions, ondemand
from .definitions import Definition, Entity, FeatureService, FeatureView, Function, OnDemandView
from .names import Reference, parse_reference
from .versions import on_demand_from_json, on_demand_parts, to_json, version_of, view_from_json, view_parts

AnyView = FeatureView | OnDemandView
D = TypeVar("D", Entity, FeatureView, OnDemandView, FeatureService)

_KINDS: Mapping[type[Any], str] = {
    Entity: "entity", FeatureView: "view", OnDemandView: "on_demand", FeatureService: "service",
}  # fmt: skip
_WORDS = {
    "entity": "entity",
    "view": "feature view",
    "on_demand": "on-demand view",
    "service": "feature service",
}
_FROM_JSON: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "entity": lambda kept: Entity(**kept),
    "view": view_from_json,
    "on_demand": on_demand_from_json,
    "service": lambda kept: FeatureService(**kept),
}
REFRESH_SECONDS = 5.0
Inspect = Callable[[FeatureView, Mapping[str, str]], dict[str, str]]


class Definitions:
    """The definitions of one catalog. `inspect` reads a view's source and gives its schema."""

    def __init__(self, catalog: Catalog, blobs: BlobStore, inspect: Inspect) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._inspect = inspect
        self._kept: dict[tuple[str, str, str], Any] = {}
        self._current: dict[tuple[str, str], tuple[float, str]] = {}

    # --- registering ------------------------------------------------------------------------------------

    def register(self, given: Sequence[Definition], *, at: datetime, run_id: str = "") -> list[Definition]:
        """Keep definitions, all or none, and return them with their versions, in the order given."""
        batch = _Batch(self, given)
        made = {id(one): batch.made(one) for one in batch.ordered}
        for one in made.values():
            self._check_free(one, list(made.values()))
        with self._catalog.transaction():
            for one in made.values():
                self._keep(one, at, run_id)
        self._kept.clear()
        self._current.clear()
        return [made[id(one)] for one in given]

    def _check_free(self, one: Definition, batch: Sequence[Definition]) -> None:
        """A name is one thing, whatever its case: `Conflict`."""
        kind = _KINDS[type(one)]
        others = [(_KINDS[type(other)], other.name) for other in batch]
        others += [
            (record.kind, record.name)
            for record in self._catalog.find(
                FeatureDefinition, where={"folded": one.name.casefold()}, omit=("definition", "tags", "blobs")
            )
        ]
        for other_kind, name in others:
            is_ours = _space(other_kind) == _space(kind) and name.casefold() == one.name.casefold()
            if is_ours and (name != one.name or other_kind != kind):
                raise Conflict(
                    f"the name {one.name!r} is taken by the {_WORDS[other_kind]} {name!r}",
                    hint="choose another name",
                )

    def _keep(self, one: Definition, at: datetime, run_id: str) -> None:
        kind, version = _KINDS[type(one)], getattr(one, "version", "")
        changes: dict[str, Any] = {
            "definition": to_json(one), "description": one.description, "owner": one.owner, "tags": one.tags,
            "registered_at": at,
        }  # fmt: skip
        if self._catalog.update(FeatureDefinition, (kind, one.name, version), **changes):
            return
        function = getattr(one, "function", None)
        self._catalog.add(
            FeatureDefinition(
                kind=kind, name=one.name, version=version, folded=one.name.casefold(),
                blobs=[function.blob] if isinstance(function, Function) else [],
                run_id=run_id, user_name=_user(), created_at=at, **changes,
            )
        )  # fmt: skip

    # --- reading ----------------------------------------------------------------------------------------

    def get(self, kind: type[D], name: str, version: str = "") -> D:
        """One definition; `version` may be the beginning of one, "" means the current. `NotFound`."""
        word = _KINDS[kind]
        if kind is not Entity and not version:
            version = self._current_version(word, name)
        kept = self._kept.get((word, name, version))
        if kept is None:
            record = self._record(word, name, version)
            kept = self._kept[word, name, version] = _FROM_JSON[word](record.definition)
        found: D = kept
        return found

    def _current_version(self, kind: str, name: str) -> str:
        known = self._current.get((kind, name))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        record = self._record(kind, name, "")
        self._current[kind, name] = (time.monotonic() + REFRESH_SECONDS, record.version)
        return record.version

    def _record(self, kind: str, name: str, version: str) -> FeatureDefinition:
        records = self._catalog.find(
            FeatureDefinition, where={"kind": kind, "name": name}, order_by=("-registered_at", "-version")
        )
        if not records:
            known = [
                one.name
                for one in self._catalog.find(FeatureDefinition, where={"kind": kind}, omit=("definition",))
            ]
            raise NotFound(f"there is no {_WORDS[kind]} {name!r}", hint=did_you_mean(name, known))
        if not version:
            return records[0]
        matching = [one for one in records if one.version.startswith(version)]
        if len(matching) != 1:
            problem = "has no version" if not matching else "has several versions that begin with"
            versions = ", ".join(one.version for one in records[:10])
            raise NotFound(f"the {_WORDS[kind]} {name!r} {problem} {version!r}", hint=f"versions: {versions}")
        return matching[0]

    def view(self, reference: Reference) -> AnyView:
        """The feature view or on-demand view of a reference; `NotFound` with the nearest name of either."""
        try:
            return self.get(FeatureView, reference.view, reference.version)
        except NotFound as error:
            try:
                return self.get(OnDemandView, reference.view, reference.version)
            except NotFound:
                pass
            known = {
                one.name
                for one in self._catalog.find(FeatureDefinition, omit=("definition",))
                if one.kind in ("view", "on_demand")
            }
            if reference.view in known:
                raise
            raise NotFound(
                f"there is no feature view {reference.view!r}", hint=did_you_mean(reference.view, known)
            ) from error

    def keys_of(self, view: FeatureView) -> dict[str, str]:
        """Join key → type."""
        keys: dict[str, str] = {}
        for entity in view.entities:
            name = entity if isinstance(entity, str) else entity.name
            keys |= self.get(Entity, name).keys
        return keys

    def find(
        self,
        text: str = "",
        *,
        kind: type[Any] | None = None,
        owner: str | None = None,
        tags: Mapping[str, str] | None = None,
        are_all_versions: bool = False,
    ) -> list[Definition]:
        """The definitions in whose names, descriptions, features or tags each word of `text` is."""
        if kind is not None and kind not in _KINDS:
            raise InvalidInput(
                f"{kind!r} is no kind of definition", hint="Entity, FeatureView, OnDemandView, FeatureService"
            )
        where = {"kind": _KINDS[kind]} if kind else {}
        where |= {"owner": owner} if owner is not None else {}
        found, seen = [], set()
        order = ("kind", "name", "-registered_at", "-version")
        for record in self._catalog.find(FeatureDefinition, where=where, order_by=order):
            if (record.kind, record.name) in seen and not are_all_versions:
                continue
            seen.add((record.kind, record.name))
            has_tags = all(record.tags.get(name) == value for name, value in (tags or {}).items())
            if has_tags and all(word in _searched(record) for word in text.casefold().split()):
                found.append(_FROM_JSON[record.kind](record.definition))
        return found

    def service_of(self, text: str) -> FeatureService:
        """``name`` or ``name@version``."""
        reference = parse_reference(text)
        if reference.feature:
            raise InvalidInput(f"{text!r} is a feature, not a service", hint=f"features=[{text!r}]")
        return self.get(FeatureService, reference.view, reference.version)


class _Batch:
    """Definitions that are registered together and may refer to each other."""

    def __init__(self, store: Definitions, given: Sequence[Definition]) -> None:
        self._store = store
        for one in given:
            if type(one) not in _KINDS:
                raise InvalidInput(
                    f"a {type(one).__name__} cannot be registered",
                    hint="Entity, FeatureView, OnDemandView, FeatureService",
                )
        nested = [
            e for one in given if isinstance(one, FeatureView) for e in one.entities if isinstance(e, Entity)
        ]
        order = list(_KINDS)
        self.ordered = sorted([*nested, *given], key=lambda one: order.index(type(one)))
        self._entities: dict[str, Entity] = {}
        self._views: dict[str, AnyView] = {}

    def made(self, one: Definition) -> Definition:
        """The definition as it will be kept: its schema read, its references pinned, its version known."""
        if isinstance(one, Entity):
            return self._entity(one)
        if isinstance(one, FeatureView):
            return self._view(one)
        if isinstance(one, OnDemandView):
            return self._on_demand(one)
        service = replace(one, features=self._pinned(one.features), version="")
        return replace(service, version=version_of({"name": one.name, "features": list(service.features)}))

    def _entity(self, entity: Entity) -> Entity:
        try:
            known = self._entities.get(entity.name) or self._store.get(Entity, entity.name)
        except NotFound:
            known = None
        if known is not None and known.keys != entity.keys:
            raise Conflict(
                f"the entity {entity.name!r} is known with the join keys {known.keys}, not {entity.keys}",
                hint="name the entity alone to use it, or give the other one another name",
            )
        self._entities[entity.name] = entity
        return entity

    def _view(self, view: FeatureView) -> FeatureView:
        names = [one if isinstance(one, str) else one.name for one in view.entities]
        keys: dict[str, str] = {}
        for name in names:
            entity = self._entities.get(name) or self._store.get(Entity, name)
            keys |= entity.keys
        clash = sorted({*keys} & {*view.schema})
        if clash:
            raise InvalidInput(
                f"feature view {view.name!r}: {clash[0]!r} is a join key, it cannot be a feature too"
            )
        function = None if view.function is None else functions.capture(view.function, self._store._blobs)
        made = replace(view, entities=names, function=function, version="")
        schema = dict(view.schema) if not (view.sql or function) else self._store._inspect(
            replace(made, function=view.function), keys
        )  # fmt: skip
        made = replace(made, schema=schema)
        expectations.check(made)
        made = replace(made, version=version_of(view_parts(made, keys)))
        self._views[view.name] = made
        return made

    def _on_demand(self, view: OnDemandView) -> OnDemandView:
        inputs = self._pinned(view.inputs)
        types = {}
        for text in inputs:
            reference = parse_reference(text)
            source = self._find(reference)
            if isinstance(source, OnDemandView):
                raise InvalidInput(
                    f"on-demand view {view.name!r}: {reference.view!r} is on demand too",
                    hint="call its function from this one",
                )
            types[reference.feature] = source.schema[reference.feature]
        clash = sorted({*view.input_names} & {*view.schema})
        if clash:
            raise InvalidInput(f"on-demand view {view.name!r}: {clash[0]!r} is an input and a feature")
        blobs = self._store._blobs
        function = functions.capture(view.function, blobs)
        made = replace(
            view, inputs=inputs, function=function, version="", example=[dict(row) for row in view.example]
        )
        ondemand.prove(made, functions.load(view.function, blobs), blobs.read_bytes(function.blob), types)
        made = replace(made, example=[], version=version_of(on_demand_parts(made)))
        self._views[view.name] = made
        return made

    def _find(self, reference: Reference) -> AnyView:
        mine = self._views.get(reference.view)
        if mine is not None and mine.version.startswith(reference.version):
            return mine
        return self._store.view(reference)

    def _pinned(self, features: Sequence[str]) -> list[str]:
        """Each feature with its view's version; a view alone stands for all of its features."""
        pinned = []
        for text in features:
            reference = parse_reference(text)
            view = self._find(reference)
            names = [reference.feature] if reference.feature else list(view.schema)
            check_feature(view, names[0])
            pinned += [f"{view.reference}:{name}" for name in names]
        twice = sorted({one for one in pinned if pinned.count(one) > 1})
        if twice:
            raise InvalidInput(f"{twice[0]!r} is named twice")
        return pinned


def check_feature(view: AnyView, name: str) -> None:
    """`NotFound` with the nearest name unless the view has the feature."""
    if name not in view.schema:
        raise NotFound(
            f"the feature view {view.name!r} has no feature {name!r}", hint=did_you_mean(name, view.schema)
        )


def _space(kind: str) -> str:
    """Views of both kinds share names: a reference does not say which it means."""
    return "view" if kind == "on_demand" else kind


def _searched(record: FeatureDefinition) -> str:
    names = [*record.definition.get("schema", ()), *record.definition.get("features", ())]
    labels = [*record.tags, *record.tags.values()]
    return " ".join([record.name, record.description, record.owner, *names, *labels]).casefold()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        return ""
