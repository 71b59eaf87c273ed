"""What a firing ledger must say. Asks neither the server's calendar nor its scheduler: times are watched for on the
clocks of the wall, and what may have become of one follows from what its schedule's users did.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import wall_clocks
from novasphere.schedule.v1 import schedule_pb2 as pb
from novasphere.schedule.v1 import task_pb2

SECOND = 1_000_000
GRACE_US = 10 * SECOND
_MARGIN = 26 * 60  # minutes that clocks are watched before and after
_GAPS = {pb.GAP_POLICY_SKIP: "skip"}
_FOLDS = {pb.FOLD_POLICY_LAST: "last", pb.FOLD_POLICY_BOTH: "both"}


@dataclass(frozen=True)
class Times:
    """When a schedule fires by the clock."""

    interval: int = 0
    anchor_us: int = 0
    cron: str = ""
    timezone: str = "UTC"
    gap: int = pb.GAP_POLICY_SHIFT
    fold: int = pb.FOLD_POLICY_FIRST
    once_us: int = 0
    end_us: int = 2**62

    def between(self, after_us: int, until_us: int) -> list[int]:
        """Returns the times after one instant and up to another."""
        if until_us <= after_us:
            return []
        if self.once_us:
            found = [self.once_us]
        elif self.interval:
            period = self.interval * SECOND
            first = self.anchor_us + max(0, -(-(after_us - self.anchor_us) // period)) * period
            found = list(range(first, until_us + 1, period))
        else:
            begin, end = after_us // SECOND // 60 - 1, until_us // SECOND // 60 + 1
            shown = _watch(self.timezone, begin // 600, -(-end // 600))
            cron = wall_clocks.Cron(self.cron.replace("?", "*"))
            taken = wall_clocks.narrow(shown, cron, begin, end)
            gap, fold = _GAPS.get(self.gap, "shift"), _FOLDS.get(self.fold, "first")
            found = [seen.at * SECOND for seen in wall_clocks.fires(cron, taken, gap, fold)]
        return [at for at in found if after_us < at <= until_us and at < self.end_us]


@cache
def _watch(zone: str, begin: int, end: int) -> wall_clocks.Shown:
    return wall_clocks.watch(zone, begin * 600 - _MARGIN, end * 600 + _MARGIN)


@dataclass
class Generation:
    """The times of a schedule between two changes of what they are."""

    times: Times | None
    begin_us: int
    covered_us: int = 0  # what had come by then must be covered


class Rules(NamedTuple):
    """What a schedule was told about its times, as long as nobody said otherwise."""

    may_fire: bool
    overlap: int
    misfire: int
    window_us: int


@dataclass
class Kept:
    """A schedule as its users know it."""

    schedule_id: str
    job_id: str
    max_count: int | None
    generations: list[Generation] = field(default_factory=list)
    rules: list[tuple[int, Rules]] = field(default_factory=list)  # and since which moment
    is_paused: bool = False
    is_deleted: bool = False

    @property
    def present(self) -> Rules:
        return self.rules[-1][1]

    def rules_at(self, moment: int) -> list[Rules]:
        """Returns what held at a moment; where something was changed in it, all that did."""
        before = [rules for since, rules in self.rules if since < moment]
        return before[-1:] + [rules for since, rules in self.rules if since == moment]

    def may_have_buffered(self, moment: int) -> bool:
        """Returns whether times may have waited for their turn, up to a moment."""
        never = (pb.OVERLAP_POLICY_UNSPECIFIED, pb.OVERLAP_POLICY_ALLOW, pb.OVERLAP_POLICY_SKIP)
        return any(since <= moment and rules.overlap not in never for since, rules in self.rules)


class Row(NamedTuple):
    """A row of the ledger."""

    generation: int
    nominal_us: int
    last_nominal_us: int
    times: int
    disposition: int
    run_id: str
    decided: int  # at which moment
    decided_us: int


class Made(NamedTuple):
    """A task of a schedule that nobody triggered."""

    run_id: str
    scheduled_us: int
    begun: int  # at which moment it was made
    ended: int


class Model:
    """Compares ledgers with what is known of their schedules. Clocks are set back, so what comes first is told by
    moments, which only count up.
    """

    def __init__(self) -> None:
        self.schedules: dict[str, Kept] = {}
        self.times = 0  # that were found covered
        self.dispositions: Counter[str] = Counter()

    def covered(self, now_us: int) -> None:
        """Notes that the scheduler has come round to everything."""
        for kept in self.schedules.values():
            if kept.present.may_fire and not kept.is_deleted:
                self.came_round(kept, now_us)

    @staticmethod
    def came_round(kept: Kept, now_us: int) -> None:
        generation = kept.generations[-1]
        generation.covered_us = max(generation.covered_us, now_us)

    def check(self, kept: Kept, rows: Sequence[Row], made: Sequence[Made]) -> None:
        """Raises AssertionError where the ledger of a schedule, in order, or its tasks say something else."""
        who = f"schedule {kept.schedule_id}"
        is_used_up = kept.max_count is not None and len(made) == kept.max_count
        for number, generation in enumerate(kept.generations, 1):
            own = [row for row in rows if row.generation == number]
            if generation.times is None:
                assert not own, f"{who} has no times, and rows {own}"
                continue
            self._check_coverage(f"{who}, generation {number}", generation, own, is_used_up=is_used_up)
        assert {row.generation for row in rows} <= set(range(1, len(kept.generations) + 1)), who
        fired = {row.run_id: row.nominal_us for row in rows if row.disposition == pb.DISPOSITION_FIRED}
        if any(generation.times for generation in kept.generations):
            assert fired == {task.run_id: task.scheduled_us for task in made}, (
                f"{who}: rows and tasks are not the same"
            )
            assert len(made) == len(fired)
        if kept.max_count is not None:
            assert len(made) <= kept.max_count, who
        for index, row in enumerate(rows):
            is_last = rows[index + 1 : index + 2] == [] or rows[index + 1].generation != row.generation
            following = None if is_last else rows[index + 1]
            self._check_row(who, kept, row, following, made)
        self._check_turns(who, kept, rows, made)
        self._check_misfires(who, kept, rows)

    def _check_coverage(
        self, who: str, generation: Generation, rows: Sequence[Row], *, is_used_up: bool
    ) -> None:
        assert generation.times is not None
        until_us = max([generation.covered_us, *(row.last_nominal_us for row in rows)])
        expected = generation.times.between(generation.begin_us, until_us)
        told: list[int] = []
        for row in rows:
            begin = bisect_left(expected, row.nominal_us)
            of_row = expected[begin : bisect_right(expected, row.last_nominal_us)]
            assert of_row[:1] == [row.nominal_us], f"{who}: {row} begins at no time"
            assert of_row[-1] == row.last_nominal_us, f"{who}: {row} ends at no time"
            assert row.times == len(of_row), f"{who}: {row} is of {len(of_row)} times"
            told += of_row
        assert told == expected[: len(told)], f"{who}: {_first_difference(told, expected)}"
        if not is_used_up:
            missing = [at for at in expected[len(told) :] if at <= generation.covered_us]
            assert not missing, f"{who}: {len(missing)} times have no row, the first {missing[0]}"
        self.times += len(told)

    def _check_row(
        self, who: str, kept: Kept, row: Row, following: Row | None, made: Sequence[Made]
    ) -> None:
        word = pb.Disposition.Name(row.disposition).removeprefix("DISPOSITION_").lower()
        self.dispositions[word] += row.times
        # What waited for its turn may be given up while the clock is behind.
        if word == "fired" or not kept.may_have_buffered(row.decided):
            assert row.last_nominal_us <= row.decided_us, f"{who}: {row} was decided early"
        assert bool(row.run_id) == (word == "fired"), f"{who}: {row}"
        rules = kept.rules_at(row.decided)
        match word:
            case "fired":
                assert row.times == 1, f"{who}: {row}"
                assert any(each.may_fire for each in rules), f"{who}: {row} while it was paused"
            case "skipped_paused" | "skipped_disabled":
                assert not all(each.may_fire for each in rules), f"{who}: {row}, it was not"
            case "skipped_misfire":
                late = row.decided_us - row.last_nominal_us
                assert late > GRACE_US, f"{who}: {row} was not late"
                assert any(
                    late > each.window_us or each.misfire != pb.MISFIRE_POLICY_FIRE_ALL for each in rules
                ), f"{who}: {row} should have fired"
                if all(each.misfire in (0, pb.MISFIRE_POLICY_FIRE_ONCE) for each in rules):
                    is_last = following is None or following.nominal_us >= row.decided_us - GRACE_US
                    assert not is_last or any(late > each.window_us for each in rules), (
                        f"{who}: {row} is the last that was missed, and should have fired"
                    )
            case "skipped_overlap":
                assert any(each.overlap != pb.OVERLAP_POLICY_ALLOW for each in rules) or (
                    kept.max_count is not None
                ), f"{who}: {row}"
                if not kept.may_have_buffered(row.decided):
                    assert any(task.begun <= row.decided <= task.ended for task in made), (
                        f"{who}: {row}, and nothing ran"
                    )
            case "skipped_deleted":
                assert kept.is_deleted, f"{who}: {row}"
            case _:
                raise AssertionError(f"{who}: {row} is {word} in the end")

    @staticmethod
    def _check_turns(who: str, kept: Kept, rows: Sequence[Row], made: Sequence[Made]) -> None:
        """Tasks that may not overlap came one after the other, in the order of their times."""
        if any(rules.overlap == pb.OVERLAP_POLICY_ALLOW for _, rules in kept.rules):
            return
        in_order = sorted(made, key=lambda task: (task.begun, task.ended))
        for first, second in pairwise(in_order):
            assert first.ended <= second.begun, f"{who}: {first} and {second} at once"
        fired = [row for row in rows if row.disposition == pb.DISPOSITION_FIRED]
        for one, next_one in pairwise(fired):
            is_in_turn = one.decided <= next_one.decided or one.generation != next_one.generation
            assert is_in_turn, f"{who}: {next_one} fired before {one}"

    @staticmethod
    def _check_misfires(who: str, kept: Kept, rows: Sequence[Row]) -> None:
        """What was missed fired only where it may, and once where it may once."""
        late: Counter[int] = Counter()
        for row in rows:
            rules = kept.rules_at(row.decided)
            missed_us = row.decided_us - row.nominal_us
            is_late = row.disposition == pb.DISPOSITION_FIRED and missed_us > GRACE_US
            if not is_late or kept.may_have_buffered(row.decided):
                continue
            late[row.decided] += 1
            assert any(
                each.misfire != pb.MISFIRE_POLICY_IGNORE and missed_us <= each.window_us
                for each in rules
            ), f"{who}: {row} was missed, and should not have fired"
            assert late[row.decided] == 1 or any(
                each.misfire == pb.MISFIRE_POLICY_FIRE_ALL for each in rules
            ), f"{who}: several times fired that one stands for, {row} among them"


def _first_difference(told: Sequence[int], expected: Sequence[int]) -> str:
    for one, other in zip(told, expected, strict=False):
        if one != other:
            return f"a row is of {one}, where {other} comes next"
    return f"{len(told)} times have rows, of {len(expected)}"


def is_scheduled(task: task_pb2.Task) -> bool:
    """Returns whether a schedule's task was made because of its time, or because it is a daemon."""
    return bool(task.schedule_id) and task.schedule_kind != task_pb2.SCHEDULE_KIND_EVENT
