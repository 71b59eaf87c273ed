"""Generated from novasphere/node/v1/command.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.node.v1 import command_pb2 as novasphere_node_v1_command_pb2


words_CommandStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'pending', 2: 'running', 3: 'success', 4: 'failed', 5: 'timeout'},
    {'UNSPECIFIED': 0, 'COMMAND_STATUS_UNSPECIFIED': 0, 'pending': 1, 'PENDING': 1, 'COMMAND_STATUS_PENDING': 1, 'running': 2, 'RUNNING': 2, 'COMMAND_STATUS_RUNNING': 2, 'success': 3, 'SUCCESS': 3, 'COMMAND_STATUS_SUCCESS': 3, 'failed': 4, 'FAILED': 4, 'COMMAND_STATUS_FAILED': 4, 'timeout': 5, 'TIMEOUT': 5, 'COMMAND_STATUS_TIMEOUT': 5},
)


words_CommandState = codec.Words(
    {0: 'UNSPECIFIED', 1: 'PENDING', 2: 'DISPATCHED', 3: 'RUNNING', 4: 'SUCCEEDED', 5: 'FAILED', 6: 'TIMED_OUT', 7: 'CANCELLED', 8: 'LOST', 9: 'UNKNOWN'},
    {'UNSPECIFIED': 0, 'COMMAND_STATE_UNSPECIFIED': 0, 'PENDING': 1, 'COMMAND_STATE_PENDING': 1, 'DISPATCHED': 2, 'COMMAND_STATE_DISPATCHED': 2, 'RUNNING': 3, 'COMMAND_STATE_RUNNING': 3, 'SUCCEEDED': 4, 'COMMAND_STATE_SUCCEEDED': 4, 'FAILED': 5, 'COMMAND_STATE_FAILED': 5, 'TIMED_OUT': 6, 'COMMAND_STATE_TIMED_OUT': 6, 'CANCELLED': 7, 'COMMAND_STATE_CANCELLED': 7, 'LOST': 8, 'COMMAND_STATE_LOST': 8, 'UNKNOWN': 9, 'COMMAND_STATE_UNKNOWN': 9},
)


def encode_Command(m: novasphere_node_v1_command_pb2.Command) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'command_id': m.command_id,
        'command_text': m.command_text,
        'target_node_id': m.target_node_id,
    }
    if v := m.status:
        data['status'] = words_CommandStatus.get(v, v)
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['started_at'] = codec.print_seconds(m.started_at.seconds) if m.HasField("started_at") else None
    data['completed_at'] = codec.print_seconds(m.completed_at.seconds) if m.HasField("completed_at") else None
    data['timeout'] = m.timeout_seconds
    if v := m.state:
        data['state'] = words_CommandState.get(v, v)
    data['reason'] = m.reason
    data['reason_message'] = m.reason_message
    data['queue_timeout'] = m.queue_timeout_seconds
    data['cancel_requested'] = m.cancel_requested
    data['revision'] = m.revision
    data['namespace'] = m.namespace
    data['node_uid'] = m.node_uid
    data['attempt'] = m.attempt
    data['exit_code'] = m.exit_code if m.HasField("exit_code") else None
    if m.HasField("dispatched_at"):
        data['dispatched_at'] = codec.print_seconds(m.dispatched_at.seconds)
    if m.HasField("cancel_requested_at"):
        data['cancel_requested_at'] = codec.print_seconds(m.cancel_requested_at.seconds)
    data['cancel_requested_by'] = m.cancel_requested_by
    if m.HasField("run_deadline"):
        data['run_deadline'] = codec.print_seconds(m.run_deadline.seconds)
    return data


def dump_Command(m: novasphere_node_v1_command_pb2.Command) -> bytes:
    return orjson.dumps(encode_Command(m))


keys_Command = frozenset(['attempt', 'cancel_requested', 'cancel_requested_at', 'cancel_requested_by', 'command_id', 'command_text', 'completed_at', 'created_at', 'dispatched_at', 'exit_code', 'id', 'namespace', 'node_uid', 'queue_timeout', 'queue_timeout_seconds', 'reason', 'reason_message', 'revision', 'run_deadline', 'started_at', 'state', 'status', 'target_node_id', 'timeout', 'timeout_seconds'])


def decode_Command(data: Any, path: str = '', known: frozenset[str] = keys_Command) -> novasphere_node_v1_command_pb2.Command:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_pb2.Command()
    v = data.get('id')
    if v is not None:
        m.id = codec.int64(v, path, 'id')
    v = data.get('command_id')
    if v is not None:
        m.command_id = codec.string(v, path, 'command_id')
    v = data.get('command_text')
    if v is not None:
        m.command_text = codec.string(v, path, 'command_text')
    v = data.get('target_node_id')
    if v is not None:
        m.target_node_id = codec.string(v, path, 'target_node_id')
    v = data.get('status')
    if v is not None:
        m.status = words_CommandStatus.read(v, path, 'status')
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('started_at')
    if v is not None:
        m.started_at.CopyFrom(codec.timestamp(v, path, 'started_at'))
    v = data.get('completed_at')
    if v is not None:
        m.completed_at.CopyFrom(codec.timestamp(v, path, 'completed_at'))
    key, v = codec.pick(data, ('timeout', 'timeout_seconds'), path)
    if v is not None:
        m.timeout_seconds = codec.int32(v, path, key)
    v = data.get('state')
    if v is not None:
        m.state = words_CommandState.read(v, path, 'state')
    v = data.get('reason')
    if v is not None:
        m.reason = codec.string(v, path, 'reason')
    v = data.get('reason_message')
    if v is not None:
        m.reason_message = codec.string(v, path, 'reason_message')
    key, v = codec.pick(data, ('queue_timeout', 'queue_timeout_seconds'), path)
    if v is not None:
        m.queue_timeout_seconds = codec.int32(v, path, key)
    v = data.get('cancel_requested')
    if v is not None:
        m.cancel_requested = codec.boolean(v, path, 'cancel_requested')
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    v = data.get('namespace')
    if v is not None:
        m.namespace = codec.string(v, path, 'namespace')
    v = data.get('node_uid')
    if v is not None:
        m.node_uid = codec.string(v, path, 'node_uid')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.int32(v, path, 'attempt')
    v = data.get('exit_code')
    if v is not None:
        m.exit_code = codec.int32(v, path, 'exit_code')
    v = data.get('dispatched_at')
    if v is not None:
        m.dispatched_at.CopyFrom(codec.timestamp(v, path, 'dispatched_at'))
    v = data.get('cancel_requested_at')
    if v is not None:
        m.cancel_requested_at.CopyFrom(codec.timestamp(v, path, 'cancel_requested_at'))
    v = data.get('cancel_requested_by')
    if v is not None:
        m.cancel_requested_by = codec.string(v, path, 'cancel_requested_by')
    v = data.get('run_deadline')
    if v is not None:
        m.run_deadline.CopyFrom(codec.timestamp(v, path, 'run_deadline'))
    return m


def encode_CommandResult(m: novasphere_node_v1_command_pb2.CommandResult) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'command_id': m.command_id,
        'stdout': m.stdout,
        'stderr': m.stderr,
        'exit_code': m.exit_code if m.HasField("exit_code") else None,
        'execution_time_ms': m.execution_time_ms,
    }
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['stdout_truncated'] = m.stdout_truncated
    data['stderr_truncated'] = m.stderr_truncated
    data['signal'] = m.signal if m.HasField("signal") else None
    data['stdout_bytes'] = m.stdout_bytes
    data['stderr_bytes'] = m.stderr_bytes
    data['output_dropped'] = m.output_dropped
    return data


def dump_CommandResult(m: novasphere_node_v1_command_pb2.CommandResult) -> bytes:
    return orjson.dumps(encode_CommandResult(m))


keys_CommandResult = frozenset(['command_id', 'created_at', 'execution_time_ms', 'exit_code', 'id', 'output_dropped', 'signal', 'stderr', 'stderr_bytes', 'stderr_truncated', 'stdout', 'stdout_bytes', 'stdout_truncated'])


def decode_CommandResult(data: Any, path: str = '', known: frozenset[str] = keys_CommandResult) -> novasphere_node_v1_command_pb2.CommandResult:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_pb2.CommandResult()
    v = data.get('id')
    if v is not None:
        m.id = codec.int64(v, path, 'id')
    v = data.get('command_id')
    if v is not None:
        m.command_id = codec.string(v, path, 'command_id')
    v = data.get('stdout')
    if v is not None:
        m.stdout = codec.string(v, path, 'stdout')
    v = data.get('stderr')
    if v is not None:
        m.stderr = codec.string(v, path, 'stderr')
    v = data.get('exit_code')
    if v is not None:
        m.exit_code = codec.int32(v, path, 'exit_code')
    v = data.get('execution_time_ms')
    if v is not None:
        m.execution_time_ms = codec.int64(v, path, 'execution_time_ms')
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('stdout_truncated')
    if v is not None:
        m.stdout_truncated = codec.boolean(v, path, 'stdout_truncated')
    v = data.get('stderr_truncated')
    if v is not None:
        m.stderr_truncated = codec.boolean(v, path, 'stderr_truncated')
    v = data.get('signal')
    if v is not None:
        m.signal = codec.int32(v, path, 'signal')
    v = data.get('stdout_bytes')
    if v is not None:
        m.stdout_bytes = codec.int64(v, path, 'stdout_bytes')
    v = data.get('stderr_bytes')
    if v is not None:
        m.stderr_bytes = codec.int64(v, path, 'stderr_bytes')
    v = data.get('output_dropped')
    if v is not None:
        m.output_dropped = codec.boolean(v, path, 'output_dropped')
    return m


def encode_LateResult(m: novasphere_node_v1_command_pb2.LateResult) -> dict[str, Any]:
    data: dict[str, Any] = {
        'exit_code': m.exit_code if m.HasField("exit_code") else None,
    }
    if m.HasField("received_at"):
        data['received_at'] = codec.print_seconds(m.received_at.seconds)
    data['message'] = m.message
    return data


def dump_LateResult(m: novasphere_node_v1_command_pb2.LateResult) -> bytes:
    return orjson.dumps(encode_LateResult(m))


keys_LateResult = frozenset(['exit_code', 'message', 'received_at'])


def decode_LateResult(data: Any, path: str = '', known: frozenset[str] = keys_LateResult) -> novasphere_node_v1_command_pb2.LateResult:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_pb2.LateResult()
    v = data.get('exit_code')
    if v is not None:
        m.exit_code = codec.int32(v, path, 'exit_code')
    v = data.get('received_at')
    if v is not None:
        m.received_at.CopyFrom(codec.timestamp(v, path, 'received_at'))
    v = data.get('message')
    if v is not None:
        m.message = codec.string(v, path, 'message')
    return m


def encode_CommandWithResult(m: novasphere_node_v1_command_pb2.CommandWithResult) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("command"):
        data['command'] = encode_Command(m.command)
    data['result'] = encode_CommandResult(m.result) if m.HasField("result") else None
    if m.HasField("late_result"):
        data['late_result'] = encode_LateResult(m.late_result)
    return data


def dump_CommandWithResult(m: novasphere_node_v1_command_pb2.CommandWithResult) -> bytes:
    return orjson.dumps(encode_CommandWithResult(m))


keys_CommandWithResult = frozenset(['command', 'late_result', 'result'])


def decode_CommandWithResult(data: Any, path: str = '', known: frozenset[str] = keys_CommandWithResult) -> novasphere_node_v1_command_pb2.CommandWithResult:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_command_pb2.CommandWithResult()
    v = data.get('command')
    if v is not None:
        m.command.CopyFrom(decode_Command(v, codec.at(path, 'command')))
    v = data.get('result')
    if v is not None:
        m.result.CopyFrom(decode_CommandResult(v, codec.at(path, 'result')))
    v = data.get('late_result')
    if v is not None:
        m.late_result.CopyFrom(decode_LateResult(v, codec.at(path, 'late_result')))
    return m
