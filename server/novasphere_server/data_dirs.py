"""The directory that a server owns: its lock, and the tokens that this machine's users find there."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from novasphere_server import durable, logs
from novasphere_server.settings import CannotStart

log = logs.get(__name__)

ADMIN_TOKEN = "admin.token"  # noqa: S105 - a file name
JOIN_TOKEN = "join.token"  # noqa: S105 - a file name
_LOCK = "lock"
_PATIENCE = 5.0
_POLL = 0.05


class DataDirUnusable(CannotStart):
    """The directory cannot be used; the text says why and what to do."""


class DataDirHeld(DataDirUnusable):
    """Another process owns the directory."""

    def __init__(self, path: Path, pid: str) -> None:
        super().__init__(
            f"{path} is in use by process {pid or '(unknown)'}: "
            "stop that one, or choose another directory with --data-dir"
        )


class DataDir:
    """A data directory, ours while the lock is held."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    async def acquire(self, patience: float = _PATIENCE) -> None:
        """Takes the lock, waiting for a process that is about to end. Raises DataDirUnusable."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirUnusable(
                f"the data directory {self.path} cannot be used ({error.strerror}): "
                "choose one that this user may write to with --data-dir"
            ) from None
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience  # polled: nothing tells when a file lock is free
        try:
            while not (is_ours := _try_lock(descriptor)) and clock() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(_POLL)
        except BaseException:
            os.close(descriptor)
            raise
        if not is_ours:
            holder = os.pread(descriptor, 32, 0).decode().strip()
            os.close(descriptor)
            raise DataDirHeld(self.path, holder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """Returns the secret in the file `name`, which nobody else can read; made on first use."""
        path = self.path / name
        if path.exists():
            return self._existing(path)
        secret = make()
        try:
            durable.replace(path, f"{secret}\n")
        except OSError as error:
            raise DataDirUnusable(f"{path} cannot be written ({error.strerror})") from None
        return secret

    def _existing(self, path: Path) -> str:
        try:
            secret = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise DataDirUnusable(
                f"{path} cannot be read ({error}): delete it to get a new one"
            ) from None
        if not secret:
            raise DataDirUnusable(f"{path} is empty: delete it to get a new one")
        if path.stat().st_mode & 0o077:
            log.warning("a secret was readable by others; closed it", path=str(path))
            path.chmod(0o600)
        return secret


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True
