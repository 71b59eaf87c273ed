"""One command, one connection, one exit code."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

from novasphere_client.cli import options, terminal
from novasphere_client.cli.options import Everywhere

if TYPE_CHECKING:
    from novasphere_client.client import Client
    from novasphere_client.settings import Settings

T = TypeVar("T")

FAILED = 1
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

# How long a command waits for a server that does not answer, in seconds: a restart, not a holiday.
PATIENCE = 3.0


async def each(
    client: Client,
    names: Sequence[str],
    act: Callable[[str, str], Awaitable[T]],
    tell: Callable[[str, T], None],
) -> int:
    """Does the same to every name, whatever happens to the others; returns 1 if any failed.

    `act` gets the name and the request id to use, which is empty unless the user chose one.
    """
    from novasphere_client.cli import failures
    from novasphere_client.errors import NovasphereError, Unauthenticated, Unreachable

    code = 0
    for name in names:
        request_id = client.request_id
        if len(names) > 1:
            request_id = request_id_for(name, request_id)
        try:
            done = await act(name, request_id)
        except (Unreachable, Unauthenticated):
            raise
        except NovasphereError as error:
            terminal.say(failures.explain(error, client.settings))
            code = FAILED
        else:
            tell(name, done)
    return code


def request_id_for(name: str, request_id: str) -> str:
    """Returns the request id for one of several names: one id stands for one request."""
    if not request_id:
        return ""
    joined = f"{request_id}/{name}"
    if options.is_request_id(joined):
        return joined
    return hashlib.sha256(joined.encode(errors="surrogateescape")).hexdigest()


def run(context: typer.Context, work: Callable[[Client], Awaitable[int | None]]) -> NoReturn:
    """Runs `work` with a connected client and exits with the code that it returns, 0 for None."""
    from novasphere_client.cli import failures
    from novasphere_client.client import Client
    from novasphere_client.errors import NovasphereError
    from novasphere_client.settings import SettingsError

    everywhere: Everywhere = context.obj
    settings: Settings | None = None

    async def connected() -> int | None:
        nonlocal settings
        async with Client.connect(
            everywhere.server, everywhere.token, patience=PATIENCE, request_id=everywhere.request_id
        ) as client:
            settings = client.settings
            return await work(client)

    try:
        code = asyncio.run(connected()) or 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SettingsError as error:
        terminal.say(str(error))
        code = USAGE
    except NovasphereError as error:
        terminal.say(failures.explain(error, settings))
        code = FAILED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    raise typer.Exit(code)
