"""The protocol of the virtual house's socket: one JSON object a line, in both directions.

An answer has `"ok": true`, or `"ok": false` with an `error` for programs and a `detail` for people.
`watch` is answered like `lamps`, and again after every change.
"""

import asyncio
from contextlib import aclosing, suppress
from typing import Annotated, assert_never

import msgspec
from msgspec import Meta, Struct

from drivers.virtual.house import Answer, House, Refusal, Refused
from drivers.virtual.sensors import NoSensorError
from hub.contract import json_lines
from hub.contract.json_lines import JsonLineError
from hub.contract.voice import Meaning
from hub.shared.unix_socket import EndlessLineError, read_line

LINE_BYTES = 4096


class Press(Struct, frozen=True, tag="press", tag_field="do", forbid_unknown_fields=True):
    """Close a contact for `ms` milliseconds, or until `Release`."""

    what: str
    ms: Annotated[float, Meta(gt=0, le=600_000)] | None = None


class Release(Struct, frozen=True, tag="release", tag_field="do", forbid_unknown_fields=True):
    """Release a contact."""

    what: str


class Motion(Struct, frozen=True, tag="motion", tag_field="do", forbid_unknown_fields=True):
    """Somebody moves before a motion sensor for `ms` milliseconds, or is `still` from now on."""

    what: str
    ms: Annotated[float, Meta(gt=0, le=7_200_000)] | None = None
    still: bool = False


class Door(Struct, frozen=True, tag="door", tag_field="do", forbid_unknown_fields=True):
    """Open or shut a door."""

    what: str
    open: bool


class Mains(Struct, frozen=True, tag="mains", tag_field="do", forbid_unknown_fields=True):
    """Turn the mains power on or off."""

    present: bool


class Battery(Struct, frozen=True, tag="battery", tag_field="do", forbid_unknown_fields=True):
    """Set a battery's charge; without a name, that of the only battery."""

    pct: Annotated[float, Meta(ge=0, le=100)]
    what: str = ""


class Speak(Struct, frozen=True, tag="speak", tag_field="do", forbid_unknown_fields=True):
    """The resident says something that means `what`, and it is understood."""

    what: Meaning
    score: Annotated[int, Meta(ge=0, le=3)] = 0


class Lamps(Struct, frozen=True, tag="lamps", tag_field="do", forbid_unknown_fields=True):
    """Ask what is seen and heard."""


class Watch(Struct, frozen=True, tag="watch", tag_field="do", forbid_unknown_fields=True):
    """Ask what is seen and heard now, and again after every change."""


Change = Motion | Door | Mains | Battery
Touch = Press | Release | Change | Speak  # what the page may do
Request = Touch | Lamps | Watch
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


async def talk(house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client until it leaves; nothing that it sends can raise."""
    with suppress(ConnectionError):
        try:
            while line := await read_line(reader):
                await _serve(house, line, writer)
        except EndlessLineError:
            detail = f"a request has at most {LINE_BYTES} bytes"
            await _send(writer, Refused(Refusal.LINE_TOO_LONG, detail).answer)
        finally:
            writer.close()


async def _serve(house: House, line: bytes, writer: asyncio.StreamWriter) -> None:
    try:
        await _follow(house, _decoded(line), writer)
    except Refused as refused:
        await _send(writer, refused.answer)


def _decoded(line: bytes) -> Request:
    try:
        return json_lines.decode(line, _requests)
    except JsonLineError as error:
        raise Refused(Refusal.BAD_REQUEST, str(error)) from error


async def _follow(house: House, request: Request, writer: asyncio.StreamWriter) -> None:
    match request:
        case Press():
            await _send(writer, await house.press(request.what, request.ms))
        case Release():
            await _send(writer, house.release(request.what))
        case Motion() | Door() | Mains() | Battery():
            await _send(writer, _changed(house, request))
        case Speak():
            await _send(writer, house.speak(request.what, request.score))
        case Lamps():
            await _send(writer, house.seen())
        case Watch():
            async with aclosing(house.changes()) as changes:
                async for seen in changes:
                    await _send(writer, seen)
        case _:
            assert_never(request)


def _changed(house: House, request: Change) -> Answer:
    sensors = house.sensors
    try:
        match request:
            case Motion(what=what, ms=ms, still=still):
                return sensors.walk(what, ms, still=still)
            case Door(what=what, open=is_open):
                return sensors.door(what, is_open=is_open)
            case Mains(present=present):
                return sensors.mains(present=present)
            case Battery(what=what, pct=pct):
                answer = sensors.charge(what, pct)
            case _:
                assert_never(request)
    except NoSensorError as error:
        raise Refused(Refusal.UNKNOWN_SENSOR, str(error), known=error.known) from error
    house.look()
    return answer


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(json_lines.encode(answer))
    await writer.drain()
