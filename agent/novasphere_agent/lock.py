"""One agent a data directory."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Long enough for an agent that was just told to stop.
PATIENCE_SECONDS = 5.0
_POLL_SECONDS = 0.05


class DataDirInUse(Exception):
    """Another agent holds the data directory."""

    def __init__(self, data_dir: Path, holder: str) -> None:
        super().__init__(f"{data_dir} is in use by another agent (pid {holder or 'unknown'})")
        self.holder = holder


@contextlib.contextmanager
def hold(data_dir: Path, *, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Holds the data directory for this process, waiting a little for one that is about to end."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + patience
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
                raise DataDirInUse(data_dir, holder)
            time.sleep(_POLL_SECONDS)
        with contextlib.suppress(OSError):  # a full disk: the lock holds without the number
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
