"""Data goes to standard output, words to standard error, colours where they show."""

from __future__ import annotations

import os
import sys
from typing import TextIO

_ESCAPES = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "magenta": "35", "blue": "34"}


def say(text: str) -> None:
    """Writes words for people."""
    print(f"novasphere: {text}", file=sys.stderr, flush=True)  # noqa: T201 - a command line speaks


def put(text: str) -> None:
    """Writes data, at once."""
    print(text, flush=True)  # noqa: T201 - a command line answers


def is_terminal(stream: TextIO | None) -> bool:
    """Tells whether a person sees what is written to a stream; it is None when it was closed."""
    return stream is not None and stream.isatty()


def has_colours(stream: TextIO | None) -> bool:
    """Tells whether escape sequences on a stream will show as colours."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and is_terminal(stream)


def paint(text: str, colour: str | None) -> str:
    """Returns text in a colour."""
    return f"\x1b[{_ESCAPES[colour]}m{text}\x1b[0m" if colour else text
