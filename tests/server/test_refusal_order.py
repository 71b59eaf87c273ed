"""That a path leads nowhere is said before what is wrong with the rest of a request, on every route."""

from __future__ import annotations

import re

import aiohttp
import pytest
from novasphere.gateway import ROUTES
from novasphere_server.testing import RunningServer

# What a path names is looked up by its first variable.
PATHS = sorted((route.http_method, route.path) for route in ROUTES if "{" in route.path)


async def test_no_route_complains_of_a_body_or_a_query_about_what_is_not_there(server: RunningServer):
    headers = {"X-API-Key": server.admin_token}
    complaining = []
    async with aiohttp.ClientSession(server.http_url, headers=headers) as http:
        for method, path in PATHS:
            asked = re.sub(r"\{[^}]*\}", "nothing", path)
            body = None if method in ("GET", "DELETE") else {"bogus": 1}
            async with http.request(method, f"{asked}?bogus=1", json=body) as answer:
                if answer.status != 404:
                    complaining.append((method, path, answer.status, await answer.text()))
    assert not complaining


def test_there_are_such_routes():
    assert len(PATHS) > 40
    assert ("POST", "/api/v1/tasks/{task_id}/retry") in PATHS


@pytest.mark.parametrize("path", ["/api/v1/tasks/{}/retry", "/api/v1/schedules/{}:trigger"])
async def test_whoever_may_not_see_it_is_not_told_whether_it_is_there(server: RunningServer, path: str):
    async with (
        aiohttp.ClientSession(server.http_url) as http,
        http.post(path.format("nothing"), json={"bogus": 1}) as answer,
    ):
        assert answer.status == 401
