"""Generated from novasphere/schedule/v1/job_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import watch_gateway as novasphere_api_v1_watch_gateway
from novasphere.schedule.v1 import job_gateway as novasphere_schedule_v1_job_gateway
from novasphere.schedule.v1 import job_service_pb2 as novasphere_schedule_v1_job_service_pb2
from novasphere.schedule.v1 import page_gateway as novasphere_schedule_v1_page_gateway
from novasphere.schedule.v1 import task_gateway as novasphere_schedule_v1_task_gateway


def encode_ListJobsRequest(m: novasphere_schedule_v1_job_service_pb2.ListJobsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'filter': {k: novasphere_schedule_v1_page_gateway.encode_Condition(x[k]) for k in sorted(x)} if (x := m.filter) else {},
    }
    if m.HasField("page"):
        data['page'] = novasphere_schedule_v1_page_gateway.encode_PageSpec(m.page)
    return data


def dump_ListJobsRequest(m: novasphere_schedule_v1_job_service_pb2.ListJobsRequest) -> bytes:
    return orjson.dumps(encode_ListJobsRequest(m))


keys_ListJobsRequest = frozenset(['filter', 'page'])


def decode_ListJobsRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListJobsRequest) -> novasphere_schedule_v1_job_service_pb2.ListJobsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.ListJobsRequest()
    v = data.get('filter')
    if v is not None:
        at = codec.at(path, 'filter')
        for k, e in codec.pairs(v, path, 'filter').items():
            m.filter[k].CopyFrom(novasphere_schedule_v1_page_gateway.decode_Condition(e, codec.at(at, k)))
    v = data.get('page')
    if v is not None:
        m.page.CopyFrom(novasphere_schedule_v1_page_gateway.decode_PageSpec(v, codec.at(path, 'page')))
    return m


def encode_ListJobsResponse(m: novasphere_schedule_v1_job_service_pb2.ListJobsResponse) -> dict[str, Any]:
    return {
        'data': [novasphere_schedule_v1_job_gateway.encode_Job(v) for v in x[:]] if (x := m.data) else [],
        'total': m.total,
        'page': m.page,
        'page_size': m.page_size,
    }


def dump_ListJobsResponse(m: novasphere_schedule_v1_job_service_pb2.ListJobsResponse) -> bytes:
    return orjson.dumps(encode_ListJobsResponse(m))


keys_ListJobsResponse = frozenset(['data', 'page', 'page_size', 'total'])


def decode_ListJobsResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListJobsResponse) -> novasphere_schedule_v1_job_service_pb2.ListJobsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.ListJobsResponse()
    v = data.get('data')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'data')):
            at = codec.element(path, 'data', i)
            m.data.add().CopyFrom(novasphere_schedule_v1_job_gateway.decode_Job(e, at))
    v = data.get('total')
    if v is not None:
        m.total = codec.int32(v, path, 'total')
    v = data.get('page')
    if v is not None:
        m.page = codec.int32(v, path, 'page')
    v = data.get('page_size')
    if v is not None:
        m.page_size = codec.int32(v, path, 'page_size')
    return m


def encode_CreateJobRequest(m: novasphere_schedule_v1_job_service_pb2.CreateJobRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'namespace_id': m.namespace_id,
        'name': m.name,
    }
    if m.HasField("description"):
        data['description'] = m.description
    if m.HasField("environment"):
        data['environment'] = codec.print_json(m.environment)
    if m.HasField("config"):
        data['config'] = novasphere_schedule_v1_task_gateway.encode_TaskConfig(m.config)
    if v := m.status:
        data['status'] = novasphere_schedule_v1_job_gateway.words_JobStatus.get(v, v)
    data['validate_only'] = m.validate_only
    return data


def dump_CreateJobRequest(m: novasphere_schedule_v1_job_service_pb2.CreateJobRequest) -> bytes:
    return orjson.dumps(encode_CreateJobRequest(m))


keys_CreateJobRequest = frozenset(['config', 'description', 'dry_run', 'environment', 'name', 'namespace', 'namespace_id', 'status', 'validate_only'])


def decode_CreateJobRequest(data: Any, path: str = '', known: frozenset[str] = keys_CreateJobRequest) -> novasphere_schedule_v1_job_service_pb2.CreateJobRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.CreateJobRequest()
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
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
        m.status = novasphere_schedule_v1_job_gateway.words_JobStatus.read(v, path, 'status')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CreateJobResponse(m: novasphere_schedule_v1_job_service_pb2.CreateJobResponse) -> dict[str, Any]:
    return {
        'id': m.id,
    }


def dump_CreateJobResponse(m: novasphere_schedule_v1_job_service_pb2.CreateJobResponse) -> bytes:
    return orjson.dumps(encode_CreateJobResponse(m))


keys_CreateJobResponse = frozenset(['id'])


def decode_CreateJobResponse(data: Any, path: str = '', known: frozenset[str] = keys_CreateJobResponse) -> novasphere_schedule_v1_job_service_pb2.CreateJobResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.CreateJobResponse()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    return m


def encode_GetJobRequest(m: novasphere_schedule_v1_job_service_pb2.GetJobRequest) -> dict[str, Any]:
    return {
        'id': m.job_id,
    }


def dump_GetJobRequest(m: novasphere_schedule_v1_job_service_pb2.GetJobRequest) -> bytes:
    return orjson.dumps(encode_GetJobRequest(m))


keys_GetJobRequest = frozenset(['id', 'job_id'])


def decode_GetJobRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetJobRequest) -> novasphere_schedule_v1_job_service_pb2.GetJobRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.GetJobRequest()
    key, v = codec.pick(data, ('id', 'job_id'), path)
    if v is not None:
        m.job_id = codec.string(v, path, key)
    return m


def encode_GetJobResponse(m: novasphere_schedule_v1_job_service_pb2.GetJobResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("job"):
        data['job'] = novasphere_schedule_v1_job_gateway.encode_Job(m.job)
    return data


def dump_GetJobResponse(m: novasphere_schedule_v1_job_service_pb2.GetJobResponse) -> bytes:
    return orjson.dumps(encode_GetJobResponse(m))


keys_GetJobResponse = frozenset(['job'])


def decode_GetJobResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetJobResponse) -> novasphere_schedule_v1_job_service_pb2.GetJobResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.GetJobResponse()
    v = data.get('job')
    if v is not None:
        m.job.CopyFrom(novasphere_schedule_v1_job_gateway.decode_Job(v, codec.at(path, 'job')))
    return m


def encode_UpdateJobRequest(m: novasphere_schedule_v1_job_service_pb2.UpdateJobRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.job_id,
    }
    if m.HasField("name"):
        data['name'] = m.name
    if m.HasField("description"):
        data['description'] = m.description
    if m.HasField("environment"):
        data['environment'] = codec.print_json(m.environment)
    if m.HasField("config"):
        data['config'] = novasphere_schedule_v1_task_gateway.encode_TaskConfig(m.config)
    if m.HasField("status"):
        data['status'] = novasphere_schedule_v1_job_gateway.words_JobStatus.print(m.status)
    if m.HasField("update_mask"):
        data['update_mask'] = codec.print_field_mask(m.update_mask)
    data['validate_only'] = m.validate_only
    return data


def dump_UpdateJobRequest(m: novasphere_schedule_v1_job_service_pb2.UpdateJobRequest) -> bytes:
    return orjson.dumps(encode_UpdateJobRequest(m))


keys_UpdateJobRequest = frozenset(['config', 'description', 'dry_run', 'environment', 'id', 'job_id', 'name', 'status', 'update_mask', 'validate_only'])


def decode_UpdateJobRequest(data: Any, path: str = '', known: frozenset[str] = keys_UpdateJobRequest) -> novasphere_schedule_v1_job_service_pb2.UpdateJobRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.UpdateJobRequest()
    key, v = codec.pick(data, ('id', 'job_id'), path)
    if v is not None:
        m.job_id = codec.string(v, path, key)
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
        m.status = novasphere_schedule_v1_job_gateway.words_JobStatus.read(v, path, 'status')
    v = data.get('update_mask')
    if v is not None:
        m.update_mask.CopyFrom(codec.field_mask(v, path, 'update_mask'))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_UpdateJobResponse(m: novasphere_schedule_v1_job_service_pb2.UpdateJobResponse) -> dict[str, Any]:
    return {}


def dump_UpdateJobResponse(m: novasphere_schedule_v1_job_service_pb2.UpdateJobResponse) -> bytes:
    return orjson.dumps(encode_UpdateJobResponse(m))


keys_UpdateJobResponse = frozenset([])


def decode_UpdateJobResponse(data: Any, path: str = '', known: frozenset[str] = keys_UpdateJobResponse) -> novasphere_schedule_v1_job_service_pb2.UpdateJobResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.UpdateJobResponse()
    return m


def encode_DeleteJobRequest(m: novasphere_schedule_v1_job_service_pb2.DeleteJobRequest) -> dict[str, Any]:
    return {
        'id': m.job_id,
        'validate_only': m.validate_only,
    }


def dump_DeleteJobRequest(m: novasphere_schedule_v1_job_service_pb2.DeleteJobRequest) -> bytes:
    return orjson.dumps(encode_DeleteJobRequest(m))


keys_DeleteJobRequest = frozenset(['dry_run', 'id', 'job_id', 'validate_only'])


def decode_DeleteJobRequest(data: Any, path: str = '', known: frozenset[str] = keys_DeleteJobRequest) -> novasphere_schedule_v1_job_service_pb2.DeleteJobRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.DeleteJobRequest()
    key, v = codec.pick(data, ('id', 'job_id'), path)
    if v is not None:
        m.job_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_DeleteJobResponse(m: novasphere_schedule_v1_job_service_pb2.DeleteJobResponse) -> dict[str, Any]:
    return {}


def dump_DeleteJobResponse(m: novasphere_schedule_v1_job_service_pb2.DeleteJobResponse) -> bytes:
    return orjson.dumps(encode_DeleteJobResponse(m))


keys_DeleteJobResponse = frozenset([])


def decode_DeleteJobResponse(data: Any, path: str = '', known: frozenset[str] = keys_DeleteJobResponse) -> novasphere_schedule_v1_job_service_pb2.DeleteJobResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.DeleteJobResponse()
    return m


def encode_EnableJobRequest(m: novasphere_schedule_v1_job_service_pb2.EnableJobRequest) -> dict[str, Any]:
    return {
        'id': m.job_id,
        'validate_only': m.validate_only,
    }


def dump_EnableJobRequest(m: novasphere_schedule_v1_job_service_pb2.EnableJobRequest) -> bytes:
    return orjson.dumps(encode_EnableJobRequest(m))


keys_EnableJobRequest = frozenset(['dry_run', 'id', 'job_id', 'validate_only'])


def decode_EnableJobRequest(data: Any, path: str = '', known: frozenset[str] = keys_EnableJobRequest) -> novasphere_schedule_v1_job_service_pb2.EnableJobRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.EnableJobRequest()
    key, v = codec.pick(data, ('id', 'job_id'), path)
    if v is not None:
        m.job_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_EnableJobResponse(m: novasphere_schedule_v1_job_service_pb2.EnableJobResponse) -> dict[str, Any]:
    return {}


def dump_EnableJobResponse(m: novasphere_schedule_v1_job_service_pb2.EnableJobResponse) -> bytes:
    return orjson.dumps(encode_EnableJobResponse(m))


keys_EnableJobResponse = frozenset([])


def decode_EnableJobResponse(data: Any, path: str = '', known: frozenset[str] = keys_EnableJobResponse) -> novasphere_schedule_v1_job_service_pb2.EnableJobResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.EnableJobResponse()
    return m


def encode_DisableJobRequest(m: novasphere_schedule_v1_job_service_pb2.DisableJobRequest) -> dict[str, Any]:
    return {
        'id': m.job_id,
        'validate_only': m.validate_only,
    }


def dump_DisableJobRequest(m: novasphere_schedule_v1_job_service_pb2.DisableJobRequest) -> bytes:
    return orjson.dumps(encode_DisableJobRequest(m))


keys_DisableJobRequest = frozenset(['dry_run', 'id', 'job_id', 'validate_only'])


def decode_DisableJobRequest(data: Any, path: str = '', known: frozenset[str] = keys_DisableJobRequest) -> novasphere_schedule_v1_job_service_pb2.DisableJobRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.DisableJobRequest()
    key, v = codec.pick(data, ('id', 'job_id'), path)
    if v is not None:
        m.job_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_DisableJobResponse(m: novasphere_schedule_v1_job_service_pb2.DisableJobResponse) -> dict[str, Any]:
    return {}


def dump_DisableJobResponse(m: novasphere_schedule_v1_job_service_pb2.DisableJobResponse) -> bytes:
    return orjson.dumps(encode_DisableJobResponse(m))


keys_DisableJobResponse = frozenset([])


def decode_DisableJobResponse(data: Any, path: str = '', known: frozenset[str] = keys_DisableJobResponse) -> novasphere_schedule_v1_job_service_pb2.DisableJobResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.DisableJobResponse()
    return m


def encode_TriggerJobRequest(m: novasphere_schedule_v1_job_service_pb2.TriggerJobRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.job_id,
    }
    if m.HasField("parameters"):
        data['parameters'] = codec.print_json(m.parameters)
    data['priority'] = m.priority
    if m.HasField("scheduled_at"):
        data['scheduled_at'] = codec.print_seconds(m.scheduled_at.seconds)
    data['dependencies'] = [novasphere_schedule_v1_task_gateway.encode_Dependency(v) for v in x[:]] if (x := m.dependencies) else []
    data['validate_only'] = m.validate_only
    return data


def dump_TriggerJobRequest(m: novasphere_schedule_v1_job_service_pb2.TriggerJobRequest) -> bytes:
    return orjson.dumps(encode_TriggerJobRequest(m))


keys_TriggerJobRequest = frozenset(['dependencies', 'dry_run', 'id', 'job_id', 'parameters', 'priority', 'scheduled_at', 'validate_only'])


def decode_TriggerJobRequest(data: Any, path: str = '', known: frozenset[str] = keys_TriggerJobRequest) -> novasphere_schedule_v1_job_service_pb2.TriggerJobRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.TriggerJobRequest()
    key, v = codec.pick(data, ('id', 'job_id'), path)
    if v is not None:
        m.job_id = codec.string(v, path, key)
    v = data.get('parameters')
    if v is not None:
        m.parameters = codec.json_text(v)
    v = data.get('priority')
    if v is not None:
        m.priority = codec.int32(v, path, 'priority')
    v = data.get('scheduled_at')
    if v is not None:
        m.scheduled_at.CopyFrom(codec.timestamp(v, path, 'scheduled_at'))
    v = data.get('dependencies')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'dependencies')):
            at = codec.element(path, 'dependencies', i)
            m.dependencies.add().CopyFrom(novasphere_schedule_v1_task_gateway.decode_Dependency(codec.in_full(e, 'task_id'), at))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_TriggerJobResponse(m: novasphere_schedule_v1_job_service_pb2.TriggerJobResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("task"):
        data['task'] = novasphere_schedule_v1_task_gateway.encode_Task(m.task)
    return data


def dump_TriggerJobResponse(m: novasphere_schedule_v1_job_service_pb2.TriggerJobResponse) -> bytes:
    return orjson.dumps(encode_TriggerJobResponse(m))


keys_TriggerJobResponse = frozenset(['task'])


def decode_TriggerJobResponse(data: Any, path: str = '', known: frozenset[str] = keys_TriggerJobResponse) -> novasphere_schedule_v1_job_service_pb2.TriggerJobResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.TriggerJobResponse()
    v = data.get('task')
    if v is not None:
        m.task.CopyFrom(novasphere_schedule_v1_task_gateway.decode_Task(v, codec.at(path, 'task')))
    return m


def encode_WatchJobsRequest(m: novasphere_schedule_v1_job_service_pb2.WatchJobsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'cursor': m.cursor,
        'id': m.job_id,
        'namespace_id': m.namespace_id,
    }
    if v := m.status:
        data['status'] = novasphere_schedule_v1_job_gateway.words_JobStatus.get(v, v)
    return data


def dump_WatchJobsRequest(m: novasphere_schedule_v1_job_service_pb2.WatchJobsRequest) -> bytes:
    return orjson.dumps(encode_WatchJobsRequest(m))


keys_WatchJobsRequest = frozenset(['cursor', 'id', 'job_id', 'namespace', 'namespace_id', 'status'])


def decode_WatchJobsRequest(data: Any, path: str = '', known: frozenset[str] = keys_WatchJobsRequest) -> novasphere_schedule_v1_job_service_pb2.WatchJobsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.WatchJobsRequest()
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    key, v = codec.pick(data, ('id', 'job_id'), path)
    if v is not None:
        m.job_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
    v = data.get('status')
    if v is not None:
        m.status = novasphere_schedule_v1_job_gateway.words_JobStatus.read(v, path, 'status')
    return m


def encode_WatchJobsResponse(m: novasphere_schedule_v1_job_service_pb2.WatchJobsResponse) -> dict[str, Any]:
    return {
        'events': [encode_JobEvent(v) for v in x[:]] if (x := m.events) else [],
    }


def dump_WatchJobsResponse(m: novasphere_schedule_v1_job_service_pb2.WatchJobsResponse) -> bytes:
    return orjson.dumps(encode_WatchJobsResponse(m))


keys_WatchJobsResponse = frozenset(['events'])


def decode_WatchJobsResponse(data: Any, path: str = '', known: frozenset[str] = keys_WatchJobsResponse) -> novasphere_schedule_v1_job_service_pb2.WatchJobsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.WatchJobsResponse()
    v = data.get('events')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'events')):
            at = codec.element(path, 'events', i)
            m.events.add().CopyFrom(decode_JobEvent(e, at))
    return m


def encode_JobEvent(m: novasphere_schedule_v1_job_service_pb2.JobEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.type:
        data['type'] = novasphere_api_v1_watch_gateway.words_EventType.get(v, v)
    data['cursor'] = m.cursor
    if m.HasField("object"):
        data['object'] = novasphere_schedule_v1_job_gateway.encode_Job(m.object)
    if m.HasField("gap"):
        data['gap'] = novasphere_api_v1_watch_gateway.encode_Gap(m.gap)
    return data


def dump_JobEvent(m: novasphere_schedule_v1_job_service_pb2.JobEvent) -> bytes:
    return orjson.dumps(encode_JobEvent(m))


keys_JobEvent = frozenset(['cursor', 'gap', 'object', 'type'])


def decode_JobEvent(data: Any, path: str = '', known: frozenset[str] = keys_JobEvent) -> novasphere_schedule_v1_job_service_pb2.JobEvent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_job_service_pb2.JobEvent()
    v = data.get('type')
    if v is not None:
        m.type = novasphere_api_v1_watch_gateway.words_EventType.read(v, path, 'type')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('object')
    if v is not None:
        m.object.CopyFrom(novasphere_schedule_v1_job_gateway.decode_Job(v, codec.at(path, 'object')))
    v = data.get('gap')
    if v is not None:
        m.gap.CopyFrom(novasphere_api_v1_watch_gateway.decode_Gap(v, codec.at(path, 'gap')))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/jobs:watch',
        segments=('api', 'v1', 'jobs'),
        verb='watch',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/WatchJobs',
        request=novasphere_schedule_v1_job_service_pb2.WatchJobsRequest,
        response=novasphere_schedule_v1_job_service_pb2.WatchJobsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
            model.Param('id', ('job_id',), 'job_id', 'string', False, codec.parse_string),
            model.Param('namespace_id', ('namespace',), 'namespace_id', 'string', False, codec.parse_string),
            model.Param('status', (), 'status', 'enum', False, codec.parse_enum(novasphere_schedule_v1_job_gateway.words_JobStatus)),
        ),
        headers=(),
        response_body='',
        encode=encode_WatchJobsResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_JobEvent),
        },
        is_empty=False,
        face=6,
        success_status=200,
        scope=1,
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
            dump=dump_JobEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
    model.Route(
        http_method='POST',
        path='/api/v1/jobs/item',
        segments=('api', 'v1', 'jobs', 'item'),
        verb='',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/CreateJob',
        request=novasphere_schedule_v1_job_service_pb2.CreateJobRequest,
        response=novasphere_schedule_v1_job_service_pb2.CreateJobResponse,
        decode_body=codec.body(decode_CreateJobRequest, keys_CreateJobRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_CreateJobResponse,
        encode_field={},
        is_empty=False,
        face=4,
        success_status=200,
        scope=2,
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
        path='/api/v1/jobs/item/{job_id}',
        segments=('api', 'v1', 'jobs', 'item', '*'),
        verb='',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/DeleteJob',
        request=novasphere_schedule_v1_job_service_pb2.DeleteJobRequest,
        response=novasphere_schedule_v1_job_service_pb2.DeleteJobResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_DeleteJobResponse,
        encode_field={},
        is_empty=True,
        face=4,
        success_status=200,
        scope=2,
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
        path='/api/v1/jobs/item/{job_id}',
        segments=('api', 'v1', 'jobs', 'item', '*'),
        verb='',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/GetJob',
        request=novasphere_schedule_v1_job_service_pb2.GetJobRequest,
        response=novasphere_schedule_v1_job_service_pb2.GetJobResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(),
        headers=(),
        response_body='job',
        encode=lambda m: novasphere_schedule_v1_job_gateway.encode_Job(m.job) if m.HasField("job") else None,
        encode_field={
            'job': model.FieldEncoder('job', False, novasphere_schedule_v1_job_gateway.dump_Job),
        },
        is_empty=False,
        face=4,
        success_status=200,
        scope=1,
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
        http_method='PUT',
        path='/api/v1/jobs/item/{job_id}',
        segments=('api', 'v1', 'jobs', 'item', '*'),
        verb='',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/UpdateJob',
        request=novasphere_schedule_v1_job_service_pb2.UpdateJobRequest,
        response=novasphere_schedule_v1_job_service_pb2.UpdateJobResponse,
        decode_body=codec.body(decode_UpdateJobRequest, keys_UpdateJobRequest - {'id', 'job_id'}, frozenset({'id', 'job_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(
            model.Param('update_mask', (), 'update_mask', 'field_mask', False, codec.parse_field_mask),
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_UpdateJobResponse,
        encode_field={},
        is_empty=True,
        face=4,
        success_status=200,
        scope=2,
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
            'description': 'description',
            'environment': 'environment',
            'config': 'config',
            'config.timeout': 'config.timeout_seconds',
            'config.timeout_seconds': 'config.timeout_seconds',
            'config.max_retries': 'config.max_retries',
            'config.retry_interval': 'config.retry_interval_seconds',
            'config.retry_interval_seconds': 'config.retry_interval_seconds',
            'config.cmd': 'config.cmd',
            'config.args': 'config.args',
            'config.capture_output': 'config.capture_output',
            'config.max_output_size': 'config.max_output_size',
            'config.labels': 'config.labels',
            'config.resource_limits': 'config.resource_limits',
            'config.requirements': 'config.requirements',
            'config.backoff': 'config.backoff',
            'config.max_retry_interval': 'config.max_retry_interval_seconds',
            'config.max_retry_interval_seconds': 'config.max_retry_interval_seconds',
            'config.retry_lost': 'config.retry_lost',
            'config.on_disconnect': 'config.on_disconnect',
            'config.lost_after': 'config.lost_after_seconds',
            'config.lost_after_seconds': 'config.lost_after_seconds',
            'config.task_type': 'config.task_type',
            'config.payload': 'config.payload',
            'config.queue_timeout': 'config.queue_timeout_seconds',
            'config.queue_timeout_seconds': 'config.queue_timeout_seconds',
            'config.command_text': 'config.command_text',
            'status': 'status',
        },
    ),
    model.Route(
        http_method='POST',
        path='/api/v1/jobs/item/{job_id}/disable',
        segments=('api', 'v1', 'jobs', 'item', '*', 'disable'),
        verb='',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/DisableJob',
        request=novasphere_schedule_v1_job_service_pb2.DisableJobRequest,
        response=novasphere_schedule_v1_job_service_pb2.DisableJobResponse,
        decode_body=codec.body(decode_DisableJobRequest, keys_DisableJobRequest - {'id', 'job_id'}, frozenset({'id', 'job_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_DisableJobResponse,
        encode_field={},
        is_empty=True,
        face=4,
        success_status=200,
        scope=2,
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
        path='/api/v1/jobs/item/{job_id}/enable',
        segments=('api', 'v1', 'jobs', 'item', '*', 'enable'),
        verb='',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/EnableJob',
        request=novasphere_schedule_v1_job_service_pb2.EnableJobRequest,
        response=novasphere_schedule_v1_job_service_pb2.EnableJobResponse,
        decode_body=codec.body(decode_EnableJobRequest, keys_EnableJobRequest - {'id', 'job_id'}, frozenset({'id', 'job_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_EnableJobResponse,
        encode_field={},
        is_empty=True,
        face=4,
        success_status=200,
        scope=2,
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
        path='/api/v1/jobs/page',
        segments=('api', 'v1', 'jobs', 'page'),
        verb='',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/ListJobs',
        request=novasphere_schedule_v1_job_service_pb2.ListJobsRequest,
        response=novasphere_schedule_v1_job_service_pb2.ListJobsResponse,
        decode_body=codec.body(decode_ListJobsRequest, keys_ListJobsRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ListJobsResponse,
        encode_field={
            'data': model.FieldEncoder('data', True, novasphere_schedule_v1_job_gateway.dump_Job),
        },
        is_empty=False,
        face=4,
        success_status=200,
        scope=1,
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
        path='/api/v1/jobs/{job_id}:trigger',
        segments=('api', 'v1', 'jobs', '*'),
        verb='trigger',
        service='novasphere.schedule.v1.JobService',
        method='/novasphere.schedule.v1.JobService/TriggerJob',
        request=novasphere_schedule_v1_job_service_pb2.TriggerJobRequest,
        response=novasphere_schedule_v1_job_service_pb2.TriggerJobResponse,
        decode_body=codec.body(decode_TriggerJobRequest, keys_TriggerJobRequest - {'id', 'job_id'}, frozenset({'id', 'job_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='task',
        encode=lambda m: novasphere_schedule_v1_task_gateway.encode_Task(m.task) if m.HasField("task") else None,
        encode_field={
            'task': model.FieldEncoder('task', False, novasphere_schedule_v1_task_gateway.dump_Task),
        },
        is_empty=False,
        face=6,
        success_status=200,
        scope=2,
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
)
