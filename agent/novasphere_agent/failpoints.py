"""What a test may do to an agent, and nobody else: kill it at a named place, or seem to reboot it."""

from __future__ import annotations

import os
import signal


def reach(name: str) -> None:
    """Dies here when NOVASPHERE_FAILPOINT says "NAME:kill" and NOVASPHERE_TESTING is 1."""
    if _is_test() and os.environ.get("NOVASPHERE_FAILPOINT") == f"{name}:kill":
        os.kill(os.getpid(), signal.SIGKILL)


def boot_id() -> str:
    """Returns the boot id that a test gives this machine; empty outside of tests."""
    return os.environ.get("NOVASPHERE_BOOT_ID", "") if _is_test() else ""


def _is_test() -> bool:
    return os.environ.get("NOVASPHERE_TESTING") == "1"
