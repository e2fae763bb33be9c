"""Models as a reader looks at them: each with its newest version, how many it has, and its aliases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..catalog import Catalog, ModelAlias, ModelVersion, RegisteredModel

LIVE: Mapping[str, bool] = {"is_deleted": False}


@dataclass(frozen=True, slots=True)
class ModelOverview:
    """A model; `newest` is None when all of its versions were deleted."""

    model: RegisteredModel
    newest: ModelVersion | None
    version_count: int
    aliases: tuple[ModelAlias, ...]


def overview(catalog: Catalog, models: Sequence[RegisteredModel]) -> list[ModelOverview]:
    """These models, in their order."""
    names = [model.name for model in models]
    if not names:
        return []
    counts = catalog.count_by(ModelVersion, ("name",), where={"name": names})
    aliases: dict[str, list[ModelAlias]] = {}
    for each in catalog.find(ModelAlias, where={"name": names}, order_by=("name", "alias")):
        aliases.setdefault(each.name, []).append(each)
    made = []
    for model in models:
        newest = catalog.find(ModelVersion, where={"name": model.name}, order_by="-version", limit=1)
        count = counts.get((model.name,), 0)
        made.append(
            ModelOverview(model, newest[0] if newest else None, count, tuple(aliases.get(model.name, ())))
        )
    return made


def searched(text: str) -> tuple[str, tuple[str, ...]] | None:
    """A search as `Catalog.find` takes it."""
    return (text, ("name", "description")) if text.strip() else None
