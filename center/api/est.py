"""EST (RFC 7030) for hubs, on a port of its own: certificates, the time, and what a hub keeps here.

    GET  /.well-known/est/cacerts         the authority's chain
    POST /.well-known/est/simpleenroll    202 with eight digits until somebody has typed them
    POST /.well-known/est/simplereenroll  with the present certificate in the handshake
    GET  /.well-known/est/csrattrs        204: a request needs nothing special
    GET  /hub/time                        {"utc": seconds since 1970}
    GET, PUT /hub/backup                  with the present certificate

What is refused is a sentence, in text/plain; the header `Anbu-Reason` has its reason in one word.
"""

import base64
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from center.api.body_limit import TOO_LARGE, limited
from center.api.json import language
from center.authority import signing
from center.domain.enrolment import POLL_S, Certificate, Enrolment, Refused
from center.domain.incident import Deed, Entry
from center.service import enrolment
from center.service.desk import Desk
from center.service.enrolment import NotEnrolledError
from center.store.rows import enrolments
from center.store.rows.audit import write_line
from hub.shared.messages import messages

EST = "/.well-known/est"
BACKUP_MAX = 1_000_000  # bytes
REQUEST_MAX = 16_384  # bytes; a request has some 400
PKCS7 = "application/pkcs7-mime"
CERTS_ONLY = f"{PKCS7}; smime-type=certs-only"
PLAIN = "text/plain; charset=utf-8"
REASON = "Anbu-Reason"
SAVED = "Anbu-Saved"  # when a backup was stored, UTC seconds
NO_STORE = {"Cache-Control": "no-store"}
_WORD = {404: "not_found", 405: "method", TOO_LARGE: "too_large"}

Answer = Callable[[Request], Awaitable[Response]]


def application(desk: Desk) -> Starlette:
    """Return the web application of the port for certificates."""

    def route(path: str, answer: Callable[[Desk, Request], Awaitable[Response]], *m: str) -> Route:
        return Route(path, _answering(desk, answer), methods=[*m])

    return Starlette(
        routes=[
            route(f"{EST}/cacerts", _cacerts, "GET"),
            route(f"{EST}/simpleenroll", _enrol, "POST"),
            route(f"{EST}/simplereenroll", _renew, "POST"),
            route(f"{EST}/csrattrs", _nothing, "GET"),
            route("/hub/time", _time, "GET"),
            route("/hub/backup", _backup, "GET"),
            route("/hub/backup", _keep, "PUT"),
        ],
        exception_handlers={
            HTTPException: _failed,
            SQLAlchemyError: _broken,
            Exception: _broken,
        },
        middleware=[Middleware(_limited)],
    )


def _limited(app: ASGIApp) -> ASGIApp:
    return limited(app, BACKUP_MAX, _too_large)


def _answering(desk: Desk, answer: Callable[[Desk, Request], Awaitable[Response]]) -> Answer:
    async def endpoint(request: Request) -> Response:
        try:
            return await answer(desk, request)
        except NotEnrolledError as error:
            headers = {"Retry-After": str(ceil(error.wait_s))} if error.wait_s else {}
            return _said(request, error.status, error.why.value, headers)

    return endpoint


async def _cacerts(desk: Desk, _: Request) -> Response:
    assert desk.registry is not None  # noqa: S101 - without it there is no such port
    return _certificates(desk.registry.authority.cacerts, PKCS7)


async def _enrol(desk: Desk, request: Request) -> Response:
    found = await enrolment.ask(desk, await _request_of(request), address_of(request))
    if isinstance(found, Enrolment):
        return _waits(found, desk.clock())
    return _certificates(signing.envelope(found.der), CERTS_ONLY)


async def _renew(desk: Desk, request: Request) -> Response:
    body = await _request_of(request)
    made = await enrolment.renew(desk, _shown(request), body, address_of(request))
    return _certificates(signing.envelope(made.der), CERTS_ONLY)


async def _nothing(_: Desk, __: Request) -> Response:
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _time(desk: Desk, request: Request) -> Response:
    """Tell the time, and a hub whose certificate is revoked that it has to be claimed again."""
    shown, headers = _shown(request), NO_STORE
    if shown is not None and await enrolment.is_revoked(desk, shown):
        headers = NO_STORE | {REASON: Refused.REVOKED.value}
    return Response(msgspec.json.encode({"utc": desk.clock()}), 200, headers, "application/json")


async def _backup(desk: Desk, request: Request) -> Response:
    """Give a hub what it, or the one that it replaces, left here."""
    own = await _owner(desk, request)
    kept = await desk.store.ask(enrolments.backup, own.hub)
    if kept is None:
        return _said(request, 404, "no_backup")
    if kept.serial != own.serial:
        line = Entry(desk.clock(), Deed.BACKUP_READ, version=0, text=own.serial, hub=own.hub)
        await desk.store.change(write_line, line)
    headers = NO_STORE | {SAVED: f"{kept.stored_utc:.0f}"}
    return Response(kept.body, 200, headers, "application/octet-stream")


async def _keep(desk: Desk, request: Request) -> Response:
    own = await _owner(desk, request)
    body = await request.body()
    put = enrolments.put_backup
    if not await desk.store.change(put, own.hub, own.serial, body, desk.clock()):
        return _said(request, 404, "no_home")
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _owner(desk: Desk, request: Request) -> Certificate:
    return await enrolment.owner(desk, _shown(request), address_of(request))


async def _request_of(request: Request) -> bytes:
    body = await request.body()
    if len(body) > REQUEST_MAX:
        raise HTTPException(TOO_LARGE)
    return body


def _shown(request: Request) -> bytes | None:
    """Return the certificate that the client showed in the TLS handshake (DER)."""
    found = getattr(request.state, "certificate", None)
    return found if isinstance(found, bytes) else None


def address_of(request: HTTPConnection) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else ""


def _waits(one: Enrolment, now: float) -> Response:
    said = {"digits": one.digits, "valid_s": ceil(max(0.0, one.until_utc - now))}
    headers = NO_STORE | {"Retry-After": str(POLL_S)}
    return Response(msgspec.json.encode(said), 202, headers, "application/json")


def _certificates(der: bytes, kind: str) -> Response:
    """Answer certificates in base64 on one line: clients do not all read more than one."""
    headers = NO_STORE | {"Content-Transfer-Encoding": "base64"}
    return Response(base64.b64encode(der), 200, headers, kind)


def _said(
    request: HTTPConnection, status: int, word: str, more: dict[str, str] | None = None
) -> Response:
    sentences = messages("center", language(request), "est")["why"]
    sentence = sentences.get(word) or sentences["other"]
    most = BACKUP_MAX if request.url.path == "/hub/backup" else REQUEST_MAX
    headers = NO_STORE | {REASON: word} | (more or {})
    return Response(sentence.format(most=most) + "\n", status, headers, PLAIN)


def _too_large(scope: Scope) -> ASGIApp:
    return _said(HTTPConnection(scope), TOO_LARGE, "too_large")


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls it for nothing else
    return _said(request, error.status_code, _WORD.get(error.status_code, "other"))


async def _broken(request: Request, _: Exception) -> Response:
    return _said(request, 503, "other", {"Retry-After": "60"})
