"""The client of a task queue that we are measured against, as a process in that queue's environment.

Nothing here may import more than Python has. Each line in says what to do and how often; each line out holds the
seconds that it took, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

MESSAGE = "Hello World"


def serve(commands: dict[str, Callable[[int], None]], trip: Callable[[], None]) -> None:
    """Does what it is told until there is no more. `trip` is one task, from its making to its result."""
    trip()
    print("ready", flush=True)
    for line in sys.stdin:
        name, count = line.split()
        if name == "trips":
            print(json.dumps([_seconds(trip) for _ in range(int(count))]), flush=True)
        else:
            command = commands[name]
            print(json.dumps([_seconds(lambda: command(int(count)))]), flush=True)  # noqa: B023


def check(result: object) -> None:
    """Ends the client when a task has not said what it was to say."""
    if result != MESSAGE:
        sys.exit(f"a task answered {result!r}")


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
