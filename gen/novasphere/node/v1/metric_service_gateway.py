"""Generated from novasphere/node/v1/metric_service.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.node.v1 import metric_gateway as novasphere_node_v1_metric_gateway
from novasphere.node.v1 import metric_service_pb2 as novasphere_node_v1_metric_service_pb2


def encode_GetLatestMetricRequest(m: novasphere_node_v1_metric_service_pb2.GetLatestMetricRequest) -> dict[str, Any]:
    return {
        'node_id': m.node_id,
    }


def dump_GetLatestMetricRequest(m: novasphere_node_v1_metric_service_pb2.GetLatestMetricRequest) -> bytes:
    return orjson.dumps(encode_GetLatestMetricRequest(m))


keys_GetLatestMetricRequest = frozenset(['node_id'])


def decode_GetLatestMetricRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetLatestMetricRequest) -> novasphere_node_v1_metric_service_pb2.GetLatestMetricRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_service_pb2.GetLatestMetricRequest()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    return m


def encode_GetLatestMetricResponse(m: novasphere_node_v1_metric_service_pb2.GetLatestMetricResponse) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("metric"):
        data['metric'] = novasphere_node_v1_metric_gateway.encode_Metric(m.metric)
    return data


def dump_GetLatestMetricResponse(m: novasphere_node_v1_metric_service_pb2.GetLatestMetricResponse) -> bytes:
    return orjson.dumps(encode_GetLatestMetricResponse(m))


keys_GetLatestMetricResponse = frozenset(['metric'])


def decode_GetLatestMetricResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetLatestMetricResponse) -> novasphere_node_v1_metric_service_pb2.GetLatestMetricResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_service_pb2.GetLatestMetricResponse()
    v = data.get('metric')
    if v is not None:
        m.metric.CopyFrom(novasphere_node_v1_metric_gateway.decode_Metric(v, codec.at(path, 'metric')))
    return m


def encode_ListMetricsRequest(m: novasphere_node_v1_metric_service_pb2.ListMetricsRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'node_id': m.node_id,
    }
    if m.HasField("start_time"):
        data['start_time'] = codec.print_seconds(m.start_time.seconds)
    if m.HasField("end_time"):
        data['end_time'] = codec.print_seconds(m.end_time.seconds)
    if m.HasField("limit"):
        data['limit'] = m.limit
    return data


def dump_ListMetricsRequest(m: novasphere_node_v1_metric_service_pb2.ListMetricsRequest) -> bytes:
    return orjson.dumps(encode_ListMetricsRequest(m))


keys_ListMetricsRequest = frozenset(['end_time', 'limit', 'node_id', 'start_time'])


def decode_ListMetricsRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListMetricsRequest) -> novasphere_node_v1_metric_service_pb2.ListMetricsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_service_pb2.ListMetricsRequest()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('start_time')
    if v is not None:
        m.start_time.CopyFrom(codec.timestamp(v, path, 'start_time'))
    v = data.get('end_time')
    if v is not None:
        m.end_time.CopyFrom(codec.timestamp(v, path, 'end_time'))
    v = data.get('limit')
    if v is not None:
        m.limit = codec.int32(v, path, 'limit')
    return m


def encode_ListMetricsResponse(m: novasphere_node_v1_metric_service_pb2.ListMetricsResponse) -> dict[str, Any]:
    return {
        'metrics': [novasphere_node_v1_metric_gateway.encode_Metric(v) for v in x[:]] if (x := m.metrics) else [],
        'total': m.total,
    }


def dump_ListMetricsResponse(m: novasphere_node_v1_metric_service_pb2.ListMetricsResponse) -> bytes:
    return orjson.dumps(encode_ListMetricsResponse(m))


keys_ListMetricsResponse = frozenset(['metrics', 'total'])


def decode_ListMetricsResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListMetricsResponse) -> novasphere_node_v1_metric_service_pb2.ListMetricsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_service_pb2.ListMetricsResponse()
    v = data.get('metrics')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'metrics')):
            at = codec.element(path, 'metrics', i)
            m.metrics.add().CopyFrom(novasphere_node_v1_metric_gateway.decode_Metric(e, at))
    v = data.get('total')
    if v is not None:
        m.total = codec.int32(v, path, 'total')
    return m


def encode_ListLatestMetricsRequest(m: novasphere_node_v1_metric_service_pb2.ListLatestMetricsRequest) -> dict[str, Any]:
    return {}


def dump_ListLatestMetricsRequest(m: novasphere_node_v1_metric_service_pb2.ListLatestMetricsRequest) -> bytes:
    return orjson.dumps(encode_ListLatestMetricsRequest(m))


keys_ListLatestMetricsRequest = frozenset([])


def decode_ListLatestMetricsRequest(data: Any, path: str = '', known: frozenset[str] = keys_ListLatestMetricsRequest) -> novasphere_node_v1_metric_service_pb2.ListLatestMetricsRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_service_pb2.ListLatestMetricsRequest()
    return m


def encode_ListLatestMetricsResponse(m: novasphere_node_v1_metric_service_pb2.ListLatestMetricsResponse) -> dict[str, Any]:
    return {
        'metrics': [novasphere_node_v1_metric_gateway.encode_Metric(v) for v in x[:]] if (x := m.metrics) else [],
    }


def dump_ListLatestMetricsResponse(m: novasphere_node_v1_metric_service_pb2.ListLatestMetricsResponse) -> bytes:
    return orjson.dumps(encode_ListLatestMetricsResponse(m))


keys_ListLatestMetricsResponse = frozenset(['metrics'])


def decode_ListLatestMetricsResponse(data: Any, path: str = '', known: frozenset[str] = keys_ListLatestMetricsResponse) -> novasphere_node_v1_metric_service_pb2.ListLatestMetricsResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_service_pb2.ListLatestMetricsResponse()
    v = data.get('metrics')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'metrics')):
            at = codec.element(path, 'metrics', i)
            m.metrics.add().CopyFrom(novasphere_node_v1_metric_gateway.decode_Metric(e, at))
    return m


def encode_GetMetricSummaryRequest(m: novasphere_node_v1_metric_service_pb2.GetMetricSummaryRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        'node_id': m.node_id,
    }
    if m.HasField("start_time"):
        data['start_time'] = codec.print_seconds(m.start_time.seconds)
    if m.HasField("end_time"):
        data['end_time'] = codec.print_seconds(m.end_time.seconds)
    return data


def dump_GetMetricSummaryRequest(m: novasphere_node_v1_metric_service_pb2.GetMetricSummaryRequest) -> bytes:
    return orjson.dumps(encode_GetMetricSummaryRequest(m))


keys_GetMetricSummaryRequest = frozenset(['end_time', 'node_id', 'start_time'])


def decode_GetMetricSummaryRequest(data: Any, path: str = '', known: frozenset[str] = keys_GetMetricSummaryRequest) -> novasphere_node_v1_metric_service_pb2.GetMetricSummaryRequest:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_service_pb2.GetMetricSummaryRequest()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('start_time')
    if v is not None:
        m.start_time.CopyFrom(codec.timestamp(v, path, 'start_time'))
    v = data.get('end_time')
    if v is not None:
        m.end_time.CopyFrom(codec.timestamp(v, path, 'end_time'))
    return m


def encode_GetMetricSummaryResponse(m: novasphere_node_v1_metric_service_pb2.GetMetricSummaryResponse) -> dict[str, Any]:
    return {
        'node_id': m.node_id,
        'avg_cpu_usage': m.avg_cpu_usage if m.HasField("avg_cpu_usage") else None,
        'max_cpu_usage': m.max_cpu_usage if m.HasField("max_cpu_usage") else None,
        'avg_memory_usage': m.avg_memory_usage if m.HasField("avg_memory_usage") else None,
        'max_memory_usage': m.max_memory_usage if m.HasField("max_memory_usage") else None,
        'avg_disk_usage': m.avg_disk_usage if m.HasField("avg_disk_usage") else None,
        'max_disk_usage': m.max_disk_usage if m.HasField("max_disk_usage") else None,
        'avg_load_average': m.avg_load_average if m.HasField("avg_load_average") else None,
        'max_load_average': m.max_load_average if m.HasField("max_load_average") else None,
        'sample_count': m.sample_count,
    }


def dump_GetMetricSummaryResponse(m: novasphere_node_v1_metric_service_pb2.GetMetricSummaryResponse) -> bytes:
    return orjson.dumps(encode_GetMetricSummaryResponse(m))


keys_GetMetricSummaryResponse = frozenset(['avg_cpu_usage', 'avg_disk_usage', 'avg_load_average', 'avg_memory_usage', 'max_cpu_usage', 'max_disk_usage', 'max_load_average', 'max_memory_usage', 'node_id', 'sample_count'])


def decode_GetMetricSummaryResponse(data: Any, path: str = '', known: frozenset[str] = keys_GetMetricSummaryResponse) -> novasphere_node_v1_metric_service_pb2.GetMetricSummaryResponse:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_service_pb2.GetMetricSummaryResponse()
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('avg_cpu_usage')
    if v is not None:
        m.avg_cpu_usage = codec.double(v, path, 'avg_cpu_usage')
    v = data.get('max_cpu_usage')
    if v is not None:
        m.max_cpu_usage = codec.double(v, path, 'max_cpu_usage')
    v = data.get('avg_memory_usage')
    if v is not None:
        m.avg_memory_usage = codec.double(v, path, 'avg_memory_usage')
    v = data.get('max_memory_usage')
    if v is not None:
        m.max_memory_usage = codec.double(v, path, 'max_memory_usage')
    v = data.get('avg_disk_usage')
    if v is not None:
        m.avg_disk_usage = codec.double(v, path, 'avg_disk_usage')
    v = data.get('max_disk_usage')
    if v is not None:
        m.max_disk_usage = codec.double(v, path, 'max_disk_usage')
    v = data.get('avg_load_average')
    if v is not None:
        m.avg_load_average = codec.double(v, path, 'avg_load_average')
    v = data.get('max_load_average')
    if v is not None:
        m.max_load_average = codec.double(v, path, 'max_load_average')
    v = data.get('sample_count')
    if v is not None:
        m.sample_count = codec.int32(v, path, 'sample_count')
    return m


ROUTES: tuple[model.Route, ...] = (
    model.Route(
        http_method='GET',
        path='/api/v1/metrics/latest',
        segments=('api', 'v1', 'metrics', 'latest'),
        verb='',
        service='novasphere.node.v1.MetricService',
        method='/novasphere.node.v1.MetricService/ListLatestMetrics',
        request=novasphere_node_v1_metric_service_pb2.ListLatestMetricsRequest,
        response=novasphere_node_v1_metric_service_pb2.ListLatestMetricsResponse,
        decode_body=None,
        body_field='',
        path_params=(),
        query_params=(),
        headers=(),
        response_body='',
        encode=encode_ListLatestMetricsResponse,
        encode_field={
            'metrics': model.FieldEncoder('metrics', True, novasphere_node_v1_metric_gateway.dump_Metric),
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
        path='/api/v1/nodes/{node_id}/metrics',
        segments=('api', 'v1', 'nodes', '*', 'metrics'),
        verb='',
        service='novasphere.node.v1.MetricService',
        method='/novasphere.node.v1.MetricService/ListMetrics',
        request=novasphere_node_v1_metric_service_pb2.ListMetricsRequest,
        response=novasphere_node_v1_metric_service_pb2.ListMetricsResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('start_time', (), 'start_time', 'timestamp', False, codec.parse_timestamp),
            model.Param('end_time', (), 'end_time', 'timestamp', False, codec.parse_timestamp),
            model.Param('limit', (), 'limit', 'int32', False, codec.parse_int32),
        ),
        headers=(),
        response_body='',
        encode=encode_ListMetricsResponse,
        encode_field={
            'metrics': model.FieldEncoder('metrics', True, novasphere_node_v1_metric_gateway.dump_Metric),
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
        path='/api/v1/nodes/{node_id}/metrics/latest',
        segments=('api', 'v1', 'nodes', '*', 'metrics', 'latest'),
        verb='',
        service='novasphere.node.v1.MetricService',
        method='/novasphere.node.v1.MetricService/GetLatestMetric',
        request=novasphere_node_v1_metric_service_pb2.GetLatestMetricRequest,
        response=novasphere_node_v1_metric_service_pb2.GetLatestMetricResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(),
        headers=(),
        response_body='metric',
        encode=lambda m: novasphere_node_v1_metric_gateway.encode_Metric(m.metric) if m.HasField("metric") else None,
        encode_field={
            'metric': model.FieldEncoder('metric', False, novasphere_node_v1_metric_gateway.dump_Metric),
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
        path='/api/v1/nodes/{node_id}/metrics/summary',
        segments=('api', 'v1', 'nodes', '*', 'metrics', 'summary'),
        verb='',
        service='novasphere.node.v1.MetricService',
        method='/novasphere.node.v1.MetricService/GetMetricSummary',
        request=novasphere_node_v1_metric_service_pb2.GetMetricSummaryRequest,
        response=novasphere_node_v1_metric_service_pb2.GetMetricSummaryResponse,
        decode_body=None,
        body_field='',
        path_params=(
            model.PathParam(model.Param('node_id', (), 'node_id', 'string', False, codec.parse_string), 3, 4),
        ),
        query_params=(
            model.Param('start_time', (), 'start_time', 'timestamp', False, codec.parse_timestamp),
            model.Param('end_time', (), 'end_time', 'timestamp', False, codec.parse_timestamp),
        ),
        headers=(),
        response_body='',
        encode=encode_GetMetricSummaryResponse,
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
)
