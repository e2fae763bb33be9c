"""Which features were asked for: references resolved to views and to the names of the answer's columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput
from .definitions import FeatureService, FeatureView, OnDemandView
from .names import parse_reference
from .registry import Definitions, check_feature


@dataclass(frozen=True, slots=True)
class Selected:
    """One column of the answer."""

    output: str
    view: FeatureView | OnDemandView
    feature: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for, and all that must be read for it: view → features, those for on-demand views too."""

    columns: tuple[Selected, ...]
    reads: Mapping[str, tuple[FeatureView, tuple[str, ...]]]  # by "name@version"
    on_demand: Mapping[str, OnDemandView]
    keys: Mapping[str, str]  # every join key → type

    @property
    def pinned(self) -> dict[str, str]:
        """Column → ``view@version:feature``."""
        return {one.output: f"{one.view.reference}:{one.feature}" for one in self.columns}

    @property
    def request(self) -> dict[str, str]:
        """What must come with the question beside the keys: name → type."""
        return {name: dtype for view in self.on_demand.values() for name, dtype in view.request.items()}


Features = Sequence[str] | str | FeatureService


def select(definitions: Definitions, features: Features, *, has_full_names: bool = False) -> Selection:
    """Resolve references, or a service by its name or itself. `NotFound`, `InvalidInput`."""
    if isinstance(features, str):
        features = definitions.service_of(features)
    if isinstance(features, FeatureService):
        if not features.version:
            features = definitions.get(FeatureService, features.name)
        features = features.features
    columns: list[Selected] = []
    for text in references(features):
        reference = parse_reference(text)
        view = definitions.view(reference)
        for name in [reference.feature] if reference.feature else view.schema:
            check_feature(view, name)
            columns.append(Selected(f"{view.name}__{name}" if has_full_names else name, view, name))
    if not columns:
        raise InvalidInput("no features were asked for", hint="features=['view:feature']")
    _check_outputs(columns)
    return _with_reads(definitions, columns)


def references(features: Any) -> tuple[str, ...]:
    """The texts of a list of features; `InvalidInput` for anything else."""
    if not isinstance(features, Iterable) or isinstance(features, (bytes, Mapping)):
        raise InvalidInput(
            f"a {type(features).__name__} is no list of names",
            hint="['view:feature', …], or a single name",
        )
    named = tuple(features)
    for text in named:
        parse_reference(text)
    return named


def _check_outputs(columns: Sequence[Selected]) -> None:
    seen: dict[str, Selected] = {}
    for one in columns:
        other = seen.setdefault(one.output, one)
        if other is not one:
            raise InvalidInput(
                f"{other.view.name}:{other.feature} and {one.view.name}:{one.feature} have the same name",
                hint="full_names=True names them view__feature, or ask for each once",
            )


def _with_reads(definitions: Definitions, columns: Sequence[Selected]) -> Selection:
    reads: dict[str, tuple[FeatureView, dict[str, None]]] = {}
    on_demand: dict[str, OnDemandView] = {}

    def read(view: FeatureView, feature: str) -> None:
        reads.setdefault(view.reference, (view, {}))[1][feature] = None

    for one in columns:
        if isinstance(one.view, FeatureView):
            read(one.view, one.feature)
            continue
        on_demand[one.view.reference] = one.view
        for text in one.view.inputs:
            reference = parse_reference(text)
            source = definitions.view(reference)
            if isinstance(source, FeatureView):
                read(source, reference.feature)
    keys: dict[str, str] = {}
    for view, _ in reads.values():
        for name, dtype in definitions.keys_of(view).items():
            if keys.setdefault(name, dtype) != dtype:
                raise InvalidInput(
                    f"the join key {name!r} is {keys[name]} in one view and {dtype} in {view.name!r}",
                    hint="ask for them one after the other",
                )
    return Selection(
        tuple(columns), {name: (view, tuple(names)) for name, (view, names) in reads.items()}, on_demand, keys
    )


def input_columns(view: OnDemandView) -> list[tuple[str, str, str]]:
    """(input's name, its view's reference, its feature) for each input from another view."""
    found = []
    for text in view.inputs:
        reference = parse_reference(text)
        found.append((reference.feature, f"{reference.view}@{reference.version}", reference.feature))
    return found
