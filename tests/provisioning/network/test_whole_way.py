"""Stories of a hub's network, over a D-Bus with a fake NetworkManager."""

import asyncio
import os
import time
from typing import Any

import pytest

from hub.contract.provision import Clock, NetworkTrouble, OpenHotspot, Part, Trouble, Way
from provisioning.network import checks, service
from provisioning.network.bus import connect
from provisioning.network.checks import Center
from provisioning.network.nm import JoinError, NetworkDaemon, dbm
from provisioning.network.service import hotspot_name
from provisioning.network.state import Checking, Credentials, Joining, Security, Seen, Waiting
from tests.provisioning.network.conftest import HOME, PASSWORD, FakeNM, Home, Living

AIR = {"ssid": HOME, "psk": PASSWORD, "strength": 75}
ENTERPRISE = {"ssid": b"office", "keys": 0x200}
WRONG = "wrong horse"
NAME = hotspot_name("a-machine")


def test_a_new_hub_opens_a_hotspot_whose_name_and_password_it_tells(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            there = nm.state()
            assert there["hotspot"] == home.network.name == NAME
            assert there["password"] == home.network.password
            assert len(home.network.password) == 10
            assert home.network.password.isdigit()

    asyncio.run(story())


def test_a_form_that_is_filled_in_brings_the_hub_onto_the_wifi_for_good(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            status, _, text = await home.post("join", network=HOME.hex(), password=PASSWORD)
            assert status == 200
            assert "할머니댁”에 연결하는 중" in text
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")
            assert home.network.name == "할머니댁"
            assert home.network.signal_dbm == dbm(75)
            assert nm.state()["stored"] == [HOME.hex()]
            nm.kill()  # a power cut
            await home.until(lambda: home.network.trouble == "no_manager", "it is noticed")
            nm.start()
            nm.air(AIR)
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined again")
            assert nm.state()["hotspot"] == ""

    asyncio.run(story())


def test_a_joined_wifi_is_on_the_disk_before_it_is_told(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NetworkManager does not sync a new file: a power cut within seconds took it."""
    synced: list[list[str]] = []

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: isinstance(home.connections._state.mode, Waiting), "joined")
            assert synced == [[HOME.hex()]]

    monkeypatch.setattr(os, "sync", lambda: synced.append(nm.state()["stored"]))
    asyncio.run(story())


def test_a_wrong_password_is_told_and_the_right_one_works_afterwards(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            password = home.network.password
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=WRONG)
            await home.until(lambda: home.network.trouble == "wrong_password", "it is told")
            await home.opened()
            assert home.network.password == password, "the phone would not come back"
            assert nm.state()["stored"] == []
            assert nm.state()["profiles"] == 1  # the hotspot's own
            _, _, text = await home.get()
            assert "비밀번호가 맞지 않습니다" in text
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: home.network.way is Way.WIFI, "the right one works")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("air", "typed", "why"),
    [
        (AIR | {"dhcp": False}, {"network": HOME.hex()}, "no_dhcp"),
        (AIR, {"network": "other", "name": "nobody"}, "no_such_network"),
    ],
)
def test_each_failure_is_told_apart(
    nm: FakeNM, living: Living, air: dict[str, Any], typed: dict[str, str], why: str
) -> None:
    async def story() -> None:
        nm.air(air)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", password=PASSWORD, **typed)
            await home.until(lambda: home.network.trouble == why, why)
            await home.opened()
            assert nm.state()["stored"] == []

    asyncio.run(story())


def test_a_hidden_wifi_is_joined_by_its_name(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.air(AIR | {"hidden": True})
        async with living() as home:
            await home.opened()
            await home.post("join", network="other", name="할머니댁", password=PASSWORD)
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")

    asyncio.run(story())


def test_wpa3_is_taken(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.air(AIR | {"keys": 0x400})
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")

    asyncio.run(story())


def test_a_company_wifi_is_refused_with_a_sentence_and_nothing_is_tried(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR, ENTERPRISE)
        async with living() as home:
            await home.opened()
            await home.until(lambda: len(home.connections._spots) == 2, "they are heard")
            _, _, text = await home.post("join", network=b"office".hex(), password=WRONG)
            assert "802.1X" in text
            assert "office" in text
            _, _, text = await home.post("join", network=HOME.hex(), password=WRONG[:5])
            assert "지금 5자입니다" in text
            assert nm.state()["hotspot"] == NAME

    asyncio.run(story())


def test_a_wifi_without_the_centre_is_kept_and_the_reason_is_on_the_page(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            home.way = checks.Way(NetworkTrouble.CAPTIVE_PORTAL)
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: nm.state()["stored"] == [HOME.hex()], "it is saved")
            await home.until(lambda: home.network.trouble == "captive_portal", "it is told")
            await home.opened()
            _, _, text = await home.get("?lang=en")
            assert "first wants a page to be accepted" in text
            await home.post("keep")
            await home.until(lambda: home.network.way is Way.WIFI, "it is used as it is")
            told = [one for one in home.facts if isinstance(one, Trouble)]
            assert told[-1] == Trouble(Part.NETWORK, present=True, detail="captive_portal")

    asyncio.run(story())


def test_the_button_opens_the_hotspot_of_a_hub_that_has_a_wifi(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")
            home.connections.take_order(OpenHotspot(300))
            await home.opened()
            home.connections.take_order(OpenHotspot(0))
            await home.until(lambda: home.network.way is Way.WIFI, "it is shut again")

    asyncio.run(story())


@pytest.mark.usefixtures("nm")
def test_a_phone_that_looks_for_the_internet_is_sent_to_the_form(living: Living) -> None:
    async def story() -> None:
        async with living() as home:
            await home.opened()
            for host, path in (
                ("connectivitycheck.gstatic.com", "generate_204"),
                ("captive.apple.com", "hotspot-detect.html"),
                ("www.msftconnecttest.com", "connecttest.txt"),
                ("detectportal.firefox.com", "canonical.html"),
            ):
                status, head, _ = await home.get(path, host)
                assert (status, head["Location"]) == (302, home.url)

    asyncio.run(story())


def test_another_site_cannot_send_the_form(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            status, _, _ = await home.post("join", origin="http://evil.example", name="x")
            assert status == 403

    asyncio.run(story())


def test_a_cable_is_told(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.do("cable", state=100, carrier=True)
        async with living() as home:
            home.way = checks.Way(None, 42.0)
            await home.until(lambda: Clock(42.0) in home.facts, "the clock is told")
            assert home.network.way is Way.ETHERNET
            assert Trouble(Part.CLOCK, present=True, detail="42") in home.facts

    asyncio.run(story())


def test_a_clock_that_has_become_right_is_told_soon(nm: FakeNM, living: Living) -> None:
    """An installer waits for it, who would have waited for 10 minutes."""

    async def story() -> None:
        nm.do("cable", state=100, carrier=True)
        async with living() as home:
            home.way = checks.Way(None, -3277.0)
            await home.until(lambda: Clock(-3277.0) in home.facts, "the clock is told")
            home.way = checks.Way(None, 0.1)
            await home.until(lambda: Clock(0.1) in home.facts, "it is told again")
            assert Trouble(Part.CLOCK, present=False) in home.facts

    asyncio.run(story())


def test_wifi_that_is_blocked_is_said(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.do("set", no_wifi=True)
        async with living() as home:
            await home.until(lambda: home.network.trouble == "no_way", "it is told")

    asyncio.run(story())


def test_a_driver_that_does_not_scan_during_the_hotspot_loses_no_list(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            nm.do("set", deny_scan=True)
            nm.air()
            scans = nm.state()["scans"]
            await home.until(lambda: nm.state()["scans"] > scans + 1, "it scans on")
            _, _, text = await home.get()
            assert "할머니댁" in text

    asyncio.run(story())


def test_a_hotspot_ends_with_the_process_that_opened_it(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        async with living() as home:
            await home.opened()
        await home.until(lambda: not nm.state()["hotspot"], "it ends")

    asyncio.run(story())


async def trying(home: Home, password: str = PASSWORD) -> None:
    """Send the form, and wait until the Wi-Fi is tried."""
    await home.opened()
    await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
    await home.post("join", network=HOME.hex(), password=password)
    await home.until(lambda: isinstance(home.connections._state.mode, Joining), "it is tried")


def test_a_try_ends_with_the_networkmanager_that_began_it(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was never told of, and no hotspot opened again: a new one answers before the next look."""

    async def story() -> None:
        nm.air(AIR | {"dhcp_s": 1000.0})
        async with living() as home:
            await home.opened()
            monkeypatch.setattr(service, "LOOK_S", 60.0)
            await trying(home)
            await home.until(lambda: nm.state()["wlan"] == 50, "it asks for an address")
            nm.restart()
            await home.until(lambda: home.network.trouble == "join_failed", "it is told")
            await home.opened()

    asyncio.run(story())


def test_a_look_that_gets_no_answer_amid_a_try_ends_it(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [TimeoutError()]
    look = NetworkDaemon.look

    async def late(self: NetworkDaemon) -> Seen:
        while looks:
            raise looks.pop()
        return await look(self)

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await trying(home, WRONG)
            monkeypatch.setattr(NetworkDaemon, "look", late)
            await home.until(lambda: home.network.trouble == "join_failed", "it is told")
            await home.opened()
            assert nm.state()["profiles"] == 1  # the hotspot's own

    asyncio.run(story())


def test_a_wifi_is_known_though_networkmanager_numbers_its_profiles_anew(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Wi-Fi that was joined a moment ago was deleted as one of before."""

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            ended = asyncio.Event()

            async def check(_: Center) -> checks.Way:
                await ended.wait()
                return checks.Way()

            monkeypatch.setattr(checks, "check", check)
            await trying(home)
            await home.until(lambda: isinstance(home.connections._state.mode, Checking), "checked")
            nm.restart()
            nm.air(AIR)
            await home.until(lambda: home.network.trouble == "no_manager", "it is noticed")
            await home.until(lambda: home.network.way is Way.WIFI, "it is joined again")
            nm.do("save", network={"ssid": b"old".hex(), "psk": PASSWORD, "id": "anbu-wifi"})
            ended.set()
            await home.until(lambda: b"old".hex() not in nm.state()["stored"], "others go")
            assert nm.state()["stored"] == [HOME.hex()]

    asyncio.run(story())


def test_a_wifi_that_was_saved_is_used_though_the_end_of_its_try_is_never_heard(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card takes seconds for a sync; a restart within them deleted it."""

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await trying(home)
            await home.until(lambda: nm.state()["stored"], "it is saved")
            nm.restart()
            nm.air(AIR)
            await home.until(lambda: home.network.trouble == "no_manager", "it is noticed")
            await home.until(lambda: home.network.way is Way.WIFI, "it is joined again")
            await home.until(lambda: isinstance(home.connections._state.mode, Waiting), "is used")
            assert nm.state()["stored"] == [HOME.hex()]

    monkeypatch.setattr(os, "sync", lambda: time.sleep(0.6))
    asyncio.run(story())


@pytest.mark.parametrize("typed", [PASSWORD, WRONG])
def test_a_try_that_its_process_did_not_outlive_is_no_saved_wifi(
    nm: FakeNM, living: Living, typed: str
) -> None:
    """Its profile is in NetworkManager's memory only, and would be gone after a power cut."""

    async def story() -> None:
        nm.air(AIR | {"dhcp_s": 10.0})
        async with living() as home:
            await trying(home, typed)
            await home.until(lambda: nm.state()["profiles"] == 1, "its profile is there")
            await home.until(lambda: nm.state()["wlan"] > 30, "it is tried")
        async with living() as home:
            await home.opened()
            assert nm.state()["profiles"] == 1  # the hotspot's own
            assert not home.connections._state.seen.saved

    asyncio.run(story())


def test_a_failed_profile_that_is_left_over_would_block_the_right_password(nm: FakeNM) -> None:
    """The fake is as bad as the real one: without the deletion, the second try is refused."""

    async def story() -> None:
        nm.air(AIR)
        manager = NetworkDaemon(await connect())
        await manager.begin()
        with pytest.raises(JoinError) as failed:
            await manager.join(Credentials(HOME, "wrong horse", security=Security.PASSWORD))
        assert failed.value.trouble is NetworkTrouble.WRONG_PASSWORD
        assert await manager.join(Credentials(HOME, PASSWORD))
        manager._bus.disconnect()

    asyncio.run(story())
