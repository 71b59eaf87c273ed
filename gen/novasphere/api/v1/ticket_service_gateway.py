"""Generated from novasphere/api/v1/ticket_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import options_gateway as novasphere_api_v1_options_gateway
from novasphere.api.v1 import ticket_service_pb2 as novasphere_api_v1_ticket_service_pb2


def encode_CreateTicketRequest(m: novasphere_api_v1_ticket_service_pb2.CreateTicketRequest) -> dict[str, Any]:
    return {
        'path': m.path,
        'validate_only': m.validate_only,
    }


def dump_CreateTicketRequest(m: novasphere_api_v1_ticket_service_pb2.CreateTicketRequest) -> bytes:
    return orjson.dumps(encode_CreateTicketRequest(m))


keys_CreateTicketRequest = frozenset(['dry_run', 'path', 'validate_only'])


def decode_CreateTicketRequest(data: Any, path: str = '', known: frozenset[str] = keys_CreateTicketRequest) -> novasphere_api_v1_ticket_service_pb2.CreateTicketRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_ticket_service_pb2.CreateTicketRequest()
    v = data.get('path')
    if v is not None:
        m.path = codec.string(v, path, 'path')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CreateTicketResponse(m: novasphere_api_v1_ticket_service_pb2.CreateTicketResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("secret"):
        data['ticket'] = m.secret
    data['path'] = m.path
    data['scopes'] = [novasphere_api_v1_options_gateway.words_Scope.get(v, v) for v in x[:]] if (x := m.scopes) else []
    data['namespaces'] = m.namespaces[:]
    if m.HasField("expires_at"):
        data['expires_at'] = codec.print_seconds(m.expires_at.seconds)
    return data


def dump_CreateTicketResponse(m: novasphere_api_v1_ticket_service_pb2.CreateTicketResponse) -> bytes:
    return orjson.dumps(encode_CreateTicketResponse(m))


keys_CreateTicketResponse = frozenset(['expires_at', 'namespaces', 'path', 'scopes', 'secret', 'ticket'])


def decode_CreateTicketResponse(data: Any, path: str = '', known: frozenset[str] = keys_CreateTicketResponse) -> novasphere_api_v1_ticket_service_pb2.CreateTicketResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_ticket_service_pb2.CreateTicketResponse()
    key, v = codec.pick(data, ('ticket', 'secret'), path)
    if v is not None:
        m.secret = codec.string(v, path, key)
    v = data.get('path')
    if v is not None:
        m.path = codec.string(v, path, 'path')
    v = data.get('scopes')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'scopes')):
            at = codec.element(path, 'scopes', i)
            m.scopes.append(novasphere_api_v1_options_gateway.words_Scope.read(e, at, ''))
    v = data.get('namespaces')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'namespaces')):
            at = codec.element(path, 'namespaces', i)
            m.namespaces.append(codec.string(e, at, ''))
    v = data.get('expires_at')
    if v is not None:
        m.expires_at.CopyFrom(codec.timestamp(v, path, 'expires_at'))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='POST',
        path='/api/v1/tickets',
        segments=('api', 'v1', 'tickets'),
        verb='',
        service='novasphere.api.v1.TicketService',
        method='/novasphere.api.v1.TicketService/CreateTicket',
        request=novasphere_api_v1_ticket_service_pb2.CreateTicketRequest,
        response=novasphere_api_v1_ticket_service_pb2.CreateTicketResponse,
        decode_body=codec.body(decode_CreateTicketRequest, keys_CreateTicketRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_CreateTicketResponse,
        encode_field={},
        is_empty=False,
        face=6,
        success_status=201,
        scope=1,
        or_scope=2,
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
