"""Look at a catalog without changing it: nothing is made and nothing is migrated."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import exc

from . import engines
from .schema import HEAD, revision_of

_BUSY_SECONDS = 2.0


def look(url: str) -> tuple[str | None, str]:
    """The schema revision of the catalog at `url` (None: there is none yet), and the one of this version.

    Raises `CatalogUnavailable`, `InvalidSettings`, `MissingExtra`.
    """
    engine = engines.create_engine(url, _BUSY_SECONDS)
    try:
        file = engine.url.database or ""
        if engine.dialect.name == "sqlite" and not file.startswith("file:") and not Path(file).exists():
            return None, HEAD
        with engine.connect() as connection:
            return revision_of(connection), HEAD
    except exc.SQLAlchemyError as error:
        raise engines.translate(error, engine) from error
    finally:
        engine.dispose()
