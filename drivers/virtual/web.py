"""The page of the virtual house, with its rooms, lamps and buttons. It serves this computer only.

The page knows only what the house's socket says: it shows the pins.
"""

import asyncio
import os
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from drivers.virtual.protocol import LINE_BYTES, Touch
from hub.contract import json_lines
from hub.shared.language import Language
from hub.shared.messages import messages

PAGE = Path(__file__).parent / "page"
NO_HOUSE = {"ok": False, "error": "no_house", "detail": "no virtual house is running"}
TRY_AGAIN_S = 1.0
ANSWER_BYTES = 1 << 20  # ten announcements of the centre fit in
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_touches: msgspec.json.Decoder[Touch] = msgspec.json.Decoder(Touch)


def open_port(port: int) -> sockets.socket:
    """Return a socket that listens on the loopback address; port 0: a free one. Raises OSError."""
    sock = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM)
    try:
        sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()
    except (OSError, OverflowError):
        sock.close()
        raise
    return sock


def serve(socket: str, sock: sockets.socket) -> None:
    """Serve the page of the house at `socket` until Ctrl-C."""
    config = uvicorn.Config(
        application(socket), log_level="warning", lifespan="off", timeout_graceful_shutdown=1
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[sock])


def application(socket: str) -> Starlette:
    """Return the application of the page of the house at `socket`."""

    async def touch(request: Request) -> Response:
        return await _touch(socket, request)

    async def events(_request: Request) -> Response:
        return StreamingResponse(_events(socket), media_type="text/event-stream", headers=HEADERS)

    return Starlette(
        routes=[
            Route("/", _index),
            Route("/words.json", _words),
            Route("/touch", touch, methods=["POST"]),
            Route("/events", events),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
        # a foreign site that points its name at 127.0.0.1 gets nothing
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


async def _index(_request: Request) -> Response:
    return FileResponse(PAGE / "house.html", headers=HEADERS)


async def _words(_request: Request) -> Response:
    return JSONResponse(
        {language: messages("drivers.virtual", language) for language in Language},
        headers=HEADERS,
    )


async def _touch(socket: str, request: Request) -> Response:
    if request.headers.get("content-type") != "application/json":
        # a form of a foreign site cannot send this type without asking first
        return _refuse("bad_request", "send application/json", status=415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) >= LINE_BYTES:
            return _refuse("line_too_long", f"at most {LINE_BYTES} bytes", status=413)
    try:
        touch = _touches.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _refuse("bad_request", str(error), status=400)
    try:
        answer = msgspec.json.decode(await _ask(socket, touch))
    except (OSError, ValueError):
        return JSONResponse(NO_HOUSE, status_code=503)
    return JSONResponse(answer, status_code=200 if answer["ok"] else 409)


def _refuse(error: str, detail: str, *, status: int) -> Response:
    return JSONResponse({"ok": False, "error": error, "detail": detail}, status_code=status)


async def _ask(socket: str, request: Touch) -> bytes:
    reader, writer = await asyncio.open_unix_connection(os.fspath(socket), limit=ANSWER_BYTES)
    try:
        writer.write(json_lines.encode(request))
        return await reader.readline()
    finally:
        writer.close()


async def _events(socket: str) -> AsyncIterator[bytes]:
    """Yield what the house reports after each change, or that there is no house."""
    while True:
        with suppress(OSError, ValueError):
            reader, writer = await asyncio.open_unix_connection(socket, limit=ANSWER_BYTES)
            try:
                writer.write(b'{"do":"watch"}\n')
                while line := await reader.readline():
                    yield b"data: " + line + b"\n"
            finally:
                writer.close()
        yield b"data: " + msgspec.json.encode(NO_HOUSE) + b"\n\n"
        await asyncio.sleep(TRY_AGAIN_S)
