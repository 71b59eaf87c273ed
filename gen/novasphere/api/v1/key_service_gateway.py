"""Generated from novasphere/api/v1/key_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import key_gateway as novasphere_api_v1_key_gateway
from novasphere.api.v1 import key_service_pb2 as novasphere_api_v1_key_service_pb2
from novasphere.api.v1 import options_gateway as novasphere_api_v1_options_gateway
from novasphere.api.v1 import watch_gateway as novasphere_api_v1_watch_gateway


def encode_CreateKeyRequest(m: novasphere_api_v1_key_service_pb2.CreateKeyRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'name': m.name,
        'scopes': [novasphere_api_v1_options_gateway.words_Scope.get(v, v) for v in x[:]] if (x := m.scopes) else [],
        'namespaces': m.namespaces[:],
    }
    if m.HasField("expires_at"):
        data['expires_at'] = codec.print_seconds(m.expires_at.seconds)
    data['validate_only'] = m.validate_only
    return data


def dump_CreateKeyRequest(m: novasphere_api_v1_key_service_pb2.CreateKeyRequest) -> bytes:
    return orjson.dumps(encode_CreateKeyRequest(m))


keys_CreateKeyRequest = frozenset(['dry_run', 'expires_at', 'name', 'namespaces', 'scopes', 'validate_only'])


def decode_CreateKeyRequest(data: Any, path: str = '', known: frozenset[str] = keys_CreateKeyRequest) -> novasphere_api_v1_key_service_pb2.CreateKeyRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.CreateKeyRequest()
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('scopes')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'scopes')):
            at = codec.element(path, 'scopes', i)
            m.scopes.append(novasphere_api_v1_options_gateway.words_Scope.read(e, at, ''))
    v = data.get('namespaces')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'namespaces')):
            at = codec.element(path, 'namespaces', i)
            m.namespaces.append(codec.string(e, at, ''))
    v = data.get('expires_at')
    if v is not None:
        m.expires_at.CopyFrom(codec.timestamp(v, path, 'expires_at'))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CreateKeyResponse(m: novasphere_api_v1_key_service_pb2.CreateKeyResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("secret"):
        data['key'] = m.secret
    data['key_id'] = m.key_id
    data['name'] = m.name
    data['scopes'] = [novasphere_api_v1_options_gateway.words_Scope.get(v, v) for v in x[:]] if (x := m.scopes) else []
    data['namespaces'] = m.namespaces[:]
    data['expires_at'] = codec.print_seconds(m.expires_at.seconds) if m.HasField("expires_at") else None
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    return data


def dump_CreateKeyResponse(m: novasphere_api_v1_key_service_pb2.CreateKeyResponse) -> bytes:
    return orjson.dumps(encode_CreateKeyResponse(m))


keys_CreateKeyResponse = frozenset(['created_at', 'expires_at', 'key', 'key_id', 'name', 'namespaces', 'scopes', 'secret'])


def decode_CreateKeyResponse(data: Any, path: str = '', known: frozenset[str] = keys_CreateKeyResponse) -> novasphere_api_v1_key_service_pb2.CreateKeyResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.CreateKeyResponse()
    key, v = codec.pick(data, ('key', 'secret'), path)
    if v is not None:
        m.secret = codec.string(v, path, key)
    v = data.get('key_id')
    if v is not None:
        m.key_id = codec.string(v, path, 'key_id')
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('scopes')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'scopes')):
            at = codec.element(path, 'scopes', i)
            m.scopes.append(novasphere_api_v1_options_gateway.words_Scope.read(e, at, ''))
    v = data.get('namespaces')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'namespaces')):
            at = codec.element(path, 'namespaces', i)
            m.namespaces.append(codec.string(e, at, ''))
    v = data.get('expires_at')
    if v is not None:
        m.expires_at.CopyFrom(codec.timestamp(v, path, 'expires_at'))
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    return m


def encode_ListKeysRequest(m: novasphere_api_v1_key_service_pb2.ListKeysRequest) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("page_size"):
        data['page_size'] = m.page_size
    data['page_token'] = m.page_token
    return data


def dump_ListKeysRequest(m: novasphere_api_v1_key_service_pb2.ListKeysRequest) -> bytes:
    return orjson.dumps(encode_ListKeysRequest(m))


keys_ListKeysRequest = frozenset(['limit', 'page_size', 'page_token'])


def decode_ListKeysRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListKeysRequest) -> novasphere_api_v1_key_service_pb2.ListKeysRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.ListKeysRequest()
    key, v = codec.pick(data, ('page_size', 'limit'), path)
    if v is not None:
        m.page_size = codec.int32(v, path, key)
    v = data.get('page_token')
    if v is not None:
        m.page_token = codec.string(v, path, 'page_token')
    return m


def encode_ListKeysResponse(m: novasphere_api_v1_key_service_pb2.ListKeysResponse) -> dict[str, Any]:
    return {
        'keys': [novasphere_api_v1_key_gateway.encode_Key(v) for v in x[:]] if (x := m.keys) else [],
        'next_page_token': m.next_page_token,
    }


def dump_ListKeysResponse(m: novasphere_api_v1_key_service_pb2.ListKeysResponse) -> bytes:
    return orjson.dumps(encode_ListKeysResponse(m))


keys_ListKeysResponse = frozenset(['keys', 'next_page_token'])


def decode_ListKeysResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListKeysResponse) -> novasphere_api_v1_key_service_pb2.ListKeysResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.ListKeysResponse()
    v = data.get('keys')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'keys')):
            at = codec.element(path, 'keys', i)
            m.keys.add().CopyFrom(novasphere_api_v1_key_gateway.decode_Key(e, at))
    v = data.get('next_page_token')
    if v is not None:
        m.next_page_token = codec.string(v, path, 'next_page_token')
    return m


def encode_GetKeyRequest(m: novasphere_api_v1_key_service_pb2.GetKeyRequest) -> dict[str, Any]:
    return {
        'key_id': m.key_id,
    }


def dump_GetKeyRequest(m: novasphere_api_v1_key_service_pb2.GetKeyRequest) -> bytes:
    return orjson.dumps(encode_GetKeyRequest(m))


keys_GetKeyRequest = frozenset(['key_id'])


def decode_GetKeyRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetKeyRequest) -> novasphere_api_v1_key_service_pb2.GetKeyRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.GetKeyRequest()
    v = data.get('key_id')
    if v is not None:
        m.key_id = codec.string(v, path, 'key_id')
    return m


def encode_GetKeyResponse(m: novasphere_api_v1_key_service_pb2.GetKeyResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("key"):
        data['key'] = novasphere_api_v1_key_gateway.encode_Key(m.key)
    return data


def dump_GetKeyResponse(m: novasphere_api_v1_key_service_pb2.GetKeyResponse) -> bytes:
    return orjson.dumps(encode_GetKeyResponse(m))


keys_GetKeyResponse = frozenset(['key'])


def decode_GetKeyResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetKeyResponse) -> novasphere_api_v1_key_service_pb2.GetKeyResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.GetKeyResponse()
    v = data.get('key')
    if v is not None:
        m.key.CopyFrom(novasphere_api_v1_key_gateway.decode_Key(v, codec.at(path, 'key')))
    return m


def encode_WatchKeysRequest(m: novasphere_api_v1_key_service_pb2.WatchKeysRequest) -> dict[str, Any]:
    return {
        'cursor': m.cursor,
        'key_id': m.key_id,
    }


def dump_WatchKeysRequest(m: novasphere_api_v1_key_service_pb2.WatchKeysRequest) -> bytes:
    return orjson.dumps(encode_WatchKeysRequest(m))


keys_WatchKeysRequest = frozenset(['cursor', 'key_id'])


def decode_WatchKeysRequest(data: Any, path: str = '', known: frozenset[str] = keys_WatchKeysRequest) -> novasphere_api_v1_key_service_pb2.WatchKeysRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.WatchKeysRequest()
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('key_id')
    if v is not None:
        m.key_id = codec.string(v, path, 'key_id')
    return m


def encode_WatchKeysResponse(m: novasphere_api_v1_key_service_pb2.WatchKeysResponse) -> dict[str, Any]:
    return {
        'events': [encode_KeyEvent(v) for v in x[:]] if (x := m.events) else [],
    }


def dump_WatchKeysResponse(m: novasphere_api_v1_key_service_pb2.WatchKeysResponse) -> bytes:
    return orjson.dumps(encode_WatchKeysResponse(m))


keys_WatchKeysResponse = frozenset(['events'])


def decode_WatchKeysResponse(data: Any, path: str = '', known: frozenset[str] = keys_WatchKeysResponse) -> novasphere_api_v1_key_service_pb2.WatchKeysResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.WatchKeysResponse()
    v = data.get('events')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'events')):
            at = codec.element(path, 'events', i)
            m.events.add().CopyFrom(decode_KeyEvent(e, at))
    return m


def encode_KeyEvent(m: novasphere_api_v1_key_service_pb2.KeyEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.type:
        data['type'] = novasphere_api_v1_watch_gateway.words_EventType.get(v, v)
    data['cursor'] = m.cursor
    if m.HasField("object"):
        data['object'] = novasphere_api_v1_key_gateway.encode_Key(m.object)
    if m.HasField("gap"):
        data['gap'] = novasphere_api_v1_watch_gateway.encode_Gap(m.gap)
    return data


def dump_KeyEvent(m: novasphere_api_v1_key_service_pb2.KeyEvent) -> bytes:
    return orjson.dumps(encode_KeyEvent(m))


keys_KeyEvent = frozenset(['cursor', 'gap', 'object', 'type'])


def decode_KeyEvent(data: Any, path: str = '', known: frozenset[str] = keys_KeyEvent) -> novasphere_api_v1_key_service_pb2.KeyEvent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.KeyEvent()
    v = data.get('type')
    if v is not None:
        m.type = novasphere_api_v1_watch_gateway.words_EventType.read(v, path, 'type')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('object')
    if v is not None:
        m.object.CopyFrom(novasphere_api_v1_key_gateway.decode_Key(v, codec.at(path, 'object')))
    v = data.get('gap')
    if v is not None:
        m.gap.CopyFrom(novasphere_api_v1_watch_gateway.decode_Gap(v, codec.at(path, 'gap')))
    return m


def encode_UpdateKeyRequest(m: novasphere_api_v1_key_service_pb2.UpdateKeyRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'key_id': m.key_id,
    }
    if m.HasField("name"):
        data['name'] = m.name
    if m.HasField("expires_at"):
        data['expires_at'] = codec.print_seconds(m.expires_at.seconds)
    if m.HasField("update_mask"):
        data['update_mask'] = codec.print_field_mask(m.update_mask)
    data['validate_only'] = m.validate_only
    return data


def dump_UpdateKeyRequest(m: novasphere_api_v1_key_service_pb2.UpdateKeyRequest) -> bytes:
    return orjson.dumps(encode_UpdateKeyRequest(m))


keys_UpdateKeyRequest = frozenset(['dry_run', 'expires_at', 'key_id', 'name', 'update_mask', 'validate_only'])


def decode_UpdateKeyRequest(data: Any, path: str = '', known: frozenset[str] = keys_UpdateKeyRequest) -> novasphere_api_v1_key_service_pb2.UpdateKeyRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.UpdateKeyRequest()
    v = data.get('key_id')
    if v is not None:
        m.key_id = codec.string(v, path, 'key_id')
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('expires_at')
    if v is not None:
        m.expires_at.CopyFrom(codec.timestamp(v, path, 'expires_at'))
    v = data.get('update_mask')
    if v is not None:
        m.update_mask.CopyFrom(codec.field_mask(v, path, 'update_mask'))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_UpdateKeyResponse(m: novasphere_api_v1_key_service_pb2.UpdateKeyResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("key"):
        data['key'] = novasphere_api_v1_key_gateway.encode_Key(m.key)
    return data


def dump_UpdateKeyResponse(m: novasphere_api_v1_key_service_pb2.UpdateKeyResponse) -> bytes:
    return orjson.dumps(encode_UpdateKeyResponse(m))


keys_UpdateKeyResponse = frozenset(['key'])


def decode_UpdateKeyResponse(data: Any, path: str = '', known: frozenset[str] = keys_UpdateKeyResponse) -> novasphere_api_v1_key_service_pb2.UpdateKeyResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.UpdateKeyResponse()
    v = data.get('key')
    if v is not None:
        m.key.CopyFrom(novasphere_api_v1_key_gateway.decode_Key(v, codec.at(path, 'key')))
    return m


def encode_RevokeKeyRequest(m: novasphere_api_v1_key_service_pb2.RevokeKeyRequest) -> dict[str, Any]:
    return {
        'key_id': m.key_id,
        'validate_only': m.validate_only,
    }


def dump_RevokeKeyRequest(m: novasphere_api_v1_key_service_pb2.RevokeKeyRequest) -> bytes:
    return orjson.dumps(encode_RevokeKeyRequest(m))


keys_RevokeKeyRequest = frozenset(['dry_run', 'key_id', 'validate_only'])


def decode_RevokeKeyRequest(data: Any, path: str = '', known: frozenset[str] = keys_RevokeKeyRequest) -> novasphere_api_v1_key_service_pb2.RevokeKeyRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.RevokeKeyRequest()
    v = data.get('key_id')
    if v is not None:
        m.key_id = codec.string(v, path, 'key_id')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_RevokeKeyResponse(m: novasphere_api_v1_key_service_pb2.RevokeKeyResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("key"):
        data['key'] = novasphere_api_v1_key_gateway.encode_Key(m.key)
    return data


def dump_RevokeKeyResponse(m: novasphere_api_v1_key_service_pb2.RevokeKeyResponse) -> bytes:
    return orjson.dumps(encode_RevokeKeyResponse(m))


keys_RevokeKeyResponse = frozenset(['key'])


def decode_RevokeKeyResponse(data: Any, path: str = '', known: frozenset[str] = keys_RevokeKeyResponse) -> novasphere_api_v1_key_service_pb2.RevokeKeyResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_service_pb2.RevokeKeyResponse()
    v = data.get('key')
    if v is not None:
        m.key.CopyFrom(novasphere_api_v1_key_gateway.decode_Key(v, codec.at(path, 'key')))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/keys:watch',
        segments=('api', 'v1', 'keys'),
        verb='watch',
        service='novasphere.api.v1.KeyService',
        method='/novasphere.api.v1.KeyService/WatchKeys',
        request=novasphere_api_v1_key_service_pb2.WatchKeysRequest,
        response=novasphere_api_v1_key_service_pb2.WatchKeysResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
            model.Param('key_id', (), 'key_id', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_WatchKeysResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_KeyEvent),
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
        rate_class=3,
        is_stream=True,
        is_duplex=False,
        stream=model.StreamRules(
            rows='events',
            id='cursor',
            event='type',
            raw='',
            resume='cursor',
            id_of=lambda row: row.cursor,
            event_of=lambda row: str(novasphere_api_v1_watch_gateway.words_EventType.print(row.type)) if row.type else "",
            raw_of=None,
            dump=dump_KeyEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/keys',
        segments=('api', 'v1', 'keys'),
        verb='',
        service='novasphere.api.v1.KeyService',
        method='/novasphere.api.v1.KeyService/ListKeys',
        request=novasphere_api_v1_key_service_pb2.ListKeysRequest,
        response=novasphere_api_v1_key_service_pb2.ListKeysResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('page_size', ('limit',), 'page_size', 'int32', False, codec.parse_int32),
            model.Param('page_token', (), 'page_token', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_ListKeysResponse,
        encode_field={
            'keys': model.FieldEncoder('keys', True, novasphere_api_v1_key_gateway.dump_Key),
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
        path='/api/v1/keys',
        segments=('api', 'v1', 'keys'),
        verb='',
        service='novasphere.api.v1.KeyService',
        method='/novasphere.api.v1.KeyService/CreateKey',
        request=novasphere_api_v1_key_service_pb2.CreateKeyRequest,
        response=novasphere_api_v1_key_service_pb2.CreateKeyResponse,
        decode_body=codec.body(decode_CreateKeyRequest, keys_CreateKeyRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_CreateKeyResponse,
        encode_field={},
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
        path='/api/v1/keys/{key_id}:revoke',
        segments=('api', 'v1', 'keys', '*'),
        verb='revoke',
        service='novasphere.api.v1.KeyService',
        method='/novasphere.api.v1.KeyService/RevokeKey',
        request=novasphere_api_v1_key_service_pb2.RevokeKeyRequest,
        response=novasphere_api_v1_key_service_pb2.RevokeKeyResponse,
        decode_body=codec.body(decode_RevokeKeyRequest, keys_RevokeKeyRequest - {'key_id'}, frozenset({'key_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('key_id', (), 'key_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='key',
        encode=lambda m: novasphere_api_v1_key_gateway.encode_Key(m.key) if m.HasField("key") else None,
        encode_field={
            'key': model.FieldEncoder('key', False, novasphere_api_v1_key_gateway.dump_Key),
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
        path='/api/v1/keys/{key_id}',
        segments=('api', 'v1', 'keys', '*'),
        verb='',
        service='novasphere.api.v1.KeyService',
        method='/novasphere.api.v1.KeyService/RevokeKey',
        request=novasphere_api_v1_key_service_pb2.RevokeKeyRequest,
        response=novasphere_api_v1_key_service_pb2.RevokeKeyResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('key_id', (), 'key_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='key',
        encode=lambda m: novasphere_api_v1_key_gateway.encode_Key(m.key) if m.HasField("key") else None,
        encode_field={
            'key': model.FieldEncoder('key', False, novasphere_api_v1_key_gateway.dump_Key),
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
        http_method='GET',
        path='/api/v1/keys/{key_id}',
        segments=('api', 'v1', 'keys', '*'),
        verb='',
        service='novasphere.api.v1.KeyService',
        method='/novasphere.api.v1.KeyService/GetKey',
        request=novasphere_api_v1_key_service_pb2.GetKeyRequest,
        response=novasphere_api_v1_key_service_pb2.GetKeyResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('key_id', (), 'key_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='key',
        encode=lambda m: novasphere_api_v1_key_gateway.encode_Key(m.key) if m.HasField("key") else None,
        encode_field={
            'key': model.FieldEncoder('key', False, novasphere_api_v1_key_gateway.dump_Key),
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
        http_method='PATCH',
        path='/api/v1/keys/{key_id}',
        segments=('api', 'v1', 'keys', '*'),
        verb='',
        service='novasphere.api.v1.KeyService',
        method='/novasphere.api.v1.KeyService/UpdateKey',
        request=novasphere_api_v1_key_service_pb2.UpdateKeyRequest,
        response=novasphere_api_v1_key_service_pb2.UpdateKeyResponse,
        decode_body=codec.body(decode_UpdateKeyRequest, keys_UpdateKeyRequest - {'key_id'}, frozenset({'key_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('key_id', (), 'key_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('update_mask', (), 'update_mask', 'field_mask', False, codec.parse_field_mask),
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='key',
        encode=lambda m: novasphere_api_v1_key_gateway.encode_Key(m.key) if m.HasField("key") else None,
        encode_field={
            'key': model.FieldEncoder('key', False, novasphere_api_v1_key_gateway.dump_Key),
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
        mask={
            'name': 'name',
            'expires_at': 'expires_at',
        },
    ),
)
