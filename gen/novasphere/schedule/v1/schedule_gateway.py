"""Generated from novasphere/schedule/v1/schedule.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import schedule_pb2 as novasphere_schedule_v1_schedule_pb2
from novasphere.schedule.v1 import task_gateway as novasphere_schedule_v1_task_gateway


words_OverlapPolicy = codec.Words(
    {0: 'UNSPECIFIED', 1: 'allow', 2: 'skip', 3: 'buffer_one', 4: 'buffer_all', 5: 'cancel_other', 6: 'terminate_other'},
    {'UNSPECIFIED': 0, 'OVERLAP_POLICY_UNSPECIFIED': 0, 'allow': 1, 'ALLOW': 1, 'OVERLAP_POLICY_ALLOW': 1, 'skip': 2, 'SKIP': 2, 'OVERLAP_POLICY_SKIP': 2, 'DISCARD_LATER': 2, 'buffer_one': 3, 'BUFFER_ONE': 3, 'OVERLAP_POLICY_BUFFER_ONE': 3, 'buffer_all': 4, 'BUFFER_ALL': 4, 'OVERLAP_POLICY_BUFFER_ALL': 4, 'SERIAL_EXECUTION': 4, 'cancel_other': 5, 'CANCEL_OTHER': 5, 'OVERLAP_POLICY_CANCEL_OTHER': 5, 'COVER_EARLY': 5, 'terminate_other': 6, 'TERMINATE_OTHER': 6, 'OVERLAP_POLICY_TERMINATE_OTHER': 6},
)


words_MisfirePolicy = codec.Words(
    {0: 'UNSPECIFIED', 1: 'ignore', 2: 'fire_once', 3: 'fire_all'},
    {'UNSPECIFIED': 0, 'MISFIRE_POLICY_UNSPECIFIED': 0, 'ignore': 1, 'IGNORE': 1, 'MISFIRE_POLICY_IGNORE': 1, 'DO_NOTHING': 1, 'fire_once': 2, 'FIRE_ONCE': 2, 'MISFIRE_POLICY_FIRE_ONCE': 2, 'FIRE_ONCE_NOW': 2, 'fire_all': 3, 'FIRE_ALL': 3, 'MISFIRE_POLICY_FIRE_ALL': 3},
)


words_GapPolicy = codec.Words(
    {0: 'UNSPECIFIED', 1: 'shift', 2: 'skip'},
    {'UNSPECIFIED': 0, 'GAP_POLICY_UNSPECIFIED': 0, 'shift': 1, 'SHIFT': 1, 'GAP_POLICY_SHIFT': 1, 'skip': 2, 'SKIP': 2, 'GAP_POLICY_SKIP': 2},
)


words_FoldPolicy = codec.Words(
    {0: 'UNSPECIFIED', 1: 'first', 2: 'last', 3: 'both'},
    {'UNSPECIFIED': 0, 'FOLD_POLICY_UNSPECIFIED': 0, 'first': 1, 'FIRST': 1, 'FOLD_POLICY_FIRST': 1, 'last': 2, 'LAST': 2, 'FOLD_POLICY_LAST': 2, 'both': 3, 'BOTH': 3, 'FOLD_POLICY_BOTH': 3},
)


words_ScheduleState = codec.Words(
    {0: 'UNSPECIFIED', 1: 'active', 2: 'paused', 3: 'ended'},
    {'UNSPECIFIED': 0, 'SCHEDULE_STATE_UNSPECIFIED': 0, 'active': 1, 'ACTIVE': 1, 'SCHEDULE_STATE_ACTIVE': 1, 'paused': 2, 'PAUSED': 2, 'SCHEDULE_STATE_PAUSED': 2, 'ended': 3, 'ENDED': 3, 'SCHEDULE_STATE_ENDED': 3},
)


words_Disposition = codec.Words(
    {0: 'UNSPECIFIED', 1: 'FIRED', 2: 'BUFFERED', 3: 'SKIPPED_OVERLAP', 4: 'SKIPPED_MISFIRE', 5: 'SKIPPED_PAUSED', 6: 'SKIPPED_DISABLED', 7: 'SKIPPED_DELETED'},
    {'UNSPECIFIED': 0, 'DISPOSITION_UNSPECIFIED': 0, 'FIRED': 1, 'DISPOSITION_FIRED': 1, 'BUFFERED': 2, 'DISPOSITION_BUFFERED': 2, 'SKIPPED_OVERLAP': 3, 'DISPOSITION_SKIPPED_OVERLAP': 3, 'SKIPPED_MISFIRE': 4, 'DISPOSITION_SKIPPED_MISFIRE': 4, 'SKIPPED_PAUSED': 5, 'DISPOSITION_SKIPPED_PAUSED': 5, 'SKIPPED_DISABLED': 6, 'DISPOSITION_SKIPPED_DISABLED': 6, 'SKIPPED_DELETED': 7, 'DISPOSITION_SKIPPED_DELETED': 7},
)


def encode_Schedule(m: novasphere_schedule_v1_schedule_pb2.Schedule) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'job_id': m.job_id,
        'name': m.name,
        'description': m.description if m.HasField("description") else None,
    }
    if v := m.kind:
        data['kind'] = novasphere_schedule_v1_task_gateway.words_ScheduleKind.get(v, v)
    data['enabled'] = m.enabled
    data['cron_expression'] = m.cron_expression if m.HasField("cron_expression") else None
    data['interval_secs'] = m.interval_secs if m.HasField("interval_secs") else None
    data['max_count'] = m.max_count if m.HasField("max_count") else None
    data['start_time'] = codec.print_seconds(m.start_time.seconds) if m.HasField("start_time") else None
    data['end_time'] = codec.print_seconds(m.end_time.seconds) if m.HasField("end_time") else None
    data['next_run_at'] = codec.print_seconds(m.next_run_at.seconds) if m.HasField("next_run_at") else None
    data['created_by'] = m.created_by
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['updated_by'] = m.updated_by if m.HasField("updated_by") else None
    data['updated_at'] = codec.print_seconds(m.updated_at.seconds) if m.HasField("updated_at") else None
    data['schedule_kind'] = m.schedule_kind
    data['status'] = m.status
    data['interval_seconds'] = m.interval_seconds if m.HasField("interval_seconds") else None
    data['namespace_id'] = m.namespace_id
    data['timezone'] = m.timezone
    if v := m.gap_policy:
        data['gap_policy'] = words_GapPolicy.get(v, v)
    if v := m.fold_policy:
        data['fold_policy'] = words_FoldPolicy.get(v, v)
    data['jitter'] = m.jitter_seconds
    if v := m.overlap_policy:
        data['overlap_policy'] = words_OverlapPolicy.get(v, v)
    if v := m.misfire_policy:
        data['misfire_policy'] = words_MisfirePolicy.get(v, v)
    data['misfire_window'] = m.misfire_window_seconds
    data['priority'] = m.priority
    data['parameters'] = codec.print_json(m.parameters) if m.HasField("parameters") else None
    if v := m.state:
        data['state'] = words_ScheduleState.get(v, v)
    data['pause_note'] = m.pause_note
    data['generation'] = m.generation
    data['fired_count'] = m.fired_count
    data['position'] = codec.print_seconds(m.position.seconds) if m.HasField("position") else None
    data['revision'] = m.revision
    data['number'] = m.number
    data['generation_begin'] = codec.print_seconds(m.generation_begin.seconds) if m.HasField("generation_begin") else None
    return data


def dump_Schedule(m: novasphere_schedule_v1_schedule_pb2.Schedule) -> bytes:
    return orjson.dumps(encode_Schedule(m))


keys_Schedule = frozenset(['created_at', 'created_by', 'cron_expression', 'description', 'enabled', 'end_time', 'fired_count', 'fold_policy', 'gap_policy', 'generation', 'generation_begin', 'id', 'interval_seconds', 'interval_secs', 'jitter', 'jitter_seconds', 'job_id', 'kind', 'max_count', 'misfire_policy', 'misfire_window', 'misfire_window_seconds', 'name', 'namespace_id', 'next_run_at', 'number', 'overlap_policy', 'parameters', 'pause_note', 'position', 'priority', 'revision', 'schedule_kind', 'start_time', 'state', 'status', 'timezone', 'updated_at', 'updated_by'])


def decode_Schedule(data: Any, path: str = '', known: frozenset[str] = keys_Schedule) -> novasphere_schedule_v1_schedule_pb2.Schedule:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_pb2.Schedule()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    v = data.get('job_id')
    if v is not None:
        m.job_id = codec.string(v, path, 'job_id')
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('description')
    if v is not None:
        m.description = codec.string(v, path, 'description')
    v = data.get('kind')
    if v is not None:
        m.kind = novasphere_schedule_v1_task_gateway.words_ScheduleKind.read(v, path, 'kind')
    v = data.get('enabled')
    if v is not None:
        m.enabled = codec.boolean(v, path, 'enabled')
    v = data.get('cron_expression')
    if v is not None:
        m.cron_expression = codec.string(v, path, 'cron_expression')
    v = data.get('interval_secs')
    if v is not None:
        m.interval_secs = codec.int64(v, path, 'interval_secs')
    v = data.get('max_count')
    if v is not None:
        m.max_count = codec.int64(v, path, 'max_count')
    v = data.get('start_time')
    if v is not None:
        m.start_time.CopyFrom(codec.timestamp(v, path, 'start_time'))
    v = data.get('end_time')
    if v is not None:
        m.end_time.CopyFrom(codec.timestamp(v, path, 'end_time'))
    v = data.get('next_run_at')
    if v is not None:
        m.next_run_at.CopyFrom(codec.timestamp(v, path, 'next_run_at'))
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
    v = data.get('schedule_kind')
    if v is not None:
        m.schedule_kind = codec.int32(v, path, 'schedule_kind')
    v = data.get('status')
    if v is not None:
        m.status = codec.int32(v, path, 'status')
    v = data.get('interval_seconds')
    if v is not None:
        m.interval_seconds = codec.int64(v, path, 'interval_seconds')
    v = data.get('namespace_id')
    if v is not None:
        m.namespace_id = codec.string(v, path, 'namespace_id')
    v = data.get('timezone')
    if v is not None:
        m.timezone = codec.string(v, path, 'timezone')
    v = data.get('gap_policy')
    if v is not None:
        m.gap_policy = words_GapPolicy.read(v, path, 'gap_policy')
    v = data.get('fold_policy')
    if v is not None:
        m.fold_policy = words_FoldPolicy.read(v, path, 'fold_policy')
    key, v = codec.pick(data, ('jitter', 'jitter_seconds'), path)
    if v is not None:
        m.jitter_seconds = codec.int32(v, path, key)
    v = data.get('overlap_policy')
    if v is not None:
        m.overlap_policy = words_OverlapPolicy.read(v, path, 'overlap_policy')
    v = data.get('misfire_policy')
    if v is not None:
        m.misfire_policy = words_MisfirePolicy.read(v, path, 'misfire_policy')
    key, v = codec.pick(data, ('misfire_window', 'misfire_window_seconds'), path)
    if v is not None:
        m.misfire_window_seconds = codec.int32(v, path, key)
    v = data.get('priority')
    if v is not None:
        m.priority = codec.int32(v, path, 'priority')
    v = data.get('parameters')
    if v is not None:
        m.parameters = codec.json_text(v)
    v = data.get('state')
    if v is not None:
        m.state = words_ScheduleState.read(v, path, 'state')
    v = data.get('pause_note')
    if v is not None:
        m.pause_note = codec.string(v, path, 'pause_note')
    v = data.get('generation')
    if v is not None:
        m.generation = codec.int32(v, path, 'generation')
    v = data.get('fired_count')
    if v is not None:
        m.fired_count = codec.int64(v, path, 'fired_count')
    v = data.get('position')
    if v is not None:
        m.position.CopyFrom(codec.timestamp(v, path, 'position'))
    v = data.get('revision')
    if v is not None:
        m.revision = codec.int64(v, path, 'revision')
    v = data.get('number')
    if v is not None:
        m.number = codec.int64(v, path, 'number')
    v = data.get('generation_begin')
    if v is not None:
        m.generation_begin.CopyFrom(codec.timestamp(v, path, 'generation_begin'))
    return m


def encode_Firing(m: novasphere_schedule_v1_schedule_pb2.Firing) -> dict[str, Any]:
    data: dict[str, Any] = {
        'schedule_id': m.schedule_id,
        'generation': m.generation,
    }
    if m.HasField("nominal_time"):
        data['nominal_time'] = codec.print_seconds(m.nominal_time.seconds)
    if m.HasField("last_nominal_time"):
        data['last_nominal_time'] = codec.print_seconds(m.last_nominal_time.seconds)
    data['count'] = m.count
    if v := m.disposition:
        data['disposition'] = words_Disposition.get(v, v)
    data['task_id'] = m.task_id
    data['note'] = m.note
    if m.HasField("decided_at"):
        data['decided_at'] = codec.print_seconds(m.decided_at.seconds)
    data['lateness_ms'] = m.lateness_ms
    return data


def dump_Firing(m: novasphere_schedule_v1_schedule_pb2.Firing) -> bytes:
    return orjson.dumps(encode_Firing(m))


keys_Firing = frozenset(['count', 'decided_at', 'disposition', 'generation', 'last_nominal_time', 'lateness_ms', 'nominal_time', 'note', 'schedule_id', 'task_id'])


def decode_Firing(data: Any, path: str = '', known: frozenset[str] = keys_Firing) -> novasphere_schedule_v1_schedule_pb2.Firing:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_pb2.Firing()
    v = data.get('schedule_id')
    if v is not None:
        m.schedule_id = codec.string(v, path, 'schedule_id')
    v = data.get('generation')
    if v is not None:
        m.generation = codec.int32(v, path, 'generation')
    v = data.get('nominal_time')
    if v is not None:
        m.nominal_time.CopyFrom(codec.timestamp(v, path, 'nominal_time'))
    v = data.get('last_nominal_time')
    if v is not None:
        m.last_nominal_time.CopyFrom(codec.timestamp(v, path, 'last_nominal_time'))
    v = data.get('count')
    if v is not None:
        m.count = codec.int64(v, path, 'count')
    v = data.get('disposition')
    if v is not None:
        m.disposition = words_Disposition.read(v, path, 'disposition')
    v = data.get('task_id')
    if v is not None:
        m.task_id = codec.string(v, path, 'task_id')
    v = data.get('note')
    if v is not None:
        m.note = codec.string(v, path, 'note')
    v = data.get('decided_at')
    if v is not None:
        m.decided_at.CopyFrom(codec.timestamp(v, path, 'decided_at'))
    v = data.get('lateness_ms')
    if v is not None:
        m.lateness_ms = codec.int64(v, path, 'lateness_ms')
    return m
