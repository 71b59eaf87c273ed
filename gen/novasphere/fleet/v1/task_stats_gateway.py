"""Generated from novasphere/fleet/v1/task_stats.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.fleet.v1 import task_stats_pb2 as novasphere_fleet_v1_task_stats_pb2


words_StatsPeriod = codec.Words(
    {0: 'UNSPECIFIED', 1: '1h', 2: '24h', 3: '7d', 4: '30d'},
    {'UNSPECIFIED': 0, 'STATS_PERIOD_UNSPECIFIED': 0, '1h': 1, 'HOUR': 1, 'STATS_PERIOD_HOUR': 1, '24h': 2, 'DAY': 2, 'STATS_PERIOD_DAY': 2, '7d': 3, 'WEEK': 3, 'STATS_PERIOD_WEEK': 3, '30d': 4, 'MONTH': 4, 'STATS_PERIOD_MONTH': 4},
)


words_TaskStatsGrouping = codec.Words(
    {0: 'UNSPECIFIED', 1: 'device', 2: 'task_type', 3: 'hour'},
    {'UNSPECIFIED': 0, 'TASK_STATS_GROUPING_UNSPECIFIED': 0, 'device': 1, 'DEVICE': 1, 'TASK_STATS_GROUPING_DEVICE': 1, 'task_type': 2, 'TASK_TYPE': 2, 'TASK_STATS_GROUPING_TASK_TYPE': 2, 'hour': 3, 'HOUR': 3, 'TASK_STATS_GROUPING_HOUR': 3},
)


def encode_TaskCounts(m: novasphere_fleet_v1_task_stats_pb2.TaskCounts) -> dict[str, Any]:
    return {
        'completed': m.completed,
        'failed': m.failed,
        'cancelled': m.cancelled,
    }


def dump_TaskCounts(m: novasphere_fleet_v1_task_stats_pb2.TaskCounts) -> bytes:
    return orjson.dumps(encode_TaskCounts(m))


keys_TaskCounts = frozenset(['cancelled', 'completed', 'failed'])


def decode_TaskCounts(data: Any, path: str = '', known: frozenset[str] = keys_TaskCounts) -> novasphere_fleet_v1_task_stats_pb2.TaskCounts:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_task_stats_pb2.TaskCounts()
    v = data.get('completed')
    if v is not None:
        m.completed = codec.int32(v, path, 'completed')
    v = data.get('failed')
    if v is not None:
        m.failed = codec.int32(v, path, 'failed')
    v = data.get('cancelled')
    if v is not None:
        m.cancelled = codec.int32(v, path, 'cancelled')
    return m


def encode_TaskGroup(m: novasphere_fleet_v1_task_stats_pb2.TaskGroup) -> dict[str, Any]:
    return {
        'completed': m.completed,
        'failed': m.failed,
        'cancelled': m.cancelled,
        'average_execution_time': m.average_execution_time if m.HasField("average_execution_time") else None,
        'success_rate': m.success_rate if m.HasField("success_rate") else None,
    }


def dump_TaskGroup(m: novasphere_fleet_v1_task_stats_pb2.TaskGroup) -> bytes:
    return orjson.dumps(encode_TaskGroup(m))


keys_TaskGroup = frozenset(['average_execution_time', 'cancelled', 'completed', 'failed', 'success_rate'])


def decode_TaskGroup(data: Any, path: str = '', known: frozenset[str] = keys_TaskGroup) -> novasphere_fleet_v1_task_stats_pb2.TaskGroup:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_task_stats_pb2.TaskGroup()
    v = data.get('completed')
    if v is not None:
        m.completed = codec.int32(v, path, 'completed')
    v = data.get('failed')
    if v is not None:
        m.failed = codec.int32(v, path, 'failed')
    v = data.get('cancelled')
    if v is not None:
        m.cancelled = codec.int32(v, path, 'cancelled')
    v = data.get('average_execution_time')
    if v is not None:
        m.average_execution_time = codec.double(v, path, 'average_execution_time')
    v = data.get('success_rate')
    if v is not None:
        m.success_rate = codec.double(v, path, 'success_rate')
    return m


def encode_TaskStats(m: novasphere_fleet_v1_task_stats_pb2.TaskStats) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.period:
        data['period'] = words_StatsPeriod.get(v, v)
    data['total_tasks'] = m.total_tasks
    if m.HasField("by_status"):
        data['by_status'] = encode_TaskCounts(m.by_status)
    if v := m.group_by:
        data['group_by'] = words_TaskStatsGrouping.get(v, v)
    data['by_device'] = {k: encode_TaskGroup(x[k]) for k in sorted(x)} if (x := m.by_device) else {}
    data['by_task_type'] = {k: encode_TaskGroup(x[k]) for k in sorted(x)} if (x := m.by_task_type) else {}
    data['by_hour'] = {k: encode_TaskGroup(x[k]) for k in sorted(x)} if (x := m.by_hour) else {}
    data['average_execution_time'] = m.average_execution_time if m.HasField("average_execution_time") else None
    data['success_rate'] = m.success_rate if m.HasField("success_rate") else None
    return data


def dump_TaskStats(m: novasphere_fleet_v1_task_stats_pb2.TaskStats) -> bytes:
    return orjson.dumps(encode_TaskStats(m))


keys_TaskStats = frozenset(['average_execution_time', 'by_device', 'by_hour', 'by_status', 'by_task_type', 'group_by', 'period', 'success_rate', 'total_tasks'])


def decode_TaskStats(data: Any, path: str = '', known: frozenset[str] = keys_TaskStats) -> novasphere_fleet_v1_task_stats_pb2.TaskStats:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_task_stats_pb2.TaskStats()
    v = data.get('period')
    if v is not None:
        m.period = words_StatsPeriod.read(v, path, 'period')
    v = data.get('total_tasks')
    if v is not None:
        m.total_tasks = codec.int32(v, path, 'total_tasks')
    v = data.get('by_status')
    if v is not None:
        m.by_status.CopyFrom(decode_TaskCounts(v, codec.at(path, 'by_status')))
    v = data.get('group_by')
    if v is not None:
        m.group_by = words_TaskStatsGrouping.read(v, path, 'group_by')
    v = data.get('by_device')
    if v is not None:
        at = codec.at(path, 'by_device')
        for k, e in codec.pairs(v, path, 'by_device').items():
            m.by_device[k].CopyFrom(decode_TaskGroup(e, codec.at(at, k)))
    v = data.get('by_task_type')
    if v is not None:
        at = codec.at(path, 'by_task_type')
        for k, e in codec.pairs(v, path, 'by_task_type').items():
            m.by_task_type[k].CopyFrom(decode_TaskGroup(e, codec.at(at, k)))
    v = data.get('by_hour')
    if v is not None:
        at = codec.at(path, 'by_hour')
        for k, e in codec.pairs(v, path, 'by_hour').items():
            m.by_hour[k].CopyFrom(decode_TaskGroup(e, codec.at(at, k)))
    v = data.get('average_execution_time')
    if v is not None:
        m.average_execution_time = codec.double(v, path, 'average_execution_time')
    v = data.get('success_rate')
    if v is not None:
        m.success_rate = codec.double(v, path, 'success_rate')
    return m
