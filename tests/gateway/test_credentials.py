"""How browsers send a credential: in the name of a subprotocol, or in the address of a stream."""

from __future__ import annotations

import base64

import pytest
from gateways import FakeBackend, Server
from novasphere.node.v1 import node_service_pb2
from novasphere_gateway.backend import Answer, Call

BEARER = "base64url.bearer.authorization.novasphere.io."


def bearer(token: str) -> str:
    return BEARER + base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()


@pytest.fixture(autouse=True)
def answering(backend: FakeBackend) -> None:
    async def rows(call: Call):
        yield Answer(node_service_pb2.WatchNodesResponse())

    backend.streams["/novasphere.node.v1.NodeService/WatchNodes"] = rows


async def test_a_subprotocol_carries_a_credential(backend: FakeBackend, server: Server) -> None:
    for token in ("nsk_a", "any ~ printable?", "ab", "abc"):
        offered = {"Sec-WebSocket-Protocol": f"v1.events, {bearer(token)}"}
        await server.get("/api/v1/nodes:watch", headers=offered)
        assert backend.call.metadata["authorization"] == f"Bearer {token}"
    offered |= {"Authorization": "Bearer first"}
    await server.get("/api/v1/nodes:watch", headers=offered)
    assert backend.call.metadata["authorization"] == "Bearer first"


@pytest.mark.parametrize(
    "offered",
    [BEARER, BEARER + "a", BEARER + "w6Q", BEARER + "!!!!", f"{bearer('one')}, {bearer('two')}"],
)
async def test_a_subprotocol_that_carries_none_is_refused(server: Server, offered: str) -> None:
    response, body = await server.get(
        "/api/v1/nodes:watch", headers={"Sec-WebSocket-Protocol": f"v1.events, {offered}"}
    )
    assert response.status == 400
    assert "Sec-WebSocket-Protocol" in str(body)
    assert offered == BEARER or offered not in str(body)


async def test_a_ticket_in_the_address_is_a_credential_of_streams(backend: FakeBackend, start) -> None:
    for server in (await start(), await start(query_tokens=False)):
        await server.get("/api/v1/nodes:watch?ticket=nst_one")
        assert backend.call.metadata["authorization"] == "Bearer nst_one"
        for query in ("ticket=nsk_lasting", "ticket=nst_one&ticket=nst_two", "ticket="):
            response, body = await server.get(f"/api/v1/nodes:watch?{query}")
            assert response.status == 400
            assert "nsk_lasting" not in str(body)
    server = await start()
    response, _ = await server.get("/api/v1/nodes:watch?ticket=nst_one&token=two")
    assert response.status == 400
    response, body = await server.get("/api/v1/nodes?ticket=nst_one")
    assert response.status == 400
    assert "nst_one" not in str(body)
