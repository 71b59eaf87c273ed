"""What the gateway shows that is no RPC: the OpenAPI document, and the pages that let people read it."""

from __future__ import annotations

import hashlib
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

# Nothing from elsewhere, nothing evaluated. The viewer styles its elements one by one, in line.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Path, file under web/, media type.
_FILES = (
    ("/docs", "docs.html", "text/html; charset=utf-8"),
    ("/docs/docs.css", "docs.css", "text/css; charset=utf-8"),
    ("/docs/rapidoc.js", "rapidoc/rapidoc-min.js", "text/javascript; charset=utf-8"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """One document that is the same for everybody."""

    content: bytes
    headers: str
    """Header lines of its own."""
    etag: str


def pages(openapi: bytes) -> Mapping[str, Page]:
    """Returns the pages by path."""
    return {"/openapi.json": _page(openapi, "Content-Type: application/json\r\n"), **_viewer()}


@lru_cache(maxsize=1)
def _viewer() -> Mapping[str, Page]:
    """Returns the pages that show the document."""
    shown = {}
    web = importlib.resources.files("novasphere_gateway").joinpath("web")
    for path, file, media_type in _FILES:
        headers = (
            f"Content-Type: {media_type}\r\n"
            f"Content-Security-Policy: {_POLICY}\r\n"
            "Referrer-Policy: no-referrer\r\n"
        )
        shown[path] = _page(web.joinpath(file).read_bytes(), headers)
    return shown


def _page(content: bytes, headers: str) -> Page:
    return Page(content, headers, hashlib.sha256(content).hexdigest()[:16])
