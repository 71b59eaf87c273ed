"""Every service that the server offers, on one page."""

from __future__ import annotations

from novasphere.api.v1 import join_token_service_pb2, key_service_pb2
from novasphere.node.v1 import system_service_pb2

from novasphere_server.core.clock import Clock
from novasphere_server.core.join_tokens import JoinTokens
from novasphere_server.core.keys import Keys
from novasphere_server.rpc import health, reflection
from novasphere_server.rpc.health import Health
from novasphere_server.rpc.keys import JoinTokenService, KeyService
from novasphere_server.rpc.systems import SystemService
from novasphere_server.store.store import Store

_KEYS = key_service_pb2.DESCRIPTOR.services_by_name["KeyService"].full_name
_JOIN_TOKENS = join_token_service_pb2.DESCRIPTOR.services_by_name["JoinTokenService"].full_name
_SYSTEM = system_service_pb2.DESCRIPTOR.services_by_name["SystemService"].full_name

NAMES = (_KEYS, _JOIN_TOKENS, _SYSTEM)
LISTED = (*NAMES, health.NAME, reflection.V1, reflection.V1ALPHA)


def services(
    *,
    store: Store,
    clock: Clock,
    health: Health,
    database: str,
    keys: Keys,
    join_tokens: JoinTokens,
) -> dict[str, object]:
    """Returns what serves each service of the API."""
    return {
        _KEYS: KeyService(keys),
        _JOIN_TOKENS: JoinTokenService(join_tokens),
        _SYSTEM: SystemService(store, clock, health, database),
    }
