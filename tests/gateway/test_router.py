from __future__ import annotations

import dataclasses

import pytest
from novasphere.gateway import ROUTES
from novasphere_gateway.model import Route
from novasphere_gateway.runtime.router import MethodNotAllowed, PathNotFound, Router


def _router(*labels: str) -> Router[str]:
    return Router((_route(label), label) for label in labels)


def _route(label: str) -> Route:
    method, _, path = label.partition(" ")
    *parents, last = path.split("/")[1:]
    name, _, verb = last.partition(":")
    segments = tuple(("**" if "**" in s else "*") if s.startswith("{") else s for s in (*parents, name))
    return dataclasses.replace(
        ROUTES[0], http_method=method, path=path, segments=segments, verb=verb, action=""
    )


def _find(router: Router[str], method: str, path: str) -> tuple[str, list[str]]:
    match = router.match(method, path)
    return match.actions[""], list(match.segments)


NODES = _router(
    "GET /v1/nodes",
    "GET /v1/nodes:watch",
    "GET /v1/nodes/{id}",
    "DELETE /v1/nodes/{id}",
    "GET /v1/nodes/latest",
    "GET /v1/nodes/{id}:explain",
    "POST /v1/nodes/{id}:drain",
    "GET /v1/nodes/{id}/metrics",
    "GET /v1/nodes/latest/metrics/summary",
    "GET /v1/files/{path=**}",
)


def test_a_path_without_variables_is_found_whole() -> None:
    assert NODES.match("GET", "/v1/nodes").actions == {"": "GET /v1/nodes"}
    assert NODES.match("GET", "/v1/nodes:watch").actions == {"": "GET /v1/nodes:watch"}


def test_literals_come_before_verbs_and_verbs_before_variables() -> None:
    assert _find(NODES, "GET", "/v1/nodes/latest")[0] == "GET /v1/nodes/latest"
    assert _find(NODES, "GET", "/v1/nodes/n1:explain") == (
        "GET /v1/nodes/{id}:explain",
        ["v1", "nodes", "n1"],
    )
    assert _find(NODES, "GET", "/v1/nodes/n1:other") == (
        "GET /v1/nodes/{id}",
        ["v1", "nodes", "n1:other"],
    )


def test_a_literal_that_leads_nowhere_does_not_hide_a_variable() -> None:
    assert _find(NODES, "GET", "/v1/nodes/latest/metrics")[0] == "GET /v1/nodes/{id}/metrics"
    assert _find(NODES, "DELETE", "/v1/nodes/latest")[0] == "DELETE /v1/nodes/{id}"


def test_only_the_last_colon_begins_a_verb() -> None:
    assert _find(NODES, "GET", "/v1/nodes/a:b:explain")[1] == ["v1", "nodes", "a:b"]
    assert _find(NODES, "GET", "/v1/nodes/n1:")[1] == ["v1", "nodes", "n1:"]


def test_an_encoded_slash_stays_inside_its_segment() -> None:
    assert _find(NODES, "GET", "/v1/nodes/a%2Fb/metrics") == (
        "GET /v1/nodes/{id}/metrics",
        ["v1", "nodes", "a/b", "metrics"],
    )


def test_an_encoded_colon_begins_no_verb() -> None:
    assert _find(NODES, "GET", "/v1/nodes/n1%3Aexplain")[0] == "GET /v1/nodes/{id}"


def test_an_escaped_literal_is_still_that_literal() -> None:
    assert _find(NODES, "GET", "/v1/%6Eodes/n1")[0] == "GET /v1/nodes/{id}"


def test_a_variable_is_never_empty() -> None:
    for path in ("/v1/nodes/", "/v1/nodes//metrics", "/v1/nodes/:explain"):
        if path.endswith(":explain"):
            assert _find(NODES, "GET", path)[1][-1] == ":explain"  # a strange id, but one
        else:
            with pytest.raises(PathNotFound):
                NODES.match("GET", path)


def test_a_rest_variable_takes_all_that_is_left() -> None:
    assert _find(NODES, "GET", "/v1/files/a/b%2Fc/d")[1] == ["v1", "files", "a", "b/c", "d"]


def test_head_finds_what_get_finds() -> None:
    assert _find(NODES, "HEAD", "/v1/nodes/n1")[0] == "GET /v1/nodes/{id}"


def test_another_method_learns_which_are_allowed() -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        NODES.match("PATCH", "/v1/nodes/n1")
    assert caught.value.allowed == ("DELETE", "GET", "HEAD", "OPTIONS")
    assert NODES.allowed("/v1/nodes/n1:drain") == ["DELETE", "GET", "HEAD", "POST", "OPTIONS"]
    assert NODES.allowed("/v1/nothing") == []


def test_the_same_path_is_found_again_the_same() -> None:
    router = _router("GET /v1/nodes/{id}")
    assert _find(router, "GET", "/v1/nodes/n1") == _find(router, "GET", "/v1/nodes/n1")


def test_two_routes_on_one_path_are_refused() -> None:
    with pytest.raises(ValueError, match="two routes"):
        _router("GET /v1/nodes/{id}", "GET /v1/nodes/{name}")


def test_every_generated_route_is_found_by_a_path_of_its_template() -> None:
    router = Router((route, route) for route in ROUTES)
    for route in ROUTES:
        path = "/" + "/".join("x" if s == "*" else s for s in route.segments)
        path += f":{route.verb}" if route.verb else ""
        assert router.match(route.http_method, path).actions[route.action] is route
