"""An agent may be killed at any moment; its work goes on and nothing is lost, doubled or guessed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import struct
import time
from pathlib import Path

import pytest
from link_stand_in import AgentProcess, Run, StandIn, live_processes, pid_in, running, sessions, until
from novasphere.link.v1 import link_service_pb2 as pb


def directory_of(agent: AgentProcess, run_id: str) -> Path:
    return agent.data_dir / "attempts" / f"{run_id}.1"


def waiting_for(file: Path) -> str:
    """Returns what a command does until the test makes a file: what comes after it, comes when it may."""
    return f"until [ -e {file} ]; do sleep 0.02; done"


def noticed(agent: AgentProcess, run: Run) -> tuple[int, int]:
    """Returns how much of both streams the agent knows of."""
    notes = directory_of(agent, run.dispatch.run_id) / "observed"
    data = notes.read_bytes() if notes.exists() else b""
    stdout, stderr, _ = struct.unpack("<QQ?", data) if data else (0, 0, False)
    return stdout, stderr


async def test_a_killed_agent_adopts_its_command_with_every_byte_once(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    await agent.link()
    run = server.dispatch(
        "for i in $(seq 1 40); do echo line $i; echo err $i >&2; sleep 0.05; done; "
        f"until [ -e {linked} ]; do sleep 0.05; done; exit 9"
    )
    await until(lambda: run.stdout.count(b"\n") >= 5)
    agent.kill()
    await agent.ended()
    await until(
        lambda: (directory_of(agent, run.dispatch.run_id) / "stdout").read_bytes().count(b"\n") > 20
    )
    await agent.link()
    linked.touch()
    report = await server.result_of(run)
    assert (report.phase, report.exit_code) == (pb.ATTEMPT_PHASE_EXITED, 9)
    assert run.stdout.decode() == "".join(f"line {i}\n" for i in range(1, 41))
    assert run.stderr.decode() == "".join(f"err {i}\n" for i in range(1, 41))
    assert run.repeated_bytes == 0
    assert [state.phase for state in server.hellos[1].attempts] == [pb.ATTEMPT_PHASE_RUNNING]
    assert server.hellos[1].incarnation == server.hellos[0].incarnation + 1


async def test_a_command_that_ended_while_its_agent_was_away_is_reported(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    is_away = tmp_path / "away"
    await agent.link()
    run = server.dispatch(f"{waiting_for(is_away)}; echo done; exit 4")
    await until(lambda: run.reports)
    agent.kill()
    await agent.ended()
    is_away.touch()
    await until((directory_of(agent, run.dispatch.run_id) / "exit.json").exists)
    await agent.link()
    report = await server.result_of(run)
    assert (report.phase, report.exit_code, bytes(run.stdout)) == (pb.ATTEMPT_PHASE_EXITED, 4, b"done\n")
    assert report.started_us == run.reports[0].started_us


async def test_an_intent_without_a_process_ends_unknown_and_is_never_run(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.link(
        environment={"NOVASPHERE_TESTING": "1", "NOVASPHERE_FAILPOINT": "after_intent:kill"}
    )
    mark = tmp_path / "mark"
    run = server.dispatch(f"touch {mark}")
    assert await agent.ended() == -signal.SIGKILL
    await agent.link()
    report = await server.result_of(run)
    assert report.phase == pb.ATTEMPT_PHASE_UNKNOWN
    assert "before the command was started" in report.message
    server.send(pb.ConnectResponse(dispatches=[run.dispatch]))
    await server.result_of(server.dispatch("true"))
    assert not mark.exists()


async def test_an_agent_that_is_told_to_stop_starts_first_what_it_took(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    await agent.link("--capacity", "200")
    dispatches = [
        pb.Dispatch(
            run_id=f"cmd-{n}", attempt=1, fencing_token=n, kind="shell",
            command_text=f"echo x >> {mark}", max_output_bytes=1024,
        )
        for n in range(1, 151)
    ]  # fmt: skip
    runs = [server.runs.setdefault((each.run_id, 1), Run(each)) for each in dispatches]
    server.send(pb.ConnectResponse(dispatches=dispatches))
    journal = agent.data_dir / "attempts"
    await until(lambda: journal.exists() and any(journal.iterdir()))
    agent.terminate()
    assert await agent.ended() == 0
    # What was acknowledged has left its directory already.
    taken = [run for run in runs if run.final or directory_of(agent, run.dispatch.run_id).exists()]
    assert taken
    await agent.link("--capacity", "200")
    phases = {(await server.result_of(run)).phase for run in taken}
    assert phases == {pb.ATTEMPT_PHASE_EXITED}
    assert mark.read_text().count("x") == len(taken)


async def test_failpoints_mean_nothing_outside_tests(server: StandIn, agent: AgentProcess) -> None:
    await agent.link(environment={"NOVASPHERE_FAILPOINT": "after_intent:kill"})
    assert (await server.result_of(server.dispatch("true"))).phase == pb.ATTEMPT_PHASE_EXITED


def launcher_of(agent: AgentProcess) -> int:
    (launcher,) = [pid for pid, fields in live_processes() if fields[1] == str(agent.pid)]
    return launcher


async def test_a_killed_launcher_is_replaced(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    kept = server.dispatch("sleep 0.5; echo kept")
    await until(lambda: kept.reports)
    before = launcher_of(agent)
    os.kill(before, signal.SIGKILL)
    run = server.dispatch("echo again")
    report = await server.result_of(run)
    # It may have been the last one that the dead launcher was asked for.
    assert report.phase in {pb.ATTEMPT_PHASE_EXITED, pb.ATTEMPT_PHASE_UNKNOWN}
    run = server.dispatch("echo again")
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_EXITED
    assert launcher_of(agent) != before
    await server.result_of(kept)
    assert kept.stdout == b"kept\n"


async def test_a_launcher_that_hangs_does_not_hold_up_the_end_of_its_agent(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    launcher = launcher_of(agent)
    os.kill(launcher, signal.SIGSTOP)
    agent.terminate()
    try:
        assert await agent.ended() == 0
        assert launcher not in dict(live_processes())
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(launcher, signal.SIGKILL)


async def test_a_session_that_got_the_pid_of_a_dead_wrapper_is_left_alone(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("echo x; sleep 60")
    await until(lambda: run.stdout)
    agent.kill()
    await agent.ended()
    path = directory_of(agent, run.dispatch.run_id) / "process.json"
    process = json.loads(path.read_text())
    for pid in sessions()[process["pid"]]:
        os.kill(pid, signal.SIGKILL)
    innocent = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    path.write_text(json.dumps({**process, "pid": innocent.pid}))
    await agent.link()
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_UNKNOWN
    innocent.terminate()
    assert await innocent.wait() == -signal.SIGTERM


async def test_what_cannot_be_read_strands_nothing_else(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    is_away = tmp_path / "away"
    await agent.link()
    kept = server.dispatch("echo kept; sleep 60")
    ended = server.dispatch(f"echo x; {waiting_for(is_away)}")
    await until(lambda: kept.stdout and ended.stdout)
    agent.kill()
    await agent.ended()
    is_away.touch()
    intent = json.loads((directory_of(agent, kept.dispatch.run_id) / "intent.json").read_text())
    newer = directory_of(agent, "cmd-newer")
    damaged = directory_of(agent, "cmd-damaged")
    for directory, text in ((newer, json.dumps({**intent, "news": 1})), (damaged, '{"run_id"')):
        directory.mkdir()
        (directory / "intent.json").write_text(text)
    stray = agent.data_dir / "attempts" / "notes.txt"
    stray.write_text("mine")
    exit_file = directory_of(agent, ended.dispatch.run_id) / "exit.json"
    await until(exit_file.exists)
    exit_file.write_text('{"exit_code": ')
    await agent.link()
    assert {state.run_id for state in server.hellos[1].attempts} == {
        kept.dispatch.run_id,
        ended.dispatch.run_id,
    }
    report = await server.result_of(ended)
    assert (report.phase, bytes(ended.stdout)) == (pb.ATTEMPT_PHASE_UNKNOWN, b"x\n")
    assert "cannot be read: exit.json" in report.message
    server.cancel(kept)
    assert (await server.result_of(kept)).phase == pb.ATTEMPT_PHASE_CANCELLED
    # What was passed over may have run: it is not started, and keeps nobody else from starting.
    again = server.dispatch("echo again", run_id="cmd-newer")
    assert (await server.result_of(server.dispatch("echo other"))).phase == pb.ATTEMPT_PHASE_EXITED
    assert not again.reports
    for path in (newer / "intent.json", damaged / "intent.json", stray):
        assert path.exists()
        assert path.name in agent.words or path.parent.name in agent.words


async def test_what_an_agent_of_an_earlier_version_left_is_taken_over(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("true")
    await server.result_of(run)
    agent.kill()
    await agent.ended()
    before = {"fencing_token": 7, "attempt": 1, "command_text": "x", "shell": "/bin/sh", "timeout_ms": 0}
    before |= {"grace_ms": 0, "max_output_bytes": 1000, "boot_id": server.hellos[0].boot_id}
    ended = {"exit_code": 3, "finished_us": 2, "stdout_bytes": 0, "stderr_bytes": 0}
    for run_id, rejection in (("cmd-ended", ""), ("cmd-refused", "NOT_ALLOWED: no")):
        directory = directory_of(agent, run_id)
        directory.mkdir()
        intent = {**before, "run_id": run_id, "rejection": rejection}
        (directory / "intent.json").write_text(json.dumps(intent))
        dispatch = pb.Dispatch(run_id=run_id, attempt=1, fencing_token=7)
        server.runs[run_id, 1] = Run(dispatch)
    (directory_of(agent, "cmd-ended") / "exit.json").write_text(json.dumps(ended))
    await agent.link()
    refused = await server.result_of(server.runs["cmd-refused", 1])
    assert (refused.phase, refused.message) == (pb.ATTEMPT_PHASE_REJECTED, "NOT_ALLOWED: no")
    report = await server.result_of(server.runs["cmd-ended", 1])
    assert (report.exit_code, report.HasField("usage")) == (3, False)


async def test_a_command_whose_wrapper_was_killed_is_ended_and_unknown(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    mark = f"86400.{time.time_ns()}"
    run = server.dispatch(f"echo x; sleep {mark}; true")
    await until(lambda: run.stdout)
    os.kill(
        pid_in((directory_of(agent, run.dispatch.run_id) / "process.json").read_text()), signal.SIGKILL
    )
    report = await server.result_of(run)
    assert report.phase == pb.ATTEMPT_PHASE_UNKNOWN
    assert report.message
    assert not running(mark)


async def test_what_ran_before_the_machine_restarted_is_unknown(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("echo x; sleep 60")
    await until(lambda: run.stdout)
    agent.kill()
    await agent.ended()
    directory = directory_of(agent, run.dispatch.run_id)
    for pid in sessions()[pid_in((directory / "process.json").read_text())]:
        os.kill(pid, signal.SIGKILL)
    intent = json.loads((directory / "intent.json").read_text())
    (directory / "intent.json").write_text(json.dumps({**intent, "boot_id": "another boot"}))
    await agent.link()
    report = await server.result_of(run)
    assert (report.phase, report.message) == (pb.ATTEMPT_PHASE_UNKNOWN, "the machine restarted")


async def test_a_cut_link_is_taken_up_from_the_acknowledged_offsets(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("for i in $(seq 1 60); do echo line $i; sleep 0.03; done")
    await until(lambda: run.stdout.count(b"\n") >= 5)
    server.cut()
    await until(lambda: len(server.hellos) == 2)
    await server.result_of(run)
    assert run.stdout.decode() == "".join(f"line {i}\n" for i in range(1, 61))


async def test_a_link_that_breaks_while_commands_are_accepted_costs_none_of_them(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.link("--capacity", "200")
    marks = tmp_path / "marks"
    dispatches = [
        pb.Dispatch(
            run_id=f"cmd-{number}",
            attempt=1,
            fencing_token=number,
            kind="shell",
            command_text=f"echo {number} >> {marks}",
            max_output_bytes=1000,
        )
        for number in range(200)
    ]
    server.runs |= {(dispatch.run_id, 1): Run(dispatch) for dispatch in dispatches}
    server.send(pb.ConnectResponse(dispatches=dispatches))
    await until(directory_of(agent, "cmd-0").exists)
    await server.stop()
    await server.start()
    await until(lambda: len(server.hellos) == 2 and server.is_linked)
    server.send(pb.ConnectResponse(dispatches=dispatches))
    ends = [(await server.result_of(run)).phase for run in server.runs.values()]
    assert set(ends) == {pb.ATTEMPT_PHASE_EXITED}
    assert sorted(map(int, marks.read_text().split())) == list(range(200))


async def test_what_was_not_acknowledged_is_said_again(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    server.acknowledges = False
    run = server.dispatch("echo said; exit 5")
    await server.result_of(run)
    first = bytes(run.stdout)
    run.stdout.clear()
    run.reports.clear()
    server.acknowledges = True
    server.cut()
    report = await server.result_of(run)
    assert (first, bytes(run.stdout), report.exit_code) == (b"said\n", b"said\n", 5)
    await until(lambda: not list((agent.data_dir / "attempts").iterdir()))


async def test_work_goes_on_while_the_server_is_away(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.link()
    is_away = tmp_path / "away"
    run = server.dispatch(f"echo a; {waiting_for(is_away)}; echo b; exit 6")
    await until(lambda: run.stdout)
    await server.stop()
    is_away.touch()
    await until((directory_of(agent, run.dispatch.run_id) / "exit.json").exists)
    await server.start()
    report = await server.result_of(run)
    assert (report.exit_code, bytes(run.stdout)) == (6, b"a\nb\n")


async def test_a_forgotten_attempt_is_killed_and_nothing_is_said_of_it(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    mark = f"86400.{time.time_ns()}"
    run = server.dispatch(f"sleep {mark}; true")
    await until(lambda: run.reports)
    server.verdicts[run.dispatch.run_id, 1] = pb.VERDICT_FORGET
    server.cut()
    await until(lambda: len(server.hellos) == 2)
    await until(lambda: not running(mark))
    await until(lambda: not list((agent.data_dir / "attempts").iterdir()))
    await server.result_of(server.dispatch("true"))
    assert [report.phase for report in run.reports] == [pb.ATTEMPT_PHASE_RUNNING]


async def test_an_attempt_to_be_killed_is_killed_and_reported(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("echo x; sleep 60")
    await until(lambda: run.stdout)
    server.verdicts[run.dispatch.run_id, 1] = pb.VERDICT_KILL
    server.cut()
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_CANCELLED


async def test_the_limit_cuts_at_the_same_byte_after_a_restart(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    is_away = tmp_path / "away"
    await agent.link()
    run = server.dispatch(
        f"head -c 40000 /dev/zero; head -c 30000 /dev/zero >&2; {waiting_for(is_away)}; head -c 90000 /dev/zero",
        max_output_bytes=100_000,
    )
    await until(lambda: len(run.stdout) == 40_000 and len(run.stderr) == 30_000)
    agent.kill()
    await agent.ended()
    is_away.touch()
    await until((directory_of(agent, run.dispatch.run_id) / "exit.json").exists)
    await agent.link()
    report = await server.result_of(run)
    assert (len(run.stdout), len(run.stderr)) == (70_000, 30_000)
    assert (report.stdout_bytes, report.stderr_bytes, report.output_dropped) == (70_000, 30_000, True)


async def test_output_of_both_streams_comes_in_the_order_of_printing_after_a_cut(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.link()
    # Each word is printed once the agent knows of the one before.
    o, e = waiting_for(tmp_path / "o$i"), waiting_for(tmp_path / "e$i")
    run = server.dispatch(f"for i in 1 2 3 4; do echo o$i; {o}; echo e$i >&2; {e}; done")
    await until(lambda: run.stdout)
    server.cut()
    await server.stop()
    for i in range(1, 5):
        await until(lambda i=i: noticed(agent, run) == (3 * i, 3 * i - 3))
        (tmp_path / f"o{i}").touch()
        await until(lambda i=i: noticed(agent, run) == (3 * i, 3 * i))
        (tmp_path / f"e{i}").touch()
    await until((directory_of(agent, run.dispatch.run_id) / "exit.json").exists)
    await server.start()
    await server.result_of(run)
    said = b"".join(data for _, data in run.order).decode().split()
    assert said == ["o1", "e1", "o2", "e2", "o3", "e3", "o4", "e4"]


async def test_an_agent_that_cannot_write_adopts_its_command_and_reports_it_once_it_can(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("echo up; sleep 60")
    await until(lambda: run.stdout)
    agent.kill()
    await agent.ended()
    in_the_way = agent.data_dir / "identity.json.new"  # as good as a full disk, for this one file
    in_the_way.mkdir()
    await agent.start()
    await until(lambda: "cannot store the identity: " in agent.words)
    assert "the data directory cannot be written: " in agent.words
    in_the_way.rmdir()
    await until(lambda: agent.words.count("linked to") == 2)
    server.cancel(run)
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_CANCELLED


@pytest.mark.slow
async def test_fifty_megabytes_arrive_unchanged_through_kills_and_cuts(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.write_bytes(os.urandom(50_000_000))
    await agent.link()
    run = server.dispatch(f"cat {data}; sleep 1; cat {data} | head -c 1000 >&2")
    await until(lambda: len(run.stdout) > 5_000_000)
    agent.kill()
    await agent.ended()
    await agent.link()
    await until(lambda: len(run.stdout) > 20_000_000)
    server.cut()
    await server.result_of(run)
    assert hashlib.sha256(run.stdout).digest() == hashlib.sha256(data.read_bytes()).digest()
    assert bytes(run.stderr) == data.read_bytes()[:1000]


@pytest.mark.slow
async def test_two_hundred_quick_commands_leave_no_orphan(server: StandIn, agent: AgentProcess) -> None:
    await agent.link("--capacity", "8")
    for _ in range(25):
        runs = [server.dispatch("true") for _ in range(8)]
        for run in runs:
            assert (await server.result_of(run)).exit_code == 0
    await until(lambda: not list((agent.data_dir / "attempts").iterdir()))
    launcher = str(launcher_of(agent))
    (spare,) = [pid for pid, fields in live_processes() if fields[1] == launcher]
    at_work = [pid for pid, _ in live_processes() if str(agent.data_dir) in working_directory(pid)]
    assert at_work == []
    assert spare


def working_directory(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""
