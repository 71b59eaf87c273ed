"""Generated from novasphere/schedule/v1/server.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import server_pb2 as novasphere_schedule_v1_server_pb2


words_ServerStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'active', 2: 'inactive'},
    {'UNSPECIFIED': 0, 'SERVER_STATUS_UNSPECIFIED': 0, 'active': 1, 'ACTIVE': 1, 'SERVER_STATUS_ACTIVE': 1, 'inactive': 2, 'INACTIVE': 2, 'SERVER_STATUS_INACTIVE': 2},
)


def encode_Server(m: novasphere_schedule_v1_server_pb2.Server) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'name': m.name,
        'address': m.address,
        'bind_namespaces': m.bind_namespaces[:],
    }
    if v := m.status:
        data['status'] = words_ServerStatus.get(v, v)
    data['description'] = m.description if m.HasField("description") else None
    if m.HasField("last_heartbeat_at"):
        data['last_heartbeat_at'] = codec.print_seconds(m.last_heartbeat_at.seconds)
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    return data


def dump_Server(m: novasphere_schedule_v1_server_pb2.Server) -> bytes:
    return orjson.dumps(encode_Server(m))


keys_Server = frozenset(['address', 'bind_namespaces', 'created_at', 'description', 'id', 'last_heartbeat_at', 'name', 'status'])


def decode_Server(data: Any, path: str = '', known: frozenset[str] = keys_Server) -> novasphere_schedule_v1_server_pb2.Server:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_pb2.Server()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('address')
    if v is not None:
        m.address = codec.string(v, path, 'address')
    v = data.get('bind_namespaces')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'bind_namespaces')):
            at = codec.element(path, 'bind_namespaces', i)
            m.bind_namespaces.append(codec.string(e, at, ''))
    v = data.get('status')
    if v is not None:
        m.status = words_ServerStatus.read(v, path, 'status')
    v = data.get('description')
    if v is not None:
        m.description = codec.string(v, path, 'description')
    v = data.get('last_heartbeat_at')
    if v is not None:
        m.last_heartbeat_at.CopyFrom(codec.timestamp(v, path, 'last_heartbeat_at'))
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    return m
