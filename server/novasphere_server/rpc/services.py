"""Every service that the server offers, on one page."""

from __future__ import annotations

from google.protobuf.descriptor import FileDescriptor
from novasphere.api.v1 import (
    access_service_pb2,
    join_token_service_pb2,
    key_service_pb2,
    ticket_service_pb2,
)
from novasphere.fleet.v1 import device_task_service_pb2, stats_service_pb2
from novasphere.link.v1 import link_service_pb2
from novasphere.node.v1 import (
    command_service_pb2,
    metric_service_pb2,
    node_service_pb2,
    system_service_pb2,
)
from novasphere.schedule.v1 import (
    agent_service_pb2,
    job_service_pb2,
    schedule_service_pb2,
    server_service_pb2,
    task_instance_service_pb2,
    task_service_pb2,
    token_service_pb2,
)

from novasphere_server.core.agent_tokens import AgentTokens
from novasphere_server.core.fleet import Fleet
from novasphere_server.core.join_tokens import JoinTokens
from novasphere_server.core.keys import Keys
from novasphere_server.core.tickets import Tickets
from novasphere_server.rpc import health, reflection
from novasphere_server.rpc.agents import AgentService
from novasphere_server.rpc.commands import CommandService
from novasphere_server.rpc.jobs import JobService
from novasphere_server.rpc.keys import JoinTokenService, KeyService
from novasphere_server.rpc.link import LinkService
from novasphere_server.rpc.metrics import MetricService
from novasphere_server.rpc.nodes import NodeService
from novasphere_server.rpc.pipeline import Resource
from novasphere_server.rpc.schedules import ScheduleService
from novasphere_server.rpc.servers import ServerService
from novasphere_server.rpc.stats import StatsService
from novasphere_server.rpc.systems import SystemService
from novasphere_server.rpc.tasks import DeviceTaskService, TaskInstanceService, TaskService
from novasphere_server.rpc.tickets import TicketService
from novasphere_server.rpc.tokens import TokenService


def _service(file: FileDescriptor) -> str:
    """Returns the full name of the one service that the file holds."""
    (service,) = file.services_by_name.values()
    return str(service.full_name)


NODES = _service(node_service_pb2.DESCRIPTOR)
COMMANDS = _service(command_service_pb2.DESCRIPTOR)
METRICS = _service(metric_service_pb2.DESCRIPTOR)
SYSTEM = _service(system_service_pb2.DESCRIPTOR)
AGENTS = _service(agent_service_pb2.DESCRIPTOR)
SERVERS = _service(server_service_pb2.DESCRIPTOR)
AGENT_TOKENS = _service(token_service_pb2.DESCRIPTOR)
JOBS = _service(job_service_pb2.DESCRIPTOR)
KEYS = _service(key_service_pb2.DESCRIPTOR)
JOIN_TOKENS = _service(join_token_service_pb2.DESCRIPTOR)
TICKETS = _service(ticket_service_pb2.DESCRIPTOR)
LINK = _service(link_service_pb2.DESCRIPTOR)
ACCESS = _service(access_service_pb2.DESCRIPTOR)
TASKS = _service(task_service_pb2.DESCRIPTOR)
TASK_INSTANCES = _service(task_instance_service_pb2.DESCRIPTOR)
DEVICE_TASKS = _service(device_task_service_pb2.DESCRIPTOR)
STATS = _service(stats_service_pb2.DESCRIPTOR)
SCHEDULES = _service(schedule_service_pb2.DESCRIPTOR)

NAMES = (
    SCHEDULES,
    NODES,
    COMMANDS,
    METRICS,
    AGENTS,
    SERVERS,
    AGENT_TOKENS,
    JOBS,
    SYSTEM,
    KEYS,
    JOIN_TOKENS,
    TICKETS,
    LINK,
    ACCESS,
    TASKS,
    TASK_INSTANCES,
    DEVICE_TASKS,
    STATS,
)
LISTED = (*NAMES, health.NAME, reflection.V1, reflection.V1ALPHA)


def services(
    fleet: Fleet,
    keys: Keys,
    join_tokens: JoinTokens,
    tickets: Tickets,
    agent_tokens: AgentTokens,
    system: SystemService,
    servers: ServerService,
) -> dict[str, object]:
    """Returns what serves each service of the API."""
    return {
        NODES: NodeService(fleet.nodes),
        COMMANDS: CommandService(
            fleet.commands, fleet.command_batches, fleet.explanations, fleet.outputs
        ),
        METRICS: MetricService(fleet.metrics),
        SYSTEM: system,
        AGENTS: AgentService(fleet.agents),
        SERVERS: servers,
        AGENT_TOKENS: TokenService(agent_tokens, fleet.agents),
        JOBS: JobService(fleet.jobs, fleet.schedule_tasks),
        KEYS: KeyService(keys),
        JOIN_TOKENS: JoinTokenService(join_tokens),
        TICKETS: TicketService(tickets),
        LINK: LinkService(fleet.links),
        TASKS: TaskService(fleet.schedule_tasks, fleet.task_explanations),
        SCHEDULES: ScheduleService(fleet.schedules, fleet.schedule_times, fleet.schedule_explanations),
        TASK_INSTANCES: TaskInstanceService(fleet.schedule_tasks),
        DEVICE_TASKS: DeviceTaskService(fleet.device_tasks),
        STATS: StatsService(fleet.task_stats),
    }


def resources(fleet: Fleet, keys: Keys, join_tokens: JoinTokens) -> dict[str, Resource]:
    """Returns how to look up what REST paths name, by the collection that it is in."""
    return {
        "nodes": lambda _, key: fleet.nodes.get(key),
        "commands": fleet.commands.get,
        "servers": lambda _, key: fleet.server_rows.get(key),
        "agents": lambda _, key: fleet.agents.get(key),
        "jobs": fleet.jobs.get,
        "schedules": fleet.schedules.get,
        "tasks": fleet.schedule_tasks.get,
        "task-instances": fleet.schedule_tasks.get_instance,
        "keys": keys.get,
        "join-tokens": join_tokens.get,
    }
