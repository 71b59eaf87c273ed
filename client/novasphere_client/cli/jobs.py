"""`novasphere job` and `novasphere agent`: what is run again and again, and who runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novasphere_client.cli import (
    applying,
    completing,
    fields,
    instances,
    options,
    selecting,
    sessions,
    terminal,
    times,
    watching,
)
from novasphere_client.cli.options import Form
from novasphere_client.cli.printing import Column, Printer, document
from novasphere_client.cli.watching import Manner

if TYPE_CHECKING:
    from novasphere_client.client import Client
    from novasphere_client.connection import OnInterruption
    from novasphere_client.jobs import JobWatch

jobs = typer.Typer(no_args_is_help=True, help="Jobs: what is to be run again and again.")
agents = typer.Typer(
    no_args_is_help=True,
    help="Runs the agent that makes this machine a node; with list, get or describe, shows agents.",
)

_COLOURS = {"enabled": "green", "online": "green", "busy": "yellow", "error": "red", "offline": "red"}


def _status_enum() -> Any:
    from novasphere.schedule.v1 import job_pb2

    return job_pb2.JobStatus.DESCRIPTOR


def _status(message: Any) -> str:
    from novasphere_client import json_form

    return json_form.spell(message.DESCRIPTOR.fields_by_name["status"].enum_type, message.status) or ""


JOB_COLUMNS = [
    Column("NAMESPACE", lambda j: str(j.namespace_id)),
    Column("NAME", lambda j: str(j.name)),
    Column("STATUS", _status, colour=_COLOURS.get),
    Column("RUNS", lambda j: fields.runs(j.config)[:60]),
    Column("AGE", lambda j: times.age(j.created_at.seconds)),
    Column("ID", lambda j: str(j.id), is_wide=True),
    Column("DESCRIPTION", lambda j: str(j.description), is_wide=True),
]

AGENT_COLUMNS = [
    Column("NAME", lambda a: str(a.name)),
    Column("STATUS", _status, colour=_COLOURS.get),
    Column("LABELS", lambda a: ",".join(f"{k}={a.labels[k]}" for k in sorted(a.labels))),
    Column("AGE", lambda a: times.age(a.created_at.seconds)),
    Column("ID", lambda a: str(a.id), is_wide=True),
    Column("NAMESPACE", lambda a: str(a.namespace_id), is_wide=True),
    Column("ENDPOINT", lambda a: str(a.endpoint), is_wide=True),
]

JobNames = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB...",
        help="Jobs: ids, or names, with NAMESPACE/ before those of another namespace.",
        autocompletion=completing.jobs,
    ),
]
JobName = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="The job: its id, or its name, with NAMESPACE/ before that of another namespace.",
        autocompletion=completing.jobs,
    ),
]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Only those of this namespace. Unset: all.")
]


def _job_name(job: Any) -> str:
    return f"{job.namespace_id}/{job.name}"


def _agent_name(agent: Any) -> str:
    return str(agent.name)


@jobs.command("apply")
def apply_jobs(context: typer.Context, file: applying.File, dry_run: options.DryRun = False) -> None:
    """Makes the jobs of a file, or changes them to what it says.

    What a document leaves out is as if the job were new, but whether it is enabled, which stays.

    Documents of kind Schedule make schedules.
    """
    applying.run(context, file, applying.JOB, dry_run=dry_run)


@jobs.command("list")
def list_jobs(
    context: typer.Context,
    status: Annotated[
        str | None,
        typer.Option(
            parser=options.word_of(_status_enum),
            metavar="STATUS",
            help="Only jobs that are enabled or disabled.",
        ),
    ] = None,
    namespace: Namespace = "",
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Lists jobs, oldest first."""
    printer = Printer(output, JOB_COLUMNS, _job_name, no_headers=no_headers)

    async def work(client: Client) -> int:
        from novasphere.schedule.v1 import job_service_pb2

        wanted = fields.number(_status_enum(), status)
        if watch or watch_only:
            manner = Manner(changes_only=watch_only)
            return await _watch(client, printer, manner, namespace=namespace, status=wanted)
        found = [job async for job in client.jobs.all(namespace=namespace, status=wanted)]
        response = job_service_pb2.ListJobsResponse(
            data=found, total=len(found), page=1, page_size=max(len(found), 1)
        )
        printer.list(found, response, empty="no job yet. Make one: novasphere job apply -f FILE")
        return 0

    sessions.run(context, work)


@jobs.command("get")
def get_jobs(
    context: typer.Context,
    names: JobNames,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows jobs."""
    printer = Printer(output, JOB_COLUMNS, _job_name, no_headers=no_headers)

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import job_service_pb2

        found = [await selecting.job(client, name) for name in names]
        if len(found) == 1:
            printer.one(found[0])
        else:
            printer.list(found, job_service_pb2.ListJobsResponse(data=found), empty="")

    sessions.run(context, work)


@jobs.command("describe")
def describe_jobs(context: typer.Context, names: JobNames) -> None:
    """Shows everything about jobs, as YAML that apply takes."""

    async def work(client: Client) -> None:
        from novasphere_client import json_form

        for name in names:
            data = json_form.encode(await selecting.job(client, name))
            document(Form.YAML, data, is_one_of_many=len(names) > 1)

    sessions.run(context, work)


@jobs.command("delete")
def delete_jobs(context: typer.Context, names: JobNames, dry_run: options.DryRun = False) -> None:
    """Deletes jobs."""

    async def delete(client: Client, job_id: str, request_id: str) -> None:
        await client.jobs.delete(job_id, request_id=request_id, validate_only=dry_run)

    _each(context, names, delete, "deleted", dry_run)


@jobs.command("enable")
def enable_jobs(context: typer.Context, names: JobNames, dry_run: options.DryRun = False) -> None:
    """Lets jobs make tasks."""

    async def enable(client: Client, job_id: str, request_id: str) -> None:
        await client.jobs.enable(job_id, request_id=request_id, validate_only=dry_run)

    _each(context, names, enable, "enabled", dry_run)


@jobs.command("disable")
def disable_jobs(context: typer.Context, names: JobNames, dry_run: options.DryRun = False) -> None:
    """Keeps jobs from making tasks."""

    async def disable(client: Client, job_id: str, request_id: str) -> None:
        await client.jobs.disable(job_id, request_id=request_id, validate_only=dry_run)

    _each(context, names, disable, "disabled", dry_run)


@jobs.command("trigger")
def trigger_job(
    context: typer.Context,
    name: JobName,
    parameters: Annotated[
        str | None,
        typer.Option(
            parser=options.json_value,
            metavar="JSON",
            help="What the task is given; programs find it in NOVA_PARAMETERS.",
        ),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            parser=options.moment,
            metavar="TIME",
            help="Not before this time, or this long from now.",
        ),
    ] = None,
    priority: Annotated[int, typer.Option(help="Who goes first: the greater.")] = 0,
    dry_run: options.DryRun = False,
) -> None:
    """Makes a task of a job now, and prints the task's id."""

    async def work(client: Client) -> None:
        job = await selecting.job(client, name)
        task = await client.jobs.trigger(
            job.id, parameters=parameters, priority=priority, scheduled_at=at, validate_only=dry_run
        )
        if dry_run:
            terminal.say(f"job {name} would be triggered")
        else:
            terminal.put(task.id)

    sessions.run(context, work)


def _each(
    context: typer.Context,
    names: list[str],
    act: Callable[[Client, str, str], Awaitable[None]],
    done: str,
    dry_run: bool,
) -> None:
    async def work(client: Client) -> int:
        async def one(name: str, request_id: str) -> None:
            await act(client, (await selecting.job(client, name)).id, request_id)

        return await sessions.each(
            client,
            names,
            one,
            lambda name, _: terminal.say(f"job {name} {'would be ' if dry_run else ''}{done}"),
        )

    sessions.run(context, work)


@jobs.command("watch")
def watch_jobs(
    context: typer.Context,
    namespace: Namespace = "",
    cursor: options.Cursor = "",
    watch_only: options.WatchOnly = False,
    events: options.WatchEvents = True,
    timeout: options.WatchTimeout = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows jobs and every change to them, as events.

    It goes on where it was after any break. Exit code 4: changes were lost, and it ends.
    """
    printer = Printer(output, JOB_COLUMNS, _job_name, no_headers=no_headers, events=events)
    manner = Manner(cursor, changes_only=watch_only, timeout=timeout, needs_all=True)

    async def work(client: Client) -> int:
        return await _watch(client, printer, manner, namespace=namespace)

    sessions.run(context, work)


async def _watch(client: Client, printer: Printer, manner: Manner, **which: Any) -> int:
    def start(cursor: str, on_interruption: OnInterruption) -> JobWatch:
        return client.jobs.watch(cursor=cursor, patience=None, on_interruption=on_interruption, **which)

    return await watching.show(client, start, printer, manner)


def status_option(text: str) -> str:
    """Checks a --status word as it is given."""
    from novasphere.schedule.v1 import agent_pb2

    from novasphere_client import json_form

    enum = agent_pb2.AgentStatus.DESCRIPTOR
    if json_form.number_of(enum, text) is None:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(json_form.words(enum))}")
    return text


@agents.command("list")
def list_agents(
    context: typer.Context,
    status: Annotated[
        list[str] | None,
        typer.Option(
            parser=status_option,
            metavar="STATUS",
            help="Only those that are online, busy, error or offline; repeatable.",
        ),
    ] = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Lists agents by name."""
    printer = Printer(output, AGENT_COLUMNS, _agent_name, no_headers=no_headers)

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import agent_pb2, agent_service_pb2

        from novasphere_client import json_form

        enum = agent_pb2.AgentStatus.DESCRIPTOR
        statuses: list[Any] = [json_form.number_of(enum, word) for word in status or ()]
        found = [agent async for agent in client.agents.all(statuses=statuses)]
        response = agent_service_pb2.ListAgentsResponse(
            data=found, total=len(found), page=1, page_size=max(len(found), 1)
        )
        printer.list(found, response, empty="no such agent")

    sessions.run(context, work)


@agents.command("get")
def get_agents(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="AGENT...",
            help="The agents' ids, or the names of their nodes.",
            autocompletion=completing.nodes,
        ),
    ],
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows agents."""
    printer = Printer(output, AGENT_COLUMNS, _agent_name, no_headers=no_headers)

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import agent_service_pb2

        found = [await client.agents.get(name) for name in names]
        if len(found) == 1:
            printer.one(found[0])
        else:
            printer.list(found, agent_service_pb2.ListAgentsResponse(data=found), empty="")

    sessions.run(context, work)


@agents.command("describe")
def describe_agent(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="AGENT",
            help="The agent's id, or the name of its node.",
            autocompletion=completing.nodes,
        ),
    ],
) -> None:
    """Shows an agent for people: what it has, what it may run, and what it runs now."""

    async def work(client: Client) -> None:
        agent = await client.agents.get(name)
        node = await client.nodes.get(agent.node_id)
        where = {"agent_id": agent.node_id, "status": ["dispatched", "running"]}
        running = [one async for one in client.instances.all(where)]
        terminal.put(fields.lines(_described(agent, node)))
        if running:
            terminal.put("\nRuns now:")
            Printer(Form.TABLE, instances.COLUMNS, instances.name).rows(running)

    sessions.run(context, work)


def _described(agent: Any, node: Any) -> list[tuple[str, str]]:
    free = f", {node.free_slots} more now" if node.HasField("free_slots") else ""
    faults = [one for one in node.conditions if fields.word(one, "status") == "true"]
    return [
        ("Agent", f"{agent.name} ({agent.id})"),
        ("Node", agent.node_id if agent.node_id != agent.name else ""),
        ("Status", _status(agent)),
        ("Heard", fields.instant_and_age(node, "last_heartbeat")),
        ("Host", " ".join(filter(None, (node.hostname, node.ip_address)))),
        ("System", node.os_info),
        ("Version", node.agent_version),
        ("Labels", ",".join(f"{key}={agent.labels[key]}" for key in sorted(agent.labels))),
        ("Role", node.role),
        ("Tags", ",".join(node.tags)),
        ("May run", ", ".join(sorted(node.capabilities))),
        ("At once", f"{node.capacity}{free}" if node.capacity else ""),
        ("Says", ", ".join(f"{one.type} ({one.message or one.reason})" for one in faults)),
        ("Joined", fields.instant_and_age(node, "registered_at")),
    ]
