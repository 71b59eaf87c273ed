"""Jobs: what is to be run again and again; and the agents that run it."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from novasphere.schedule.v1 import (
    agent_pb2,
    agent_service_pb2,
    agent_service_pb2_grpc,
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
    task_pb2,
)

from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.errors import NotFound
from novasphere_client.nodes import timestamp
from novasphere_client.watches import Watch

JobWatch = Watch[job_service_pb2.JobEvent]

DEFAULT_NAMESPACE = "default"
_PAGE = 1000


class Jobs:
    """Jobs, by id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = job_service_pb2_grpc.JobServiceStub(connection.channel)

    async def create(self, request: job_service_pb2.CreateJobRequest) -> str:
        """Makes a job and returns its id."""
        made = await self._connection.mutate(self._service.CreateJob, copy.deepcopy(request))
        return str(made.id)

    async def list(self, request: job_service_pb2.ListJobsRequest) -> job_service_pb2.ListJobsResponse:
        """Returns one page of jobs."""
        return await self._connection.read(self._service.ListJobs, request)

    async def all(
        self,
        *,
        namespace: str = "",
        name: str = "",
        status: job_pb2.JobStatus.ValueType = job_pb2.JOB_STATUS_UNSPECIFIED,
    ) -> AsyncIterator[job_pb2.Job]:
        """Yields every matching job, oldest first; jobs that go meanwhile may make others be missed."""
        request = job_service_pb2.ListJobsRequest()
        for field, wanted in (("namespace_id", namespace), ("name", name)):
            if wanted:
                request.filter[field].eq = json.dumps(wanted)
        if status:
            request.filter["status"].eq = json.dumps(status)
        request.page.page_size = _PAGE
        request.page.order_by.append("number")
        number = 0
        while True:
            number += 1
            request.page.page = number
            page = await self.list(request)
            for job in page.data:
                yield job
            if len(page.data) < _PAGE:
                return

    async def get(self, job_id: str) -> job_pb2.Job:
        """Returns one job."""
        request = job_service_pb2.GetJobRequest(job_id=job_id)
        return (await self._connection.read(self._service.GetJob, request)).job

    async def named(self, name: str, namespace: str = DEFAULT_NAMESPACE) -> job_pb2.Job:
        """Returns the job of a name. Raises NotFound."""
        async for job in self.all(namespace=namespace, name=name):
            return job
        raise NotFound(f"no job in the namespace {namespace!r} is called {name!r}")

    async def update(self, request: job_service_pb2.UpdateJobRequest) -> int:
        """Changes what the request's update_mask names, or what is set in it; returns the job's revision, which
        is the one that it had where that changes nothing.
        """
        return (await self._connection.mutate(self._service.UpdateJob, copy.deepcopy(request))).revision

    async def delete(
        self, job_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> None:
        """Deletes a job."""
        request = job_service_pb2.DeleteJobRequest(
            job_id=job_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        await self._connection.mutate(self._service.DeleteJob, request)

    async def enable(
        self, job_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> None:
        """Lets a job make tasks."""
        request = job_service_pb2.EnableJobRequest(
            job_id=job_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        await self._connection.mutate(self._service.EnableJob, request)

    async def disable(
        self, job_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> None:
        """Keeps a job from making tasks."""
        request = job_service_pb2.DisableJobRequest(
            job_id=job_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        await self._connection.mutate(self._service.DisableJob, request)

    async def trigger(
        self,
        job_id: str,
        *,
        parameters: str | None = None,
        priority: int = 0,
        scheduled_at: datetime | None = None,
        request_id: str = "",
        validate_only: bool = False,
    ) -> task_pb2.Task:
        """Makes a task of a job: now, or for `scheduled_at`. `parameters` are JSON."""
        request = job_service_pb2.TriggerJobRequest(
            job_id=job_id,
            parameters=parameters,
            priority=priority,
            request_id=request_id,
            validate_only=validate_only,
        )
        if scheduled_at is not None:
            request.scheduled_at.CopyFrom(timestamp(scheduled_at))
        return (await self._connection.mutate(self._service.TriggerJob, request)).task

    def watch(
        self,
        *,
        cursor: str = "",
        job_id: str = "",
        namespace: str = "",
        status: job_pb2.JobStatus.ValueType = job_pb2.JOB_STATUS_UNSPECIFIED,
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> JobWatch:
        """Watches jobs; see `Watch`."""
        return Watch(
            self._connection,
            lambda cursor, metadata: self._service.WatchJobs(
                job_service_pb2.WatchJobsRequest(
                    cursor=cursor, job_id=job_id, namespace_id=namespace, status=status
                ),
                metadata=metadata,
            ),
            lambda job: str(job.id),
            job_service_pb2.JobEvent,
            cursor=cursor,
            patience=patience,
            on_interruption=on_interruption,
        )


class Agents:
    """Nodes as the schedules face has them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = agent_service_pb2_grpc.AgentServiceStub(connection.channel)

    async def list(
        self, request: agent_service_pb2.ListAgentsRequest
    ) -> agent_service_pb2.ListAgentsResponse:
        """Returns one page of agents."""
        return await self._connection.read(self._service.ListAgents, request)

    async def all(
        self, *, statuses: Sequence[agent_pb2.AgentStatus.ValueType] = ()
    ) -> AsyncIterator[agent_pb2.Agent]:
        """Yields every agent, or those that stand so, by name."""
        request = agent_service_pb2.ListAgentsRequest()
        if statuses:
            names = [agent_pb2.AgentStatus.Name(status) for status in statuses]
            setattr(request.filter["status"], "in", json.dumps(names))  # a word of Python
        request.page.page_size = _PAGE
        request.page.order_by.append("name")
        number = 0
        while True:
            number += 1
            request.page.page = number
            page = await self.list(request)
            for agent in page.data:
                yield agent
            if len(page.data) < _PAGE:
                return

    async def get(self, agent_id: str) -> agent_pb2.Agent:
        """Returns the agent of an id, or of a node's name."""
        request = agent_service_pb2.GetAgentRequest(agent_id=agent_id)
        return (await self._connection.read(self._service.GetAgent, request)).agent
