"""An agent runs what it is sent and says how that went."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from link_stand_in import AgentProcess, StandIn, running, until
from novasphere.link.v1 import link_service_pb2 as pb


async def test_a_command_runs_and_reports_its_output_and_exit_code(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    before = time.time_ns() // 1000
    run = server.dispatch("echo out; echo err >&2; exit 7")
    report = await server.result_of(run)
    assert (report.phase, report.exit_code, report.HasField("signal")) == (
        pb.ATTEMPT_PHASE_EXITED,
        7,
        False,
    )
    assert (bytes(run.stdout), bytes(run.stderr)) == (b"out\n", b"err\n")
    assert (report.stdout_bytes, report.stderr_bytes, report.output_dropped) == (4, 4, False)
    assert before <= report.started_us <= report.finished_us <= time.time_ns() // 1000
    assert report.duration_ms < 5000
    assert report.fencing_token == run.dispatch.fencing_token


async def test_a_command_that_dies_by_a_signal_says_which(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    report = await server.result_of(server.dispatch("kill -SEGV $$"))
    assert (report.phase, report.signal, report.HasField("exit_code")) == (
        pb.ATTEMPT_PHASE_EXITED,
        11,
        False,
    )


async def test_output_arrives_while_the_command_runs(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = server.dispatch("echo first; echo second >&2; sleep 60")
    await until(lambda: run.stdout == b"first\n" and run.stderr == b"second\n")
    assert [report.phase for report in run.reports] == [pb.ATTEMPT_PHASE_RUNNING]
    assert run.reports[0].started_us > 0


async def test_a_command_gets_a_directory_of_its_own_no_input_and_no_secret_of_ours(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link(environment={"NOVASPHERE_TOKEN": "hidden", "KEPT": "yes"})
    run = server.dispatch("pwd; cat; ls; env | grep -c NOVASPHERE; echo $KEPT; trap")
    await server.result_of(run)
    attempt = f"{run.dispatch.run_id}.1"
    assert run.stdout.decode().splitlines() == [
        str(agent.data_dir / "attempts" / attempt / "work"),
        "0",
        "yes",
    ]


async def test_the_free_slots_are_those_that_are_left(server: StandIn, agent: AgentProcess) -> None:
    await agent.link("--capacity", "3")
    await until(lambda: server.frames)
    assert server.last_frame.free_slots == 3
    server.dispatch("sleep 60")
    run = server.dispatch("sleep 60")
    await until(lambda: server.last_frame.free_slots == 1 and server.last_frame.acked_sequence == 3)
    server.cancel(run)
    await server.result_of(run)
    await until(lambda: server.last_frame.free_slots == 2)


async def test_reports_gather_while_an_answer_is_due_and_go_together(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link("--capacity", "20")
    server.acknowledges = False
    first = server.dispatch("true")
    await server.result_of(first)  # which waited for nothing
    more = [server.dispatch("true") for _ in range(12)]
    talking = server.dispatch("echo hi; sleep 60")
    # Output never waits, nor does the start that comes before it.
    await until(lambda: talking.stdout == b"hi\n")
    # The others have ended, as the free slots tell; and a heartbeat goes by.
    await until(lambda: server.last_frame.free_slots == 19 and server.last_frame.HasField("heartbeat"))
    assert [run.reports for run in more] == [[]] * 12
    server.acknowledges = True
    server.send(pb.ConnectResponse(report_acks=[{"run_id": first.dispatch.run_id, "attempt": 1}]))
    await until(lambda: all(run.final for run in more))
    gathered = [len(frame.reports) for _, frame in server.frames if frame.reports][-1]
    assert gathered == 12
    assert all(len(run.reports) == 1 for run in more)
    server.cancel(talking)
    await server.result_of(talking)


async def test_a_repeated_dispatch_starts_nothing(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.link()
    marks = tmp_path / "marks"
    run = server.dispatch(f"echo ran >> {marks}; sleep 0.3", run_id="cmd-once")
    server.send(pb.ConnectResponse(dispatches=[run.dispatch]))
    await server.result_of(run)
    server.send(pb.ConnectResponse(dispatches=[run.dispatch]))
    await server.result_of(server.dispatch("true"))
    assert marks.read_text() == "ran\n"
    assert sum(report.phase == pb.ATTEMPT_PHASE_EXITED for report in run.reports) == 1


async def test_what_a_command_leaves_in_the_background_lives_on(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    mark = f"86400.{time.time_ns()}"
    report = await server.result_of(server.dispatch(f"sleep {mark} & exit 3"))
    assert (report.phase, report.exit_code) == (pb.ATTEMPT_PHASE_EXITED, 3)
    (pid,) = running(mark)
    os.kill(pid, signal.SIGKILL)


async def test_a_line_longer_than_the_system_takes_as_an_argument_runs(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch(f"echo {'x' * 200_000} | wc -c")
    await server.result_of(run)
    assert run.stdout.strip() == b"200001"


async def test_a_line_that_no_shell_can_be_given_is_rejected(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    report = await server.result_of(server.dispatch("echo a\0b"))
    assert report.phase == pb.ATTEMPT_PHASE_REJECTED
    assert report.message.startswith("SPAWN_FAILED: ")
    assert "null byte" in report.message


async def test_output_past_the_limit_is_dropped_and_said_to_be(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("head -c 300000 /dev/zero; sleep 0.4; echo late >&2", max_output_bytes=100_000)
    report = await server.result_of(run)
    assert (len(run.stdout), len(run.stderr)) == (100_000, 0)
    assert (report.stdout_bytes, report.stderr_bytes, report.output_dropped) == (100_000, 0, True)


async def test_endless_output_does_not_fill_the_disk(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    mark = str(time.time_ns())
    run = server.dispatch(f"while :; do echo {mark}; done", max_output_bytes=100_000)
    await until(lambda: len(run.stdout) == 100_000)
    spool = agent.data_dir / "attempts" / f"{run.dispatch.run_id}.1" / "stdout"
    (shell,) = running(f"do echo {mark}")
    written = Path(f"/proc/{shell}/io")

    def bytes_written() -> int:
        return int(written.read_text().split("wchar: ")[1].split()[0])

    await until(lambda: bytes_written() > 5_000_000)
    await until(lambda: spool.stat().st_size < 1_000_000)
    server.cancel(run)
    assert (await server.result_of(run)).output_dropped


async def test_acknowledged_attempts_leave_nothing_behind(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    await server.result_of(server.dispatch("echo x"))
    await until(lambda: not list((agent.data_dir / "attempts").iterdir()))


async def test_files_that_cannot_be_deleted_are_not_the_end_of_the_agent(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    await server.result_of(server.dispatch("rm ../intent.json; mkdir ../intent.json"))
    await until(lambda: "cannot be deleted: " in agent.words)
    assert (await server.result_of(server.dispatch("exit 3"))).exit_code == 3
    assert len(server.hellos) == 1
