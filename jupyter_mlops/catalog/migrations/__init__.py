"""Alembic's migrations of the catalog: every change of a record is one more file in ``versions``."""
