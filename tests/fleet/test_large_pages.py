"""A page of attempts fits a message, however much they printed."""

from __future__ import annotations

from typing import Any

from novasphere.schedule.v1 import task_instance_service_pb2 as api
from novasphere.schedule.v1 import task_pb2, task_service_pb2
from novasphere_server.core.credentials import ADMIN

COUNT = 40
MESSAGE = 4 * 1024 * 1024  # what gRPC clients take unless told otherwise


async def test_attempts_that_printed_much_share_a_page(world: Any):
    agent = world.agent("n1")
    agent.profile["capabilities"] = ["shell"]
    await agent.connect()
    await agent.settle()
    new = task_service_pb2.NewTask(config=task_pb2.TaskConfig(command_text="x"))
    await world.submit(*[new] * COUNT)
    for number in range(COUNT):
        dispatch = (await agent.dispatched(number + 1))[number]
        await agent.print(dispatch, "é".encode() * 32768, 0, 1 + number % 2)
        await agent.finish(dispatch, exit_code=0)
    request = api.ListTaskInstancesRequest()
    request.page.page_size = 1000
    found, total = await world.fleet.schedule_tasks.list_instances(ADMIN, request)
    assert (len(found), total) == (COUNT, COUNT)
    assert api.ListTaskInstancesResponse(data=found).ByteSize() < MESSAGE
    for each in found:
        assert each.output == each.stdout + each.stderr
        assert 1000 < len(each.output) < 32768
        assert each.output_truncated
        assert (each.stdout_truncated, each.stderr_truncated) == (bool(each.stdout), bool(each.stderr))
    # What fits is shown whole, and one of them always fits.
    request.page.page_size = 10
    [*some], _ = await world.fleet.schedule_tasks.list_instances(ADMIN, request)
    assert {len(each.output) for each in some} == {32768}
