"""Credentials that were refused: why, for the operator alone."""

from __future__ import annotations

from novasphere_server.errors import Unauthenticated

UNKNOWN = "unknown"


class Refused(Unauthenticated):
    """A credential does not work.

    Clients are told the same whatever was wrong. `kind` is what the credential claims to be, `why` is for
    the log, and `claimed` is whose it claims to be, which is not secret.
    """

    def __init__(self, kind: str, why: str, *, claimed: str = "") -> None:
        super().__init__("the credential is not valid")
        self.kind = kind
        self.why = why
        self.claimed = claimed
