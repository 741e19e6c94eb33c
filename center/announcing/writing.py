"""To write an announcement: the form, a look at what goes where before it is sent, the sending."""

import secrets

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center import queries, voices
from center.console import hubs as rooms
from center.console import lengths
from center.console.announcements import form
from center.console.announcements.form import Typed
from center.console.frame import show
from center.console.visit import Visit, acted, visited
from center.domain import times
from center.domain.announcement import DAYS_MAX, GAP, TEXT_MAX, Draft, Whom, Why
from center.domain.hub import Hub, Seen
from center.service import announcements
from center.service.announcements import NotSentError
from center.service.desk import Desk
from center.store.rows import announcements as rows
from center.store.rows import records
from hub.contract.messages import FaultKind

_TO_CONFIRM = frozenset({Why.CHANGED, Why.TWICE})  # nothing in the form is wrong
_FIELD = {
    Why.NO_TIME: "until",
    Why.TOO_SOON: "until",
    Why.TOO_LATE: "until",
    Why.NO_HOMES: "place",
    Why.WHICH: "place",
}


def routes(desk: Desk) -> list[Route]:
    """Give the routes of the form; they stand before those of one announcement."""
    return [
        visited("/announcements/new", desk, _new),
        acted("/announcements/new", desk, _again),
        acted("/announcements/check", desk, _check),
        acted("/announcements", desk, _send),
    ]


def look(
    conn: Connection, draft: Draft, now: float
) -> tuple[Why | None, list[Hub], dict[str, str]]:
    """Read which homes a draft is for, and what stands against it."""
    hubs = rows.homes(conn, draft)
    why = rows.refusal(conn, draft, hubs, now)
    known = [hub for hub in queries.hubs(conn) if hub.hub in set(hubs)]
    return why, known, records.names(conn, hubs)


async def _new(visit: Visit) -> Response:
    asked = visit.request.query_params
    hub = asked.get("hub", "")
    if hub and await visit.desk.store.ask(records.find, hub) is None:
        return visit.error(404, visit.t("home.not_found"))
    template = asked.get("text", "")
    typed = form.blank(hub, template, visit.eye.now)
    return await _form(visit, typed, meaning=form.meaning(template, visit.t))


async def _again(visit: Visit) -> Response:
    return await _form(visit, form.typed_of(await _fields(visit)))


async def _check(visit: Visit) -> Response:
    fields = await _fields(visit)
    typed = form.typed_of(fields)
    draft = form.draft_of(typed, fields)
    why, hubs, names = await visit.desk.store.ask(look, draft, visit.eye.now)
    if why is not None and why not in _TO_CONFIRM:
        return await _form(visit, typed, why)
    return _shown(visit, typed, hubs, names, why)


async def _send(visit: Visit) -> Response:
    fields = await _fields(visit)
    typed = form.typed_of(fields)
    draft = form.draft_of(typed, fields)
    try:
        sent = await announcements.send(visit.desk, draft, visit.person.name)
    except NotSentError as error:
        why = error.refused.why
        if why not in _TO_CONFIRM:
            return await _form(visit, typed, why)
        _, hubs, names = await visit.desk.store.ask(look, draft, visit.eye.now)
        return _shown(visit, typed, hubs, names, why, status=409)
    return RedirectResponse(f"/announcements/{sent.id}", 303)


async def _fields(visit: Visit) -> dict[str, str]:
    return {name: str(value) for name, value in (await visit.request.form()).items()}


async def _form(visit: Visit, typed: Typed, why: Why | None = None, meaning: str = "") -> Response:
    names = await visit.desk.store.ask(records.names, [typed.hub])
    now = visit.eye.now
    return show(
        visit.request,
        "announcing/write.html",
        422 if why else 200,
        page=visit.page("announce", visit.t("announce.new"), "/announcements/new"),
        typed=typed,
        meaning=meaning,
        key=typed.key or secrets.token_urlsafe(16),
        has_gap=GAP in typed.text,
        name=names.get(typed.hub, ""),
        whoms=[whom for whom in Whom if whom is not Whom.HOME or typed.hub],
        templates=form.TEMPLATES,
        yes=form.YES,
        most=TEXT_MAX,
        soonest=times.for_field(now),
        latest=times.for_field(now + DAYS_MAX * times.DAY_S),
        problem=visit.t(f"announce_why.{why}") if why else "",
        wrong=_FIELD.get(why, "text") if why else "",
    )


def _shown(
    visit: Visit,
    typed: Typed,
    hubs: list[Hub],
    names: dict[str, str],
    why: Why | None,
    *,
    status: int = 200,
) -> Response:
    draft = form.draft_of(typed, {})
    listening_utc = visit.desk.link.listening_utc
    views = [rooms.row(hub, None, visit.eye, listening_utc, names.get(hub.hub, "")) for hub in hubs]
    until = lengths.clock(draft.until_utc or 0.0, visit.eye.now)
    return show(
        visit.request,
        "announcing/check.html",
        status,
        page=visit.page("announce", visit.t("announce.check_title"), "/announcements/new"),
        text=draft.text,
        urgent=draft.urgent,
        until=visit.t("announce.until_at", time=until),
        whom=form.whom_of(draft.whom, draft.place if draft.whom is Whom.PLACE else "", visit.t),
        hidden=form.hidden(typed, tuple(hub.hub for hub in hubs)),
        homes=views,
        away=sum(one.seen in {Seen.LOST, Seen.DISCONNECTED} for one in views),
        unheard=sum(voices.is_unheard(hub.voice) for hub in hubs),
        mute=sum(any(f.kind is FaultKind.NO_LOUDSPEAKER for f in hub.faults) for hub in hubs),
        problem=visit.t(f"announce_why.{why}") if why else "",
        twice=why is Why.TWICE,
        yes=form.YES,
    )
