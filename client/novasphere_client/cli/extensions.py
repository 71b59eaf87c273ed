"""Commands that other packages add, found by their entry points and loaded only when they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from novasphere_client.cli import nouns

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

GROUP = "novasphere.commands"

# Entry points carry no description, and loading them all to ask would make `--help` slow.
_DESCRIPTIONS = {
    "agent": "Runs the agent that makes this machine a node; with list, get or describe, shows agents.",
    "server": "Runs the server, with the gateway in process.",
    "up": "Runs server, gateway and an agent of this machine.",
    "gateway": "Runs the gateway apart from its server.",
}


# An agent is also a noun: with one of these behind it, the word means that.
_NOUNS = {("agent", "list"), ("agent", "get"), ("agent", "describe")}


def _added() -> EntryPoints:
    from importlib.metadata import entry_points  # slow, and most commands are this package's own

    return entry_points(group=GROUP)


def names() -> list[str]:
    """Returns the names of all added commands."""
    return sorted(_added().names)


def find(name: str) -> EntryPoint | None:
    """Returns the added command of that name."""
    return next(iter(_added().select(name=name)), None)


def asked(arguments: Sequence[str]) -> EntryPoint | None:
    """Returns the added command that a command line is for, if it is for one."""
    if not arguments or arguments[0].startswith("-") or _is_own(arguments):
        return None
    return find(arguments[0])


def _is_own(arguments: Sequence[str]) -> bool:
    name = arguments[0]
    if name == "agent":
        return tuple(arguments[:2]) in _NOUNS
    return name in nouns.NOUNS or name in nouns.VERBS


def describe(extension: EntryPoint) -> str:
    """Returns one line about an added command, without loading it."""
    known = _DESCRIPTIONS.get(extension.name)
    return known or f"Added by {extension.dist.name if extension.dist else extension.module}."


def run(extension: EntryPoint, arguments: list[str]) -> int:
    """Runs an added command with its own arguments, untouched, and returns its exit code."""
    command = extension.load()
    return int(command(arguments) or 0)
