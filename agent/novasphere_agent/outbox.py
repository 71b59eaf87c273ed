"""Chooses what attempts say next."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor

from novasphere_agent.attempts import Attempt, Attempts
from novasphere_agent.flow import Flow
from novasphere_agent.messages import AttemptReport, OutputChunk, Stream
from novasphere_agent.spools import CHUNK_BYTES, Piece

# What one frame may hold up: a heartbeat waits for the frame before it.
_FRAME_BYTES = 256 * 1024
_FRAME_REPORTS = 256

log = logging.getLogger(__name__)


class Outbox:
    """Nothing is queued: each call looks at what is due at that moment, so nothing can pile up."""

    def __init__(self, attempts: Attempts, flow: Flow, workers: Executor) -> None:
        self._attempts = attempts
        self._flow = flow
        self._workers = workers

    def reports(self, *, is_answer_due: bool) -> list[AttemptReport]:
        """Returns the reports that are due, and counts them as sent.

        While the server has yet to answer final ones, others gather: then they go together, and are one
        commit there. A lone one never waits.

        A final one only when all output went out in earlier frames: within a frame nobody promises that
        output is handled first.
        """
        due: list[AttemptReport] = []
        for key, attempt in list(self._attempts.speaking.items()):
            if len(due) >= _FRAME_REPORTS:
                break
            if attempt.report is None:
                # Output is never of a command that nobody has heard of.
                is_due = attempt.spools.has_unsent or (attempt.is_start_due and not is_answer_due)
                if is_due and attempt.started_us and not attempt.is_start_reported:
                    attempt.is_start_reported = True
                    due.append(attempt.start_report())
            elif attempt.spools.is_all_sent and not is_answer_due:
                due.append(attempt.final_report())
                del self._attempts.speaking[key]
        return due

    def answers(self, *, is_answer_due: bool) -> tuple[list[OutputChunk], list[AttemptReport]]:
        """Returns what was over at once, and counts it as sent: what it printed, and its reports.

        Both go in one frame, as its output counts before its reports.
        """
        if is_answer_due:
            return [], []
        budget = min(self._flow.room, _FRAME_BYTES)
        chunks, reports = self._attempts.answers.take(budget, _FRAME_REPORTS)
        if chunks:
            self._flow.sent(sum(len(chunk.data) for chunk in chunks))
        return chunks, reports

    async def output(self, spent: int) -> list[OutputChunk]:
        """Returns output as the window allows, in turns between attempts, and counts it as sent.

        So many bytes of the frame are spent already.
        """
        plan: list[tuple[Attempt, list[Piece]]] = []
        budget = min(self._flow.room, _FRAME_BYTES - spent)
        speaking = [attempt for attempt in self._attempts.speaking.values() if attempt.spools.has_unsent]
        while budget > 0 and speaking:
            still = []
            for attempt in speaking:
                pieces = attempt.spools.take(min(budget, CHUNK_BYTES))
                plan.append((attempt, pieces))
                budget -= sum(piece.length for piece in pieces)
                if attempt.spools.has_unsent and budget > 0:
                    still.append(attempt)
            speaking = still
        if not plan:
            return []
        # Whoever spoke goes to the end of the line.
        for attempt, _ in plan:
            if attempt.key in self._attempts.speaking:
                self._attempts.speaking[attempt.key] = self._attempts.speaking.pop(attempt.key)
        chunks, lost = await asyncio.get_running_loop().run_in_executor(self._workers, _read, plan)
        for attempt, piece in lost:
            if attempt.key in self._attempts.speaking:
                log.error("attempt %s: the rest of its output cannot be read", attempt)
                attempt.spools.give_up(piece)
                self._attempts.on_news()  # its report may be due now
        self._flow.sent(sum(len(chunk.data) for chunk in chunks))
        return chunks


def _read(
    plan: list[tuple[Attempt, list[Piece]]],
) -> tuple[list[OutputChunk], list[tuple[Attempt, Piece]]]:
    """Returns what could be read, and the first piece of each stream that could not."""
    chunks: list[OutputChunk] = []
    lost: dict[tuple[Attempt, Stream], Piece] = {}
    for attempt, pieces in plan:
        for piece in pieces:
            if (attempt, piece.stream) in lost:
                continue
            try:
                data = attempt.spools.read(piece)
            except OSError:
                lost[attempt, piece.stream] = piece
                continue
            chunks.append(
                OutputChunk(
                    run_id=attempt.intent.run_id,
                    attempt=attempt.intent.attempt,
                    fencing_token=attempt.intent.fencing_token,
                    stream=piece.stream,
                    offset=piece.offset,
                    data=data,
                )
            )
    return chunks, [(attempt, piece) for (attempt, _), piece in lost.items()]
