"""Calls of a server's REST routes, as a test makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from novasphere_server.testing import RunningServer


class Rest:
    """Asks the REST routes as the admin, or as who holds `token`."""

    def __init__(self, server: RunningServer, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http
        self.headers: Mapping[str, str] = {}  # of the last answer

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> tuple[int, Any]:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["X-API-Key"] = token or self.server.admin_token
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            self.headers = answer.headers
            return answer.status, await answer.json()

    async def key(self, *namespaces: str) -> str:
        wanted = {"name": "bound", "scopes": ["read", "write"], "namespaces": namespaces}
        _, made = await self.ask("POST", "/api/v1/keys", wanted)
        return str(made["key"])
