"""The limit on the size of request bodies, for every route."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOO_LARGE = 413


def limited(app: ASGIApp, most: int, answer: Callable[[Scope], ASGIApp]) -> ASGIApp:
    """Wrap `app`: a body over `most` bytes gets `answer`, or a bare 413 without Content-Length."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _said(scope) > most:
            await answer(scope)(scope, receive, send)
        else:
            await app(scope, _counted(receive, most), send)

    return wrapped


def _counted(receive: Receive, most: int) -> Callable[[], Awaitable[Message]]:
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise HTTPException(TOO_LARGE)
        return message

    return counted


def _said(scope: Scope) -> int:
    said = Headers(scope=scope).get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() else 0
