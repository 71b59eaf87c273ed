"""The server's side of the link, as small as the agent's tests allow, and agents as real processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from novasphere.link.v1 import link_service_pb2 as pb
from novasphere.link.v1 import link_service_pb2_grpc as pb_grpc
from ports import reserve_port

JOIN_TOKEN = "join-token-0123456789"
FINAL = {
    pb.ATTEMPT_PHASE_EXITED,
    pb.ATTEMPT_PHASE_CANCELLED,
    pb.ATTEMPT_PHASE_TIMED_OUT,
    pb.ATTEMPT_PHASE_STOPPED,
    pb.ATTEMPT_PHASE_REJECTED,
    pb.ATTEMPT_PHASE_UNKNOWN,
}
Key = tuple[str, int]


async def until(claim: Callable[[], Any], *, within: float = 60.0) -> Any:
    """Returns the first truthy answer; fails when none comes in time."""
    deadline = time.monotonic() + within
    while not (answer := claim()):
        assert time.monotonic() < deadline, f"not within {within} s: {claim.__qualname__}"
        await asyncio.sleep(0.01)
    return answer


@dataclass
class Run:
    """What the server knows of one attempt."""

    dispatch: pb.Dispatch
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    order: list[tuple[int, bytes]] = field(default_factory=list)
    reports: list[pb.AttemptReport] = field(default_factory=list)
    reported_at: list[float] = field(default_factory=list)
    repeated_bytes: int = 0

    @property
    def final(self) -> pb.AttemptReport | None:
        return next((report for report in self.reports if report.phase in FINAL), None)

    def add(self, chunk: pb.OutputChunk) -> None:
        assert len(chunk.data) <= 64 * 1024
        assert chunk.fencing_token == self.dispatch.fencing_token
        assert self.final is None, "output after the report that follows all output"
        kept = self.stdout if chunk.stream == pb.STREAM_STDOUT else self.stderr
        assert chunk.offset <= len(kept), "a hole in the output"
        new = chunk.data[len(kept) - chunk.offset :]
        self.repeated_bytes += len(chunk.data) - len(new)
        kept.extend(new)
        self.order.append((chunk.stream, new))


class StandIn(pb_grpc.LinkServiceServicer):
    """Enrols one node, keeps what its agent says, and does what a test tells it."""

    def __init__(self) -> None:
        self.hellos: list[pb.Hello] = []
        self.secrets: list[str] = []
        self.heartbeats: list[pb.Heartbeat] = []
        self.goodbyes: list[pb.Goodbye] = []
        self.frames: list[tuple[float, pb.ConnectRequest]] = []
        self.runs: dict[Key, Run] = {}
        self.verdicts: dict[Key, int] = {}
        self.refusal: tuple[grpc.StatusCode, str] | None = None
        self.accepts_join_token = True
        self.acknowledges = True
        self.heartbeat_ms = 200
        self.window = 1 << 20
        self.most_unacked = 0
        self._node_uid = ""
        self._session_tokens: list[str] = []
        self._outgoing: asyncio.Queue[pb.ConnectResponse | None] | None = None
        self._server: grpc.aio.Server | None = None
        self._fencing_token = 100
        self._sent = 0
        self._acked: dict[tuple[Key, int], int] = defaultdict(int)
        self.port = reserve_port()

    async def start(self) -> None:
        self._server = grpc.aio.server(
            options=[
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000),
                ("grpc.so_reuseport", 0),
            ]
        )
        pb_grpc.add_LinkServiceServicer_to_server(self, self._server)
        self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.stop(None)
        self._outgoing = None

    @property
    def is_linked(self) -> bool:
        return self._outgoing is not None

    @property
    def last_frame(self) -> pb.ConnectRequest:
        return self.frames[-1][1]

    @property
    def is_all_read(self) -> bool:
        """Whether the agent has said that it took in whatever it was sent over this link."""
        return self.last_frame.acked_sequence == self._sent

    # What tests do

    def dispatch(self, text: str, run_id: str = "", **fields: Any) -> Run:
        self._fencing_token += 1
        dispatch = pb.Dispatch(
            run_id=run_id or f"cmd-{self._fencing_token}",
            attempt=1,
            fencing_token=self._fencing_token,
            kind="shell",
            command_text=text,
            max_output_bytes=64 << 20,
        )
        dispatch.MergeFrom(pb.Dispatch(**fields))
        run = self.runs.setdefault((dispatch.run_id, dispatch.attempt), Run(dispatch))
        self.send(pb.ConnectResponse(dispatches=[dispatch]))
        return run

    def cancel(self, run: Run, grace_ms: int = 2000) -> None:
        cancel = pb.CancelAttempt(run_id=run.dispatch.run_id, attempt=1, grace_ms=grace_ms)
        self.send(pb.ConnectResponse(cancels=[cancel]))

    def send(self, frame: pb.ConnectResponse) -> None:
        assert self._outgoing is not None, "no agent is linked"
        self._sent += 1
        frame.sequence = self._sent
        self._outgoing.put_nowait(frame)

    def cut(self) -> None:
        """Ends the stream without a word."""
        if self._outgoing is not None:
            self._outgoing.put_nowait(None)
            self._outgoing = None

    async def result_of(self, run: Run, *, within: float = 60.0) -> pb.AttemptReport:
        def ended() -> pb.AttemptReport | None:
            return run.final

        return await until(ended, within=within)

    # What agents see

    async def Connect(
        self, requests: AsyncIterator[pb.ConnectRequest], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.ConnectResponse]:
        metadata = dict(context.invocation_metadata() or ())
        secret = str(metadata.get("authorization", "")).removeprefix("Bearer ")
        self.secrets.append(secret)
        hello = (await anext(aiter(requests))).hello
        self.hellos.append(hello)
        await self._refuse(hello, secret, context)
        self._node_uid = hello.node_uid or f"uid-{hello.node_id}"
        token = f"session-{len(self.hellos)}"
        self._session_tokens = [hello.session_token, token]
        outgoing: asyncio.Queue[pb.ConnectResponse | None] = asyncio.Queue()
        self._sent = 0
        welcome = pb.Welcome(
            node_id=hello.node_id,
            node_uid=self._node_uid,
            credential="" if hello.node_uid else f"credential-{len(self.hellos)}",
            session_token=token,
            heartbeat_interval_ms=self.heartbeat_ms,
            verdicts=[self._judge(state) for state in hello.attempts],
            output_window_bytes=self.window,
        )
        self._outgoing = outgoing
        self.send(pb.ConnectResponse(welcome=welcome))
        reading = asyncio.create_task(self._read(requests, outgoing))
        try:
            while (response := await outgoing.get()) is not None:
                yield response
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            if self._outgoing is outgoing:
                self._outgoing = None

    async def _refuse(
        self, hello: pb.Hello, secret: str, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        refusal = self.refusal
        if refusal is None and hello.node_uid:
            if not secret.startswith("credential-"):
                refusal = grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"
            elif hello.session_token not in self._session_tokens:
                refusal = grpc.StatusCode.ABORTED, "DUPLICATE_IDENTITY"
        elif refusal is None and not (self.accepts_join_token and secret == JOIN_TOKEN):
            refusal = grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"
        if refusal is not None:
            code, reason = refusal
            detail = any_pb2.Any()
            detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="novasphere"))
            status = status_pb2.Status(code=code.value[0], message="no", details=[detail])
            trailers = (("grpc-status-details-bin", status.SerializeToString()),)
            await context.abort(code, "no", trailers)

    def _judge(self, state: pb.AttemptState) -> pb.AttemptVerdict:
        key = (state.run_id, state.attempt)
        run = self.runs.get(key)
        default = pb.VERDICT_ADOPT if run is not None and run.final is None else pb.VERDICT_FORGET
        return pb.AttemptVerdict(
            run_id=state.run_id,
            attempt=state.attempt,
            verdict=self.verdicts.get(key, default),
            stdout_offset=len(run.stdout) if run else 0,
            stderr_offset=len(run.stderr) if run else 0,
        )

    async def _read(
        self,
        requests: AsyncIterator[pb.ConnectRequest],
        outgoing: asyncio.Queue[pb.ConnectResponse | None],
    ) -> None:
        async for frame in requests:
            now = time.monotonic()
            self.frames.append((now, frame))
            response = pb.ConnectResponse(acked_sequence=frame.sequence)
            if frame.HasField("heartbeat"):
                self.heartbeats.append(frame.heartbeat)
            if frame.HasField("goodbye"):
                self.goodbyes.append(frame.goodbye)
            assert sum(len(chunk.data) for chunk in frame.output) <= 256 * 1024
            for chunk in frame.output:
                run = self.runs[chunk.run_id, chunk.attempt]
                run.add(chunk)
                length = len(run.stdout if chunk.stream == pb.STREAM_STDOUT else run.stderr)
                if self.acknowledges:
                    response.output_acks.add(
                        run_id=chunk.run_id, attempt=chunk.attempt, stream=chunk.stream, offset=length
                    )
            for report in frame.reports:
                run = self.runs[report.run_id, report.attempt]
                run.reports.append(report)
                run.reported_at.append(now)
                if report.phase in FINAL and self.acknowledges:
                    response.report_acks.add(run_id=report.run_id, attempt=report.attempt)
            if self._outgoing is outgoing and (response.output_acks or response.report_acks):
                self.send(response)
        outgoing.put_nowait(None)


class AgentProcess:
    """An agent as users run it."""

    def __init__(self, stand_in: StandIn, data_dir: Path) -> None:
        self._stand_in = stand_in
        self.data_dir = data_dir
        self.log = data_dir.with_name(data_dir.name + ".log")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def words(self) -> str:
        return self.log.read_text()

    async def start(
        self, *arguments: str, token: str = JOIN_TOKEN, environment: dict[str, str] | None = None
    ) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "novasphere_agent",
                "--server", f"127.0.0.1:{self._stand_in.port}",
                "--data-dir", str(self.data_dir),
                *(("--token", token) if token else ()),
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip

    async def link(self, *arguments: str, **more: Any) -> None:
        """Starts the agent and waits until it is linked."""
        greetings = len(self._stand_in.hellos)
        frames = len(self._stand_in.frames)
        await self.start(*arguments, **more)

        def is_linked() -> bool:
            assert self._process is not None
            assert self._process.returncode is None, self.words
            has_greeted = len(self._stand_in.hellos) > greetings and self._stand_in.is_linked
            return has_greeted and len(self._stand_in.frames) > frames

        await until(is_linked)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def close_stdin(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def ended(self, *, within: float = 60.0) -> int:
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), within)

    async def close(self) -> None:
        """Ends the agent, and everything it left running."""
        if self._process is not None and self._process.returncode is None:
            self.kill()
            await self.ended()
        for process in self.data_dir.glob("attempts/*/process.json"):
            wrapper = pid_in(process.read_text())
            for pid in sessions().get(wrapper, ()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def pid_in(text: str) -> int:
    return int(json.loads(text)["pid"])


def sessions() -> dict[int, list[int]]:
    """Returns the live processes of every session."""
    found: dict[int, list[int]] = defaultdict(list)
    for pid, fields in live_processes():
        found[int(fields[3])].append(pid)
    return found


def live_processes() -> Iterator[tuple[int, list[str]]]:
    """Yields (pid, fields of its stat line after the name) of all that are no zombies."""
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    yield int(path.name), fields


def running(mark: str) -> list[int]:
    """Returns the live processes whose command line holds a mark."""
    found = []
    for pid, _ in live_processes():
        with contextlib.suppress(OSError):
            if mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found
