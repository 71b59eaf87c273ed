"""Generated from novasphere/schedule/v1/agent.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import agent_pb2 as novasphere_schedule_v1_agent_pb2


words_AgentStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'online', 2: 'busy', 3: 'error', 4: 'offline'},
    {'UNSPECIFIED': 0, 'AGENT_STATUS_UNSPECIFIED': 0, 'online': 1, 'ONLINE': 1, 'AGENT_STATUS_ONLINE': 1, 'busy': 2, 'BUSY': 2, 'AGENT_STATUS_BUSY': 2, 'error': 3, 'ERROR': 3, 'AGENT_STATUS_ERROR': 3, 'offline': 4, 'OFFLINE': 4, 'AGENT_STATUS_OFFLINE': 4},
    {0: 4},
)


def encode_Agent(m: novasphere_schedule_v1_agent_pb2.Agent) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'namespace_id': m.namespace_id,
        'name': m.name,
        'endpoint': m.endpoint,
    }
    if v := m.status:
        data['status'] = words_AgentStatus.get(v, v)
    data['labels'] = {k: x[k] for k in sorted(x)} if (x := m.labels) else {}
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    if m.HasField("updated_at"):
        data['updated_at'] = codec.print_seconds(m.updated_at.seconds)
    data['node_id'] = m.node_id
    data['revision'] = m.revision
    return data


def dump_Agent(m: novasphere_schedule_v1_agent_pb2.Agent) -> bytes:
    return orjson.dumps(encode_Agent(m))


keys_Agent = frozenset(['created_at', 'endpoint', 'id', 'labels', 'name', 'namespace_id', 'node_id', 'revision', 'status', 'updated_at'])


def decode_Agent(data: Any, path: str = '', known: frozenset[str] = keys_Agent) -> novasphere_schedule_v1_agent_pb2.Agent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_pb2.Agent()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    v = data.get('namespace_id')
    if v is not None:
        m.namespace_id = codec.string(v, path, 'namespace_id')
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('endpoint')
    if v is not None:
        m.endpoint = codec.string(v, path, 'endpoint')
    v = data.get('status')
    if v is not None:
        m.status = words_AgentStatus.read(v, path, 'status')
    v = data.get('labels')
    if v is not None:
        at = codec.at(path, 'labels')
        for k, e in codec.pairs(v, path, 'labels').items():
            m.labels[k] = codec.string(e, at, k)
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('updated_at')
    if v is not None:
        m.updated_at.CopyFrom(codec.timestamp(v, path, 'updated_at'))
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    return m
