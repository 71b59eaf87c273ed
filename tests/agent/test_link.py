"""An agent finds its server, proves who it is, and keeps coming back."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from link_stand_in import JOIN_TOKEN, AgentProcess, StandIn, running, until
from novasphere.link.v1 import link_service_pb2 as pb


def identity_of(agent: AgentProcess) -> dict[str, str]:
    return json.loads((agent.data_dir / "identity.json").read_text())


async def test_an_agent_enrols_and_says_what_the_machine_is(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link("--name", "n1", "--label", "zone=a", "--label", "disk=ssd", "--role", "worker")
    (hello,) = server.hellos
    assert (hello.node_id, hello.node_uid, hello.session_token, hello.protocol) == ("n1", "", "", 1)
    assert (hello.incarnation, hello.capacity, hello.boot_id != "") == (1, 8, True)
    profile = hello.profile
    assert profile.hostname == socket.gethostname()
    assert (profile.ip_address, profile.system) == ("127.0.0.1", "linux")
    assert dict(profile.labels) == {"zone": "a", "disk": "ssd"}
    assert profile.role == "worker"
    assert list(profile.capabilities) == [
        "shell", "exec", "echo", "system_info", "sleep", "http_request", "command"
    ]  # fmt: skip
    assert profile.cpu_count >= 1
    assert profile.memory_total_bytes > 1 << 28
    assert profile.storage_total_bytes > 1 << 28
    assert profile.os_info
    assert profile.agent_version
    assert server.secrets == [JOIN_TOKEN]


async def test_the_first_heartbeat_follows_at_once_and_carries_a_sample(
    server: StandIn, agent: AgentProcess
) -> None:
    server.heartbeat_ms = 600_000
    await agent.link()
    await until(lambda: server.heartbeats)  # long before an interval has passed
    sample = server.heartbeats[0].sample
    assert 0 < sample.cpu_usage <= 100
    assert 0 < sample.memory_usage < 100
    assert 0 < sample.disk_usage < 100
    assert sample.load_average >= 0
    assert 0 < sample.memory_available_bytes < sample.memory_total_bytes
    assert 0 < sample.disk_available_bytes < sample.disk_total_bytes
    assert sample.uptime_seconds > 0
    assert abs(server.heartbeats[0].sent_us / 1e6 - time.time()) < 10


async def test_heartbeats_keep_their_interval(server: StandIn, agent: AgentProcess) -> None:
    server.heartbeat_ms = 200
    await agent.link()

    def stretches() -> list[int]:
        """How long each five beats in a row took: a busy machine makes some of them longer, never all."""
        stamps = [beat.sent_us for beat in server.heartbeats]
        return [after - before for before, after in zip(stamps, stamps[5:], strict=False)]

    await until(lambda: len(server.heartbeats) > 15 and min(stretches()) <= 2_000_000)
    assert server.heartbeats[15].sent_us - server.heartbeats[0].sent_us >= 0.75 * 15 * 200_000


async def test_bulk_does_not_hold_up_heartbeats(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    server.heartbeat_ms = 50
    await agent.link()
    is_enough = tmp_path / "enough"
    # However fast the line is, it prints for as long as it takes some beats to come between.
    run = server.dispatch(
        f"until [ -e {is_enough} ]; do head -c 500000 /dev/zero; done", max_output_bytes=1 << 40
    )

    def beats_in_bulk() -> list[tuple[int, float]]:
        """Which frames are beats with output before and after them, and when each was due."""
        bulk = [number for number, (_, frame) in enumerate(server.frames) if frame.output]
        return [
            (number, frame.heartbeat.sent_us / 1e6)
            for number, (_, frame) in enumerate(server.frames)
            if frame.HasField("heartbeat") and bulk and bulk[0] < number < bulk[-1]
        ]

    await until(lambda: len(beats_in_bulk()) >= 5)
    is_enough.touch()
    await server.result_of(run)
    to_wall = time.time() - time.monotonic()
    printed = [(at + to_wall, sum(len(c.data) for c in frame.output)) for at, frame in server.frames]
    beats = beats_in_bulk()
    # Nothing comes before a beat that is due but what was on its way by then, which fills the window at most, and
    # the frame that was being made: however fast the line is.
    for number, due in beats:
        ahead = sum(length for at, length in printed[:number] if at > due)
        assert ahead <= server.window + 256 * 1024
    assert all(not frame.output for _, frame in server.frames if frame.HasField("heartbeat"))


async def test_a_server_that_acknowledges_nothing_gets_no_more_than_the_window(
    server: StandIn, agent: AgentProcess
) -> None:
    server.acknowledges = False
    server.window = 100_000
    await agent.link()
    run = server.dispatch("head -c 5000000 /dev/zero")
    await until(lambda: len(run.stdout) > 0)
    beats = len(server.heartbeats)
    await until(lambda: len(server.heartbeats) > beats + 3)
    assert len(run.stdout) <= 100_000
    server.acknowledges = True
    server.cut()
    await server.result_of(run)
    assert len(run.stdout) == 5_000_000


async def test_identity_is_kept_private_and_presented_again(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link("--name", "n1")
    await until((agent.data_dir / "identity.json").exists)
    await until(lambda: identity_of(agent)["credential"])
    assert stat.S_IMODE((agent.data_dir / "identity.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(agent.data_dir.stat().st_mode) == 0o700
    agent.terminate()
    assert await agent.ended() == 0
    await agent.link(token="")
    assert (server.hellos[1].node_uid, server.hellos[1].session_token) == ("uid-n1", "session-1")
    assert (server.secrets[1], server.hellos[1].incarnation) == ("credential-1", 2)
    assert identity_of(agent)["node_id"] == "n1"


async def test_the_welcome_is_acknowledged_when_its_tokens_are_on_disk(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    await until(lambda: any(frame.acked_sequence >= 1 for _, frame in server.frames))
    assert identity_of(agent)["session_token"] == "session-1"


async def test_what_nothing_follows_is_acknowledged_all_the_same(
    server: StandIn, agent: AgentProcess
) -> None:
    server.heartbeat_ms = 60_000
    await agent.link()
    await until(lambda: server.heartbeats)
    server.send(pb.ConnectResponse(cancels=[{"run_id": "cmd-unknown", "attempt": 1}]))
    await until(lambda: server.last_frame.acked_sequence == 2, within=30)


async def test_tokens_that_cannot_be_stored_are_not_presented(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    await until(lambda: identity_of(agent)["session_token"] == "session-1")
    in_the_way = agent.data_dir / "identity.json.new"  # as good as a full disk, for this one file
    in_the_way.mkdir()
    server.cut()
    await until(lambda: len(server.hellos) >= 4)
    agent.kill()
    await agent.ended()
    in_the_way.rmdir()
    said = agent.words
    await agent.link(token="")
    assert {hello.session_token for hello in server.hellos[1:]} == {"session-1"}
    assert said.count("cannot store the identity: ") == 1
    assert "no connection" not in said


async def test_a_stopped_agent_says_goodbye_and_leaves_its_work_running(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    mark = f"86400.{time.time_ns()}"
    run = server.dispatch(f"echo up; sleep {mark}; true")
    await until(lambda: run.stdout)
    agent.terminate()
    assert await agent.ended() == 0
    assert [goodbye.reason for goodbye in server.goodbyes] == ["the agent was stopped"]
    assert running(mark)
    await agent.link()
    server.cancel(run)
    assert (await server.result_of(run)).phase == pb.ATTEMPT_PHASE_CANCELLED


async def test_an_agent_stops_while_it_looks_for_its_server(
    server: StandIn, agent: AgentProcess
) -> None:
    await server.stop()
    await agent.start()
    await until(lambda: agent.log.exists() and "no connection" in agent.words)
    agent.terminate()
    assert await agent.ended() == 0
    await server.start()


async def test_a_missing_token_is_asked_for_and_used_once_it_is_there(
    server: StandIn, agent: AgentProcess, tmp_path: Path
) -> None:
    token_file = tmp_path / "join.token"
    await agent.start("--token-file", str(token_file), token="")
    await until(lambda: agent.log.exists() and "UNAUTHENTICATED" in agent.words)
    assert "give it a valid join token with --token" in agent.words
    token_file.write_text(JOIN_TOKEN + "\n")
    await until(lambda: server.is_linked)
    assert JOIN_TOKEN not in agent.words


@pytest.mark.parametrize(
    ("code", "reason", "advice"),
    [
        (grpc.StatusCode.ALREADY_EXISTS, "NODE_NAME_TAKEN", "choose one with --name"),
        (grpc.StatusCode.ABORTED, "DUPLICATE_IDENTITY", "start this agent, which"),
    ],
)
async def test_a_refusal_says_what_to_do_and_is_not_the_end(
    server: StandIn, agent: AgentProcess, code: grpc.StatusCode, reason: str, advice: str
) -> None:
    server.refusal = code, reason
    await agent.start()
    await until(lambda: agent.log.exists() and reason in agent.words)
    assert advice in agent.words
    await until(lambda: len(server.hellos) >= 3)
    assert agent.words.count(reason) == 1
    server.refusal = None
    await until(lambda: server.is_linked)


async def test_a_deleted_node_ends_its_work_and_forgets_who_it_was(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    mark = f"86400.{time.time_ns()}"
    run = server.dispatch(f"echo up; sleep {mark}; true")
    await until(lambda: run.stdout)
    server.refusal = grpc.StatusCode.FAILED_PRECONDITION, "NODE_DELETED"
    server.cut()
    assert await agent.ended() == 3
    assert not running(mark)
    assert not (agent.data_dir / "identity.json").exists()


async def test_a_closing_with_the_same_reason_does_too(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    server.send(pb.ConnectResponse(closing=pb.Closing(reason="NODE_DELETED")))
    assert await agent.ended() == 3


async def test_a_server_that_closes_is_left_alone_as_long_as_it_asks(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    server.send(pb.ConnectResponse(closing=pb.Closing(reason="DRAINING", retry_after_ms=1500)))
    closed_at = time.monotonic()
    await until(lambda: len(server.hellos) == 2)
    assert time.monotonic() - closed_at >= 1.5
    assert "DRAINING" in agent.words


async def test_a_reset_identity_joins_as_a_new_node(server: StandIn, agent: AgentProcess) -> None:
    await agent.link("--name", "n1")
    await until(lambda: identity_of(agent)["credential"])
    agent.terminate()
    await agent.ended()
    await agent.link("--name", "n2", "--reset-identity")
    assert (server.hellos[1].node_id, server.hellos[1].node_uid, server.secrets[1]) == (
        "n2",
        "",
        JOIN_TOKEN,
    )


async def test_another_name_for_the_same_identity_is_refused(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link("--name", "n1")
    await until(lambda: identity_of(agent)["credential"])
    agent.terminate()
    await agent.ended()
    await agent.start("--name", "n2")
    assert await agent.ended() == 2
    assert "belongs to node 'n1', not 'n2'" in agent.words


async def test_a_second_agent_on_the_same_directory_exits(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    second = AgentProcess(server, agent.data_dir)
    second.log = agent.log.with_name("second.log")
    await second.start()
    assert await second.ended() == 2
    assert f"in use by another agent (pid {agent.pid})" in second.words


async def test_a_second_agent_waits_for_one_that_is_about_to_end(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    second = AgentProcess(server, agent.data_dir)
    second.log = agent.log.with_name("second.log")
    await second.start()
    agent.terminate()
    assert await agent.ended() == 0
    await until(lambda: len(server.hellos) == 2)
    second.terminate()
    assert await second.ended() == 0


async def test_an_agent_may_end_with_whoever_started_it(server: StandIn, agent: AgentProcess) -> None:
    await agent.link("--parent-stdin")
    agent.close_stdin()
    assert await agent.ended() == 0
    assert server.goodbyes


@pytest.mark.parametrize(
    "arguments",
    [
        ("--server", "nowhere"),
        ("--server", "http://127.0.0.1:9090"),
        ("--server", "nobody@nowhere:9090"),
        ("--server", "no where:9090"),
        ("--name", "no spaces please"),
        ("--label", "novalue"),
        ("--label", f"long={'x' * 254}"),
        ("--label", f"{'x' * 254}=long"),
        ("--role", "wroker"),
        ("--data-dir", ""),
        ("--allow", "Shell!"),
        ("--capacity", "0"),
    ],
)
async def test_wrong_flags_exit_with_two_and_name_the_flag(
    server: StandIn, agent: AgentProcess, arguments: tuple[str, ...]
) -> None:
    await agent.start(*arguments)
    assert await agent.ended() == 2
    assert f"argument {arguments[0]}" in agent.words


async def test_more_labels_than_a_node_has_are_refused(server: StandIn, agent: AgentProcess) -> None:
    labels = [word for number in range(65) for word in ("--label", f"l{number}=x")]
    await agent.start(*labels)
    assert await agent.ended() == 2
    assert "argument --label: a node has 64 labels at most, and these are 65" in agent.words


async def test_log_lines_may_be_json(server: StandIn, agent: AgentProcess) -> None:
    await agent.link("--log-format", "json")
    await until(lambda: agent.words)
    line = json.loads(agent.words.splitlines()[0])
    assert (line["level"], line["event"][:9]) == ("info", "linked to")


class SilentMiddle:
    """A hop that passes bytes on, and then swallows them without closing anything."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.is_swallowing = False

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.ensure_future(self._pass_on(source, target))
            self._tasks.add(task)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        swallows = False
        while data := await source.read(65536):
            swallows = swallows or self.is_swallowing
            if not swallows:
                target.write(data)
                await target.drain()


@pytest.fixture
async def middle(server: StandIn) -> AsyncIterator[SilentMiddle]:
    hop = SilentMiddle(server.port)
    yield hop
    await hop.close()


@pytest.mark.slow
async def test_a_link_that_fell_silent_is_given_up(
    server: StandIn, agent: AgentProcess, middle: SilentMiddle
) -> None:
    port = await middle.start()
    server_port, server.port = server.port, port
    await agent.link()
    server.port = server_port
    run = server.dispatch("while :; do head -c 20000 /dev/zero; sleep 0.05; done")
    await until(lambda: run.stdout)
    middle.is_swallowing = True
    silent_at = time.monotonic()
    await until(lambda: "nothing was heard for" in agent.words)
    assert time.monotonic() - silent_at <= 30  # and not as long as kernels try
    middle.is_swallowing = False
    await until(lambda: len(server.hellos) == 2)
    had = len(run.stdout)
    await until(lambda: len(run.stdout) > had)
