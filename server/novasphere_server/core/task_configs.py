"""What a task may be told to run, and what is meant where it does not say."""

from __future__ import annotations

import json
import re
from pathlib import PurePath

from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.errors import InvalidArgument

# The kernel takes no longer argument: 128 KiB with the byte that ends it.
TEXT_LIMIT = 128 * 1024 - 1

_TIMEOUT = 3600  # seconds
_RETRY_INTERVAL = 60
_PAYLOAD_LIMIT = 64 * 1024
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,252}[A-Za-z0-9])?")


def check(config: pb.TaskConfig, where: str) -> None:
    """Refuses what no node could run. `where` is the path to the config."""
    named = [name for name in ("cmd", "task_type", "command_text") if getattr(config, name)]
    if len(named) != 1:
        raise InvalidArgument(
            f"{where}.{named[1] if named else 'cmd'}",
            "must say what runs, in one of cmd, task_type and command_text"
            + (f"; {named[0]} is set too" if named else ""),
        )
    for name, texts in (
        ("cmd", [config.cmd]),
        ("args", config.args),
        ("command_text", [config.command_text]),
    ):
        for text in texts:
            if "\0" in text:
                raise InvalidArgument(f"{where}.{name}", "must not contain NUL characters")
            if len(text.encode()) > TEXT_LIMIT:
                raise InvalidArgument(f"{where}.{name}", f"must take at most {TEXT_LIMIT} bytes")
    if config.cmd and not PurePath(config.cmd).name:
        raise InvalidArgument(f"{where}.cmd", "must name a program")
    for name in config.labels:
        if not _LABEL.fullmatch(name):
            raise InvalidArgument(f"{where}.labels", f"{name[:64]!r} is not the name of a label")
    if config.payload:
        if not config.task_type:
            raise InvalidArgument(f"{where}.payload", "is for task_type alone")
        if len(config.payload) > _PAYLOAD_LIMIT:
            raise InvalidArgument(f"{where}.payload", f"must take at most {_PAYLOAD_LIMIT} characters")
        if not isinstance(json.loads(config.payload), dict):
            raise InvalidArgument(f"{where}.payload", "must be a JSON object")


def check_environment(environment: str, where: str) -> None:
    """Refuses what is not a JSON object of texts that a process can be given."""
    if not environment:
        return
    said = json.loads(environment)
    if not isinstance(said, dict):
        raise InvalidArgument(where, "must be a JSON object")
    for name, value in said.items():
        if not name or "=" in name or "\0" in name:
            raise InvalidArgument(where, f"{name[:64]!r} cannot be the name of a variable")
        if name.startswith("NOVASPHERE_"):
            raise InvalidArgument(
                where, f"{name[:64]!r} begins with NOVASPHERE_, which is the agent's own"
            )
        if not isinstance(value, str) or "\0" in value:
            raise InvalidArgument(f"{where}.{name[:64]}", "must be a text without NUL characters")


def resolved(config: pb.TaskConfig, settings: FleetSettings, timeout: int = _TIMEOUT) -> pb.TaskConfig:
    """Returns the config with every time that it does not say."""
    full = pb.TaskConfig()
    full.CopyFrom(config)
    if not full.HasField("timeout_seconds"):
        full.timeout_seconds = timeout
    if not full.HasField("queue_timeout_seconds"):
        full.queue_timeout_seconds = settings.command_queue_timeout
    if not full.HasField("retry_interval_seconds"):
        full.retry_interval_seconds = _RETRY_INTERVAL
    return full
