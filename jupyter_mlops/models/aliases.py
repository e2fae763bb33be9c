"""Aliases: movable names of versions, each move kept.

Moves of one model's aliases stand one after the other, whoever makes them: each begins by writing to the model's
row, which the next one waits for. So the history has no gaps, and no alias names a version that is being deleted.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..catalog import AliasMove, Catalog, ModelAlias, ModelVersion, RegisteredModel
from ..errors import Conflict, NotFound
from ..events import now
from .arguments import texts
from .names import check_alias


class Aliases:
    """The aliases in a catalog. `move` and `remove` are called inside of a transaction."""

    def __init__(self, catalog: Catalog, user_name: str) -> None:
        self._catalog = catalog
        self._user_name = user_name

    def of(self, name: str, version: int | None = None) -> list[ModelAlias]:
        """The aliases of a model, or of one of its versions."""
        where = {"name": name} | ({} if version is None else {"version": version})
        return self._catalog.find(ModelAlias, where=where, order_by="alias")

    def find(self, name: str, alias: str) -> ModelAlias | None:
        """One of them."""
        found = self._catalog.find(ModelAlias, where={"name": name, "alias": alias}, limit=1)
        return found[0] if found else None

    def history(self, name: str, alias: str | None = None) -> list[AliasMove]:
        """Who moved which from where to where, newest first."""
        where = {"name": name} | ({} if alias is None else {"alias": alias})
        return self._catalog.find(AliasMove, where=where, order_by="-seq")

    def chosen(self, name: str, given: Iterable[str]) -> list[str]:
        """The aliases that a new version shall have, checked; one may be given as a text."""
        aliases = [check_alias(alias) for alias in texts(given, "aliases")]
        for alias in aliases:
            self._movable(name, alias, is_forced=False)
        return aliases

    def lock(self, name: str) -> None:
        """Wait for whoever else moves an alias of the model or deletes of it, and let others wait."""
        self._catalog.update(RegisteredModel, name, updated_at=now())

    def move(
        self, name: str, alias: str, version: int, *, is_forced: bool, is_protected: bool | None = None
    ) -> tuple[ModelAlias, AliasMove | None]:
        """The alias as it is now, and the story of it, None when it stays where it was."""
        self.lock(name)
        known = self._movable(name, alias, is_forced=is_forced)
        if not self._catalog.count(ModelVersion, where={"name": name, "version": version}):
            raise NotFound(f"version {version} of {name!r} was deleted meanwhile")
        keeps = known.is_protected if known else False
        record = ModelAlias(
            name=name,
            alias=alias,
            version=version,
            is_protected=keeps if is_protected is None else is_protected,
            user_name=self._user_name,
            updated_at=now(),
        )
        self._catalog.put(record)
        return record, self._note(name, alias, known, version)

    def remove(self, name: str, alias: str, *, is_forced: bool) -> AliasMove | None:
        """Take it away; None when it is away already."""
        self.lock(name)
        known = self._movable(name, alias, is_forced=is_forced)
        self._catalog.delete(ModelAlias, {"name": name, "alias": alias})
        return self._note(name, alias, known, None)

    def _movable(self, name: str, alias: str, *, is_forced: bool) -> ModelAlias | None:
        known = self.find(name, alias)
        if known is not None and known.is_protected and not is_forced:
            raise Conflict(
                f"the alias {alias!r} of {name!r} is protected (it names version {known.version})",
                hint="move it with force=True",
            )
        return known

    def _note(self, name: str, alias: str, known: ModelAlias | None, version: int | None) -> AliasMove | None:
        old = known.version if known else None
        if old == version:
            return None
        move = AliasMove(
            name=name, alias=alias, old_version=old, new_version=version, user_name=self._user_name, at=now()
        )
        self._catalog.add(move)
        return move
