"""A headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from guards import Guard

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None
)


class Page:
    """One page, and what its console said."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self._numbers = itertools.count(1)
        self._session = ""
        self.complaints: list[str] = []

    async def open(self) -> None:
        target = (await self._send("Target.createTarget", url="about:blank"))["targetId"]
        attached = await self._send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self._send(f"{domain}.enable")

    async def go(self, url: str) -> None:
        await self._send("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """Returns what a JavaScript expression is, promises awaited."""
        answer = await self._send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, script: str, within: float = 60.0) -> Any:
        """Returns the expression's first truthy value."""
        async with asyncio.timeout(within):
            while not (value := await self.run(script)):  # noqa: ASYNC110 - nothing tells when it changes
                await asyncio.sleep(0.1)
        return value

    async def _send(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        await self._ws.send_json(message)
        async with asyncio.timeout(60):
            while True:
                told = json.loads(await self._ws.receive_str())
                if told.get("id") == number:
                    assert "error" not in told, told
                    return told["result"]
                self._listen(told)

    def _listen(self, told: Any) -> None:
        if told.get("method") == "Log.entryAdded":
            self.complaints.append(told["params"]["entry"]["text"])
        elif told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["params"]["exceptionDetails"]))


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """Runs a browser with one page."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-proxy-server", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    guard = Guard(("kill", "-KILL", "--", f"-{process.pid}"))  # it, and what it started
    try:
        address = folder / "DevToolsActivePort"  # the port, and a path that nobody can guess
        async with asyncio.timeout(60):
            while not (lines := address.read_text().split() if address.exists() else []):
                assert process.returncode is None, "the browser ended"
                await asyncio.sleep(0.05)
        url = f"http://127.0.0.1:{lines[0]}{lines[1]}"
        async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as ws:
            page = Page(ws)
            await page.open()
            yield page
    finally:
        await asyncio.to_thread(guard.act)
        await process.wait()
