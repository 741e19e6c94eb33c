"""The page on which an installer types the digits that a hub says, and picks its home.

form --digits, home--> question (which home, replaced or new, from where it asked) --yes-->
page of the claim: waits for the hub, then says that it has its certificate
"""

from math import ceil

from msgspec import Struct
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.api.est import address_of
from center.console.frame import show
from center.console.visit import Visit, acted, field, visited
from center.domain import times
from center.domain.enrolment import Certificate, Enrolment, State, network
from center.domain.incident import Entry
from center.service import enrolment
from center.service.auth import Role
from center.service.desk import Desk
from center.service.enrolment import NotClaimedError, Who, Wish
from center.store.rows import enrolments, records

PATH = "/install/claim"
HOMES_MAX = 2000  # in the list of a phone; any other can be typed
RECENT_S = 3600.0
SOON_S = 60 * 86_400.0  # an authority's certificate that ends within this is told
KEY_DIGITS = 64


class Typed(Struct, frozen=True):
    """What stands in the form; `kind` is `known` or `new`, '' where nothing is chosen yet."""

    digits: str = ""
    hub: str = ""
    kind: str = ""

    def wish(self, *, replaces: bool) -> Wish:
        """Return it as a wish."""
        digits = enrolment.digits_of(self.digits)
        return Wish(digits, self.hub, known_home=self.kind == "known", replaces=replaces)

    @property
    def grouped(self) -> str:
        """The digits as the hub says them, in two groups."""
        digits = enrolment.digits_of(self.digits)
        return f"{digits[:4]} {digits[4:]}" if digits else self.digits[:32]


class Look(Struct, frozen=True):
    """What the form shows beside its fields."""

    homes: tuple[tuple[str, str], ...]
    waiting: int
    wrong: tuple[Entry, ...]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the page."""
    role = Role.INSTALLER
    return [
        visited(PATH, desk, _read, role),
        acted(PATH, desk, _act, role),
        visited(f"{PATH}/{{key}}", desk, _follow, role),
    ]


async def _read(visit: Visit) -> Response:
    return await _form(visit, Typed())


async def _act(visit: Visit) -> Response:
    form = await visit.request.form()
    typed = typed_in(form)
    if not typed.kind:
        return await _form(visit, typed, visit.t("claim.why_kind"), 422)
    who = Who(visit.person.name, address_of(visit.request))
    try:
        if field(form, "do") != "claim":
            found = await enrolment.look(visit.desk, who, typed.wish(replaces=_known(typed)))
            return await _question(visit, typed, found)
        wish = typed.wish(replaces=field(form, "replaces") == "yes")
        done = await enrolment.claim(visit.desk, who, wish)
    except NotClaimedError as error:
        text = visit.t(f"claim.why_{error.why}", hub=error.hub, seconds=ceil(error.wait_s))
        return await _form(visit, typed, text, error.status)
    return RedirectResponse(f"{PATH}/{done.key}", 303)


async def _form(visit: Visit, typed: Typed, problem: str = "", status: int = 200) -> Response:
    desk, now, t = visit.desk, visit.viewer.now, visit.t
    found = await desk.store.ask(_look, now)
    ends = desk.registry.authority.ends_utc if desk.registry else None
    return show(
        visit.request,
        "install/claim.html",
        status,
        page=visit.page("claim", t("claim.title"), PATH),
        typed=typed,
        problem=problem or ("" if desk.registry else t("claim.why_no_authority")),
        homes=found.homes,
        waiting=found.waiting,
        wrong=_wrong(visit, found.wrong),
        ends=times.in_full(ends) if ends is not None and ends < now + SOON_S else "",
    )


async def _question(visit: Visit, typed: Typed, found: Enrolment) -> Response:
    name, replaces = await visit.desk.store.ask(_home, typed.hub)
    own = network(address_of(visit.request))
    return show(
        visit.request,
        "install/question.html",
        page=visit.page("claim", visit.t("claim.title"), PATH),
        typed=typed,
        name=name,
        replaces=replaces,
        asked=times.short(found.asked_utc, visit.viewer.now),
        network=found.network,
        near=found.network == own,
        again=PATH,
    )


async def _follow(visit: Visit) -> Response:
    key = str(visit.request.path_params["key"])[:KEY_DIGITS]
    one, held = await visit.desk.store.ask(_claimed, key)
    if one is None or not one.hub:
        return visit.error(404, visit.t("claim.gone"))
    name, _ = await visit.desk.store.ask(_home, one.hub)
    fetched = one.state is State.ISSUED and held is not None
    return show(
        visit.request,
        "install/claimed.html",
        page=visit.page("claim", visit.t("claim.title"), f"{PATH}/{key}"),
        hub=one.hub,
        name=name,
        by=one.by,
        replaces=one.replaces,
        fetched=fetched,
        ends=times.in_full(held.ends_utc) if held else "",
        home=f"/homes/{one.hub}" if visit.person.role.may(Role.OPERATOR) else "",
        install=f"/install/{one.hub}",
        again=PATH,
    )


def typed_in(form: FormData) -> Typed:
    """Return what somebody typed; a hub's id in small letters, as phones begin with a capital."""
    kind = field(form, "kind")
    hub = field(form, "hub").strip().lower()
    return Typed(field(form, "digits"), hub[:64], kind if kind in {"known", "new"} else "")


def _known(typed: Typed) -> bool:
    return typed.kind == "known"  # whether it is replaced is then asked


def _wrong(visit: Visit, lines: tuple[Entry, ...]) -> list[tuple[str, str, str]]:
    """Return, for a supervisor, when whose claims were refused within an hour, and why."""
    if not visit.person.role.may(Role.SUPERVISOR):
        return []
    now = visit.viewer.now
    return [
        (times.short(one.utc, now), one.by, visit.t.word("claim_refused", one.text.split()[0]))
        for one in lines
    ]


def _look(conn: Connection, now: float) -> Look:
    homes = tuple((hub, name) for hub, name, _ in records.kept(conn)[:HOMES_MAX])
    wrong = tuple(enrolments.wrong_guesses(conn, now - RECENT_S))
    return Look(homes, enrolments.waiting(conn, now), wrong)


def _home(conn: Connection, hub: str) -> tuple[str, bool]:
    """Return the resident's name, '' where it is not known, and whether the home has a hub."""
    return records.names(conn, {hub}).get(hub, ""), enrolments.has_hub(conn, hub)


def _claimed(conn: Connection, key: str) -> tuple[Enrolment | None, Certificate | None]:
    return enrolments.find(conn, key), enrolments.by_key(conn, key)
