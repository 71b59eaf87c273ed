"""Generated from novasphere/api/v1/join_token_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import join_token_service_pb2 as novasphere_api_v1_join_token_service_pb2
from novasphere.api.v1 import key_gateway as novasphere_api_v1_key_gateway


def encode_CreateJoinTokenRequest(m: novasphere_api_v1_join_token_service_pb2.CreateJoinTokenRequest) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("ttl_seconds"):
        data['ttl'] = m.ttl_seconds
    data['reusable'] = m.is_reusable
    data['validate_only'] = m.validate_only
    return data


def dump_CreateJoinTokenRequest(m: novasphere_api_v1_join_token_service_pb2.CreateJoinTokenRequest) -> bytes:
    return orjson.dumps(encode_CreateJoinTokenRequest(m))


keys_CreateJoinTokenRequest = frozenset(['dry_run', 'is_reusable', 'reusable', 'ttl', 'ttl_seconds', 'validate_only'])


def decode_CreateJoinTokenRequest(data: Any, path: str = '', known: frozenset[str] = keys_CreateJoinTokenRequest) -> novasphere_api_v1_join_token_service_pb2.CreateJoinTokenRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_join_token_service_pb2.CreateJoinTokenRequest()
    key, v = codec.pick(data, ('ttl', 'ttl_seconds'), path)
    if v is not None:
        m.ttl_seconds = codec.int32(v, path, key)
    key, v = codec.pick(data, ('reusable', 'is_reusable'), path)
    if v is not None:
        m.is_reusable = codec.boolean(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CreateJoinTokenResponse(m: novasphere_api_v1_join_token_service_pb2.CreateJoinTokenResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("secret"):
        data['token'] = m.secret
    if m.HasField("join_token"):
        data['join_token'] = novasphere_api_v1_key_gateway.encode_JoinToken(m.join_token)
    return data


def dump_CreateJoinTokenResponse(m: novasphere_api_v1_join_token_service_pb2.CreateJoinTokenResponse) -> bytes:
    return orjson.dumps(encode_CreateJoinTokenResponse(m))


keys_CreateJoinTokenResponse = frozenset(['join_token', 'secret', 'token'])


def decode_CreateJoinTokenResponse(data: Any, path: str = '', known: frozenset[str] = keys_CreateJoinTokenResponse) -> novasphere_api_v1_join_token_service_pb2.CreateJoinTokenResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_join_token_service_pb2.CreateJoinTokenResponse()
    key, v = codec.pick(data, ('token', 'secret'), path)
    if v is not None:
        m.secret = codec.string(v, path, key)
    v = data.get('join_token')
    if v is not None:
        m.join_token.CopyFrom(novasphere_api_v1_key_gateway.decode_JoinToken(v, codec.at(path, 'join_token')))
    return m


def encode_ListJoinTokensRequest(m: novasphere_api_v1_join_token_service_pb2.ListJoinTokensRequest) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("page_size"):
        data['page_size'] = m.page_size
    data['page_token'] = m.page_token
    return data


def dump_ListJoinTokensRequest(m: novasphere_api_v1_join_token_service_pb2.ListJoinTokensRequest) -> bytes:
    return orjson.dumps(encode_ListJoinTokensRequest(m))


keys_ListJoinTokensRequest = frozenset(['limit', 'page_size', 'page_token'])


def decode_ListJoinTokensRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListJoinTokensRequest) -> novasphere_api_v1_join_token_service_pb2.ListJoinTokensRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_join_token_service_pb2.ListJoinTokensRequest()
    key, v = codec.pick(data, ('page_size', 'limit'), path)
    if v is not None:
        m.page_size = codec.int32(v, path, key)
    v = data.get('page_token')
    if v is not None:
        m.page_token = codec.string(v, path, 'page_token')
    return m


def encode_ListJoinTokensResponse(m: novasphere_api_v1_join_token_service_pb2.ListJoinTokensResponse) -> dict[str, Any]:
    return {
        'join_tokens': [novasphere_api_v1_key_gateway.encode_JoinToken(v) for v in x[:]] if (x := m.join_tokens) else [],
        'next_page_token': m.next_page_token,
    }


def dump_ListJoinTokensResponse(m: novasphere_api_v1_join_token_service_pb2.ListJoinTokensResponse) -> bytes:
    return orjson.dumps(encode_ListJoinTokensResponse(m))


keys_ListJoinTokensResponse = frozenset(['join_tokens', 'next_page_token'])


def decode_ListJoinTokensResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListJoinTokensResponse) -> novasphere_api_v1_join_token_service_pb2.ListJoinTokensResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_join_token_service_pb2.ListJoinTokensResponse()
    v = data.get('join_tokens')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'join_tokens')):
            at = codec.element(path, 'join_tokens', i)
            m.join_tokens.add().CopyFrom(novasphere_api_v1_key_gateway.decode_JoinToken(e, at))
    v = data.get('next_page_token')
    if v is not None:
        m.next_page_token = codec.string(v, path, 'next_page_token')
    return m


def encode_RevokeJoinTokenRequest(m: novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenRequest) -> dict[str, Any]:
    return {
        'token_id': m.token_id,
        'validate_only': m.validate_only,
    }


def dump_RevokeJoinTokenRequest(m: novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenRequest) -> bytes:
    return orjson.dumps(encode_RevokeJoinTokenRequest(m))


keys_RevokeJoinTokenRequest = frozenset(['dry_run', 'token_id', 'validate_only'])


def decode_RevokeJoinTokenRequest(data: Any, path: str = '', known: frozenset[str] = keys_RevokeJoinTokenRequest) -> novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenRequest()
    v = data.get('token_id')
    if v is not None:
        m.token_id = codec.string(v, path, 'token_id')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_RevokeJoinTokenResponse(m: novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("join_token"):
        data['join_token'] = novasphere_api_v1_key_gateway.encode_JoinToken(m.join_token)
    return data


def dump_RevokeJoinTokenResponse(m: novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenResponse) -> bytes:
    return orjson.dumps(encode_RevokeJoinTokenResponse(m))


keys_RevokeJoinTokenResponse = frozenset(['join_token'])


def decode_RevokeJoinTokenResponse(data: Any, path: str = '', known: frozenset[str] = keys_RevokeJoinTokenResponse) -> novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenResponse()
    v = data.get('join_token')
    if v is not None:
        m.join_token.CopyFrom(novasphere_api_v1_key_gateway.decode_JoinToken(v, codec.at(path, 'join_token')))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/join-tokens',
        segments=('api', 'v1', 'join-tokens'),
        verb='',
        service='novasphere.api.v1.JoinTokenService',
        method='/novasphere.api.v1.JoinTokenService/ListJoinTokens',
        request=novasphere_api_v1_join_token_service_pb2.ListJoinTokensRequest,
        response=novasphere_api_v1_join_token_service_pb2.ListJoinTokensResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('page_size', ('limit',), 'page_size', 'int32', False, codec.parse_int32),
            model.Param('page_token', (), 'page_token', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_ListJoinTokensResponse,
        encode_field={
            'join_tokens': model.FieldEncoder('join_tokens', True, novasphere_api_v1_key_gateway.dump_JoinToken),
        },
        is_empty=False,
        face=6,
        success_status=200,
        scope=3,
        or_scope=0,
        is_public=False,
        message='',
        message_en='',
        action='',
        rate_class=1,
        is_stream=False,
        is_duplex=False,
        stream=None,
    ),
    model.Route(
        http_method='POST',
        path='/api/v1/join-tokens',
        segments=('api', 'v1', 'join-tokens'),
        verb='',
        service='novasphere.api.v1.JoinTokenService',
        method='/novasphere.api.v1.JoinTokenService/CreateJoinToken',
        request=novasphere_api_v1_join_token_service_pb2.CreateJoinTokenRequest,
        response=novasphere_api_v1_join_token_service_pb2.CreateJoinTokenResponse,
        decode_body=codec.body(decode_CreateJoinTokenRequest, keys_CreateJoinTokenRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_CreateJoinTokenResponse,
        encode_field={
            'join_token': model.FieldEncoder('join_token', False, novasphere_api_v1_key_gateway.dump_JoinToken),
        },
        is_empty=False,
        face=6,
        success_status=201,
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
    model.Route(
        http_method='POST',
        path='/api/v1/join-tokens/{token_id}:revoke',
        segments=('api', 'v1', 'join-tokens', '*'),
        verb='revoke',
        service='novasphere.api.v1.JoinTokenService',
        method='/novasphere.api.v1.JoinTokenService/RevokeJoinToken',
        request=novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenRequest,
        response=novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenResponse,
        decode_body=codec.body(decode_RevokeJoinTokenRequest, keys_RevokeJoinTokenRequest - {'token_id'}, frozenset({'token_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('token_id', (), 'token_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
        ),
        response_body='join_token',
        encode=lambda m: novasphere_api_v1_key_gateway.encode_JoinToken(m.join_token) if m.HasField("join_token") else None,
        encode_field={
            'join_token': model.FieldEncoder('join_token', False, novasphere_api_v1_key_gateway.dump_JoinToken),
        },
        is_empty=False,
        face=6,
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
    model.Route(
        http_method='DELETE',
        path='/api/v1/join-tokens/{token_id}',
        segments=('api', 'v1', 'join-tokens', '*'),
        verb='',
        service='novasphere.api.v1.JoinTokenService',
        method='/novasphere.api.v1.JoinTokenService/RevokeJoinToken',
        request=novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenRequest,
        response=novasphere_api_v1_join_token_service_pb2.RevokeJoinTokenResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('token_id', (), 'token_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
        ),
        response_body='join_token',
        encode=lambda m: novasphere_api_v1_key_gateway.encode_JoinToken(m.join_token) if m.HasField("join_token") else None,
        encode_field={
            'join_token': model.FieldEncoder('join_token', False, novasphere_api_v1_key_gateway.dump_JoinToken),
        },
        is_empty=False,
        face=6,
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
