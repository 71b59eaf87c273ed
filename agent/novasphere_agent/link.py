"""Keeps the agent linked to its server, for ever."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from grpclib.const import Cardinality
from grpclib.exceptions import GRPCError, StreamTerminatedError

from novasphere_agent import refusals
from novasphere_agent.attempts import Attempts
from novasphere_agent.backoff import Backoff
from novasphere_agent.channel import HUNG_UP, LinkChannel
from novasphere_agent.identity import Identity, IdentityFile
from novasphere_agent.messages import ConnectRequest, ConnectResponse, Hello, Profile, Welcome
from novasphere_agent.metrics import FIRST_WINDOW_SECONDS, Sampler
from novasphere_agent.session import ClosedByServer, Session
from novasphere_agent.settings import Settings

_ROUTE = "/novasphere.link.v1.LinkService/Connect"
_PROTOCOL = 1
# A stream that lasted this long worked: the next failure is a new one.
_WORKED_SECONDS = 5.0

_R = TypeVar("_R")

log = logging.getLogger(__name__)


class NodeDeleted(Exception):
    """The node was deleted on the server: this agent has nothing left to do."""


class IdentityNotStored(Exception):
    """What the server gave cannot be written to the disk."""


class Link:
    """Connects, talks until the stream ends, and does it again."""

    def __init__(
        self,
        settings: Settings,
        identity_file: IdentityFile,
        identity: Identity,
        attempts: Attempts,
        sampler: Sampler,
        profile: Profile,
        *,
        boot_id: str,
        workers: Executor,
    ) -> None:
        self._settings = settings
        self._identity_file = identity_file
        self._identity = identity
        self._attempts = attempts
        self._sampler = sampler
        self._profile = profile
        self._boot_id = boot_id
        self._workers = workers
        self._first_sample_at = time.monotonic() + FIRST_WINDOW_SECONDS
        self._backoff = Backoff()
        self._linked_at: float | None = None
        self._last_words = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Returns after a goodbye; raises NodeDeleted."""
        while not stop.is_set():
            at_least = 0.0
            self._linked_at = None
            try:
                await self._connect(stop)
            except GRPCError as error:
                reason = refusals.reason_of(error)
                self._complain(reason, f"{reason}: {error.message or 'no message'}")
            except ClosedByServer as closing:
                at_least = closing.retry_after
                self._complain(closing.reason, f"the server closed the link: {closing.reason}")
            except StreamTerminatedError as error:
                # The same words whenever it hangs up before there was a link: they are said once.
                has_linked = self._linked_at is not None
                self._complain(
                    "", f"the link broke: {error}" if has_linked else f"no connection: {HUNG_UP}"
                )
            except IdentityNotStored as error:
                self._complain("", f"cannot store the identity: {error}")
            except (OSError, asyncio.TimeoutError) as error:
                self._complain("", f"no connection: {str(error) or type(error).__name__}")
            except Exception:
                # A server that says what it never should must not cost the fleet its agents.
                log.exception("the link failed")
            if self._linked_at is not None and time.monotonic() - self._linked_at >= _WORKED_SECONDS:
                self._backoff.reset()
            if stop.is_set():
                return
            await _sleep_unless(stop, self._backoff.next_delay(at_least=at_least))

    async def _connect(self, stop: asyncio.Event) -> None:
        channel = LinkChannel(self._settings.host, self._settings.port)
        try:
            greeting = asyncio.ensure_future(self._greet_and_talk(channel, stop))
            leaving = asyncio.ensure_future(stop.wait())
            try:
                await asyncio.wait({greeting, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not greeting.done() and self._linked_at is None:
                    greeting.cancel()  # there is nobody yet to say goodbye to
                await asyncio.wait({greeting})
                if not greeting.cancelled():
                    greeting.result()
            finally:
                greeting.cancel()
                leaving.cancel()
                await asyncio.gather(greeting, leaving, return_exceptions=True)
        finally:
            channel.close()

    async def _greet_and_talk(self, channel: LinkChannel, stop: asyncio.Event) -> None:
        address = await channel.open()
        secret = self._identity.credential or await self._work(self._settings.join_token)
        metadata = {"authorization": f"Bearer {secret}"} if secret else {}
        async with channel.request(
            _ROUTE, Cardinality.STREAM_STREAM, ConnectRequest, ConnectResponse, metadata=metadata
        ) as stream:
            session = Session(
                channel,
                stream,
                self._attempts,
                self._sampler,
                self._workers,
                first_sample_at=self._first_sample_at,
            )
            welcome = await session.say_hello(await self._hello(address))
            await self._remember(welcome)
            self._linked_at = time.monotonic()
            self._last_words = ""
            log.info("linked to %s:%d as %s", self._settings.host, self._settings.port, welcome.node_id)
            await session.run(welcome, stop)
            # Said before the stream is left, which would otherwise wait for the server's last words.
            channel.close()

    async def _hello(self, address: str) -> Hello:
        return Hello(
            node_id=self._identity.node_id or self._settings.name,
            node_uid=self._identity.node_uid,
            session_token=self._identity.session_token,
            boot_id=self._boot_id,
            incarnation=self._identity.incarnation,
            attempts=await self._attempts.states(),
            profile=dataclasses.replace(self._profile, ip_address=address),
            capacity=self._settings.capacity,
            protocol=_PROTOCOL,
        )

    async def _remember(self, welcome: Welcome) -> None:
        identity = dataclasses.replace(
            self._identity,
            node_id=welcome.node_id,
            node_uid=welcome.node_uid,
            credential=welcome.credential or self._identity.credential,
            session_token=welcome.session_token,
        )
        try:
            await self._work(self._identity_file.store, identity)
        except OSError as error:
            raise IdentityNotStored(str(error)) from error
        # Not before: the server drops the token on disk once a newer one was presented.
        self._identity = identity

    def _complain(self, reason: str, what: str) -> None:
        if reason == refusals.NODE_DELETED:
            raise NodeDeleted
        next_step = refusals.next_step(reason)
        words = f"{what} - {next_step}" if next_step else what
        # A server that is away for an hour is worth one line, not hundreds.
        log.log(logging.DEBUG if words == self._last_words else logging.WARNING, "%s", words)
        self._last_words = words

    async def _work(self, blocking: Callable[..., _R], *arguments: object) -> _R:
        return await asyncio.get_running_loop().run_in_executor(self._workers, blocking, *arguments)


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except asyncio.TimeoutError:
        return
