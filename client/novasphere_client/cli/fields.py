"""Fields of messages as people read them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from novasphere_client.cli import printing, times


def word(message: Any, name: str) -> str:
    """Returns the word for an enum field, in lower case, empty where it says nothing."""
    from novasphere_client import json_form

    enum = message.DESCRIPTOR.fields_by_name[name].enum_type
    return (json_form.spell(enum, getattr(message, name)) or "").lower()


def number(enum: Any, said: str | None) -> Any:
    """Returns the number of a word of an enum, 0 where nothing is said."""
    from novasphere_client import json_form

    return json_form.number_of(enum, said) if said else 0


def age(message: Any, name: str) -> str:
    """Returns how long ago an instant was, or how far off it is, empty where there is none."""
    if not message.HasField(name):
        return ""
    moment = getattr(message, name).seconds
    return f"in {times.until(moment)}" if moment > time.time() else times.age(moment)


def instant(message: Any, name: str) -> str:
    """Returns an instant as RFC 3339, in UTC, empty where there is none."""
    if not message.HasField(name):
        return ""
    found: datetime = getattr(message, name).ToDatetime(tzinfo=UTC)
    return found.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def instant_and_age(message: Any, name: str) -> str:
    """Returns an instant and how far off that is, empty where there is none."""
    if not message.HasField(name):
        return ""
    distance = age(message, name)
    told = distance if distance.startswith("in ") else f"{distance} ago"
    return f"{instant(message, name)} ({told})"


def lines(pairs: Iterable[tuple[str, str]]) -> str:
    """Returns one line for each title that has a value, the values below each other."""
    told = [(title, value) for title, value in pairs if value]
    width = max((len(title) for title, _ in told), default=0) + 2
    return "\n".join(f"{title + ':':<{width}} {printing.plain(value)}" for title, value in told)


def runs(config: Any) -> str:
    """Returns what a config runs, in one line."""
    if config.task_type:
        return f"{config.task_type} {config.payload}".rstrip()
    return str(config.command_text or shlex.join([config.cmd, *config.args] if config.cmd else []))


def took(message: Any) -> str:
    """Returns how long what was started ran, or has been running: as its agent measured it, where the message tells
    of that. Nothing where nobody knows when it ended.
    """
    if not message.HasField("started_at") or word(message, "state") in ("lost", "unknown"):
        return ""
    if message.HasField("completed_at"):
        if getattr(message, "execution_time_ms", 0):
            return times.span(round(message.execution_time_ms / 1000))
        return times.span(message.completed_at.seconds - message.started_at.seconds)
    return times.age(message.started_at.seconds)
