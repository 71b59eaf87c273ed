"""Generated from novasphere/schedule/v1/task.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import task_pb2 as novasphere_schedule_v1_task_pb2


words_TaskStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'pending', 2: 'locked', 3: 'dispatched', 10: 'running', 90: 'failed', 99: 'cancelled', 100: 'succeeded'},
    {'UNSPECIFIED': 0, 'TASK_STATUS_UNSPECIFIED': 0, 'pending': 1, 'PENDING': 1, 'TASK_STATUS_PENDING': 1, 'locked': 2, 'LOCKED': 2, 'TASK_STATUS_LOCKED': 2, 'dispatched': 3, 'DISPATCHED': 3, 'TASK_STATUS_DISPATCHED': 3, 'running': 10, 'RUNNING': 10, 'TASK_STATUS_RUNNING': 10, 'failed': 90, 'FAILED': 90, 'TASK_STATUS_FAILED': 90, 'cancelled': 99, 'CANCELLED': 99, 'TASK_STATUS_CANCELLED': 99, 'succeeded': 100, 'SUCCEEDED': 100, 'TASK_STATUS_SUCCEEDED': 100},
)


words_TaskInstanceStatus = codec.Words(
    {0: 'UNSPECIFIED', 1: 'pending', 5: 'dispatched', 10: 'running', 20: 'timeout', 90: 'failed', 99: 'cancelled', 100: 'succeeded'},
    {'UNSPECIFIED': 0, 'TASK_INSTANCE_STATUS_UNSPECIFIED': 0, 'pending': 1, 'PENDING': 1, 'TASK_INSTANCE_STATUS_PENDING': 1, 'dispatched': 5, 'DISPATCHED': 5, 'TASK_INSTANCE_STATUS_DISPATCHED': 5, 'running': 10, 'RUNNING': 10, 'TASK_INSTANCE_STATUS_RUNNING': 10, 'timeout': 20, 'TIMEOUT': 20, 'TASK_INSTANCE_STATUS_TIMEOUT': 20, 'failed': 90, 'FAILED': 90, 'TASK_INSTANCE_STATUS_FAILED': 90, 'cancelled': 99, 'CANCELLED': 99, 'TASK_INSTANCE_STATUS_CANCELLED': 99, 'succeeded': 100, 'SUCCEEDED': 100, 'TASK_INSTANCE_STATUS_SUCCEEDED': 100},
)


words_WorkState = codec.Words(
    {0: 'UNSPECIFIED', 1: 'PENDING', 2: 'DISPATCHED', 3: 'RUNNING', 4: 'SUCCEEDED', 5: 'FAILED', 6: 'TIMED_OUT', 7: 'CANCELLED', 8: 'LOST', 9: 'UNKNOWN'},
    {'UNSPECIFIED': 0, 'WORK_STATE_UNSPECIFIED': 0, 'PENDING': 1, 'WORK_STATE_PENDING': 1, 'DISPATCHED': 2, 'WORK_STATE_DISPATCHED': 2, 'RUNNING': 3, 'WORK_STATE_RUNNING': 3, 'SUCCEEDED': 4, 'WORK_STATE_SUCCEEDED': 4, 'FAILED': 5, 'WORK_STATE_FAILED': 5, 'TIMED_OUT': 6, 'WORK_STATE_TIMED_OUT': 6, 'CANCELLED': 7, 'WORK_STATE_CANCELLED': 7, 'LOST': 8, 'WORK_STATE_LOST': 8, 'UNKNOWN': 9, 'WORK_STATE_UNKNOWN': 9},
)


words_ScheduleKind = codec.Words(
    {0: 'UNSPECIFIED', 1: 'cron', 2: 'interval', 3: 'event', 4: 'flow', 5: 'daemon', 6: 'once'},
    {'UNSPECIFIED': 0, 'SCHEDULE_KIND_UNSPECIFIED': 0, 'cron': 1, 'CRON': 1, 'SCHEDULE_KIND_CRON': 1, 'interval': 2, 'INTERVAL': 2, 'SCHEDULE_KIND_INTERVAL': 2, 'event': 3, 'EVENT': 3, 'SCHEDULE_KIND_EVENT': 3, 'flow': 4, 'FLOW': 4, 'SCHEDULE_KIND_FLOW': 4, 'daemon': 5, 'DAEMON': 5, 'SCHEDULE_KIND_DAEMON': 5, 'once': 6, 'ONCE': 6, 'SCHEDULE_KIND_ONCE': 6},
)


words_Backoff = codec.Words(
    {0: 'UNSPECIFIED', 1: 'fixed', 2: 'linear', 3: 'exponential', 4: 'exponential_with_jitter'},
    {'UNSPECIFIED': 0, 'BACKOFF_UNSPECIFIED': 0, 'fixed': 1, 'FIXED': 1, 'BACKOFF_FIXED': 1, 'linear': 2, 'LINEAR': 2, 'BACKOFF_LINEAR': 2, 'exponential': 3, 'EXPONENTIAL': 3, 'BACKOFF_EXPONENTIAL': 3, 'exponential_with_jitter': 4, 'EXPONENTIAL_WITH_JITTER': 4, 'BACKOFF_EXPONENTIAL_WITH_JITTER': 4, 'ExponentialWithJitter': 4},
)


words_DisconnectPolicy = codec.Words(
    {0: 'UNSPECIFIED', 1: 'keep_waiting', 2: 'replace', 3: 'stop'},
    {'UNSPECIFIED': 0, 'DISCONNECT_POLICY_UNSPECIFIED': 0, 'keep_waiting': 1, 'KEEP_WAITING': 1, 'DISCONNECT_POLICY_KEEP_WAITING': 1, 'replace': 2, 'REPLACE': 2, 'DISCONNECT_POLICY_REPLACE': 2, 'stop': 3, 'STOP': 3, 'DISCONNECT_POLICY_STOP': 3},
)


words_DependencyCondition = codec.Words(
    {0: 'UNSPECIFIED', 1: 'succeeded', 2: 'finished'},
    {'UNSPECIFIED': 0, 'DEPENDENCY_CONDITION_UNSPECIFIED': 0, 'succeeded': 1, 'SUCCEEDED': 1, 'DEPENDENCY_CONDITION_SUCCEEDED': 1, 'finished': 2, 'FINISHED': 2, 'DEPENDENCY_CONDITION_FINISHED': 2},
)


def encode_ResourceLimits(m: novasphere_schedule_v1_task_pb2.ResourceLimits) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("max_memory_mb"):
        data['max_memory_mb'] = m.max_memory_mb
    if m.HasField("max_cpu_seconds"):
        data['max_cpu_seconds'] = m.max_cpu_seconds
    if m.HasField("max_file_size"):
        data['max_file_size'] = m.max_file_size
    if m.HasField("max_open_files"):
        data['max_open_files'] = m.max_open_files
    if m.HasField("max_processes"):
        data['max_processes'] = m.max_processes
    return data


def dump_ResourceLimits(m: novasphere_schedule_v1_task_pb2.ResourceLimits) -> bytes:
    return orjson.dumps(encode_ResourceLimits(m))


keys_ResourceLimits = frozenset(['max_cpu_seconds', 'max_file_size', 'max_memory_mb', 'max_open_files', 'max_processes'])


def decode_ResourceLimits(data: Any, path: str = '', known: frozenset[str] = keys_ResourceLimits) -> novasphere_schedule_v1_task_pb2.ResourceLimits:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.ResourceLimits()
    v = data.get('max_memory_mb')
    if v is not None:
        m.max_memory_mb = codec.int32(v, path, 'max_memory_mb')
    v = data.get('max_cpu_seconds')
    if v is not None:
        m.max_cpu_seconds = codec.int32(v, path, 'max_cpu_seconds')
    v = data.get('max_file_size')
    if v is not None:
        m.max_file_size = codec.int64(v, path, 'max_file_size')
    v = data.get('max_open_files')
    if v is not None:
        m.max_open_files = codec.int32(v, path, 'max_open_files')
    v = data.get('max_processes')
    if v is not None:
        m.max_processes = codec.int32(v, path, 'max_processes')
    return m


def encode_Requirements(m: novasphere_schedule_v1_task_pb2.Requirements) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("min_cpu_cores"):
        data['min_cpu_cores'] = m.min_cpu_cores
    if m.HasField("min_memory_gb"):
        data['min_memory_gb'] = m.min_memory_gb
    if m.HasField("min_storage_gb"):
        data['min_storage_gb'] = m.min_storage_gb
    data['platform'] = m.platform
    data['role'] = m.role
    data['tags'] = m.tags[:]
    data['gpu_required'] = m.gpu_required
    return data


def dump_Requirements(m: novasphere_schedule_v1_task_pb2.Requirements) -> bytes:
    return orjson.dumps(encode_Requirements(m))


keys_Requirements = frozenset(['gpu_required', 'min_cpu_cores', 'min_memory_gb', 'min_storage_gb', 'platform', 'required_platform', 'required_role', 'required_tags', 'role', 'tags'])


def decode_Requirements(data: Any, path: str = '', known: frozenset[str] = keys_Requirements) -> novasphere_schedule_v1_task_pb2.Requirements:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.Requirements()
    v = data.get('min_cpu_cores')
    if v is not None:
        m.min_cpu_cores = codec.int32(v, path, 'min_cpu_cores')
    v = data.get('min_memory_gb')
    if v is not None:
        m.min_memory_gb = codec.double(v, path, 'min_memory_gb')
    v = data.get('min_storage_gb')
    if v is not None:
        m.min_storage_gb = codec.double(v, path, 'min_storage_gb')
    key, v = codec.pick(data, ('platform', 'required_platform'), path)
    if v is not None:
        m.platform = codec.string(v, path, key)
    key, v = codec.pick(data, ('role', 'required_role'), path)
    if v is not None:
        m.role = codec.string(v, path, key)
    key, v = codec.pick(data, ('tags', 'required_tags'), path)
    if v is not None:
        for i, e in enumerate(codec.items(v, path, key)):
            at = codec.element(path, key, i)
            m.tags.append(codec.string(e, at, ''))
    v = data.get('gpu_required')
    if v is not None:
        m.gpu_required = codec.boolean(v, path, 'gpu_required')
    return m


def encode_TaskConfig(m: novasphere_schedule_v1_task_pb2.TaskConfig) -> dict[str, Any]:
    data: dict[str, Any] = {
        'timeout': m.timeout_seconds if m.HasField("timeout_seconds") else None,
        'max_retries': m.max_retries,
        'retry_interval': m.retry_interval_seconds if m.HasField("retry_interval_seconds") else None,
        'cmd': m.cmd,
        'args': m.args[:],
        'capture_output': m.capture_output if m.HasField("capture_output") else None,
        'max_output_size': m.max_output_size if m.HasField("max_output_size") else None,
        'labels': {k: x[k] for k in sorted(x)} if (x := m.labels) else {},
    }
    if m.HasField("resource_limits"):
        data['resource_limits'] = encode_ResourceLimits(m.resource_limits)
    if m.HasField("requirements"):
        data['requirements'] = encode_Requirements(m.requirements)
    if v := m.backoff:
        data['backoff'] = words_Backoff.get(v, v)
    if m.HasField("max_retry_interval_seconds"):
        data['max_retry_interval'] = m.max_retry_interval_seconds
    data['retry_lost'] = m.retry_lost
    if v := m.on_disconnect:
        data['on_disconnect'] = words_DisconnectPolicy.get(v, v)
    if m.HasField("lost_after_seconds"):
        data['lost_after'] = m.lost_after_seconds
    data['task_type'] = m.task_type
    data['payload'] = codec.print_json(m.payload)
    if m.HasField("queue_timeout_seconds"):
        data['queue_timeout'] = m.queue_timeout_seconds
    data['command_text'] = m.command_text
    return data


def dump_TaskConfig(m: novasphere_schedule_v1_task_pb2.TaskConfig) -> bytes:
    return orjson.dumps(encode_TaskConfig(m))


keys_TaskConfig = frozenset(['args', 'backoff', 'capture_output', 'cmd', 'command_text', 'labels', 'lost_after', 'lost_after_seconds', 'max_output_size', 'max_retries', 'max_retry_interval', 'max_retry_interval_seconds', 'on_disconnect', 'payload', 'queue_timeout', 'queue_timeout_seconds', 'requirements', 'resource_limits', 'retry_interval', 'retry_interval_seconds', 'retry_lost', 'task_type', 'timeout', 'timeout_seconds'])


def decode_TaskConfig(data: Any, path: str = '', known: frozenset[str] = keys_TaskConfig) -> novasphere_schedule_v1_task_pb2.TaskConfig:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.TaskConfig()
    key, v = codec.pick(data, ('timeout', 'timeout_seconds'), path)
    if v is not None:
        m.timeout_seconds = codec.int32(v, path, key)
    v = data.get('max_retries')
    if v is not None:
        m.max_retries = codec.int32(v, path, 'max_retries')
    key, v = codec.pick(data, ('retry_interval', 'retry_interval_seconds'), path)
    if v is not None:
        m.retry_interval_seconds = codec.int32(v, path, key)
    v = data.get('cmd')
    if v is not None:
        m.cmd = codec.string(v, path, 'cmd')
    v = data.get('args')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'args')):
            at = codec.element(path, 'args', i)
            m.args.append(codec.string(e, at, ''))
    v = data.get('capture_output')
    if v is not None:
        m.capture_output = codec.boolean(v, path, 'capture_output')
    v = data.get('max_output_size')
    if v is not None:
        m.max_output_size = codec.int64(v, path, 'max_output_size')
    v = data.get('labels')
    if v is not None:
        at = codec.at(path, 'labels')
        for k, e in codec.pairs(v, path, 'labels').items():
            m.labels[k] = codec.string(e, at, k)
    v = data.get('resource_limits')
    if v is not None:
        m.resource_limits.CopyFrom(decode_ResourceLimits(v, codec.at(path, 'resource_limits')))
    v = data.get('requirements')
    if v is not None:
        m.requirements.CopyFrom(decode_Requirements(v, codec.at(path, 'requirements')))
    v = data.get('backoff')
    if v is not None:
        m.backoff = words_Backoff.read(v, path, 'backoff')
    key, v = codec.pick(data, ('max_retry_interval', 'max_retry_interval_seconds'), path)
    if v is not None:
        m.max_retry_interval_seconds = codec.int32(v, path, key)
    v = data.get('retry_lost')
    if v is not None:
        m.retry_lost = codec.boolean(v, path, 'retry_lost')
    v = data.get('on_disconnect')
    if v is not None:
        m.on_disconnect = words_DisconnectPolicy.read(v, path, 'on_disconnect')
    key, v = codec.pick(data, ('lost_after', 'lost_after_seconds'), path)
    if v is not None:
        m.lost_after_seconds = codec.int32(v, path, key)
    v = data.get('task_type')
    if v is not None:
        m.task_type = codec.string(v, path, 'task_type')
    v = data.get('payload')
    if v is not None:
        m.payload = codec.json_text(v)
    key, v = codec.pick(data, ('queue_timeout', 'queue_timeout_seconds'), path)
    if v is not None:
        m.queue_timeout_seconds = codec.int32(v, path, key)
    v = data.get('command_text')
    if v is not None:
        m.command_text = codec.string(v, path, 'command_text')
    return m


def encode_Dependency(m: novasphere_schedule_v1_task_pb2.Dependency) -> dict[str, Any]:
    data: dict[str, Any] = {
        'task_id': m.task_id,
    }
    if v := m.condition:
        data['condition'] = words_DependencyCondition.get(v, v)
    return data


def dump_Dependency(m: novasphere_schedule_v1_task_pb2.Dependency) -> bytes:
    return orjson.dumps(encode_Dependency(m))


keys_Dependency = frozenset(['condition', 'task_id'])


def decode_Dependency(data: Any, path: str = '', known: frozenset[str] = keys_Dependency) -> novasphere_schedule_v1_task_pb2.Dependency:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.Dependency()
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    v = data.get('condition')
    if v is not None:
        m.condition = words_DependencyCondition.read(v, path, 'condition')
    return m


def encode_Task(m: novasphere_schedule_v1_task_pb2.Task) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'job_id': m.job_id if m.HasField("job_id") else None,
        'namespace_id': m.namespace_id,
        'priority': m.priority,
    }
    if v := m.status:
        data['status'] = words_TaskStatus.get(v, v)
    data['schedule_id'] = m.schedule_id if m.HasField("schedule_id") else None
    if m.HasField("scheduled_at"):
        data['scheduled_at'] = codec.print_seconds(m.scheduled_at.seconds)
    if v := m.schedule_kind:
        data['schedule_kind'] = words_ScheduleKind.get(v, v)
    data['completed_at'] = codec.print_seconds(m.completed_at.seconds) if m.HasField("completed_at") else None
    data['environment'] = codec.print_json(m.environment) if m.HasField("environment") else None
    data['parameters'] = codec.print_json(m.parameters) if m.HasField("parameters") else None
    if m.HasField("config"):
        data['config'] = encode_TaskConfig(m.config)
    data['retry_count'] = m.retry_count
    data['dependencies'] = [encode_Dependency(v) for v in x[:]] if (x := m.dependencies) else None
    data['locked_at'] = codec.print_seconds(m.locked_at.seconds) if m.HasField("locked_at") else None
    data['lock_version'] = m.lock_version
    data['created_by'] = m.created_by
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['updated_by'] = m.updated_by if m.HasField("updated_by") else None
    data['updated_at'] = codec.print_seconds(m.updated_at.seconds) if m.HasField("updated_at") else None
    if v := m.state:
        data['state'] = words_WorkState.get(v, v)
    data['reason'] = m.reason
    data['reason_message'] = m.reason_message
    data['revision'] = m.revision
    data['number'] = m.number
    data['node_id'] = m.node_id
    data['node_uid'] = m.node_uid
    data['started_at'] = codec.print_seconds(m.started_at.seconds) if m.HasField("started_at") else None
    if m.HasField("due_at"):
        data['due_at'] = codec.print_seconds(m.due_at.seconds)
    data['cancel_requested'] = m.cancel_requested
    if m.HasField("cancel_requested_at"):
        data['cancel_requested_at'] = codec.print_seconds(m.cancel_requested_at.seconds)
    data['cancel_requested_by'] = m.cancel_requested_by
    data['retry_of'] = m.retry_of
    data['replacement_count'] = m.replacement_count
    data['retried_as'] = m.retried_as
    return data


def dump_Task(m: novasphere_schedule_v1_task_pb2.Task) -> bytes:
    return orjson.dumps(encode_Task(m))


keys_Task = frozenset(['cancel_requested', 'cancel_requested_at', 'cancel_requested_by', 'completed_at', 'config', 'created_at', 'created_by', 'dependencies', 'due_at', 'environment', 'id', 'job_id', 'lock_version', 'locked_at', 'namespace_id', 'node_id', 'node_uid', 'number', 'parameters', 'priority', 'reason', 'reason_message', 'replacement_count', 'retried_as', 'retry_count', 'retry_of', 'revision', 'schedule_id', 'schedule_kind', 'scheduled_at', 'started_at', 'state', 'status', 'updated_at', 'updated_by'])


def decode_Task(data: Any, path: str = '', known: frozenset[str] = keys_Task) -> novasphere_schedule_v1_task_pb2.Task:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.Task()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    v = data.get('job_id')
    if v is not None:
        m.job_id = codec.string(v, path, 'job_id')
    v = data.get('namespace_id')
    if v is not None:
        m.namespace_id = codec.string(v, path, 'namespace_id')
    v = data.get('priority')
    if v is not None:
        m.priority = codec.int32(v, path, 'priority')
    v = data.get('status')
    if v is not None:
        m.status = words_TaskStatus.read(v, path, 'status')
    v = data.get('schedule_id')
    if v is not None:
        m.schedule_id = codec.string(v, path, 'schedule_id')
    v = data.get('scheduled_at')
    if v is not None:
        m.scheduled_at.CopyFrom(codec.timestamp(v, path, 'scheduled_at'))
    v = data.get('schedule_kind')
    if v is not None:
        m.schedule_kind = words_ScheduleKind.read(v, path, 'schedule_kind')
    v = data.get('completed_at')
    if v is not None:
        m.completed_at.CopyFrom(codec.timestamp(v, path, 'completed_at'))
    v = data.get('environment')
    if v is not None:
        m.environment = codec.json_text(v)
    v = data.get('parameters')
    if v is not None:
        m.parameters = codec.json_text(v)
    v = data.get('config')
    if v is not None:
        m.config.CopyFrom(decode_TaskConfig(v, codec.at(path, 'config')))
    v = data.get('retry_count')
    if v is not None:
        m.retry_count = codec.int32(v, path, 'retry_count')
    v = data.get('dependencies')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'dependencies')):
            at = codec.element(path, 'dependencies', i)
            m.dependencies.add().CopyFrom(decode_Dependency(e, at))
    v = data.get('locked_at')
    if v is not None:
        m.locked_at.CopyFrom(codec.timestamp(v, path, 'locked_at'))
    v = data.get('lock_version')
    if v is not None:
        m.lock_version = codec.int32(v, path, 'lock_version')
    v = data.get('created_by')
    if v is not None:
        m.created_by = codec.int64(v, path, 'created_by')
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('updated_by')
    if v is not None:
        m.updated_by = codec.int64(v, path, 'updated_by')
    v = data.get('updated_at')
    if v is not None:
        m.updated_at.CopyFrom(codec.timestamp(v, path, 'updated_at'))
    v = data.get('state')
    if v is not None:
        m.state = words_WorkState.read(v, path, 'state')
    v = data.get('reason')
    if v is not None:
        m.reason = codec.string(v, path, 'reason')
    v = data.get('reason_message')
    if v is not None:
        m.reason_message = codec.string(v, path, 'reason_message')
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    v = data.get('number')
    if v is not None:
        m.number = codec.int64(v, path, 'number')
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('node_uid')
    if v is not None:
        m.node_uid = codec.string(v, path, 'node_uid')
    v = data.get('started_at')
    if v is not None:
        m.started_at.CopyFrom(codec.timestamp(v, path, 'started_at'))
    v = data.get('due_at')
    if v is not None:
        m.due_at.CopyFrom(codec.timestamp(v, path, 'due_at'))
    v = data.get('cancel_requested')
    if v is not None:
        m.cancel_requested = codec.boolean(v, path, 'cancel_requested')
    v = data.get('cancel_requested_at')
    if v is not None:
        m.cancel_requested_at.CopyFrom(codec.timestamp(v, path, 'cancel_requested_at'))
    v = data.get('cancel_requested_by')
    if v is not None:
        m.cancel_requested_by = codec.string(v, path, 'cancel_requested_by')
    v = data.get('retry_of')
    if v is not None:
        m.retry_of = codec.string(v, path, 'retry_of')
    v = data.get('replacement_count')
    if v is not None:
        m.replacement_count = codec.int32(v, path, 'replacement_count')
    v = data.get('retried_as')
    if v is not None:
        m.retried_as = codec.string(v, path, 'retried_as')
    return m


def encode_TaskMetrics(m: novasphere_schedule_v1_task_pb2.TaskMetrics) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("cpu_time_seconds"):
        data['cpu_time'] = m.cpu_time_seconds
    if m.HasField("memory_peak_bytes"):
        data['memory_peak'] = m.memory_peak_bytes
    if m.HasField("disk_read_bytes"):
        data['disk_read'] = m.disk_read_bytes
    if m.HasField("disk_write_bytes"):
        data['disk_write'] = m.disk_write_bytes
    return data


def dump_TaskMetrics(m: novasphere_schedule_v1_task_pb2.TaskMetrics) -> bytes:
    return orjson.dumps(encode_TaskMetrics(m))


keys_TaskMetrics = frozenset(['cpu_time', 'cpu_time_seconds', 'disk_read', 'disk_read_bytes', 'disk_write', 'disk_write_bytes', 'memory_peak', 'memory_peak_bytes'])


def decode_TaskMetrics(data: Any, path: str = '', known: frozenset[str] = keys_TaskMetrics) -> novasphere_schedule_v1_task_pb2.TaskMetrics:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.TaskMetrics()
    key, v = codec.pick(data, ('cpu_time', 'cpu_time_seconds'), path)
    if v is not None:
        m.cpu_time_seconds = codec.double(v, path, key)
    key, v = codec.pick(data, ('memory_peak', 'memory_peak_bytes'), path)
    if v is not None:
        m.memory_peak_bytes = codec.int64(v, path, key)
    key, v = codec.pick(data, ('disk_read', 'disk_read_bytes'), path)
    if v is not None:
        m.disk_read_bytes = codec.int64(v, path, key)
    key, v = codec.pick(data, ('disk_write', 'disk_write_bytes'), path)
    if v is not None:
        m.disk_write_bytes = codec.int64(v, path, key)
    return m


def encode_LateReport(m: novasphere_schedule_v1_task_pb2.LateReport) -> dict[str, Any]:
    data: dict[str, Any] = {
        'exit_code': m.exit_code if m.HasField("exit_code") else None,
    }
    if m.HasField("received_at"):
        data['received_at'] = codec.print_seconds(m.received_at.seconds)
    data['message'] = m.message
    return data


def dump_LateReport(m: novasphere_schedule_v1_task_pb2.LateReport) -> bytes:
    return orjson.dumps(encode_LateReport(m))


keys_LateReport = frozenset(['exit_code', 'message', 'received_at'])


def decode_LateReport(data: Any, path: str = '', known: frozenset[str] = keys_LateReport) -> novasphere_schedule_v1_task_pb2.LateReport:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.LateReport()
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


def encode_TaskInstance(m: novasphere_schedule_v1_task_pb2.TaskInstance) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'task_id': m.task_id,
        'job_id': m.job_id if m.HasField("job_id") else None,
        'agent_id': m.agent_id if m.HasField("agent_id") else None,
    }
    if v := m.status:
        data['status'] = words_TaskInstanceStatus.get(v, v)
    data['started_at'] = codec.print_seconds(m.started_at.seconds) if m.HasField("started_at") else None
    data['completed_at'] = codec.print_seconds(m.completed_at.seconds) if m.HasField("completed_at") else None
    data['output'] = m.output if m.HasField("output") else None
    data['error_message'] = m.error_message if m.HasField("error_message") else None
    data['exit_code'] = m.exit_code if m.HasField("exit_code") else None
    data['metrics'] = encode_TaskMetrics(m.metrics) if m.HasField("metrics") else None
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    if m.HasField("updated_at"):
        data['updated_at'] = codec.print_seconds(m.updated_at.seconds)
    if v := m.state:
        data['state'] = words_WorkState.get(v, v)
    data['reason'] = m.reason
    data['attempt'] = m.attempt
    data['node_uid'] = m.node_uid
    if m.HasField("dispatched_at"):
        data['dispatched_at'] = codec.print_seconds(m.dispatched_at.seconds)
    data['execution_time_ms'] = m.execution_time_ms
    if m.HasField("signal"):
        data['signal'] = m.signal
    data['stdout_bytes'] = m.stdout_bytes
    data['stderr_bytes'] = m.stderr_bytes
    data['output_dropped'] = m.output_dropped
    data['output_truncated'] = m.output_truncated
    if m.HasField("run_deadline"):
        data['run_deadline'] = codec.print_seconds(m.run_deadline.seconds)
    if m.HasField("late_report"):
        data['late_report'] = encode_LateReport(m.late_report)
    data['namespace_id'] = m.namespace_id
    data['number'] = m.number
    data['stdout'] = m.stdout
    data['stderr'] = m.stderr
    data['stdout_truncated'] = m.stdout_truncated
    data['stderr_truncated'] = m.stderr_truncated
    return data


def dump_TaskInstance(m: novasphere_schedule_v1_task_pb2.TaskInstance) -> bytes:
    return orjson.dumps(encode_TaskInstance(m))


keys_TaskInstance = frozenset(['agent_id', 'attempt', 'completed_at', 'created_at', 'dispatched_at', 'error_message', 'execution_time_ms', 'exit_code', 'id', 'job_id', 'late_report', 'metrics', 'namespace_id', 'node_uid', 'number', 'output', 'output_dropped', 'output_truncated', 'reason', 'run_deadline', 'signal', 'started_at', 'state', 'status', 'stderr', 'stderr_bytes', 'stderr_truncated', 'stdout', 'stdout_bytes', 'stdout_truncated', 'task_id', 'updated_at'])


def decode_TaskInstance(data: Any, path: str = '', known: frozenset[str] = keys_TaskInstance) -> novasphere_schedule_v1_task_pb2.TaskInstance:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.TaskInstance()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
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
        m.status = words_TaskInstanceStatus.read(v, path, 'status')
    v = data.get('started_at')
    if v is not None:
        m.started_at.CopyFrom(codec.timestamp(v, path, 'started_at'))
    v = data.get('completed_at')
    if v is not None:
        m.completed_at.CopyFrom(codec.timestamp(v, path, 'completed_at'))
    v = data.get('output')
    if v is not None:
        m.output = codec.string(v, path, 'output')
    v = data.get('error_message')
    if v is not None:
        m.error_message = codec.string(v, path, 'error_message')
    v = data.get('exit_code')
    if v is not None:
        m.exit_code = codec.int32(v, path, 'exit_code')
    v = data.get('metrics')
    if v is not None:
        m.metrics.CopyFrom(decode_TaskMetrics(v, codec.at(path, 'metrics')))
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('updated_at')
    if v is not None:
        m.updated_at.CopyFrom(codec.timestamp(v, path, 'updated_at'))
    v = data.get('state')
    if v is not None:
        m.state = words_WorkState.read(v, path, 'state')
    v = data.get('reason')
    if v is not None:
        m.reason = codec.string(v, path, 'reason')
    v = data.get('attempt')
    if v is not None:
        m.attempt = codec.int32(v, path, 'attempt')
    v = data.get('node_uid')
    if v is not None:
        m.node_uid = codec.string(v, path, 'node_uid')
    v = data.get('dispatched_at')
    if v is not None:
        m.dispatched_at.CopyFrom(codec.timestamp(v, path, 'dispatched_at'))
    v = data.get('execution_time_ms')
    if v is not None:
        m.execution_time_ms = codec.int64(v, path, 'execution_time_ms')
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
    v = data.get('output_truncated')
    if v is not None:
        m.output_truncated = codec.boolean(v, path, 'output_truncated')
    v = data.get('run_deadline')
    if v is not None:
        m.run_deadline.CopyFrom(codec.timestamp(v, path, 'run_deadline'))
    v = data.get('late_report')
    if v is not None:
        m.late_report.CopyFrom(decode_LateReport(v, codec.at(path, 'late_report')))
    v = data.get('namespace_id')
    if v is not None:
        m.namespace_id = codec.string(v, path, 'namespace_id')
    v = data.get('number')
    if v is not None:
        m.number = codec.int64(v, path, 'number')
    v = data.get('stdout')
    if v is not None:
        m.stdout = codec.string(v, path, 'stdout')
    v = data.get('stderr')
    if v is not None:
        m.stderr = codec.string(v, path, 'stderr')
    v = data.get('stdout_truncated')
    if v is not None:
        m.stdout_truncated = codec.boolean(v, path, 'stdout_truncated')
    v = data.get('stderr_truncated')
    if v is not None:
        m.stderr_truncated = codec.boolean(v, path, 'stderr_truncated')
    return m


def encode_StoredTask(m: novasphere_schedule_v1_task_pb2.StoredTask) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("task"):
        data['task'] = encode_Task(m.task)
    if m.HasField("instance"):
        data['instance'] = encode_TaskInstance(m.instance)
    return data


def dump_StoredTask(m: novasphere_schedule_v1_task_pb2.StoredTask) -> bytes:
    return orjson.dumps(encode_StoredTask(m))


keys_StoredTask = frozenset(['instance', 'task'])


def decode_StoredTask(data: Any, path: str = '', known: frozenset[str] = keys_StoredTask) -> novasphere_schedule_v1_task_pb2.StoredTask:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_task_pb2.StoredTask()
    v = data.get('task')
    if v is not None:
        m.task.CopyFrom(decode_Task(v, codec.at(path, 'task')))
    v = data.get('instance')
    if v is not None:
        m.instance.CopyFrom(decode_TaskInstance(v, codec.at(path, 'instance')))
    return m
