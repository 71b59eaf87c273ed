"""Brings a database to the schema that this version of the product needs.

Most starts find nothing to do: Alembic, which takes 10 MiB, is imported by the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from novasphere_server.store.database import Outage

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0016"  # the newest of versions/
_VERSION = sa.table("alembic_version", sa.column("version_num"))


class DatabaseTooNew(Outage):
    """The database was last used by a newer version, whose schema this one does not know."""


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "novasphere_server.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: sa.Connection) -> None:
    """Runs the missing migrations in the open transaction of `connection`."""
    if _schemas(connection) == [HEAD]:
        return
    from alembic import command
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    try:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise DatabaseTooNew(
                f"the database has schema {current}, which this version does not know: "
                "run the newer version"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    except CommandError as error:
        raise Outage(str(error)) from error


def _schemas(connection: sa.Connection) -> list[str]:
    """Returns the schema that the database says it has; none of a new one."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return []
    return list(connection.execute(sa.select(_VERSION.c.version_num)).scalars())
