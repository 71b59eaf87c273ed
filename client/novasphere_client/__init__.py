"""The Python SDK and the `novasphere` command.

    async with Client.connect() as client:
        for node in (await client.nodes.list()).nodes:
            print(node.node_id)

`SyncClient` is the same for programs without an event loop. Names are loaded when they are first used: `novasphere --help` must not wait for gRPC.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from novasphere_client.client import Client as Client
    from novasphere_client.errors import Gap as Gap
    from novasphere_client.errors import NovasphereError as NovasphereError
    from novasphere_client.outputs import Output as Output
    from novasphere_client.portals import ClientClosed as ClientClosed
    from novasphere_client.sync import SyncClient as SyncClient
    from novasphere_client.watches import Watch as Watch

_HOMES = {
    "Client": "novasphere_client.client",
    "ClientClosed": "novasphere_client.portals",
    "Gap": "novasphere_client.errors",
    "NovasphereError": "novasphere_client.errors",
    "Output": "novasphere_client.outputs",
    "SyncClient": "novasphere_client.sync",
    "Watch": "novasphere_client.watches",
}

__all__ = ["Client", "ClientClosed", "Gap", "NovasphereError", "Output", "SyncClient", "Watch"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
