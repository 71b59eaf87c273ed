"""What a server has stored, read behind its back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Returns the rows of a SELECT on the database of a server, which may be running."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    else:
        parsed = parsed.set(database=f"file:{parsed.database}", query={"mode": "ro", "uri": "true"})
    engine = sa.create_engine(parsed, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]
