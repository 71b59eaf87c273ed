"""Calls that must end in time: those that wait, and those that need not."""

from __future__ import annotations

import asyncio

import pytest
from novasphere_server.errors import DeadlineExceeded
from novasphere_server.rpc import deadlines


async def test_what_waits_for_nothing_is_answered_even_if_the_deadline_has_passed():
    async def answer() -> str:
        return "known"

    assert await deadlines.within(-1, answer()) == "known"


async def test_what_fails_at_once_fails_as_it_does():
    async def fail() -> None:
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        await deadlines.within(10, fail())


async def test_a_call_may_wait_again_and_again():
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer() -> list[str]:
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(asked.set_result, "found")
        answers = [await asked]
        await asyncio.sleep(0.001)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        return answers

    assert await deadlines.within(10, answer()) == ["found"]


@pytest.mark.parametrize("waits", [1, 2])
async def test_a_call_that_waits_too_long_is_ended_and_says_why(waits: int):
    steps: list[str] = []

    async def hang() -> None:
        try:
            for _ in range(waits - 1):
                await asyncio.sleep(0)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    with pytest.raises(DeadlineExceeded):
        await deadlines.within(0.01, hang())
    assert steps == ["cancelled", "cleaned up"]


async def test_a_timeout_of_the_calls_own_is_no_deadline():
    async def give_up() -> None:
        await asyncio.sleep(0)
        raise TimeoutError("the database")

    with pytest.raises(TimeoutError, match="the database"):
        await deadlines.within(10, give_up())


@pytest.mark.parametrize("waits", [1, 2])
async def test_a_caller_who_goes_away_cancels_the_call(waits: int):
    steps: list[str] = []
    waiting = asyncio.Event()

    async def hang() -> None:
        try:
            for _ in range(waits - 1):
                await asyncio.sleep(0)
            waiting.set()
            await asyncio.Event().wait()
        finally:
            steps.append("cleaned up")

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        call = tasks.create_task(deadlines.within(10, hang()))
        await waiting.wait()
        call.cancel()
    assert call.cancelled()
    assert steps == ["cleaned up"]
