"""What a command is for: nodes that are named or chosen by a selector, jobs and schedules by name or by id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from novasphere_client.cli import terminal

if TYPE_CHECKING:
    from novasphere_client.client import Client


_IDS_AT_ONCE = 100  # as many values as a filter takes
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def namespace(client: Client, named: str, is_all: bool) -> str:
    """Returns the namespace to look into, empty for all."""
    if named and is_all:
        raise typer.BadParameter("give one of --namespace and --all-namespaces")
    return "" if is_all else named or client.settings.namespace


async def job(client: Client, word: str, default_namespace: str = "") -> Any:
    """Returns the job that a word names: ID, NAME or NAMESPACE/NAME. Raises NotFound.

    Of names that hold a slash the whole word is one where nothing is found as NAMESPACE/NAME.
    """
    from novasphere_client import errors
    from novasphere_client.jobs import DEFAULT_NAMESPACE

    if _UUID.fullmatch(word):
        return await client.jobs.get(word.lower())
    namespace = default_namespace or client.settings.namespace or DEFAULT_NAMESPACE
    within, _, name = word.partition("/")
    if not (within and name):
        return await client.jobs.named(word, namespace)
    try:
        return await client.jobs.named(name, within)
    except errors.NotFound as error:
        try:
            return await client.jobs.named(word, namespace)
        except errors.NotFound:
            raise error from None


async def schedule(client: Client, word: str) -> str:
    """Returns the id of the schedule that a word names: ID, NAME, JOB/NAME or NAMESPACE/JOB/NAME.

    Raises NotFound, and FailedPrecondition where several have the name.
    """
    from novasphere_client import errors

    if _UUID.fullmatch(word):
        return word.lower()
    job_name, _, name = word.rpartition("/")
    where = {"name": name}
    if job_name:
        where["job_id"] = (await job(client, job_name)).id
    elif client.settings.namespace:
        where["namespace_id"] = client.settings.namespace
    found = (await client.schedules.list(where)).data
    if not found:
        raise errors.ScheduleNotFound(
            f"no schedule is called {word!r}", reason="SCHEDULE_NOT_FOUND", code="NOT_FOUND"
        )
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        how = "by its id" if job_name else "as JOB/NAME or by its id"
        raise errors.FailedPrecondition(
            f"several schedules are called {word!r}; name one {how}: {ids}",
            code="FAILED_PRECONDITION",
        )
    return str(found[0].id)


async def schedules(client: Client, words: Sequence[str], *, may_be_gone: bool) -> list[str]:
    """Returns the ids of schedules that words name; of those that may be gone, the ones that are not."""
    from novasphere_client import errors

    found = []
    for word in words:
        try:
            found.append(await schedule(client, word))
        except errors.NotFound:
            if not may_be_gone:
                raise
            terminal.say(f"schedules/{word} is not there")
    return found


async def schedule_names(client: Client, ids: set[str]) -> dict[str, str]:
    """Returns what schedules are called, as JOB/NAME, by their ids."""
    wanted = sorted(ids)
    steps = [wanted[start : start + _IDS_AT_ONCE] for start in range(0, len(wanted), _IDS_AT_ONCE)]
    found = [one for step in steps async for one in client.schedules.all({"id": step})]
    jobs = {job_id: (await client.jobs.get(job_id)).name for job_id in {one.job_id for one in found}}
    return {one.id: f"{jobs[one.job_id]}/{one.name}" for one in found}


async def nodes(client: Client, names: Sequence[str], selector: str) -> list[str]:
    """Returns the names of nodes, each once, and says how many a selector chose."""
    if not selector:
        return list(dict.fromkeys(names))
    if not selector.strip():
        raise typer.BadParameter("an empty --selector would choose every node; name labels")
    found = [str(node.node_id) async for node in client.nodes.all(label_selector=selector)]
    if found:
        terminal.say(f"{selector} selects {len(found)} node{'' if len(found) == 1 else 's'}")
    else:
        terminal.say(f"no node matches {selector}. See their labels: novasphere node list -o wide")
    return list(dict.fromkeys([*names, *found]))
