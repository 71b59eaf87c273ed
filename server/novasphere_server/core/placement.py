"""Which of this server's links is to look for work that any of several nodes may do.

Nothing is decided here for good: a session that is woken claims what is there, and whoever comes first has it. What
is chosen is who looks first: a node that ran the type before, then the one with the most room. Every session with
room looks again when it is heard from, so a choice that proves bad costs time, never a task.

Tasks of one job are spread by load alone: a node that ran the type is preferred up to half of its capacity, and after
that whoever has the most room. What a node ran is known of its present link, and forgotten with it: it saves a warm-up
where it is known, and costs a look at another node where it is not, which is worth neither a table nor a write.

What no linked node could do is not remembered: the table knows it. A session that joins, or whose node changes, asks
the table, as long as there may be such tasks.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from novasphere.node.v1 import node_pb2

from novasphere_server.core import demands
from novasphere_server.core.demands import Demand
from novasphere_server.core.meetings import Meetings, meets
from novasphere_server.core.rooms import NOTHING, Room
from novasphere_server.core.sessions import Session

# Of more nodes than this, so many are compared, chosen at random: nearly as good, and as fast with thousands.
_COMPARED = 8
_LOOKED_FOR = 64  # demands in one look, each of which costs a statement


class Placement:
    """What waits for any node, and the sessions whose nodes could take it."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}  # by the uid of the node
        # Demands that tasks may wait with and some node meets, and how often one was offered: of a look that found
        # nothing more, it counts only what was offered before it. What was offered last is last.
        self._waiting: dict[str, int] = {}
        self._offers = 0
        # How often a demand was offered that nobody met, and up to which of them the table has none left.
        self._unmet = 0
        self._recalled = 0
        self._meetings = Meetings(self._sessions)

    def join(self, session: Session) -> None:
        """Takes a session's node into account."""
        replaced = self._sessions.get(session.node_uid)
        if replaced is not None and replaced is not session:
            self._meetings.leave_out(replaced)
        self._sessions[session.node_uid] = session
        self._meetings.note(session)

    def leave(self, session: Session) -> None:
        """No longer counts on a session, and passes on what it was about to look for."""
        if self._sessions.get(session.node_uid) is not session:
            return
        del self._sessions[session.node_uid]
        self._meetings.leave_out(session)
        if session.node is not None:
            self._forget_unmet(session.node)
        self.pass_on(session)

    def pass_on(self, session: Session) -> None:
        """Has others look for what a session was to look for."""
        if any(session.offered):
            session.offered = [0, 0]
            for demand in tuple(self._waiting):
                self.offer_unknown(demand)

    def update(self, node: node_pb2.Node) -> None:
        """Notes that a node has changed."""
        session = self._sessions.get(node.uid)
        if session is not None:
            before, session.node = session.node, node
            session.is_new = True
            self._meetings.note(session)
            if before is not None:
                self._forget_unmet(before)
            session.wake.set()

    def asks(self, session: Session) -> bool:
        """Returns whether tasks may wait that nobody could do before a session's node came, or changed."""
        return session.is_new and self._unmet != self._recalled

    async def ask(self, session: Session, read: Callable[[], Awaitable[Sequence[str]]]) -> None:
        """Has a session look for what meets its node, of all demands that tasks wait with."""
        session.is_new = False
        unmet = self._unmet
        try:
            found = await read()
        except BaseException:
            session.is_new = True
            raise
        for demand in found:
            if demand not in self._waiting and meets(session, demand):
                self._note(demand)
        if all(demand in self._waiting for demand in found):
            self._recalled = unmet

    def offer(self, demand: str, tasks: int = 1) -> None:
        """Has sessions look for tasks with a demand, as many as have room."""
        if not self._is_noted(demand):
            return
        wanted = demands.parse(demand)
        free = self._free(demand, wanted, tasks)
        heapq.heapify(free)
        while free and tasks:
            best = free[0]
            best.session.offered[wanted.is_answered] += 1
            best.session.wake.set()
            tasks -= 1
            if best.room > 1:
                heapq.heapreplace(free, _offer(best.session, wanted, best.room - 1))
            else:
                heapq.heappop(free)

    def offer_unknown(self, demand: str) -> None:
        """Has a session look for as many tasks with a demand as it has room for: nobody knows how many there are."""
        if not self._is_noted(demand):
            return
        best = min(self._free(demand, demands.parse(demand)), default=None)
        if best is not None:
            best.session.wake.set()

    def look(self, session: Session) -> tuple[dict[str, int], Room]:
        """Returns what to look for in a session's name, to be given to looked() in the end, and how many tasks are
        meant for it.
        """
        room = session.credits
        (slots, answers), session.offered = session.offered, [0, 0]
        if not self._waiting or not room:
            return {}, NOTHING
        found: dict[str, int] = {}
        for demand, offer in self._waiting.items():
            if self._could_take(session, room, demand):
                if len(found) == _LOOKED_FOR:
                    session.wake.set()  # for the others
                    break
                found[demand] = offer
        if room.answers is None:
            return found, room.at_most(slots + answers or room.slots, 0)
        return found, room.at_most(slots or room.slots, answers or room.answers)

    def looked(self, demands: Mapping[str, int], unread: Collection[str]) -> None:
        """Notes what a look came to: more tasks may wait with the `unread` ones of its demands, none with the
        others but what was offered since.
        """
        for demand, offer in demands.items():
            if demand in unread:
                self.offer_unknown(demand)
            elif self._waiting.get(demand) == offer:
                del self._waiting[demand]

    def is_wanted(self, session: Session) -> bool:
        """Returns whether there may be work that a session's node could do."""
        room = session.credits
        return bool(room) and (
            self.asks(session) or any(self._could_take(session, room, each) for each in self._waiting)
        )

    @staticmethod
    def _could_take(session: Session, room: Room, demand: str) -> bool:
        is_answered = demands.parse(demand).is_answered
        return room.of(is_answered=is_answered) > 0 and meets(session, demand)

    def is_met(self, demand: str) -> bool:
        """Returns whether some node could do what has this demand, once it has room."""
        return bool(self._meetings.of(demand))

    def _is_noted(self, demand: str) -> bool:
        """Notes that tasks may wait with a demand, unless nobody meets it."""
        if self._meetings.of(demand):
            self._note(demand)
            return True
        self._unmet += 1
        return False

    def _note(self, demand: str) -> None:
        self._offers += 1
        self._waiting.pop(demand, None)
        self._waiting[demand] = self._offers

    def _forget_unmet(self, gone: node_pb2.Node) -> None:
        """Forgets what only a node met that is as it was no longer."""
        for demand in tuple(self._waiting):
            was_met = demands.parse(demand).is_met_by(gone)
            if was_met and not any(meets(each, demand) for each in self._sessions.values()):
                del self._waiting[demand]
                self._unmet += 1

    def _free(self, demand: str, wanted: Demand, tasks: int = 1) -> list[_Offer]:
        """Returns offers to sessions that have room for tasks with a demand, without a look at all there are."""
        meeting = self._meetings.of(demand)
        compared = max(_COMPARED, tasks)
        few = _neighbours(meeting, compared) if len(meeting) > compared else meeting
        free = _with_room(few, wanted)
        if not free and few is not meeting:
            free = _with_room(meeting, wanted)
        return free


def _neighbours(sessions: Sequence[Session], count: int) -> Sequence[Session]:
    """Returns so many sessions that follow each other, from one at random: all are as likely to be among them."""
    start = random.randrange(len(sessions))  # noqa: S311 - nothing hangs on it
    found = sessions[start : start + count]
    return [*found, *sessions[: count - len(found)]]


class _Offer(NamedTuple):
    """A session that may be asked to look for tasks with a demand. The best sorts first."""

    is_stranger: bool
    load: float
    crowding: int  # the room, below zero
    node_uid: str  # of which there are no two
    session: Session

    @property
    def room(self) -> int:
        return -self.crowding


def _with_room(sessions: Iterable[Session], wanted: Demand) -> list[_Offer]:
    return [
        _offer(session, wanted, room)
        for session in sessions
        if session.is_open and (room := _room(session, wanted)) > 0
    ]


def _room(session: Session, wanted: Demand) -> int:
    room = session.credits
    if room.answers is None:
        return room.slots - sum(session.offered)
    return (room.answers if wanted.is_answered else room.slots) - session.offered[wanted.is_answered]


def _offer(session: Session, wanted: Demand, room: int) -> _Offer:
    capacity = session.capacity
    # A node that is nearly full has no merit by what it ran before.
    is_known = room * 2 > capacity and not session.ran.isdisjoint(wanted.capabilities)
    takes_slots = session.free_answers is None or not wanted.is_answered
    load = -room / max(capacity, 1) if takes_slots else 0.0
    return _Offer(not is_known, load, -room, session.node_uid, session)
