"""JSON over HTTP: read a body, answer a struct, say in one sentence what was refused and why."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from math import ceil
from typing import TypeVar

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from center.api import shapes
from center.api.shapes import Error
from center.domain.by_people import Why
from center.domain.incident import Deed, Incident
from center.domain.need import CHOICES
from center.service.auth import DeniedError, Person, Role
from center.service.desk import Desk
from center.service.enrolment import NotClaimedError
from center.service.homes import NotHandledError
from center.service.incidents import NotDoneError
from center.service.leases import NotLeasedError
from center.service.refusals import OTHERWISE, RefusalError
from center.service.texts import texts
from hub.contract.wire import timestamp
from hub.shared.language import Language
from hub.shared.messages import messages

JSON = "application/json"
_WORD = {404: "not_found", 405: "method", 413: "too_large", 500: "trouble", 503: "trouble"}
_CLOCK = frozenset({Deed.EXPIRED, Deed.UNANSWERED, Deed.PRESENT_EXPIRED, Deed.CAUGHT_UP})

T = TypeVar("T")
Answer = Callable[[Request, Person], Awaitable[Struct]]


class Bad(StrEnum):
    """What a request got wrong; a key of the message files."""

    NOT_JSON = "not_json"
    QUERY = "query"
    NO_HOME = "no_home"
    NO_CLAIM = "no_claim"


class BadRequestError(RefusalError):
    """A request that cannot be understood; `values` fill in the sentence."""

    why: Bad

    def __init__(self, why: Bad, **values: str) -> None:
        super().__init__(why)
        self.values = values


def route(desk: Desk, method: str, path: str, answer: Answer, role: Role = Role.OPERATOR) -> Route:
    """Make a route for signed-in people and programs that answers a struct as JSON."""

    async def endpoint(request: Request) -> Response:
        try:
            person = await desk.auth.require(request, role)
            return reply(await answer(request, person))
        except RefusalError as error:
            return refused(request, error, desk.clock())

    return Route(path, endpoint, methods=[method])


async def body(request: Request, shape: type[T]) -> T:
    """Read the body as `shape`; an empty one is an empty object. Raise `BadRequestError`."""
    raw = await request.body()
    try:
        return msgspec.json.decode(raw or b"{}", type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError(Bad.NOT_JSON, detail=str(error).rstrip(".")) from error


def number(request: Request, key: str, default: int, least: int, most: int) -> int:
    """Read a number of the query, or raise `BadRequestError`."""
    asked = request.query_params.get(key)
    if asked is None:
        return default
    if not (asked.isascii() and asked.isdigit() and len(asked) < 20):  # noqa: PLR2004 - 64 bits
        raise BadRequestError(Bad.QUERY, name=key, allowed=f"{least}-{most}")
    if not least <= int(asked) <= most:
        raise BadRequestError(Bad.QUERY, name=key, allowed=f"{least}-{most}")
    return int(asked)


def reply(answer: Struct, status: int = 200) -> Response:
    """Answer a struct as JSON that must not be cached."""
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(msgspec.json.encode(answer), status, headers, JSON)


def failed(request: HTTPConnection, error: HTTPException) -> Response:
    """Answer what Starlette refuses: an unknown path, a wrong method, a body too large."""
    word = _WORD.get(error.status_code, "other")
    message = say(language(request), "bad", word)
    return reply(Error(word, message), error.status_code)


def refused(request: HTTPConnection, error: RefusalError, now: float) -> Response:
    """Answer a refusal: why, in one sentence, and the incident as of `now` where it is of one."""
    lang = language(request)
    word, shown = error.why.value, None
    match error:
        case DeniedError():
            message = denial(lang, error)
        case BadRequestError():
            word = "bad_request" if error.status == OTHERWISE else "not_found"
            message = say(lang, "bad", error.why, **error.values)
        case NotClaimedError():
            message = _not_claimed(lang, error)
        case NotLeasedError():
            message = _not_leased(lang, error)
        case NotHandledError():
            message = _not_handled(lang, error)
        case NotDoneError():
            message = refusal(lang, error.why, error.case.incident if error.case else None)
            shown = shapes.of_case(error.case, now) if error.case else None
        case _:
            message = say(lang, "why_not_sent", error.why)
    answer = reply(Error(word, message, shown), error.status)
    if error.status == 401:  # noqa: PLR2004 - HTTP's own number
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def _not_claimed(lang: Language, error: NotClaimedError) -> str:
    return texts(lang)(f"claim.why_{error.why}", hub=error.hub, seconds=ceil(error.wait_s))


def _not_leased(lang: Language, error: NotLeasedError) -> str:
    held = error.lease
    who, until = (held.by, timestamp(held.until_utc)) if held else ("", "")
    return texts(lang)(f"lease.{error.why}", who=who, time=until)


def _not_handled(lang: Language, error: NotHandledError) -> str:
    need = error.need
    who = (need.called_by if need else "") or say(lang, "who", "clock")
    when = timestamp(need.called_utc or need.last_utc) if need else ""
    allowed = ", ".join(need.kind.choices if need else CHOICES)
    return say(lang, "why_not", error.why, who=who, when=when, allowed=allowed)


def language(request: HTTPConnection) -> Language:
    """Return the language by Accept-Language; English where the program asks for none."""
    wishes = request.headers.get("accept-language", "").lower()
    return Language.KOREAN if wishes.startswith("ko") else Language.ENGLISH


def say(lang: Language, table: str, key: str, **values: object) -> str:
    """Return a sentence with its values filled in; an unknown key by the table's `other`."""
    held = messages("center", lang, "api")[table]
    return (held.get(key) or held["other"]).format_map({"raw": key, **values})


def refusal(lang: Language, why: Why, incident: Incident | None) -> str:
    """Return why an action was not done, and who did what meanwhile."""
    if incident is None:
        return say(lang, "why", why)
    who = incident.last_by
    if not who:
        who = say(lang, "who", "clock" if incident.last_deed in _CLOCK else "hub")
    deed = say(lang, "deed", incident.last_deed)
    return say(lang, "why", why, who=who, deed=deed, when=timestamp(incident.last_utc))


def denial(lang: Language, error: DeniedError) -> str:
    """Return why somebody was turned away."""
    return say(lang, "denied", error.why, seconds=ceil(error.wait_s))
