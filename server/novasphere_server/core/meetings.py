"""Whose nodes meet what tasks ask for: found out once for each demand, and kept up to date as nodes come, change and
go. A look at all sessions is what an offer must not cost.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from operator import attrgetter

from novasphere_server.core import demands
from novasphere_server.core.sessions import Session

_REMEMBERED = 4096  # demands
_REMEMBERED_SESSIONS = 2_000_000  # of all demands together, 16 MB
# Demands, those asked for last, for which a node that changes is looked at; others are forgotten.
_KEPT_UP = 256
_BY_UID = attrgetter("node_uid")


class Meetings:
    """Who of some sessions meets a demand."""

    def __init__(self, sessions: Mapping[str, Session]) -> None:
        self._sessions = sessions
        self._known: OrderedDict[str, list[Session]] = OrderedDict()  # each by uid
        self._count = 0

    def of(self, demand: str) -> Sequence[Session]:
        """Returns the sessions whose nodes meet a demand; not to be changed, nor kept."""
        those = self._known.get(demand)
        if those is not None:
            self._known.move_to_end(demand)
            return those
        those = [session for session in self._sessions.values() if meets(session, demand)]
        those.sort(key=_BY_UID)
        self._known[demand] = those
        self._count += len(those)
        self._forget(_REMEMBERED)
        return those

    def note(self, session: Session) -> None:
        """Takes a session into account whose node is new, or has changed."""
        self._forget(_KEPT_UP)
        for demand, those in self._known.items():
            self._count += (_put if meets(session, demand) else _take)(those, session)

    def leave_out(self, session: Session) -> None:
        """Takes a session no longer into account."""
        for those in self._known.values():
            self._count += _take(those, session)

    def _forget(self, most: int) -> None:
        """Forgets who meets the demands that were asked for longest ago, but for so many."""
        while len(self._known) > most or (self._count > _REMEMBERED_SESSIONS and len(self._known) > 1):
            _, those = self._known.popitem(last=False)
            self._count -= len(those)


def _put(those: list[Session], session: Session) -> int:
    """Adds a session in its place. Returns by how many there are more."""
    place = bisect_left(those, session.node_uid, key=_BY_UID)
    if place < len(those) and those[place] is session:
        return 0
    those.insert(place, session)
    return 1


def _take(those: list[Session], session: Session) -> int:
    """Takes a session away. Returns by how many there are more."""
    place = bisect_left(those, session.node_uid, key=_BY_UID)
    if place == len(those) or those[place] is not session:
        return 0
    del those[place]
    return -1


def meets(session: Session, demand: str) -> bool:
    """Returns whether a session's node could do what has this demand, once it has room."""
    return session.node is not None and demands.parse(demand).is_met_by(session.node)
