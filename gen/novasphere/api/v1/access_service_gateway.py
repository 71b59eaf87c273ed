"""Generated from novasphere/api/v1/access_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import access_service_pb2 as novasphere_api_v1_access_service_pb2
from novasphere.api.v1 import options_gateway as novasphere_api_v1_options_gateway


def encode_CheckAccessRequest(m: novasphere_api_v1_access_service_pb2.CheckAccessRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'method': m.method,
        'request': codec.print_data(m.request),
    }
    if v := m.scope:
        data['scope'] = novasphere_api_v1_options_gateway.words_Scope.get(v, v)
    return data


def dump_CheckAccessRequest(m: novasphere_api_v1_access_service_pb2.CheckAccessRequest) -> bytes:
    return orjson.dumps(encode_CheckAccessRequest(m))


keys_CheckAccessRequest = frozenset(['method', 'request', 'scope'])


def decode_CheckAccessRequest(data: Any, path: str = '', known: frozenset[str] = keys_CheckAccessRequest) -> novasphere_api_v1_access_service_pb2.CheckAccessRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_access_service_pb2.CheckAccessRequest()
    v = data.get('method')
    if v is not None:
        m.method = codec.string(v, path, 'method')
    v = data.get('request')
    if v is not None:
        m.request = codec.data(v, path, 'request')
    v = data.get('scope')
    if v is not None:
        m.scope = novasphere_api_v1_options_gateway.words_Scope.read(v, path, 'scope')
    return m


def encode_CheckAccessResponse(m: novasphere_api_v1_access_service_pb2.CheckAccessResponse) -> dict[str, Any]:
    return {}


def dump_CheckAccessResponse(m: novasphere_api_v1_access_service_pb2.CheckAccessResponse) -> bytes:
    return orjson.dumps(encode_CheckAccessResponse(m))


keys_CheckAccessResponse = frozenset([])


def decode_CheckAccessResponse(data: Any, path: str = '', known: frozenset[str] = keys_CheckAccessResponse) -> novasphere_api_v1_access_service_pb2.CheckAccessResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_access_service_pb2.CheckAccessResponse()
    return m
