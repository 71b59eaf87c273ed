"""Where a call comes from, as each transport tells it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import unquote

Peer = str | Callable[[], str]
"""Where a call comes from, or what tells that: asking grpcio takes as long as answering a call."""


def address(peer: Peer) -> str:
    """Returns the address in "ipv4:10.0.0.1:5000", "ipv6:%5B::1%5D:5000" (gRPC) or "10.0.0.1:5000" (HTTP);
    empty if there is none.
    """
    text = unquote(peer() if callable(peer) else peer)
    family, colon, rest = text.partition(":")
    if colon and family in ("ipv4", "ipv6"):
        text = rest
    host, _, port = text.rpartition(":")
    return host.strip("[]") if port.isdigit() else ""


def network(peer: Peer) -> str:
    """Returns who is to be taken for one client: an address, or the network of an IPv6 address, of which
    every client has as many as it likes.
    """
    host = address(peer)
    try:
        parsed = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if parsed.version == 6:
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return host
