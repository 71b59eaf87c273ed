"""Every verb of the command line but exec, as real processes against a real gRPC server."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
import time
from pathlib import Path

import grpc
import pytest
import typer.main
import yaml
from command_line import Cli
from novasphere.api.v1 import key_service_pb2, watch_pb2
from novasphere.node.v1 import command_explanation_pb2, command_pb2, metric_pb2
from novasphere_client.cli import app, nouns
from novasphere_client.cli.options import hoist
from scripted_server import ERR, OUT, TOKEN, Refusal, ScriptedServer, event


def sample(node_id: str, cpu: float) -> metric_pb2.Metric:
    metric = metric_pb2.Metric(
        node_id=node_id, cpu_usage=cpu, memory_usage=50, disk_usage=25, load_average=1.5
    )
    metric.metric_time.FromSeconds(int(time.time()) - 3)
    return metric


async def test_an_explanation_is_said_in_lines_that_cannot_steer_the_terminal(
    server: ScriptedServer, cli: Cli
) -> None:
    command_id = server.add_command("n1").command.command_id
    explanation = command_explanation_pb2.CommandExplanation(
        cause=command_explanation_pb2.COMMAND_CAUSE_NODE_FAULT,
        message="n1 reports a fault of its own: \x1b[2Jgone\nno second line",
        remedy="Mend it.",
    )
    explanation.since.FromSeconds(int(time.time()) - 185)
    server.explanations = [explanation]
    shown, names, missing = await asyncio.gather(
        cli("command", "explain", command_id),
        cli("command", "explain", command_id, "-o", "yaml"),
        cli("command", "explain", "cmd-none"),
    )
    assert (shown.code, shown.err) == (0, "")
    assert shown.text.splitlines() == [
        f"command {command_id} on n1: running",
        "- n1 reports a fault of its own:  [2Jgone no second line (3m ago)",
        "  Mend it.",
    ]
    assert yaml.safe_load(names.text)["explanations"][0]["cause"] == "NODE_FAULT"
    assert missing.code == 1
    assert "'cmd-none' does not exist" in missing.err


async def test_node_list_in_every_form(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1", labels={"zone": "a"}, os_info="Debian 12")
    server.add_node("server-with-a-long-name", labels={"zone": "b"})
    server.add_node("节点", labels={"zone": "b"})

    table, wide, as_json, as_yaml, names, bare = await asyncio.gather(
        cli("node", "list"),
        cli("node", "list", "-o", "wide"),
        cli("node", "list", "-o", "json"),
        cli("node", "list", "-o", "yaml"),
        cli("node", "list", "-l", "zone=b", "-o", "name"),
        cli("node", "list", "--no-headers", "--status", "online"),
    )
    assert [f.code for f in (table, wide, as_json, as_yaml, names, bare)] == [0] * 6
    assert all(f.err == "" for f in (table, wide, as_json, as_yaml, names, bare))

    lines = table.text.splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "HOSTNAME", "ADDRESS", "ROLE", "HEARD", "AGE"]
    assert lines[1].split() == ["n1", "online", "host-n1", "-", "-", lines[1].split()[5], "2h"]
    assert (
        lines[0].index("STATUS") == lines[2].index("online") == lines[3].index("online") + 2
    )  # two are wide
    assert "\x1b" not in table.text
    assert "zone=a" in wide.text
    assert "Debian 12" in wide.text
    data = json.loads(as_json.text)
    assert data["total"] == 3
    assert data["nodes"][0]["status"] == "online"
    assert data["nodes"][0]["id"] == 1
    assert data["nodes"][2]["node_id"] == "节点"
    assert yaml.safe_load(as_yaml.text) == data
    assert names.text == "server-with-a-long-name\n节点\n"
    assert len(bare.text.splitlines()) == 3
    assert server.requests("ListNodes")[-1].limit


async def test_node_get_delete_and_metrics(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1")
    server.add_node("n2")
    server.metrics = [sample("n1", 45.25), sample("n2", 1)]
    server.metrics[0].memory_available = 3 * 2**30

    one, two, missing = await asyncio.gather(
        cli("node", "get", "n1", "-o", "json"),
        cli("node", "get", "n1", "n2", "-o", "json"),
        cli("node", "get", "n9"),
    )
    assert json.loads(one.text)["node_id"] == "n1"
    assert json.loads(two.text)["total"] == 2
    assert missing.code == 1
    assert missing.out == b""
    assert missing.err == "novasphere: node 'n9' does not exist\nList the nodes: novasphere node list\n"

    latest, wide, all_of_them, history, summary, wrong = await asyncio.gather(
        cli("node", "metrics", "n1"),
        cli("node", "metrics", "n1", "-o", "wide"),
        cli("node", "metrics", "-o", "json"),
        cli("node", "metrics", "n1", "--since", "15m", "--limit", "7", "-o", "name"),
        cli("node", "metrics", "n1", "--summary", "--no-headers"),
        cli("node", "metrics", "--summary"),
    )
    assert latest.text.splitlines()[1].split()[:5] == ["n1", "45.2", "50.0", "25.0", "1.50"]
    assert "3.0Gi" in wide.text
    assert len(json.loads(all_of_them.text)["metrics"]) == 2
    assert history.text == "n1\n"
    request = server.requests("ListMetrics")[0]
    assert request.limit == 7
    assert abs(request.start_time.seconds - (time.time() - 900)) < 300
    assert summary.text.split() == ["n1", "120", "42.5", "89.2", *["-"] * 6]
    assert wrong.code == 2
    assert "need a NODE" in wrong.err

    server.metrics = [sample("n1", 1)] * 3
    some, every = await asyncio.gather(
        cli("node", "metrics", "n1", "--since", "15m", "--limit", "2"),
        cli("node", "metrics", "n1", "--since", "15m", "--limit", "3"),
    )
    assert "the newest 2 of 3 samples; --limit shows more" in some.err
    assert every.err == ""

    dry = await cli("node", "delete", "n1", "--dry-run")
    assert (dry.code, dry.err) == (0, "novasphere: node n1 would be deleted\n")
    gone = await cli("--request-id", "mine", "node", "delete", "n9", "n1")
    assert gone.code == 1
    assert gone.out == b""
    assert "node 'n9' does not exist" in gone.err
    assert "node n1 deleted" in gone.err
    assert list(server.nodes) == ["n2"]
    assert [request.request_id for request in server.requests("DeleteNode")[1:]] == [
        "mine/n9",
        "mine/n1",
    ]


async def test_a_request_id_stands_for_the_same_change_whatever_is_named_beside_it(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    server.add_node("n2")
    await cli("node", "delete", "n1", "--request-id", "mine")
    await cli("node", "delete", "n1", "n2", "--request-id", "mine")
    sent = [(request.node_id, request.request_id) for request in server.requests("DeleteNode")]
    assert sent == [("n1", "mine/n1"), ("n1", "mine/n1"), ("n2", "mine/n2")]


async def test_an_empty_fleet_says_what_to_do(cli: Cli) -> None:
    nodes, commands, names = await asyncio.gather(
        cli("node", "list"), cli("command", "list"), cli("node", "list", "-o", "name")
    )
    assert (nodes.code, nodes.out) == (0, b"")
    assert "novasphere token join" in nodes.err
    assert "novasphere exec" in commands.err
    assert (names.out, names.err) == (b"", "")


async def test_a_filter_that_nothing_matches_is_not_an_empty_fleet(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_command("n1")
    filters = (["--node", "n2"], ["--status", "failed"])
    for listed in await asyncio.gather(*(cli("command", "list", *some) for some in filters)):
        assert (listed.code, listed.err) == (0, "novasphere: no command matches.\n")


async def test_watching_prints_rows_as_they_come_and_resumes(server: ScriptedServer, cli: Cli) -> None:
    node = server.add_node("n1")
    other = server.add_node("n2")
    server.watch_streams = [
        [[event("ADDED", node), event("ADDED", other), event("BOOKMARK", cursor="e.1")]],
        [[event("MODIFIED", node, "e.2")], [event("DELETED", other, "e.3")]],
    ]
    process = await cli.start("node", "watch")
    assert process.stdout is not None
    rows = [
        (await asyncio.wait_for(process.stdout.readline(), 120)).decode().split()[:2] for _ in range(5)
    ]
    assert rows == [
        ["EVENT", "NAME"],
        ["ADDED", "n1"],
        ["ADDED", "n2"],
        ["MODIFIED", "n1"],
        ["DELETED", "n2"],
    ]
    process.send_signal(2)
    left = await cli.finish(process)
    assert left.code == 130
    assert left.err == "novasphere: the connection broke; trying again\n"
    assert [request.cursor for request in server.requests("WatchNodes")] == ["", "e.1"]


async def test_ctrl_c_is_heard_although_it_interrupts_nothing(server: ScriptedServer, cli: Cli) -> None:
    server.watch_streams = [[[event("ADDED", server.add_node("n1")), event("BOOKMARK", cursor="e.1")]]]
    # A thread that only waits takes the signal: for the loop that is as if it came just before it slept.
    program = (
        "import signal, threading\n"
        "from novasphere_client.cli import main\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
        "main()"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, "node", "watch", "--no-headers"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=cli.environment,
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 120)).split()[:2] == [b"ADDED", b"n1"]
    process.send_signal(2)
    left = await cli.finish(process)
    assert (left.code, left.err) == (130, "")


async def test_a_watch_that_lost_changes_says_so_and_ends(server: ScriptedServer, cli: Cli) -> None:
    node = server.add_node("n1", labels={"zone": "a"})
    lost = watch_pb2.Gap(first_lost_revision=3, last_lost_revision=8, oldest_cursor="e.8")
    stream = [[event("ADDED", node), event("BOOKMARK", cursor="e.1")], [event("GAP", gap=lost)]]
    server.watch_streams = [[*stream]]
    told = await cli("watch", "nodes", "-o", "json", "-l", "zone=a", "--output-watch-events")
    rows = [json.loads(line) for line in told.text.splitlines()]
    assert [(row["type"], row["cursor"]) for row in rows] == [
        ("ADDED", ""),
        ("BOOKMARK", "e.1"),
        ("GAP", ""),
    ]
    assert rows[0]["object"]["labels"] == {"zone": "a"}
    assert rows[2]["gap"]["oldest_cursor"] == "e.8"
    assert told.code == 4
    assert "revisions 3 to 8" in told.err
    assert "The oldest cursor that still works: e.8" in told.err
    assert server.requests("WatchNodes")[0].label_selector == "zone=a"

    server.watch_streams = [[*stream]]
    shown = await cli("node", "watch", "--no-headers")
    assert (shown.code, [row.split()[0] for row in shown.text.splitlines()]) == (4, ["ADDED", "GAP"])
    server.refuse(
        "WatchNodes", Refusal(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED", "that was long ago")
    )
    late = await cli("watch", "nodes", "--cursor", "e.0")
    assert (late.code, late.text) == (4, "GAP\n")
    assert "that was long ago" in late.err


async def test_a_watched_list_shows_the_present_again_after_a_gap(
    server: ScriptedServer, cli: Cli
) -> None:
    node = server.add_node("n1")
    lost = watch_pb2.Gap(first_lost_revision=3, last_lost_revision=8)
    present = [event("ADDED", node), event("BOOKMARK", cursor="e.1")]
    server.watch_streams = [[present, [event("GAP", gap=lost)]], [present]]
    process = await cli.start("node", "list", "-w", "-o", "name")
    assert process.stdout is not None
    for _ in range(2):
        assert await asyncio.wait_for(process.stdout.readline(), 120) == b"n1\n"
    process.kill()
    left = await process.communicate()
    assert b"revisions 3 to 8" in left[1]
    assert [request.cursor for request in server.requests("WatchNodes")] == ["", ""]


async def test_a_watch_may_leave_out_the_present_and_ends_on_time(
    server: ScriptedServer, cli: Cli
) -> None:
    one, other = server.add_node("n1"), server.add_node("n2")
    server.watch_streams = [
        [[event("ADDED", one), event("BOOKMARK", cursor="e.1")], [event("ADDED", other, "e.2")]]
    ]
    left = await cli("watch", "nodes", "--watch-only", "--timeout", "6", "--no-headers")
    assert [row.split()[:2] for row in left.text.splitlines()] == [["ADDED", "n2"]]
    assert (left.code, left.err) == (0, "novasphere: time is up; to go on from here: --cursor e.2\n")


async def test_one_object_can_be_watched_by_get(server: ScriptedServer, cli: Cli) -> None:
    server.watch_streams = [[[event("ADDED", server.add_node("n1")), event("BOOKMARK", cursor="e.1")]]]
    process = await cli.start("node", "get", "n1", "-w", "-o", "name")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"n1\n"
    process.kill()
    await process.communicate()
    assert server.requests("WatchNodes")[0].node_id == "n1"
    assert (await cli("node", "get", "n9", "-w")).code == 1


async def test_a_selector_chooses_for_whom_it_is(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1", labels={"zone": "a"})
    server.add_node("n2", labels={"zone": "a"})
    server.add_node("n3", labels={"zone": "b"})
    dry, nobody, none, blank = await asyncio.gather(
        cli("exec", "-l", "zone=a", "--dry-run=server", "--", "true"),
        cli("node", "delete", "-l", "zone=c"),
        cli("node", "delete"),
        cli("node", "delete", "-l", " "),
    )
    assert dry.code == 0
    assert "zone=a selects 2 nodes" in dry.err
    assert "the command would run on n2" in dry.err
    assert all(request.validate_only for request in server.requests("CreateCommand"))
    assert (nobody.code, none.code, blank.code) == (0, 2, 2)
    assert "would choose every node" in blank.err
    assert not server.requests("DeleteNode")
    assert "no node matches zone=c" in nobody.err
    gone = await cli("node", "delete", "n3", "-l", "zone=a", "--request-id", "mine")
    assert gone.code == 0
    deleted = server.requests("DeleteNode")
    assert [(request.node_id, request.request_id) for request in deleted] == [
        ("n3", "mine/n3"),
        ("n1", "mine/n1"),
        ("n2", "mine/n2"),
    ]


async def test_list_watch_prints_objects_alone(server: ScriptedServer, cli: Cli) -> None:
    node = server.add_node("n1")
    stream = [[event("ADDED", node), event("BOOKMARK", cursor="e.1")], [event("MODIFIED", node, "e.2")]]
    server.watch_streams = [stream]
    process = await cli.start("node", "list", "-w", "-o", "name")
    assert process.stdout is not None
    assert [await asyncio.wait_for(process.stdout.readline(), 120) for _ in range(2)] == [
        b"n1\n",
        b"n1\n",
    ]
    process.kill()
    await process.communicate()


async def test_lists_are_sorted_by_any_field_of_their_json(server: ScriptedServer, cli: Cli) -> None:
    for name, cpus, zone in (("a", 4, "y"), ("b", 16, "x"), ("c", 8, "")):
        node = server.add_node(name, labels={"zone": zone} if zone else {})
        node.resources.cpu_count = cpus
        node.last_heartbeat.FromSeconds(cpus)
    server.nodes["c"].ClearField("last_heartbeat")
    cases = [
        (["--sort-by", "resources.cpu_count"], ["a", "c", "b"]),
        (["--sort-by=-resources.cpu_count"], ["b", "c", "a"]),
        (["--sort-by", "labels.zone"], ["b", "a", "c"]),
        (["--sort-by=-last_heartbeat"], ["b", "a", "c"]),
    ]
    sorts = await asyncio.gather(*(cli("node", "list", "-o", "name", *words) for words, _ in cases))
    for (words, wanted), done in zip(cases, sorts, strict=True):
        assert (done.code, done.text.split()) == (0, wanted), words
    for field, said in [("hostnam", "did you mean 'hostname'?"), ("labels", "has no order")]:
        wrong = await cli("node", "list", "--sort-by", field)
        assert (wrong.code, wrong.out) == (2, b"")
        assert said in wrong.err
    one, other = server.add_command("b"), server.add_command("a")
    by_node = await cli("command", "list", "--sort-by", "target_node_id", "-o", "json")
    assert [c["command_id"] for c in json.loads(by_node.text)["commands"]] == [
        other.command.command_id,
        one.command.command_id,
    ]


async def test_command_list_get_and_cancel(server: ScriptedServer, cli: Cli) -> None:
    first = server.add_command("n1", text="sleep 5\nrm -rf /tmp/x\x1b[31m")
    second = server.add_command("n2", text="uname -a")
    await server.print(second, (OUT, b"Linux\n"))
    await server.finish(second, command_pb2.COMMAND_STATE_SUCCEEDED, 0)
    ids = [first.command.command_id, second.command.command_id]

    table, some, data, one, both = await asyncio.gather(
        cli("command", "list"),
        cli("command", "list", "--node", "n2", "--status", "success", "-o", "name"),
        cli("command", "list", "--limit", "1", "-o", "json"),
        cli("command", "get", ids[1], "-o", "json"),
        cli("command", "get", *ids, "-o", "yaml"),
    )
    lines = table.text.splitlines()
    assert lines[0].split() == ["ID", "NODE", "STATE", "EXIT", "AGE", "TOOK", "COMMAND"]
    assert lines[1].split()[:4] == [ids[1], "n2", "succeeded", "0"]
    assert lines[2].split()[:4] == [ids[0], "n1", "running", "-"]
    assert len(lines) == 3, "a command of several lines is one row"
    assert "\x1b" not in table.text
    assert some.text == f"{ids[1]}\n"
    assert json.loads(data.text)["total"] == 2
    assert json.loads(one.text)["result"]["stdout"] == "Linux\n"
    assert json.loads(one.text)["command"]["timeout"] == 30
    assert len(yaml.safe_load(both.text)["commands"]) == 2

    short = await cli("command", "list", "--limit", "1")
    assert "1 of 2 commands" in short.err

    server.confirms_cancels = False
    asked = await cli("command", "cancel", ids[0], "--grace", "0")
    assert asked.code == 0
    assert "is being cancelled; it is running until its node confirms" in asked.err
    assert server.requests("CancelCommand")[0].grace_seconds == 0
    server.confirms_cancels = True
    waited, dry = await asyncio.gather(
        cli("command", "cancel", ids[0], "--wait"), cli("command", "cancel", ids[0], "--dry-run")
    )
    assert f"command {ids[0]} cancelled" in waited.err
    assert "would be cancelled" in dry.err


async def test_logs_keep_the_streams_apart_byte_for_byte(server: ScriptedServer, cli: Cli) -> None:
    script = server.add_command()
    command_id = script.command.command_id
    noise = bytes(range(256)) * 400
    await server.print(script, (OUT, noise), (ERR, b"words\n"), (OUT, b"end"))
    so_far, only, later = await asyncio.gather(
        cli("command", "logs", command_id),
        cli("command", "logs", command_id, "--stream", "stderr"),
        cli("command", "logs", command_id, "--offset", str(len(noise) + 6)),
    )
    assert (so_far.code, so_far.out, so_far.err) == (0, noise + b"end", "words\n")
    assert (only.out, only.err) == (b"", "words\n")
    assert (later.out, later.err) == (b"end", "")

    process = await cli.start("command", "logs", "-f", command_id)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readexactly(len(noise) + 3), 120) == noise + b"end"
    await server.break_streams()
    await server.print(script, (OUT, b"more"))
    await server.finish(script, command_pb2.COMMAND_STATE_SUCCEEDED, 0)
    followed = await cli.finish(process)
    assert (followed.code, followed.out, followed.err) == (0, b"more", "words\n")


async def test_keys_are_made_listed_and_revoked(server: ScriptedServer, cli: Cli) -> None:
    made = await cli("key", "create", "ci", "--scope", "read", "--scope", "write", "--expires", "30d")
    assert (made.code, made.text) == (0, "nsk_key00001_secret\n")
    assert "not shown again" in made.err
    request = server.requests("CreateKey")[0]
    assert list(request.scopes) == [1, 2]
    assert abs(request.expires_at.seconds - time.time() - 30 * 86400) < 600
    as_json = await cli("key", "create", "other", "-n", "team", "-o", "json")
    assert json.loads(as_json.text)["key"] == "nsk_key00002_secret"
    assert "nsk_" not in as_json.err
    repeated = await cli("key", "create", "third", "--request-id", "repeated")
    assert repeated.code == 1
    assert "its secret was shown then" in repeated.err

    listed, one, dry, wrong = await asyncio.gather(
        cli("key", "list"),
        cli("key", "get", "key00001", "-o", "yaml"),
        cli("key", "create", "no", "--dry-run"),
        cli("key", "create", "no", "--scope", "everything"),
    )
    rows = [line.split()[:4] for line in listed.text.splitlines()]
    assert rows[0] == ["ID", "NAME", "SCOPES", "EXPIRES"]
    assert rows[3] == ["key00001", "ci", "read,write", "29d"]
    assert rows[1][3] == "never"
    assert yaml.safe_load(one.text)["name"] == "ci"
    assert (dry.code, dry.out) == (0, b"")
    assert wrong.code == 2
    assert "read, write, admin" in wrong.err

    added = key_service_pb2.KeyEvent(type=watch_pb2.EVENT_TYPE_ADDED, object=server.keys[0])
    gap = key_service_pb2.KeyEvent(type=watch_pb2.EVENT_TYPE_GAP)
    bookmark = key_service_pb2.KeyEvent(type=watch_pb2.EVENT_TYPE_BOOKMARK, cursor="e.1")
    server.watch_streams = [[[added, bookmark], [gap]]]
    watched = await cli("watch", "keys", "-o", "name")
    assert (watched.code, watched.text) == (4, f"{server.keys[0].key_id}\n")

    revoked = await cli("key", "revoke", "key00001", "key00009")
    assert revoked.code == 1
    assert "key key00001 revoked" in revoked.err
    assert "novasphere key list" in revoked.err
    assert "revoked" in (await cli("key", "list")).text


async def test_join_tokens_are_made_listed_and_revoked(server: ScriptedServer, cli: Cli) -> None:
    made = await cli("token", "join", "--ttl", "2h", "--reusable")
    assert (made.code, made.text) == (0, "nsj_tok00001_secret\n")
    assert f"novasphere agent --server HOST:{server.port} --token TOKEN" in made.err
    assert f'make up ARGS="--grpc 0.0.0.0:{server.port}"' in made.err
    assert server.requests("CreateJoinToken")[0].ttl_seconds == 7200
    listed = await cli("token", "list", "-o", "json")
    assert json.loads(listed.text)["join_tokens"][0]["reusable"] is True
    revoked = await cli("token", "revoke", "tok00001")
    assert (revoked.code, revoked.err) == (0, "novasphere: join token tok00001 revoked\n")
    assert "revoked" in (await cli("token", "list", "--no-headers")).text


async def test_version_asks_the_server_only_when_told(server: ScriptedServer, cli: Cli) -> None:
    own, both, data = await asyncio.gather(
        cli("version"), cli("version", "--remote"), cli("version", "--remote", "-o", "json")
    )
    assert own.text.startswith("novasphere ")
    assert f"server 9.9.9 at {server.address}, on sqlite" in both.text
    assert json.loads(data.text)["server"] == "9.9.9"
    assert not server.calls


@pytest.mark.parametrize(
    "arguments", [["--help"], ["version"], ["exec", "--help"], ["node", "list", "--help"]]
)
async def test_help_and_version_load_neither_grpc_nor_rich(arguments: list[str], tmp_path: Path) -> None:
    program = (
        "import sys\nsys.argv = ['novasphere', *sys.argv[1:]]\n"
        "from novasphere_client.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "slow = {'grpc', 'google', 'rich', 'yaml', 'novasphere'} & set(sys.modules)\n"
        "sys.exit(f'loaded {slow}' if slow else 0)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out


async def test_help_lists_what_other_packages_add(cli: Cli) -> None:
    listed = await cli("--help")
    for name in ("server", "up", "agent"):
        assert f"  {name} " in listed.text


async def test_an_added_command_gets_its_arguments_untouched(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "added.py").write_text(
        "import json\ndef run(argv):\n    print(json.dumps(argv))\n    return 7\n"
    )
    folder = tmp_path / "added-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[novasphere.commands]\nadded = added:run\n")
    cli.environment["PYTHONPATH"] = str(tmp_path)
    arguments = ["--help", "--server", "x", "-o", "--", "-h", "--"]
    direct, after_options, listed = await asyncio.gather(
        cli("added", *arguments), cli("--token", "t", "added", "a", "--", "-h"), cli("--help")
    )
    assert (direct.code, json.loads(direct.text)) == (7, arguments)
    assert (after_options.code, json.loads(after_options.text)) == (7, ["a", "--", "-h"])
    assert "Added by added." in listed.text


def test_options_for_every_command_may_stand_anywhere_before_the_remote_command() -> None:
    words = ["exec", "n1", "--server", "a:1", "--token=t", "-v", "--", "run", "--server", "b"]
    assert hoist(words) == [
        "--server",
        "a:1",
        "--token=t",
        "exec",
        "n1",
        "-v",
        "--",
        "run",
        "--server",
        "b",
    ]
    assert hoist(["node", "--server"]) == ["node", "--server"]


async def test_settings_come_from_options_the_environment_and_this_machine(
    server: ScriptedServer, cli: Cli, tmp_path: Path
) -> None:
    server.add_node("n1")
    del cli.environment["NOVASPHERE_TOKEN"], cli.environment["NOVASPHERE_SERVER"]
    given = await cli("node", "list", "--server", server.address, "--token", TOKEN, "-o", "name")
    assert given.text == "n1\n"
    cli.environment["NOVASPHERE_SERVER"] = server.address
    none = await cli("node", "list")
    assert none.code == 1
    assert "there is none" in none.err
    assert "NOVASPHERE_TOKEN" in none.err
    home = tmp_path / ".local" / "share" / "novasphere"
    home.mkdir(parents=True)
    (home / "admin.token").write_text(TOKEN + "\n")
    assert (await cli("node", "list", "-o", "name")).text == "n1\n"
    cli.environment["NOVASPHERE_TOKEN"] = "another-token-0123456"
    wrong = await cli("node", "list")
    assert wrong.code == 1
    assert "does not accept the token from NOVASPHERE_TOKEN" in wrong.err


async def test_errors_are_a_sentence_and_a_next_step(server: ScriptedServer, cli: Cli) -> None:
    cases = [
        (
            Refusal(
                grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED", "no", metadata={"scope": "admin"}
            ),
            "Use a token with that scope: novasphere key create NAME --scope admin",
        ),
        (
            Refusal(
                grpc.StatusCode.PERMISSION_DENIED,
                "PERMISSION_DENIED",
                "no",
                metadata={"namespace": "team"},
            ),
            "Use a token that is not bound to namespaces, or one that is bound to 'team'.",
        ),
        (
            Refusal(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED", "no"),
            "Use a token that is not bound to namespaces.",
        ),
        (Refusal(grpc.StatusCode.INTERNAL, "INTERNAL", "the server failed"), "Request id: req-17"),
        (
            Refusal(
                grpc.StatusCode.INVALID_ARGUMENT,
                "INVALID_ARGUMENT",
                "no",
                violations=[("label_selector", "a comma too many")],
            ),
            "label_selector: a comma too many",
        ),
        (Refusal(grpc.StatusCode.UNIMPLEMENTED, "", "unknown method"), "version --remote"),
    ]
    for refusal, said in cases:
        server.refuse("ListNodes", refusal)
        failed = await cli("node", "list")
        assert failed.code == 1
        assert failed.out == b""
        assert said in failed.err
        assert len(failed.err.splitlines()) <= 3


async def test_a_server_that_is_not_there_is_named_with_what_to_do(cli: Cli) -> None:
    cli.environment["NOVASPHERE_SERVER"] = "127.0.0.1:1"
    attempts = (["node", "list"], ["node", "watch"], ["command", "logs", "cmd-1"])
    for failed in await asyncio.gather(*(cli(*arguments) for arguments in attempts)):
        assert failed.code == 1
        assert failed.err.startswith(
            "novasphere: cannot reach the server at 127.0.0.1:1.\nStart one with `novasphere up`"
        )
        assert "NOVASPHERE_SERVER" in failed.err
    cli.environment["NOVASPHERE_SERVER"] = "http://there:8080"
    wrong = await cli("node", "list")
    assert (wrong.code, wrong.out) == (2, b"")
    assert "HOST:PORT" in wrong.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("nods list", "node"), ("serve", "server"), ("exce n1", "exec"), ("node lst", "list")],
)
async def test_a_word_that_is_nearly_right_is_answered_with_the_right_one(
    cli: Cli, typed: str, meant: str
) -> None:
    wrong = await cli(*typed.split())
    assert wrong.code == 2
    assert f"Did you mean '{meant}'" in wrong.err


def test_words_of_our_own_are_known_before_they_are_imported() -> None:
    assert set(typer.main.get_command(app.app).commands) == {*nouns.NOUNS, *nouns.VERBS}
    assert all(nouns.group(noun).commands for noun in nouns.NOUNS)


async def test_wrong_usage_is_exit_code_2(cli: Cli) -> None:
    too_long = [
        ["exec", "n1", "--timeout", "99999999999", "--", "ls"],
        ["token", "join", "--ttl", "99999999999"],
        ["command", "cancel", "cmd-1", "--grace", "99999999999"],
        ["node", "metrics", "n1", "--since", "9999999d"],
        ["key", "create", "ci", "--expires", "9" * 23],
    ]
    not_text = [["node", "get", "\udcff"], ["exec", "n1", "--", "\udcff"]]
    usages = [
        ["node"],
        ["node", "lst"],
        ["nodes"],
        ["node", "list", "-o", "xml"],
        ["node", "list", "--status", "sleepy"],
        ["node", "list", "--sort-by", "hostname", "-w"],
        *(
            [noun, "list", *choice, "--watch"]
            for noun in ("command", "task", "instance", "schedule")
            for choice in (["--sort-by", "status"], ["--limit", "50"])
        ),
        ["node", "get", "n1", "n2", "-w"],
        ["command", "list", "-n", "team", "-A"],
        ["node", "get"],
        ["exec", "n1"],
        ["exec", "--", "ls"],
        ["exec", "--attach", "cmd-1", "--", "ls"],
        ["exec", "n1", "--timeout", "soon", "--", "ls"],
        ["command", "logs", "cmd-1", "--stream", "both"],
        ["node", "list", "--request-id", "größe"],
        ["node", "list", "--request-id", "two\nlines"],
        ["node", "delete", "n1", "--request-id", "x" * 256],
        *too_long,
        ["key", "create", "ci", "--expires", "0001-01-01T00:00:00+09:00"],
        ["command", "logs", "cmd-1", "--offset", "9" * 23],
        ["exec", "--attach", "cmd-1", "--offset", "9" * 23],
        *not_text,
    ]
    wrongs = await asyncio.gather(*(cli(*arguments) for arguments in usages))
    for arguments, wrong in zip(usages, wrongs, strict=True):
        assert wrong.code == 2, arguments
        assert wrong.err or arguments == ["node"]
        if "--request-id" in arguments:
            assert "up to 255 printable ASCII characters" in wrong.err
        if arguments in too_long:
            assert "too long; at most 24855d" in wrong.err
        if "--watch" in arguments:
            assert arguments[2] in wrong.err
        if arguments in not_text:
            assert wrong.err == "novasphere: the argument b'\\xff' is not text in UTF-8\n"


async def on_a_terminal(cli: Cli, *arguments: str) -> str:
    """Runs a command whose standard output is a terminal, and returns what it shows there."""
    ours, theirs = pty.openpty()
    try:
        process = await cli.start(*arguments, stdout=theirs)
        os.close(theirs)
        await cli.finish(process)
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)


async def test_colours_show_on_a_terminal_alone_and_never_with_no_color(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    assert "\x1b[32monline\x1b[0m" in await on_a_terminal(cli, "node", "list")
    cli.environment["NO_COLOR"] = "1"
    assert "\x1b" not in await on_a_terminal(cli, "node", "list")
    del cli.environment["NO_COLOR"]
    assert "\x1b" not in (await cli("node", "list")).text


async def test_a_reader_that_leaves_is_no_error_message(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1")
    ours, theirs = os.pipe()
    os.close(ours)
    process = await cli.start("node", "list", stdout=theirs)
    os.close(theirs)
    left = await cli.finish(process)
    assert (left.code, left.err) == (141, "")


@pytest.mark.parametrize("arguments", [["node", "list"], ["command", "logs", "cmd-1"], ["version"]])
async def test_a_full_disk_is_said_in_words(
    arguments: list[str], server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    await server.print(server.add_command("n1", "cmd-1"), (OUT, b"one\n"))
    full = os.open("/dev/full", os.O_WRONLY)
    process = await cli.start(*arguments, stdout=full)
    os.close(full)
    left = await cli.finish(process)
    said = "novasphere: cannot write the output: No space left on device\n"
    assert (left.code, left.err) == (1, said)
