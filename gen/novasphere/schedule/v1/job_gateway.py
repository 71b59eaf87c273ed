"""Generated from novasphere/schedule/v1/job.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import job_pb2 as novasphere_schedule_v1_job_pb2
from novasphere.schedule.v1 import task_gateway as novasphere_schedule_v1_task_gateway


words_JobStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'enabled', 2: 'deleted', 3: 'disabled'},
    {'UNSPECIFIED': 0, 'JOB_STATUS_UNSPECIFIED': 0, 'enabled': 1, 'ENABLED': 1, 'JOB_STATUS_ENABLED': 1, 'deleted': 2, 'DELETED': 2, 'JOB_STATUS_DELETED': 2, 'disabled': 3, 'DISABLED': 3, 'JOB_STATUS_DISABLED': 3},
    {0: 3},
)


def encode_Job(m: novasphere_schedule_v1_job_pb2.Job) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'namespace_id': m.namespace_id,
        'name': m.name,
        'description': m.description if m.HasField("description") else None,
        'environment': codec.print_json(m.environment) if m.HasField("environment") else None,
    }
    if m.HasField("config"):
        data['config'] = novasphere_schedule_v1_task_gateway.encode_TaskConfig(m.config)
    if v := m.status:
        data['status'] = words_JobStatus.get(v, v)
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    if m.HasField("updated_at"):
        data['updated_at'] = codec.print_seconds(m.updated_at.seconds)
    data['revision'] = m.revision
    data['created_by'] = m.created_by
    data['number'] = m.number
    return data


def dump_Job(m: novasphere_schedule_v1_job_pb2.Job) -> bytes:
    return orjson.dumps(encode_Job(m))


keys_Job = frozenset(['config', 'created_at', 'created_by', 'description', 'environment', 'id', 'name', 'namespace_id', 'number', 'revision', 'status', 'updated_at'])


def decode_Job(data: Any, path: str = '', known: frozenset[str] = keys_Job) -> novasphere_schedule_v1_job_pb2.Job:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_pb2.Job()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    v = data.get('namespace_id')
    if v is not None:
        m.namespace_id = codec.string(v, path, 'namespace_id')
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('description')
    if v is not None:
        m.description = codec.string(v, path, 'description')
    v = data.get('environment')
    if v is not None:
        m.environment = codec.json_text(v)
    v = data.get('config')
    if v is not None:
        m.config.CopyFrom(novasphere_schedule_v1_task_gateway.decode_TaskConfig(v, codec.at(path, 'config')))
    v = data.get('status')
    if v is not None:
        m.status = words_JobStatus.read(v, path, 'status')
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('updated_at')
    if v is not None:
        m.updated_at.CopyFrom(codec.timestamp(v, path, 'updated_at'))
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    v = data.get('created_by')
    if v is not None:
        m.created_by = codec.int64(v, path, 'created_by')
    v = data.get('number')
    if v is not None:
        m.number = codec.int64(v, path, 'number')
    return m
