"""Who makes a call, and whether they may: the same for every transport."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from novasphere.api.v1 import options_pb2

from novasphere_server import logs
from novasphere_server.core.principals import ALL_SCOPES, Principal, PrincipalKind
from novasphere_server.core.refusals import Claim, Refusals, Refused
from novasphere_server.core.tickets import TicketUse
from novasphere_server.errors import PermissionDenied, TooManyRefusals, Unauthenticated
from novasphere_server.rpc import peers
from novasphere_server.rpc.methods import Method
from novasphere_server.rpc.peers import Peer
from novasphere_server.settings import Network
from novasphere_server.telemetry import Telemetry

log = logs.get(__name__)

_ANONYMOUS = Principal(PrincipalKind.ANONYMOUS, "anonymous", ALL_SCOPES)


class Authenticator(Protocol):
    """What is asked of core.credentials."""

    def known(self, token: str) -> Principal | None:
        """Returns who holds a token that was proved lately, without waiting."""
        ...

    def claim(self, token: str) -> Claim:
        """Returns what a token says of itself, without looking anything up."""
        ...

    async def authenticate(self, token: str, ticket: TicketUse) -> Principal:
        """Returns who holds the token; `ticket` is what becomes of it if it is one. Raises Refused."""
        ...

    def holds(self, principal: Principal) -> bool:
        """Returns whether the credential behind the principal still works."""
        ...


class Callers:
    """Tells who calls, from what the call's metadata carries."""

    def __init__(
        self,
        authenticator: Authenticator,
        refusals: Refusals,
        telemetry: Telemetry,
        *,
        is_open: bool,
        gateways: Sequence[Network] = (),
    ) -> None:
        self._authenticator = authenticator
        self._refusals = refusals
        self._telemetry = telemetry
        self._gateways = gateways  # that are believed for whom they ask
        self._is_open = is_open  # whoever shows nothing may do everything: --no-auth

    def known(self, method: Method, metadata: Mapping[str, str]) -> Principal | None:
        """Returns who makes the usual call, if that takes no waiting; None: ask allowed()."""
        authorization = metadata.get("authorization")
        if authorization is None or not authorization.startswith("Bearer ") or method.is_public:
            return None
        principal = self._authenticator.known(authorization[7:])
        if principal is None or (method.scopes and principal.scopes.isdisjoint(method.scopes)):
            return None
        return principal

    def client(self, metadata: Mapping[str, str], peer: Peer) -> Peer:
        """Returns where a call comes from, as far as the gateways that are believed tell."""
        return peers.client(peer, metadata, self._gateways)

    async def allowed(
        self,
        method: Method,
        metadata: Mapping[str, str],
        peer: Peer = "",
        *,
        is_trial: bool = False,
    ) -> Principal:
        """Returns who calls. Raises what says that they are nobody, or may not; a trial spends no ticket."""
        if method.is_public:
            principal = _ANONYMOUS
        else:
            used = TicketUse.LOOK if is_trial else TicketUse.SPEND
            ticket = TicketUse.NONE if method.is_unary else used
            principal = await self.authenticate(metadata, peer, ticket)
        if method.scopes and principal.scopes.isdisjoint(method.scopes):
            raise _denied(*method.scopes)
        return principal

    async def authorize(
        self, metadata: Mapping[str, str], peer: Peer, scope: options_pb2.Scope.ValueType
    ) -> Principal:
        """Returns who calls. Raises Unauthenticated, TooManyRefusals or PermissionDenied."""
        principal = await self.authenticate(metadata, peer)
        if not principal.has_scope(scope):
            raise _denied(scope)
        return principal

    async def authenticate(
        self, metadata: Mapping[str, str], peer: Peer = "", ticket: TicketUse = TicketUse.NONE
    ) -> Principal:
        """Returns who calls: the holder of the first credential that works. Raises Unauthenticated and
        TooManyRefusals.
        """
        bearer = _bearer(metadata.get("authorization", ""))
        tokens = list(filter(None, (bearer, metadata.get("x-api-key", ""))))
        if not tokens:
            if self._is_open:
                return _ANONYMOUS
            raise Unauthenticated("a credential is needed: send it as Authorization: Bearer TOKEN")
        known = self._authenticator.known(tokens[0])
        if known is not None:
            return known
        origin = peers.network(self.client(metadata, peer))
        claims = [self._authenticator.claim(token) for token in tokens]
        waits = [self._refusals.wait(origin, claim) for claim in claims]
        refused = []
        for token, wait in zip(tokens, waits, strict=True):
            if wait:
                continue
            try:
                return await self._authenticator.authenticate(token, ticket)
            except Refused as error:
                refused.append(error)
        if not refused:
            self._telemetry.credential_refused("throttled")
            raise TooManyRefusals(min(waits))
        self._refusals.count(origin, claims)
        for refusal in refused:
            self._telemetry.credential_refused(refusal.kind)
            log.info(
                "credential refused",
                kind=refusal.kind,
                why=refusal.why,
                claimed=refusal.claimed,
                address=origin,
            )
        raise refused[0]

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
