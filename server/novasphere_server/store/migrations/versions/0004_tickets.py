"""Tickets, which open one stream each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "tickets",
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("holder", _TEXT, nullable=False),
        sa.Column("path", _TEXT, nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_tickets"),
    )
    op.create_index("ix_tickets_expires_at_us", "tickets", ["expires_at_us"])
