"""Named points at which a test can make the process die.

Does nothing unless NOVASPHERE_TESTING=1. NOVASPHERE_FAILPOINT is "NAME:kill", "NAME:kill:3" (the third
time) or "NAME:kill:0.05" (with that probability).
"""

from __future__ import annotations

import os
import random
import signal
from dataclasses import dataclass

BEFORE_COMMIT = "before_commit"  # everything is written, nothing is durable
AFTER_COMMIT = "after_commit"  # durable, nobody was told
AFTER_ANSWER = "after_answer"  # the callers were told
# Inside the mutation that does so, with its rows partly written:
FIRING = "firing"  # a time of a schedule was decided
DISPATCH = "dispatch"  # a task is sent to a node
ACKNOWLEDGEMENT = "acknowledgement"  # a report of the end of an attempt is taken
RETRY = "retry"  # another attempt follows one that ended
# Behind the commit of each, before anybody acts on it:
FIRED = "fired"  # no node was looked for
DISPATCHED = "dispatched"  # nothing was sent
ACKNOWLEDGED = "acknowledged"  # the node was not told
RELEASED = "released"  # the next attempt may go, no node was looked for
_NAMES = (
    BEFORE_COMMIT, AFTER_COMMIT, AFTER_ANSWER,
    FIRING, DISPATCH, ACKNOWLEDGEMENT, RETRY,
    FIRED, DISPATCHED, ACKNOWLEDGED, RELEASED,
)  # fmt: skip


@dataclass(slots=True)
class _Failpoint:
    name: str
    probability: float = 1.0
    nth: int = 1
    hits: int = 0


def _armed() -> _Failpoint | None:
    spelled = os.environ.get("NOVASPHERE_FAILPOINT", "")
    if os.environ.get("NOVASPHERE_TESTING") != "1" or not spelled:
        return None
    name, _, rest = spelled.partition(":")
    action, _, when = rest.partition(":")
    if name not in _NAMES or action != "kill":
        raise ValueError(f"NOVASPHERE_FAILPOINT={spelled!r} is not NAME:kill[:PROBABILITY or NTH]")
    if "." in when:
        return _Failpoint(name, probability=float(when))
    return _Failpoint(name, nth=int(when or 1))


_FAILPOINT = _armed()


def hit(name: str) -> None:
    """Kills the process if a test armed this point."""
    if _FAILPOINT is None or _FAILPOINT.name != name:
        return
    _FAILPOINT.hits += 1
    if _FAILPOINT.hits >= _FAILPOINT.nth and random.random() < _FAILPOINT.probability:  # noqa: S311 - chance
        os.kill(os.getpid(), signal.SIGKILL)
