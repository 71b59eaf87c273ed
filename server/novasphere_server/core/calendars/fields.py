"""The fields of a cron expression, and the values that each may take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from novasphere_server.errors import InvalidArgument

FIRST_YEAR = 1970
LAST_YEAR = 2199

_ITEM = re.compile(r"(\*|[A-Z0-9]+)(?:-([A-Z0-9]+))?(?:/([0-9]{1,4}))?")
_NUMBER = re.compile(r"[0-9]{1,4}")


class InvalidExpression(InvalidArgument):
    """A cron expression cannot be read; the metadata names the field of it, if it is one's fault."""

    def __init__(self, problem: str, *, name: str = "", position: int = 0) -> None:
        """Takes the name of the field and its place in the expression, counted from 1."""
        super().__init__("expression", f"field {position} ({name}): {problem}" if name else problem)
        if name:
            self.metadata = {"cron_field": name, "cron_position": str(position)}


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One place of an expression."""

    name: str
    low: int
    high: int
    turns: int = 0  # the first value comes again after as many; 0: never
    names: tuple[str, ...] = ()  # other words for the values from `low` on
    position: int = 0  # in the expression at hand, counted from 1

    def refused(self, problem: str) -> InvalidExpression:
        return InvalidExpression(problem, name=self.name, position=self.position)

    def items(self, text: str) -> Iterator[str]:
        """Yields what stands between the commas."""
        for item in text.split(","):
            if not item:
                raise self.refused(f"{text!r} has an empty place in its list; remove the comma")
            yield item

    def value(self, word: str) -> int:
        """Returns what a number or a name stands for."""
        if word in self.names:
            return self.low + self.names.index(word)
        if _NUMBER.fullmatch(word) and self.low <= int(word) <= self.high:
            return int(word)
        known = f"{self.low} to {self.high}"
        if self.names:
            known += f", or {self.names[0]} to {self.names[-1]}"
        raise self.refused(f"{word!r} is none of the {self.name}; use {known}")

    def values(self, item: str) -> set[int]:
        """Returns what `*`, a value or a range takes, with a step or without."""
        match = _ITEM.fullmatch(item)
        if match is None or (match[1] == "*" and match[2]):
            raise self.refused(
                f"{item!r} cannot be read; write a value, a range as 1-5, a step as */10, "
                "or several of them with commas between"
            )
        start, end, step = match.groups()
        size = self.turns or self.high - self.low + 1
        if step is not None and not 1 <= int(step) <= size:
            raise self.refused(
                f"there is no step of {step} among {size} {self.name}; use 1 to {size}, or a schedule "
                "with an interval for what does not fit into the calendar"
            )
        first = self.low if start == "*" else self.value(start)
        if start == "*":
            last = self.low + size - 1
        elif end is not None:
            last = self.value(end)
        elif step is None:
            last = first
        elif self.high - self.low == size:
            # 7 is another word for 0 here: nobody can tell whether it is to be reached.
            raise self.refused(f"{item!r} does not say where it ends; write a range, such as 1-5/{step}")
        else:
            last = self.high
        if last < first:
            if not self.turns:
                raise self.refused(f"{item!r} runs backwards; write the earlier one first")
            last += self.turns
        return {self.low + (value - self.low) % size for value in range(first, last + 1, int(step or 1))}


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

SECONDS = Field("seconds", 0, 59, 60)
MINUTES = Field("minutes", 0, 59, 60)
HOURS = Field("hours", 0, 23, 24)
DAYS = Field("days", 1, 31, 31)
MONTHS = Field("months", 1, 12, 12, _MONTHS)
WEEKDAYS = Field("weekdays", 0, 7, 7, _WEEKDAYS)
QUARTZ_WEEKDAYS = Field("weekdays", 1, 7, 7, _WEEKDAYS)
YEARS = Field("years", FIRST_YEAR, LAST_YEAR)
