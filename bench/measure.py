"""Rotating measurements: every round runs each contender once, so that all see the same machine."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


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

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)


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
    figures: list[float],
    against: list[float],
) -> Result:
    """Pairs figures of the same round."""
    ratios = tuple(a / b for a, b in zip(figures, against, strict=True))
    return Result(goal, name, target, baseline, unit, ratios, tuple(figures), tuple(against))


def show(results: list[Result]) -> None:
    """Prints the table: every ratio next to its goal."""
    table = Table(title="Speed goals: medians of rotating rounds on this machine")
    for heading, justify in (
        ("goal", "left"), ("what", "left"), ("ratio", "right"), ("goal is", "right"), ("met", "left"),
        ("spread", "right"), ("median", "right"), ("baseline", "left"), ("its median", "right"),
    ):  # fmt: skip
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for r in results:
        table.add_row(
            r.goal,
            r.name,
            f"{r.ratio:.2f}x",
            f">= {r.target:g}x",
            "yes" if r.ratio >= r.target else "NO",
            f"{min(r.ratios):.2f}-{max(r.ratios):.2f}",
            f"{statistics.median(r.figures):,.0f} {r.unit}",
            r.baseline,
            f"{statistics.median(r.baseline_figures):,.0f}",
        )
    Console(width=150).print(table)
