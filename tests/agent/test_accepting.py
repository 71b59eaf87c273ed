"""Attempts that are being accepted when something else happens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attempts_alone import dispatch
from link_stand_in import until
from novasphere_agent.attempts import Attempts
from novasphere_agent.journal import Intent, Journal
from novasphere_agent.messages import AttemptPhase


class SlowJournal(Journal):
    """A journal on a disk that takes as long as a test likes."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.is_writing = threading.Event()
        self.goes_on = threading.Event()

    def record(self, intents: Sequence[Intent]) -> None:
        self.is_writing.set()
        assert self.goes_on.wait(60)
        super().record(intents)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SlowJournal]:
    slow = SlowJournal(tmp_path)
    yield slow
    slow.goes_on.set()


async def accept_and_break_the_link(attempts: Attempts, journal: SlowJournal, text: str) -> None:
    receiving = asyncio.ensure_future(attempts.accept([dispatch(text)]))
    await until(journal.is_writing.is_set)
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)


async def test_a_dispatch_that_is_said_again_while_it_is_being_written_is_known(
    attempts: Attempts, journal: SlowJournal, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    await accept_and_break_the_link(attempts, journal, f"echo ran >> {mark}")
    again = asyncio.ensure_future(attempts.accept([dispatch("exit 9")]))
    journal.goes_on.set()
    await again
    (attempt,) = attempts.speaking.values()
    await until(lambda: attempt.report)
    assert (attempt.phase, attempts.fault) == (AttemptPhase.EXITED, "")
    assert mark.read_text() == "ran\n"


async def test_hello_names_what_is_being_accepted(attempts: Attempts, journal: SlowJournal) -> None:
    await accept_and_break_the_link(attempts, journal, "true")
    greeting = asyncio.ensure_future(attempts.states())
    await asyncio.sleep(0)
    journal.goes_on.set()
    assert [state.run_id for state in await greeting] == ["cmd-1"]
    await until(lambda: attempts.free_slots == 8)


async def test_an_end_to_all_work_ends_what_is_being_accepted(
    attempts: Attempts, journal: SlowJournal
) -> None:
    await accept_and_break_the_link(attempts, journal, "sleep 60")
    killing = asyncio.ensure_future(attempts.kill_all())
    await asyncio.sleep(0)
    journal.goes_on.set()
    await killing
    await attempts.accept([dispatch("sleep 60")])  # in its turn, after what was going on
    assert attempts.free_slots == 8
    await until(lambda: not journal.directory("cmd-1", 1).exists())
