"""Whoever shows wrong credentials waits; whoever shows right ones does not."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import grpc.aio
import pytest
import signers
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from novasphere.node.v1 import node_service_pb2 as nodes
from novasphere.node.v1 import node_service_pb2_grpc as nodes_grpc
from novasphere_server.apart import GatewayApart
from novasphere_server.core import secrets
from novasphere_server.core.refusals import Claim, Refusals
from novasphere_server.rpc import peers
from novasphere_server.settings import Address, ApartSettings
from novasphere_server.testing import MovableClock, RunningServer, running_server

BURST = 20


class StoppedClock(MovableClock):
    """Nothing is forgotten while a test runs, unless it says so."""

    def monotonic(self) -> float:
        return 1_000.0 + self._ahead


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path, clock=StoppedClock(), refusal_burst=BURST) as running:
        yield running


@pytest.fixture
async def http(server: RunningServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.http_url) as session:
        yield session


async def status(http: aiohttp.ClientSession, token: str, path: str = "/api/v1/nodes") -> int:
    async with http.get(path, headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status


async def be_refused(http: aiohttp.ClientSession, times: int = BURST) -> None:
    for _ in range(times):
        assert await status(http, secrets.new(secrets.API_KEY)) == 401


async def key(server: RunningServer, http: aiohttp.ClientSession) -> str:
    headers = {"Authorization": f"Bearer {server.admin_token}"}
    async with http.post("/api/v1/keys", json={"name": "k"}, headers=headers) as made:
        return (await made.json())["key"]


async def test_an_address_that_sends_wrong_credentials_is_told_to_wait(
    server: RunningServer, http: aiohttp.ClientSession
):
    await be_refused(http)
    wrong = {"Authorization": f"Bearer {secrets.new(secrets.API_KEY)}"}
    for path in ("/api/v1/nodes", "/api/v1/nodes:watch", "/metrics"):
        async with http.get(path, headers=wrong) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
            assert answer.headers["X-Novasphere-Reason"] == "TOO_MANY_REFUSALS"
    server.clock.advance(1)
    await be_refused(http, 5)
    assert await status(http, "anything else") == 429


async def test_it_is_told_so_over_grpc(server: RunningServer, http: aiohttp.ClientSession):
    await be_refused(http)
    async with server.channel() as channel:
        stub = nodes_grpc.NodeServiceStub(channel)
        for call in (
            stub.GetNode(nodes.GetNodeRequest(node_id="n"), metadata=server.authorization("wrong")),
            stub.WatchNodes(nodes.WatchNodesRequest(), metadata=server.authorization("wrong")).read(),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            retry = error_details_pb2.RetryInfo()
            assert any(detail.Unpack(retry) for detail in rpc_status.from_call(caught.value).details)
            assert 0 < retry.retry_delay.ToMilliseconds() <= 1000


async def test_nothing_is_looked_up_meanwhile(
    server: RunningServer, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    await be_refused(http)
    monkeypatch.setattr(secrets, "sha256", None)  # nothing can be hashed any more
    assert await status(http, secrets.new(secrets.API_KEY)) == 429


async def test_credentials_that_work_are_answered_from_the_same_address(
    server: RunningServer, http: aiohttp.ClientSession
):
    used, unused = await key(server, http), await key(server, http)
    assert await status(http, used) == 200
    await be_refused(http)
    for token in (server.admin_token, used, unused):
        assert await status(http, token) == 200
    # Also where it takes a look: somebody else's wrong ones do not make up this one's id.
    async with http.get(
        "/api/v1/nodes", headers={"Authorization": "Bearer x", "X-API-Key": unused}
    ) as answer:
        assert answer.status == 200
    async with http.get("/api/v1/nodes") as answer:  # who shows nothing guesses nothing
        assert answer.status == 401


async def test_a_key_is_known_by_its_id_after_a_restart(tmp_path):
    async with (
        running_server(tmp_path, clock=StoppedClock(), refusal_burst=BURST) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        secret = await key(server, http)
    async with (
        running_server(tmp_path, clock=StoppedClock(), refusal_burst=BURST) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        await be_refused(http)
        assert await status(http, secret) == 200


def another(secret: str) -> str:
    """Returns a wrong secret of the same id."""
    body = secret[: secret.rindex("_") + 1] + secrets.new(secrets.API_KEY)[13:45]
    return body + secrets._checksum(body)


async def test_one_id_with_wrong_secrets_waits(server: RunningServer, http: aiohttp.ClientSession):
    mine = await key(server, http)
    assert await status(http, mine) == 200
    for _ in range(BURST):
        assert await status(http, another(mine)) == 401
    assert await status(http, another(mine)) == 429
    assert await status(http, mine) == 200


async def test_who_knows_the_id_of_a_key_does_not_keep_its_holder_waiting(
    server: RunningServer, http: aiohttp.ClientSession
):
    mine = await key(server, http)  # and nobody has used it yet, as after a restart
    elsewhere = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(server.http_url, connector=elsewhere) as stranger:
        for _ in range(BURST):
            assert await status(stranger, another(mine)) == 401
        assert await status(stranger, another(mine)) == 429
        assert await status(http, mine) == 200


async def test_what_worked_before_it_was_revoked_waits_like_any_other(
    server: RunningServer, http: aiohttp.ClientSession
):
    admin = {"Authorization": f"Bearer {server.admin_token}"}
    async with http.post("/api/v1/join-tokens", json={}, headers=admin) as answer:
        made = await answer.json()
    assert await status(http, made["token"]) == 403  # it may join, and nothing else
    path = f"/api/v1/join-tokens/{made['join_token']['token_id']}"
    async with http.delete(path, headers=admin) as answer:
        assert answer.status == 200
    assert {await status(http, made["token"]) for _ in range(BURST)} == {401}
    assert await status(http, made["token"]) == 429


async def test_refused_credentials_are_counted_by_kind(tmp_path):
    async with (
        running_server(
            tmp_path, clock=StoppedClock(), jwt_secret=signers.SECRET, refusal_burst=6
        ) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        for wrong in (
            *map(secrets.new, ("nsk", "nsj", "nsa", "nst")),
            signers.signer("HS256").sign(exp=1),
            "nonsense",
            "throttled",
        ):
            await status(http, wrong)
        async with http.get(
            "/metrics", headers={"Authorization": f"Bearer {server.admin_token}"}
        ) as answer:
            lines = (await answer.text()).splitlines()
    counted = {line for line in lines if line.startswith("novasphere_refused_credentials_total{")}
    kinds = ("key", "join_token", "agent", "ticket", "jwt", "unknown", "throttled")
    assert counted == {f'novasphere_refused_credentials_total{{kind="{kind}"}} 1.0' for kind in kinds}


# -- behind a gateway apart


@asynccontextmanager
async def strangers_behind_a_gateway(
    server: RunningServer,
) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """Yields two clients of a gateway apart, which have addresses of their own."""
    settings = ApartSettings(Address.parse(server.grpc_address), Address("127.0.0.1", 0))
    async with GatewayApart(settings) as gateway, AsyncExitStack() as stack:
        clients = [
            aiohttp.ClientSession(
                f"http://{gateway.http_address}",
                connector=aiohttp.TCPConnector(local_addr=(address, 0)),
                # What the gateway is told by its clients tells the server nothing.
                headers={"Novasphere-Client-Address": "10.9.9.9:1", "X-Forwarded-For": "10.9.9.9"},
            )
            for address in ("127.0.0.2", "127.0.0.3")
        ]
        yield [await stack.enter_async_context(client) for client in clients]


async def test_a_stranger_behind_a_gateway_keeps_none_of_its_other_clients_waiting(
    server: RunningServer,
):
    async with strangers_behind_a_gateway(server) as (stranger, other):
        await be_refused(stranger)
        for path in ("/api/v1/nodes", "/api/v1/nodes:watch", "/metrics"):
            assert await status(stranger, "wrong", path) == 429
            assert await status(other, "wrong", path) == 401
        # A body is not read before its sender is known, which is asked on its own.
        for client, expected in ((stranger, 429), (other, 401)):
            async with client.post("/api/v1/keys", json={}, headers={"X-API-Key": "wrong"}) as answer:
                assert answer.status == expected
        assert await status(stranger, server.admin_token) == 200


async def test_a_gateway_that_is_not_trusted_is_one_client(tmp_path: Path):
    elsewhere = (ipaddress.ip_network("10.0.0.0/8"),)
    async with (
        running_server(
            tmp_path, clock=StoppedClock(), refusal_burst=BURST, trusted_gateways=elsewhere
        ) as server,
        strangers_behind_a_gateway(server) as (stranger, other),
    ):
        await be_refused(stranger)
        assert await status(other, "wrong") == 429
        assert await status(other, server.admin_token) == 200


LOCAL = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("2001:db8::7/128"))


@pytest.mark.parametrize(
    ("peer", "told", "origin"),
    [
        ("ipv4:127.0.0.1:5000", "10.0.0.1:6000", "10.0.0.1"),
        ("ipv6:%5B::ffff:127.0.0.1%5D:5000", "2001:db8:1::1:6000", "2001:db8:1::/64"),
        ("ipv6:%5B2001:db8::7%5D:5000", "10.0.0.1:6000", "10.0.0.1"),
        ("ipv6:%5B2001:db8::8%5D:5000", "10.0.0.1:6000", "2001:db8::/64"),
        ("ipv4:10.0.0.9:5000", "10.0.0.1:6000", "10.0.0.9"),
        ("ipv4:127.0.0.1:5000", "somebody:6000", "127.0.0.1"),
        ("ipv4:127.0.0.1:5000", "", "127.0.0.1"),
        ("unix:", "10.0.0.1:6000", ""),
    ],
)
def test_only_a_trusted_gateway_says_for_whom_it_asks(peer: str, told: str, origin: str):
    assert peers.network(peers.client(peer, {peers.CLIENT: told}, LOCAL)) == origin


# -- what is remembered


def test_what_is_remembered_of_addresses_and_ids_is_bounded():
    refusals = Refusals(1, MovableClock().monotonic)
    for number in range(20_000):
        refusals.count(f"address {number}", [Claim(f"id {number}", names_a_credential=True)])
    assert refusals.wait("address 0", Claim()) == 0
    assert refusals.wait("address 19999", Claim()) > 0
    assert refusals.wait("address 19999", Claim("id 19999", names_a_credential=True)) > 0
    assert len(refusals._addresses._levels) == len(refusals._ids._levels) == 10_000


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("ipv4:10.0.0.1:5000", "10.0.0.1"),
        ("10.0.0.1:5000", "10.0.0.1"),
        ("ipv6:%5B2001:db8::1%5D:5000", "2001:db8::/64"),
        ("2001:db8::2:5000", "2001:db8::/64"),
        ("ipv6:%5B::ffff:10.0.0.1%5D:5000", "10.0.0.1"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_one_client_is_one_address_or_one_network(peer: str, network: str):
    assert peers.network(peer) == network
