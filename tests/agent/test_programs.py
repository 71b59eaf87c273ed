"""An agent runs programs as they are, without a shell, with the environment that it is told."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from link_stand_in import AgentProcess, Run, StandIn, running, until
from novasphere.link.v1 import link_service_pb2 as pb

PRINT_ARGUMENTS = "import json, sys; print(json.dumps(sys.argv[1:]))"


def execute(server: StandIn, program: str, *arguments: str, **fields: Any) -> Run:
    return server.dispatch("", kind="exec", program=program, arguments=arguments, **fields)


async def test_a_refusal_is_logged_and_no_longer_than_it_must(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    message = await refusal_of(server, execute(server, "x" * 1_000_000))
    assert len(message) == 1000
    secret = await refusal_of(server, execute(server, "true", environment={"PASSWORD=hidden": ""}))
    assert "hidden" not in secret
    await until(lambda: "is refused: INVALID_PAYLOAD: environment: 'PASSWORD'" in agent.words)
    assert "hidden" not in agent.words


async def refusal_of(server: StandIn, run: Run) -> str:
    report = await server.result_of(run)
    assert report.phase == pb.ATTEMPT_PHASE_REJECTED
    return report.message


async def test_a_program_gets_its_arguments_as_they_are(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    arguments = ["a b", "$HOME", "", "-x", "'", "über\n"]
    run = execute(server, sys.executable, "-c", PRINT_ARGUMENTS, *arguments)
    report = await server.result_of(run)
    assert (report.phase, report.exit_code) == (pb.ATTEMPT_PHASE_EXITED, 0)
    assert json.loads(run.stdout) == arguments


async def test_a_program_is_found_on_the_path_of_the_agent(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for folder in (here, elsewhere):
        folder.mkdir()
        (folder / "tool").write_text(f"#!/bin/sh\necho {folder.name} of $0\npwd")
        (folder / "tool").chmod(0o755)
    await agent.link(environment={"PATH": f"{here}:/usr/bin:/bin"})
    run = execute(server, "tool", environment={"PATH": f"{elsewhere}:/usr/bin:/bin"})
    await server.result_of(run)
    work = agent.data_dir / "attempts" / f"{run.dispatch.run_id}.1" / "work"
    assert run.stdout.decode().splitlines() == [f"here of {here}/tool", str(work)]


async def test_a_program_that_cannot_be_started_is_named(server: StandIn, agent: AgentProcess) -> None:
    await agent.link("--capacity", "20")
    wanted = {
        "no-such-program": "SPAWN_FAILED: there is no program 'no-such-program' on the PATH of this agent",
        "/no/such/program": "SPAWN_FAILED: /no/such/program: No such file or directory",
        "/etc/passwd": "SPAWN_FAILED: /etc/passwd: Permission denied",
        "./tool": "INVALID_PAYLOAD: program: it must be a name or an absolute path",
        "": "INVALID_PAYLOAD: program: it is empty",
        "/bin/a\0b": "SPAWN_FAILED: /bin/a\0b: embedded null byte",
    }
    runs = {program: execute(server, program) for program in wanted}
    assert {program: await refusal_of(server, run) for program, run in runs.items()} == wanted


async def test_variables_are_added_to_those_of_the_agent(server: StandIn, agent: AgentProcess) -> None:
    await agent.link(environment={"NOVASPHERE_TOKEN": "hidden", "KEPT": "yes", "CHANGED": "no"})
    code = "import os; print(*(f'{k}={v}' for k, v in os.environ.items() if k[0] in 'ACKN'), sep='|')"
    given = {"ADDED": "ä = b", "CHANGED": "yes"}
    by_program = execute(server, sys.executable, "-c", code, environment=given)
    by_shell = server.dispatch('echo "$ADDED|$CHANGED|$KEPT|$NOVASPHERE_TOKEN"', environment=given)
    await server.result_of(by_program)
    await server.result_of(by_shell)
    variables = by_program.stdout.decode().strip().split("|")
    assert {"ADDED=ä = b", "CHANGED=yes", "KEPT=yes"} <= set(variables)
    assert not [variable for variable in variables if variable.startswith("NOVASPHERE")]
    assert by_shell.stdout.decode() == "ä = b|yes|yes|\n"


async def test_variables_that_no_attempt_may_have_are_refused(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    wanted = {
        ("NOVASPHERE_FAILPOINT", "x"): "'NOVASPHERE_FAILPOINT' is not for attempts: nothing of ours is",
        ("A=B", "x"): "'A': a name cannot be empty, nor hold '=' or a null byte",
        ("", "x"): "'': a name cannot be empty, nor hold '=' or a null byte",
        ("A\0", "x"): r"'A\x00': a name cannot be empty, nor hold '=' or a null byte",
        ("A", "x\0y"): "the value of 'A' holds a null byte",
    }
    runs = {each: execute(server, "true", environment=dict([each])) for each in wanted}
    for each, run in runs.items():
        assert await refusal_of(server, run) == f"INVALID_PAYLOAD: environment: {wanted[each]}"
    assert not list((agent.data_dir / "attempts").iterdir())


async def test_a_program_outlives_a_killed_agent_and_is_adopted(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    goes_on = tmp_path / "goes on"
    await agent.link()
    code = (
        "import os, sys, time\nprint('up', flush=True)\n"
        "while not os.path.exists(sys.argv[1]): time.sleep(0.02)\n"
        "print(os.environ['WORD'])\nsys.exit(9)"
    )
    run = execute(server, sys.executable, "-c", code, str(goes_on), environment={"WORD": "over"})
    await until(lambda: run.stdout)
    agent.kill()
    await agent.ended()
    await agent.link()
    goes_on.touch()
    report = await server.result_of(run)
    assert (report.phase, report.exit_code, bytes(run.stdout)) == (
        pb.ATTEMPT_PHASE_EXITED,
        9,
        b"up\nover\n",
    )
    assert [state.phase for state in server.hellos[1].attempts] == [pb.ATTEMPT_PHASE_RUNNING]


async def test_a_cancel_and_a_timeout_end_a_program(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    mark = f"86399.{time.time_ns()}"
    cancelled = execute(server, "sleep", mark)
    late = execute(server, "sleep", mark, timeout_ms=300)
    await until(lambda: running(mark))
    server.cancel(cancelled)
    assert (await server.result_of(cancelled)).phase == pb.ATTEMPT_PHASE_CANCELLED
    assert (await server.result_of(late)).phase == pb.ATTEMPT_PHASE_TIMED_OUT
    assert not running(mark)


async def test_output_that_nobody_wants_is_not_kept(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = server.dispatch(
        "echo out; echo err >&2; echo again > /dev/stdout; exit 3", discard_output=True
    )
    report = await server.result_of(run)
    assert (report.phase, report.exit_code) == (pb.ATTEMPT_PHASE_EXITED, 3)
    assert (report.stdout_bytes, report.stderr_bytes, report.output_dropped) == (0, 0, False)
    assert not run.order
    assert not [frame for _, frame in server.frames if frame.output]
