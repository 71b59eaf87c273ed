"""The names that one task goes by, and UUIDs, which is what everything else goes by.

It has one id, a UUID, and each face spells it in its own way: `cmd-` or `task-` and the 32 digits, or the bare
UUID. Any of them is understood everywhere. The store and the link call a task by its run id, which is the
spelling of the nodes face.
"""

from __future__ import annotations

import os
import re
import time

_RUN = "cmd-"
_DEVICE = "task-"
_AT_ONCE = 256
_bytes: list[bytes] = []  # taken by any thread: to pop and to extend are each one step
_SPELLED = re.compile(
    r"(?:cmd-|task-)?([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def new_uuid() -> str:
    """Returns a new UUID, version 7 of RFC 9562: later ones sort after earlier ones, to the millisecond."""
    value = int.from_bytes((time.time_ns() // 1_000_000).to_bytes(6) + _random())
    value = value & ~(0xF << 76) | 0x7 << 76
    return _dashed(f"{value & ~(0x3 << 62) | 0x2 << 62:032x}")


def uuid(spelled: str) -> str:
    """Returns a UUID as it is stored, whichever case its digits have; what is none stays as it is."""
    return spelled.lower() if _UUID.fullmatch(spelled) else spelled


def _random() -> bytes:
    """Returns ten bytes that nobody was given before."""
    try:
        return _bytes.pop()
    except IndexError:
        # Many at once: to ask the system lets go of the interpreter, which another thread then takes.
        more = os.urandom(10 * _AT_ONCE)
        _bytes.extend([more[start : start + 10] for start in range(0, len(more), 10)])
        return os.urandom(10)


def _dashed(digits: str) -> str:
    # The standard library's class costs several times as much, and a task has two of these.
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new() -> str:
    """Returns the run id of a task to be made."""
    return of_task(new_uuid())


def run_id(spelled: str) -> str:
    """Returns the run id of the task that is spelled so by any face; what no task is called stays as it is."""
    if spelled.startswith(_RUN) and len(spelled) == len(_RUN) + 32 and spelled.islower():
        return spelled  # no other spelling is asked for as often
    found = _SPELLED.fullmatch(spelled)
    return f"{_RUN}{found[1].replace('-', '').lower()}" if found else spelled


def of_task(task_id: str) -> str:
    """Returns the run id of a task's UUID."""
    return f"{_RUN}{task_id.replace('-', '')}"


def task_id(run: str) -> str:
    """Returns the UUID of a run id."""
    return _dashed(run.removeprefix(_RUN))


def device_task_id(run: str) -> str:
    """Returns what the devices face calls the task of a run id."""
    return f"{_DEVICE}{run.removeprefix(_RUN)}"
