"""The server put together: settings -> store -> core -> servicers -> listeners and loops."""

from __future__ import annotations

import asyncio
import functools
import json
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiohttp import web
from novasphere import gateway as generated
from novasphere.api.v1 import options_pb2
from novasphere_gateway.backend import CallError
from novasphere_gateway.runtime import Gateway, GatewaySettings
from novasphere_gateway.runtime.requests import Incoming
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from novasphere_server import data_dirs, listening, logs
from novasphere_server.clock import Clock, SystemClock
from novasphere_server.core import secrets
from novasphere_server.core.agent_tokens import AgentTokens
from novasphere_server.core.credentials import Credentials
from novasphere_server.core.fleet import Fleet
from novasphere_server.core.join_tokens import JoinTokens
from novasphere_server.core.jwts import JwksError, Jwts, JwtSettings
from novasphere_server.core.keys import Keys
from novasphere_server.core.systems import System
from novasphere_server.core.tickets import Tickets
from novasphere_server.errors import ApiError, Draining
from novasphere_server.loops import fleet as fleet_loops
from novasphere_server.loops.jwt_keys import JwtKeys
from novasphere_server.loops.key_usage import KeyUsage
from novasphere_server.loops.supervisor import Loop, LoopState, Supervisor
from novasphere_server.loops.tickets import TicketExpiry
from novasphere_server.rpc import health, reflection, services, statuses
from novasphere_server.rpc.access import AccessService
from novasphere_server.rpc.inprocess import InProcess
from novasphere_server.rpc.pipeline import Pipeline
from novasphere_server.rpc.server import GrpcServer, PortTaken
from novasphere_server.rpc.servers import ServerService
from novasphere_server.rpc.systems import VERSION, SystemService
from novasphere_server.settings import Address, CannotStart, Settings, check_admin_token
from novasphere_server.store.database import Outage
from novasphere_server.store.store import Store
from novasphere_server.telemetry import CONTENT_TYPE, Telemetry

log = logs.get(__name__)

_STALE_STREAMS_PERIOD = 1.0
_HEALTH_PERIOD = 1.0
_LAST_WORDS = 1.0  # seconds of the drain that are kept for what gRPC has yet to send
# Where no credential is needed, a page whose own name points here must not reach the API.
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class StartFailed(CannotStart):
    """The database cannot be used; the text says why and what to do."""


class App:
    """One server: its store, its listeners, its loops."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.telemetry = Telemetry(VERSION)
        self.admin_token = ""
        self.join_token = ""
        self.http_address = settings.http
        self.grpc_address = settings.grpc
        self.store: Store
        self.credentials: Credentials
        self.fleet: Fleet
        self.pipeline: Pipeline
        self.health: health.Health
        self.supervisor = Supervisor(self._loop_changed)
        self._jwts: Jwts
        self._tickets: Tickets
        self._gateway: Gateway
        self._grpc: GrpcServer
        self._is_listening = False
        self._is_draining = False
        self._cut_off_at: float | None = None  # when calls under way are cut off; set by what stops us
        self._drain_limit: asyncio.Timeout | None = None  # while the drain lasts
        self._undo = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Returns when the server is ready. Raises what says in its text how to start it after all."""
        async with AsyncExitStack() as undo:
            await self._open(undo)
            self._compose()
            await self._listen(undo)
            self._undo = undo.pop_all()
        log.info(
            "ready",
            version=VERSION,
            http=str(self.http_address),
            grpc=str(self.grpc_address),
            data_dir=str(self.settings.data_dir),
        )

    async def stop(self) -> None:
        """Drains, then closes everything in the reverse order of its start."""
        if self._is_listening:
            await self._drain()
        undo, self._undo = self._undo, AsyncExitStack()
        await undo.aclose()

    def announce_stop(self) -> None:
        """Counts the drain's time from now on: something else is to end before stop() is called."""
        self._cut_off_in(max(0.0, self.settings.drain_seconds - _LAST_WORDS))

    def hurry(self) -> None:
        """Cuts the drain short, also one that has yet to begin: calls under way are cut off."""
        self._cut_off_in(0.0)

    @property
    def is_ready(self) -> bool:
        return self._is_listening and not self._is_draining and self.store.is_available

    # -- starting

    async def _open(self, undo: AsyncExitStack) -> None:
        settings = self.settings
        data_dir = data_dirs.DataDir(settings.data_dir)
        await data_dir.acquire()
        undo.callback(data_dir.release)
        self.admin_token = settings.admin_token or data_dir.secret(
            data_dirs.ADMIN_TOKEN, functools.partial(secrets.new, secrets.API_KEY)
        )
        check_admin_token(self.admin_token, str(settings.data_dir / data_dirs.ADMIN_TOKEN))
        self.join_token = data_dir.secret(
            data_dirs.JOIN_TOKEN, functools.partial(secrets.new, secrets.JOIN_TOKEN)
        )
        logs.mask.hide((self.admin_token, self.join_token, settings.jwt_secret))
        self._jwts = self._read_jwt_keys()
        self.store = await self._open_store()
        undo.push_async_callback(self.store.close)

    def _read_jwt_keys(self) -> Jwts:
        settings = self.settings
        keys = JwtSettings(
            settings.jwt_secret, settings.jwt_jwks, settings.jwt_issuer, settings.jwt_audience
        )
        try:
            return Jwts(keys, self.clock)
        except JwksError as error:
            raise StartFailed(f"jwt_jwks: {error}; name a file with public keys, or none") from None

    async def _open_store(self) -> Store:
        settings = self.settings
        try:
            return await Store.open(
                settings.database_url,
                clock=self.clock,
                limits=settings.limits,
                data_dir=settings.data_dir,
            )
        except (ValueError, ArgumentError) as error:
            raise StartFailed(f"--database-url cannot be used: {error}") from None
        except (SQLAlchemyError, Outage, OSError) as error:
            # What the driver said, in one line, without the page that SQLAlchemy would have people look up.
            why = " ".join(str(getattr(error, "orig", None) or error).split())
            raise StartFailed(f"{self._database} cannot be opened: {why}") from error

    @property
    def _database(self) -> str:
        where = make_url(self.settings.database_url).render_as_string(hide_password=True)
        return f"the database {where}"

    def _compose(self) -> None:
        store, clock, settings = self.store, self.clock, self.settings
        self._tickets = Tickets(store, clock)
        agent_tokens = AgentTokens(store, clock)
        self.credentials = Credentials(
            store,
            clock,
            admin_token=self.admin_token,
            join_token=self.join_token,
            jwts=self._jwts,
            own_tokens=agent_tokens,
            tickets=self._tickets,
        )
        self.fleet = Fleet(store, clock, settings.fleet, self.credentials)
        keys, join_tokens = Keys(store), JoinTokens(store)
        self.pipeline = Pipeline(
            authenticator=self.credentials,
            revisions=store,
            clock=clock,
            telemetry=self.telemetry,
            message_bytes=settings.message_bytes,
            refusal_burst=settings.refusal_burst,
            is_open=settings.no_auth,
            trusted_gateways=settings.trusted_gateways,
            resources=services.resources(self.fleet, keys, join_tokens),
        )
        self.health = health.Health(services.NAMES)
        database = settings.database_url.partition(":")[0].partition("+")[0]
        system = System(store)
        served = services.services(
            self.fleet,
            keys,
            join_tokens,
            self._tickets,
            agent_tokens,
            SystemService(system, clock, self.health, database),
            ServerService(self.fleet.server_rows, system, self.fleet.links, clock),
        )
        for name, servicer in served.items():
            self.pipeline.register(name, servicer)
        self.pipeline.register(services.ACCESS, AccessService(self.pipeline))
        self.pipeline.register(health.NAME, self.health, is_public=True)
        mirror = reflection.servicer(services.LISTED)
        self.pipeline.register(reflection.V1ALPHA, mirror)
        self.pipeline.register_alias(reflection.V1, reflection.V1ALPHA, mirror)
        self._tell_of_itself()

    def _tell_of_itself(self) -> None:
        store, links = self.store, self.fleet.links
        gauge, counter = self.telemetry.gauge, self.telemetry.counter
        gauge("store_revision", "The last revision.", lambda: store.revision)
        gauge("store_available", "1 while the database answers.", lambda: float(store.is_available))
        check = store.selfcheck
        gauge(
            "store_selfcheck_revision",
            "Up to which revision the tables were compared with the log.",
            lambda: check.revision,
        )
        gauge("store_selfcheck_age_seconds", "How long ago the last self-check ended.", check.age)
        counter(
            "store_selfcheck_mismatches",
            "Self-checks of a kind that failed, and cached objects that are not what is stored.",
            lambda: check.mismatches,
        )
        ledger = self.fleet.ledger_check
        counter(
            "firing_ledger_times",
            "Times of schedules of which the ledger was checked.",
            lambda: ledger.times,
        )
        counter(
            "firing_ledger_mismatches",
            "Times of which the ledger says nothing, or something wrong.",
            lambda: ledger.findings,
        )
        gauge("linked_agents", "Agents whose link is up.", lambda: links.linked_agents)
        counter(
            "dropped_samples",
            "Load samples that had to make room for newer ones.",
            lambda: self.fleet.metrics.dropped,
        )
        self.telemetry.backlogs(self.clock, store.backlogs | self.fleet.backlogs())
        counts = links.counters
        counter("hellos", "Links that agents opened.", lambda: counts.hellos)
        counter("dispatched_attempts", "Attempts sent to agents.", lambda: counts.dispatched)
        counter("reports", "Reports that agents sent.", lambda: counts.reports)
        counter(
            "stale_reports", "Reports refused as older than what is known.", lambda: counts.stale_reports
        )
        counter("output_bytes", "Bytes of output received.", lambda: counts.output_bytes)

    async def _listen(self, undo: AsyncExitStack) -> None:
        settings = self.settings
        try:
            await self.fleet.start()
        except (SQLAlchemyError, ApiError) as error:
            raise StartFailed(f"{self._database} cannot be used: {error}") from error
        undo.push_async_callback(self._close_fleet)
        undo.push_async_callback(self.supervisor.stop)
        self._start_loops()
        self._grpc = GrpcServer(
            self.pipeline, str(settings.grpc), write_timeout=settings.stream_write_seconds
        )
        undo.push_async_callback(self._grpc.stop, 0)
        self._gateway = Gateway(
            InProcess(self.pipeline),
            generated.ROUTES,
            generated.ERRORS,
            openapi=listening.openapi(),
            settings=GatewaySettings(
                max_body_size=settings.message_bytes,
                write_timeout=settings.stream_write_seconds,
                cors_origins=frozenset(settings.cors_origins),
                query_tokens=settings.query_tokens,
                hosts=_LOOPBACK_NAMES if settings.no_auth else frozenset(),
            ),
            extra={
                ("GET", "/livez"): self._livez,
                ("GET", "/readyz"): self._readyz,
                ("GET", "/metrics"): self._metrics,
            },
            on_request=self.telemetry.count_request,
        )
        undo.push_async_callback(self._gateway.stop, 0)
        try:
            await self._grpc.start()
        except PortTaken:
            raise listening.taken("gRPC", settings.grpc, "grpc") from None
        self.grpc_address = Address(settings.grpc.host, self._grpc.port)
        self.http_address = await listening.serve_http(self._gateway, settings.http)
        await self.fleet.servers.announce(f"http://{self.http_address}")
        self._is_listening = True
        self.health.set(True)

    def _start_loops(self) -> None:
        start, settings = self.supervisor.start, self.settings
        start("health", self._follow_health)
        start("stale-streams", self._end_stale_streams)
        start("key-usage", KeyUsage(self.credentials).run)
        start("tickets", TicketExpiry(self._tickets).run)
        if settings.jwt_jwks is not None:
            start("jwt-keys", JwtKeys(self.credentials).run)
        for name, run in (self.store.loops() | fleet_loops.loops(self.fleet, self.clock)).items():
            start(name, run)

    # -- stopping

    async def _drain(self) -> None:
        """Lets calls end by themselves, ends streams with a reason, and takes no new ones."""
        self._is_draining = True
        self._is_listening = False
        self.health.set(False)
        if self._cut_off_at is None:
            self.announce_stop()
        limit = asyncio.timeout_at(self._cut_off_at)
        log.info("draining", streams=len(self.pipeline.streams))
        self.pipeline.start_draining()
        try:
            async with limit as self._drain_limit, asyncio.TaskGroup() as ends:
                # Agents are told when to come back, and end their streams by themselves then.
                ends.create_task(self.fleet.links.close(), name="drain links")
                self.pipeline.end_streams(Draining, but=services.LINK)
                ends.create_task(self._gateway.stop(self.settings.drain_seconds), name="drain http")
                ends.create_task(self.pipeline.drained(), name="drain calls")
        except TimeoutError:
            log.warning("calls were cut off: they did not end in time")
        finally:
            self._drain_limit = None
        await self._grpc.stop(min(_LAST_WORDS, self.settings.drain_seconds))

    def _cut_off_in(self, seconds: float) -> None:
        self._cut_off_at = asyncio.get_running_loop().time() + seconds
        # One that has run out cannot be moved any more.
        if self._drain_limit is not None and not self._drain_limit.expired():
            self._drain_limit.reschedule(self._cut_off_at)

    async def _close_fleet(self) -> None:
        try:
            await self.fleet.close()
        except ApiError as error:
            # The database is away, which has been logged; this is what that cost.
            log.warning("the last heartbeats and samples were not stored", why=error.message)

    # -- loops of the server's own

    async def _follow_health(self) -> None:
        while True:
            self.health.set(self.is_ready)
            await asyncio.sleep(_HEALTH_PERIOD)

    async def _end_stale_streams(self) -> None:
        while True:
            await asyncio.sleep(_STALE_STREAMS_PERIOD)
            self.pipeline.end_stale_streams()

    def _loop_changed(self, loop: Loop) -> None:
        self.telemetry.loop_up.labels(loop.name).set(loop.state is LoopState.RUNNING)
        if loop.state is LoopState.WAITING:
            self.telemetry.loop_restarts.labels(loop.name).inc()

    # -- HTTP beside the API

    async def _livez(self, request: web.BaseRequest) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, request: web.BaseRequest) -> web.Response:
        report = {
            "status": "ready" if self.is_ready else "draining" if self._is_draining else "not ready",
            "database": "connected" if self.store.is_available else "unavailable",
            "loops": {loop.name: str(loop.state) for loop in self.supervisor.loops},
        }
        return web.json_response(report, status=200 if self.is_ready else 503, dumps=json.dumps)

    async def _metrics(self, request: web.BaseRequest) -> web.Response:
        incoming = Incoming(request)
        try:
            await self.pipeline.callers.authorize(
                incoming.metadata(), incoming.peer, options_pb2.SCOPE_READ
            )
        except ApiError as error:
            raise CallError(statuses.of(error, incoming.request_id)) from error
        return web.Response(body=self.telemetry.exposition(), headers={"Content-Type": CONTENT_TYPE})
