"""Which nodes are there: links that come and go, signs of life, and what is stored of them.

What moves all the time (the last sign of life, free slots) is kept here and laid over the stored node
as live fields. What a watcher should hear of (a link that went, a face for which the node now counts
as offline, a fault, a battery that drains) is written on the node, one logged change per crossing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import sqlalchemy as sa
from novasphere.api.v1 import options_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_pb2 as pb

from novasphere_server.clock import Clock
from novasphere_server.core import instants
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.servers import Servers
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.log import Change, Read
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

FAULT = "AgentFault"  # the condition that holds what a node reports of itself

# The faces that have a threshold of their own.
FACES = frozenset({options_pb2.FACE_NODES, options_pb2.FACE_DEVICES, options_pb2.FACE_SCHEDULES})

_STEP = 500  # nodes changed in one transaction
_BATTERY_STEP = 5.0  # percent; finer changes are not worth a row of the log
_FAULT_LENGTH = 1024  # characters
_FAULT_PAUSE = 60.0  # seconds between two wordings of the same fault

Face: TypeAlias = options_pb2.Face.ValueType


@dataclass(slots=True)
class _Entry:
    """What is known of one node. The first part mirrors the stored node."""

    node_id: str
    connection: pb.ConnectionState.ValueType
    offline_faces: frozenset[Face]
    stored_fault: str
    stored_battery: tuple[float, bool] | None

    heard_at: float  # monotonic
    heartbeat_us: int = 0  # wall; 0 before the first
    free_slots: int | None = None
    fault: str = ""
    fault_at: float | None = None  # monotonic: when it was last written
    battery: tuple[float, bool] | None = None
    said_goodbye: bool = False

    def live_fields(self) -> pb.Node:
        """Returns what is laid over the stored node."""
        live = pb.Node()
        if self.heartbeat_us:
            live.last_heartbeat.CopyFrom(instants.timestamp(self.heartbeat_us))
        if self.free_slots is not None:
            live.free_slots = self.free_slots
        return live


@dataclass(frozen=True, slots=True)
class _Crossing:
    """What is to be written on one node."""

    uid: str
    node_id: str
    connection: pb.ConnectionState.ValueType
    offline_faces: frozenset[Face]
    fault: str
    battery: tuple[float, bool] | None


class Presence:
    """Follows every node's signs of life."""

    def __init__(self, store: Store, clock: Clock, settings: FleetSettings, servers: Servers) -> None:
        self._store = store
        self._servers = servers
        self._clock = clock
        self._settings = settings
        self._thresholds: tuple[tuple[Face, float], ...] = (
            (options_pb2.FACE_NODES, settings.nodes_face_offline_after),
            (options_pb2.FACE_DEVICES, settings.devices_face_offline_after),
            (options_pb2.FACE_SCHEDULES, settings.schedules_face_offline_after),
        )
        self._entries: dict[str, _Entry] = {}
        self._admitting: set[str] = set()
        self._linked: set[str] = set()
        self._elsewhere: set[str] = set()  # linked to another server
        self._unwritten: set[str] = set()  # nodes whose stored state may be out of date
        self._beating: set[str] = set()  # nodes heard since their heartbeats were last stored
        self._started_at = clock.monotonic()
        self._away_listeners: list[Callable[[str, str], None]] = []
        self.stirred = asyncio.Event()  # something should be written now
        store.on_commit(self._follow, self._recall)

    async def start(self) -> None:
        """Writes what the end of the last process's links makes of the nodes that are known by now."""
        await self.hear_of_others()
        await self.update()

    def full(self, face: Face) -> tuple[str, ...]:
        """Returns the nodes that are well and there for a face, and would take no more work now."""
        return tuple(
            sorted(
                entry.node_id
                for entry in self._entries.values()
                if entry.free_slots == 0 and face not in entry.offline_faces and not entry.stored_fault
            )
        )

    # -- called by links, on the event loop

    def admitting(self, uid: str) -> None:
        """Notes that a Hello of the node is being judged: its stored state is not ours to write now."""
        self._admitting.add(uid)

    def linked(self, uid: str, free_slots: int) -> None:
        """Notes that the node's link is up."""
        self._admitting.discard(uid)
        self._linked.add(uid)
        entry = self._entries.get(uid)
        if entry is not None:
            entry.said_goodbye = False
            self.heard(uid, free_slots)

    def unlinked(self, uid: str, *, said_goodbye: bool = False) -> None:
        """Notes that the node's link is gone, or did not come about."""
        self._admitting.discard(uid)
        self._linked.discard(uid)
        entry = self._entries.get(uid)
        if entry is not None:
            entry.said_goodbye = said_goodbye
            entry.free_slots = None
            self._show(entry)
            self._stir(uid)

    def heard(self, uid: str, free_slots: int, heartbeat: link.Heartbeat | None = None) -> None:
        """Notes a sign of life. Never waits."""
        entry = self._entries.get(uid)
        if entry is None:
            return
        entry.heard_at = self._clock.monotonic()
        entry.heartbeat_us = self._clock.now_us()
        entry.free_slots = free_slots
        self._beating.add(uid)
        self._show(entry)
        if heartbeat is not None:
            entry.fault = heartbeat.fault[:_FAULT_LENGTH]
            if heartbeat.HasField("sample"):
                sample = heartbeat.sample
                if sample.HasField("battery_percent") and 0 <= sample.battery_percent <= 100:
                    entry.battery = (sample.battery_percent, sample.is_charging)

    def lost_at_us(self, uid: str, after: float) -> int | None:
        """Returns when work is given up that waits `after` seconds for an absent node; None while it is here."""
        entry = self._entries.get(uid)
        if entry is None or uid in self._linked:
            return None
        left = self._waited_since(entry) + after - self._clock.monotonic()
        return self._clock.now_us() + int(left * 1_000_000)

    def away_seconds(self, uid: str) -> float | None:
        """Returns how long this server has waited for an absent node; None where it is here, or gone for good."""
        entry = self._entries.get(uid)
        if entry is None or uid in self._linked or uid in self._elsewhere:
            return None
        waited = self._clock.monotonic() - self._waited_since(entry)
        # Of a lost one the server before this one may have waited for long enough.
        is_lost = entry.connection == pb.CONNECTION_STATE_LOST
        return max(waited, self._settings.lost_after) if is_lost else waited

    @property
    def lost_after(self) -> float:
        """After how many seconds the work of an absent node is given up, where it does not say."""
        return self._settings.lost_after

    def on_away(self, listener: Callable[[str, str], None]) -> None:
        """Calls `listener` with uid and name of every node that goes away, and of those that have."""
        self._away_listeners.append(listener)
        for uid, entry in self._entries.items():
            if entry.connection != pb.CONNECTION_STATE_ONLINE:
                listener(uid, entry.node_id)

    # -- called by loops

    async def hear_of_others(self) -> None:
        """Takes over what other servers stored of the nodes that are linked to them."""
        if self._servers.is_alone:
            return
        self._elsewhere = await self._servers.linked_elsewhere()
        if not self._elsewhere:
            return
        rows = await self._store.read(sa.select(tables.heartbeats))
        now_us, now = self._clock.now_us(), self._clock.monotonic()
        for row in rows:
            entry = self._entries.get(row.node_uid)
            if entry is None or row.at_us <= entry.heartbeat_us or row.node_uid in self._linked:
                continue
            entry.heartbeat_us = row.at_us
            entry.heard_at = now - max(0, now_us - row.at_us) / 1_000_000
            self._show(entry)

    async def update(self) -> int:
        """Writes every crossing that is due. Returns how many nodes that concerned."""
        self._unwritten.clear()
        return await self._write(tuple(self._entries))

    async def update_stirred(self) -> int:
        """Writes the crossings of those nodes alone whose links went since the last call."""
        uids = tuple(self._unwritten)
        self._unwritten.clear()
        return await self._write(uids)

    async def flush(self) -> int:
        """Stores when nodes were last heard from. Returns how many nodes that were."""
        uids = self._beating
        self._beating = set()
        rows = [
            {"node_uid": uid, "at_us": self._entries[uid].heartbeat_us}
            for uid in uids
            if uid in self._entries
        ]

        def store(tx: Transaction) -> None:
            nodes = tables.nodes.c
            known = set(
                tx.execute(
                    sa.select(nodes.uid).where(nodes.uid.in_([row["node_uid"] for row in rows]))
                ).scalars()
            )
            # What another server has stored since the node moved to it is newer.
            still_there = [row for row in rows if row["node_uid"] in known]
            tx.upsert(tables.heartbeats, still_there, growing="at_us")

        if rows:
            try:
                await self._store.write(store)
            except BaseException:
                self._beating |= uids
                raise
        return len(rows)

    # -- within

    async def _write(self, uids: Sequence[str]) -> int:
        waiting = deque(uids)
        written = 0
        while step := self._next_crossings(waiting):
            try:
                crossed = await self._store.write(partial(_cross, crossings=step, servers=self._servers))
            except BaseException:
                self._unwritten.update(crossing.uid for crossing in step)
                self._unwritten.update(waiting)
                raise
            written += crossed
            waiting.extend(crossing.uid for crossing in step[crossed:])
        return written

    def _next_crossings(self, waiting: deque[str]) -> list[_Crossing]:
        """Takes nodes from `waiting` and returns the crossings of one transaction, none at the end.

        They are to be submitted at once: a link that comes up afterwards must win.
        """
        step: list[_Crossing] = []
        while waiting and len(step) < _STEP:
            crossing = self._crossing(waiting.popleft())
            if crossing is not None:
                step.append(crossing)
        return step

    def _crossing(self, uid: str) -> _Crossing | None:
        """Returns what should be stored of a node, None when it is.

        A mutation that is submitted after this one comes after it: the link that comes up later wins.
        """
        entry = self._entries.get(uid)
        if entry is None or uid in self._admitting:
            return None
        if uid in self._elsewhere and uid not in self._linked:
            return None
        now = self._clock.monotonic()
        silence = now - entry.heard_at
        crossed = frozenset(face for face, limit in self._thresholds if silence >= limit)
        if uid in self._linked:
            connection, faces = pb.CONNECTION_STATE_ONLINE, crossed
        else:
            # Until the node is back, things only get worse.
            faces = FACES if entry.said_goodbye else crossed | entry.offline_faces
            connection = max(entry.connection, self._absence(entry, faces, now))
        fault = entry.stored_fault
        if entry.fault != fault and (
            not fault
            or not entry.fault
            or entry.fault_at is None
            or now - entry.fault_at >= _FAULT_PAUSE
        ):
            fault = entry.fault
        battery = None
        if entry.battery is not None and _has_drained(entry.stored_battery, entry.battery):
            battery = entry.battery
        if (
            connection == entry.connection
            and faces == entry.offline_faces
            and fault == entry.stored_fault
            and battery is None
        ):
            return None
        return _Crossing(uid, entry.node_id, connection, faces, fault, battery)

    def _absence(
        self, entry: _Entry, faces: frozenset[Face], now: float
    ) -> pb.ConnectionState.ValueType:
        if now >= self._waited_since(entry) + self._settings.lost_after:
            return pb.CONNECTION_STATE_LOST
        if options_pb2.FACE_NODES in faces:
            return pb.CONNECTION_STATE_OFFLINE
        return pb.CONNECTION_STATE_DISCONNECTED

    def _waited_since(self, entry: _Entry) -> float:
        # No agent can have been heard while this server was down: work is given up by this
        # process's own waiting alone.
        return max(entry.heard_at, self._started_at)

    def _show(self, entry: _Entry) -> None:
        self._store.set_live(NODES, entry.node_id, entry.live_fields)

    def _stir(self, uid: str) -> None:
        self._unwritten.add(uid)
        self.stirred.set()

    def _tell_away(self, uid: str, node_id: str) -> None:
        for listener in self._away_listeners:
            listener(uid, node_id)

    async def _recall(self, read: Read) -> None:
        """Takes up what is stored of all nodes. No link has survived, or will."""
        nodes, beats = tables.nodes, tables.heartbeats
        rows = await read(
            sa.select(nodes.c.body, beats.c.at_us).select_from(
                nodes.outerjoin(beats, beats.c.node_uid == nodes.c.uid)
            ),
            {},
        )
        now_us, now = self._clock.now_us(), self._clock.monotonic()
        known, self._entries = self._entries, {}
        found = [(NODES.message.FromString(row.body), row) for row in rows]
        for uid in known.keys() - {node.uid for node, _ in found}:
            # Its link may have shown something since the store forgot what it showed.
            self._store.drop_live(NODES, known[uid].node_id)
        for node, row in found:
            before = known.get(node.uid)
            # When it was heard last may have yet to be stored.
            at_us = max(row.at_us or 0, 0 if before is None else before.heartbeat_us)
            silence_us = now_us - (at_us or instants.microseconds(node.registered_at))
            entry = _mirror(node, now - max(0, silence_us) / 1_000_000)
            self._entries[node.uid] = entry
            if at_us:
                entry.heartbeat_us = at_us
                self._show(entry)
        self._started_at = now
        for uid, entry in self._entries.items():
            if entry.connection != pb.CONNECTION_STATE_ONLINE:
                self._tell_away(uid, entry.node_id)

    def _follow(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.kind_name != NODES.name:
                continue
            if change.after is None:
                if change.before is not None:
                    uid = NODES.message.FromString(change.before).uid
                    self._entries.pop(uid, None)
                    self._beating.discard(uid)
                    self._unwritten.discard(uid)
                continue
            node = NODES.message.FromString(change.after)
            mirror = _mirror(node, self._clock.monotonic())
            entry = self._entries.get(node.uid)
            if entry is None:
                self._entries[node.uid] = mirror
                continue
            if mirror.stored_fault != entry.stored_fault:
                entry.fault_at = mirror.heard_at
            before = entry.connection
            if mirror.connection < entry.connection:  # it has called, here or elsewhere
                entry.heard_at = mirror.heard_at
            entry.connection = mirror.connection
            entry.offline_faces = mirror.offline_faces
            entry.stored_fault = mirror.stored_fault
            entry.stored_battery = mirror.stored_battery
            if entry.connection not in (before, pb.CONNECTION_STATE_ONLINE):
                self._tell_away(node.uid, node.node_id)


def settle(node: pb.Node, connection: pb.ConnectionState.ValueType, faces: Iterable[Face]) -> None:
    """Writes on a node how its link is, and what its status therefore is: the status's only source."""
    node.connection = connection
    node.offline_faces[:] = sorted(faces)
    if options_pb2.FACE_NODES in node.offline_faces:
        node.status = pb.NODE_STATUS_OFFLINE
    elif fault_of(node) is not None:
        node.status = pb.NODE_STATUS_ERROR
    else:
        node.status = pb.NODE_STATUS_ONLINE


def _cross(tx: Transaction, crossings: Sequence[_Crossing], servers: Servers) -> int:
    """Writes the first crossings, as many as one mutation may. Returns how many."""
    crossed = 0
    elsewhere = servers.elsewhere(tx)
    for crossing in tx.fitting(crossings):
        crossed += 1
        if crossing.uid in elsewhere:  # it has called another server
            continue
        node = tx.get(NODES, crossing.node_id)
        if node is None or node.uid != crossing.uid:  # deleted meanwhile
            continue
        before = node.SerializeToString(deterministic=True)
        _write_fault(node, crossing.fault, tx.now_us)
        if crossing.battery is not None:
            node.battery.level_percent, node.battery.is_charging = crossing.battery
        settle(node, crossing.connection, crossing.offline_faces)
        if node.SerializeToString(deterministic=True) != before:
            node.updated_at.CopyFrom(instants.timestamp(tx.now_us))
            tx.put(NODES, node)
    return crossed


def _write_fault(node: pb.Node, fault: str, now_us: int) -> None:
    found = next((c for c in node.conditions if c.type == FAULT), None)
    if found is None:
        if not fault:
            return
        found = node.conditions.add(type=FAULT, reason="ReportedByAgent")
    status = pb.CONDITION_STATUS_TRUE if fault else pb.CONDITION_STATUS_FALSE
    if found.status != status:
        found.status = status
        found.last_transition_time.CopyFrom(instants.timestamp(now_us))
    found.message = fault


def fault_of(node: pb.Node) -> pb.Condition | None:
    """Returns the fault that a node reports of itself, if it does."""
    for condition in node.conditions:
        if condition.type == FAULT and condition.status == pb.CONDITION_STATUS_TRUE:
            return condition
    return None


def _mirror(node: pb.Node, heard_at: float) -> _Entry:
    condition = fault_of(node)
    fault = "" if condition is None else condition.message
    return _Entry(
        node_id=node.node_id,
        connection=node.connection,
        offline_faces=frozenset(node.offline_faces),
        stored_fault=fault,
        stored_battery=(
            (node.battery.level_percent, node.battery.is_charging) if node.HasField("battery") else None
        ),
        heard_at=heard_at,
        fault=fault,
    )


def _has_drained(stored: tuple[float, bool] | None, now: tuple[float, bool]) -> bool:
    """Returns whether a battery changed by enough to be worth writing."""
    return stored is None or stored[1] != now[1] or abs(stored[0] - now[0]) >= _BATTERY_STEP
