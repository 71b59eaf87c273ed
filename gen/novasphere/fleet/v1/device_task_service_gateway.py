"""Generated from novasphere/fleet/v1/device_task_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.fleet.v1 import device_task_service_pb2 as novasphere_fleet_v1_device_task_service_pb2
from novasphere.fleet.v1 import task_gateway as novasphere_fleet_v1_task_gateway


def encode_SubmitTaskRequest(m: novasphere_fleet_v1_device_task_service_pb2.SubmitTaskRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'task_type': m.task_type,
    }
    if m.HasField("payload"):
        data['payload'] = codec.print_json(m.payload)
    if v := m.priority:
        data['priority'] = novasphere_fleet_v1_task_gateway.words_TaskPriority.get(v, v)
    data['device_id'] = m.device_id
    if m.HasField("requirements"):
        data['requirements'] = encode_Requirements(m.requirements)
    if m.HasField("timeout_seconds"):
        data['timeout'] = m.timeout_seconds
    if m.HasField("max_retries"):
        data['max_retries'] = m.max_retries
    data['validate_only'] = m.validate_only
    return data


def dump_SubmitTaskRequest(m: novasphere_fleet_v1_device_task_service_pb2.SubmitTaskRequest) -> bytes:
    return orjson.dumps(encode_SubmitTaskRequest(m))


keys_SubmitTaskRequest = frozenset(['device_id', 'dry_run', 'max_retries', 'payload', 'priority', 'requirements', 'task_type', 'timeout', 'timeout_seconds', 'validate_only'])


def decode_SubmitTaskRequest(data: Any, path: str = '', known: frozenset[str] = keys_SubmitTaskRequest) -> novasphere_fleet_v1_device_task_service_pb2.SubmitTaskRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.SubmitTaskRequest()
    v = data.get('task_type')
    if v is not None:
        m.task_type = codec.string(v, path, 'task_type')
    v = data.get('payload')
    if v is not None:
        m.payload = codec.json_text(v)
    v = data.get('priority')
    if v is not None:
        m.priority = novasphere_fleet_v1_task_gateway.words_TaskPriority.read(v, path, 'priority')
    v = data.get('device_id')
    if v is not None:
        m.device_id = codec.string(v, path, 'device_id')
    v = data.get('requirements')
    if v is not None:
        m.requirements.CopyFrom(decode_Requirements(v, codec.at(path, 'requirements')))
    key, v = codec.pick(data, ('timeout', 'timeout_seconds'), path)
    if v is not None:
        m.timeout_seconds = codec.int32(v, path, key)
    v = data.get('max_retries')
    if v is not None:
        m.max_retries = codec.int32(v, path, 'max_retries')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_Requirements(m: novasphere_fleet_v1_device_task_service_pb2.Requirements) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("min_cpu_cores"):
        data['min_cpu_cores'] = m.min_cpu_cores
    if m.HasField("min_memory_gb"):
        data['min_memory_gb'] = m.min_memory_gb
    if m.HasField("min_storage_gb"):
        data['min_storage_gb'] = m.min_storage_gb
    data['platform'] = m.platform
    data['role'] = m.role
    data['tags'] = m.tags[:]
    data['gpu_required'] = m.gpu_required
    if m.HasField("timeout_seconds"):
        data['timeout_seconds'] = m.timeout_seconds
    if m.HasField("max_retries"):
        data['max_retries'] = m.max_retries
    return data


def dump_Requirements(m: novasphere_fleet_v1_device_task_service_pb2.Requirements) -> bytes:
    return orjson.dumps(encode_Requirements(m))


keys_Requirements = frozenset(['gpu_required', 'max_retries', 'min_cpu_cores', 'min_memory_gb', 'min_storage_gb', 'platform', 'required_platform', 'required_role', 'required_tags', 'role', 'tags', 'timeout_seconds'])


def decode_Requirements(data: Any, path: str = '', known: frozenset[str] = keys_Requirements) -> novasphere_fleet_v1_device_task_service_pb2.Requirements:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.Requirements()
    v = data.get('min_cpu_cores')
    if v is not None:
        m.min_cpu_cores = codec.int32(v, path, 'min_cpu_cores')
    v = data.get('min_memory_gb')
    if v is not None:
        m.min_memory_gb = codec.double(v, path, 'min_memory_gb')
    v = data.get('min_storage_gb')
    if v is not None:
        m.min_storage_gb = codec.double(v, path, 'min_storage_gb')
    key, v = codec.pick(data, ('platform', 'required_platform'), path)
    if v is not None:
        m.platform = codec.string(v, path, key)
    key, v = codec.pick(data, ('role', 'required_role'), path)
    if v is not None:
        m.role = codec.string(v, path, key)
    key, v = codec.pick(data, ('tags', 'required_tags'), path)
    if v is not None:
        for i, e in enumerate(codec.items(v, path, key)):
            at = codec.element(path, key, i)
            m.tags.append(codec.string(e, at, ''))
    v = data.get('gpu_required')
    if v is not None:
        m.gpu_required = codec.boolean(v, path, 'gpu_required')
    v = data.get('timeout_seconds')
    if v is not None:
        m.timeout_seconds = codec.int32(v, path, 'timeout_seconds')
    v = data.get('max_retries')
    if v is not None:
        m.max_retries = codec.int32(v, path, 'max_retries')
    return m


def encode_SubmitTaskResponse(m: novasphere_fleet_v1_device_task_service_pb2.SubmitTaskResponse) -> dict[str, Any]:
    return {
        'task_id': m.task_id,
        'assigned_device': m.assigned_device if m.HasField("assigned_device") else None,
        'estimated_completion': codec.print_seconds(m.estimated_completion.seconds) if m.HasField("estimated_completion") else None,
    }


def dump_SubmitTaskResponse(m: novasphere_fleet_v1_device_task_service_pb2.SubmitTaskResponse) -> bytes:
    return orjson.dumps(encode_SubmitTaskResponse(m))


keys_SubmitTaskResponse = frozenset(['assigned_device', 'estimated_completion', 'task_id'])


def decode_SubmitTaskResponse(data: Any, path: str = '', known: frozenset[str] = keys_SubmitTaskResponse) -> novasphere_fleet_v1_device_task_service_pb2.SubmitTaskResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.SubmitTaskResponse()
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    v = data.get('assigned_device')
    if v is not None:
        m.assigned_device = codec.string(v, path, 'assigned_device')
    v = data.get('estimated_completion')
    if v is not None:
        m.estimated_completion.CopyFrom(codec.timestamp(v, path, 'estimated_completion'))
    return m


def encode_ListTasksRequest(m: novasphere_fleet_v1_device_task_service_pb2.ListTasksRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'status': m.status,
        'device_id': m.device_id,
        'task_type': m.task_type,
        'since': m.since,
    }
    if m.HasField("limit"):
        data['limit'] = m.limit
    return data


def dump_ListTasksRequest(m: novasphere_fleet_v1_device_task_service_pb2.ListTasksRequest) -> bytes:
    return orjson.dumps(encode_ListTasksRequest(m))


keys_ListTasksRequest = frozenset(['device_id', 'limit', 'since', 'status', 'task_type'])


def decode_ListTasksRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListTasksRequest) -> novasphere_fleet_v1_device_task_service_pb2.ListTasksRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.ListTasksRequest()
    v = data.get('status')
    if v is not None:
        m.status = codec.string(v, path, 'status')
    v = data.get('device_id')
    if v is not None:
        m.device_id = codec.string(v, path, 'device_id')
    v = data.get('task_type')
    if v is not None:
        m.task_type = codec.string(v, path, 'task_type')
    v = data.get('since')
    if v is not None:
        m.since = codec.string(v, path, 'since')
    v = data.get('limit')
    if v is not None:
        m.limit = codec.int32(v, path, 'limit')
    return m


def encode_ListTasksResponse(m: novasphere_fleet_v1_device_task_service_pb2.ListTasksResponse) -> dict[str, Any]:
    return {
        'tasks': [novasphere_fleet_v1_task_gateway.encode_Task(v) for v in x[:]] if (x := m.tasks) else [],
        'total': m.total,
        'pending': m.pending,
        'running': m.running,
        'completed': m.completed,
        'failed': m.failed,
        'cancelled': m.cancelled,
    }


def dump_ListTasksResponse(m: novasphere_fleet_v1_device_task_service_pb2.ListTasksResponse) -> bytes:
    return orjson.dumps(encode_ListTasksResponse(m))


keys_ListTasksResponse = frozenset(['cancelled', 'completed', 'failed', 'pending', 'running', 'tasks', 'total'])


def decode_ListTasksResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListTasksResponse) -> novasphere_fleet_v1_device_task_service_pb2.ListTasksResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.ListTasksResponse()
    v = data.get('tasks')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'tasks')):
            at = codec.element(path, 'tasks', i)
            m.tasks.add().CopyFrom(novasphere_fleet_v1_task_gateway.decode_Task(e, at))
    v = data.get('total')
    if v is not None:
        m.total = codec.int32(v, path, 'total')
    v = data.get('pending')
    if v is not None:
        m.pending = codec.int32(v, path, 'pending')
    v = data.get('running')
    if v is not None:
        m.running = codec.int32(v, path, 'running')
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


def encode_GetTaskRequest(m: novasphere_fleet_v1_device_task_service_pb2.GetTaskRequest) -> dict[str, Any]:
    return {
        'task_id': m.task_id,
    }


def dump_GetTaskRequest(m: novasphere_fleet_v1_device_task_service_pb2.GetTaskRequest) -> bytes:
    return orjson.dumps(encode_GetTaskRequest(m))


keys_GetTaskRequest = frozenset(['task_id'])


def decode_GetTaskRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetTaskRequest) -> novasphere_fleet_v1_device_task_service_pb2.GetTaskRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.GetTaskRequest()
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    return m


def encode_GetTaskResponse(m: novasphere_fleet_v1_device_task_service_pb2.GetTaskResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("task"):
        data['task'] = novasphere_fleet_v1_task_gateway.encode_TaskDetails(m.task)
    return data


def dump_GetTaskResponse(m: novasphere_fleet_v1_device_task_service_pb2.GetTaskResponse) -> bytes:
    return orjson.dumps(encode_GetTaskResponse(m))


keys_GetTaskResponse = frozenset(['task'])


def decode_GetTaskResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetTaskResponse) -> novasphere_fleet_v1_device_task_service_pb2.GetTaskResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.GetTaskResponse()
    v = data.get('task')
    if v is not None:
        m.task.CopyFrom(novasphere_fleet_v1_task_gateway.decode_TaskDetails(v, codec.at(path, 'task')))
    return m


def encode_CancelTaskRequest(m: novasphere_fleet_v1_device_task_service_pb2.CancelTaskRequest) -> dict[str, Any]:
    return {
        'task_id': m.task_id,
        'validate_only': m.validate_only,
    }


def dump_CancelTaskRequest(m: novasphere_fleet_v1_device_task_service_pb2.CancelTaskRequest) -> bytes:
    return orjson.dumps(encode_CancelTaskRequest(m))


keys_CancelTaskRequest = frozenset(['dry_run', 'task_id', 'validate_only'])


def decode_CancelTaskRequest(data: Any, path: str = '', known: frozenset[str] = keys_CancelTaskRequest) -> novasphere_fleet_v1_device_task_service_pb2.CancelTaskRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.CancelTaskRequest()
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CancelTaskResponse(m: novasphere_fleet_v1_device_task_service_pb2.CancelTaskResponse) -> dict[str, Any]:
    return {
        'cancelled_task': m.cancelled_task,
        'was_running': m.was_running,
    }


def dump_CancelTaskResponse(m: novasphere_fleet_v1_device_task_service_pb2.CancelTaskResponse) -> bytes:
    return orjson.dumps(encode_CancelTaskResponse(m))


keys_CancelTaskResponse = frozenset(['cancelled_task', 'was_running'])


def decode_CancelTaskResponse(data: Any, path: str = '', known: frozenset[str] = keys_CancelTaskResponse) -> novasphere_fleet_v1_device_task_service_pb2.CancelTaskResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.CancelTaskResponse()
    v = data.get('cancelled_task')
    if v is not None:
        m.cancelled_task = codec.string(v, path, 'cancelled_task')
    v = data.get('was_running')
    if v is not None:
        m.was_running = codec.boolean(v, path, 'was_running')
    return m


def encode_RetryTaskRequest(m: novasphere_fleet_v1_device_task_service_pb2.RetryTaskRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'task_id': m.task_id,
    }
    if v := m.priority:
        data['priority'] = novasphere_fleet_v1_task_gateway.words_TaskPriority.get(v, v)
    data['validate_only'] = m.validate_only
    return data


def dump_RetryTaskRequest(m: novasphere_fleet_v1_device_task_service_pb2.RetryTaskRequest) -> bytes:
    return orjson.dumps(encode_RetryTaskRequest(m))


keys_RetryTaskRequest = frozenset(['dry_run', 'priority', 'task_id', 'validate_only'])


def decode_RetryTaskRequest(data: Any, path: str = '', known: frozenset[str] = keys_RetryTaskRequest) -> novasphere_fleet_v1_device_task_service_pb2.RetryTaskRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.RetryTaskRequest()
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    v = data.get('priority')
    if v is not None:
        m.priority = novasphere_fleet_v1_task_gateway.words_TaskPriority.read(v, path, 'priority')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_RetryTaskResponse(m: novasphere_fleet_v1_device_task_service_pb2.RetryTaskResponse) -> dict[str, Any]:
    return {
        'new_task_id': m.new_task_id,
        'original_task_id': m.original_task_id,
    }


def dump_RetryTaskResponse(m: novasphere_fleet_v1_device_task_service_pb2.RetryTaskResponse) -> bytes:
    return orjson.dumps(encode_RetryTaskResponse(m))


keys_RetryTaskResponse = frozenset(['new_task_id', 'original_task_id'])


def decode_RetryTaskResponse(data: Any, path: str = '', known: frozenset[str] = keys_RetryTaskResponse) -> novasphere_fleet_v1_device_task_service_pb2.RetryTaskResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_device_task_service_pb2.RetryTaskResponse()
    v = data.get('new_task_id')
    if v is not None:
        m.new_task_id = codec.string(v, path, 'new_task_id')
    v = data.get('original_task_id')
    if v is not None:
        m.original_task_id = codec.string(v, path, 'original_task_id')
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/tasks',
        segments=('api', 'v1', 'tasks'),
        verb='',
        service='novasphere.fleet.v1.DeviceTaskService',
        method='/novasphere.fleet.v1.DeviceTaskService/ListTasks',
        request=novasphere_fleet_v1_device_task_service_pb2.ListTasksRequest,
        response=novasphere_fleet_v1_device_task_service_pb2.ListTasksResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('status', (), 'status', 'string', False, codec.parse_string),
            model.Param('device_id', (), 'device_id', 'string', False, codec.parse_string),
            model.Param('task_type', (), 'task_type', 'string', False, codec.parse_string),
            model.Param('since', (), 'since', 'string', False, codec.parse_string),
            model.Param('limit', (), 'limit', 'int32', False, codec.parse_int32),
        ),
        headers=(),
        response_body='',
        encode=encode_ListTasksResponse,
        encode_field={
            'tasks': model.FieldEncoder('tasks', True, novasphere_fleet_v1_task_gateway.dump_Task),
        },
        is_empty=False,
        face=2,
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
        http_method='POST',
        path='/api/v1/tasks',
        segments=('api', 'v1', 'tasks'),
        verb='',
        service='novasphere.fleet.v1.DeviceTaskService',
        method='/novasphere.fleet.v1.DeviceTaskService/SubmitTask',
        request=novasphere_fleet_v1_device_task_service_pb2.SubmitTaskRequest,
        response=novasphere_fleet_v1_device_task_service_pb2.SubmitTaskResponse,
        decode_body=codec.body(decode_SubmitTaskRequest, keys_SubmitTaskRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_SubmitTaskResponse,
        encode_field={},
        is_empty=False,
        face=2,
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
        path='/api/v1/tasks/{task_id}',
        segments=('api', 'v1', 'tasks', '*'),
        verb='',
        service='novasphere.fleet.v1.DeviceTaskService',
        method='/novasphere.fleet.v1.DeviceTaskService/CancelTask',
        request=novasphere_fleet_v1_device_task_service_pb2.CancelTaskRequest,
        response=novasphere_fleet_v1_device_task_service_pb2.CancelTaskResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('task_id', (), 'task_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_CancelTaskResponse,
        encode_field={},
        is_empty=False,
        face=2,
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
        path='/api/v1/tasks/{task_id}',
        segments=('api', 'v1', 'tasks', '*'),
        verb='',
        service='novasphere.fleet.v1.DeviceTaskService',
        method='/novasphere.fleet.v1.DeviceTaskService/GetTask',
        request=novasphere_fleet_v1_device_task_service_pb2.GetTaskRequest,
        response=novasphere_fleet_v1_device_task_service_pb2.GetTaskResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('task_id', (), 'task_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_GetTaskResponse,
        encode_field={
            'task': model.FieldEncoder('task', False, novasphere_fleet_v1_task_gateway.dump_TaskDetails),
        },
        is_empty=False,
        face=2,
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
        http_method='POST',
        path='/api/v1/tasks/{task_id}/retry',
        segments=('api', 'v1', 'tasks', '*', 'retry'),
        verb='',
        service='novasphere.fleet.v1.DeviceTaskService',
        method='/novasphere.fleet.v1.DeviceTaskService/RetryTask',
        request=novasphere_fleet_v1_device_task_service_pb2.RetryTaskRequest,
        response=novasphere_fleet_v1_device_task_service_pb2.RetryTaskResponse,
        decode_body=codec.body(decode_RetryTaskRequest, keys_RetryTaskRequest - {'task_id'}, frozenset({'task_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('task_id', (), 'task_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_RetryTaskResponse,
        encode_field={},
        is_empty=False,
        face=2,
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
