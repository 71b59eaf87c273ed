"""An RPC that nobody wrote a gateway for: annotated in a proto of the test's own, it is a REST route with its
scope enforced and its place in the OpenAPI document, through the server's own pipeline."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from novasphere.gateway import ERRORS
from novasphere_gateway.codegen import testing
from novasphere_gateway.runtime import Gateway
from novasphere_server.rpc.inprocess import InProcess
from novasphere_server.testing import RunningServer, running_server
from processes import eventually

ROOT = Path(__file__).parents[2]
PROTO = """
syntax = "proto3";
package orchard.v1;
import "google/api/annotations.proto";
import "novasphere/api/v1/options.proto";
// Trees, which no part of the product knows.
service TreeService {
  option (novasphere.api.v1.face) = FACE_NATIVE;
  // Waters a tree.
  rpc WaterTree(WaterTreeRequest) returns (WaterTreeResponse) {
    option (google.api.http) = {post: "/api/v1/trees/{tree_id}:water" body: "*"};
    option (novasphere.api.v1.method) = {scope: SCOPE_WRITE success_status: 201};
  }
  // Talks to a tree.
  rpc TalkToTree(stream TalkToTreeRequest) returns (stream TalkToTreeResponse) {
    option (google.api.http) = {get: "/api/v1/trees/{tree_id}:talk"};
    option (novasphere.api.v1.method) = {scope: SCOPE_WRITE};
  }
}
// Which tree, and what is said to it.
message TalkToTreeRequest {
  // The tree.
  string tree_id = 1;
  // What is said.
  string words = 2;
}
// What the tree says.
message TalkToTreeResponse {
  // What it says.
  string words = 1;
}
// Which tree, and how much.
message WaterTreeRequest {
  // The tree.
  string tree_id = 1;
  // How much water.
  int64 litres = 2 [(novasphere.api.v1.rules) = {minimum: 1 maximum: 50}];
}
// What came of it.
message WaterTreeResponse {
  // What the tree said.
  string answer = 1;
}
"""


async def _key(server: RunningServer, http: aiohttp.ClientSession, *scopes: str) -> str:
    headers = {"Authorization": f"Bearer {server.admin_token}"}
    body = {"name": "k", "scopes": scopes}
    async with http.post(f"{server.http_url}/api/v1/keys", json=body, headers=headers) as answer:
        return str((await answer.json())["key"])


async def test_an_annotated_rpc_works_over_rest_with_its_scope(tmp_path: Path, monkeypatch: Any) -> None:
    protos, generated = tmp_path / "protos", tmp_path / "generated"
    (protos / "orchard" / "v1").mkdir(parents=True)
    generated.mkdir()
    (protos / "orchard" / "v1" / "tree_service.proto").write_text(PROTO)
    testing.compile_protos(protos, generated, imports=[ROOT / "proto"])
    monkeypatch.syspath_prepend(str(generated))
    messages = importlib.import_module("orchard.v1.tree_service_pb2")
    routes = importlib.import_module("orchard.gateway").ROUTES
    openapi = (generated / "orchard" / "openapi.json").read_bytes()

    class Trees:
        async def WaterTree(self, request: Any, _: Any) -> Any:
            return messages.WaterTreeResponse(answer=f"{request.tree_id} drank {request.litres} litres")

        async def TalkToTree(self, requests: Any, _: Any) -> AsyncIterator[Any]:
            async for request in requests:
                yield messages.TalkToTreeResponse(words=f"{request.tree_id} heard {request.words}")

    async with running_server(tmp_path / "server") as server, aiohttp.ClientSession() as http:
        server.app.pipeline.register("orchard.v1.TreeService", Trees())
        gateway = Gateway(InProcess(server.app.pipeline), routes, ERRORS, openapi=openapi)
        base = f"http://127.0.0.1:{await gateway.start('127.0.0.1', 0)}"
        try:
            reader, writer = await _key(server, http, "read"), await _key(server, http, "write")

            async def water(litres: int, token: str = "") -> tuple[int, dict[str, Any]]:
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                url = f"{base}/api/v1/trees/oak:water"
                async with http.post(url, json={"litres": litres}, headers=headers) as answer:
                    return answer.status, await answer.json()

            assert await water(3, writer) == (201, {"answer": "oak drank 3 litres"})
            assert (await water(3))[0] == 401
            status, body = await water(3, reader)
            assert (status, body["code"]) == (403, "PERMISSION_DENIED")
            status, body = await water(99, writer)
            assert (status, body["violations"][0]["field"]) == (400, "litres")
            talk = f"{base}/api/v1/trees/oak:talk"
            for token, end in ((writer, None), (reader, 4403), ("wrong", 4401), ("", 4401)):
                async with http.ws_connect(f"{talk}?token={token}" if token else talk) as ws:
                    await ws.send_json({"words": "hello"})
                    if end is None:
                        assert await ws.receive_json() == {"words": "oak heard hello"}
                    else:
                        assert (await ws.receive()).data == end

            async def all_ended() -> bool:
                return not server.app.pipeline.streams

            await eventually(all_ended)
            async with http.get(f"{base}/openapi.json") as answer:
                document = json.loads(await answer.text())
            assert "post" in document["paths"]["/api/v1/trees/{tree_id}:water"]
        finally:
            await gateway.stop(1)
            for name in [n for n in sys.modules if n.partition(".")[0] == "orchard"]:
                del sys.modules[name]
