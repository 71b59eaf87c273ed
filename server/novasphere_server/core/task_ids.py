"""The names that one task goes by.

It has one id, a UUID, and each face spells it in its own way: `cmd-` or `task-` and the 32 digits, or the bare
UUID. Any of them is understood everywhere. The store and the link call a task by its run id, which is the
spelling of the nodes face.
"""

from __future__ import annotations

import random
import re
import time

_RUN = "cmd-"
_DEVICE = "task-"
_SPELLED = re.compile(
    r"(?:cmd-|task-)?([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})"
)


def new_uuid() -> str:
    """Returns a new UUID, version 7 of RFC 9562: later ones sort after earlier ones, to the millisecond."""
    milliseconds = time.time_ns() // 1_000_000
    first, second = random.getrandbits(12), random.getrandbits(62)  # no secret
    return _dashed(f"{milliseconds:012x}7{first:03x}{second | 1 << 63:016x}")


def new() -> str:
    """Returns the run id of a task to be made."""
    return of_task(new_uuid())


def run_id(spelled: str) -> str:
    """Returns the run id of the task that is spelled so by any face; what no task is called stays as it is."""
    if spelled.startswith(_RUN) and len(spelled) == len(_RUN) + 32:
        return spelled  # no other spelling is asked for as often
    found = _SPELLED.fullmatch(spelled)
    return f"{_RUN}{found[1].replace('-', '')}" if found else spelled


def of_task(task_id: str) -> str:
    """Returns the run id of a task's UUID."""
    return f"{_RUN}{task_id.replace('-', '')}"


def task_id(run: str) -> str:
    """Returns the UUID of a run id."""
    return _dashed(run.removeprefix(_RUN))


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def device_task_id(run: str) -> str:
    """Returns what the devices face calls the task of a run id."""
    return f"{_DEVICE}{run.removeprefix(_RUN)}"
