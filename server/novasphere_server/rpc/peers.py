"""Where a call comes from, as each transport tells it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

from novasphere_server.settings import Network

Peer = str | Callable[[], str]
"""Where a call comes from, or what tells that: asking grpcio takes as long as answering a call."""

# By what a gateway apart tells for whom it asks, in a form that address() reads.
CLIENT = "novasphere-client-address"


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
    parsed = _parsed(peer)
    if parsed is None:
        return address(peer)
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def client(peer: Peer, metadata: Mapping[str, str], gateways: Sequence[Network]) -> Peer:
    """Returns where a call comes from: its peer or, if that is one of the gateways, whom it asks for."""
    told = metadata.get(CLIENT)
    if told and _parsed(told) is not None:
        parsed = _parsed(peer)
        if parsed is not None and any(parsed in trusted for trusted in gateways):
            return told
    return peer


def _parsed(peer: Peer) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address(peer).partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
