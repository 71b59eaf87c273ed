"""Who makes a call, and whether they may: the same for every transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from novasphere.api.v1 import options_pb2

from novasphere_server import logs
from novasphere_server.core.principals import ALL_SCOPES, Principal, PrincipalKind
from novasphere_server.core.refusals import Refused
from novasphere_server.errors import PermissionDenied, Unauthenticated
from novasphere_server.rpc.methods import Method

log = logs.get(__name__)

_ANONYMOUS = Principal(PrincipalKind.ANONYMOUS, "anonymous", ALL_SCOPES)


class Authenticator(Protocol):
    """What is asked of core.credentials."""

    def known(self, token: str) -> Principal | None:
        """Returns who holds a token that was proved lately, without waiting."""
        ...

    async def authenticate(self, token: str) -> Principal:
        """Returns who holds the token. Raises Refused."""
        ...

    def holds(self, principal: Principal) -> bool:
        """Returns whether the credential behind the principal still works."""
        ...


class Callers:
    """Tells who calls, from what the call's metadata carries."""

    def __init__(
        self, authenticator: Authenticator, *, is_open: bool, on_refusal: Callable[[str], None]
    ) -> None:
        self._authenticator = authenticator
        self._is_open = is_open  # whoever shows nothing may do everything: --no-auth
        self._on_refusal = on_refusal  # is told what kind of credential it was

    def known(self, method: Method, metadata: Mapping[str, str]) -> Principal | None:
        """Returns who makes the usual call, if that takes no waiting; None: ask allowed()."""
        authorization = metadata.get("authorization", "")
        if not authorization.startswith("Bearer "):
            return None
        principal = self._authenticator.known(authorization[7:])
        if principal is None or (method.scopes and principal.scopes.isdisjoint(method.scopes)):
            return None
        return None if method.is_public else principal

    async def allowed(self, method: Method, metadata: Mapping[str, str]) -> Principal:
        """Returns who calls. Raises Unauthenticated, and PermissionDenied if they may not."""
        principal = _ANONYMOUS if method.is_public else await self.authenticate(metadata)
        if method.scopes and principal.scopes.isdisjoint(method.scopes):
            raise _denied(*method.scopes)
        return principal

    async def authorize(
        self, metadata: Mapping[str, str], scope: options_pb2.Scope.ValueType
    ) -> Principal:
        """Returns who calls. Raises Unauthenticated or PermissionDenied."""
        principal = await self.authenticate(metadata)
        if not principal.has_scope(scope):
            raise _denied(scope)
        return principal

    async def authenticate(self, metadata: Mapping[str, str]) -> Principal:
        """Returns who calls. Raises Unauthenticated."""
        tokens = (_bearer(metadata.get("authorization", "")), metadata.get("x-api-key", ""))
        if not any(tokens):
            if self._is_open:
                return _ANONYMOUS
            raise Unauthenticated("a credential is needed: send it as Authorization: Bearer TOKEN")
        refusals = []
        for token in filter(None, tokens):
            try:
                return await self._authenticator.authenticate(token)
            except Refused as refused:
                refusals.append(refused)
        for refusal in refusals:
            self._on_refusal(refusal.kind)
            log.info("credential refused", kind=refusal.kind, why=refusal.why, claimed=refusal.claimed)
        raise refusals[0]

    def holds(self, principal: Principal) -> bool:
        """Returns whether the credential behind the principal still works."""
        return self._authenticator.holds(principal)


def _bearer(value: str) -> str:
    if value.startswith("Bearer "):
        return value[7:].strip()
    scheme, space, token = value.partition(" ")
    if not space:
        return scheme
    return token.strip() if scheme.lower() == "bearer" else ""


def _denied(*scopes: options_pb2.Scope.ValueType) -> PermissionDenied:
    names = [options_pb2.Scope.Name(s).removeprefix("SCOPE_").lower() for s in scopes]
    return PermissionDenied(
        f"this needs a credential with the scope {' or '.join(names)}", metadata={"scope": names[0]}
    )
