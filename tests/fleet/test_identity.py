from __future__ import annotations

import pytest
from novasphere.api.v1 import options_pb2
from novasphere.node.v1 import node_pb2
from novasphere_server import errors
from novasphere_server.core.credentials import ADMIN
from novasphere_server.core.identities import Identity
from novasphere_server.core.join_tokens import JoinTokens
from novasphere_server.core.principals import Principal, PrincipalKind
from novasphere_server.store.kinds import NODES


async def test_a_join_token_makes_a_machine_a_node(world):
    welcome = await world.agent("n1", os_info="Debian", labels={"zone": "a"}).connect()
    node = await world.node("n1")
    assert welcome.credential.startswith("nsa_")
    assert (welcome.node_id, welcome.node_uid) == ("n1", node.uid)
    assert welcome.heartbeat_interval_ms == 10_000
    assert (node.id, node.hostname, node.os_info) == (1, "host-of-n1", "Debian")
    assert node.ip_address == "10.0.0.7"
    assert dict(node.labels) == {"zone": "a"}
    assert node.tags == ["linux", "x86_64"]
    assert node.connection == node_pb2.CONNECTION_STATE_ONLINE
    assert node.status == node_pb2.NODE_STATUS_ONLINE
    assert node.HasField("last_heartbeat")
    assert node.free_slots == 4


async def test_who_is_bound_to_namespaces_lets_no_machine_join(world):
    scopes = frozenset({options_pb2.SCOPE_ENROL})
    bound = Principal(PrincipalKind.KEY, "key:tenant", scopes, frozenset({"tenant"}))
    with pytest.raises(errors.PermissionDenied, match="bound to namespaces"):
        await world.agent("n1").connect(principal=bound)
    assert await world.store.get(NODES, "n1") is None


async def test_an_agent_returns_with_its_credential_as_the_same_node(world):
    agent = world.agent("n1")
    first = await agent.connect()
    agent.profile["os_info"] = "Debian 13"
    second = await agent.connect()
    assert second.node_uid == first.node_uid
    assert not second.credential
    assert second.session_token != first.session_token
    node = await world.node("n1")
    assert (node.id, node.os_info) == (1, "Debian 13")


async def test_the_stored_name_wins_over_the_one_in_a_hello(world):
    agent = world.agent("n1")
    await agent.connect()
    agent.name = "other"
    assert (await agent.connect()).node_id == "n1"


async def test_a_name_that_is_taken_is_refused(world):
    await world.agent("n1").connect()
    with pytest.raises(errors.NodeNameTaken):
        await world.agent("n1", hostname="elsewhere").connect()


async def test_a_machine_that_never_got_its_welcome_enrols_again(world):
    agent = world.agent("n1")
    lost = await agent.connect(is_confirmed=False)
    again = await agent.connect()
    assert again.node_uid == lost.node_uid
    assert again.credential != lost.credential
    with pytest.raises(errors.Unauthenticated):
        await world.credentials.authenticate(lost.credential)
    await agent.connect()  # with the second credential


async def test_another_machine_cannot_take_over_an_unconfirmed_enrolment(world):
    await world.agent("n1").connect(is_confirmed=False)
    stranger = world.agent("n1")
    stranger.boot_id = "boot-of-another-machine"
    with pytest.raises(errors.NodeNameTaken):
        await stranger.connect()


async def test_a_confirmed_enrolment_cannot_be_repeated(world):
    agent = world.agent("n1")
    await agent.connect()
    await agent.settle()
    agent.node_uid = agent.credential = agent.session_token = ""
    with pytest.raises(errors.NodeNameTaken):
        await agent.connect()


async def test_a_one_use_token_admits_one_node_even_when_its_welcome_was_lost(world):
    _, secret = await JoinTokens(world.store).create(ADMIN, 60, False)
    agent = world.agent("n1")
    await agent.connect(principal=await world.credentials.authenticate(secret), is_confirmed=False)
    await agent.connect(principal=await world.credentials.authenticate(secret))
    with pytest.raises(errors.Unauthenticated):
        await world.agent("n2").connect(principal=await world.credentials.authenticate(secret))
    assert await world.store.get(NODES, "n2") is None


@pytest.mark.parametrize("is_confirmed", [False, True])
async def test_a_one_use_token_stays_used_when_its_node_is_deleted(world, is_confirmed):
    _, secret = await JoinTokens(world.store).create(ADMIN, 60, False)
    agent = world.agent("n1")
    await agent.connect(
        principal=await world.credentials.authenticate(secret), is_confirmed=is_confirmed
    )
    await world.fleet.nodes.delete(ADMIN, "n1")
    agent.node_uid = agent.credential = agent.session_token = ""
    with pytest.raises(errors.Unauthenticated):
        await agent.connect(principal=await world.credentials.authenticate(secret))
    assert await world.store.get(NODES, "n1") is None


def test_an_identity_does_not_show_its_secrets():
    assert "secret" not in repr(Identity(session_token="a secret", credential="a secret"))


async def test_a_lost_welcome_leaves_the_older_session_good(world):
    agent = world.agent("n1")
    await agent.connect()
    await agent.connect(is_confirmed=False)  # a Welcome that never reached the disk
    await agent.connect()


async def test_a_clone_is_refused_and_the_machine_itself_stays_linked(world):
    agent = world.agent("n1")
    await agent.connect()
    clone = agent.clone()
    await agent.connect()
    await agent.settle()
    with pytest.raises(errors.DuplicateIdentity):
        await clone.connect()
    await agent.settle()
    assert not agent.has_ended


async def test_a_machine_whose_clone_came_first_is_told_how_to_get_in_again(world):
    machine = world.agent("n1")
    await machine.connect()
    clone = machine.clone()
    await clone.connect()
    await clone.settle()
    with pytest.raises(errors.DuplicateIdentity) as refused:
        await machine.connect()
    assert "start this agent once with --reset-identity, a join token and another --name" in str(
        refused.value
    )
    assert "to keep the name, delete node 'n1' first" in str(refused.value)
    machine.node_uid = machine.credential = machine.session_token = ""
    with pytest.raises(errors.NodeNameTaken):
        await machine.connect()
    await world.fleet.nodes.delete(ADMIN, "n1")
    await machine.connect()


async def test_a_newer_stream_of_the_same_agent_replaces_the_older(world):
    agent = world.agent("n1")
    await agent.connect()
    await agent.settle()
    heir = agent.clone()
    await heir.connect()
    await agent.until(lambda: agent.has_ended)
    assert agent.closing == "DUPLICATE_IDENTITY"
    await heir.settle()
    await world.presence.step()
    assert (await world.node()).connection == node_pb2.CONNECTION_STATE_ONLINE


async def test_a_credential_of_another_node_is_refused(world):
    one, two = world.agent("n1"), world.agent("n2")
    await one.connect()
    await two.connect()
    two.credential = one.credential
    with pytest.raises(errors.PermissionDenied):
        await two.connect()


async def test_a_join_token_does_not_speak_for_a_node(world):
    agent = world.agent("n1")
    await agent.connect()
    agent.credential = ""
    with pytest.raises(errors.PermissionDenied):
        await agent.connect()


async def test_the_agent_of_a_deleted_node_is_told_so_and_may_join_again(world):
    agent = world.agent("n1")
    first = await agent.connect()
    await world.fleet.nodes.delete(ADMIN, "n1")
    await agent.until(lambda: agent.has_ended)
    assert agent.closing == "NODE_DELETED"
    with pytest.raises(errors.NodeDeleted):
        await agent.connect()
    agent.node_uid = agent.credential = agent.session_token = ""
    again = await agent.connect()
    assert again.node_uid != first.node_uid
    assert (await world.node()).id == 2


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "-a", "a" * 254, "ä"])
async def test_a_name_that_no_path_could_carry_is_refused(world, name):
    with pytest.raises(errors.InvalidArgument):
        await world.agent(name).connect()


async def test_the_first_frame_must_be_a_hello(world):
    agent = world.agent("n1")
    await agent.connect()
    agent.send(hello={"node_id": "n1"})
    await agent.until(lambda: agent.has_ended)
    assert isinstance(agent.failure, errors.LinkProtocol)


async def test_a_frame_out_of_order_ends_the_stream(world):
    agent = world.agent("n1")
    await agent.connect()
    agent.sent += 1
    agent.beat()
    await agent.until(lambda: agent.has_ended)
    assert isinstance(agent.failure, errors.LinkProtocol)
