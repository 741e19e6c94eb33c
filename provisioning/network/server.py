"""A web server for one page on the hotspot: HTTP/1.1, one request a connection, nothing else.

Starlette and uvicorn belong to the centre: they would add a dozen packages to a process
that serves one form for some minutes in its life. What a phone on the hotspot may send is bounded
in size, time and number.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

log = logging.getLogger(__name__)
HEAD_BYTES, BODY_BYTES = 8192, 4096
REQUEST_S = 10.0
MOST = 32  # connections at a time: phones open six each, to look whether there is an internet
SAFE = {
    "Cache-Control": "no-store",
    "Connection": "close",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'",
    "Referrer-Policy": "same-origin",  # without any, a browser names no origin of the form either
    "X-Content-Type-Options": "nosniff",
}
NONE: Mapping[str, str] = MappingProxyType({})


class Request(Struct, frozen=True):
    """What was asked. `origin`: the site whose page asks, where the browser says so."""

    method: str
    path: str
    host: str = ""
    origin: str = ""
    query: Mapping[str, str] = NONE
    form: Mapping[str, str] = NONE


class Response(Struct, frozen=True):
    """What is answered."""

    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    location: str = ""


Answer = Callable[[Request], Awaitable[Response]]


class _RefusedError(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


@asynccontextmanager
async def serving(answer: Answer, address: str, port: int) -> AsyncIterator[int]:
    """Serve at an address; yields the port, which is chosen where 0 is asked. Raises OSError.

    At the end it hangs up: from Python 3.12 on a server waits for its connections, and a browser
    may hold one for which it has no use yet.
    """
    free = asyncio.Semaphore(MOST)
    there = set[asyncio.StreamWriter]()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there.add(writer)
        try:
            if server.is_serving() and not free.locked():
                async with free:
                    await _serve(answer, reader, writer)
        except (OSError, EOFError):
            log.debug("a phone has hung up")
        finally:
            there.discard(writer)
            writer.close()

    server = await asyncio.start_server(met, address, port, limit=HEAD_BYTES)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for writer in there:
                writer.transport.abort()


async def _serve(
    answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    async with asyncio.timeout(REQUEST_S):
        try:
            response = await answer(await _read(reader))
        except _RefusedError as error:
            response = Response(status=error.status, kind="text/plain")
        lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}"]
        headers = SAFE | {"Content-Type": response.kind, "Content-Length": str(len(response.body))}
        if response.location:
            headers["Location"] = response.location
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + response.body)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request:
    try:
        raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError as error:
        raise _RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from error
    first, *lines = raw.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - RFC 9112
        raise _RefusedError(HTTPStatus.BAD_REQUEST)
    pairs = (line.partition(":") for line in lines if line)
    head = {name.strip().lower(): value.strip() for name, _, value in pairs}
    try:
        target = urlsplit(words[1])
    except ValueError as error:
        raise _RefusedError(HTTPStatus.BAD_REQUEST) from error
    body = await _body(reader, head) if words[0] == "POST" else ""
    origin = head.get("origin", "")
    host = head.get("host", "")
    return Request(words[0], target.path, host, origin, _fields(target.query), _fields(body))


async def _body(reader: asyncio.StreamReader, head: dict[str, str]) -> str:
    length = head.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise _RefusedError(HTTPStatus.LENGTH_REQUIRED)
    if int(length) > BODY_BYTES:
        raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return (await reader.readexactly(int(length))).decode("utf-8", "replace")


def _fields(text: str) -> dict[str, str]:
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise _RefusedError(HTTPStatus.BAD_REQUEST) from error
    return {name: values[-1] for name, values in found.items()}
