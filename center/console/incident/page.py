"""The incident page: what is known of a call, and the forms to act on it."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import address, show
from center.console.incident import home_panel, timeline
from center.console.view import call, title
from center.console.visit import Visit, acted, field, note_of, visited, whole
from center.domain import times
from center.domain.by_people import Why
from center.domain.incident import Incident, Outcome
from center.service import incidents
from center.service.desk import Desk
from center.service.incidents import NotDoneError, Target
from center.service.refusals import CONFLICT
from center.store.rows import incidents as incident_rows
from center.store.rows.incidents import Case
from hub.contract.messages import Stage

SEQ_DIGITS = 15  # of the number of a line; below 2**53, which JavaScript holds


class Draft(Struct, frozen=True):
    """What was typed into a form that was refused, and why; `of` is the form's verb."""

    of: str = ""
    note: str = ""
    outcome: str = ""
    problem: str = ""
    to: str = ""  # the field to put right


Do = Callable[[Desk, Target, FormData], Awaitable[Case]]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the incident page."""

    async def read(visit: Visit) -> Response:
        before = whole(visit.request.query_params.get("before", ""), SEQ_DIGITS)
        ident = visit.request.path_params["id"]
        case = await desk.store.ask(incident_rows.case, ident, incident_rows.LINES, before)
        return await _page(visit, case) if case else visit.error(404, visit.t("error.text_404"))

    forms = [
        acted(f"/incidents/{{id}}/{verb}", desk, _form(verb, do_it)) for verb, do_it in _DO.items()
    ]
    return [visited("/incidents/{id}", desk, read), *forms]


async def _take(desk: Desk, target: Target, _: FormData) -> Case:
    return await incidents.take(desk, target)


async def _send(desk: Desk, target: Target, _: FormData) -> Case:
    return await incidents.send(desk, target)


async def _present(desk: Desk, target: Target, _: FormData) -> Case:
    return await incidents.present(desk, target)


async def _close(desk: Desk, target: Target, form: FormData) -> Case:
    wish = field(form, "outcome")
    outcome = Outcome(wish) if wish in set(Outcome) else None
    return await incidents.close(desk, target, outcome, note_of(form))


async def _test(desk: Desk, target: Target, _: FormData) -> Case:
    return await incidents.answer_test(desk, target)


async def _reopen(desk: Desk, target: Target, _: FormData) -> Case:
    return await incidents.reopen(desk, target)


async def _note(desk: Desk, target: Target, form: FormData) -> Case:
    return await incidents.note(desk, target, note_of(form))


_DO: dict[str, Do] = {
    "take": _take,
    "send": _send,
    "present": _present,
    "close": _close,
    "test": _test,
    "reopen": _reopen,
    "note": _note,
}


def _form(verb: str, do_it: Do) -> Callable[[Visit], Awaitable[Response]]:
    async def act(visit: Visit) -> Response:
        form = await visit.request.form()
        ident = visit.request.path_params["id"]
        target = Target(visit.person.name, ident, whole(field(form, "version")))
        try:
            await do_it(visit.desk, target, form)
        except NotDoneError as refused:
            return await _refused(visit, verb, form, refused)
        return RedirectResponse("/" if verb in {"close", "test"} else f"/incidents/{ident}", 303)

    return act


async def _refused(visit: Visit, verb: str, form: FormData, refused: NotDoneError) -> Response:
    if refused.case is None:
        return visit.error(404, visit.t("error.text_404"))
    draft = Draft(
        of=verb,
        note=note_of(form),
        outcome=field(form, "outcome"),
        problem=_problem(visit, verb, refused, refused.case.incident),
        to="" if refused.is_conflict else _field(verb, refused.why),
    )
    return await _page(visit, refused.case, draft, CONFLICT if refused.is_conflict else 422)


def _problem(visit: Visit, verb: str, refused: NotDoneError, incident: Incident) -> str:
    if refused.is_conflict:
        return visit.t("incident.meanwhile", last=timeline.meanwhile(incident, visit.t))
    if refused.why is Why.NOTE_NEEDED and verb == "note":
        return visit.t("why.empty_note")
    return visit.t(f"why.{refused.why}")


def _field(verb: str, why: Why) -> str:
    if verb == "note":
        return "note"
    return "closing" if why is Why.NO_OUTCOME else "close-note"


async def _page(
    visit: Visit, case: Case, draft: Draft | None = None, status: int = 200
) -> Response:
    incident, viewer, t = case.incident, visit.viewer, visit.t
    home = await visit.desk.store.ask(home_panel.look, incident)
    expires = times.of_day(incident.expires_utc) if incident.expires_utc else ""
    path = f"/incidents/{incident.id}"
    before = str(whole(visit.request.query_params.get("before", ""), SEQ_DIGITS) or "")
    return show(
        visit.request,
        "incident.html",
        status,
        page=visit.page("incident", title(incident, t), address(path, before=before)),
        older_url=address(path, before=str(case.older)) + "#timeline" if case.older else "",
        newest_url=f"{path}#timeline" if before else "",
        incident=incident,
        call=call(incident, viewer),
        waits=incident.needs_person,
        is_present=incident.stage is Stage.PRESENT,
        owner=_owner(visit, case),
        last=timeline.meanwhile(incident, t),
        expires_at=expires,
        unread=timeline.unread(incident.unread, t),
        steps=timeline.steps(incident, viewer),
        timeline=_newest_first([timeline.line(entry, viewer) for entry in case.timeline]),
        outcomes=timeline.outcomes(incident.kind, t),
        draft=draft or Draft(),
        home=home_panel.panel(incident, home, viewer),
    )


def _newest_first(lines: Sequence[timeline.Line]) -> Sequence[timeline.Line]:
    return lines[::-1]


def _owner(visit: Visit, case: Case) -> str:
    who = case.incident.who
    if not case.incident.is_open:
        return visit.t("incident.closed_by", who=case.closed_by or who)
    if not who:
        return visit.t("incident.free")
    return visit.t("incident.yours" if who == visit.person.name else "incident.theirs", who=who)
