"""What one node alone may take is found in the order in which it goes, however much of it waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_WAITS = sa.text("state = 1 AND node_uid <> '' AND hold = 0")


def upgrade() -> None:
    op.create_index(
        "ix_tasks_own",
        "tasks",
        ["node_uid", "rank", "id"],
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
