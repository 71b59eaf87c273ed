"""What servers say of themselves. Their rows live no longer than they do, so the table is made anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.drop_table("servers")
    op.create_table(
        "servers",
        sa.Column("server_id", _TEXT, nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("address", _TEXT, nullable=False),
        sa.Column("bind_namespaces", _TEXT, nullable=False),
        sa.Column("description", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("server_id", name="pk_servers"),
    )
