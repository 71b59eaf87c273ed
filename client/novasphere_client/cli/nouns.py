"""The nouns of the command line.

The commands of one are imported when it is asked for: with all of them, each command would start in twice the time.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Where the commands of each are, in the order of --help.
NOUNS = {
    "node": "nodes:app",
    "command": "commands:app",
    "task": "tasks:app",
    "instance": "instances:app",
    "schedule": "schedules:app",
    "watch": "watches:app",
    "job": "jobs:jobs",
    "agent": "jobs:agents",
    "key": "keys:keys",
    "token": "keys:tokens",
    "config": "contexts:app",
    "completion": "completing:app",
}

# What stands without a noun.
VERBS = frozenset({"apply", "exec", "version", "wait"})


def group(name: str) -> Any:
    """Returns the commands of a noun."""
    from typer.main import get_group_from_info
    from typer.models import TyperInfo

    module, _, attribute = NOUNS[name].partition(":")
    commands = getattr(import_module(f"novasphere_client.cli.{module}"), attribute)
    return get_group_from_info(
        TyperInfo(commands, name=name),
        pretty_exceptions_short=True,
        rich_markup_mode=None,
        suggest_commands=True,
    )
