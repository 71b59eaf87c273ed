from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from command_line import Cli
from novasphere.api.v1 import watch_pb2
from novasphere.node.v1 import command_pb2, node_pb2
from novasphere_client import Client
from novasphere_client.cli import conditions
from novasphere_client.cli.conditions import Verdict
from novasphere_client.cli.waiting import COMMANDS, NODES, Wait
from scripted_server import TOKEN, ScriptedServer, event

ONLINE, OFFLINE = node_pb2.NODE_STATUS_ONLINE, node_pb2.NODE_STATUS_OFFLINE


def node(status: int = ONLINE, name: str = "n1", **pressure: bool) -> node_pb2.Node:
    made = node_pb2.Node(node_id=name, uid=name, status=status)
    for name, holds in pressure.items():
        made.conditions.add(type=name, status=1 if holds else 2, message="because")
    return made


def command(state: str, name: str = "cmd-1", **fields: Any) -> command_pb2.Command:
    number = command_pb2.CommandState.Value(f"COMMAND_STATE_{state.upper()}")
    return command_pb2.Command(command_id=name, state=number, **fields)


@pytest.mark.parametrize(
    ("wish", "there", "verdict"),
    [
        ("online", node(ONLINE), Verdict.MET),
        ("online", node(OFFLINE), Verdict.NOT_YET),
        ("OFFLINE", node(OFFLINE), Verdict.MET),
        ("deleted", node(OFFLINE), Verdict.NOT_YET),
        ("condition=DiskPressure", node(DiskPressure=True), Verdict.MET),
        ("condition=diskpressure=TRUE", node(DiskPressure=True), Verdict.MET),
        ("condition=DiskPressure=false", node(DiskPressure=True), Verdict.NOT_YET),
        ("condition=DiskPressure=false", node(DiskPressure=False), Verdict.MET),
        ("condition=DiskPressure=false", node(), Verdict.NOT_YET),
    ],
)
def test_what_is_so_of_a_node(wish: str, there: node_pb2.Node, verdict: Verdict) -> None:
    assert conditions.for_nodes(wish).judge(there) == verdict


@pytest.mark.parametrize(
    ("wish", "state", "verdict"),
    [
        ("succeeded", "running", Verdict.NOT_YET),
        ("succeeded", "succeeded", Verdict.MET),
        ("succeeded", "failed", Verdict.NEVER),
        ("Succeeded", "unknown", Verdict.NEVER),
        ("failed", "succeeded", Verdict.NEVER),
        ("timed_out", "pending", Verdict.NOT_YET),
        ("running", "dispatched", Verdict.NOT_YET),
        ("running", "succeeded", Verdict.NEVER),
        ("pending", "running", Verdict.NEVER),
    ],
)
def test_what_is_so_of_a_command(wish: str, state: str, verdict: Verdict) -> None:
    assert conditions.for_commands(f"state={wish}").judge(command(state)) == verdict


@pytest.mark.parametrize("wish", ["ready", "condition=", "condition=A=maybe", "state=online", ""])
def test_a_wish_that_nobody_knows_is_refused(wish: str) -> None:
    with pytest.raises(ValueError, match="condition"):
        conditions.for_nodes(wish)
    with pytest.raises(ValueError, match="succeeded"):
        conditions.for_commands(wish)


async def wait(
    server: ScriptedServer, wish: str, *names: str, timeout: float = 20.0, of_nodes: bool = True
) -> int:
    kind = NODES if of_nodes else COMMANDS
    condition = (conditions.for_nodes if of_nodes else conditions.for_commands)(wish)
    async with Client.connect(server.address, TOKEN) as client:
        return await Wait(client, kind, condition, timeout).run(names)


async def test_waiting_goes_on_over_a_broken_stream(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.watch_streams = [
        [[event("ADDED", node(OFFLINE)), event("BOOKMARK", cursor="e.1")]],
        [[event("MODIFIED", node(ONLINE), "e.2")]],
    ]
    assert await wait(server, "online", "n1") == 0
    assert capsys.readouterr().err == "novasphere: nodes/n1 is online\n"
    # It is told by watches, and asks nothing else.
    assert [(name, request.cursor) for name, request in server.calls] == [
        ("WatchNodes", ""),
        ("WatchNodes", "e.1"),
    ]


async def test_time_runs_out_with_what_is_known(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    present = [event("ADDED", node(OFFLINE, DiskPressure=True)), event("BOOKMARK", cursor="e.1")]
    server.watch_streams = [[present]]
    assert await wait(server, "online", "n1", "n2", timeout=5) == 1
    assert capsys.readouterr().err == (
        "novasphere: timed out after 5s: nodes/n1 is offline; it was to be online\n"
        "novasphere: timed out after 5s: nodes/n2 is not there; it was to be online\n"
    )
    server.watch_streams = [[present]]
    started = time.monotonic()
    assert await wait(server, "condition=DiskPressure=false", "n1", timeout=0) == 1
    assert time.monotonic() - started < 5
    assert capsys.readouterr().err == (
        "novasphere: nodes/n1 is offline, DiskPressure true (because); it was to be without DiskPressure\n"
    )


async def test_a_node_that_was_not_there_may_come(server: ScriptedServer) -> None:
    server.watch_streams = [[[event("BOOKMARK", cursor="e.1")], [event("ADDED", node(ONLINE), "e.2")]]]
    assert await wait(server, "online", "n1") == 0


async def test_what_is_gone_is_deleted_and_nothing_else(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    present = [event("ADDED", node(OFFLINE)), event("BOOKMARK", cursor="e.1")]
    gone = [event("DELETED", node(OFFLINE), "e.2")]
    server.watch_streams = [[present, gone]]
    assert await wait(server, "deleted", "n1") == 0
    assert capsys.readouterr().err == "novasphere: nodes/n1 is deleted\n"
    server.watch_streams = [[[event("BOOKMARK", cursor="e.1")]]]
    assert await wait(server, "deleted", "n1") == 0
    assert capsys.readouterr().err == "novasphere: nodes/n1 is not there\n"
    server.watch_streams = [[present, gone]]
    assert await wait(server, "online", "n1") == 3
    assert capsys.readouterr().err.endswith("nodes/n1 is deleted; it will never be online\n")
    # Deleted while the watch had lost its place.
    lost = [event("GAP", gap=watch_pb2.Gap(first_lost_revision=2, last_lost_revision=9))]
    server.watch_streams = [[present, lost], [[event("BOOKMARK", cursor="e.9")]]]
    assert await wait(server, "online", "n1") == 3


async def test_a_command_that_failed_ends_the_wait_for_its_success_at_once(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def row(kind: str, what: command_pb2.Command, cursor: str = "") -> Any:
        from novasphere.node.v1 import command_service_pb2

        number = watch_pb2.EventType.Value(f"EVENT_TYPE_{kind}")
        return command_service_pb2.CommandEvent(type=number, object=what, cursor=cursor)

    failed = command("failed", exit_code=3, reason="EXIT_CODE")
    server.watch_streams = [
        [
            [row("ADDED", command("running")), row("BOOKMARK", None, "e.1")],
            [row("MODIFIED", failed, "e.2")],
        ]
    ]
    started = time.monotonic()
    assert await wait(server, "state=succeeded", "cmd-1", of_nodes=False) == 3
    assert time.monotonic() - started < 10
    assert capsys.readouterr().err == (
        "novasphere: commands/cmd-1 is failed (exit code 3); it will never be succeeded\n"
    )
    server.watch_streams = [[[row("BOOKMARK", None, "e.1")]]]
    assert await wait(server, "state=succeeded", "cmd-9", of_nodes=False) == 3
    assert "commands/cmd-9 is not there" in capsys.readouterr().err


async def test_wrong_wishes_are_usage_errors(cli: Cli) -> None:
    usages = [
        (["--for", "ready", "nodes/n1"], "nodes can be waited for"),
        (["--for", "online", "n1"], "none of nodes/NAME, commands/ID, tasks/ID"),
        (["--for", "deleted", "nodes/n1", "commands/c1"], "for things of one kind"),
        (["--for", "online"], "for whom?"),
    ]
    wrongs = await asyncio.gather(*(cli("wait", *arguments) for arguments, _ in usages))
    for (arguments, said), wrong in zip(usages, wrongs, strict=True):
        assert (wrong.code, wrong.out) == (2, b""), arguments
        assert said in wrong.err
