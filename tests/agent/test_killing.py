"""Cancel and timeout end the whole tree of processes, and only then are they reported."""

from __future__ import annotations

import time
from pathlib import Path

from link_stand_in import AgentProcess, StandIn, running, until
from novasphere.link.v1 import link_service_pb2 as pb

# A child, a grandchild in a session of its own, and one that its parent left behind.
TREE = (
    "sleep {mark} & setsid sleep {mark} & (setsid sh -c 'sleep {mark}; true' &) ; "
    "echo up; sleep {mark}; true"
)


def mark() -> str:
    return f"86400.{time.time_ns()}"


async def test_a_timeout_kills_the_whole_tree(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    its = mark()
    # Long enough for the whole tree to be seen, however slowly it comes up.
    run = server.dispatch(TREE.format(mark=its), timeout_ms=8000)
    await until(lambda: run.stdout and len(running(its)) >= 5)
    report = await server.result_of(run)
    assert report.phase == pb.ATTEMPT_PHASE_TIMED_OUT
    assert not running(its)
    assert 8000 <= report.duration_ms < 25_000
    assert bytes(run.stdout) == b"up\n"


async def test_a_timeout_that_cannot_be_noted_kills_all_the_same(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    its = mark()
    # The directory is as good as a full disk: no file of that name can be made.
    run = server.dispatch(f"mkdir ../timed_out; echo up; sleep {its}; true", timeout_ms=3000)
    report = await server.result_of(run)
    assert (report.phase, bytes(run.stdout)) == (pb.ATTEMPT_PHASE_TIMED_OUT, b"up\n")
    assert report.duration_ms >= 3000
    assert not running(its)


async def test_a_cancel_kills_the_whole_tree(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    its = mark()
    run = server.dispatch(TREE.format(mark=its))
    await until(lambda: run.stdout and len(running(its)) >= 5)
    server.cancel(run)
    report = await server.result_of(run)
    assert report.phase == pb.ATTEMPT_PHASE_CANCELLED
    assert not running(its)


async def test_what_ignores_sigterm_is_killed_after_the_grace(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    its = mark()
    run = server.dispatch(f"trap '' TERM; echo up; while :; do sleep {its}; done")
    await until(lambda: run.stdout)
    began = time.monotonic()
    server.cancel(run, grace_ms=500)
    report = await server.result_of(run)
    assert (report.phase, report.signal) == (pb.ATTEMPT_PHASE_CANCELLED, 9)
    assert time.monotonic() - began >= 0.5
    assert not running(its)


async def test_what_heeds_sigterm_may_clean_up(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = server.dispatch("trap 'echo bye; exit 3' TERM; echo up; sleep 60 & wait")
    await until(lambda: run.stdout)
    server.cancel(run, grace_ms=10_000)
    report = await server.result_of(run)
    assert (report.phase, report.exit_code) == (pb.ATTEMPT_PHASE_CANCELLED, 3)
    assert run.stdout == b"up\nbye\n"


async def test_a_stopped_tree_is_killed_too(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = server.dispatch("echo up; kill -STOP $$; echo never")
    await until(lambda: run.stdout)
    server.cancel(run, grace_ms=10_000)
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_CANCELLED


async def test_a_timeout_counts_from_the_start_through_a_restart_of_the_agent(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("echo up; sleep 60", timeout_ms=2500)
    await until(lambda: run.stdout)
    agent.kill()
    await agent.ended()
    await agent.link()
    report = await server.result_of(run)
    assert report.phase == pb.ATTEMPT_PHASE_TIMED_OUT
    assert 2500 <= report.duration_ms < 6000


async def test_a_timeout_is_kept_while_no_agent_runs(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    its = mark()
    run = server.dispatch(f"echo up; sleep {its}; true", timeout_ms=1500)
    await until(lambda: run.stdout)
    agent.kill()
    await agent.ended()
    await until(lambda: not running(its))
    await agent.link()
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_TIMED_OUT


async def test_a_cancel_outlives_the_agent_that_was_told(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.link()
    run = server.dispatch("trap '' TERM; echo up; while :; do sleep 1; done")
    await until(lambda: run.stdout)
    server.cancel(run, grace_ms=1500)
    await until((agent.data_dir / "attempts" / f"{run.dispatch.run_id}.1" / "cancel.json").exists)
    agent.kill()
    await agent.ended()
    await agent.link()
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_CANCELLED


async def test_a_cancel_before_the_command_is_up_still_counts(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("sleep 60")
    server.cancel(run)
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_CANCELLED


async def test_a_cancel_of_what_is_over_changes_nothing(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = server.dispatch("exit 3")
    await server.result_of(run)
    server.cancel(run)
    await server.result_of(server.dispatch("true"))
    assert [report.phase for report in run.reports if report.phase != pb.ATTEMPT_PHASE_RUNNING] == [
        pb.ATTEMPT_PHASE_EXITED
    ]
