"""Whether the centre works: `/healthz` for people and watchdogs, `/metrics` for Prometheus."""

import contextlib
from collections import Counter

from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from center.api.json import reply
from center.domain.hub import seen
from center.service.desk import Desk
from center.service.metrics import Family, gauge, render
from center.store.rows import announcements, enrolments, hubs, incidents, needs, parts

MONTH_S = 30 * 86_400.0


class StoreOut(Struct, frozen=True):
    """`waiting` jobs are queued; `trouble` says what the last commit met."""

    ok: bool
    waiting: int
    trouble: str


class LinkOut(Struct, frozen=True):
    """`up_s` is for how long the link has stood, null while it is down.

    `rival` is the database of another centre that has the hubs, while this one stands aside;
    `taken_over` counts since the start how often somebody else came with this centre's name.
    """

    ok: bool
    up_s: float | None
    broker: str
    trouble: str
    rival: str
    taken_over: int


class AuthorityOut(Struct, frozen=True):
    """The authority that signs hubs: `ok` while it and its port are valid for a month yet.

    `left_s` and `port_left_s` are their seconds of life; `waiting` hubs wait for an installer.
    `list_age_s` is the age of the list of revoked certificates, null where none was written.
    """

    ok: bool
    left_s: float
    port_left_s: float
    waiting: int
    list_age_s: float | None = None


class Health(Struct, frozen=True):
    """`age_s` is since when no hub was heard, null if none ever was; `database` is its own id.

    `authority` is null where this centre signs no certificates. What ends soon is no reason to
    start the centre again: `ok` says nothing of it.
    """

    ok: bool
    database: str
    store: StoreOut
    link: LinkOut
    age_s: float | None
    authority: AuthorityOut | None = None


def routes(desk: Desk) -> list[Route]:
    """Return the routes that need no sign-in; they show no person and no home."""

    async def healthz(_: Request) -> Response:
        health = await _health(desk)
        return reply(health, 200 if health.ok else 503)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(await _metrics(desk), media_type="text/plain; version=0.0.4")

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


async def _health(desk: Desk) -> Health:
    kept, link, now = desk.store.state(), desk.link.state(), desk.clock()
    trouble = kept.trouble
    heard_utc: float | None = None
    try:
        heard_utc = await desk.store.ask(hubs.last_heard)
    except SQLAlchemyError as error:
        trouble = type(error).__name__
    store = StoreOut(not trouble, kept.waiting, trouble)
    up_s = None if link.since_utc is None else max(0.0, now - link.since_utc)
    return Health(
        ok=store.ok and up_s is not None,
        store=store,
        database=desk.store.id,
        link=LinkOut(
            up_s is not None, up_s, link.broker, link.trouble, link.rival, link.taken_over
        ),
        age_s=None if heard_utc is None else max(0.0, now - heard_utc),
        authority=await _authority(desk),
    )


async def _authority(desk: Desk) -> AuthorityOut | None:
    if desk.registry is None:
        return None
    now, own = desk.clock(), desk.registry.authority
    left_s, port_left_s = own.ends_utc - now, own.server_ends_utc - now
    waiting = 0
    with contextlib.suppress(SQLAlchemyError):  # `store` says so
        waiting = await desk.store.ask(enrolments.waiting, now)
    listed = desk.registry.list_utc
    age_s = None if listed is None else max(0.0, now - listed)
    is_long = min(left_s, port_left_s) > MONTH_S
    return AuthorityOut(is_long, left_s, port_left_s, waiting, age_s)


async def _metrics(desk: Desk) -> str:
    stages = await desk.store.ask(incidents.stages)
    known = await desk.store.ask(hubs.known)
    now, listening_utc = desk.clock(), desk.link.listening_utc
    states = Counter(seen(hub, now, listening_utc) for hub in known)
    return render(
        [
            *desk.tally.metrics(),
            *_parts(desk),
            gauge("anbu_incidents", "Incidents by stage.", "stage", stages),
            gauge(
                "anbu_announcements",
                "Announcements to homes by what became of them.",
                "fate",
                await desk.store.ask(announcements.fates),
            ),
            *await _tasks(desk),
            *await _lives(desk),
            gauge("anbu_hubs", "Hubs by what is seen of them.", "seen", states),
        ]
    )


def _parts(desk: Desk) -> list[Family]:
    store, link = desk.store.state(), desk.link.state()
    up = desk.link.listening_utc is not None
    return [
        gauge("anbu_store_ok", "Whether the last commit worked.", "", {"": store.ok}),
        gauge("anbu_store_waiting", "Jobs that wait for the store.", "", {"": store.waiting}),
        gauge(
            "anbu_link_taken_over",
            "How often somebody else came with this centre's name since the start.",
            "",
            {"": link.taken_over},
        ),
        gauge("anbu_link_up", "Whether a broker is there.", "", {"": up}),
    ]


async def _lives(desk: Desk) -> list[Family]:
    own = await _authority(desk)
    if own is None:
        return []
    about = "Seconds until certificates of the centre end, by certificate."
    lives = {"authority": own.left_s, "port": own.port_left_s}
    waiting = "Hubs that wait for an installer."
    listed = "Age of the list of revoked certificates; a new one is written each day."
    ages = {} if own.list_age_s is None else {"": own.list_age_s}
    return [
        gauge("anbu_certificate_left_seconds", about, "certificate", lives),
        gauge("anbu_enrolments_waiting", waiting, "", {"": own.waiting}),
        gauge("anbu_revocations_age_seconds", listed, "", ages),
    ]


async def _tasks(desk: Desk) -> list[Family]:
    kinds = await desk.store.ask(needs.kinds_open)
    homes = (await desk.store.ask(parts.standing)).homes
    about = "Open tasks by kind; one on equipment stands for all homes of an area."
    waiting = "Homes in which equipment fails and waits for a person."
    return [
        gauge("anbu_tasks", about, "kind", kinds),
        gauge("anbu_equipment_homes", waiting, "", {"": homes}),
    ]
