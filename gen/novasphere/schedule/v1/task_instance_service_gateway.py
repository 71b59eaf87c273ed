"""Generated from novasphere/schedule/v1/task_instance_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import watch_gateway as novasphere_api_v1_watch_gateway
from novasphere.schedule.v1 import page_gateway as novasphere_schedule_v1_page_gateway
from novasphere.schedule.v1 import task_gateway as novasphere_schedule_v1_task_gateway
from novasphere.schedule.v1 import task_instance_service_pb2 as novasphere_schedule_v1_task_instance_service_pb2


def encode_ListTaskInstancesRequest(m: novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'filter': {k: novasphere_schedule_v1_page_gateway.encode_Condition(x[k]) for k in sorted(x)} if (x := m.filter) else {},
    }
    if m.HasField("page"):
        data['page'] = novasphere_schedule_v1_page_gateway.encode_PageSpec(m.page)
    return data


def dump_ListTaskInstancesRequest(m: novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesRequest) -> bytes:
    return orjson.dumps(encode_ListTaskInstancesRequest(m))


keys_ListTaskInstancesRequest = frozenset(['filter', 'page'])


def decode_ListTaskInstancesRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListTaskInstancesRequest) -> novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesRequest()
    v = data.get('filter')
    if v is not None:
        at = codec.at(path, 'filter')
        for k, e in codec.pairs(v, path, 'filter').items():
            m.filter[k].CopyFrom(novasphere_schedule_v1_page_gateway.decode_Condition(e, codec.at(at, k)))
    v = data.get('page')
    if v is not None:
        m.page.CopyFrom(novasphere_schedule_v1_page_gateway.decode_PageSpec(v, codec.at(path, 'page')))
    return m


def encode_ListTaskInstancesResponse(m: novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesResponse) -> dict[str, Any]:
    return {
        'data': [novasphere_schedule_v1_task_gateway.encode_TaskInstance(v) for v in x[:]] if (x := m.data) else [],
        'total': m.total,
        'page': m.page,
        'page_size': m.page_size,
    }


def dump_ListTaskInstancesResponse(m: novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesResponse) -> bytes:
    return orjson.dumps(encode_ListTaskInstancesResponse(m))


keys_ListTaskInstancesResponse = frozenset(['data', 'page', 'page_size', 'total'])


def decode_ListTaskInstancesResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListTaskInstancesResponse) -> novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesResponse()
    v = data.get('data')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'data')):
            at = codec.element(path, 'data', i)
            m.data.add().CopyFrom(novasphere_schedule_v1_task_gateway.decode_TaskInstance(e, at))
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


def encode_GetTaskInstanceRequest(m: novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceRequest) -> dict[str, Any]:
    return {
        'id': m.instance_id,
    }


def dump_GetTaskInstanceRequest(m: novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceRequest) -> bytes:
    return orjson.dumps(encode_GetTaskInstanceRequest(m))


keys_GetTaskInstanceRequest = frozenset(['id', 'instance_id'])


def decode_GetTaskInstanceRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetTaskInstanceRequest) -> novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceRequest()
    key, v = codec.pick(data, ('id', 'instance_id'), path)
    if v is not None:
        m.instance_id = codec.string(v, path, key)
    return m


def encode_GetTaskInstanceResponse(m: novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("instance"):
        data['instance'] = novasphere_schedule_v1_task_gateway.encode_TaskInstance(m.instance)
    return data


def dump_GetTaskInstanceResponse(m: novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceResponse) -> bytes:
    return orjson.dumps(encode_GetTaskInstanceResponse(m))


keys_GetTaskInstanceResponse = frozenset(['instance'])


def decode_GetTaskInstanceResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetTaskInstanceResponse) -> novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceResponse()
    v = data.get('instance')
    if v is not None:
        m.instance.CopyFrom(novasphere_schedule_v1_task_gateway.decode_TaskInstance(v, codec.at(path, 'instance')))
    return m


def encode_WatchTaskInstancesRequest(m: novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'cursor': m.cursor,
        'id': m.id,
        'namespace_id': m.namespace_id,
        'task_id': m.task_id,
        'job_id': m.job_id,
        'agent_id': m.agent_id,
    }
    if v := m.status:
        data['status'] = novasphere_schedule_v1_task_gateway.words_TaskInstanceStatus.get(v, v)
    return data


def dump_WatchTaskInstancesRequest(m: novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesRequest) -> bytes:
    return orjson.dumps(encode_WatchTaskInstancesRequest(m))


keys_WatchTaskInstancesRequest = frozenset(['agent_id', 'cursor', 'id', 'job_id', 'namespace', 'namespace_id', 'status', 'task_id'])


def decode_WatchTaskInstancesRequest(data: Any, path: str = '', known: frozenset[str] = keys_WatchTaskInstancesRequest) -> novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesRequest()
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    v = data.get('job_id')
    if v is not None:
        m.job_id = codec.string(v, path, 'job_id')
    v = data.get('agent_id')
    if v is not None:
        m.agent_id = codec.string(v, path, 'agent_id')
    v = data.get('status')
    if v is not None:
        m.status = novasphere_schedule_v1_task_gateway.words_TaskInstanceStatus.read(v, path, 'status')
    return m


def encode_WatchTaskInstancesResponse(m: novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesResponse) -> dict[str, Any]:
    return {
        'events': [encode_TaskInstanceEvent(v) for v in x[:]] if (x := m.events) else [],
    }


def dump_WatchTaskInstancesResponse(m: novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesResponse) -> bytes:
    return orjson.dumps(encode_WatchTaskInstancesResponse(m))


keys_WatchTaskInstancesResponse = frozenset(['events'])


def decode_WatchTaskInstancesResponse(data: Any, path: str = '', known: frozenset[str] = keys_WatchTaskInstancesResponse) -> novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesResponse()
    v = data.get('events')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'events')):
            at = codec.element(path, 'events', i)
            m.events.add().CopyFrom(decode_TaskInstanceEvent(e, at))
    return m


def encode_TaskInstanceEvent(m: novasphere_schedule_v1_task_instance_service_pb2.TaskInstanceEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.type:
        data['type'] = novasphere_api_v1_watch_gateway.words_EventType.get(v, v)
    data['cursor'] = m.cursor
    if m.HasField("object"):
        data['object'] = novasphere_schedule_v1_task_gateway.encode_TaskInstance(m.object)
    if m.HasField("gap"):
        data['gap'] = novasphere_api_v1_watch_gateway.encode_Gap(m.gap)
    return data


def dump_TaskInstanceEvent(m: novasphere_schedule_v1_task_instance_service_pb2.TaskInstanceEvent) -> bytes:
    return orjson.dumps(encode_TaskInstanceEvent(m))


keys_TaskInstanceEvent = frozenset(['cursor', 'gap', 'object', 'type'])


def decode_TaskInstanceEvent(data: Any, path: str = '', known: frozenset[str] = keys_TaskInstanceEvent) -> novasphere_schedule_v1_task_instance_service_pb2.TaskInstanceEvent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_instance_service_pb2.TaskInstanceEvent()
    v = data.get('type')
    if v is not None:
        m.type = novasphere_api_v1_watch_gateway.words_EventType.read(v, path, 'type')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('object')
    if v is not None:
        m.object.CopyFrom(novasphere_schedule_v1_task_gateway.decode_TaskInstance(v, codec.at(path, 'object')))
    v = data.get('gap')
    if v is not None:
        m.gap.CopyFrom(novasphere_api_v1_watch_gateway.decode_Gap(v, codec.at(path, 'gap')))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/task-instances:watch',
        segments=('api', 'v1', 'task-instances'),
        verb='watch',
        service='novasphere.schedule.v1.TaskInstanceService',
        method='/novasphere.schedule.v1.TaskInstanceService/WatchTaskInstances',
        request=novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesRequest,
        response=novasphere_schedule_v1_task_instance_service_pb2.WatchTaskInstancesResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
            model.Param('id', (), 'id', 'string', False, codec.parse_string),
            model.Param('namespace_id', ('namespace',), 'namespace_id', 'string', False, codec.parse_string),
            model.Param('task_id', (), 'task_id', 'string', False, codec.parse_string),
            model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string),
            model.Param('agent_id', (), 'agent_id', 'string', False, codec.parse_string),
            model.Param('status', (), 'status', 'enum', False, codec.parse_enum(novasphere_schedule_v1_task_gateway.words_TaskInstanceStatus)),
        ),
        headers=(),
        response_body='',
        encode=encode_WatchTaskInstancesResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_TaskInstanceEvent),
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
            dump=dump_TaskInstanceEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/task-instances/item/{instance_id}',
        segments=('api', 'v1', 'task-instances', 'item', '*'),
        verb='',
        service='novasphere.schedule.v1.TaskInstanceService',
        method='/novasphere.schedule.v1.TaskInstanceService/GetTaskInstance',
        request=novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceRequest,
        response=novasphere_schedule_v1_task_instance_service_pb2.GetTaskInstanceResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('instance_id', (), 'instance_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(),
        headers=(),
        response_body='instance',
        encode=lambda m: novasphere_schedule_v1_task_gateway.encode_TaskInstance(m.instance) if m.HasField("instance") else None,
        encode_field={
            'instance': model.FieldEncoder('instance', False, novasphere_schedule_v1_task_gateway.dump_TaskInstance),
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
        path='/api/v1/task-instances/page',
        segments=('api', 'v1', 'task-instances', 'page'),
        verb='',
        service='novasphere.schedule.v1.TaskInstanceService',
        method='/novasphere.schedule.v1.TaskInstanceService/ListTaskInstances',
        request=novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesRequest,
        response=novasphere_schedule_v1_task_instance_service_pb2.ListTaskInstancesResponse,
        decode_body=codec.body(decode_ListTaskInstancesRequest, keys_ListTaskInstancesRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ListTaskInstancesResponse,
        encode_field={
            'data': model.FieldEncoder('data', True, novasphere_schedule_v1_task_gateway.dump_TaskInstance),
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
)
