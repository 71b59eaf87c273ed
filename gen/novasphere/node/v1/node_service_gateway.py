"""Generated from novasphere/node/v1/node_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import watch_gateway as novasphere_api_v1_watch_gateway
from novasphere.node.v1 import node_gateway as novasphere_node_v1_node_gateway
from novasphere.node.v1 import node_service_pb2 as novasphere_node_v1_node_service_pb2


def encode_ListNodesRequest(m: novasphere_node_v1_node_service_pb2.ListNodesRequest) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.status:
        data['status'] = novasphere_node_v1_node_gateway.words_NodeStatus.get(v, v)
    if m.HasField("limit"):
        data['limit'] = m.limit
    data['offset'] = m.offset
    data['label_selector'] = m.label_selector
    return data


def dump_ListNodesRequest(m: novasphere_node_v1_node_service_pb2.ListNodesRequest) -> bytes:
    return orjson.dumps(encode_ListNodesRequest(m))


keys_ListNodesRequest = frozenset(['label_selector', 'limit', 'offset', 'status'])


def decode_ListNodesRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListNodesRequest) -> novasphere_node_v1_node_service_pb2.ListNodesRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.ListNodesRequest()
    v = data.get('status')
    if v is not None:
        m.status = novasphere_node_v1_node_gateway.words_NodeStatus.read(v, path, 'status')
    v = data.get('limit')
    if v is not None:
        m.limit = codec.int32(v, path, 'limit')
    v = data.get('offset')
    if v is not None:
        m.offset = codec.int32(v, path, 'offset')
    v = data.get('label_selector')
    if v is not None:
        m.label_selector = codec.string(v, path, 'label_selector')
    return m


def encode_ListNodesResponse(m: novasphere_node_v1_node_service_pb2.ListNodesResponse) -> dict[str, Any]:
    return {
        'nodes': [novasphere_node_v1_node_gateway.encode_Node(v) for v in x[:]] if (x := m.nodes) else [],
        'total': m.total,
    }


def dump_ListNodesResponse(m: novasphere_node_v1_node_service_pb2.ListNodesResponse) -> bytes:
    return orjson.dumps(encode_ListNodesResponse(m))


keys_ListNodesResponse = frozenset(['nodes', 'total'])


def decode_ListNodesResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListNodesResponse) -> novasphere_node_v1_node_service_pb2.ListNodesResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.ListNodesResponse()
    v = data.get('nodes')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'nodes')):
            at = codec.element(path, 'nodes', i)
            m.nodes.add().CopyFrom(novasphere_node_v1_node_gateway.decode_Node(e, at))
    v = data.get('total')
    if v is not None:
        m.total = codec.int32(v, path, 'total')
    return m


def encode_GetNodeRequest(m: novasphere_node_v1_node_service_pb2.GetNodeRequest) -> dict[str, Any]:
    return {
        'node_id': m.node_id,
    }


def dump_GetNodeRequest(m: novasphere_node_v1_node_service_pb2.GetNodeRequest) -> bytes:
    return orjson.dumps(encode_GetNodeRequest(m))


keys_GetNodeRequest = frozenset(['node_id'])


def decode_GetNodeRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetNodeRequest) -> novasphere_node_v1_node_service_pb2.GetNodeRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.GetNodeRequest()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    return m


def encode_GetNodeResponse(m: novasphere_node_v1_node_service_pb2.GetNodeResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("node"):
        data['node'] = novasphere_node_v1_node_gateway.encode_Node(m.node)
    return data


def dump_GetNodeResponse(m: novasphere_node_v1_node_service_pb2.GetNodeResponse) -> bytes:
    return orjson.dumps(encode_GetNodeResponse(m))


keys_GetNodeResponse = frozenset(['node'])


def decode_GetNodeResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetNodeResponse) -> novasphere_node_v1_node_service_pb2.GetNodeResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.GetNodeResponse()
    v = data.get('node')
    if v is not None:
        m.node.CopyFrom(novasphere_node_v1_node_gateway.decode_Node(v, codec.at(path, 'node')))
    return m


def encode_DeleteNodeRequest(m: novasphere_node_v1_node_service_pb2.DeleteNodeRequest) -> dict[str, Any]:
    return {
        'node_id': m.node_id,
        'validate_only': m.validate_only,
    }


def dump_DeleteNodeRequest(m: novasphere_node_v1_node_service_pb2.DeleteNodeRequest) -> bytes:
    return orjson.dumps(encode_DeleteNodeRequest(m))


keys_DeleteNodeRequest = frozenset(['dry_run', 'node_id', 'validate_only'])


def decode_DeleteNodeRequest(data: Any, path: str = '', known: frozenset[str] = keys_DeleteNodeRequest) -> novasphere_node_v1_node_service_pb2.DeleteNodeRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.DeleteNodeRequest()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_DeleteNodeResponse(m: novasphere_node_v1_node_service_pb2.DeleteNodeResponse) -> dict[str, Any]:
    return {}


def dump_DeleteNodeResponse(m: novasphere_node_v1_node_service_pb2.DeleteNodeResponse) -> bytes:
    return orjson.dumps(encode_DeleteNodeResponse(m))


keys_DeleteNodeResponse = frozenset([])


def decode_DeleteNodeResponse(data: Any, path: str = '', known: frozenset[str] = keys_DeleteNodeResponse) -> novasphere_node_v1_node_service_pb2.DeleteNodeResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.DeleteNodeResponse()
    return m


def encode_WatchNodesRequest(m: novasphere_node_v1_node_service_pb2.WatchNodesRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'cursor': m.cursor,
        'label_selector': m.label_selector,
        'node_id': m.node_id,
    }
    if v := m.status:
        data['status'] = novasphere_node_v1_node_gateway.words_NodeStatus.get(v, v)
    return data


def dump_WatchNodesRequest(m: novasphere_node_v1_node_service_pb2.WatchNodesRequest) -> bytes:
    return orjson.dumps(encode_WatchNodesRequest(m))


keys_WatchNodesRequest = frozenset(['cursor', 'label_selector', 'node_id', 'status'])


def decode_WatchNodesRequest(data: Any, path: str = '', known: frozenset[str] = keys_WatchNodesRequest) -> novasphere_node_v1_node_service_pb2.WatchNodesRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.WatchNodesRequest()
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('label_selector')
    if v is not None:
        m.label_selector = codec.string(v, path, 'label_selector')
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('status')
    if v is not None:
        m.status = novasphere_node_v1_node_gateway.words_NodeStatus.read(v, path, 'status')
    return m


def encode_WatchNodesResponse(m: novasphere_node_v1_node_service_pb2.WatchNodesResponse) -> dict[str, Any]:
    return {
        'events': [encode_NodeEvent(v) for v in x[:]] if (x := m.events) else [],
    }


def dump_WatchNodesResponse(m: novasphere_node_v1_node_service_pb2.WatchNodesResponse) -> bytes:
    return orjson.dumps(encode_WatchNodesResponse(m))


keys_WatchNodesResponse = frozenset(['events'])


def decode_WatchNodesResponse(data: Any, path: str = '', known: frozenset[str] = keys_WatchNodesResponse) -> novasphere_node_v1_node_service_pb2.WatchNodesResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.WatchNodesResponse()
    v = data.get('events')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'events')):
            at = codec.element(path, 'events', i)
            m.events.add().CopyFrom(decode_NodeEvent(e, at))
    return m


def encode_NodeEvent(m: novasphere_node_v1_node_service_pb2.NodeEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.type:
        data['type'] = novasphere_api_v1_watch_gateway.words_EventType.get(v, v)
    data['cursor'] = m.cursor
    if m.HasField("object"):
        data['object'] = novasphere_node_v1_node_gateway.encode_Node(m.object)
    if m.HasField("gap"):
        data['gap'] = novasphere_api_v1_watch_gateway.encode_Gap(m.gap)
    return data


def dump_NodeEvent(m: novasphere_node_v1_node_service_pb2.NodeEvent) -> bytes:
    return orjson.dumps(encode_NodeEvent(m))


keys_NodeEvent = frozenset(['cursor', 'gap', 'object', 'type'])


def decode_NodeEvent(data: Any, path: str = '', known: frozenset[str] = keys_NodeEvent) -> novasphere_node_v1_node_service_pb2.NodeEvent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_node_service_pb2.NodeEvent()
    v = data.get('type')
    if v is not None:
        m.type = novasphere_api_v1_watch_gateway.words_EventType.read(v, path, 'type')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('object')
    if v is not None:
        m.object.CopyFrom(novasphere_node_v1_node_gateway.decode_Node(v, codec.at(path, 'object')))
    v = data.get('gap')
    if v is not None:
        m.gap.CopyFrom(novasphere_api_v1_watch_gateway.decode_Gap(v, codec.at(path, 'gap')))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/nodes:watch',
        segments=('api', 'v1', 'nodes'),
        verb='watch',
        service='novasphere.node.v1.NodeService',
        method='/novasphere.node.v1.NodeService/WatchNodes',
        request=novasphere_node_v1_node_service_pb2.WatchNodesRequest,
        response=novasphere_node_v1_node_service_pb2.WatchNodesResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
            model.Param('label_selector', (), 'label_selector', 'string', False, codec.parse_string),
            model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string),
            model.Param('status', (), 'status', 'enum', False, codec.parse_enum(novasphere_node_v1_node_gateway.words_NodeStatus)),
        ),
        headers=(),
        response_body='',
        encode=encode_WatchNodesResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_NodeEvent),
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
            dump=dump_NodeEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/nodes',
        segments=('api', 'v1', 'nodes'),
        verb='',
        service='novasphere.node.v1.NodeService',
        method='/novasphere.node.v1.NodeService/ListNodes',
        request=novasphere_node_v1_node_service_pb2.ListNodesRequest,
        response=novasphere_node_v1_node_service_pb2.ListNodesResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('status', (), 'status', 'enum', False, codec.parse_enum(novasphere_node_v1_node_gateway.words_NodeStatus)),
            model.Param('limit', (), 'limit', 'int32', False, codec.parse_int32),
            model.Param('offset', (), 'offset', 'int32', False, codec.parse_int32),
            model.Param('label_selector', (), 'label_selector', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_ListNodesResponse,
        encode_field={
            'nodes': model.FieldEncoder('nodes', True, novasphere_node_v1_node_gateway.dump_Node),
        },
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
        http_method='DELETE',
        path='/api/v1/nodes/{node_id}',
        segments=('api', 'v1', 'nodes', '*'),
        verb='',
        service='novasphere.node.v1.NodeService',
        method='/novasphere.node.v1.NodeService/DeleteNode',
        request=novasphere_node_v1_node_service_pb2.DeleteNodeRequest,
        response=novasphere_node_v1_node_service_pb2.DeleteNodeResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_DeleteNodeResponse,
        encode_field={},
        is_empty=True,
        face=3,
        success_status=200,
        scope=2,
        or_scope=0,
        is_public=False,
        message='节点删除成功',
        message_en='node deleted',
        action='',
        rate_class=2,
        is_stream=False,
        is_duplex=False,
        stream=None,
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/nodes/{node_id}',
        segments=('api', 'v1', 'nodes', '*'),
        verb='',
        service='novasphere.node.v1.NodeService',
        method='/novasphere.node.v1.NodeService/GetNode',
        request=novasphere_node_v1_node_service_pb2.GetNodeRequest,
        response=novasphere_node_v1_node_service_pb2.GetNodeResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='node',
        encode=lambda m: novasphere_node_v1_node_gateway.encode_Node(m.node) if m.HasField("node") else None,
        encode_field={
            'node': model.FieldEncoder('node', False, novasphere_node_v1_node_gateway.dump_Node),
        },
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
)
