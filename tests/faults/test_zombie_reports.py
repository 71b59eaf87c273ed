"""Reports from attempts that are no longer anybody's: recorded, refused, and without effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
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


# -- tasks with retries


async def retried(plane: ControlPlane, agent: HandMadeAgent) -> list[link.Dispatch]:
    """Has the first attempt of a task print, and fail; returns both attempts, of which the second one runs."""
    config = {"command_text": "true", "max_retries": 1, "retry_interval": 0}
    await plane.rest("POST", "/api/v1/tasks:batch", {"tasks": [{"config": config}]})
    [first] = await agent.hear_of("dispatches")
    await agent.say(output=[printed(first, b"first", 0)])
    await agent.say(reports=[report(first, link.ATTEMPT_PHASE_EXITED, exit_code=3)])
    [second] = await agent.hear_of("dispatches")
    await agent.say(reports=[report(second, link.ATTEMPT_PHASE_RUNNING)])
    await agent.say(output=[printed(second, b"second", 0)])

    async def is_known() -> bool:
        task = await task_of(plane, second)
        return task["status"] == "running" and await output_of(plane, task["id"], 2) == "second"

    await eventually(is_known)  # for good: this agent keeps nothing to say again
    return [first, second]


def printed(dispatch: link.Dispatch, data: bytes, offset: int) -> link.OutputChunk:
    return link.OutputChunk(
        run_id=dispatch.run_id, attempt=dispatch.attempt, fencing_token=dispatch.fencing_token,
        stream=link.STREAM_STDOUT, offset=offset, data=data,
    )  # fmt: skip


async def task_of(plane: ControlPlane, dispatch: link.Dispatch) -> Any:
    tasks = (await plane.rest("POST", "/api/v1/tasks/page", {"page": {"page": 1, "page_size": 9}}))[
        "data"
    ]
    assert len(tasks) == 1, dispatch
    return tasks[0]


async def attempts_of(plane: ControlPlane) -> list[tuple[int, str, int | None]]:
    wanted = {"page": {"page": 1, "page_size": 9}}
    found = (await plane.rest("POST", "/api/v1/task-instances/page", wanted))["data"]
    return sorted((each["attempt"], each["status"], each["exit_code"]) for each in found)


async def output_of(plane: ControlPlane, task_id: str, attempt: int) -> str:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/plain"}
    url = f"{plane.url}/api/v1/tasks/{task_id}/output?attempt={attempt}"
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as answer:
        return await answer.text()


ZOMBIES = {
    "success": {"phase": link.ATTEMPT_PHASE_EXITED, "exit_code": 0},
    "failure": {"phase": link.ATTEMPT_PHASE_EXITED, "exit_code": 9},
    "cancelled": {"phase": link.ATTEMPT_PHASE_CANCELLED, "signal": 15},
    "refused": {"phase": link.ATTEMPT_PHASE_REJECTED, "message": "NOT_ALLOWED: no"},
    "unknown": {"phase": link.ATTEMPT_PHASE_UNKNOWN},
    "stopped": {"phase": link.ATTEMPT_PHASE_STOPPED},
}


@pytest.mark.parametrize("word", [*ZOMBIES, "success-after-a-restart"])
async def test_an_attempt_that_was_retried_ends_nothing_any_more(
    plane: ControlPlane, agent: HandMadeAgent, word: str
) -> None:
    said = ZOMBIES[word.removesuffix("-after-a-restart")]
    first, second = await retried(plane, agent)
    if word not in ZOMBIES:
        await plane.restart()

        async def connected() -> Any:
            state = link.AttemptState(
                run_id=second.run_id, attempt=second.attempt, fencing_token=second.fencing_token,
                phase=link.ATTEMPT_PHASE_RUNNING,
            )  # fmt: skip
            return await agent.connect(state)

        await eventually(connected)
    before = await task_of(plane, second), await attempts_of(plane)
    for _ in range(2):
        await agent.say(
            output=[printed(first, b", late", 5)], reports=[report(first, said["phase"], **_rest(said))]
        )
        [ack] = await agent.hear_of("report_acks")
        assert (ack.attempt, ack.is_stale) == (first.attempt, True)
    # Its words with the token of the other are no better.
    forged = report(second, said["phase"], **_rest(said) | {"fencing_token": first.fencing_token})
    await agent.say(reports=[forged])
    assert (await agent.hear_of("report_acks"))[0].is_stale
    assert (await task_of(plane, second), await attempts_of(plane)) == before
    await agent.say(reports=[report(second, link.ATTEMPT_PHASE_EXITED, exit_code=4)])
    [ack] = await agent.hear_of("report_acks")
    assert not ack.is_stale
    await agent.say(reports=[report(first, said["phase"], **_rest(said))])
    assert (await agent.hear_of("report_acks"))[0].is_stale
    task = await task_of(plane, second)
    assert (task["status"], task["retry_count"]) == ("failed", 1)
    assert await attempts_of(plane) == [(1, "failed", 3), (2, "failed", 4)]
    assert await output_of(plane, task["id"], 2) == "second"
    assert await output_of(plane, task["id"], 1) == "first"


def _rest(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != "phase"}


async def test_a_retried_attempt_that_still_runs_is_told_to_stop(
    plane: ControlPlane, agent: HandMadeAgent
) -> None:
    first, second = await retried(plane, agent)
    await agent.say(reports=[report(first, link.ATTEMPT_PHASE_RUNNING)])
    [cancel] = await agent.hear_of("cancels")
    assert (cancel.run_id, cancel.attempt) == (first.run_id, first.attempt)
    assert (await task_of(plane, second))["status"] == "running"
