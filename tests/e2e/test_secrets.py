"""No log line and no answer shows a credential, whatever a client does with it."""

from __future__ import annotations

import asyncio
import base64
import itertools
from pathlib import Path
from urllib.parse import quote

import aiohttp
import grpc.aio
import signers
from novasphere.node.v1 import node_service_pb2 as nodes
from novasphere.node.v1 import node_service_pb2_grpc as nodes_grpc
from processes import TOKEN, ControlPlane, control_plane

PATHS = (
    "/api/v1/nodes",
    "/api/v1/nodes:watch",
    "/api/v1/nodes:watch?cursor=bogus",
    "/api/v1/commands/cmd-1/output",
    "/metrics",
    "/nowhere",
)


def subprotocol(token: str) -> str:
    encoded = base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()
    return f"base64url.bearer.authorization.novasphere.io.{encoded}"


async def show_everywhere(plane: ControlPlane, http: aiohttp.ClientSession, token: str) -> list[str]:
    """Sends a credential in every place that could take one. Returns what was answered."""
    answers = []

    async def get(path: str, **headers: str) -> None:
        async with http.get(plane.url + path, headers=headers) as answer:
            # A stream that is let in has no end; its first words are enough.
            async with asyncio.timeout(60):
                text = await answer.content.readany()
            answers.append(f"{answer.headers} {text.decode(errors='replace')}")
            answer.close()

    for path in PATHS:
        await get(path, Authorization=f"Bearer {token}")
        await get(path, Authorization=token)
        await get(path, Authorization=f"Basic {token}")
        await get(path, **{"X-API-Key": token})
        await get(path, **{"Sec-WebSocket-Protocol": f"v1, {subprotocol(token)}"})
        for name in ("token", "ticket", "access_token"):
            await get(f"{path}{'&' if '?' in path else '?'}{name}={quote(token)}")
    answers.append(await broken_request(plane, token))
    async with grpc.aio.insecure_channel(plane.address) as channel:
        stub = nodes_grpc.NodeServiceStub(channel)
        for metadata in ((("authorization", f"Bearer {token}"),), (("x-api-key", token),)):
            for call in (
                stub.ListNodes(nodes.ListNodesRequest(), metadata=metadata, timeout=60),
                stub.WatchNodes(nodes.WatchNodesRequest(), metadata=metadata, timeout=60).read(),
            ):
                try:
                    answers.append(str(await call))
                except grpc.aio.AioRpcError as error:
                    answers.append(f"{error.details()} {error.trailing_metadata()}")
    return answers


async def broken_request(plane: ControlPlane, token: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", plane.http_port)
    request = f"GET /api/v1/nodes:watch?token={quote(token)} HTTP/1.1\r\nAuthorization {token}\r\n\r\n"
    writer.write(request.encode())
    async with asyncio.timeout(60):
        answer = await reader.read(65536)
    writer.close()
    return answer.decode(errors="replace")


async def test_no_credential_is_seen_in_logs_or_answers(tmp_path: Path) -> None:
    rs256 = signers.signer("RS256", "rsa")
    jwks = signers.publish(tmp_path / "jwks.json", rs256)
    arguments = ("--log-level", "debug", "--jwt-jwks", str(jwks))
    async with (
        control_plane(tmp_path, *arguments, NOVASPHERE_JWT_SECRET=signers.SECRET) as plane,
        aiohttp.ClientSession() as http,
    ):
        key = await plane.rest("POST", "/api/v1/keys", {"name": "k"}, status=201)
        other = await plane.rest("POST", "/api/v1/keys", {"name": "k"}, status=201)
        await plane.rest("POST", f"/api/v1/keys/{other['key_id']}:revoke")
        join = await plane.rest("POST", "/api/v1/join-tokens", {}, status=201)
        ticket = await plane.rest("POST", "/api/v1/tickets", {}, status=201)
        secrets = [
            TOKEN, key["key"], other["key"], join["token"], ticket["ticket"],
            rs256.sign(), signers.signer("HS256").sign(), rs256.sign(exp=1), rs256.sign(scope="write"),
            "nsk_a1b2c3d4_wrongwrongwrongwrongwrongwrongwr000000", "wrong-horse-battery-staple",
        ]  # fmt: skip
        answers = list(
            itertools.chain.from_iterable(
                [await show_everywhere(plane, http, secret) for secret in secrets]
            )
        )
        await plane.stop()
        log = plane.server.output()
        assert "debug" in log
        for secret in (*secrets, signers.SECRET):
            shown = (secret, quote(secret), subprotocol(secret).rpartition(".")[2])
            for text in shown:
                assert text not in log, next(line for line in log.splitlines() if text in line)
                for answer in answers:
                    assert text not in answer
