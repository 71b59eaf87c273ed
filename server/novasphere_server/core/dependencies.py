"""What tasks wait for other tasks to come to.

A row stands for each dependency that is not settled. It goes in the mutation that settles it, so whoever stops at
any moment goes on where the rows are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa
from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server import errors
from novasphere_server.core import task_ids, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.principals import Principal
from novasphere_server.core.tasks import Hold
from novasphere_server.store import tables
from novasphere_server.store.kinds import TASKS
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_STEP = 200

_d = tables.dependencies.c
_t = tables.tasks.c


class Dependencies:
    """All dependencies that are not settled."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def settle(self, ended: Sequence[str] | None) -> None:
        """Lets tasks go, or cancels them, that depended on these run ids or, with None, on whatever has ended."""
        while await self._store.write(lambda tx: settle(tx, ended)):
            pass

    async def has_any(self) -> bool:
        """Returns whether some task waits for another."""
        return bool(await self._store.read(sa.select(_d.run_id).limit(1)))


def add(
    tx: Transaction,
    principal: Principal,
    stored: pb.StoredTask,
    batch: Mapping[str, pb.StoredTask],
    where: str,
) -> None:
    """Stores a new task with its dependencies: on tasks that there are, or on others of its batch, by their run
    ids. One that depends on what has already failed is CANCELLED from the beginning.
    """
    found = []
    named: set[str] = set()
    for index, dependency in enumerate(stored.task.dependencies):
        on_run_id = task_ids.run_id(dependency.task_id)
        if on_run_id in named:
            raise errors.InvalidArgument(
                f"{where}dependencies[{index}].task_id", "is named before: name each task once"
            )
        named.add(on_run_id)
        on = batch.get(on_run_id) or tx.get(TASKS, on_run_id)
        if on is None or not principal.may_touch(on.task.namespace_id):
            raise errors.TaskNotFound(dependency.task_id).at(f"{where}dependencies[{index}].task_id")
        dependency.task_id = on.task.id
        found.append((dependency.condition, on.task))
    _add(tx, stored, found)


def add_again(tx: Transaction, stored: pb.StoredTask, dependencies: Iterable[pb.Dependency]) -> None:
    """Stores a new task that does again what another one did, with those of its dependencies that can be judged:
    on tasks that are still there, or on the newest that repeat them.
    """
    found: dict[str, tuple[pb.Dependency, pb.Task]] = {}
    for dependency in dependencies:
        on = _newest(tx, dependency.task_id)
        if on is None:
            continue
        if on.id not in found:
            again = stored.task.dependencies.add(task_id=on.id, condition=dependency.condition)
            found[on.id] = (again, on)
        elif dependency.condition != pb.DEPENDENCY_CONDITION_FINISHED:
            found[on.id][0].condition = dependency.condition  # the stricter of the two
    _add(tx, stored, [(again.condition, on) for again, on in found.values()])


def _newest(tx: Transaction, task_id: str) -> pb.Task | None:
    """Returns a task, or where it was retried the newest that repeats it, of those that are still there."""
    found = None
    stored = tx.get(TASKS, task_ids.run_id(task_id))
    while stored is not None:
        found = stored.task
        stored = tx.get(TASKS, task_ids.of_task(found.retried_as)) if found.retried_as else None
    return found


def _add(tx: Transaction, stored: pb.StoredTask, dependencies: Iterable[tuple[int, pb.Task]]) -> None:
    run_id = task_ids.of_task(stored.task.id)
    unmet = []
    doomed = ""
    for condition, on in dependencies:
        if not states.is_terminal(on.state):
            unmet.append(
                {"run_id": run_id, "on_run_id": task_ids.of_task(on.id), "condition": condition}
            )
        elif not _is_met(condition, on.state):
            doomed = doomed or _words(on.id, on.state)
    if doomed:
        states.end(stored, pb.WORK_STATE_CANCELLED, tx.now_us, "DEPENDENCY_FAILED", doomed)
        tasks.add(tx, stored)
        return
    if unmet:
        tx.execute(sa.insert(tables.dependencies), unmet)
    tasks.add(tx, stored, Hold.DEPENDENCIES if unmet else Hold.NONE)


def check_order(dependencies: Mapping[str, Collection[str]]) -> None:
    """Raises InvalidArgument where tasks of one batch, by their run ids, wait for each other in a circle."""
    open_: dict[str, set[str]] = {
        run_id: {on for on in on_run_ids if on in dependencies}
        for run_id, on_run_ids in dependencies.items()
    }
    while free := [run_id for run_id, on_run_ids in open_.items() if not on_run_ids]:
        for run_id in free:
            del open_[run_id]
        for on_run_ids in open_.values():
            on_run_ids.difference_update(free)
    if open_:
        some = ", ".join(task_ids.task_id(run_id) for run_id in sorted(open_)[:3])
        raise errors.InvalidArgument(
            "tasks", f"must not wait for each other in a circle, as these do: {some}"
        )


def settle(tx: Transaction, on_run_ids: Sequence[str] | None) -> int:
    """Settles dependencies on tasks that have ended or are gone: on those of the ids, or on any. Returns how
    many it looked at; what is left is for the next mutation.
    """
    ended = sa.or_(_t.key.is_(None), _t.state >= pb.WORK_STATE_SUCCEEDED)
    statement = (
        sa.select(_d.run_id, _d.on_run_id, _d.condition, _t.state)
        .select_from(tables.dependencies.outerjoin(tables.tasks, _t.key == _d.on_run_id))
        .where(ended)
        .order_by(_d.run_id)
        .limit(_STEP)
    )
    if on_run_ids is not None:
        statement = statement.where(_d.on_run_id.in_(on_run_ids))
    rows = tx.execute(statement).all()
    settled = 0
    for row in tx.fitting(rows):
        settled += 1
        is_own = sa.and_(_d.run_id == row.run_id, _d.on_run_id == row.on_run_id)
        tx.execute(sa.delete(tables.dependencies).where(is_own))
        stored = tx.get(TASKS, row.run_id)
        if stored is None or stored.task.state != pb.WORK_STATE_PENDING:
            continue  # it was cancelled, or its time was up
        if row.state is None or not _is_met(row.condition, row.state):
            _cancel(tx, stored, row.run_id, _words(task_ids.task_id(row.on_run_id), row.state))
        elif tx.execute(sa.select(_d.run_id).where(_d.run_id == row.run_id).limit(1)).first() is None:
            tasks.release(tx, stored)
    return settled


def _cancel(tx: Transaction, stored: pb.StoredTask, run_id: str, why: str) -> None:
    tx.execute(sa.delete(tables.dependencies).where(_d.run_id == run_id))
    states.end(stored, pb.WORK_STATE_CANCELLED, tx.now_us, "DEPENDENCY_FAILED", why)
    tx.put(TASKS, stored)


def _is_met(condition: int, state: int) -> bool:
    return condition == pb.DEPENDENCY_CONDITION_FINISHED or state == pb.WORK_STATE_SUCCEEDED


def _words(task_id: str, state: states.State | None) -> str:
    if state is None:
        return f"task {task_id}, on which it depends, was deleted"
    return f"task {task_id}, on which it depends, ended as {states.name(state)}"


def ids(dependencies: Iterable[pb.Dependency]) -> list[str]:
    """Returns the run ids of what is depended on."""
    return [task_ids.run_id(dependency.task_id) for dependency in dependencies]
