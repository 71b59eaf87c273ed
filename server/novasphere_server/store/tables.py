"""The tables. Migrations make them; a test holds the two together.

Resources have a table each: `body` is the API message, serialized; the other columns are what is
filtered, sorted or claimed on, and derived from it. What is not a resource (heartbeats, samples,
output, credentials of agents) has tables of its own, which the log does not cover. Instants are
integer microseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

import sqlalchemy as sa

# SQLite numbers rows by itself only when the type is spelled INTEGER.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# In the order of the bytes, as SQLite has it: lists must not depend on the database's locale.
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _resource(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    """Returns the table of a kind: what every kind has, and `columns`."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", BIG, primary_key=True),
        sa.Column("key", TEXT, nullable=False, unique=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        *columns,
    )


def _partial_index(name: str, *columns: str, where: str) -> sa.Index:
    """Returns an index of the rows alone that `where` holds for."""
    condition = sa.text(where)
    return sa.Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


nodes = _resource(
    "nodes",
    sa.Column("uid", TEXT, nullable=False, unique=True),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("connection", sa.Integer, nullable=False),
    sa.Column("role", TEXT, nullable=False),
    sa.Column("registered_at_us", sa.BigInteger, nullable=False),
    # What the schedules face asks. Never null: older rows were filled when the columns came.
    sa.Column("agent_name", TEXT),
    sa.Column("agent_namespace", TEXT),
    sa.Column("agent_endpoint", TEXT),
    sa.Column("agent_status", sa.Integer),
    sa.Column("updated_at_us", sa.BigInteger),
    # The kinds of work that its agent agrees to run, sorted, as JSON; and what tells such lists apart, as they may be
    # longer than an index takes. Never null either.
    sa.Column("capabilities", TEXT),
    sa.Column("capabilities_sha256", TEXT),
    sa.Index(None, "agent_name"),
    sa.Index(None, "capabilities_sha256"),
)

tasks = _resource(
    "tasks",
    sa.Column("namespace", TEXT, nullable=False),
    # Of a job and a schedule, or empty.
    sa.Column("job_id", TEXT, nullable=False),
    sa.Column("schedule_id", TEXT, nullable=False),
    sa.Column("schedule_kind", sa.Integer, nullable=False),
    # As the devices face prints it: never empty.
    sa.Column("task_type", TEXT, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    # The priority turned around: not every database reads an index both ways at once.
    sa.Column("rank", sa.Integer, nullable=False),
    # Where its last attempt is or was, as every face prints it; empty before the first, if any node will do.
    sa.Column("node_id", TEXT, nullable=False),
    # Where its present attempt is, or is to be; empty while any node will do.
    sa.Column("node_uid", TEXT, nullable=False),
    # Where no other node will do, that one.
    sa.Column("pinned_node_id", TEXT),
    # What any other must have, as core.demands spells it. Not in the message: it follows from the config.
    sa.Column("demand", TEXT, nullable=False, server_default=sa.text("''")),
    sa.Column("state", sa.Integer, nullable=False),
    # What keeps a PENDING one from being sent, whatever nodes there are: see core.tasks.Hold.
    sa.Column("hold", sa.Integer, nullable=False, server_default="0"),
    # What follows, up to `execution_ms`, is of the present attempt.
    sa.Column("instance_id", TEXT, nullable=False),
    sa.Column("instance_state", sa.Integer, nullable=False),
    sa.Column("instance_created_at_us", sa.BigInteger),
    sa.Column("instance_updated_at_us", sa.BigInteger),
    sa.Column("instance_completed_at_us", sa.BigInteger),
    sa.Column("instance_reason", TEXT),
    sa.Column("error_message", TEXT),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("retry_count", sa.Integer, nullable=False),
    sa.Column("exit_code", sa.Integer),
    sa.Column("execution_ms", sa.BigInteger, nullable=False),
    # Of the last dispatch. Not in the message: it is between the server and the agent.
    sa.Column("fencing_token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    # What the client that cancelled it asked for; null is the default. Not in the message either.
    sa.Column("cancel_grace_ms", sa.BigInteger),
    sa.Column("created_by", sa.BigInteger, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("updated_at_us", sa.BigInteger, nullable=False),
    sa.Column("scheduled_at_us", sa.BigInteger, nullable=False),
    # It waits at least until then.
    sa.Column("due_at_us", sa.BigInteger, nullable=False),
    # When it stops waiting for a node.
    sa.Column("queue_deadline_us", sa.BigInteger, nullable=False),
    sa.Column("first_started_at_us", sa.BigInteger),
    sa.Column("started_at_us", sa.BigInteger),  # of the present attempt too
    sa.Column("completed_at_us", sa.BigInteger),
    sa.Column("reason", TEXT),
    sa.Column("updated_by", sa.BigInteger),
    sa.Index(None, "node_uid", "state"),
    sa.Index(None, "node_id"),
    sa.Index(None, "state", "queue_deadline_us"),
    sa.Index(None, "job_id"),
    sa.Index(None, "schedule_id", "state", "schedule_kind"),
    sa.Index(None, "instance_id"),
    # What any node may take, in the order in which it goes.
    _partial_index(
        "ix_tasks_waiting", "demand", "rank", "id", where="state = 1 AND node_uid = '' AND hold = 0"
    ),
    # What one node alone may take, in the same order.
    _partial_index(
        "ix_tasks_own", "node_uid", "rank", "id", where="state = 1 AND node_uid <> '' AND hold = 0"
    ),
    _partial_index("ix_tasks_held", "hold", "due_at_us", where="state = 1 AND hold > 0"),
    # What waits of jobs: whoever stops one must not read what has ended.
    _partial_index("ix_tasks_of_jobs", "job_id", "id", where="state = 1 AND job_id <> ''"),
    # Finished work alone: what waits and runs must not pay for finding what is to be forgotten. With all that is
    # counted of it, and when its end was heard of: whoever looks must not read rows, which have as much output as was
    # printed.
    _partial_index(
        "ix_tasks_ended",
        "completed_at_us",
        "state",
        "node_id",
        "task_type",
        "execution_ms",
        "namespace",
        "updated_at_us",
        where="completed_at_us IS NOT NULL",
    ),
)

# Of those that ended and are forgotten, by the hour in which they ended.
task_counts = sa.Table(
    "task_counts",
    metadata,
    sa.Column("hour_us", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("namespace", TEXT, primary_key=True),
    sa.Column("node_id", TEXT, primary_key=True),
    sa.Column("task_type", TEXT, primary_key=True),
    sa.Column("state", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tasks", sa.BigInteger, nullable=False),
    # Those that were started, and for how long together.
    sa.Column("ran", sa.BigInteger, nullable=False),
    sa.Column("ran_ms", sa.BigInteger, nullable=False),
)

schedules = _resource(
    "schedules",
    sa.Column("namespace", TEXT, nullable=False),
    sa.Column("job_id", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("description", TEXT),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("state", sa.Integer, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("cron_expression", TEXT),
    sa.Column("interval_secs", sa.BigInteger),
    sa.Column("max_count", sa.BigInteger),
    sa.Column("start_time_us", sa.BigInteger),
    sa.Column("end_time_us", sa.BigInteger),
    sa.Column("timezone", TEXT),
    sa.Column("gap_policy", sa.Integer),
    sa.Column("fold_policy", sa.Integer),
    sa.Column("jitter_seconds", sa.Integer),
    sa.Column("overlap_policy", sa.Integer),
    sa.Column("misfire_policy", sa.Integer),
    sa.Column("misfire_window_seconds", sa.Integer),
    sa.Column("pause_note", TEXT),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("updated_by", sa.BigInteger),
    sa.Column("created_by", sa.BigInteger, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("updated_at_us", sa.BigInteger, nullable=False),
    # What follows moves with every time that passes, so it is not in the message: a fire makes a row of the
    # ledger and a task, not another version of its schedule.
    # The ledger covers every time of the generation up to this one.
    sa.Column("position_us", sa.BigInteger, nullable=False, server_default="0"),
    # When the scheduler looks at it next; null: never, by the clock.
    sa.Column("due_us", sa.BigInteger),
    sa.Column("fired_count", sa.BigInteger, nullable=False, server_default="0"),
    # How often a daemon ended soon after it was started, in a row.
    sa.Column("restarts", sa.Integer, nullable=False, server_default="0"),
    sa.Index(None, "job_id"),
    sa.Index(None, "due_us"),
)

# Schedules with the next time that they print. A view, so it has metadata of its own, and whoever changes what
# columns schedules have makes it anew.
listed_schedules = sa.Table(
    "listed_schedules",
    sa.MetaData(),
    *(sa.Column(each.name, each.type, nullable=each.nullable) for each in schedules.c),
    sa.Column("next_run_at_us", sa.BigInteger, nullable=True),
)

# The ledger: what became of each time of a schedule. Skips in a row for one reason share a row.
firings = sa.Table(
    "firings",
    metadata,
    sa.Column("schedule_id", TEXT, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("nominal_us", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last_nominal_us", sa.BigInteger, nullable=False),
    sa.Column("times", sa.BigInteger, nullable=False),
    sa.Column("disposition", sa.Integer, nullable=False),
    sa.Column("run_id", TEXT, nullable=False),  # of the task that it made, or empty
    sa.Column("note", TEXT, nullable=False),
    sa.Column("decided_at_us", sa.BigInteger, nullable=False),
    _partial_index("ix_firings_buffered", "schedule_id", "nominal_us", where="disposition = 2"),
    sa.Index(None, "nominal_us"),
)

# Attempts that another one followed. Their log is the task's.
past_instances = sa.Table(
    "past_instances",
    metadata,
    sa.Column("instance_id", TEXT, primary_key=True),
    sa.Column("run_id", TEXT, nullable=False),
    sa.Column("namespace", TEXT, nullable=False),
    sa.Column("job_id", TEXT, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),  # the task's
    sa.Column("node_id", TEXT, nullable=False),
    sa.Column("state", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("exit_code", sa.Integer),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("updated_at_us", sa.BigInteger, nullable=False),
    sa.Column("started_at_us", sa.BigInteger),
    sa.Column("completed_at_us", sa.BigInteger),
    sa.Column("reason", TEXT),
    sa.Column("error_message", TEXT),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "run_id"),
)

# Every attempt, present or past, as a row of its own. A view, so it has metadata of its own.
task_instances = sa.Table(
    "task_instances",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger),  # newer attempts of newer tasks have greater ones
    sa.Column("key", TEXT),
    sa.Column("revision", sa.BigInteger),
    sa.Column("run_id", TEXT),
    sa.Column("namespace", TEXT),
    sa.Column("job_id", TEXT),
    sa.Column("node_id", TEXT),
    sa.Column("state", sa.Integer),
    sa.Column("attempt", sa.Integer),
    sa.Column("exit_code", sa.Integer, nullable=True),
    sa.Column("created_at_us", sa.BigInteger),
    sa.Column("updated_at_us", sa.BigInteger),
    sa.Column("started_at_us", sa.BigInteger, nullable=True),
    sa.Column("completed_at_us", sa.BigInteger, nullable=True),
    sa.Column("reason", TEXT),
    sa.Column("error_message", TEXT, nullable=True),
    sa.Column("body", sa.LargeBinary),
)

# What tasks still wait for. A row goes once it is settled.
dependencies = sa.Table(
    "dependencies",
    metadata,
    sa.Column("run_id", TEXT, primary_key=True),
    sa.Column("on_run_id", TEXT, primary_key=True),
    sa.Column("condition", sa.Integer, nullable=False),
    sa.Index(None, "on_run_id"),
)

jobs = _resource(
    "jobs",
    sa.Column("namespace", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("description", TEXT),
    sa.Column("status", sa.Integer, nullable=False),
    # The number of an API key.
    sa.Column("created_by", sa.BigInteger, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("updated_at_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("namespace", "name"),
)

keys = _resource(
    "keys",
    sa.Column("secret_sha256", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("expires_at_us", sa.BigInteger),
    sa.Column("revoked_at_us", sa.BigInteger),
    # To the minute. Live, so not in the stored message.
    sa.Column("last_used_at_us", sa.BigInteger),
)

join_tokens = _resource(
    "join_tokens",
    sa.Column("secret_sha256", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("is_reusable", sa.Boolean, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False),
    sa.Column("revoked_at_us", sa.BigInteger),
    sa.Column("used_at_us", sa.BigInteger),
)

# Each opens one stream. They live for seconds, so the log does not cover them.
tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("secret_sha256", sa.LargeBinary, primary_key=True),
    # Who made it, as JSON: who its stream runs as.
    sa.Column("holder", TEXT, nullable=False),
    sa.Column("path", TEXT, nullable=False),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False),
    sa.Index(None, "expires_at_us"),
)

labels = sa.Table(
    "labels",
    metadata,
    sa.Column("kind", TEXT, primary_key=True),
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("value", TEXT, nullable=False),
    sa.Index(None, "kind", "name", "value"),
)

# The log. One mutation has one revision; its rows are told apart by `index`.
changes = sa.Table(
    "changes",
    metadata,
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("key", TEXT, nullable=False),
    sa.Column("namespace", TEXT, nullable=False),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("before", sa.LargeBinary),
    sa.Column("after", sa.LargeBinary),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

# One row: the last revision, and the floor, up to which the log was forgotten. Whoever holds the
# row's lock is the one who writes.
revision = sa.Table(
    "revision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Column("floor", sa.BigInteger, nullable=False),
)

sequences = sa.Table(
    "sequences",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

# Facts about the database itself: `epoch` names its history, `mark` tells it from older copies,
# `sessions_epoch` is the history that the agents' sessions are of.
meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("value", TEXT, nullable=False),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("principal", TEXT, primary_key=True),
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("message_type", TEXT, nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Index(None, "at_us"),
)

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("node_uid", TEXT, primary_key=True),
    sa.Column("credential_sha256", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("session_sha256", sa.LargeBinary, nullable=False),
    # Good until the newer session is confirmed.
    sa.Column("previous_session_sha256", sa.LargeBinary),
    sa.Column("boot_id", TEXT, nullable=False),
    sa.Column("incarnation", sa.BigInteger, nullable=False),
    # Who enrolled it, until the agent confirms that it stored its first Welcome.
    sa.Column("enrolled_by", TEXT),
    # The server that its last Hello came to.
    sa.Column("server_id", TEXT),
)

# The servers that share the database, each with its last sign of life by the database's clock.
servers = sa.Table(
    "servers",
    metadata,
    sa.Column("server_id", TEXT, primary_key=True),
    sa.Column("seen_at_us", sa.BigInteger, nullable=False),
    sa.Column("started_at_us", sa.BigInteger, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("address", TEXT, nullable=False),  # empty until it listens
    sa.Column("bind_namespaces", TEXT, nullable=False),  # a JSON list
    sa.Column("description", TEXT),
)

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    sa.Column("node_uid", TEXT, primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

metric_samples = sa.Table(
    "metric_samples",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    sa.Column("node_uid", TEXT, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("cpu", sa.Float, nullable=False),  # percent, like memory and disk
    sa.Column("memory", sa.Float, nullable=False),
    sa.Column("disk", sa.Float, nullable=False),
    sa.Column("load", sa.Float, nullable=False),
    sa.Column("memory_total", sa.BigInteger, nullable=False),
    sa.Column("memory_available", sa.BigInteger, nullable=False),
    sa.Column("disk_total", sa.BigInteger, nullable=False),
    sa.Column("disk_available", sa.BigInteger, nullable=False),
    sa.Column("uptime", sa.BigInteger, nullable=False),  # seconds
    sa.Index(None, "node_uid", "at_us"),
    sa.Index(None, "at_us"),
)

MEASURES = ("cpu", "memory", "disk", "load")

# What older samples become: a row stands for those of a node within `seconds` from `at_us` on. A sample is
# in one row at any moment, there or here.
metric_rollups = sa.Table(
    "metric_rollups",
    metadata,
    sa.Column("node_uid", TEXT, primary_key=True),
    sa.Column("seconds", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at_us", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sample_count", sa.Integer, nullable=False),
    # Of the last of its samples, like the `_last` values and what follows the measures.
    sa.Column("id", sa.BigInteger, nullable=False),
    sa.Column("last_at_us", sa.BigInteger, nullable=False),
    *(
        sa.Column(f"{measure}_{part}", sa.Float, nullable=False)
        for measure in MEASURES
        for part in ("sum", "min", "max", "last")
    ),
    sa.Column("memory_total", sa.BigInteger, nullable=False),
    sa.Column("memory_available", sa.BigInteger, nullable=False),
    sa.Column("disk_total", sa.BigInteger, nullable=False),
    sa.Column("disk_available", sa.BigInteger, nullable=False),
    sa.Column("uptime", sa.BigInteger, nullable=False),
    sa.Index(None, "seconds", "at_us"),
)

# `position` counts the bytes of both streams together, in the order in which they came; `offset`
# counts those of one stream.
output_chunks = sa.Table(
    "output_chunks",
    metadata,
    sa.Column("run_id", TEXT, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("stream", sa.Integer, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Index(None, "run_id", "attempt", "stream", "offset"),
)

# What agents reported for attempts that were over by then.
stale_reports = sa.Table(
    "stale_reports",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    sa.Column("run_id", TEXT, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("fencing_token", sa.BigInteger, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("phase", sa.Integer, nullable=False),
    sa.Column("message", TEXT, nullable=False),
    sa.Index(None, "run_id"),
)
