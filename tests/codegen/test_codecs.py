"""Generated encoders and decoders at work."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from novasphere_gateway.model import BindError

INT32 = st.integers(-(2**31), 2**31 - 1)
UINT32 = st.integers(0, 2**32 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(0, 2**64 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MOMENTS = st.builds(Timestamp, seconds=st.integers(-62135596800, 253402300799))
WHILES = st.builds(Duration, seconds=st.integers(0, 10**9), nanos=st.integers(0, 999_999_999))


def plain_fields(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "text": TEXT,
            "truth": st.booleans(),
            "small": INT32,
            "natural": UINT32,
            "fraction": st.floats(allow_nan=False, allow_infinity=False),
            # Up to what json_format can read: the greatest float, printed short, is too large for it.
            "short_fraction": st.floats(-(2.0**127), 2.0**127, width=32),
            "data": st.binary(max_size=8),
            "moment": MOMENTS,
            "while": WHILES,
            "texts": st.lists(TEXT, max_size=3),
            "numbers": st.lists(INT32, max_size=3),
            "blobs": st.lists(st.binary(max_size=4), max_size=3),
            "by_name": st.dictionaries(TEXT, UINT32, max_size=3),
            "by_number": st.dictionaries(UINT32, inner, max_size=2),
            "inner": inner,
            "more": st.lists(inner, max_size=2),
            "maybe": TEXT,
        },
    )


PLAIN: st.SearchStrategy[dict[str, Any]] = st.recursive(st.just({}), plain_fields, max_leaves=4)
GENERATED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@GENERATED
@given(fields=PLAIN)
def test_where_the_formats_agree_the_json_is_protobufs_own(
    generated: Any, fields: dict[str, Any]
) -> None:
    message = generated.messages.Plain(**fields)
    ours = orjson.loads(generated.codecs.dump_Plain(message))
    theirs = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert ours == theirs


@GENERATED
@given(fields=PLAIN)
def test_where_the_formats_agree_each_reads_what_the_other_wrote(
    generated: Any, fields: dict[str, Any]
) -> None:
    message = generated.messages.Plain(**fields)
    theirs = json_format.MessageToDict(message, preserving_proto_field_name=True)
    assert generated.codecs.decode_Plain(theirs) == message
    ours = orjson.loads(generated.codecs.dump_Plain(message))
    assert json_format.ParseDict(ours, generated.messages.Plain()) == message
    assert generated.codecs.decode_Plain(ours) == message


@GENERATED
@given(
    signed=INT64,
    unsigned=UINT64,
    many=st.lists(INT64, max_size=3),
    by_number=st.dictionaries(UINT64, INT64, max_size=3),
)
def test_numbers_of_64_bits_are_json_numbers(
    generated: Any, signed: int, unsigned: int, many: list[int], by_number: dict[int, int]
) -> None:
    message = generated.messages.Wide(signed=signed, unsigned=unsigned, many=many, by_number=by_number)
    data = orjson.loads(generated.codecs.dump_Wide(message))
    assert data == {
        "signed": signed,
        "unsigned": unsigned,
        "many": many,
        "by_number": {str(k): v for k, v in by_number.items()},
    }
    assert generated.codecs.decode_Wide(data) == message


def full_thing(generated: Any) -> Any:
    pb = generated.messages
    thing = pb.Thing(
        thing_id="t1",
        weight_grams=7,
        state=pb.THING_STATE_FINE,
        last_state=pb.THING_STATE_BROKEN_DOWN,
        note="",
        count=2**62,
        made_at=Timestamp(seconds=1737453600),
        broken_at=Timestamp(seconds=0),
        seen_at=[Timestamp(seconds=1)],
        lifetime=Duration(seconds=1, nanos=500_000_000),
        payload='{"repeat":3,"big":12345678901234567890123}',
        parts=[
            pb.Thing.Part(name="p", shape=pb.Thing.Part.SHAPE_ROUND, parts=[pb.Thing.Part(name="q")])
        ],
        main_part=pb.Thing.Part(),
        parts_by_place={-1: pb.Thing.Part(name="left")},
        labels={"z": "1", "a": "2"},
        states={"was": pb.THING_STATE_FINE},
        history=[pb.THING_STATE_FINE, pb.THING_STATE_BROKEN_DOWN],
        company=3,
        flags={True: b"\x00\xff"},
        **{"from": "here"},
    )
    thing.extra.update({"k": [1, None, {"x": True}]})
    thing.wrapped.value = 0
    return thing


def test_a_message_with_every_option_prints_as_its_options_say(generated: Any) -> None:
    text = generated.codecs.dump_Thing(full_thing(generated)).decode()
    assert text == (
        '{"thing_id":"t1","weight":7,"state":"fine","last_state":"BROKEN_DOWN","note":"",'
        '"count":4611686018427387904,"made_at":"2025-01-21T10:00:00Z","broken_at":"1970-01-01T00:00:00Z",'
        '"seen_at":["1970-01-01T00:00:01Z"],"lifetime":"1.500s",'
        '"payload":{"repeat":3,"big":12345678901234567890123},'
        '"parts":[{"name":"p","shape":"ROUND","parts":[{"name":"q","parts":[]}]}],'
        '"main_part":{"name":"","parts":[]},"parts_by_place":{"-1":{"name":"left","parts":[]}},'
        '"labels":{"a":"2","z":"1"},"states":{"was":"fine"},"history":["fine","BROKEN_DOWN"],"company":3,'
        '"extra":{"k":[1.0,null,{"x":true}]},"wrapped":0,"from":"here","flags":{"true":"AP8="}}'
    )


def test_what_was_printed_reads_back_as_the_same_message(generated: Any) -> None:
    thing = full_thing(generated)
    thing.payload = '{"repeat":3}'
    data = orjson.loads(generated.codecs.dump_Thing(thing))
    assert generated.codecs.decode_Thing(data) == thing


def test_an_empty_message_prints_what_is_always_printed(generated: Any) -> None:
    assert generated.codecs.encode_Thing(generated.messages.Thing(secret="s")) == {
        "thing_id": "",
        "weight": 0,
        "last_state": None,
        "count": None,
        "broken_at": None,
        "seen_at": [],
        "payload": None,
        "parts": [],
        "parts_by_place": {},
        "labels": {},
        "states": {},
        "history": [],
        "from": "",
        "flags": {},
    }


def test_null_means_unset(generated: Any) -> None:
    keys = generated.codecs.encode_Thing(full_thing(generated))
    assert generated.codecs.decode_Thing(dict.fromkeys(keys)) == generated.messages.Thing()


def test_enum_numbers_without_a_word_are_printed_as_numbers(generated: Any) -> None:
    thing = generated.messages.Thing(state=9, last_state=9, history=[9, 0])
    data = generated.codecs.encode_Thing(thing)
    assert (data["state"], data["last_state"], data["history"]) == (9, 9, [9, "UNSPECIFIED"])


def test_text_that_is_no_json_is_printed_as_a_string(generated: Any) -> None:
    thing = generated.messages.Thing(payload="{oops")
    assert orjson.loads(generated.codecs.dump_Thing(thing))["payload"] == "{oops"


def test_text_of_several_lines_is_printed_on_one(generated: Any) -> None:
    thing = generated.messages.Thing(payload='{\r\n  "a": [1,\n\t"b\\n"]\r}\n')
    printed = generated.codecs.dump_Thing(thing)
    assert b"\n" not in printed
    assert b"\r" not in printed
    assert orjson.loads(printed)["payload"] == {"a": [1, "b\n"]}


@pytest.mark.parametrize("name", ["weight", "weight_grams", "mass", "heft"])
def test_a_field_is_read_under_each_of_its_names(generated: Any, name: str) -> None:
    assert generated.codecs.decode_Thing({name: 3}).weight_grams == 3


@pytest.mark.parametrize("word", ["fine", "FINE", "Fine", "THING_STATE_FINE", 1, 1.0])
def test_an_enum_is_read_by_word_name_or_number(generated: Any, word: Any) -> None:
    assert generated.codecs.decode_Thing({"state": word}).state == 1


@pytest.mark.parametrize("word", ["gone", "lost", "MISSING", "THING_STATE_GONE", 3, 0, 0.0])
def test_an_enum_is_read_by_its_other_words_and_its_published_number(generated: Any, word: Any) -> None:
    thing = generated.codecs.decode_Thing({"state": word})
    assert thing.state == generated.messages.THING_STATE_GONE
    assert generated.codecs.encode_Thing(thing)["state"] == "gone"


def test_a_list_is_null_while_it_is_empty_where_the_option_says_so(generated: Any) -> None:
    pb, codecs = generated.messages, generated.codecs
    assert codecs.encode_Basket(pb.Basket()) == {"texts": None, "parts": None, "states": None}
    full = pb.Basket(texts=["a"], parts=[pb.Thing.Part(name="p")], states=[pb.THING_STATE_FINE])
    printed = orjson.loads(codecs.dump_Basket(full))
    assert printed == {
        "texts": ["a"],
        "parts": [{"name": "p", "parts": []}],
        "states": ["fine"],
    }
    assert codecs.decode_Basket(printed) == full
    assert codecs.decode_Basket({"texts": None, "parts": [], "states": None}) == pb.Basket()


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("2025-01-21T10:00:00Z", 1737453600, 0),
        ("2025-01-21t10:00:00z", 1737453600, 0),
        ("2025-01-21 10:00:00Z", 1737453600, 0),
        ("2025-01-21T18:00:00+08:00", 1737453600, 0),
        ("2025-01-21T04:30:00.25-05:30", 1737453600, 250_000_000),
        ("2025-01-21T10:00:00.1234567891Z", 1737453600, 123456789),
        ("0001-01-01T00:00:00Z", -62135596800, 0),
        ("9999-12-31T23:59:59Z", 253402300799, 0),
    ],
)
def test_times_are_read_with_any_offset(generated: Any, text: str, seconds: int, nanos: int) -> None:
    assert generated.codecs.decode_Thing({"made_at": text}).made_at == Timestamp(
        seconds=seconds, nanos=nanos
    )


@pytest.mark.parametrize("text", [b"\x00\xff\xfe\x01", b"", b"abc"])
def test_base64_is_read_in_both_alphabets(generated: Any, text: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        padded = encode(text).decode()
        assert generated.codecs.decode_Plain({"data": padded}).data == text
        assert generated.codecs.decode_Plain({"data": padded.rstrip("=")}).data == text


@pytest.mark.parametrize(
    ("data", "reason", "field", "description"),
    [
        ({"wieght": 1}, "UNKNOWN_FIELD", "wieght", 'unknown field; did you mean "weight"?'),
        ({"thingId": "x"}, "UNKNOWN_FIELD", "thingId", 'unknown field; did you mean "thing_id"?'),
        ({"secret": "x"}, "UNKNOWN_FIELD", "secret", "unknown field; known are "),
        (
            {"main_part": {"nmae": "x"}},
            "UNKNOWN_FIELD",
            "main_part.nmae",
            'unknown field; did you mean "name"?',
        ),
        (
            {"parts": [{}, {"parts": [{"shpe": 1}]}]},
            "UNKNOWN_FIELD",
            "parts[1].parts[0].shpe",
            'unknown field; did you mean "shape"?',
        ),
        ({"parts_by_place": {"1": {"nam": 1}}}, "UNKNOWN_FIELD", "parts_by_place.1.nam", "did you mean"),
        ({"thing_id": 3}, "INVALID_ARGUMENT", "thing_id", "must be a string, not a number"),
        ({"weight": "3"}, "INVALID_ARGUMENT", "weight", "must be a whole number, not a string"),
        ({"mass": True}, "INVALID_ARGUMENT", "mass", "must be a whole number, not a boolean"),
        ({"weight": 1.5}, "INVALID_ARGUMENT", "weight", "must be a whole number, not a fraction"),
        ({"weight": 2**31}, "INVALID_ARGUMENT", "weight", "must lie between"),
        ({"weight": 1, "mass": 1}, "INVALID_ARGUMENT", "mass", "is another name of weight"),
        ({"company": -1}, "INVALID_ARGUMENT", "company", "must lie between 0 and 4294967295"),
        (
            {"state": "fien"},
            "INVALID_ARGUMENT",
            "state",
            'unknown value "fien"; did you mean "fine"?',
        ),
        (
            {"state": 7},
            "INVALID_ARGUMENT",
            "state",
            "unknown value 7; known are fine, BROKEN_DOWN, gone",
        ),
        ({"state": []}, "INVALID_ARGUMENT", "state", "must be a word, not a list"),
        ({"history": ["fine", "?"]}, "INVALID_ARGUMENT", "history[1]", "unknown value"),
        ({"history": "fine"}, "INVALID_ARGUMENT", "history", "must be a list, not a string"),
        ({"labels": {"a": 1}}, "INVALID_ARGUMENT", "labels.a", "must be a string, not a number"),
        ({"labels": {"a": None}}, "INVALID_ARGUMENT", "labels.a", "must be a string, not null"),
        ({"labels": []}, "INVALID_ARGUMENT", "labels", "must be an object, not a list"),
        ({"parts": [3]}, "INVALID_ARGUMENT", "parts[0]", "must be an object, not a number"),
        (
            {"parts_by_place": {"x": {}}},
            "INVALID_ARGUMENT",
            "parts_by_place.x",
            "must be a whole number",
        ),
        ({"flags": {"true": "*"}}, "INVALID_ARGUMENT", "flags.true", "must be base64"),
        ({"lifetime": "soon"}, "INVALID_ARGUMENT", "lifetime", 'must be a duration like "1.5s"'),
        (
            {"wrapped": "x"},
            "INVALID_ARGUMENT",
            "wrapped",
            "cannot be read as google.protobuf.Int32Value",
        ),
        ({"made_at": "yesterday"}, "INVALID_TIME_FORMAT", "made_at", "must be a time like"),
        ({"made_at": 1737453600}, "INVALID_TIME_FORMAT", "made_at", "must be a time like"),
        ({"made_at": "2025-01-21T10:00:00"}, "INVALID_TIME_FORMAT", "made_at", "must be a time like"),
        ({"made_at": "2025-02-30T10:00:00Z"}, "INVALID_TIME_FORMAT", "made_at", "must be a time like"),
        ({"seen_at": ["x"]}, "INVALID_TIME_FORMAT", "seen_at[0]", "must be a time like"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(
    generated: Any, data: Any, reason: str, field: str, description: str
) -> None:
    with pytest.raises(BindError) as caught:
        generated.codecs.decode_Thing(data)
    assert caught.value.reason == reason
    assert [v.field for v in caught.value.violations] == [field]
    assert description in caught.value.violations[0].description
    assert field in str(caught.value)


def test_every_unknown_key_is_named_at_once(generated: Any) -> None:
    with pytest.raises(BindError) as caught:
        generated.codecs.decode_Thing({"b": 1, "a": 2, "thing_id": "t"})
    assert [v.field for v in caught.value.violations] == ["a", "b"]


def test_of_a_oneof_only_one_may_be_set(generated: Any) -> None:
    with pytest.raises(BindError, match="only one of person and company may be set") as caught:
        generated.codecs.decode_Thing({"person": "p", "company": 1})
    assert [v.field for v in caught.value.violations] == ["person", "company"]
    assert generated.codecs.decode_Thing({"person": None, "company": 1}).company == 1


@pytest.mark.parametrize(("body", "kind"), [([], "a list"), (3, "a number"), (None, "null")])
def test_a_body_that_is_no_object_is_malformed(generated: Any, body: Any, kind: str) -> None:
    with pytest.raises(BindError, match=f"the body must be a JSON object, not {kind}") as caught:
        generated.codecs.decode_Thing(body)
    assert caught.value.reason == "MALFORMED_BODY"
