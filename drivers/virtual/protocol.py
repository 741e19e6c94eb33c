"""The protocol of the virtual house's socket: one JSON object a line, in both directions.

An answer has `"ok": true`, or `"ok": false` with an `error` for programs and a `detail` for people.
`watch` is answered like `lamps`, and again after every change.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Annotated, Any, assert_never

import msgspec
from msgspec import Meta, Struct

from drivers.virtual import wireless, words
from drivers.virtual.house import Answer, House, Refusal, Refused
from drivers.virtual.sensors import NoSensorError
from drivers.virtual.wireless import Deed, Devices, NoDeviceError, UnheardError
from hub.contract import json_lines
from hub.contract.json_lines import JsonLineError
from hub.contract.voice import Meaning
from hub.shared.unix_socket import EndlessLineError, read_line

LINE_BYTES = 4096
BAND = ("near", "worn", "pulse_bpm", "variation")


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


class Pendant(Struct, frozen=True, tag="pendant", tag_field="do", forbid_unknown_fields=True):
    """Press a pendant, let BlueZ repeat its last frame, or change its battery."""

    what: str
    how: Deed = Deed.PRESS


class Detector(Struct, frozen=True, tag="detector", tag_field="do", forbid_unknown_fields=True):
    """A wireless detector finds something (`on`), or nothing any more."""

    what: str
    on: bool


class Band(Struct, frozen=True, tag="band", tag_field="do", forbid_unknown_fields=True):
    """Change what is given of a band: in range, worn, its pulse and how that varies."""

    what: str
    near: bool | None = None
    worn: bool | None = None
    pulse_bpm: words.Bpm | None = None
    variation: words.Variation | None = None


class Measure(Struct, frozen=True, tag="measure", tag_field="do", forbid_unknown_fields=True):
    """Measure the blood pressure with a cuff."""

    what: str
    systolic_mmhg: words.Systolic
    diastolic_mmhg: words.Diastolic


class Phone(Struct, frozen=True, tag="phone", tag_field="do", forbid_unknown_fields=True):
    """Bring the phone into range, or carry it away."""

    what: str
    near: bool


class Air(Struct, frozen=True, tag="air", tag_field="do", forbid_unknown_fields=True):
    """Ask what the wireless devices send: a radio process asks, and is told until it leaves."""


class Lamps(Struct, frozen=True, tag="lamps", tag_field="do", forbid_unknown_fields=True):
    """Ask what is seen and heard."""


class Watch(Struct, frozen=True, tag="watch", tag_field="do", forbid_unknown_fields=True):
    """Ask what is seen and heard now, and again after every change."""


Change = Motion | Door | Mains | Battery
Wireless = Pendant | Detector | Band | Measure | Phone
Touch = Press | Release | Change | Wireless | Speak  # what the page may do
Request = Touch | Air | Lamps | Watch
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


async def talk(house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client until it leaves; nothing that it sends can raise."""
    with suppress(ConnectionError):
        try:
            while line := await read_line(reader):
                await _serve(house, line, reader, writer)
        except EndlessLineError:
            detail = f"a request has at most {LINE_BYTES} bytes"
            await _send(writer, Refused(Refusal.LINE_TOO_LONG, detail).answer)
        finally:
            writer.close()


async def _serve(
    house: House, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        request = _decoded(line)
        if isinstance(request, Air):
            await _until_left(reader, _send_all(writer, house.wireless.air()))
        else:
            await _follow(house, request, writer)
    except Refused as refused:
        await _send(writer, refused.answer)


def _decoded(line: bytes) -> Request:
    try:
        return json_lines.decode(line, _requests)
    except JsonLineError as error:
        raise Refused(Refusal.BAD_REQUEST, str(error)) from error


async def _until_left(reader: asyncio.StreamReader, work: Coroutine[Any, Any, None]) -> None:
    """Work until the client leaves: a radio that is dead hears nothing."""

    async def left() -> None:
        while await reader.read(LINE_BYTES):
            pass

    tasks = {asyncio.create_task(left()), asyncio.create_task(work)}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(
    house: House, request: Touch | Lamps | Watch, writer: asyncio.StreamWriter
) -> None:
    match request:
        case Press():
            await _send(writer, await house.press(request.what, request.ms))
        case Release():
            await _send(writer, house.release(request.what))
        case Motion() | Door() | Mains() | Battery():
            await _send(writer, _changed(house, request))
        case Pendant() | Detector() | Band() | Measure() | Phone():
            await _send(writer, _done(house.wireless, request))
        case Speak():
            await _send(writer, house.speak(request.what, request.score))
        case Lamps():
            await _send(writer, house.seen())
        case Watch():
            await _send_all(writer, house.changes())
        case _:
            assert_never(request)


def _changed(house: House, request: Change) -> Answer:
    sensors = house.sensors
    try:
        match request:
            case Door(what=what, open=is_open) if house.wireless.has(what):
                return house.wireless.sense(what, on=is_open, kinds=wireless.DOORS)
            case Battery(what=what, pct=pct) if house.wireless.has(what):
                return house.wireless.charge(what, pct)
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
    except (NoSensorError, NoDeviceError) as error:
        raise Refused(Refusal.UNKNOWN_SENSOR, str(error), known=error.known) from error
    house.look()
    return answer


def _done(devices: Devices, request: Wireless) -> Answer:
    try:
        match request:
            case Pendant(what=what, how=how):
                return devices.pendant(what, how)
            case Detector(what=what, on=on):
                return devices.sense(what, on=on, kinds=wireless.DETECTORS)
            case Band(what=what):
                return devices.band(what, **{name: getattr(request, name) for name in BAND})
            case Measure(what=what, systolic_mmhg=high, diastolic_mmhg=low):
                return devices.measure(what, high, low)
            case Phone(what=what, near=near):
                return devices.phone(what, near=near)
            case _:
                assert_never(request)
    except NoDeviceError as error:
        raise Refused(Refusal.UNKNOWN_SENSOR, str(error), known=error.known) from error
    except UnheardError as error:
        raise Refused(Refusal.NO_RADIO, str(error)) from error


async def _send_all(
    writer: asyncio.StreamWriter, told: AsyncGenerator[Answer | words.Word, None]
) -> None:
    async with aclosing(told) as each:
        async for one in each:
            await _send(writer, one)


async def _send(writer: asyncio.StreamWriter, answer: Answer | words.Word) -> None:
    writer.write(json_lines.encode(answer))
    await writer.drain()
