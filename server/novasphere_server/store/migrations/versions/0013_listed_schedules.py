"""What waits of jobs is found without what has ended, and lists of schedules ask for the next time that these print."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_WAITS = sa.text("state = 1 AND job_id <> ''")

# A next time is printed of those that make tasks, and of those of the ones that fire by the clock.
_LISTED_SCHEDULES = """
CREATE VIEW listed_schedules AS
SELECT schedules.*, CASE WHEN state = 1 AND kind IN (1, 2, 6) AND NOT EXISTS (
        SELECT 1 FROM jobs WHERE jobs.key = schedules.job_id AND jobs.status <> 1
    ) THEN due_us END AS next_run_at_us
FROM schedules
"""


def upgrade() -> None:
    op.create_index(
        "ix_tasks_of_jobs",
        "tasks",
        ["job_id", "id"],
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
    op.execute(_LISTED_SCHEDULES)
