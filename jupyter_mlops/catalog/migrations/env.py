"""What Alembic runs to migrate: on the connection, and in the transaction, that `schema` hands over."""

from alembic import context  # noqa: TID253 - only Alembic imports this

from jupyter_mlops.catalog.tables import METADATA

connection = context.config.attributes["connection"]
# SQLite changes a table by copying it (batch); the transaction around all steps is the caller's.
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
