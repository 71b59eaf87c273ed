from __future__ import annotations

from functools import partial

import pytest
import sqlalchemy as sa
from efforts import plan_of
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2
from novasphere_server import errors
from novasphere_server.core import attempts
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.rooms import Room
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency


async def test_a_command_for_a_linked_node_is_sent_at_once(world):
    agent = world.agent()
    await agent.connect()
    command_id = await world.run(text="echo hi", timeout_seconds=7)
    [dispatch] = await agent.dispatched()
    assert (dispatch.run_id, dispatch.attempt, dispatch.kind) == (command_id, 1, "shell")
    assert (dispatch.command_text, dispatch.timeout_ms) == ("echo hi", 7000)
    assert dispatch.max_output_bytes == 64 * 1024 * 1024
    command = await world.command(command_id)
    assert command.state == pb.COMMAND_STATE_DISPATCHED
    assert command.status == pb.COMMAND_STATUS_PENDING
    assert command.attempt == 1


async def test_a_command_and_its_dispatch_share_a_commit(world):
    agent = world.agent()
    await agent.connect()
    await agent.settle()  # the link has looked for work, and waits
    commits = []
    world.store.on_commit(lambda changes: commits.append([change.kind_name for change in changes]))
    await world.run()
    await agent.dispatched()
    assert commits == [["task", "task"]]


@pytest.mark.parametrize("statement", [attempts.OWN, attempts.OWN_STARTED, attempts.OWN_ANSWERED])
async def test_work_of_one_node_is_found_in_its_order_however_much_waits(tmp_path, world_at, statement):
    world = await world_at(tmp_path)
    [step] = await plan_of(world.store, statement.params(node_uid="u", most=9))
    assert step == "SEARCH tasks USING INDEX ix_tasks_own (node_uid=?)"


@pytest.mark.parametrize("is_own", [False, True])
async def test_a_claim_says_whether_another_look_is_worth_it(world, is_own):
    agent = world.agent()
    await agent.connect(free_slots=0)
    node = await world.node()
    for _ in range(3):
        if is_own:
            await world.run()
        else:
            await world.submit(command_text="true")
    demands = () if is_own else await world.fleet.tasks.waiting_demands()
    claims = []
    for slots in (2, 1, 1):
        claim = partial(
            attempts.claim,
            node=node,
            room=Room(slots),
            settings=world.settings,
            has_own=is_own,
            demands=demands,
            shared=Room(slots),
        )
        claims.append(await world.store.write(claim))
    assert [len(claim.dispatches) for claim in claims] == [2, 1, 0]
    # Whoever found as many as it had room for would look once more, and make every lone task two commits.
    more = [claim.has_more_own or bool(claim.demands) for claim in claims]
    assert more == [True, False, False]


async def test_a_request_that_is_repeated_has_nothing_new_dispatched(world):
    agent = world.agent()
    await agent.connect()
    request = command_service_pb2.CreateCommandRequest(node_id="n1", command_text="true")
    claim = Idempotency("admin", "once", b"the same")
    for _ in range(2):
        await world.fleet.commands.create(ADMIN, request, idempotency=claim)
        await agent.settle()
    assert claim.was_replayed
    assert len(agent.dispatches) == 1


async def test_a_command_waits_for_its_node_and_the_oldest_goes_first(world):
    agent = world.agent()
    await agent.connect()
    await agent.cut()
    ids = [await world.run() for _ in range(3)]
    await agent.connect()
    dispatches = await agent.dispatched(3)
    assert [d.run_id for d in dispatches] == ids
    tokens = [d.fencing_token for d in dispatches]
    assert tokens == sorted(set(tokens))
    assert len([f for f in agent.frames if f.dispatches]) == 1  # one frame, one transaction


async def test_long_commands_come_in_frames_that_every_agent_can_receive(world):
    agent = world.agent()
    await agent.connect(free_slots=0)
    ids = [await world.run(text="#" * 120_000) for _ in range(40)]
    agent.send(free_slots=64)
    assert [d.run_id for d in await agent.dispatched(40)] == ids
    assert max(frame.ByteSize() for frame in agent.frames) < 1_200_000
    await agent.connect(free_slots=64)  # without a trace of them: all are sent again
    assert [d.run_id for d in await agent.dispatched(40)] == ids
    assert max(frame.ByteSize() for frame in agent.frames) < 1_200_000


async def test_dispatches_that_wait_for_the_next_frame_take_credit_already(world):
    agent = world.agent()
    await agent.connect(free_slots=0)
    for _ in range(14):
        await world.run(text="#" * 120_000)
    agent.reads.clear()  # the server sends one frame and cannot send the next
    agent.send(free_slots=12)
    await agent.dispatched(1)
    agent.send(free_slots=12, acked=agent.frames[0].sequence)
    agent.reads.set()
    await agent.dispatched(12)
    await agent.settle(free_slots=0)
    assert len(agent.dispatches) == 12


async def test_a_cancel_never_overtakes_the_dispatch_that_it_is_for(world):
    agent = world.agent()
    await agent.connect(free_slots=0)
    ids = [await world.run(text="#" * 120_000) for _ in range(24)]
    agent.reads.clear()  # the server sends one frame and cannot send the next
    agent.send(free_slots=64)
    await agent.dispatched(1)
    claimed = [i for i in ids if (await world.command(i)).state == pb.COMMAND_STATE_DISPATCHED]
    for command_id in (claimed[0], claimed[-1]):
        await world.fleet.commands.cancel(ADMIN, command_id)
    agent.reads.set()
    await agent.until(lambda: len(agent.cancels) == 2)
    await agent.dispatched(len(ids))
    dispatched_in, cancelled_in = (
        {item.run_id: frame.sequence for frame in agent.frames for item in getattr(frame, field)}
        for field in ("dispatches", "cancels")
    )
    assert set(dispatched_in) == set(ids)
    assert dispatched_in[claimed[-1]] > dispatched_in[claimed[0]]
    assert all(number >= dispatched_in[run_id] for run_id, number in cancelled_in.items())


async def test_work_is_sent_only_while_credit_lasts(world):
    agent = world.agent()
    await agent.connect(free_slots=2)
    ids = [await world.run() for _ in range(5)]
    await agent.dispatched(2)
    await agent.settle()  # says four free slots, and acknowledges what came
    await agent.dispatched(5)
    assert [d.run_id for d in agent.dispatches] == ids


async def test_credit_is_not_spent_twice_on_dispatches_that_the_agent_has_yet_to_see(world):
    agent = world.agent()
    await agent.connect(free_slots=2)
    for _ in range(4):
        await world.run()
    await agent.dispatched(2)
    before = agent.frames[0].sequence
    # Heartbeats that were on their way when the dispatches came.
    agent.send(free_slots=2, acked=before)
    agent.send(free_slots=2, acked=before)
    agent.send(reports=[link.AttemptReport(run_id="x", attempt=1, phase=2)], free_slots=2, acked=before)
    await agent.until(lambda: agent.report_acks)
    assert len(agent.dispatches) == 2
    agent.send(free_slots=0)
    agent.send(free_slots=1)
    await agent.dispatched(3)
    assert len(agent.dispatches) == 3


async def test_a_full_node_gets_nothing(world):
    agent = world.agent()
    await agent.connect(free_slots=0)
    command_id = await world.run()
    agent.send(
        reports=[link.AttemptReport(run_id="x", attempt=1, phase=link.ATTEMPT_PHASE_EXITED)],
        free_slots=0,
    )
    await agent.until(lambda: agent.report_acks)
    assert not agent.dispatches
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_PENDING


async def test_a_command_runs_and_succeeds(world):
    agent = world.agent()
    await agent.connect()
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    world.clock.advance(1)
    await agent.start(dispatch)
    command = await world.command(command_id)
    assert (command.state, command.status) == (pb.COMMAND_STATE_RUNNING, pb.COMMAND_STATUS_RUNNING)
    assert command.started_at.ToMicroseconds() == world.clock.now_us()
    world.clock.advance(2)
    ack = await agent.finish(dispatch, exit_code=0, duration_ms=2000)
    assert not ack.is_stale
    stored = await world.stored(command_id)
    command, result = stored.command, stored.result
    assert (command.state, command.status) == (
        pb.COMMAND_STATE_SUCCEEDED,
        pb.COMMAND_STATUS_SUCCESS,
    )
    assert command.HasField("exit_code")
    assert (command.exit_code, command.reason) == (0, "")
    assert command.completed_at.ToMicroseconds() == world.clock.now_us()
    assert (result.id, result.command_id, result.execution_time_ms) == (1, command_id, 2000)
    assert result.HasField("exit_code")
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("outcome", "state", "status", "reason"),
    [
        ({"exit_code": 3}, pb.COMMAND_STATE_FAILED, pb.COMMAND_STATUS_FAILED, "EXIT_CODE"),
        ({"signal": 9}, pb.COMMAND_STATE_FAILED, pb.COMMAND_STATUS_FAILED, "SIGNAL"),
        (
            {"phase": link.ATTEMPT_PHASE_TIMED_OUT},
            pb.COMMAND_STATE_TIMED_OUT,
            pb.COMMAND_STATUS_TIMEOUT,
            "TIMEOUT",
        ),
        (
            {"phase": link.ATTEMPT_PHASE_REJECTED, "message": "NOT_ALLOWED: shell is off"},
            pb.COMMAND_STATE_FAILED,
            pb.COMMAND_STATUS_FAILED,
            "NOT_ALLOWED",
        ),
        (
            {"phase": link.ATTEMPT_PHASE_REJECTED, "message": "SPAWN_FAILED: no /bin/sh"},
            pb.COMMAND_STATE_FAILED,
            pb.COMMAND_STATUS_FAILED,
            "SPAWN_FAILED",
        ),
        (
            {"phase": link.ATTEMPT_PHASE_UNKNOWN},
            pb.COMMAND_STATE_UNKNOWN,
            pb.COMMAND_STATUS_FAILED,
            "UNKNOWN",
        ),
        ({}, pb.COMMAND_STATE_UNKNOWN, pb.COMMAND_STATUS_FAILED, "UNKNOWN"),
    ],
)
async def test_every_end_has_a_state_and_a_reason(world, outcome, state, status, reason):
    agent = world.agent()
    await agent.connect()
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    await agent.finish(dispatch, **outcome)
    stored = await world.stored(command_id)
    assert (stored.command.state, stored.command.status) == (state, status)
    assert stored.command.reason == reason
    assert stored.command.reason_message
    assert not stored.command.reason_message.startswith(("NOT_ALLOWED", "SPAWN_FAILED"))
    assert stored.result.exit_code == outcome.get("exit_code", 0)
    assert stored.result.HasField("signal") == ("signal" in outcome)


async def test_a_quick_end_without_a_start_still_says_when_it_started(world):
    agent = world.agent()
    await agent.connect()
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    world.clock.advance(3)
    await agent.finish(dispatch, exit_code=0, duration_ms=1000)
    command = await world.command(command_id)
    assert command.completed_at.ToMicroseconds() - command.started_at.ToMicroseconds() == 1_000_000


async def test_the_same_report_again_changes_nothing(world):
    agent = world.agent()
    await agent.connect()
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    await agent.finish(dispatch, exit_code=0)
    before = await world.stored(command_id)
    ack = await agent.finish(dispatch, exit_code=1)
    assert not ack.is_stale
    assert await world.stored(command_id) == before


async def stale_reports(world):
    rows = await world.store.read(sa.select(tables.stale_reports))
    return [(row.run_id, row.message) for row in rows]


@pytest.mark.parametrize("change", [{"attempt": 0}, {"fencing_token": 999}])
async def test_a_report_of_another_attempt_is_recorded_and_refused(world, change):
    agent = world.agent()
    await agent.connect()
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    ack = await agent.finish(dispatch, exit_code=0, message="a zombie", **change)
    assert ack.is_stale
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_DISPATCHED
    assert await stale_reports(world) == [(command_id, "a zombie")]
    assert world.fleet.links.counters.stale_reports == 1


async def test_reports_that_are_refused_again_and_again_fill_no_disk(world):
    agent = world.agent()
    await agent.connect()
    command_id = await world.run()
    [dispatch] = await agent.dispatched()
    for number in range(2, 5):
        message = f"report {number}"
        assert (await agent.finish(dispatch, fencing_token=90 + number, message=message)).is_stale
        assert (await agent.finish(dispatch, attempt=number, message="of no attempt")).is_stale
    assert await stale_reports(world) == [(command_id, "report 4")]


async def test_a_stale_attempt_that_still_runs_is_killed(world, frames):
    agent = world.agent()
    await agent.connect()
    await world.run()
    [dispatch] = await agent.dispatched()
    agent.send(reports=[frames.report(dispatch, link.ATTEMPT_PHASE_RUNNING, fencing_token=999)])
    [cancel] = await agent.until(lambda: agent.cancels)
    assert cancel.run_id == dispatch.run_id


async def test_a_report_on_another_nodes_command_is_refused(world, frames):
    one, two = world.agent("n1"), world.agent("n2")
    await one.connect()
    await two.connect()
    command_id = await world.run("n1")
    [dispatch] = await one.dispatched()
    two.send(reports=[frames.report(dispatch, link.ATTEMPT_PHASE_EXITED, exit_code=0)])
    [ack] = await two.until(lambda: two.report_acks)
    assert ack.is_stale
    assert (await world.command(command_id)).state == pb.COMMAND_STATE_DISPATCHED
    assert await stale_reports(world) == []


async def test_a_report_that_says_nothing_breaks_the_protocol(world, frames):
    agent = world.agent()
    await agent.connect()
    await world.run()
    [dispatch] = await agent.dispatched()
    agent.send(reports=[frames.report(dispatch, 0)])
    await agent.until(lambda: agent.has_ended)
    assert isinstance(agent.failure, errors.LinkProtocol)


async def test_a_server_that_stops_sends_agents_away_and_takes_no_new_ones(world):
    agent = world.agent()
    await agent.connect()
    await world.fleet.close()
    assert agent.closing == "DRAINING"
    assert agent.frames[-1].closing.retry_after_ms > 0
    with pytest.raises(errors.Draining):
        await world.agent("n2").connect()


async def test_counters_tell_what_went_over_the_links(world):
    agent = world.agent()
    await agent.connect()
    await world.run()
    [dispatch] = await agent.dispatched()
    await agent.print(dispatch, b"12345", 0)
    await agent.finish(dispatch, exit_code=0)
    links = world.fleet.links
    assert links.linked_agents == 1
    assert (links.counters.dispatched, links.counters.reports) == (1, 1)
    assert links.counters.output_bytes == 5
    await agent.cut()
    assert links.linked_agents == 0
