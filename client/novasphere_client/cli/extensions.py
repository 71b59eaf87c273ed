"""Commands that other packages add, found by their entry points and loaded only when they run."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

GROUP = "novasphere.commands"

# Entry points carry no description, and loading them all to ask would make `--help` slow.
_DESCRIPTIONS = {
    "agent": "Runs the agent that makes this machine a node; with list, get or describe, shows agents.",
    "server": "Runs the server, with the gateway in process.",
    "up": "Runs server, gateway and an agent of this machine.",
    "gateway": "Runs the gateway apart from its server.",
}


_NOUNS = {("agent", "list"), ("agent", "get"), ("agent", "describe")}


def names() -> list[str]:
    """Returns the names of all added commands."""
    return sorted(entry_points(group=GROUP).names)


def find(name: str) -> EntryPoint | None:
    """Returns the added command of that name."""
    return next(iter(entry_points(group=GROUP, name=name)), None)


def asked(arguments: Sequence[str]) -> EntryPoint | None:
    """Returns the added command that a command line is for, if it is for one.

    An agent is also a noun: with a verb behind it, the word means that.
    """
    if not arguments or tuple(arguments[:2]) in _NOUNS:
        return None
    return find(arguments[0])


def describe(extension: EntryPoint) -> str:
    """Returns one line about an added command, without loading it."""
    known = _DESCRIPTIONS.get(extension.name)
    return known or f"Added by {extension.dist.name if extension.dist else extension.module}."


def run(extension: EntryPoint, arguments: list[str]) -> int:
    """Runs an added command with its own arguments, untouched, and returns its exit code."""
    command = extension.load()
    return int(command(arguments) or 0)
