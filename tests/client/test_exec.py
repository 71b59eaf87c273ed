"""`novasphere exec`: bytes, breaks, Ctrl-C and exit codes."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from typing import Any

import grpc
import pytest
from command_line import Cli
from novasphere.node.v1 import command_pb2, node_pb2
from novasphere_client.cli.executions import exit_code
from scripted_server import ERR, OUT, Refusal, Script, ScriptedServer, finish

SUCCEEDED = command_pb2.COMMAND_STATE_SUCCEEDED
FAILED = command_pb2.COMMAND_STATE_FAILED
TIMED_OUT = command_pb2.COMMAND_STATE_TIMED_OUT
CANCELLED = command_pb2.COMMAND_STATE_CANCELLED
LOST = command_pb2.COMMAND_STATE_LOST
UNKNOWN = command_pb2.COMMAND_STATE_UNKNOWN

# Seconds: sooner than a client gives up that was not told how long to wait, which is after a minute.
SOONER = 45.0


@pytest.mark.parametrize(
    ("state", "reason", "remote", "by_signal", "code"),
    [
        (SUCCEEDED, "", 0, 0, 0),
        (FAILED, "EXIT_CODE", 42, 0, 42),
        (FAILED, "EXIT_CODE", 256, 0, 1),
        (FAILED, "EXIT_CODE", -1073741510, 0, 58),
        (FAILED, "EXIT_CODE", None, 0, 1),
        (FAILED, "SIGNAL", None, 9, 137),
        (FAILED, "SIGNAL", None, 0, 1),
        (FAILED, "NOT_ALLOWED", None, 0, 126),
        (FAILED, "SPAWN_FAILED", None, 0, 126),
        (TIMED_OUT, "TIMEOUT", None, 0, 124),
        (TIMED_OUT, "QUEUE_TIMEOUT", None, 0, 124),
        (CANCELLED, "CANCELLED", None, 0, 130),
        (LOST, "LOST", None, 0, 125),
        (UNKNOWN, "UNKNOWN", None, 0, 125),
        (command_pb2.COMMAND_STATE_RUNNING, "", None, 0, 125),
        (99, "", None, 0, 125),
    ],
)
def test_the_exit_code_tells_how_a_command_ended(
    state: Any, reason: str, remote: int | None, by_signal: int, code: int
) -> None:
    command = command_pb2.Command(state=state, reason=reason, exit_code=remote)
    assert exit_code(command, by_signal) == code


async def test_bytes_and_the_exit_code_are_those_of_the_command(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    noise = bytes(range(256)) * 1000

    def run(script: Script) -> None:
        script.pieces += [(OUT, noise), (ERR, b"\xff no newline"), (OUT, b"end")]
        finish(script, FAILED, 42, "EXIT_CODE")

    server.on_create = run
    done = await cli.finish(
        await cli.start("exec", "n1", "--timeout", "2m", "--", "printf '%s' \"$X\" | wc")
    )
    assert (done.code, done.out) == (42, noise + b"end")
    assert done.err == b"\xff no newline".decode(errors="replace")
    request = server.requests("CreateCommand")[0]
    assert request.command_text == "printf '%s' \"$X\" | wc", "one word is the shell line itself"
    assert request.timeout_seconds == 120
    assert request.request_id
    await server.until(lambda: server.open_streams == 0)


async def test_several_words_are_quoted_and_joined(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1")
    server.on_create = lambda script: finish(script, SUCCEEDED, 0)
    done = await cli(
        "exec",
        "-v",
        "n1",
        "-n",
        "team",
        "--request-id",
        "mine",
        "--",
        "echo",
        "a b",
        "$HOME",
        "--server",
        "x",
    )
    assert done.code == 0
    request = server.requests("CreateCommand")[0]
    assert request.command_text == "echo 'a b' '$HOME' --server x"
    assert (request.namespace, request.request_id) == ("team", "mine/n1")
    assert not request.HasField("timeout_seconds")
    assert "command cmd-" in done.err


async def test_every_end_has_its_code_and_its_words(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1")
    cases = [
        (TIMED_OUT, "TIMEOUT", 124, "timed out after 30s and was killed; --timeout allows more"),
        (TIMED_OUT, "QUEUE_TIMEOUT", 124, "node n1 did not come back within 24h"),
        (LOST, "LOST", 125, "contact with node n1 was lost"),
        (UNKNOWN, "UNKNOWN", 125, "is not known"),
        (FAILED, "NOT_ALLOWED", 126, "node n1 refused command"),
        (CANCELLED, "CANCELLED", 130, "was cancelled"),
    ]
    for state, reason, code, words in cases:
        server.on_create = lambda script, s=state, r=reason: finish(script, s, None, r)
        done = await cli("exec", "n1", "--", "true")
        assert done.code == code
        assert words in done.err
        assert done.out == b""

    def left_running(script: Script) -> None:
        script.command.run_deadline.GetCurrentTime()  # a foreign node has it
        finish(script, TIMED_OUT, None, "TIMEOUT")

    server.on_create = left_running
    done = await cli("exec", "n1", "--", "true")
    assert done.code == 124
    assert "timed out after 30s and may still run there; --timeout allows more" in done.err

    def killed(script: Script) -> None:
        script.signal = 9
        finish(script, FAILED, None, "SIGNAL")

    server.on_create = killed
    done = await cli("exec", "n1", "--", "true")
    assert done.code == 137
    assert "signal 9" in done.err


async def test_output_resumes_silently_over_breaks_and_restarts(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    process = await cli.start("exec", "n1", "--", "work")
    await server.until(lambda: bool(server.requests("ReadCommandOutput")))
    (script,) = server.scripts.values()
    await server.print(script, (OUT, b"one\n"), (ERR, b"err\n"))
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"one\n"
    await server.break_streams()
    await server.print(script, (OUT, b"two\n"))
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"two\n"
    await server.stop()
    await server.print(script, (OUT, b"three\n"))
    await server.start()
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"three\n"
    await server.finish(script, FAILED, 7, "EXIT_CODE")
    done = await cli.finish(process)
    assert (done.code, done.out, done.err) == (7, b"", "err\n")
    assert len(server.scripts) == 1


async def test_a_lost_answer_does_not_make_two_commands(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1")
    server.on_create = lambda script: finish(script, SUCCEEDED, 0)
    server.refuse("AfterCreate", Refusal(grpc.StatusCode.UNAVAILABLE))
    done = await cli("exec", "n1", "--", "true")
    assert done.code == 0
    assert len(server.scripts) == 1
    assert len(server.requests("CreateCommand")) == 2


async def test_a_server_that_stays_away_is_125_with_the_way_back(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    server.on_create = lambda script: script.pieces.append((OUT, b"one\n"))
    process = await cli.start("exec", "n1", "--contact-timeout", "5", "--", "work")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"one\n"
    await server.stop()
    lost = await cli.finish(process, within=SOONER)
    (command_id,) = server.scripts
    assert lost.code == 125
    assert f"lost contact with the server at {server.address}" in lost.err
    assert f"novasphere exec --attach {command_id} --offset 4" in lost.err
    assert len(lost.err.splitlines()) == 2


async def test_a_server_that_was_never_reached_is_255_as_nothing_ran(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    await server.stop()
    for arguments in (["n1", "--", "work"], ["n1", "n2", "--", "work"], ["--attach", "cmd-1"]):
        never = await cli("exec", *arguments)
        assert never.code == 255
        assert "cannot reach the server" in never.err
        assert ("Nothing was run." in never.err) is ("--attach" not in arguments)
    assert not server.scripts


@pytest.mark.parametrize(
    ("arguments", "silent", "code"),
    [
        (["n1", "--", "work"], "CreateCommand", 125),  # which may have been accepted
        (["-l", "a=b", "--", "work"], "ListNodes", 255),
        (["--attach", "cmd-1"], "GetCommand", 255),
    ],
)
async def test_a_server_that_says_nothing_is_left_after_the_contact_timeout(
    arguments: list[str], silent: str, code: int, server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    enter = server.enter

    async def enter_or_hang(method: str, request: Any, context: Any) -> None:
        await enter(method, request, context)
        if method == silent:
            await asyncio.Event().wait()

    server.enter = enter_or_hang  # type: ignore[method-assign]
    left = await cli("exec", "--contact-timeout", "5", *arguments, within=SOONER)
    assert left.code == code


async def test_a_contact_timeout_may_be_longer_than_a_call_usually_is(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    server.on_create = lambda script: finish(script, SUCCEEDED, 0)
    enter = server.enter
    allowed = []

    async def note(method: str, request: Any, context: Any) -> None:
        allowed.append(context.time_remaining())
        await enter(method, request, context)

    server.enter = note  # type: ignore[method-assign]
    assert (await cli("exec", "--contact-timeout", "5m", "n1", "--", "true")).code == 0
    assert allowed[0] == pytest.approx(300, abs=60)


async def test_attaching_starts_from_the_start_or_an_offset(server: ScriptedServer, cli: Cli) -> None:
    script = server.add_command("n1")
    command_id = script.command.command_id
    await server.print(script, (OUT, b"one\n"), (OUT, b"two\n"))
    await server.finish(script, FAILED, 5, "EXIT_CODE")
    whole, rest, missing = await asyncio.gather(
        cli("exec", "--attach", command_id),
        cli("exec", "--attach", command_id, "--offset", "4"),
        cli("exec", "--attach", "cmd-nothing"),
    )
    assert (whole.code, whole.out) == (5, b"one\ntwo\n")
    assert (rest.code, rest.out) == (5, b"two\n")
    assert (missing.code, missing.out) == (1, b"")
    assert "novasphere command list" in missing.err
    assert not server.requests("CreateCommand")


@pytest.mark.parametrize("own", [[], ["--request-id", "mine"]])
async def test_ctrl_c_cancels_and_waits_for_the_confirmation(
    own: list[str], server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    server.on_create = lambda script: script.pieces.append((OUT, b"one\n"))
    process = await cli.start("exec", "n1", *own, "--", "work")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 120)
    (script,) = server.scripts.values()
    server.confirms_cancels = False
    process.send_signal(signal.SIGINT)
    await server.until(lambda: script.command.cancel_requested)
    assert server.requests("CancelCommand")[0].request_id not in {
        "",
        server.requests("CreateCommand")[0].request_id,
    }
    await server.print(script, (OUT, b"last words\n"))
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"last words\n"
    await server.finish(script, CANCELLED, None, "CANCELLED")
    done = await cli.finish(process)
    assert done.code == 130
    assert "Ctrl-C again leaves at once" in done.err
    assert "was cancelled" in done.err


async def test_a_second_ctrl_c_leaves_at_once_and_says_how_to_attach(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    server.confirms_cancels = False
    server.on_create = lambda script: script.pieces.append((OUT, b"one\n"))
    process = await cli.start("exec", "n1", "--", "work")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 120)
    (script,) = server.scripts.values()
    process.send_signal(signal.SIGINT)
    await server.until(lambda: script.command.cancel_requested)
    process.send_signal(signal.SIGINT)
    done = await cli.finish(process)
    assert done.code == 130
    assert f"attach to it: novasphere exec --attach {script.command.command_id} --offset 4" in done.err
    await server.until(lambda: server.open_streams == 0)


async def test_ctrl_c_is_heard_while_nobody_reads_the_output(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1")
    server.confirms_cancels = False
    server.on_create = lambda script: script.pieces.append((OUT, b"x" * 1_000_000))
    ours, theirs = os.pipe()
    process = await cli.start("exec", "n1", "--", "work", stdout=theirs)
    os.close(theirs)
    await server.until(lambda: bool(server.requests("ReadCommandOutput")))
    (script,) = server.scripts.values()
    assert await asyncio.to_thread(os.read, ours, 1) == b"x"
    process.send_signal(signal.SIGINT)
    await server.until(lambda: script.command.cancel_requested)
    process.send_signal(signal.SIGINT)
    done = await cli.finish(process)
    os.close(ours)
    assert done.code == 130


async def test_a_command_that_ended_before_the_cancel_keeps_its_code(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    server.on_create = lambda script: script.pieces.append((OUT, b"one\n"))
    server.refuse("CancelCommand", Refusal(grpc.StatusCode.ABORTED, "COMMAND_FINISHED", "already ended"))
    process = await cli.start("exec", "n1", "--", "work")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 120)
    (script,) = server.scripts.values()
    process.send_signal(signal.SIGINT)
    await server.until(lambda: bool(server.requests("CancelCommand")))
    await server.finish(script, SUCCEEDED, 0)
    assert (await cli.finish(process)).code == 0


async def test_several_nodes_run_at_once_with_their_names_before_each_line(
    server: ScriptedServer, cli: Cli
) -> None:
    for name in ("a", "b", "c"):
        server.add_node(name, labels={"zone": "z" if name != "c" else "y"})

    def run(script: Script) -> None:
        name = script.command.target_node_id
        script.pieces += [(OUT, b"first "), (OUT, f"of {name}\nno end".encode()), (ERR, b"err\n")]
        finish(script, FAILED if name == "b" else SUCCEEDED, 3 if name == "b" else 0, "EXIT_CODE")

    server.on_create = run
    done = await cli("exec", "-l", "zone=z", "a", "--request-id", "mine", "--", "work")
    assert done.code == 3
    assert sorted(done.text.splitlines()) == [
        "[a] first of a",
        "[a] no end",
        "[b] first of b",
        "[b] no end",
    ]
    said = "novasphere: zone=z selects 2 nodes"
    assert sorted(done.err.splitlines()) == ["[a] err", "[b] err", said]
    assert sorted(r.request_id for r in server.requests("CreateCommand")) == ["mine/a", "mine/b"]

    long = "x" * 255
    assert (await cli("exec", "a", "b", "--request-id", long, "--", "work")).code == 3
    first, second = (r.request_id for r in server.requests("CreateCommand")[2:])
    assert first != second
    assert max(len(first), len(second)) <= 255

    some = await cli("exec", "a", "nobody", "--", "work")
    assert some.code == 1
    assert "[nobody] node 'nobody' does not exist" in some.err
    assert "[a] first of a" in some.text
    none = await cli("exec", "-l", "zone=nowhere", "--", "work")
    assert none.code == 1
    assert "no node matches" in none.err


async def test_commands_for_several_nodes_are_created_by_one_call(
    server: ScriptedServer, cli: Cli
) -> None:
    server.on_create = lambda script: finish(script, SUCCEEDED, 0)
    for name in ("a", "b", "c"):
        server.add_node(name)
    server.refuse("AfterCreate", Refusal(grpc.StatusCode.UNAVAILABLE))  # and the answer is lost
    done = await cli("exec", "a", "b", "c", "--timeout", "7", "--", "work")
    assert done.code == 0
    assert [script.command.target_node_id for script in server.scripts.values()] == ["a", "b", "c"]
    assert {script.command.timeout_seconds for script in server.scripts.values()} == {7}
    assert not server.requests("CreateCommand")
    first, again = server.requests("BatchCreateCommands")
    assert first == again


async def test_a_lost_batch_is_in_doubt_on_every_node_and_not_sent_again(
    server: ScriptedServer, cli: Cli
) -> None:
    for name in ("a", "b"):
        server.add_node(name)
    server.refuse("AfterCreate", *[Refusal(grpc.StatusCode.UNAVAILABLE)] * 100)
    done = await cli("exec", "a", "b", "--contact-timeout", "5", "--", "work")
    assert done.code == 125
    for name in ("a", "b"):
        assert f"[{name}] lost contact with the server while submitting" in done.err
    assert len(server.scripts) == 2
    assert not server.requests("CreateCommand")


@pytest.mark.parametrize(
    ("answered", "code"),
    [
        # It may have been committed.
        (Refusal(grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE"), 125),
        (Refusal(grpc.StatusCode.INTERNAL, "INTERNAL"), 125),
        (Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"), 1),
    ],
    ids=["database away", "failed", "overloaded"],
)
async def test_who_answers_that_it_failed_may_have_run_it(
    answered: Refusal, code: int, server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("a")
    server.refuse("CreateCommand", *[answered] * 100)
    done = await cli("exec", "a", "--contact-timeout", "5", "--", "work")
    assert done.code == code
    assert ("whether the command runs is not known" in done.err) is (code == 125)


async def test_a_batch_in_doubt_is_not_sent_one_by_one_when_its_retry_is_refused(
    server: ScriptedServer, cli: Cli
) -> None:
    for name in ("a", "b"):
        server.add_node(name)
    overloaded = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
    server.refuse("AfterCreate", Refusal(grpc.StatusCode.UNAVAILABLE), *[overloaded] * 100)
    done = await cli("exec", "a", "b", "--contact-timeout", "5", "--", "work")
    assert done.code == 125
    assert "whether the command runs is not known" in done.err
    assert len(server.scripts) == 2


async def test_a_server_that_knows_no_batches_is_asked_one_by_one(
    server: ScriptedServer, cli: Cli
) -> None:
    server.on_create = lambda script: finish(script, SUCCEEDED, 0)
    for name in ("a", "b"):
        server.add_node(name)
    server.refuse("BatchCreateCommands", Refusal(grpc.StatusCode.UNIMPLEMENTED))
    assert (await cli("exec", "a", "b", "--", "work")).code == 0
    assert sorted(r.node_id for r in server.requests("CreateCommand")) == ["a", "b"]


async def test_a_request_id_runs_once_on_a_node_whoever_is_named_beside_it(
    server: ScriptedServer, cli: Cli
) -> None:
    server.on_create = lambda script: finish(script, SUCCEEDED, 0)
    server.add_node("a", labels={"zone": "z"})
    assert (await cli("exec", "-l", "zone=z", "--request-id", "mine", "--", "work")).code == 0
    server.add_node("b", labels={"zone": "z"})
    assert (await cli("exec", "-l", "zone=z", "--request-id", "mine", "--", "work")).code == 0
    ran_on = [script.command.target_node_id for script in server.scripts.values()]
    assert ran_on == ["a", "b"]


async def test_an_offset_without_an_output_to_attach_to_is_refused(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    refused = await cli("exec", "--offset", "5", "n1", "--", "work")
    assert refused.code == 2
    assert "--offset goes with --attach" in refused.err
    assert not server.scripts


async def test_a_command_that_is_deleted_with_its_node_is_125_without_a_way_back(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    server.on_create = lambda script: script.pieces.append((OUT, b"one\n"))
    process = await cli.start("exec", "n1", "--", "work")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"one\n"
    (command_id,) = server.scripts
    server.scripts.clear()
    await server.break_streams()
    done = await cli.finish(process)
    assert done.code == 125
    assert done.err == (
        f"novasphere: command {command_id} was deleted, as commands are with their node; "
        "how it ended is not known\n"
    )


async def test_a_refusal_is_exit_code_1(server: ScriptedServer, cli: Cli) -> None:
    missing = await cli("exec", "nobody", "--", "work")
    assert (missing.code, missing.out) == (1, b"")
    assert "novasphere node list" in missing.err


async def test_leaving_without_waiting_prints_the_id(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1")
    done = await cli("exec", "n1", "--no-wait", "--", "work")
    (command_id,) = server.scripts
    assert (done.code, done.text) == (0, f"{command_id}\n")
    assert f"command {command_id} on n1; attach to it: novasphere exec --attach {command_id}" in done.err
    assert not server.requests("ReadCommandOutput")


async def test_a_reader_that_leaves_ends_it_with_141_and_the_command_goes_on(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    server.on_create = lambda script: script.pieces.append((OUT, b"one\n"))
    ours, theirs = os.pipe()
    os.close(ours)
    process = await cli.start("exec", "n1", "--", "yes", stdout=theirs)
    os.close(theirs)
    left = await cli.finish(process)
    assert left.code == 141
    assert "--attach cmd-" in left.err
    assert not server.requests("CancelCommand")


async def test_an_id_that_nobody_reads_ends_it_with_141_and_the_way_back(
    server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    ours, theirs = os.pipe()
    os.close(ours)
    process = await cli.start("exec", "n1", "--no-wait", "--", "true", stdout=theirs)
    os.close(theirs)
    left = await cli.finish(process)
    (command_id,) = server.scripts
    assert left.code == 141
    assert f"attach to it: novasphere exec --attach {command_id}" in left.err


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
async def test_words_that_nobody_hears_change_neither_data_nor_code(
    redirection: str, server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1")
    arguments = [sys.executable, "-m", "novasphere_client", "exec", "n1", "--no-wait", "--", "work"]
    shell = f"exec {shlex.join(arguments)} {redirection}"
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", shell, stdout=asyncio.subprocess.PIPE, env=cli.environment
    )
    done = await cli.finish(process)
    (command_id,) = server.scripts
    assert (done.code, done.text) == (0, f"{command_id}\n")


async def test_closed_standard_streams_do_no_harm(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1")

    def run(script: Script) -> None:
        script.pieces.append((OUT, b"one\n"))
        finish(script, FAILED, 4, "EXIT_CODE")

    server.on_create = run
    arguments = [sys.executable, "-m", "novasphere_client", "exec", "n1", "--", "work"]
    shell = f"exec {shlex.join(arguments)} <&- >&-"
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", shell, stderr=asyncio.subprocess.PIPE, env=cli.environment
    )
    done = await cli.finish(process)
    assert (done.code, done.err) == (4, "")


async def test_a_terminal_hears_of_breaks(server: ScriptedServer, cli: Cli) -> None:
    import pty

    server.add_node("n1")
    ours, theirs = pty.openpty()
    process = await cli.start("exec", "n1", "--", "work", stdout=theirs)
    os.close(theirs)
    await server.until(lambda: bool(server.requests("ReadCommandOutput")))
    (script,) = server.scripts.values()
    await server.print(script, (OUT, b"one\n"))
    assert await asyncio.to_thread(os.read, ours, 100) == b"one\r\n"
    await server.break_streams()
    await server.until(lambda: len(server.requests("ReadCommandOutput")) == 2)
    await server.finish(script, SUCCEEDED, 0)
    done = await cli.finish(process)
    os.close(ours)
    assert done.code == 0
    assert done.err.splitlines() == ["novasphere: the connection broke; trying again"]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (node_pb2.CONNECTION_STATE_DISCONNECTED, "disconnected"),
        (node_pb2.CONNECTION_STATE_OFFLINE, "offline"),
        (node_pb2.CONNECTION_STATE_LOST, "lost"),
    ],
)
async def test_a_command_that_waits_for_a_node_says_so_and_until_when(
    state: Any, word: str, server: ScriptedServer, cli: Cli
) -> None:
    server.add_node("n1").connection = state
    server.on_create = lambda script: script.command.ClearField("started_at")
    process = await cli.start("exec", "n1", "--", "work")
    assert process.stderr is not None
    said = (await asyncio.wait_for(process.stderr.readline(), 120)).decode()
    (script,) = server.scripts.values()
    command_id = script.command.command_id
    assert said == (
        f"novasphere: node n1 is {word}; command {command_id} waits for it, for 24h at most "
        f"(--queue-timeout). Ctrl-C or `novasphere command cancel {command_id}` cancels it\n"
    )
    await server.finish(script, SUCCEEDED, 0)
    assert (await cli.finish(process)).err == ""


async def test_a_command_that_started_waits_for_no_node(server: ScriptedServer, cli: Cli) -> None:
    server.add_node("n1").connection = node_pb2.CONNECTION_STATE_DISCONNECTED
    process = await cli.start("exec", "n1", "--", "work")
    await server.until(lambda: bool(server.requests("GetCommand")))
    (script,) = server.scripts.values()
    await server.finish(script, SUCCEEDED, 0)
    assert (await cli.finish(process)).err == ""
