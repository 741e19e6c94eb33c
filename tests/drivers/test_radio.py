"""The radio as a device: whatever that process does, the hub gets each press and never waits."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest

from drivers import radio as module
from drivers.radio import Driver, Pulses, event_of
from hub.contract import radio
from hub.contract.radio import (
    How,
    PairingEnd,
    Part,
    Pressed,
    Sensed,
    Trouble,
    Wanted,
    decode,
    encode,
)
from hub.contract.voice import Phrase
from hub.core.model.effects import OpenPairing, PairingAnswer, Say, Show, Signal, Took
from hub.core.model.events import (
    BatteryMeasured,
    DriverFailed,
    Event,
    HeartRateMeasured,
    Measured,
    PairingAsked,
    PairingEnded,
    PairingOpened,
    RadioPartChanged,
    RangeChanged,
    VitalsMeasured,
    WirelessFound,
    WirelessPressed,
)
from hub.shared.sidecar import host
from hub.shared.sidecar.host import Patience
from tests.drivers.fakes import FakePort

PRESS = Pressed("b1-1", "pendant", How.LONG, packet_id=7, counter=4711, mark="0a1b2c3d")
HANGING = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"type": "hello", "data": {}}\\n')
print("here", flush=True)
while True:
    n = s.recv(4096).split(b'"n":')[1].split(b"}")[0]
    s.sendall(b'{"type": "pong", "data": {"n": ' + n + b'}}\\n')
"""


class Radio:
    """A radio process, as the hub sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, *words: radio.Fact) -> None:
        self.writer.write(b"".join(map(encode, words)))

    async def hear(self) -> radio.Word | None:
        async with asyncio.timeout(10):
            line = await self.reader.readline()
        return decode(line) if line else None


async def connected(path: Path) -> Radio:
    async with asyncio.timeout(10):
        while True:
            try:
                return Radio(*await asyncio.open_unix_connection(path))
            except OSError:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[tuple[Path, FakePort]]:
    path, port = tmp_path / "radio.sock", FakePort()
    task = asyncio.create_task(Driver(socket=str(path)).run(port))
    try:
        yield path, port
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def connection(tmp_path: Path) -> AsyncIterator[tuple[Radio, FakePort]]:
    async with served(tmp_path) as (path, port):
        found = await connected(path)
        found.say(radio.Hello())
        assert await found.hear() == radio.Ping(1)
        found.say(radio.Pong(1))
        try:
            yield found, port
        finally:
            found.writer.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pings but those that a test is about."""
    monkeypatch.setattr(module, "PATIENCE", Patience())


def test_a_press_reaches_the_hub_and_what_it_took_is_told_back(tmp_path: Path) -> None:
    async def story() -> WirelessPressed:
        async with connection(tmp_path) as (found, port):
            found.say(PRESS)
            await port.until(lambda: len(port.emitted) == 1)
            port.tell(Show(Signal.RAISED))
            port.tell(Say(Phrase.RAISED))
            port.tell(Took("b1-1"))
            assert await found.hear() == radio.Taken("b1-1")
            port.tell(OpenPairing(120.0))
            port.tell(PairingAnswer(yes=True, key="004711", ask=7))
            assert await found.hear() == radio.OpenPairing(120.0)
            assert await found.hear() == radio.PairingAnswer(yes=True, key="004711", ask=7)
            (event,) = port.emitted
            assert isinstance(event, WirelessPressed)
            return event

    event = asyncio.run(story())
    assert (event.device, event.id, event.how, event.button) == ("pendant", "b1-1", How.LONG, 1)
    assert (event.packet_id, event.counter, event.mark) == (7, 4711, "0a1b2c3d")


def test_a_press_is_emitted_in_the_turn_of_the_loop_that_reads_it(tmp_path: Path) -> None:
    async def story() -> int:
        async with connection(tmp_path) as (found, port):
            turns = 0

            async def count() -> None:
                nonlocal turns
                while not port.emitted:
                    turns += 1
                    await asyncio.sleep(0)

            found.say(PRESS)  # is in the socket's buffer by now
            await asyncio.wait_for(count(), 10)
            return turns

    assert asyncio.run(story()) <= 4  # select, reader, task


@pytest.mark.parametrize(
    ("fact", "event"),
    [
        (
            radio.Found("front", Sensed.DOOR, on=True, ago_s=2.0),
            WirelessFound(98.0, "front", Sensed.DOOR, on=True),
        ),
        (radio.Battery("front", 12.0), BatteryMeasured(100.0, "front", 12.0)),
        (radio.Pulse("band", None, worn=False), HeartRateMeasured(100.0, "band", 0.0, worn=False)),
        (
            radio.Pulse("band", 61.0, (980.0,), ago_s=0.5),
            HeartRateMeasured(99.5, "band", 61.0, (980.0,)),
        ),
        (
            radio.Reading("cuff", {"map_mmhg": 93.0}, fresh=False, taken_utc=1e9, irregular=True),
            VitalsMeasured(
                100.0, "cuff", {"map_mmhg": 93.0}, fresh=False, taken_utc=1e9, irregular=True
            ),
        ),
        (radio.Presence("phone", near=True), RangeChanged(100.0, "phone", near=True)),
        (radio.PairingOpened(120.0), PairingOpened(100.0, 120.0)),
        (
            radio.PairingAsked("전화", Wanted.COMPARE, "470192", 7),
            PairingAsked(100.0, "전화", Wanted.COMPARE, "470192", 7),
        ),
        (
            radio.PairingEnded("전화", reason=PairingEnd.LEFT, open=True),
            PairingEnded(100.0, "전화", reason=PairingEnd.LEFT, open=True),
        ),
        (radio.Hello(), None),
        (radio.Pong(1), None),
    ],
)
def test_each_fact_has_its_event(fact: radio.Fact, event: object) -> None:
    assert event_of(fact, 100.0) == event


def pulses(heard: list[tuple[float, HeartRateMeasured]]) -> list[HeartRateMeasured]:
    """Return the events of readings that come at their times, looked at each half second."""
    told = list[HeartRateMeasured]()

    def note(event: Event) -> None:
        assert isinstance(event, HeartRateMeasured)
        told.append(event)

    found, now = Pulses(note), 0.0
    for at, reading in heard:
        while now < at:
            found.look(now)
            now += 0.5
        found.take(reading, at)
    found.look(heard[-1][0] + module.SERIES_S)
    return told


def beat(at: float, bpm: float = 61.0, *, worn: bool | None = True) -> HeartRateMeasured:
    return HeartRateMeasured(at, "band", bpm, (980.0,) if bpm else (), worn)


def test_ten_seconds_of_a_pulse_are_one_event_and_no_reading_is_lost() -> None:
    readings = [beat(float(n), 60.0 + n % 3) for n in range(3600)]
    told = pulses([(one.at, one) for one in readings])
    assert told[0] == readings[0]  # the first one waits for nothing
    assert [one for event in told for one in event.each()] == readings
    assert len(told) <= 362


def test_a_band_that_is_taken_off_or_put_on_is_told_at_once_and_in_its_order() -> None:
    readings = [
        *(beat(float(n)) for n in range(15)),
        *(beat(float(n), 0.0, worn=False) for n in range(15, 100)),
        *(beat(float(n)) for n in range(100, 103)),
    ]
    told = pulses([(one.at, one) for one in readings])
    assert [one for event in told for one in event.each()] == readings
    for change in (readings[15], readings[100]):
        assert change in told
    assert len(told) < 20  # a band in a drawer fills no black box, either


def test_a_flood_of_pulses_is_no_endless_event() -> None:
    told = pulses([(1.0, beat(1.0)) for _ in range(500)])
    assert max(len(event.each()) for event in told) <= module.SERIES + 1
    assert sum(len(event.each()) for event in told) == 500


def test_a_press_is_as_old_as_it_is_and_never_absurdly_so() -> None:
    def heard_at(ago_s: float, now: float) -> float:
        event = event_of(Pressed("a", "pendant", How.PRESS, ago_s=ago_s), now)
        assert isinstance(event, WirelessPressed)
        return event.at

    assert heard_at(40.0, 1000.0) == 960.0
    assert heard_at(86_400.0, 10_000.0) == 10_000.0 - module.OLDEST_S
    assert heard_at(600.0, 100.0) == 0.0


def test_a_press_from_the_future_is_refused_and_the_next_is_taken(tmp_path: Path) -> None:
    async def story() -> list[object]:
        async with connection(tmp_path) as (found, port):
            found.writer.write(encode(PRESS).replace(b'"ago_s":0.0', b'"ago_s":-60.0'))
            found.say(PRESS)
            await port.until(lambda: len(port.emitted) == 1)
            return list(port.emitted)

    begun = monotonic()
    (event,) = asyncio.run(story())
    assert isinstance(event, WirelessPressed)
    assert begun <= event.at <= monotonic()


def test_what_is_out_of_order_is_told_of_the_radio_or_of_a_device(tmp_path: Path) -> None:
    async def story() -> list[object]:
        async with connection(tmp_path) as (found, port):
            found.say(
                Trouble(Part.ADAPTER, present=True, detail="hci0"),
                Trouble(Part.KEY, present=True, device="pendant"),
                Trouble(Part.ADAPTER, present=True, detail="hci0"),
            )
            await port.until(lambda: len(port.emitted) == 2)
            return list(port.emitted)

    adapter, key = asyncio.run(story())
    assert isinstance(adapter, RadioPartChanged)
    assert isinstance(key, RadioPartChanged)
    assert (adapter.device, adapter.part, adapter.broken) == ("radio", Part.ADAPTER, True)
    assert (key.device, key.part) == ("pendant", Part.KEY)


def test_a_part_that_flickers_is_told_now_and_then_and_as_it_is_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", Patience(ping_s=0.01))
    monkeypatch.setattr(module, "CHANGE_S", 0.2)

    async def story() -> list[bool]:
        async with connection(tmp_path) as (found, port):
            found.say(*[Trouble(Part.SCANNER, present=n % 2 == 0) for n in range(100)])
            await port.until(lambda: len(port.emitted) == 2)
            return [e.broken for e in port.emitted if isinstance(e, RadioPartChanged)]

    assert asyncio.run(story()) == [True, False]


def test_rooms_and_refused_frames_are_telemetry_and_seldom(tmp_path: Path) -> None:
    async def story() -> list[object]:
        async with connection(tmp_path) as (found, port):
            for n in range(5):
                found.say(radio.Ambient("bath", {"temperature_c": 21.0 + n}))
                found.say(radio.Pong(9, {"bad_mic": n, "x y": 1, "z" * 99: 1}, 100 + n))
            found.say(PRESS)
            await port.until(lambda: len(port.emitted) >= 3)
            return list(port.emitted)

    bath, counted, press = asyncio.run(story())
    assert isinstance(bath, Measured)
    assert bath.readings == {"bath_temperature_c": 21.0}
    assert isinstance(counted, Measured)
    assert counted.readings == {
        "radio_heard": 100.0, "radio_refused_bad_mic": 0.0, "radio_refused_other": 2.0,
    }  # fmt: skip
    assert isinstance(press, WirelessPressed)


def test_a_radio_that_invents_names_for_ever_takes_no_memory_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.shared.sidecar.reports.MOST", 8)

    async def story() -> int:
        async with connection(tmp_path) as (found, port):
            found.say(*[radio.Ambient(f"s{n}", {"humidity_pct": 40.0}) for n in range(50)])
            found.say(PRESS)
            await port.until(lambda: any(isinstance(e, WirelessPressed) for e in port.emitted))
            return len(port.emitted)

    assert asyncio.run(story()) == 9


def test_a_flood_is_cut_off_and_the_radio_may_come_again(tmp_path: Path) -> None:
    async def story() -> int:
        async with connection(tmp_path) as (found, port):
            found.say(*[PRESS] * 5000)
            with suppress(ConnectionResetError):
                async with asyncio.timeout(10):
                    await found.reader.read()
            flooded = len(port.emitted)
            again = await connected(tmp_path / "radio.sock")
            again.say(radio.Hello(), PRESS)
            await port.until(lambda: len(port.emitted) == flooded + 1)
            again.writer.close()
            return flooded

    assert 0 < asyncio.run(story()) <= 500


def test_a_radio_that_nobody_starts_is_one_fault_and_may_come_at_any_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", Patience(ping_s=0.01))
    monkeypatch.setattr(host, "LOST_S", 0.05)
    monkeypatch.setattr(host, "STEADY_S", 0.1)

    async def story() -> list[object]:
        async with served(tmp_path) as (path, port):
            await port.until(lambda: len(port.emitted) == 1)
            for _ in range(5):  # it dies again and again: that is told, and no storm
                found = await connected(path)
                found.say(radio.Hello(), PRESS)
                assert await found.hear() == radio.Ping(1)
                found.writer.close()
            await port.until(lambda: len(port.emitted) == 6)
            found = await connected(path)
            found.say(radio.Hello(), radio.Pong(1))
            await port.until(lambda: port.readies == 1)
            found.writer.close()
            await port.until(lambda: len(port.emitted) == 7)
            return list(port.emitted)

    first, *presses, last = asyncio.run(story())
    assert isinstance(first, DriverFailed)
    assert first.reason == "no radio process for 0 s"
    assert [type(event) for event in presses] == [WirelessPressed] * 5
    assert isinstance(last, DriverFailed)


def test_a_radio_that_is_stopped_is_killed_so_that_it_is_back_within_5_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the product's own patience

    async def story() -> float:
        async with served(tmp_path) as (path, _):
            (await connected(path)).writer.close()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", HANGING, str(path), stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout is not None
            assert await process.stdout.readline() == b"here\n"
            await asyncio.sleep(module.PATIENCE.ping_s * 2)  # it answers
            os.kill(process.pid, signal.SIGSTOP)
            begun = monotonic()
            async with asyncio.timeout(10):
                assert await process.wait() == -signal.SIGKILL
            return monotonic() - begun

    assert asyncio.run(story()) < 4.0  # and it starts within a second
