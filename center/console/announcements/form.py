"""The form of an announcement: write, check, send.

The check shows the homes; the form that sends has their digest in its hidden fields, so that what
is sent is what the operator saw.
"""

import secrets
from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console import lengths
from center.console.frame import show
from center.console.hubs import is_unheard, row
from center.console.visit import Visit, acted, visited
from center.domain import times
from center.domain.announcement import (
    DAYS_MAX,
    GAP,
    KEY_MAX,
    TEXT_MAX,
    UNTIL_S,
    Draft,
    Whom,
    Why,
    digest,
    plain,
)
from center.domain.hub import Hub, Seen
from center.service import announcements
from center.service.announcements import NotSentError
from center.service.desk import Desk
from center.service.refusals import CONFLICT, status_of
from center.service.texts import Texts, texts
from center.store.rows import announcements as announcement_rows
from center.store.rows import hubs as hub_rows
from center.store.rows import records
from hub.contract.messages import FaultKind
from hub.shared.language import Language

TEMPLATES = ("heat", "cold", "disaster", "visit", "outage")
YES = "yes"
PLACE_MAX = 60
_FIELD = {
    Why.NO_TIME: "until",
    Why.TOO_SOON: "until",
    Why.TOO_LATE: "until",
    Why.NO_HOMES: "place",
    Why.WHICH: "place",
}


class Typed(Struct, frozen=True):
    """The form's fields as typed; `hub` is set where the form is of one home."""

    text: str = ""
    whom: Whom = Whom.ALL
    place: str = ""
    hub: str = ""
    urgent: bool = False
    until: str = ""
    key: str = ""


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the form; they stand before those of one announcement."""
    return [
        visited("/announcements/new", desk, _new),
        acted("/announcements/new", desk, _again),
        acted("/announcements/check", desk, _check),
        acted("/announcements", desk, _send),
    ]


async def _new(visit: Visit) -> Response:
    asked = visit.request.query_params
    hub = asked.get("hub", "")
    if hub and await visit.desk.store.ask(records.find, hub) is None:
        return visit.error(404, visit.t("home.not_found"))
    template = asked.get("text", "")
    typed = blank(hub, template, visit.viewer.now)
    return await _form(visit, typed, meaning=meaning(template, visit.t))


async def _again(visit: Visit) -> Response:
    return await _form(visit, typed_of(await _fields(visit)))


async def _check(visit: Visit) -> Response:
    fields = await _fields(visit)
    typed = typed_of(fields)
    draft = draft_of(typed, fields)
    why, hubs, names = await visit.desk.store.ask(look, draft, visit.viewer.now)
    if why is not None and status_of(why) != CONFLICT:
        return await _form(visit, typed, why)
    return _shown(visit, typed, hubs, names, why)


async def _send(visit: Visit) -> Response:
    fields = await _fields(visit)
    typed = typed_of(fields)
    draft = draft_of(typed, fields)
    try:
        sent = await announcements.send(visit.desk, draft, visit.person.name)
    except NotSentError as error:
        if not error.is_conflict:
            return await _form(visit, typed, error.why)
        _, hubs, names = await visit.desk.store.ask(look, draft, visit.viewer.now)
        return _shown(visit, typed, hubs, names, error.why, status=error.status)
    return RedirectResponse(f"/announcements/{sent.id}", 303)


async def _fields(visit: Visit) -> dict[str, str]:
    return {name: str(value) for name, value in (await visit.request.form()).items()}


async def _form(visit: Visit, typed: Typed, why: Why | None = None, meaning: str = "") -> Response:
    names = await visit.desk.store.ask(records.names, [typed.hub])
    now = visit.viewer.now
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
        templates=TEMPLATES,
        yes=YES,
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
    draft = draft_of(typed, {})
    listening_utc = visit.desk.link.listening_utc
    views = [row(hub, None, visit.viewer, listening_utc, names.get(hub.hub, "")) for hub in hubs]
    until = lengths.clock(draft.until_utc or 0.0, visit.viewer.now)
    return show(
        visit.request,
        "announcing/check.html",
        status,
        page=visit.page("announce", visit.t("announce.check_title"), "/announcements/new"),
        text=draft.text,
        urgent=draft.urgent,
        until=visit.t("announce.until_at", time=until),
        whom=whom_of(draft.whom, draft.place if draft.whom is Whom.PLACE else "", visit.t),
        hidden=hidden(typed, tuple(hub.hub for hub in hubs)),
        homes=views,
        away=sum(one.seen in {Seen.LOST, Seen.DISCONNECTED} for one in views),
        unheard=sum(is_unheard(hub.voice) for hub in hubs),
        mute=sum(any(f.kind is FaultKind.NO_LOUDSPEAKER for f in hub.faults) for hub in hubs),
        problem=visit.t(f"announce_why.{why}") if why else "",
        twice=why is Why.TWICE,
        yes=YES,
    )


def look(
    conn: Connection, draft: Draft, now: float
) -> tuple[Why | None, list[Hub], dict[str, str]]:
    """Return why a draft cannot be sent, its homes, and their residents' names."""
    hubs = announcement_rows.homes(conn, draft)
    why = announcement_rows.refusal(conn, draft, hubs, now)
    known = [hub for hub in hub_rows.known(conn) if hub.hub in set(hubs)]
    return why, known, records.names(conn, hubs)


def blank(hub: str, template: str, now: float) -> Typed:
    """Return a new form: for one home or for all, empty or with a template's text.

    The text is Korean in any language of the console, since homes are spoken to in Korean.
    """
    text = texts(Language.KOREAN)(f"announce_text.{template}") if template in TEMPLATES else ""
    whom = Whom.HOME if hub else Whom.ALL
    return Typed(text, whom, "", hub, until=times.for_field(now + UNTIL_S))


def meaning(template: str, t: Texts) -> str:
    """Return a template's text in the console's language, where that is not Korean."""
    known = template in TEMPLATES and t.lang is not Language.KOREAN
    return t(f"announce_text.{template}") if known else ""


def typed_of(form: Mapping[str, str]) -> Typed:
    """Return the form's fields as typed."""
    wish = form.get("whom", "")
    return Typed(
        text=form.get("text", ""),
        whom=Whom(wish) if wish in set(Whom) else Whom.ALL,
        place=form.get("place", "")[:PLACE_MAX],
        hub=form.get("hub", "")[:PLACE_MAX],
        urgent=form.get("urgent") == YES,
        until=form.get("until", "")[:PLACE_MAX],
        key=form.get("key", "")[:KEY_MAX],
    )


def draft_of(typed: Typed, form: Mapping[str, str]) -> Draft:
    """Return the draft of what was typed."""
    return Draft(
        text=plain(typed.text),
        whom=typed.whom,
        place=plain(typed.place),
        hubs=(typed.hub,),
        urgent=typed.urgent,
        until_utc=times.of_field(typed.until),
        key=typed.key,
        seen=form.get("seen", ""),
        again=form.get("again") == YES,
    )


def hidden(typed: Typed, hubs: tuple[str, ...]) -> dict[str, str]:
    """Return the hidden fields of the form that sends, with the digest of the shown homes."""
    return {
        "text": typed.text,
        "whom": typed.whom.value,
        "place": typed.place,
        "hub": typed.hub,
        "urgent": YES if typed.urgent else "",
        "until": typed.until,
        "key": typed.key,
        "seen": digest(hubs=hubs),
    }


def whom_of(whom: Whom, place: str, t: Texts) -> str:
    """Return in words to which homes it goes."""
    return t("announce.place_said", place=place) if place else t(f"announce.whom_{whom}")
