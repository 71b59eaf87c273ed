"""Several servers on one database: which there are, and which of them an agent is linked to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("agents", sa.Column("server_id", _TEXT, nullable=True))
    op.create_table(
        "servers",
        sa.Column("server_id", _TEXT, nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("server_id", name="pk_servers"),
    )
