"""Files of jobs and schedules, and how the server is brought to what they say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novasphere_client.cli import options, sessions, terminal

if TYPE_CHECKING:
    from novasphere_client.client import Client

JOB = "Job"
SCHEDULE = "Schedule"

File = Annotated[
    str,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="YAML or JSON, with the fields of -o yaml, several documents after ---; - for standard input.",
    ),
]

_IDENTITY = {"namespace_id", "name", "job_id", "validate_only"}
# What -o yaml prints of a list.
_OF_LISTS = {"data", "total", "page", "page_size"}
# What a request says and a document cannot, and what does instead.
_OF_REQUESTS = {
    "dry_run": "say --dry-run",
    "validate_only": "say --dry-run",
    "update_mask": "a document is the whole of what it describes",
}
# What a document has under another name, or not at all.
_NOT_SAID = {"job_id", "validate_only"}
_SWITCH = {"enabled", "status"}
# What the published API says twice, and which of the two counts here.
_SAID_TWICE = {"schedule_kind": "kind", "status": "enabled", "interval_seconds": "interval_secs"}
_TIMES = {"cron_expression": "cron", "interval_secs": "interval", "interval_seconds": "interval"}
_UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Document:
    """One job or schedule of a file. A schedule names its job by name, or by id where that is in `job_id`."""

    kind: str
    namespace: str
    job: str
    name: str
    fields: dict[str, Any]
    # The request that makes it, but for the id of a schedule's job.
    create: Any

    @property
    def called(self) -> str:
        within = f"{self.namespace}/{self.job}" if self.kind == SCHEDULE else self.namespace
        return f"{within}/{self.name}"


def run(context: typer.Context, file: str, default_kind: str, *, dry_run: bool) -> None:
    """Makes what a file describes, or changes it to what it says."""
    documents = list(_read(file, default_kind))
    # Jobs first, whatever the order in the file: schedules need theirs.
    documents.sort(key=lambda document: document.kind != JOB)
    by_name = {f"{one.kind.lower()} {one.called}": one for one in documents}

    async def work(client: Client) -> int:
        async def apply(name: str, request_id: str) -> str:
            document = by_name[name]
            if document.kind == JOB:
                return await _apply_job(client, document, request_id, dry_run)
            return await _apply_schedule(client, document, request_id, dry_run)

        return await sessions.each(
            client,
            list(by_name),
            apply,
            lambda name, done: terminal.say(
                f"{name} {'would be ' if dry_run and done != _UNCHANGED else ''}{done}"
            ),
            is_error_named=True,
        )

    sessions.run(context, work)


def _read(file: str, default_kind: str) -> Iterator[Document]:
    import yaml

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        documents = [_plain(one) for one in yaml.safe_load_all(text)]
    except (OSError, TypeError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from None
    seen: set[tuple[str, str]] = set()
    for at, data in _each(documents, file):
        if not isinstance(data, dict):
            what = default_kind.lower() or "job or a schedule"
            raise typer.BadParameter(f"{at}: a {what} is an object with a name")
        document = _document(data, at, default_kind)
        if (document.kind, document.called) in seen:
            raise typer.BadParameter(f"{at}: {document.called} is there twice")
        seen.add((document.kind, document.called))
        yield document
    if not seen:
        raise typer.BadParameter(f"{file} holds no {default_kind.lower() or 'job and no schedule'}")


def _each(documents: list[Any], file: str) -> Iterator[tuple[str, Any]]:
    """Yields what documents describe, those of lists as -o yaml prints them too, and where each stands."""
    for number, one in enumerate((one for one in documents if one is not None), 1):
        at = f"{file}, document {number}"
        if isinstance(one, dict) and isinstance(one.get("data"), list) and one.keys() <= _OF_LISTS:
            for index, element in enumerate(one["data"]):
                yield f"{at}: data[{index}]", element
        else:
            yield at, one


def _plain(value: Any) -> Any:
    """Returns YAML as JSON has it: its instants and days are texts. Raises TypeError for what JSON has not, and
    ValueError for halves of characters.
    """
    if isinstance(value, dict):
        return {_plain(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, str):
        value.encode()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo else f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | set):
        raise TypeError(f"JSON has no {type(value).__name__}")
    return value


def _document(data: dict[str, Any], at: str, default_kind: str) -> Document:
    from novasphere_client.jobs import DEFAULT_NAMESPACE

    # `kind` of a schedule as -o yaml prints it says what makes its tasks.
    kind = data.pop("kind") if data.get("kind") in (JOB, SCHEDULE) else default_kind
    if not kind and (data.get("job") or data.get("job_id")):
        kind = SCHEDULE
    if not kind and "config" in data and "kind" not in data:
        kind = JOB
    if not kind:
        raise typer.BadParameter(f"{at}: kind must be Job or Schedule")
    if not _text(data, "name", at):
        raise typer.BadParameter(f"{at}: a {kind.lower()} is an object with a name")
    namespaces = {word for key in ("namespace", "namespace_id") if (word := _text(data, key, at))}
    if len(namespaces) > 1:
        raise typer.BadParameter(f"{at}: namespace: is another name of namespace_id: give one of them")
    namespace = namespaces.pop() if namespaces else DEFAULT_NAMESPACE
    data.pop("namespace", None)
    data["namespace_id"] = namespace
    job = ""
    if kind == JOB and (is_enabled := data.pop("enabled", None)) is not None:
        if data.get("status") not in (None, status := _status(is_enabled, at)):
            raise typer.BadParameter(f"{at}: enabled: contradicts status: give one of them")
        data["status"] = status
    if kind == SCHEDULE:
        job = _text(data, "job", at) or _text(data, "job_id", at)
        if not job:
            raise typer.BadParameter(f"{at}: a schedule says its job, by name: job: NAME")
        data = {field: value for field, value in data.items() if field not in ("job", "job_id")}
        for twice, counts in _SAID_TWICE.items():
            if counts in data:
                data.pop(twice, None)
        for field, made_by in _TIMES.items():
            if data.get(field) is not None and not (data.get("kind") or data.get("schedule_kind")):
                data["kind"] = made_by
    # What the server decides may stand in a file as `get -o yaml` printed it.
    fields = {name: value for name, value in data.items() if name not in _servers_own(kind)}
    return Document(kind, namespace, job, data["name"], fields, _decode(kind, fields, at))


def _text(data: dict[str, Any], field: str, at: str) -> str:
    """Returns a field that is a text, empty where it is not there."""
    from novasphere_client import json_form

    value = data.get(field)
    if value is not None and not isinstance(value, str):
        raise typer.BadParameter(f"{at}: {field}: must be a string, not {json_form.kind_of(value)}")
    return value or ""


def _status(is_enabled: Any, at: str) -> str:
    """Returns the status of a job of which a document says whether it is enabled, as of a schedule."""
    from novasphere_client import json_form

    if not isinstance(is_enabled, bool):
        kind = json_form.kind_of(is_enabled)
        raise typer.BadParameter(f"{at}: enabled: must be true or false, not {kind}")
    return "enabled" if is_enabled else "disabled"


def _decode(kind: str, fields: dict[str, Any], at: str) -> Any:
    """Returns the request that makes what a document describes."""
    from novasphere_client import errors, json_form

    for field, instead in _OF_REQUESTS.items():
        if field in fields:
            raise typer.BadParameter(f"{at}: {field}: is no field of a {kind.lower()}; {instead}")
    try:
        return json_form.decode(_create_type(kind), fields, leaving_out=_NOT_SAID)
    except errors.InvalidArgument as error:
        raise typer.BadParameter(f"{at}: {error.message}") from None


async def _apply_job(client: Client, wanted: Document, request_id: str, dry_run: bool) -> str:
    """Returns what was done to the job."""
    from novasphere.schedule.v1 import job_service_pb2

    from novasphere_client import json_form
    from novasphere_client.errors import NotFound

    try:
        known = await client.jobs.named(wanted.name, wanted.namespace)
    except NotFound:
        wanted.create.request_id, wanted.create.validate_only = request_id, dry_run
        await client.jobs.create(wanted.create)
        return "created"
    said = {name: value for name, value in wanted.fields.items() if name not in ("name", "namespace_id")}
    update = json_form.decode(job_service_pb2.UpdateJobRequest, said)
    update.job_id = known.id
    update.update_mask.paths.extend(_settings(JOB, said))
    update.request_id, update.validate_only = request_id, dry_run
    return _UNCHANGED if await client.jobs.update(update) == known.revision else "changed"


async def _apply_schedule(client: Client, wanted: Document, request_id: str, dry_run: bool) -> str:
    """Returns what was done to the schedule."""
    from novasphere.schedule.v1 import schedule_service_pb2

    from novasphere_client import json_form
    from novasphere_client.cli import selecting
    from novasphere_client.errors import FailedPrecondition, NotFound

    create = wanted.create
    try:
        job = await selecting.job(client, wanted.job, wanted.namespace)
    except NotFound:
        if not dry_run:
            raise
        return "created; its times are checked once its job is there"
    page = await client.schedules.list({"job_id": job.id, "name": wanted.name})
    if not page.data:
        create.job_id, create.request_id, create.validate_only = job.id, request_id, dry_run
        await client.schedules.create(create)
        return "created"
    if len(page.data) > 1:
        ids = ", ".join(one.id for one in page.data)
        raise FailedPrecondition(
            f"the job has several schedules of this name; delete or rename all but one: {ids}",
            code="FAILED_PRECONDITION",
        )
    known = page.data[0]
    said = {name: value for name, value in wanted.fields.items() if name != "name"}
    update = json_form.decode(schedule_service_pb2.UpdateScheduleRequest, said)
    update.update_mask.paths.extend(_settings(SCHEDULE, said))
    update.schedule_id, update.request_id, update.validate_only = known.id, request_id, dry_run
    return _UNCHANGED if await client.schedules.update(update) == known.revision else "changed"


def _create_type(kind: str) -> Any:
    """Returns the type of the request that makes a job or a schedule."""
    from novasphere.schedule.v1 import job_service_pb2, schedule_service_pb2

    return (
        job_service_pb2.CreateJobRequest if kind == JOB else schedule_service_pb2.CreateScheduleRequest
    )


def _servers_own(kind: str) -> set[str]:
    """Returns the fields of a resource that nobody but the server sets."""
    from novasphere.schedule.v1 import job_pb2, schedule_pb2

    from novasphere_client import json_form

    shown = job_pb2.Job if kind == JOB else schedule_pb2.Schedule
    return (
        json_form.named(shown.DESCRIPTOR).keys() - json_form.named(_create_type(kind).DESCRIPTOR).keys()
    )


def _settings(kind: str, said: dict[str, Any]) -> list[str]:
    """Returns the fields that a document decides: all that could be set at first, said or not. Only whether it is
    enabled is left to those who enable and pause, unless the document says it.
    """
    from novasphere_client import json_form

    create = _create_type(kind).DESCRIPTOR
    known = json_form.named(create)
    names = {known[name].name for name in said}
    every = (field.name for field in json_form.fields(create).values())
    return [name for name in every if name not in _IDENTITY and (name in names or name not in _SWITCH)]


def apply_file(
    context: typer.Context,
    file: File,
    dry_run: options.DryRun = False,
) -> None:
    """Makes the jobs and schedules of a file, or changes them to what it says.

    Each document has a `kind`, Job or Schedule, and a name; a schedule also says its `job`, by name. Without a
    `kind` one with a `job` is a schedule, and one with a `config` a job. What it leaves out is as if it were new,
    but whether it is enabled, which stays.
    """
    run(context, file, "", dry_run=dry_run)
