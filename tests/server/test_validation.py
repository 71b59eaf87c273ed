"""Requests are checked against the rules in their protos, before a servicer sees them."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from novasphere.api.v1 import key_service_pb2 as keys
from novasphere.api.v1 import key_service_pb2_grpc as keys_grpc
from novasphere.api.v1 import options_pb2
from novasphere.node.v1 import command_service_pb2 as commands
from novasphere.node.v1 import metric_service_pb2 as metrics
from novasphere.node.v1 import node_service_pb2 as nodes
from novasphere_server.errors import InvalidArgument
from novasphere_server.rpc.validation import Validators

VALIDATORS = Validators()


def violations(message) -> list[tuple[str, str]]:
    validate = VALIDATORS.of(type(message))
    assert validate is not None
    try:
        validate(message)
    except InvalidArgument as error:
        return [tuple(v) for v in error.violations]
    return []


def test_what_meets_the_rules_passes():
    assert violations(keys.CreateKeyRequest(name="ci")) == []
    assert violations(commands.CreateCommandRequest(node_id="n", command_text="ls")) == []


def test_required_fields_must_be_set():
    assert violations(keys.CreateKeyRequest()) == [("name", "must be set")]


def test_lengths_count_characters_and_elements():
    assert violations(keys.CreateKeyRequest(name="é" * 100)) == []
    assert violations(keys.CreateKeyRequest(name="x" * 101)) == [
        ("name", "must have at most 100 characters, not 101")
    ]
    assert violations(keys.CreateKeyRequest(name="x", namespaces=["a"] * 101)) == [
        ("namespaces", "must have at most 100 elements, not 101")
    ]


def test_numbers_have_bounds_only_when_they_are_set():
    assert violations(nodes.ListNodesRequest()) == []
    assert violations(nodes.ListNodesRequest(limit=0)) == []
    assert violations(nodes.ListNodesRequest(limit=-1, offset=-2)) == [
        ("limit", "must be at least 0, not -1"),
        ("offset", "must be at least 0, not -2"),
    ]
    assert violations(nodes.ListNodesRequest(limit=1001)) == [
        ("limit", "must be at most 1000, not 1001")
    ]


def test_fields_have_their_own_names():
    request = commands.CreateCommandRequest(node_id="n", command_text="ls", timeout_seconds=0)
    assert violations(request) == [("timeout_seconds", "must be at least 1, not 0")]


def test_patterns_match_the_whole_text_and_explain_themselves():
    request = commands.CreateCommandRequest(node_id="n", command_text="ls", namespace="Bad_Name")
    assert violations(request) == [
        ("namespace", "must consist of lower-case letters, digits and inner dashes")
    ]
    request.namespace = "good\nname"
    assert violations(request)
    request.namespace = "good-name"
    assert violations(request) == []


def test_enums_must_be_known():
    assert violations(nodes.ListNodesRequest(status=9)) == [
        ("status", "must be one of online, offline, error, not 9")
    ]
    named = violations(keys.CreateKeyRequest(name="x", scopes=[1, 77]))
    assert named == [("scopes[1]", "must be one of read, write, admin, agent, enrol, not 77")]


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(2**62, 0), (-(2**62), 0), (253_402_300_800, 0), (-62_135_596_801, 0), (0, -1), (0, 10**9)],
)
def test_instants_lie_within_the_calendar(seconds: int, nanos: int):
    request = keys.CreateKeyRequest(name="x")
    request.expires_at.seconds, request.expires_at.nanos = seconds, nanos
    assert violations(request) == [("expires_at", "must be an instant between the years 1 and 9999")]


@pytest.mark.parametrize("seconds", [0, 253_402_300_799, -62_135_596_800])
def test_every_instant_of_the_calendar_passes(seconds: int):
    request = metrics.ListMetricsRequest(node_id="n")
    request.start_time.seconds, request.start_time.nanos = seconds, 999_999_999
    request.end_time.SetInParent()
    assert violations(request) == []


def test_every_violation_is_told_at_once():
    request = commands.CreateCommandRequest(timeout_seconds=0)
    assert [field for field, _ in violations(request)] == ["node_id", "command_text", "timeout_seconds"]


def scratch_type(name: str):
    """Returns the message type Tree{string name; repeated Tree children; map<string, Tree> by_name}."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"scratch/{name}.proto",
        package=f"scratch.{name}",
        syntax="proto3",
        dependency=["novasphere/api/v1/options.proto"],
    )
    tree = file.message_type.add(name="Tree")
    field = descriptor_pb2.FieldDescriptorProto
    own = tree.field.add(name="name", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    own.options.Extensions[options_pb2.rules].required = True
    type_name = f".scratch.{name}.Tree"
    tree.field.add(
        name="children",
        number=2,
        type=field.TYPE_MESSAGE,
        type_name=type_name,
        label=field.LABEL_REPEATED,
    )
    entry = tree.nested_type.add(name="ByNameEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    entry.field.add(
        name="value",
        number=2,
        type=field.TYPE_MESSAGE,
        type_name=type_name,
        label=field.LABEL_OPTIONAL,
    )
    tree.field.add(
        name="by_name",
        number=3,
        type=field.TYPE_MESSAGE,
        type_name=f"{type_name}.ByNameEntry",
        label=field.LABEL_REPEATED,
    )
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"scratch.{name}.Tree"))


def test_messages_within_messages_are_checked_and_named_by_their_path():
    Tree = scratch_type("validation")  # noqa: N806 - a class
    bad = Tree(name="root", children=[Tree(name="a"), Tree(name="b", children=[Tree()])])
    bad.by_name["x"].CopyFrom(Tree())
    assert {field for field, _ in violations(bad)} == {"children[1].children[0].name", "by_name.x.name"}


async def test_an_instant_beyond_the_calendar_is_the_clients_error(server, channel: grpc.aio.Channel):
    request = keys.CreateKeyRequest(name="x")
    request.expires_at.seconds = 2**62
    with pytest.raises(grpc.aio.AioRpcError, match="between the years 1 and 9999") as caught:
        await keys_grpc.KeyServiceStub(channel).CreateKey(request, metadata=server.authorization())
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_clients_see_violations_as_bad_request_details(server, channel: grpc.aio.Channel):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await keys_grpc.KeyServiceStub(channel).CreateKey(
            keys.CreateKeyRequest(), metadata=server.authorization()
        )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    bad = error_details_pb2.BadRequest()
    assert any(d.Unpack(bad) for d in rpc_status.from_call(caught.value).details)
    assert [(v.field, v.description) for v in bad.field_violations] == [("name", "must be set")]
