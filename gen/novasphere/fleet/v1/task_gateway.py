"""Generated from novasphere/fleet/v1/task.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.fleet.v1 import task_pb2 as novasphere_fleet_v1_task_pb2


words_TaskStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'pending', 2: 'running', 3: 'completed', 4: 'failed', 5: 'cancelled'},
    {'UNSPECIFIED': 0, 'TASK_STATUS_UNSPECIFIED': 0, 'pending': 1, 'PENDING': 1, 'TASK_STATUS_PENDING': 1, 'running': 2, 'RUNNING': 2, 'TASK_STATUS_RUNNING': 2, 'completed': 3, 'COMPLETED': 3, 'TASK_STATUS_COMPLETED': 3, 'failed': 4, 'FAILED': 4, 'TASK_STATUS_FAILED': 4, 'cancelled': 5, 'CANCELLED': 5, 'TASK_STATUS_CANCELLED': 5},
)


words_TaskPriority = codec.Words(
    {0: 'UNSPECIFIED', 1: 'low', 2: 'normal', 3: 'high', 4: 'urgent'},
    {'UNSPECIFIED': 0, 'TASK_PRIORITY_UNSPECIFIED': 0, 'low': 1, 'LOW': 1, 'TASK_PRIORITY_LOW': 1, 'normal': 2, 'NORMAL': 2, 'TASK_PRIORITY_NORMAL': 2, 'high': 3, 'HIGH': 3, 'TASK_PRIORITY_HIGH': 3, 'urgent': 4, 'URGENT': 4, 'TASK_PRIORITY_URGENT': 4},
)


def encode_TaskResult(m: novasphere_fleet_v1_task_pb2.TaskResult) -> dict[str, Any]:
    return {
        'output': m.output,
        'exit_code': m.exit_code if m.HasField("exit_code") else None,
    }


def dump_TaskResult(m: novasphere_fleet_v1_task_pb2.TaskResult) -> bytes:
    return orjson.dumps(encode_TaskResult(m))


keys_TaskResult = frozenset(['exit_code', 'output'])


def decode_TaskResult(data: Any, path: str = '', known: frozenset[str] = keys_TaskResult) -> novasphere_fleet_v1_task_pb2.TaskResult:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_task_pb2.TaskResult()
    v = data.get('output')
    if v is not None:
        m.output = codec.string(v, path, 'output')
    v = data.get('exit_code')
    if v is not None:
        m.exit_code = codec.int32(v, path, 'exit_code')
    return m


def encode_ResourceUsage(m: novasphere_fleet_v1_task_pb2.ResourceUsage) -> dict[str, Any]:
    return {
        'peak_cpu_percent': m.peak_cpu_percent if m.HasField("peak_cpu_percent") else None,
        'peak_memory_mb': m.peak_memory_mb if m.HasField("peak_memory_mb") else None,
        'total_cpu_time_seconds': m.total_cpu_time_seconds if m.HasField("total_cpu_time_seconds") else None,
    }


def dump_ResourceUsage(m: novasphere_fleet_v1_task_pb2.ResourceUsage) -> bytes:
    return orjson.dumps(encode_ResourceUsage(m))


keys_ResourceUsage = frozenset(['peak_cpu_percent', 'peak_memory_mb', 'total_cpu_time_seconds'])


def decode_ResourceUsage(data: Any, path: str = '', known: frozenset[str] = keys_ResourceUsage) -> novasphere_fleet_v1_task_pb2.ResourceUsage:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_task_pb2.ResourceUsage()
    v = data.get('peak_cpu_percent')
    if v is not None:
        m.peak_cpu_percent = codec.double(v, path, 'peak_cpu_percent')
    v = data.get('peak_memory_mb')
    if v is not None:
        m.peak_memory_mb = codec.int32(v, path, 'peak_memory_mb')
    v = data.get('total_cpu_time_seconds')
    if v is not None:
        m.total_cpu_time_seconds = codec.double(v, path, 'total_cpu_time_seconds')
    return m


def encode_Task(m: novasphere_fleet_v1_task_pb2.Task) -> dict[str, Any]:
    data: dict[str, Any] = {
        'task_id': m.task_id,
        'task_type': m.task_type,
    }
    if v := m.status:
        data['status'] = words_TaskStatus.get(v, v)
    data['device_id'] = m.device_id if m.HasField("device_id") else None
    if v := m.priority:
        data['priority'] = words_TaskPriority.get(v, v)
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['started_at'] = codec.print_seconds(m.started_at.seconds) if m.HasField("started_at") else None
    data['completed_at'] = codec.print_seconds(m.completed_at.seconds) if m.HasField("completed_at") else None
    data['execution_time_seconds'] = m.execution_time_seconds if m.HasField("execution_time_seconds") else None
    data['result'] = encode_TaskResult(m.result) if m.HasField("result") else None
    data['error'] = m.error if m.HasField("error") else None
    data['retry_count'] = m.retry_count
    return data


def dump_Task(m: novasphere_fleet_v1_task_pb2.Task) -> bytes:
    return orjson.dumps(encode_Task(m))


keys_Task = frozenset(['completed_at', 'created_at', 'device_id', 'error', 'execution_time_seconds', 'priority', 'result', 'retry_count', 'started_at', 'status', 'task_id', 'task_type'])


def decode_Task(data: Any, path: str = '', known: frozenset[str] = keys_Task) -> novasphere_fleet_v1_task_pb2.Task:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_task_pb2.Task()
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    v = data.get('task_type')
    if v is not None:
        m.task_type = codec.string(v, path, 'task_type')
    v = data.get('status')
    if v is not None:
        m.status = words_TaskStatus.read(v, path, 'status')
    v = data.get('device_id')
    if v is not None:
        m.device_id = codec.string(v, path, 'device_id')
    v = data.get('priority')
    if v is not None:
        m.priority = words_TaskPriority.read(v, path, 'priority')
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('started_at')
    if v is not None:
        m.started_at.CopyFrom(codec.timestamp(v, path, 'started_at'))
    v = data.get('completed_at')
    if v is not None:
        m.completed_at.CopyFrom(codec.timestamp(v, path, 'completed_at'))
    v = data.get('execution_time_seconds')
    if v is not None:
        m.execution_time_seconds = codec.double(v, path, 'execution_time_seconds')
    v = data.get('result')
    if v is not None:
        m.result.CopyFrom(decode_TaskResult(v, codec.at(path, 'result')))
    v = data.get('error')
    if v is not None:
        m.error = codec.string(v, path, 'error')
    v = data.get('retry_count')
    if v is not None:
        m.retry_count = codec.int32(v, path, 'retry_count')
    return m


def encode_TaskDetails(m: novasphere_fleet_v1_task_pb2.TaskDetails) -> dict[str, Any]:
    data: dict[str, Any] = {
        'task_id': m.task_id,
        'task_type': m.task_type,
    }
    if v := m.status:
        data['status'] = words_TaskStatus.get(v, v)
    data['device_id'] = m.device_id if m.HasField("device_id") else None
    if v := m.priority:
        data['priority'] = words_TaskPriority.get(v, v)
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['started_at'] = codec.print_seconds(m.started_at.seconds) if m.HasField("started_at") else None
    data['completed_at'] = codec.print_seconds(m.completed_at.seconds) if m.HasField("completed_at") else None
    data['execution_time_seconds'] = m.execution_time_seconds if m.HasField("execution_time_seconds") else None
    data['result'] = encode_TaskResult(m.result) if m.HasField("result") else None
    data['error'] = m.error if m.HasField("error") else None
    data['retry_count'] = m.retry_count
    data['detailed_log'] = m.detailed_log[:]
    if m.HasField("resource_usage"):
        data['resource_usage'] = encode_ResourceUsage(m.resource_usage)
    data['payload'] = codec.print_json(m.payload)
    data['revision'] = m.revision
    return data


def dump_TaskDetails(m: novasphere_fleet_v1_task_pb2.TaskDetails) -> bytes:
    return orjson.dumps(encode_TaskDetails(m))


keys_TaskDetails = frozenset(['completed_at', 'created_at', 'detailed_log', 'device_id', 'error', 'execution_time_seconds', 'payload', 'priority', 'resource_usage', 'result', 'retry_count', 'revision', 'started_at', 'status', 'task_id', 'task_type'])


def decode_TaskDetails(data: Any, path: str = '', known: frozenset[str] = keys_TaskDetails) -> novasphere_fleet_v1_task_pb2.TaskDetails:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_task_pb2.TaskDetails()
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    v = data.get('task_type')
    if v is not None:
        m.task_type = codec.string(v, path, 'task_type')
    v = data.get('status')
    if v is not None:
        m.status = words_TaskStatus.read(v, path, 'status')
    v = data.get('device_id')
    if v is not None:
        m.device_id = codec.string(v, path, 'device_id')
    v = data.get('priority')
    if v is not None:
        m.priority = words_TaskPriority.read(v, path, 'priority')
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('started_at')
    if v is not None:
        m.started_at.CopyFrom(codec.timestamp(v, path, 'started_at'))
    v = data.get('completed_at')
    if v is not None:
        m.completed_at.CopyFrom(codec.timestamp(v, path, 'completed_at'))
    v = data.get('execution_time_seconds')
    if v is not None:
        m.execution_time_seconds = codec.double(v, path, 'execution_time_seconds')
    v = data.get('result')
    if v is not None:
        m.result.CopyFrom(decode_TaskResult(v, codec.at(path, 'result')))
    v = data.get('error')
    if v is not None:
        m.error = codec.string(v, path, 'error')
    v = data.get('retry_count')
    if v is not None:
        m.retry_count = codec.int32(v, path, 'retry_count')
    v = data.get('detailed_log')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'detailed_log')):
            at = codec.element(path, 'detailed_log', i)
            m.detailed_log.append(codec.string(e, at, ''))
    v = data.get('resource_usage')
    if v is not None:
        m.resource_usage.CopyFrom(decode_ResourceUsage(v, codec.at(path, 'resource_usage')))
    v = data.get('payload')
    if v is not None:
        m.payload = codec.json_text(v)
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    return m
