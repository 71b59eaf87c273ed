"""Shows a watch: the present state as one table, then every change as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novasphere_client.cli import sessions, terminal
from novasphere_client.cli.printing import Printer

if TYPE_CHECKING:
    from novasphere_client.client import Client
    from novasphere_client.errors import Gap, NovasphereError
    from novasphere_client.watches import Watch

# Changes were lost: whoever follows them must not believe to have seen all.
GAP = 4

_PAGE = 500


@dataclass(frozen=True)
class Manner:
    """How to watch.

    `cursor` is where to go on; `changes_only` leaves out the present state; `timeout` is when to leave,
    in seconds. One who `needs_all` is told of lost changes and let go; others see the present state again.
    """

    cursor: str = ""
    changes_only: bool = False
    timeout: float | None = None
    needs_all: bool = False


async def show(
    client: Client,
    start: Callable[[str, Callable[[NovasphereError], None]], Watch[Any]],
    printer: Printer,
    manner: Manner,
) -> int:
    """Prints a watch until it is interrupted; returns the exit code.

    `start` gets the cursor to go on after, and what to call when the stream breaks.
    """
    from novasphere_client.errors import Gap

    # A server that never answered is an error; one that went away is waited for.
    await client.wait_until_ready(sessions.PATIENCE)
    is_interrupted = False

    def interrupted(error: NovasphereError) -> None:
        nonlocal is_interrupted
        if not is_interrupted:
            terminal.say("the connection broke; trying again")
        is_interrupted = True

    async def follow(watch: Watch[Any]) -> None:
        nonlocal is_interrupted
        present: list[Any] = []
        is_present = not watch.cursor
        async for event in watch:
            is_interrupted = False
            if not is_present:
                printer.changes([event])
                continue
            if not manner.changes_only:
                present.append(event)
            if event.cursor:
                is_present = False
            if event.cursor or len(present) >= _PAGE:
                printer.changes(present)
                present = []

    watch = start(manner.cursor, interrupted)
    try:
        async with asyncio.timeout(manner.timeout) as clock:
            while True:
                try:
                    async with watch:
                        await follow(watch)
                except Gap as gap:
                    if manner.needs_all:
                        return _end_at(gap, printer)
                    terminal.say(f"{gap.message}; showing the present state again")
                    watch = start("", interrupted)
    except TimeoutError:
        if not clock.expired():
            raise
        if manner.needs_all and watch.cursor:
            terminal.say(f"time is up; to go on from here: --cursor {watch.cursor}")
        return 0


def _end_at(gap: Gap, printer: Printer) -> int:
    """Tells programs and people that changes were lost; returns the exit code for it."""
    printer.gap(gap)
    oldest = f"\nThe oldest cursor that still works: {gap.oldest_cursor}" if gap.oldest_cursor else ""
    terminal.say(f"{gap.message}{oldest}")
    return GAP
