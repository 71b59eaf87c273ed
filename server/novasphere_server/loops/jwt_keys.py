"""Follows the file of public keys that signed tokens are checked with."""

from __future__ import annotations

import asyncio

from novasphere_server import logs
from novasphere_server.core.credentials import Credentials
from novasphere_server.core.jwts import JwksError

log = logs.get(__name__)

_PERIOD = 1.0


class JwtKeys:
    """Looks at the file every period. One that cannot be used changes nothing."""

    def __init__(self, credentials: Credentials, *, period: float = _PERIOD) -> None:
        self._credentials = credentials
        self._period = period

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            self.step()

    def step(self) -> None:
        """Takes over the keys of a file that changed."""
        try:
            if self._credentials.follow_jwt_keys():
                log.info("the public keys for signed tokens were read again")
        except JwksError as error:
            log.warning("the public keys for signed tokens stay as they were", why=str(error))
