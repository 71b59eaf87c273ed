"""Generated from novasphere/link/v1/link_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.link.v1 import link_service_pb2 as novasphere_link_v1_link_service_pb2


words_AttemptPhase = codec.Words(
    {0: 'UNSPECIFIED', 1: 'RUNNING', 2: 'EXITED', 3: 'CANCELLED', 4: 'TIMED_OUT', 5: 'REJECTED', 6: 'UNKNOWN', 7: 'UNDELIVERED', 8: 'STOPPED'},
    {'UNSPECIFIED': 0, 'ATTEMPT_PHASE_UNSPECIFIED': 0, 'RUNNING': 1, 'ATTEMPT_PHASE_RUNNING': 1, 'EXITED': 2, 'ATTEMPT_PHASE_EXITED': 2, 'CANCELLED': 3, 'ATTEMPT_PHASE_CANCELLED': 3, 'TIMED_OUT': 4, 'ATTEMPT_PHASE_TIMED_OUT': 4, 'REJECTED': 5, 'ATTEMPT_PHASE_REJECTED': 5, 'UNKNOWN': 6, 'ATTEMPT_PHASE_UNKNOWN': 6, 'UNDELIVERED': 7, 'ATTEMPT_PHASE_UNDELIVERED': 7, 'STOPPED': 8, 'ATTEMPT_PHASE_STOPPED': 8},
)


words_Verdict = codec.Words(
    {0: 'UNSPECIFIED', 1: 'ADOPT', 2: 'KILL', 3: 'FORGET'},
    {'UNSPECIFIED': 0, 'VERDICT_UNSPECIFIED': 0, 'ADOPT': 1, 'VERDICT_ADOPT': 1, 'KILL': 2, 'VERDICT_KILL': 2, 'FORGET': 3, 'VERDICT_FORGET': 3},
)


words_Stream = codec.Words(
    {0: 'UNSPECIFIED', 1: 'STDOUT', 2: 'STDERR'},
    {'UNSPECIFIED': 0, 'STREAM_UNSPECIFIED': 0, 'STDOUT': 1, 'STREAM_STDOUT': 1, 'STDERR': 2, 'STREAM_STDERR': 2},
)


def encode_ConnectRequest(m: novasphere_link_v1_link_service_pb2.ConnectRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'sequence': m.sequence,
        'acked_sequence': m.acked_sequence,
        'free_slots': m.free_slots,
    }
    if m.HasField("hello"):
        data['hello'] = encode_Hello(m.hello)
    if m.HasField("heartbeat"):
        data['heartbeat'] = encode_Heartbeat(m.heartbeat)
    data['reports'] = [encode_AttemptReport(v) for v in x[:]] if (x := m.reports) else []
    data['output'] = [encode_OutputChunk(v) for v in x[:]] if (x := m.output) else []
    if m.HasField("goodbye"):
        data['goodbye'] = encode_Goodbye(m.goodbye)
    if m.HasField("free_answers"):
        data['free_answers'] = m.free_answers
    return data


def dump_ConnectRequest(m: novasphere_link_v1_link_service_pb2.ConnectRequest) -> bytes:
    return orjson.dumps(encode_ConnectRequest(m))


keys_ConnectRequest = frozenset(['acked_sequence', 'free_answers', 'free_slots', 'goodbye', 'heartbeat', 'hello', 'output', 'reports', 'sequence'])


def decode_ConnectRequest(data: Any, path: str = '', known: frozenset[str] = keys_ConnectRequest) -> novasphere_link_v1_link_service_pb2.ConnectRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.ConnectRequest()
    v = data.get('sequence')
    if v is not None:
        m.sequence = codec.uint64(v, path, 'sequence')
    v = data.get('acked_sequence')
    if v is not None:
        m.acked_sequence = codec.uint64(v, path, 'acked_sequence')
    v = data.get('free_slots')
    if v is not None:
        m.free_slots = codec.uint32(v, path, 'free_slots')
    v = data.get('hello')
    if v is not None:
        m.hello.CopyFrom(decode_Hello(v, codec.at(path, 'hello')))
    v = data.get('heartbeat')
    if v is not None:
        m.heartbeat.CopyFrom(decode_Heartbeat(v, codec.at(path, 'heartbeat')))
    v = data.get('reports')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'reports')):
            at = codec.element(path, 'reports', i)
            m.reports.add().CopyFrom(decode_AttemptReport(e, at))
    v = data.get('output')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'output')):
            at = codec.element(path, 'output', i)
            m.output.add().CopyFrom(decode_OutputChunk(e, at))
    v = data.get('goodbye')
    if v is not None:
        m.goodbye.CopyFrom(decode_Goodbye(v, codec.at(path, 'goodbye')))
    v = data.get('free_answers')
    if v is not None:
        m.free_answers = codec.uint32(v, path, 'free_answers')
    return m


def encode_ConnectResponse(m: novasphere_link_v1_link_service_pb2.ConnectResponse) -> dict[str, Any]:
    data: dict[str, Any] = {
        'sequence': m.sequence,
        'acked_sequence': m.acked_sequence,
    }
    if m.HasField("welcome"):
        data['welcome'] = encode_Welcome(m.welcome)
    data['dispatches'] = [encode_Dispatch(v) for v in x[:]] if (x := m.dispatches) else []
    data['cancels'] = [encode_CancelAttempt(v) for v in x[:]] if (x := m.cancels) else []
    data['output_acks'] = [encode_OutputAck(v) for v in x[:]] if (x := m.output_acks) else []
    data['report_acks'] = [encode_ReportAck(v) for v in x[:]] if (x := m.report_acks) else []
    if m.HasField("closing"):
        data['closing'] = encode_Closing(m.closing)
    return data


def dump_ConnectResponse(m: novasphere_link_v1_link_service_pb2.ConnectResponse) -> bytes:
    return orjson.dumps(encode_ConnectResponse(m))


keys_ConnectResponse = frozenset(['acked_sequence', 'cancels', 'closing', 'dispatches', 'output_acks', 'report_acks', 'sequence', 'welcome'])


def decode_ConnectResponse(data: Any, path: str = '', known: frozenset[str] = keys_ConnectResponse) -> novasphere_link_v1_link_service_pb2.ConnectResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.ConnectResponse()
    v = data.get('sequence')
    if v is not None:
        m.sequence = codec.uint64(v, path, 'sequence')
    v = data.get('acked_sequence')
    if v is not None:
        m.acked_sequence = codec.uint64(v, path, 'acked_sequence')
    v = data.get('welcome')
    if v is not None:
        m.welcome.CopyFrom(decode_Welcome(v, codec.at(path, 'welcome')))
    v = data.get('dispatches')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'dispatches')):
            at = codec.element(path, 'dispatches', i)
            m.dispatches.add().CopyFrom(decode_Dispatch(e, at))
    v = data.get('cancels')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'cancels')):
            at = codec.element(path, 'cancels', i)
            m.cancels.add().CopyFrom(decode_CancelAttempt(e, at))
    v = data.get('output_acks')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'output_acks')):
            at = codec.element(path, 'output_acks', i)
            m.output_acks.add().CopyFrom(decode_OutputAck(e, at))
    v = data.get('report_acks')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'report_acks')):
            at = codec.element(path, 'report_acks', i)
            m.report_acks.add().CopyFrom(decode_ReportAck(e, at))
    v = data.get('closing')
    if v is not None:
        m.closing.CopyFrom(decode_Closing(v, codec.at(path, 'closing')))
    return m


def encode_Hello(m: novasphere_link_v1_link_service_pb2.Hello) -> dict[str, Any]:
    data: dict[str, Any] = {
        'node_id': m.node_id,
        'node_uid': m.node_uid,
        'session_token': m.session_token,
        'boot_id': m.boot_id,
        'incarnation': m.incarnation,
        'attempts': [encode_AttemptState(v) for v in x[:]] if (x := m.attempts) else [],
    }
    if m.HasField("profile"):
        data['profile'] = encode_Profile(m.profile)
    data['capacity'] = m.capacity
    data['protocol'] = m.protocol
    if m.HasField("foreign"):
        data['foreign'] = encode_ForeignNode(m.foreign)
    return data


def dump_Hello(m: novasphere_link_v1_link_service_pb2.Hello) -> bytes:
    return orjson.dumps(encode_Hello(m))


keys_Hello = frozenset(['attempts', 'boot_id', 'capacity', 'foreign', 'incarnation', 'node_id', 'node_uid', 'profile', 'protocol', 'session_token'])


def decode_Hello(data: Any, path: str = '', known: frozenset[str] = keys_Hello) -> novasphere_link_v1_link_service_pb2.Hello:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.Hello()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('node_uid')
    if v is not None:
        m.node_uid = codec.string(v, path, 'node_uid')
    v = data.get('session_token')
    if v is not None:
        m.session_token = codec.string(v, path, 'session_token')
    v = data.get('boot_id')
    if v is not None:
        m.boot_id = codec.string(v, path, 'boot_id')
    v = data.get('incarnation')
    if v is not None:
        m.incarnation = codec.uint64(v, path, 'incarnation')
    v = data.get('attempts')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'attempts')):
            at = codec.element(path, 'attempts', i)
            m.attempts.add().CopyFrom(decode_AttemptState(e, at))
    v = data.get('profile')
    if v is not None:
        m.profile.CopyFrom(decode_Profile(v, codec.at(path, 'profile')))
    v = data.get('capacity')
    if v is not None:
        m.capacity = codec.uint32(v, path, 'capacity')
    v = data.get('protocol')
    if v is not None:
        m.protocol = codec.uint32(v, path, 'protocol')
    v = data.get('foreign')
    if v is not None:
        m.foreign.CopyFrom(decode_ForeignNode(v, codec.at(path, 'foreign')))
    return m


def encode_ForeignNode(m: novasphere_link_v1_link_service_pb2.ForeignNode) -> dict[str, Any]:
    return {
        'is_registration': m.is_registration,
    }


def dump_ForeignNode(m: novasphere_link_v1_link_service_pb2.ForeignNode) -> bytes:
    return orjson.dumps(encode_ForeignNode(m))


keys_ForeignNode = frozenset(['is_registration'])


def decode_ForeignNode(data: Any, path: str = '', known: frozenset[str] = keys_ForeignNode) -> novasphere_link_v1_link_service_pb2.ForeignNode:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.ForeignNode()
    v = data.get('is_registration')
    if v is not None:
        m.is_registration = codec.boolean(v, path, 'is_registration')
    return m


def encode_Profile(m: novasphere_link_v1_link_service_pb2.Profile) -> dict[str, Any]:
    return {
        'hostname': m.hostname,
        'ip_address': m.ip_address,
        'os_info': m.os_info,
        'system': m.system,
        'release': m.release,
        'machine': m.machine,
        'distribution': m.distribution,
        'python_version': m.python_version,
        'is_virtual': m.is_virtual,
        'cpu_count': m.cpu_count,
        'memory_total_bytes': m.memory_total_bytes,
        'storage_total_bytes': m.storage_total_bytes,
        'gpu_count': m.gpu_count,
        'labels': {k: x[k] for k in sorted(x)} if (x := m.labels) else {},
        'capabilities': m.capabilities[:],
        'role': m.role,
        'agent_version': m.agent_version,
    }


def dump_Profile(m: novasphere_link_v1_link_service_pb2.Profile) -> bytes:
    return orjson.dumps(encode_Profile(m))


keys_Profile = frozenset(['agent_version', 'capabilities', 'cpu_count', 'distribution', 'gpu_count', 'hostname', 'ip_address', 'is_virtual', 'labels', 'machine', 'memory_total_bytes', 'os_info', 'python_version', 'release', 'role', 'storage_total_bytes', 'system'])


def decode_Profile(data: Any, path: str = '', known: frozenset[str] = keys_Profile) -> novasphere_link_v1_link_service_pb2.Profile:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.Profile()
    v = data.get('hostname')
    if v is not None:
        m.hostname = codec.string(v, path, 'hostname')
    v = data.get('ip_address')
    if v is not None:
        m.ip_address = codec.string(v, path, 'ip_address')
    v = data.get('os_info')
    if v is not None:
        m.os_info = codec.string(v, path, 'os_info')
    v = data.get('system')
    if v is not None:
        m.system = codec.string(v, path, 'system')
    v = data.get('release')
    if v is not None:
        m.release = codec.string(v, path, 'release')
    v = data.get('machine')
    if v is not None:
        m.machine = codec.string(v, path, 'machine')
    v = data.get('distribution')
    if v is not None:
        m.distribution = codec.string(v, path, 'distribution')
    v = data.get('python_version')
    if v is not None:
        m.python_version = codec.string(v, path, 'python_version')
    v = data.get('is_virtual')
    if v is not None:
        m.is_virtual = codec.boolean(v, path, 'is_virtual')
    v = data.get('cpu_count')
    if v is not None:
        m.cpu_count = codec.uint32(v, path, 'cpu_count')
    v = data.get('memory_total_bytes')
    if v is not None:
        m.memory_total_bytes = codec.uint64(v, path, 'memory_total_bytes')
    v = data.get('storage_total_bytes')
    if v is not None:
        m.storage_total_bytes = codec.uint64(v, path, 'storage_total_bytes')
    v = data.get('gpu_count')
    if v is not None:
        m.gpu_count = codec.uint32(v, path, 'gpu_count')
    v = data.get('labels')
    if v is not None:
        at = codec.at(path, 'labels')
        for k, e in codec.pairs(v, path, 'labels').items():
            m.labels[k] = codec.string(e, at, k)
    v = data.get('capabilities')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'capabilities')):
            at = codec.element(path, 'capabilities', i)
            m.capabilities.append(codec.string(e, at, ''))
    v = data.get('role')
    if v is not None:
        m.role = codec.string(v, path, 'role')
    v = data.get('agent_version')
    if v is not None:
        m.agent_version = codec.string(v, path, 'agent_version')
    return m


def encode_AttemptState(m: novasphere_link_v1_link_service_pb2.AttemptState) -> dict[str, Any]:
    data: dict[str, Any] = {
        'run_id': m.run_id,
        'attempt': m.attempt,
        'fencing_token': m.fencing_token,
    }
    if v := m.phase:
        data['phase'] = words_AttemptPhase.get(v, v)
    return data


def dump_AttemptState(m: novasphere_link_v1_link_service_pb2.AttemptState) -> bytes:
    return orjson.dumps(encode_AttemptState(m))


keys_AttemptState = frozenset(['attempt', 'fencing_token', 'phase', 'run_id'])


def decode_AttemptState(data: Any, path: str = '', known: frozenset[str] = keys_AttemptState) -> novasphere_link_v1_link_service_pb2.AttemptState:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.AttemptState()
    v = data.get('run_id')
    if v is not None:
        m.run_id = codec.string(v, path, 'run_id')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.uint32(v, path, 'attempt')
    v = data.get('fencing_token')
    if v is not None:
        m.fencing_token = codec.uint64(v, path, 'fencing_token')
    v = data.get('phase')
    if v is not None:
        m.phase = words_AttemptPhase.read(v, path, 'phase')
    return m


def encode_AttemptVerdict(m: novasphere_link_v1_link_service_pb2.AttemptVerdict) -> dict[str, Any]:
    data: dict[str, Any] = {
        'run_id': m.run_id,
        'attempt': m.attempt,
    }
    if v := m.verdict:
        data['verdict'] = words_Verdict.get(v, v)
    data['stdout_offset'] = m.stdout_offset
    data['stderr_offset'] = m.stderr_offset
    return data


def dump_AttemptVerdict(m: novasphere_link_v1_link_service_pb2.AttemptVerdict) -> bytes:
    return orjson.dumps(encode_AttemptVerdict(m))


keys_AttemptVerdict = frozenset(['attempt', 'run_id', 'stderr_offset', 'stdout_offset', 'verdict'])


def decode_AttemptVerdict(data: Any, path: str = '', known: frozenset[str] = keys_AttemptVerdict) -> novasphere_link_v1_link_service_pb2.AttemptVerdict:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.AttemptVerdict()
    v = data.get('run_id')
    if v is not None:
        m.run_id = codec.string(v, path, 'run_id')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.uint32(v, path, 'attempt')
    v = data.get('verdict')
    if v is not None:
        m.verdict = words_Verdict.read(v, path, 'verdict')
    v = data.get('stdout_offset')
    if v is not None:
        m.stdout_offset = codec.uint64(v, path, 'stdout_offset')
    v = data.get('stderr_offset')
    if v is not None:
        m.stderr_offset = codec.uint64(v, path, 'stderr_offset')
    return m


def encode_Welcome(m: novasphere_link_v1_link_service_pb2.Welcome) -> dict[str, Any]:
    return {
        'node_id': m.node_id,
        'node_uid': m.node_uid,
        'credential': m.credential,
        'session_token': m.session_token,
        'heartbeat_interval_ms': m.heartbeat_interval_ms,
        'verdicts': [encode_AttemptVerdict(v) for v in x[:]] if (x := m.verdicts) else [],
        'output_window_bytes': m.output_window_bytes,
        'is_created': m.is_created,
    }


def dump_Welcome(m: novasphere_link_v1_link_service_pb2.Welcome) -> bytes:
    return orjson.dumps(encode_Welcome(m))


keys_Welcome = frozenset(['credential', 'heartbeat_interval_ms', 'is_created', 'node_id', 'node_uid', 'output_window_bytes', 'session_token', 'verdicts'])


def decode_Welcome(data: Any, path: str = '', known: frozenset[str] = keys_Welcome) -> novasphere_link_v1_link_service_pb2.Welcome:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.Welcome()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('node_uid')
    if v is not None:
        m.node_uid = codec.string(v, path, 'node_uid')
    v = data.get('credential')
    if v is not None:
        m.credential = codec.string(v, path, 'credential')
    v = data.get('session_token')
    if v is not None:
        m.session_token = codec.string(v, path, 'session_token')
    v = data.get('heartbeat_interval_ms')
    if v is not None:
        m.heartbeat_interval_ms = codec.uint32(v, path, 'heartbeat_interval_ms')
    v = data.get('verdicts')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'verdicts')):
            at = codec.element(path, 'verdicts', i)
            m.verdicts.add().CopyFrom(decode_AttemptVerdict(e, at))
    v = data.get('output_window_bytes')
    if v is not None:
        m.output_window_bytes = codec.uint32(v, path, 'output_window_bytes')
    v = data.get('is_created')
    if v is not None:
        m.is_created = codec.boolean(v, path, 'is_created')
    return m


def encode_Heartbeat(m: novasphere_link_v1_link_service_pb2.Heartbeat) -> dict[str, Any]:
    data: dict[str, Any] = {
        'sent_us': m.sent_us,
    }
    if m.HasField("sample"):
        data['sample'] = encode_Sample(m.sample)
    data['fault'] = m.fault
    return data


def dump_Heartbeat(m: novasphere_link_v1_link_service_pb2.Heartbeat) -> bytes:
    return orjson.dumps(encode_Heartbeat(m))


keys_Heartbeat = frozenset(['fault', 'sample', 'sent_us'])


def decode_Heartbeat(data: Any, path: str = '', known: frozenset[str] = keys_Heartbeat) -> novasphere_link_v1_link_service_pb2.Heartbeat:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.Heartbeat()
    v = data.get('sent_us')
    if v is not None:
        m.sent_us = codec.int64(v, path, 'sent_us')
    v = data.get('sample')
    if v is not None:
        m.sample.CopyFrom(decode_Sample(v, codec.at(path, 'sample')))
    v = data.get('fault')
    if v is not None:
        m.fault = codec.string(v, path, 'fault')
    return m


def encode_Sample(m: novasphere_link_v1_link_service_pb2.Sample) -> dict[str, Any]:
    data: dict[str, Any] = {
        'cpu_usage': m.cpu_usage,
        'memory_usage': m.memory_usage,
        'disk_usage': m.disk_usage,
        'load_average': m.load_average,
        'memory_total_bytes': m.memory_total_bytes,
        'memory_available_bytes': m.memory_available_bytes,
        'disk_total_bytes': m.disk_total_bytes,
        'disk_available_bytes': m.disk_available_bytes,
        'uptime_seconds': m.uptime_seconds,
    }
    if m.HasField("battery_percent"):
        data['battery_percent'] = m.battery_percent
    data['is_charging'] = m.is_charging
    return data


def dump_Sample(m: novasphere_link_v1_link_service_pb2.Sample) -> bytes:
    return orjson.dumps(encode_Sample(m))


keys_Sample = frozenset(['battery_percent', 'cpu_usage', 'disk_available_bytes', 'disk_total_bytes', 'disk_usage', 'is_charging', 'load_average', 'memory_available_bytes', 'memory_total_bytes', 'memory_usage', 'uptime_seconds'])


def decode_Sample(data: Any, path: str = '', known: frozenset[str] = keys_Sample) -> novasphere_link_v1_link_service_pb2.Sample:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.Sample()
    v = data.get('cpu_usage')
    if v is not None:
        m.cpu_usage = codec.double(v, path, 'cpu_usage')
    v = data.get('memory_usage')
    if v is not None:
        m.memory_usage = codec.double(v, path, 'memory_usage')
    v = data.get('disk_usage')
    if v is not None:
        m.disk_usage = codec.double(v, path, 'disk_usage')
    v = data.get('load_average')
    if v is not None:
        m.load_average = codec.double(v, path, 'load_average')
    v = data.get('memory_total_bytes')
    if v is not None:
        m.memory_total_bytes = codec.uint64(v, path, 'memory_total_bytes')
    v = data.get('memory_available_bytes')
    if v is not None:
        m.memory_available_bytes = codec.uint64(v, path, 'memory_available_bytes')
    v = data.get('disk_total_bytes')
    if v is not None:
        m.disk_total_bytes = codec.uint64(v, path, 'disk_total_bytes')
    v = data.get('disk_available_bytes')
    if v is not None:
        m.disk_available_bytes = codec.uint64(v, path, 'disk_available_bytes')
    v = data.get('uptime_seconds')
    if v is not None:
        m.uptime_seconds = codec.uint64(v, path, 'uptime_seconds')
    v = data.get('battery_percent')
    if v is not None:
        m.battery_percent = codec.double(v, path, 'battery_percent')
    v = data.get('is_charging')
    if v is not None:
        m.is_charging = codec.boolean(v, path, 'is_charging')
    return m


def encode_Dispatch(m: novasphere_link_v1_link_service_pb2.Dispatch) -> dict[str, Any]:
    data: dict[str, Any] = {
        'run_id': m.run_id,
        'attempt': m.attempt,
        'fencing_token': m.fencing_token,
        'kind': m.kind,
        'command_text': m.command_text,
        'timeout_ms': m.timeout_ms,
        'max_output_bytes': m.max_output_bytes,
        'program': m.program,
        'arguments': m.arguments[:],
        'environment': {k: x[k] for k in sorted(x)} if (x := m.environment) else {},
        'payload': m.payload,
    }
    if m.HasField("limits"):
        data['limits'] = encode_ResourceLimits(m.limits)
    data['discard_output'] = m.discard_output
    data['stop_after_ms'] = m.stop_after_ms
    return data


def dump_Dispatch(m: novasphere_link_v1_link_service_pb2.Dispatch) -> bytes:
    return orjson.dumps(encode_Dispatch(m))


keys_Dispatch = frozenset(['arguments', 'attempt', 'command_text', 'discard_output', 'environment', 'fencing_token', 'kind', 'limits', 'max_output_bytes', 'payload', 'program', 'run_id', 'stop_after_ms', 'timeout_ms'])


def decode_Dispatch(data: Any, path: str = '', known: frozenset[str] = keys_Dispatch) -> novasphere_link_v1_link_service_pb2.Dispatch:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.Dispatch()
    v = data.get('run_id')
    if v is not None:
        m.run_id = codec.string(v, path, 'run_id')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.uint32(v, path, 'attempt')
    v = data.get('fencing_token')
    if v is not None:
        m.fencing_token = codec.uint64(v, path, 'fencing_token')
    v = data.get('kind')
    if v is not None:
        m.kind = codec.string(v, path, 'kind')
    v = data.get('command_text')
    if v is not None:
        m.command_text = codec.string(v, path, 'command_text')
    v = data.get('timeout_ms')
    if v is not None:
        m.timeout_ms = codec.uint64(v, path, 'timeout_ms')
    v = data.get('max_output_bytes')
    if v is not None:
        m.max_output_bytes = codec.uint64(v, path, 'max_output_bytes')
    v = data.get('program')
    if v is not None:
        m.program = codec.string(v, path, 'program')
    v = data.get('arguments')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'arguments')):
            at = codec.element(path, 'arguments', i)
            m.arguments.append(codec.string(e, at, ''))
    v = data.get('environment')
    if v is not None:
        at = codec.at(path, 'environment')
        for k, e in codec.pairs(v, path, 'environment').items():
            m.environment[k] = codec.string(e, at, k)
    v = data.get('payload')
    if v is not None:
        m.payload = codec.string(v, path, 'payload')
    v = data.get('limits')
    if v is not None:
        m.limits.CopyFrom(decode_ResourceLimits(v, codec.at(path, 'limits')))
    v = data.get('discard_output')
    if v is not None:
        m.discard_output = codec.boolean(v, path, 'discard_output')
    v = data.get('stop_after_ms')
    if v is not None:
        m.stop_after_ms = codec.uint64(v, path, 'stop_after_ms')
    return m


def encode_ResourceLimits(m: novasphere_link_v1_link_service_pb2.ResourceLimits) -> dict[str, Any]:
    data: dict[str, Any] = {
        'memory_bytes': m.memory_bytes,
        'cpu_seconds': m.cpu_seconds,
    }
    if m.HasField("file_size_bytes"):
        data['file_size_bytes'] = m.file_size_bytes
    data['open_files'] = m.open_files
    data['processes'] = m.processes
    return data


def dump_ResourceLimits(m: novasphere_link_v1_link_service_pb2.ResourceLimits) -> bytes:
    return orjson.dumps(encode_ResourceLimits(m))


keys_ResourceLimits = frozenset(['cpu_seconds', 'file_size_bytes', 'memory_bytes', 'open_files', 'processes'])


def decode_ResourceLimits(data: Any, path: str = '', known: frozenset[str] = keys_ResourceLimits) -> novasphere_link_v1_link_service_pb2.ResourceLimits:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.ResourceLimits()
    v = data.get('memory_bytes')
    if v is not None:
        m.memory_bytes = codec.uint64(v, path, 'memory_bytes')
    v = data.get('cpu_seconds')
    if v is not None:
        m.cpu_seconds = codec.uint64(v, path, 'cpu_seconds')
    v = data.get('file_size_bytes')
    if v is not None:
        m.file_size_bytes = codec.uint64(v, path, 'file_size_bytes')
    v = data.get('open_files')
    if v is not None:
        m.open_files = codec.uint64(v, path, 'open_files')
    v = data.get('processes')
    if v is not None:
        m.processes = codec.uint64(v, path, 'processes')
    return m


def encode_ResourceUsage(m: novasphere_link_v1_link_service_pb2.ResourceUsage) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("cpu_time_us"):
        data['cpu_time_us'] = m.cpu_time_us
    if m.HasField("memory_peak_bytes"):
        data['memory_peak_bytes'] = m.memory_peak_bytes
    if m.HasField("disk_read_bytes"):
        data['disk_read_bytes'] = m.disk_read_bytes
    if m.HasField("disk_write_bytes"):
        data['disk_write_bytes'] = m.disk_write_bytes
    return data


def dump_ResourceUsage(m: novasphere_link_v1_link_service_pb2.ResourceUsage) -> bytes:
    return orjson.dumps(encode_ResourceUsage(m))


keys_ResourceUsage = frozenset(['cpu_time_us', 'disk_read_bytes', 'disk_write_bytes', 'memory_peak_bytes'])


def decode_ResourceUsage(data: Any, path: str = '', known: frozenset[str] = keys_ResourceUsage) -> novasphere_link_v1_link_service_pb2.ResourceUsage:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.ResourceUsage()
    v = data.get('cpu_time_us')
    if v is not None:
        m.cpu_time_us = codec.uint64(v, path, 'cpu_time_us')
    v = data.get('memory_peak_bytes')
    if v is not None:
        m.memory_peak_bytes = codec.uint64(v, path, 'memory_peak_bytes')
    v = data.get('disk_read_bytes')
    if v is not None:
        m.disk_read_bytes = codec.uint64(v, path, 'disk_read_bytes')
    v = data.get('disk_write_bytes')
    if v is not None:
        m.disk_write_bytes = codec.uint64(v, path, 'disk_write_bytes')
    return m


def encode_CancelAttempt(m: novasphere_link_v1_link_service_pb2.CancelAttempt) -> dict[str, Any]:
    return {
        'run_id': m.run_id,
        'attempt': m.attempt,
        'grace_ms': m.grace_ms,
    }


def dump_CancelAttempt(m: novasphere_link_v1_link_service_pb2.CancelAttempt) -> bytes:
    return orjson.dumps(encode_CancelAttempt(m))


keys_CancelAttempt = frozenset(['attempt', 'grace_ms', 'run_id'])


def decode_CancelAttempt(data: Any, path: str = '', known: frozenset[str] = keys_CancelAttempt) -> novasphere_link_v1_link_service_pb2.CancelAttempt:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.CancelAttempt()
    v = data.get('run_id')
    if v is not None:
        m.run_id = codec.string(v, path, 'run_id')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.uint32(v, path, 'attempt')
    v = data.get('grace_ms')
    if v is not None:
        m.grace_ms = codec.uint32(v, path, 'grace_ms')
    return m


def encode_AttemptReport(m: novasphere_link_v1_link_service_pb2.AttemptReport) -> dict[str, Any]:
    data: dict[str, Any] = {
        'run_id': m.run_id,
        'attempt': m.attempt,
        'fencing_token': m.fencing_token,
    }
    if v := m.phase:
        data['phase'] = words_AttemptPhase.get(v, v)
    if m.HasField("exit_code"):
        data['exit_code'] = m.exit_code
    if m.HasField("signal"):
        data['signal'] = m.signal
    data['started_us'] = m.started_us
    data['finished_us'] = m.finished_us
    data['duration_ms'] = m.duration_ms
    data['message'] = m.message
    data['stdout_bytes'] = m.stdout_bytes
    data['stderr_bytes'] = m.stderr_bytes
    data['output_dropped'] = m.output_dropped
    if m.HasField("usage"):
        data['usage'] = encode_ResourceUsage(m.usage)
    data['age_ms'] = m.age_ms
    return data


def dump_AttemptReport(m: novasphere_link_v1_link_service_pb2.AttemptReport) -> bytes:
    return orjson.dumps(encode_AttemptReport(m))


keys_AttemptReport = frozenset(['age_ms', 'attempt', 'duration_ms', 'exit_code', 'fencing_token', 'finished_us', 'message', 'output_dropped', 'phase', 'run_id', 'signal', 'started_us', 'stderr_bytes', 'stdout_bytes', 'usage'])


def decode_AttemptReport(data: Any, path: str = '', known: frozenset[str] = keys_AttemptReport) -> novasphere_link_v1_link_service_pb2.AttemptReport:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.AttemptReport()
    v = data.get('run_id')
    if v is not None:
        m.run_id = codec.string(v, path, 'run_id')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.uint32(v, path, 'attempt')
    v = data.get('fencing_token')
    if v is not None:
        m.fencing_token = codec.uint64(v, path, 'fencing_token')
    v = data.get('phase')
    if v is not None:
        m.phase = words_AttemptPhase.read(v, path, 'phase')
    v = data.get('exit_code')
    if v is not None:
        m.exit_code = codec.int32(v, path, 'exit_code')
    v = data.get('signal')
    if v is not None:
        m.signal = codec.int32(v, path, 'signal')
    v = data.get('started_us')
    if v is not None:
        m.started_us = codec.int64(v, path, 'started_us')
    v = data.get('finished_us')
    if v is not None:
        m.finished_us = codec.int64(v, path, 'finished_us')
    v = data.get('duration_ms')
    if v is not None:
        m.duration_ms = codec.uint64(v, path, 'duration_ms')
    v = data.get('message')
    if v is not None:
        m.message = codec.string(v, path, 'message')
    v = data.get('stdout_bytes')
    if v is not None:
        m.stdout_bytes = codec.uint64(v, path, 'stdout_bytes')
    v = data.get('stderr_bytes')
    if v is not None:
        m.stderr_bytes = codec.uint64(v, path, 'stderr_bytes')
    v = data.get('output_dropped')
    if v is not None:
        m.output_dropped = codec.boolean(v, path, 'output_dropped')
    v = data.get('usage')
    if v is not None:
        m.usage.CopyFrom(decode_ResourceUsage(v, codec.at(path, 'usage')))
    v = data.get('age_ms')
    if v is not None:
        m.age_ms = codec.uint64(v, path, 'age_ms')
    return m


def encode_OutputChunk(m: novasphere_link_v1_link_service_pb2.OutputChunk) -> dict[str, Any]:
    data: dict[str, Any] = {
        'run_id': m.run_id,
        'attempt': m.attempt,
        'fencing_token': m.fencing_token,
    }
    if v := m.stream:
        data['stream'] = words_Stream.get(v, v)
    data['offset'] = m.offset
    data['data'] = codec.print_data(m.data)
    return data


def dump_OutputChunk(m: novasphere_link_v1_link_service_pb2.OutputChunk) -> bytes:
    return orjson.dumps(encode_OutputChunk(m))


keys_OutputChunk = frozenset(['attempt', 'data', 'fencing_token', 'offset', 'run_id', 'stream'])


def decode_OutputChunk(data: Any, path: str = '', known: frozenset[str] = keys_OutputChunk) -> novasphere_link_v1_link_service_pb2.OutputChunk:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.OutputChunk()
    v = data.get('run_id')
    if v is not None:
        m.run_id = codec.string(v, path, 'run_id')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.uint32(v, path, 'attempt')
    v = data.get('fencing_token')
    if v is not None:
        m.fencing_token = codec.uint64(v, path, 'fencing_token')
    v = data.get('stream')
    if v is not None:
        m.stream = words_Stream.read(v, path, 'stream')
    v = data.get('offset')
    if v is not None:
        m.offset = codec.uint64(v, path, 'offset')
    v = data.get('data')
    if v is not None:
        m.data = codec.data(v, path, 'data')
    return m


def encode_OutputAck(m: novasphere_link_v1_link_service_pb2.OutputAck) -> dict[str, Any]:
    data: dict[str, Any] = {
        'run_id': m.run_id,
        'attempt': m.attempt,
    }
    if v := m.stream:
        data['stream'] = words_Stream.get(v, v)
    data['offset'] = m.offset
    return data


def dump_OutputAck(m: novasphere_link_v1_link_service_pb2.OutputAck) -> bytes:
    return orjson.dumps(encode_OutputAck(m))


keys_OutputAck = frozenset(['attempt', 'offset', 'run_id', 'stream'])


def decode_OutputAck(data: Any, path: str = '', known: frozenset[str] = keys_OutputAck) -> novasphere_link_v1_link_service_pb2.OutputAck:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.OutputAck()
    v = data.get('run_id')
    if v is not None:
        m.run_id = codec.string(v, path, 'run_id')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.uint32(v, path, 'attempt')
    v = data.get('stream')
    if v is not None:
        m.stream = words_Stream.read(v, path, 'stream')
    v = data.get('offset')
    if v is not None:
        m.offset = codec.uint64(v, path, 'offset')
    return m


def encode_ReportAck(m: novasphere_link_v1_link_service_pb2.ReportAck) -> dict[str, Any]:
    return {
        'run_id': m.run_id,
        'attempt': m.attempt,
        'is_stale': m.is_stale,
        'late_after': m.late_after,
    }


def dump_ReportAck(m: novasphere_link_v1_link_service_pb2.ReportAck) -> bytes:
    return orjson.dumps(encode_ReportAck(m))


keys_ReportAck = frozenset(['attempt', 'is_stale', 'late_after', 'run_id'])


def decode_ReportAck(data: Any, path: str = '', known: frozenset[str] = keys_ReportAck) -> novasphere_link_v1_link_service_pb2.ReportAck:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.ReportAck()
    v = data.get('run_id')
    if v is not None:
        m.run_id = codec.string(v, path, 'run_id')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.uint32(v, path, 'attempt')
    v = data.get('is_stale')
    if v is not None:
        m.is_stale = codec.boolean(v, path, 'is_stale')
    v = data.get('late_after')
    if v is not None:
        m.late_after = codec.string(v, path, 'late_after')
    return m


def encode_Goodbye(m: novasphere_link_v1_link_service_pb2.Goodbye) -> dict[str, Any]:
    return {
        'reason': m.reason,
    }


def dump_Goodbye(m: novasphere_link_v1_link_service_pb2.Goodbye) -> bytes:
    return orjson.dumps(encode_Goodbye(m))


keys_Goodbye = frozenset(['reason'])


def decode_Goodbye(data: Any, path: str = '', known: frozenset[str] = keys_Goodbye) -> novasphere_link_v1_link_service_pb2.Goodbye:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.Goodbye()
    v = data.get('reason')
    if v is not None:
        m.reason = codec.string(v, path, 'reason')
    return m


def encode_Closing(m: novasphere_link_v1_link_service_pb2.Closing) -> dict[str, Any]:
    return {
        'reason': m.reason,
        'retry_after_ms': m.retry_after_ms,
    }


def dump_Closing(m: novasphere_link_v1_link_service_pb2.Closing) -> bytes:
    return orjson.dumps(encode_Closing(m))


keys_Closing = frozenset(['reason', 'retry_after_ms'])


def decode_Closing(data: Any, path: str = '', known: frozenset[str] = keys_Closing) -> novasphere_link_v1_link_service_pb2.Closing:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_link_v1_link_service_pb2.Closing()
    v = data.get('reason')
    if v is not None:
        m.reason = codec.string(v, path, 'reason')
    v = data.get('retry_after_ms')
    if v is not None:
        m.retry_after_ms = codec.uint32(v, path, 'retry_after_ms')
    return m
