"""What a person decides about an agent."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from novasphere_agent.runtimes import DEFAULT


@dataclasses.dataclass(frozen=True)
class Settings:
    """One agent's settings, checked."""

    host: str
    port: int
    name: str
    data_dir: Path
    is_name_given: bool = False
    token: str = dataclasses.field(default="", repr=False)
    # Read whenever a join token is needed: it may be written later, or replaced.
    token_file: Path | None = None
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    role: str = ""
    allowed: Sequence[str] = DEFAULT
    capacity: int = 8

    def join_token(self) -> str:
        """Returns the join token, or nothing. Blocks on the token file."""
        if self.token_file is not None:
            try:
                return self.token_file.read_text(encoding="utf-8").strip()
            except OSError:
                return self.token
        return self.token
