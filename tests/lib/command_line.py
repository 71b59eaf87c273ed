"""The `novasphere` command as a real process."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novasphere_server.testing import RunningServer
from scripted_server import TOKEN, ScriptedServer


@dataclass
class Finished:
    """What a command line left behind."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


class Cli:
    """Runs `novasphere` in an environment of its own."""

    def __init__(self, home: Path, server: ScriptedServer | None) -> None:
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("NOVASPHERE_", "XDG_", "NO_COLOR", "GRPC_"))
        }
        self.environment |= {"HOME": str(home), "TERM": "xterm"}
        if server is not None:
            self.environment |= {"NOVASPHERE_SERVER": server.address, "NOVASPHERE_TOKEN": TOKEN}

    @classmethod
    def of(cls, home: Path, server: RunningServer) -> Cli:
        """Returns a command line that speaks to the server itself, as its administrator."""
        found = cls(home, None)
        found.environment |= {
            "NOVASPHERE_SERVER": server.grpc_address,
            "NOVASPHERE_TOKEN": server.admin_token,
        }
        return found

    async def start(self, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
        pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE}
        pipes |= {"stderr": asyncio.subprocess.PIPE, "env": self.environment}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "novasphere_client", *arguments, **(pipes | options)
        )

    async def __call__(self, *arguments: str, within: float = 120.0) -> Finished:
        return await self.finish(await self.start(*arguments), within=within)

    async def finish(self, process: asyncio.subprocess.Process, *, within: float = 120.0) -> Finished:
        try:
            out, err = await asyncio.wait_for(process.communicate(), within)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        assert b"Traceback" not in (err or b""), err.decode(errors="replace")
        return Finished(process.returncode, out or b"", (err or b"").decode(errors="replace"))
