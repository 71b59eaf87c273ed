"""What schedules say, as requests change it, and what they may say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import task_pb2

from novasphere_server import errors
from novasphere_server.core import firings, instants, task_configs
from novasphere_server.core.calendars.fields import LAST_YEAR
from novasphere_server.core.calendars.nominal_times import LAST_US

CHANGEABLE = (
    "name",
    "description",
    "kind",
    "enabled",
    "cron_expression",
    "interval_secs",
    "max_count",
    "start_time",
    "end_time",
    "status",
    "timezone",
    "gap_policy",
    "fold_policy",
    "jitter_seconds",
    "overlap_policy",
    "misfire_policy",
    "misfire_window_seconds",
    "priority",
    "parameters",
)
# A change of one of these starts a new generation.
TIMING = (
    "kind",
    "cron_expression",
    "interval_secs",
    "start_time",
    "end_time",
    "timezone",
    "gap_policy",
    "fold_policy",
)
# What a schedule has where nobody says otherwise.
DEFAULTS: Mapping[str, Any] = {
    "timezone": "UTC",
    "gap_policy": pb.GAP_POLICY_SHIFT,
    "fold_policy": pb.FOLD_POLICY_FIRST,
    "overlap_policy": pb.OVERLAP_POLICY_SKIP,
    "misfire_policy": pb.MISFIRE_POLICY_FIRE_ONCE,
    "misfire_window_seconds": 3600,
}
ENABLED, DISABLED = (1, 100), (0, 99)  # the numbers that the published API has for them


def said(request: Any, names: Collection[str]) -> list[str]:
    """Returns those of the fields that a request sets."""
    return [name for name in names if _says(request, name)]


def _says(request: Any, name: str) -> bool:
    """Returns whether a request sets a field; an enum without presence at its zero does not."""
    fields = request.DESCRIPTOR.fields_by_name
    if name not in fields:
        return False
    if fields[name].has_presence:
        return bool(request.HasField(name))
    return bool(getattr(request, name))


def apply(schedule: Any, request: Any, fields: Collection[str]) -> None:
    """Gives a schedule what a request says of the fields."""
    for name in fields:
        value = getattr(request, name)
        is_set = _says(request, name)
        match name:
            case "status":
                if not is_set:
                    continue
                if value not in ENABLED + DISABLED:
                    raise errors.InvalidArgument("status", "must be 1 or 100, or 0 or 99")
                says_enabled = "enabled" in fields and _says(request, "enabled")
                if says_enabled and request.enabled != (value in ENABLED):
                    raise errors.InvalidArgument(
                        "status", "is another name of enabled: give one of them"
                    )
                set_enabled(schedule, is_enabled=value in ENABLED)
            case "enabled":
                set_enabled(schedule, is_enabled=value if is_set else True)
            case "start_time" | "end_time":
                if name == "start_time" and is_set and instants.microseconds(value) < 0:
                    raise _start_out_of_range()
                schedule.ClearField(name)
                if is_set:
                    getattr(schedule, name).CopyFrom(value)
            case "name":
                if value:
                    schedule.name = value
            case "timezone":
                schedule.timezone = value or DEFAULTS["timezone"]
            case _:
                if name == "parameters":
                    task_configs.check_parameters(value, name)
                schedule.ClearField(name)
                if is_set:
                    setattr(schedule, name, value)
                elif name in DEFAULTS:
                    setattr(schedule, name, DEFAULTS[name])
    _mirror(schedule)


def set_enabled(schedule: pb.Schedule, *, is_enabled: bool) -> None:
    """Lets a schedule make tasks, or pauses it."""
    schedule.state = pb.SCHEDULE_STATE_ACTIVE if is_enabled else pb.SCHEDULE_STATE_PAUSED
    if is_enabled:
        schedule.pause_note = ""
    _mirror(schedule)


def _mirror(schedule: pb.Schedule) -> None:
    """Sets what the published API says twice."""
    schedule.enabled = schedule.state == pb.SCHEDULE_STATE_ACTIVE
    schedule.status = ENABLED[1] if schedule.enabled else DISABLED[1]
    schedule.schedule_kind = schedule.kind
    schedule.ClearField("interval_seconds")
    if schedule.HasField("interval_secs"):
        schedule.interval_seconds = schedule.interval_secs


def check(schedule: Any) -> None:
    """Raises InvalidArgument unless a schedule says when it fires."""
    needed = {
        task_pb2.SCHEDULE_KIND_CRON: "cron_expression",
        task_pb2.SCHEDULE_KIND_INTERVAL: "interval_secs",
        task_pb2.SCHEDULE_KIND_ONCE: "start_time",
    }.get(schedule.kind)
    if schedule.kind == task_pb2.SCHEDULE_KIND_UNSPECIFIED:
        raise errors.InvalidArgument("kind", "must be one of cron, interval, once, event, daemon")
    if schedule.kind == task_pb2.SCHEDULE_KIND_FLOW:
        raise errors.InvalidArgument("kind", "flow is not supported; use dependencies between tasks")
    if needed and not schedule.HasField(needed):
        raise errors.InvalidArgument(needed, "must be set for a schedule of this kind")
    end_us = instants.optional_microseconds(schedule, "end_time")
    if end_us is not None and end_us <= instants.microseconds(schedule.start_time):
        raise errors.InvalidTimeRange
    start_us = instants.optional_microseconds(schedule, "start_time")
    # Of other kinds an earlier one may be stored from before it was refused: apply() looks at what is said.
    is_once = schedule.kind == task_pb2.SCHEDULE_KIND_ONCE
    if start_us is not None and (start_us > LAST_US or (is_once and start_us < 0)):
        raise _start_out_of_range()
    timing = firings.timing_of(schedule)
    if timing is None:
        return
    try:
        timing.check()
    except errors.InvalidArgument as error:
        # In the words of whoever asked.
        [violation] = error.violations
        field = _FIELDS_OF_TIMING.get(violation.field, violation.field)
        raise errors.InvalidArgument(field, violation.description) from None


def _start_out_of_range() -> errors.InvalidArgument:
    return errors.InvalidArgument(
        "start_time", f"must lie in the years from 1970 to {LAST_YEAR}: nothing fires in others"
    )


_FIELDS_OF_TIMING = {"expression": "cron_expression", "interval_seconds": "interval_secs"}


def are_other_times(before: pb.Schedule, after: pb.Schedule) -> bool:
    """Returns whether a schedule says something else of its times."""
    return any(_value(before, name) != _value(after, name) for name in TIMING)


def _value(schedule: pb.Schedule, name: str) -> object:
    value = getattr(schedule, name)
    return instants.microseconds(value) if isinstance(value, Timestamp) else value
