"""The client against the server itself, where the scripted one could be wrong about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from command_line import Cli
from novasphere.api.v1 import options_pb2, watch_pb2
from novasphere_client import Client, SyncClient, errors
from novasphere_server.testing import RunningServer, running_server


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path / "data") as running:
        yield running


def connect(real: RunningServer, **options: Any) -> Any:
    return Client.connect(real.grpc_address, real.admin_token, **options)


async def test_errors_come_with_reason_and_request_id(real: RunningServer) -> None:
    async with connect(real) as client:
        with pytest.raises(errors.NodeNotFound) as caught:
            await client.nodes.get("nobody")
        assert caught.value.reason == "NODE_NOT_FOUND"
        assert caught.value.metadata["node_id"] == "nobody"
        assert caught.value.request_id
        with pytest.raises(errors.CommandNotFound):
            await anext(client.commands.output("cmd-0", follow=True))
        with pytest.raises(errors.InvalidArgument) as wrong:
            await client.nodes.list(limit=-1)
        assert wrong.value.violations[0].field == "limit"
        with pytest.raises(errors.InvalidArgument, match="cursor"):
            await anext(client.nodes.watch(cursor="nonsense"))
        with pytest.raises(errors.Gap):
            await anext(client.nodes.watch(cursor="anotherepoch.5"))
    async with Client.connect(real.grpc_address, "not-the-admin-token") as stranger:
        with pytest.raises(errors.Unauthenticated):
            await stranger.nodes.list()
        assert (await stranger.system.health()).status == "healthy"


async def test_a_repeated_request_id_makes_one_key_and_shows_its_secret_once(
    real: RunningServer,
) -> None:
    async with connect(real) as client:
        first = await client.keys.create("ci", scopes=[options_pb2.SCOPE_READ], request_id="once")
        again = await client.keys.create("ci", scopes=[options_pb2.SCOPE_READ], request_id="once")
        assert first.key_id == again.key_id
        assert first.secret
        assert not again.secret
        assert len([key async for key in client.keys.all()]) == 1
    async with Client.connect(real.grpc_address, first.secret) as reader:
        assert (await reader.nodes.list()).total == 0
        with pytest.raises(errors.PermissionDenied):
            await reader.join_tokens.create()


async def test_a_watch_of_an_empty_fleet_begins_with_a_bookmark(real: RunningServer) -> None:
    async with connect(real) as client, client.nodes.watch() as watch:
        bookmark = await asyncio.wait_for(anext(watch), 60)
        assert bookmark.type == watch_pb2.EVENT_TYPE_BOOKMARK
        assert watch.cursor == bookmark.cursor != ""


async def test_a_watch_of_keys_shows_those_within_reach_and_no_secret(real: RunningServer) -> None:
    async with connect(real) as client:
        scopes = [options_pb2.SCOPE_ADMIN]
        bound = await client.keys.create("bound", scopes=scopes, namespaces=["team"])
        async with (
            client.keys.watch() as everything,
            Client.connect(real.grpc_address, bound.secret) as team,
            team.keys.watch() as reachable,
        ):
            for watch in (everything, reachable):
                assert (await anext(watch)).object.name == "bound"
                assert (await anext(watch)).type == watch_pb2.EVENT_TYPE_BOOKMARK
            other = await client.keys.create("other")
            await client.keys.revoke(bound.key_id)
            added, revoked = await anext(everything), await anext(everything)
            assert (added.type, added.object.key_id) == (watch_pb2.EVENT_TYPE_ADDED, other.key_id)
            assert revoked.object.HasField("revoked_at")
            assert other.secret not in str(added)
            assert (await anext(reachable)).object.key_id == bound.key_id
        async with client.keys.watch(key_id=other.key_id, cursor=everything.cursor) as one:
            await client.keys.revoke(other.key_id)
            assert (await anext(one)).object.HasField("revoked_at")
        async with Client.connect(real.grpc_address, (await client.keys.create("r")).secret) as reader:
            with pytest.raises(errors.PermissionDenied):
                await anext(reader.keys.watch())


async def test_the_synchronous_client_says_and_does_the_same(real: RunningServer) -> None:
    def work() -> None:
        with SyncClient.connect(real.grpc_address, real.admin_token) as client:
            first = client.keys.create("ci", request_id="once")
            assert client.keys.create("ci", request_id="once").key_id == first.key_id
            with client.keys.watch() as watch:
                assert [next(watch).object.name, next(watch).cursor] == ["ci", watch.cursor]
                assert client.keys.update(first.key_id, name="deploy").name == next(watch).object.name
                client.keys.revoke(first.key_id)
                assert next(watch).object.HasField("revoked_at")
            with pytest.raises(errors.NodeNotFound) as caught:
                client.nodes.get("nobody")
            assert caught.value.request_id

    await asyncio.to_thread(work)


async def test_the_command_line_prints_what_the_rest_routes_print(
    real: RunningServer, tmp_path: Path
) -> None:
    cli = Cli(tmp_path, None)
    cli.environment |= {"NOVASPHERE_SERVER": real.grpc_address, "NOVASPHERE_TOKEN": real.admin_token}
    made = await cli("key", "create", "ci", "--expires", "2099-01-31T12:00:00Z")
    assert made.code == 0
    key_id = json.loads((await cli("key", "list", "-o", "json")).text)["keys"][0]["key_id"]
    shown = json.loads((await cli("key", "get", key_id, "-o", "json")).text)
    headers = {"Authorization": f"Bearer {real.admin_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{real.http_url}/api/v1/keys/{key_id}") as answer,
    ):
        assert shown == await answer.json()
    changed = await cli("key", "update", key_id, "--name", "deploy", "--never-expires", "-o", "json")
    assert changed.code == 0
    assert (json.loads(changed.text)["name"], json.loads(changed.text)["expires_at"]) == ("deploy", None)
    stale = ["--expires", "30d", "--etag", str(shown["revision"])]
    outdated = await cli("key", "update", key_id, *stale)
    assert (outdated.code, outdated.text) == (1, "")
    assert "Read it again" in outdated.err
    judged = await cli("key", "update", key_id, "--expires", "30d", "--dry-run", "-o", "json")
    assert "would be changed" in judged.err
    assert json.loads((await cli("key", "get", key_id, "-o", "json")).text) == json.loads(changed.text)
    for wrong in ([], ["--expires", "30d", "--never-expires"]):
        assert (await cli("key", "update", key_id, *wrong)).code == 2
    token = await cli("token", "join", "--ttl", "10m")
    assert token.text.startswith("nsj_")
    assert "it works for 10m, once" in token.err
    refused = await cli("exec", "nobody", "--", "true")
    assert refused.code == 1
    assert "novasphere node list" in refused.err


async def test_the_admin_token_of_this_machine_is_enough(real: RunningServer, tmp_path: Path) -> None:
    cli = Cli(tmp_path, None)
    folder = tmp_path / "data" / "server"
    cli.environment |= {"NOVASPHERE_SERVER": real.grpc_address, "NOVASPHERE_DATA_DIR": str(folder)}
    listed = await cli("node", "list", "-o", "json")
    assert (listed.code, listed.err) == (0, "")
