"""Connecting by the real bleak: a fake `org.bluez` for what goes wrong, bluezoo for the rest."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from drivers.bluetooth.air import Lost, LostError, Peripheral
from drivers.bluetooth.bluez import connect
from drivers.bluetooth.bluez.connect import ANSWER_S, CALL_S, FALLS, QUICK_ENDS, Connector
from drivers.bluetooth.settings import Adapters
from drivers.bluetooth.wearables.service import uuid
from tests.drivers.bluetooth.gatt_server import ADDRESS, GattServer
from tests.drivers.bluetooth.private_bus import Bluezoo, FakeBlueZ, PrivateBus, wait_for

BAND = "C0:11:22:33:44:55"
HEART_RATE, LEVEL = uuid(0x2A37), uuid(0x2A19)
PRESSURE, DATE_TIME = uuid(0x2A35), uuid(0x2A08)
PATIENCE_S = 10.0


@pytest.fixture
def bluez(bus: PrivateBus) -> Iterator[FakeBlueZ]:
    with FakeBlueZ(bus, "tests.drivers.bluetooth.fake_gatt") as fake:
        fake.do("peripheral", address=BAND, characteristics={HEART_RATE: "", LEVEL: "50"})
        yield fake


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all that waits for a device give up soon."""
    monkeypatch.setattr(connect, "ANSWER_S", ANSWER_S / 3)
    monkeypatch.setattr(connect, "FOUND_S", 3.0)
    monkeypatch.setattr(connect, "CALL_S", CALL_S / 10)
    monkeypatch.setattr(connect, "PART_S", 1.0)


async def lost(connector: Connector, address: str = BAND) -> Lost:
    """Try to connect; return why it failed, in the room of a band that came up or not."""
    with pytest.raises(LostError) as caught:
        async with connector.connect(address) as peripheral:
            await peripheral.ended()
    return caught.value.reason


async def within(awaitable: Awaitable[object], patience_s: float = PATIENCE_S) -> object:
    async with asyncio.timeout(patience_s):
        return await awaitable


@asynccontextmanager
async def band() -> AsyncIterator[tuple[Peripheral, asyncio.Queue[bytes]]]:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with Connector().connect(BAND) as peripheral:
        await peripheral.notify(HEART_RATE, heard.put_nowait)
        yield peripheral, heard


def test_a_band_is_read_heard_and_heard_again_after_each_reconnect(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        for beat in ("0048", "0049", "004a"):
            async with band() as (peripheral, heard):
                assert peripheral.services == {HEART_RATE, LEVEL}
                assert await peripheral.read(LEVEL) == b"\x50"
                bluez.do("send", address=BAND, uuid=HEART_RATE, value=beat)
                assert await within(heard.get()) == bytes.fromhex(beat)
                assert heard.empty()
                bluez.do("part", address=BAND)
                assert await within(peripheral.ended()) is Lost.ENDED
        assert bluez.do("state")["notifying"] == 0

    asyncio.run(story())


def test_a_paired_device_is_found_by_its_identity_and_not_by_its_first_address(
    bluez: FakeBlueZ,
) -> None:
    async def story() -> None:
        bluez.do("peripheral", address="5A:00:00:00:00:01", identity="C0:99:99:99:99:99",
                 characteristics={LEVEL: "50"}, paired=True)  # fmt: skip
        async with Connector().connect("C0:99:99:99:99:99") as peripheral:
            assert await peripheral.read(LEVEL) == b"\x50"

    asyncio.run(story())


def test_at_the_end_it_disconnects(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        async with band():
            assert bluez.do("state")["notifying"] == 1
        assert bluez.do("state")["calls"][-1] == "Disconnect"

    asyncio.run(story())


@pytest.mark.usefixtures("soon")
def test_who_is_cancelled_while_nobody_answers_leaves_no_connect_behind(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        bluez.do("behave", address=BAND, how="never")
        task = asyncio.create_task(lost(Connector()))
        await asyncio.to_thread(
            wait_for, lambda: "Connect" in bluez.do("state")["calls"], "a connect"
        )
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE_S)
        assert task.cancelled()
        assert bluez.do("state")["calls"][-1] == "Disconnect"

    asyncio.run(story())


@pytest.mark.usefixtures("soon")
def test_a_daemon_that_hangs_amid_a_connect_holds_nobody_up_once_it_goes_on(
    bluez: FakeBlueZ,
) -> None:
    async def story() -> None:
        bluez.do("behave", address=BAND, how="never")
        connector = Connector()
        task = asyncio.create_task(lost(connector))
        await asyncio.to_thread(
            wait_for, lambda: "Connect" in bluez.do("state")["calls"], "a connect"
        )
        bluez.stop()
        await asyncio.sleep(connect.ANSWER_S + 0.5)  # its time is over by now
        assert not task.done()
        bluez.resume()
        assert await within(task) is Lost.NOT_FOUND
        bluez.do("behave", address=BAND, how="well")
        async with connector.connect(BAND) as peripheral:
            assert await peripheral.read(LEVEL) == b"\x50"

    asyncio.run(story())


@pytest.mark.usefixtures("soon")
def test_a_daemon_that_hangs_while_a_band_is_connected_ends_the_link(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        async with band() as (peripheral, _):
            bluez.stop()
            with pytest.raises(LostError) as caught:
                await peripheral.read(LEVEL)
            assert caught.value.reason is Lost.TIMEOUT
        bluez.resume()

    begun = time.monotonic()
    asyncio.run(story())
    assert time.monotonic() - begun < CALL_S / 10 + 4


@pytest.mark.parametrize(
    ("how", "paired", "reason"),
    [
        ("never", False, Lost.NOT_FOUND),
        ("never", True, Lost.NOT_FOUND),
        ("mute", False, Lost.TIMEOUT),
        ("dies", False, Lost.TIMEOUT),
        ("aborts", False, Lost.TIMEOUT),
        ("key_missing", True, Lost.BOND_STALE),
        ("in_progress", False, Lost.BUSY),
    ],
)
def test_each_failure_says_why(
    bluez: FakeBlueZ, request: pytest.FixtureRequest, how: str, reason: Lost, *, paired: bool
) -> None:
    if reason in {Lost.NOT_FOUND, Lost.TIMEOUT}:  # the others do not wait for the device
        request.getfixturevalue("soon")
    characteristics = {HEART_RATE: "", LEVEL: "50"}
    bluez.do("peripheral", address=BAND, characteristics=characteristics, paired=paired)
    bluez.do("behave", address=BAND, how=how)
    assert asyncio.run(lost(Connector())) is reason


@pytest.mark.parametrize(
    ("paired", "reason"), [(False, Lost.NOT_PERMITTED), (True, Lost.BOND_STALE)]
)
def test_a_device_that_wants_a_bond_says_whether_there_was_one(
    bluez: FakeBlueZ, reason: Lost, *, paired: bool
) -> None:
    async def story() -> None:
        bluez.do("peripheral", address=BAND, characteristics={HEART_RATE: ""}, paired=paired)
        bluez.do("behave", address=BAND, how="locked")
        with pytest.raises(LostError) as caught:
            async with band():
                pass
        assert caught.value.reason is reason

    asyncio.run(story())


def test_a_link_that_falls_while_it_is_made_is_made_again_and_holds(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        bluez.do("behave", address=BAND, how="aborts_once")
        async with band() as (peripheral, heard):
            bluez.do("send", address=BAND, uuid=HEART_RATE, value="0048")
            assert await within(heard.get()) == b"\x00\x48"
            with pytest.raises(TimeoutError):
                await within(peripheral.ended(), 0.3)
            bluez.do("part", address=BAND)
            assert await within(peripheral.ended()) is Lost.ENDED

    asyncio.run(story())


def test_links_that_fall_one_after_the_other_do_not_deafen_it_for_long(bluez: FakeBlueZ) -> None:
    bluez.do("behave", address=BAND, how="aborts")
    assert asyncio.run(lost(Connector())) is Lost.TIMEOUT
    assert bluez.do("state")["calls"].count("Connect") <= 6


def test_bluez_own_word_for_a_stale_bond_is_taken(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        bluez.do("peripheral", address=BAND, characteristics={HEART_RATE: ""}, paired=True)
        async with band() as (peripheral, _):
            bluez.do("part", address=BAND, reason="org.bluez.Reason.Authentication")
            assert await within(peripheral.ended()) is Lost.BOND_STALE
        async with band() as (peripheral, _):
            bluez.do("part", address=BAND, reason="org.bluez.Reason.Timeout")
            assert await within(peripheral.ended()) is Lost.ENDED

    asyncio.run(story())


@pytest.mark.parametrize("how", ["dies", "dies_later", "aborts"])
def test_links_of_a_bond_that_all_end_at_once_are_a_stale_bond(bluez: FakeBlueZ, how: str) -> None:
    async def story() -> None:
        bluez.do("peripheral", address=BAND, characteristics={HEART_RATE: ""}, paired=True)
        bluez.do("behave", address=BAND, how=how)
        connector, reasons = Connector(now=lambda: 0.0), list[Lost]()
        while not reasons or reasons[-1] is not Lost.BOND_STALE:
            try:
                async with connector.connect(BAND) as peripheral:
                    reasons.append(await peripheral.ended())
            except LostError as error:
                reasons.append(error.reason)
            links = bluez.do("state")["calls"].count("Connect")
            assert links <= QUICK_ENDS + FALLS
        assert links >= QUICK_ENDS
        assert set(reasons[:-1]) <= {Lost.TIMEOUT, Lost.ENDED}

    asyncio.run(story())


@pytest.mark.usefixtures("soon")
def test_a_read_that_is_never_answered_ends(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        bluez.do("behave", address=BAND, how="hangs")
        async with band() as (peripheral, _):
            with pytest.raises(LostError) as caught:
                await peripheral.read(LEVEL)
            assert caught.value.reason is Lost.TIMEOUT

    asyncio.run(story())


def test_what_a_device_does_not_have_is_not_supported(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        async with band() as (peripheral, _):
            with pytest.raises(LostError) as caught:
                await peripheral.read(PRESSURE)
            assert caught.value.reason is Lost.NOT_SUPPORTED

    asyncio.run(story())
    assert bluez.do("state")["notifying"] == 0


def test_who_was_not_heard_is_not_found_at_once(bluez: FakeBlueZ) -> None:
    begun = time.monotonic()
    assert asyncio.run(lost(Connector(), "C0:00:00:00:00:99")) is Lost.NOT_FOUND
    assert time.monotonic() - begun < ANSWER_S / 2
    assert "Connect" not in bluez.do("state")["calls"]


def test_without_a_daemon_a_bus_or_a_powered_adapter_it_is_busy(
    bluez: FakeBlueZ, bus: PrivateBus
) -> None:
    bluez.do("powered", on=False)
    assert asyncio.run(lost(Connector())) is Lost.BUSY
    bluez.kill()
    assert asyncio.run(lost(Connector())) is Lost.BUSY
    bus.kill()
    assert asyncio.run(lost(Connector())) is Lost.BUSY


@pytest.mark.parametrize(("how", "waits"), [("never", False), ("mute", True)])
@pytest.mark.usefixtures("soon")
def test_the_budget_is_spent_by_who_answers_and_not_by_who_is_absent(
    bluez: FakeBlueZ, how: str, *, waits: bool
) -> None:
    clock = [0.0]

    async def later() -> None:
        await asyncio.to_thread(
            wait_for, lambda: "Connect" in bluez.do("state")["calls"], "a connect"
        )
        clock[0] += 10.0  # of the saved 12 s

    async def story() -> None:
        connector = Connector(now=lambda: clock[0])
        bluez.do("behave", address=BAND, how=how)
        await asyncio.gather(lost(connector), later())
        assert (connector._shared.wait_s > 0) is waits

    asyncio.run(story())


@pytest.mark.usefixtures("soon")
def test_a_device_that_has_answered_may_take_longer_to_tell_its_services(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        bluez.do("behave", address=BAND, how="slow")
        async with band() as (peripheral, _):
            assert peripheral.services == {HEART_RATE, LEVEL}

    asyncio.run(story())


def test_the_end_of_the_daemon_ends_the_link_and_the_next_one_is_new(bluez: FakeBlueZ) -> None:
    async def story() -> None:
        connector = Connector()
        async with connector.connect(BAND) as peripheral:
            await peripheral.notify(HEART_RATE, lambda _: None)
            bluez.kill()
            assert await within(peripheral.ended()) is Lost.ENDED
        bluez.start()
        bluez.do("peripheral", address=BAND, characteristics={LEVEL: "32"}, told=False)
        async with connector.connect(BAND) as peripheral:
            assert peripheral.services == {LEVEL}
            assert await peripheral.read(LEVEL) == b"\x32"

    asyncio.run(story())


def bluezoo(bus: PrivateBus, story: Callable[[GattServer], Awaitable[None]]) -> None:
    """Play a story with a cuff and a band in one device, at bluezoo, while we scan."""
    services = {
        uuid(0x180D): {HEART_RATE: ["notify"]},
        uuid(0x1810): {PRESSURE: ["indicate"], DATE_TIME: ["read", "write"]},
        uuid(0x180F): {LEVEL: ["read"]},
    }

    async def play() -> None:
        found = asyncio.Event()

        def hear(device: BLEDevice, _: AdvertisementData) -> None:
            if device.address == ADDRESS:
                found.set()

        async with (
            GattServer(bus.address, services) as server,
            BleakScanner(hear, bluez=BlueZScannerArgs(adapter="hci0")),
        ):
            await within(found.wait())
            await story(server)

    with Bluezoo(bus):
        asyncio.run(play())


def test_bluezoo_scan_read_notify_indicate_write_and_the_end(bus: PrivateBus) -> None:
    async def story(server: GattServer) -> None:
        server.found[LEVEL].value = b"\x50"
        beats: asyncio.Queue[bytes] = asyncio.Queue()
        records: asyncio.Queue[bytes] = asyncio.Queue()
        async with Connector().connect(ADDRESS) as peripheral:
            assert await peripheral.read(LEVEL) == b"\x50"
            await peripheral.notify(HEART_RATE, beats.put_nowait)
            await peripheral.notify(PRESSURE, records.put_nowait)
            server.send(HEART_RATE, "0048")
            server.send(PRESSURE, "007b0050005d00")
            assert await within(beats.get()) == b"\x00\x48"
            assert await within(records.get()) == bytes.fromhex("007b0050005d00")
            await within(server.found[PRESSURE].confirmed.wait())
            await peripheral.write(DATE_TIME, b"\xea\x07\x0b\x1d\x0e\x1e\x00")
            assert server.found[DATE_TIME].written == [b"\xea\x07\x0b\x1d\x0e\x1e\x00"]
            await server.drop()
            assert await within(peripheral.ended()) is Lost.ENDED

    bluezoo(bus, story)


def test_bluezoo_an_adapter_of_its_own_finds_the_device_by_itself(
    bus: PrivateBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "ANSWER_S", 3.0)

    async def play() -> None:
        async with GattServer(bus.address, {uuid(0x180F): {LEVEL: ["read"]}}) as server:
            server.found[LEVEL].value = b"\x50"
            connector = Connector(Adapters(listen="hci1", connect="hci0"), now=lambda: 0.0)
            level = b""
            for _ in range(
                8
            ):  # bluezoo may tell of it amid the call that begins the search: missed
                with suppress(LostError):
                    async with connector.connect(ADDRESS) as peripheral:
                        level = await peripheral.read(LEVEL)
                if level:
                    break
            assert level == b"\x50"
            assert await lost(connector, BAND) is Lost.NOT_FOUND
            assert await lost(Connector(Adapters(connect="hci7")), ADDRESS) is Lost.BUSY

    with Bluezoo(bus):
        asyncio.run(play())
