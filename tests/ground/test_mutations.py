"""Whatever changes something can be repeated safely, and tried without an effect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from novasphere.api.v1 import options_pb2
from novasphere_server.rpc import services

_READS = ("Get", "List", "Watch")


def mutations() -> Iterator[MethodDescriptor]:
    for name in services.NAMES:
        for method in descriptor_pool.Default().FindServiceByName(name).methods:
            scope = method.GetOptions().Extensions[options_pb2.method].scope
            changes = scope in (options_pb2.SCOPE_WRITE, options_pb2.SCOPE_ADMIN)
            if changes and not method.name.startswith(_READS):
                yield method


@pytest.mark.parametrize("method", list(mutations()), ids=lambda method: method.name)
def test_a_mutation_takes_a_request_id_and_a_dry_run(method: MethodDescriptor) -> None:
    assert {"request_id", "validate_only"} <= set(method.input_type.fields_by_name)
