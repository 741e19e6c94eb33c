"""The fake itself: what stories of the radio rely on, seen by bleak."""

import asyncio
import time

import pytest
from bleak import BleakScanner
from bleak.args.bluez import OrPattern
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from drivers.bluetooth.air import BTHOME
from tests.drivers.bluetooth.private_bus import Bluezoo, FakeBlueZ, PrivateBus, wait_for

PENDANT = "A4:C1:38:00:00:01"


def test_bleak_scans_passively_and_hears_each_advert_that_is_new(bus: PrivateBus) -> None:
    heard = list[str]()

    def hear(_: BLEDevice, advert: AdvertisementData) -> None:
        heard.append(advert.service_data[BTHOME].hex())

    async def story(bluez: FakeBlueZ) -> None:
        pattern = OrPattern(0, AdvertisementDataType.SERVICE_DATA_UUID16, b"\xd2\xfc")
        async with BleakScanner(hear, None, "passive", bluez={"or_patterns": [pattern]}):
            await asyncio.to_thread(wait_for, lambda: bluez.do("state")["monitors"], "a monitor")
            bluez.do("advert", address="5A:00:00:00:00:01", data={}, rssi=-80)
            for frame in ("4401", "4402"):
                bluez.do("advert", address=PENDANT, data={BTHOME: frame})
            await asyncio.to_thread(wait_for, lambda: len(heard) == 2, "two adverts")

    with FakeBlueZ(bus) as bluez:
        asyncio.run(story(bluez))
    assert heard == ["4401", "4402"]


def test_it_gives_the_load_that_it_is_asked_for(bus: PrivateBus) -> None:
    heard = list[float]()

    def hear(_: BLEDevice, __: AdvertisementData) -> None:
        heard.append(time.monotonic())

    async def story(bluez: FakeBlueZ) -> None:
        async with BleakScanner(hear):
            bluez.do("load", per_s=500, strangers=50, listed=[])
            await asyncio.to_thread(wait_for, lambda: len(heard) > 1000, "1,000 adverts")

    with FakeBlueZ(bus) as bluez:
        asyncio.run(story(bluez))
    assert heard[1000] - heard[0] == pytest.approx(2.0, rel=0.25)


def test_bluezoo_is_there_with_two_adapters(bus: PrivateBus) -> None:
    async def story() -> None:
        while True:
            try:
                async with BleakScanner(bluez={"adapter": "hci1"}):
                    return
            except BleakError:  # it is not on the bus yet
                await asyncio.sleep(0.05)

    with Bluezoo(bus):
        asyncio.run(asyncio.wait_for(story(), 10))
