"""Reports from attempts that are no longer anybody's: recorded, refused, and without effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from frames import HandMadeAgent
from novasphere.link.v1 import link_service_pb2 as link
from processes import TOKEN, ControlPlane, eventually

pytestmark = pytest.mark.fault


@pytest.fixture
async def agent(plane: ControlPlane) -> AsyncIterator[HandMadeAgent]:
    by_hand = HandMadeAgent(plane.address, TOKEN)
    try:
        await by_hand.connect()
        yield by_hand
    finally:
        await by_hand.hang_up()


async def dispatched(plane: ControlPlane, agent: HandMadeAgent) -> link.Dispatch:
    await plane.rest("POST", "/api/v1/nodes/node-001/commands", {"command_text": "true"})
    dispatch: link.Dispatch = (await agent.hear_of("dispatches"))[0]
    return dispatch


def report(dispatch: link.Dispatch, phase: int, **more: Any) -> link.AttemptReport:
    known = {
        "run_id": dispatch.run_id,
        "attempt": dispatch.attempt,
        "fencing_token": dispatch.fencing_token,
    }
    return link.AttemptReport(**(known | {"phase": phase} | more))


async def pair_of(plane: ControlPlane, command_id: str) -> Any:
    return (await plane.rest("GET", f"/api/v1/commands/{command_id}"))["data"]


async def test_a_replayed_report_changes_nothing(plane: ControlPlane, agent: HandMadeAgent) -> None:
    dispatch = await dispatched(plane, agent)
    await agent.say(reports=[report(dispatch, link.ATTEMPT_PHASE_RUNNING, started_us=1)])
    await agent.say(reports=[report(dispatch, link.ATTEMPT_PHASE_EXITED, exit_code=0)])
    await agent.hear_of("report_acks")
    before = await pair_of(plane, dispatch.run_id)
    assert before["command"]["status"] == "success"
    for old in (
        report(dispatch, link.ATTEMPT_PHASE_RUNNING, started_us=1),
        report(dispatch, link.ATTEMPT_PHASE_EXITED, exit_code=0),
    ):
        await agent.say(reports=[old])
    await agent.hear_of("report_acks")
    after = await pair_of(plane, dispatch.run_id)
    assert after["command"] == before["command"]
    assert after["result"] == before["result"]


async def test_another_end_after_the_end_is_kept_beside_it(
    plane: ControlPlane, agent: HandMadeAgent
) -> None:
    dispatch = await dispatched(plane, agent)
    await agent.say(reports=[report(dispatch, link.ATTEMPT_PHASE_EXITED, exit_code=0)])
    await agent.hear_of("report_acks")
    await agent.say(reports=[report(dispatch, link.ATTEMPT_PHASE_EXITED, exit_code=9)])
    await agent.hear_of("report_acks")
    pair = await pair_of(plane, dispatch.run_id)
    assert pair["command"]["status"] == "success"
    assert pair["result"]["exit_code"] == 0


@pytest.mark.parametrize("wrong", [{"fencing_token": 0}, {"attempt": 99}])
async def test_a_report_with_a_foreign_token_is_refused(
    plane: ControlPlane, agent: HandMadeAgent, wrong: dict[str, int]
) -> None:
    dispatch = await dispatched(plane, agent)
    await agent.say(reports=[report(dispatch, link.ATTEMPT_PHASE_EXITED, exit_code=0, **wrong)])
    acks = await agent.hear_of("report_acks")
    assert acks[0].is_stale
    pair = await pair_of(plane, dispatch.run_id)
    assert pair["command"]["status"] == "pending"
    assert pair["result"] is None


async def test_a_dispatch_whose_receipt_nobody_saw_comes_again_with_the_same_token(
    plane: ControlPlane, agent: HandMadeAgent
) -> None:
    first = await dispatched(plane, agent)
    await plane.restart()

    async def connected() -> Any:
        return await agent.connect()

    await eventually(connected)
    again = (await agent.hear_of("dispatches"))[0]
    assert (again.run_id, again.attempt, again.fencing_token) == (
        first.run_id,
        first.attempt,
        first.fencing_token,
    )


async def test_a_running_attempt_that_the_agent_no_longer_knows_ends_unknown(
    plane: ControlPlane, agent: HandMadeAgent
) -> None:
    dispatch = await dispatched(plane, agent)
    await agent.say(reports=[report(dispatch, link.ATTEMPT_PHASE_RUNNING, started_us=1)])

    async def runs() -> bool:
        return (await pair_of(plane, dispatch.run_id))["command"]["status"] == "running"

    await eventually(runs)
    await agent.connect()

    async def is_unknown() -> bool:
        return (await pair_of(plane, dispatch.run_id))["command"]["state"] == "UNKNOWN"

    await eventually(is_unknown)


async def test_a_cloned_identity_is_refused(plane: ControlPlane, agent: HandMadeAgent) -> None:
    clone = HandMadeAgent(plane.address, agent.credential)
    clone.node_uid, clone.session_token = agent.node_uid, agent.session_token
    await agent.connect()  # the original goes on and confirms a newer session
    with pytest.raises(grpc.aio.AioRpcError, match="reset-identity"):
        await clone.connect()
    await clone.hang_up()
