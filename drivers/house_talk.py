"""What is said at the door of the virtual house: one JSON object a line, each way.

An answer has `"ok": true`, or `"ok": false` with an `error` that a program can match and a
`detail` for a person. `watch` answers with what `lamps` says, again after every change.
"""

import asyncio
from contextlib import aclosing, suppress
from typing import Annotated, assert_never

import msgspec
from msgspec import Meta, Struct

from drivers.house_room import Answer, Refusal, Refused, Room

LINE_BYTES = 4096


class Press(Struct, frozen=True, tag="press", tag_field="do", forbid_unknown_fields=True):
    """Close a contact for `ms` milliseconds, or until `Release`."""

    what: str
    ms: Annotated[float, Meta(gt=0, le=600_000)] | None = None


class Release(Struct, frozen=True, tag="release", tag_field="do", forbid_unknown_fields=True):
    """Let go of a contact."""

    what: str


class Lamps(Struct, frozen=True, tag="lamps", tag_field="do", forbid_unknown_fields=True):
    """Say what is seen and heard."""


class Watch(Struct, frozen=True, tag="watch", tag_field="do", forbid_unknown_fields=True):
    """Say it now, and again after every change."""


Request = Press | Release | Lamps | Watch
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


async def talk(room: Room, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one visitor until they leave; nothing that they say can raise."""
    with suppress(ConnectionError):
        try:
            while line := await _line(reader):
                await _serve(room, line, writer)
        except Refused as refused:
            await _send(writer, refused.answer)
        finally:
            writer.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError as error:
        detail = f"a request has at most {LINE_BYTES} bytes"
        raise Refused(Refusal.LINE_TOO_LONG, detail) from error


async def _serve(room: Room, line: bytes, writer: asyncio.StreamWriter) -> None:
    try:
        await _follow(room, _decoded(line), writer)
    except Refused as refused:
        await _send(writer, refused.answer)


def _decoded(line: bytes) -> Request:
    try:
        return _requests.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Refusal.BAD_REQUEST, str(error)) from error


async def _follow(room: Room, request: Request, writer: asyncio.StreamWriter) -> None:
    match request:
        case Press():
            await _send(writer, await room.press(request.what, request.ms))
        case Release():
            await _send(writer, room.release(request.what))
        case Lamps():
            await _send(writer, room.seen())
        case Watch():
            async with aclosing(room.changes()) as changes:
                async for seen in changes:
                    await _send(writer, seen)
        case _:
            assert_never(request)


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(msgspec.json.encode(answer) + b"\n")
    await writer.drain()
