"""Server reflection, so that grpcurl and buf can call everything without our protos."""

from __future__ import annotations

from collections.abc import Iterable

# The public ReflectionServicer is the synchronous one; this one is what its asyncio twin adds.
from grpc_reflection.v1alpha._async import ReflectionServicer

V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"
# Message for message the same; grpcio publishes the older name only.
V1 = "grpc.reflection.v1.ServerReflection"


def servicer(services: Iterable[str]) -> object:
    """Returns what serves both versions; it lists `services`."""
    return ReflectionServicer(sorted(services))
