"""What a task may be told to run, and what is meant where it does not say."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import NoReturn

from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.errors import InvalidArgument

# The kernel takes no longer argument or variable: 128 KiB with the byte that ends it.
TEXT_LIMIT = 128 * 1024 - 1
# The variable in which a program finds its parameters.
PARAMETERS = "NOVA_PARAMETERS"

_TIMEOUT = 3600  # seconds
_RETRY_INTERVAL = 60
_PAYLOAD_LIMIT = 64 * 1024
_MOST_LABELS = 64
# Agents call so what has no type, programs and lines: no type that a task may have.
KINDS = ("exec", "shell")

# As Kubernetes has labels: an optional DNS name before the slash.
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_DOMAIN = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
_LABEL = re.compile(rf"(?:(?={_DOMAIN}/)[a-z0-9.-]{{1,253}}/)?{_WORD}")
_LABEL_VALUE = re.compile(rf"(?:{_WORD})?")


def says_what_runs(config: pb.TaskConfig) -> bool:
    return bool(config.cmd or config.task_type or config.command_text)


def changed(config: pb.TaskConfig, change: pb.TaskConfig, names: Collection[str]) -> pb.TaskConfig:
    """Returns a config with the named fields as the change has them."""
    result, said = pb.TaskConfig(), pb.TaskConfig()
    result.CopyFrom(config)
    said.CopyFrom(change)
    for name in pb.TaskConfig.DESCRIPTOR.fields_by_name:
        (result if name in names else said).ClearField(name)  # type: ignore[arg-type]  # they are its own
    result.MergeFrom(said)
    return result


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
    if config.args and not config.cmd:
        raise InvalidArgument(f"{where}.args", "are for cmd alone")
    if config.task_type in KINDS:
        raise InvalidArgument(
            f"{where}.task_type",
            f"must be a type of task, not {config.task_type}: use cmd or command_text",
        )
    check_labels(config.labels, f"{where}.labels")
    if config.payload:
        if not config.task_type:
            raise InvalidArgument(f"{where}.payload", "is for task_type alone")
        if len(config.payload) > _PAYLOAD_LIMIT:
            raise InvalidArgument(f"{where}.payload", f"must take at most {_PAYLOAD_LIMIT} characters")
        _json_object(config.payload, f"{where}.payload")


def check_environment(environment: str, where: str) -> None:
    """Refuses what is not a JSON object of texts that a process can be given."""
    if not environment:
        return
    for name, value in _json_object(environment, where).items():
        if not name or "=" in name or "\0" in name:
            raise InvalidArgument(where, f"{name[:64]!r} cannot be the name of a variable")
        if name.startswith("NOVASPHERE_"):
            raise InvalidArgument(
                where, f"{name[:64]!r} begins with NOVASPHERE_, which is the agent's own"
            )
        if not isinstance(value, str) or "\0" in value:
            raise InvalidArgument(f"{where}.{name[:64]}", "must be a text without NUL characters")
        _check_variable(name, value, f"{where}.{name[:64]}")


def check_parameters(parameters: str, where: str) -> None:
    """Refuses what is not JSON, and what a process cannot be given."""
    if parameters:
        _json(parameters, where, "must be JSON")
    _check_variable(PARAMETERS, parameters, where)


def _check_variable(name: str, value: str, where: str) -> None:
    most = TEXT_LIMIT - len(f"{name}=".encode())
    if len(value.encode()) > most:
        raise InvalidArgument(where, f"must take at most {most} bytes")


def check_labels(labels: Mapping[str, str], where: str) -> None:
    """Refuses labels that Kubernetes would not take."""
    if len(labels) > _MOST_LABELS:
        raise InvalidArgument(where, f"must have at most {_MOST_LABELS} elements, not {len(labels)}")
    for name, value in labels.items():
        if not _LABEL.fullmatch(name):
            raise InvalidArgument(where, f"{name[:64]!r} is not the name of a label")
        if not _LABEL_VALUE.fullmatch(value):
            raise InvalidArgument(
                f"{where}.{name}",
                "must consist of letters, digits, and dots, dashes and underscores between them, at most 63 "
                "characters",
            )


def _json_object(text: str, where: str) -> dict[str, object]:
    wanted = "must be a JSON object"
    said = _json(text, where, wanted)
    if not isinstance(said, dict):
        raise InvalidArgument(where, wanted)
    return said


def _json(text: str, where: str, wanted: str) -> object:
    """Returns what a JSON text says. Refuses any other as not what is wanted."""
    try:
        said: object = json.loads(text, parse_constant=_refuse)
        if "\\u" in text:  # an escape can stand for half of a character
            json.dumps(said, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidArgument(where, "must be UTF-8") from None
    except (ValueError, RecursionError):
        raise InvalidArgument(where, wanted) from None
    return said


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


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
