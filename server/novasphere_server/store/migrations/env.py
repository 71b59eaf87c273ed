"""Runs by alembic: migrates over the connection that `upgrade` was given."""

from __future__ import annotations

from alembic import context

from novasphere_server.store import tables

# No transaction of its own: the caller's covers all migrations, so that a start either migrates or
# leaves the database as it was.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
