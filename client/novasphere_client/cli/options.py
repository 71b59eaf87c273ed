"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from novasphere_client import settings
from novasphere_client.cli import times


class Form(StrEnum):
    """How data is printed."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


@dataclass(frozen=True)
class Everywhere:
    """The options that apply to every command."""

    server: str | None
    token: str | None
    context: str | None
    request_id: str


def seconds(text: str) -> int:
    """Parses a duration option."""
    try:
        return times.parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def seconds_or_none(text: str) -> int:
    """Parses a duration option for which nothing at all is a length too."""
    return 0 if text.strip() in {"0", "0s"} else seconds(text)


def request_id(text: str) -> str:
    """Parses a request id of the user's own."""
    if not settings.is_request_id(text):
        raise typer.BadParameter(f"it takes {settings.REQUEST_IDS}")
    return text


Output = Annotated[
    Form, typer.Option("--output", "-o", help="How to print: as a table, with more columns, or as data.")
]
NoHeaders = Annotated[bool, typer.Option("--no-headers", help="Leave out the table's header.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay, and print every change.")]
Selector = Annotated[
    str, typer.Option("--selector", "-l", help="Only nodes whose labels match: zone=a,role!=db,gpu,!old")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything and change nothing.")]
