"""Who calls, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from novasphere.api.v1 import options_pb2

from novasphere_server.errors import ApiError, PermissionDenied


class PrincipalKind(StrEnum):
    """What kind of credential proved the caller."""

    ADMIN = "admin"
    KEY = "key"
    JOIN_TOKEN = "join_token"  # noqa: S105 - a word, not a secret
    AGENT = "agent"
    JWT = "jwt"
    ANONYMOUS = "anonymous"


# Keys are revoked, and whoever signed a token may lose his trust. An agent's link ends with its node.
_ENDING = (PrincipalKind.KEY, PrincipalKind.JWT)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    `name` is stable and safe to log: "admin", "key:a1b2c3d4", "agent:UID", "jwt:ISSUER:SUBJECT".
    `namespaces` empty means all of them. `node_uid` binds an agent to its node. `expires_at_us` is when the
    credential stops working. `path` is the one REST path that may be called, where a ticket says so.
    `signed_with` tells the key of a signed token. `number` is what rows name an API key by; 0 for every other
    credential.
    """

    kind: PrincipalKind
    name: str
    scopes: frozenset[options_pb2.Scope.ValueType]
    namespaces: frozenset[str] = frozenset()
    node_uid: str = ""
    expires_at_us: int | None = None
    path: str = ""
    signed_with: str = ""
    number: int = 0

    @property
    def may_end(self) -> bool:
        """Whether the credential may stop working before the server does."""
        return self.expires_at_us is not None or self.kind in _ENDING

    def has_scope(self, scope: options_pb2.Scope.ValueType) -> bool:
        return scope == options_pb2.SCOPE_UNSPECIFIED or scope in self.scopes

    def may_touch(self, namespace: str) -> bool:
        return not self.namespaces or namespace in self.namespaces


ALL_SCOPES = frozenset(s for s in options_pb2.Scope.values() if s)


def unreachable(principal: Principal, not_found: ApiError, what: str) -> ApiError:
    """Returns what is said of what is not there, or not the caller's: who is bound to namespaces cannot tell the
    one from the other.
    """
    if not principal.namespaces:
        return not_found
    return PermissionDenied(
        f"this credential, which is bound to namespaces, reaches no {what}", metadata=not_found.metadata
    )
