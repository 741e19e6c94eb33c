"""The FHIR server for the medical partner: search and read Observations, and what it can do.

A partner has a key of its own (`anbu center partner add`), which opens nothing else. Each page that
is given is a line of the audit of the home. Only readings whose time is certain are given.
"""

import re
from collections.abc import Awaitable, Callable
from math import ceil
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from center.api.fhir.observations import (
    ANCHORS,
    BASE,
    Json,
    bundle,
    ident,
    observation,
    outcome,
)
from center.api.fhir.search import Cursor, Parameter, Search, WrongError, cursor_text, search_of
from center.api.json import denial, language, say
from center.domain.vitals import Reading
from center.service.auth import Denied, DeniedError
from center.service.desk import Desk
from center.store.rows import partners, vitals
from hub.shared.language import Language

PATH = "/fhir"
SINCE = "2026-11-30"  # of what the server can do
MEDIA = "application/fhir+json; charset=utf-8"
BURST, RATE_HZ = 60.0, 2.0  # requests of a partner: a year of one resident is 100 pages or so
_IDENT = re.compile(r"(anbu-[0-9a-f]{20})\.([a-z-]{1,20})\.([0-9]{1,13})\.[0-9a-f]{8}")
Answer = Callable[[Request, str], Awaitable[Json]]


class Refused(Exception):  # noqa: N818 - it is answered, not logged
    """A request that is refused: HTTP status, FHIR's issue type, a key of the message files."""

    def __init__(self, status: int, code: str, key: str, **values: str) -> None:
        super().__init__(key)
        self.status, self.code, self.key, self.values = status, code, key, values


class Pace(Struct):
    """The requests that a partner may make now; `at` is UTC seconds."""

    tokens: float
    at: float

    def wait_s(self, now: float) -> float:
        """Take a request; return 0, or the seconds until there is one."""
        self.tokens = min(BURST, self.tokens + max(0.0, now - self.at) * RATE_HZ)
        self.at = now
        if self.tokens < 1.0:
            return (1.0 - self.tokens) / RATE_HZ
        self.tokens -= 1.0
        return 0.0


def routes(desk: Desk) -> list[Route]:
    """Return the routes."""
    paces: dict[str, Pace] = {}

    def route(path: str, answer: Answer) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                partner = await desk.auth.partner(request)
                _check_pace(paces, partner, desk.clock())
                return _reply(await answer(request, partner))
            except DeniedError as error:
                return _denied(request, error)
            except Refused as error:
                text = say(language(request), "fhir", error.key, **error.values)
                return _reply(outcome(error.code, text), error.status)

        return Route(f"{PATH}/{path}", endpoint, methods=["GET"])

    async def metadata(request: Request) -> Response:
        return _reply(capability(_base(request)))

    return [
        Route(f"{PATH}/metadata", metadata, methods=["GET"]),
        route("Observation", lambda request, partner: _search(desk, request, partner)),
        route("Observation/{id}", lambda request, partner: _read(desk, request, partner)),
    ]


def _check_pace(paces: dict[str, Pace], partner: str, now: float) -> None:
    wait_s = paces.setdefault(partner, Pace(BURST, now)).wait_s(now)
    if wait_s:
        raise DeniedError(Denied.TOO_MANY_TRIES, wait_s)


async def _search(desk: Desk, request: Request, partner: str) -> Json:
    try:
        wanted = search_of(request.query_params.multi_items())
    except WrongError as error:
        raise Refused(400, "invalid", "query", name=str(error)) from error
    hub = await _home(desk, wanted.subject)
    found = await desk.store.ask(vitals.shared, hub, wanted_of(wanted))
    page = found[: wanted.count]
    await desk.store.change(partners.shared, hub, partner, len(page), desk.clock())
    base = _base(request)
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != Parameter.CURSOR]
    following = ""
    if len(found) > wanted.count:
        last = page[-1].reading
        cursor = cursor_text(Cursor(last.utc, last.kind.value, last.device))
        following = f"{base}/Observation?{urlencode([*asked, (Parameter.CURSOR.value, cursor)])}"
    shown = [written(one, wanted.subject, language(request)) for one in page]
    return bundle(shown, base, str(request.url), following, desk.clock())


async def _read(desk: Desk, request: Request, partner: str) -> Json:
    asked = str(request.path_params["id"])
    parts = _IDENT.fullmatch(asked)
    if parts is None:
        raise Refused(404, "not-found", "no_observation")
    subject, kind, millis = parts[1], parts[2].replace("-", "_"), int(parts[3])
    hub = await _home(desk, subject)
    kinds = tuple(one for one in ANCHORS if one == kind)
    near = vitals.Wanted(kinds, millis / 1000 - 0.002, millis / 1000 + 0.002, 0.0, None, 100)
    found = await desk.store.ask(vitals.shared, hub, near)
    for one in found:
        if ident(one.reading, subject) == asked:
            await desk.store.change(partners.shared, hub, partner, 1, desk.clock())
            return written(one, subject, language(request))
    raise Refused(404, "not-found", "no_observation")


async def _home(desk: Desk, subject: str) -> str:
    """Return the home of a partner's name for its resident, or raise `Refused`."""
    found = await desk.store.ask(partners.hub_of, subject)
    if found is None:
        raise Refused(404, "not-found", "no_subject")
    hub, consents = found
    if not consents:
        raise Refused(403, "forbidden", "no_consent")
    return hub


def wanted_of(search: Search) -> vitals.Wanted:
    """Return a search as the store knows it; one more than asked for shows that there are more."""
    after = search.after
    return vitals.Wanted(
        search.kinds,
        search.from_utc,
        search.until_utc,
        search.since_utc,
        None if after is None else (after.utc, after.kind, after.device),
        search.count + 1,
    )


def written(one: vitals.Shared, subject: str, lang: Language) -> Json:
    """Return a reading as the partner gets it, with what a person should know as notes."""
    parts = {part.kind: part for part in one.parts}
    return observation(one.reading, subject, parts, tuple(_notes(one.reading, lang)))


def _notes(one: Reading, lang: Language) -> list[str]:
    notes = []
    if one.from_utc is not None and one.n > 1:
        least, most = (one.value if end is None else end for end in (one.least, one.most))
        values = {"n": one.n, "least": f"{least:.4g}", "most": f"{most:.4g}"}
        notes.append(say(lang, "fhir", "mean", **values))
    if one.irregular:
        notes.append(say(lang, "fhir", "irregular"))
    return notes


def capability(base: str) -> Json:
    """Return what this server can do (FHIR's CapabilityStatement)."""
    names = ("subject", "patient", "code", "date", "_lastUpdated", "_count")
    kinds = {"subject": "reference", "patient": "reference", "code": "token", "_count": "number"}
    parameters = [{"name": name, "type": kinds.get(name, "date")} for name in names]
    observations = {
        "type": "Observation",
        "profile": f"{BASE}Observation",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": parameters,
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": SINCE,
        "kind": "instance",
        "implementation": {"description": "Anbu control centre", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{"mode": "server", "resource": [observations]}],
    }


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/") + PATH


def _reply(answer: Json, status: int = 200) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(msgspec.json.encode(answer), status, headers, MEDIA)


def _denied(request: Request, error: DeniedError) -> Response:
    code = "throttled" if error.why is Denied.TOO_MANY_TRIES else "login"
    answer = _reply(outcome(code, denial(language(request), error)), error.status)
    if error.wait_s:
        answer.headers["retry-after"] = str(ceil(error.wait_s))
    else:
        answer.headers["www-authenticate"] = "Bearer"
    return answer
