"""The one page on the hotspot: which Wi-Fi, its password, and how the last try ended.

It is whole without JavaScript, since the window that a phone opens by itself may have none. Every
request for another name is sent here: so a phone that looks for the internet finds a page to sign
in at, and opens it (Android, Apple, Windows and Firefox alike).
"""

import html
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from string import Template
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from hub.shared.files import shipped_file
from hub.shared.language import Language
from hub.shared.messages import Messages, messages
from provisioning.network.nm import Spot
from provisioning.network.server import Request, Response
from provisioning.network.state import Credentials, Result, Security, readable

ROOM = "provisioning.network"
FILES = {"/form.css": "text/css; charset=utf-8", "/form.js": "text/javascript; charset=utf-8"}
SSID_BYTES = 32  # IEEE 802.11
PASSWORD_LEAST, PASSWORD_MOST, KEY_DIGITS = 8, 63, 64  # WPA2: a passphrase, or the key in hex
REFRESH_S = 5
OTHER = "other"
BARS = ((-60, "▂▄▆█"), (-70, "▂▄▆"), (-80, "▂▄"), (-200, "▂"))  # dBm: below -70 is weak for a hub
REFUSED = {Security.ENTERPRISE, Security.WEP}


class View(Struct, frozen=True):
    """What the page shows. `doing`: the Wi-Fi that is being tried. `kept`: it may be used as is."""

    hotspot: str
    spots: tuple[Spot, ...] = ()
    result: Result | None = None
    doing: str = ""
    revision: int = 0


class Wrong(Struct, frozen=True):
    """Why what was typed cannot be tried: a key of the messages' table `refused`."""

    key: str
    name: str = ""
    n: int = 0


class Form:
    """The page. `view` returns what to show, `ask` and `keep` take what somebody wants.

    `ask` returns False while another Wi-Fi is being tried. `search` asks for a scan.
    """

    def __init__(
        self,
        view: Callable[[], View],
        ask: Callable[[Credentials], bool],
        keep: Callable[[], None],
        search: Callable[[], None],
    ) -> None:
        self._view, self._ask, self._keep, self._search = view, ask, keep, search
        self.own = ""  # the address and port at which it is served
        self._template = Template(_file("form.html").decode())

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        own = f"http://{self.own.removesuffix(':80')}/"
        if request.host not in {self.own, self.own.removesuffix(":80")}:
            return Response(status=HTTPStatus.FOUND, location=own)
        match request.method, request.path:
            case "GET" | "HEAD", "/":
                return self._page(request)
            case "GET", "/state":
                body = msgspec.json.encode({"revision": self._view().revision})
                return Response(body, "application/json")
            case "GET", path if path in FILES:
                return Response(_file(path.removeprefix("/")), FILES[path])
            case "POST", "/join" | "/keep" | "/search" if _is_foreign(request):
                return Response(status=HTTPStatus.FORBIDDEN)
            case "POST", "/join":
                return self._join(request)
            case "POST", "/keep":
                self._keep()
            case "POST", "/search":
                self._search()
            case _:
                return Response(status=HTTPStatus.FOUND, location=own)
        return Response(status=HTTPStatus.SEE_OTHER, location=f"/?lang={_language(request)}")

    def _join(self, request: Request) -> Response:
        wanted = wanted_of(request.form, self._view().spots)
        if isinstance(wanted, Wrong):
            return self._page(request, wanted)
        if not self._ask(wanted):
            return self._page(request, Wrong("busy"))
        return self._page(request)

    def _page(self, request: Request, wrong: Wrong | None = None) -> Response:
        language, view = _language(request), self._view()
        words = messages("provisioning", language, "network")
        other = Language.ENGLISH if language is Language.KOREAN else Language.KOREAN
        doing = bool(view.doing)
        target = f"/?lang={language}"
        refresh = (
            f'<meta http-equiv="refresh" content="{REFRESH_S};url={target}">\n' if doing else ""
        )
        text = self._template.substitute(
            lang=language, other_lang=other, switch=words["form"]["switch"], refresh=refresh,
            title=words["form"]["title"], revision=view.revision, doing="1" if doing else "",
            result="".join(_result(words, view, wrong, language)),
            form="" if doing else "".join(_form(words, view, request.form, language)),
        )  # fmt: skip
        return Response(text.encode())


def wanted_of(fields: Mapping[str, str], spots: Iterable[Spot]) -> Credentials | Wrong:
    """Return what was typed, or why it cannot be tried."""
    chosen, password = fields.get("network", ""), fields.get("password", "")
    known = {spot.ssid: spot for spot in spots}
    hidden = chosen in {"", OTHER}
    try:
        ssid = fields.get("name", "").encode() if hidden else bytes.fromhex(chosen)
    except ValueError:
        return Wrong("name")
    if not ssid:
        return Wrong("name")
    if len(ssid) > SSID_BYTES:
        return Wrong("name_long")
    heard = known.get(ssid)
    guess = Security.PASSWORD if password else Security.OPEN
    security = heard.security if heard else guess
    wrong = flaw(ssid, password, security)
    secret = "" if security is Security.OPEN else password
    return wrong or Credentials(ssid, secret, hidden and heard is None, security)


def flaw(ssid: bytes, password: str, security: Security) -> Wrong | None:
    """Return why a Wi-Fi cannot be joined with this password, where that shows without a try."""
    name = readable(ssid)
    if security in REFUSED:
        return Wrong(str(security), name)
    if security is Security.OPEN:
        return None
    if not password:
        return Wrong("needed", name)
    if not (password.isascii() and password.isprintable()):
        return Wrong("password_letters")
    key = len(password) == KEY_DIGITS and all(one in "0123456789abcdefABCDEF" for one in password)
    fits = PASSWORD_LEAST <= len(password) <= PASSWORD_MOST
    return None if security is Security.SAE or key or fits else Wrong("password", n=len(password))


def in_one_line(name: str) -> str:
    """Return a name that no browser breaks at its hyphen: a word joiner (U+2060) follows it."""
    return name.replace("-", "-\u2060")


def _is_foreign(request: Request) -> bool:
    """Whether the page of another site sends the form."""
    return bool(request.origin) and urlsplit(request.origin).netloc != request.host


def _language(request: Request) -> Language:
    asked = request.form.get("lang") or request.query.get("lang")
    return Language.ENGLISH if asked == Language.ENGLISH else Language.KOREAN


def _file(name: str) -> bytes:
    return shipped_file(ROOM, f"page/{name}").read_bytes()


def _result(words: Messages, view: View, wrong: Wrong | None, language: Language) -> Iterable[str]:
    said, hotspot = words["form"], in_one_line(view.hotspot)
    if view.doing:
        yield '<div class="result doing" role="status">'
        yield _text("h2", said["doing"].format(name=view.doing)) + _text("p", said["doing_now"])
        yield _text("p", said["doing_then"].format(hotspot=hotspot)) + "</div>"
        yield '<div class="result doing" id="away" role="status" hidden>'
        yield _text("p", said["away"].format(hotspot=hotspot)) + "</div>"
    elif wrong:
        text = words["refused"][wrong.key].format(name=wrong.name, n=wrong.n)
        yield '<div class="result" role="alert">' + _text("p", text) + "</div>"
    elif view.result and view.result.trouble:
        saved = view.result.saved
        title = words["result"]["title_saved" if saved else "title"].format(name=view.result.name)
        yield f'<div class="result{" saved" if saved else ""}" role="alert">'
        yield _text("h2", title) + _text("p", words["result"][view.result.trouble])
        yield (_button("/keep", said["keep"], language) if saved else "") + "</div>"


def _form(
    words: Messages, view: View, fields: Mapping[str, str], language: Language
) -> Iterable[str]:
    said = words["form"]
    tried = next((one for one in view.spots if view.result and one.name == view.result.name), None)
    chosen = fields.get("network", tried.ssid.hex() if tried else "")
    yield f'<form method="post" action="/join" autocomplete="off">{_lang(language)}'
    yield '<fieldset class="networks">' + _text("legend", said["pick"])
    if not view.spots:
        yield _text("p", said["none"])
    for spot in view.spots:
        yield _choice(said, spot, checked=chosen == spot.ssid.hex())
    picked = " checked" if chosen == OTHER or not view.spots else ""
    yield f'<label><input type="radio" name="network" value="{OTHER}" id="pick-other"{picked}>'
    yield f'<span class="name">{said["other"]}</span></label></fieldset>'
    yield f'<div class="other">{_field("other", "text", "name", said["other_name"], fields)}</div>'
    yield _field("password", "password", "password", said["password"], fields)
    yield (
        '<label class="check" hidden><input type="checkbox" id="show">' + said["show"] + "</label>"
    )
    yield _text("p", said["open"]) + _text(
        "p", said["before"].format(hotspot=in_one_line(view.hotspot))
    )
    yield f"<button>{said['join']}</button></form>" + _button("/search", said["again"], language)


def _field(key: str, kind: str, name: str, label: str, fields: Mapping[str, str]) -> str:
    value = html.escape(fields.get(name, ""))
    return (
        f'<label class="field" for="{key}">{label}</label><input type="{kind}" id="{key}" '
        f'name="{name}" value="{value}" maxlength="64" autocapitalize="off" autocorrect="off" '
        'spellcheck="false" autocomplete="off">'
    )


def _button(action: str, label: str, language: Language) -> str:
    return (
        f'<form method="post" action="{action}">{_lang(language)}'
        f'<button class="second">{label}</button></form>'
    )


def _lang(language: Language) -> str:
    return f'<input type="hidden" name="lang" value="{language}">'


def _text(tag: str, text: str) -> str:
    return f"<{tag}>{html.escape(text)}</{tag}>"


def _choice(said: dict[str, str], spot: Spot, *, checked: bool) -> str:
    marks = " checked" if checked else ""
    bars = next(bars for least, bars in BARS if spot.signal_dbm >= least)
    signal = said["signal"].format(bars=bars, dbm=spot.signal_dbm)
    return (
        f'<label><input type="radio" name="network" value="{spot.ssid.hex()}"{marks}>'
        f'<span class="name">{html.escape(spot.name)}'
        f"<small>{said['security_' + spot.security]}</small>"
        f'</span><span class="signal">{signal}</span></label>'
    )
