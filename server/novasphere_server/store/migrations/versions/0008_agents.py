"""What the schedules face asks of nodes, as columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from novasphere.node.v1 import node_pb2

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_SCHEDULES = 4  # the face
_ONLINE, _ERROR, _OFFLINE = 1, 3, 4
_TEXTS = ("agent_name", "agent_namespace", "agent_endpoint")
_COLUMNS = (*_TEXTS, "agent_status", "updated_at_us")


def upgrade() -> None:
    for name in _TEXTS:
        op.add_column("nodes", sa.Column(name, _TEXT, nullable=True))
    op.add_column("nodes", sa.Column("agent_status", sa.Integer(), nullable=True))
    op.add_column("nodes", sa.Column("updated_at_us", sa.BigInteger(), nullable=True))
    nodes = sa.table("nodes", *(sa.column(name) for name in ("key", "body", *_COLUMNS)))
    connection = op.get_bind()
    for key, body in connection.execute(sa.select(nodes.c.key, nodes.c.body)).all():
        node = node_pb2.Node.FromString(body)
        status = _ONLINE
        if _SCHEDULES in node.offline_faces:
            status = _OFFLINE
        elif node.status == node_pb2.NODE_STATUS_ERROR:
            status = _ERROR
        connection.execute(
            sa.update(nodes)
            .where(nodes.c.key == key)
            .values(
                agent_name=node.node_id,
                agent_namespace="default",
                agent_endpoint="",
                agent_status=status,
                updated_at_us=node.updated_at.seconds * 1_000_000 + node.updated_at.nanos // 1000,
            )
        )
    op.create_index("ix_nodes_agent_name", "nodes", ["agent_name"])
