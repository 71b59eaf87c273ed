"""Generated from novasphere/node/v1/metric.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.node.v1 import metric_pb2 as novasphere_node_v1_metric_pb2


def encode_Metric(m: novasphere_node_v1_metric_pb2.Metric) -> dict[str, Any]:
    data: dict[str, Any] = {
        'id': m.id,
        'node_id': m.node_id,
    }
    if m.HasField("metric_time"):
        data['metric_time'] = codec.print_seconds(m.metric_time.seconds)
    data['cpu_usage'] = m.cpu_usage
    data['memory_usage'] = m.memory_usage
    data['disk_usage'] = m.disk_usage
    data['load_average'] = m.load_average
    if m.HasField("created_at"):
        data['created_at'] = codec.print_seconds(m.created_at.seconds)
    data['memory_total'] = m.memory_total
    data['memory_available'] = m.memory_available
    data['disk_total'] = m.disk_total
    data['disk_available'] = m.disk_available
    data['uptime'] = m.uptime
    data['resolution_seconds'] = m.resolution_seconds
    data['sample_count'] = m.sample_count
    if m.HasField("min_cpu_usage"):
        data['min_cpu_usage'] = m.min_cpu_usage
    if m.HasField("max_cpu_usage"):
        data['max_cpu_usage'] = m.max_cpu_usage
    if m.HasField("min_memory_usage"):
        data['min_memory_usage'] = m.min_memory_usage
    if m.HasField("max_memory_usage"):
        data['max_memory_usage'] = m.max_memory_usage
    if m.HasField("min_disk_usage"):
        data['min_disk_usage'] = m.min_disk_usage
    if m.HasField("max_disk_usage"):
        data['max_disk_usage'] = m.max_disk_usage
    if m.HasField("min_load_average"):
        data['min_load_average'] = m.min_load_average
    if m.HasField("max_load_average"):
        data['max_load_average'] = m.max_load_average
    return data


def dump_Metric(m: novasphere_node_v1_metric_pb2.Metric) -> bytes:
    return orjson.dumps(encode_Metric(m))


keys_Metric = frozenset(['cpu_usage', 'created_at', 'disk_available', 'disk_total', 'disk_usage', 'id', 'load_average', 'max_cpu_usage', 'max_disk_usage', 'max_load_average', 'max_memory_usage', 'memory_available', 'memory_total', 'memory_usage', 'metric_time', 'min_cpu_usage', 'min_disk_usage', 'min_load_average', 'min_memory_usage', 'node_id', 'resolution_seconds', 'sample_count', 'uptime'])


def decode_Metric(data: Any, path: str = '', known: frozenset[str] = keys_Metric) -> novasphere_node_v1_metric_pb2.Metric:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_node_v1_metric_pb2.Metric()
    v = data.get('id')
    if v is not None:
        m.id = codec.int64(v, path, 'id')
    v = data.get('node_id')
    if v is not None:
        m.node_id = codec.string(v, path, 'node_id')
    v = data.get('metric_time')
    if v is not None:
        m.metric_time.CopyFrom(codec.timestamp(v, path, 'metric_time'))
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
    v = data.get('created_at')
    if v is not None:
        m.created_at.CopyFrom(codec.timestamp(v, path, 'created_at'))
    v = data.get('memory_total')
    if v is not None:
        m.memory_total = codec.int64(v, path, 'memory_total')
    v = data.get('memory_available')
    if v is not None:
        m.memory_available = codec.int64(v, path, 'memory_available')
    v = data.get('disk_total')
    if v is not None:
        m.disk_total = codec.int64(v, path, 'disk_total')
    v = data.get('disk_available')
    if v is not None:
        m.disk_available = codec.int64(v, path, 'disk_available')
    v = data.get('uptime')
    if v is not None:
        m.uptime = codec.int64(v, path, 'uptime')
    v = data.get('resolution_seconds')
    if v is not None:
        m.resolution_seconds = codec.int32(v, path, 'resolution_seconds')
    v = data.get('sample_count')
    if v is not None:
        m.sample_count = codec.int32(v, path, 'sample_count')
    v = data.get('min_cpu_usage')
    if v is not None:
        m.min_cpu_usage = codec.double(v, path, 'min_cpu_usage')
    v = data.get('max_cpu_usage')
    if v is not None:
        m.max_cpu_usage = codec.double(v, path, 'max_cpu_usage')
    v = data.get('min_memory_usage')
    if v is not None:
        m.min_memory_usage = codec.double(v, path, 'min_memory_usage')
    v = data.get('max_memory_usage')
    if v is not None:
        m.max_memory_usage = codec.double(v, path, 'max_memory_usage')
    v = data.get('min_disk_usage')
    if v is not None:
        m.min_disk_usage = codec.double(v, path, 'min_disk_usage')
    v = data.get('max_disk_usage')
    if v is not None:
        m.max_disk_usage = codec.double(v, path, 'max_disk_usage')
    v = data.get('min_load_average')
    if v is not None:
        m.min_load_average = codec.double(v, path, 'min_load_average')
    v = data.get('max_load_average')
    if v is not None:
        m.max_load_average = codec.double(v, path, 'max_load_average')
    return m
