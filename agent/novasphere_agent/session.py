"""One stream to the server, from Hello to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from concurrent.futures import Executor
from typing import Any

from grpclib.client import Stream
from grpclib.exceptions import StreamTerminatedError

from novasphere_agent import channel as channels
from novasphere_agent.answers import Key
from novasphere_agent.attempts import Attempts
from novasphere_agent.channel import LinkChannel
from novasphere_agent.flow import Flow
from novasphere_agent.messages import (
    AttemptPhase,
    ConnectRequest,
    ConnectResponse,
    Goodbye,
    Heartbeat,
    Hello,
    Welcome,
)
from novasphere_agent.metrics import Sampler
from novasphere_agent.outbox import Outbox

_WELCOME_SECONDS = 20.0
_FLUSH_SECONDS = 3.0
_FAREWELL_SECONDS = 2.0
# Most dispatches are followed by a report at once, which takes the acknowledgement along.
_ACK_SECONDS = 0.02
_DEFAULT_HEARTBEAT_MS = 10_000
_LEASE_SECONDS = 1.0
_DEFAULT_WINDOW_BYTES = 1 << 20


class ClosedByServer(Exception):
    """The server ended the stream on purpose."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


log = logging.getLogger(__name__)


class Session:
    """Says Hello, and then does what the server says until the stream ends."""

    def __init__(
        self,
        channel: LinkChannel,
        stream: Stream[ConnectRequest, ConnectResponse],
        attempts: Attempts,
        sampler: Sampler,
        workers: Executor,
        *,
        first_sample_at: float,
        silence_seconds: float = channels.SILENCE_SECONDS,
    ) -> None:
        self._channel = channel
        self._stream = stream
        self._attempts = attempts
        self._sampler = sampler
        self._workers = workers
        self._first_sample_at = first_sample_at
        self._silence_seconds = silence_seconds
        self._wake = asyncio.Event()
        self._is_acknowledged = asyncio.Event()
        self._sequence = 0
        self._acked_sequence = 0
        self._unanswered: set[Key] = set()  # attempts whose final reports are on their way
        self._ack_due = 0  # the server frame that waits for an acknowledgement no longer
        self._heartbeat: Heartbeat | None = None
        self._goodbye: Goodbye | None = None
        self._is_stopping = False
        self._flow = Flow(_DEFAULT_WINDOW_BYTES)

    async def say_hello(self, hello: Hello) -> Welcome:
        """Sends the first frame and returns the server's answer."""
        await self._send(ConnectRequest(hello=hello))
        response = await asyncio.wait_for(self._stream.recv_message(), _WELCOME_SECONDS)
        if response is None:
            raise StreamTerminatedError("the server ended the stream")
        _raise_if_closing(response)
        if response.welcome is None:
            raise StreamTerminatedError("the server did not answer Hello with Welcome")
        self._acked_sequence = response.sequence
        return response.welcome

    async def run(self, welcome: Welcome, stop: asyncio.Event) -> None:
        """Works until the stream fails, or until `stop` is set and what is left was flushed."""
        self._flow = Flow(welcome.output_window_bytes or _DEFAULT_WINDOW_BYTES)
        outbox = Outbox(self._attempts, self._flow, self._workers)
        self._attempts.on_news = self._wake.set
        self._ack_due = self._acked_sequence
        self._wake.set()
        try:
            await self._attempts.judge(welcome.verdicts)
            interval = (welcome.heartbeat_interval_ms or _DEFAULT_HEARTBEAT_MS) / 1000
            await _first_of(
                self._watch_silence(),
                self._receive(),
                self._write(outbox),
                self._beat(interval),
                self._keep_lease(),
                self._take_leave(stop),
            )
        finally:
            self._attempts.on_news = lambda: None

    async def _receive(self) -> None:
        async for response in self._stream:
            _raise_if_closing(response)
            if response.dispatches:
                if self._is_stopping:
                    # Not started and not acknowledged, nor is anything after it: it will be said again.
                    await self._ignore_the_rest()
                    return
                await self._attempts.accept(response.dispatches)
            for cancel in response.cancels:
                await self._attempts.cancel((cancel.run_id, cancel.attempt), cancel.grace_ms)
            for ack in response.output_acks:
                key = (ack.run_id, ack.attempt)
                self._flow.acknowledged(self._attempts.acknowledge_output(key, ack.stream, ack.offset))
            for report_ack in response.report_acks:
                key = (report_ack.run_id, report_ack.attempt)
                self._unanswered.discard(key)
                self._flow.acknowledged(self._attempts.acknowledge_report(key))
            self._acked_sequence = response.sequence
            if response.dispatches or response.cancels:
                asyncio.get_running_loop().call_later(_ACK_SECONDS, self._ack, response.sequence)
            if response.output_acks or response.report_acks:
                self._wake.set()
                self._is_acknowledged.set()
        if self._goodbye is None:
            raise StreamTerminatedError("the server ended the stream")

    async def _ignore_the_rest(self) -> None:
        async for response in self._stream:
            _raise_if_closing(response)

    def _ack(self, sequence: int) -> None:
        self._ack_due = sequence
        self._wake.set()

    async def _write(self, outbox: Outbox) -> None:
        acked = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            while True:
                frame = ConnectRequest()
                frame.heartbeat, self._heartbeat = self._heartbeat, None
                is_answer_due = bool(self._unanswered)
                frame.reports = outbox.reports(is_answer_due=is_answer_due)
                if frame.heartbeat is None:  # which does not wait for the bulk of a frame of its own
                    frame.output, answers = outbox.answers(is_answer_due=is_answer_due)
                    frame.reports += answers
                self._unanswered.update(
                    (report.run_id, report.attempt)
                    for report in frame.reports
                    if report.phase != AttemptPhase.RUNNING
                )
                if frame.heartbeat is None:
                    spent = sum(len(chunk.data) for chunk in frame.output)
                    frame.output += await outbox.output(spent)
                if frame.heartbeat or frame.reports or frame.output or acked < self._ack_due:
                    await self._send(frame)
                    acked = frame.acked_sequence
                    continue
                if self._goodbye is not None:
                    frame.goodbye = self._goodbye
                    await self._send(frame)
                    await self._stream.end()
                    await asyncio.get_running_loop().create_future()  # the receiver sees the end
                break

    async def _send(self, frame: ConnectRequest) -> None:
        self._sequence += 1
        frame.sequence = self._sequence
        frame.acked_sequence = self._acked_sequence
        frame.free_slots = 0 if self._is_stopping else self._attempts.free_slots
        frame.free_answers = 0 if self._is_stopping else self._attempts.free_answers
        await self._stream.send_message(frame)

    async def _beat(self, interval: float) -> None:
        loop = asyncio.get_running_loop()
        # The first sample needs two readings of the processor's times some way apart.
        await asyncio.sleep(max(self._first_sample_at - time.monotonic(), 0.0))
        due = loop.time()
        while True:
            if self._attempts.fault:
                await self._attempts.probe_journal()
            sample = await loop.run_in_executor(self._workers, self._sampler.take)
            self._heartbeat = Heartbeat(
                sent_us=time.time_ns() // 1000, sample=sample, fault=self._attempts.fault
            )
            self._wake.set()
            # A machine that slept sends one heartbeat, not all it missed.
            due = max(due + interval, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _watch_silence(self) -> None:
        while self._channel.silent_seconds < self._silence_seconds:  # noqa: ASYNC110 - no event is the event
            await asyncio.sleep(min(self._silence_seconds / 4, 1.0))
        self._channel.abort()
        raise StreamTerminatedError(f"nothing was heard for {self._silence_seconds:.0f} s")

    async def _keep_lease(self) -> None:
        while True:
            await self._attempts.renew_lease(time.monotonic() - self._channel.silent_seconds)
            await asyncio.sleep(_LEASE_SECONDS)

    async def _take_leave(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._is_stopping = True
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._flush(), _FLUSH_SECONDS)
        self._goodbye = Goodbye(reason="the agent was stopped")
        self._wake.set()
        await asyncio.sleep(_FAREWELL_SECONDS)

    async def _flush(self) -> None:
        while not self._attempts.is_all_acknowledged:
            self._is_acknowledged.clear()
            await self._is_acknowledged.wait()


def _raise_if_closing(response: ConnectResponse) -> None:
    if response.closing is not None:
        raise ClosedByServer(response.closing.reason, response.closing.retry_after_ms / 1000)


async def _first_of(*work: Any) -> None:
    """Runs coroutines until one ends, with its outcome; the others are cancelled.

    Of several that end at once, as when one ends the connection, the first in the list counts.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in tasks if task in done]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
