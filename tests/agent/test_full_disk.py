"""While files cannot be written or read the agent does what it can, and the rest once they can."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from attempts_alone import dispatch
from link_stand_in import until
from novasphere_agent import processes
from novasphere_agent.attempts import Attempts
from novasphere_agent.journal import Exit, Intent, Journal
from novasphere_agent.messages import AttemptPhase


class FullJournal(Journal):
    """A journal whose disk takes nothing, or whose files cannot be opened, as long as a test likes."""

    is_full = False
    cannot_open = False
    refused = 0

    def exit(self, directory: Path) -> Exit | None:
        if self.cannot_open:
            self.refused += 1
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().exit(directory)

    def claim(self, directory: Path) -> bool:
        self._write()
        return super().claim(directory)

    def request_cancel(self, directory: Path, grace_ms: int) -> None:
        self._write()
        super().request_cancel(directory, grace_ms)

    def _write(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def journal(tmp_path: Path) -> FullJournal:
    return FullJournal(tmp_path)


async def test_a_cancel_takes_effect(attempts: Attempts, journal: FullJournal) -> None:
    command = dispatch("trap 'echo bye' TERM; echo up; sleep 60 & wait")
    await attempts.accept([command])
    (attempt,) = attempts.speaking.values()
    await until(lambda: attempt.process)
    await until(lambda: (attempt.directory / "stdout").read_bytes() == b"up\n")
    journal.is_full = True
    await attempts.cancel(("cmd-1", 1), 5000)
    await until(lambda: attempt.report)
    assert attempt.phase == AttemptPhase.CANCELLED
    assert (attempt.directory / "stdout").read_bytes() == b"up\nbye\n"


async def test_an_end_that_cannot_be_read_yet_is_told_once_it_can(
    attempts: Attempts, journal: FullJournal
) -> None:
    command = dispatch("exit 3")
    journal.cannot_open = True
    await attempts.accept([command])
    (attempt,) = attempts.speaking.values()
    await until((attempt.directory / "exit.json").exists)
    await until(lambda: journal.refused)
    assert attempt.report is None
    journal.cannot_open = False
    await until(lambda: attempt.report)
    assert (attempt.phase, attempt.report.exit_code) == (AttemptPhase.EXITED, 3)


async def test_an_attempt_in_doubt_is_settled_once_there_is_room(
    attempts: Attempts, journal: FullJournal
) -> None:
    intent = Intent("cmd-1", 1, 1, "true", "/bin/sh", 0, 0, 1000, processes.boot_id())
    journal.record([intent])
    journal.is_full = True
    await attempts.recover()
    assert [state.phase for state in await attempts.states()] == [AttemptPhase.RUNNING]
    journal.is_full = False
    await until(lambda: attempts.free_slots == 8)
    assert [state.phase for state in await attempts.states()] == [AttemptPhase.UNKNOWN]
