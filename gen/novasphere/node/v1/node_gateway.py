"""Generated from novasphere/node/v1/node.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import options_gateway as novasphere_api_v1_options_gateway
from novasphere.node.v1 import node_pb2 as novasphere_node_v1_node_pb2


words_NodeStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'online', 2: 'offline', 3: 'error'},
    {'UNSPECIFIED': 0, 'NODE_STATUS_UNSPECIFIED': 0, 'online': 1, 'ONLINE': 1, 'NODE_STATUS_ONLINE': 1, 'offline': 2, 'OFFLINE': 2, 'NODE_STATUS_OFFLINE': 2, 'error': 3, 'ERROR': 3, 'NODE_STATUS_ERROR': 3},
)


words_ConnectionState = codec.Words(
    {0: 'UNSPECIFIED', 1: 'ONLINE', 2: 'DISCONNECTED', 3: 'OFFLINE', 4: 'LOST'},
    {'UNSPECIFIED': 0, 'CONNECTION_STATE_UNSPECIFIED': 0, 'ONLINE': 1, 'CONNECTION_STATE_ONLINE': 1, 'DISCONNECTED': 2, 'CONNECTION_STATE_DISCONNECTED': 2, 'OFFLINE': 3, 'CONNECTION_STATE_OFFLINE': 3, 'LOST': 4, 'CONNECTION_STATE_LOST': 4},
)


words_ConditionStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'TRUE', 2: 'FALSE'},
    {'UNSPECIFIED': 0, 'CONDITION_STATUS_UNSPECIFIED': 0, 'TRUE': 1, 'CONDITION_STATUS_TRUE': 1, 'FALSE': 2, 'CONDITION_STATUS_FALSE': 2},
)


def encode_Platform(m: novasphere_node_v1_node_pb2.Platform) -> dict[str, Any]:
    return {
        'system': m.system,
        'release': m.release,
        'machine': m.machine,
        'distribution': m.distribution,
        'python_version': m.python_version,
        'is_virtual': m.is_virtual,
    }


def dump_Platform(m: novasphere_node_v1_node_pb2.Platform) -> bytes:
    return orjson.dumps(encode_Platform(m))


keys_Platform = frozenset(['distribution', 'is_virtual', 'machine', 'python_version', 'release', 'system'])


def decode_Platform(data: Any, path: str = '', known: frozenset[str] = keys_Platform) -> novasphere_node_v1_node_pb2.Platform:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_pb2.Platform()
    v = data.get('system')
    if v is not None:
        m.system = codec.string(v, path, 'system')
    v = data.get('release')
    if v is not None:
        m.release = codec.string(v, path, 'release')
    v = data.get('machine')
    if v is not None:
        m.machine = codec.string(v, path, 'machine')
    v = data.get('distribution')
    if v is not None:
        m.distribution = codec.string(v, path, 'distribution')
    v = data.get('python_version')
    if v is not None:
        m.python_version = codec.string(v, path, 'python_version')
    v = data.get('is_virtual')
    if v is not None:
        m.is_virtual = codec.boolean(v, path, 'is_virtual')
    return m


def encode_Resources(m: novasphere_node_v1_node_pb2.Resources) -> dict[str, Any]:
    return {
        'cpu_count': m.cpu_count,
        'memory_total_bytes': m.memory_total_bytes,
        'storage_total_bytes': m.storage_total_bytes,
        'gpu_count': m.gpu_count,
    }


def dump_Resources(m: novasphere_node_v1_node_pb2.Resources) -> bytes:
    return orjson.dumps(encode_Resources(m))


keys_Resources = frozenset(['cpu_count', 'gpu_count', 'memory_total_bytes', 'storage_total_bytes'])


def decode_Resources(data: Any, path: str = '', known: frozenset[str] = keys_Resources) -> novasphere_node_v1_node_pb2.Resources:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_pb2.Resources()
    v = data.get('cpu_count')
    if v is not None:
        m.cpu_count = codec.int32(v, path, 'cpu_count')
    v = data.get('memory_total_bytes')
    if v is not None:
        m.memory_total_bytes = codec.int64(v, path, 'memory_total_bytes')
    v = data.get('storage_total_bytes')
    if v is not None:
        m.storage_total_bytes = codec.int64(v, path, 'storage_total_bytes')
    v = data.get('gpu_count')
    if v is not None:
        m.gpu_count = codec.int32(v, path, 'gpu_count')
    return m


def encode_Battery(m: novasphere_node_v1_node_pb2.Battery) -> dict[str, Any]:
    return {
        'level_percent': m.level_percent,
        'is_charging': m.is_charging,
    }


def dump_Battery(m: novasphere_node_v1_node_pb2.Battery) -> bytes:
    return orjson.dumps(encode_Battery(m))


keys_Battery = frozenset(['is_charging', 'level_percent'])


def decode_Battery(data: Any, path: str = '', known: frozenset[str] = keys_Battery) -> novasphere_node_v1_node_pb2.Battery:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_pb2.Battery()
    v = data.get('level_percent')
    if v is not None:
        m.level_percent = codec.double(v, path, 'level_percent')
    v = data.get('is_charging')
    if v is not None:
        m.is_charging = codec.boolean(v, path, 'is_charging')
    return m


def encode_Condition(m: novasphere_node_v1_node_pb2.Condition) -> dict[str, Any]:
    data: dict[str, Any] = {
        'type': m.type,
    }
    if v := m.status:
        data['status'] = words_ConditionStatus.get(v, v)
    data['reason'] = m.reason
    data['message'] = m.message
    if m.HasField("last_transition_time"):
        data['last_transition_time'] = codec.print_seconds(m.last_transition_time.seconds)
    return data


def dump_Condition(m: novasphere_node_v1_node_pb2.Condition) -> bytes:
    return orjson.dumps(encode_Condition(m))


keys_Condition = frozenset(['last_transition_time', 'message', 'reason', 'status', 'type'])


def decode_Condition(data: Any, path: str = '', known: frozenset[str] = keys_Condition) -> novasphere_node_v1_node_pb2.Condition:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_pb2.Condition()
    v = data.get('type')
    if v is not None:
        m.type = codec.string(v, path, 'type')
    v = data.get('status')
    if v is not None:
        m.status = words_ConditionStatus.read(v, path, 'status')
    v = data.get('reason')
    if v is not None:
        m.reason = codec.string(v, path, 'reason')
    v = data.get('message')
    if v is not None:
        m.message = codec.string(v, path, 'message')
    v = data.get('last_transition_time')
    if v is not None:
        m.last_transition_time.CopyFrom(codec.timestamp(v, path, 'last_transition_time'))
    return m


def encode_Node(m: novasphere_node_v1_node_pb2.Node) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'node_id': m.node_id,
        'hostname': m.hostname,
        'ip_address': m.ip_address,
        'os_info': m.os_info,
    }
    if v := m.status:
        data['status'] = words_NodeStatus.get(v, v)
    data['last_heartbeat'] = codec.print_seconds(m.last_heartbeat.seconds) if m.HasField("last_heartbeat") else None
    if m.HasField("registered_at"):
        data['registered_at'] = codec.print_seconds(m.registered_at.seconds)
    if m.HasField("updated_at"):
        data['updated_at'] = codec.print_seconds(m.updated_at.seconds)
    data['uid'] = m.uid
    data['revision'] = m.revision
    data['labels'] = {k: x[k] for k in sorted(x)} if (x := m.labels) else {}
    data['role'] = m.role
    if m.HasField("platform"):
        data['platform'] = encode_Platform(m.platform)
    if m.HasField("resources"):
        data['resources'] = encode_Resources(m.resources)
    data['capabilities'] = m.capabilities[:]
    if m.HasField("battery"):
        data['battery'] = encode_Battery(m.battery)
    data['conditions'] = [encode_Condition(v) for v in x[:]] if (x := m.conditions) else []
    if v := m.connection:
        data['connection'] = words_ConnectionState.get(v, v)
    data['offline_faces'] = [novasphere_api_v1_options_gateway.words_Face.get(v, v) for v in x[:]] if (x := m.offline_faces) else []
    data['capacity'] = m.capacity
    data['free_slots'] = m.free_slots if m.HasField("free_slots") else None
    data['agent_version'] = m.agent_version
    data['tags'] = m.tags[:]
    data['boot_id'] = m.boot_id
    data['is_foreign'] = m.is_foreign
    if m.HasField("display_name"):
        data['display_name'] = m.display_name
    if m.HasField("namespace_id"):
        data['namespace_id'] = m.namespace_id
    if m.HasField("endpoint"):
        data['endpoint'] = m.endpoint
    data['has_given_labels'] = m.has_given_labels
    data['is_reserved'] = m.is_reserved
    return data


def dump_Node(m: novasphere_node_v1_node_pb2.Node) -> bytes:
    return orjson.dumps(encode_Node(m))


keys_Node = frozenset(['agent_version', 'battery', 'boot_id', 'capabilities', 'capacity', 'conditions', 'connection', 'display_name', 'endpoint', 'free_slots', 'has_given_labels', 'hostname', 'id', 'ip_address', 'is_foreign', 'is_reserved', 'labels', 'last_heartbeat', 'namespace_id', 'node_id', 'offline_faces', 'os_info', 'platform', 'registered_at', 'resources', 'revision', 'role', 'status', 'tags', 'uid', 'updated_at'])


def decode_Node(data: Any, path: str = '', known: frozenset[str] = keys_Node) -> novasphere_node_v1_node_pb2.Node:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_pb2.Node()
    v = data.get('id')
    if v is not None:
        m.id = codec.int64(v, path, 'id')
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('hostname')
    if v is not None:
        m.hostname = codec.string(v, path, 'hostname')
    v = data.get('ip_address')
    if v is not None:
        m.ip_address = codec.string(v, path, 'ip_address')
    v = data.get('os_info')
    if v is not None:
        m.os_info = codec.string(v, path, 'os_info')
    v = data.get('status')
    if v is not None:
        m.status = words_NodeStatus.read(v, path, 'status')
    v = data.get('last_heartbeat')
    if v is not None:
        m.last_heartbeat.CopyFrom(codec.timestamp(v, path, 'last_heartbeat'))
    v = data.get('registered_at')
    if v is not None:
        m.registered_at.CopyFrom(codec.timestamp(v, path, 'registered_at'))
    v = data.get('updated_at')
    if v is not None:
        m.updated_at.CopyFrom(codec.timestamp(v, path, 'updated_at'))
    v = data.get('uid')
    if v is not None:
        m.uid = codec.string(v, path, 'uid')
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    v = data.get('labels')
    if v is not None:
        at = codec.at(path, 'labels')
        for k, e in codec.pairs(v, path, 'labels').items():
            m.labels[k] = codec.string(e, at, k)
    v = data.get('role')
    if v is not None:
        m.role = codec.string(v, path, 'role')
    v = data.get('platform')
    if v is not None:
        m.platform.CopyFrom(decode_Platform(v, codec.at(path, 'platform')))
    v = data.get('resources')
    if v is not None:
        m.resources.CopyFrom(decode_Resources(v, codec.at(path, 'resources')))
    v = data.get('capabilities')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'capabilities')):
            at = codec.element(path, 'capabilities', i)
            m.capabilities.append(codec.string(e, at, ''))
    v = data.get('battery')
    if v is not None:
        m.battery.CopyFrom(decode_Battery(v, codec.at(path, 'battery')))
    v = data.get('conditions')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'conditions')):
            at = codec.element(path, 'conditions', i)
            m.conditions.add().CopyFrom(decode_Condition(e, at))
    v = data.get('connection')
    if v is not None:
        m.connection = words_ConnectionState.read(v, path, 'connection')
    v = data.get('offline_faces')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'offline_faces')):
            at = codec.element(path, 'offline_faces', i)
            m.offline_faces.append(novasphere_api_v1_options_gateway.words_Face.read(e, at, ''))
    v = data.get('capacity')
    if v is not None:
        m.capacity = codec.int32(v, path, 'capacity')
    v = data.get('free_slots')
    if v is not None:
        m.free_slots = codec.int32(v, path, 'free_slots')
    v = data.get('agent_version')
    if v is not None:
        m.agent_version = codec.string(v, path, 'agent_version')
    v = data.get('tags')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'tags')):
            at = codec.element(path, 'tags', i)
            m.tags.append(codec.string(e, at, ''))
    v = data.get('boot_id')
    if v is not None:
        m.boot_id = codec.string(v, path, 'boot_id')
    v = data.get('is_foreign')
    if v is not None:
        m.is_foreign = codec.boolean(v, path, 'is_foreign')
    v = data.get('display_name')
    if v is not None:
        m.display_name = codec.string(v, path, 'display_name')
    v = data.get('namespace_id')
    if v is not None:
        m.namespace_id = codec.string(v, path, 'namespace_id')
    v = data.get('endpoint')
    if v is not None:
        m.endpoint = codec.string(v, path, 'endpoint')
    v = data.get('has_given_labels')
    if v is not None:
        m.has_given_labels = codec.boolean(v, path, 'has_given_labels')
    v = data.get('is_reserved')
    if v is not None:
        m.is_reserved = codec.boolean(v, path, 'is_reserved')
    return m
