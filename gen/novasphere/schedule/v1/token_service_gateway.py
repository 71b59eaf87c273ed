"""Generated from novasphere/schedule/v1/token_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import options_gateway as novasphere_api_v1_options_gateway
from novasphere.schedule.v1 import token_service_pb2 as novasphere_schedule_v1_token_service_pb2


def encode_GenerateTokenRequest(m: novasphere_schedule_v1_token_service_pb2.GenerateTokenRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'agent_id': m.agent_id,
        'permissions': [novasphere_api_v1_options_gateway.words_Scope.get(v, v) for v in x[:]] if (x := m.permissions) else [],
    }
    if m.HasField("ttl_seconds"):
        data['ttl_seconds'] = m.ttl_seconds
    data['validate_only'] = m.validate_only
    return data


def dump_GenerateTokenRequest(m: novasphere_schedule_v1_token_service_pb2.GenerateTokenRequest) -> bytes:
    return orjson.dumps(encode_GenerateTokenRequest(m))


keys_GenerateTokenRequest = frozenset(['agent_id', 'dry_run', 'permissions', 'ttl_seconds', 'validate_only'])


def decode_GenerateTokenRequest(data: Any, path: str = '', known: frozenset[str] = keys_GenerateTokenRequest) -> novasphere_schedule_v1_token_service_pb2.GenerateTokenRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_token_service_pb2.GenerateTokenRequest()
    v = data.get('agent_id')
    if v is not None:
        m.agent_id = codec.string(v, path, 'agent_id')
    v = data.get('permissions')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'permissions')):
            at = codec.element(path, 'permissions', i)
            m.permissions.append(novasphere_api_v1_options_gateway.words_Scope.read(e, at, ''))
    v = data.get('ttl_seconds')
    if v is not None:
        m.ttl_seconds = codec.int32(v, path, 'ttl_seconds')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_GenerateTokenResponse(m: novasphere_schedule_v1_token_service_pb2.GenerateTokenResponse) -> dict[str, Any]:
    data: dict[str, Any] = {
        'token': m.token,
        'agent_id': m.agent_id,
        'token_type': m.token_type,
        'expires_at': m.expires_at,
    }
    if m.HasField("issued_at"):
        data['issued_at'] = codec.print_seconds(m.issued_at.seconds)
    return data


def dump_GenerateTokenResponse(m: novasphere_schedule_v1_token_service_pb2.GenerateTokenResponse) -> bytes:
    return orjson.dumps(encode_GenerateTokenResponse(m))


keys_GenerateTokenResponse = frozenset(['agent_id', 'expires_at', 'issued_at', 'token', 'token_type'])


def decode_GenerateTokenResponse(data: Any, path: str = '', known: frozenset[str] = keys_GenerateTokenResponse) -> novasphere_schedule_v1_token_service_pb2.GenerateTokenResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_token_service_pb2.GenerateTokenResponse()
    v = data.get('token')
    if v is not None:
        m.token = codec.string(v, path, 'token')
    v = data.get('agent_id')
    if v is not None:
        m.agent_id = codec.string(v, path, 'agent_id')
    v = data.get('token_type')
    if v is not None:
        m.token_type = codec.string(v, path, 'token_type')
    v = data.get('expires_at')
    if v is not None:
        m.expires_at = codec.int64(v, path, 'expires_at')
    v = data.get('issued_at')
    if v is not None:
        m.issued_at.CopyFrom(codec.timestamp(v, path, 'issued_at'))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='POST',
        path='/api/v1/auth/generate-token',
        segments=('api', 'v1', 'auth', 'generate-token'),
        verb='',
        service='novasphere.schedule.v1.TokenService',
        method='/novasphere.schedule.v1.TokenService/GenerateToken',
        request=novasphere_schedule_v1_token_service_pb2.GenerateTokenRequest,
        response=novasphere_schedule_v1_token_service_pb2.GenerateTokenResponse,
        decode_body=codec.body(decode_GenerateTokenRequest, keys_GenerateTokenRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_GenerateTokenResponse,
        encode_field={},
        is_empty=False,
        face=4,
        success_status=200,
        scope=3,
        or_scope=0,
        is_public=False,
        message='',
        message_en='',
        action='',
        rate_class=2,
        is_stream=False,
        is_duplex=False,
        stream=None,
    ),
)
