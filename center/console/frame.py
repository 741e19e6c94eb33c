"""The frame of every page: language, viewer, waiting calls, menu, and the HTTP headers."""

from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from center.console.view import Call
from center.service.auth import Role
from center.service.texts import Texts, chosen, texts
from center.store.rows.parts import Standing
from hub.shared.language import Language

LANG_COOKIE = "anbu_lang"
LANG_COOKIE_S = 365 * 86_400
LIVE_HEADER = "anbu-live"  # an open page requests only its live regions

MENU = (
    ("board", "/"),
    ("calls", "/calls-today"),
    ("checkins", "/checkins"),
    ("announcements", "/announcements"),
    ("hubs", "/hubs"),
    ("install", "/install"),
    ("rates", "/false-alarms"),
)
ALSO = {  # more topics of the feed at which a page reloads
    "board": ("hub",),  # a home's test mode begins or ends
    "hubs": ("hub",),
    "home": ("hub", "home", "announcement"),
    "vitals": ("hub",),  # not at each home's readings: a beat comes soon enough
    "pairing": ("hub",),
    "checkins": ("home",),
    "announcements": ("announcement",),
    "claim": ("hub",),
    "install": ("install", "hub", "home"),
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_environment = Environment(
    loader=PackageLoader("center"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Page(Struct, frozen=True):
    """What the base template shows around a page's own content; `url` is where the page reloads."""

    name: str
    title: str
    url: str
    other_url: str
    other_lang: str
    who: str
    role: Role
    csrf: str
    now: float
    waiting: tuple[Call, ...]
    again: tuple[Call, ...]  # held by the viewer: calls that came in again
    needs: int
    equipment: Standing
    listening: bool
    rival: bool  # another centre has the hubs
    bare: bool

    @property
    def nav(self) -> tuple[tuple[str, str], ...]:
        """Return the menu; a supervisor has the audit too, an installer has installation alone."""
        if not self.role.may(Role.OPERATOR):
            return ()
        return (*MENU, ("audit", "/audit")) if self.role is Role.SUPERVISOR else MENU

    @property
    def frame(self) -> str:
        """The template around the page: installers see no calls, and no menu."""
        if not self.role.may(Role.OPERATOR):
            return "install/frame.html"
        return "live.html" if self.bare else "base.html"

    @property
    def is_board(self) -> bool:
        """Whether the waiting calls are on the page itself."""
        return self.name == "board"

    @property
    def refreshes(self) -> bool:
        """Whether it reloads itself where scripts are off: it has no form."""
        return self.name in {"board", "hubs", "tasks", "checkins", "announcements"}

    @property
    def topics(self) -> str:
        """The feed's topics at which the page reloads."""
        return " ".join(("alarm need link beat resync", *ALSO.get(self.name, ())))


def language(request: Request) -> Texts:
    """Return the texts in the language asked for (`?lang=`), remembered, or Korean."""
    asked = request.query_params.get("lang")
    return texts(chosen(asked, request.cookies.get(LANG_COOKIE)))


def other_language(t: Texts, url: str) -> tuple[str, str]:
    """Return the other language and the address that switches to it."""
    other = Language.ENGLISH if t.lang is Language.KOREAN else Language.KOREAN
    return other.value, f"{url}{'&' if '?' in url else '?'}lang={other}"


def address(path: str, **query: str) -> str:
    """Return a path with those query values that are not empty."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def show(request: Request, template: str, status: int = 200, **content: object) -> Response:
    """Fill a template in the request's language; a cookie remembers a `?lang=`."""
    t = language(request)
    html = _environment.get_template(template).render(t=t, **content)
    response = HTMLResponse(html, status, HEADERS)
    if request.query_params.get("lang") == t.lang:
        response.set_cookie(LANG_COOKIE, t.lang, LANG_COOKIE_S, httponly=True, samesite="lax")
    return response
