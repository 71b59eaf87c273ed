"""Generated from novasphere/schedule/v1/schedule_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import watch_gateway as novasphere_api_v1_watch_gateway
from novasphere.schedule.v1 import obstacle_gateway as novasphere_schedule_v1_obstacle_gateway
from novasphere.schedule.v1 import page_gateway as novasphere_schedule_v1_page_gateway
from novasphere.schedule.v1 import schedule_gateway as novasphere_schedule_v1_schedule_gateway
from novasphere.schedule.v1 import schedule_service_pb2 as novasphere_schedule_v1_schedule_service_pb2
from novasphere.schedule.v1 import task_gateway as novasphere_schedule_v1_task_gateway


def encode_ListSchedulesRequest(m: novasphere_schedule_v1_schedule_service_pb2.ListSchedulesRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'filter': {k: novasphere_schedule_v1_page_gateway.encode_Condition(x[k]) for k in sorted(x)} if (x := m.filter) else {},
    }
    if m.HasField("page"):
        data['page'] = novasphere_schedule_v1_page_gateway.encode_PageSpec(m.page)
    return data


def dump_ListSchedulesRequest(m: novasphere_schedule_v1_schedule_service_pb2.ListSchedulesRequest) -> bytes:
    return orjson.dumps(encode_ListSchedulesRequest(m))


keys_ListSchedulesRequest = frozenset(['filter', 'page'])


def decode_ListSchedulesRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListSchedulesRequest) -> novasphere_schedule_v1_schedule_service_pb2.ListSchedulesRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ListSchedulesRequest()
    v = data.get('filter')
    if v is not None:
        at = codec.at(path, 'filter')
        for k, e in codec.pairs(v, path, 'filter').items():
            m.filter[k].CopyFrom(novasphere_schedule_v1_page_gateway.decode_Condition(e, codec.at(at, k)))
    v = data.get('page')
    if v is not None:
        m.page.CopyFrom(novasphere_schedule_v1_page_gateway.decode_PageSpec(v, codec.at(path, 'page')))
    return m


def encode_ListSchedulesResponse(m: novasphere_schedule_v1_schedule_service_pb2.ListSchedulesResponse) -> dict[str, Any]:
    return {
        'data': [novasphere_schedule_v1_schedule_gateway.encode_Schedule(v) for v in x[:]] if (x := m.data) else [],
        'total': m.total,
        'page': m.page,
        'page_size': m.page_size,
    }


def dump_ListSchedulesResponse(m: novasphere_schedule_v1_schedule_service_pb2.ListSchedulesResponse) -> bytes:
    return orjson.dumps(encode_ListSchedulesResponse(m))


keys_ListSchedulesResponse = frozenset(['data', 'page', 'page_size', 'total'])


def decode_ListSchedulesResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListSchedulesResponse) -> novasphere_schedule_v1_schedule_service_pb2.ListSchedulesResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ListSchedulesResponse()
    v = data.get('data')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'data')):
            at = codec.element(path, 'data', i)
            m.data.add().CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Schedule(e, at))
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


def encode_CreateScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.CreateScheduleRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'job_id': m.job_id,
        'name': m.name,
    }
    if m.HasField("description"):
        data['description'] = m.description
    if v := m.kind:
        data['kind'] = novasphere_schedule_v1_task_gateway.words_ScheduleKind.get(v, v)
    if m.HasField("enabled"):
        data['enabled'] = m.enabled
    if m.HasField("cron_expression"):
        data['cron_expression'] = m.cron_expression
    if m.HasField("interval_secs"):
        data['interval_secs'] = m.interval_secs
    if m.HasField("max_count"):
        data['max_count'] = m.max_count
    if m.HasField("start_time"):
        data['start_time'] = codec.print_seconds(m.start_time.seconds)
    if m.HasField("end_time"):
        data['end_time'] = codec.print_seconds(m.end_time.seconds)
    if m.HasField("status"):
        data['status'] = m.status
    if m.HasField("timezone"):
        data['timezone'] = m.timezone
    if v := m.gap_policy:
        data['gap_policy'] = novasphere_schedule_v1_schedule_gateway.words_GapPolicy.get(v, v)
    if v := m.fold_policy:
        data['fold_policy'] = novasphere_schedule_v1_schedule_gateway.words_FoldPolicy.get(v, v)
    if m.HasField("jitter_seconds"):
        data['jitter'] = m.jitter_seconds
    if v := m.overlap_policy:
        data['overlap_policy'] = novasphere_schedule_v1_schedule_gateway.words_OverlapPolicy.get(v, v)
    if v := m.misfire_policy:
        data['misfire_policy'] = novasphere_schedule_v1_schedule_gateway.words_MisfirePolicy.get(v, v)
    if m.HasField("misfire_window_seconds"):
        data['misfire_window'] = m.misfire_window_seconds
    if m.HasField("priority"):
        data['priority'] = m.priority
    if m.HasField("parameters"):
        data['parameters'] = codec.print_json(m.parameters)
    data['validate_only'] = m.validate_only
    return data


def dump_CreateScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.CreateScheduleRequest) -> bytes:
    return orjson.dumps(encode_CreateScheduleRequest(m))


keys_CreateScheduleRequest = frozenset(['cron_expression', 'description', 'dry_run', 'enabled', 'end_time', 'fold_policy', 'gap_policy', 'interval_seconds', 'interval_secs', 'jitter', 'jitter_seconds', 'job_id', 'kind', 'max_count', 'misfire_policy', 'misfire_window', 'misfire_window_seconds', 'name', 'overlap_policy', 'parameters', 'priority', 'schedule_kind', 'start_time', 'status', 'timezone', 'validate_only'])


def decode_CreateScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_CreateScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.CreateScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.CreateScheduleRequest()
    v = data.get('job_id')
    if v is not None:
        m.job_id = codec.string(v, path, 'job_id')
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('description')
    if v is not None:
        m.description = codec.string(v, path, 'description')
    key, v = codec.pick(data, ('kind', 'schedule_kind'), path)
    if v is not None:
        m.kind = novasphere_schedule_v1_task_gateway.words_ScheduleKind.read(v, path, key)
    v = data.get('enabled')
    if v is not None:
        m.enabled = codec.boolean(v, path, 'enabled')
    v = data.get('cron_expression')
    if v is not None:
        m.cron_expression = codec.string(v, path, 'cron_expression')
    key, v = codec.pick(data, ('interval_secs', 'interval_seconds'), path)
    if v is not None:
        m.interval_secs = codec.int64(v, path, key)
    v = data.get('max_count')
    if v is not None:
        m.max_count = codec.int64(v, path, 'max_count')
    v = data.get('start_time')
    if v is not None:
        m.start_time.CopyFrom(codec.timestamp(v, path, 'start_time'))
    v = data.get('end_time')
    if v is not None:
        m.end_time.CopyFrom(codec.timestamp(v, path, 'end_time'))
    v = data.get('status')
    if v is not None:
        m.status = codec.int32(v, path, 'status')
    v = data.get('timezone')
    if v is not None:
        m.timezone = codec.string(v, path, 'timezone')
    v = data.get('gap_policy')
    if v is not None:
        m.gap_policy = novasphere_schedule_v1_schedule_gateway.words_GapPolicy.read(v, path, 'gap_policy')
    v = data.get('fold_policy')
    if v is not None:
        m.fold_policy = novasphere_schedule_v1_schedule_gateway.words_FoldPolicy.read(v, path, 'fold_policy')
    key, v = codec.pick(data, ('jitter', 'jitter_seconds'), path)
    if v is not None:
        m.jitter_seconds = codec.int32(v, path, key)
    v = data.get('overlap_policy')
    if v is not None:
        m.overlap_policy = novasphere_schedule_v1_schedule_gateway.words_OverlapPolicy.read(v, path, 'overlap_policy')
    v = data.get('misfire_policy')
    if v is not None:
        m.misfire_policy = novasphere_schedule_v1_schedule_gateway.words_MisfirePolicy.read(v, path, 'misfire_policy')
    key, v = codec.pick(data, ('misfire_window', 'misfire_window_seconds'), path)
    if v is not None:
        m.misfire_window_seconds = codec.int32(v, path, key)
    v = data.get('priority')
    if v is not None:
        m.priority = codec.int32(v, path, 'priority')
    v = data.get('parameters')
    if v is not None:
        m.parameters = codec.json_text(v)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_CreateScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.CreateScheduleResponse) -> dict[str, Any]:
    return {
        'id': m.id,
    }


def dump_CreateScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.CreateScheduleResponse) -> bytes:
    return orjson.dumps(encode_CreateScheduleResponse(m))


keys_CreateScheduleResponse = frozenset(['id'])


def decode_CreateScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_CreateScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.CreateScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.CreateScheduleResponse()
    v = data.get('id')
    if v is not None:
        m.id = codec.string(v, path, 'id')
    return m


def encode_GetScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.GetScheduleRequest) -> dict[str, Any]:
    return {
        'id': m.schedule_id,
    }


def dump_GetScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.GetScheduleRequest) -> bytes:
    return orjson.dumps(encode_GetScheduleRequest(m))


keys_GetScheduleRequest = frozenset(['id', 'schedule_id'])


def decode_GetScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.GetScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.GetScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    return m


def encode_GetScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.GetScheduleResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("schedule"):
        data['schedule'] = novasphere_schedule_v1_schedule_gateway.encode_Schedule(m.schedule)
    return data


def dump_GetScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.GetScheduleResponse) -> bytes:
    return orjson.dumps(encode_GetScheduleResponse(m))


keys_GetScheduleResponse = frozenset(['schedule'])


def decode_GetScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.GetScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.GetScheduleResponse()
    v = data.get('schedule')
    if v is not None:
        m.schedule.CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Schedule(v, codec.at(path, 'schedule')))
    return m


def encode_UpdateScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.schedule_id,
    }
    if m.HasField("name"):
        data['name'] = m.name
    if m.HasField("description"):
        data['description'] = m.description
    if v := m.kind:
        data['kind'] = novasphere_schedule_v1_task_gateway.words_ScheduleKind.get(v, v)
    if m.HasField("enabled"):
        data['enabled'] = m.enabled
    if m.HasField("cron_expression"):
        data['cron_expression'] = m.cron_expression
    if m.HasField("interval_secs"):
        data['interval_secs'] = m.interval_secs
    if m.HasField("max_count"):
        data['max_count'] = m.max_count
    if m.HasField("start_time"):
        data['start_time'] = codec.print_seconds(m.start_time.seconds)
    if m.HasField("end_time"):
        data['end_time'] = codec.print_seconds(m.end_time.seconds)
    if m.HasField("status"):
        data['status'] = m.status
    if m.HasField("timezone"):
        data['timezone'] = m.timezone
    if v := m.gap_policy:
        data['gap_policy'] = novasphere_schedule_v1_schedule_gateway.words_GapPolicy.get(v, v)
    if v := m.fold_policy:
        data['fold_policy'] = novasphere_schedule_v1_schedule_gateway.words_FoldPolicy.get(v, v)
    if m.HasField("jitter_seconds"):
        data['jitter'] = m.jitter_seconds
    if v := m.overlap_policy:
        data['overlap_policy'] = novasphere_schedule_v1_schedule_gateway.words_OverlapPolicy.get(v, v)
    if v := m.misfire_policy:
        data['misfire_policy'] = novasphere_schedule_v1_schedule_gateway.words_MisfirePolicy.get(v, v)
    if m.HasField("misfire_window_seconds"):
        data['misfire_window'] = m.misfire_window_seconds
    if m.HasField("priority"):
        data['priority'] = m.priority
    if m.HasField("parameters"):
        data['parameters'] = codec.print_json(m.parameters)
    if m.HasField("update_mask"):
        data['update_mask'] = codec.print_field_mask(m.update_mask)
    data['validate_only'] = m.validate_only
    return data


def dump_UpdateScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleRequest) -> bytes:
    return orjson.dumps(encode_UpdateScheduleRequest(m))


keys_UpdateScheduleRequest = frozenset(['cron_expression', 'description', 'dry_run', 'enabled', 'end_time', 'fold_policy', 'gap_policy', 'id', 'interval_seconds', 'interval_secs', 'jitter', 'jitter_seconds', 'kind', 'max_count', 'misfire_policy', 'misfire_window', 'misfire_window_seconds', 'name', 'overlap_policy', 'parameters', 'priority', 'schedule_id', 'schedule_kind', 'start_time', 'status', 'timezone', 'update_mask', 'validate_only'])


def decode_UpdateScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_UpdateScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    v = data.get('name')
    if v is not None:
        m.name = codec.string(v, path, 'name')
    v = data.get('description')
    if v is not None:
        m.description = codec.string(v, path, 'description')
    key, v = codec.pick(data, ('kind', 'schedule_kind'), path)
    if v is not None:
        m.kind = novasphere_schedule_v1_task_gateway.words_ScheduleKind.read(v, path, key)
    v = data.get('enabled')
    if v is not None:
        m.enabled = codec.boolean(v, path, 'enabled')
    v = data.get('cron_expression')
    if v is not None:
        m.cron_expression = codec.string(v, path, 'cron_expression')
    key, v = codec.pick(data, ('interval_secs', 'interval_seconds'), path)
    if v is not None:
        m.interval_secs = codec.int64(v, path, key)
    v = data.get('max_count')
    if v is not None:
        m.max_count = codec.int64(v, path, 'max_count')
    v = data.get('start_time')
    if v is not None:
        m.start_time.CopyFrom(codec.timestamp(v, path, 'start_time'))
    v = data.get('end_time')
    if v is not None:
        m.end_time.CopyFrom(codec.timestamp(v, path, 'end_time'))
    v = data.get('status')
    if v is not None:
        m.status = codec.int32(v, path, 'status')
    v = data.get('timezone')
    if v is not None:
        m.timezone = codec.string(v, path, 'timezone')
    v = data.get('gap_policy')
    if v is not None:
        m.gap_policy = novasphere_schedule_v1_schedule_gateway.words_GapPolicy.read(v, path, 'gap_policy')
    v = data.get('fold_policy')
    if v is not None:
        m.fold_policy = novasphere_schedule_v1_schedule_gateway.words_FoldPolicy.read(v, path, 'fold_policy')
    key, v = codec.pick(data, ('jitter', 'jitter_seconds'), path)
    if v is not None:
        m.jitter_seconds = codec.int32(v, path, key)
    v = data.get('overlap_policy')
    if v is not None:
        m.overlap_policy = novasphere_schedule_v1_schedule_gateway.words_OverlapPolicy.read(v, path, 'overlap_policy')
    v = data.get('misfire_policy')
    if v is not None:
        m.misfire_policy = novasphere_schedule_v1_schedule_gateway.words_MisfirePolicy.read(v, path, 'misfire_policy')
    key, v = codec.pick(data, ('misfire_window', 'misfire_window_seconds'), path)
    if v is not None:
        m.misfire_window_seconds = codec.int32(v, path, key)
    v = data.get('priority')
    if v is not None:
        m.priority = codec.int32(v, path, 'priority')
    v = data.get('parameters')
    if v is not None:
        m.parameters = codec.json_text(v)
    v = data.get('update_mask')
    if v is not None:
        m.update_mask.CopyFrom(codec.field_mask(v, path, 'update_mask'))
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_UpdateScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleResponse) -> dict[str, Any]:
    return {}


def dump_UpdateScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleResponse) -> bytes:
    return orjson.dumps(encode_UpdateScheduleResponse(m))


keys_UpdateScheduleResponse = frozenset([])


def decode_UpdateScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_UpdateScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleResponse()
    return m


def encode_DeleteScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleRequest) -> dict[str, Any]:
    return {
        'id': m.schedule_id,
        'validate_only': m.validate_only,
    }


def dump_DeleteScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleRequest) -> bytes:
    return orjson.dumps(encode_DeleteScheduleRequest(m))


keys_DeleteScheduleRequest = frozenset(['dry_run', 'id', 'schedule_id', 'validate_only'])


def decode_DeleteScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_DeleteScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_DeleteScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleResponse) -> dict[str, Any]:
    return {}


def dump_DeleteScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleResponse) -> bytes:
    return orjson.dumps(encode_DeleteScheduleResponse(m))


keys_DeleteScheduleResponse = frozenset([])


def decode_DeleteScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_DeleteScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleResponse()
    return m


def encode_EnableScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.EnableScheduleRequest) -> dict[str, Any]:
    return {
        'id': m.schedule_id,
        'validate_only': m.validate_only,
    }


def dump_EnableScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.EnableScheduleRequest) -> bytes:
    return orjson.dumps(encode_EnableScheduleRequest(m))


keys_EnableScheduleRequest = frozenset(['dry_run', 'id', 'schedule_id', 'validate_only'])


def decode_EnableScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_EnableScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.EnableScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.EnableScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_EnableScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.EnableScheduleResponse) -> dict[str, Any]:
    return {}


def dump_EnableScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.EnableScheduleResponse) -> bytes:
    return orjson.dumps(encode_EnableScheduleResponse(m))


keys_EnableScheduleResponse = frozenset([])


def decode_EnableScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_EnableScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.EnableScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.EnableScheduleResponse()
    return m


def encode_DisableScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.DisableScheduleRequest) -> dict[str, Any]:
    return {
        'id': m.schedule_id,
        'validate_only': m.validate_only,
    }


def dump_DisableScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.DisableScheduleRequest) -> bytes:
    return orjson.dumps(encode_DisableScheduleRequest(m))


keys_DisableScheduleRequest = frozenset(['dry_run', 'id', 'schedule_id', 'validate_only'])


def decode_DisableScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_DisableScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.DisableScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.DisableScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_DisableScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.DisableScheduleResponse) -> dict[str, Any]:
    return {}


def dump_DisableScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.DisableScheduleResponse) -> bytes:
    return orjson.dumps(encode_DisableScheduleResponse(m))


keys_DisableScheduleResponse = frozenset([])


def decode_DisableScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_DisableScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.DisableScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.DisableScheduleResponse()
    return m


def encode_PauseScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.PauseScheduleRequest) -> dict[str, Any]:
    return {
        'id': m.schedule_id,
        'note': m.note,
        'validate_only': m.validate_only,
    }


def dump_PauseScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.PauseScheduleRequest) -> bytes:
    return orjson.dumps(encode_PauseScheduleRequest(m))


keys_PauseScheduleRequest = frozenset(['dry_run', 'id', 'note', 'schedule_id', 'validate_only'])


def decode_PauseScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_PauseScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.PauseScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.PauseScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    v = data.get('note')
    if v is not None:
        m.note = codec.string(v, path, 'note')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_PauseScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.PauseScheduleResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("schedule"):
        data['schedule'] = novasphere_schedule_v1_schedule_gateway.encode_Schedule(m.schedule)
    return data


def dump_PauseScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.PauseScheduleResponse) -> bytes:
    return orjson.dumps(encode_PauseScheduleResponse(m))


keys_PauseScheduleResponse = frozenset(['schedule'])


def decode_PauseScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_PauseScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.PauseScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.PauseScheduleResponse()
    v = data.get('schedule')
    if v is not None:
        m.schedule.CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Schedule(v, codec.at(path, 'schedule')))
    return m


def encode_ResumeScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleRequest) -> dict[str, Any]:
    return {
        'id': m.schedule_id,
        'validate_only': m.validate_only,
    }


def dump_ResumeScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleRequest) -> bytes:
    return orjson.dumps(encode_ResumeScheduleRequest(m))


keys_ResumeScheduleRequest = frozenset(['dry_run', 'id', 'schedule_id', 'validate_only'])


def decode_ResumeScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_ResumeScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_ResumeScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("schedule"):
        data['schedule'] = novasphere_schedule_v1_schedule_gateway.encode_Schedule(m.schedule)
    return data


def dump_ResumeScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleResponse) -> bytes:
    return orjson.dumps(encode_ResumeScheduleResponse(m))


keys_ResumeScheduleResponse = frozenset(['schedule'])


def decode_ResumeScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_ResumeScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleResponse()
    v = data.get('schedule')
    if v is not None:
        m.schedule.CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Schedule(v, codec.at(path, 'schedule')))
    return m


def encode_TriggerScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.schedule_id,
    }
    if m.HasField("parameters"):
        data['parameters'] = codec.print_json(m.parameters)
    data['validate_only'] = m.validate_only
    return data


def dump_TriggerScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleRequest) -> bytes:
    return orjson.dumps(encode_TriggerScheduleRequest(m))


keys_TriggerScheduleRequest = frozenset(['dry_run', 'id', 'parameters', 'schedule_id', 'validate_only'])


def decode_TriggerScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_TriggerScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    v = data.get('parameters')
    if v is not None:
        m.parameters = codec.json_text(v)
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_TriggerScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("task"):
        data['task'] = novasphere_schedule_v1_task_gateway.encode_Task(m.task)
    return data


def dump_TriggerScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleResponse) -> bytes:
    return orjson.dumps(encode_TriggerScheduleResponse(m))


keys_TriggerScheduleResponse = frozenset(['task'])


def decode_TriggerScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_TriggerScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleResponse()
    v = data.get('task')
    if v is not None:
        m.task.CopyFrom(novasphere_schedule_v1_task_gateway.decode_Task(v, codec.at(path, 'task')))
    return m


def encode_BackfillScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.schedule_id,
    }
    if m.HasField("start_time"):
        data['start_time'] = codec.print_seconds(m.start_time.seconds)
    if m.HasField("end_time"):
        data['end_time'] = codec.print_seconds(m.end_time.seconds)
    if v := m.overlap_policy:
        data['overlap_policy'] = novasphere_schedule_v1_schedule_gateway.words_OverlapPolicy.get(v, v)
    data['validate_only'] = m.validate_only
    return data


def dump_BackfillScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleRequest) -> bytes:
    return orjson.dumps(encode_BackfillScheduleRequest(m))


keys_BackfillScheduleRequest = frozenset(['dry_run', 'end_time', 'id', 'overlap_policy', 'schedule_id', 'start_time', 'validate_only'])


def decode_BackfillScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_BackfillScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    v = data.get('start_time')
    if v is not None:
        m.start_time.CopyFrom(codec.timestamp(v, path, 'start_time'))
    v = data.get('end_time')
    if v is not None:
        m.end_time.CopyFrom(codec.timestamp(v, path, 'end_time'))
    v = data.get('overlap_policy')
    if v is not None:
        m.overlap_policy = novasphere_schedule_v1_schedule_gateway.words_OverlapPolicy.read(v, path, 'overlap_policy')
    key, v = codec.pick(data, ('validate_only', 'dry_run'), path)
    if v is not None:
        m.validate_only = codec.boolean(v, path, key)
    return m


def encode_BackfillScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleResponse) -> dict[str, Any]:
    return {
        'task_ids': m.task_ids[:],
        'count': m.count,
    }


def dump_BackfillScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleResponse) -> bytes:
    return orjson.dumps(encode_BackfillScheduleResponse(m))


keys_BackfillScheduleResponse = frozenset(['count', 'task_ids'])


def decode_BackfillScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_BackfillScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleResponse()
    v = data.get('task_ids')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'task_ids')):
            at = codec.element(path, 'task_ids', i)
            m.task_ids.append(codec.string(e, at, ''))
    v = data.get('count')
    if v is not None:
        m.count = codec.int32(v, path, 'count')
    return m


def encode_PreviewScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.schedule_id,
    }
    if m.HasField("count"):
        data['count'] = m.count
    if m.HasField("after"):
        data['after'] = codec.print_seconds(m.after.seconds)
    return data


def dump_PreviewScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleRequest) -> bytes:
    return orjson.dumps(encode_PreviewScheduleRequest(m))


keys_PreviewScheduleRequest = frozenset(['after', 'count', 'id', 'schedule_id'])


def decode_PreviewScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_PreviewScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    v = data.get('count')
    if v is not None:
        m.count = codec.int32(v, path, 'count')
    v = data.get('after')
    if v is not None:
        m.after.CopyFrom(codec.timestamp(v, path, 'after'))
    return m


def encode_PreviewScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleResponse) -> dict[str, Any]:
    return {
        'times': [encode_PreviewedTime(v) for v in x[:]] if (x := m.times) else [],
    }


def dump_PreviewScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleResponse) -> bytes:
    return orjson.dumps(encode_PreviewScheduleResponse(m))


keys_PreviewScheduleResponse = frozenset(['times'])


def decode_PreviewScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_PreviewScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleResponse()
    v = data.get('times')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'times')):
            at = codec.element(path, 'times', i)
            m.times.add().CopyFrom(decode_PreviewedTime(e, at))
    return m


def encode_PreviewedTime(m: novasphere_schedule_v1_schedule_service_pb2.PreviewedTime) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("time"):
        data['time'] = codec.print_seconds(m.time.seconds)
    data['local_time'] = m.local_time
    data['note'] = m.note
    return data


def dump_PreviewedTime(m: novasphere_schedule_v1_schedule_service_pb2.PreviewedTime) -> bytes:
    return orjson.dumps(encode_PreviewedTime(m))


keys_PreviewedTime = frozenset(['local_time', 'note', 'time'])


def decode_PreviewedTime(data: Any, path: str = '', known: frozenset[str] = keys_PreviewedTime) -> novasphere_schedule_v1_schedule_service_pb2.PreviewedTime:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.PreviewedTime()
    v = data.get('time')
    if v is not None:
        m.time.CopyFrom(codec.timestamp(v, path, 'time'))
    v = data.get('local_time')
    if v is not None:
        m.local_time = codec.string(v, path, 'local_time')
    v = data.get('note')
    if v is not None:
        m.note = codec.string(v, path, 'note')
    return m


def encode_PreviewTimingRequest(m: novasphere_schedule_v1_schedule_service_pb2.PreviewTimingRequest) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.kind:
        data['kind'] = novasphere_schedule_v1_task_gateway.words_ScheduleKind.get(v, v)
    if m.HasField("cron_expression"):
        data['cron_expression'] = m.cron_expression
    if m.HasField("interval_secs"):
        data['interval_secs'] = m.interval_secs
    if m.HasField("start_time"):
        data['start_time'] = codec.print_seconds(m.start_time.seconds)
    if m.HasField("end_time"):
        data['end_time'] = codec.print_seconds(m.end_time.seconds)
    if m.HasField("timezone"):
        data['timezone'] = m.timezone
    if v := m.gap_policy:
        data['gap_policy'] = novasphere_schedule_v1_schedule_gateway.words_GapPolicy.get(v, v)
    if v := m.fold_policy:
        data['fold_policy'] = novasphere_schedule_v1_schedule_gateway.words_FoldPolicy.get(v, v)
    if m.HasField("count"):
        data['count'] = m.count
    if m.HasField("after"):
        data['after'] = codec.print_seconds(m.after.seconds)
    return data


def dump_PreviewTimingRequest(m: novasphere_schedule_v1_schedule_service_pb2.PreviewTimingRequest) -> bytes:
    return orjson.dumps(encode_PreviewTimingRequest(m))


keys_PreviewTimingRequest = frozenset(['after', 'count', 'cron_expression', 'end_time', 'fold_policy', 'gap_policy', 'interval_seconds', 'interval_secs', 'kind', 'schedule_kind', 'start_time', 'timezone'])


def decode_PreviewTimingRequest(data: Any, path: str = '', known: frozenset[str] = keys_PreviewTimingRequest) -> novasphere_schedule_v1_schedule_service_pb2.PreviewTimingRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.PreviewTimingRequest()
    key, v = codec.pick(data, ('kind', 'schedule_kind'), path)
    if v is not None:
        m.kind = novasphere_schedule_v1_task_gateway.words_ScheduleKind.read(v, path, key)
    v = data.get('cron_expression')
    if v is not None:
        m.cron_expression = codec.string(v, path, 'cron_expression')
    key, v = codec.pick(data, ('interval_secs', 'interval_seconds'), path)
    if v is not None:
        m.interval_secs = codec.int64(v, path, key)
    v = data.get('start_time')
    if v is not None:
        m.start_time.CopyFrom(codec.timestamp(v, path, 'start_time'))
    v = data.get('end_time')
    if v is not None:
        m.end_time.CopyFrom(codec.timestamp(v, path, 'end_time'))
    v = data.get('timezone')
    if v is not None:
        m.timezone = codec.string(v, path, 'timezone')
    v = data.get('gap_policy')
    if v is not None:
        m.gap_policy = novasphere_schedule_v1_schedule_gateway.words_GapPolicy.read(v, path, 'gap_policy')
    v = data.get('fold_policy')
    if v is not None:
        m.fold_policy = novasphere_schedule_v1_schedule_gateway.words_FoldPolicy.read(v, path, 'fold_policy')
    v = data.get('count')
    if v is not None:
        m.count = codec.int32(v, path, 'count')
    v = data.get('after')
    if v is not None:
        m.after.CopyFrom(codec.timestamp(v, path, 'after'))
    return m


def encode_PreviewTimingResponse(m: novasphere_schedule_v1_schedule_service_pb2.PreviewTimingResponse) -> dict[str, Any]:
    return {
        'times': [encode_PreviewedTime(v) for v in x[:]] if (x := m.times) else [],
    }


def dump_PreviewTimingResponse(m: novasphere_schedule_v1_schedule_service_pb2.PreviewTimingResponse) -> bytes:
    return orjson.dumps(encode_PreviewTimingResponse(m))


keys_PreviewTimingResponse = frozenset(['times'])


def decode_PreviewTimingResponse(data: Any, path: str = '', known: frozenset[str] = keys_PreviewTimingResponse) -> novasphere_schedule_v1_schedule_service_pb2.PreviewTimingResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.PreviewTimingResponse()
    v = data.get('times')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'times')):
            at = codec.element(path, 'times', i)
            m.times.add().CopyFrom(decode_PreviewedTime(e, at))
    return m


def encode_ExplainScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleRequest) -> dict[str, Any]:
    return {
        'id': m.schedule_id,
    }


def dump_ExplainScheduleRequest(m: novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleRequest) -> bytes:
    return orjson.dumps(encode_ExplainScheduleRequest(m))


keys_ExplainScheduleRequest = frozenset(['id', 'schedule_id'])


def decode_ExplainScheduleRequest(data: Any, path: str = '', known: frozenset[str] = keys_ExplainScheduleRequest) -> novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    return m


def encode_ExplainScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("schedule"):
        data['schedule'] = novasphere_schedule_v1_schedule_gateway.encode_Schedule(m.schedule)
    data['summary'] = m.summary
    data['obstacles'] = [novasphere_schedule_v1_obstacle_gateway.encode_Obstacle(v) for v in x[:]] if (x := m.obstacles) else []
    if m.HasField("last_firing"):
        data['last_firing'] = novasphere_schedule_v1_schedule_gateway.encode_Firing(m.last_firing)
    return data


def dump_ExplainScheduleResponse(m: novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleResponse) -> bytes:
    return orjson.dumps(encode_ExplainScheduleResponse(m))


keys_ExplainScheduleResponse = frozenset(['last_firing', 'obstacles', 'schedule', 'summary'])


def decode_ExplainScheduleResponse(data: Any, path: str = '', known: frozenset[str] = keys_ExplainScheduleResponse) -> novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleResponse()
    v = data.get('schedule')
    if v is not None:
        m.schedule.CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Schedule(v, codec.at(path, 'schedule')))
    v = data.get('summary')
    if v is not None:
        m.summary = codec.string(v, path, 'summary')
    v = data.get('obstacles')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'obstacles')):
            at = codec.element(path, 'obstacles', i)
            m.obstacles.add().CopyFrom(novasphere_schedule_v1_obstacle_gateway.decode_Obstacle(e, at))
    v = data.get('last_firing')
    if v is not None:
        m.last_firing.CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Firing(v, codec.at(path, 'last_firing')))
    return m


def encode_ListFiringsRequest(m: novasphere_schedule_v1_schedule_service_pb2.ListFiringsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.schedule_id,
    }
    if m.HasField("since"):
        data['since'] = codec.print_seconds(m.since.seconds)
    if m.HasField("until"):
        data['until'] = codec.print_seconds(m.until.seconds)
    if m.HasField("page_size"):
        data['page_size'] = m.page_size
    data['page_token'] = m.page_token
    return data


def dump_ListFiringsRequest(m: novasphere_schedule_v1_schedule_service_pb2.ListFiringsRequest) -> bytes:
    return orjson.dumps(encode_ListFiringsRequest(m))


keys_ListFiringsRequest = frozenset(['id', 'limit', 'page_size', 'page_token', 'schedule_id', 'since', 'until'])


def decode_ListFiringsRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListFiringsRequest) -> novasphere_schedule_v1_schedule_service_pb2.ListFiringsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ListFiringsRequest()
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    v = data.get('since')
    if v is not None:
        m.since.CopyFrom(codec.timestamp(v, path, 'since'))
    v = data.get('until')
    if v is not None:
        m.until.CopyFrom(codec.timestamp(v, path, 'until'))
    key, v = codec.pick(data, ('page_size', 'limit'), path)
    if v is not None:
        m.page_size = codec.int32(v, path, key)
    v = data.get('page_token')
    if v is not None:
        m.page_token = codec.string(v, path, 'page_token')
    return m


def encode_ListFiringsResponse(m: novasphere_schedule_v1_schedule_service_pb2.ListFiringsResponse) -> dict[str, Any]:
    return {
        'firings': [novasphere_schedule_v1_schedule_gateway.encode_Firing(v) for v in x[:]] if (x := m.firings) else [],
        'next_page_token': m.next_page_token,
    }


def dump_ListFiringsResponse(m: novasphere_schedule_v1_schedule_service_pb2.ListFiringsResponse) -> bytes:
    return orjson.dumps(encode_ListFiringsResponse(m))


keys_ListFiringsResponse = frozenset(['firings', 'next_page_token'])


def decode_ListFiringsResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListFiringsResponse) -> novasphere_schedule_v1_schedule_service_pb2.ListFiringsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ListFiringsResponse()
    v = data.get('firings')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'firings')):
            at = codec.element(path, 'firings', i)
            m.firings.add().CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Firing(e, at))
    v = data.get('next_page_token')
    if v is not None:
        m.next_page_token = codec.string(v, path, 'next_page_token')
    return m


def encode_ListMissedFiringsRequest(m: novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("since"):
        data['since'] = codec.print_seconds(m.since.seconds)
    data['namespace_id'] = m.namespace_id
    if m.HasField("page_size"):
        data['page_size'] = m.page_size
    data['page_token'] = m.page_token
    return data


def dump_ListMissedFiringsRequest(m: novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsRequest) -> bytes:
    return orjson.dumps(encode_ListMissedFiringsRequest(m))


keys_ListMissedFiringsRequest = frozenset(['limit', 'namespace', 'namespace_id', 'page_size', 'page_token', 'since'])


def decode_ListMissedFiringsRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListMissedFiringsRequest) -> novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsRequest()
    v = data.get('since')
    if v is not None:
        m.since.CopyFrom(codec.timestamp(v, path, 'since'))
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('page_size', 'limit'), path)
    if v is not None:
        m.page_size = codec.int32(v, path, key)
    v = data.get('page_token')
    if v is not None:
        m.page_token = codec.string(v, path, 'page_token')
    return m


def encode_ListMissedFiringsResponse(m: novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsResponse) -> dict[str, Any]:
    return {
        'firings': [novasphere_schedule_v1_schedule_gateway.encode_Firing(v) for v in x[:]] if (x := m.firings) else [],
        'next_page_token': m.next_page_token,
    }


def dump_ListMissedFiringsResponse(m: novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsResponse) -> bytes:
    return orjson.dumps(encode_ListMissedFiringsResponse(m))


keys_ListMissedFiringsResponse = frozenset(['firings', 'next_page_token'])


def decode_ListMissedFiringsResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListMissedFiringsResponse) -> novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsResponse()
    v = data.get('firings')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'firings')):
            at = codec.element(path, 'firings', i)
            m.firings.add().CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Firing(e, at))
    v = data.get('next_page_token')
    if v is not None:
        m.next_page_token = codec.string(v, path, 'next_page_token')
    return m


def encode_WatchSchedulesRequest(m: novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'cursor': m.cursor,
        'id': m.schedule_id,
        'namespace_id': m.namespace_id,
        'job_id': m.job_id,
    }
    if v := m.state:
        data['state'] = novasphere_schedule_v1_schedule_gateway.words_ScheduleState.get(v, v)
    return data


def dump_WatchSchedulesRequest(m: novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesRequest) -> bytes:
    return orjson.dumps(encode_WatchSchedulesRequest(m))


keys_WatchSchedulesRequest = frozenset(['cursor', 'id', 'job_id', 'namespace', 'namespace_id', 'schedule_id', 'state'])


def decode_WatchSchedulesRequest(data: Any, path: str = '', known: frozenset[str] = keys_WatchSchedulesRequest) -> novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesRequest()
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    key, v = codec.pick(data, ('id', 'schedule_id'), path)
    if v is not None:
        m.schedule_id = codec.string(v, path, key)
    key, v = codec.pick(data, ('namespace_id', 'namespace'), path)
    if v is not None:
        m.namespace_id = codec.string(v, path, key)
    v = data.get('job_id')
    if v is not None:
        m.job_id = codec.string(v, path, 'job_id')
    v = data.get('state')
    if v is not None:
        m.state = novasphere_schedule_v1_schedule_gateway.words_ScheduleState.read(v, path, 'state')
    return m


def encode_WatchSchedulesResponse(m: novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesResponse) -> dict[str, Any]:
    return {
        'events': [encode_ScheduleEvent(v) for v in x[:]] if (x := m.events) else [],
    }


def dump_WatchSchedulesResponse(m: novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesResponse) -> bytes:
    return orjson.dumps(encode_WatchSchedulesResponse(m))


keys_WatchSchedulesResponse = frozenset(['events'])


def decode_WatchSchedulesResponse(data: Any, path: str = '', known: frozenset[str] = keys_WatchSchedulesResponse) -> novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesResponse()
    v = data.get('events')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'events')):
            at = codec.element(path, 'events', i)
            m.events.add().CopyFrom(decode_ScheduleEvent(e, at))
    return m


def encode_ScheduleEvent(m: novasphere_schedule_v1_schedule_service_pb2.ScheduleEvent) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.type:
        data['type'] = novasphere_api_v1_watch_gateway.words_EventType.get(v, v)
    data['cursor'] = m.cursor
    if m.HasField("object"):
        data['object'] = novasphere_schedule_v1_schedule_gateway.encode_Schedule(m.object)
    if m.HasField("gap"):
        data['gap'] = novasphere_api_v1_watch_gateway.encode_Gap(m.gap)
    return data


def dump_ScheduleEvent(m: novasphere_schedule_v1_schedule_service_pb2.ScheduleEvent) -> bytes:
    return orjson.dumps(encode_ScheduleEvent(m))


keys_ScheduleEvent = frozenset(['cursor', 'gap', 'object', 'type'])


def decode_ScheduleEvent(data: Any, path: str = '', known: frozenset[str] = keys_ScheduleEvent) -> novasphere_schedule_v1_schedule_service_pb2.ScheduleEvent:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_schedule_service_pb2.ScheduleEvent()
    v = data.get('type')
    if v is not None:
        m.type = novasphere_api_v1_watch_gateway.words_EventType.read(v, path, 'type')
    v = data.get('cursor')
    if v is not None:
        m.cursor = codec.string(v, path, 'cursor')
    v = data.get('object')
    if v is not None:
        m.object.CopyFrom(novasphere_schedule_v1_schedule_gateway.decode_Schedule(v, codec.at(path, 'object')))
    v = data.get('gap')
    if v is not None:
        m.gap.CopyFrom(novasphere_api_v1_watch_gateway.decode_Gap(v, codec.at(path, 'gap')))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/schedules:missed',
        segments=('api', 'v1', 'schedules'),
        verb='missed',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/ListMissedFirings',
        request=novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.ListMissedFiringsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('since', (), 'since', 'timestamp', False, codec.parse_timestamp),
            model.Param('namespace_id', ('namespace',), 'namespace_id', 'string', False, codec.parse_string),
            model.Param('page_size', ('limit',), 'page_size', 'int32', False, codec.parse_int32),
            model.Param('page_token', (), 'page_token', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_ListMissedFiringsResponse,
        encode_field={
            'firings': model.FieldEncoder('firings', True, novasphere_schedule_v1_schedule_gateway.dump_Firing),
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
        path='/api/v1/schedules:preview',
        segments=('api', 'v1', 'schedules'),
        verb='preview',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/PreviewTiming',
        request=novasphere_schedule_v1_schedule_service_pb2.PreviewTimingRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.PreviewTimingResponse,
        decode_body=codec.body(decode_PreviewTimingRequest, keys_PreviewTimingRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_PreviewTimingResponse,
        encode_field={
            'times': model.FieldEncoder('times', True, dump_PreviewedTime),
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
        rate_class=2,
        is_stream=False,
        is_duplex=False,
        stream=None,
    ),
    model.Route(
        http_method='GET',
        path='/api/v1/schedules:watch',
        segments=('api', 'v1', 'schedules'),
        verb='watch',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/WatchSchedules',
        request=novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.WatchSchedulesResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('cursor', (), 'cursor', 'string', False, codec.parse_string),
            model.Param('id', ('schedule_id',), 'schedule_id', 'string', False, codec.parse_string),
            model.Param('namespace_id', ('namespace',), 'namespace_id', 'string', False, codec.parse_string),
            model.Param('job_id', (), 'job_id', 'string', False, codec.parse_string),
            model.Param('state', (), 'state', 'enum', False, codec.parse_enum(novasphere_schedule_v1_schedule_gateway.words_ScheduleState)),
        ),
        headers=(),
        response_body='',
        encode=encode_WatchSchedulesResponse,
        encode_field={
            'events': model.FieldEncoder('events', True, dump_ScheduleEvent),
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
            dump=dump_ScheduleEvent,
            resume_param=model.Param('Last-Event-ID', (), 'cursor', 'string', False, codec.parse_string),
        ),
    ),
    model.Route(
        http_method='POST',
        path='/api/v1/schedules/item',
        segments=('api', 'v1', 'schedules', 'item'),
        verb='',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/CreateSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.CreateScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.CreateScheduleResponse,
        decode_body=codec.body(decode_CreateScheduleRequest, keys_CreateScheduleRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_CreateScheduleResponse,
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
        http_method='DELETE',
        path='/api/v1/schedules/item/{schedule_id}',
        segments=('api', 'v1', 'schedules', 'item', '*'),
        verb='',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/DeleteSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.DeleteScheduleResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_DeleteScheduleResponse,
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
        path='/api/v1/schedules/item/{schedule_id}',
        segments=('api', 'v1', 'schedules', 'item', '*'),
        verb='',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/GetSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.GetScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.GetScheduleResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(),
        headers=(),
        response_body='schedule',
        encode=lambda m: novasphere_schedule_v1_schedule_gateway.encode_Schedule(m.schedule) if m.HasField("schedule") else None,
        encode_field={
            'schedule': model.FieldEncoder('schedule', False, novasphere_schedule_v1_schedule_gateway.dump_Schedule),
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
        http_method='PUT',
        path='/api/v1/schedules/item/{schedule_id}',
        segments=('api', 'v1', 'schedules', 'item', '*'),
        verb='',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/UpdateSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.UpdateScheduleResponse,
        decode_body=codec.body(decode_UpdateScheduleRequest, keys_UpdateScheduleRequest - {'id', 'schedule_id'}, frozenset({'id', 'schedule_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 4, 5),
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
        encode=encode_UpdateScheduleResponse,
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
            'description': 'description',
            'kind': 'kind',
            'schedule_kind': 'kind',
            'enabled': 'enabled',
            'cron_expression': 'cron_expression',
            'interval_secs': 'interval_secs',
            'interval_seconds': 'interval_secs',
            'max_count': 'max_count',
            'start_time': 'start_time',
            'end_time': 'end_time',
            'status': 'status',
            'timezone': 'timezone',
            'gap_policy': 'gap_policy',
            'fold_policy': 'fold_policy',
            'jitter': 'jitter_seconds',
            'jitter_seconds': 'jitter_seconds',
            'overlap_policy': 'overlap_policy',
            'misfire_policy': 'misfire_policy',
            'misfire_window': 'misfire_window_seconds',
            'misfire_window_seconds': 'misfire_window_seconds',
            'priority': 'priority',
            'parameters': 'parameters',
        },
    ),
    model.Route(
        http_method='POST',
        path='/api/v1/schedules/item/{schedule_id}/disable',
        segments=('api', 'v1', 'schedules', 'item', '*', 'disable'),
        verb='',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/DisableSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.DisableScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.DisableScheduleResponse,
        decode_body=codec.body(decode_DisableScheduleRequest, keys_DisableScheduleRequest - {'id', 'schedule_id'}, frozenset({'id', 'schedule_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_DisableScheduleResponse,
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
        http_method='POST',
        path='/api/v1/schedules/item/{schedule_id}/enable',
        segments=('api', 'v1', 'schedules', 'item', '*', 'enable'),
        verb='',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/EnableSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.EnableScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.EnableScheduleResponse,
        decode_body=codec.body(decode_EnableScheduleRequest, keys_EnableScheduleRequest - {'id', 'schedule_id'}, frozenset({'id', 'schedule_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 4, 5),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_EnableScheduleResponse,
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
        http_method='POST',
        path='/api/v1/schedules/page',
        segments=('api', 'v1', 'schedules', 'page'),
        verb='',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/ListSchedules',
        request=novasphere_schedule_v1_schedule_service_pb2.ListSchedulesRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.ListSchedulesResponse,
        decode_body=codec.body(decode_ListSchedulesRequest, keys_ListSchedulesRequest, frozenset()),
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ListSchedulesResponse,
        encode_field={
            'data': model.FieldEncoder('data', True, novasphere_schedule_v1_schedule_gateway.dump_Schedule),
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
        http_method='POST',
        path='/api/v1/schedules/{schedule_id}:backfill',
        segments=('api', 'v1', 'schedules', '*'),
        verb='backfill',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/BackfillSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.BackfillScheduleResponse,
        decode_body=codec.body(decode_BackfillScheduleRequest, keys_BackfillScheduleRequest - {'id', 'schedule_id'}, frozenset({'id', 'schedule_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='',
        encode=encode_BackfillScheduleResponse,
        encode_field={},
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
        path='/api/v1/schedules/{schedule_id}:explain',
        segments=('api', 'v1', 'schedules', '*'),
        verb='explain',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/ExplainSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.ExplainScheduleResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ExplainScheduleResponse,
        encode_field={
            'schedule': model.FieldEncoder('schedule', False, novasphere_schedule_v1_schedule_gateway.dump_Schedule),
            'obstacles': model.FieldEncoder('obstacles', True, novasphere_schedule_v1_obstacle_gateway.dump_Obstacle),
            'last_firing': model.FieldEncoder('last_firing', False, novasphere_schedule_v1_schedule_gateway.dump_Firing),
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
        path='/api/v1/schedules/{schedule_id}:pause',
        segments=('api', 'v1', 'schedules', '*'),
        verb='pause',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/PauseSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.PauseScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.PauseScheduleResponse,
        decode_body=codec.body(decode_PauseScheduleRequest, keys_PauseScheduleRequest - {'id', 'schedule_id'}, frozenset({'id', 'schedule_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='schedule',
        encode=lambda m: novasphere_schedule_v1_schedule_gateway.encode_Schedule(m.schedule) if m.HasField("schedule") else None,
        encode_field={
            'schedule': model.FieldEncoder('schedule', False, novasphere_schedule_v1_schedule_gateway.dump_Schedule),
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
        path='/api/v1/schedules/{schedule_id}:preview',
        segments=('api', 'v1', 'schedules', '*'),
        verb='preview',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/PreviewSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.PreviewScheduleResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('count', (), 'count', 'int32', False, codec.parse_int32),
            model.Param('after', (), 'after', 'timestamp', False, codec.parse_timestamp),
        ),
        headers=(),
        response_body='',
        encode=encode_PreviewScheduleResponse,
        encode_field={
            'times': model.FieldEncoder('times', True, dump_PreviewedTime),
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
        path='/api/v1/schedules/{schedule_id}:resume',
        segments=('api', 'v1', 'schedules', '*'),
        verb='resume',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/ResumeSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.ResumeScheduleResponse,
        decode_body=codec.body(decode_ResumeScheduleRequest, keys_ResumeScheduleRequest - {'id', 'schedule_id'}, frozenset({'id', 'schedule_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('if-match', (), 'etag', 'string', False, codec.parse_string),
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='schedule',
        encode=lambda m: novasphere_schedule_v1_schedule_gateway.encode_Schedule(m.schedule) if m.HasField("schedule") else None,
        encode_field={
            'schedule': model.FieldEncoder('schedule', False, novasphere_schedule_v1_schedule_gateway.dump_Schedule),
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
        path='/api/v1/schedules/{schedule_id}:trigger',
        segments=('api', 'v1', 'schedules', '*'),
        verb='trigger',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/TriggerSchedule',
        request=novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.TriggerScheduleResponse,
        decode_body=codec.body(decode_TriggerScheduleRequest, keys_TriggerScheduleRequest - {'id', 'schedule_id'}, frozenset({'id', 'schedule_id'})),
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('validate_only', ('dry_run',), 'validate_only', 'bool', False, codec.parse_bool),
        ),
        headers=(
            model.Param('idempotency-key', (), 'request_id', 'string', False, codec.parse_string),
        ),
        response_body='task',
        encode=lambda m: novasphere_schedule_v1_task_gateway.encode_Task(m.task) if m.HasField("task") else None,
        encode_field={
            'task': model.FieldEncoder('task', False, novasphere_schedule_v1_task_gateway.dump_Task),
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
        path='/api/v1/schedules/{schedule_id}/firings',
        segments=('api', 'v1', 'schedules', '*', 'firings'),
        verb='',
        service='novasphere.schedule.v1.ScheduleService',
        method='/novasphere.schedule.v1.ScheduleService/ListFirings',
        request=novasphere_schedule_v1_schedule_service_pb2.ListFiringsRequest,
        response=novasphere_schedule_v1_schedule_service_pb2.ListFiringsResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('schedule_id', (), 'schedule_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('since', (), 'since', 'timestamp', False, codec.parse_timestamp),
            model.Param('until', (), 'until', 'timestamp', False, codec.parse_timestamp),
            model.Param('page_size', ('limit',), 'page_size', 'int32', False, codec.parse_int32),
            model.Param('page_token', (), 'page_token', 'string', False, codec.parse_string),
        ),
        headers=(),
        response_body='',
        encode=encode_ListFiringsResponse,
        encode_field={
            'firings': model.FieldEncoder('firings', True, novasphere_schedule_v1_schedule_gateway.dump_Firing),
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
)
