"""Places where a test may kill the agent, to see what it remembers."""

from __future__ import annotations

import os
import signal


def reach(name: str) -> None:
    """Dies here when NOVASPHERE_FAILPOINT says "NAME:kill" and NOVASPHERE_TESTING is 1."""
    if os.environ.get("NOVASPHERE_TESTING") != "1":
        return
    if os.environ.get("NOVASPHERE_FAILPOINT") == f"{name}:kill":
        os.kill(os.getpid(), signal.SIGKILL)
