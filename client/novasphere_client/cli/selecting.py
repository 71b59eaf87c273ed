"""Which nodes a command is for: those that are named, and those that a selector chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from novasphere_client.cli import terminal

if TYPE_CHECKING:
    from novasphere_client.client import Client


async def nodes(client: Client, names: Sequence[str], selector: str) -> list[str]:
    """Returns the names of nodes, each once, and says how many a selector chose."""
    if not selector:
        return list(dict.fromkeys(names))
    if not selector.strip():
        raise typer.BadParameter("an empty --selector would choose every node; name labels")
    found = [str(node.node_id) async for node in client.nodes.all(label_selector=selector)]
    if found:
        terminal.say(f"{selector} selects {len(found)} node{'' if len(found) == 1 else 's'}")
    else:
        terminal.say(f"no node matches {selector}. See their labels: novasphere node list -o wide")
    return list(dict.fromkeys([*names, *found]))
