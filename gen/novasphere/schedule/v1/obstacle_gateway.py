"""Generated from novasphere/schedule/v1/obstacle.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import obstacle_pb2 as novasphere_schedule_v1_obstacle_pb2


def encode_Obstacle(m: novasphere_schedule_v1_obstacle_pb2.Obstacle) -> dict[str, Any]:
    data: dict[str, Any] = {
        'reason': m.reason,
        'message': m.message,
    }
    if m.HasField("since"):
        data['since'] = codec.print_seconds(m.since.seconds)
    if m.HasField("until"):
        data['until'] = codec.print_seconds(m.until.seconds)
    data['remedy'] = m.remedy
    data['subject'] = m.subject
    return data


def dump_Obstacle(m: novasphere_schedule_v1_obstacle_pb2.Obstacle) -> bytes:
    return orjson.dumps(encode_Obstacle(m))


keys_Obstacle = frozenset(['message', 'reason', 'remedy', 'since', 'subject', 'until'])


def decode_Obstacle(data: Any, path: str = '', known: frozenset[str] = keys_Obstacle) -> novasphere_schedule_v1_obstacle_pb2.Obstacle:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_obstacle_pb2.Obstacle()
    v = data.get('reason')
    if v is not None:
        m.reason = codec.string(v, path, 'reason')
    v = data.get('message')
    if v is not None:
        m.message = codec.string(v, path, 'message')
    v = data.get('since')
    if v is not None:
        m.since.CopyFrom(codec.timestamp(v, path, 'since'))
    v = data.get('until')
    if v is not None:
        m.until.CopyFrom(codec.timestamp(v, path, 'until'))
    v = data.get('remedy')
    if v is not None:
        m.remedy = codec.string(v, path, 'remedy')
    v = data.get('subject')
    if v is not None:
        m.subject = codec.string(v, path, 'subject')
    return m
