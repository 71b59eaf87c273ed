"""What `-o json` prints is what the REST routes print: the gateway's generated codecs are the oracle."""

from __future__ import annotations

import importlib
from typing import Any

import orjson
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from novasphere.api.v1 import join_token_service_pb2, key_service_pb2, options_pb2, watch_pb2
from novasphere.node.v1 import (
    command_pb2,
    command_service_pb2,
    metric_service_pb2,
    node_pb2,
    node_service_pb2,
)
from novasphere.schedule.v1 import job_service_pb2, schedule_service_pb2
from novasphere_client import errors, json_form
from novasphere_gateway import codec, model

COMMAND = command_pb2.Command(
    id=9007199254740993,
    command_id="cmd-1",
    status=command_pb2.COMMAND_STATUS_FAILED,
    state=command_pb2.COMMAND_STATE_TIMED_OUT,
    timeout_seconds=30,
    started_at={"seconds": 1737453600, "nanos": 999},
)
NODE = node_pb2.Node(
    node_id="n1",
    labels={"zone": "b", "a": "c"},
    offline_faces=[3, 2],
    battery=node_pb2.Battery(level_percent=12.5),
    conditions=[node_pb2.Condition(type="DiskPressure", status=node_pb2.CONDITION_STATUS_TRUE)],
)

MESSAGES: list[Message] = [
    NODE,
    node_pb2.Node(),
    COMMAND,
    command_service_pb2.GetCommandResponse(command=COMMAND),
    command_service_pb2.GetCommandResponse(
        command=COMMAND, result=command_pb2.CommandResult(exit_code=0, stderr="é")
    ),
    command_service_pb2.ListCommandsResponse(commands=[COMMAND], total=1),
    command_service_pb2.OutputEvent(type=1, stream=2, data=b"\x00\xff", next_offset=2),
    node_service_pb2.NodeEvent(type=watch_pb2.EVENT_TYPE_ADDED, cursor="e.1", object=NODE),
    node_service_pb2.ListNodesResponse(nodes=[NODE, NODE], total=2),
    metric_service_pb2.GetMetricSummaryResponse(node_id="n1", avg_cpu_usage=0.0),
    key_service_pb2.CreateKeyResponse(secret="nsk_x", scopes=[1, 2, 0]),
    join_token_service_pb2.CreateJoinTokenResponse(secret="nsj_x"),
]


def oracle(message: Message) -> Any:
    proto = message.DESCRIPTOR.file.name.removesuffix(".proto").replace("/", ".")
    generated = importlib.import_module(f"{proto}_gateway")
    return getattr(generated, f"encode_{message.DESCRIPTOR.name}")(message)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.DESCRIPTOR.name)
def test_prints_what_the_rest_routes_print(message: Message) -> None:
    assert json_form.encode(message) == oracle(message)


@pytest.fixture(scope="module")
def note() -> type[Message]:
    """A message type with a field that holds JSON text; the API has none yet."""
    file = descriptor_pb2.FileDescriptorProto(name="note.proto", package="tests", syntax="proto3")
    field = file.message_type.add(name="Note").field.add(
        name="data", number=1, type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    )
    field.options.Extensions[options_pb2.json_text] = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.Note"))


@pytest.mark.parametrize(
    "text", ["", "null", '{"a":\n[1]}', "{oops", "NaN", '{"a":-Infinity}', "[" * 100_000, "1 2"]
)
def test_json_text_is_shown_as_its_value_or_as_it_is(text: str, note: type[Message]) -> None:
    printed = orjson.loads(orjson.dumps(codec.print_json(text)))
    assert json_form.encode(note(data=text)) == {"data": printed}


def test_words_are_those_of_the_api() -> None:
    enum = command_pb2.CommandStatus.DESCRIPTOR
    assert json_form.words(enum) == ["pending", "running", "success", "failed", "timeout"]
    assert json_form.number_of(enum, "Success") == command_pb2.COMMAND_STATUS_SUCCESS
    assert json_form.number_of(enum, "fine") is None
    assert json_form.spell(enum, 99) == "99"


JOB, SCHEDULE = job_service_pb2.CreateJobRequest, schedule_service_pb2.CreateScheduleRequest


@pytest.mark.parametrize(
    ("request_type", "data"),
    [
        (JOB, {"name": 123}),
        (JOB, {"config": []}),
        (JOB, {"config": {"cmd": True}}),
        (JOB, {"config": {"args": [1, 2]}}),
        (JOB, {"config": {"args": ["a", None]}}),
        (JOB, {"config": {"args": "a"}}),
        (JOB, {"config": {"labels": {"a": 1}}}),
        (JOB, {"config": {"labels": ["a"]}}),
        (JOB, {"config": {"timeout": "5"}}),
        (JOB, {"config": {"timeout": 1.5}}),
        (JOB, {"config": {"timeout": 2**31}}),
        (JOB, {"config": {"timeout": 10**400}}),
        (JOB, {"config": {"timeout": True}}),
        (JOB, {"config": {"retry_lost": 1}}),
        (JOB, {"config": {"retry_lost": {}}}),
        (SCHEDULE, {"kind": True}),
        (SCHEDULE, {"kind": ["cron"]}),
        (SCHEDULE, {"cron_expression": 5}),
        (SCHEDULE, {"interval_secs": True}),
        (SCHEDULE, {"start_time": "2024-01-01"}),
        (SCHEDULE, {"start_time": 5}),
    ],
)  # fmt: skip
def test_values_of_another_kind_are_refused_in_the_words_of_rest(
    request_type: type[Message], data: dict[str, Any]
) -> None:
    proto = request_type.DESCRIPTOR.file.name.removesuffix(".proto").replace("/", ".")
    generated = importlib.import_module(f"{proto}_gateway")
    with pytest.raises(model.BindError) as by_rest:
        getattr(generated, f"decode_{request_type.DESCRIPTOR.name}")(data)
    with pytest.raises(errors.InvalidArgument) as ours:
        json_form.decode(request_type, data)
    assert str(ours.value) == str(by_rest.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"config": {"payload": {"a": [float("nan")]}}}, "config.payload: JSON has no NaN"),
        ({"environment": {"A": float("-inf")}}, "environment: JSON has no NaN and no infinity"),
        ({"config": {"timeout": float("inf")}}, "config.timeout: must be a finite number"),
        ({"config": {"backoff": "odd"}}, "config.backoff: must be one of "),
    ],
)
def test_numbers_that_json_has_not_are_refused(data: dict[str, Any], told: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=told):
        json_form.decode(JOB, data)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert json_form.decode(JOB, {"config": {"timeout": 3.0}}).config.timeout_seconds == 3
