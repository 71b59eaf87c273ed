"""What a command waits for, and how it ended: facts, and words for them in two languages."""

from __future__ import annotations

import string
from typing import Any

import pytest
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_explanation_pb2 as why
from novasphere.node.v1 import node_pb2
from novasphere_server import errors
from novasphere_server.core.credentials import ADMIN
from novasphere_server.rpc import explanations


@pytest.fixture
async def agent(world):
    agent = world.agent()
    await agent.connect(free_slots=0)
    return agent


async def explain(world, command_id, principal=ADMIN) -> Any:
    """Returns the explanation in English words."""
    response = await world.fleet.explanations.explain(principal, command_id)
    explanations.put_into_words(response, in_chinese=False)
    assert all(one.message for one in response.explanations)
    return response


def causes(response):
    names = [why.CommandCause.Name(one.cause) for one in response.explanations]
    return [name.removeprefix("COMMAND_CAUSE_") for name in names]


def us(instant):
    return instant.ToMicroseconds()


# -- waiting


async def test_a_command_for_a_busy_node_tells_what_runs_and_what_comes_first(world, agent, tenant):
    agent.send(free_slots=2)
    running = [await world.run() for _ in range(2)]
    await agent.dispatched(2)
    ahead = [await world.run() for _ in range(6)]
    theirs = await world.run(namespace="tenant")
    since = world.clock.now_us()
    command_id = await world.run(namespace="tenant", queue_timeout_seconds=90)
    world.clock.advance(3)
    response = await explain(world, command_id)
    assert causes(response) == ["NO_FREE_SLOT"]
    assert (response.queue.running_count, response.queue.ahead_count) == (len(running), 7)
    assert list(response.queue.ahead_command_ids) == ahead[:5]
    assert (us(response.since), us(response.until)) == (since, since + 90_000_000)
    assert us(response.explanations[0].until) == us(response.until)
    assert (response.node.capacity, response.node.free_slots) == (4, 0)
    assert response.explanations[0].message == (
        "n1 takes no more work now: it has 2 of at most 4 commands, and 7 more come first."
    )
    assert "--capacity" in response.explanations[0].remedy
    # Of others' commands a caller learns how many there are, not which.
    bound = await explain(world, command_id, tenant)
    assert bound.queue.ahead_count == 7
    assert list(bound.queue.ahead_command_ids) == [theirs]
    with pytest.raises(errors.PermissionDenied):
        await explain(world, ahead[0], tenant)


async def test_a_command_for_a_node_that_is_away_tells_since_when(world, agent):
    agent.beat(free_slots=0)
    await agent.settle(free_slots=0)
    heard = world.clock.now_us()
    await agent.cut()
    await world.pass_time(10)
    command_id = await world.run()
    response = await explain(world, command_id)
    assert causes(response) == ["NODE_AWAY"]
    assert us(response.explanations[0].since) == us(response.node.last_heartbeat) == heard
    assert response.node.connection == node_pb2.CONNECTION_STATE_DISCONNECTED
    assert us(response.node.lost_at) == heard + int(world.settings.lost_after * 1e6)
    assert not response.node.HasField("free_slots")
    assert "It waits for n1" in response.explanations[0].message
    await world.pass_time(world.settings.lost_after)
    response = await explain(world, command_id)
    assert causes(response) == ["NODE_LOST"]
    assert "It waits for n1" in response.explanations[0].message


async def test_a_restarted_server_says_when_it_will_give_up_by_its_own_waiting(world, agent):
    await world.restart(down_for=500)
    response = await explain(world, await world.run())
    assert us(response.node.lost_at) == world.clock.now_us() + int(world.settings.lost_after * 1e6)


async def test_a_link_that_ends_elsewhere_is_not_guessed_at(world, agent):
    command_id = await world.run()
    await agent.cut()  # and nobody has written yet that it is gone, as if another server had the link
    response = await explain(world, command_id)
    assert causes(response) == ["LINK_ELSEWHERE"]
    assert not response.node.HasField("free_slots")


async def test_a_command_that_nothing_holds_up_is_next(world, agent, monkeypatch):
    command_id = await world.run()
    monkeypatch.setattr(world.fleet.links, "_is_draining", True)  # keeps it from being sent meanwhile
    agent.send(free_slots=3)
    await agent.settle(free_slots=3)
    response = await explain(world, command_id)
    assert causes(response) == ["NEXT"]
    assert (response.node.free_slots, response.queue.ahead_count) == (3, 0)


async def test_a_fault_of_the_node_is_told_beside_the_rest(world, agent):
    at = world.clock.now_us()
    agent.beat(free_slots=0, fault="the disk is full")
    await agent.settle(free_slots=0)
    await world.presence.step()
    response = await explain(world, await world.run())
    assert causes(response) == ["NO_FREE_SLOT", "NODE_FAULT"]
    assert us(response.explanations[1].since) == at
    assert response.node.fault == "the disk is full"
    assert response.explanations[1].message == "n1 reports a fault of its own: the disk is full"


# -- on the node


@pytest.fixture
async def sent(world, agent):
    """A command that was sent and not confirmed."""
    await world.run(timeout_seconds=60)
    agent.send(free_slots=1)
    [dispatch] = await agent.dispatched()
    return dispatch


async def test_a_command_that_was_sent_waits_for_its_agent(world, agent, sent):
    at = world.clock.now_us()
    world.clock.advance(2)
    response = await explain(world, sent.run_id)
    assert causes(response) == ["NOT_CONFIRMED"]
    assert us(response.since) == us(response.explanations[0].since) == at
    assert not response.HasField("until")


async def test_a_running_command_tells_its_timeout_and_how_much_it_printed(world, agent, sent):
    await agent.start(sent)
    at = world.clock.now_us()
    await agent.print(sent, b"12345", 0)
    await agent.print(sent, b"678", 0, stream=2)
    world.clock.advance(59)
    response = await explain(world, sent.run_id)
    assert causes(response) == ["RUNNING"]
    assert (us(response.since), us(response.until)) == (at, at + 60_000_000)
    assert response.output_bytes == 8
    assert "8 bytes of its output" in response.explanations[0].message
    world.clock.advance(2)
    response = await explain(world, sent.run_id)
    assert causes(response) == ["PAST_TIMEOUT"]
    assert us(response.explanations[0].since) == at + 60_000_000


async def test_a_running_command_whose_node_went_away_may_be_lost(world, agent, sent):
    await agent.start(sent)
    await agent.cut()
    await world.pass_time(5)
    response = await explain(world, sent.run_id)
    assert causes(response) == ["NODE_AWAY", "RUNNING"]
    assert us(response.explanations[0].until) == us(response.node.lost_at) > world.clock.now_us()
    assert "ends as LOST" in response.explanations[0].remedy


async def test_a_cancel_that_is_not_confirmed_tells_who_asked_and_when(world, agent, sent):
    await agent.start(sent)
    at = world.clock.now_us()
    await world.fleet.commands.cancel(ADMIN, sent.run_id)
    world.clock.advance(4)
    response = await explain(world, sent.run_id)
    assert causes(response) == ["CANCELLING", "RUNNING"]
    assert us(response.explanations[0].since) == at
    assert response.explanations[0].message == (
        "admin asked for it to be cancelled; n1 has yet to confirm."
    )


# -- ended


@pytest.mark.parametrize(
    ("outcome", "cause", "message"),
    [
        ({"exit_code": 0}, "SUCCEEDED", "It ended with exit code 0."),
        ({"exit_code": 3}, "EXIT_CODE", "It ended with exit code 3."),
        ({"signal": 9}, "SIGNAL", "It was ended by signal 9."),
        (
            {"phase": link.ATTEMPT_PHASE_TIMED_OUT},
            "TIMEOUT",
            "It ran past its timeout of 60 s and was killed.",
        ),
        (
            {"phase": link.ATTEMPT_PHASE_UNKNOWN, "message": "the machine restarted"},
            "UNKNOWN",
            "The agent of n1 cannot tell how it ended: the machine restarted.",
        ),
        (
            {"phase": link.ATTEMPT_PHASE_REJECTED, "message": "NOT_ALLOWED: no shell here"},
            "NOT_ALLOWED",
            "The agent of n1 refused it: no shell here.",
        ),
        (
            {"phase": link.ATTEMPT_PHASE_REJECTED, "message": "SPAWN_FAILED: no memory"},
            "SPAWN_FAILED",
            "The agent of n1 could not start it: no memory.",
        ),
    ],
)
async def test_an_ended_command_tells_how(world, agent, sent, outcome, cause, message):
    world.clock.advance(2)
    await agent.finish(sent, **outcome)
    at = world.clock.now_us()
    world.clock.advance(5)
    response = await explain(world, sent.run_id)
    assert causes(response) == [cause]
    assert us(response.since) == us(response.explanations[0].since) == at
    assert response.explanations[0].message == message
    assert response.HasField("signal") == ("signal" in outcome)
    assert not any(response.HasField(field) for field in ("until", "node", "queue"))


async def test_a_cancelled_command_tells_by_whom(world, agent):
    command_id = await world.run()
    await world.fleet.commands.cancel(ADMIN, command_id)
    response = await explain(world, command_id)
    assert causes(response) == ["CANCELLED"]
    assert response.explanations[0].message.startswith("admin cancelled it: cancelled before")


async def test_a_command_that_waited_for_too_long_never_ran(world, agent):
    command_id = await world.run(queue_timeout_seconds=5)
    await world.pass_time(6)
    response = await explain(world, command_id)
    assert causes(response) == ["QUEUE_TIMEOUT"]
    assert "within 5 s; it never ran" in response.explanations[0].message


async def test_a_lost_command_and_its_late_report_are_told(world, agent, sent, frames):
    await agent.cut()
    await world.pass_time(world.settings.lost_after)
    assert causes(await explain(world, sent.run_id)) == ["LOST"]
    await agent.connect(attempts=[frames.state_of(sent, link.ATTEMPT_PHASE_EXITED)])
    await agent.finish(sent, exit_code=7)
    response = await explain(world, sent.run_id)
    assert causes(response) == ["LOST", "LATE_REPORT"]
    assert response.late_result.exit_code == 7
    assert "exit code 7" in response.explanations[1].message


async def test_a_command_that_is_not_there_cannot_be_explained(world):
    with pytest.raises(errors.CommandNotFound):
        await explain(world, "cmd-none")


def test_every_cause_has_words_in_both_languages_that_say_the_same():
    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    known = set(why.CommandCause.values()) - {why.COMMAND_CAUSE_UNSPECIFIED}
    assert set(explanations._WORDS) == known
    for english, chinese in (*explanations._WORDS.values(), *explanations._WAITING.values()):
        assert fields(english.message) == fields(chinese.message)
        assert fields(english.remedy) == fields(chinese.remedy)
        assert bool(english.remedy) == bool(chinese.remedy)
        assert english.message.isascii()
        assert not chinese.message.isascii()
