"""What limits had to do with the end of an attempt, in words."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from novasphere_agent.journal import Exit

# A shell exits with this and the number of the signal that ended its command.
_BY_SIGNAL = 128
_ENDS = {
    "cancel": "killed because a client cancelled it",
    "timeout": "killed because its time was up",
    "stop": "killed because its agent had been without a server for too long",
}


def in_words(outcome: Exit, limits: Mapping[str, int]) -> str:
    """Returns what there is to say of an attempt's limits; nothing where there is none."""
    told = [_reached(outcome, limits)] if _has_failed(outcome) else []
    if outcome.unlimited:
        told.append(f"not limited on this system: {', '.join(outcome.unlimited)}")
    if not any(told):
        return ""
    if outcome.ended_by:
        told.insert(0, _ENDS[outcome.ended_by])
    return "; ".join(filter(None, told))


def _has_failed(outcome: Exit) -> bool:
    return not outcome.ended_by and outcome.exit_code != 0


def _reached(outcome: Exit, limits: Mapping[str, int]) -> str:
    held = {name: limit for name, limit in limits.items() if name not in outcome.unlimited}
    number = outcome.signal or (outcome.exit_code or 0) - _BY_SIGNAL
    if number == signal.SIGXCPU and "cpu_seconds" in held:
        return f"it reached its limit of cpu_seconds, {held['cpu_seconds']}"
    if number == signal.SIGXFSZ and "file_size_bytes" in held:
        return f"it reached its limit of file_size_bytes, {held['file_size_bytes']}"
    if not held:
        return ""
    # Of most limits a process hears by an error, and nobody else does.
    how = (
        f"exit code {outcome.exit_code}"
        if outcome.signal is None
        else f"killed by signal {outcome.signal}"
    )
    listed = ", ".join(f"{name} {limit}" for name, limit in held.items())
    return f"{how}; it may have reached a limit: {listed}"
