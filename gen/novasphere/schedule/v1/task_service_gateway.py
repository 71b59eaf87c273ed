"""Generated from novasphere/schedule/v1/task_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import watch_gateway as novasphere_api_v1_watch_gateway
from novasphere.schedule.v1 import obstacle_gateway as novasphere_schedule_v1_obstacle_gateway
from novasphere.schedule.v1 import page_gateway as novasphere_schedule_v1_page_gateway
from novasphere.schedule.v1 import task_gateway as novasphere_schedule_v1_task_gateway
from novasphere.schedule.v1 import task_service_pb2 as novasphere_schedule_v1_task_service_pb2


def encode_ListTasksRequest(m: novasphere_schedule_v1_task_service_pb2.ListTasksRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'filter': {k: novasphere_schedule_v1_page_gateway.encode_Condition(x[k]) for k in sorted(x)} if (x := m.filter) else {},
    }
    if m.HasField("page"):
        data['page'] = novasphere_schedule_v1_page_gateway.encode_PageSpec(m.page)
    return data


def dump_ListTasksRequest(m: novasphere_schedule_v1_task_service_pb2.ListTasksRequest) -> bytes:
    return orjson.dumps(encode_ListTasksRequest(m))


keys_ListTasksRequest = frozenset(['filter', 'page'])


def decode_ListTasksRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListTasksRequest) -> novasphere_schedule_v1_task_service_pb2.ListTasksRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.ListTasksRequest()
    v = data.get('filter')
    if v is not None:
        at = codec.at(path, 'filter')
        for k, e in codec.pairs(v, path, 'filter').items():
            m.filter[k].CopyFrom(novasphere_schedule_v1_page_gateway.decode_Condition(e, codec.at(at, k)))
    v = data.get('page')
    if v is not None:
        m.page.CopyFrom(novasphere_schedule_v1_page_gateway.decode_PageSpec(v, codec.at(path, 'page')))
    return m


def encode_ListTasksResponse(m: novasphere_schedule_v1_task_service_pb2.ListTasksResponse) -> dict[str, Any]:
    return {
        'data': [novasphere_schedule_v1_task_gateway.encode_Task(v) for v in x[:]] if (x := m.data) else [],
        'total': m.total,
        'page': m.page,
        'page_size': m.page_size,
    }


def dump_ListTasksResponse(m: novasphere_schedule_v1_task_service_pb2.ListTasksResponse) -> bytes:
    return orjson.dumps(encode_ListTasksResponse(m))


keys_ListTasksResponse = frozenset(['data', 'page', 'page_size', 'total'])


def decode_ListTasksResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListTasksResponse) -> novasphere_schedule_v1_task_service_pb2.ListTasksResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.ListTasksResponse()
    v = data.get('data')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'data')):
            at = codec.element(path, 'data', i)
            m.data.add().CopyFrom(novasphere_schedule_v1_task_gateway.decode_Task(e, at))
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


def encode_GetTaskRequest(m: novasphere_schedule_v1_task_service_pb2.GetTaskRequest) -> dict[str, Any]:
    return {
        'id': m.task_id,
    }


def dump_GetTaskRequest(m: novasphere_schedule_v1_task_service_pb2.GetTaskRequest) -> bytes:
    return orjson.dumps(encode_GetTaskRequest(m))


keys_GetTaskRequest = frozenset(['id', 'task_id'])


def decode_GetTaskRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetTaskRequest) -> novasphere_schedule_v1_task_service_pb2.GetTaskRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.GetTaskRequest()
    key, v = codec.pick(data, ('id', 'task_id'), path)
    if v is not None:
        m.task_id = codec.string(v, path, key)
    return m


def encode_GetTaskResponse(m: novasphere_schedule_v1_task_service_pb2.GetTaskResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("task"):
        data['task'] = novasphere_schedule_v1_task_gateway.encode_Task(m.task)
    return data


def dump_GetTaskResponse(m: novasphere_schedule_v1_task_service_pb2.GetTaskResponse) -> bytes:
    return orjson.dumps(encode_GetTaskResponse(m))


keys_GetTaskResponse = frozenset(['task'])


def decode_GetTaskResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetTaskResponse) -> novasphere_schedule_v1_task_service_pb2.GetTaskResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.GetTaskResponse()
    v = data.get('task')
    if v is not None:
        m.task.CopyFrom(novasphere_schedule_v1_task_gateway.decode_Task(v, codec.at(path, 'task')))
    return m


def encode_NewTask(m: novasphere_schedule_v1_task_service_pb2.NewTask) -> dict[str, Any]:
    data: dict[str, Any] = {
        'job_id': m.job_id,
        'namespace_id': m.namespace_id,
    }
    if m.HasField("config"):
        data['config'] = novasphere_schedule_v1_task_gateway.encode_TaskConfig(m.config)
    if m.HasField("environment"):
        data['environment'] = codec.print_json(m.environment)
    if m.HasField("parameters"):
        data['parameters'] = codec.print_json(m.parameters)
    data['priority'] = m.priority
    if m.HasField("scheduled_at"):
        data['scheduled_at'] = codec.print_seconds(m.scheduled_at.seconds)
    data['dependencies'] = [novasphere_schedule_v1_task_gateway.encode_Dependency(v) for v in x[:]] if (x := m.dependencies) else []
    data['node_id'] = m.node_id
    data['id'] = m.id
    return data


def dump_NewTask(m: novasphere_schedule_v1_task_service_pb2.NewTask) -> bytes:
    return orjson.dumps(encode_NewTask(m))


keys_NewTask = frozenset(['config', 'dependencies', 'environment', 'id', 'job_id', 'namespace', 'namespace_id', 'node_id', 'parameters', 'priority', 'scheduled_at'])


def decode_NewTask(data: Any, path: str = '', known: frozenset[str] = keys_NewTask) -> novasphere_schedule_v1_task_service_pb2.NewTask:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.NewTask()
    v = data.get('job_id')
    if v is not None:
        m.job_id = codec.string(v, path, 'job_id')
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
    v = data.get('config')
    if v is not None:
        m.config.CopyFrom(novasphere_schedule_v1_task_gateway.decode_TaskConfig(v, codec.at(path, 'config')))
    v = data.get('environment')
    if v is not None:
        m.environment = codec.json_text(v)
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
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    return m


def encode_BatchCreateTasksRequest(m: novasphere_schedule_v1_task_service_pb2.BatchCreateTasksRequest) -> dict[str, Any]:
    return {
        'tasks': [encode_NewTask(v) for v in x[:]] if (x := m.tasks) else [],
        'validate_only': m.validate_only,
    }


def dump_BatchCreateTasksRequest(m: novasphere_schedule_v1_task_service_pb2.BatchCreateTasksRequest) -> bytes:
    return orjson.dumps(encode_BatchCreateTasksRequest(m))


keys_BatchCreateTasksRequest = frozenset(['dry_run', 'tasks', 'validate_only'])


def decode_BatchCreateTasksRequest(data: Any, path: str = '', known: frozenset[str] = keys_BatchCreateTasksRequest) -> novasphere_schedule_v1_task_service_pb2.BatchCreateTasksRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.BatchCreateTasksRequest()
    v = data.get('tasks')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'tasks')):
            at = codec.element(path, 'tasks', i)
            m.tasks.add().CopyFrom(decode_NewTask(e, at))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_BatchCreateTasksResponse(m: novasphere_schedule_v1_task_service_pb2.BatchCreateTasksResponse) -> dict[str, Any]:
    return {
        'ids': m.ids[:],
    }


def dump_BatchCreateTasksResponse(m: novasphere_schedule_v1_task_service_pb2.BatchCreateTasksResponse) -> bytes:
    return orjson.dumps(encode_BatchCreateTasksResponse(m))


keys_BatchCreateTasksResponse = frozenset(['ids'])


def decode_BatchCreateTasksResponse(data: Any, path: str = '', known: frozenset[str] = keys_BatchCreateTasksResponse) -> novasphere_schedule_v1_task_service_pb2.BatchCreateTasksResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.BatchCreateTasksResponse()
    v = data.get('ids')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'ids')):
            at = codec.element(path, 'ids', i)
            m.ids.append(codec.string(e, at, ''))
    return m


def encode_CancelTaskRequest(m: novasphere_schedule_v1_task_service_pb2.CancelTaskRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.task_id,
    }
    if m.HasField("grace_seconds"):
        data['grace'] = m.grace_seconds
    data['validate_only'] = m.validate_only
    return data


def dump_CancelTaskRequest(m: novasphere_schedule_v1_task_service_pb2.CancelTaskRequest) -> bytes:
    return orjson.dumps(encode_CancelTaskRequest(m))


keys_CancelTaskRequest = frozenset(['dry_run', 'grace', 'grace_seconds', 'id', 'task_id', 'validate_only'])


def decode_CancelTaskRequest(data: Any, path: str = '', known: frozenset[str] = keys_CancelTaskRequest) -> novasphere_schedule_v1_task_service_pb2.CancelTaskRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.CancelTaskRequest()
    key, v = codec.pick(data, ('id', 'task_id'), path)
    if v is not None:
        m.task_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('grace', 'grace_seconds'), path)
    if v is not None:
        m.grace_seconds = codec.int32(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CancelTaskResponse(m: novasphere_schedule_v1_task_service_pb2.CancelTaskResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("task"):
        data['task'] = novasphere_schedule_v1_task_gateway.encode_Task(m.task)
    return data


def dump_CancelTaskResponse(m: novasphere_schedule_v1_task_service_pb2.CancelTaskResponse) -> bytes:
    return orjson.dumps(encode_CancelTaskResponse(m))


keys_CancelTaskResponse = frozenset(['task'])


def decode_CancelTaskResponse(data: Any, path: str = '', known: frozenset[str] = keys_CancelTaskResponse) -> novasphere_schedule_v1_task_service_pb2.CancelTaskResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.CancelTaskResponse()
    v = data.get('task')
    if v is not None:
        m.task.CopyFrom(novasphere_schedule_v1_task_gateway.decode_Task(v, codec.at(path, 'task')))
    return m


def encode_ExplainTaskRequest(m: novasphere_schedule_v1_task_service_pb2.ExplainTaskRequest) -> dict[str, Any]:
    return {
        'id': m.task_id,
    }


def dump_ExplainTaskRequest(m: novasphere_schedule_v1_task_service_pb2.ExplainTaskRequest) -> bytes:
    return orjson.dumps(encode_ExplainTaskRequest(m))


keys_ExplainTaskRequest = frozenset(['id', 'task_id'])


def decode_ExplainTaskRequest(data: Any, path: str = '', known: frozenset[str] = keys_ExplainTaskRequest) -> novasphere_schedule_v1_task_service_pb2.ExplainTaskRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.ExplainTaskRequest()
    key, v = codec.pick(data, ('id', 'task_id'), path)
    if v is not None:
        m.task_id = codec.string(v, path, key)
    return m


def encode_ExplainTaskResponse(m: novasphere_schedule_v1_task_service_pb2.ExplainTaskResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("task"):
        data['task'] = novasphere_schedule_v1_task_gateway.encode_Task(m.task)
    data['summary'] = m.summary
    data['obstacles'] = [novasphere_schedule_v1_obstacle_gateway.encode_Obstacle(v) for v in x[:]] if (x := m.obstacles) else []
    data['remedy'] = m.remedy
    return data


def dump_ExplainTaskResponse(m: novasphere_schedule_v1_task_service_pb2.ExplainTaskResponse) -> bytes:
    return orjson.dumps(encode_ExplainTaskResponse(m))


keys_ExplainTaskResponse = frozenset(['obstacles', 'remedy', 'summary', 'task'])


def decode_ExplainTaskResponse(data: Any, path: str = '', known: frozenset[str] = keys_ExplainTaskResponse) -> novasphere_schedule_v1_task_service_pb2.ExplainTaskResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.ExplainTaskResponse()
    v = data.get('task')
    if v is not None:
        m.task.CopyFrom(novasphere_schedule_v1_task_gateway.decode_Task(v, codec.at(path, 'task')))
    v = data.get('summary')
    if v is not None:
        m.summary = codec.string(v, path, 'summary')
    v = data.get('obstacles')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'obstacles')):
            at = codec.element(path, 'obstacles', i)
            m.obstacles.add().CopyFrom(novasphere_schedule_v1_obstacle_gateway.decode_Obstacle(e, at))
    v = data.get('remedy')
    if v is not None:
        m.remedy = codec.string(v, path, 'remedy')
    return m


def encode_WatchTasksRequest(m: novasphere_schedule_v1_task_service_pb2.WatchTasksRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'cursor': m.cursor,
        'id': m.id,
        'namespace_id': m.namespace_id,
        'job_id': m.job_id,
        'schedule_id': m.schedule_id,
    }
    if v := m.status:
        data['status'] = novasphere_schedule_v1_task_gateway.words_TaskStatus.get(v, v)
    return data


def dump_WatchTasksRequest(m: novasphere_schedule_v1_task_service_pb2.WatchTasksRequest) -> bytes:
    return orjson.dumps(encode_WatchTasksRequest(m))


keys_WatchTasksRequest = frozenset(['cursor', 'id', 'job_id', 'namespace', 'namespace_id', 'schedule_id', 'status'])


def decode_WatchTasksRequest(data: Any, path: str = '', known: frozenset[str] = keys_WatchTasksRequest) -> novasphere_schedule_v1_task_service_pb2.WatchTasksRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.WatchTasksRequest()
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
    v = data.get('job_id')
    if v is not None:
        m.job_id = codec.string(v, path, 'job_id')
    v = data.get('schedule_id')
    if v is not None:
        m.schedule_id = codec.string(v, path, 'schedule_id')
    v = data.get('status')
    if v is not None:
        m.status = novasphere_schedule_v1_task_gateway.words_TaskStatus.read(v, path, 'status')
    return m


def encode_WatchTasksResponse(m: novasphere_schedule_v1_task_service_pb2.WatchTasksResponse) -> dict[str, Any]:
    return {
        'events': [encode_TaskEvent(v) for v in x[:]] if (x := m.events) else [],
    }


def dump_WatchTasksResponse(m: novasphere_schedule_v1_task_service_pb2.WatchTasksResponse) -> bytes:
    return orjson.dumps(encode_WatchTasksResponse(m))


keys_WatchTasksResponse = frozenset(['events'])


def decode_WatchTasksResponse(data: Any, path: str = '', known: frozenset[str] = keys_WatchTasksResponse) -> novasphere_schedule_v1_task_service_pb2.WatchTasksResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.WatchTasksResponse()
    v = data.get('events')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'events')):
            at = codec.element(path, 'events', i)
            m.events.add().CopyFrom(decode_TaskEvent(e, at))
    return m


def encode_TaskEvent(m: novasphere_schedule_v1_task_service_pb2.TaskEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.type:
        data['type'] = novasphere_api_v1_watch_gateway.words_EventType.get(v, v)
    data['cursor'] = m.cursor
    if m.HasField("object"):
        data['object'] = novasphere_schedule_v1_task_gateway.encode_Task(m.object)
    if m.HasField("gap"):
        data['gap'] = novasphere_api_v1_watch_gateway.encode_Gap(m.gap)
    return data


def dump_TaskEvent(m: novasphere_schedule_v1_task_service_pb2.TaskEvent) -> bytes:
    return orjson.dumps(encode_TaskEvent(m))


keys_TaskEvent = frozenset(['cursor', 'gap', 'object', 'type'])


def decode_TaskEvent(data: Any, path: str = '', known: frozenset[str] = keys_TaskEvent) -> novasphere_schedule_v1_task_service_pb2.TaskEvent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_service_pb2.TaskEvent()
    v = data.get('type')
    if v is not None:
        m.type = novasphere_api_v1_watch_gateway.words_EventType.read(v, path, 'type')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('object')
    if v is not None:
        m.object.CopyFrom(novasphere_schedule_v1_task_gateway.decode_Task(v, codec.at(path, 'object')))
    v = data.get('gap')
    if v is not None:
        m.gap.CopyFrom(novasphere_api_v1_watch_gateway.decode_Gap(v, codec.at(path, 'gap')))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='POST',
        path='/api/v1/tasks:batch',
        segments=('api', 'v1', 'tasks'),
        verb='batch',
        service='novasphere.schedule.v1.TaskService',
        method='/novasphere.schedule.v1.TaskService/BatchCreateTasks',
        request=novasphere_schedule_v1_task_service_pb2.BatchCreateTasksRequest,
        response=novasphere_schedule_v1_task_service_pb2.BatchCreateTasksResponse,
        decode_body=codec.body(decode_BatchCreateTasksRequest, keys_BatchCreateTasksRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_BatchCreateTasksResponse,
        encode_field={},
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
    model.Route(
        http_method='GET',
        path='/api/v1/tasks:watch',
        segments=('api', 'v1', 'tasks'),
        verb='watch',
        service='novasphere.schedule.v1.TaskService',
        method='/novasphere.schedule.v1.TaskService/WatchTasks',
        request=novasphere_schedule_v1_task_service_pb2.WatchTasksRequest,
        response=novasphere_schedule_v1_task_service_pb2.WatchTasksResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
            model.Param('id', (), 'id', 'string', False, codec.parse_string),
            model.Param('namespace_id', ('namespace',), 'namespace_id', 'string', False, codec.parse_string),
            model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string),
            model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string),
            model.Param('status', (), 'status', 'enum', False, codec.parse_enum(novasphere_schedule_v1_task_gateway.words_TaskStatus)),
        ),
        headers=(),
        response_body='',
        encode=encode_WatchTasksResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_TaskEvent),
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
            dump=dump_TaskEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/tasks/item/{task_id}',
        segments=('api', 'v1', 'tasks', 'item', '*'),
        verb='',
        service='novasphere.schedule.v1.TaskService',
        method='/novasphere.schedule.v1.TaskService/GetTask',
        request=novasphere_schedule_v1_task_service_pb2.GetTaskRequest,
        response=novasphere_schedule_v1_task_service_pb2.GetTaskResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('task_id', (), 'task_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(),
        headers=(),
        response_body='task',
        encode=lambda m: novasphere_schedule_v1_task_gateway.encode_Task(m.task) if m.HasField("task") else None,
        encode_field={
            'task': model.FieldEncoder('task', False, novasphere_schedule_v1_task_gateway.dump_Task),
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
        http_method='POST',
        path='/api/v1/tasks/page',
        segments=('api', 'v1', 'tasks', 'page'),
        verb='',
        service='novasphere.schedule.v1.TaskService',
        method='/novasphere.schedule.v1.TaskService/ListTasks',
        request=novasphere_schedule_v1_task_service_pb2.ListTasksRequest,
        response=novasphere_schedule_v1_task_service_pb2.ListTasksResponse,
        decode_body=codec.body(decode_ListTasksRequest, keys_ListTasksRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ListTasksResponse,
        encode_field={
            'data': model.FieldEncoder('data', True, novasphere_schedule_v1_task_gateway.dump_Task),
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
        path='/api/v1/tasks/{task_id}:cancel',
        segments=('api', 'v1', 'tasks', '*'),
        verb='cancel',
        service='novasphere.schedule.v1.TaskService',
        method='/novasphere.schedule.v1.TaskService/CancelTask',
        request=novasphere_schedule_v1_task_service_pb2.CancelTaskRequest,
        response=novasphere_schedule_v1_task_service_pb2.CancelTaskResponse,
        decode_body=codec.body(decode_CancelTaskRequest, keys_CancelTaskRequest - {'id', 'task_id'}, frozenset({'id', 'task_id'})),
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
    model.Route(
        http_method='GET',
        path='/api/v1/tasks/{task_id}:explain',
        segments=('api', 'v1', 'tasks', '*'),
        verb='explain',
        service='novasphere.schedule.v1.TaskService',
        method='/novasphere.schedule.v1.TaskService/ExplainTask',
        request=novasphere_schedule_v1_task_service_pb2.ExplainTaskRequest,
        response=novasphere_schedule_v1_task_service_pb2.ExplainTaskResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('task_id', (), 'task_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ExplainTaskResponse,
        encode_field={
            'task': model.FieldEncoder('task', False, novasphere_schedule_v1_task_gateway.dump_Task),
            'obstacles': model.FieldEncoder('obstacles', True, novasphere_schedule_v1_obstacle_gateway.dump_Obstacle),
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
        rate_class=1,
        is_stream=False,
        is_duplex=False,
        stream=None,
    ),
)
