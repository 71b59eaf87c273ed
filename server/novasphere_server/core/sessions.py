"""One open stream of one node: what was received, what may be sent, what waits to be sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from pathlib import PurePath

from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_pb2

from novasphere_server import errors
from novasphere_server.core import demands
from novasphere_server.core.attempts import Attempt, Key, Recorded
from novasphere_server.core.output_chunks import Stream
from novasphere_server.core.rooms import Room

_REMEMBERED = 256  # kinds of work and programs that a node ran
_FRAME_BYTES = 1024 * 1024  # of dispatches in one frame; gRPC's clients take 4 MiB unless told otherwise


class Session:
    """The server's side of one link. Lives on the event loop; whoever changes it sets `wake`.

    What waits to be sent is bounded by what the agent runs: acknowledgements of the same thing replace
    each other, and the next frame is read only when the last one is stored.
    """

    is_foreign = False

    def __init__(self, node_uid: str, node_id: str) -> None:
        self.node_uid = node_uid
        self.node_id = node_id
        self.session_token = ""
        self.wake = asyncio.Event()
        self.is_open = True
        self.is_admitted = False
        self.is_confirmed = False
        self.said_goodbye = False
        self.failure: errors.ApiError | None = None  # ends the stream with a status
        self.closing: link.Closing | None = None  # ends it with a last frame
        self.is_busy = False  # a frame is being stored
        self.silent_ticks = 0
        self.received = 0  # the agent's last frame whose content is durable
        self.free_slots = 0
        self.free_answers: int | None = None
        self.capacity = 0  # how many attempts the node runs at once
        self.may_have_work = False  # that only this node may do
        self.node: node_pb2.Node | None = None  # as it was when it last changed
        self.is_new = True  # what its node could do of all that waits is not known yet
        # Tasks that any node may do, and that it is to look for: those in slots, and those that it answers.
        self.offered = [0, 0]
        self.ran: set[str] = set()  # kinds of work and programs that it was sent
        self.attempts: dict[Key, Attempt] = {}
        self.to_cancel: dict[str, int] = {}  # command -> attempt, as their clients asked
        self._sent = 0
        self._acked = 0
        self._unacked_dispatches: deque[tuple[int, int, int]] = (
            deque()
        )  # frame, what it holds of each kind
        self._dispatches: list[link.Dispatch] = []
        self._cancels: dict[Key, link.CancelAttempt] = {}
        self._output_acks: dict[tuple[str, int, Stream], int] = {}
        self._report_acks: dict[Key, link.ReportAck] = {}

    # -- the agent's frames

    def accept(self, frame: link.ConnectRequest) -> None:
        """Notes a frame's numbers. Raises LinkProtocol when it is out of order."""
        if frame.sequence != self.received + 1:
            raise errors.LinkProtocol(
                f"frame {frame.sequence} came after frame {self.received}; nothing may be left out"
            )
        if not self._acked <= frame.acked_sequence <= self._sent:
            raise errors.LinkProtocol(
                f"frame {frame.acked_sequence} is acknowledged, {self._sent} was the last one sent"
            )
        self.silent_ticks = 0
        self._acked = frame.acked_sequence
        self.hear_room(frame)
        waiting = self._unacked_dispatches
        while waiting and waiting[0][0] <= self._acked:
            waiting.popleft()

    def hear_room(self, frame: link.ConnectRequest) -> None:
        """Notes what the agent has room for."""
        self.free_slots = frame.free_slots
        self.free_answers = frame.free_answers if frame.HasField("free_answers") else None

    @property
    def credit(self) -> int:
        """How many more attempts the agent would start now, if it has yet to see what is on its way."""
        return self.credits.slots

    @property
    def credits(self) -> Room:
        """The same, and how many it would answer by itself."""
        slots, answers = self._count(self._dispatches) if self._dispatches else (0, 0)
        for _, unacked_slots, unacked_answers in self._unacked_dispatches:
            slots += unacked_slots
            answers += unacked_answers
        if self.free_answers is None:
            return Room(self.free_slots - slots)
        return Room(self.free_slots - slots, self.free_answers - answers)

    def _count(self, dispatches: Iterable[link.Dispatch]) -> tuple[int, int]:
        """Returns how many of these take slots, and how many do not."""
        all_, answers = 0, 0
        for dispatch in dispatches:
            all_ += 1
            answers += dispatch.kind in demands.ANSWERED
        return (all_, 0) if self.free_answers is None else (all_ - answers, answers)

    @property
    def room(self) -> int:
        """How many more attempts the node would start, for people to read."""
        return self.free_slots

    def apply(self, recorded: Recorded) -> None:
        """Takes over what became of a frame, now that it is durable."""
        self.attempts.update(recorded.attempts)
        for key in recorded.ended:
            self.attempts.pop(key, None)
        self._output_acks.update(recorded.output_acks)
        for ack in recorded.report_acks:
            self._report_acks[ack.run_id, ack.attempt] = ack
        self.cancel(recorded.cancels)

    # -- what is to be sent

    def expect(self) -> None:
        """Notes that work may wait which only this node may do."""
        self.may_have_work = True
        if self.credits:
            self.wake.set()

    def dispatch(self, dispatches: Iterable[link.Dispatch]) -> None:
        for dispatch in dispatches:
            self._dispatches.append(dispatch)
            if len(self.ran) >= _REMEMBERED:
                self.ran.clear()
            self.ran.add(PurePath(dispatch.program).name if dispatch.program else dispatch.kind)
            self.attempts.setdefault(
                (dispatch.run_id, dispatch.attempt), Attempt(dispatch.fencing_token)
            )

    def cancel(self, cancels: Iterable[link.CancelAttempt]) -> None:
        for cancel in cancels:
            self._cancels[cancel.run_id, cancel.attempt] = cancel

    def next_frame(self) -> link.ConnectResponse | None:
        """Returns what waits as one frame, None when nothing does. Dispatches that it has no room for
        come in the next one, and their cancels with them.

        That an agent's frame was received is not worth a frame of its own, unless it held something.
        """
        if not self._has_news:
            return None
        fitting = self._fitting_dispatches()
        dispatches, self._dispatches = self._dispatches[:fitting], self._dispatches[fitting:]
        # A cancel must not overtake the dispatch that it is for.
        unsent = {(dispatch.run_id, dispatch.attempt) for dispatch in self._dispatches}
        cancels = [cancel for key, cancel in self._cancels.items() if key not in unsent]
        frame = self.number(
            link.ConnectResponse(
                dispatches=dispatches,
                cancels=cancels,
                output_acks=[
                    link.OutputAck(run_id=run_id, attempt=attempt, stream=stream, offset=offset)
                    for (run_id, attempt, stream), offset in self._output_acks.items()
                ],
                report_acks=self._report_acks.values(),
            )
        )
        if dispatches:
            self._unacked_dispatches.append((frame.sequence, *self._count(dispatches)))
        if self._dispatches:
            self.wake.set()
        self._cancels = {key: cancel for key, cancel in self._cancels.items() if key in unsent}
        self._output_acks = {}
        self._report_acks = {}
        return frame

    @property
    def _has_news(self) -> bool:
        return bool(self._dispatches or self._cancels or self._output_acks or self._report_acks)

    def _fitting_dispatches(self) -> int:
        """Returns how many of the dispatches go into one frame: at least one, if there is any."""
        size = 0
        for count, dispatch in enumerate(self._dispatches):
            size += dispatch.ByteSize()
            if count and size > _FRAME_BYTES:
                return count
        return len(self._dispatches)

    def number(self, frame: link.ConnectResponse) -> link.ConnectResponse:
        """Returns the frame with its place in the stream."""
        self._sent += 1
        frame.sequence = self._sent
        frame.acked_sequence = self.received
        return frame

    # -- its end

    def close(self, reason: str, retry_after: float = 0.0) -> None:
        """Ends the stream with a last frame that says why. Nothing is read or sent after it."""
        if self.is_open:
            self.is_open = False
            self.closing = link.Closing(reason=reason, retry_after_ms=int(retry_after * 1000))
            self.wake.set()

    def fail(self, error: errors.ApiError) -> None:
        """Ends the stream with an error."""
        if self.is_open:
            self.is_open = False
            self.failure = error
            self.wake.set()


class ForeignSession(Session):
    """The link of a foreign node, which a bridge holds for it.

    The node has no journal. What it runs is what it was sent and has not ended, in `attempts`.
    """

    is_foreign = True

    def __init__(self, node_uid: str, node_id: str) -> None:
        super().__init__(node_uid, node_id)
        self._told = 0  # the last of its frames that it knows to be durable

    @property
    def credits(self) -> Room:
        return Room(self.capacity - len(self.attempts) if self.free_slots else 0)

    @property
    def room(self) -> int:
        return max(0, self.credit)

    def apply(self, recorded: Recorded) -> None:
        super().apply(recorded)
        for cancel in recorded.cancels:  # nobody waits for these any more
            self.attempts.pop((cancel.run_id, cancel.attempt), None)

    def cancel(self, cancels: Iterable[link.CancelAttempt]) -> None:
        """Does nothing: the node's protocol has no word for it."""

    @property
    def _has_news(self) -> bool:
        return self.received > self._told or super()._has_news

    def number(self, frame: link.ConnectResponse) -> link.ConnectResponse:
        self._told = self.received
        return super().number(frame)
