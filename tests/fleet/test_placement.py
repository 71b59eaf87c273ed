"""Which links are to look for work: what cannot be seen from outside until a node stands idle."""

from __future__ import annotations

from novasphere.node.v1 import node_pb2
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
