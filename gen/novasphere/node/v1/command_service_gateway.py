"""Generated from novasphere/node/v1/command_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import watch_gateway as novasphere_api_v1_watch_gateway
from novasphere.node.v1 import command_explanation_gateway as novasphere_node_v1_command_explanation_gateway
from novasphere.node.v1 import command_gateway as novasphere_node_v1_command_gateway
from novasphere.node.v1 import command_service_pb2 as novasphere_node_v1_command_service_pb2


words_OutputStream = codec.Words(
    {0: 'UNSPECIFIED', 1: 'stdout', 2: 'stderr'},
    {'UNSPECIFIED': 0, 'OUTPUT_STREAM_UNSPECIFIED': 0, 'stdout': 1, 'STDOUT': 1, 'OUTPUT_STREAM_STDOUT': 1, 'stderr': 2, 'STDERR': 2, 'OUTPUT_STREAM_STDERR': 2},
)


words_OutputEventType = codec.Words(
    {0: 'UNSPECIFIED', 1: 'CHUNK', 2: 'END', 3: 'WAITING'},
    {'UNSPECIFIED': 0, 'OUTPUT_EVENT_TYPE_UNSPECIFIED': 0, 'CHUNK': 1, 'OUTPUT_EVENT_TYPE_CHUNK': 1, 'END': 2, 'OUTPUT_EVENT_TYPE_END': 2, 'WAITING': 3, 'OUTPUT_EVENT_TYPE_WAITING': 3},
)


def encode_CreateCommandRequest(m: novasphere_node_v1_command_service_pb2.CreateCommandRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'node_id': m.node_id,
        'command_text': m.command_text,
    }
    if m.HasField("timeout_seconds"):
        data['timeout'] = m.timeout_seconds
    if m.HasField("queue_timeout_seconds"):
        data['queue_timeout'] = m.queue_timeout_seconds
    data['namespace'] = m.namespace
    data['validate_only'] = m.validate_only
    return data


def dump_CreateCommandRequest(m: novasphere_node_v1_command_service_pb2.CreateCommandRequest) -> bytes:
    return orjson.dumps(encode_CreateCommandRequest(m))


keys_CreateCommandRequest = frozenset(['command_text', 'dry_run', 'namespace', 'node_id', 'queue_timeout', 'queue_timeout_seconds', 'timeout', 'timeout_seconds', 'validate_only'])


def decode_CreateCommandRequest(data: Any, path: str = '', known: frozenset[str] = keys_CreateCommandRequest) -> novasphere_node_v1_command_service_pb2.CreateCommandRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.CreateCommandRequest()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('command_text')
    if v is not None:
        m.command_text = codec.string(v, path, 'command_text')
    key, v = codec.pick(data, ('timeout', 'timeout_seconds'), path)
    if v is not None:
        m.timeout_seconds = codec.int32(v, path, key)
    key, v = codec.pick(data, ('queue_timeout', 'queue_timeout_seconds'), path)
    if v is not None:
        m.queue_timeout_seconds = codec.int32(v, path, key)
    v = data.get('namespace')
    if v is not None:
        m.namespace = codec.string(v, path, 'namespace')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CreateCommandResponse(m: novasphere_node_v1_command_service_pb2.CreateCommandResponse) -> dict[str, Any]:
    data: dict[str, Any] = {
        'command_id': m.command_id,
    }
    if v := m.status:
        data['status'] = novasphere_node_v1_command_gateway.words_CommandStatus.get(v, v)
    data['message'] = m.message
    return data


def dump_CreateCommandResponse(m: novasphere_node_v1_command_service_pb2.CreateCommandResponse) -> bytes:
    return orjson.dumps(encode_CreateCommandResponse(m))


keys_CreateCommandResponse = frozenset(['command_id', 'message', 'status'])


def decode_CreateCommandResponse(data: Any, path: str = '', known: frozenset[str] = keys_CreateCommandResponse) -> novasphere_node_v1_command_service_pb2.CreateCommandResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.CreateCommandResponse()
    v = data.get('command_id')
    if v is not None:
        m.command_id = codec.string(v, path, 'command_id')
    v = data.get('status')
    if v is not None:
        m.status = novasphere_node_v1_command_gateway.words_CommandStatus.read(v, path, 'status')
    v = data.get('message')
    if v is not None:
        m.message = codec.string(v, path, 'message')
    return m


def encode_BatchCreateCommandsRequest(m: novasphere_node_v1_command_service_pb2.BatchCreateCommandsRequest) -> dict[str, Any]:
    return {
        'requests': [encode_CreateCommandRequest(v) for v in x[:]] if (x := m.requests) else [],
        'validate_only': m.validate_only,
    }


def dump_BatchCreateCommandsRequest(m: novasphere_node_v1_command_service_pb2.BatchCreateCommandsRequest) -> bytes:
    return orjson.dumps(encode_BatchCreateCommandsRequest(m))


keys_BatchCreateCommandsRequest = frozenset(['dry_run', 'requests', 'validate_only'])


def decode_BatchCreateCommandsRequest(data: Any, path: str = '', known: frozenset[str] = keys_BatchCreateCommandsRequest) -> novasphere_node_v1_command_service_pb2.BatchCreateCommandsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.BatchCreateCommandsRequest()
    v = data.get('requests')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'requests')):
            at = codec.element(path, 'requests', i)
            m.requests.add().CopyFrom(decode_CreateCommandRequest(e, at))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_BatchCreateCommandsResponse(m: novasphere_node_v1_command_service_pb2.BatchCreateCommandsResponse) -> dict[str, Any]:
    return {
        'commands': [novasphere_node_v1_command_gateway.encode_Command(v) for v in x[:]] if (x := m.commands) else [],
    }


def dump_BatchCreateCommandsResponse(m: novasphere_node_v1_command_service_pb2.BatchCreateCommandsResponse) -> bytes:
    return orjson.dumps(encode_BatchCreateCommandsResponse(m))


keys_BatchCreateCommandsResponse = frozenset(['commands'])


def decode_BatchCreateCommandsResponse(data: Any, path: str = '', known: frozenset[str] = keys_BatchCreateCommandsResponse) -> novasphere_node_v1_command_service_pb2.BatchCreateCommandsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.BatchCreateCommandsResponse()
    v = data.get('commands')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'commands')):
            at = codec.element(path, 'commands', i)
            m.commands.add().CopyFrom(novasphere_node_v1_command_gateway.decode_Command(e, at))
    return m


def encode_GetCommandRequest(m: novasphere_node_v1_command_service_pb2.GetCommandRequest) -> dict[str, Any]:
    return {
        'command_id': m.command_id,
    }


def dump_GetCommandRequest(m: novasphere_node_v1_command_service_pb2.GetCommandRequest) -> bytes:
    return orjson.dumps(encode_GetCommandRequest(m))


keys_GetCommandRequest = frozenset(['command_id'])


def decode_GetCommandRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetCommandRequest) -> novasphere_node_v1_command_service_pb2.GetCommandRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.GetCommandRequest()
    v = data.get('command_id')
    if v is not None:
        m.command_id = codec.string(v, path, 'command_id')
    return m


def encode_GetCommandResponse(m: novasphere_node_v1_command_service_pb2.GetCommandResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("command"):
        data['command'] = novasphere_node_v1_command_gateway.encode_Command(m.command)
    data['result'] = novasphere_node_v1_command_gateway.encode_CommandResult(m.result) if m.HasField("result") else None
    if m.HasField("late_result"):
        data['late_result'] = novasphere_node_v1_command_gateway.encode_LateResult(m.late_result)
    return data


def dump_GetCommandResponse(m: novasphere_node_v1_command_service_pb2.GetCommandResponse) -> bytes:
    return orjson.dumps(encode_GetCommandResponse(m))


keys_GetCommandResponse = frozenset(['command', 'late_result', 'result'])


def decode_GetCommandResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetCommandResponse) -> novasphere_node_v1_command_service_pb2.GetCommandResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.GetCommandResponse()
    v = data.get('command')
    if v is not None:
        m.command.CopyFrom(novasphere_node_v1_command_gateway.decode_Command(v, codec.at(path, 'command')))
    v = data.get('result')
    if v is not None:
        m.result.CopyFrom(novasphere_node_v1_command_gateway.decode_CommandResult(v, codec.at(path, 'result')))
    v = data.get('late_result')
    if v is not None:
        m.late_result.CopyFrom(novasphere_node_v1_command_gateway.decode_LateResult(v, codec.at(path, 'late_result')))
    return m


def encode_BatchGetCommandsRequest(m: novasphere_node_v1_command_service_pb2.BatchGetCommandsRequest) -> dict[str, Any]:
    return {
        'command_ids': m.command_ids[:],
    }


def dump_BatchGetCommandsRequest(m: novasphere_node_v1_command_service_pb2.BatchGetCommandsRequest) -> bytes:
    return orjson.dumps(encode_BatchGetCommandsRequest(m))


keys_BatchGetCommandsRequest = frozenset(['command_ids'])


def decode_BatchGetCommandsRequest(data: Any, path: str = '', known: frozenset[str] = keys_BatchGetCommandsRequest) -> novasphere_node_v1_command_service_pb2.BatchGetCommandsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.BatchGetCommandsRequest()
    v = data.get('command_ids')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'command_ids')):
            at = codec.element(path, 'command_ids', i)
            m.command_ids.append(codec.string(e, at, ''))
    return m


def encode_BatchGetCommandsResponse(m: novasphere_node_v1_command_service_pb2.BatchGetCommandsResponse) -> dict[str, Any]:
    return {
        'commands': [novasphere_node_v1_command_gateway.encode_CommandWithResult(v) for v in x[:]] if (x := m.commands) else [],
    }


def dump_BatchGetCommandsResponse(m: novasphere_node_v1_command_service_pb2.BatchGetCommandsResponse) -> bytes:
    return orjson.dumps(encode_BatchGetCommandsResponse(m))


keys_BatchGetCommandsResponse = frozenset(['commands'])


def decode_BatchGetCommandsResponse(data: Any, path: str = '', known: frozenset[str] = keys_BatchGetCommandsResponse) -> novasphere_node_v1_command_service_pb2.BatchGetCommandsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.BatchGetCommandsResponse()
    v = data.get('commands')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'commands')):
            at = codec.element(path, 'commands', i)
            m.commands.add().CopyFrom(novasphere_node_v1_command_gateway.decode_CommandWithResult(e, at))
    return m


def encode_ListNodeCommandsRequest(m: novasphere_node_v1_command_service_pb2.ListNodeCommandsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'node_id': m.node_id,
    }
    if v := m.status:
        data['status'] = novasphere_node_v1_command_gateway.words_CommandStatus.get(v, v)
    if m.HasField("limit"):
        data['limit'] = m.limit
    return data


def dump_ListNodeCommandsRequest(m: novasphere_node_v1_command_service_pb2.ListNodeCommandsRequest) -> bytes:
    return orjson.dumps(encode_ListNodeCommandsRequest(m))


keys_ListNodeCommandsRequest = frozenset(['limit', 'node_id', 'status'])


def decode_ListNodeCommandsRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListNodeCommandsRequest) -> novasphere_node_v1_command_service_pb2.ListNodeCommandsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.ListNodeCommandsRequest()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('status')
    if v is not None:
        m.status = novasphere_node_v1_command_gateway.words_CommandStatus.read(v, path, 'status')
    v = data.get('limit')
    if v is not None:
        m.limit = codec.int32(v, path, 'limit')
    return m


def encode_ListNodeCommandsResponse(m: novasphere_node_v1_command_service_pb2.ListNodeCommandsResponse) -> dict[str, Any]:
    return {
        'commands': [novasphere_node_v1_command_gateway.encode_CommandWithResult(v) for v in x[:]] if (x := m.commands) else [],
        'total': m.total,
    }


def dump_ListNodeCommandsResponse(m: novasphere_node_v1_command_service_pb2.ListNodeCommandsResponse) -> bytes:
    return orjson.dumps(encode_ListNodeCommandsResponse(m))


keys_ListNodeCommandsResponse = frozenset(['commands', 'total'])


def decode_ListNodeCommandsResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListNodeCommandsResponse) -> novasphere_node_v1_command_service_pb2.ListNodeCommandsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.ListNodeCommandsResponse()
    v = data.get('commands')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'commands')):
            at = codec.element(path, 'commands', i)
            m.commands.add().CopyFrom(novasphere_node_v1_command_gateway.decode_CommandWithResult(e, at))
    v = data.get('total')
    if v is not None:
        m.total = codec.int32(v, path, 'total')
    return m


def encode_ListCommandsRequest(m: novasphere_node_v1_command_service_pb2.ListCommandsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.status:
        data['status'] = novasphere_node_v1_command_gateway.words_CommandStatus.get(v, v)
    data['node_id'] = m.node_id
    if m.HasField("limit"):
        data['limit'] = m.limit
    data['offset'] = m.offset
    data['namespace'] = m.namespace
    return data


def dump_ListCommandsRequest(m: novasphere_node_v1_command_service_pb2.ListCommandsRequest) -> bytes:
    return orjson.dumps(encode_ListCommandsRequest(m))


keys_ListCommandsRequest = frozenset(['limit', 'namespace', 'node_id', 'offset', 'status'])


def decode_ListCommandsRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListCommandsRequest) -> novasphere_node_v1_command_service_pb2.ListCommandsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.ListCommandsRequest()
    v = data.get('status')
    if v is not None:
        m.status = novasphere_node_v1_command_gateway.words_CommandStatus.read(v, path, 'status')
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('limit')
    if v is not None:
        m.limit = codec.int32(v, path, 'limit')
    v = data.get('offset')
    if v is not None:
        m.offset = codec.int32(v, path, 'offset')
    v = data.get('namespace')
    if v is not None:
        m.namespace = codec.string(v, path, 'namespace')
    return m


def encode_ListCommandsResponse(m: novasphere_node_v1_command_service_pb2.ListCommandsResponse) -> dict[str, Any]:
    return {
        'commands': [novasphere_node_v1_command_gateway.encode_Command(v) for v in x[:]] if (x := m.commands) else [],
        'total': m.total,
    }


def dump_ListCommandsResponse(m: novasphere_node_v1_command_service_pb2.ListCommandsResponse) -> bytes:
    return orjson.dumps(encode_ListCommandsResponse(m))


keys_ListCommandsResponse = frozenset(['commands', 'total'])


def decode_ListCommandsResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListCommandsResponse) -> novasphere_node_v1_command_service_pb2.ListCommandsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.ListCommandsResponse()
    v = data.get('commands')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'commands')):
            at = codec.element(path, 'commands', i)
            m.commands.add().CopyFrom(novasphere_node_v1_command_gateway.decode_Command(e, at))
    v = data.get('total')
    if v is not None:
        m.total = codec.int32(v, path, 'total')
    return m


def encode_ExplainCommandRequest(m: novasphere_node_v1_command_service_pb2.ExplainCommandRequest) -> dict[str, Any]:
    return {
        'command_id': m.command_id,
    }


def dump_ExplainCommandRequest(m: novasphere_node_v1_command_service_pb2.ExplainCommandRequest) -> bytes:
    return orjson.dumps(encode_ExplainCommandRequest(m))


keys_ExplainCommandRequest = frozenset(['command_id'])


def decode_ExplainCommandRequest(data: Any, path: str = '', known: frozenset[str] = keys_ExplainCommandRequest) -> novasphere_node_v1_command_service_pb2.ExplainCommandRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.ExplainCommandRequest()
    v = data.get('command_id')
    if v is not None:
        m.command_id = codec.string(v, path, 'command_id')
    return m


def encode_ExplainCommandResponse(m: novasphere_node_v1_command_service_pb2.ExplainCommandResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("command"):
        data['command'] = novasphere_node_v1_command_gateway.encode_Command(m.command)
    data['explanations'] = [novasphere_node_v1_command_explanation_gateway.encode_CommandExplanation(v) for v in x[:]] if (x := m.explanations) else []
    if m.HasField("since"):
        data['since'] = codec.print_seconds(m.since.seconds)
    if m.HasField("until"):
        data['until'] = codec.print_seconds(m.until.seconds)
    if m.HasField("node"):
        data['node'] = novasphere_node_v1_command_explanation_gateway.encode_CommandNodeSituation(m.node)
    if m.HasField("queue"):
        data['queue'] = novasphere_node_v1_command_explanation_gateway.encode_CommandQueueSituation(m.queue)
    data['output_bytes'] = m.output_bytes
    if m.HasField("signal"):
        data['signal'] = m.signal
    if m.HasField("late_result"):
        data['late_result'] = novasphere_node_v1_command_gateway.encode_LateResult(m.late_result)
    return data


def dump_ExplainCommandResponse(m: novasphere_node_v1_command_service_pb2.ExplainCommandResponse) -> bytes:
    return orjson.dumps(encode_ExplainCommandResponse(m))


keys_ExplainCommandResponse = frozenset(['command', 'explanations', 'late_result', 'node', 'output_bytes', 'queue', 'signal', 'since', 'until'])


def decode_ExplainCommandResponse(data: Any, path: str = '', known: frozenset[str] = keys_ExplainCommandResponse) -> novasphere_node_v1_command_service_pb2.ExplainCommandResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.ExplainCommandResponse()
    v = data.get('command')
    if v is not None:
        m.command.CopyFrom(novasphere_node_v1_command_gateway.decode_Command(v, codec.at(path, 'command')))
    v = data.get('explanations')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'explanations')):
            at = codec.element(path, 'explanations', i)
            m.explanations.add().CopyFrom(novasphere_node_v1_command_explanation_gateway.decode_CommandExplanation(e, at))
    v = data.get('since')
    if v is not None:
        m.since.CopyFrom(codec.timestamp(v, path, 'since'))
    v = data.get('until')
    if v is not None:
        m.until.CopyFrom(codec.timestamp(v, path, 'until'))
    v = data.get('node')
    if v is not None:
        m.node.CopyFrom(novasphere_node_v1_command_explanation_gateway.decode_CommandNodeSituation(v, codec.at(path, 'node')))
    v = data.get('queue')
    if v is not None:
        m.queue.CopyFrom(novasphere_node_v1_command_explanation_gateway.decode_CommandQueueSituation(v, codec.at(path, 'queue')))
    v = data.get('output_bytes')
    if v is not None:
        m.output_bytes = codec.int64(v, path, 'output_bytes')
    v = data.get('signal')
    if v is not None:
        m.signal = codec.int32(v, path, 'signal')
    v = data.get('late_result')
    if v is not None:
        m.late_result.CopyFrom(novasphere_node_v1_command_gateway.decode_LateResult(v, codec.at(path, 'late_result')))
    return m


def encode_CancelCommandRequest(m: novasphere_node_v1_command_service_pb2.CancelCommandRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'command_id': m.command_id,
    }
    if m.HasField("grace_seconds"):
        data['grace_seconds'] = m.grace_seconds
    data['validate_only'] = m.validate_only
    return data


def dump_CancelCommandRequest(m: novasphere_node_v1_command_service_pb2.CancelCommandRequest) -> bytes:
    return orjson.dumps(encode_CancelCommandRequest(m))


keys_CancelCommandRequest = frozenset(['command_id', 'dry_run', 'grace_seconds', 'validate_only'])


def decode_CancelCommandRequest(data: Any, path: str = '', known: frozenset[str] = keys_CancelCommandRequest) -> novasphere_node_v1_command_service_pb2.CancelCommandRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.CancelCommandRequest()
    v = data.get('command_id')
    if v is not None:
        m.command_id = codec.string(v, path, 'command_id')
    v = data.get('grace_seconds')
    if v is not None:
        m.grace_seconds = codec.int32(v, path, 'grace_seconds')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CancelCommandResponse(m: novasphere_node_v1_command_service_pb2.CancelCommandResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("command"):
        data['command'] = novasphere_node_v1_command_gateway.encode_Command(m.command)
    return data


def dump_CancelCommandResponse(m: novasphere_node_v1_command_service_pb2.CancelCommandResponse) -> bytes:
    return orjson.dumps(encode_CancelCommandResponse(m))


keys_CancelCommandResponse = frozenset(['command'])


def decode_CancelCommandResponse(data: Any, path: str = '', known: frozenset[str] = keys_CancelCommandResponse) -> novasphere_node_v1_command_service_pb2.CancelCommandResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.CancelCommandResponse()
    v = data.get('command')
    if v is not None:
        m.command.CopyFrom(novasphere_node_v1_command_gateway.decode_Command(v, codec.at(path, 'command')))
    return m


def encode_BatchCancelCommandsRequest(m: novasphere_node_v1_command_service_pb2.BatchCancelCommandsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'command_ids': m.command_ids[:],
    }
    if m.HasField("grace_seconds"):
        data['grace_seconds'] = m.grace_seconds
    data['validate_only'] = m.validate_only
    return data


def dump_BatchCancelCommandsRequest(m: novasphere_node_v1_command_service_pb2.BatchCancelCommandsRequest) -> bytes:
    return orjson.dumps(encode_BatchCancelCommandsRequest(m))


keys_BatchCancelCommandsRequest = frozenset(['command_ids', 'dry_run', 'grace_seconds', 'validate_only'])


def decode_BatchCancelCommandsRequest(data: Any, path: str = '', known: frozenset[str] = keys_BatchCancelCommandsRequest) -> novasphere_node_v1_command_service_pb2.BatchCancelCommandsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.BatchCancelCommandsRequest()
    v = data.get('command_ids')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'command_ids')):
            at = codec.element(path, 'command_ids', i)
            m.command_ids.append(codec.string(e, at, ''))
    v = data.get('grace_seconds')
    if v is not None:
        m.grace_seconds = codec.int32(v, path, 'grace_seconds')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_BatchCancelCommandsResponse(m: novasphere_node_v1_command_service_pb2.BatchCancelCommandsResponse) -> dict[str, Any]:
    return {
        'commands': [novasphere_node_v1_command_gateway.encode_Command(v) for v in x[:]] if (x := m.commands) else [],
    }


def dump_BatchCancelCommandsResponse(m: novasphere_node_v1_command_service_pb2.BatchCancelCommandsResponse) -> bytes:
    return orjson.dumps(encode_BatchCancelCommandsResponse(m))


keys_BatchCancelCommandsResponse = frozenset(['commands'])


def decode_BatchCancelCommandsResponse(data: Any, path: str = '', known: frozenset[str] = keys_BatchCancelCommandsResponse) -> novasphere_node_v1_command_service_pb2.BatchCancelCommandsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.BatchCancelCommandsResponse()
    v = data.get('commands')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'commands')):
            at = codec.element(path, 'commands', i)
            m.commands.add().CopyFrom(novasphere_node_v1_command_gateway.decode_Command(e, at))
    return m


def encode_WatchCommandsRequest(m: novasphere_node_v1_command_service_pb2.WatchCommandsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'cursor': m.cursor,
        'node_id': m.node_id,
    }
    if v := m.status:
        data['status'] = novasphere_node_v1_command_gateway.words_CommandStatus.get(v, v)
    data['command_id'] = m.command_id
    data['namespace'] = m.namespace
    return data


def dump_WatchCommandsRequest(m: novasphere_node_v1_command_service_pb2.WatchCommandsRequest) -> bytes:
    return orjson.dumps(encode_WatchCommandsRequest(m))


keys_WatchCommandsRequest = frozenset(['command_id', 'cursor', 'namespace', 'node_id', 'status'])


def decode_WatchCommandsRequest(data: Any, path: str = '', known: frozenset[str] = keys_WatchCommandsRequest) -> novasphere_node_v1_command_service_pb2.WatchCommandsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.WatchCommandsRequest()
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('status')
    if v is not None:
        m.status = novasphere_node_v1_command_gateway.words_CommandStatus.read(v, path, 'status')
    v = data.get('command_id')
    if v is not None:
        m.command_id = codec.string(v, path, 'command_id')
    v = data.get('namespace')
    if v is not None:
        m.namespace = codec.string(v, path, 'namespace')
    return m


def encode_WatchCommandsResponse(m: novasphere_node_v1_command_service_pb2.WatchCommandsResponse) -> dict[str, Any]:
    return {
        'events': [encode_CommandEvent(v) for v in x[:]] if (x := m.events) else [],
    }


def dump_WatchCommandsResponse(m: novasphere_node_v1_command_service_pb2.WatchCommandsResponse) -> bytes:
    return orjson.dumps(encode_WatchCommandsResponse(m))


keys_WatchCommandsResponse = frozenset(['events'])


def decode_WatchCommandsResponse(data: Any, path: str = '', known: frozenset[str] = keys_WatchCommandsResponse) -> novasphere_node_v1_command_service_pb2.WatchCommandsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.WatchCommandsResponse()
    v = data.get('events')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'events')):
            at = codec.element(path, 'events', i)
            m.events.add().CopyFrom(decode_CommandEvent(e, at))
    return m


def encode_CommandEvent(m: novasphere_node_v1_command_service_pb2.CommandEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.type:
        data['type'] = novasphere_api_v1_watch_gateway.words_EventType.get(v, v)
    data['cursor'] = m.cursor
    if m.HasField("object"):
        data['object'] = novasphere_node_v1_command_gateway.encode_Command(m.object)
    if m.HasField("gap"):
        data['gap'] = novasphere_api_v1_watch_gateway.encode_Gap(m.gap)
    return data


def dump_CommandEvent(m: novasphere_node_v1_command_service_pb2.CommandEvent) -> bytes:
    return orjson.dumps(encode_CommandEvent(m))


keys_CommandEvent = frozenset(['cursor', 'gap', 'object', 'type'])


def decode_CommandEvent(data: Any, path: str = '', known: frozenset[str] = keys_CommandEvent) -> novasphere_node_v1_command_service_pb2.CommandEvent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.CommandEvent()
    v = data.get('type')
    if v is not None:
        m.type = novasphere_api_v1_watch_gateway.words_EventType.read(v, path, 'type')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('object')
    if v is not None:
        m.object.CopyFrom(novasphere_node_v1_command_gateway.decode_Command(v, codec.at(path, 'object')))
    v = data.get('gap')
    if v is not None:
        m.gap.CopyFrom(novasphere_api_v1_watch_gateway.decode_Gap(v, codec.at(path, 'gap')))
    return m


def encode_ReadCommandOutputRequest(m: novasphere_node_v1_command_service_pb2.ReadCommandOutputRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'command_id': m.command_id,
    }
    if v := m.stream:
        data['stream'] = words_OutputStream.get(v, v)
    data['offset'] = m.offset
    data['follow'] = m.follow
    if m.HasField("attempt"):
        data['attempt'] = m.attempt
    data['cursor'] = m.cursor
    return data


def dump_ReadCommandOutputRequest(m: novasphere_node_v1_command_service_pb2.ReadCommandOutputRequest) -> bytes:
    return orjson.dumps(encode_ReadCommandOutputRequest(m))


keys_ReadCommandOutputRequest = frozenset(['attempt', 'command_id', 'cursor', 'follow', 'offset', 'stream'])


def decode_ReadCommandOutputRequest(data: Any, path: str = '', known: frozenset[str] = keys_ReadCommandOutputRequest) -> novasphere_node_v1_command_service_pb2.ReadCommandOutputRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.ReadCommandOutputRequest()
    v = data.get('command_id')
    if v is not None:
        m.command_id = codec.string(v, path, 'command_id')
    v = data.get('stream')
    if v is not None:
        m.stream = words_OutputStream.read(v, path, 'stream')
    v = data.get('offset')
    if v is not None:
        m.offset = codec.int64(v, path, 'offset')
    v = data.get('follow')
    if v is not None:
        m.follow = codec.boolean(v, path, 'follow')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.int32(v, path, 'attempt')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    return m


def encode_ReadCommandOutputResponse(m: novasphere_node_v1_command_service_pb2.ReadCommandOutputResponse) -> dict[str, Any]:
    return {
        'events': [encode_OutputEvent(v) for v in x[:]] if (x := m.events) else [],
    }


def dump_ReadCommandOutputResponse(m: novasphere_node_v1_command_service_pb2.ReadCommandOutputResponse) -> bytes:
    return orjson.dumps(encode_ReadCommandOutputResponse(m))


keys_ReadCommandOutputResponse = frozenset(['events'])


def decode_ReadCommandOutputResponse(data: Any, path: str = '', known: frozenset[str] = keys_ReadCommandOutputResponse) -> novasphere_node_v1_command_service_pb2.ReadCommandOutputResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.ReadCommandOutputResponse()
    v = data.get('events')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'events')):
            at = codec.element(path, 'events', i)
            m.events.add().CopyFrom(decode_OutputEvent(e, at))
    return m


def encode_OutputEvent(m: novasphere_node_v1_command_service_pb2.OutputEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.type:
        data['type'] = words_OutputEventType.get(v, v)
    if v := m.stream:
        data['stream'] = words_OutputStream.get(v, v)
    data['offset'] = m.offset
    data['data'] = codec.print_data(m.data)
    data['next_offset'] = m.next_offset
    if m.HasField("command"):
        data['command'] = novasphere_node_v1_command_gateway.encode_Command(m.command)
    data['attempt'] = m.attempt
    data['next_attempt'] = m.next_attempt
    data['cursor'] = m.cursor
    return data


def dump_OutputEvent(m: novasphere_node_v1_command_service_pb2.OutputEvent) -> bytes:
    return orjson.dumps(encode_OutputEvent(m))


keys_OutputEvent = frozenset(['attempt', 'command', 'cursor', 'data', 'next_attempt', 'next_offset', 'offset', 'stream', 'type'])


def decode_OutputEvent(data: Any, path: str = '', known: frozenset[str] = keys_OutputEvent) -> novasphere_node_v1_command_service_pb2.OutputEvent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_service_pb2.OutputEvent()
    v = data.get('type')
    if v is not None:
        m.type = words_OutputEventType.read(v, path, 'type')
    v = data.get('stream')
    if v is not None:
        m.stream = words_OutputStream.read(v, path, 'stream')
    v = data.get('offset')
    if v is not None:
        m.offset = codec.int64(v, path, 'offset')
    v = data.get('data')
    if v is not None:
        m.data = codec.data(v, path, 'data')
    v = data.get('next_offset')
    if v is not None:
        m.next_offset = codec.int64(v, path, 'next_offset')
    v = data.get('command')
    if v is not None:
        m.command.CopyFrom(novasphere_node_v1_command_gateway.decode_Command(v, codec.at(path, 'command')))
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.int32(v, path, 'attempt')
    v = data.get('next_attempt')
    if v is not None:
        m.next_attempt = codec.int32(v, path, 'next_attempt')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/commands:batch',
        segments=('api', 'v1', 'commands'),
        verb='batch',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/BatchGetCommands',
        request=novasphere_node_v1_command_service_pb2.BatchGetCommandsRequest,
        response=novasphere_node_v1_command_service_pb2.BatchGetCommandsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('command_ids', (), 'command_ids', 'string', True, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_BatchGetCommandsResponse,
        encode_field={
            'commands': model.FieldEncoder('commands', True, novasphere_node_v1_command_gateway.dump_CommandWithResult),
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
    model.Route(
        http_method='POST',
        path='/api/v1/commands:batch',
        segments=('api', 'v1', 'commands'),
        verb='batch',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/BatchCreateCommands',
        request=novasphere_node_v1_command_service_pb2.BatchCreateCommandsRequest,
        response=novasphere_node_v1_command_service_pb2.BatchCreateCommandsResponse,
        decode_body=codec.body(decode_BatchCreateCommandsRequest, keys_BatchCreateCommandsRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_BatchCreateCommandsResponse,
        encode_field={
            'commands': model.FieldEncoder('commands', True, novasphere_node_v1_command_gateway.dump_Command),
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
        http_method='POST',
        path='/api/v1/commands:cancel',
        segments=('api', 'v1', 'commands'),
        verb='cancel',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/BatchCancelCommands',
        request=novasphere_node_v1_command_service_pb2.BatchCancelCommandsRequest,
        response=novasphere_node_v1_command_service_pb2.BatchCancelCommandsResponse,
        decode_body=codec.body(decode_BatchCancelCommandsRequest, keys_BatchCancelCommandsRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_BatchCancelCommandsResponse,
        encode_field={
            'commands': model.FieldEncoder('commands', True, novasphere_node_v1_command_gateway.dump_Command),
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
        path='/api/v1/commands:watch',
        segments=('api', 'v1', 'commands'),
        verb='watch',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/WatchCommands',
        request=novasphere_node_v1_command_service_pb2.WatchCommandsRequest,
        response=novasphere_node_v1_command_service_pb2.WatchCommandsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
            model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string),
            model.Param('status', (), 'status', 'enum', False, codec.parse_enum(novasphere_node_v1_command_gateway.words_CommandStatus)),
            model.Param('command_id', (), 'command_id', 'string', False, codec.parse_string),
            model.Param('namespace', (), 'namespace', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_WatchCommandsResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_CommandEvent),
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
            dump=dump_CommandEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/commands',
        segments=('api', 'v1', 'commands'),
        verb='',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/ListCommands',
        request=novasphere_node_v1_command_service_pb2.ListCommandsRequest,
        response=novasphere_node_v1_command_service_pb2.ListCommandsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('status', (), 'status', 'enum', False, codec.parse_enum(novasphere_node_v1_command_gateway.words_CommandStatus)),
            model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string),
            model.Param('limit', (), 'limit', 'int32', False, codec.parse_int32),
            model.Param('offset', (), 'offset', 'int32', False, codec.parse_int32),
            model.Param('namespace', (), 'namespace', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_ListCommandsResponse,
        encode_field={
            'commands': model.FieldEncoder('commands', True, novasphere_node_v1_command_gateway.dump_Command),
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
        http_method='POST',
        path='/api/v1/commands/{command_id}:cancel',
        segments=('api', 'v1', 'commands', '*'),
        verb='cancel',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/CancelCommand',
        request=novasphere_node_v1_command_service_pb2.CancelCommandRequest,
        response=novasphere_node_v1_command_service_pb2.CancelCommandResponse,
        decode_body=codec.body(decode_CancelCommandRequest, keys_CancelCommandRequest - {'command_id'}, frozenset({'command_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('command_id', (), 'command_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='command',
        encode=lambda m: novasphere_node_v1_command_gateway.encode_Command(m.command) if m.HasField("command") else None,
        encode_field={
            'command': model.FieldEncoder('command', False, novasphere_node_v1_command_gateway.dump_Command),
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
        path='/api/v1/commands/{command_id}:explain',
        segments=('api', 'v1', 'commands', '*'),
        verb='explain',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/ExplainCommand',
        request=novasphere_node_v1_command_service_pb2.ExplainCommandRequest,
        response=novasphere_node_v1_command_service_pb2.ExplainCommandResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('command_id', (), 'command_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ExplainCommandResponse,
        encode_field={
            'command': model.FieldEncoder('command', False, novasphere_node_v1_command_gateway.dump_Command),
            'explanations': model.FieldEncoder('explanations', True, novasphere_node_v1_command_explanation_gateway.dump_CommandExplanation),
            'node': model.FieldEncoder('node', False, novasphere_node_v1_command_explanation_gateway.dump_CommandNodeSituation),
            'queue': model.FieldEncoder('queue', False, novasphere_node_v1_command_explanation_gateway.dump_CommandQueueSituation),
            'late_result': model.FieldEncoder('late_result', False, novasphere_node_v1_command_gateway.dump_LateResult),
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
    model.Route(
        http_method='GET',
        path='/api/v1/commands/{command_id}',
        segments=('api', 'v1', 'commands', '*'),
        verb='',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/GetCommand',
        request=novasphere_node_v1_command_service_pb2.GetCommandRequest,
        response=novasphere_node_v1_command_service_pb2.GetCommandResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('command_id', (), 'command_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_GetCommandResponse,
        encode_field={
            'command': model.FieldEncoder('command', False, novasphere_node_v1_command_gateway.dump_Command),
            'result': model.FieldEncoder('result', False, novasphere_node_v1_command_gateway.dump_CommandResult),
            'late_result': model.FieldEncoder('late_result', False, novasphere_node_v1_command_gateway.dump_LateResult),
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
        http_method='GET',
        path='/api/v1/commands/{command_id}/output',
        segments=('api', 'v1', 'commands', '*', 'output'),
        verb='',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/ReadCommandOutput',
        request=novasphere_node_v1_command_service_pb2.ReadCommandOutputRequest,
        response=novasphere_node_v1_command_service_pb2.ReadCommandOutputResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('command_id', (), 'command_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('stream', (), 'stream', 'enum', False, codec.parse_enum(words_OutputStream)),
            model.Param('offset', (), 'offset', 'int64', False, codec.parse_int64),
            model.Param('follow', (), 'follow', 'bool', False, codec.parse_bool),
            model.Param('attempt', (), 'attempt', 'int32', False, codec.parse_int32),
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_ReadCommandOutputResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_OutputEvent),
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
            raw='data',
            resume='cursor',
            id_of=lambda row: row.cursor,
            event_of=lambda row: str(words_OutputEventType.print(row.type)) if row.type else "",
            raw_of=lambda row: row.data,
            dump=dump_OutputEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/nodes/{node_id}/commands',
        segments=('api', 'v1', 'nodes', '*', 'commands'),
        verb='',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/ListNodeCommands',
        request=novasphere_node_v1_command_service_pb2.ListNodeCommandsRequest,
        response=novasphere_node_v1_command_service_pb2.ListNodeCommandsResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('status', (), 'status', 'enum', False, codec.parse_enum(novasphere_node_v1_command_gateway.words_CommandStatus)),
            model.Param('limit', (), 'limit', 'int32', False, codec.parse_int32),
        ),
        headers=(),
        response_body='',
        encode=encode_ListNodeCommandsResponse,
        encode_field={
            'commands': model.FieldEncoder('commands', True, novasphere_node_v1_command_gateway.dump_CommandWithResult),
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
        http_method='POST',
        path='/api/v1/nodes/{node_id}/commands',
        segments=('api', 'v1', 'nodes', '*', 'commands'),
        verb='',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/CreateCommand',
        request=novasphere_node_v1_command_service_pb2.CreateCommandRequest,
        response=novasphere_node_v1_command_service_pb2.CreateCommandResponse,
        decode_body=codec.body(decode_CreateCommandRequest, keys_CreateCommandRequest - {'node_id'}, frozenset({'node_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_CreateCommandResponse,
        encode_field={},
        is_empty=False,
        face=3,
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
        path='/api/v1/tasks/{command_id}/output',
        segments=('api', 'v1', 'tasks', '*', 'output'),
        verb='',
        service='novasphere.node.v1.CommandService',
        method='/novasphere.node.v1.CommandService/ReadCommandOutput',
        request=novasphere_node_v1_command_service_pb2.ReadCommandOutputRequest,
        response=novasphere_node_v1_command_service_pb2.ReadCommandOutputResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('command_id', (), 'command_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('stream', (), 'stream', 'enum', False, codec.parse_enum(words_OutputStream)),
            model.Param('offset', (), 'offset', 'int64', False, codec.parse_int64),
            model.Param('follow', (), 'follow', 'bool', False, codec.parse_bool),
            model.Param('attempt', (), 'attempt', 'int32', False, codec.parse_int32),
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_ReadCommandOutputResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_OutputEvent),
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
            raw='data',
            resume='cursor',
            id_of=lambda row: row.cursor,
            event_of=lambda row: str(words_OutputEventType.print(row.type)) if row.type else "",
            raw_of=lambda row: row.data,
            dump=dump_OutputEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
)
