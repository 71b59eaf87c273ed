"""Generated from novasphere/schedule/v1/page.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.schedule.v1 import page_pb2 as novasphere_schedule_v1_page_pb2


def encode_Condition(m: novasphere_schedule_v1_page_pb2.Condition) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("eq"):
        data['eq'] = codec.print_json(m.eq)
    if m.HasField("not"):
        data['not'] = codec.print_json(getattr(m, 'not'))
    if m.HasField("gt"):
        data['gt'] = codec.print_json(m.gt)
    if m.HasField("gte"):
        data['gte'] = codec.print_json(m.gte)
    if m.HasField("lt"):
        data['lt'] = codec.print_json(m.lt)
    if m.HasField("lte"):
        data['lte'] = codec.print_json(m.lte)
    if m.HasField("in"):
        data['in'] = codec.print_json(getattr(m, 'in'))
    if m.HasField("not_in"):
        data['notIn'] = codec.print_json(m.not_in)
    if m.HasField("contains"):
        data['contains'] = m.contains
    if m.HasField("not_contains"):
        data['notContains'] = m.not_contains
    if m.HasField("starts_with"):
        data['startsWith'] = m.starts_with
    if m.HasField("ends_with"):
        data['endsWith'] = m.ends_with
    if m.HasField("null"):
        data['null'] = m.null
    if m.HasField("empty"):
        data['empty'] = m.empty
    if m.HasField("not_starts_with"):
        data['notStartsWith'] = m.not_starts_with
    if m.HasField("not_ends_with"):
        data['notEndsWith'] = m.not_ends_with
    if m.HasField("contains_ci"):
        data['containsCi'] = m.contains_ci
    if m.HasField("not_contains_ci"):
        data['notContainsCi'] = m.not_contains_ci
    if m.HasField("starts_with_ci"):
        data['startsWithCi'] = m.starts_with_ci
    if m.HasField("not_starts_with_ci"):
        data['notStartsWithCi'] = m.not_starts_with_ci
    if m.HasField("ends_with_ci"):
        data['endsWithCi'] = m.ends_with_ci
    if m.HasField("not_ends_with_ci"):
        data['notEndsWithCi'] = m.not_ends_with_ci
    if m.HasField("ilike"):
        data['ilike'] = m.ilike
    if m.HasField("contains_any"):
        data['containsAny'] = codec.print_json(m.contains_any)
    if m.HasField("not_contains_any"):
        data['notContainsAny'] = codec.print_json(m.not_contains_any)
    if m.HasField("contains_all"):
        data['containsAll'] = codec.print_json(m.contains_all)
    if m.HasField("not_contains_all"):
        data['notContainsAll'] = codec.print_json(m.not_contains_all)
    if m.HasField("starts_with_any"):
        data['startsWithAny'] = codec.print_json(m.starts_with_any)
    if m.HasField("not_starts_with_any"):
        data['notStartsWithAny'] = codec.print_json(m.not_starts_with_any)
    if m.HasField("ends_with_any"):
        data['endsWithAny'] = codec.print_json(m.ends_with_any)
    if m.HasField("not_ends_with_any"):
        data['notEndsWithAny'] = codec.print_json(m.not_ends_with_any)
    return data


def dump_Condition(m: novasphere_schedule_v1_page_pb2.Condition) -> bytes:
    return orjson.dumps(encode_Condition(m))


keys_Condition = frozenset(['$contains', '$containsAll', '$containsAny', '$containsCi', '$empty', '$endsWith', '$endsWithAny', '$endsWithCi', '$eq', '$gt', '$gte', '$ilike', '$in', '$lt', '$lte', '$not', '$notContains', '$notContainsAll', '$notContainsAny', '$notContainsCi', '$notEndsWith', '$notEndsWithAny', '$notEndsWithCi', '$notIn', '$notStartsWith', '$notStartsWithAny', '$notStartsWithCi', '$not_in', '$null', '$startsWith', '$startsWithAny', '$startsWithCi', 'contains', 'containsAll', 'containsAny', 'containsCi', 'contains_all', 'contains_any', 'contains_ci', 'empty', 'endsWith', 'endsWithAny', 'endsWithCi', 'ends_with', 'ends_with_any', 'ends_with_ci', 'eq', 'gt', 'gte', 'ilike', 'in', 'lt', 'lte', 'not', 'notContains', 'notContainsAll', 'notContainsAny', 'notContainsCi', 'notEndsWith', 'notEndsWithAny', 'notEndsWithCi', 'notIn', 'notStartsWith', 'notStartsWithAny', 'notStartsWithCi', 'not_contains', 'not_contains_all', 'not_contains_any', 'not_contains_ci', 'not_ends_with', 'not_ends_with_any', 'not_ends_with_ci', 'not_in', 'not_starts_with', 'not_starts_with_any', 'not_starts_with_ci', 'null', 'startsWith', 'startsWithAny', 'startsWithCi', 'starts_with', 'starts_with_any', 'starts_with_ci'])


def decode_Condition(data: Any, path: str = '', known: frozenset[str] = keys_Condition) -> novasphere_schedule_v1_page_pb2.Condition:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_page_pb2.Condition()
    key, v = codec.pick(data, ('eq', '$eq'), path)
    if v is not None:
        m.eq = codec.json_text(v)
    key, v = codec.pick(data, ('not', '$not'), path)
    if v is not None:
        setattr(m, 'not', codec.json_text(v))
    key, v = codec.pick(data, ('gt', '$gt'), path)
    if v is not None:
        m.gt = codec.json_text(v)
    key, v = codec.pick(data, ('gte', '$gte'), path)
    if v is not None:
        m.gte = codec.json_text(v)
    key, v = codec.pick(data, ('lt', '$lt'), path)
    if v is not None:
        m.lt = codec.json_text(v)
    key, v = codec.pick(data, ('lte', '$lte'), path)
    if v is not None:
        m.lte = codec.json_text(v)
    key, v = codec.pick(data, ('in', '$in'), path)
    if v is not None:
        setattr(m, 'in', codec.json_text(v))
    key, v = codec.pick(data, ('notIn', 'not_in', '$notIn', '$not_in'), path)
    if v is not None:
        m.not_in = codec.json_text(v)
    key, v = codec.pick(data, ('contains', '$contains'), path)
    if v is not None:
        m.contains = codec.string(v, path, key)
    key, v = codec.pick(data, ('notContains', 'not_contains', '$notContains'), path)
    if v is not None:
        m.not_contains = codec.string(v, path, key)
    key, v = codec.pick(data, ('startsWith', 'starts_with', '$startsWith'), path)
    if v is not None:
        m.starts_with = codec.string(v, path, key)
    key, v = codec.pick(data, ('endsWith', 'ends_with', '$endsWith'), path)
    if v is not None:
        m.ends_with = codec.string(v, path, key)
    key, v = codec.pick(data, ('null', '$null'), path)
    if v is not None:
        m.null = codec.boolean(v, path, key)
    key, v = codec.pick(data, ('empty', '$empty'), path)
    if v is not None:
        m.empty = codec.boolean(v, path, key)
    key, v = codec.pick(data, ('notStartsWith', 'not_starts_with', '$notStartsWith'), path)
    if v is not None:
        m.not_starts_with = codec.string(v, path, key)
    key, v = codec.pick(data, ('notEndsWith', 'not_ends_with', '$notEndsWith'), path)
    if v is not None:
        m.not_ends_with = codec.string(v, path, key)
    key, v = codec.pick(data, ('containsCi', 'contains_ci', '$containsCi'), path)
    if v is not None:
        m.contains_ci = codec.string(v, path, key)
    key, v = codec.pick(data, ('notContainsCi', 'not_contains_ci', '$notContainsCi'), path)
    if v is not None:
        m.not_contains_ci = codec.string(v, path, key)
    key, v = codec.pick(data, ('startsWithCi', 'starts_with_ci', '$startsWithCi'), path)
    if v is not None:
        m.starts_with_ci = codec.string(v, path, key)
    key, v = codec.pick(data, ('notStartsWithCi', 'not_starts_with_ci', '$notStartsWithCi'), path)
    if v is not None:
        m.not_starts_with_ci = codec.string(v, path, key)
    key, v = codec.pick(data, ('endsWithCi', 'ends_with_ci', '$endsWithCi'), path)
    if v is not None:
        m.ends_with_ci = codec.string(v, path, key)
    key, v = codec.pick(data, ('notEndsWithCi', 'not_ends_with_ci', '$notEndsWithCi'), path)
    if v is not None:
        m.not_ends_with_ci = codec.string(v, path, key)
    key, v = codec.pick(data, ('ilike', '$ilike'), path)
    if v is not None:
        m.ilike = codec.string(v, path, key)
    key, v = codec.pick(data, ('containsAny', 'contains_any', '$containsAny'), path)
    if v is not None:
        m.contains_any = codec.json_text(v)
    key, v = codec.pick(data, ('notContainsAny', 'not_contains_any', '$notContainsAny'), path)
    if v is not None:
        m.not_contains_any = codec.json_text(v)
    key, v = codec.pick(data, ('containsAll', 'contains_all', '$containsAll'), path)
    if v is not None:
        m.contains_all = codec.json_text(v)
    key, v = codec.pick(data, ('notContainsAll', 'not_contains_all', '$notContainsAll'), path)
    if v is not None:
        m.not_contains_all = codec.json_text(v)
    key, v = codec.pick(data, ('startsWithAny', 'starts_with_any', '$startsWithAny'), path)
    if v is not None:
        m.starts_with_any = codec.json_text(v)
    key, v = codec.pick(data, ('notStartsWithAny', 'not_starts_with_any', '$notStartsWithAny'), path)
    if v is not None:
        m.not_starts_with_any = codec.json_text(v)
    key, v = codec.pick(data, ('endsWithAny', 'ends_with_any', '$endsWithAny'), path)
    if v is not None:
        m.ends_with_any = codec.json_text(v)
    key, v = codec.pick(data, ('notEndsWithAny', 'not_ends_with_any', '$notEndsWithAny'), path)
    if v is not None:
        m.not_ends_with_any = codec.json_text(v)
    return m


def encode_PageSpec(m: novasphere_schedule_v1_page_pb2.PageSpec) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if m.HasField("page"):
        data['page'] = m.page
    if m.HasField("page_size"):
        data['page_size'] = m.page_size
    data['order_by'] = m.order_by[:]
    return data


def dump_PageSpec(m: novasphere_schedule_v1_page_pb2.PageSpec) -> bytes:
    return orjson.dumps(encode_PageSpec(m))


keys_PageSpec = frozenset(['order_by', 'page', 'page_size'])


def decode_PageSpec(data: Any, path: str = '', known: frozenset[str] = keys_PageSpec) -> novasphere_schedule_v1_page_pb2.PageSpec:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_schedule_v1_page_pb2.PageSpec()
    v = data.get('page')
    if v is not None:
        m.page = codec.int32(v, path, 'page')
    v = data.get('page_size')
    if v is not None:
        m.page_size = codec.int32(v, path, 'page_size')
    v = data.get('order_by')
    if v is not None:
        for i, e in enumerate(codec.items(v, path, 'order_by')):
            at = codec.element(path, 'order_by', i)
            m.order_by.append(codec.string(e, at, ''))
    return m
