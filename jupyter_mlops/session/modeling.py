"""Models from a notebook: mark its functions, register, find, load, and move aliases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from ..catalog import ModelAlias, ModelVersion
from ..errors import InvalidInput
from ..models import LoadedModel
from ..models.listing import VersionTable
from .place import get_workspace

F = TypeVar("F", bound=Callable[..., Any])
Function = Callable[..., Any] | Literal["marked"] | None
_marked: dict[str, Callable[..., Any]] = {}  # role → the function that the notebook has marked last
_MOST_LISTED = 100
_MOST_HISTORY = 1000


def featurize(function: F) -> F:
    """Mark ``featurize(data)``, raw rows → features, as the one that the next models are registered with."""
    return _mark("featurize", function)


def predict(function: F) -> F:
    """Mark ``predict(model, features)`` as the one that the next models are registered with."""
    return _mark("predict", function)


def _mark(role: str, function: F) -> F:
    if not callable(function):
        raise InvalidInput(
            f"@mlops.{role} marks a function, not a {type(function).__qualname__}",
            hint=f"@mlops.{role} stands by itself above def",
        )
    _marked[role] = function
    return function


def marked(role: str) -> Callable[..., Any] | None:
    """The function that this session has marked as ``featurize`` or ``predict``."""
    return _marked.get(role)


def register_model(
    name: str, model: Any, *, featurize: Function = "marked", predict: Function = "marked", **envelope: Any
) -> ModelVersion:
    """Keep `model` as the next version of `name`, with all that it takes to run, judge and make it again.

    `featurize` and `predict` are by default the functions marked in this session, None for none. Everything
    else is as for `ModelStore.register`: `input_example` (needed), `metrics`, `data`, `tags`, `artifacts`,
    `aliases`, `parameters`, `description`, `check`, … Nothing is stored unless the saved version predicts its
    example as the notebook's objects do. In a run it belongs to the run.
    """
    return get_workspace().models.register(
        name,
        model,
        featurize=marked("featurize") if featurize == "marked" else featurize,
        predict=marked("predict") if predict == "marked" else predict,
        **envelope,
    )


def load_model(reference: str) -> LoadedModel:
    """The version that ``models:/NAME/3``, ``models:/NAME@champion`` or ``models:/NAME`` means, ready to predict."""
    return get_workspace().models.load(reference)


def find_models(
    name: str | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    where: Mapping[str, Any] | None = None,
    order_by: str | None = None,
    limit: int = _MOST_LISTED,
) -> VersionTable:
    """Versions as a table: those of `name`, newest first; without anything the newest one of each model.

    `tags`, `where` (``{"metrics.auc": (">", 0.9)}``) and `order_by` (``"-metrics.auc"``) are as for
    `ModelStore.find`. The table is a sequence of `ModelVersion`.
    """
    store = get_workspace().models
    if name is not None:
        store.aliases(name)  # a name that nobody has is an error, not an empty table
    if name is None and not (tags or where or order_by):
        models = {one.model.name: one for one in store.overview(limit=limit) if one.newest is not None}
        every = (
            store.find(where={"name": [*models]}, order_by="-version", limit=_MOST_HISTORY) if models else []
        )
        return VersionTable(
            [one.newest for one in models.values() if one.newest is not None],
            aliases={
                name: {alias.alias: alias.version for alias in one.aliases} for name, one in models.items()
            },
            history=every,
            is_overview=True,
        )
    versions = store.find(name, tags=tags, where=where, order_by=order_by, limit=limit)
    aliases = {one: store.aliases(one) for one in dict.fromkeys(version.name for version in versions)}
    return VersionTable(versions, aliases=aliases, history=versions)


def alias(name: str, alias: str, version: int, *, protected: bool = False, force: bool = False) -> ModelAlias:
    """Let ``models:/NAME@alias`` mean this version from now on. A protected alias moves only with `force`;
    one that is protected stays so."""
    return get_workspace().models.set_alias(
        name, alias, version, is_protected=True if protected else None, force=force
    )
