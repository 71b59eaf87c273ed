"""Generated from novasphere/api/v1/watch.proto by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from typing import Any

import orjson
from novasphere_gateway import codec, model

from novasphere.api.v1 import watch_pb2 as novasphere_api_v1_watch_pb2


words_EventType = codec.Words(
    {0: 'UNSPECIFIED', 1: 'ADDED', 2: 'MODIFIED', 3: 'DELETED', 4: 'BOOKMARK', 5: 'GAP'},
    {'UNSPECIFIED': 0, 'EVENT_TYPE_UNSPECIFIED': 0, 'ADDED': 1, 'EVENT_TYPE_ADDED': 1, 'MODIFIED': 2, 'EVENT_TYPE_MODIFIED': 2, 'DELETED': 3, 'EVENT_TYPE_DELETED': 3, 'BOOKMARK': 4, 'EVENT_TYPE_BOOKMARK': 4, 'GAP': 5, 'EVENT_TYPE_GAP': 5},
)


def encode_Gap(m: novasphere_api_v1_watch_pb2.Gap) -> dict[str, Any]:
    return {
        'first_lost_revision': m.first_lost_revision,
        'last_lost_revision': m.last_lost_revision,
        'oldest_cursor': m.oldest_cursor,
    }


def dump_Gap(m: novasphere_api_v1_watch_pb2.Gap) -> bytes:
    return orjson.dumps(encode_Gap(m))


keys_Gap = frozenset(['first_lost_revision', 'last_lost_revision', 'oldest_cursor'])


def decode_Gap(data: Any, path: str = '', known: frozenset[str] = keys_Gap) -> novasphere_api_v1_watch_pb2.Gap:
    if data.__class__ is not dict:
        raise codec.not_an_object(data, path)
    if not data.keys() <= known:
        raise codec.unknown_keys(data, known, path)
    m = novasphere_api_v1_watch_pb2.Gap()
    v = data.get('first_lost_revision')
    if v is not None:
        m.first_lost_revision = codec.int64(v, path, 'first_lost_revision')
    v = data.get('last_lost_revision')
    if v is not None:
        m.last_lost_revision = codec.int64(v, path, 'last_lost_revision')
    v = data.get('oldest_cursor')
    if v is not None:
        m.oldest_cursor = codec.string(v, path, 'oldest_cursor')
    return m
