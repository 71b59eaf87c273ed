"""Tickets: one stream each, for browsers that cannot set headers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import grpc.aio
import pytest
import signers
import sqlalchemy as sa
from novasphere.node.v1 import command_service_pb2 as commands
from novasphere.node.v1 import command_service_pb2_grpc as commands_grpc
from novasphere_server.core import secrets
from novasphere_server.core.tickets import Tickets
from novasphere_server.store import tables
from novasphere_server.store.store import Store
from novasphere_server.testing import RunningServer, running_server

WATCH = "/api/v1/commands:watch"
ADMIN_TOKEN = "one-token-for-both-servers"


class Browser:
    """Calls the REST API."""

    def __init__(self, server: RunningServer, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http

    async def post(self, route: str, token: str = "", /, **body: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token or self.server.admin_token}"}
        async with self.http.post(route, json=body, headers=headers) as answer:
            assert answer.status in (200, 201), await answer.text()
            return await answer.json()

    async def ticket(self, token: str = "", **body: Any) -> str:
        return (await self.post("/api/v1/tickets", token, **body))["ticket"]

    async def key(self, *scopes: str, **more: Any) -> dict[str, Any]:
        return await self.post("/api/v1/keys", name="browser", scopes=scopes, **more)

    @asynccontextmanager
    async def stream(self, address: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Opens a stream without any header that tells who asks."""
        async with self.http.get(address, headers={"Accept": "application/x-ndjson"}) as answer:
            yield answer

    async def status(self, address: str) -> int:
        async with self.stream(address) as answer:
            return answer.status


@pytest.fixture
async def browser(server: RunningServer) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(server.http_url) as http:
        yield Browser(server, http)


async def test_a_ticket_opens_one_stream(browser: Browser):
    ticket = await browser.ticket()
    assert ticket.startswith("nst_")
    async with browser.stream(f"{WATCH}?ticket={ticket}") as answer:
        assert answer.status == 200
        assert json.loads(await answer.content.readline())["type"] == "BOOKMARK"
        assert await browser.status(f"{WATCH}?ticket={ticket}") == 401
    assert await browser.status(f"{WATCH}?token={await browser.ticket()}") == 200


async def test_of_two_who_show_a_ticket_at_once_one_is_let_in(browser: Browser):
    ticket = await browser.ticket()
    found = await asyncio.gather(*(browser.status(f"{WATCH}?ticket={ticket}") for _ in range(8)))
    assert sorted(found) == [200] + [401] * 7


async def test_a_ticket_opens_streams_over_grpc_and_nothing_else(
    browser: Browser, server: RunningServer, channel: grpc.aio.Channel
):
    stub = commands_grpc.CommandServiceStub(channel)
    metadata = server.authorization(await browser.ticket())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ListCommands(commands.ListCommandsRequest(), metadata=metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    async with browser.http.get("/api/v1/commands", headers=dict(metadata)) as refused:
        assert refused.status == 401
    # That it was shown elsewhere did not spend it.
    watch = stub.WatchCommands(commands.WatchCommandsRequest(), metadata=metadata)
    assert (await watch.read()).events[0].cursor
    watch.cancel()
    async with browser.http.get(f"/api/v1/commands?ticket={await browser.ticket()}") as refused:
        assert refused.status == 401


async def test_a_ticket_may_be_bound_to_a_path(browser: Browser):
    assert await browser.status(f"{WATCH}?ticket={await browser.ticket(path=WATCH)}") == 200
    encoded = quote(WATCH, safe="/")
    assert await browser.status(f"{WATCH}?ticket={await browser.ticket(path=encoded)}") == 200
    other = await browser.ticket(path=WATCH)
    async with browser.stream(f"/api/v1/nodes:watch?ticket={other}") as answer:
        assert answer.status == 403
        assert WATCH in (await answer.json())["detail"]
    bound = await browser.ticket(path="/api/v1/commands/cmd-1/output")
    assert await browser.status(f"/api/v1/commands/cmd-1/output?ticket={bound}") == 404
    bound = await browser.ticket(path="/api/v1/commands/cmd-1/output")
    assert await browser.status(f"/api/v1/commands/cmd-2/output?ticket={bound}") == 403


async def test_a_ticket_lives_for_half_a_minute(browser: Browser, server: RunningServer):
    made = await browser.post("/api/v1/tickets", path=WATCH)
    assert made["path"] == WATCH
    server.clock.advance(29)
    assert await browser.status(f"{WATCH}?ticket={await browser.ticket()}") == 200
    server.clock.advance(2)
    assert await browser.status(f"{WATCH}?ticket={made['ticket']}") == 401


async def ends(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """Returns the last row of a stream, which must end by itself."""
    async with asyncio.timeout(60):
        rows = [json.loads(line) async for line in answer.content]
    return rows[-1]


async def test_a_stream_ends_with_the_key_that_made_its_ticket(browser: Browser):
    key = await browser.key("read")
    async with browser.stream(f"{WATCH}?ticket={await browser.ticket(key['key'])}") as answer:
        await answer.content.readline()
        await browser.post(f"/api/v1/keys/{key['key_id']}:revoke")
        last = await ends(answer)
    assert (last["type"], last["error"]["code"]) == ("ERROR", "UNAUTHENTICATED")


async def test_a_stream_ends_with_the_new_end_of_the_key_that_made_its_ticket(tmp_path: Path):
    async with (
        running_server(tmp_path, admin_token=ADMIN_TOKEN) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        browser = Browser(server, http)
        key = await browser.key("read")
        ticket = await browser.ticket(key["key"])
        soon = datetime.fromtimestamp(server.clock.now_us() / 1e6 + 20, UTC).isoformat()
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        path = f"/api/v1/keys/{key['key_id']}"
        async with http.patch(path, json={"expires_at": soon}, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
    # One that has never seen the key change.
    async with (
        running_server(tmp_path, admin_token=ADMIN_TOKEN) as server,
        aiohttp.ClientSession(server.http_url) as http,
        Browser(server, http).stream(f"{WATCH}?ticket={ticket}") as answer,
    ):
        await answer.content.readline()
        server.clock.advance(20)
        assert (await ends(answer))["error"]["code"] == "UNAUTHENTICATED"


async def test_a_stream_ends_with_the_signed_token_that_made_its_ticket(tmp_path: Path):
    async with (
        running_server(tmp_path, jwt_secret=signers.SECRET) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        browser = Browser(server, http)
        token = signers.signer("HS256").sign(exp=time.time() + 60)
        async with (
            browser.stream(f"{WATCH}?ticket={await browser.ticket(token)}") as by_ticket,
            browser.stream(f"{WATCH}?token={token}") as by_token,
        ):
            for answer in (by_ticket, by_token):
                await answer.content.readline()
            server.clock.advance(61)
            for answer in (by_ticket, by_token):
                assert (await ends(answer))["error"]["code"] == "UNAUTHENTICATED"


async def test_a_ticket_of_a_key_that_was_revoked_opens_nothing(browser: Browser):
    key = await browser.key("read")
    ticket = await browser.ticket(key["key"])
    await browser.post(f"/api/v1/keys/{key['key_id']}:revoke")
    assert await browser.status(f"{WATCH}?ticket={ticket}") == 401


async def test_a_stream_may_do_what_the_maker_of_its_ticket_may(browser: Browser):
    writer = await browser.key("write")
    assert await browser.status(f"{WATCH}?ticket={await browser.ticket(writer['key'])}") == 403
    bound = await browser.key("read", namespaces=["team"])
    made = await browser.post("/api/v1/tickets", bound["key"])
    assert (made["scopes"], made["namespaces"]) == (["read"], ["team"])
    assert await browser.status(f"{WATCH}?namespace=other&ticket={made['ticket']}") == 403


async def test_a_repeated_request_does_not_show_the_ticket_again(browser: Browser):
    headers = {"Idempotency-Key": "k", "Authorization": f"Bearer {browser.server.admin_token}"}
    async with browser.http.post("/api/v1/tickets", json={}, headers=headers) as first:
        made = await first.json()
    async with browser.http.post("/api/v1/tickets", json={}, headers=headers) as second:
        assert second.headers["Idempotency-Replayed"] == "true"
        assert await second.json() == {key: made[key] for key in made if key != "ticket"}
    assert "ticket" not in await browser.post("/api/v1/tickets", dry_run=True)


@pytest.mark.parametrize("path", ["nodes:watch", "/api/v1/nodes:watch?x=1", "http://h/api"])
async def test_what_is_no_path_is_refused(browser: Browser, path: str):
    headers = {"Authorization": f"Bearer {browser.server.admin_token}"}
    async with browser.http.post("/api/v1/tickets", json={"path": path}, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["violations"][0]["field"] == "path"


async def test_without_query_tokens_tickets_alone_are_taken(tmp_path: Path):
    async with (
        running_server(tmp_path, query_tokens=False) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        browser = Browser(server, http)
        assert await browser.status(f"{WATCH}?ticket={await browser.ticket()}") == 200
        for refused in (
            f"token={await browser.ticket()}",
            f"token={server.admin_token}",
            f"ticket={server.admin_token}",
        ):
            assert await browser.status(f"{WATCH}?{refused}") == 401


async def test_a_request_that_cannot_be_understood_leaves_the_caller_known(browser: Browser):
    ticket = await browser.ticket()
    async with browser.stream(f"{WATCH}?bogus=1&ticket={ticket}") as answer:
        assert answer.status == 400
    assert await browser.status(f"{WATCH}?ticket={ticket}") == 200


# -- what is kept


async def kept(store: Store) -> list[Any]:
    return list(await store.read(sa.select(tables.tickets)))


async def test_what_is_kept_is_a_hash_and_is_forgotten_in_time(browser: Browser, server: RunningServer):
    ticket = await browser.ticket()
    [row] = await kept(server.store)
    assert row.secret_sha256 == secrets.sha256(ticket)
    assert ticket not in repr(row)
    await browser.status(f"{WATCH}?ticket={ticket}")
    assert await kept(server.store) == []
    await browser.ticket()
    tickets = Tickets(server.store, server.clock)
    await tickets.forget_expired()
    assert len(await kept(server.store)) == 1
    server.clock.advance(31)
    await tickets.forget_expired()
    assert await kept(server.store) == []


async def test_two_servers_on_one_database_take_a_ticket_once(tmp_path: Path, postgres):
    url = postgres.new_database()
    async with (
        running_server(tmp_path / "a", database_url=url, admin_token=ADMIN_TOKEN) as here,
        running_server(tmp_path / "b", database_url=url, admin_token=ADMIN_TOKEN) as there,
        aiohttp.ClientSession(here.http_url) as http_here,
        aiohttp.ClientSession(there.http_url) as http_there,
    ):
        one, other = Browser(here, http_here), Browser(there, http_there)
        key = await one.key("read")
        ticket = await one.ticket(key["key"])
        tries = [each.status(f"{WATCH}?ticket={ticket}") for each in (one, other) * 4]
        assert sorted(await asyncio.gather(*tries)) == [200] + [401] * 7
        ticket = await one.ticket(key["key"])
        async with other.stream(f"{WATCH}?ticket={ticket}") as answer:
            assert json.loads(await answer.content.readline())["type"] == "BOOKMARK"
            await one.post(f"/api/v1/keys/{key['key_id']}:revoke")
            assert (await ends(answer))["error"]["code"] == "UNAUTHENTICATED"
