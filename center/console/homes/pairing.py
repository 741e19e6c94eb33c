"""The page on which a device is paired in a home: open the window, compare digits, give a key.

The person at the centre talks on the telephone to whoever stands beside the device.
"""

import re

from msgspec import Struct
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import show
from center.console.lengths import clock
from center.console.view import Badge, Viewer
from center.console.visit import Visit, acted, field, visited
from center.domain import times
from center.domain.hub import Hub
from center.service import homes, pairing
from center.service.desk import Desk
from center.service.pairing import NotOrderedError
from center.service.refusals import CONFLICT
from center.store.rows import hubs, pairings, records
from center.store.rows.pairings import Ordered

WAIT_S = 30.0  # a hub that works replies within a second or two
KEY = re.compile("[0-9]{1,6}")
ASK = re.compile("[0-9]{1,10}")
WANTED = ("compare", "type", "show")


class WindowView(Struct, frozen=True):
    """An open window in words, and what the device that asks wants of a person."""

    text: str
    wanted: str  # empty: no device asks, or what it wants is not known here
    name: str
    digits: str
    ask: int = 0  # the request on the page: an answer is to this one only


class OrderView(Struct, frozen=True):
    """The last order, and what the hub said to it."""

    text: str
    badge: Badge


class Look(Struct, frozen=True):
    """What the page is made of."""

    name: str
    hub: Hub
    ordered: Ordered | None


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the page."""
    path = "/homes/{hub}/pairing"
    return [visited(path, desk, _read), acted(path, desk, _act)]


async def _read(visit: Visit) -> Response:
    return await _page(visit)


async def _page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    hub = homes.hub_of(visit.request)
    found = await visit.desk.store.ask(_look, hub, visit.viewer.now)
    if found is None:
        return visit.error(404, visit.t("pairing.no_hub"))
    return show(
        visit.request,
        "homes/pairing.html",
        status,
        page=visit.page("pairing", visit.t("pairing.title"), homes.path(hub, "pairing")),
        hub=hub,
        name=found.name,
        home=homes.path(hub),
        window=window(found.hub, visit.viewer),
        order=order(found.ordered, visit.viewer),
        problem=problem,
    )


async def _act(visit: Visit) -> Response:
    hub, by = homes.hub_of(visit.request), visit.person.name
    form = await visit.request.form()
    said = said_of(form)
    if said is None:
        return await _page(visit, visit.t("pairing.bad_key"), 422)
    try:
        if said:
            await pairing.answer(visit.desk, hub, said, by, ask_of(form))
        else:
            await pairing.open_window(visit.desk, hub, by)
    except NotOrderedError as error:
        return await _page(visit, visit.t(f"pairing.{error.why}"), CONFLICT)
    return RedirectResponse(homes.path(hub, "pairing"), 303)


def said_of(form: FormData) -> str | None:
    """Return what is said to the device, '' to open the window, None where it is no answer."""
    wish = field(form, "do")
    key = "".join(field(form, "key").split())
    match wish:
        case "open":
            return ""
        case "yes" | "no":
            return wish
        case "key" if KEY.fullmatch(key):
            return key
        case _:
            return None


def ask_of(form: FormData) -> int:
    """Return the request that an answer is to; 0 where the form names none."""
    ask = field(form, "ask")
    return int(ask) if ASK.fullmatch(ask) else 0


def window(hub: Hub, viewer: Viewer) -> WindowView | None:
    """Return the window in words, None where none is open any more."""
    report = hub.pairing
    if report is None or (hub.synced and report.until_utc <= viewer.now):
        return None
    wanted = report.wanted if report.wanted in WANTED else ""
    name = report.name or viewer.t("pairing.unnamed")
    until = clock(report.until_utc, viewer.now) if hub.synced else ""
    text = viewer.t("pairing.open_until" if until else "pairing.open_now", time=until)
    return WindowView(text, wanted, name, " ".join(report.digits), report.ask)


def order(ordered: Ordered | None, viewer: Viewer) -> OrderView | None:
    """Return the last order in words."""
    if ordered is None:
        return None
    when = times.short(ordered.utc, viewer.now)
    text = viewer.t(f"pairing.{ordered.kind}", time=when, who=ordered.by)
    return OrderView(text, _fate(ordered, viewer))


def _fate(ordered: Ordered, viewer: Viewer) -> Badge:
    reply, t = ordered.reply, viewer.t
    if reply is None:
        late = viewer.now > ordered.utc + WAIT_S
        return Badge("triangle", "warn", t("pairing.no_reply")) if late else Badge(
            "ring", "plain", t("pairing.waiting")
        )  # fmt: skip
    if reply.done:
        return Badge("check", "good", t("pairing.obeyed"))
    return Badge("cross", "bad", t.word("pairing_refused", reply.reason))


def _look(conn: Connection, hub: str, now: float) -> Look | None:
    known = hubs.known(conn, hub)
    if not known or known[0].removed_utc is not None:
        return None
    kept = records.find(conn, hub)
    return Look(kept.record.name if kept else "", known[0], pairings.last(conn, hub, now))
