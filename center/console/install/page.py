"""The installer's pages: homes that are set up, the twelve steps of one, report and sheet.

While a page of steps is open it is fetched anew every few seconds, and each time the hub is asked
to go on showing itself.
"""

from functools import partial
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import show
from center.console.homes import pairing as windows
from center.console.homes.pairing import OrderView, WindowView
from center.console.install import sheet, steps
from center.console.install.steps import Progress
from center.console.lengths import clock
from center.console.view import Viewer
from center.console.visit import Visit, acted, field, visited
from center.domain import times
from center.domain.hub import Hub
from center.domain.installation import (
    LEFT_OFF_S,
    Answer,
    Installation,
    Item,
    Report,
    State,
    Step,
    Why,
    WhyNot,
    may_begin,
)
from center.domain.lease import Lease
from center.domain.record import Record
from center.service import homes, installation, leases, pairing
from center.service.auth import Role
from center.service.desk import Desk
from center.service.installation import NotInstalledError, Told
from center.service.leases import NotLeasedError
from center.service.pairing import NotOrderedError
from center.service.refusals import RefusalError
from center.service.texts import Texts
from center.store.rows import enrolments, hubs, incidents, installations, pairings, records
from center.store.rows.pairings import Ordered

PATH = "/install"
FRESH_S = 15.0  # a hub shows itself every 5 s
OFF = {Why.UNSYNCED, Why.AHEAD, Why.LATE}  # of the clock: then a press is a call
CALLS = 3  # a test that waits is among the newest calls
HERE_S = 20.0  # a page that is open is fetched more often than this


class HomeView(Struct, frozen=True):
    """A home in the list."""

    hub: str
    path: str
    name: str
    progress: Progress | None
    text: str


class LeaseView(Struct, frozen=True):
    """Test mode; `waits`: a press waits at the centre to be answered as a test.

    `unsynced`: the hub's clock is not set, or wrong, so that a press is a real call.
    """

    on: bool
    shown: bool = False
    until: float = 0.0
    left: str = ""
    text: str = ""
    waits: bool = False
    unsynced: bool = False


class PairView(Struct, frozen=True):
    """The window in which devices are paired, and the last order."""

    window: WindowView | None = None
    order: OrderView | None = None


class Hearing(Struct, frozen=True):
    """Whether the hub shows itself, and what to do where it does not."""

    fresh: bool
    text: str
    do: str = ""


class Resident(Struct, frozen=True):
    """Who lives there; `facts` are the record's fields that a visit has to compare."""

    name: str
    address: str
    facts: tuple[tuple[str, str], ...]


class Look(Struct, frozen=True):
    """What the page shows beside the installation."""

    record: Record
    hub: Hub | None
    waits: bool
    ordered: Ordered | None


class Presence:
    """Which installers have the page of a home open, as this process has seen."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def note(self, visit: Visit, hub: str) -> list[str]:
        """Note who looks, and return the names of the other installers who do."""
        me, now = visit.person.name, visit.viewer.now
        self._seen = {who: utc for who, utc in self._seen.items() if now - utc < HERE_S}
        if visit.person.role is Role.INSTALLER:
            self._seen[hub, me] = now
        return sorted(who for home, who in self._seen if home == hub and who != me)


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the pages."""
    role, one = Role.INSTALLER, f"{PATH}/{{hub}}"
    present = Presence()
    return [
        visited(PATH, desk, _list, role),
        visited(one, desk, partial(_read, present), role),
        acted(one, desk, partial(_act, present), role),
        visited(f"{one}/report", desk, _report, role),
        visited(f"{one}/sheet", desk, _sheet, role),
    ]


def path(hub: str, *parts: str) -> str:
    """Return the address of a home's installation."""
    return "/".join((PATH, quote(hub, safe=""), *parts))


# the list


async def _list(visit: Visit) -> Response:
    briefs = await installation.listed(visit.desk, visit.person)
    by = None if visit.person.role.may(Role.OPERATOR) else visit.person.name
    new = await visit.desk.store.ask(_unbegun, visit.viewer.now, by)
    found = [await _home(visit, one.hub, one.finished_utc) for one in briefs if one.hub not in new]
    names = await visit.desk.store.ask(records.names, {*new, *(one.hub for one in briefs)})
    text = visit.t("install.not_begun")
    shown = [HomeView(hub, path(hub), names.get(hub, ""), None, text) for hub in new]
    shown += [replace(one, name=names.get(one.hub, "")) for one in found]
    title = visit.t("install.list_title")
    return show(
        visit.request, "install/list.html", page=visit.page("install", title, PATH), homes=shown
    )


async def _home(visit: Visit, hub: str, finished_utc: float | None) -> HomeView:
    one = await visit.desk.store.ask(installations.find, hub)
    if one is None or finished_utc is not None:
        who = one.finished_by if one else ""
        time = times.short(finished_utc or 0.0, visit.viewer.now)
        return HomeView(hub, path(hub), "", None, visit.t("install.finished", time=time, who=who))
    far = steps.progress(one, visit.viewer)
    return HomeView(hub, path(hub), "", far, far.next)


def _unbegun(conn: Connection, now: float, by: str | None) -> list[str]:
    """List homes whose hub was claimed, and whose installation was not begun after that."""
    begun = {one.hub: one.begun_utc for one in installations.listed(conn, 0.0)}
    claims = enrolments.claims(conn, now, now - LEFT_OFF_S, by)
    return [hub for hub, utc in claims if hub not in begun or begun[hub] < utc]


# the steps


async def _read(present: Presence, visit: Visit) -> Response:
    return await _page(present, visit)


async def _page(present: Presence, visit: Visit, problem: str = "", status: int = 200) -> Response:
    hub = homes.hub_of(visit.request)
    try:
        found = await installation.look(visit.desk, hub, visit.person)
    except NotInstalledError as error:
        return await _not_begun(visit, hub, error, problem)
    beside = await visit.desk.store.ask(look, hub, visit.viewer.now)
    one, viewer, t = found.one, visit.viewer, visit.t
    others = ", ".join(present.note(visit, hub))
    return show(
        visit.request,
        "install/steps.html",
        status,
        page=visit.page("install", beside.record.name or hub, path(hub)),
        hub=hub,
        url=path(hub),
        resident=_resident(beside.record, t),
        steps=steps.steps(one, viewer),
        progress=steps.progress(one, viewer),
        left=steps.titles(one.open_steps, t),
        hearing=hearing(one, visit),
        others=t("install.others", who=others) if others else "",
        lease=lease_view(found.lease, viewer, beside, one.find(Step.CLOCK)),
        pair=_pairing(beside, viewer),
        opened=await _asked(visit),
        finished=_finished(one, viewer),
        may_begin=visit.person.role.may(Role.OPERATOR) and may_begin(one, viewer.now),
        problem=problem,
    )


async def _asked(visit: Visit) -> str:
    """Return the step that a form was about, or that its page came back to: it stays open."""
    if visit.request.method == "POST":
        return field(await visit.request.form(), "step")
    return visit.request.query_params.get("step", "")


async def _not_begun(visit: Visit, hub: str, error: NotInstalledError, problem: str) -> Response:
    """Show that it was not begun, with a button; or why there is none."""
    if error.why is not WhyNot.NOT_BEGUN:
        return await _refused(visit, hub, error)
    claimed = await visit.desk.store.ask(enrolments.is_home, hub)
    record = (await visit.desk.store.ask(look, hub, visit.viewer.now)).record
    mine = visit.person.role is Role.INSTALLER  # who may see it has claimed its hub
    if not claimed and not mine:
        return visit.error(404, visit.t("install_refused.no_hub"))
    return show(
        visit.request,
        "install/begin.html",
        page=visit.page("install", record.name or hub, path(hub)),
        hub=hub,
        url=path(hub),
        resident=_resident(record, visit.t),
        problem=problem,
    )


async def _refused(visit: Visit, hub: str, error: NotInstalledError) -> Response:
    """Say why somebody may not see a home, and who sets it up."""
    text = visit.t(f"install_refused.{error.why}")
    if error.why is WhyNot.NOT_YOURS:
        last = await visit.desk.store.ask(enrolments.claimed, hub, visit.viewer.now)
        text = visit.t("install.not_yours", who=last[0]) if last else text
    return visit.error(error.status, text)


async def _act(present: Presence, visit: Visit) -> Response:
    hub, form = homes.hub_of(visit.request), await visit.request.form()
    try:
        step = await _done(visit, hub, form)
    except RefusalError as error:
        return await _page(present, visit, problem_of(error, visit), error.status)
    return RedirectResponse(f"{path(hub)}?step={step}#step-{step}" if step else path(hub), 303)


async def _done(visit: Visit, hub: str, form: FormData) -> str:
    """Do what the form asks; return the step that it is about."""
    desk, person, step = visit.desk, visit.person, Step.of(field(form, "step"))
    match field(form, "do"):
        case "begin":
            await installation.begin(desk, hub, person)
        case "tell":
            answer = Answer.of(field(form, "answer"))
            version = visit.t("install.consent_version")
            told = Told(step, field(form, "name"), answer, version)
            await installation.tell(desk, hub, person, told)
        case "again":
            await installation.again(desk, hub, person, step, field(form, "name"))
        case "sound":
            await installation.check_sound(desk, hub, person)
        case "finish":
            await installation.finish(desk, hub, person)
        case "test_begin":
            await leases.begin(desk, hub, person)
        case "test_end":
            await leases.end(desk, hub, person)
        case _:
            return await _paired(visit, hub, form)
    return step.value if field(form, "step") else ""


async def _paired(visit: Visit, hub: str, form: FormData) -> str:
    """Open the window in which devices are paired, or answer the one that asks."""
    found = await installation.look(visit.desk, hub, visit.person)
    if found.one.finished_utc is not None:
        raise NotInstalledError(WhyNot.FINISHED)
    said = windows.said_of(form)
    if said is None:
        raise NotInstalledError(WhyNot.BAD_ANSWER)
    if said:
        await pairing.answer(visit.desk, hub, said, visit.person.name, windows.ask_of(form))
    else:
        await pairing.open_window(visit.desk, hub, visit.person.name)
    return Step.RADIO.value


def problem_of(error: RefusalError, visit: Visit) -> str:
    """Return in a sentence why something was not done, and what to do."""
    t = visit.t
    match error:
        case NotLeasedError(lease=Lease() as held):
            until = clock(held.until_utc, visit.viewer.now)
            return t("lease.has_one", who=held.by, time=until)
        case NotLeasedError():
            return t(f"lease.{error.why}")
        case NotOrderedError():
            return t(f"pairing.{error.why}")
        case _:
            return t(f"install_refused.{error.why}")


def look(conn: Connection, hub: str, now: float) -> Look:
    """Read what the page shows beside the installation."""
    kept = records.find(conn, hub)
    newest = incidents.of_hub(conn, hub, CALLS)
    return Look(
        kept.record if kept else Record(),
        next(iter(hubs.known(conn, hub)), None),
        any(one.is_test and one.is_open for one in newest),
        pairings.last(conn, hub, now),
    )


def lease_view(held: Lease | None, viewer: Viewer, beside: Look, clock_: Item | None) -> LeaseView:
    """Return test mode in words. `clock_`: the installation's step of the clock."""
    if held is None:
        return LeaseView(on=False)
    until = clock(held.until_utc, viewer.now)
    text = viewer.t("install_test.on_by", who=held.by, time=until)
    left = times.span(held.until_utc - viewer.now)
    return LeaseView(
        on=True,
        shown=held.shown_utc is not None,
        until=held.until_utc,
        left=left,
        text=text,
        waits=beside.waits,
        unsynced=_is_off(clock_, beside.hub),
    )


def _is_off(clock_: Item | None, hub: Hub | None) -> bool:
    """Whether no press can be a test by the hub's clock: its report is newer than its state."""
    why = clock_.evidence.why if clock_ and clock_.state is State.WAITING else None
    if why is None or why is Why.NO_REPORT:
        return hub is not None and hub.is_unsynced
    return why in OFF


def hearing(one: Installation, visit: Visit) -> Hearing:
    """Return whether the hub shows itself now, and what to do where it does not."""
    t, at, now = visit.t, one.reported_utc, visit.viewer.now
    if at is not None and now - at <= FRESH_S:
        return Hearing(fresh=True, text=t("install.heard"))
    if visit.desk.link.listening_utc is None:
        return Hearing(fresh=False, text=t("install.no_link"), do=t("install.no_link_do"))
    if any(item.evidence.why is Why.OLD_HUB for item in one.items):
        return Hearing(fresh=False, text=t("install.old_hub"), do=t("install.old_hub_do"))
    text = t("install.not_heard")
    if at is not None:
        text = f"{text} · {t('install.heard_at', time=times.short(at, now))}"
    return Hearing(fresh=False, text=text, do=t("install.not_heard_do"))


def _resident(record: Record, t: Texts) -> Resident:
    """Return who lives there, as far as whoever sets the home up has to know."""
    calls = ", ".join(f"{one.relation} {one.name}".strip() for one in record.contacts)
    facts = {"name": record.name, "address": record.address, "contacts": calls}
    lines = tuple((t(f"record.{name}"), value) for name, value in facts.items())
    return Resident(record.name, record.address, lines)


def _pairing(found: Look, viewer: Viewer) -> PairView:
    window = windows.window(found.hub, viewer) if found.hub else None
    return PairView(window, windows.order(found.ordered, viewer))


def _finished(one: Installation, viewer: Viewer) -> str:
    if one.finished_utc is None:
        return ""
    time = times.short(one.finished_utc, viewer.now)
    return viewer.t("install.finished", time=time, who=one.finished_by)


# what is printed


async def _report(visit: Visit) -> Response:
    found = await _newest(visit)
    if isinstance(found, Response):
        return found
    hub, (report, record) = homes.hub_of(visit.request), found
    return show(
        visit.request,
        "install/report.html",
        page=visit.page("report", visit.t("report.title"), path(hub, "report")),
        hub=hub,
        url=path(hub),
        resident=_resident(record, visit.t),
        report=sheet.report(report, visit.viewer),
    )


async def _sheet(visit: Visit) -> Response:
    found = await _newest(visit)
    if isinstance(found, Response):
        return found
    hub, (report, record) = homes.hub_of(visit.request), found
    phone = visit.desk.settings.center.phone
    return show(
        visit.request,
        "install/sheet.html",
        page=visit.page("report", visit.t("install.sheet"), path(hub, "sheet")),
        url=path(hub),
        sheet=sheet.sheet(report, record, phone, visit.t),
    )


async def _newest(visit: Visit) -> tuple[Report, Record] | Response:
    """Return the newest report of a home with its record, or a page that says why there is none."""
    hub = homes.hub_of(visit.request)
    try:
        reports = await installation.reports(visit.desk, hub, visit.person)
    except NotInstalledError as error:
        return await _refused(visit, hub, error)
    if not reports:
        return visit.error(404, visit.t("report.none"))
    found = await visit.desk.store.ask(look, hub, visit.viewer.now)
    return reports[0], found.record
