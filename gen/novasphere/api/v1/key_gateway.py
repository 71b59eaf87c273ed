"""Generated from novasphere/api/v1/key.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import key_pb2 as novasphere_api_v1_key_pb2
from novasphere.api.v1 import options_gateway as novasphere_api_v1_options_gateway


def encode_Key(m: novasphere_api_v1_key_pb2.Key) -> dict[str, Any]:
    data: dict[str, Any] = {
        'key_id': m.key_id,
        'name': m.name,
        'scopes': [novasphere_api_v1_options_gateway.words_Scope.get(v, v) for v in x[:]] if (x := m.scopes) else [],
        'namespaces': m.namespaces[:],
        'expires_at': codec.print_seconds(m.expires_at.seconds) if m.HasField("expires_at") else None,
    }
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['revoked_at'] = codec.print_seconds(m.revoked_at.seconds) if m.HasField("revoked_at") else None
    data['last_used_at'] = codec.print_seconds(m.last_used_at.seconds) if m.HasField("last_used_at") else None
    data['created_by'] = m.created_by
    data['revision'] = m.revision
    return data


def dump_Key(m: novasphere_api_v1_key_pb2.Key) -> bytes:
    return orjson.dumps(encode_Key(m))


keys_Key = frozenset(['created_at', 'created_by', 'expires_at', 'key_id', 'last_used_at', 'name', 'namespaces', 'revision', 'revoked_at', 'scopes'])


def decode_Key(data: Any, path: str = '', known: frozenset[str] = keys_Key) -> novasphere_api_v1_key_pb2.Key:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_pb2.Key()
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
    v = data.get('revoked_at')
    if v is not None:
        m.revoked_at.CopyFrom(codec.timestamp(v, path, 'revoked_at'))
    v = data.get('last_used_at')
    if v is not None:
        m.last_used_at.CopyFrom(codec.timestamp(v, path, 'last_used_at'))
    v = data.get('created_by')
    if v is not None:
        m.created_by = codec.string(v, path, 'created_by')
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    return m


def encode_JoinToken(m: novasphere_api_v1_key_pb2.JoinToken) -> dict[str, Any]:
    data: dict[str, Any] = {
        'token_id': m.token_id,
    }
    if m.HasField("expires_at"):
        data['expires_at'] = codec.print_seconds(m.expires_at.seconds)
    data['reusable'] = m.is_reusable
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['revoked_at'] = codec.print_seconds(m.revoked_at.seconds) if m.HasField("revoked_at") else None
    data['used_at'] = codec.print_seconds(m.used_at.seconds) if m.HasField("used_at") else None
    data['used_by_node_id'] = m.used_by_node_id
    data['created_by'] = m.created_by
    data['revision'] = m.revision
    return data


def dump_JoinToken(m: novasphere_api_v1_key_pb2.JoinToken) -> bytes:
    return orjson.dumps(encode_JoinToken(m))


keys_JoinToken = frozenset(['created_at', 'created_by', 'expires_at', 'is_reusable', 'reusable', 'revision', 'revoked_at', 'token_id', 'used_at', 'used_by_node_id'])


def decode_JoinToken(data: Any, path: str = '', known: frozenset[str] = keys_JoinToken) -> novasphere_api_v1_key_pb2.JoinToken:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_key_pb2.JoinToken()
    v = data.get('token_id')
    if v is not None:
        m.token_id = codec.string(v, path, 'token_id')
    v = data.get('expires_at')
    if v is not None:
        m.expires_at.CopyFrom(codec.timestamp(v, path, 'expires_at'))
    key, v = codec.pick(data, ('reusable', 'is_reusable'), path)
    if v is not None:
        m.is_reusable = codec.boolean(v, path, key)
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('revoked_at')
    if v is not None:
        m.revoked_at.CopyFrom(codec.timestamp(v, path, 'revoked_at'))
    v = data.get('used_at')
    if v is not None:
        m.used_at.CopyFrom(codec.timestamp(v, path, 'used_at'))
    v = data.get('used_by_node_id')
    if v is not None:
        m.used_by_node_id = codec.string(v, path, 'used_by_node_id')
    v = data.get('created_by')
    if v is not None:
        m.created_by = codec.string(v, path, 'created_by')
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    return m
