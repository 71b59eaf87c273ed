"""Data goes to standard output, words to standard error, colours where they show."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

_ESCAPES = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "magenta": "35", "blue": "34"}


class CannotWrite(Exception):
    """The output could not be written: its reader has left, or the disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write the output: {error.strerror}")
        self.has_no_reader = isinstance(error, BrokenPipeError)


def say(text: str) -> None:
    """Writes words for people. Where nobody can hear them, the exit code still tells."""
    if sys.stderr is None:
        return  # it was closed, and print would turn to standard output
    with contextlib.suppress(OSError):
        print(f"novasphere: {text}", file=sys.stderr, flush=True)  # noqa: T201 - a command line speaks


def put(text: str) -> None:
    """Writes data, at once. Raises CannotWrite."""
    try:
        print(text, flush=True)  # noqa: T201 - a command line answers
    except OSError as error:
        raise CannotWrite(error) from error


def is_terminal(stream: TextIO | None) -> bool:
    """Tells whether a person sees what is written to a stream; it is None when it was closed."""
    return stream is not None and stream.isatty()


def has_colours(stream: TextIO | None) -> bool:
    """Tells whether escape sequences on a stream will show as colours."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and is_terminal(stream)


def paint(text: str, colour: str | None) -> str:
    """Returns text in a colour."""
    return f"\x1b[{_ESCAPES[colour]}m{text}\x1b[0m" if colour else text
