"""Which links are to look for work: what cannot be seen from outside until a node stands idle."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from novasphere.node.v1 import node_pb2
from novasphere_server.core import demands, meetings
from novasphere_server.core.demands import Demand
from novasphere_server.core.placement import Placement
from novasphere_server.core.sessions import Session

DEMAND = '{"capabilities":["shell"]}'


def session(placement: Placement, name: str) -> Session:
    """Returns the session of a node that runs lines, one at a time."""
    found = Session(name, name)
    found.node = node_pb2.Node(node_id=name, uid=name, capabilities=["shell"])
    found.free_slots = found.capacity = 1
    placement.join(found)
    return found


def test_a_node_whose_offer_another_took_is_offered_the_next() -> None:
    placement = Placement()
    one = session(placement, "n1")
    placement.offer(DEMAND)
    other = session(placement, "n2")
    looked_for, _ = placement.look(other)
    placement.looked(looked_for, ())
    placement.leave(other)
    one.wake.clear()
    assert placement.look(one)[0] == {}
    placement.offer(DEMAND)
    assert one.wake.is_set()


def test_what_was_meant_for_a_node_that_has_become_full_is_passed_on() -> None:
    placement = Placement()
    one = session(placement, "n1")
    placement.offer(DEMAND)
    other = session(placement, "n2")
    one.free_slots = 0
    placement.pass_on(one)
    assert other.wake.is_set()


def test_an_offer_behind_a_change_of_a_node_looks_at_that_node_alone(monkeypatch: Any) -> None:
    placement = Placement()
    for n in range(300):
        session(placement, f"n{n}")
    placement.offer(DEMAND)
    looks = 0
    is_met_by = Demand.is_met_by

    def counted(demand: Demand, node: node_pb2.Node) -> bool:
        nonlocal looks
        looks += 1
        return is_met_by(demand, node)

    monkeypatch.setattr(Demand, "is_met_by", counted)
    placement.update(node_pb2.Node(node_id="n7", uid="n7", capabilities=["exec"]))
    placement.offer(DEMAND)
    assert looks < 10


@pytest.mark.parametrize("bounds", [{}, {"_REMEMBERED_SESSIONS": 20}, {"_REMEMBERED": 4, "_KEPT_UP": 2}])
def test_who_meets_a_demand_is_known_whatever_becomes_of_nodes(monkeypatch: Any, bounds: Any) -> None:
    for name, value in bounds.items():
        monkeypatch.setattr(meetings, name, value)
    chance = random.Random(7)
    zones = [str(n) for n in range(8)]
    asked = [
        json.dumps({"capabilities": ["shell"], "labels": {"zone": zone}}, separators=(",", ":"))
        for zone in zones
    ]
    placement, linked = Placement(), {}
    for _ in range(2000):
        name = f"n{chance.randrange(20)}"
        node = node_pb2.Node(node_id=name, uid=name, capabilities=["shell"])
        node.labels["zone"] = chance.choice(zones)
        match chance.randrange(4):
            case 0:  # a session takes the place of another, as when its node calls again
                found = linked[name] = Session(name, name)
                found.node, found.free_slots, found.capacity = node, 1, 1
                placement.join(found)
            case 1 if name in linked:
                placement.leave(linked.pop(name))
            case 2 if name in linked:
                placement.update(node)
        demand = chance.choice(asked)
        meeting = [each for each in linked.values() if demands.parse(demand).is_met_by(each.node)]
        assert placement.is_met(demand) == bool(meeting)
        for each in linked.values():
            each.wake.clear()
            each.offered = [0, 0]
        placement.offer(demand, len(linked))
        assert {each.node_uid for each in linked.values() if each.wake.is_set()} == {
            each.node_uid for each in meeting
        }
