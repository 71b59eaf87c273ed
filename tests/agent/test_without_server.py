"""What must not run without a server is killed once there has been none for too long, even if the agent is dead."""

from __future__ import annotations

import os
import signal
import time

import pytest
from link_stand_in import AgentProcess, StandIn, running, until
from novasphere.link.v1 import link_service_pb2 as pb

STOP_AFTER = 9.0  # a silent server is heard every 6 s


def mark() -> str:
    return f"86400.{time.time_ns()}"


@pytest.mark.parametrize("is_killed", [False, True], ids=["without-link", "without-agent"])
async def test_what_must_not_run_without_a_server_is_killed(
    server: StandIn, agent: AgentProcess, is_killed: bool
) -> None:
    await agent.link()
    its, other = mark(), mark()
    run = server.dispatch(f"echo up; sleep {its}; true", stop_after_ms=int(STOP_AFTER * 1000))
    server.dispatch(f"sleep {other}; true")
    await until(lambda: run.stdout and running(other))
    lost_at = time.monotonic()
    if is_killed:
        agent.kill()
        await agent.ended()
    else:
        await server.stop()
    await until(lambda: not running(its))
    # It was heard last a while before.
    assert time.monotonic() - lost_at > STOP_AFTER - 7
    assert running(other)
    if is_killed:
        await agent.link()
    else:
        await server.start()
    report = await server.result_of(run)
    assert report.phase == pb.ATTEMPT_PHASE_STOPPED


async def test_what_must_not_run_without_a_server_goes_on_with_one(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("sleep 18; echo done", stop_after_ms=15_000)
    report = await server.result_of(run)
    assert (report.phase, bytes(run.stdout)) == (pb.ATTEMPT_PHASE_EXITED, b"done\n")


@pytest.mark.parametrize("is_killed", [False, True], ids=["without-link", "without-agent"])
async def test_a_late_report_says_how_long_ago_it_ended(
    server: StandIn, agent: AgentProcess, is_killed: bool
) -> None:
    await agent.link()
    its = mark()
    run = server.dispatch(f"echo up; exec sleep {its}")
    await until(lambda: run.stdout and running(its))
    if is_killed:
        agent.kill()
        await agent.ended()
    else:
        await server.stop()
    killed_at = time.monotonic()
    for pid in running(its):
        os.kill(pid, signal.SIGTERM)
    await until(lambda: not running(its))
    ended_at = time.monotonic()
    await until(lambda: time.monotonic() - ended_at > 3)
    if is_killed:
        await agent.link()
    else:
        await server.start()
    await until(lambda: run.final is not None)
    assert run.final.signal == signal.SIGTERM
    assert 2500 < run.final.age_ms <= (time.monotonic() - killed_at) * 1000 + 1  # both ends are rounded
