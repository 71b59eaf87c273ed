"""Generated from novasphere/api/v1/options.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import options_pb2 as novasphere_api_v1_options_pb2


words_Face = codec.Words(
    {0: 'UNSPECIFIED', 1: 'clusters', 2: 'devices', 3: 'nodes', 4: 'schedules', 5: 'wukongs', 6: 'native'},
    {'UNSPECIFIED': 0, 'FACE_UNSPECIFIED': 0, 'clusters': 1, 'CLUSTERS': 1, 'FACE_CLUSTERS': 1, 'devices': 2, 'DEVICES': 2, 'FACE_DEVICES': 2, 'nodes': 3, 'NODES': 3, 'FACE_NODES': 3, 'schedules': 4, 'SCHEDULES': 4, 'FACE_SCHEDULES': 4, 'wukongs': 5, 'WUKONGS': 5, 'FACE_WUKONGS': 5, 'native': 6, 'NATIVE': 6, 'FACE_NATIVE': 6},
)


words_Scope = codec.Words(
    {0: 'UNSPECIFIED', 1: 'read', 2: 'write', 3: 'admin', 4: 'agent', 5: 'enrol'},
    {'UNSPECIFIED': 0, 'SCOPE_UNSPECIFIED': 0, 'read': 1, 'READ': 1, 'SCOPE_READ': 1, 'write': 2, 'WRITE': 2, 'SCOPE_WRITE': 2, 'admin': 3, 'ADMIN': 3, 'SCOPE_ADMIN': 3, 'agent': 4, 'AGENT': 4, 'SCOPE_AGENT': 4, 'enrol': 5, 'ENROL': 5, 'SCOPE_ENROL': 5},
)


words_RateClass = codec.Words(
    {0: 'UNSPECIFIED', 1: 'READ', 2: 'WRITE', 3: 'STREAM'},
    {'UNSPECIFIED': 0, 'RATE_CLASS_UNSPECIFIED': 0, 'READ': 1, 'RATE_CLASS_READ': 1, 'WRITE': 2, 'RATE_CLASS_WRITE': 2, 'STREAM': 3, 'RATE_CLASS_STREAM': 3},
)


def encode_StreamRules(m: novasphere_api_v1_options_pb2.StreamRules) -> dict[str, Any]:
    return {
        'rows': m.rows,
        'id': m.id,
        'event': m.event,
        'raw': m.raw,
        'resume': m.resume,
    }


def dump_StreamRules(m: novasphere_api_v1_options_pb2.StreamRules) -> bytes:
    return orjson.dumps(encode_StreamRules(m))


keys_StreamRules = frozenset(['event', 'id', 'raw', 'resume', 'rows'])


def decode_StreamRules(data: Any, path: str = '', known: frozenset[str] = keys_StreamRules) -> novasphere_api_v1_options_pb2.StreamRules:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_options_pb2.StreamRules()
    v = data.get('rows')
    if v is not None:
        m.rows = codec.string(v, path, 'rows')
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    v = data.get('event')
    if v is not None:
        m.event = codec.string(v, path, 'event')
    v = data.get('raw')
    if v is not None:
        m.raw = codec.string(v, path, 'raw')
    v = data.get('resume')
    if v is not None:
        m.resume = codec.string(v, path, 'resume')
    return m


def encode_Example(m: novasphere_api_v1_options_pb2.Example) -> dict[str, Any]:
    return {
        'request': m.request,
        'response': m.response,
    }


def dump_Example(m: novasphere_api_v1_options_pb2.Example) -> bytes:
    return orjson.dumps(encode_Example(m))


keys_Example = frozenset(['request', 'response'])


def decode_Example(data: Any, path: str = '', known: frozenset[str] = keys_Example) -> novasphere_api_v1_options_pb2.Example:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_options_pb2.Example()
    v = data.get('request')
    if v is not None:
        m.request = codec.string(v, path, 'request')
    v = data.get('response')
    if v is not None:
        m.response = codec.string(v, path, 'response')
    return m


def encode_MethodRules(m: novasphere_api_v1_options_pb2.MethodRules) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.face:
        data['face'] = words_Face.get(v, v)
    data['success_status'] = m.success_status
    if v := m.scope:
        data['scope'] = words_Scope.get(v, v)
    data['public'] = m.public
    data['message'] = m.message
    data['message_en'] = m.message_en
    data['action'] = m.action
    if v := m.rate_class:
        data['rate_class'] = words_RateClass.get(v, v)
    if m.HasField("stream"):
        data['stream'] = encode_StreamRules(m.stream)
    if m.HasField("example"):
        data['example'] = encode_Example(m.example)
    if v := m.or_scope:
        data['or_scope'] = words_Scope.get(v, v)
    return data


def dump_MethodRules(m: novasphere_api_v1_options_pb2.MethodRules) -> bytes:
    return orjson.dumps(encode_MethodRules(m))


keys_MethodRules = frozenset(['action', 'example', 'face', 'message', 'message_en', 'or_scope', 'public', 'rate_class', 'scope', 'stream', 'success_status'])


def decode_MethodRules(data: Any, path: str = '', known: frozenset[str] = keys_MethodRules) -> novasphere_api_v1_options_pb2.MethodRules:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_options_pb2.MethodRules()
    v = data.get('face')
    if v is not None:
        m.face = words_Face.read(v, path, 'face')
    v = data.get('success_status')
    if v is not None:
        m.success_status = codec.int32(v, path, 'success_status')
    v = data.get('scope')
    if v is not None:
        m.scope = words_Scope.read(v, path, 'scope')
    v = data.get('public')
    if v is not None:
        m.public = codec.boolean(v, path, 'public')
    v = data.get('message')
    if v is not None:
        m.message = codec.string(v, path, 'message')
    v = data.get('message_en')
    if v is not None:
        m.message_en = codec.string(v, path, 'message_en')
    v = data.get('action')
    if v is not None:
        m.action = codec.string(v, path, 'action')
    v = data.get('rate_class')
    if v is not None:
        m.rate_class = words_RateClass.read(v, path, 'rate_class')
    v = data.get('stream')
    if v is not None:
        m.stream.CopyFrom(decode_StreamRules(v, codec.at(path, 'stream')))
    v = data.get('example')
    if v is not None:
        m.example.CopyFrom(decode_Example(v, codec.at(path, 'example')))
    v = data.get('or_scope')
    if v is not None:
        m.or_scope = words_Scope.read(v, path, 'or_scope')
    return m


def encode_FieldRules(m: novasphere_api_v1_options_pb2.FieldRules) -> dict[str, Any]:
    data: dict[str, Any] = {
        'required': m.required,
    }
    if m.HasField("min_length"):
        data['min_length'] = m.min_length
    if m.HasField("max_length"):
        data['max_length'] = m.max_length
    if m.HasField("minimum"):
        data['minimum'] = m.minimum
    if m.HasField("maximum"):
        data['maximum'] = m.maximum
    data['pattern'] = m.pattern
    data['pattern_meaning'] = m.pattern_meaning
    return data


def dump_FieldRules(m: novasphere_api_v1_options_pb2.FieldRules) -> bytes:
    return orjson.dumps(encode_FieldRules(m))


keys_FieldRules = frozenset(['max_length', 'maximum', 'min_length', 'minimum', 'pattern', 'pattern_meaning', 'required'])


def decode_FieldRules(data: Any, path: str = '', known: frozenset[str] = keys_FieldRules) -> novasphere_api_v1_options_pb2.FieldRules:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_options_pb2.FieldRules()
    v = data.get('required')
    if v is not None:
        m.required = codec.boolean(v, path, 'required')
    v = data.get('min_length')
    if v is not None:
        m.min_length = codec.uint32(v, path, 'min_length')
    v = data.get('max_length')
    if v is not None:
        m.max_length = codec.uint32(v, path, 'max_length')
    v = data.get('minimum')
    if v is not None:
        m.minimum = codec.double(v, path, 'minimum')
    v = data.get('maximum')
    if v is not None:
        m.maximum = codec.double(v, path, 'maximum')
    v = data.get('pattern')
    if v is not None:
        m.pattern = codec.string(v, path, 'pattern')
    v = data.get('pattern_meaning')
    if v is not None:
        m.pattern_meaning = codec.string(v, path, 'pattern_meaning')
    return m


def encode_FaceError(m: novasphere_api_v1_options_pb2.FaceError) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.face:
        data['face'] = words_Face.get(v, v)
    data['code'] = m.code
    data['http_status'] = m.http_status
    return data


def dump_FaceError(m: novasphere_api_v1_options_pb2.FaceError) -> bytes:
    return orjson.dumps(encode_FaceError(m))


keys_FaceError = frozenset(['code', 'face', 'http_status'])


def decode_FaceError(data: Any, path: str = '', known: frozenset[str] = keys_FaceError) -> novasphere_api_v1_options_pb2.FaceError:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_options_pb2.FaceError()
    v = data.get('face')
    if v is not None:
        m.face = words_Face.read(v, path, 'face')
    v = data.get('code')
    if v is not None:
        m.code = codec.string(v, path, 'code')
    v = data.get('http_status')
    if v is not None:
        m.http_status = codec.int32(v, path, 'http_status')
    return m
