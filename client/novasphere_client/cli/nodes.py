"""`novasphere node`: machines, their presence and their load."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novasphere_client.cli import (
    completing,
    options,
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
    from novasphere_client.errors import NovasphereError
    from novasphere_client.nodes import NodeWatch

app = typer.Typer(no_args_is_help=True, help="Machines, their presence and their load.")

_NO_NODE = (
    "no node has joined yet. One joins with `novasphere agent --server HOST:PORT --token JOIN_TOKEN`; "
    "`novasphere token join` makes the token."
)
_COLOURS = {"online": "green", "offline": "red", "error": "red"}


def _word(message: Any, field: str) -> str:
    from novasphere_client import json_form

    return (
        json_form.spell(message.DESCRIPTOR.fields_by_name[field].enum_type, getattr(message, field))
        or ""
    )


def _heard(node: Any) -> str:
    return times.age(node.last_heartbeat.seconds) if node.HasField("last_heartbeat") else ""


def _gibibytes(amount: int) -> str:
    return f"{amount / 2**30:.1f}Gi" if amount else ""


COLUMNS = [
    Column("NAME", lambda n: str(n.node_id)),
    Column("STATUS", lambda n: _word(n, "status"), colour=_COLOURS.get),
    Column("HOSTNAME", lambda n: str(n.hostname)),
    Column("ADDRESS", lambda n: str(n.ip_address)),
    Column("ROLE", lambda n: str(n.role)),
    Column("HEARD", _heard),
    Column("AGE", lambda n: times.age(n.registered_at.seconds)),
    Column("OS", lambda n: str(n.os_info), is_wide=True),
    Column("ARCH", lambda n: str(n.platform.machine), is_wide=True),
    Column("CPUS", lambda n: str(n.resources.cpu_count or ""), is_wide=True),
    Column("MEMORY", lambda n: _gibibytes(n.resources.memory_total_bytes), is_wide=True),
    Column("LINK", lambda n: _word(n, "connection").lower(), is_wide=True),
    Column("AGENT", lambda n: str(n.agent_version), is_wide=True),
    Column("LABELS", lambda n: ",".join(f"{k}={n.labels[k]}" for k in sorted(n.labels)), is_wide=True),
]

METRIC_COLUMNS = [
    Column("NODE", lambda m: str(m.node_id)),
    Column("CPU%", lambda m: f"{m.cpu_usage:.1f}"),
    Column("MEMORY%", lambda m: f"{m.memory_usage:.1f}"),
    Column("DISK%", lambda m: f"{m.disk_usage:.1f}"),
    Column("LOAD", lambda m: f"{m.load_average:.2f}"),
    Column("AGE", lambda m: times.age(m.metric_time.seconds)),
    Column("MEMORY-FREE", lambda m: _gibibytes(m.memory_available), is_wide=True),
    Column("MEMORY-TOTAL", lambda m: _gibibytes(m.memory_total), is_wide=True),
    Column("DISK-FREE", lambda m: _gibibytes(m.disk_available), is_wide=True),
    Column("DISK-TOTAL", lambda m: _gibibytes(m.disk_total), is_wide=True),
    Column("UPTIME", lambda m: times.span(m.uptime) if m.uptime else "", is_wide=True),
]


def _share(name: str) -> Any:
    return lambda s: f"{getattr(s, name):.1f}" if s.HasField(name) else ""


SUMMARY_COLUMNS = [
    Column("NODE", lambda s: str(s.node_id)),
    Column("SAMPLES", lambda s: str(s.sample_count)),
    Column("CPU%-AVG", _share("avg_cpu_usage")),
    Column("CPU%-MAX", _share("max_cpu_usage")),
    Column("MEMORY%-AVG", _share("avg_memory_usage")),
    Column("MEMORY%-MAX", _share("max_memory_usage")),
    Column("DISK%-AVG", _share("avg_disk_usage")),
    Column("DISK%-MAX", _share("max_disk_usage")),
    Column("LOAD-AVG", _share("avg_load_average")),
    Column("LOAD-MAX", _share("max_load_average")),
]


Names = Annotated[
    list[str],
    typer.Argument(metavar="NODE...", help="The nodes' names.", autocompletion=completing.nodes),
]
OptionalNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NODE]...", help="The nodes' names.", autocompletion=completing.nodes),
]


def _name(node: Any) -> str:
    return str(node.node_id)


def status_option(text: str) -> str:
    """Checks a --status word as it is given."""
    from novasphere.node.v1 import node_pb2

    from novasphere_client import json_form

    enum = node_pb2.NodeStatus.DESCRIPTOR
    if json_form.number_of(enum, text) is None:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(json_form.words(enum))}")
    return text


Status = Annotated[
    str | None,
    typer.Option(
        parser=status_option, metavar="STATUS", help="Only nodes of this status: online, offline, error."
    ),
]


def _status(word: str | None) -> Any:
    from novasphere.node.v1 import node_pb2

    from novasphere_client import json_form

    return json_form.number_of(node_pb2.NodeStatus.DESCRIPTOR, word) if word else 0


@app.command("list")
def list_nodes(
    context: typer.Context,
    selector: options.Selector = "",
    status: Status = None,
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    sort_by: options.SortBy = "",
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Lists nodes."""
    options.check_is_listed_or_watched(watch or watch_only, sort_by)
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers)

    async def work(client: Client) -> int:
        from novasphere.node.v1 import node_service_pb2

        if watch or watch_only:
            manner = Manner(changes_only=watch_only)
            return await _watch(client, printer, manner, selector=selector, status=status)
        nodes = [
            node async for node in client.nodes.all(status=_status(status), label_selector=selector)
        ]
        nodes = sorting.by(sort_by, nodes)
        response = node_service_pb2.ListNodesResponse(nodes=nodes, total=len(nodes))
        printer.list(nodes, response, empty="no node matches." if selector or status else _NO_NODE)
        return 0

    sessions.run(context, work)


@app.command("get")
def get_nodes(
    context: typer.Context,
    nodes: Names,
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows nodes by name."""
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers)
    options.check_one_is_watched(nodes, watch or watch_only)

    async def work(client: Client) -> int:
        from novasphere.node.v1 import node_service_pb2

        found = [await client.nodes.get(node) for node in nodes]
        if watch or watch_only:
            return await _watch(client, printer, Manner(changes_only=watch_only), node=nodes[0])
        if len(found) == 1:
            printer.one(found[0])
        else:
            response = node_service_pb2.ListNodesResponse(nodes=found, total=len(found))
            printer.list(found, response, empty="")
        return 0

    sessions.run(context, work)


@app.command("watch")
def watch_nodes(
    context: typer.Context,
    node: Annotated[
        str,
        typer.Argument(metavar="[NODE]", help="Only this node.", autocompletion=completing.nodes),
    ] = "",
    selector: options.Selector = "",
    status: Status = None,
    cursor: options.Cursor = "",
    watch_only: options.WatchOnly = False,
    events: options.WatchEvents = True,
    timeout: options.WatchTimeout = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows nodes and every change to them, as events.

    It goes on where it was after any break. Exit code 4: changes were lost, and it ends.
    """
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers, events=events)
    manner = Manner(cursor, changes_only=watch_only, timeout=timeout, needs_all=True)

    async def work(client: Client) -> int:
        return await _watch(client, printer, manner, selector=selector, status=status, node=node)

    sessions.run(context, work)


async def _watch(
    client: Client,
    printer: Printer,
    manner: Manner,
    *,
    selector: str = "",
    status: str | None = None,
    node: str = "",
) -> int:
    def start(cursor: str, on_interruption: Callable[[NovasphereError], None]) -> NodeWatch:
        return client.nodes.watch(
            cursor=cursor,
            label_selector=selector,
            node_id=node,
            status=_status(status),
            patience=None,
            on_interruption=on_interruption,
        )

    return await watching.show(client, start, printer, manner)


@app.command("delete")
def delete_nodes(
    context: typer.Context,
    nodes: OptionalNames = None,
    selector: options.Selector = "",
    dry_run: options.DryRun = False,
) -> None:
    """Forgets nodes with their metrics, commands and results. A machine may join again."""
    options.check_names_or_selector(nodes, selector)

    async def work(client: Client) -> int:
        return await sessions.each(
            client,
            await selecting.nodes(client, nodes or (), selector),
            lambda node, request_id: client.nodes.delete(
                node, request_id=request_id, validate_only=dry_run
            ),
            lambda node, _: terminal.say(
                f"node {node} would be deleted" if dry_run else f"node {node} deleted"
            ),
        )

    sessions.run(context, work)


@app.command("metrics")
def show_metrics(
    context: typer.Context,
    node: Annotated[
        str,
        typer.Argument(
            metavar="[NODE]",
            help="The node. Left out: the newest sample of every node.",
            autocompletion=completing.nodes,
        ),
    ] = "",
    since: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds, metavar="DURATION", help="All samples of this last while: 15m, 2h."
        ),
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Averages and maxima over --since, or the last hour.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=10000, help="At most this many samples, the newest.")
    ] = 100,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows load: the newest samples, a node's history, or a summary."""
    if not node and (since or summary):
        raise typer.BadParameter("--since and --summary need a NODE")

    def printer(columns: list[Column]) -> Printer:
        return Printer(output, columns, _name, no_headers=no_headers)

    async def work(client: Client) -> None:
        now = datetime.now(UTC)
        start = datetime.fromtimestamp(time.time() - (since or 3600), UTC)
        metrics = client.nodes.metrics
        if not node:
            latest = await metrics.latest_all()
            printer(METRIC_COLUMNS).list(latest.metrics, latest, empty="no node has sent a sample yet.")
        elif summary:
            printer(SUMMARY_COLUMNS).one(await metrics.summary(node, start_time=start, end_time=now))
        elif since:
            history = await metrics.list(node, start_time=start, limit=limit)
            printer(METRIC_COLUMNS).list(history.metrics, history, empty="no sample in that time.")
            if history.total > len(history.metrics) and output in {Form.TABLE, Form.WIDE}:
                terminal.say(
                    f"the newest {len(history.metrics)} of {history.total} samples; --limit shows more"
                )
        else:
            printer(METRIC_COLUMNS).one(await metrics.latest(node))

    sessions.run(context, work)
