"""Shows a watch: the present state as one table, then every change as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from novasphere_client.cli import sessions, terminal
from novasphere_client.cli.printing import Printer

if TYPE_CHECKING:
    from novasphere_client.client import Client
    from novasphere_client.errors import NovasphereError
    from novasphere_client.watches import Watch

_PAGE = 500


async def show(
    client: Client,
    start: Callable[[str, Callable[[NovasphereError], None]], Watch[Any]],
    printer: Printer,
    *,
    cursor: str = "",
) -> None:
    """Prints a watch until it is interrupted.

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

    while True:
        present: list[Any] = []
        is_present = not cursor
        try:
            async with start(cursor, interrupted) as events:
                async for event in events:
                    is_interrupted = False
                    if not is_present:
                        printer.changes([event])
                        continue
                    present.append(event)
                    if event.cursor:
                        is_present = False
                    if event.cursor or len(present) >= _PAGE:
                        printer.changes(present)
                        present = []
        except Gap as gap:
            terminal.say(f"{gap.message}; showing the present state again")
            cursor = ""
