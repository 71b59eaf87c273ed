"""Generated from novasphere/schedule/v1/server_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import page_gateway as novasphere_schedule_v1_page_gateway
from novasphere.schedule.v1 import server_gateway as novasphere_schedule_v1_server_gateway
from novasphere.schedule.v1 import server_service_pb2 as novasphere_schedule_v1_server_service_pb2


def encode_ListServersRequest(m: novasphere_schedule_v1_server_service_pb2.ListServersRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'filter': {k: novasphere_schedule_v1_page_gateway.encode_Condition(x[k]) for k in sorted(x)} if (x := m.filter) else {},
    }
    if m.HasField("page"):
        data['page'] = novasphere_schedule_v1_page_gateway.encode_PageSpec(m.page)
    return data


def dump_ListServersRequest(m: novasphere_schedule_v1_server_service_pb2.ListServersRequest) -> bytes:
    return orjson.dumps(encode_ListServersRequest(m))


keys_ListServersRequest = frozenset(['filter', 'page'])


def decode_ListServersRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListServersRequest) -> novasphere_schedule_v1_server_service_pb2.ListServersRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.ListServersRequest()
    v = data.get('filter')
    if v is not None:
        at = codec.at(path, 'filter')
        for k, e in codec.pairs(v, path, 'filter').items():
            m.filter[k].CopyFrom(novasphere_schedule_v1_page_gateway.decode_Condition(e, codec.at(at, k)))
    v = data.get('page')
    if v is not None:
        m.page.CopyFrom(novasphere_schedule_v1_page_gateway.decode_PageSpec(v, codec.at(path, 'page')))
    return m


def encode_ListServersResponse(m: novasphere_schedule_v1_server_service_pb2.ListServersResponse) -> dict[str, Any]:
    return {
        'data': [novasphere_schedule_v1_server_gateway.encode_Server(v) for v in x[:]] if (x := m.data) else [],
        'total': m.total,
        'page': m.page,
        'page_size': m.page_size,
    }


def dump_ListServersResponse(m: novasphere_schedule_v1_server_service_pb2.ListServersResponse) -> bytes:
    return orjson.dumps(encode_ListServersResponse(m))


keys_ListServersResponse = frozenset(['data', 'page', 'page_size', 'total'])


def decode_ListServersResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListServersResponse) -> novasphere_schedule_v1_server_service_pb2.ListServersResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.ListServersResponse()
    v = data.get('data')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'data')):
            at = codec.element(path, 'data', i)
            m.data.add().CopyFrom(novasphere_schedule_v1_server_gateway.decode_Server(e, at))
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


def encode_GetServerRequest(m: novasphere_schedule_v1_server_service_pb2.GetServerRequest) -> dict[str, Any]:
    return {
        'id': m.server_id,
    }


def dump_GetServerRequest(m: novasphere_schedule_v1_server_service_pb2.GetServerRequest) -> bytes:
    return orjson.dumps(encode_GetServerRequest(m))


keys_GetServerRequest = frozenset(['id', 'server_id'])


def decode_GetServerRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetServerRequest) -> novasphere_schedule_v1_server_service_pb2.GetServerRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.GetServerRequest()
    key, v = codec.pick(data, ('id', 'server_id'), path)
    if v is not None:
        m.server_id = codec.string(v, path, key)
    return m


def encode_GetServerResponse(m: novasphere_schedule_v1_server_service_pb2.GetServerResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("server"):
        data['server'] = novasphere_schedule_v1_server_gateway.encode_Server(m.server)
    return data


def dump_GetServerResponse(m: novasphere_schedule_v1_server_service_pb2.GetServerResponse) -> bytes:
    return orjson.dumps(encode_GetServerResponse(m))


keys_GetServerResponse = frozenset(['server'])


def decode_GetServerResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetServerResponse) -> novasphere_schedule_v1_server_service_pb2.GetServerResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.GetServerResponse()
    v = data.get('server')
    if v is not None:
        m.server.CopyFrom(novasphere_schedule_v1_server_gateway.decode_Server(v, codec.at(path, 'server')))
    return m


def encode_UpdateServerRequest(m: novasphere_schedule_v1_server_service_pb2.UpdateServerRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.server_id,
    }
    if m.HasField("name"):
        data['name'] = m.name
    data['bind_namespaces'] = m.bind_namespaces[:]
    if m.HasField("description"):
        data['description'] = m.description
    if m.HasField("update_mask"):
        data['update_mask'] = codec.print_field_mask(m.update_mask)
    data['validate_only'] = m.validate_only
    return data


def dump_UpdateServerRequest(m: novasphere_schedule_v1_server_service_pb2.UpdateServerRequest) -> bytes:
    return orjson.dumps(encode_UpdateServerRequest(m))


keys_UpdateServerRequest = frozenset(['bind_namespaces', 'description', 'dry_run', 'id', 'name', 'server_id', 'update_mask', 'validate_only'])


def decode_UpdateServerRequest(data: Any, path: str = '', known: frozenset[str] = keys_UpdateServerRequest) -> novasphere_schedule_v1_server_service_pb2.UpdateServerRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.UpdateServerRequest()
    key, v = codec.pick(data, ('id', 'server_id'), path)
    if v is not None:
        m.server_id = codec.string(v, path, key)
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('bind_namespaces')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'bind_namespaces')):
            at = codec.element(path, 'bind_namespaces', i)
            m.bind_namespaces.append(codec.string(e, at, ''))
    v = data.get('description')
    if v is not None:
        m.description = codec.string(v, path, 'description')
    v = data.get('update_mask')
    if v is not None:
        m.update_mask.CopyFrom(codec.field_mask(v, path, 'update_mask'))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_UpdateServerResponse(m: novasphere_schedule_v1_server_service_pb2.UpdateServerResponse) -> dict[str, Any]:
    return {}


def dump_UpdateServerResponse(m: novasphere_schedule_v1_server_service_pb2.UpdateServerResponse) -> bytes:
    return orjson.dumps(encode_UpdateServerResponse(m))


keys_UpdateServerResponse = frozenset([])


def decode_UpdateServerResponse(data: Any, path: str = '', known: frozenset[str] = keys_UpdateServerResponse) -> novasphere_schedule_v1_server_service_pb2.UpdateServerResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.UpdateServerResponse()
    return m


def encode_DeleteServerRequest(m: novasphere_schedule_v1_server_service_pb2.DeleteServerRequest) -> dict[str, Any]:
    return {
        'id': m.server_id,
        'validate_only': m.validate_only,
    }


def dump_DeleteServerRequest(m: novasphere_schedule_v1_server_service_pb2.DeleteServerRequest) -> bytes:
    return orjson.dumps(encode_DeleteServerRequest(m))


keys_DeleteServerRequest = frozenset(['dry_run', 'id', 'server_id', 'validate_only'])


def decode_DeleteServerRequest(data: Any, path: str = '', known: frozenset[str] = keys_DeleteServerRequest) -> novasphere_schedule_v1_server_service_pb2.DeleteServerRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.DeleteServerRequest()
    key, v = codec.pick(data, ('id', 'server_id'), path)
    if v is not None:
        m.server_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_DeleteServerResponse(m: novasphere_schedule_v1_server_service_pb2.DeleteServerResponse) -> dict[str, Any]:
    return {}


def dump_DeleteServerResponse(m: novasphere_schedule_v1_server_service_pb2.DeleteServerResponse) -> bytes:
    return orjson.dumps(encode_DeleteServerResponse(m))


keys_DeleteServerResponse = frozenset([])


def decode_DeleteServerResponse(data: Any, path: str = '', known: frozenset[str] = keys_DeleteServerResponse) -> novasphere_schedule_v1_server_service_pb2.DeleteServerResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.DeleteServerResponse()
    return m


def encode_GetServerHealthRequest(m: novasphere_schedule_v1_server_service_pb2.GetServerHealthRequest) -> dict[str, Any]:
    return {}


def dump_GetServerHealthRequest(m: novasphere_schedule_v1_server_service_pb2.GetServerHealthRequest) -> bytes:
    return orjson.dumps(encode_GetServerHealthRequest(m))


keys_GetServerHealthRequest = frozenset([])


def decode_GetServerHealthRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetServerHealthRequest) -> novasphere_schedule_v1_server_service_pb2.GetServerHealthRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.GetServerHealthRequest()
    return m


def encode_GetServerHealthResponse(m: novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse) -> dict[str, Any]:
    data: dict[str, Any] = {
        'status': m.status,
    }
    if m.HasField("timestamp"):
        data['timestamp'] = codec.print_seconds(m.timestamp.seconds)
    data['version'] = m.version
    data['uptime'] = m.uptime_seconds
    if m.HasField("database"):
        data['database'] = encode_GetServerHealthResponse_Database(m.database)
    if m.HasField("agents"):
        data['agents'] = encode_GetServerHealthResponse_Agents(m.agents)
    return data


def dump_GetServerHealthResponse(m: novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse) -> bytes:
    return orjson.dumps(encode_GetServerHealthResponse(m))


keys_GetServerHealthResponse = frozenset(['agents', 'database', 'status', 'timestamp', 'uptime', 'uptime_seconds', 'version'])


def decode_GetServerHealthResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetServerHealthResponse) -> novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse()
    v = data.get('status')
    if v is not None:
        m.status = codec.string(v, path, 'status')
    v = data.get('timestamp')
    if v is not None:
        m.timestamp.CopyFrom(codec.timestamp(v, path, 'timestamp'))
    v = data.get('version')
    if v is not None:
        m.version = codec.string(v, path, 'version')
    key, v = codec.pick(data, ('uptime', 'uptime_seconds'), path)
    if v is not None:
        m.uptime_seconds = codec.int64(v, path, key)
    v = data.get('database')
    if v is not None:
        m.database.CopyFrom(decode_GetServerHealthResponse_Database(v, codec.at(path, 'database')))
    v = data.get('agents')
    if v is not None:
        m.agents.CopyFrom(decode_GetServerHealthResponse_Agents(v, codec.at(path, 'agents')))
    return m


def encode_GetServerHealthResponse_Database(m: novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse.Database) -> dict[str, Any]:
    return {
        'status': m.status,
        'pool_size': m.pool_size,
    }


def dump_GetServerHealthResponse_Database(m: novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse.Database) -> bytes:
    return orjson.dumps(encode_GetServerHealthResponse_Database(m))


keys_GetServerHealthResponse_Database = frozenset(['pool_size', 'status'])


def decode_GetServerHealthResponse_Database(data: Any, path: str = '', known: frozenset[str] = keys_GetServerHealthResponse_Database) -> novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse.Database:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse.Database()
    v = data.get('status')
    if v is not None:
        m.status = codec.string(v, path, 'status')
    v = data.get('pool_size')
    if v is not None:
        m.pool_size = codec.int32(v, path, 'pool_size')
    return m


def encode_GetServerHealthResponse_Agents(m: novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse.Agents) -> dict[str, Any]:
    return {
        'total': m.total,
        'online': m.online,
        'offline': m.offline,
    }


def dump_GetServerHealthResponse_Agents(m: novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse.Agents) -> bytes:
    return orjson.dumps(encode_GetServerHealthResponse_Agents(m))


keys_GetServerHealthResponse_Agents = frozenset(['offline', 'online', 'total'])


def decode_GetServerHealthResponse_Agents(data: Any, path: str = '', known: frozenset[str] = keys_GetServerHealthResponse_Agents) -> novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse.Agents:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse.Agents()
    v = data.get('total')
    if v is not None:
        m.total = codec.int32(v, path, 'total')
    v = data.get('online')
    if v is not None:
        m.online = codec.int32(v, path, 'online')
    v = data.get('offline')
    if v is not None:
        m.offline = codec.int32(v, path, 'offline')
    return m


def encode_GetGatewayStatsRequest(m: novasphere_schedule_v1_server_service_pb2.GetGatewayStatsRequest) -> dict[str, Any]:
    return {}


def dump_GetGatewayStatsRequest(m: novasphere_schedule_v1_server_service_pb2.GetGatewayStatsRequest) -> bytes:
    return orjson.dumps(encode_GetGatewayStatsRequest(m))


keys_GetGatewayStatsRequest = frozenset([])


def decode_GetGatewayStatsRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetGatewayStatsRequest) -> novasphere_schedule_v1_server_service_pb2.GetGatewayStatsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.GetGatewayStatsRequest()
    return m


def encode_GetGatewayStatsResponse(m: novasphere_schedule_v1_server_service_pb2.GetGatewayStatsResponse) -> dict[str, Any]:
    data: dict[str, Any] = {
        'total_connections': m.total_connections,
        'active_connections': m.active_connections,
        'total_messages_sent': m.total_messages_sent,
        'total_messages_received': m.total_messages_received,
    }
    if m.HasField("timestamp"):
        data['timestamp'] = codec.print_seconds(m.timestamp.seconds)
    return data


def dump_GetGatewayStatsResponse(m: novasphere_schedule_v1_server_service_pb2.GetGatewayStatsResponse) -> bytes:
    return orjson.dumps(encode_GetGatewayStatsResponse(m))


keys_GetGatewayStatsResponse = frozenset(['active_connections', 'timestamp', 'total_connections', 'total_messages_received', 'total_messages_sent'])


def decode_GetGatewayStatsResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetGatewayStatsResponse) -> novasphere_schedule_v1_server_service_pb2.GetGatewayStatsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_server_service_pb2.GetGatewayStatsResponse()
    v = data.get('total_connections')
    if v is not None:
        m.total_connections = codec.int64(v, path, 'total_connections')
    v = data.get('active_connections')
    if v is not None:
        m.active_connections = codec.int32(v, path, 'active_connections')
    v = data.get('total_messages_sent')
    if v is not None:
        m.total_messages_sent = codec.int64(v, path, 'total_messages_sent')
    v = data.get('total_messages_received')
    if v is not None:
        m.total_messages_received = codec.int64(v, path, 'total_messages_received')
    v = data.get('timestamp')
    if v is not None:
        m.timestamp.CopyFrom(codec.timestamp(v, path, 'timestamp'))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/gateway/stats',
        segments=('api', 'v1', 'gateway', 'stats'),
        verb='',
        service='novasphere.schedule.v1.ServerService',
        method='/novasphere.schedule.v1.ServerService/GetGatewayStats',
        request=novasphere_schedule_v1_server_service_pb2.GetGatewayStatsRequest,
        response=novasphere_schedule_v1_server_service_pb2.GetGatewayStatsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_GetGatewayStatsResponse,
        encode_field={},
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
        path='/api/v1/servers/query',
        segments=('api', 'v1', 'servers', 'query'),
        verb='',
        service='novasphere.schedule.v1.ServerService',
        method='/novasphere.schedule.v1.ServerService/ListServers',
        request=novasphere_schedule_v1_server_service_pb2.ListServersRequest,
        response=novasphere_schedule_v1_server_service_pb2.ListServersResponse,
        decode_body=codec.body(decode_ListServersRequest, keys_ListServersRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ListServersResponse,
        encode_field={
            'data': model.FieldEncoder('data', True, novasphere_schedule_v1_server_gateway.dump_Server),
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
        path='/api/v1/servers/{server_id}',
        segments=('api', 'v1', 'servers', '*'),
        verb='',
        service='novasphere.schedule.v1.ServerService',
        method='/novasphere.schedule.v1.ServerService/DeleteServer',
        request=novasphere_schedule_v1_server_service_pb2.DeleteServerRequest,
        response=novasphere_schedule_v1_server_service_pb2.DeleteServerResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('server_id', (), 'server_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_DeleteServerResponse,
        encode_field={},
        is_empty=True,
        face=4,
        success_status=200,
        scope=3,
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
        path='/api/v1/servers/{server_id}',
        segments=('api', 'v1', 'servers', '*'),
        verb='',
        service='novasphere.schedule.v1.ServerService',
        method='/novasphere.schedule.v1.ServerService/GetServer',
        request=novasphere_schedule_v1_server_service_pb2.GetServerRequest,
        response=novasphere_schedule_v1_server_service_pb2.GetServerResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('server_id', (), 'server_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='server',
        encode=lambda m: novasphere_schedule_v1_server_gateway.encode_Server(m.server) if m.HasField("server") else None,
        encode_field={
            'server': model.FieldEncoder('server', False, novasphere_schedule_v1_server_gateway.dump_Server),
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
        path='/api/v1/servers/{server_id}/update',
        segments=('api', 'v1', 'servers', '*', 'update'),
        verb='',
        service='novasphere.schedule.v1.ServerService',
        method='/novasphere.schedule.v1.ServerService/UpdateServer',
        request=novasphere_schedule_v1_server_service_pb2.UpdateServerRequest,
        response=novasphere_schedule_v1_server_service_pb2.UpdateServerResponse,
        decode_body=codec.body(decode_UpdateServerRequest, keys_UpdateServerRequest - {'id', 'server_id'}, frozenset({'id', 'server_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('server_id', (), 'server_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('update_mask', (), 'update_mask', 'field_mask', False, codec.parse_field_mask),
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_UpdateServerResponse,
        encode_field={},
        is_empty=True,
        face=4,
        success_status=200,
        scope=3,
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
            'bind_namespaces': 'bind_namespaces',
            'description': 'description',
        },
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/system/health',
        segments=('api', 'v1', 'system', 'health'),
        verb='',
        service='novasphere.schedule.v1.ServerService',
        method='/novasphere.schedule.v1.ServerService/GetServerHealth',
        request=novasphere_schedule_v1_server_service_pb2.GetServerHealthRequest,
        response=novasphere_schedule_v1_server_service_pb2.GetServerHealthResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_GetServerHealthResponse,
        encode_field={
            'database': model.FieldEncoder('database', False, dump_GetServerHealthResponse_Database),
            'agents': model.FieldEncoder('agents', False, dump_GetServerHealthResponse_Agents),
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
)
