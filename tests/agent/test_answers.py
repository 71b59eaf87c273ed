"""What is over at once is answered by the agent itself: fast, from memory, and exactly once."""

from __future__ import annotations

import json
import signal

from link_stand_in import AgentProcess, Run, StandIn, until
from novasphere.link.v1 import link_service_pb2 as pb

STORM = 1000


def echoes(server: StandIn, count: int, **fields: object) -> list[Run]:
    """Dispatches echoes in one frame."""
    before = len(server.runs)
    runs = [
        Run(
            pb.Dispatch(
                run_id=f"task-{before + number}",
                attempt=1,
                fencing_token=before + number + 1,
                kind="echo",
                payload=json.dumps({"message": f"word {number}"}),
                max_output_bytes=1000,
                **fields,
            )
        )
        for number in range(count)
    ]
    server.runs |= {(run.dispatch.run_id, 1): run for run in runs}
    server.send(pb.ConnectResponse(dispatches=[run.dispatch for run in runs]))
    return runs


def send_unlisted(server: StandIn) -> None:
    """Sends again what the last Hello did not name, as the server does."""
    listed = {(state.run_id, state.attempt) for state in server.hellos[-1].attempts}
    missing = [run.dispatch for key, run in server.runs.items() if key not in listed and not run.final]
    server.send(pb.ConnectResponse(dispatches=missing))


async def assert_each_once(runs: list[Run]) -> None:
    await until(lambda: all(run.reports for run in runs), within=60)
    for number, run in enumerate(runs):
        assert [report.phase for report in run.reports] == [pb.ATTEMPT_PHASE_EXITED]
        (report,) = run.reports
        assert (report.exit_code, report.fencing_token) == (0, run.dispatch.fencing_token)
        assert report.stdout_bytes == len(run.stdout)
        assert run.stdout.decode() == f"word {number}"
        assert not run.repeated_bytes


async def test_a_storm_is_answered_exactly_once_and_touches_no_disk(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    await until(lambda: server.heartbeats)
    places = [agent.data_dir, agent.data_dir / "attempts"]
    before = [place.stat().st_mtime_ns for place in places]
    runs = echoes(server, STORM)
    await assert_each_once(runs)
    assert [place.stat().st_mtime_ns for place in places] == before
    frames = [frame for _, frame in server.frames if frame.reports]
    assert len(frames) < STORM / 10
    await until(lambda: server.is_all_read)
    server.cut()
    await until(lambda: len(server.hellos) == 2)
    assert not server.hellos[1].attempts
    await assert_each_once(runs)


async def test_a_storm_over_a_link_that_is_cut_is_answered_exactly_once(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    runs = echoes(server, STORM)
    for cuts in range(1, 4):
        # Whatever was on its way at that moment is lost: reports, acknowledgements, dispatches.
        await until(lambda cuts=cuts: sum(bool(run.reports) for run in runs) >= 200 * cuts)
        server.cut()
        await until(lambda cuts=cuts: len(server.hellos) > cuts and server.is_linked)
        send_unlisted(server)
    await assert_each_once(runs)
    await server.result_of(server.dispatch("true"))  # after which nothing is left to be said twice
    await assert_each_once(runs)


async def test_what_was_not_acknowledged_is_listed_as_ended_and_said_again(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    server.acknowledges = False
    runs = echoes(server, 3)
    await until(lambda: any(run.reports for run in runs))
    for run in runs:
        run.stdout.clear()
        run.reports.clear()
    server.acknowledges = True
    server.cut()
    await assert_each_once(runs)
    assert {(state.run_id, state.phase) for state in server.hellos[1].attempts} == {
        (run.dispatch.run_id, pb.ATTEMPT_PHASE_EXITED) for run in runs
    }


async def test_a_killed_agent_knows_nothing_of_them_and_answers_again(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    server.acknowledges = False
    runs = echoes(server, 3)
    await until(lambda: any(run.reports for run in runs))
    agent.kill()
    assert await agent.ended() == -signal.SIGKILL
    for run in runs:
        run.stdout.clear()
        run.reports.clear()
    server.acknowledges = True
    await agent.link()
    assert not server.hellos[1].attempts
    send_unlisted(server)
    await assert_each_once(runs)


async def test_a_stopped_agent_waits_for_acknowledgements(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    runs = echoes(server, 300)
    await until(lambda: any(run.reports for run in runs))
    agent.terminate()
    assert await agent.ended() == 0
    await assert_each_once(runs)


async def test_a_repeated_dispatch_is_answered_once(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    server.acknowledges = False
    dispatch = pb.Dispatch(
        run_id="task-0", attempt=1, fencing_token=7, kind="echo", payload='{"message": "word 0"}',
        max_output_bytes=1000,
    )  # fmt: skip
    run = server.runs["task-0", 1] = Run(dispatch)
    server.send(pb.ConnectResponse(dispatches=[dispatch, dispatch]))
    server.cancel(run)
    await until(lambda: server.last_frame.acked_sequence >= 3)
    server.acknowledges = True
    server.send(pb.ConnectResponse(report_acks=[{"run_id": "task-0", "attempt": 1}]))
    await server.result_of(server.dispatch("true"))
    await assert_each_once([run])


async def test_an_answer_is_one_frame_that_acknowledges_its_dispatch(
    server: StandIn, agent: AgentProcess
) -> None:
    server.heartbeat_ms = 60_000
    await agent.link()
    await until(lambda: server.heartbeats)
    (run,) = echoes(server, 1)
    await server.result_of(run)
    frame = server.last_frame
    assert (len(frame.output), len(frame.reports), frame.acked_sequence, frame.free_slots) == (
        1,
        1,
        2,
        8,
    )


async def test_a_long_answer_goes_in_pieces_and_its_report_last(
    server: StandIn, agent: AgentProcess
) -> None:
    server.window = 100_000
    await agent.link()
    payload = json.dumps({"message": "x" * 999, "repeat": 1000})
    run = server.dispatch("", kind="echo", payload=payload)
    short = server.dispatch("echo out")
    report = await server.result_of(run)
    assert (report.stdout_bytes, report.output_dropped) == (999_999, False)
    assert run.stdout.decode().split("\n") == ["x" * 999] * 1000
    assert len(run.order) > 10
    await server.result_of(short)


async def test_output_past_the_limit_is_dropped_and_unwanted_output_is_none(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    (unwanted,) = echoes(server, 1, discard_output=True)
    cut = server.dispatch(
        "", kind="echo", payload='{"message": "x", "repeat": 2000}', max_output_bytes=100
    )
    report = await server.result_of(unwanted)
    assert (unwanted.order, report.stdout_bytes, report.output_dropped) == ([], 0, False)
    report = await server.result_of(cut)
    assert (len(cut.stdout), report.stdout_bytes, report.output_dropped) == (100, 100, True)


async def test_an_agent_whose_answers_nobody_takes_wants_no_more_work(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    server.acknowledges = False
    runs = echoes(server, 4096)
    await until(lambda: server.last_frame.free_slots == 0 and server.last_frame.HasField("heartbeat"))
    server.acknowledges = True
    server.cut()
    await until(lambda: all(run.reports for run in runs), within=60)
    await until(lambda: server.last_frame.free_slots == 8)


async def test_an_agent_says_how_many_answers_it_takes_and_puts_off_what_its_memory_does_not(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    await until(lambda: server.heartbeats)
    assert server.last_frame.free_answers == 256
    long = json.dumps({"message": "x" * 1023, "repeat": 1000})

    def storm() -> list[Run]:
        return [server.dispatch("", kind="echo", payload=long) for _ in range(40)]

    async def assert_all_came(runs: list[Run]) -> None:
        for run in runs:
            report = await server.result_of(run)
            assert (len(run.stdout), report.stdout_bytes) == (1_023_999, 1_023_999)
            assert len(run.reports) == 1

    await assert_all_came(storm())
    server.acknowledges = False
    runs = storm()
    await until(lambda: server.last_frame.free_answers == 0 and server.last_frame.HasField("heartbeat"))
    server.acknowledges = True
    server.cut()
    await until(lambda: len(server.hellos) == 2)
    # What was put off is as if it had never come.
    assert len(server.hellos[-1].attempts) < 20
    send_unlisted(server)
    await assert_all_came(runs)
    await until(lambda: server.last_frame.free_answers == 256)
