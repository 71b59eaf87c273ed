"""The command line of a server whose wall clock a test sets: `python set_clock.py FILE server ...`.

FILE holds by how many nanoseconds its clock is ahead of the machine's. Monotonic time is the machine's.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

_AHEAD = struct.Struct("<q")


def put_ahead(file: Path, seconds: float) -> None:
    """Has the clock of whoever follows a file be ahead of the machine's, from now on."""
    with file.open("r+b" if file.exists() else "w+b") as changed:
        changed.write(_AHEAD.pack(round(seconds * 1e9)))


def _follow(file: Path) -> None:
    with file.open("rb") as kept:
        ahead = mmap.mmap(kept.fileno(), _AHEAD.size, access=mmap.ACCESS_READ)
    machine_ns = time.time_ns

    def time_ns() -> int:
        return machine_ns() + int(_AHEAD.unpack_from(ahead)[0])

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9


if __name__ == "__main__":
    _follow(Path(sys.argv[1]))
    # What it imports from `time` must be what was set.
    from novasphere_server import cli

    sys.exit(cli.server(sys.argv[3:]))
