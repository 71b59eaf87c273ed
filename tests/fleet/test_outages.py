"""What links do while the database is away, or busy."""

from __future__ import annotations

import asyncio

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere_server import errors
from novasphere_server.core import presence


class Outage:
    """Stands between the fleet and its store, which cannot be made to fail at a chosen moment."""

    def __init__(self, store, monkeypatch) -> None:
        self.failures: list[errors.ApiError] = []
        self.happens_after_commit = False
        self.happened = asyncio.Event()
        self.is_told = asyncio.Event()  # cleared: who writes does not hear of it yet
        self.is_told.set()
        self._write = store.write
        monkeypatch.setattr(store, "write", self.write)

    async def write(self, mutation, **options):
        if self.failures:
            if self.happens_after_commit:
                await self._write(mutation, **options)
            failure = self.failures.pop()
            self.happened.set()
            await self.is_told.wait()
            raise failure
        return await self._write(mutation, **options)


@pytest.fixture
def outage(world, monkeypatch):
    return Outage(world.store, monkeypatch)


@pytest.fixture
async def dispatch(world, outage):
    agent = world.agent()
    await agent.connect()
    await world.run()
    [dispatch] = await agent.dispatched()
    await agent.settle()
    return agent, dispatch


@pytest.mark.parametrize("happens_after_commit", [False, True])
async def test_what_was_not_acknowledged_is_said_again_and_counts_once(
    world, outage, dispatch, frames, happens_after_commit
):
    agent, dispatch = dispatch
    outage.happens_after_commit = happens_after_commit
    outage.failures = [errors.DatabaseUnavailable()]
    output = [frames.chunk(dispatch, b"hello", 0)]
    reports = [frames.report(dispatch, link.ATTEMPT_PHASE_EXITED, exit_code=3)]
    agent.send(output=output, reports=reports)
    await agent.until(lambda: agent.has_ended)
    assert isinstance(agent.failure, errors.DatabaseUnavailable)
    assert not [ack for ack in agent.report_acks if ack.run_id == dispatch.run_id]

    state = frames.state_of(dispatch, link.ATTEMPT_PHASE_EXITED)
    welcome = await agent.connect(attempts=[state])
    [verdict] = welcome.verdicts
    if happens_after_commit:
        assert verdict.verdict == link.VERDICT_FORGET
    else:
        assert (verdict.verdict, verdict.stdout_offset) == (link.VERDICT_ADOPT, 0)
    agent.send(output=output, reports=reports)
    await agent.until(lambda: agent.report_acks)
    stored = await world.stored(dispatch.run_id)
    assert (stored.command.state, stored.command.exit_code) == (pb.COMMAND_STATE_FAILED, 3)
    assert await world.output(dispatch.run_id) == b"hello"
    assert not stored.HasField("late_result")


async def test_a_link_waits_while_the_writer_is_overloaded(world, outage, dispatch):
    agent, dispatch = dispatch
    outage.failures = [errors.Overloaded(), errors.Overloaded()]
    ack = await agent.finish(dispatch, exit_code=0)
    assert not ack.is_stale
    assert not outage.failures


async def test_a_link_that_was_replaced_while_it_waited_writes_nothing_more(
    world, outage, dispatch, frames
):
    agent, dispatch = dispatch
    heir = agent.clone()
    agent.reads.clear()  # so that the old stream cannot end
    await agent.print(dispatch, b"abc", 0)
    [reader] = [t for t in asyncio.all_tasks() if t.get_name() == "link reader of n1"]
    outage.failures = [errors.Overloaded()]
    outage.is_told.clear()
    agent.send(output=[frames.chunk(dispatch, b"def", 3)])
    await outage.happened.wait()
    welcome = await heir.connect(attempts=[frames.state_of(dispatch, link.ATTEMPT_PHASE_RUNNING)])
    outage.is_told.set()
    assert welcome.verdicts[0].stdout_offset == 3
    await heir.print(dispatch, b"DEF", 3)
    await asyncio.wait([reader], timeout=60)
    assert isinstance(reader.exception(), errors.DuplicateIdentity)
    assert await world.output(dispatch.run_id) == b"abcDEF"


async def test_a_frame_that_a_closing_link_did_not_store_is_not_acknowledged(world, frames, monkeypatch):
    agent = world.agent()
    agent.keep(await agent.connect(is_confirmed=False))
    await world.run()
    agent.reads.clear()
    [dispatch] = await agent.dispatched()
    received = agent.frames[-1].acked_sequence
    write = world.store.write
    closings = []

    async def write_while_the_link_is_closed(mutation, **options):
        closings.append(asyncio.create_task(world.fleet.links.close()))
        await asyncio.sleep(0)
        result = await write(mutation, **options)
        agent.reads.set()
        return result

    monkeypatch.setattr(world.store, "write", write_while_the_link_is_closed)
    agent.send(output=[frames.chunk(dispatch, b"hello", 0)])
    await agent.until(lambda: agent.has_ended)
    await closings[0]
    assert agent.closing == "DRAINING"
    assert agent.frames[-1].acked_sequence == received
    assert await world.output(dispatch.run_id) == b""


async def test_a_claim_whose_answer_was_lost_is_sent_again_by_the_next_link(world, outage, dispatch):
    agent, first = dispatch
    await agent.finish(first, exit_code=0)
    await agent.settle(free_slots=0)
    command_id = await world.run()
    outage.happens_after_commit = True
    outage.failures = [errors.DatabaseUnavailable()]
    agent.send(free_slots=1)
    await agent.until(lambda: agent.has_ended)
    assert isinstance(agent.failure, errors.DatabaseUnavailable)
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_DISPATCHED
    await agent.connect()
    [again] = await agent.dispatched()
    assert (again.run_id, again.attempt) == (command_id, 1)


async def test_samples_and_heartbeats_wait_for_the_database(world, outage, dispatch):
    agent, _ = dispatch
    agent.beat(sample=link.Sample(cpu_usage=9))
    await agent.settle()
    for flush in (world.fleet.metrics.flush, world.fleet.presence.flush):
        outage.failures = [errors.DatabaseUnavailable()]
        with pytest.raises(errors.DatabaseUnavailable):
            await flush()
    assert await world.fleet.metrics.flush() == 1
    assert await world.fleet.presence.flush() == 1
    assert (await world.fleet.metrics.latest("n1")).cpu_usage == 9


async def test_a_crossing_that_could_not_be_stored_is_stored_later(world, outage, dispatch):
    agent, _ = dispatch
    await agent.cut()
    outage.failures = [errors.DatabaseUnavailable()]
    with pytest.raises(errors.DatabaseUnavailable):
        await world.fleet.presence.update_stirred()
    assert await world.fleet.presence.update_stirred() == 1


async def test_all_crossings_from_a_step_that_could_not_be_stored_on_are_stored_later(
    world, outage, dispatch, monkeypatch
):
    monkeypatch.setattr(presence, "_STEP", 1)
    agent, _ = dispatch
    other = world.agent("n2")
    await other.connect()
    await agent.cut()
    await other.cut()
    outage.failures = [errors.DatabaseUnavailable()]
    with pytest.raises(errors.DatabaseUnavailable):
        await world.fleet.presence.update_stirred()
    assert await world.fleet.presence.update_stirred() == 2


async def test_a_hello_that_fails_leaves_no_link_behind(world, outage, dispatch):
    agent, _ = dispatch
    await agent.cut()
    await world.fleet.presence.update_stirred()
    outage.failures = [errors.DatabaseUnavailable()]
    with pytest.raises(errors.DatabaseUnavailable):
        await agent.connect()
    assert world.fleet.links.linked_agents == 0
    assert not world.fleet.links._sessions
    await agent.connect()
