"""Rotating measurements: every round runs each contender once, so that all see the same machine."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


class Unavailable(Exception):
    """What a goal is measured against cannot be had here; the text says why, and what to do."""


@dataclass(frozen=True)
class Result:
    """One goal as measured: per round, the contender's figure over the baseline's."""

    goal: str
    name: str
    target: float
    baseline: str
    unit: str
    ratios: tuple[float, ...]
    figures: tuple[float, ...]
    baseline_figures: tuple[float, ...]
    is_limit: bool = False  # the ratio should be at most the target

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)


@dataclass(frozen=True)
class Figure:
    """Something that is told as it was measured, with a goal of its own or with none."""

    goal: str
    name: str
    unit: str
    figures: tuple[float, ...]
    target: float | None = None
    is_limit: bool = False


@dataclass(frozen=True)
class Unmeasured:
    """A goal that could not be measured here."""

    goal: str
    why: str


Row = Result | Figure | Unmeasured


def rotate(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Returns each contender's figures, one a round, after one round that is thrown away."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, run in contenders.items():
            figure = run()
            if number:
                figures[name].append(figure)
    return figures


def compare(
    goal: str,
    name: str,
    target: float,
    baseline: str,
    unit: str,
    figures: Sequence[float],
    against: Sequence[float],
    *,
    is_limit: bool = False,
) -> Result:
    """Pairs figures of the same round."""
    ratios = tuple(a / b for a, b in zip(figures, against, strict=True))
    return Result(goal, name, target, baseline, unit, ratios, tuple(figures), tuple(against), is_limit)


def show(rows: Sequence[Row]) -> None:
    """Prints the tables: every ratio next to its goal, and what is told as it is."""
    console = Console(width=160)
    if results := [row for row in rows if isinstance(row, Result)]:
        table = _table(
            "Speed goals: medians of rotating rounds on this machine",
            "what", ">ratio", ">goal is", "met", ">spread", ">median", "baseline", ">its median",
        )  # fmt: skip
        for r in results:
            table.add_row(
                r.goal,
                r.name,
                f"{r.ratio:.2f}x",
                f"{_sign(r.is_limit)} {r.target:g}x",
                _verdict(r.ratio, r.target, r.is_limit),
                f"{min(r.ratios):.2f}-{max(r.ratios):.2f}",
                f"{_number(statistics.median(r.figures))} {r.unit}",
                r.baseline,
                _number(statistics.median(r.baseline_figures)),
            )
        console.print(table)
    if figures := [row for row in rows if isinstance(row, Figure)]:
        table = _table("Figures of this machine", "what", ">median", ">spread", ">goal is", "met")
        for f in figures:
            median = statistics.median(f.figures)
            table.add_row(
                f.goal,
                f.name,
                f"{_number(median)} {f.unit}",
                f"{_number(min(f.figures))}-{_number(max(f.figures))}",
                "" if f.target is None else f"{_sign(f.is_limit)} {_number(f.target)}",
                "" if f.target is None else _verdict(median, f.target, f.is_limit),
            )
        console.print(table)
    for row in rows:
        if isinstance(row, Unmeasured):
            console.print(f"{row.goal} was not measured: {row.why}", markup=False)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title)
    table.add_column("goal")
    for heading in headings:
        table.add_column(heading.removeprefix(">"), justify="right" if heading[0] == ">" else "left")
    return table


def _sign(is_limit: bool) -> str:
    return "<=" if is_limit else ">="


def _verdict(value: float, target: float, is_limit: bool) -> str:
    return "yes" if (value <= target if is_limit else value >= target) else "NO"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
