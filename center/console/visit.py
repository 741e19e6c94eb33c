"""One request of a signed-in person: every page of the console begins with it."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import LIVE_HEADER, Page, language, other_language, show
from center.console.view import Call, Viewer, call, urgent_first
from center.domain.incident import Incident
from center.service.auth import Denied, DeniedError, Person, Role
from center.service.desk import Desk
from center.service.texts import Texts
from center.store.rows import incidents, parts
from center.store.rows.needs import homes_open
from center.store.rows.parts import Standing

FIELDS_MAX = 120  # a record's form has about 60
INTEGER_DIGITS = 9  # always within a database's INTEGER
OPEN_MAX = 1000  # more than a county's operators can look at; the board has the total


class Visit(Struct, frozen=True):
    """Who requests what, at `viewer.now`, and what is open at that time."""

    desk: Desk
    request: Request
    person: Person
    viewer: Viewer
    still_open: tuple[Incident, ...]
    needs: int  # homes that wait for a call
    equipment: Standing  # what fails and waits for a person
    hidden: int = 0  # open calls beyond those of `still_open`

    @property
    def t(self) -> Texts:
        """The texts in the language of this visit."""
        return self.viewer.t

    @property
    def bare(self) -> bool:
        """Whether an open page requests only its live regions."""
        return self.request.method == "GET" and LIVE_HEADER in self.request.headers

    def waiting(self) -> tuple[Call, ...]:
        """Return the calls that nobody holds, the most urgent first."""
        some = sorted((one for one in self.still_open if one.needs_person), key=urgent_first)
        return tuple(call(one, self.viewer) for one in some)

    def again(self) -> tuple[Call, ...]:
        """Return the calls held by the viewer that came in again and are not answered yet."""
        mine = (one for one in self.still_open if one.who == self.person.name)
        return tuple(call(one, self.viewer) for one in mine if one.again_utc is not None)

    def page(self, name: str, title: str, url: str) -> Page:
        """Return the frame of a page of this visit; `url` is where the page reloads."""
        waiting, again = self.waiting(), self.again()
        rings = len(waiting) + len(again)
        count = self.t("board.tab", n=rings) if rings else ""
        other_lang, other_url = other_language(self.t, url)
        return Page(
            name=name,
            title=f"{count}{title} · {self.t('top.brand')}",
            url=url,
            other_url=other_url,
            other_lang=other_lang,
            who=self.person.name,
            role=self.person.role,
            csrf=self.person.csrf,
            now=self.viewer.now,
            waiting=waiting,
            again=again,
            needs=self.needs,
            equipment=self.equipment,
            listening=self.desk.link.listening_utc is not None,
            rival=bool(self.desk.link.state().rival),
            bare=self.bare,
        )

    def error(self, status: int, text: str) -> Response:
        """Show an error page within the frame."""
        title = self.t(f"error.title_{status}")
        page = self.page("error", title, "/")
        return show(self.request, "error.html", status, page=page, title=title, text=text)


Show: TypeAlias = Callable[[Visit], Awaitable[Response]]


def visited(path: str, desk: Desk, show_it: Show, role: Role = Role.OPERATOR) -> Route:
    """Make a route for signed-in people of `role`; others get the sign-in or an error page."""

    async def endpoint(request: Request) -> Response:
        person = await desk.auth.person(request)
        if person is None:
            return _turned_away(request)
        visit = await begin(desk, request, person)
        if not person.role.may(role):
            return visit.error(403, visit.t("error.text_403"))
        return await show_it(visit)

    return Route(path, endpoint, methods=["GET"])


def acted(path: str, desk: Desk, do_it: Show, role: Role = Role.OPERATOR) -> Route:
    """Make a route for a form that changes something; it must have the CSRF token."""

    async def endpoint(request: Request) -> Response:
        form = await request.form(max_files=0, max_fields=FIELDS_MAX)
        person = await desk.auth.person(request)
        if person is None:
            return _turned_away(request)
        try:
            await desk.auth.require(request, role, csrf=str(form.get("csrf", "")))
        except DeniedError as denied:
            visit = await begin(desk, request, person)
            key = "error.csrf" if denied.why is Denied.NO_CSRF else "error.text_403"
            return visit.error(403, visit.t(key))
        return await do_it(await begin(desk, request, person))

    return Route(path, endpoint, methods=["POST"])


async def begin(desk: Desk, request: Request, person: Person) -> Visit:
    """Return the visit of a request, with what is open now; an installer sees nothing of that."""
    if not person.role.may(Role.OPERATOR):
        viewer = Viewer(me=person.name, now=desk.clock(), t=language(request))
        return Visit(desk, request, person, viewer, (), 0, Standing())
    still_open, total = await desk.store.ask(incidents.board, OPEN_MAX)
    needs = await desk.store.ask(homes_open)
    equipment = await desk.store.ask(parts.standing)
    viewer = Viewer(me=person.name, now=desk.clock(), t=language(request))
    hidden = total - len(still_open)
    return Visit(desk, request, person, viewer, tuple(still_open), needs, equipment, hidden)


def whole(text: str, digits: int = INTEGER_DIGITS) -> int | None:
    """Return the number that a text of at most `digits` ASCII digits writes, else None."""
    fits = text.isascii() and text.isdecimal() and len(text) <= digits
    return int(text) if fits else None


def field(form: FormData, name: str) -> str:
    """Return a field of a form as text, '' where it is missing."""
    return str(form.get(name, ""))


def note_of(form: FormData) -> str:
    """Return the note of a form; browsers send lines with CRLF."""
    return field(form, "note").replace("\r\n", "\n")


def _turned_away(request: Request) -> Response:
    if LIVE_HEADER in request.headers:
        return Response(status_code=401)
    return RedirectResponse("/sign-in", 303)
