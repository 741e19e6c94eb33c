"""The page on which a supervisor strikes a hub off: it was stolen or lost, or it came back."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import show
from center.console.visit import Visit, acted, field, visited
from center.domain import times
from center.domain.enrolment import Reason
from center.service import homes, revocation
from center.service.auth import Role
from center.service.desk import Desk
from center.store.rows import records, revocations

REASONS = (Reason.STOLEN, Reason.RETURNED, Reason.MISTAKEN)


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the page."""
    path = "/homes/{hub}/strike-off"
    return [
        visited(path, desk, _read, Role.SUPERVISOR),
        acted(path, desk, _act, Role.SUPERVISOR),
    ]


async def _read(visit: Visit) -> Response:
    return await _page(visit)


async def _page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    hub, t = homes.hub_of(visit.request), visit.t
    names = await visit.desk.store.ask(records.names, {hub})
    found = await visit.desk.store.ask(revocations.find, hub)
    since = times.short(found.utc, visit.viewer.now) if found else ""
    why = t.word("strike_reason", found.reason) if found else ""
    return show(
        visit.request,
        "homes/strike_off.html",
        status,
        page=visit.page("home", t("strike.title"), homes.path(hub, "strike-off")),
        hub=hub,
        name=names.get(hub, ""),
        home=homes.path(hub),
        reasons=REASONS,
        struck=t("strike.since", time=since, who=found.by, why=why) if found else "",
        told=visit.desk.registry is not None and bool(visit.desk.registry.settings.broker_dir),
        problem=problem,
    )


async def _act(visit: Visit) -> Response:
    hub, form = homes.hub_of(visit.request), await visit.request.form()
    reason = next((one for one in REASONS if one.value == field(form, "reason")), None)
    if reason is None or field(form, "sure") != hub:
        return await _page(visit, visit.t("strike.unsure"), 422)
    if not await revocation.strike_off(visit.desk, hub, visit.person.name, reason):
        return await _page(visit, visit.t("strike.not_done"), 409)
    return RedirectResponse(homes.path(hub, "strike-off"), 303)
