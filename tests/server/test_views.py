"""Responses made of cached objects."""

from __future__ import annotations

from novasphere.node.v1 import node_pb2, node_service_pb2
from novasphere_server.rpc.views import Many, One
from novasphere_server.store.rendered import Rendered


def rendered(node_id: str) -> Rendered[node_pb2.Node]:
    node = node_pb2.Node(node_id=node_id, hostname="h" * 200)
    return Rendered(node_pb2.Node, node.SerializeToString(), "7")


def test_one_is_the_message_with_the_object_in_it():
    item = rendered("a")
    view = One(node_service_pb2.GetNodeResponse(), "node", item)
    assert view.message() == node_service_pb2.GetNodeResponse(node=item.message())
    assert view.etag == "7"


def test_the_bytes_of_one_are_shared_where_nothing_else_is_said():
    item, empty = rendered("a"), node_service_pb2.GetNodeResponse()
    assert One(empty, "node", item).wire() is One(empty, "node", item).wire()
    event = node_service_pb2.NodeEvent(cursor="1")
    once, twice = (One(event, "object", item).wire() for _ in range(2))
    assert once == twice
    assert item.answer[0] is empty
    other = One(event, "object", item).message()
    assert (other.cursor, other.object) == ("1", item.message())


def test_many_is_the_message_with_the_objects_in_it():
    items = [rendered("a"), rendered("b")]
    view = Many(node_service_pb2.ListNodesResponse(total=2), "nodes", items)
    nodes = [item.message() for item in items]
    assert view.message() == node_service_pb2.ListNodesResponse(total=2, nodes=nodes)
    assert view.memo("k", lambda: b"once") == view.memo("k", lambda: b"twice") == b"once"
