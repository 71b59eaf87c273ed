"""/docs: people read the API and try a call, in a real browser."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from browser import CHROMIUM, browser
from novasphere_server.testing import running_server

VIEWER = "document.querySelector('rapi-doc').shadowRoot"
OPERATION = f"{VIEWER}.getElementById('get-/api/v1/system/stats')"
TRYING = f"{OPERATION}.querySelector('api-request').shadowRoot"
# Text of an element and of everything that hides in shadow roots beneath it.
TEXT = """(() => {
  const text = (root) => root.textContent + [...root.querySelectorAll('*')]
    .filter((e) => e.shadowRoot).map((e) => text(e.shadowRoot)).join(' ');
  return text(%s);
})()"""


@pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium to open pages with: apt-get install chromium-headless-shell"
)
async def test_a_call_is_found_and_tried_in_a_browser(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, browser(tmp_path / "browser") as page:
        await page.go(f"{server.http_url}/docs")
        await page.until(f"!!document.querySelector('rapi-doc')?.shadowRoot && !!{OPERATION}")
        await page.run(
            f"{VIEWER}.getElementById('http-bearer-api-key-input').value = '{server.admin_token}'"
        )
        await page.run(f"{VIEWER}.querySelector('#security-scheme-bearer button').click()")
        await page.until(f"!{VIEWER}.querySelector('#auth').textContent.includes('No API key applied')")
        await page.run(f"{OPERATION}.querySelector('.endpoint-head').click()")
        button = f"[...{TRYING}.querySelectorAll('button')].find(b => b.textContent.trim() == 'TRY')"
        await page.until(f"!!{OPERATION}.querySelector('api-request')?.shadowRoot && !!{button}")
        assert "total_nodes" not in await page.run(TEXT % TRYING)
        await page.run(f"{button}.click()")
        await page.until(f"{TEXT % TRYING}.includes('total_nodes')")
        assert page.complaints == []


async def test_the_pages_are_public_whole_and_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, aiohttp.ClientSession(server.http_url) as http:
        for path, media_type in (
            ("/docs", "text/html"),
            ("/docs/docs.css", "text/css"),
            ("/docs/rapidoc.js", "text/javascript"),
        ):
            async with http.get(path) as answer:
                assert (answer.status, answer.content_type) == (200, media_type)
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe-eval" not in policy
                assert "http" not in policy
                etag = answer.headers["ETag"]
            async with http.get(path, headers={"If-None-Match": etag}) as answer:
                assert answer.status == 304
        async with http.get("/docs/../docs.html") as answer:
            assert answer.status == 404
