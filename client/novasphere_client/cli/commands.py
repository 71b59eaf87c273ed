"""`novasphere command`: what runs and ran, and what it printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novasphere_client.cli import (
    completing,
    fields,
    logs,
    options,
    printing,
    selecting,
    sessions,
    sorting,
    terminal,
    times,
    watching,
)
from novasphere_client.cli.options import Form
from novasphere_client.cli.printing import Column, Printer
from novasphere_client.cli.watching import Manner

if TYPE_CHECKING:
    from novasphere_client.client import Client
    from novasphere_client.commands import CommandWatch
    from novasphere_client.errors import NovasphereError

app = typer.Typer(no_args_is_help=True, help="Commands: what runs and ran, and what it printed.")

_NO_COMMAND = "no command yet. Run one: novasphere exec NODE -- uname -a"
_COLOURS = {
    "running": "cyan",
    "pending": "yellow",
    "dispatched": "yellow",
    "succeeded": "green",
    "failed": "red",
    "timed_out": "red",
    "cancelled": "magenta",
    "lost": "red",
    "unknown": "red",
}


def _state(command: Any) -> str:
    from novasphere_client import json_form

    enum = command.DESCRIPTOR.fields_by_name["state"].enum_type
    return (json_form.spell(enum, command.state) or "").lower()


COLUMNS = [
    Column("ID", lambda c: str(c.command_id)),
    Column("NODE", lambda c: str(c.target_node_id)),
    Column("STATE", _state, colour=_COLOURS.get),
    Column("EXIT", lambda c: str(c.exit_code) if c.HasField("exit_code") else ""),
    Column("AGE", lambda c: times.age(c.created_at.seconds)),
    Column("TOOK", fields.took),
    Column("REASON", lambda c: str(c.reason), is_wide=True),
    Column("ATTEMPT", lambda c: str(c.attempt), is_wide=True),
    Column("TIMEOUT", lambda c: times.span(c.timeout_seconds), is_wide=True),
    Column("NAMESPACE", lambda c: str(c.namespace), is_wide=True),
    Column("COMMAND", lambda c: str(c.command_text)),
]

IDS = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...", help="The commands' ids: cmd-...", autocompletion=completing.commands
    ),
]
Node = Annotated[
    str,
    typer.Option("--node", help="Only commands of this node.", autocompletion=completing.nodes),
]


def status_option(text: str) -> str:
    """Checks a --status word as it is given."""
    from novasphere.node.v1 import command_pb2

    from novasphere_client import json_form

    enum = command_pb2.CommandStatus.DESCRIPTOR
    if json_form.number_of(enum, text) is None:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(json_form.words(enum))}")
    return text


Status = Annotated[
    str | None,
    typer.Option(
        parser=status_option,
        metavar="STATUS",
        help="Only commands of this status: pending, running, success, failed, timeout.",
    ),
]


def _status(word: str | None) -> Any:
    from novasphere.node.v1 import command_pb2

    from novasphere_client import json_form

    return json_form.number_of(command_pb2.CommandStatus.DESCRIPTOR, word) if word else 0


def _name(command: Any) -> str:
    return str(command.command_id)


@app.command("list")
def list_commands(
    context: typer.Context,
    node: Node = "",
    status: Status = None,
    namespace: options.Namespace = "",
    all_namespaces: options.AllNamespaces = False,
    limit: options.Limit = None,
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    sort_by: options.SortBy = "",
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Lists commands, newest first unless --sort-by says how to print those that --limit chose."""
    options.check_is_listed_or_watched(watch or watch_only, sort_by, limit)
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers)

    async def work(client: Client) -> int:
        from novasphere.node.v1 import command_service_pb2

        within = selecting.namespace(client, namespace, all_namespaces)
        if watch or watch_only:
            manner = Manner(changes_only=watch_only)
            return await _watch(client, printer, manner, node=node, status=status, namespace=within)
        page = await client.commands.list(
            node_id=node,
            status=_status(status),
            namespace=within,
            limit=limit or options.LIMIT,
        )
        is_filtered = node or status or within
        found = sorting.by(sort_by, page.commands)
        page = command_service_pb2.ListCommandsResponse(commands=found, total=page.total)
        printer.list(found, page, empty="no command matches." if is_filtered else _NO_COMMAND)
        if page.total > len(page.commands) and output in {Form.TABLE, Form.WIDE}:
            terminal.say(f"{len(page.commands)} of {page.total} commands; --limit shows more")
        return 0

    sessions.run(context, work)


@app.command("get")
def get_commands(
    context: typer.Context,
    ids: IDS,
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows commands by id; as JSON or YAML with their results, unless it watches."""
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers)
    options.check_one_is_watched(ids, watch or watch_only)

    async def work(client: Client) -> int:
        from novasphere.node.v1 import command_pb2, command_service_pb2

        found = [await client.commands.get(command_id) for command_id in ids]
        if watch or watch_only:
            return await _watch(client, printer, Manner(changes_only=watch_only), command_id=ids[0])
        if not printer.is_data:
            printer.rows([one.command for one in found])
        elif len(found) == 1:
            printer.data(found[0])
        else:
            rows = [command_pb2.CommandWithResult.FromString(one.SerializeToString()) for one in found]
            printer.data(command_service_pb2.ListNodeCommandsResponse(commands=rows, total=len(rows)))
        return 0

    sessions.run(context, work)


@app.command("explain")
def explain_command(
    context: typer.Context,
    command_id: Annotated[str, typer.Argument(metavar="ID", help="The command's id: cmd-...")],
    output: options.Output = Form.TABLE,
) -> None:
    """Tells why a command stands as it does: what it waits for, what would change that, how it ended."""

    async def work(client: Client) -> None:
        found = await client.commands.explain(command_id)
        if output in {Form.JSON, Form.YAML}:
            Printer(output, COLUMNS, _name).data(found)
        else:
            terminal.put("\n".join(printing.plain(line) for line in _explanation(found)))

    sessions.run(context, work)


def _explanation(found: Any) -> list[str]:
    """Returns the lines that people are shown of an explanation."""
    command = found.command
    known = []
    if found.HasField("since"):
        age = times.age(found.since.seconds)
        known.append(f"{age} ago" if command.HasField("completed_at") else f"for {age}")
    if found.HasField("until") and (left := times.until(found.until.seconds)):
        known.append(f"{left} left")
    span = f" ({', '.join(known)})" if known else ""
    state = _state(command).replace("_", " ")
    lines = [f"command {command.command_id} on {command.target_node_id}: {state}{span}"]
    for one in found.explanations:
        since = f" ({times.age(one.since.seconds)} ago)" if one.HasField("since") else ""
        lines.append(f"- {one.message}{since}")
        if one.remedy:
            lines.append(f"  {one.remedy}")
    if found.queue.ahead_command_ids:
        more = found.queue.ahead_count - len(found.queue.ahead_command_ids)
        ids = " ".join(found.queue.ahead_command_ids)
        lines.append(f"first come: {ids}{f' and {more} more' if more else ''}")
    return lines


@app.command("logs")
def print_logs(
    context: typer.Context,
    command_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The command's id: cmd-...", autocompletion=completing.commands
        ),
    ],
    follow: logs.Follow = False,
    stream: logs.Stream = None,
    offset: logs.Offset = 0,
) -> None:
    """Prints what a command printed: its standard output here, its standard error there."""
    logs.check_stream(stream)

    async def work(client: Client) -> None:
        await logs.show(client, command_id, stream=stream, offset=offset, follow=follow)

    sessions.run(context, work)


@app.command("cancel")
def cancel_commands(
    context: typer.Context,
    ids: IDS,
    grace: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds_or_none,
            metavar="DURATION",
            help="Time between SIGTERM and SIGKILL. The server's default is 5s.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the nodes confirm.")] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Cancels commands: those that run are killed on their nodes, with everything they started."""

    async def work(client: Client) -> int:
        async def cancel(command_id: str, request_id: str) -> Any:
            command = await client.commands.cancel(
                command_id, grace_seconds=grace, request_id=request_id, validate_only=dry_run
            )
            if wait and not dry_run:
                # Output ends when the command has ended, and its last row says how.
                pieces = client.commands.output(command_id, follow=True)
                async with pieces:
                    async for _ in pieces:
                        pass
                command = pieces.command or command
            return command

        def tell(command_id: str, command: Any) -> None:
            state = _state(command)
            if dry_run:
                terminal.say(f"command {command_id} would be cancelled")
            elif state == "cancelled" or wait:
                terminal.say(f"command {command_id} {state.replace('_', ' ')}")
            else:
                terminal.say(
                    f"command {command_id} is being cancelled; it is {state} until its node confirms"
                )

        return await sessions.each(client, ids, cancel, tell)

    sessions.run(context, work)


@app.command("watch")
def watch_commands(
    context: typer.Context,
    command_id: Annotated[
        str,
        typer.Argument(metavar="[ID]", help="Only this command.", autocompletion=completing.commands),
    ] = "",
    node: Node = "",
    status: Status = None,
    namespace: options.Namespace = "",
    all_namespaces: options.AllNamespaces = False,
    cursor: options.Cursor = "",
    watch_only: options.WatchOnly = False,
    events: options.WatchEvents = True,
    timeout: options.WatchTimeout = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows commands and every change to them, as events.

    It goes on where it was after any break. Exit code 4: changes were lost, and it ends.
    """
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers, events=events)
    manner = Manner(cursor, changes_only=watch_only, timeout=timeout, needs_all=True)

    async def work(client: Client) -> int:
        return await _watch(
            client,
            printer,
            manner,
            node=node,
            status=status,
            namespace="" if command_id else selecting.namespace(client, namespace, all_namespaces),
            command_id=command_id,
        )

    sessions.run(context, work)


async def _watch(
    client: Client,
    printer: Printer,
    manner: Manner,
    *,
    node: str = "",
    status: str | None = None,
    namespace: str = "",
    command_id: str = "",
) -> int:
    def start(cursor: str, on_interruption: Callable[[NovasphereError], None]) -> CommandWatch:
        return client.commands.watch(
            cursor=cursor,
            node_id=node,
            status=_status(status),
            command_id=command_id,
            namespace=namespace,
            patience=None,
            on_interruption=on_interruption,
        )

    return await watching.show(client, start, printer, manner)
