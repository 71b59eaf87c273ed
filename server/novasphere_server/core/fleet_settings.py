"""What an operator may set about nodes, their links and their work."""

from __future__ import annotations

from dataclasses import dataclass

_HOUR = 3600.0
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """How long things may take, how much may be kept. Times are in seconds."""

    # Links.
    heartbeat_interval: float = 10.0
    hello_timeout: float = 10.0  # from the opening of a stream to its Hello
    silence_limit: float = 20.0  # a link without any frame for so long is cut
    output_window_bytes: int = 1024 * 1024  # unacknowledged output, per link
    cancel_grace: float = 5.0  # between SIGTERM and SIGKILL, unless the client says otherwise
    dispatch_batch: int = 64  # commands started by one frame

    # Presence: how long after the last sign of life a node counts as offline, per face.
    nodes_face_offline_after: float = 180.0
    devices_face_offline_after: float = 300.0
    schedules_face_offline_after: float = 300.0
    lost_after: float = 900.0

    # Servers that share a database: how long one that says nothing counts as living.
    server_lease: float = 10.0

    # Commands.
    command_namespace: str = "commands"
    command_timeout: int = 30
    command_queue_timeout: int = 86_400
    max_output_bytes: int = 64 * 1024 * 1024  # per attempt
    inline_output_bytes: int = 64 * 1024  # of each stream, copied into the result
    terminal_retention: float = 7 * _DAY

    # Metric samples: as they came for a while, then a row a minute, then one a quarter of an hour.
    metrics_raw_retention: float = _HOUR
    metrics_minute_retention: float = _DAY
    metrics_retention: float = 30 * _DAY
    metrics_buffer: int = 50_000  # samples that wait for the database
    metrics_rollup_step: int = 500  # rows moved on or deleted in one transaction

    # Loops.
    presence_period: float = 5.0
    expiry_period: float = 1.0
    due_period: float = 5.0  # how often a server looks for what others let go
    flush_period: float = 1.0
    heartbeat_flush_period: float = 30.0
    retention_period: float = 60.0
    ledger_check_interval: float = 300.0
