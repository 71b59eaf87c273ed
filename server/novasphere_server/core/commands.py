"""Commands: accepted, listed, watched and cancelled. What nodes make of them is in core.reports."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api
from novasphere.node.v1 import node_pb2

from novasphere_server import errors
from novasphere_server.backlogs import Backlog
from novasphere_server.core import command_states as states
from novasphere_server.core import etags, instants, output_chunks
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.principals import Principal
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import COMMANDS, NODES
from novasphere_server.store.log import Change, Read
from novasphere_server.store.queries import Page, Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, WatchPage

# The kernel takes no longer argument: 128 KiB with the byte that ends it.
TEXT_LIMIT = 128 * 1024 - 1

DELETION_STEP = 200  # commands deleted in one transaction

_table = tables.commands.c


@dataclass(frozen=True, slots=True)
class CommandFilter:
    """Which commands to list or watch. Empty values choose everything."""

    status: states.Status = pb.COMMAND_STATUS_UNSPECIFIED
    node_id: str = ""
    command_id: str = ""
    namespace: str = ""


Listener = Callable[[str, pb.CommandWithResult | None], None]


class Commands:
    """All commands of all nodes."""

    def __init__(self, store: Store, settings: FleetSettings) -> None:
        self._store = store
        self._settings = settings
        self._listeners: list[Listener] = []
        self._missing: list[Callable[[], None]] = []
        self._expecting: list[Callable[[str], None]] = []
        self.backlog = Backlog()  # of those that ended; its loop keeps it
        store.on_commit(self._follow, self._recall)

    def on_change(self, listener: Listener) -> None:
        """Calls `listener` on the event loop with the id of every command that changed and the command
        after the change; None when it was deleted. Of changes that were committed together it hears the
        last one of each command.
        """
        self._listeners.append(listener)

    def on_missed(self, listener: Callable[[], None]) -> None:
        """Calls `listener` when it may have missed changes: what it remembers of commands is out of date."""
        self._missing.append(listener)

    def on_expected(self, listener: Callable[[str], None]) -> None:
        """Calls `listener` with the id of the node that is about to be given a command.

        What it has written in its next step on the event loop is written behind the command, mostly in
        the same commit. The command may still be refused.
        """
        self._expecting.append(listener)

    async def create(
        self,
        principal: Principal,
        request: api.CreateCommandRequest,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Command:
        """Returns the new command, PENDING. Raises NodeNotFound."""
        check(principal, request, self._settings)
        command_id = new_id()

        def create(tx: Transaction) -> pb.Command:
            node = tx.get(NODES, request.node_id)
            if node is None:
                raise errors.NodeNotFound(request.node_id)
            stored = new(tx, command_id, node, request, self._settings)
            tx.put(COMMANDS, stored)
            return stored.command

        if not is_dry_run:
            for expect in self._expecting:
                expect(request.node_id)
        return await self._store.write(
            create,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=pb.Command,
            reads=[(NODES, request.node_id), (COMMANDS, command_id)],
        )

    async def get(self, principal: Principal, command_id: str) -> Rendered[pb.CommandWithResult]:
        """Returns a command with its result. Raises CommandNotFound, and PermissionDenied where the caller
        may not know whether it is there.
        """
        stored = await self._store.get(COMMANDS, command_id)
        if stored is None or (
            principal.namespaces and not principal.may_touch(stored.message().command.namespace)
        ):
            raise out_of_reach(principal, command_id)
        return stored

    async def list(
        self, principal: Principal, which: CommandFilter, *, limit: int, offset: int = 0
    ) -> Page[pb.CommandWithResult]:
        """Returns commands with their results, newest first, and how many match in all."""
        filters: list[tuple[str, str, object]] = []
        if which.status:
            filters.append(("status", "=", which.status))
        if which.node_id:
            filters.append(("node_id", "=", which.node_id))
        if which.namespace:
            check_namespace(principal, which.namespace)
            filters.append(("namespace", "=", which.namespace))
        elif principal.namespaces:
            filters.append(("namespace", "in", tuple(sorted(principal.namespaces))))
        return await self._store.list(
            Query(COMMANDS, filters=tuple(filters), order_by=("-id",), limit=limit, offset=offset)
        )

    async def list_flat(
        self, principal: Principal, which: CommandFilter, *, limit: int, offset: int = 0
    ) -> Page[pb.Command]:
        """Returns what list() does, without the results."""
        page = await self.list(principal, which, limit=limit, offset=offset)
        return Page([item.projected(_command_of) for item in page.items], page.total)

    async def list_for_node(
        self, principal: Principal, node_id: str, status: states.Status, *, limit: int
    ) -> Page[pb.CommandWithResult]:
        """Returns a node's commands, newest first. Raises NodeNotFound."""
        if await self._store.get(NODES, node_id) is None:
            raise errors.NodeNotFound(node_id)
        return await self.list(principal, CommandFilter(status=status, node_id=node_id), limit=limit)

    def watch(
        self, principal: Principal, which: CommandFilter, cursor: str
    ) -> AsyncGenerator[WatchPage, None]:
        """Returns the pages of a watch over Command objects. The caller must aclose() it."""
        if which.namespace:
            check_namespace(principal, which.namespace)
        namespaces = principal.namespaces

        def matches(stored: pb.CommandWithResult) -> bool:
            command = stored.command
            return (
                (not which.status or command.status == which.status)
                and (not which.node_id or command.target_node_id == which.node_id)
                and (not which.namespace or command.namespace == which.namespace)
                and (not namespaces or command.namespace in namespaces)
            )

        return self._store.watch(
            Watch(
                kind=COMMANDS,
                cursor=cursor,
                identity=(which, namespaces),
                matches=matches,
                project=_command_of,
                key=which.command_id,
            )
        )

    async def cancel(
        self,
        principal: Principal,
        command_id: str,
        *,
        grace_seconds: int | None = None,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Command:
        """Returns the command after the request: CANCELLED, or unfinished until its agent confirms.

        Raises what get() raises, and CommandFinished when it ended in another way.
        """

        def cancel(tx: Transaction) -> pb.Command:
            stored = find(tx, principal, command_id)
            command = stored.command
            etags.check(etag, command.revision)
            if command.state != pb.COMMAND_STATE_CANCELLED:
                states.refuse_finished(command)
                request_cancel(tx, stored, principal, grace_seconds)
            return command

        return await self._store.write(
            cancel,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=pb.Command,
            reads=[(COMMANDS, command_id)],
        )

    async def next_queue_deadline_us(self) -> int | None:
        """Returns when the first waiting command will have waited for too long."""
        rows = await self._store.read(
            sa.select(sa.func.min(_table.queue_deadline_us)).where(
                _table.state == pb.COMMAND_STATE_PENDING
            )
        )
        return None if rows[0][0] is None else int(rows[0][0])

    async def expire_queued(self) -> int:
        """Ends up to a batch of commands that waited too long for their node. Returns how many."""

        def expire(tx: Transaction) -> int:
            due = tx.find(
                COMMANDS,
                _table.state == pb.COMMAND_STATE_PENDING,
                _table.queue_deadline_us <= tx.now_us,
                limit=DELETION_STEP,
            )
            expired = 0
            for stored in tx.fitting(due):
                expire_queued(tx, stored)
                expired += 1
            return expired

        return await self._store.write(expire)

    async def timed_runs(self) -> Sequence[tuple[str, int]]:
        """Returns the unfinished commands that the server times, and when the time of each is up."""
        rows = await self._store.read(sa.select(_table.body).where(_table.state.in_(states.ON_NODE)))
        unfinished = (pb.CommandWithResult.FromString(row.body).command for row in rows)
        return [
            (command.command_id, instants.microseconds(command.run_deadline))
            for command in unfinished
            if command.HasField("run_deadline")
        ]

    async def expire_runs(self, command_ids: Sequence[str]) -> int:
        """Ends commands whose time is up on foreign nodes, as many as one mutation may. Returns how many
        of them need no second look.
        """

        def expire(tx: Transaction) -> int:
            settled = 0
            for command_id in tx.fitting(command_ids):
                settled += 1
                stored = tx.get(COMMANDS, command_id)
                if stored is None or stored.command.state not in states.ON_NODE:
                    continue  # its result came in the meantime
                states.end(
                    stored.command,
                    pb.COMMAND_STATE_TIMED_OUT,
                    tx.now_us,
                    "TIMEOUT",
                    f"no result came within {stored.command.timeout_seconds} s after it was sent; "
                    "a foreign node cannot be told, so it may still run there",
                )
                tx.put(COMMANDS, stored)
            return settled

        return await self._store.write(expire)

    async def lose_work(self, node_id: str, node_uid: str) -> int:
        """Ends up to a batch of what a lost node was sent. Returns how many commands that were."""

        def lose(tx: Transaction) -> int:
            node = tx.get(NODES, node_id)
            if node is None or node.uid != node_uid or node.connection != node_pb2.CONNECTION_STATE_LOST:
                return 0  # it came back, or was deleted
            unfinished = tx.find(
                COMMANDS,
                _table.node_uid == node_uid,
                _table.state.in_(states.ON_NODE),
                limit=DELETION_STEP,
            )
            lost = 0
            for stored in tx.fitting(unfinished):
                states.end(
                    stored.command,
                    pb.COMMAND_STATE_LOST,
                    tx.now_us,
                    "LOST",
                    f"node {node_id!r} stayed away too long; the command may have run",
                )
                tx.put(COMMANDS, stored)
                lost += 1
            return lost

        return await self._store.write(lose)

    async def oldest_end_us(self, older_than_us: int) -> int | None:
        """Returns when the command ended that ended first, if that was before a time."""
        # Spelled so that the index of what has ended serves.
        ended = sa.select(_table.completed_at_us).where(_table.completed_at_us < older_than_us)
        rows = await self._store.read(ended.order_by(_table.completed_at_us).limit(1))
        return int(rows[0][0]) if rows else None

    async def forget_ended(self, older_than_us: int) -> int:
        """Takes a step in deleting commands that ended before a time. Returns how many went: none, when
        there was first some of their output to delete.
        """

        def forget(tx: Transaction) -> int:
            keys = (
                tx.execute(
                    sa.select(_table.key)
                    .where(_table.completed_at_us < older_than_us)
                    .order_by(_table.completed_at_us)
                    .limit(DELETION_STEP)
                )
                .scalars()
                .all()
            )
            if keys and not output_chunks.delete_some(tx, keys):
                return 0
            return delete(tx, tx.fitting(keys))

        return await self._store.write(forget)

    async def _recall(self, read: Read) -> None:
        for listener in self._missing:
            listener()

    def _follow(self, changes: Sequence[Change]) -> None:
        last = {change.key: change.after for change in changes if change.kind_name == COMMANDS.name}
        for command_id, body in last.items():
            after = None if body is None else COMMANDS.message.FromString(body)
            for listener in self._listeners:
                listener(command_id, after)


def new_id() -> str:
    """Returns the id of a command to be created."""
    return f"cmd-{uuid.uuid4().hex}"


def check(
    principal: Principal, request: api.CreateCommandRequest, settings: FleetSettings, where: str = ""
) -> None:
    """Refuses what no node could run, and namespaces that are not the caller's.

    `where` is the path to the request, with the dot that follows it, where it is one of many.
    """
    try:
        check_namespace(principal, request.namespace or settings.command_namespace)
    except errors.PermissionDenied as refusal:
        if where:
            refusal.at(f"{where}namespace")
        raise
    _check_text(request.command_text, f"{where}command_text")


def new(
    tx: Transaction,
    command_id: str,
    node: node_pb2.Node,
    request: api.CreateCommandRequest,
    settings: FleetSettings,
) -> pb.CommandWithResult:
    """Returns a new command for a node, PENDING, to be stored."""
    command = pb.Command(
        id=tx.next_id("commands"),
        command_id=command_id,
        command_text=request.command_text,
        target_node_id=node.node_id,
        node_uid=node.uid,
        namespace=request.namespace or settings.command_namespace,
        created_at=instants.timestamp(tx.now_us),
        timeout_seconds=(
            request.timeout_seconds if request.HasField("timeout_seconds") else settings.command_timeout
        ),
        queue_timeout_seconds=(
            request.queue_timeout_seconds
            if request.HasField("queue_timeout_seconds")
            else settings.command_queue_timeout
        ),
    )
    states.move(command, pb.COMMAND_STATE_PENDING)
    return pb.CommandWithResult(command=command)


def find(tx: Transaction, principal: Principal, command_id: str) -> pb.CommandWithResult:
    """Returns a command that the caller may touch. Raises what out_of_reach() returns."""
    stored = tx.get(COMMANDS, command_id)
    if stored is None or not principal.may_touch(stored.command.namespace):
        raise out_of_reach(principal, command_id)
    return stored


def request_cancel(
    tx: Transaction, stored: pb.CommandWithResult, principal: Principal, grace_seconds: int | None
) -> None:
    """Ends a command that waits, or that a foreign node has; of one that another node has, notes that it is to
    be killed, once.
    """
    command = stored.command
    if command.cancel_requested:
        return
    command.cancel_requested = True
    command.cancel_requested_at.CopyFrom(instants.timestamp(tx.now_us))
    command.cancel_requested_by = principal.name
    if command.state == pb.COMMAND_STATE_PENDING:
        states.end(
            command,
            pb.COMMAND_STATE_CANCELLED,
            tx.now_us,
            "CANCELLED",
            "cancelled before it was sent to its node",
        )
    elif command.HasField("run_deadline"):
        # Nobody could confirm it: the node's protocol has no word for it.
        states.end(
            command,
            pb.COMMAND_STATE_CANCELLED,
            tx.now_us,
            "CANCELLED",
            "cancelled; a foreign node cannot be told, so it may still run there",
        )
    extra = {} if grace_seconds is None else {"cancel_grace_ms": grace_seconds * 1000}
    tx.put(COMMANDS, stored, **extra)


def expire_queued(tx: Transaction, stored: pb.CommandWithResult) -> None:
    """Ends a command whose node did not take it in time."""
    command = stored.command
    states.end(
        command,
        pb.COMMAND_STATE_TIMED_OUT,
        tx.now_us,
        "QUEUE_TIMEOUT",
        f"its node did not take it within {command.queue_timeout_seconds} s",
    )
    tx.put(COMMANDS, stored)


def delete(tx: Transaction, command_ids: Iterable[str]) -> int:
    """Deletes commands through the log, and all that was kept beside them. Returns how many."""
    deleted = []
    for command_id in command_ids:
        tx.delete(COMMANDS, command_id)
        deleted.append(command_id)
    output_chunks.delete(tx, deleted)
    reports = tables.stale_reports
    for start in range(0, len(deleted), DELETION_STEP):
        step = deleted[start : start + DELETION_STEP]
        tx.execute(sa.delete(reports).where(reports.c.command_id.in_(step)))
    return len(deleted)


def _command_of(stored: pb.CommandWithResult) -> pb.Command:
    return stored.command


def check_namespace(principal: Principal, namespace: str) -> None:
    """Raises PermissionDenied where the caller is bound to other namespaces."""
    if not principal.may_touch(namespace):
        raise errors.PermissionDenied(
            f"this credential does not reach the namespace {namespace!r}",
            metadata={"namespace": namespace},
        )


def out_of_reach(principal: Principal, command_id: str) -> errors.ApiError:
    """Returns what is said of a command that is not there, or not the caller's: who is bound to namespaces
    cannot tell the one from the other.
    """
    if not principal.namespaces:
        return errors.CommandNotFound(command_id)
    return errors.PermissionDenied(
        f"this credential, which is bound to namespaces, reaches no command {command_id!r}",
        metadata={"command_id": command_id},
    )


def _check_text(text: str, field: str) -> None:
    if len(text.encode()) > TEXT_LIMIT:
        raise errors.InvalidArgument(field, f"must take at most {TEXT_LIMIT} bytes")
