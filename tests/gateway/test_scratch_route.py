"""An annotated RPC in a new proto is a working route: the gateway needs no change for it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
from novasphere.api.v1 import options_pb2
from novasphere.gateway import ERRORS
from novasphere_gateway.backend import Answer, Call
from novasphere_gateway.codegen import testing
from novasphere_gateway.runtime import Gateway

REPOSITORY = Path(__file__).parents[2]

PROTO = """
syntax = "proto3";

package scratch.v1;

import "google/api/annotations.proto";
import "novasphere/api/v1/options.proto";

// Kettles, which no part of the product knows.
service KettleService {
  option (novasphere.api.v1.face) = FACE_NODES;

  // Boils a kettle.
  rpc BoilKettle(BoilKettleRequest) returns (BoilKettleResponse) {
    option (google.api.http) = {
      post: "/api/v1/kettles/{kettle_id}:boil"
      body: "*"
    };
    option (novasphere.api.v1.method) = {
      scope: SCOPE_ADMIN
      message: "水开了"
    };
  }

  // Streams the temperature.
  rpc WatchKettle(WatchKettleRequest) returns (stream WatchKettleResponse) {
    option (google.api.http) = {get: "/api/v1/kettles/{kettle_id}:watch"};
    option (novasphere.api.v1.method) = {
      face: FACE_NATIVE
      scope: SCOPE_READ
      rate_class: RATE_CLASS_STREAM
      stream: {}
    };
  }
}

// Which kettle, and how.
message BoilKettleRequest {
  // The kettle.
  string kettle_id = 1;
  // Litres to boil.
  double litres = 2;
  // Names the call.
  string request_id = 3 [
    (novasphere.api.v1.header) = "Idempotency-Key",
    (novasphere.api.v1.hidden) = true
  ];
}

// What came of it.
message BoilKettleResponse {
  // Degrees Celsius.
  int64 degrees = 1;
}

// Which kettle.
message WatchKettleRequest {
  // The kettle.
  string kettle_id = 1;
}

// One reading.
message WatchKettleResponse {
  // Degrees Celsius.
  int64 degrees = 1;
}
"""


class Kitchen:
    """A backend that knows kettles."""

    def __init__(self, messages: ModuleType) -> None:
        self._messages = messages
        self.calls: list[Call] = []

    async def admit(self, call: Call) -> None:
        """Admits everybody."""

    async def unary(self, call: Call) -> Answer:
        self.calls.append(call)
        return Answer(self._messages.BoilKettleResponse(degrees=100))

    async def stream(self, call: Call) -> AsyncIterator[Answer]:
        self.calls.append(call)
        for degrees in (20, 100):
            yield Answer(self._messages.WatchKettleResponse(degrees=degrees))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    protos, folder = tmp_path_factory.mktemp("protos"), tmp_path_factory.mktemp("generated")
    (protos / "scratch" / "v1").mkdir(parents=True)
    (protos / "scratch" / "v1" / "kettle_service.proto").write_text(PROTO)
    testing.compile_protos(protos, folder, imports=[REPOSITORY / "proto"])
    sys.path.insert(0, str(folder))
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        for name in [n for n in sys.modules if n == "scratch" or n.startswith("scratch.")]:
            del sys.modules[name]


async def test_a_new_rpc_is_a_route_with_its_scope_and_its_documentation(generated: Path) -> None:
    messages = importlib.import_module("scratch.v1.kettle_service_pb2")
    routes = importlib.import_module("scratch.gateway").ROUTES
    kitchen = Kitchen(messages)
    openapi = (generated / "scratch" / "openapi.json").read_bytes()
    gateway = Gateway(kitchen, routes, ERRORS, openapi=openapi)
    base = f"http://127.0.0.1:{await gateway.start('127.0.0.1', 0)}"
    try:
        async with aiohttp.ClientSession(base) as session:
            async with session.post(
                "/api/v1/kettles/k1:boil", json={"litres": 1.5}, headers={"Idempotency-Key": "tea"}
            ) as response:
                assert response.status == 200
                body = await response.json()
            assert (body["message"], body["data"]) == ("水开了", {"degrees": 100})
            [call] = kitchen.calls
            assert call.method == "/scratch.v1.KettleService/BoilKettle"
            assert call.request == messages.BoilKettleRequest(
                kettle_id="k1", litres=1.5, request_id="tea"
            )
            async with session.post("/api/v1/kettles/k1:boil", json={"liters": 1}) as response:
                assert response.status == 400
                assert "litres" in (await response.json())["message"]
            async with session.get(
                "/api/v1/kettles/k1:watch", headers={"Accept": "application/x-ndjson"}
            ) as response:
                assert [json.loads(line) async for line in response.content] == [
                    {"degrees": 20},
                    {"degrees": 100},
                ]
            async with session.get("/openapi.json") as response:
                assert "post" in (await response.json())["paths"]["/api/v1/kettles/{kettle_id}:boil"]
    finally:
        await gateway.stop(5)
    scopes = {route.label: route.scope for route in routes}
    assert scopes == {
        "POST /api/v1/kettles/{kettle_id}:boil": options_pb2.SCOPE_ADMIN,
        "GET /api/v1/kettles/{kettle_id}:watch": options_pb2.SCOPE_READ,
    }
