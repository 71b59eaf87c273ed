"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from novasphere_client import settings
from novasphere_client.cli import terminal, times

# Options that apply to every command and may stand before or after it.
_EVERYWHERE = ("--server", "--token", "--context", "--request-id")

# How many rows a list shows of its own accord.
LIMIT = 50

_KINDS = {
    "node": "nodes",
    "nodes": "nodes",
    "command": "commands",
    "commands": "commands",
    "task": "tasks",
    "tasks": "tasks",
    "schedule": "schedules",
    "schedules": "schedules",
    "agent": "nodes",  # which they are
    "agents": "nodes",
}


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


def hoist(arguments: list[str]) -> list[str]:
    """Returns the arguments with the options that apply everywhere moved to the front.

    --dry-run is spelled --dry-run=server too, by those who are used to a choice. Nothing after `--` is
    touched: it belongs to the remote command.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    front: list[str] = []
    rest: list[str] = []
    position = 0
    while position < end:
        word = arguments[position]
        if word in _EVERYWHERE and position + 1 < end:
            front += arguments[position : position + 2]
            position += 2
            continue
        if word.startswith(tuple(f"{option}=" for option in _EVERYWHERE)):
            front.append(word)
        else:
            rest.append("--dry-run" if word == "--dry-run=server" else word)
        position += 1
    return front + rest + arguments[end:]


def asked_everywhere(arguments: list[str]) -> bool:
    """Tells whether arguments end with an option that applies everywhere, whose value is to come."""
    return bool(arguments) and arguments[-1] in _EVERYWHERE and "--" not in arguments


def seconds(text: str) -> int:
    """Parses a duration option."""
    try:
        return times.parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def seconds_or_none(text: str) -> int:
    """Parses a duration option for which nothing at all is a length too."""
    return 0 if text.strip() in {"0", "0s"} else seconds(text)


def moment(text: str) -> datetime:
    """Parses an instant, or a duration from now."""
    try:
        return times.parse_moment(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def past_moment(text: str) -> datetime:
    """Parses an instant, or a duration before now."""
    try:
        return times.parse_past_moment(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def json_value(text: str) -> str:
    """Parses an option that takes JSON."""
    from novasphere_client import json_form

    try:
        json.loads(text, parse_constant=json_form.refuse_constant)
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{text!r} is not JSON: {error}") from None
    return text


def work_id(text: str) -> str:
    """Parses the id of a task or an attempt, which the API has in lower case."""
    from novasphere_client.tasks import task_id

    return text.lower() if task_id(text) != text else text


def word_of(enum: Callable[[], Any]) -> Callable[[str], str]:
    """Returns what checks a word of an enum, which is loaded when there is one to check."""

    def check(text: str) -> str:
        from novasphere_client import json_form

        if json_form.number_of(enum(), text) is None:
            known = ", ".join(word.lower() for word in json_form.words(enum()))
            raise typer.BadParameter(f"{text!r} is not one of {known}")
        return text

    return check


def request_id(text: str) -> str:
    """Parses a request id of the user's own."""
    if not settings.is_request_id(text):
        raise typer.BadParameter(f"it takes {settings.REQUEST_IDS}")
    return text


@dataclass(frozen=True)
class Targets:
    """Names of one kind of resource: nodes, commands, tasks or schedules."""

    kind: str
    names: Sequence[str]


def targets(words: Sequence[str] | None, selector: str) -> Targets:
    """Parses nodes/NAME, commands/ID, tasks/ID and schedules/NAME, all of one kind. A selector is for nodes."""
    kinds = {"nodes"} if selector else set()
    names = []
    for word in words or ():
        kind, _, name = word.partition("/")
        if kind not in _KINDS or not name:
            raise typer.BadParameter(
                f"{word!r} is none of nodes/NAME, commands/ID, tasks/ID, schedules/NAME"
            )
        kinds.add(_KINDS[kind])
        names.append(name)
    if not kinds:
        raise typer.BadParameter(
            "for whom? Name nodes/NAME, commands/ID, tasks/ID or schedules/NAME, or select nodes with -l"
        )
    if len(kinds) > 1:
        raise typer.BadParameter("wait for things of one kind: for nodes, commands, tasks or schedules")
    return Targets(kinds.pop(), names)


def check_one_is_watched(names: Sequence[str], is_watched: bool) -> None:
    """Refuses to watch several names: their changes would come as one stream that none of them owns."""
    if is_watched and len(names) > 1:
        raise typer.BadParameter("--watch follows one; for several use list --watch, or watch")


def check_is_listed_or_watched(is_watched: bool, sort_by: str, limit: int | None = None) -> None:
    """Refuses to sort and to count what has not come yet."""
    if is_watched and sort_by:
        raise typer.BadParameter("--sort-by sorts what is there; changes come in their own order")
    if is_watched and limit is not None:
        raise typer.BadParameter(
            "--limit is for what is there; a watch shows all of it, and every change"
        )


def tell_of_more(form: Form, shown: int, total: int, what: str) -> None:
    """Says that a table does not show all."""
    if total > shown and form in {Form.TABLE, Form.WIDE}:
        terminal.say(f"{shown} of {total} {what}; --limit shows more")


def check_names_or_selector(names: Sequence[str] | None, selector: str) -> None:
    """Refuses a command that is for nobody."""
    if not (names or selector):
        raise typer.BadParameter("no node: name some, or select them with -l")


Output = Annotated[
    Form, typer.Option("--output", "-o", help="How to print: as a table, with more columns, or as data.")
]
NoHeaders = Annotated[bool, typer.Option("--no-headers", help="Leave out the table's header.")]
SortBy = Annotated[
    str,
    typer.Option(
        metavar="FIELD",
        help="Sort by a field as -o json calls it; -FIELD: downwards. Not with --watch.",
    ),
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay, and print every change.")]
WatchOnly = Annotated[
    bool,
    typer.Option("--watch-only", help="Stay, and print changes alone: not what is there now."),
]
WatchEvents = Annotated[
    bool,
    typer.Option(
        "--output-watch-events/--no-output-watch-events",
        help="Print what happened to each object, or the object alone.",
    ),
]
WatchTimeout = Annotated[
    int | None,
    typer.Option("--timeout", parser=seconds, metavar="DURATION", help="Leave after this long."),
]
Cursor = Annotated[str, typer.Option(help="Go on after this cursor of an earlier watch.")]
Selector = Annotated[
    str, typer.Option("--selector", "-l", help="Only nodes whose labels match: zone=a,role!=db,gpu,!old")
]
Namespace = Annotated[
    str,
    typer.Option(
        "--namespace", "-n", help="Only those of this namespace. Unset: the context's, or all."
    ),
]
AllNamespaces = Annotated[
    bool,
    typer.Option("--all-namespaces", "-A", help="Those of all namespaces, whatever the context says."),
]
Limit = Annotated[
    int | None,
    typer.Option(
        min=1, max=1000, show_default=str(LIMIT), help="At most this many, the newest. Not with --watch."
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Let the server check everything and change nothing."),
]
