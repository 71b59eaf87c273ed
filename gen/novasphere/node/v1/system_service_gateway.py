"""Generated from novasphere/node/v1/system_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.node.v1 import system_service_pb2 as novasphere_node_v1_system_service_pb2


def encode_GetSystemStatsRequest(m: novasphere_node_v1_system_service_pb2.GetSystemStatsRequest) -> dict[str, Any]:
    return {}


def dump_GetSystemStatsRequest(m: novasphere_node_v1_system_service_pb2.GetSystemStatsRequest) -> bytes:
    return orjson.dumps(encode_GetSystemStatsRequest(m))


keys_GetSystemStatsRequest = frozenset([])


def decode_GetSystemStatsRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetSystemStatsRequest) -> novasphere_node_v1_system_service_pb2.GetSystemStatsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_system_service_pb2.GetSystemStatsRequest()
    return m


def encode_GetSystemStatsResponse(m: novasphere_node_v1_system_service_pb2.GetSystemStatsResponse) -> dict[str, Any]:
    data: dict[str, Any] = {
        'total_nodes': m.total_nodes,
        'online_nodes': m.online_nodes,
        'total_commands': m.total_commands,
        'pending_commands': m.pending_commands,
    }
    if m.HasField("system_uptime"):
        data['system_uptime'] = codec.print_seconds(m.system_uptime.seconds)
    return data


def dump_GetSystemStatsResponse(m: novasphere_node_v1_system_service_pb2.GetSystemStatsResponse) -> bytes:
    return orjson.dumps(encode_GetSystemStatsResponse(m))


keys_GetSystemStatsResponse = frozenset(['online_nodes', 'pending_commands', 'system_uptime', 'total_commands', 'total_nodes'])


def decode_GetSystemStatsResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetSystemStatsResponse) -> novasphere_node_v1_system_service_pb2.GetSystemStatsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_system_service_pb2.GetSystemStatsResponse()
    v = data.get('total_nodes')
    if v is not None:
        m.total_nodes = codec.int32(v, path, 'total_nodes')
    v = data.get('online_nodes')
    if v is not None:
        m.online_nodes = codec.int32(v, path, 'online_nodes')
    v = data.get('total_commands')
    if v is not None:
        m.total_commands = codec.int32(v, path, 'total_commands')
    v = data.get('pending_commands')
    if v is not None:
        m.pending_commands = codec.int32(v, path, 'pending_commands')
    v = data.get('system_uptime')
    if v is not None:
        m.system_uptime.CopyFrom(codec.timestamp(v, path, 'system_uptime'))
    return m


def encode_GetHealthRequest(m: novasphere_node_v1_system_service_pb2.GetHealthRequest) -> dict[str, Any]:
    return {}


def dump_GetHealthRequest(m: novasphere_node_v1_system_service_pb2.GetHealthRequest) -> bytes:
    return orjson.dumps(encode_GetHealthRequest(m))


keys_GetHealthRequest = frozenset([])


def decode_GetHealthRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetHealthRequest) -> novasphere_node_v1_system_service_pb2.GetHealthRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_system_service_pb2.GetHealthRequest()
    return m


def encode_GetHealthResponse(m: novasphere_node_v1_system_service_pb2.GetHealthResponse) -> dict[str, Any]:
    return {
        'status': m.status,
        'database': m.database,
        'websocket': m.websocket,
        'uptime_seconds': m.uptime_seconds,
    }


def dump_GetHealthResponse(m: novasphere_node_v1_system_service_pb2.GetHealthResponse) -> bytes:
    return orjson.dumps(encode_GetHealthResponse(m))


keys_GetHealthResponse = frozenset(['database', 'status', 'uptime_seconds', 'websocket'])


def decode_GetHealthResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetHealthResponse) -> novasphere_node_v1_system_service_pb2.GetHealthResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_system_service_pb2.GetHealthResponse()
    v = data.get('status')
    if v is not None:
        m.status = codec.string(v, path, 'status')
    v = data.get('database')
    if v is not None:
        m.database = codec.string(v, path, 'database')
    v = data.get('websocket')
    if v is not None:
        m.websocket = codec.string(v, path, 'websocket')
    v = data.get('uptime_seconds')
    if v is not None:
        m.uptime_seconds = codec.int64(v, path, 'uptime_seconds')
    return m


def encode_GetVersionRequest(m: novasphere_node_v1_system_service_pb2.GetVersionRequest) -> dict[str, Any]:
    return {}


def dump_GetVersionRequest(m: novasphere_node_v1_system_service_pb2.GetVersionRequest) -> bytes:
    return orjson.dumps(encode_GetVersionRequest(m))


keys_GetVersionRequest = frozenset([])


def decode_GetVersionRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetVersionRequest) -> novasphere_node_v1_system_service_pb2.GetVersionRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_system_service_pb2.GetVersionRequest()
    return m


def encode_GetVersionResponse(m: novasphere_node_v1_system_service_pb2.GetVersionResponse) -> dict[str, Any]:
    return {
        'version': m.version,
        'python_version': m.python_version,
        'database': m.database,
    }


def dump_GetVersionResponse(m: novasphere_node_v1_system_service_pb2.GetVersionResponse) -> bytes:
    return orjson.dumps(encode_GetVersionResponse(m))


keys_GetVersionResponse = frozenset(['database', 'python_version', 'version'])


def decode_GetVersionResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetVersionResponse) -> novasphere_node_v1_system_service_pb2.GetVersionResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_system_service_pb2.GetVersionResponse()
    v = data.get('version')
    if v is not None:
        m.version = codec.string(v, path, 'version')
    v = data.get('python_version')
    if v is not None:
        m.python_version = codec.string(v, path, 'python_version')
    v = data.get('database')
    if v is not None:
        m.database = codec.string(v, path, 'database')
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/health',
        segments=('api', 'v1', 'health'),
        verb='',
        service='novasphere.node.v1.SystemService',
        method='/novasphere.node.v1.SystemService/GetHealth',
        request=novasphere_node_v1_system_service_pb2.GetHealthRequest,
        response=novasphere_node_v1_system_service_pb2.GetHealthResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_GetHealthResponse,
        encode_field={},
        is_empty=False,
        face=3,
        success_status=200,
        scope=0,
        or_scope=0,
        is_public=True,
        message='',
        message_en='',
        action='',
        rate_class=1,
        is_stream=False,
        is_duplex=False,
        stream=None,
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/system/stats',
        segments=('api', 'v1', 'system', 'stats'),
        verb='',
        service='novasphere.node.v1.SystemService',
        method='/novasphere.node.v1.SystemService/GetSystemStats',
        request=novasphere_node_v1_system_service_pb2.GetSystemStatsRequest,
        response=novasphere_node_v1_system_service_pb2.GetSystemStatsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_GetSystemStatsResponse,
        encode_field={},
        is_empty=False,
        face=3,
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
        http_method='GET',
        path='/version',
        segments=('version',),
        verb='',
        service='novasphere.node.v1.SystemService',
        method='/novasphere.node.v1.SystemService/GetVersion',
        request=novasphere_node_v1_system_service_pb2.GetVersionRequest,
        response=novasphere_node_v1_system_service_pb2.GetVersionResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_GetVersionResponse,
        encode_field={},
        is_empty=False,
        face=6,
        success_status=200,
        scope=0,
        or_scope=0,
        is_public=True,
        message='',
        message_en='',
        action='',
        rate_class=1,
        is_stream=False,
        is_duplex=False,
        stream=None,
    ),
)
