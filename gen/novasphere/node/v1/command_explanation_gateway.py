"""Generated from novasphere/node/v1/command_explanation.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.node.v1 import command_explanation_pb2 as novasphere_node_v1_command_explanation_pb2
from novasphere.node.v1 import node_gateway as novasphere_node_v1_node_gateway


words_CommandCause = codec.Words(
    {0: 'UNSPECIFIED', 1: 'NODE_AWAY', 2: 'NODE_LOST', 3: 'NODE_FAULT', 4: 'NO_FREE_SLOT', 5: 'NEXT', 6: 'LINK_ELSEWHERE', 7: 'NOT_CONFIRMED', 8: 'RUNNING', 9: 'PAST_TIMEOUT', 10: 'CANCELLING', 11: 'SUCCEEDED', 12: 'EXIT_CODE', 13: 'SIGNAL', 14: 'TIMEOUT', 15: 'QUEUE_TIMEOUT', 16: 'CANCELLED', 17: 'LOST', 18: 'UNKNOWN', 19: 'NOT_ALLOWED', 20: 'SPAWN_FAILED', 21: 'LATE_REPORT', 22: 'NOT_PLACED', 23: 'ENDED'},
    {'UNSPECIFIED': 0, 'COMMAND_CAUSE_UNSPECIFIED': 0, 'NODE_AWAY': 1, 'COMMAND_CAUSE_NODE_AWAY': 1, 'NODE_LOST': 2, 'COMMAND_CAUSE_NODE_LOST': 2, 'NODE_FAULT': 3, 'COMMAND_CAUSE_NODE_FAULT': 3, 'NO_FREE_SLOT': 4, 'COMMAND_CAUSE_NO_FREE_SLOT': 4, 'NEXT': 5, 'COMMAND_CAUSE_NEXT': 5, 'LINK_ELSEWHERE': 6, 'COMMAND_CAUSE_LINK_ELSEWHERE': 6, 'NOT_CONFIRMED': 7, 'COMMAND_CAUSE_NOT_CONFIRMED': 7, 'RUNNING': 8, 'COMMAND_CAUSE_RUNNING': 8, 'PAST_TIMEOUT': 9, 'COMMAND_CAUSE_PAST_TIMEOUT': 9, 'CANCELLING': 10, 'COMMAND_CAUSE_CANCELLING': 10, 'SUCCEEDED': 11, 'COMMAND_CAUSE_SUCCEEDED': 11, 'EXIT_CODE': 12, 'COMMAND_CAUSE_EXIT_CODE': 12, 'SIGNAL': 13, 'COMMAND_CAUSE_SIGNAL': 13, 'TIMEOUT': 14, 'COMMAND_CAUSE_TIMEOUT': 14, 'QUEUE_TIMEOUT': 15, 'COMMAND_CAUSE_QUEUE_TIMEOUT': 15, 'CANCELLED': 16, 'COMMAND_CAUSE_CANCELLED': 16, 'LOST': 17, 'COMMAND_CAUSE_LOST': 17, 'UNKNOWN': 18, 'COMMAND_CAUSE_UNKNOWN': 18, 'NOT_ALLOWED': 19, 'COMMAND_CAUSE_NOT_ALLOWED': 19, 'SPAWN_FAILED': 20, 'COMMAND_CAUSE_SPAWN_FAILED': 20, 'LATE_REPORT': 21, 'COMMAND_CAUSE_LATE_REPORT': 21, 'NOT_PLACED': 22, 'COMMAND_CAUSE_NOT_PLACED': 22, 'ENDED': 23, 'COMMAND_CAUSE_ENDED': 23},
)


def encode_CommandExplanation(m: novasphere_node_v1_command_explanation_pb2.CommandExplanation) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.cause:
        data['cause'] = words_CommandCause.get(v, v)
    if m.HasField("since"):
        data['since'] = codec.print_seconds(m.since.seconds)
    if m.HasField("until"):
        data['until'] = codec.print_seconds(m.until.seconds)
    data['message'] = m.message
    data['remedy'] = m.remedy
    return data


def dump_CommandExplanation(m: novasphere_node_v1_command_explanation_pb2.CommandExplanation) -> bytes:
    return orjson.dumps(encode_CommandExplanation(m))


keys_CommandExplanation = frozenset(['cause', 'message', 'remedy', 'since', 'until'])


def decode_CommandExplanation(data: Any, path: str = '', known: frozenset[str] = keys_CommandExplanation) -> novasphere_node_v1_command_explanation_pb2.CommandExplanation:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_explanation_pb2.CommandExplanation()
    v = data.get('cause')
    if v is not None:
        m.cause = words_CommandCause.read(v, path, 'cause')
    v = data.get('since')
    if v is not None:
        m.since.CopyFrom(codec.timestamp(v, path, 'since'))
    v = data.get('until')
    if v is not None:
        m.until.CopyFrom(codec.timestamp(v, path, 'until'))
    v = data.get('message')
    if v is not None:
        m.message = codec.string(v, path, 'message')
    v = data.get('remedy')
    if v is not None:
        m.remedy = codec.string(v, path, 'remedy')
    return m


def encode_CommandNodeSituation(m: novasphere_node_v1_command_explanation_pb2.CommandNodeSituation) -> dict[str, Any]:
    data: dict[str, Any] = {
        'node_id': m.node_id,
    }
    if v := m.connection:
        data['connection'] = novasphere_node_v1_node_gateway.words_ConnectionState.get(v, v)
    if m.HasField("last_heartbeat"):
        data['last_heartbeat'] = codec.print_seconds(m.last_heartbeat.seconds)
    if m.HasField("lost_at"):
        data['lost_at'] = codec.print_seconds(m.lost_at.seconds)
    data['capacity'] = m.capacity
    if m.HasField("free_slots"):
        data['free_slots'] = m.free_slots
    data['fault'] = m.fault
    return data


def dump_CommandNodeSituation(m: novasphere_node_v1_command_explanation_pb2.CommandNodeSituation) -> bytes:
    return orjson.dumps(encode_CommandNodeSituation(m))


keys_CommandNodeSituation = frozenset(['capacity', 'connection', 'fault', 'free_slots', 'last_heartbeat', 'lost_at', 'node_id'])


def decode_CommandNodeSituation(data: Any, path: str = '', known: frozenset[str] = keys_CommandNodeSituation) -> novasphere_node_v1_command_explanation_pb2.CommandNodeSituation:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_explanation_pb2.CommandNodeSituation()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('connection')
    if v is not None:
        m.connection = novasphere_node_v1_node_gateway.words_ConnectionState.read(v, path, 'connection')
    v = data.get('last_heartbeat')
    if v is not None:
        m.last_heartbeat.CopyFrom(codec.timestamp(v, path, 'last_heartbeat'))
    v = data.get('lost_at')
    if v is not None:
        m.lost_at.CopyFrom(codec.timestamp(v, path, 'lost_at'))
    v = data.get('capacity')
    if v is not None:
        m.capacity = codec.int32(v, path, 'capacity')
    v = data.get('free_slots')
    if v is not None:
        m.free_slots = codec.int32(v, path, 'free_slots')
    v = data.get('fault')
    if v is not None:
        m.fault = codec.string(v, path, 'fault')
    return m


def encode_CommandQueueSituation(m: novasphere_node_v1_command_explanation_pb2.CommandQueueSituation) -> dict[str, Any]:
    return {
        'running_count': m.running_count,
        'ahead_count': m.ahead_count,
        'ahead_command_ids': m.ahead_command_ids[:],
    }


def dump_CommandQueueSituation(m: novasphere_node_v1_command_explanation_pb2.CommandQueueSituation) -> bytes:
    return orjson.dumps(encode_CommandQueueSituation(m))


keys_CommandQueueSituation = frozenset(['ahead_command_ids', 'ahead_count', 'running_count'])


def decode_CommandQueueSituation(data: Any, path: str = '', known: frozenset[str] = keys_CommandQueueSituation) -> novasphere_node_v1_command_explanation_pb2.CommandQueueSituation:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_explanation_pb2.CommandQueueSituation()
    v = data.get('running_count')
    if v is not None:
        m.running_count = codec.int32(v, path, 'running_count')
    v = data.get('ahead_count')
    if v is not None:
        m.ahead_count = codec.int32(v, path, 'ahead_count')
    v = data.get('ahead_command_ids')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'ahead_command_ids')):
            at = codec.element(path, 'ahead_command_ids', i)
            m.ahead_command_ids.append(codec.string(e, at, ''))
    return m
