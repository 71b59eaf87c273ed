"""Generated from novasphere/fleet/v1/stats_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.fleet.v1 import stats_service_pb2 as novasphere_fleet_v1_stats_service_pb2
from novasphere.fleet.v1 import task_stats_gateway as novasphere_fleet_v1_task_stats_gateway


def encode_GetTaskStatsRequest(m: novasphere_fleet_v1_stats_service_pb2.GetTaskStatsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if v := m.period:
        data['period'] = novasphere_fleet_v1_task_stats_gateway.words_StatsPeriod.get(v, v)
    if v := m.group_by:
        data['group_by'] = novasphere_fleet_v1_task_stats_gateway.words_TaskStatsGrouping.get(v, v)
    return data


def dump_GetTaskStatsRequest(m: novasphere_fleet_v1_stats_service_pb2.GetTaskStatsRequest) -> bytes:
    return orjson.dumps(encode_GetTaskStatsRequest(m))


keys_GetTaskStatsRequest = frozenset(['group_by', 'period'])


def decode_GetTaskStatsRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetTaskStatsRequest) -> novasphere_fleet_v1_stats_service_pb2.GetTaskStatsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_stats_service_pb2.GetTaskStatsRequest()
    v = data.get('period')
    if v is not None:
        m.period = novasphere_fleet_v1_task_stats_gateway.words_StatsPeriod.read(v, path, 'period')
    v = data.get('group_by')
    if v is not None:
        m.group_by = novasphere_fleet_v1_task_stats_gateway.words_TaskStatsGrouping.read(v, path, 'group_by')
    return m


def encode_GetTaskStatsResponse(m: novasphere_fleet_v1_stats_service_pb2.GetTaskStatsResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("task_stats"):
        data['task_stats'] = novasphere_fleet_v1_task_stats_gateway.encode_TaskStats(m.task_stats)
    return data


def dump_GetTaskStatsResponse(m: novasphere_fleet_v1_stats_service_pb2.GetTaskStatsResponse) -> bytes:
    return orjson.dumps(encode_GetTaskStatsResponse(m))


keys_GetTaskStatsResponse = frozenset(['task_stats'])


def decode_GetTaskStatsResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetTaskStatsResponse) -> novasphere_fleet_v1_stats_service_pb2.GetTaskStatsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_fleet_v1_stats_service_pb2.GetTaskStatsResponse()
    v = data.get('task_stats')
    if v is not None:
        m.task_stats.CopyFrom(novasphere_fleet_v1_task_stats_gateway.decode_TaskStats(v, codec.at(path, 'task_stats')))
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/stats/tasks',
        segments=('api', 'v1', 'stats', 'tasks'),
        verb='',
        service='novasphere.fleet.v1.StatsService',
        method='/novasphere.fleet.v1.StatsService/GetTaskStats',
        request=novasphere_fleet_v1_stats_service_pb2.GetTaskStatsRequest,
        response=novasphere_fleet_v1_stats_service_pb2.GetTaskStatsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(
            model.Param('period', (), 'period', 'enum', False, codec.parse_enum(novasphere_fleet_v1_task_stats_gateway.words_StatsPeriod)),
            model.Param('group_by', (), 'group_by', 'enum', False, codec.parse_enum(novasphere_fleet_v1_task_stats_gateway.words_TaskStatsGrouping)),
        ),
        headers=(),
        response_body='',
        encode=encode_GetTaskStatsResponse,
        encode_field={
            'task_stats': model.FieldEncoder('task_stats', False, novasphere_fleet_v1_task_stats_gateway.dump_TaskStats),
        },
        is_empty=False,
        face=2,
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
