"""The links: every agent's stream, from its Hello to its end.

A stream has two sides. The reader takes the agent's frames one by one and stores what they hold; the
writer sends what waits, and turns waiting tasks into dispatches while the agent has credit. Nothing
is sent before it is durable, so a link may break anywhere.

Order is what makes that safe. Mutations run in the order in which they are submitted, and a session
that was replaced submits nothing more: what the Hello of the new one sees is all there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2

from novasphere_server import errors
from novasphere_server.core import (
    attempts,
    demands,
    foreign_nodes,
    identities,
    instants,
    presence,
    secrets,
)
from novasphere_server.core import task_states as states
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.identities import Identity
from novasphere_server.core.metrics import Metrics
from novasphere_server.core.outputs import Outputs
from novasphere_server.core.placement import Placement
from novasphere_server.core.presence import Presence
from novasphere_server.core.principals import Principal
from novasphere_server.core.servers import Servers
from novasphere_server.core.sessions import ForeignSession, Session
from novasphere_server.core.tasks import Tasks
from novasphere_server.store import failpoints
from novasphere_server.store.kinds import NODES, TASKS, Kind
from novasphere_server.store.log import Change, Read
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

R = TypeVar("R")

PROTOCOL = 1
_PATIENCE = 30.0  # seconds that a link waits for room in the writer's queue
# Of what agents answer by themselves, in one frame: no process is started for it.
_ANSWERS = 256
# Of what a node says of itself. With what is noted of it later it must stay below the greatest size of a resource.
_PROFILE_BYTES = 64 * 1024
_DRAIN_RETRY = 1.0  # seconds after which agents may come back to a server that stops


class JoinTokens(Protocol):
    """What the links ask of core.credentials."""

    def consume_join_token(
        self, tx: Transaction, principal: Principal, node_id: str, /, *, is_repeated: bool
    ) -> None:
        """Marks the caller's join token as used by a node, where it came with one."""
        ...


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a Hello leads to: who calls, and what is to be stored of that."""

    session: Session
    identity: Identity
    admit: Callable[[Transaction], tuple[node_pb2.Node, bool]]  # the node, and whether it is new
    reconcile: Callable[[Transaction], attempts.Reconciliation]


@dataclass(slots=True)
class Counters:
    """What happened on all links since the start."""

    hellos: int = 0
    dispatched: int = 0
    reports: int = 0
    stale_reports: int = 0
    output_bytes: int = 0
    frames_sent: int = 0
    frames_received: int = 0


class Links:
    """All links of this server."""

    def __init__(
        self,
        store: Store,
        settings: FleetSettings,
        *,
        join_tokens: JoinTokens,
        tasks: Tasks,
        presence: Presence,
        metrics: Metrics,
        outputs: Outputs,
        servers: Servers,
    ) -> None:
        self._store = store
        self._servers = servers
        self._settings = settings
        self._join_tokens = join_tokens
        self._tasks = tasks
        self._presence = presence
        self._metrics = metrics
        self._outputs = outputs
        self._sessions: dict[str, Session] = {}  # by the uid of the node
        self._by_name: dict[str, Session] = {}  # those that were admitted, by the node's name
        self._placement = Placement()
        self._coming: Counter[str] = Counter()  # demands of tasks of a commit that is being followed
        self._is_draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.counters = Counters()
        tasks.on_change(self._follow_task)
        tasks.on_expected(self._expect_tasks)
        store.on_commit(self._follow_nodes, self._recall)

    @property
    def linked_agents(self) -> int:
        return sum(session.is_admitted for session in self._sessions.values())

    def credit(self, node_uid: str) -> int | None:
        """Returns how many more attempts a node's agent would start now; None without a link to it here."""
        session = self._sessions.get(node_uid)
        return max(session.credit, 0) if session is not None and session.is_admitted else None

    def is_met(self, demand: str) -> bool:
        """Returns whether a node that is linked here meets a demand."""
        return self._placement.is_met(demand)

    def expect(self, waiting: Iterable[str]) -> None:
        """Notes that tasks may wait with these demands."""
        for demand in waiting:
            self._placement.offer_unknown(demand)

    @property
    def idle_nodes(self) -> list[str]:
        """The uids of the nodes linked here, or about to be, that are not known to have work of their own."""
        return [uid for uid, each in self._sessions.items() if not each.may_have_work]

    def expect_own(self, node_uids: Iterable[str]) -> None:
        """Notes that tasks wait that only these nodes may run. Those count whose Hello is being judged: it may
        have been stored before the tasks were let go.
        """
        for uid in node_uids:
            session = self._sessions.get(uid)
            if session is not None:
                session.expect()

    async def connect(
        self, requests: AsyncIterator[link.ConnectRequest], principal: Principal, peer: str = ""
    ) -> AsyncGenerator[link.ConnectResponse, None]:
        """Serves one agent until its stream ends. The caller must aclose() it."""
        if self._is_draining:
            raise errors.Draining
        session, welcome = await self._admit(await self._hello(requests), principal, peer)
        reader = asyncio.create_task(
            self._read(session, requests), name=f"link reader of {session.node_id}"
        )
        reader.add_done_callback(lambda _: session.wake.set())
        try:
            self.counters.frames_sent += 1
            yield session.number(link.ConnectResponse(welcome=welcome))
            while True:
                is_over = reader.done()  # before the frame, which then holds all that it left behind
                if frame := await self._next_frame(session):
                    self.counters.frames_sent += 1
                    yield frame
                if session.closing is not None:
                    self.counters.frames_sent += 1
                    yield session.number(link.ConnectResponse(closing=session.closing))
                    return
                if session.failure is not None:
                    raise session.failure
                if is_over:
                    if not reader.cancelled():
                        reader.result()
                    return
                await session.wake.wait()
                session.wake.clear()
        finally:
            self._forget(session)
            reader.cancel()
            # Its failure has been raised above, or does not matter any more.
            with contextlib.suppress(errors.ApiError):
                await _ended(reader)

    async def close(self) -> None:
        """Tells every agent that the server stops, and returns when their streams have ended."""
        self._is_draining = True
        for session in tuple(self._sessions.values()):
            session.close("DRAINING", _DRAIN_RETRY)
        await self._idle.wait()

    def cut_silent(self) -> int:
        """Ends links that have been silent for too long; to be called once a presence period. Returns
        how many.

        Periods are counted, not seconds: a server that was stopped for a while finds frames that it
        has yet to read, not silent agents.
        """
        limit = max(2, round(self._settings.silence_limit / self._settings.presence_period))
        cut = 0
        for session in tuple(self._sessions.values()):
            # While one frame is being stored the next ones wait unread.
            session.silent_ticks = 0 if session.is_busy else session.silent_ticks + 1
            # Whether a foreign node's connection lives is its bridge's to know.
            is_silent = session.silent_ticks >= limit and not session.is_foreign
            if session.is_admitted and is_silent:
                session.fail(errors.LinkProtocol("the agent was silent for too long"))
                self._forget(session)
                cut += 1
        return cut

    # -- the beginning of a stream

    async def _hello(self, requests: AsyncIterator[link.ConnectRequest]) -> link.ConnectRequest:
        try:
            async with asyncio.timeout(self._settings.hello_timeout):
                frame = await anext(requests, None)
        except TimeoutError:
            raise errors.LinkProtocol("no Hello came") from None
        if frame is None or not frame.HasField("hello") or frame.sequence != 1:
            raise errors.LinkProtocol("the first frame of a stream must be a Hello with sequence 1")
        if frame.hello.protocol != PROTOCOL:
            raise errors.InvalidArgument("hello.protocol", f"must be {PROTOCOL}")
        if frame.hello.profile.ByteSize() > _PROFILE_BYTES:
            raise errors.InvalidArgument("hello.profile", f"must take at most {_PROFILE_BYTES} bytes")
        _check_names(frame)
        return frame

    async def _admit(
        self, frame: link.ConnectRequest, principal: Principal, peer: str
    ) -> tuple[Session, link.Welcome]:
        """Judges a Hello. Returns the session that is now the node's, and the Welcome."""
        hello = frame.hello
        is_foreign = hello.HasField("foreign")
        entry = await (self._foreign_entry if is_foreign else self._agent_entry)(hello, principal)
        identity, session = entry.identity, entry.session
        uid = session.node_uid

        def admit(tx: Transaction) -> tuple[node_pb2.Node, bool, attempts.Reconciliation, bool]:
            node, is_created = entry.admit(tx)
            before = node.SerializeToString(deterministic=True)
            if not is_foreign or hello.foreign.is_registration:
                identities.describe(node, hello, peer)
            presence.settle(node, node_pb2.CONNECTION_STATE_ONLINE, ())
            if node.SerializeToString(deterministic=True) != before:
                node.updated_at.CopyFrom(instants.timestamp(tx.now_us))
                tx.put(NODES, node)
            journal = entry.reconcile(tx)
            return node, is_created, journal, attempts.has_waiting(tx, uid)

        if self._is_draining:
            raise errors.Draining
        self._claim_node(session)
        try:
            node, is_created, journal, has_waiting = await self._write(session, admit)
            # What came since has been noted: the node is this session's.
            session.may_have_work |= has_waiting
            session.session_token = identity.session_token
            while not journal.is_complete:
                journal = await self._write(session, entry.reconcile)
        except BaseException:
            self._forget(session)
            raise
        if not session.is_open:
            self._forget(session)
            raise _ended_early(session)
        self.counters.hellos += 1
        self.counters.frames_received += 1
        session.node_id = node.node_id
        session.capacity = node.capacity
        session.received = frame.sequence
        session.hear_room(frame)
        session.attempts.update(journal.attempts)
        session.dispatch(journal.dispatches)
        session.cancel(journal.cancels)
        session.is_admitted = True
        session.node = node
        self._by_name[node.node_id] = session
        self._placement.join(session)
        self._presence.linked(uid, session.room)
        welcome = link.Welcome(
            node_id=node.node_id,
            node_uid=uid,
            credential=identity.credential,
            session_token=identity.session_token,
            heartbeat_interval_ms=int(self._settings.heartbeat_interval * 1000),
            verdicts=journal.verdicts,
            output_window_bytes=self._settings.output_window_bytes,
            is_created=is_created,
        )
        return session, welcome

    async def _agent_entry(self, hello: link.Hello, principal: Principal) -> _Entry:
        is_bound = identities.is_bound(principal, hello)
        if is_bound:
            uid = hello.node_uid
            if uid in self._sessions:
                # A clone's Hello must not end the link of the machine that it was cloned from.
                await identities.verify(self._store, hello)
        else:
            identities.check_name(hello.node_id)
            uid = await identities.unconfirmed_uid(self._store, principal, hello) or uuid.uuid4().hex
        identity = Identity(
            session_token=identities.new_session_token(),
            credential="" if is_bound else secrets.new(secrets.AGENT),
        )

        def admit(tx: Transaction) -> tuple[node_pb2.Node, bool]:
            if is_bound:
                return identities.resume(tx, hello, identity, self._servers.id), False
            node, is_repeated = identities.enrol(tx, principal, hello, uid, identity, self._servers.id)
            self._join_tokens.consume_join_token(tx, principal, node.node_id, is_repeated=is_repeated)
            return node, not is_repeated

        def reconcile(tx: Transaction) -> attempts.Reconciliation:
            return attempts.reconcile(tx, uid, hello.attempts, self._settings)

        return _Entry(Session(uid, hello.node_id), identity, admit, reconcile)

    async def _foreign_entry(self, hello: link.Hello, principal: Principal) -> _Entry:
        identities.check_name(hello.node_id)
        # Before the node is claimed: a Hello that is refused must not end the node's present link.
        uid = await foreign_nodes.known_uid(self._store, principal, hello)
        uid = uid or self._registering(hello.node_id) or uuid.uuid4().hex
        has_its_own = not foreign_nodes.wants_credential(principal, hello)
        identity = Identity(
            session_token=identities.new_session_token(),
            credential="" if has_its_own else secrets.new(secrets.AGENT),
        )

        def admit(tx: Transaction) -> tuple[node_pb2.Node, bool]:
            node, is_created = foreign_nodes.admit(tx, principal, hello, uid, identity, self._servers.id)
            if is_created:
                self._join_tokens.consume_join_token(tx, principal, node.node_id, is_repeated=False)
            return node, is_created

        def reconcile(tx: Transaction) -> attempts.Reconciliation:
            return foreign_nodes.take_stock(tx, uid)

        return _Entry(ForeignSession(uid, hello.node_id), identity, admit, reconcile)

    def _registering(self, node_id: str) -> str:
        """Returns the uid of a foreign node that another connection is about to make, or ""."""
        for uid, session in self._sessions.items():
            if session.is_foreign and session.node_id == node_id:
                return uid
        return ""

    def _claim_node(self, session: Session) -> None:
        """Makes a session its node's, in place of any other. From here to the submission of its Hello
        nothing waits, so the other session submits nothing after it.
        """
        older = self._sessions.get(session.node_uid)
        self._sessions[session.node_uid] = session
        self._idle.clear()
        self._presence.admitting(session.node_uid)
        if older is not None:
            older.close("DUPLICATE_IDENTITY")

    def _forget(self, session: Session) -> None:
        session.is_open = False
        self._placement.leave(session)
        if self._by_name.get(session.node_id) is session:
            del self._by_name[session.node_id]
        if self._sessions.get(session.node_uid) is session:
            del self._sessions[session.node_uid]
            self._presence.unlinked(session.node_uid, said_goodbye=session.said_goodbye)
            if not self._sessions:
                self._idle.set()

    # -- reading

    async def _read(self, session: Session, requests: AsyncIterator[link.ConnectRequest]) -> None:
        """Takes the agent's frames until the stream ends, either way."""
        async for frame in requests:
            if not session.is_open:
                return
            session.is_busy = True
            await self._handle(session, frame)
            session.is_busy = False
            if session.said_goodbye:
                return

    async def _handle(self, session: Session, frame: link.ConnectRequest) -> None:
        session.accept(frame)
        self.counters.frames_received += 1
        if frame.HasField("hello"):
            raise errors.LinkProtocol("a stream has one Hello")
        has_news = bool(frame.output or frame.reports)
        if has_news:
            _check_names(frame)
        heartbeat = frame.heartbeat if frame.HasField("heartbeat") else None
        self._presence.heard(session.node_uid, session.room, heartbeat)
        if heartbeat is not None and heartbeat.HasField("sample"):
            if session.is_foreign:  # which is told when its sample is durable
                await self._write(session, self._metrics.storing(session.node_uid, heartbeat.sample))
            else:
                self._metrics.record(session.node_uid, heartbeat.sample)
        if not session.is_foreign and not session.is_confirmed and frame.acked_sequence:
            await self._confirm(session)
        if has_news:
            await self._record(session, frame)
        session.received = frame.sequence
        if frame.HasField("goodbye"):
            session.said_goodbye = True
        has_work = session.may_have_work and session.credits
        if session.is_foreign or has_work or self._placement.is_wanted(session):
            session.wake.set()

    async def _confirm(self, session: Session) -> None:
        uid, token = session.node_uid, session.session_token
        if session.is_open:
            await self._write(session, lambda tx: identities.confirm(tx, uid, token))
            session.is_confirmed = True

    async def _record(self, session: Session, frame: link.ConnectRequest) -> None:
        output: Sequence[link.OutputChunk] = frame.output
        reports: Sequence[link.AttemptReport] = frame.reports
        while output or reports:
            keys = {(chunk.run_id, chunk.attempt) for chunk in output}
            keys |= {(report.run_id, report.attempt) for report in reports}
            recorded = await self._write(
                session,
                partial(
                    foreign_nodes.record if session.is_foreign else attempts.record,
                    node_uid=session.node_uid,
                    # Copied, because the mutation runs on another thread.
                    known={key: session.attempts[key] for key in keys if key in session.attempts},
                    output=output,
                    told=reports,
                    settings=self._settings,
                ),
                reads=[(TASKS, run_id) for run_id, _ in keys],
            )
            if recorded.ended:
                failpoints.hit(failpoints.ACKNOWLEDGED)
            self.counters.reports += recorded.reports
            self.counters.stale_reports += recorded.stale_reports
            self.counters.output_bytes += recorded.output_bytes
            session.apply(recorded)
            session.wake.set()
            for run_id in {chunk.run_id for chunk in output}:
                self._outputs.wake(run_id)
            output, reports = (), reports[recorded.reports :]

    # -- writing

    async def _next_frame(self, session: Session) -> link.ConnectResponse | None:
        """Returns what waits to be sent, new dispatches included."""
        if not session.is_open:
            return None
        if session.to_cancel:
            wanted, session.to_cancel = session.to_cancel, {}
            session.cancel(
                await self._write(
                    session, lambda tx: attempts.cancels(tx, wanted.items(), self._settings)
                )
            )
        if not self._is_draining:
            await self._claim(session)
        # What was claimed for a session that is over is sent again by the next one.
        return session.next_frame() if session.is_open else None

    async def _claim(self, session: Session) -> None:
        """Turns work that waits into dispatches, as far as the node has room."""
        room = session.credits.at_most(self._settings.dispatch_batch, _ANSWERS)
        node = session.node
        if not session.is_open or node is None:
            return
        if not room:
            self._placement.pass_on(session)
            return
        if self._placement.asks(session):
            await self._placement.ask(session, self._tasks.waiting_demands)
        # Before the look: a task that comes meanwhile must not be overlooked.
        has_own, session.may_have_work = session.may_have_work, False
        looked_for, shared = self._placement.look(session)
        if not has_own and not looked_for:
            return
        unread: Collection[str] = looked_for.keys()
        try:
            claim = await self._write(
                session,
                partial(
                    attempts.claim,
                    node=node,
                    room=room,
                    settings=self._settings,
                    has_own=has_own,
                    demands=tuple(looked_for),
                    shared=shared.at_most(room.slots, room.answers or 0),
                ),
                reads=[(NODES, node.node_id)],
            )
            unread = claim.demands
            if claim.dispatches:
                failpoints.hit(failpoints.DISPATCHED)
            if session.is_foreign and not session.is_open:
                # Nobody will say that they never arrived.
                for dispatch in claim.dispatches:
                    await self._store.write(partial(attempts.put_back, told=dispatch))
            # Before the rest is offered: what is on its way takes room.
            session.dispatch(claim.dispatches)
        finally:
            self._placement.looked(looked_for, unread)
        session.may_have_work |= claim.may_have_own
        self.counters.dispatched += len(claim.dispatches)
        if claim.has_more_own and session.credits:
            session.wake.set()

    async def _write(
        self,
        session: Session,
        mutation: Callable[[Transaction], R],
        *,
        reads: Sequence[tuple[Kind[Any], str]] = (),
    ) -> R:
        """Writes for a session, and waits for room while the writer is overloaded: to end a thousand
        links because the server is busy would make it busier.

        A session that has ended meanwhile writes nothing: its successor has been told how things stand.
        Of a successor at another server the database knows.
        """
        token = session.session_token

        def fenced(tx: Transaction) -> R:
            self._servers.check_link(tx, session.node_uid, token)
            return mutation(tx)

        waited = 0.0
        pause = 0.05
        while session.is_open:
            try:
                return await self._store.write(fenced, reads=reads)
            except errors.DuplicateIdentity:
                if not token:  # its Hello was refused
                    raise
                session.close("DUPLICATE_IDENTITY")
                break
            except errors.Overloaded:
                if waited >= _PATIENCE:
                    raise
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause * 2, 2.0)
        raise _ended_early(session)

    # -- following the log

    def _expect_tasks(self, node_id: str, demand: str, count: int) -> None:
        """Has idle links look for work at once, so that a task and its dispatch share a commit."""
        if demand:
            self._placement.offer(demand, count)
            return
        session = self._by_name.get(node_id)
        if session is not None:
            session.expect()

    def _offer_coming(self) -> None:
        coming, self._coming = self._coming, Counter()
        for demand, count in coming.items():
            self._placement.offer(demand, count)

    def _follow_task(self, run_id: str, stored: task_pb2.StoredTask | None) -> None:
        if stored is None:
            return
        task, instance = stored.task, stored.instance
        if task.state == task_pb2.WORK_STATE_PENDING and not task.node_uid:
            if not self._coming:
                asyncio.get_running_loop().call_soon(self._offer_coming)
            self._coming[demands.spelled(task.config)] += 1
            return
        session = self._sessions.get(instance.node_uid)
        if session is None:
            return
        if session.is_foreign and task.state not in states.ON_NODE:  # the server counts its credit
            session.attempts.pop((run_id, instance.attempt), None)
            if session.may_have_work:
                session.wake.set()
        if states.is_terminal(task.state):
            return
        if task.state == task_pb2.WORK_STATE_PENDING:
            session.expect()
        elif task.cancel_requested:
            session.to_cancel[run_id] = instance.attempt
            session.wake.set()

    async def _recall(self, read: Read) -> None:
        """Ends every link: what was missed may concern any, and the next Hello tells how things stand."""
        for session in tuple(self._sessions.values()):
            session.fail(errors.DatabaseUnavailable())

    def _follow_nodes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.kind_name != NODES.name:
                continue
            if change.after is not None:
                self._placement.update(NODES.message.FromString(change.after))
            elif change.before is not None:
                session = self._sessions.get(NODES.message.FromString(change.before).uid)
                if session is not None:
                    session.close("NODE_DELETED")


def _check_names(frame: link.ConnectRequest) -> None:
    """Refuses what is looked up or filtered by, and holds what no name does and not every database keeps."""
    told = [chunk.run_id for chunk in frame.output]
    told += [report.run_id for report in frame.reports]
    told += [state.run_id for state in frame.hello.attempts]
    if any("\0" in run_id for run_id in told):
        raise errors.LinkProtocol("a run_id contains a NUL character")
    if frame.HasField("hello"):
        hello = frame.hello
        labels = "".join((*hello.profile.labels, *hello.profile.labels.values()))
        for field, text in (
            ("hello.boot_id", hello.boot_id),
            ("hello.profile.role", hello.profile.role),
            ("hello.profile.labels", labels),
        ):
            if "\0" in text:
                raise errors.InvalidArgument(field, "must not contain NUL characters")


def _ended_early(session: Session) -> errors.ApiError:
    """Returns why a session was closed while something was being written for it."""
    if session.failure is not None:
        return session.failure
    match session.closing.reason if session.closing is not None else "":
        case "DRAINING":
            return errors.Draining()
        case "NODE_DELETED":
            return errors.NodeDeleted(session.node_id)
        case _:  # another Hello came after this one
            return errors.DuplicateIdentity(session.node_id)


async def _ended(task: asyncio.Task[None]) -> None:
    """Waits for a task that was told to end; raises what it failed with, its cancellation apart."""
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
