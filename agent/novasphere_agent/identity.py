"""Who this agent is to its server."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from novasphere_agent import durable

FILE_NAME = "identity.json"


class IdentityUnreadable(Exception):
    """The identity file is there and makes no sense."""


@dataclasses.dataclass(frozen=True)
class Identity:
    """What the server gave, and how often this agent has been started with it."""

    node_id: str = ""
    node_uid: str = ""
    credential: str = dataclasses.field(default="", repr=False)
    session_token: str = dataclasses.field(default="", repr=False)
    incarnation: int = 0

    @property
    def is_enrolled(self) -> bool:
        return bool(self.credential)


class IdentityFile:
    """Keeps the identity in one file, mode 0600. Its methods block: they wait for the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME

    def load(self) -> Identity:
        """Returns what is stored, or an empty identity."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Identity()
        try:
            return Identity(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise IdentityUnreadable(f"{self._path}: {error}") from error

    def store(self, identity: Identity) -> None:
        durable.replace(self._path, json.dumps(dataclasses.asdict(identity)).encode())

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
        durable.sync_directory(self._path.parent)
