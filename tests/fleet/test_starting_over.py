"""A server that missed what the log has forgotten: what follows the log there takes up what is stored."""

from __future__ import annotations

import pytest
from novasphere.api.v1 import options_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import node_pb2
from novasphere_server import errors
from novasphere_server.core import instants
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.keys import Keys, Reschedule
from novasphere_server.core.refusals import Refused
from novasphere_server.store.kinds import TASKS
from store_samples import delete_node, missing

READ = [options_pb2.SCOPE_READ]


async def test_a_link_ends_with_a_reason_and_the_next_one_brings_what_was_missed(pair, frames):
    late, other = pair
    agent = late.agent()
    await agent.connect()
    to_cancel = await late.run(text="sleep 60")
    [dispatch] = await agent.dispatched()
    await agent.start(dispatch)
    await other.store.catch_up()
    async with missing(late.store, other.store):
        run_id = await other.run()
        await other.fleet.commands.cancel(ADMIN, to_cancel)
    await agent.until(lambda: agent.has_ended)
    assert isinstance(agent.failure, errors.DatabaseUnavailable)
    welcome = await agent.connect(attempts=[frames.state_of(dispatch, link.ATTEMPT_PHASE_RUNNING)])
    assert [verdict.verdict for verdict in welcome.verdicts] == [link.VERDICT_ADOPT]
    [missed] = await agent.dispatched()
    assert missed.run_id == run_id
    await agent.until(lambda: agent.cancels)
    assert [cancel.run_id for cancel in agent.cancels] == [to_cancel]
    await agent.finish(missed, exit_code=0)
    assert (await late.command(run_id)).state == pb.COMMAND_STATE_SUCCEEDED


async def test_nodes_that_joined_meanwhile_are_spoken_for(pair):
    late, other = pair
    async with missing(late.store, other.store):
        await other.agent("new").connect()
    await other.store.close()  # without a word, as kill -9 would
    late.clock.advance(late.settings.server_lease + 1)
    await late.fleet.servers.beat()
    await late.presence.step()
    assert (await late.node("new")).connection == node_pb2.CONNECTION_STATE_DISCONNECTED


async def test_what_was_heard_of_a_node_last_is_still_shown_and_stored(pair):
    late, other = pair
    agent = late.agent()
    await agent.connect()
    await late.flush()
    late.clock.advance(7)
    agent.beat()
    await agent.settle()
    heard_us = late.clock.now_us()
    await other.store.catch_up()
    async with missing(late.store, other.store):
        await other.run()
    assert (await late.node()).last_heartbeat.ToMicroseconds() == heard_us
    await late.flush()
    await other.restart()
    assert (await other.node()).last_heartbeat.ToMicroseconds() == heard_us


async def test_a_node_that_came_back_as_another_shows_nothing_of_the_one_before(pair):
    late, other = pair
    agent = late.agent()
    await agent.connect()
    await other.store.catch_up()
    async with missing(late.store, other.store):
        await other.store.write(delete_node("n1"))
        await other.agent().connect()
    assert (await late.node()).uid == (await other.node()).uid != agent.node_uid
    assert not (await late.node()).HasField("free_slots")


async def test_what_a_link_says_just_before_its_server_starts_over_is_not_shown_of_another_node(
    pair, monkeypatch: pytest.MonkeyPatch
):
    late, other = pair
    agent = late.agent()
    await agent.connect()
    await other.store.catch_up()
    recall = late.store.recall

    async def recall_after_a_heartbeat() -> None:
        late.fleet.presence.heard(agent.node_uid, 3)
        await recall()

    monkeypatch.setattr(late.store, "recall", recall_after_a_heartbeat)
    async with missing(late.store, other.store):
        await other.store.write(delete_node("n1"))
        await other.agent().connect()
    assert not (await late.node()).HasField("free_slots")


async def with_a_running_command(world):
    """Returns an agent that was linked, and the id of the command that it runs."""
    agent = world.agent()
    await agent.connect()
    run_id = await world.run()
    [dispatch] = await agent.dispatched()
    await agent.start(dispatch)
    return agent, run_id


async def test_the_work_of_a_node_that_was_lost_meanwhile_is_ended(pair):
    late, other = pair
    agent, run_id = await with_a_running_command(other)
    await agent.cut()
    async with missing(late.store, other.store):
        other.clock.advance(other.settings.lost_after + 1)
        await other.presence.step()
    assert (await late.node()).connection == node_pb2.CONNECTION_STATE_LOST
    await late.expiry.step()
    assert (await late.command(run_id)).state == pb.COMMAND_STATE_LOST


async def test_commands_that_came_meanwhile_wait_for_their_nodes_no_longer_than_they_may(pair):
    late, other = pair
    agent = other.agent()
    await agent.connect()
    await agent.cut()
    await late.expiry.step()  # nothing waits, as far as it knows
    async with missing(late.store, other.store):
        run_id = await other.run(queue_timeout_seconds=30)
    late.clock.advance(31)
    await late.expiry.step()
    assert (await late.command(run_id)).state == pb.COMMAND_STATE_TIMED_OUT


async def test_runs_on_foreign_nodes_are_timed_by_what_is_stored_now(pair):
    late, other = pair
    _, run_id = await with_a_running_command(other)

    def timed(seconds: float):
        def change(tx):
            stored = tx.get(TASKS, run_id)
            deadline_us = tx.now_us + int(seconds * 1e6)
            stored.instance.run_deadline.CopyFrom(instants.timestamp(deadline_us))
            tx.put(TASKS, stored)

        return change

    await other.store.write(timed(10))
    await late.store.catch_up()
    await late.expiry.step()
    async with missing(late.store, other.store):
        await other.store.write(timed(60))  # as when it was put back and sent again
    late.clock.advance(11)
    await late.expiry.step()
    assert (await late.command(run_id)).state == pb.COMMAND_STATE_RUNNING
    late.clock.advance(50)
    await late.expiry.step()
    assert (await late.command(run_id)).state == pb.COMMAND_STATE_TIMED_OUT


async def test_a_key_that_was_revoked_meanwhile_opens_nothing_and_ends_its_streams(pair):
    late, other = pair
    keys = Keys(other.store)
    key, secret = await keys.create(ADMIN, "ci", READ, [], None)
    await late.store.catch_up()
    principal = await late.credentials.authenticate(secret)
    assert late.credentials.holds(principal)
    async with missing(late.store, other.store):
        await keys.revoke(ADMIN, key.key_id)
    assert not late.credentials.holds(principal)
    with pytest.raises(Refused):
        await late.credentials.authenticate(secret)


async def test_a_key_that_was_changed_meanwhile_ends_when_it_ends_now(pair):
    late, other = pair
    keys = Keys(other.store)
    key, secret = await keys.create(ADMIN, "ci", READ, [], None)
    await late.store.catch_up()
    principal = await late.credentials.authenticate(secret)
    ends_at_us = late.clock.now_us() + 60_000_000
    async with missing(late.store, other.store):
        await keys.update(ADMIN, key.key_id, [Reschedule(ends_at_us)])
    assert late.credentials.holds(principal)
    assert (await late.credentials.authenticate(secret)).expires_at_us == ends_at_us
    late.clock.advance(61)
    assert not late.credentials.holds(principal)


async def test_a_key_that_was_made_meanwhile_is_known_for_one(pair):
    late, other = pair
    async with missing(late.store, other.store):
        key, secret = await Keys(other.store).create(ADMIN, "ci", READ, [], None)
    claim = late.credentials.claim(secret)
    assert (claim.id, claim.names_a_credential) == (key.key_id, True)
