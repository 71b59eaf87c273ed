"""Tasks that any node may run: who is given them, when, and how often."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from efforts import plan_of
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import agent_service_pb2 as agent_api
from novasphere.schedule.v1 import job_pb2, job_service_pb2
from novasphere.schedule.v1 import task_pb2 as pb
from novasphere.schedule.v1.task_service_pb2 import NewTask
from novasphere_server import errors
from novasphere_server.core import demands, instants, task_ids, task_types, tasks
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.tasks import retry_pause
from novasphere_server.store import tables
from novasphere_server.store.kinds import TASKS
from scheduling import Scheduling

LOST = link.ATTEMPT_PHASE_UNKNOWN


@pytest.fixture
async def pair(world):
    """Two agents that run everything, one of them labelled."""
    agents = [world.agent("n1"), world.agent("n2")]
    agents[1].profile["labels"] = {"zone": "east"}
    for agent in agents:
        agent.profile["capabilities"] = ["shell", "exec", "echo"]
        await agent.connect()
        await agent.settle()
    return agents


@pytest.fixture
async def one(world):
    agent = world.agent("n1")
    agent.profile["capabilities"] = ["shell", "exec", "echo"]
    await agent.connect()
    await agent.settle()
    return agent


def new(**config: Any) -> NewTask:
    return NewTask(config=pb.TaskConfig(**{"command_text": "true"} | config))


def pinned(node_id: str, **more: Any) -> NewTask:
    return NewTask(config=pb.TaskConfig(command_text="true"), node_id=node_id, **more)


@contextmanager
def said_to_the_database() -> Iterator[list[str]]:
    """Collects the statements that SQLAlchemy sends."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        said.append(text)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", hear)


def named(*, on: Iterable[NewTask] = (), condition: int = 0, **config: Any) -> NewTask:
    """Returns a task that others can depend on, and that depends on others."""
    task = new(**config)
    task.id = str(uuid.uuid4())
    for other in on:
        task.dependencies.add(task_id=other.id, condition=condition)
    return task


def runs(agent) -> list[str]:
    return [task_ids.task_id(dispatch.run_id) for dispatch in agent.dispatches]


async def finish(agent, number: int, **outcome: Any) -> None:
    """Ends the dispatch of a number, which counts from 1."""
    await agent.finish((await agent.dispatched(number))[number - 1], **{"exit_code": 0} | outcome)


# -- who


async def test_a_task_goes_to_a_node_that_has_its_labels(world, pair):
    other, east = pair
    [task_id] = await world.submit(command_text="true", labels={"zone": "east"})
    await east.dispatched()
    assert runs(east) == [task_id]
    instance = (await world.task(task_id)).instance
    assert (instance.agent_id, instance.status) == ("n2", pb.TASK_INSTANCE_STATUS_DISPATCHED)
    await other.settle()
    assert runs(other) == []


GIB = 1024**3
SMALL = {
    "system": "linux",
    "machine": "x86_64",
    "cpu_count": 2,
    "memory_total_bytes": 2 * GIB,
    "storage_total_bytes": 10 * GIB,
}


@pytest.mark.parametrize(
    ("requirements", "profile", "lack"),
    [
        ({"min_cpu_cores": 8}, {"cpu_count": 8}, "CPU"),
        ({"min_memory_gb": 7.5}, {"memory_total_bytes": 8 * GIB}, "MEMORY"),
        ({"min_storage_gb": 100}, {"storage_total_bytes": 100 * GIB}, "STORAGE"),
        ({"platform": "Android"}, {"system": "android"}, "PLATFORM"),
        ({"role": "builder"}, {"role": "builder"}, "ROLE"),
        ({"tags": ["arm64"]}, {"machine": "arm64"}, "TAG"),
        ({"gpu_required": True}, {"gpu_count": 1}, "GPU"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_task_goes_to_a_node_that_has_what_it_requires(world, requirements, profile, lack):
    small, able = (
        world.agent(name, capabilities=["shell"], **(SMALL | more))
        for name, more in (("n1", {}), ("n2", profile))
    )
    await small.connect()
    await small.settle()
    [task_id] = await world.submit(command_text="true", requirements=pb.Requirements(**requirements))
    await small.settle()
    assert runs(small) == []
    _, [fact] = await world.fleet.task_explanations.explain(ADMIN, task_id)
    assert (fact.reason, fact.subject) == ("NO_MATCH", "n1")
    assert str(fact.facts["lacks"]).startswith(f"{lack} ")
    await able.connect()
    await able.dispatched()
    assert runs(able) == [task_id]


async def test_an_unknown_type_of_task_is_refused_with_those_that_are_taken(world, one):
    with pytest.raises(errors.InvalidTaskType, match="'nope'; known are ") as refused:
        await world.submit(task_type="nope")
    known = refused.value.message.partition("known are ")[2].split(", ")
    assert {"command", "echo"} <= set(known)
    assert not {"exec", "shell"} & set(known)
    for each in known:
        await world.submit(task_type=each)


async def test_a_task_that_nobody_can_run_blocks_no_other(world, one):
    await world.submit(*(new(labels={"zone": "nowhere"}) for _ in range(100)))
    [task_id] = await world.submit(command_text="true")
    await one.dispatched()
    assert runs(one) == [task_id]


async def test_what_waited_goes_to_a_node_that_comes(world, one):
    [task_id] = await world.submit(command_text="true", labels={"zone": "west"})
    late = world.agent("n3")
    late.profile |= {"labels": {"zone": "west"}, "capabilities": ["shell"]}
    await late.connect()
    await late.dispatched()
    assert runs(late) == [task_id]


async def test_what_waited_goes_to_a_node_that_gets_what_it_lacked(world, one):
    [task_id] = await world.submit(command_text="true", labels={"zone": "west"})
    one.beat()
    await one.settle()
    assert runs(one) == []
    request = agent_api.UpdateAgentRequest(agent_id="n1", labels={"zone": "west"})
    await world.fleet.agents.update(ADMIN, request, ["labels"])
    await one.dispatched()
    assert runs(one) == [task_id]


async def test_what_is_due_while_its_node_is_let_in_goes_to_it(world, one, monkeypatch):
    due_at = instants.timestamp(world.clock.now_us() + 10_000_000)
    await world.submit(pinned("n1", scheduled_at=due_at))
    await one.cut()
    links = world.fleet.links
    write = links._write
    is_stored, goes_on = asyncio.Event(), asyncio.Event()

    async def write_and_wait(*hello):
        written = await write(*hello)
        is_stored.set()
        await goes_on.wait()
        return written

    monkeypatch.setattr(links, "_write", write_and_wait)
    connecting = asyncio.create_task(one.connect())
    await is_stored.wait()
    monkeypatch.setattr(links, "_write", write)
    assert links.idle_nodes == [one.node_uid]
    world.clock.advance(11)
    await world.due.step()
    goes_on.set()
    await connecting
    async with asyncio.timeout(60):
        await one.dispatched()


async def test_a_node_is_waited_for_by_what_it_alone_may_run_now(tmp_path, world_at, database_url):
    world = await world_at(tmp_path, database_url)
    agents = [world.agent(f"n{number}", capabilities=["shell"]) for number in range(4)]
    for agent in agents:
        await agent.connect()
    await world.submit(pinned("n0"), pinned("n3"))
    for agent in (agents[0], agents[3]):
        await agent.dispatched()
    for agent in agents:
        await agent.cut()
    later = instants.timestamp(world.clock.now_us() + 10_000_000)
    await world.submit(
        *(pinned("n0") for _ in range(3)), pinned("n1", scheduled_at=later), pinned("n2"), new()
    )
    uids = [agent.node_uid for agent in agents]
    waited_for = world.fleet.tasks.waited_for
    assert set(await waited_for([*uids, "of-nobody"])) == {uids[0], uids[2]}
    assert await waited_for(uids[1:2]) == await waited_for([]) == []


async def test_one_seek_tells_whether_a_node_is_waited_for(world):
    asked = tasks.WAITED_FOR.params(node_uids=["a", "b"])
    plan = await plan_of(world.store, asked)
    [seek] = [step for step in plan if "tasks" in step]
    assert seek.startswith("SEARCH tasks USING INDEX ix_tasks_own ")
    assert not any("SCAN" in step or "TEMP" in step for step in plan), plan


async def test_what_waited_for_a_node_that_left_goes_to_it_when_it_is_back(world, one):
    late = world.agent("n3", labels={"zone": "west"}, capabilities=["shell"])
    await late.connect(free_slots=0)
    [task_id] = await world.submit(command_text="true", labels={"zone": "west"})
    await late.settle(free_slots=0)
    await late.connect(free_slots=0)
    late.beat(free_slots=1)
    await late.dispatched()
    assert runs(late) == [task_id]


async def test_a_frame_costs_nothing_for_what_no_node_could_do(world, one, monkeypatch):
    await world.submit(*(new(labels={"run": f"r{number}"}) for number in range(500)))
    one.beat()
    await one.settle()
    asked = []
    is_met_by = demands.Demand.is_met_by
    monkeypatch.setattr(
        demands.Demand,
        "is_met_by",
        lambda demand, node: asked.append(demand) or is_met_by(demand, node),
    )
    for _ in range(10):
        one.beat()
    await one.settle()
    assert len(asked) < 10


async def test_a_node_that_meets_many_demands_is_given_all(world, one):
    await one.cut()
    await world.submit(*(NewTask(config=pb.TaskConfig(cmd=f"program-{n}")) for n in range(200)))
    await one.connect(free_slots=300)
    assert len({dispatch.program for dispatch in await one.dispatched(200)}) == 200


async def test_what_waited_is_found_after_a_restart(world, one):
    [task_id] = await world.submit(command_text="true", labels={"zone": "west"})
    await world.restart()
    await world.due.step()
    late = world.agent("n3")
    late.profile |= {"labels": {"zone": "west"}, "capabilities": ["shell"]}
    await late.connect()
    await late.dispatched()
    assert runs(late) == [task_id]


async def test_nodes_share_what_comes_together(world, pair):
    await world.submit(*(new() for _ in range(6)))
    for agent in pair:
        await agent.dispatched(3)
    assert [len(agent.dispatches) for agent in pair] == [3, 3]


async def test_what_is_more_urgent_goes_first_then_what_is_older(world, one):
    await one.settle(free_slots=0)
    tasks = [new() for _ in range(4)]
    for task, priority in zip(tasks, (0, 5, 0, 9), strict=True):
        task.priority = priority
    ids = await world.submit(*tasks)
    for count in range(1, 5):
        one.beat(free_slots=1)
        await one.dispatched(count)
    assert runs(one) == [ids[3], ids[1], ids[0], ids[2]]


async def test_a_full_node_takes_nothing_and_looks_when_it_has_room(world, one):
    await one.settle(free_slots=0)
    [task_id] = await world.submit(command_text="true")
    await one.settle(free_slots=0)
    assert runs(one) == []
    one.beat(free_slots=1)
    await one.dispatched()
    assert runs(one) == [task_id]


async def test_what_a_dispatch_says(world, one):
    task = NewTask(
        config=pb.TaskConfig(
            cmd="python",
            args=["a b", "c"],
            timeout_seconds=9,
            capture_output=False,
            max_output_size=77,
            resource_limits=pb.ResourceLimits(max_memory_mb=64, max_open_files=9),
        ),
        environment='{"A":"1"}',
        parameters='{"x":[1,2]}',
    )
    await world.submit(task)
    [dispatch] = await one.dispatched()
    assert (dispatch.kind, dispatch.program, list(dispatch.arguments)) == (
        "exec",
        "python",
        ["a b", "c"],
    )
    assert dict(dispatch.environment) == {"A": "1", "NOVA_PARAMETERS": '{"x":[1,2]}'}
    assert (dispatch.timeout_ms, dispatch.max_output_bytes, dispatch.discard_output) == (9000, 77, True)
    assert dispatch.limits == link.ResourceLimits(memory_bytes=64 * 2**20, open_files=9)


@pytest.mark.parametrize(
    "text", ["not json {", '{"x": NaN}', "[Infinity]", "-Infinity", '"\\ud800"', "["]
)
async def test_a_document_that_is_not_json_is_refused_by_its_field(world, text: str):
    schedule_tasks = world.fleet.schedule_tasks
    bench = Scheduling(world)
    job_id = await bench.job()
    request = job_service_pb2.TriggerJobRequest(job_id=job_id, parameters=text)
    with pytest.raises(errors.InvalidArgument, match=r"^parameters: must be "):
        await schedule_tasks.trigger(ADMIN, request)
    with pytest.raises(errors.InvalidArgument, match=r"^parameters: must be "):
        await bench.make(job_id, parameters=text)
    with pytest.raises(errors.InvalidArgument, match=r"^tasks\[0\].parameters: must be "):
        await world.submit(NewTask(config=pb.TaskConfig(command_text="true"), parameters=text))
    with pytest.raises(errors.InvalidArgument, match=r"^tasks\[0\].config.payload: must be "):
        await world.submit(task_type="echo", payload=text)


# -- how often


async def test_a_failed_attempt_is_followed_by_another_after_a_pause(world, one):
    [task_id] = await world.submit(command_text="x", max_retries=2, retry_interval_seconds=30)
    await finish(one, 1, exit_code=3)
    stored = await world.task(task_id)
    assert (stored.task.state, stored.task.retry_count) == (pb.WORK_STATE_PENDING, 1)
    assert (stored.instance.state, stored.instance.exit_code) == (pb.WORK_STATE_FAILED, 3)
    await world.due.step()
    await one.settle()
    assert len(one.dispatches) == 1  # not yet
    world.clock.advance(30)
    await world.due.step()
    await finish(one, 2, exit_code=4)
    world.clock.advance(30)
    await world.due.step()
    await finish(one, 3, exit_code=5)
    assert [dispatch.attempt for dispatch in one.dispatches] == [1, 2, 3]
    stored = await world.task(task_id)
    assert (stored.task.state, stored.task.reason) == (pb.WORK_STATE_FAILED, "EXIT_CODE")
    past = await world.store.read(
        sa.select(tables.past_instances).order_by(tables.past_instances.c.attempt)
    )
    assert [(row.attempt, row.exit_code, row.state) for row in past] == [
        (1, 3, pb.WORK_STATE_FAILED),
        (2, 4, pb.WORK_STATE_FAILED),
    ]
    assert len({row.instance_id for row in past} | {stored.instance.id}) == 3
    first = await world.fleet.schedule_tasks.get_instance(ADMIN, past[0].instance_id)
    assert (first.task_id, first.exit_code, first.agent_id) == (task_id, 3, "n1")


async def test_what_fails_of_a_disabled_job_is_not_retried(world, one):
    bench = Scheduling(world)
    job_id = await bench.job(max_retries=2, retry_interval_seconds=0)
    request = job_service_pb2.TriggerJobRequest(job_id=job_id)
    task = await world.fleet.schedule_tasks.trigger(ADMIN, request)
    [dispatch] = await one.dispatched()
    await world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    await one.finish(dispatch, exit_code=3)
    stored = await world.task(task.id)
    assert (stored.task.state, stored.task.retry_count) == (pb.WORK_STATE_FAILED, 0)
    assert (stored.instance.exit_code, stored.task.reason) == (3, "EXIT_CODE")


@pytest.mark.parametrize("is_told", [False, True])
@pytest.mark.parametrize("is_gone", [False, True])
async def test_what_never_reaches_its_node_of_a_disabled_job_is_cancelled(
    world, one, frames, is_gone, is_told
):
    job_id = await Scheduling(world).job()
    request = job_service_pb2.TriggerJobRequest(job_id=job_id)
    task = await world.fleet.schedule_tasks.trigger(ADMIN, request)
    [dispatch] = await one.dispatched()
    if not is_told:
        await one.cut()
    if is_gone:
        await world.fleet.jobs.delete(ADMIN, job_id)
    else:
        await world.fleet.jobs.set_status(ADMIN, job_id, job_pb2.JOB_STATUS_DISABLED)
    if is_told:
        one.send(reports=[frames.report(dispatch, link.ATTEMPT_PHASE_UNDELIVERED)], free_slots=1)
    else:
        await one.connect()
    await one.settle()
    stored = await world.task(task.id)
    assert (stored.task.state, stored.task.reason) == (pb.WORK_STATE_CANCELLED, "CANCELLED")
    assert "job was disabled or deleted" in stored.task.reason_message
    assert one.dispatches == ([dispatch] if is_told else [])  # of its last link


async def test_success_is_not_retried(world, one):
    [task_id] = await world.submit(command_text="x", max_retries=2)
    await finish(one, 1)
    assert (await world.task(task_id)).task.state == pb.WORK_STATE_SUCCEEDED


@pytest.mark.parametrize(
    ("retry_lost", "state"), [(False, pb.WORK_STATE_UNKNOWN), (True, pb.WORK_STATE_PENDING)]
)
async def test_what_may_have_run_is_retried_only_where_the_job_says_so(world, one, retry_lost, state):
    [task_id] = await world.submit(command_text="x", max_retries=1, retry_lost=retry_lost)
    await finish(one, 1, exit_code=None, phase=LOST)
    assert (await world.task(task_id)).task.state == state


async def test_a_report_of_an_attempt_that_was_followed_changes_nothing(world, one):
    [task_id] = await world.submit(command_text="x", max_retries=1, retry_interval_seconds=0)
    [first] = await one.dispatched()
    await one.finish(first, exit_code=1)
    await one.dispatched(2)
    ack = await one.finish(first, exit_code=0)
    assert ack.is_stale
    stored = await world.task(task_id)
    assert (stored.task.state, stored.instance.attempt) == (pb.WORK_STATE_DISPATCHED, 2)


async def test_the_same_report_again_while_the_next_attempt_waits_ends_nothing_twice(world, one):
    [task_id] = await world.submit(command_text="x", max_retries=3)
    [first] = await one.dispatched()
    for _ in range(3):
        await one.finish(first, exit_code=1)
    assert (await world.task(task_id)).task.retry_count == 1


async def test_a_task_that_is_cancelled_between_attempts_stays_so(world, one):
    [task_id] = await world.submit(command_text="x", max_retries=3, retry_interval_seconds=5)
    await finish(one, 1, exit_code=1)
    await world.fleet.schedule_tasks.cancel(ADMIN, task_id)
    world.clock.advance(10)
    await world.due.step()
    await one.settle()
    assert len(one.dispatches) == 1
    stored = await world.task(task_id)
    assert (stored.task.state, stored.instance.state) == (pb.WORK_STATE_CANCELLED, pb.WORK_STATE_FAILED)


# -- when


async def test_nothing_goes_before_its_time(world, one):
    task = new()
    task.scheduled_at.FromMicroseconds(world.clock.now_us() + 60_000_000)
    [task_id] = await world.submit(task)
    world.clock.advance(59.9)
    await world.due.step()
    await one.settle()
    assert runs(one) == []
    world.clock.advance(0.1)
    await world.due.step()
    await one.dispatched()
    assert runs(one) == [task_id]


async def test_a_time_is_kept_for_a_task_of_one_node_too(world, one):
    task = new()
    task.node_id = "n1"
    task.scheduled_at.FromMicroseconds(world.clock.now_us() + 60_000_000)
    [task_id] = await world.submit(task)
    await one.settle()
    assert runs(one) == []
    world.clock.advance(60)
    await world.due.step()
    await one.dispatched()
    assert runs(one) == [task_id]


async def test_a_task_waits_for_what_it_depends_on(world, one):
    first = named()
    second = named(on=[first])
    third = named(on=[first, second])
    ids = await world.submit(third, second, first)
    for number, task_id in enumerate(reversed(ids), 1):
        await one.dispatched(number)
        assert runs(one)[-1] == task_id
        await one.settle()
        assert len(one.dispatches) == number
        await finish(one, number)
        await world.dependencies.step()


async def test_what_fails_cancels_all_that_depends_on_it(world, one):
    first = named()
    second = named(on=[first])
    third = named(on=[second])
    ids = await world.submit(first, second, third)
    await finish(one, 1, exit_code=1)
    for _ in range(2):
        await world.dependencies.step()
    for task_id, cause in zip(ids[1:], ids[:-1], strict=True):
        task = (await world.task(task_id)).task
        assert (task.state, task.reason) == (pb.WORK_STATE_CANCELLED, "DEPENDENCY_FAILED")
        assert cause in task.reason_message
    assert await world.store.read(sa.select(tables.dependencies)) == []


async def test_a_task_can_wait_for_an_end_of_any_kind(world, one):
    first = named()
    second = named(on=[first], condition=pb.DEPENDENCY_CONDITION_FINISHED)
    ids = await world.submit(first, second)
    await finish(one, 1, exit_code=1)
    await world.dependencies.step()
    await one.dispatched(2)
    assert runs(one) == ids


async def test_what_a_task_depends_on_may_have_ended_before(world, one):
    good, bad = await world.submit(new(), new())
    for dispatch in await one.dispatched(2):
        await one.finish(dispatch, exit_code=int(task_ids.task_id(dispatch.run_id) == bad))
    after = new()
    after.dependencies.add(task_id=good)
    [task_id] = await world.submit(after)
    await one.dispatched(3)
    assert runs(one)[-1] == task_id
    after.dependencies.add(task_id=bad)
    [task_id] = await world.submit(after)
    assert (await world.task(task_id)).task.reason == "DEPENDENCY_FAILED"


async def test_dependencies_are_settled_after_a_restart(world, one):
    first = named()
    second = named(on=[first])
    await world.submit(first, second)
    await finish(one, 1)
    await world.restart()
    await world.dependencies.step()
    await one.connect()
    await one.dispatched()
    assert runs(one) == [second.id]


async def test_a_circle_and_what_is_not_there_are_refused(world, one):
    first = named()
    second = named(on=[first])
    first.dependencies.add(task_id=second.id)
    with pytest.raises(errors.InvalidArgument, match="circle"):
        await world.submit(first, second)
    with pytest.raises(errors.TaskNotFound):
        await world.submit(named(on=[named()]))
    assert await world.store.read(sa.select(tables.tasks)) == []


async def test_waiting_for_others_is_not_waiting_for_a_node(world, one):
    first = named(queue_timeout_seconds=10)
    second = named(on=[first], queue_timeout_seconds=10)
    await world.submit(first, second)
    await one.dispatched()
    world.clock.advance(3600)
    await world.expiry.step()
    await finish(one, 1)
    await world.dependencies.step()
    await one.dispatched(2)
    assert runs(one)[-1] == second.id


def test_pauses_grow_as_they_are_told():
    def pauses(backoff: int, **fields: Any) -> list[float]:
        config = pb.TaskConfig(retry_interval_seconds=10, backoff=backoff, **fields)
        return [retry_pause(config, retry) for retry in range(1, 5)]

    assert pauses(pb.BACKOFF_FIXED) == [10, 10, 10, 10]
    assert pauses(pb.BACKOFF_LINEAR) == [10, 20, 30, 40]
    assert pauses(pb.BACKOFF_EXPONENTIAL) == [10, 20, 40, 80]
    assert pauses(pb.BACKOFF_EXPONENTIAL, max_retry_interval_seconds=25) == [10, 20, 25, 25]
    jittered = pauses(pb.BACKOFF_EXPONENTIAL_WITH_JITTER)
    assert all(0 <= pause <= most for pause, most in zip(jittered, (10, 20, 40, 80), strict=True))


# -- how many


def frames_with_dispatches(agent) -> list[int]:
    return [len(frame.dispatches) for frame in agent.frames if frame.dispatches]


async def test_a_node_is_sent_as_many_as_it_has_room_for_until_nothing_waits(world, one):
    one.send(free_slots=0)
    ids = await world.submit(*[new() for _ in range(12)])
    done = 0
    for _ in range(3):
        one.send(free_slots=4)
        dispatches = await one.dispatched(done + 4)
        one.send(
            free_slots=0,
            reports=[
                link.AttemptReport(
                    run_id=dispatch.run_id,
                    attempt=dispatch.attempt,
                    fencing_token=dispatch.fencing_token,
                    phase=link.ATTEMPT_PHASE_EXITED,
                    exit_code=0,
                )
                for dispatch in dispatches[done : done + 4]
            ],
        )
        done += 4
    assert frames_with_dispatches(one) == [4, 4, 4]
    assert sorted(runs(one)) == sorted(ids)


async def test_what_an_agent_answers_by_itself_takes_no_slot(world, one):
    one.send(free_slots=0, free_answers=3)
    await world.submit(new(), *[NewTask(config=pb.TaskConfig(task_type="echo")) for _ in range(5)])
    await one.dispatched(3)
    assert [dispatch.kind for dispatch in one.dispatches] == ["echo"] * 3
    one.send(free_slots=1, free_answers=0)
    await one.dispatched(4)
    assert one.dispatches[3].kind == "shell"
    one.send(free_slots=0, free_answers=2)
    await one.dispatched(6)
    assert [dispatch.kind for dispatch in one.dispatches[4:]] == ["echo"] * 2


async def test_nor_does_what_only_that_agent_may_answer(world, one):
    one.send(free_slots=0, free_answers=0)
    echo = NewTask(config=pb.TaskConfig(task_type="echo"), node_id="n1")
    await world.submit(NewTask(config=pb.TaskConfig(command_text="true"), node_id="n1"), echo, echo)
    one.send(free_slots=0, free_answers=5)
    await one.dispatched(2)
    assert [dispatch.kind for dispatch in one.dispatches] == ["echo", "echo"]
    one.send(free_slots=5, free_answers=5)
    assert (await one.dispatched(3))[2].kind == "shell"


async def test_the_echoes_of_an_agent_that_says_nothing_of_answers_take_slots(world, one):
    one.send(free_slots=2)
    await world.submit(*[NewTask(config=pb.TaskConfig(task_type="echo")) for _ in range(5)])
    await one.dispatched(2)
    one.send(free_slots=0)
    await one.settle(free_slots=0)
    assert len(one.dispatches) == 2


async def test_a_type_that_no_node_ever_had_is_refused_at_once(world):
    def typed(task_type: str) -> NewTask:
        return NewTask(config=pb.TaskConfig(task_type=task_type, payload="{}"))

    await world.submit(typed("sleep"))  # built in: the node that has it may come later
    with pytest.raises(errors.InvalidTaskType, match=r"^tasks\[1\].config.task_type: .*'nope'.*sleep"):
        await world.submit(typed("echo"), typed("nope"))
    agent = world.agent("n1", capabilities=["nope"])
    await agent.connect()
    await agent.cut()
    await world.submit(typed("echo"), typed("nope"))


async def test_every_type_that_some_node_has_is_known_whatever_the_others_have(
    tmp_path, world_at, database_url
):
    world = await world_at(tmp_path, database_url)
    long = secrets.token_hex(10_000)  # longer than an index takes, however it is packed
    had = ([], ['a\n"b'], ["first", "last"], ["first", "last"], ["first", long], ["\N{SNOWMAN}"], ["\0"])
    for number, capabilities in enumerate(had):
        agent = world.agent(f"n{number}", capabilities=capabilities)
        await agent.connect()
        await agent.cut()
    known = {each for capabilities in had for each in capabilities} - {long, "\0"}
    await world.submit(*(NewTask(config=pb.TaskConfig(task_type=each)) for each in known))
    for unknown in ("a", "las", "b"):
        with pytest.raises(errors.InvalidTaskType):
            await world.submit(task_type=unknown)
    await world.fleet.nodes.delete(ADMIN, "n1")
    with pytest.raises(errors.InvalidTaskType):
        await world.submit(task_type='a\n"b')


async def test_no_node_is_read_to_know_a_type(world):
    agent = world.agent("n1", capabilities=["odd"])
    await agent.connect()
    await agent.cut()
    with said_to_the_database() as said:
        await world.submit(task_type="odd")
    of_nodes = [text for text in said if "FROM nodes" in text]
    assert of_nodes
    assert not any("body" in text for text in of_nodes), of_nodes


async def test_types_are_known_by_seeks(world):
    plan = await plan_of(world.store, task_types.ANNOUNCED)
    of_nodes = [step for step in plan if "nodes" in step]
    assert len(of_nodes) == 3
    index = "INDEX ix_nodes_capabilities_sha256"
    assert all(step.startswith("SEARCH") and index in step for step in of_nodes), plan
    assert not any("TEMP" in step for step in plan), plan


async def test_what_no_node_took_in_time_says_whether_one_was_named(world, pair):
    for agent in pair:
        await agent.settle(free_slots=0)
    [anywhere] = await world.submit(new(labels={"no": "where"}, queue_timeout_seconds=3))
    named_one = new(queue_timeout_seconds=3)
    named_one.node_id = "n1"
    [named] = await world.submit(named_one)
    await world.pass_time(4)
    said = [(await world.task(each)).task.reason_message for each in (anywhere, named)]
    assert said == ["no node took it within 3 s", "its node did not take it within 3 s"]


async def test_a_retry_may_wait_no_longer_for_a_node_than_the_first_attempt(world, one):
    wanted = {"max_retries": 1, "retry_interval_seconds": 5, "queue_timeout_seconds": 60}
    [task_id] = await world.submit(new(**wanted))
    [dispatch] = await one.dispatched()
    await one.start(dispatch)
    await world.pass_time(100)
    await one.finish(dispatch, exit_code=1)
    await one.cut()
    for _ in range(3):
        await world.pass_time(10)
        await world.due.step()
    assert (await world.task(task_id)).task.state == pb.WORK_STATE_PENDING
    await world.pass_time(36)
    task = (await world.task(task_id)).task
    assert (task.state, task.reason) == (pb.WORK_STATE_TIMED_OUT, "QUEUE_TIMEOUT")


async def test_what_ends_in_the_commit_that_makes_what_depends_on_it_lets_that_go(world, one):
    await world.dependencies.step()  # nothing depends on anything
    [first] = await world.submit(new())
    [dispatch] = await one.dispatched()
    await one.start(dispatch)
    after = new(command_text="after")
    after.dependencies.add(task_id=first, condition=pb.DEPENDENCY_CONDITION_FINISHED)

    def end(tx):
        stored = tx.get(TASKS, task_ids.run_id(first))
        tasks.end_attempt(tx, stored, pb.WORK_STATE_CANCELLED, "CANCELLED", "")

    await asyncio.gather(
        world.fleet.schedule_tasks.cancel(ADMIN, first), world.submit(after), world.store.write(end)
    )
    await world.dependencies.step()
    assert (await one.dispatched(2))[1].command_text == "after"


async def test_a_task_names_what_it_depends_on_once(world):
    [first] = await world.submit(new())
    after = new()
    after.dependencies.add(task_id=first)
    after.dependencies.add(task_id=task_ids.run_id(first), condition=2)
    with pytest.raises(
        errors.InvalidArgument, match=r"tasks\[0\]\.dependencies\[1\]\.task_id: is named before"
    ):
        await world.submit(after)


async def test_what_no_process_can_be_given_is_refused(world):
    longest = "x" * (128 * 1024 - 1 - len("A="))
    await world.submit(
        NewTask(config=pb.TaskConfig(command_text="x"), environment=f'{{"A": "{longest}"}}')
    )
    for field, text in (
        ("environment.A", f'{{"A": "{longest}x"}}'),
        ("parameters", f'"{"x" * 128 * 1024}"'),
    ):
        wanted = NewTask(config=pb.TaskConfig(command_text="x"), **{field.partition(".")[0]: text})
        with pytest.raises(errors.InvalidArgument, match=rf"^tasks\[0\]\.{field}: must take at most"):
            await world.submit(wanted)
