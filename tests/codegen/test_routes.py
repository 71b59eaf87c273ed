"""What HTTP bindings become: paths, parameters, bodies and streams."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.api.v1 import options_pb2
from novasphere_gateway import model
from novasphere_gateway.model import BindError

Routes = dict[tuple[str, str], model.Route]


def test_literals_come_before_variables_and_verbs_before_none(generated: Any) -> None:
    assert [(r.label, r.action) for r in generated.gateway.ROUTES] == [
        ("GET /v1/files/{name=things/*/files/**}", ""),
        ("POST /v1/shelves/{shelf}/things", ""),
        ("GET /v1/shelves/{shelf.name}/things/{thing_id}", ""),
        ("GET /v1/things:tail", ""),
        ("GET /v1/things:watch", ""),
        ("GET /v1/things", ""),
        ("GET /v1/things/newest", ""),
        ("POST /v1/things/{thing_id}:break", ""),
        ("GET /v1/things/{thing_id}:discuss", ""),
        ("GET /v1/things/{thing_id}", ""),
        ("POST /v1/things/{thing_id}/actions", "start"),
        ("POST /v1/things/{thing_id}/actions", "stop"),
    ]


def test_a_verb_is_cut_off_the_path(routes: Routes) -> None:
    breaking = routes["POST /v1/things/{thing_id}:break", ""]
    assert (breaking.segments, breaking.verb) == (("v1", "things", "*"), "break")
    watching = routes["GET /v1/things:watch", ""]
    assert (watching.segments, watching.verb) == (("v1", "things"), "watch")


def test_path_variables_reach_their_fields(routes: Routes) -> None:
    route = routes["GET /v1/shelves/{shelf.name}/things/{thing_id}", ""]
    message: Any = route.request()
    for variable in route.path_params:
        variable.bind(message, ["v1", "shelves", "top", "things", "t1"])
    assert (message.shelf.name, message.thing_id) == ("top", "t1")


def test_a_variable_may_cover_several_segments(routes: Routes) -> None:
    route = routes["GET /v1/files/{name=things/*/files/**}", ""]
    assert route.segments == ("v1", "files", "things", "*", "files", "**")
    message: Any = route.request()
    route.path_params[0].bind(message, ["v1", "files", "things", "t1", "files", "a", "b"])
    assert message.name == "things/t1/files/a/b"


def test_a_path_variable_is_checked(routes: Routes) -> None:
    route = routes["POST /v1/shelves/{shelf}/things", ""]
    with pytest.raises(BindError, match="shelf: must be a whole number"):
        route.path_params[0].bind(route.request(), ["v1", "shelves", "top", "things"])


def test_query_parameters_cover_plain_fields_lists_and_nested_messages(routes: Routes) -> None:
    route = routes["GET /v1/things", ""]
    message: Any = route.request()
    route.query["states"].bind(message, ["fine", "2"])
    route.query["filter.name"].bind(message, ["n"])
    route.query["filter.weight"].bind(message, ["3"])
    route.query["since"].bind(message, ["2025-01-21T10:00:00Z"])
    route.query["page_size"].bind(message, ["5"], "page_size")
    route.query["weight"].bind(message, ["1.5"])
    assert list(message.states) == [1, 2]
    assert (message.filter.name, message.filter.weight_grams) == ("n", 3)
    assert message.since == Timestamp(seconds=1737453600)
    assert (message.limit, message.weight) == (5, 1.5)
    assert "labels" not in route.query


@pytest.mark.parametrize(
    ("name", "values", "reason", "text"),
    [
        ("limit", ["x"], "INVALID_ARGUMENT", "limit: must be a whole number"),
        ("limit", ["1", "2"], "INVALID_ARGUMENT", "limit: must be given once"),
        ("page_size", ["9999999999"], "INVALID_ARGUMENT", "page_size: must lie between"),
        ("weight", ["nan"], "INVALID_ARGUMENT", "weight: must be a number"),
        ("weight", ["1e999"], "INVALID_ARGUMENT", "weight: is too large"),
        ("states", ["fien"], "INVALID_ARGUMENT", 'states: unknown value "fien"; did you mean "fine"?'),
        ("since", ["now"], "INVALID_TIME_FORMAT", "since: must be a time like"),
        ("since", ["2025-01-21T10:00:00 08:00"], "INVALID_TIME_FORMAT", 'write the "+" as %2B'),
        ("filter.name", ["\udcff"], "INVALID_ARGUMENT", "filter.name: must be UTF-8"),
    ],
)
def test_a_wrong_parameter_is_named_as_the_client_wrote_it(
    routes: Routes, name: str, values: list[str], reason: str, text: str
) -> None:
    route = routes["GET /v1/things", ""]
    with pytest.raises(BindError) as caught:
        route.query[name].bind(route.request(), values, name)
    assert caught.value.reason == reason
    assert text in str(caught.value)


def test_headers_reach_hidden_fields(routes: Routes) -> None:
    route = routes["GET /v1/things/{thing_id}", ""]
    message: Any = route.request()
    (header,) = route.headers
    header.bind(message, ['"7"'])
    assert (header.name, message.etag) == ("if-none-match", '"7"')
    assert "etag" not in route.query


def test_a_body_may_be_the_request_without_what_the_path_says(routes: Routes) -> None:
    route = routes["POST /v1/things/{thing_id}:break", ""]
    assert route.decode_body is not None
    message: Any = route.decode_body({"force": 3, "dry_run": True}, "")
    assert (message.force_newtons, message.validate_only) == (3, True)
    with pytest.raises(BindError, match="thing_id: is given by the path") as caught:
        route.decode_body({"thing_id": "t"}, "")
    assert caught.value.reason == "UNKNOWN_FIELD"


def test_validate_only_may_also_stand_in_the_query(routes: Routes) -> None:
    assert set(routes["POST /v1/things/{thing_id}:break", ""].query) == {"validate_only", "dry_run"}


def test_a_body_may_be_one_field(routes: Routes) -> None:
    route = routes["POST /v1/shelves/{shelf}/things", ""]
    assert route.decode_body is not None
    message: Any = route.decode_body({"thing_id": "t", "weight": 2}, "")
    assert (message.thing.thing_id, message.thing.weight_grams) == ("t", 2)
    assert message.HasField("thing")
    assert route.decode_body({}, "").HasField("thing")
    assert set(route.query) == {"validate_only", "dry_run"}


def test_rpcs_on_one_path_are_told_apart_by_action(routes: Routes) -> None:
    start = routes["POST /v1/things/{thing_id}/actions", "start"]
    assert start.decode_body is not None
    message: Any = start.decode_body({"action": "start", "speed": 2}, "")
    assert message.speed == 2
    assert (
        routes["POST /v1/things/{thing_id}/actions", "stop"].method
        == "/things.v1.ThingService/StopThing"
    )


def test_response_body_selects_the_field_that_is_printed(generated: Any, routes: Routes) -> None:
    route = routes["GET /v1/things/{thing_id}", ""]
    response: Any = route.response()
    assert route.encode(response) is None
    response.thing.thing_id = "t"
    assert route.encode(response) == generated.codecs.encode_Thing(response.thing)


def test_one_element_is_rendered_by_the_function_that_every_route_shares(
    generated: Any, routes: Routes
) -> None:
    listed = routes["GET /v1/things", ""].encode_field["things"]
    got = routes["GET /v1/things/{thing_id}", ""].encode_field["thing"]
    assert listed.dump is got.dump
    assert (listed.repeated, got.repeated) == (True, False)
    thing = generated.messages.Thing(thing_id="t")
    assert orjson.loads(listed.dump(thing)) == generated.codecs.encode_Thing(thing)


def test_a_stream_says_what_its_rows_are(generated: Any, routes: Routes) -> None:
    route = routes["GET /v1/things:watch", ""]
    rules = route.stream
    assert rules is not None
    assert rules.id_of is not None
    assert rules.event_of is not None
    assert rules.raw_of is not None
    event = generated.service_messages.ThingEvent(type=1, position=7, data=b"raw")
    assert (rules.id_of(event), rules.event_of(event), rules.raw_of(event)) == ("7", "ADDED", b"raw")
    assert rules.event_of(generated.service_messages.ThingEvent()) == ""
    assert rules.dump is route.encode_field["events"].dump
    message: Any = route.request()
    assert rules.resume_param is not None
    rules.resume_param.bind(message, ["7"])
    assert message.after == 7


def test_a_stream_without_rows_has_a_row_a_message(generated: Any, routes: Routes) -> None:
    rules = routes["GET /v1/things:tail", ""].stream
    assert rules is not None
    response = generated.service_messages.GetThingResponse()
    assert rules.dump(response) == b"{}"
    assert (rules.id_of, rules.raw_of, rules.resume_param) == (None, None, None)


def test_options_of_methods_reach_their_routes(routes: Routes) -> None:
    breaking = routes["POST /v1/things/{thing_id}:break", ""]
    assert breaking.face == options_pb2.FACE_NODES
    assert breaking.scope == options_pb2.SCOPE_WRITE
    assert (breaking.message, breaking.message_en, breaking.is_empty) == ("坏了", "broken", True)
    assert breaking.rate_class == options_pb2.RATE_CLASS_WRITE
    assert routes["GET /v1/things", ""].face == options_pb2.FACE_WUKONGS
    assert routes["GET /v1/things", ""].rate_class == options_pb2.RATE_CLASS_READ
    assert routes["GET /v1/things:watch", ""].rate_class == options_pb2.RATE_CLASS_STREAM
    assert routes["GET /v1/things/newest", ""].is_public
    assert routes["GET /v1/things/{thing_id}", ""].or_scope == options_pb2.SCOPE_AGENT
    assert routes["POST /v1/shelves/{shelf}/things", ""].success_status == 201


def test_tables_join_in_the_order_of_the_whole(generated: Any) -> None:
    table = generated.gateway.ROUTES
    assert model.ordered(table[5:], table[:5]) == table
