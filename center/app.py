"""The composition of the centre: the only module that knows all others. One process.

It has one port for people and programs and, where it signs certificates, another one for hubs.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Scope

from center import secure_port
from center.api import est, health, incidents, json, openapi
from center.api.body_limit import TOO_LARGE, limited
from center.api.fhir import server as fhir
from center.authority import signing
from center.config import Authority, Settings
from center.console import routes
from center.link.reconnect import Link
from center.service import enrolment, inbox, rounds
from center.service.auth import Auth
from center.service.desk import Desk
from center.service.feed import Feed
from center.service.inbox import Inbox
from center.service.metrics import Tally
from center.service.rate_limit import RateLimit
from center.service.strangers import Registry
from center.store.rows import hubs
from center.store.store import Store
from hub.contract import addresses

BACKLOG = 2048  # connections that wait to be accepted: uvicorn's own number
LEAVE_S = 3  # for requests that still run at the end
SWITCH_S = 0.0005  # Python's 5 ms delay a press by 100 ms beside a busy thread; this: 17 ms (p99)

log = logging.getLogger(__name__)


@asynccontextmanager
async def opened(settings: Settings, database: str) -> AsyncIterator[Desk]:
    """Run everything but the ports: store, link and feed. Raise `StoreError`."""
    store = await asyncio.to_thread(Store, database)
    feed = Feed()
    rate_limit = RateLimit()
    tally = Tally(await store.ask(hubs.refused_counts))
    patience = settings.center.patience
    received = Inbox(store, feed, tally, time.time, lambda: link, rate_limit, patience)
    link = Link(
        settings.mqtt,
        time.time,
        partial(inbox.receive, received),
        partial(inbox.turned, received),
        store.id,
    )
    center = settings.center
    auth = Auth(
        store,
        time.time,
        session_s=center.session_s,
        tls=center.behind_tls or bool(center.certificate),
    )
    registry = registered(settings.authority) if settings.authority else None
    desk = Desk(settings, time.time, store, feed, link, auth, tally, registry)
    link.start()
    try:
        yield desk
    finally:
        await asyncio.to_thread(link.stop)
        await asyncio.to_thread(rate_limit.close)
        feed.close()
        await asyncio.to_thread(store.close)


def application(desk: Desk) -> Starlette:
    """Return the web application of a running desk."""
    most = desk.settings.center.max_body_bytes
    return Starlette(
        routes=[
            *incidents.routes(desk),
            *health.routes(desk),
            *openapi.routes(),
            *fhir.routes(desk),
            *routes.routes(desk),
        ],
        exception_handlers={
            HTTPException: _refused,
            SQLAlchemyError: _no_store,
            Exception: _broken,
        },
        middleware=[Middleware(limited, most, _too_large)],
    )


def registered(own: Authority) -> Registry:
    """Return the authority of the settings. Raise `OSError`, or `ValueError` for unfit files."""
    files = (Path(own.ca_certificate), Path(own.ca_key), Path(own.certificate))
    return Registry(signing.load(*files, own.days), own)


async def serve(settings: Settings, database: str) -> None:
    """Run the centre until SIGTERM or SIGINT; raise `OSError` where it cannot listen."""
    sys.setswitchinterval(SWITCH_S)
    with contextlib.ExitStack() as ports:  # first: without a port it must not connect
        listener = ports.enter_context(_bound(settings.center.listen))
        own = settings.authority
        for_hubs = ports.enter_context(_bound(own.listen)) if own else None
        async with opened(settings, database) as desk:
            await _attend(desk, listener, for_hubs)


async def _attend(desk: Desk, listener: socket.socket, for_hubs: socket.socket | None) -> None:
    center = desk.settings.center
    config = uvicorn.Config(
        application(desk),
        ssl_certfile=center.certificate or None,
        ssl_keyfile=center.key or None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=LEAVE_S,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it again at its end
        loop.add_signal_handler(number, desk.feed.close)
    log.info("the centre listens on %s", center.listen)
    async with asyncio.TaskGroup() as group:  # a round that fails ends the server, too
        walking = group.create_task(rounds.run(desk))
        serving = group.create_task(attend_hubs(desk, for_hubs)) if for_hubs else None
        await _Server(config, desk.feed).serve([listener])
        walking.cancel()
        if serving:
            serving.cancel()


async def attend_hubs(desk: Desk, listener: socket.socket) -> None:
    """Serve the port for certificates until cancelled."""
    server = port_for_hubs(desk)
    try:
        await server.serve([listener])
    finally:
        for one in server.servers:
            one.close()


def port_for_hubs(desk: Desk) -> secure_port.Server:
    """Return the server of the port at which hubs get their certificates."""
    own = desk.settings.authority
    assert own is not None  # noqa: S101 - there is no such port without it
    tls = secure_port.context(own.certificate, own.key, own.ca_certificate)
    told: set[asyncio.Task[None]] = set()

    def complain(why: str, address: str) -> None:
        task = asyncio.get_running_loop().create_task(_tell(desk, why, address))
        told.add(task)
        task.add_done_callback(told.discard)

    return secure_port.Server(est.application(desk), secure_port.Port(tls, complain))


async def _tell(desk: Desk, why: str, address: str) -> None:
    try:
        await enrolment.refused(desk, why, address)
    except SQLAlchemyError as error:
        log.warning("a refusal was not written down: %s", type(error).__name__)


def _bound(listen: str) -> socket.socket:
    host, port = addresses.listen(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise OSError(error.errno, error.strerror, listen) from error


class _Server(uvicorn.Server):
    """At its end uvicorn waits for open answers; those of the feed end only when it is closed."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._feed.close()
        super().handle_exit(sig, frame)


def _too_large(scope: Scope) -> Response:
    return json.failed(HTTPConnection(scope), HTTPException(TOO_LARGE))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls it for nothing else
    return json.failed(request, error)


async def _broken(request: Request, _: Exception) -> Response:
    return json.failed(request, HTTPException(500))


async def _no_store(request: Request, error: Exception) -> Response:
    log.error("a request met a database that does not work: %s", type(error).__name__)
    return json.failed(request, HTTPException(503))
