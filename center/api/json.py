"""JSON over HTTP: read a body, answer a struct, and say what was wrong in one sentence."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from center import answering, sentences
from center.api.shapes import Error
from center.domain.announcement import Why as Announcing
from center.domain.by_people import Why
from center.domain.need import CHOICES, WhyNot
from center.service.announcements import NotSentError
from center.service.auth import DeniedError, Person, Role
from center.service.desk import Desk
from center.service.homes import NotHandledError
from center.service.incidents import NotDoneError
from hub.contract.wire import timestamp

JSON = "application/json"
NOT_HANDLED = {WhyNot.NOT_FOUND: 404, WhyNot.STALE: 409, WhyNot.IS_DONE: 409}
NOT_SENT = {Announcing.NOT_FOUND: 404, Announcing.CHANGED: 409, Announcing.TWICE: 409}
STATUS = {Why.NOT_FOUND: 404, Why.STALE: 409, Why.IS_CLOSED: 409, Why.NOT_CLOSED: 409}
_WORD = {404: "not_found", 405: "method", 413: "too_large", 500: "trouble", 503: "trouble"}

T = TypeVar("T")
Answer = Callable[[Request, Person], Awaitable[Struct]]


class Bad(StrEnum):
    """What a request got wrong; a key of the message files."""

    NOT_JSON = "not_json"
    QUERY = "query"
    NO_HOME = "no_home"


class BadRequestError(Exception):
    """A request that says nothing sensible; `values` fill in the sentence."""

    def __init__(self, why: Bad, *, status: int = 400, **values: str) -> None:
        super().__init__(why.value)
        self.why = why
        self.status = status
        self.values = values


def route(desk: Desk, method: str, path: str, answer: Answer, role: Role = Role.OPERATOR) -> Route:
    """Make a route for signed-in people and programs that answers a struct as JSON."""

    async def endpoint(request: Request) -> Response:
        try:
            person = await desk.auth.require(request, role)
            return reply(await answer(request, person))
        except DeniedError as error:
            return denied(request, error)
        except NotDoneError as error:
            return _not_done(request, error, desk.clock())
        except NotHandledError as error:
            return _not_handled(request, error)
        except NotSentError as error:
            return _not_sent(request, error)
        except BadRequestError as error:
            return bad(request, error)

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
    """Answer a struct as JSON that nobody may keep."""
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(msgspec.json.encode(answer), status, headers, JSON)


def failed(request: HTTPConnection, error: HTTPException) -> Response:
    """Answer what the framework refuses: an unknown address, a wrong method, a body too large."""
    word = _WORD.get(error.status_code, "other")
    message = sentences.say(sentences.language(request), "bad", word)
    return reply(Error(word, message), error.status_code)


def denied(request: Request, error: DeniedError) -> Response:
    """Answer who is turned away."""
    message = sentences.denial(sentences.language(request), error)
    answer = reply(Error(error.why, message), error.status)
    if error.status == 401:  # noqa: PLR2004 - HTTP's own number
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def bad(request: Request, error: BadRequestError) -> Response:
    """Answer a request that says nothing sensible."""
    message = sentences.say(sentences.language(request), "bad", error.why, **error.values)
    word = "bad_request" if error.status == 400 else "not_found"  # noqa: PLR2004 - HTTP's own number
    return reply(Error(word, message), error.status)


def _not_handled(request: Request, error: NotHandledError) -> Response:
    refused, lang = error.refused, sentences.language(request)
    need = refused.need
    who = (need.called_by if need else "") or sentences.say(lang, "who", "clock")
    when = timestamp(need.called_utc or need.last_utc) if need else ""
    allowed = ", ".join(need.kind.choices if need else CHOICES)
    message = sentences.say(lang, "why_not", refused.why, who=who, when=when, allowed=allowed)
    return reply(Error(refused.why, message), NOT_HANDLED.get(refused.why, 400))


def _not_sent(request: Request, error: NotSentError) -> Response:
    why = error.refused.why
    message = sentences.say(sentences.language(request), "why_not_sent", why)
    return reply(Error(why, message), NOT_SENT.get(why, 400))


def _not_done(request: Request, error: NotDoneError, now: float) -> Response:
    incident = error.case.incident if error.case else None
    message = sentences.refusal(sentences.language(request), error.why, incident)
    shown = answering.of_case(error.case, now) if error.case else None
    return reply(Error(error.why, message, shown), STATUS.get(error.why, 400))
