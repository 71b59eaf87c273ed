"""`novasphere schedule`: when jobs make tasks, and what became of each time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novasphere_client.cli import (
    applying,
    completing,
    explaining,
    fields,
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
    from novasphere_client.schedules import ScheduleWatch

app = typer.Typer(no_args_is_help=True, help="Schedules: when jobs make tasks, and what became of it.")

_NO_SCHEDULE = "no schedule yet. Make one: novasphere schedule apply -f FILE"
_COLOURS = {"active": "green", "paused": "yellow"}
_LAST_FIRINGS = 10
# How many rows of a ledger are shown of their own accord.
_FIRINGS = 20
_MISSED_HOURS = 24


def _state_enum() -> Any:
    from novasphere.schedule.v1 import schedule_pb2

    return schedule_pb2.ScheduleState.DESCRIPTOR


def _times(schedule: Any) -> str:
    if schedule.HasField("cron_expression"):
        return str(schedule.cron_expression)
    if schedule.HasField("interval_secs"):
        return f"every {schedule.interval_secs}s"
    return fields.instant(schedule, "start_time") if fields.word(schedule, "kind") == "once" else ""


COLUMNS = [
    Column("NAME", lambda s: str(s.name)),
    Column("STATE", lambda s: fields.word(s, "state"), colour=_COLOURS.get),
    Column("KIND", lambda s: fields.word(s, "kind")),
    Column("TIMES", _times),
    Column("ZONE", lambda s: str(s.timezone)),
    Column("NEXT", lambda s: fields.age(s, "next_run_at")),
    Column("FIRED", lambda s: str(s.fired_count)),
    Column("NOTE", lambda s: str(s.pause_note)),
    Column("NAMESPACE", lambda s: str(s.namespace_id), is_wide=True),
    Column("OVERLAP", lambda s: fields.word(s, "overlap_policy"), is_wide=True),
    Column("MISFIRE", lambda s: fields.word(s, "misfire_policy"), is_wide=True),
    Column("JOB", lambda s: str(s.job_id), is_wide=True),
    Column("ID", lambda s: str(s.id), is_wide=True),
]

FIRING_COLUMNS = [
    Column("TIME", lambda f: fields.instant(f, "nominal_time")),
    Column("UNTIL", lambda f: fields.instant(f, "last_nominal_time") if f.count > 1 else ""),
    Column("COUNT", lambda f: str(f.count)),
    Column("DISPOSITION", lambda f: fields.word(f, "disposition")),
    Column("LATE", lambda f: f"{f.lateness_ms}ms" if f.task_id else ""),
    Column("TASK", lambda f: str(f.task_id)),
    Column("NOTE", lambda f: str(f.note)),
    Column("GENERATION", lambda f: str(f.generation), is_wide=True),
    Column("DECIDED", lambda f: fields.instant(f, "decided_at"), is_wide=True),
]
PREVIEW_COLUMNS = [
    Column("TIME", lambda p: fields.instant(p, "time")),
    Column("LOCAL", lambda p: str(p.local_time)),
    Column("NOTE", lambda p: str(p.note)),
]

_HELP = "by NAME, JOB/NAME, NAMESPACE/JOB/NAME or id"
Names = Annotated[
    list[str],
    typer.Argument(
        metavar="SCHEDULE...", help=f"Schedules, {_HELP}.", autocompletion=completing.schedules
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="SCHEDULE", help=f"The schedule, {_HELP}.", autocompletion=completing.schedules
    ),
]
OptionalName = Annotated[
    str,
    typer.Argument(
        metavar="[SCHEDULE]", help=f"The schedule, {_HELP}.", autocompletion=completing.schedules
    ),
]


def _name(schedule: Any) -> str:
    return str(schedule.id)


def _task_of(firing: Any) -> str:
    return str(firing.task_id)


@app.command("apply")
def apply_schedules(
    context: typer.Context, file: applying.File, dry_run: options.DryRun = False
) -> None:
    """Makes the schedules of a file, or changes them to what it says.

    What a document leaves out is as if the schedule were new, but whether it is enabled, which stays.

    A schedule is known by its job, which it says by name as `job`, and by its own name. Documents of
    kind Job make jobs.
    """
    applying.run(context, file, applying.SCHEDULE, dry_run=dry_run)


@app.command("list")
def list_schedules(
    context: typer.Context,
    job: Annotated[
        str, typer.Option(help="Only schedules of this job.", autocompletion=completing.jobs)
    ] = "",
    status: Annotated[
        str | None,
        typer.Option(
            parser=options.word_of(_state_enum),
            metavar="STATE",
            help="Only schedules that are active, paused or ended.",
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
    """Lists schedules, newest first unless --sort-by says how to print those that --limit chose."""
    options.check_is_listed_or_watched(watch or watch_only, sort_by, limit)
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers)

    async def work(client: Client) -> int:
        within = selecting.namespace(client, namespace, all_namespaces)
        job_id = (await selecting.job(client, job)).id if job else ""
        if watch or watch_only:
            return await _watch(
                client,
                printer,
                Manner(changes_only=watch_only),
                namespace=within,
                job_id=job_id,
                state=fields.number(_state_enum(), status),
            )
        where: dict[str, Any] = {
            "namespace_id": within,
            "state": (status or "").upper(),
            "job_id": job_id,
        }
        where = {field: value for field, value in where.items() if value}
        page = await client.schedules.list(where, page_size=limit or options.LIMIT)
        rows = sorting.by(sort_by, page.data)
        del page.data[:]
        page.data.extend(rows)
        printer.list(rows, page, empty="no schedule matches." if where else _NO_SCHEDULE)
        options.tell_of_more(output, len(rows), page.total, "schedules")
        return 0

    sessions.run(context, work)


@app.command("get")
def get_schedules(
    context: typer.Context,
    names: Names,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows schedules."""
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers)

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import schedule_service_pb2

        found = [await client.schedules.get(await selecting.schedule(client, one)) for one in names]
        if len(found) == 1:
            printer.one(found[0])
        else:
            response = schedule_service_pb2.ListSchedulesResponse(data=found, total=len(found))
            printer.list(found, response, empty="")

    sessions.run(context, work)


@app.command("describe")
def describe_schedule(context: typer.Context, name: Name) -> None:
    """Shows a schedule for people, with the last rows of its ledger and its next times."""

    async def work(client: Client) -> None:
        schedule = await client.schedules.get(await selecting.schedule(client, name))
        job = await client.jobs.get(schedule.job_id)
        firings = await client.schedules.last_firings(schedule.id, _LAST_FIRINGS)
        terminal.put(fields.lines(_described(schedule, job)))
        if firings:
            terminal.put("\nLast times:")
            Printer(Form.TABLE, FIRING_COLUMNS, _task_of).rows(firings)

    sessions.run(context, work)


def _described(schedule: Any, job: Any) -> list[tuple[str, str]]:
    kind = fields.word(schedule, "kind")
    local = kind == "cron"
    has_times = kind in {"cron", "interval"}
    return [
        ("Schedule", f"{schedule.name} ({schedule.id})"),
        ("Job", f"{job.namespace_id}/{job.name} ({job.id}, {fields.word(job, 'status')})"),
        ("Description", schedule.description),
        ("Kind", kind),
        ("Times", _times(schedule)),
        ("Time zone", schedule.timezone if local else ""),
        ("In a gap", fields.word(schedule, "gap_policy") if local else ""),
        ("In a fold", fields.word(schedule, "fold_policy") if local else ""),
        ("State", fields.word(schedule, "state")),
        ("Note", schedule.pause_note),
        ("From", fields.instant(schedule, "start_time")),
        ("To", fields.instant(schedule, "end_time")),
        ("Next", fields.instant_and_age(schedule, "next_run_at")),
        ("Fired", str(schedule.fired_count) + (f" of {n}" if (n := schedule.max_count) else "")),
        ("Jitter", times.span(schedule.jitter_seconds) if schedule.jitter_seconds else ""),
        ("Overlap", fields.word(schedule, "overlap_policy") if has_times else ""),
        ("Misfire", fields.word(schedule, "misfire_policy") if has_times else ""),
        ("Window", times.span(schedule.misfire_window_seconds) if has_times else ""),
        ("Priority", str(schedule.priority)),
        ("Parameters", schedule.parameters),
        ("Generation", str(schedule.generation)),
        ("Made", fields.instant_and_age(schedule, "created_at")),
        ("Changed", fields.instant_and_age(schedule, "updated_at")),
    ]


@app.command("explain")
def explain_schedule(context: typer.Context, name: Name, output: options.Output = Form.TABLE) -> None:
    """Tells when a schedule fires next, or why it does not, and what would change that."""

    async def work(client: Client) -> None:
        found = await client.schedules.explain(await selecting.schedule(client, name))
        schedule = found.schedule
        heading = f"schedule {schedule.name} ({schedule.id}): {fields.word(schedule, 'state')}"
        explaining.show(output, found, heading)

    sessions.run(context, work)


def _each(
    context: typer.Context,
    names: list[str],
    act: Callable[[Client, str, str], Awaitable[Any]],
    done: str,
    *,
    dry_run: bool,
) -> None:
    """Does the same to every schedule. `act` gets its id and the request id."""

    async def work(client: Client) -> int:
        async def one(name: str, request_id: str) -> None:
            await act(client, await selecting.schedule(client, name), request_id)

        return await sessions.each(
            client,
            names,
            one,
            lambda name, _: terminal.say(f"schedule {name} {'would be ' if dry_run else ''}{done}"),
        )

    sessions.run(context, work)


@app.command("delete")
def delete_schedules(context: typer.Context, names: Names, dry_run: options.DryRun = False) -> None:
    """Deletes schedules. Their tasks stay."""

    async def delete(client: Client, schedule_id: str, request_id: str) -> None:
        await client.schedules.delete(schedule_id, request_id=request_id, validate_only=dry_run)

    _each(context, names, delete, "deleted", dry_run=dry_run)


@app.command("enable")
def enable_schedules(context: typer.Context, names: Names, dry_run: options.DryRun = False) -> None:
    """Lets schedules make tasks again, from now on."""

    async def enable(client: Client, schedule_id: str, request_id: str) -> None:
        await client.schedules.enable(schedule_id, request_id=request_id, validate_only=dry_run)

    _each(context, names, enable, "enabled", dry_run=dry_run)


@app.command("disable")
def disable_schedules(context: typer.Context, names: Names, dry_run: options.DryRun = False) -> None:
    """Pauses schedules, and cancels those of their tasks that wait."""

    async def disable(client: Client, schedule_id: str, request_id: str) -> None:
        await client.schedules.disable(schedule_id, request_id=request_id, validate_only=dry_run)

    _each(context, names, disable, "disabled", dry_run=dry_run)


@app.command("pause")
def pause_schedules(
    context: typer.Context,
    names: Names,
    note: Annotated[str, typer.Option(help="Why, for those who find it paused.")] = "",
    dry_run: options.DryRun = False,
) -> None:
    """Pauses schedules. Their tasks go on; their times are noted as skipped."""

    async def pause(client: Client, schedule_id: str, request_id: str) -> None:
        await client.schedules.pause(schedule_id, note, request_id=request_id, validate_only=dry_run)

    _each(context, names, pause, "paused", dry_run=dry_run)


@app.command("resume")
def resume_schedules(context: typer.Context, names: Names, dry_run: options.DryRun = False) -> None:
    """Lets paused schedules make tasks again, from now on."""

    async def resume(client: Client, schedule_id: str, request_id: str) -> None:
        await client.schedules.resume(schedule_id, request_id=request_id, validate_only=dry_run)

    _each(context, names, resume, "resumed", dry_run=dry_run)


@app.command("trigger")
def trigger_schedule(
    context: typer.Context,
    name: Name,
    parameters: Annotated[
        str | None,
        typer.Option(
            parser=options.json_value,
            metavar="JSON",
            help="What the task is given, in place of what the schedule says.",
        ),
    ] = None,
    dry_run: options.DryRun = False,
) -> None:
    """Makes a task of a schedule now, whatever its times, and prints the task's id."""

    async def work(client: Client) -> None:
        schedule_id = await selecting.schedule(client, name)
        task = await client.schedules.trigger(schedule_id, parameters=parameters, validate_only=dry_run)
        if dry_run:
            terminal.say(f"schedule {name} would be triggered")
        else:
            terminal.put(task.id)

    sessions.run(context, work)


@app.command("preview")
def preview_schedule(
    context: typer.Context,
    name: OptionalName = "",
    cron: Annotated[
        str,
        typer.Option(metavar="EXPRESSION", help="Times of this expression, in place of a schedule's."),
    ] = "",
    timezone: Annotated[str, typer.Option(help="With --cron: the zone it is read in.")] = "",
    count: Annotated[int, typer.Option("--count", "-c", min=1, max=1000, help="How many.")] = 10,
    after: Annotated[
        datetime | None,
        typer.Option(parser=options.moment, metavar="TIME", help="Times after this one. Unset: now."),
    ] = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows the next times of a schedule, or of an expression, with what clock changes do to them."""
    if bool(name) == bool(cron):
        raise typer.BadParameter("name a schedule, or give --cron")
    if timezone and not cron:
        raise typer.BadParameter("--timezone goes with --cron: a schedule has a zone of its own")
    printer = Printer(
        output, PREVIEW_COLUMNS, lambda one: fields.instant(one, "time"), no_headers=no_headers
    )

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import schedule_service_pb2, task_pb2

        from novasphere_client.nodes import timestamp

        if cron:
            request = schedule_service_pb2.PreviewTimingRequest(
                kind=task_pb2.SCHEDULE_KIND_CRON, cron_expression=cron, count=count
            )
            if timezone:
                request.timezone = timezone
            if after is not None:
                request.after.CopyFrom(timestamp(after))
            found = await client.schedules.preview_timing(request)
        else:
            schedule_id = await selecting.schedule(client, name)
            found = await client.schedules.preview(schedule_id, count=count, after=after)
        response = schedule_service_pb2.PreviewScheduleResponse(times=found)
        printer.list(found, response, empty="no more times by the clock.")

    sessions.run(context, work)


@app.command("backfill")
def backfill_schedule(
    context: typer.Context,
    name: Name,
    start: Annotated[
        datetime,
        typer.Argument(
            parser=options.past_moment,
            metavar="FROM",
            help="The first time that counts, or how long ago.",
        ),
    ],
    end: Annotated[
        datetime,
        typer.Argument(
            parser=options.past_moment, metavar="TO", help="The first that no longer counts."
        ),
    ],
    at_once: Annotated[
        bool, typer.Option("--at-once", help="All tasks at once, not one after another.")
    ] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Makes a task for each time of a past range, whatever became of it then, and prints their ids."""

    async def work(client: Client) -> None:
        from novasphere_client.schedules import AT_ONCE, ONE_AFTER_ANOTHER

        response = await client.schedules.backfill(
            await selecting.schedule(client, name),
            start,
            end,
            overlap_policy=AT_ONCE if at_once else ONE_AFTER_ANOTHER,
            validate_only=dry_run,
        )
        for task_id in response.task_ids:
            terminal.put(task_id)
        what = f"{response.count} task{'' if response.count == 1 else 's'}"
        terminal.say(f"{what} would be made" if dry_run else f"{what} made")

    sessions.run(context, work)


@app.command("firings")
def list_firings(
    context: typer.Context,
    name: Name,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=options.past_moment,
            metavar="TIME",
            help="Times from this one on, or of this last while.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=options.past_moment, metavar="TIME", help="Times before this one."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default=f"{_FIRINGS}, or all with --since",
            help="At most this many rows, the newest.",
        ),
    ] = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows what became of the times of a schedule, oldest first: each is in exactly one row."""
    if until and not since:
        raise typer.BadParameter("--until needs --since")
    printer = Printer(output, FIRING_COLUMNS, _task_of, no_headers=no_headers)

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import schedule_service_pb2

        schedule_id = await selecting.schedule(client, name)
        if since is None:
            found = list(await client.schedules.last_firings(schedule_id, limit or _FIRINGS))
        else:
            rows = client.schedules.firings(schedule_id, since=since, until=until)
            found = [firing async for firing in rows]
            if limit:
                found = found[-limit:]
        response = schedule_service_pb2.ListFiringsResponse(firings=found)
        printer.list(
            found, response, empty="no time has come yet." if since is None else "no time then."
        )

    sessions.run(context, work)


@app.command("missed")
def list_missed(
    context: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=options.past_moment,
            metavar="TIME",
            help="Times from this one on, or of this last while. Unset: 24h.",
        ),
    ] = None,
    namespace: options.Namespace = "",
    all_namespaces: options.AllNamespaces = False,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows the times of all schedules that made no task, and why, oldest first."""
    names: dict[str, str] = {}
    columns = [
        Column("SCHEDULE", lambda f: names.get(f.schedule_id, f.schedule_id)),
        *FIRING_COLUMNS[:4],
        FIRING_COLUMNS[6],
    ]
    printer = Printer(output, columns, lambda f: str(f.schedule_id), no_headers=no_headers)

    async def work(client: Client) -> None:
        from novasphere.schedule.v1 import schedule_service_pb2

        start = since or datetime.now(UTC) - timedelta(hours=_MISSED_HOURS)
        within = selecting.namespace(client, namespace, all_namespaces)
        found = [one async for one in client.schedules.missed(since=start, namespace=within)]
        if found and not printer.is_data:
            names.update(await selecting.schedule_names(client, {one.schedule_id for one in found}))
        response = schedule_service_pb2.ListMissedFiringsResponse(firings=found)
        printer.list(found, response, empty="every time since then made its task.")

    sessions.run(context, work)


@app.command("watch")
def watch_schedules(
    context: typer.Context,
    name: OptionalName = "",
    namespace: options.Namespace = "",
    all_namespaces: options.AllNamespaces = False,
    cursor: options.Cursor = "",
    watch_only: options.WatchOnly = False,
    events: options.WatchEvents = True,
    timeout: options.WatchTimeout = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows schedules and every change to them, as events. What the ledger alone learns makes none.

    It goes on where it was after any break. Exit code 4: changes were lost, and it ends.
    """
    printer = Printer(output, COLUMNS, _name, no_headers=no_headers, events=events)
    manner = Manner(cursor, changes_only=watch_only, timeout=timeout, needs_all=True)

    async def work(client: Client) -> int:
        schedule_id = await selecting.schedule(client, name) if name else ""
        within = "" if name else selecting.namespace(client, namespace, all_namespaces)
        return await _watch(client, printer, manner, namespace=within, schedule_id=schedule_id)

    sessions.run(context, work)


async def _watch(client: Client, printer: Printer, manner: Manner, **which: Any) -> int:
    def start(cursor: str, on_interruption: OnInterruption) -> ScheduleWatch:
        return client.schedules.watch(
            cursor=cursor, patience=None, on_interruption=on_interruption, **which
        )

    return await watching.show(client, start, printer, manner)
