"""What agents agree to run is told without the rows of all nodes."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op
from novasphere.node.v1 import node_pb2

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_STEP = 200  # rows in memory at once
_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_COLUMNS = ("capabilities", "capabilities_sha256")

_nodes = sa.table("nodes", *(sa.column(name) for name in ("id", "body", *_COLUMNS)))


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("nodes", sa.Column(name, _TEXT, nullable=True))
    connection = op.get_bind()
    last = -1
    while True:
        rows = connection.execute(
            sa.select(_nodes.c.id, _nodes.c.body)
            .where(_nodes.c.id > last)
            .order_by(_nodes.c.id)
            .limit(_STEP)
        ).all()
        if not rows:
            break
        for row in rows:
            capabilities = json.dumps(sorted(set(node_pb2.Node.FromString(row.body).capabilities)))
            connection.execute(
                sa.update(_nodes)
                .where(_nodes.c.id == row.id)
                .values(
                    capabilities=capabilities,
                    capabilities_sha256=hashlib.sha256(capabilities.encode()).hexdigest(),
                )
            )
        last = rows[-1].id
    op.create_index("ix_nodes_capabilities_sha256", "nodes", ["capabilities_sha256"])
