"""Keys are renamed and live shorter or longer, over REST and gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from novasphere.api.v1 import key_service_pb2 as keys
from novasphere.api.v1 import key_service_pb2_grpc as keys_grpc
from novasphere_server.testing import RunningServer, running_server

ADMIN_TOKEN = "admin-token-of-both-servers"


class Rest:
    """Asks the REST routes for keys as the admin, or as who holds `token`."""

    def __init__(self, server: RunningServer, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http

    async def make(self, **wanted: Any) -> dict[str, Any]:
        _, made = await self.ask("POST", "", {"name": "ci"} | wanted)
        return made

    async def update(
        self, key: dict[str, Any], body: dict[str, Any], query: str = "", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        return await self.ask("PATCH", f"/{key['key_id']}{query}", body, **headers)

    async def get(self, key: dict[str, Any]) -> dict[str, Any]:
        _, shown = await self.ask("GET", f"/{key['key_id']}")
        return shown

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["X-API-Key"] = token or self.server.admin_token
        async with self.http.request(
            method, f"/api/v1/keys{path}", json=body, headers=headers
        ) as answer:
            return answer.status, await answer.json()

    def later(self, seconds: float) -> str:
        moment = datetime.fromtimestamp(self.server.clock.now_us() // 1_000_000 + seconds, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
async def rest(server: RunningServer) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession(server.http_url) as http:
        yield Rest(server, http)


async def test_a_key_is_renamed_and_its_end_is_set_moved_and_lifted(rest: Rest):
    made = await rest.make(scopes=["admin"])
    before = await rest.get(made)
    status, renamed = await rest.update(made, {"name": "deploy"})
    assert (status, renamed["name"], renamed["expires_at"]) == (200, "deploy", None)
    assert renamed["revision"] > before["revision"]
    assert renamed == await rest.get(made)
    soon, later = rest.later(60), rest.later(3600)
    for body, query, expected in (
        ({"expires_at": later}, "", ("deploy", later)),
        ({"name": "ci", "expires_at": soon}, "", ("ci", soon)),
        ({"name": "not named", "expires_at": later}, "?update_mask=expires_at", ("ci", later)),
        ({"update_mask": "expires_at"}, "", ("ci", None)),
        ({"update_mask": "name,expires_at", "name": "a", "expires_at": soon}, "", ("a", soon)),
        ({"name": "b"}, "?update_mask=*", ("b", None)),
    ):
        status, changed = await rest.update(made, body, query)
        assert (status, changed["name"], changed["expires_at"]) == (200, *expected), (body, query)
    # Its secret is what it was.
    assert (await rest.ask("GET", "", token=made["key"]))[0] == 200


async def test_what_is_already_so_makes_no_revision(rest: Rest):
    made = await rest.make(expires_at=rest.later(60))
    await rest.ask("GET", "", token=made["key"])
    await rest.server.app.credentials.store_uses()
    before = await rest.get(made)
    assert before["last_used_at"]
    assert await rest.update(made, {"name": "ci", "expires_at": before["expires_at"]}) == (200, before)


async def test_an_update_is_compared_judged_and_repeated_like_every_mutation(rest: Rest):
    made = await rest.make()
    revision = (await rest.get(made))["revision"]
    status, refused = await rest.update(made, {"name": "a"}, If_Match=f'"{revision + 7}"')
    assert (status, refused["code"]) == (412, "ETAG_MISMATCH")
    for query in ("?validate_only=true", "?dry_run=true"):
        assert (await rest.update(made, {"name": "a"}, query))[1]["name"] == "a"
    assert (await rest.get(made))["name"] == "ci"
    once = {"If_Match": f'"{revision}"', "Idempotency_Key": "once"}
    first = await rest.update(made, {"name": "a"}, **once)
    assert first[0] == 200
    assert await rest.update(made, {"name": "a"}, **once) == first  # though the version is another now
    status, refused = await rest.update(made, {"name": "b"}, **once)
    assert (status, refused["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize(
    ("body", "query", "field", "chinese"),
    [
        ({}, "", "update_mask", "必须指出要更改什么"),
        ({"update_mask": "scopes"}, "", "update_mask", "不能更改"),
        ({"name": "a"}, "?update_mask=revoked_at", "update_mask", "不能更改"),
        ({"update_mask": 7}, "", "update_mask", "必须是字符串列表或字符串"),
        ({"update_mask": ["name"]}, "", "name", "必须设置"),
        ({"update_mask": "name"}, "", "name", "必须设置"),
        ({"name": ""}, "", "name", "必须设置"),
        ({"name": "n" * 101}, "", "name", "最多 100 个字符"),
        ({"name": 7}, "", "name", "必须是字符串"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "", "expires_at", "必须是将来的时间"),
        ({"expires_at": "soon"}, "", "expires_at", "必须是形如"),
        ({"name": "a", "update_mask": "name"}, "?update_mask=name", "update_mask", "请求体中也有"),
        ({"scopes": ["admin"]}, "", "scopes", "未知的字段"),
        ({"revoked_at": None}, "", "revoked_at", "未知的字段"),
    ],
)
async def test_what_cannot_be_changed_is_named(
    rest: Rest, body: dict[str, Any], query: str, field: str, chinese: str
):
    made = await rest.make()
    before = await rest.get(made)
    status, refused = await rest.update(made, body, query)
    assert (status, [v["field"] for v in refused["violations"]]) == (400, [field])
    _, told = await rest.update(made, body, query, Accept_Language="zh")
    assert chinese in told["detail"]
    assert await rest.get(made) == before


async def test_a_revoked_key_stays_as_it_is(rest: Rest):
    made = await rest.make()
    _, revoked = await rest.ask("DELETE", f"/{made['key_id']}")
    status, refused = await rest.update(made, {"expires_at": rest.later(60)})
    assert (status, refused["code"]) == (409, "KEY_REVOKED")
    _, told = await rest.update(made, {"name": "a"}, Accept_Language="zh")
    assert "已被吊销" in told["detail"]
    assert await rest.update(made, {"name": "ci"}) == (200, revoked)
    assert (await rest.update({"key_id": "nope"}, {"name": "a"}))[1]["code"] == "KEY_NOT_FOUND"


async def test_nobody_prolongs_what_they_could_not_have_made(rest: Rest):
    admin = await rest.make(scopes=["admin"])
    writer = await rest.make(scopes=["write"], expires_at=rest.later(3600))
    team = await rest.make(scopes=["admin"], namespaces=["team"])
    mine = {"token": admin["key"]}
    for body in ({"expires_at": rest.later(7200)}, {"update_mask": "expires_at"}):
        status, refused = await rest.update(writer, body, **mine)
        assert (status, refused["code"]) == (403, "PERMISSION_DENIED")
    # Less is no grant.
    assert (await rest.update(writer, {"expires_at": rest.later(60), "name": "w"}, **mine))[0] == 200
    assert (await rest.update(writer, {"name": "x"}, token=team["key"]))[0] == 403
    reader = await rest.make(scopes=["read", "write"])
    assert (await rest.update(reader, {"name": "x"}, token=reader["key"]))[0] == 403


class WatchedKey:
    """A stream that a key opened."""

    def __init__(self, channel: grpc.aio.Channel, metadata: Any) -> None:
        self._stream = keys_grpc.KeyServiceStub(channel).WatchKeys(
            keys.WatchKeysRequest(), metadata=metadata
        )

    async def begins(self) -> None:
        await self._stream.read()

    async def ends(self) -> grpc.StatusCode:
        """Returns how the server ends it, within a minute."""
        async with asyncio.timeout(60):
            with suppress(grpc.aio.AioRpcError):
                while await self._stream.read() is not grpc.aio.EOF:
                    pass
            return await self._stream.code()

    async def tells(self, key_id: str) -> None:
        """Returns when it has told of that key: it is open."""
        async with asyncio.timeout(60):
            while all(event.object.key_id != key_id for event in (await self._stream.read()).events):
                pass
        self._stream.cancel()


async def test_a_stream_lives_as_long_as_its_key_is_let_live(tmp_path: Path, any_database: list[str]):
    """On one server, and on the other of two that share a database."""
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(
                running_server(tmp_path / str(n), database_url=url, admin_token=ADMIN_TOKEN)
            )
            for n, url in enumerate(any_database)
        ]
        here, there = servers[0], servers[-1]
        rest = Rest(here, await stack.enter_async_context(aiohttp.ClientSession(here.http_url)))
        channel = await stack.enter_async_context(there.channel())
        made = [await rest.make(scopes=["admin"], expires_at=rest.later(3600)) for _ in range(2)]
        shortened, prolonged = made
        streams = [WatchedKey(channel, there.authorization(key["key"])) for key in made]
        for stream in streams:
            await stream.begins()
        await rest.update(shortened, {"expires_at": rest.later(60)})
        _, changed = await rest.update(prolonged, {"expires_at": rest.later(36_000)})
        await there.store.wait_for_revision(changed["revision"], 60)
        for server in servers:
            server.clock.advance(61)
        assert await streams[0].ends() is grpc.StatusCode.UNAUTHENTICATED
        for server in servers:
            server.clock.advance(3600)  # past what the other was made with
        there.app.pipeline.end_stale_streams()
        await streams[1].tells((await rest.make())["key_id"])
        for key, status in ((shortened, 401), (prolonged, 200)):
            assert (await rest.ask("GET", "", token=key["key"]))[0] == status


@pytest.fixture(params=["one server", "two servers"])
def any_database(request: pytest.FixtureRequest) -> list[str]:
    """Returns the database of each server."""
    if request.param == "one server":
        return [""]
    return [request.getfixturevalue("postgres").new_database()] * 2
