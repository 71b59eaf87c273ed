"""Explanations of tasks, attempts and schedules, for people and as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from novasphere_client.cli import printing, terminal, times
from novasphere_client.cli.options import Form
from novasphere_client.cli.printing import Printer


def show(output: Form, explained: Any, *headings: str) -> None:
    """Prints an answer of `:explain`, after lines that say of what it is."""
    if output in {Form.JSON, Form.YAML}:
        Printer(output, [], lambda _: "").data(explained)
        return
    terminal.put("\n".join(printing.plain(line) for line in (*headings, *_lines(explained))))


def _lines(explained: Any) -> Iterator[str]:
    if not explained.obstacles:
        yield from _told(explained.summary, getattr(explained, "remedy", ""))
    for one in explained.obstacles:
        known = []
        if one.HasField("since"):
            known.append(f"for {times.age(one.since.seconds)}")
        if one.HasField("until") and (left := times.until(one.until.seconds)):
            known.append(f"{left} left")
        span = f" ({', '.join(known)})" if known else ""
        yield from _told(f"{one.message}{span}", one.remedy)


def _told(message: str, remedy: str) -> Iterator[str]:
    yield f"- {message}"
    if remedy:
        yield f"  {remedy}"
