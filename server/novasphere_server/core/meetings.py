"""Whose nodes meet what tasks ask for: found out once for each demand, and kept up to date as nodes come, change and
go. A look at all sessions is what an offer must not cost.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from novasphere_server.core import demands
from novasphere_server.core.sessions import Session

_REMEMBERED = 4096  # demands
_REMEMBERED_SESSIONS = 200_000  # of all demands together, some 20 MB
_KEPT_UP = (
    64  # demands, those asked for last, for which a node that changes is looked at; others are forgotten
)


class Meetings:
    """Who of some sessions meets a demand."""

    def __init__(self, sessions: Mapping[str, Session]) -> None:
        self._sessions = sessions
        self._known: OrderedDict[str, _Those] = OrderedDict()
        self._count = 0

    def of(self, demand: str) -> Sequence[Session]:
        """Returns the sessions whose nodes meet a demand; not to be changed, nor kept."""
        those = self._known.get(demand)
        if those is not None:
            self._known.move_to_end(demand)
            return those.sessions
        those = _Those()
        for session in self._sessions.values():
            if meets(session, demand):
                those.put(session)
        self._known[demand] = those
        self._count += len(those.sessions)
        self._forget(_REMEMBERED)
        return those.sessions

    def note(self, session: Session) -> None:
        """Takes a session into account whose node is new, or has changed."""
        self._forget(_KEPT_UP)
        for demand, those in self._known.items():
            before = len(those.sessions)
            if meets(session, demand):
                those.put(session)
            else:
                those.take(session)
            self._count += len(those.sessions) - before

    def leave_out(self, session: Session) -> None:
        """Takes a session no longer into account."""
        for those in self._known.values():
            before = len(those.sessions)
            those.take(session)
            self._count += len(those.sessions) - before

    def _forget(self, most: int) -> None:
        """Forgets who meets the demands that were asked for longest ago, but for so many."""
        while len(self._known) > most or (self._count > _REMEMBERED_SESSIONS and len(self._known) > 1):
            _, those = self._known.popitem(last=False)
            self._count -= len(those.sessions)


class _Those:
    """Sessions, each of which is put in and taken out without a look at the others."""

    __slots__ = ("_places", "sessions")

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self._places: dict[Session, int] = {}

    def put(self, session: Session) -> None:
        if session not in self._places:
            self._places[session] = len(self.sessions)
            self.sessions.append(session)

    def take(self, session: Session) -> None:
        place = self._places.pop(session, None)
        if place is None:
            return
        last = self.sessions.pop()
        if last is not session:
            self.sessions[place] = last
            self._places[last] = place


def meets(session: Session, demand: str) -> bool:
    """Returns whether a session's node could do what has this demand, once it has room."""
    return session.node is not None and demands.parse(demand).is_met_by(session.node)
