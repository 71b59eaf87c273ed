"""Links of foreign nodes, below their frames: what the server does because such a node cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere.schedule.v1 import agent_service_pb2 as api
from novasphere.schedule.v1.task_pb2 import (
    WORK_STATE_DISPATCHED,
    WORK_STATE_FAILED,
    WORK_STATE_LOST,
    WORK_STATE_PENDING,
    WORK_STATE_SUCCEEDED,
    WORK_STATE_TIMED_OUT,
)
from novasphere_server import errors
from novasphere_server.core.credentials import ADMIN


class Bridge:
    """A bridge that holds the link of one foreign node."""

    def __init__(self, world: Any, node_id: str = "n1") -> None:
        self.world = world
        self.node_id = node_id
        self._requests: asyncio.Queue[link.ConnectRequest | None] = asyncio.Queue()
        self._stream: Any = None
        self._sent = self.acked = 0
        self.acked_sequence = 0  # the last of its frames that the server has dealt with

    async def connect(self, *, capacity: int = 1, is_registration: bool = True) -> link.Welcome:
        hello = link.Hello(
            node_id=self.node_id,
            protocol=1,
            capacity=capacity,
            foreign=link.ForeignNode(is_registration=is_registration),
        )
        self._stream = self.world.fleet.links.connect(self._outgoing(), ADMIN)
        self.send(hello=hello)
        return (await anext(self._stream)).welcome

    async def _outgoing(self) -> AsyncIterator[link.ConnectRequest]:
        while (request := await self._requests.get()) is not None:
            yield request

    def send(self, *, free_slots: int = 1, **content: Any) -> int:
        self._sent += 1
        self._requests.put_nowait(
            link.ConnectRequest(
                sequence=self._sent, acked_sequence=self.acked, free_slots=free_slots, **content
            )
        )
        return self._sent

    async def next(self) -> link.ConnectResponse:
        frame = await asyncio.wait_for(anext(self._stream), 60)
        self.acked = frame.sequence
        self.acked_sequence = frame.acked_sequence
        return frame

    async def dispatch(self) -> link.Dispatch:
        while True:
            for dispatch in (await self.next()).dispatches:
                return dispatch

    async def settled(self, sequence: int) -> None:
        """Waits until a frame is acknowledged."""
        while self.acked_sequence < sequence:
            await self.next()

    async def close(self) -> None:
        await self._stream.aclose()


def undelivered(dispatch: link.Dispatch) -> link.AttemptReport:
    return link.AttemptReport(
        run_id=dispatch.run_id,
        attempt=dispatch.attempt,
        fencing_token=dispatch.fencing_token,
        phase=link.ATTEMPT_PHASE_UNDELIVERED,
    )


def exited(dispatch: link.Dispatch, exit_code: int) -> link.AttemptReport:
    """The result of a dispatch, as a bridge tells it whose node says which one it is of."""
    return link.AttemptReport(
        run_id=dispatch.run_id,
        attempt=dispatch.attempt,
        fencing_token=dispatch.fencing_token,
        phase=link.ATTEMPT_PHASE_EXITED,
        exit_code=exit_code,
    )


async def test_a_reserved_name_is_taken_by_a_foreign_node_that_registers(world) -> None:
    reserved = await world.fleet.agents.create(ADMIN, api.CreateAgentRequest(name="n1"))
    bridge = Bridge(world)
    with pytest.raises(errors.NodeNotFound):
        await bridge.connect(is_registration=False)
    bridge = Bridge(world)
    assert (await bridge.connect()).is_created
    node = await world.node()
    assert (node.uid, node.is_foreign, node.is_reserved) == (reserved.uid, True, False)
    await bridge.close()


async def test_time_runs_on_while_the_server_is_down(world) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    command_id = await world.run(timeout_seconds=60)
    await bridge.dispatch()
    await bridge.close()
    await world.restart(down_for=50)
    await world.pass_time(5)
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_DISPATCHED
    await world.pass_time(6)
    ended = await world.command(command_id)
    assert (ended.state, ended.reason) == (pb.COMMAND_STATE_TIMED_OUT, "TIMEOUT")


async def test_nobody_times_what_an_agent_runs(world) -> None:
    agent = world.agent()
    await agent.connect()
    command_id = await world.run(timeout_seconds=1)
    await agent.dispatched()
    await world.pass_time(100)
    command = await world.command(command_id)
    assert command.state == pb.COMMAND_STATE_DISPATCHED
    assert not command.HasField("run_deadline")


async def test_what_certainly_did_not_arrive_waits_again(world) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    command_id = await world.run()
    first = await bridge.dispatch()
    # No more is wanted, else it would come back at once.
    await bridge.settled(bridge.send(reports=[undelivered(first)], free_slots=0))
    waiting = await world.command(command_id)
    assert waiting.state == pb.COMMAND_STATE_PENDING
    assert not waiting.HasField("run_deadline")
    bridge.send(free_slots=1)
    second = await bridge.dispatch()
    assert (second.run_id, second.attempt) == (command_id, first.attempt + 1)
    # Said again, of a dispatch that is over: nothing comes of it.
    await bridge.settled(bridge.send(reports=[undelivered(first)]))
    assert (await world.command(command_id)).attempt == second.attempt
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_DISPATCHED
    await bridge.close()


async def test_nobody_puts_back_what_another_node_was_sent(world) -> None:
    owner, stranger = Bridge(world), Bridge(world, "n2")
    await owner.connect()
    await stranger.connect()
    command_id = await world.run()
    dispatch = await owner.dispatch()
    await stranger.settled(stranger.send(reports=[undelivered(dispatch)]))
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_DISPATCHED
    await owner.close()
    await stranger.close()


async def test_what_started_does_not_wait_again(world) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    command_id = await world.run()
    dispatch = await bridge.dispatch()
    started = link.AttemptReport(run_id=command_id, phase=link.ATTEMPT_PHASE_RUNNING)
    await bridge.settled(bridge.send(reports=[started, undelivered(dispatch)]))
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_RUNNING
    await bridge.close()


async def test_a_silent_link_is_left_to_its_bridge(world, settings) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    for _ in range(20):
        await world.pass_time(settings.presence_period)
    assert world.fleet.links.linked_agents == 1
    await bridge.close()


async def test_a_foreign_node_that_never_registered_is_not_let_in(world) -> None:
    with pytest.raises(errors.NodeNotFound):
        await Bridge(world).connect(is_registration=False)


async def test_a_command_that_is_cancelled_frees_its_slot(world) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    first, second = await world.run(), await world.run()
    assert (await bridge.dispatch()).run_id == first
    await world.fleet.commands.cancel(ADMIN, first)
    assert (await bridge.dispatch()).run_id == second
    await bridge.close()


async def test_the_newest_link_wins_at_whichever_server_it_is(pair) -> None:
    here, there = pair
    left, newest = Bridge(here), Bridge(there)
    await left.connect()
    run_id = await here.run()
    dispatch = await left.dispatch()
    await there.store.catch_up()
    assert not (await newest.connect(is_registration=False)).is_created

    left.send(reports=[exited(dispatch, 9)])
    while not (frame := await left.next()).HasField("closing"):
        pass
    assert frame.closing.reason == "DUPLICATE_IDENTITY"
    assert (await there.command(run_id)).state == pb.COMMAND_STATE_DISPATCHED

    await newest.settled(newest.send(reports=[exited(dispatch, 0)]))
    assert (await there.command(dispatch.run_id)).exit_code == 0
    await left.close()
    await newest.close()


@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_may_still_run_on_a_foreign_node_is_not_started_again(world, is_lost) -> None:
    bridge = Bridge(world)
    await bridge.connect(capacity=2)
    wanted = {"max_retries": 3, "retry_interval_seconds": 0, "retry_lost": True}
    wanted |= {"timeout_seconds": 10**6 if is_lost else 10, "on_disconnect": "DISCONNECT_POLICY_REPLACE"}
    [task_id] = await world.submit(command_text="x", **wanted)
    run_id = (await bridge.dispatch()).run_id
    if is_lost:
        await bridge.close()
        await world.pass_time(world.settings.lost_after)
        bridge = Bridge(world)
        await bridge.connect(capacity=2)
    else:
        await world.pass_time(11)
    ended = WORK_STATE_LOST if is_lost else WORK_STATE_TIMED_OUT
    assert (await world.task(task_id)).task.state == ended

    ended_well = link.AttemptReport(run_id=run_id, phase=link.ATTEMPT_PHASE_EXITED, exit_code=0)
    await bridge.settled(bridge.send(reports=[ended_well], free_slots=2))
    stored = await world.task(task_id)
    assert (stored.task.state, stored.instance.attempt) == (ended, 1)
    assert stored.instance.HasField("late_report")
    await bridge.close()


async def test_what_failed_on_a_foreign_node_is_retried_and_has_a_time_of_its_own(world) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    wanted = {"timeout_seconds": 10, "max_retries": 1, "retry_interval_seconds": 0}
    [task_id] = await world.submit(command_text="x", **wanted)
    first = await bridge.dispatch()
    await world.pass_time(9)
    bridge.send(reports=[exited(first, 1)])
    assert (await bridge.dispatch()).attempt == first.attempt + 1
    await world.pass_time(2)
    # Found due just before it failed, and ended only now.
    await world.fleet.tasks.expire_runs([(first.run_id, first.attempt)])
    assert (await world.task(task_id)).task.state == WORK_STATE_DISPATCHED
    await world.pass_time(8)
    assert (await world.task(task_id)).task.state == WORK_STATE_TIMED_OUT
    await bridge.close()


RETRIED = {"timeout_seconds": 600, "max_retries": 2, "retry_interval_seconds": 0}


async def test_a_result_that_is_told_twice_ends_one_attempt(world) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    [task_id] = await world.submit(command_text="x", **RETRIED)
    first = await bridge.dispatch()
    chunk = {"run_id": first.run_id, "stream": link.STREAM_STDOUT, "data": b"no"}
    chunk |= {"attempt": first.attempt, "fencing_token": first.fencing_token}
    bridge.send(output=[link.OutputChunk(**chunk)], reports=[exited(first, 1)])
    second = await bridge.dispatch()
    # Results have no answer: a node that is not sure says it again, maybe in other words.
    chunk["data"] = b"no and no"
    again = bridge.send(output=[link.OutputChunk(**chunk)], reports=[exited(first, 1)])
    acks = []
    while bridge.acked_sequence < again:
        acks += (await bridge.next()).report_acks
    assert [(ack.attempt, ack.is_stale, ack.late_after) for ack in acks] == [(first.attempt, False, "")]
    stored = await world.task(task_id)
    assert (stored.task.state, stored.task.retry_count) == (WORK_STATE_DISPATCHED, 1)
    assert await world.output(first.run_id, attempt=first.attempt) == b"no"
    await bridge.settled(bridge.send(reports=[exited(second, 0)]))
    assert (await world.task(task_id)).task.state == WORK_STATE_SUCCEEDED
    await bridge.close()


async def test_nothing_follows_a_result_that_does_not_say_of_which_attempt_it_is(world) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    [task_id] = await world.submit(command_text="x", **RETRIED)
    dispatch = await bridge.dispatch()
    unnamed = link.AttemptReport(run_id=dispatch.run_id, phase=link.ATTEMPT_PHASE_EXITED, exit_code=1)
    for _ in range(2):
        await bridge.settled(bridge.send(reports=[unnamed]))
    stored = await world.task(task_id)
    assert (stored.task.state, stored.task.retry_count) == (WORK_STATE_FAILED, 0)
    assert not stored.instance.HasField("late_report")
    await bridge.close()


async def test_a_retry_that_never_reached_its_node_has_its_time_to_wait(world) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    [task_id] = await world.submit(command_text="x", queue_timeout_seconds=60, **RETRIED)
    first = await bridge.dispatch()
    await world.pass_time(100)
    bridge.send(reports=[exited(first, 1)])
    second = await bridge.dispatch()
    await bridge.settled(bridge.send(reports=[undelivered(second)], free_slots=0))
    await world.pass_time(59)
    assert (await world.task(task_id)).task.state == WORK_STATE_PENDING
    await world.pass_time(2)
    task = (await world.task(task_id)).task
    assert (task.state, task.reason) == (WORK_STATE_TIMED_OUT, "QUEUE_TIMEOUT")
    await bridge.close()


async def test_a_retry_that_never_arrives_ends_however_often_it_is_sent(world: Any) -> None:
    bridge = Bridge(world)
    await bridge.connect()
    [task_id] = await world.submit(command_text="x", queue_timeout_seconds=60, **RETRIED)
    bridge.send(reports=[exited(await bridge.dispatch(), 1)])
    await bridge.settled(bridge.send(reports=[undelivered(await bridge.dispatch())], free_slots=0))
    await world.pass_time(50)
    bridge.send(free_slots=1)
    await bridge.settled(bridge.send(reports=[undelivered(await bridge.dispatch())], free_slots=0))
    await world.pass_time(50)
    assert (await world.task(task_id)).task.state == WORK_STATE_TIMED_OUT
    await bridge.close()
