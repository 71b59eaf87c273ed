"""An attempt has the limits that it was sent with, and says what it used and what stopped it."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from link_stand_in import AgentProcess, Run, StandIn
from novasphere.link.v1 import link_service_pb2 as pb


def python(server: StandIn, code: str, **fields: Any) -> Run:
    return server.dispatch(
        "", kind="exec", program=sys.executable, arguments=["-S", "-c", code], **fields
    )


async def test_a_memory_hog_ends_by_its_limit_and_says_so(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    limits = {"memory_bytes": 128 << 20}
    hog = python(server, "x = bytearray(1 << 30)", limits=limits)
    modest = python(server, "x = bytearray(16 << 20)", limits=limits)
    report = await server.result_of(hog)
    assert (report.phase, report.exit_code) == (pb.ATTEMPT_PHASE_EXITED, 1)
    assert b"MemoryError" in hog.stderr
    assert report.message == "exit code 1; it may have reached a limit: memory_bytes 134217728"
    assert (await server.result_of(modest)).exit_code == 0
    assert modest.final is not None
    assert modest.final.message == ""


async def test_a_busy_loop_ends_by_its_limit_and_says_so(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    alone = python(server, "while True: pass", limits={"cpu_seconds": 1})
    below = server.dispatch(
        f"{sys.executable} -S -c 'while True: pass'; exit $?", limits={"cpu_seconds": 1}
    )
    for run in (alone, below):
        report = await server.result_of(run)
        assert report.message == "it reached its limit of cpu_seconds, 1"
        assert 500_000 <= report.usage.cpu_time_us <= 3_000_000
    assert (alone.final.signal, below.final.exit_code) == (24, 128 + 24)


async def test_what_ignores_the_signal_of_its_limit_is_killed_a_second_later(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    code = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    run = python(server, code, limits={"cpu_seconds": 1})
    report = await server.result_of(run)
    assert report.message == "killed by signal 9; it may have reached a limit: cpu_seconds 1"
    assert report.usage.cpu_time_us >= 1_200_000


async def test_a_file_and_the_number_of_open_ones_are_limited(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    # What it prints is no file.
    line = "head -c 100000 /dev/zero; exec head -c 100000 /dev/zero > file"
    large = server.dispatch(line, limits={"file_size_bytes": 5000})
    many = python(server, "[open('/dev/null') for _ in range(50)]", limits={"open_files": 30})
    report = await server.result_of(large)
    assert (report.signal, report.message) == (25, "it reached its limit of file_size_bytes, 5000")
    assert len(large.stdout) == 100_000
    report = await server.result_of(many)
    assert report.message == "exit code 1; it may have reached a limit: open_files 30"
    assert b"Too many open files" in many.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root's processes are not counted")
async def test_a_limit_that_the_system_does_not_have_is_named(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    run = server.dispatch("exit 3", limits={"processes": 5, "open_files": 40})
    missing = "not limited on this system: processes"
    message = (await server.result_of(run)).message
    assert message == f"exit code 3; it may have reached a limit: open_files 40; {missing}"
    run = server.dispatch("sleep 60", limits={"processes": 5}, timeout_ms=200)
    assert (await server.result_of(run)).message == f"killed because its time was up; {missing}"


async def test_limits_hold_for_the_whole_tree_and_cannot_be_raised(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    line = "ulimit -f; sh -c 'ulimit -f; ulimit -n'; ulimit -n 100 || echo no"
    run = server.dispatch(line, limits={"file_size_bytes": 5120, "open_files": 40})
    await server.result_of(run)
    assert run.stdout == b"10\n10\n40\nno\n"


async def test_more_than_the_agent_itself_may_have_is_what_the_agent_has(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    most = (1 << 64) - 1
    run = server.dispatch("ulimit -v; ulimit -t", limits={"memory_bytes": most, "cpu_seconds": most})
    assert (await server.result_of(run)).exit_code == 0


async def test_a_report_says_what_was_used(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    code = (
        "import os, time\nx = bytearray(64 << 20)\nuntil = time.process_time() + 0.2\n"
        "while time.process_time() < until: pass\n"
        "with open('file', 'wb') as file: file.write(bytes(8 << 20)); file.flush(); os.fsync(file)"
    )
    # As the child of a shell, which waits for it.
    run = server.dispatch(f'{sys.executable} -S -c "$CODE"; exit 0', environment={"CODE": code})
    usage = (await server.result_of(run)).usage
    assert 200_000 <= usage.cpu_time_us < 5_000_000
    assert 64 << 20 <= usage.memory_peak_bytes < 256 << 20
    assert usage.HasField("disk_read_bytes")
    assert usage.HasField("disk_write_bytes")
    small = (await server.result_of(server.dispatch("true"))).usage
    assert small.memory_peak_bytes < 32 << 20
    assert small.cpu_time_us < 200_000


async def test_who_may_write_nothing_still_prints(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = server.dispatch("echo said; echo kept > file", limits={"file_size_bytes": 0})
    report = await server.result_of(run)
    assert report.message == "it reached its limit of file_size_bytes, 0"
    assert run.stdout == b"said\n"
