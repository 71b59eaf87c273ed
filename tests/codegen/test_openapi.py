"""The OpenAPI documents: valid, complete, and true to the examples that the protos print."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import novasphere
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # published without types
from novasphere.gateway import ERRORS
from novasphere.gateway import ROUTES as PRODUCT_ROUTES
from novasphere_gateway import model
from openapi_spec_validator import OpenAPIV31SpecValidator

PRODUCT = json.loads((Path(novasphere.__file__).parent / "openapi.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=["scratch", "product"])
def described(request: pytest.FixtureRequest, generated: Any) -> tuple[Any, tuple[model.Route, ...]]:
    """A document and the routes that it describes."""
    if request.param == "product":
        return PRODUCT, PRODUCT_ROUTES
    text = (generated.folder / "things" / "openapi.json").read_text(encoding="utf-8")
    return json.loads(text), generated.gateway.ROUTES


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for http_method, operation in methods.items():
            yield path, http_method.upper(), operation


def test_the_document_is_valid(described: Any) -> None:
    document, _ = described
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_route_is_described_with_its_rpc_and_scope(described: Any) -> None:
    document, routes = described
    found = {(method, _shape(path)): o for path, method, o in operations(document)}
    assert {(r.http_method, _shape(r.path)) for r in routes} == set(found)
    for route in routes:
        operation = found[route.http_method, _shape(route.path)]
        status = 101 if route.is_duplex else route.success_status
        assert str(status) in operation["responses"]
        assert (operation.get("security") == []) == route.is_public
        if not route.action:
            assert operation["x-grpc-method"] == route.method
        if route.scope:
            assert "x-required-scope" in operation


def _shape(path: str) -> str:
    """Returns the path with its variables' names taken off."""
    whole = re.sub(r"\{[^{}=]+=([^{}]+)\}", lambda m: re.sub(r"\*+", "{}", m[1]), path)
    return re.sub(r"\{[^{}]*\}", "{}", whole)


def test_every_parameter_is_described(described: Any) -> None:
    document, routes = described
    for route in routes:
        operation = next(
            o
            for p, m, o in operations(document)
            if (m, _shape(p)) == (route.http_method, _shape(route.path))
        )
        found = {(p["in"], p["name"].lower()) for p in parameters_of(document, operation)}
        for parameter in route.query_params:
            assert ("query", parameter.name) in found
        for header in route.headers:
            assert ("header", header.name) in found
        if route.stream is not None and route.stream.resume_param is not None:
            assert ("header", "last-event-id") in found
        has_body = route.decode_body is not None and not route.is_duplex
        assert ("requestBody" in operation) == has_body
        assert (("header", "x-novasphere-min-revision") in found) == (not route.is_duplex)
        if any(header.name == "idempotency-key" for header in route.headers):
            told = operation["responses"][str(route.success_status)]["headers"]
            assert "Idempotency-Replayed" in told


def parameters_of(document: Any, operation: Any) -> list[Any]:
    """Returns an operation's parameters with references followed."""
    shared = document["components"]["parameters"]
    return [
        shared[p["$ref"].rpartition("/")[2]] if "$ref" in p else p
        for p in operation.get("parameters", ())
    ]


def test_resources_say_their_version_and_answer_304() -> None:
    operation = PRODUCT["paths"]["/api/v1/keys/{key_id}"]["get"]
    assert "If-None-Match" in {p["name"] for p in parameters_of(PRODUCT, operation)}
    assert {"ETag", "X-Novasphere-Revision"} <= set(operation["responses"]["200"]["headers"])
    assert "ETag" in operation["responses"]["304"]["headers"]
    answering = {
        path.removeprefix("/api/v1/")
        for path, method, operation in operations(PRODUCT)
        if "304" in operation["responses"]
    }
    assert answering == {
        "agents/{agent_id}",
        "commands/{command_id}",
        "jobs/item/{job_id}",
        "keys/{key_id}",
        "nodes/{node_id}",
        "schedules/item/{schedule_id}",
        "tasks/item/{task_id}",
        "tasks/{task_id}",
    }


def test_messages_and_errors_have_protobufs_form_too() -> None:
    making = PRODUCT["paths"]["/api/v1/keys"]["post"]
    assert "application/proto" in making["requestBody"]["content"]
    assert "application/proto" in making["responses"]["201"]["content"]
    error = PRODUCT["components"]["responses"]["NativeError"]
    assert "google.rpc.Status" in error["content"]["application/proto"]["schema"]["description"]


def test_a_stream_in_both_directions_is_a_websocket(generated: Any) -> None:
    document = json.loads((generated.folder / "things" / "openapi.json").read_text(encoding="utf-8"))
    socket = document["paths"]["/v1/things/{thing_id}:discuss"]["get"]["responses"]["101"]
    frames = socket["x-websocket"]
    assert list(frames["sent"]["properties"]) == ["words"]
    assert frames["received"] == {"$ref": "#/components/schemas/things.v1.DiscussThingResponse"}


def test_examples_satisfy_their_schemas(described: Any) -> None:
    document, _ = described
    count = 0
    for path, method, operation in operations(document):
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in part.get("content", {}).values():
                if "example" in content:
                    count += 1
                    whole = {**content["schema"], "components": document["components"]}
                    problems = list(Draft202012Validator(whole).iter_errors(content["example"]))
                    assert problems == [], f"{method} {path}"
    assert count > 0


def test_each_face_says_errors_in_its_own_shape(generated: Any) -> None:
    document = json.loads((generated.folder / "things" / "openapi.json").read_text(encoding="utf-8"))

    def error_of(path: str, method: str = "get") -> tuple[str, set[str]]:
        reference = document["paths"][path][method]["responses"]["default"]["$ref"]
        ((media_type, content), _) = document["components"]["responses"][reference.rpartition("/")[2]][
            "content"
        ].items()
        schema = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        return media_type, set(schema["properties"])

    plain = "application/json"
    assert error_of("/v1/things") == (plain, {"code", "message"})
    assert error_of("/v1/things/{thing_id}:break", "post") == (
        plain,
        {"success", "message", "error_code", "timestamp"},
    )
    assert error_of("/v1/things:watch") == (plain, {"status", "error", "timestamp", "request_id"})
    assert error_of("/v1/things:tail") == (plain, {"error", "timestamp"})
    assert error_of("/v1/files/things/{name_1}/files/{name_2}") == (plain, {"error"})
    reference = PRODUCT["paths"]["/api/v1/keys"]["get"]["responses"]["default"]["$ref"]
    content = PRODUCT["components"]["responses"][reference.rpartition("/")[2]]["content"]
    assert set(content) == {"application/problem+json", "application/proto"}


def test_rules_become_constraints(generated: Any) -> None:
    document = json.loads((generated.folder / "things" / "openapi.json").read_text(encoding="utf-8"))
    parameters = {
        p["name"]: p
        for p in parameters_of(document, document["paths"]["/v1/things"]["get"])
        if p["in"] == "query"
    }
    assert parameters["limit"]["schema"] == {
        "type": "integer",
        "format": "int32",
        "minimum": 1,
        "maximum": 100,
    }
    assert "Also called `page_size`." in parameters["limit"]["description"]
    variable = document["paths"]["/v1/things/{thing_id}"]["get"]["parameters"][0]
    assert variable["schema"] == {"type": "string", "minLength": 1, "pattern": "^(?:[a-z]+)$"}


def test_actions_share_one_operation(generated: Any) -> None:
    document = json.loads((generated.folder / "things" / "openapi.json").read_text(encoding="utf-8"))
    operation = document["paths"]["/v1/things/{thing_id}/actions"]["post"]
    bodies = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert [b["properties"]["action"] for b in bodies] == [{"const": "start"}, {"const": "stop"}]
    assert all("action" in b["required"] for b in bodies)


def test_streams_are_described_in_every_form(generated: Any) -> None:
    document = json.loads((generated.folder / "things" / "openapi.json").read_text(encoding="utf-8"))
    content = document["paths"]["/v1/things:watch"]["get"]["responses"]["200"]["content"]
    assert set(content) == {
        "text/event-stream",
        "application/x-ndjson",
        "text/plain",
        "application/octet-stream",
    }
    assert content["application/x-ndjson"]["schema"] == {
        "$ref": "#/components/schemas/things.v1.ThingEvent"
    }


def test_comments_and_words_of_the_protos_reach_the_reader(generated: Any) -> None:
    document = json.loads((generated.folder / "things" / "openapi.json").read_text(encoding="utf-8"))
    listing = document["paths"]["/v1/things"]["get"]
    assert (listing["summary"], listing["description"]) == (
        "Lists things",
        "Lists things. Sorted by name.",
    )
    state = document["components"]["schemas"]["things.v1.ThingState"]
    assert state["enum"] == ["fine", "BROKEN_DOWN", "gone"]
    assert "- `fine` Works." in state["description"]
    assert "secret" not in document["components"]["schemas"]["things.v1.Thing"]["properties"]


def test_the_error_table_has_every_reason_with_each_faces_own_words() -> None:
    rule = ERRORS["DATABASE_UNAVAILABLE"]
    assert (rule.grpc_code, rule.http_status, rule.retriable) == (14, 503, True)
    assert rule.for_face(2) == model.FaceError("INTERNAL_ERROR", 500)
    assert rule.for_face(3) == model.FaceError("DATABASE_ERROR", 503)
    assert rule.for_face(6) == model.FaceError("DATABASE_UNAVAILABLE", 503)
