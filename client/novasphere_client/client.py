"""The way in: a connected client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from novasphere_client import settings as client_settings
from novasphere_client import tokens
from novasphere_client.commands import Commands
from novasphere_client.connection import Connection
from novasphere_client.instances import Instances
from novasphere_client.jobs import Agents, Jobs
from novasphere_client.keys import JoinTokens, Keys
from novasphere_client.nodes import Nodes
from novasphere_client.schedules import Schedules
from novasphere_client.settings import Settings
from novasphere_client.systems import System
from novasphere_client.tasks import Tasks


class Client:
    """A connection to one server, with the API's resources as attributes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.nodes = Nodes(connection)
        self.commands = Commands(connection)
        self.keys = Keys(connection)
        self.join_tokens = JoinTokens(connection)
        self.jobs = Jobs(connection)
        self.schedules = Schedules(connection)
        self.tasks = Tasks(connection)
        self.instances = Instances(connection)
        self.agents = Agents(connection)
        self.system = System(connection)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        server: str | None = None,
        token: str | None = None,
        *,
        context: str | None = None,
        timeout: float = 30.0,
        patience: float = 5.0,
        request_id: str = "",
        token_seconds: float = tokens.COMMAND_SECONDS,
    ) -> AsyncIterator[Self]:
        """Opens a client for the length of an `async with` block.

        `server` is HOST:PORT and `context` a name from `novasphere config`; what is not given comes from
        NOVASPHERE_SERVER and NOVASPHERE_TOKEN, from the current context, or from a server on this
        machine. `timeout` bounds each call, and calls that are safe to repeat
        are tried again for up to `patience` seconds, both in seconds. `request_id`, when given, is the
        idempotency key of the one mutation that this client is for. `token_seconds` is what the
        token_command of a context may take. Raises SettingsError.
        """
        settings = await asyncio.to_thread(
            client_settings.resolve, server, token, context=context, token_seconds=token_seconds
        )
        connection = Connection(settings, timeout=timeout, patience=patience, request_id=request_id)
        try:
            yield cls(connection)
        finally:
            await connection.close()

    @property
    def settings(self) -> Settings:
        """Returns where this client calls, and as whom."""
        return self._connection.settings

    @property
    def request_id(self) -> str:
        """Returns the idempotency key that the caller chose for this client, if any."""
        return self._connection.request_id

    async def wait_until_ready(self, timeout: float) -> None:
        """Returns once there is a connection; raises Unreachable when there is none in time."""
        await self._connection.wait_until_ready(timeout)
