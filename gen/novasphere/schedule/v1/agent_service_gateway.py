"""Generated from novasphere/schedule/v1/agent_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import agent_gateway as novasphere_schedule_v1_agent_gateway
from novasphere.schedule.v1 import agent_service_pb2 as novasphere_schedule_v1_agent_service_pb2
from novasphere.schedule.v1 import page_gateway as novasphere_schedule_v1_page_gateway


def encode_ListAgentsRequest(m: novasphere_schedule_v1_agent_service_pb2.ListAgentsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'filter': {k: novasphere_schedule_v1_page_gateway.encode_Condition(x[k]) for k in sorted(x)} if (x := m.filter) else {},
    }
    if m.HasField("page"):
        data['page'] = novasphere_schedule_v1_page_gateway.encode_PageSpec(m.page)
    return data


def dump_ListAgentsRequest(m: novasphere_schedule_v1_agent_service_pb2.ListAgentsRequest) -> bytes:
    return orjson.dumps(encode_ListAgentsRequest(m))


keys_ListAgentsRequest = frozenset(['filter', 'page'])


def decode_ListAgentsRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListAgentsRequest) -> novasphere_schedule_v1_agent_service_pb2.ListAgentsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.ListAgentsRequest()
    v = data.get('filter')
    if v is not None:
        at = codec.at(path, 'filter')
        for k, e in codec.pairs(v, path, 'filter').items():
            m.filter[k].CopyFrom(novasphere_schedule_v1_page_gateway.decode_Condition(e, codec.at(at, k)))
    v = data.get('page')
    if v is not None:
        m.page.CopyFrom(novasphere_schedule_v1_page_gateway.decode_PageSpec(v, codec.at(path, 'page')))
    return m


def encode_ListAgentsResponse(m: novasphere_schedule_v1_agent_service_pb2.ListAgentsResponse) -> dict[str, Any]:
    return {
        'data': [novasphere_schedule_v1_agent_gateway.encode_Agent(v) for v in x[:]] if (x := m.data) else [],
        'total': m.total,
        'page': m.page,
        'page_size': m.page_size,
    }


def dump_ListAgentsResponse(m: novasphere_schedule_v1_agent_service_pb2.ListAgentsResponse) -> bytes:
    return orjson.dumps(encode_ListAgentsResponse(m))


keys_ListAgentsResponse = frozenset(['data', 'page', 'page_size', 'total'])


def decode_ListAgentsResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListAgentsResponse) -> novasphere_schedule_v1_agent_service_pb2.ListAgentsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.ListAgentsResponse()
    v = data.get('data')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'data')):
            at = codec.element(path, 'data', i)
            m.data.add().CopyFrom(novasphere_schedule_v1_agent_gateway.decode_Agent(e, at))
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


def encode_CreateAgentRequest(m: novasphere_schedule_v1_agent_service_pb2.CreateAgentRequest) -> dict[str, Any]:
    return {
        'namespace_id': m.namespace_id,
        'name': m.name,
        'endpoint': m.endpoint,
        'labels': {k: x[k] for k in sorted(x)} if (x := m.labels) else {},
        'validate_only': m.validate_only,
    }


def dump_CreateAgentRequest(m: novasphere_schedule_v1_agent_service_pb2.CreateAgentRequest) -> bytes:
    return orjson.dumps(encode_CreateAgentRequest(m))


keys_CreateAgentRequest = frozenset(['dry_run', 'endpoint', 'labels', 'name', 'namespace', 'namespace_id', 'validate_only'])


def decode_CreateAgentRequest(data: Any, path: str = '', known: frozenset[str] = keys_CreateAgentRequest) -> novasphere_schedule_v1_agent_service_pb2.CreateAgentRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.CreateAgentRequest()
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('endpoint')
    if v is not None:
        m.endpoint = codec.string(v, path, 'endpoint')
    v = data.get('labels')
    if v is not None:
        at = codec.at(path, 'labels')
        for k, e in codec.pairs(v, path, 'labels').items():
            m.labels[k] = codec.string(e, at, k)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CreateAgentResponse(m: novasphere_schedule_v1_agent_service_pb2.CreateAgentResponse) -> dict[str, Any]:
    return {
        'id': m.id,
    }


def dump_CreateAgentResponse(m: novasphere_schedule_v1_agent_service_pb2.CreateAgentResponse) -> bytes:
    return orjson.dumps(encode_CreateAgentResponse(m))


keys_CreateAgentResponse = frozenset(['id'])


def decode_CreateAgentResponse(data: Any, path: str = '', known: frozenset[str] = keys_CreateAgentResponse) -> novasphere_schedule_v1_agent_service_pb2.CreateAgentResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.CreateAgentResponse()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    return m


def encode_GetAgentRequest(m: novasphere_schedule_v1_agent_service_pb2.GetAgentRequest) -> dict[str, Any]:
    return {
        'id': m.agent_id,
    }


def dump_GetAgentRequest(m: novasphere_schedule_v1_agent_service_pb2.GetAgentRequest) -> bytes:
    return orjson.dumps(encode_GetAgentRequest(m))


keys_GetAgentRequest = frozenset(['agent_id', 'id'])


def decode_GetAgentRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetAgentRequest) -> novasphere_schedule_v1_agent_service_pb2.GetAgentRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.GetAgentRequest()
    key, v = codec.pick(data, ('id', 'agent_id'), path)
    if v is not None:
        m.agent_id = codec.string(v, path, key)
    return m


def encode_GetAgentResponse(m: novasphere_schedule_v1_agent_service_pb2.GetAgentResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("agent"):
        data['agent'] = novasphere_schedule_v1_agent_gateway.encode_Agent(m.agent)
    return data


def dump_GetAgentResponse(m: novasphere_schedule_v1_agent_service_pb2.GetAgentResponse) -> bytes:
    return orjson.dumps(encode_GetAgentResponse(m))


keys_GetAgentResponse = frozenset(['agent'])


def decode_GetAgentResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetAgentResponse) -> novasphere_schedule_v1_agent_service_pb2.GetAgentResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.GetAgentResponse()
    v = data.get('agent')
    if v is not None:
        m.agent.CopyFrom(novasphere_schedule_v1_agent_gateway.decode_Agent(v, codec.at(path, 'agent')))
    return m


def encode_UpdateAgentRequest(m: novasphere_schedule_v1_agent_service_pb2.UpdateAgentRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.agent_id,
    }
    if m.HasField("name"):
        data['name'] = m.name
    if m.HasField("namespace_id"):
        data['namespace_id'] = m.namespace_id
    if m.HasField("endpoint"):
        data['endpoint'] = m.endpoint
    data['labels'] = {k: x[k] for k in sorted(x)} if (x := m.labels) else {}
    if m.HasField("update_mask"):
        data['update_mask'] = codec.print_field_mask(m.update_mask)
    data['validate_only'] = m.validate_only
    return data


def dump_UpdateAgentRequest(m: novasphere_schedule_v1_agent_service_pb2.UpdateAgentRequest) -> bytes:
    return orjson.dumps(encode_UpdateAgentRequest(m))


keys_UpdateAgentRequest = frozenset(['agent_id', 'dry_run', 'endpoint', 'id', 'labels', 'name', 'namespace', 'namespace_id', 'update_mask', 'validate_only'])


def decode_UpdateAgentRequest(data: Any, path: str = '', known: frozenset[str] = keys_UpdateAgentRequest) -> novasphere_schedule_v1_agent_service_pb2.UpdateAgentRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.UpdateAgentRequest()
    key, v = codec.pick(data, ('id', 'agent_id'), path)
    if v is not None:
        m.agent_id = codec.string(v, path, key)
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
    v = data.get('endpoint')
    if v is not None:
        m.endpoint = codec.string(v, path, 'endpoint')
    v = data.get('labels')
    if v is not None:
        at = codec.at(path, 'labels')
        for k, e in codec.pairs(v, path, 'labels').items():
            m.labels[k] = codec.string(e, at, k)
    v = data.get('update_mask')
    if v is not None:
        m.update_mask.CopyFrom(codec.field_mask(v, path, 'update_mask'))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_UpdateAgentResponse(m: novasphere_schedule_v1_agent_service_pb2.UpdateAgentResponse) -> dict[str, Any]:
    return {}


def dump_UpdateAgentResponse(m: novasphere_schedule_v1_agent_service_pb2.UpdateAgentResponse) -> bytes:
    return orjson.dumps(encode_UpdateAgentResponse(m))


keys_UpdateAgentResponse = frozenset([])


def decode_UpdateAgentResponse(data: Any, path: str = '', known: frozenset[str] = keys_UpdateAgentResponse) -> novasphere_schedule_v1_agent_service_pb2.UpdateAgentResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.UpdateAgentResponse()
    return m


def encode_DeleteAgentRequest(m: novasphere_schedule_v1_agent_service_pb2.DeleteAgentRequest) -> dict[str, Any]:
    return {
        'id': m.agent_id,
        'validate_only': m.validate_only,
    }


def dump_DeleteAgentRequest(m: novasphere_schedule_v1_agent_service_pb2.DeleteAgentRequest) -> bytes:
    return orjson.dumps(encode_DeleteAgentRequest(m))


keys_DeleteAgentRequest = frozenset(['agent_id', 'dry_run', 'id', 'validate_only'])


def decode_DeleteAgentRequest(data: Any, path: str = '', known: frozenset[str] = keys_DeleteAgentRequest) -> novasphere_schedule_v1_agent_service_pb2.DeleteAgentRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.DeleteAgentRequest()
    key, v = codec.pick(data, ('id', 'agent_id'), path)
    if v is not None:
        m.agent_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_DeleteAgentResponse(m: novasphere_schedule_v1_agent_service_pb2.DeleteAgentResponse) -> dict[str, Any]:
    return {}


def dump_DeleteAgentResponse(m: novasphere_schedule_v1_agent_service_pb2.DeleteAgentResponse) -> bytes:
    return orjson.dumps(encode_DeleteAgentResponse(m))


keys_DeleteAgentResponse = frozenset([])


def decode_DeleteAgentResponse(data: Any, path: str = '', known: frozenset[str] = keys_DeleteAgentResponse) -> novasphere_schedule_v1_agent_service_pb2.DeleteAgentResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_agent_service_pb2.DeleteAgentResponse()
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='POST',
        path='/api/v1/agents/create',
        segments=('api', 'v1', 'agents', 'create'),
        verb='',
        service='novasphere.schedule.v1.AgentService',
        method='/novasphere.schedule.v1.AgentService/CreateAgent',
        request=novasphere_schedule_v1_agent_service_pb2.CreateAgentRequest,
        response=novasphere_schedule_v1_agent_service_pb2.CreateAgentResponse,
        decode_body=codec.body(decode_CreateAgentRequest, keys_CreateAgentRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_CreateAgentResponse,
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
        http_method='POST',
        path='/api/v1/agents/query',
        segments=('api', 'v1', 'agents', 'query'),
        verb='',
        service='novasphere.schedule.v1.AgentService',
        method='/novasphere.schedule.v1.AgentService/ListAgents',
        request=novasphere_schedule_v1_agent_service_pb2.ListAgentsRequest,
        response=novasphere_schedule_v1_agent_service_pb2.ListAgentsResponse,
        decode_body=codec.body(decode_ListAgentsRequest, keys_ListAgentsRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ListAgentsResponse,
        encode_field={
            'data': model.FieldEncoder('data', True, novasphere_schedule_v1_agent_gateway.dump_Agent),
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
        http_method='DELETE',
        path='/api/v1/agents/{agent_id}',
        segments=('api', 'v1', 'agents', '*'),
        verb='',
        service='novasphere.schedule.v1.AgentService',
        method='/novasphere.schedule.v1.AgentService/DeleteAgent',
        request=novasphere_schedule_v1_agent_service_pb2.DeleteAgentRequest,
        response=novasphere_schedule_v1_agent_service_pb2.DeleteAgentResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('agent_id', (), 'agent_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_DeleteAgentResponse,
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
        path='/api/v1/agents/{agent_id}',
        segments=('api', 'v1', 'agents', '*'),
        verb='',
        service='novasphere.schedule.v1.AgentService',
        method='/novasphere.schedule.v1.AgentService/GetAgent',
        request=novasphere_schedule_v1_agent_service_pb2.GetAgentRequest,
        response=novasphere_schedule_v1_agent_service_pb2.GetAgentResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('agent_id', (), 'agent_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='agent',
        encode=lambda m: novasphere_schedule_v1_agent_gateway.encode_Agent(m.agent) if m.HasField("agent") else None,
        encode_field={
            'agent': model.FieldEncoder('agent', False, novasphere_schedule_v1_agent_gateway.dump_Agent),
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
        path='/api/v1/agents/{agent_id}/update',
        segments=('api', 'v1', 'agents', '*', 'update'),
        verb='',
        service='novasphere.schedule.v1.AgentService',
        method='/novasphere.schedule.v1.AgentService/UpdateAgent',
        request=novasphere_schedule_v1_agent_service_pb2.UpdateAgentRequest,
        response=novasphere_schedule_v1_agent_service_pb2.UpdateAgentResponse,
        decode_body=codec.body(decode_UpdateAgentRequest, keys_UpdateAgentRequest - {'agent_id', 'id'}, frozenset({'agent_id', 'id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('agent_id', (), 'agent_id', 'string', False, codec.parse_string), 3, 4),
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
        encode=encode_UpdateAgentResponse,
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
            'namespace_id': 'namespace_id',
            'namespace': 'namespace_id',
            'endpoint': 'endpoint',
            'labels': 'labels',
        },
    ),
)
