"""`novasphere task`: work that is done once, by as many attempts as it takes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from novasphere_client.cli import (
    completing,
    explaining,
    fields,
    instances,
    logs,
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
    from novasphere_client.connection import OnInterruption
    from novasphere_client.tasks import TaskWatch

app = typer.Typer(no_args_is_help=True, help="Tasks: work that is done once, in one or more attempts.")

_NO_TASK = "no task yet. Submit one: novasphere task submit -- uname -a"


def _status_enum() -> Any:
    from novasphere.schedule.v1 import task_pb2

    return task_pb2.TaskStatus.DESCRIPTOR


def _backoff_enum() -> Any:
    from novasphere.schedule.v1 import task_pb2

    return task_pb2.Backoff.DESCRIPTOR


def _state(task: Any) -> str:
    return fields.word(task, "state")


COLUMNS = [
    Column("ID", lambda t: str(t.id)),
    Column("STATE", _state, colour=instances.COLOURS.get),
    Column("RETRIES", lambda t: str(t.retry_count)),
    Column("TIME", lambda t: fields.age(t, "scheduled_at")),
    Column("TOOK", fields.took),
    Column("MADE-BY", lambda t: fields.word(t, "schedule_kind"), is_wide=True),
    Column("NODE", lambda t: str(t.node_id), is_wide=True),
    Column("REASON", lambda t: str(t.reason), is_wide=True),
    Column("PRIORITY", lambda t: str(t.priority), is_wide=True),
    Column("NAMESPACE", lambda t: str(t.namespace_id), is_wide=True),
    Column("JOB", lambda t: str(t.job_id), is_wide=True),
    Column("SCHEDULE", lambda t: str(t.schedule_id), is_wide=True),
    Column("RUNS", lambda t: fields.runs(t.config)[:60]),
]

_ID_HELP = "as any face spells it: a UUID, task-... or cmd-..."
IDS = Annotated[
    list[str],
    typer.Argument(
        parser=options.work_id,
        metavar="TASK...",
        help=f"The tasks' ids, {_ID_HELP}.",
        autocompletion=completing.tasks,
    ),
]
ID = Annotated[
    str,
    typer.Argument(
        parser=options.work_id,
        metavar="TASK",
        help=f"The task's id, {_ID_HELP}.",
        autocompletion=completing.tasks,
    ),
]


def _name(task: Any) -> str:
    return str(task.id)


class Submit(TyperCommand):
    """Keeps what follows `--` apart: it is what runs, whatever it looks like."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words: list[str] = []
        if "--" in args:
            at = args.index("--")
            args, words = args[:at], args[at + 1 :]
            ctx.meta["novasphere.is_remote_command"] = True
        ctx.meta["novasphere.words"] = words
        return list(super().parse_args(ctx, args))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- ARGS...]"]


@app.command("submit", cls=Submit)
def submit_task(
    context: typer.Context,
    cmd: Annotated[str, typer.Option(help="The program; what follows -- are its arguments.")] = "",
    task_type: Annotated[
        str,
        typer.Option("--type", help="A built-in type: echo, sleep, system_info, http_request, ..."),
    ] = "",
    payload: Annotated[
        str | None,
        typer.Option(parser=options.json_value, metavar="JSON", help="What the type is given."),
    ] = None,
    job: Annotated[
        str, typer.Option(help="A job, whose config it takes.", autocompletion=completing.jobs)
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only nodes with this label; repeatable."),
    ] = None,
    node: Annotated[
        str, typer.Option(help="The only node that may run it.", autocompletion=completing.nodes)
    ] = "",
    after: Annotated[
        list[str] | None,
        typer.Option(
            parser=options.work_id,
            metavar="TASK",
            help="Only once this task has succeeded; repeatable.",
            autocompletion=completing.tasks,
        ),
    ] = None,
    after_end: Annotated[
        list[str] | None,
        typer.Option(
            parser=options.work_id,
            metavar="TASK",
            help="Only once this task has ended, in whatever way; repeatable.",
            autocompletion=completing.tasks,
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
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A variable that its attempts see; repeatable."),
    ] = None,
    parameters: Annotated[
        str | None,
        typer.Option(
            parser=options.json_value,
            metavar="JSON",
            help="What it is given; programs find it in NOVA_PARAMETERS.",
        ),
    ] = None,
    priority: Annotated[int, typer.Option(help="Who goes first: the greater.")] = 0,
    timeout: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds, metavar="DURATION", help="How long an attempt may run. Unset: 1h."
        ),
    ] = None,
    queue_timeout: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds,
            metavar="DURATION",
            help="How long it may wait for a node. Unset: 24h.",
        ),
    ] = None,
    retries: Annotated[int, typer.Option(min=0, help="Attempts that may follow the first.")] = 0,
    retry_interval: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds_or_none,
            metavar="DURATION",
            help="The pause before a retry. Unset: 60s.",
        ),
    ] = None,
    backoff: Annotated[
        str | None,
        typer.Option(
            parser=options.word_of(_backoff_enum),
            metavar="WORD",
            help="How the pause grows: fixed, linear, exponential, exponential_with_jitter.",
        ),
    ] = None,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", "-n", help="The namespace. Unset: the job's, the context's, or default."
        ),
    ] = "",
    dry_run: options.DryRun = False,
) -> None:
    """Submits a task and prints its id.

    It runs a program (--cmd), a built-in type (--type), what a job says (--job), or a line for the node's
    shell: with none of these, one word after -- is that line, and several are quoted and joined.
    """
    words: Sequence[str] = context.meta["novasphere.words"]
    if sum(map(bool, (cmd, task_type, job))) > 1:
        raise typer.BadParameter("give one of --cmd, --type and --job")
    if not (words or cmd or task_type or job):
        raise typer.BadParameter("nothing to run: give --cmd, --type, --job, or a shell line after --")
    if words and (task_type or job):
        raise typer.BadParameter("a type or a job takes no ARGS; use --payload or --parameters")
    if payload and not task_type:
        raise typer.BadParameter("--payload goes with --type")
    of_config = {
        "--label": label, "--timeout": timeout, "--queue-timeout": queue_timeout, "--retries": retries,
        "--retry-interval": retry_interval, "--backoff": backoff,
    }  # fmt: skip
    if job and (said := [option for option, value in of_config.items() if value]):
        raise typer.BadParameter(f"the job says what {', '.join(said)} would; leave it out")
    labels, environment = _pairs("--label", label), _pairs("--env", env)

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import task_pb2, task_service_pb2

        from novasphere_client import json_form
        from novasphere_client.nodes import timestamp

        task = task_service_pb2.NewTask(
            namespace_id=namespace or ("" if job else client.settings.namespace),
            priority=priority,
            node_id=node,
        )
        if job:
            task.job_id = (await selecting.job(client, job)).id
        else:
            config = task_pb2.TaskConfig(
                cmd=cmd,
                args=words if cmd else (),
                task_type=task_type,
                payload=payload or "",
                labels=labels,
                timeout_seconds=timeout,
                queue_timeout_seconds=queue_timeout,
                max_retries=retries,
                retry_interval_seconds=retry_interval,
            )
            if not cmd and not task_type:
                config.command_text = words[0] if len(words) == 1 else shlex.join(words)
            if backoff:
                number: Any = json_form.number_of(_backoff_enum(), backoff)
                config.backoff = number
            task.config.CopyFrom(config)
        if environment:
            task.environment = json.dumps(environment)
        if parameters is not None:
            task.parameters = parameters
        if at is not None:
            task.scheduled_at.CopyFrom(timestamp(at))
        for named, condition in (
            (after, task_pb2.DEPENDENCY_CONDITION_SUCCEEDED),
            (after_end, task_pb2.DEPENDENCY_CONDITION_FINISHED),
        ):
            for other in named or ():
                task.dependencies.add(task_id=other, condition=condition)
        task_id = await client.tasks.create(task, validate_only=dry_run)
        if dry_run:
            terminal.say("the task would be accepted")
        else:
            terminal.put(task_id)

    sessions.run(context, work)


def _pairs(option: str, words: Sequence[str] | None) -> dict[str, str]:
    found = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"{option} is KEY=VALUE, not {word!r}")
        found[key] = value
    return found


@app.command("list")
def list_tasks(
    context: typer.Context,
    job: Annotated[
        str, typer.Option(help="Only tasks of this job.", autocompletion=completing.jobs)
    ] = "",
    schedule: Annotated[
        str,
        typer.Option(help="Only tasks of this schedule.", autocompletion=completing.schedules),
    ] = "",
    status: Annotated[
        str | None,
        typer.Option(
            parser=options.word_of(_status_enum),
            metavar="STATUS",
            help="Only tasks of this status: pending, dispatched, running, failed, cancelled, succeeded.",
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
    """Lists tasks, newest first unless --sort-by says how to print those that --limit chose."""
    options.check_is_listed_or_watched(watch or watch_only, sort_by, limit)
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers)

    async def work(client: Client) -> int:
        within = selecting.namespace(client, namespace, all_namespaces)
        job_id = (await selecting.job(client, job)).id if job else ""
        schedule_id = await selecting.schedule(client, schedule) if schedule else ""
        if watch or watch_only:
            return await _watch(
                client,
                printer,
                Manner(changes_only=watch_only),
                namespace=within,
                job_id=job_id,
                schedule_id=schedule_id,
                status=fields.number(_status_enum(), status),
            )
        where: dict[str, Any] = {
            "namespace_id": within,
            "status": (status or "").lower(),
            "job_id": job_id,
            "schedule_id": schedule_id,
        }
        where = {field: value for field, value in where.items() if value}
        page = await client.tasks.list(where, page_size=limit or options.LIMIT)
        rows = sorting.by(sort_by, page.data)
        del page.data[:]
        page.data.extend(rows)
        printer.list(rows, page, empty="no task matches." if where else _NO_TASK)
        options.tell_of_more(output, len(rows), page.total, "tasks")
        return 0

    sessions.run(context, work)


@app.command("get")
def get_tasks(
    context: typer.Context,
    ids: IDS,
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows tasks by id."""
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers)
    options.check_one_is_watched(ids, watch or watch_only)

    async def work(client: Client) -> int:
        from novasphere.schedule.v1 import task_service_pb2

        found = [await client.tasks.get(task_id) for task_id in ids]
        if watch or watch_only:
            return await _watch(client, printer, Manner(changes_only=watch_only), task_id=ids[0])
        if len(found) == 1:
            printer.one(found[0])
        else:
            response = task_service_pb2.ListTasksResponse(data=found, total=len(found))
            printer.list(found, response, empty="")
        return 0

    sessions.run(context, work)


@app.command("describe")
def describe_task(context: typer.Context, task_id: ID) -> None:
    """Shows a task for people, with its attempts."""

    async def work(client: Client) -> None:
        task = await client.tasks.get(task_id)
        attempts = [
            one async for one in client.instances.all({"task_id": task.id}, order_by=["attempt"])
        ]
        terminal.put(fields.lines(_described(task)))
        if attempts:
            terminal.put("\nAttempts:")
            Printer(Form.TABLE, instances.OF_TASK, instances.name).rows(attempts)

    sessions.run(context, work)


def _described(task: Any) -> list[tuple[str, str]]:
    waits_for = [
        f"{one.task_id} ({fields.word(one, 'condition') or 'succeeded'})" for one in task.dependencies
    ]
    labels = task.config.labels
    return [
        ("Task", task.id),
        ("Namespace", task.namespace_id),
        ("Job", task.job_id),
        ("Schedule", task.schedule_id),
        ("Made by", fields.word(task, "schedule_kind")),
        ("State", _state(task)),
        ("Reason", " ".join(filter(None, (task.reason, task.reason_message)))),
        ("Runs", fields.runs(task.config)),
        ("Parameters", task.parameters),
        ("Environment", ", ".join(json.loads(task.environment)) if task.environment else ""),
        ("Only on", task.node_id),
        ("Labels", ",".join(f"{key}={labels[key]}" for key in sorted(labels))),
        ("Priority", str(task.priority)),
        ("Timeout", times.span(task.config.timeout_seconds or 3600)),
        ("Retries", f"{task.retry_count} of {task.config.max_retries}"),
        ("After", ", ".join(waits_for)),
        ("Repeats", task.retry_of),
        ("Repeated by", task.retried_as),
        ("Time", fields.instant_and_age(task, "scheduled_at")),
        ("Waits until", fields.instant_and_age(task, "due_at") if _state(task) == "pending" else ""),
        ("Made", fields.instant_and_age(task, "created_at")),
        ("Started", fields.instant_and_age(task, "started_at")),
        ("Ended", fields.instant_and_age(task, "completed_at")),
        ("Cancel asked", fields.instant_and_age(task, "cancel_requested_at")),
    ]


@app.command("explain")
def explain_task(context: typer.Context, task_id: ID, output: options.Output = Form.TABLE) -> None:
    """Tells why a task stands as it does: what it waits for, what would change that, how it ended."""

    async def work(client: Client) -> None:
        found = await client.tasks.explain(task_id)
        state = _state(found.task).replace("_", " ")
        explaining.show(output, found, f"task {found.task.id}: {state}")

    sessions.run(context, work)


@app.command("logs")
def print_logs(
    context: typer.Context,
    task_id: ID,
    follow: logs.Follow = False,
    stream: logs.Stream = None,
    offset: logs.Offset = 0,
    attempt: Annotated[
        int | None, typer.Option(min=1, metavar="NUMBER", help="Only this attempt; 1 is the first.")
    ] = None,
) -> None:
    """Prints what the present attempt of a task printed, or its last: standard error there, the rest here."""
    logs.check_stream(stream)

    async def work(client: Client) -> None:
        await logs.show(
            client, task_id, stream=stream, offset=offset, follow=follow, only_attempt=attempt or 0
        )

    sessions.run(context, work)


@app.command("cancel")
def cancel_tasks(
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
    """Cancels tasks: those that run are killed on their nodes, with everything they started."""

    async def work(client: Client) -> int:
        async def cancel(task_id: str, request_id: str) -> Any:
            task = await client.tasks.cancel(
                task_id, grace_seconds=grace, request_id=request_id, validate_only=dry_run
            )
            return await _ended(client, task) if wait and not dry_run else task

        def tell(task_id: str, task: Any) -> None:
            state = _state(task).replace("_", " ")
            if dry_run:
                terminal.say(f"task {task_id} would be cancelled")
            elif state == "cancelled" or wait:
                terminal.say(f"task {task_id} {state}")
            else:
                terminal.say(f"task {task_id} is being cancelled; it is {state} until its node confirms")

        return await sessions.each(client, ids, cancel, tell)

    sessions.run(context, work)


async def _ended(client: Client, task: Any) -> Any:
    """Returns a task once it has ended, or as it stood when it was deleted."""
    from novasphere.api.v1 import watch_pb2

    from novasphere_client.tasks import is_final

    async with client.tasks.watch(task_id=task.id) as watch:
        async for event in watch:
            if event.type == watch_pb2.EVENT_TYPE_DELETED:
                return task
            if event.HasField("object"):
                task = event.object
                if is_final(task):
                    return task
            elif event.type == watch_pb2.EVENT_TYPE_BOOKMARK and is_final(task):
                return task
    return task


@app.command("retry")
def retry_tasks(context: typer.Context, ids: IDS, dry_run: options.DryRun = False) -> None:
    """Does again what tasks did that failed or were cancelled, as new tasks, and prints their ids."""

    async def work(client: Client) -> int:
        def tell(task_id: str, new_id: str) -> None:
            if dry_run:
                terminal.say(f"task {task_id} would be retried")
            else:
                terminal.put(new_id)

        return await sessions.each(
            client,
            ids,
            lambda task_id, request_id: client.tasks.retry(
                task_id, request_id=request_id, validate_only=dry_run
            ),
            tell,
        )

    sessions.run(context, work)


@app.command("watch")
def watch_tasks(
    context: typer.Context,
    task_id: Annotated[
        str,
        typer.Argument(
            parser=options.work_id,
            metavar="[TASK]",
            help="Only this task.",
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
    """Shows tasks and every change to them, as events.

    It goes on where it was after any break. Exit code 4: changes were lost, and it ends.
    """
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers, events=events)
    manner = Manner(cursor, changes_only=watch_only, timeout=timeout, needs_all=True)

    async def work(client: Client) -> int:
        within = "" if task_id else selecting.namespace(client, namespace, all_namespaces)
        return await _watch(client, printer, manner, namespace=within, task_id=task_id)

    sessions.run(context, work)


async def _watch(client: Client, printer: Printer, manner: Manner, **which: Any) -> int:
    def start(cursor: str, on_interruption: OnInterruption) -> TaskWatch:
        return client.tasks.watch(cursor=cursor, patience=None, on_interruption=on_interruption, **which)

    return await watching.show(client, start, printer, manner)
