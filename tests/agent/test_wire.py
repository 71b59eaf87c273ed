"""The agent's own way from messages to bytes and back, beside protobuf's."""

from __future__ import annotations

import random

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from novasphere.link.v1 import link_service_pb2
from novasphere_agent import wire
from novasphere_agent.messages import betterproto2
from novasphere_lite.novasphere.link import v1 as lite

F = FieldDescriptor
_SAMPLES = {
    F.CPPTYPE_INT32: (0, 1, -1, 2**31 - 1, -(2**31)),
    F.CPPTYPE_INT64: (0, 1, -1, 127, 128, 2**63 - 1, -(2**63)),
    F.CPPTYPE_UINT32: (0, 1, 127, 128, 2**32 - 1),
    F.CPPTYPE_UINT64: (0, 1, 300, 2**63, 2**64 - 1),
    F.CPPTYPE_DOUBLE: (0.0, 1.5, -1e300, float("inf")),
    F.CPPTYPE_BOOL: (True, False),
}
_TEXTS = ("", "a", "\u00e4\U0001f600" * 40, "x" * 200)


def fill(message: Message, chance: random.Random, depth: int = 0) -> Message:
    """Sets fields at random."""
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.3 or (field.message_type and depth > 3):
            continue
        if field.message_type and field.message_type.GetOptions().map_entry:
            getattr(message, field.name).update({chance.choice(_TEXTS): chance.choice(_TEXTS)})
        elif field.is_repeated:
            items = getattr(message, field.name)
            for _ in range(chance.randrange(3)):
                if field.message_type:
                    fill(items.add(), chance, depth + 1)
                else:
                    items.append(sample(field, chance))
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), chance, depth + 1)
        else:
            setattr(message, field.name, sample(field, chance))
    return message


def sample(field: FieldDescriptor, chance: random.Random) -> object:
    if field.enum_type:
        return chance.choice([value.number for value in field.enum_type.values])
    if field.type == F.TYPE_BYTES:
        return chance.choice(_TEXTS).encode()
    if field.type == F.TYPE_STRING:
        return chance.choice(_TEXTS)
    return chance.choice(_SAMPLES[field.cpp_type])


@pytest.mark.parametrize("name", list(link_service_pb2.DESCRIPTOR.message_types_by_name))
def test_every_message_of_the_link_means_the_same_as_protobufs(name: str) -> None:
    message_type = GetMessageClass(link_service_pb2.DESCRIPTOR.message_types_by_name[name])
    lite_type: type[betterproto2.Message] = getattr(lite, name)
    for seed in range(60):
        message = fill(message_type(), random.Random(seed))
        data = message.SerializeToString()
        read = wire.decode(data, lite_type)
        assert read == lite_type.parse(data)
        assert message_type.FromString(wire.encode(read)) == message
        # What nobody set is as it is in a message that was made.
        assert vars(wire.decode(b"", lite_type)) == vars(lite_type())


def test_what_a_newer_server_says_beside_is_left_out() -> None:
    number = 1000 << 3
    unknown = b"".join(
        wire._varint(number | kind) + rest
        for kind, rest in ((0, b"\xac\x02"), (1, b"8" * 8), (2, b"\x03abc"), (5, b"4444"))
    )
    known = wire.encode(lite.Goodbye(reason="why"))
    read = wire.decode(unknown + known + unknown, lite.Goodbye)
    assert read == lite.Goodbye(reason="why")
    # A constant of before this agent's time is kept as the number that it is.
    report = link_service_pb2.AttemptReport(phase=77)  # type: ignore[arg-type]
    assert wire.decode(report.SerializeToString(), lite.AttemptReport).phase == 77


def test_bytes_that_are_cut_short_are_refused() -> None:
    report = lite.AttemptReport(run_id="cmd-1", attempt=300, message="m" * 200, exit_code=0)
    data = wire.encode(lite.ConnectRequest(sequence=2**40, reports=[report]))
    whole = [0, 7]  # between two fields
    for length in range(len(data)):
        if length not in whole:
            with pytest.raises(ValueError, match="cut short"):
                wire.decode(data[:length], lite.ConnectRequest)
    with pytest.raises(ValueError, match="wire type"):
        wire.decode(b"\x03", lite.ConnectRequest)
    with pytest.raises(ValueError, match="64 bits"):
        wire.decode(b"\x08" + b"\xff" * 11, lite.ConnectRequest)


def test_a_kind_of_field_that_the_link_never_had_is_noticed() -> None:
    class Strange(betterproto2.Message):
        _betterproto_meta = type(
            "Meta",
            (),
            {
                "meta_by_field_name": {"x": betterproto2.FieldMetadata(1, betterproto2.TYPE_SFIXED32)},
                "cls_by_field": {"x": int},
                "default_gen": {"x": int},
            },
        )()

    with pytest.raises(NotImplementedError, match="sfixed32"):
        wire.encode(Strange())
