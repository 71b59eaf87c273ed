"""Ports that stay one's own while nobody listens on them, whatever else runs on this machine."""

from __future__ import annotations

import socket

_reserved: list[socket.socket] = []


def reserve_port() -> int:
    """Returns a loopback port that only a listener which is told its number gets, until this process ends.

    The socket that keeps it never listens: callers are refused while the server of that port is down. What
    takes any port, and what connects from one, passes it by.
    """
    keeper = socket.socket()
    keeper.bind(("127.0.0.1", 0))
    # Only now: it was bound as nobody else's, and from here on a server may listen beside it.
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _reserved.append(keeper)
    port: int = keeper.getsockname()[1]
    return port
