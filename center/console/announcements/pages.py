"""The page of all announcements, and the page of one with all its homes."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.announcements import view
from center.console.frame import show
from center.console.visit import Visit, acted, visited
from center.domain.announcement import Fate
from center.service import announcements
from center.service.announcements import NotSentError
from center.service.desk import Desk
from center.store.rows import announcements as announcement_rows
from center.store.rows.deliveries import look

SHOWN = 50
_ORDER = (  # what an operator should look at first
    Fate.REFUSED,
    Fate.UNSPOKEN,
    Fate.EXPIRED,
    Fate.WAITING,
    Fate.TAKEN,
    Fate.WITHDRAWN,
    Fate.SPOKEN,
)


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the list and of one announcement."""
    return [
        visited("/announcements", desk, _list),
        visited("/announcements/{id}", desk, _one),
        acted("/announcements/{id}/withdraw", desk, _withdraw),
    ]


async def _list(visit: Visit) -> Response:
    found = await visit.desk.store.ask(announcement_rows.newest, SHOWN)
    return show(
        visit.request,
        "announcing/list.html",
        page=visit.page("announcements", visit.t("announce.title"), "/announcements"),
        sent=[view.sent(one, visit.viewer) for one in found],
    )


def _place(fate: Fate) -> int:
    """Return the rank of a fate in the list; one that only a newer program knows is first."""
    return _ORDER.index(fate) if fate in _ORDER else -1


async def _one(visit: Visit) -> Response:
    ident = str(visit.request.path_params["id"])
    found = await visit.desk.store.ask(look, ident)
    if found is None:
        return visit.error(404, visit.t("announce.not_found"))
    one, until_utc = found.sent.announcement, found.sent.announcement.until_utc
    ordered = sorted(found.deliveries, key=lambda d: (_place(d.fate), d.hub))
    return show(
        visit.request,
        "announcing/one.html",
        page=visit.page("announcements", visit.t("announce.title"), f"/announcements/{one.id}"),
        sent=view.sent(found.sent, visit.viewer),
        homes=[view.delivery(d, until_utc, found.names, visit.viewer) for d in ordered],
    )


async def _withdraw(visit: Visit) -> Response:
    ident = str(visit.request.path_params["id"])
    try:
        await announcements.withdraw(visit.desk, ident, visit.person.name)
    except NotSentError:
        return visit.error(404, visit.t("announce.not_found"))
    return RedirectResponse(f"/announcements/{ident}", 303)
