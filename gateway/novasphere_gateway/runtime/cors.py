"""Which web pages may use the API from a browser."""

from __future__ import annotations

from novasphere_gateway.runtime.replies import header

_ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-API-Key, "
    "X-Client-Type, X-Client-Version, X-Novasphere-Min-Revision, X-Request-Id, traceparent"
)
_EXPOSED_HEADERS = (
    "ETag, Idempotency-Replayed, Location, Retry-After, X-Novasphere-Reason, X-Novasphere-Revision, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, "
    "Validate-Only"
)


class Cors:
    """An allow-list of origins. Credentials travel in headers, never in cookies, so none are allowed."""

    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = origins
        self.is_on = bool(origins)

    def allows(self, origin: str | None) -> bool:
        """Returns whether pages of that origin may use the API."""
        return origin is not None and ("*" in self._origins or origin in self._origins)

    def keeps_out(self, origin: str, host: str) -> bool:
        """Returns whether a page at `origin` is neither allowed nor of the address that its request went to."""
        return not self.allows(origin) and origin.partition("://")[2].lower() != host.lower()

    def headers(self, origin: str | None) -> str:
        """Returns the lines that let the page at `origin` read an answer."""
        if origin is None or not self.allows(origin):
            return ""
        return (
            header("Access-Control-Allow-Origin", origin)
            + f"Access-Control-Expose-Headers: {_EXPOSED_HEADERS}\r\n"
        )

    def preflight(self, origin: str | None, methods: list[str]) -> str:
        """Returns the lines that answer a browser's question whether it may send a request, beside those
        of headers().
        """
        if not self.allows(origin):
            return ""
        return (
            f"Access-Control-Allow-Methods: {', '.join(methods)}\r\n"
            f"Access-Control-Allow-Headers: {_ALLOWED_HEADERS}\r\n"
            "Access-Control-Max-Age: 600\r\n"
        )
