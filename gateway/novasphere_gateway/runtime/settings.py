"""What an operator can set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Limits and switches of the HTTP side. Times are in seconds, sizes in bytes."""

    max_body_size: int = 4 * 1024 * 1024
    request_timeout: float = 30.0
    """For reading a request, and again for answering it. Of a stream, for its head."""
    write_timeout: float = 30.0
    """A reader that takes nothing for so long is cut."""
    heartbeat_interval: float = 15.0
    """How long an event stream may be silent before it carries a comment."""
    gzip_min_size: int = 1024
    cors_origins: frozenset[str] = frozenset()
    """Origins whose pages may read answers, "https://console.example.org"; "*" allows all."""
    hosts: frozenset[str] = frozenset()
    """Names that a request may reach the server by; empty: any. Where no credential is needed, this keeps
    out web pages whose own name was made to point here, and others from changing anything."""
    query_tokens: bool = True
    """Streams take `?token=`, for browsers' EventSource, which cannot set headers."""
    ping_interval: float = 20.0
    """How long a WebSocket may be silent before it is asked for a sign of life; half as long again, and it
    is cut."""
    keepalive_timeout: float = 75.0
