"""What a servicer knows of the call it serves, whatever transport brought it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from novasphere_server.core.principals import Principal
from novasphere_server.rpc.peers import Peer
from novasphere_server.store.idempotency import Idempotency


@dataclass(slots=True)
class CallContext:
    """One authenticated call.

    `headers` is sent back: gRPC trailing metadata, HTTP headers. `deadline` is in seconds of the
    server's monotonic clock. `idempotency` is set when the request carries a request id, and goes
    into `Store.write` as it is.
    """

    method: str  # "/package.Service/Method"
    principal: Principal
    request_id: str
    metadata: Mapping[str, str]
    deadline: float | None = None
    peer: Peer = ""
    idempotency: Idempotency | None = None
    is_dry_run: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def has_effect(self) -> bool:
        """Whether a mutation that succeeded was executed: neither a dry run nor a replay was."""
        is_replayed = self.idempotency is not None and self.idempotency.was_replayed
        return not (self.is_dry_run or is_replayed)
