"""Nodes as the schedules face has them: reserved names, labels that clients give, and who is busy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import agent_pb2 as pb
from novasphere.schedule.v1 import agent_service_pb2 as api
from novasphere_server import errors
from novasphere_server.core.agents import agent_of
from novasphere_server.core.credentials import ADMIN

LABELS = {"env": "production"}


async def agents(world, **conditions: Any) -> list[pb.Agent]:
    """Returns the agents whose status meets the conditions, by name."""
    request = api.ListAgentsRequest()
    for name, value in conditions.items():
        setattr(request.filter["status"], name, json.dumps(value))
    page = await world.fleet.agents.list(request)
    assert page.total == len(page.items)
    return sorted((item.message() for item in page.items), key=lambda agent: agent.name)


async def reserve(world, name: str = "n1", **fields: Any) -> str:
    node = await world.fleet.agents.create(ADMIN, api.CreateAgentRequest(name=name, **fields))
    return agent_of(node).id


async def test_the_first_agent_that_joins_under_a_reserved_name_is_the_node(world):
    agent_id = await reserve(world, labels=LABELS, endpoint="ws://localhost:8081")
    (reserved,) = await agents(world)
    assert reserved.status == pb.AGENT_STATUS_OFFLINE
    assert (await world.node()).is_reserved
    agent = world.agent("n1", labels={"started": "with"})
    welcome = await agent.connect()
    assert welcome.is_created
    await agent.settle()
    node = await world.node()
    assert not node.is_reserved
    (joined,) = await agents(world)
    assert (joined.id, joined.status, dict(joined.labels)) == (agent_id, pb.AGENT_STATUS_ONLINE, LABELS)
    with pytest.raises(errors.NodeNameTaken):
        await world.agent("n1", hostname="another").connect()


async def test_labels_that_a_client_gave_stay_until_they_are_taken_back(world):
    agent = world.agent("n1", labels={"started": "with"})
    await agent.connect()
    await agent.settle()
    update = api.UpdateAgentRequest(agent_id="n1", labels=LABELS)
    await world.fleet.agents.update(ADMIN, update, ["labels"])
    assert dict((await world.node()).labels) == LABELS
    await agent.cut()
    await agent.connect()
    assert dict((await world.node()).labels) == LABELS
    await world.fleet.agents.update(ADMIN, api.UpdateAgentRequest(agent_id="n1"), ["labels"])
    assert dict((await world.node()).labels) == {}
    await agent.cut()
    await agent.connect()
    assert dict((await world.node()).labels) == {"started": "with"}


async def test_an_agent_without_room_is_busy_in_rows_and_filters(world):
    for name in ("busy", "idle"):
        agent = world.agent(name)
        await agent.connect()
        await agent.settle(free_slots=0 if name == "busy" else 2)
    await reserve(world, "away")
    online, busy, offline = pb.AGENT_STATUS_ONLINE, pb.AGENT_STATUS_BUSY, pb.AGENT_STATUS_OFFLINE
    everybody = [("away", offline), ("busy", busy), ("idle", online)]
    for conditions, expected in (
        ({}, everybody),
        ({"eq": "busy"}, everybody[1:2]),
        ({"eq": 1}, everybody[2:]),
        ({"eq": 0}, everybody[:1]),
        ({"in": ["busy", "offline"]}, everybody[:2]),
        ({"in": [1, 2]}, everybody[1:]),
        ({"not": "busy"}, [everybody[0], everybody[2]]),
        ({"not": "online"}, everybody[:2]),
        ({"gte": 1}, everybody[1:]),
        ({"lt": 2}, [everybody[0], everybody[2]]),
        ({"eq": "error"}, []),
    ):
        found = [(agent.name, agent.status) for agent in await agents(world, **conditions)]
        assert found == expected, conditions


async def test_an_agent_goes_offline_after_300_seconds_of_silence(world):
    agent = world.agent("n1")
    await agent.connect()
    await agent.settle()
    await agent.cut()
    await world.pass_time(200)
    assert (await world.node()).status == node_pb2.NODE_STATUS_OFFLINE
    assert [one.status for one in await agents(world, eq="online")] == [pb.AGENT_STATUS_ONLINE]
    await world.pass_time(110)
    assert [one.status for one in await agents(world, eq="offline")] == [pb.AGENT_STATUS_OFFLINE]
