"""Credentials that were refused: why, and who has to wait before the next ones are looked at.

What is guarded is the server's time: nobody guesses 190 random bits. So whoever shows a credential that
works must not have to wait for others who show wrong ones from the same address.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from novasphere_server.errors import Unauthenticated

UNKNOWN = "unknown"
TICKET = "ticket"

_PER_SECOND = 5.0  # refusals that are forgotten, of each address and each id from there
_REMEMBERED = 10_000  # addresses, and as many ids claimed from one


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


@dataclass(frozen=True, slots=True)
class Claim:
    """What a credential says of itself, before anybody has looked whether that is true."""

    id: str = ""  # its public part; empty: it has none
    names_a_credential: bool = False  # one of that id exists
    was_proved: bool = False  # this very one worked before


class Refusals:
    """Counts refusals by address, and by the id that was claimed from there: whoever knows the id of a key,
    which is no secret, must not keep its holder waiting elsewhere.
    """

    def __init__(self, burst: int, monotonic: Callable[[], float]) -> None:
        """Lets `burst` refusals of an address, and as many of an id from there, pass at once."""
        self._addresses = _Buckets(burst, monotonic)
        self._ids = _Buckets(burst, monotonic)

    def wait(self, address: str, claim: Claim) -> float:
        """Returns for how many seconds the credential will not be looked at."""
        if claim.was_proved:
            return 0.0
        # Who makes up ids does not hit upon one that exists.
        if claim.names_a_credential:
            return self._ids.wait(_claimed(address, claim))
        return self._addresses.wait(address)

    def count(self, address: str, claims: list[Claim]) -> None:
        """Notes that a call was refused."""
        self._addresses.take(address)
        for claim in claims:
            if claim.names_a_credential:
                self._ids.take(_claimed(address, claim))


def _claimed(address: str, claim: Claim) -> str:
    return f"{claim.id} {address}"


class _Buckets:
    """A token bucket for each name; those that were used longest ago are forgotten first."""

    def __init__(self, size: int, monotonic: Callable[[], float]) -> None:
        self._size = size
        self._monotonic = monotonic
        self._levels: OrderedDict[str, tuple[float, float]] = (
            OrderedDict()
        )  # level, and when it was that

    def wait(self, name: str) -> float:
        return max(0.0, 1.0 - self._level(name)) / _PER_SECOND

    def take(self, name: str) -> None:
        if not name:
            return
        self._levels[name] = (max(0.0, self._level(name) - 1.0), self._monotonic())
        self._levels.move_to_end(name)
        if len(self._levels) > _REMEMBERED:
            self._levels.popitem(last=False)

    def _level(self, name: str) -> float:
        known = self._levels.get(name)
        if known is None:
            return float(self._size)
        level, then = known
        return min(float(self._size), level + (self._monotonic() - then) * _PER_SECOND)
