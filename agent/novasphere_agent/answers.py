"""Attempts that were over as soon as they came: what the agent does by itself, and what it refuses.

They touch no disk, and an agent that ends leaves no trace of them: nothing was started that could matter,
and the server sends again what it has no report of.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable

from novasphere_agent.messages import (
    AttemptPhase,
    AttemptReport,
    AttemptState,
    AttemptVerdict,
    Dispatch,
    OutputChunk,
    Stream,
    Verdict,
)
from novasphere_agent.spools import CHUNK_BYTES

Key = tuple[str, int]

# With more than that unacknowledged the agent takes no more work.
_MOST_ANSWERS = 4096
# How many it has the server send ahead.
_MOST_AHEAD = 256
_MOST_BYTES = 16 << 20
_LONGEST_WORDS = 1000

log = logging.getLogger(__name__)


class Answer:
    """One such attempt, until the server has acknowledged its report."""

    __slots__ = ("acked", "output", "report", "sent")

    def __init__(self, report: AttemptReport, output: bytes) -> None:
        self.report = report
        self.output = output
        self.sent = self.acked = 0


class Answers:
    """Keeps answers in memory, and says them in the order in which they came."""

    def __init__(self) -> None:
        self._kept: dict[Key, Answer] = {}
        self._kept_bytes = 0
        # What this connection has yet to say.
        self._due: deque[Answer] = deque()
        # What came when there was no room for another answer, which may be long.
        self._put_off: dict[Key, Dispatch] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._kept or key in self._put_off

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def is_full(self) -> bool:
        return len(self._kept) >= _MOST_ANSWERS or self._kept_bytes >= _MOST_BYTES

    @property
    def room(self) -> int:
        """How many more dispatches may come ahead."""
        if self.is_full:
            return 0
        return max(_MOST_AHEAD - len(self._kept) - len(self._put_off), 0)

    def put_off(self, dispatch: Dispatch) -> None:
        """Keeps what is to be answered when there is room."""
        self._put_off[dispatch.run_id, dispatch.attempt] = dispatch

    def take_put_off(self) -> Dispatch | None:
        """Returns what was put off first, if there is room for its answer by now."""
        if self.is_full or not self._put_off:
            return None
        return self._put_off.pop(next(iter(self._put_off)))

    def give(self, dispatch: Dispatch, text: str) -> None:
        """Answers with what an attempt prints, as far as it is wanted."""
        output = b"" if dispatch.discard_output else text.encode()
        kept = output[: dispatch.max_output_bytes]
        now_us = time.time_ns() // 1000
        report = AttemptReport(
            run_id=dispatch.run_id,
            attempt=dispatch.attempt,
            fencing_token=dispatch.fencing_token,
            phase=AttemptPhase.EXITED,
            exit_code=0,
            started_us=now_us,
            finished_us=now_us,
            stdout_bytes=len(kept),
            output_dropped=len(kept) < len(output),
        )
        self._keep(Answer(report, kept))

    def refuse(self, dispatch: Dispatch, why: str) -> None:
        """Answers that nothing was started. What is said of it may quote what was sent, of any length."""
        log.info("attempt %s.%d is refused: %s", dispatch.run_id, dispatch.attempt, why[:_LONGEST_WORDS])
        report = AttemptReport(
            run_id=dispatch.run_id,
            attempt=dispatch.attempt,
            fencing_token=dispatch.fencing_token,
            phase=AttemptPhase.REJECTED,
            message=why[:_LONGEST_WORDS],
        )
        self._keep(Answer(report, b""))

    def states(self) -> list[AttemptState]:
        """Returns what Hello tells of them; each is silent from here on, until its verdict."""
        self._due.clear()
        self._put_off.clear()  # which is as if it had never come: the server sends it again
        return [
            AttemptState(
                run_id=answer.report.run_id,
                attempt=answer.report.attempt,
                fencing_token=answer.report.fencing_token,
                phase=answer.report.phase,
            )
            for answer in self._kept.values()
        ]

    def judge(self, key: Key, verdict: AttemptVerdict) -> None:
        """Drops an answer, or says it again from where the server has its output."""
        if verdict.verdict == Verdict.FORGET:
            self._drop(key)
            return
        answer = self._kept[key]
        answer.sent = answer.acked = min(verdict.stdout_offset, len(answer.output))
        self._due.append(answer)

    def take(self, budget: int, most: int) -> tuple[list[OutputChunk], list[AttemptReport]]:
        """Returns what to say next, no more than `budget` bytes of output, and counts it as sent."""
        chunks: list[OutputChunk] = []
        reports: list[AttemptReport] = []
        while self._due and len(reports) < most:
            answer = self._due[0]
            for chunk in _chunks(answer, budget):
                chunks.append(chunk)
                budget -= len(chunk.data)
            if answer.sent < len(answer.output):
                break
            reports.append(answer.report)
            self._due.popleft()
        return chunks, reports

    def acknowledge_output(self, key: Key, offset: int) -> int:
        """Notes what the server has; returns how many bytes of the window that frees."""
        answer = self._kept.get(key)
        if answer is None:
            return 0
        freed = max(min(offset, answer.sent) - answer.acked, 0)
        answer.acked += freed
        return freed

    def acknowledge_report(self, key: Key) -> int:
        """Forgets an answer that the server has; returns how many bytes that frees."""
        if key not in self._kept:
            return 0
        answer = self._drop(key)
        return answer.sent - answer.acked

    def clear(self) -> None:
        self._kept.clear()
        self._due.clear()
        self._put_off.clear()
        self._kept_bytes = 0

    def _keep(self, answer: Answer) -> None:
        self._kept[answer.report.run_id, answer.report.attempt] = answer
        self._kept_bytes += len(answer.output)
        self._due.append(answer)

    def _drop(self, key: Key) -> Answer:
        answer = self._kept.pop(key)
        self._kept_bytes -= len(answer.output)
        return answer


def _chunks(answer: Answer, budget: int) -> Iterable[OutputChunk]:
    while budget > 0 and answer.sent < len(answer.output):
        data = answer.output[answer.sent : answer.sent + min(budget, CHUNK_BYTES)]
        yield OutputChunk(
            run_id=answer.report.run_id,
            attempt=answer.report.attempt,
            fencing_token=answer.report.fencing_token,
            stream=Stream.STDOUT,
            offset=answer.sent,
            data=data,
        )
        answer.sent += len(data)
        budget -= len(data)
