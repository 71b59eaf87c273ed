"""Brings a database to the schema that this version of the product needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from novasphere_server.store.database import Outage


class DatabaseTooNew(Outage):
    """The database was last used by a newer version, whose schema this one does not know."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "novasphere_server.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: sa.Connection) -> None:
    """Runs the missing migrations in the open transaction of `connection`."""
    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise DatabaseTooNew(
            f"the database has schema {current}, which this version does not know: run the newer version"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
