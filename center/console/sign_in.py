"""The sign-in page, signing in and signing out."""

import hmac
import secrets
from math import ceil

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import language, other_language, show
from center.console.visit import Visit, acted
from center.service.auth import Denied, DeniedError, Role
from center.service.desk import Desk
from hub.contract.forms import composed

FORM_COOKIE = "anbu_form"  # a page of another site can send the form, but not read or set this


def routes(desk: Desk) -> list[Route]:
    """Return the routes of signing in and out."""

    async def ask(request: Request) -> Response:
        return _form(request)

    async def sign_in(request: Request) -> Response:
        return await _sign_in(desk, request)

    async def sign_out(visit: Visit) -> Response:
        desk.feed.dismiss(await desk.auth.sign_out(visit.request))
        response = RedirectResponse("/sign-in", 303)
        desk.auth.clear_cookie(response)
        return response

    return [
        Route("/sign-in", ask, methods=["GET"]),
        Route("/sign-in", sign_in, methods=["POST"]),
        acted("/sign-out", desk, sign_out, Role.INSTALLER),
    ]


async def _sign_in(desk: Desk, request: Request) -> Response:
    t = language(request)
    form = await request.form(max_files=0, max_fields=20)
    name, password, token = (str(form.get(key, "")) for key in ("name", "password", "csrf"))
    held = request.cookies.get(FORM_COOKIE, "")
    if not held or not hmac.compare_digest(held.encode(), token.encode()):
        return _form(request, 403, name, t("signin.expired"))
    client = request.client.host if request.client else ""
    try:
        who = composed(name.strip())
        secret = await desk.auth.sign_in(who, password, client, request.cookies)
    except DeniedError as denied:
        if denied.why is Denied.TOO_MANY_TRIES:
            error = t("signin.slow_down", seconds=ceil(denied.wait_s))
        else:
            error = t("signin.wrong")
        return _form(request, denied.status, name, error)
    response = RedirectResponse("/", 303)
    desk.auth.set_cookie(response, secret)
    await desk.auth.know_device(response, name.strip())
    return response


def _form(request: Request, status: int = 200, name: str = "", error: str = "") -> Response:
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(16)
    other_lang, other_url = other_language(language(request), "/sign-in")
    response = show(
        request,
        "signin.html",
        status,
        name=name[:64],
        error=error,
        csrf=token,
        other_lang=other_lang,
        other_url=other_url,
    )
    secure = request.url.scheme == "https"
    response.set_cookie(FORM_COOKIE, token, httponly=True, samesite="strict", secure=secure)
    return response
