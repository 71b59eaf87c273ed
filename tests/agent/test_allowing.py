"""An agent runs what it was started to run, and says what that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from link_stand_in import AgentProcess, Run, StandIn, until
from novasphere.link.v1 import link_service_pb2 as pb

EVERYTHING = ["shell", "exec", "echo", "system_info", "sleep", "http_request", "command"]


def dispatches(server: StandIn) -> dict[str, Run]:
    def sent(text: str = "", **fields: Any) -> Run:
        return server.dispatch(text, **fields)

    return {
        "shell": sent("true"),
        "command": sent(kind="command", payload='{"command": "true"}'),
        "exec": sent(kind="exec", program="true"),
        "path": sent(kind="exec", program="/bin/true"),
        "echo": sent(kind="echo", payload='{"message": "x"}'),
        "sleep": sent(kind="sleep", payload='{"duration": 0}'),
        "python_eval": sent(kind="python_eval", payload='{"expression": "1"}'),
        "vm": sent(kind="vm"),
    }


@pytest.mark.parametrize(
    ("allow", "announced", "runs"),
    [
        (None, EVERYTHING, {"shell", "command", "exec", "path", "echo", "sleep"}),
        ("none", [], set()),
        ("shell", ["shell", "command"], {"shell", "command"}),
        ("command", ["command"], {"command"}),
        ("exec", ["exec"], {"exec", "path"}),
        ("echo,python_eval", ["echo", "python_eval"], {"echo", "python_eval"}),
        ("true", ["true"], {"exec"}),
        ("true,vm", ["true", "vm"], {"exec"}),
    ],
)
async def test_what_is_allowed_is_announced_and_run_and_nothing_else(
    server: StandIn, agent: AgentProcess, allow: str | None, announced: list[str], runs: set[str]
) -> None:
    # So that /bin/true is not what `true` is found as.
    await agent.link(
        *(("--allow", allow) if allow else ()), "--capacity", "20", environment={"PATH": "/usr/bin"}
    )
    assert list(server.hellos[0].profile.capabilities) == announced
    sent = dispatches(server)
    for run in sent.values():
        await server.result_of(run)
    ran = {
        name for name, run in sent.items() if run.final and run.final.phase == pb.ATTEMPT_PHASE_EXITED
    }
    assert ran == runs
    for name in sent.keys() - runs:
        assert sent[name].final.message.startswith("NOT_ALLOWED: "), name


async def test_a_refusal_says_what_would_allow_it(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.link("--allow", "python3")
    mark = tmp_path / "mark"
    given = "in --allow (it has: python3)"
    wanted = {
        ("shell", ""): f"this agent runs no 'shell' work: start it with shell {given}",
        ("exec", "touch"): f"this agent runs no program 'touch': start it with touch (or exec) {given}",
        (
            "exec",
            "/opt/x/python3",
        ): f"this agent runs no program '/opt/x/python3': start it with exec {given}",
        ("vm", ""): "this version of the agent has no 'vm' work",
    }
    for (kind, program), words in wanted.items():
        run = server.dispatch(f"touch {mark}", kind=kind, program=program, arguments=[str(mark)])
        report = await server.result_of(run)
        assert (report.phase, report.message) == (pb.ATTEMPT_PHASE_REJECTED, f"NOT_ALLOWED: {words}")
    assert not mark.exists()


async def test_a_name_that_is_nothing_here_is_warned_of(server: StandIn, agent: AgentProcess) -> None:
    await agent.link("--allow", "shell,ehco,sh")
    await until(lambda: "linked to" in agent.words)
    assert "--allow ehco: that is no kind of work, and no program on the PATH by now" in agent.words
    assert agent.words.count("--allow") == 1
