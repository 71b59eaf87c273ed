"""One command, one connection, one exit code."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

from novasphere_client.cli import terminal
from novasphere_client.cli.options import Everywhere
from novasphere_client.settings import is_request_id

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
    *,
    is_error_named: bool = False,
) -> int:
    """Does the same to every name, whatever happens to the others; returns 1 if any failed.

    `act` gets the name and the request id to use, which is empty unless the user chose one. `is_error_named`: what
    went wrong is told with the name before it, for errors that do not say for whom they are.
    """
    from novasphere_client.cli import failures
    from novasphere_client.errors import NovasphereError, Unauthenticated, Unreachable

    code = 0
    for name in names:
        try:
            done = await act(name, request_id_for(name, client.request_id))
        except (Unreachable, Unauthenticated):
            raise
        except NovasphereError as error:
            told = failures.explain(error, client.settings)
            terminal.say(f"{name}: {told}" if is_error_named else told)
            code = FAILED
        else:
            tell(name, done)
    return code


def request_id_for(name: str, request_id: str) -> str:
    """Returns the request id for one of the names on a command line: one id stands for one request.

    A name that stands alone gets one of its own too: repeated beside others, it is the same request.
    """
    if not request_id:
        return ""
    joined = f"{request_id}/{name}"
    if is_request_id(joined):
        return joined
    return hashlib.sha256(joined.encode(errors="surrogateescape")).hexdigest()


def run(
    context: typer.Context, work: Callable[[Client], Awaitable[int | None]], *, timeout: float = 30.0
) -> NoReturn:
    """Runs `work` with a connected client and exits with the code that it returns, 0 for None.

    `timeout` bounds each of its calls but streams, in seconds.
    """
    from novasphere_client.cli import failures
    from novasphere_client.client import Client
    from novasphere_client.errors import NovasphereError
    from novasphere_client.settings import SettingsError

    everywhere: Everywhere = context.obj
    settings: Settings | None = None

    async def connected() -> int | None:
        nonlocal settings
        connecting = Client.connect(
            everywhere.server,
            everywhere.token,
            context=everywhere.context,
            timeout=timeout,
            patience=PATIENCE,
            request_id=everywhere.request_id,
        )
        with _signals_wake(asyncio.get_running_loop()):
            async with connecting as client:
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
    raise typer.Exit(code)


@contextlib.contextmanager
def _signals_wake(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Makes every signal wake the loop.

    asyncio.run relies on a signal to interrupt the loop's sleep. A Ctrl-C that comes just before the
    loop falls asleep interrupts nothing, and would be heard with the next message from the server.
    """
    if sys.platform == "win32":
        yield  # the loop does it by itself
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        loop.add_reader(ours, ours.recv, 4096)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            loop.remove_reader(ours)
