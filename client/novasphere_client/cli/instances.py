"""`novasphere instance`: attempts at tasks, each on one node and run at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from novasphere_client.cli import (
    completing,
    explaining,
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
    from novasphere_client.connection import OnInterruption
    from novasphere_client.instances import InstanceWatch

app = typer.Typer(no_args_is_help=True, help="Attempts at tasks, each on one node.")

_NO_INSTANCE = "no attempt yet. Submit a task: novasphere task submit -- uname -a"
COLOURS = {
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


def _status_enum() -> Any:
    from novasphere.schedule.v1 import task_pb2

    return task_pb2.TaskInstanceStatus.DESCRIPTOR


_WHERE_AND_HOW = [
    Column("ATTEMPT", lambda i: str(i.attempt or "")),  # none where it was never sent
    Column("NODE", lambda i: str(i.agent_id)),
    Column("STATE", lambda i: fields.word(i, "state"), colour=COLOURS.get),
    Column("EXIT", lambda i: str(i.exit_code) if i.HasField("exit_code") else ""),
    Column("AGE", lambda i: fields.age(i, "created_at")),
    Column("TOOK", fields.took),
]
_WHY = Column("WHY", lambda i: str(i.error_message or i.reason)[:100])
OF_TASK = [*_WHERE_AND_HOW, _WHY]
COLUMNS = [
    Column("ID", lambda i: str(i.id)),
    Column("TASK", lambda i: str(i.task_id)),
    *_WHERE_AND_HOW,
    Column("NAMESPACE", lambda i: str(i.namespace_id), is_wide=True),
    Column("JOB", lambda i: str(i.job_id), is_wide=True),
    Column("WHY", _WHY.value, is_wide=True),
]


ID = Annotated[
    str,
    typer.Argument(
        parser=options.work_id,
        metavar="ID",
        help="The attempt's id.",
        autocompletion=completing.instances,
    ),
]


def name(instance: Any) -> str:
    """Returns what `-o name` prints of an attempt."""
    return str(instance.id)


@app.command("list")
def list_instances(
    context: typer.Context,
    task: Annotated[
        str,
        typer.Option(
            parser=options.work_id,
            metavar="TASK",
            help="Only attempts at this task.",
            autocompletion=completing.tasks,
        ),
    ] = "",
    job: Annotated[
        str, typer.Option(help="Only attempts at tasks of this job.", autocompletion=completing.jobs)
    ] = "",
    node: Annotated[
        str, typer.Option(help="Only attempts on this node.", autocompletion=completing.nodes)
    ] = "",
    status: Annotated[
        str | None,
        typer.Option(
            parser=options.word_of(_status_enum),
            metavar="STATUS",
            help="Only attempts of this status: pending, dispatched, running, timeout, failed, "
            "cancelled, succeeded.",
        ),
    ] = None,
    namespace: options.Namespace = "",
    all_namespaces: options.AllNamespaces = False,
    limit: options.Limit = None,
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    sort_by: options.SortBy = "",
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Lists attempts, newest first unless --sort-by says how to print those that --limit chose."""
    options.check_is_listed_or_watched(watch or watch_only, sort_by, limit)
    printer = Printer(output, COLUMNS, name, no_headers=no_headers)

    async def work(client: Client) -> int:
        within = selecting.namespace(client, namespace, all_namespaces)
        job_id = (await selecting.job(client, job)).id if job else ""
        if watch or watch_only:
            return await _watch(
                client,
                printer,
                Manner(changes_only=watch_only),
                namespace=within,
                task_id=task,
                job_id=job_id,
                node_id=node,
                status=fields.number(_status_enum(), status),
            )
        where: dict[str, Any] = {
            "namespace_id": within,
            "status": (status or "").lower(),
            "task_id": task,
            "job_id": job_id,
            "agent_id": node,
        }
        where = {field: value for field, value in where.items() if value}
        page = await client.instances.list(where, page_size=limit or options.LIMIT)
        rows = sorting.by(sort_by, page.data)
        del page.data[:]
        page.data.extend(rows)
        printer.list(rows, page, empty="no attempt matches." if where else _NO_INSTANCE)
        options.tell_of_more(output, len(rows), page.total, "attempts")
        return 0

    sessions.run(context, work)


@app.command("get")
def get_instances(
    context: typer.Context,
    ids: Annotated[
        list[str],
        typer.Argument(
            parser=options.work_id,
            metavar="ID...",
            help="The attempts' ids.",
            autocompletion=completing.instances,
        ),
    ],
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows attempts by id; as JSON or YAML with what they printed."""
    printer = Printer(output, COLUMNS, name, no_headers=no_headers)

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import task_instance_service_pb2

        found = [await client.instances.get(instance_id) for instance_id in ids]
        if len(found) == 1:
            printer.one(found[0])
        else:
            response = task_instance_service_pb2.ListTaskInstancesResponse(data=found, total=len(found))
            printer.list(found, response, empty="")

    sessions.run(context, work)


@app.command("describe")
def describe_instance(
    context: typer.Context,
    instance_id: ID,
) -> None:
    """Shows an attempt for people, with the beginning of what it printed."""

    async def work(client: Client) -> None:
        instance = await client.instances.get(instance_id)
        terminal.put(fields.lines(_described(instance)))
        for title, text in (("Standard output", instance.stdout), ("Standard error", instance.stderr)):
            if text:
                lines = "\n".join(f"  {printing.plain(line)}" for line in text.splitlines())
                terminal.put(f"\n{title}:\n{lines}")

    sessions.run(context, work)


@app.command("logs")
def print_logs(
    context: typer.Context,
    instance_id: ID,
    follow: logs.Follow = False,
    stream: logs.Stream = None,
    offset: logs.Offset = 0,
) -> None:
    """Prints what an attempt printed: its standard output here, its standard error there."""
    logs.check_stream(stream)

    async def work(client: Client) -> None:
        instance = await client.instances.get(instance_id)
        await logs.show(
            client,
            instance.task_id,
            stream=stream,
            offset=offset,
            follow=follow,
            only_attempt=instance.attempt,
        )

    sessions.run(context, work)


@app.command("explain")
def explain_instance(
    context: typer.Context, instance_id: ID, output: options.Output = Form.TABLE
) -> None:
    """Tells how an attempt stands or ended, and then why its task stands as it does."""

    async def work(client: Client) -> None:
        instance = await client.instances.get(instance_id)
        found = await client.tasks.explain(instance.task_id)
        state = fields.word(instance, "state").replace("_", " ")
        why = instance.error_message or instance.reason
        where = instance.agent_id or "no node"
        explaining.show(
            output,
            found,
            f"attempt {instance.attempt} on {where}: {state}{f' ({why})' if why else ''}",
            f"task {found.task.id}: {fields.word(found.task, 'state').replace('_', ' ')}",
        )

    sessions.run(context, work)


def _described(instance: Any) -> list[tuple[str, str]]:
    used = instance.metrics
    late = instance.late_report
    return [
        ("Attempt", f"{instance.attempt} ({instance.id})"),
        ("Task", instance.task_id),
        ("Job", instance.job_id),
        ("Namespace", instance.namespace_id),
        ("Node", instance.agent_id),
        ("State", fields.word(instance, "state")),
        ("Exit code", str(instance.exit_code) if instance.HasField("exit_code") else ""),
        ("Signal", str(instance.signal) if instance.HasField("signal") else ""),
        ("Why", " ".join(filter(None, (instance.reason, instance.error_message)))),
        ("Made", fields.instant_and_age(instance, "created_at")),
        ("Sent", fields.instant_and_age(instance, "dispatched_at")),
        ("Started", fields.instant_and_age(instance, "started_at")),
        ("Ended", fields.instant_and_age(instance, "completed_at")),
        ("Ran for", f"{instance.execution_time_ms / 1000:.3f}s" if instance.execution_time_ms else ""),
        ("Processor", f"{used.cpu_time_seconds:.3f}s" if used.HasField("cpu_time_seconds") else ""),
        (
            "Memory",
            f"{used.memory_peak_bytes / 2**20:.1f}Mi" if used.HasField("memory_peak_bytes") else "",
        ),
        ("Printed", f"{instance.stdout_bytes} and {instance.stderr_bytes} bytes"),
        (
            "Late report",
            f"{times.age(late.received_at.seconds)} ago: {late.message}"
            if instance.HasField("late_report")
            else "",
        ),
    ]


@app.command("watch")
def watch_instances(
    context: typer.Context,
    task_id: Annotated[
        str,
        typer.Argument(
            parser=options.work_id,
            metavar="[TASK]",
            help="Only attempts at this task.",
            autocompletion=completing.tasks,
        ),
    ] = "",
    namespace: options.Namespace = "",
    all_namespaces: options.AllNamespaces = False,
    cursor: options.Cursor = "",
    watch_only: options.WatchOnly = False,
    events: options.WatchEvents = True,
    timeout: options.WatchTimeout = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows the present attempts and every change to them, as events.

    It goes on where it was after any break. Exit code 4: changes were lost, and it ends.
    """
    printer = Printer(output, COLUMNS, name, no_headers=no_headers, events=events)
    manner = Manner(cursor, changes_only=watch_only, timeout=timeout, needs_all=True)

    async def work(client: Client) -> int:
        within = "" if task_id else selecting.namespace(client, namespace, all_namespaces)
        return await _watch(client, printer, manner, namespace=within, task_id=task_id)

    sessions.run(context, work)


async def _watch(client: Client, printer: Printer, manner: Manner, **which: Any) -> int:
    def start(cursor: str, on_interruption: OnInterruption) -> InstanceWatch:
        return client.instances.watch(
            cursor=cursor, patience=None, on_interruption=on_interruption, **which
        )

    return await watching.show(client, start, printer, manner)
